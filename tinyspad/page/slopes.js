// At the point: each path's slope, and the tangent that is their sum; over two parameters, the parts of the gradient.

/** What lights up a path. */
const of = (path, shape) => Object.assign(shape, { path });

/** Over one step along x: each path's slope; their rises laid end to end; the tangent, which ends there. */
function slopes(app, axes, [px, py]) {
  const { paths, rest } = app.listing(app.param),
    lit = app.lit(),
    unit = (axes.y(0) - axes.y(1)) / (axes.x(1) - axes.x(0));
  const terms = [...paths.slice(0, 12)];
  const others = paths.slice(12).reduce((sum, path) => sum + path.product, rest ? rest.sum : 0);
  const all = [
    ...terms.map((path) => ({ rise: path.product, color: path.color, path })),
    ...(paths.length > 12 || rest ? [{ rise: others, color: "var(--quiet)", path: null }] : [])
  ];
  const total = all.reduce((sum, t) => sum + t.rise, 0);
  let end = 0,
    most = abs(total);
  for (const t of all) {
    end += t.rise;
    most = max(most, abs(end), abs(t.rise));
  }
  const apart = min(7, 70 / all.length),
    run = clamp((0.32 * axes.h) / (most * unit || 1e-9), 5, 62),
    way = px + run + 16 + apart * all.length > axes.w ? -1 : 1;
  const up = (rise) => clamp(rise * unit * run, -2 * axes.h, 2 * axes.h) * way;
  const parts = [];
  let from = 0;
  all.forEach(({ rise, color, path }, k) => {
    const dim = lit && lit.path && !same(lit.path, path) ? " dim" : "",
      x = px + way * (run + 9 + apart * k);
    const slope = [px, py, px + way * run, py - up(rise)];
    parts.push(
      line(`term${dim}`, ...slope, { color }),
      of(path, line("hit", ...slope)),
      of(path, line(`rise${dim}`, x, py - up(from), x, py - up(from + rise), { color }))
    );
    if (path && all.length < 7)
      parts.push(label("halo", px + way * (run + 2), py - up(rise) + (rise * way > 0 ? -4 : 12), String(path.index)));
    from += rise;
  });
  const reach = way * (run + 9 + apart * all.length);
  const ends = py - up(total),
    dashed = { "stroke-dasharray": "3 3" };
  return [
    ...parts,
    line("axis", px, py, px + reach, py, dashed),
    line("axis", px + way * run, ends, px + reach, ends, dashed),
    line("tangent", px - way * 0.7 * run, py + 0.7 * up(total), px + way * run, ends)
  ];
}
