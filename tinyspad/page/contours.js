// Lines of equal value on a grid, and the shade between them.

/** Some ten values that one would say, spread as the grid's values are. */
function levelsOf(grid) {
  const sorted = grid.filter(finite).sort((a, b) => a - b),
    found = new Set();
  if (!sorted.length) return [];
  const low = sorted[0],
    span = sorted.at(-1) - low || 1;
  for (const share of [0.02, 0.06, 0.12, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.96]) {
    const above = sorted[floor(share * (sorted.length - 1))],
      ten = 10 ** floor(Math.log10(max(abs(above), 1e-3 * span)));
    found.add(Number(((round((above / ten) * 2) / 2) * ten).toPrecision(6)));
  }
  return [...found].filter((level) => level > low && level < sorted.at(-1)).sort((a, b) => a - b);
}

/** Marching squares: pieces [[i, j], [i, j]] of the line where the grid of (n + 1)² values takes a level. */
function isoline(grid, n, level) {
  const pieces = [],
    at = (i, j) => grid[j * (n + 1) + i];
  const cross = (i, j, k, l) => {
    const t = (level - at(i, j)) / (at(k, l) - at(i, j));
    return [i + t * (k - i), j + t * (l - j)];
  };
  for (let j = 0; j < n; j++)
    for (let i = 0; i < n; i++) {
      const corners = [
          [i, j],
          [i + 1, j],
          [i + 1, j + 1],
          [i, j + 1]
        ],
        above = corners.map(([p, q]) => at(p, q) > level);
      if (corners.some(([p, q]) => !finite(at(p, q)))) continue;
      const ends = [];
      for (let k = 0; k < 4; k++)
        if (above[k] !== above[(k + 1) % 4]) ends.push(cross(...corners[k], ...corners[(k + 1) % 4]));
      if (ends.length >= 2) pieces.push([ends[0], ends[1]]);
      if (ends.length === 4) pieces.push([ends[2], ends[3]]);
    }
  return pieces;
}

/** Darker where the value is higher, a step at each level. */
function shade(canvas, grid, levels, { xs, ys, w, h }, left, top, right, bottom) {
  const css = getComputedStyle(document.documentElement),
    read = (name) => css.getPropertyValue(name).split(",").map(Number),
    low = read("--low"),
    high = read("--high");
  const wide = round(right - left),
    tall = round(bottom - top),
    n = Math.sqrt(grid.length) - 1;
  canvas.width = round(w);
  canvas.height = round(h);
  const context = canvas.getContext("2d"),
    image = context.createImageData(wide, tall);
  for (let v = 0; v < tall; v++)
    for (let u = 0; u < wide; u++) {
      const s = min((u / wide) * n, n - 1e-9),
        t = min(((tall - 1 - v) / tall) * n, n - 1e-9),
        i = floor(s),
        j = floor(t),
        a = s - i,
        b = t - j,
        k = j * (n + 1) + i;
      const f = (1 - b) * ((1 - a) * grid[k] + a * grid[k + 1]) + b * ((1 - a) * grid[k + n + 1] + a * grid[k + n + 2]);
      let rank = 0;
      while (rank < levels.length && f > levels[rank]) rank++;
      const share = levels.length ? rank / levels.length : 0,
        p = 4 * (v * wide + u);
      for (let c = 0; c < 3; c++) image.data[p + c] = low[c] + share * (high[c] - low[c]);
      image.data[p + 3] = finite(f) ? 255 : 0;
    }
  context.putImageData(image, round(left), round(top));
}

/** What stands behind the point: the lines, some with their values; the shade goes onto the canvas. */
function contours(app, canvas, axes, CELLS) {
  const { xs, ys, w, h } = axes,
    [first, second] = app.graph.params,
    grid = [];
  for (let j = 0; j <= CELLS; j++)
    for (let i = 0; i <= CELLS; i++)
      grid.push(
        app.graph.at({
          [first]: xs[0] + ((xs[1] - xs[0]) * i) / CELLS,
          [second]: ys[0] + ((ys[1] - ys[0]) * j) / CELLS
        }).value
      );
  const levels = levelsOf(grid),
    lines = levels.map((level) => isoline(grid, CELLS, level));
  const px = ([i, j]) => [
    axes.x(xs[0] + ((xs[1] - xs[0]) * i) / CELLS),
    axes.y(ys[0] + ((ys[1] - ys[0]) * j) / CELLS)
  ];
  shade(canvas, grid, levels, axes, LEFT, TOP, w - RIGHT, h - BOTTOM);
  const labels = [],
    taken = [];
  lines.forEach((segments, k) => {
    const spot = segments
      .map(([a]) => px(a))
      .find(
        ([u, v]) =>
          u > LEFT + 24 &&
          u < w - 40 &&
          v > TOP + 16 &&
          v < h - 40 &&
          taken.every(([p, q]) => abs(p - u) > 60 || abs(q - v) > 30)
      );
    if (spot && k % 2 === 0) {
      taken.push(spot);
      labels.push(label("tick halo", spot[0], spot[1] + 4, short(levels[k], 3)));
    }
  });
  return [
    ...lines.map((segments) =>
      svg("path", {
        class: "iso",
        d: segments.map(([a, b]) => `M${px(a).map((t) => t.toFixed(1))}L${px(b).map((t) => t.toFixed(1))}`).join("")
      })
    ),
    ...labels
  ];
}

/** Over two parameters: the paths' parts of the gradient, laid end to end along each, and the gradient. */
function arrows(app, axes, [px, py]) {
  const lit = app.lit(),
    lists = app.graph.params.map((name) => app.listing(name)),
    slope = app.graph.params.map((name) => app.slopes[name]);
  const ends = lists.map(({ paths, rest }) => {
    let end = 0,
      most = 0;
    for (const x of [...paths.map((p) => p.product), rest ? rest.sum : 0]) {
      end += x;
      most = max(most, abs(end));
    }
    return most;
  });
  const unit = 66 / (max(...ends) || 1),
    parts = [];
  lists.forEach(({ paths }, side) => {
    let from = 0;
    paths.slice(0, 12).forEach((path, k) => {
      const a = from * unit,
        b = (from + path.product) * unit,
        aside = 12 + 6 * k,
        dim = lit && lit.path && !same(lit.path, path) ? " dim" : "";
      parts.push(
        of(
          path,
          line(
            `rise${dim}`,
            ...(side ? [px - aside, py - a, px - aside, py - b] : [px + a, py + aside, px + b, py + aside]),
            { color: path.color }
          )
        )
      );
      from += path.product;
    });
  });
  const end = [px + slope[0] * unit, py - slope[1] * unit];
  if (end.every(finite) && hypot(end[0] - px, end[1] - py) > 3)
    parts.push(line("tangent", px, py, ...end), svg("path", { d: arrow([px, py], end), fill: "var(--ink)" }));
  return parts;
}
