// Lines of equal value on a grid, and the shade between them.

/** Some ten values that one would say, spread as the grid's values are. */
function levelsOf(grid) {
  const sorted = grid.filter(Number.isFinite).sort((a, b) => a - b),
    found = new Set();
  if (!sorted.length) return [];
  const low = sorted[0],
    span = sorted.at(-1) - low || 1;
  for (const share of [0.02, 0.06, 0.12, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.96]) {
    const above = sorted[Math.floor(share * (sorted.length - 1))],
      ten = 10 ** Math.floor(Math.log10(Math.max(Math.abs(above), 1e-3 * span)));
    found.add(Number(((Math.round((above / ten) * 2) / 2) * ten).toPrecision(6)));
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
      if (corners.some(([p, q]) => !Number.isFinite(at(p, q)))) continue;
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
  const wide = Math.round(right - left),
    tall = Math.round(bottom - top),
    n = Math.sqrt(grid.length) - 1;
  canvas.width = Math.round(w);
  canvas.height = Math.round(h);
  const context = canvas.getContext("2d"),
    image = context.createImageData(wide, tall);
  for (let v = 0; v < tall; v++)
    for (let u = 0; u < wide; u++) {
      const s = Math.min((u / wide) * n, n - 1e-9),
        t = Math.min(((tall - 1 - v) / tall) * n, n - 1e-9),
        i = Math.floor(s),
        j = Math.floor(t),
        a = s - i,
        b = t - j,
        k = j * (n + 1) + i;
      const f = (1 - b) * ((1 - a) * grid[k] + a * grid[k + 1]) + b * ((1 - a) * grid[k + n + 1] + a * grid[k + n + 2]);
      let rank = 0;
      while (rank < levels.length && f > levels[rank]) rank++;
      const share = levels.length ? rank / levels.length : 0,
        p = 4 * (v * wide + u);
      for (let c = 0; c < 3; c++) image.data[p + c] = low[c] + share * (high[c] - low[c]);
      image.data[p + 3] = Number.isFinite(f) ? 255 : 0;
    }
  context.putImageData(image, Math.round(left), Math.round(top));
}
