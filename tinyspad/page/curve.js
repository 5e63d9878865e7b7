// The function: a curve, or contours over two parameters, with the point, which is dragged.

const SAMPLES = 240;

function CurveView(app) {
  const box = byId("plot"),
    canvas = el("canvas", { "aria-hidden": "true" }),
    picture = svg("svg", { role: "group" });
  const back = svg("g"),
    front = svg("g"),
    dots = svg("g", { "aria-hidden": "true" });
  const handle = svg("circle", { class: "handle", r: 8, tabindex: 0, onkeydown: key });
  picture.append(back, front, dots, handle);
  box.append(canvas, picture);
  let drawnFor = "",
    axes = null,
    dragging = false;

  const plane = () => app.graph.params.length === 2 && app.graph.computes;
  const names = () => (plane() ? app.graph.params : [app.param]);
  const size = () => [box.clientWidth || 400, box.clientHeight || 300];
  const LEFT = 44,
    BOTTOM = 22,
    TOP = 8,
    RIGHT = 10;

  /** Where a parameter is drawn: from the preset's box, or around its value; it grows with the point. */
  function rangeOf(name) {
    const x = app.where[name];
    if (!app.ranges[name])
      app.ranges[name] = app.data.box && Object.hasOwn(app.data.box, name) ? [...app.data.box[name]] : around(name, x);
    const range = app.ranges[name],
      more = 0.08 * (range[1] - range[0]);
    if (!dragging) {
      if (x < range[0]) range[0] = x - more;
      if (x > range[1]) range[1] = x + more;
    }
    return range;
  }
  /** From minus to plus somewhat more than the value, where f is finite there. */
  function around(name, x) {
    let wide = Math.max(2, 1.25 * Math.abs(x)),
      range = [-wide, wide];
    if (!app.graph.computes) return range;
    const finite = (t) => Number.isFinite(app.graph.at({ ...app.where, [name]: t }).value);
    if (!finite(x)) return range;
    for (const side of [0, 1]) {
      let inside = x,
        outside = range[side];
      if (finite(outside)) continue;
      for (let i = 0; i < 20; i++) {
        const mid = (inside + outside) / 2;
        if (finite(mid)) inside = mid;
        else outside = mid;
      }
      range[side] = inside;
    }
    return range[1] - range[0] > 1e-6 * wide ? range : [x - 1, x + 1];
  }
  function zoom(by) {
    for (const name of names()) {
      const [low, high] = rangeOf(name),
        x = app.where[name],
        kept = clamp((x - low) / (high - low), 0.2, 0.8),
        wide = (high - low) * by;
      app.ranges[name] = [x - kept * wide, x + (1 - kept) * wide];
    }
    app.draw();
  }
  byId("nearer").addEventListener("click", () => zoom(1 / 1.6));
  byId("farther").addEventListener("click", () => zoom(1.6));

  // --- what does not follow the point ---------------------------------------------------------------------------

  function background() {
    const [w, h] = size(),
      [first, second] = names(),
      xs = rangeOf(first),
      ys = second ? rangeOf(second) : null;
    const others = app.graph.params.filter((name) => name !== first && name !== second).map((name) => app.where[name]);
    const key = JSON.stringify([
      w,
      h,
      first,
      second,
      xs,
      ys,
      others,
      document.documentElement.dataset.theme,
      app.version,
      app.graph.computes ? 0 : app.where
    ]);
    if (key === drawnFor) return;
    drawnFor = key;
    picture.setAttribute("viewBox", `0 0 ${w} ${h}`);
    if (plane()) contours(w, h, xs, ys);
    else curve(w, h, xs);
  }
  function scales(w, h, xs, ys) {
    const x = (t) => LEFT + ((w - LEFT - RIGHT) * (t - xs[0])) / (xs[1] - xs[0]),
      y = (t) => h - BOTTOM - ((h - BOTTOM - TOP) * (t - ys[0])) / (ys[1] - ys[0]);
    const invert = (px, py) => [
      xs[0] + ((px - LEFT) / (w - LEFT - RIGHT)) * (xs[1] - xs[0]),
      ys[0] + ((h - BOTTOM - py) / (h - BOTTOM - TOP)) * (ys[1] - ys[0])
    ];
    return { x, y, xs, ys, invert, w, h };
  }
  function frame({ x, y, xs, ys, w, h }, second) {
    const parts = [];
    for (const t of ticks(...xs))
      parts.push(line("axis", x(t), TOP, x(t), h - BOTTOM), label("tick", x(t), h - 6, short(t)));
    for (const t of ticks(...ys, plane() ? 6 : 4))
      parts.push(line("axis", LEFT, y(t), w - RIGHT, y(t)), label("tick", LEFT - 6, y(t) + 4, short(t, 3), "end"));
    return [
      ...parts,
      label("halo name", w - RIGHT, h - BOTTOM - 5, names()[0], "end"),
      label("halo name", LEFT + 5, TOP + 11, second, "start")
    ];
  }
  function curve(w, h, xs) {
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    const [name] = names(),
      samples = [];
    if (app.graph.computes && name)
      for (let i = 0; i <= SAMPLES; i++) {
        const t = xs[0] + ((xs[1] - xs[0]) * i) / SAMPLES;
        samples.push([t, app.graph.at({ ...app.where, [name]: t }).value]);
      }
    const value = typeof app.point.value === "number" ? app.point.value : 0;
    const sorted = samples
      .map((s) => s[1])
      .filter(Number.isFinite)
      .sort((a, b) => a - b);
    let [low, high] = sorted.length ? [sorted[0], sorted.at(-1)] : [value - 1, value + 1];
    const core = sorted.length
      ? [sorted[Math.floor(0.06 * sorted.length)], sorted[Math.floor(0.94 * (sorted.length - 1))]]
      : [low, high];
    const reach = 2.5 * (core[1] - core[0]) || 1;
    low = Math.max(low, core[0] - reach);
    high = Math.min(high, core[1] + reach);
    if (Number.isFinite(value)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const pad = 0.08 * (high - low) || 1;
    axes = scales(w, h, xs, [low - pad, high + pad]);
    let path = "",
      pen = "M";
    for (const [t, f] of samples) {
      if (!Number.isFinite(f)) {
        pen = "M";
        continue;
      }
      path += `${pen}${axes.x(t).toFixed(1)} ${clamp(axes.y(f), -h, 2 * h).toFixed(1)}`;
      pen = "L";
    }
    back.replaceChildren(...frame(axes, "f"), svg("path", { class: "curve", d: path }));
  }
  /** So many to a side that all of them take about a tenth of a second. */
  function cells() {
    const begun = performance.now();
    for (let i = 0; i < 20; i++) app.graph.at(app.where).value;
    return Math.round(clamp(Math.sqrt(2000 / (performance.now() - begun + 0.01)), 40, 100));
  }
  function contours(w, h, xs, ys) {
    axes = scales(w, h, xs, ys);
    const [first, second] = names(),
      grid = [],
      CELLS = cells();
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
            taken.every(([p, q]) => Math.abs(p - u) > 60 || Math.abs(q - v) > 30)
        );
      if (spot && k % 2 === 0) {
        taken.push(spot);
        labels.push(label("tick halo", spot[0], spot[1] + 4, short(levels[k], 3)));
      }
    });
    back.replaceChildren(
      ...frame(axes, second),
      ...lines.map((segments) =>
        svg("path", {
          class: "iso",
          d: segments.map(([a, b]) => `M${px(a).map((t) => t.toFixed(1))}L${px(b).map((t) => t.toFixed(1))}`).join("")
        })
      ),
      ...labels
    );
  }

  // --- what does ------------------------------------------------------------------------------------------------

  function draw() {
    if (!app.graph.params.length) {
      picture.replaceChildren();
      return;
    }
    background();
    const [first, second] = names(),
      { point } = app,
      at = [axes.x(app.where[first]), axes.y(second ? app.where[second] : point.value)];
    box.style.touchAction = plane() ? "none" : "pan-y";
    say(
      byId("curve-title"),
      plane()
        ? `f over ${first} and ${second}`
        : app.graph.params.length === 1
          ? `f over ${first}`
          : `f along ${first}, the others held`
    );
    const ok = at.every(Number.isFinite);
    handle.style.display = ok ? "" : "none";
    if (ok) {
      handle.setAttribute("cx", at[0]);
      handle.setAttribute("cy", at[1]);
    }
    handle.setAttribute("role", plane() ? "application" : "slider");
    const words = `${names()
      .map((n) => `${n} = ${short(app.where[n])}`)
      .join(", ")}; f = ${valueText(point.value)}`;
    handle.setAttribute("aria-label", plane() ? `The point, moved by arrow keys: ${words}` : `The point: ${first}`);
    if (!plane())
      for (const [key, value] of [
        ["valuemin", axes.xs[0]],
        ["valuemax", axes.xs[1]],
        ["valuenow", app.where[first]],
        ["valuetext", words]
      ])
        handle.setAttribute(`aria-${key}`, value);
    handle.setAttribute("aria-disabled", !app.graph.computes);
    light();
  }
  function light() {
    if (!axes || !app.graph.params.length) return;
    const [first, second] = names(),
      at = [axes.x(app.where[first]), axes.y(second ? app.where[second] : app.point.value)];
    front.replaceChildren(
      ...(at.every(Number.isFinite) && app.tab !== "race"
        ? plane()
          ? arrows(app, axes, at)
          : slopes(app, axes, at)
        : [])
    );
  }

  // --- moving the point -----------------------------------------------------------------------------------------

  function moveTo(event) {
    const bounds = picture.getBoundingClientRect(),
      [t, u] = axes.invert(event.clientX - bounds.left, event.clientY - bounds.top),
      [first, second] = names();
    const round = (value, [low, high]) => {
      const step = 10 ** Math.floor(Math.log10((high - low) / 500));
      return Number((Math.round(clamp(value, low, high) / step) * step).toPrecision(10));
    };
    app.move(second ? { [first]: round(t, axes.xs), [second]: round(u, axes.ys) } : { [first]: round(t, axes.xs) });
  }
  picture.addEventListener("pointerdown", (event) => {
    if (!app.graph.computes || !axes || event.button) return;
    dragging = true;
    picture.setPointerCapture(event.pointerId);
    moveTo(event);
    handle.focus({ preventScroll: true });
  });
  picture.addEventListener("pointermove", (event) => {
    if (dragging) moveTo(event);
  });
  for (const kind of ["pointerup", "pointercancel"])
    picture.addEventListener(kind, () => {
      if (dragging) {
        dragging = false;
        app.settled();
      }
    });
  function key(event) {
    const [first, second] = names(),
      side = {
        ArrowRight: [1, 0],
        ArrowLeft: [-1, 0],
        ArrowUp: second ? [0, 1] : [1, 0],
        ArrowDown: second ? [0, -1] : [-1, 0],
        PageUp: [10, 0],
        PageDown: [-10, 0]
      }[event.key];
    if (!app.graph.computes || !axes) return;
    const step = (name) =>
        10 ** Math.floor(Math.log10((app.ranges[name][1] - app.ranges[name][0]) / 500)) * (event.shiftKey ? 10 : 1),
      tidy = (x) => Number(x.toPrecision(12));
    if (side)
      app.move(
        second
          ? {
              [first]: tidy(app.where[first] + side[0] * step(first)),
              [second]: tidy(app.where[second] + side[1] * step(second))
            }
          : { [first]: tidy(app.where[first] + side[0] * step(first)) }
      );
    else if (event.key === "Home" || event.key === "End")
      app.move({ [first]: app.ranges[first][event.key === "Home" ? 0 : 1] });
    else return;
    event.preventDefault();
    app.settled();
  }

  new ResizeObserver(() => {
    if (app.graph) app.draw();
  }).observe(box);
  return {
    build: () => {
      drawnFor = "";
    },
    draw,
    light,
    dots,
    place: (where) => {
      const [first, second] = names();
      return [axes.x(where[first]), second ? axes.y(where[second]) : null];
    },
    height: (value) => axes.y(value),
    range: rangeOf
  };
}
