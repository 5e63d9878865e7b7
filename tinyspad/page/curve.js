// The function: a curve, or contours over two parameters, with the point, which is dragged.

const WIDEST = 4,
  LEFT = 48,
  BOTTOM = 22,
  TOP = 8,
  RIGHT = 10;

function CurveView(app) {
  const box = byId("plot"),
    canvas = el("canvas", { "aria-hidden": "true" }),
    picture = svg("svg", { role: "group" });
  const back = svg("g"),
    front = svg("g"),
    dots = svg("g", { "aria-hidden": "true" });
  const handle = svg("circle", { class: "handle", r: 8, tabindex: 0, onkeydown: key });
  const hole = svg("rect"),
    inside = svg("g", { "clip-path": "url(#hole)" }, front, dots);
  picture.append(svg("clipPath", { id: "hole" }, hole), back, inside, handle);
  on(picture, "pointerover", ({ target }) => dragging || app.hover(target.path || null));
  on(picture, "pointerleave", () => app.hover(null));
  box.append(canvas, picture);
  let drawnFor = "",
    axes = null,
    rough = false,
    dragging = false;

  const plane = () => app.graph.params.length === 2 && app.graph.computes;
  const names = () => (plane() ? app.graph.params : [app.param]);
  const size = () => [box.clientWidth || 400, box.clientHeight || 300];

  const within = (x, [low, high]) => x >= low && x <= high;
  /** Where a parameter is drawn: the preset's box, or around its value; it goes after the point, and comes back with it. */
  function rangeOf(name) {
    const x = app.where[name];
    if (!app.homes[name]) app.homes[name] = app.data.box && Object.hasOwn(app.data.box, name) ? app.data.box[name] : around(name, x);
    const home = app.homes[name],
      range = app.ranges[name] || home;
    if (!(dragging || app.sliding) && (!within(x, range) || (app.away[name] && within(x, home)))) {
      app.away[name] = !within(x, home);
      const half = (range[1] - range[0]) / 2,
        zoomed = abs(half / (home[1] - home[0]) - 0.5) > 1e-9;
      return (app.ranges[name] = app.away[name] || zoomed ? [x - half, x + half] : home);
    }
    return (app.ranges[name] = range);
  }
  /** From minus to plus somewhat more than the value, where f is finite there. */
  function around(name, x) {
    let wide = max(2, 1.25 * abs(x)),
      range = [-wide, wide];
    if (!app.graph.computes) return range;
    const there = (t) => finite(app.graph.at({ ...app.where, [name]: t }).value);
    if (!there(x)) return range;
    for (const side of [0, 1]) {
      let inside = x,
        outside = range[side];
      if (there(outside)) continue;
      for (let i = 0; i < 20; i++) {
        const mid = (inside + outside) / 2;
        if (there(mid)) inside = mid;
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
        most = WIDEST * (app.homes[name][1] - app.homes[name][0]),
        wide = min((high - low) * by, most);
      app.away[name] = false;
      app.ranges[name] = by ? [x - kept * wide, x + (1 - kept) * wide] : null;
      set(byId("farther"), "aria-disabled", wide === most);
    }
    app.draw();
  }
  on(byId("nearer"), "click", () => zoom(1 / 1.6));
  on(byId("farther"), "click", () => zoom(1.6));
  on(byId("whole"), "click", () => zoom(0));

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
    set(picture, "viewBox", `0 0 ${w} ${h}`);
    for (const [side, at] of Object.entries({ x: LEFT, y: TOP, width: w - LEFT - RIGHT, height: h - TOP - BOTTOM }))
      set(hole, side, max(at, 0));
    if (plane()) {
      axes = scales(w, h, xs, ys);
      back.replaceChildren(...frame(axes, second), ...contours(app, canvas, axes, cells()));
    } else curve(w, h, xs);
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
      samples = [],
      many = 8 * cells();
    if (app.graph.computes && name)
      for (let i = 0; i <= many; i++) {
        const t = xs[0] + ((xs[1] - xs[0]) * i) / many;
        samples.push([t, app.graph.at({ ...app.where, [name]: t }).value]);
      }
    const rises = samples.slice(1).map(([, f], i) => f > samples[i][1]);
    rough = rises.filter((up, i) => i && up !== rises[i - 1]).length > many / 5;
    const value = typeof app.point.value === "number" ? app.point.value : 0;
    const sorted = samples
      .map((s) => s[1])
      .filter(finite)
      .sort((a, b) => a - b);
    let [low, high] = sorted.length ? [sorted[0], sorted.at(-1)] : [value - 1, value + 1];
    const core = sorted.length
      ? [sorted[floor(0.06 * sorted.length)], sorted[floor(0.94 * (sorted.length - 1))]]
      : [low, high];
    const reach = 2.5 * (core[1] - core[0]) || 1;
    low = max(low, core[0] - reach);
    high = min(high, core[1] + reach);
    if (finite(value)) {
      low = min(low, value);
      high = max(high, value);
    }
    const pad = 0.08 * (high - low) || 1;
    axes = scales(w, h, xs, [low - pad, high + pad]);
    let path = "",
      pen = "M";
    for (const [t, f] of samples) {
      if (!finite(f)) {
        pen = "M";
        continue;
      }
      path += `${pen}${axes.x(t).toFixed(1)} ${clamp(axes.y(f), -h, 2 * h).toFixed(1)}`;
      pen = "L";
    }
    back.replaceChildren(...frame(axes, "f"), svg("path", { class: "curve", d: path, "clip-path": "url(#hole)" }));
  }
  /** So many to a side that all of them take about a tenth of a second. */
  function cells() {
    const begun = performance.now();
    for (let i = 0; i < 20; i++) app.graph.at(app.where).value;
    return round(clamp(Math.sqrt(2000 / (performance.now() - begun + 0.01)), 40, 100));
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
          ? `f over ${first}${rough ? ", too quick to be drawn: zoom in" : ""}`
          : `f along ${first}, the others held${rough ? ", too quick to be drawn: zoom in" : ""}`
    );
    const ok = at.every(finite);
    handle.style.display = ok ? "" : "none";
    if (ok) {
      set(handle, "cx", at[0]);
      set(handle, "cy", at[1]);
    }
    set(handle, "role", plane() ? "application" : "slider");
    const words = `${names()
      .map((n) => `${n} = ${short(app.where[n])}`)
      .join(", ")}; f = ${valueText(point.value)}`;
    set(handle, "aria-label", plane() ? `The point, moved by arrow keys: ${words}` : `The point: ${first}`);
    if (!plane())
      for (const [key, value] of [
        ["valuemin", axes.xs[0]],
        ["valuemax", axes.xs[1]],
        ["valuenow", app.where[first]],
        ["valuetext", words]
      ])
        set(handle, `aria-${key}`, value);
    set(handle, "aria-disabled", !app.graph.computes);
    light();
  }
  function light() {
    if (!axes || !app.graph.params.length) return;
    const [first, second] = names(),
      at = [axes.x(app.where[first]), axes.y(second ? app.where[second] : app.point.value)];
    front.replaceChildren(
      ...(at.every(finite) && app.tab !== "race"
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
    const stepped = (value, [low, high]) => {
      const step = 10 ** floor(Math.log10((high - low) / 500));
      return Number((round(clamp(value, low, high) / step) * step).toPrecision(10));
    };
    app.move(second ? { [first]: stepped(t, axes.xs), [second]: stepped(u, axes.ys) } : { [first]: stepped(t, axes.xs) });
  }
  on(picture, "pointerdown", (event) => {
    if (!app.graph.computes || !axes || event.button) return;
    dragging = true;
    picture.setPointerCapture(event.pointerId);
    moveTo(event);
    handle.focus({ preventScroll: true });
  });
  on(picture, "pointermove", (event) => {
    if (dragging) moveTo(event);
  });
  on(picture, "pointerup pointercancel", () => {
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
        10 ** floor(Math.log10((app.ranges[name][1] - app.ranges[name][0]) / 500)) * (event.shiftKey ? 10 : 1),
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

  watch(box, () => {
    if (app.graph) app.draw();
  });
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
