// The contributions of the paths along the axis: areas stacked, the line of their sum, and a cursor.

const PIECES = 280,
  AREAS = 8;

function Along(app) {
  const box = byId("along"),
    picture = svg("svg", { role: "slider", tabindex: 0, "aria-label": "Cursor along the axis" }),
    words = el("p", { class: "quiet" });
  box.append(el("div", { id: "alongs" }, picture), words);
  let scale = null,
    drawnFor = "",
    moving = false;
  const area = svg("g"),
    cursor = svg("g");
  picture.append(svg("defs", {}, ...Array.from({ length: AREAS + 1 }, (_, k) => pattern(k))), area, cursor);

  function draw() {
    if (app.tab !== "along") return;
    const name = app.param;
    if (!name) return;
    const range = app.curve.range(name),
      listing = app.listing(name),
      key = JSON.stringify([
        app.version,
        name,
        range,
        box.clientWidth,
        { ...app.where, [name]: 0 },
        listing.rest ? listing.paths.map((p) => String(p.index)) : 0
      ]);
    if (key !== drawnFor) {
      drawnFor = key;
      areas(name, range, listing);
    }
    const { paths, rest } = listing,
      x = scale.x(app.where[name]),
      { slope } = listing;
    const more = paths.slice(AREAS).reduce((sum, p) => sum + p.product, rest ? rest.sum : 0);
    cursor.replaceChildren(
      line("cursor", x, 6, x, scale.h - 20),
      ...(finite(slope)
        ? [svg("circle", { cx: x, cy: clamp(scale.y(slope), 0, scale.h), r: 5, class: "handle" })]
        : [])
    );
    const text = `${name} = ${short(app.where[name])}: ${middle(
      paths.slice(0, AREAS).map((p) => `path ${p.index} ${short(p.product)}`),
      6
    ).join(", ")}${more ? `, the others ${short(more)}` : ""}; their sum, the slope, ${short(slope)}`;
    say(words, text);
    for (const [a, v] of [
      ["valuemin", range[0]],
      ["valuemax", range[1]],
      ["valuenow", app.where[name]],
      ["valuetext", text]
    ])
      set(picture, `aria-${a}`, v);
  }

  function areas(name, [low, high], { paths, rest }) {
    const w = box.clientWidth || 500,
      h = 230,
      shown = paths.slice(0, AREAS),
      data = [];
    for (let i = 0; i <= PIECES; i++) {
      const x = low + ((high - low) * i) / PIECES,
        point = app.graph.at({ ...app.where, [name]: x });
      const products = shown.map((path) => point.product(path.edges)),
        slope = point.gradient()[name];
      if (paths.length > AREAS || rest) products.push(point.others(name, shown));
      data.push({ x, slope, products });
    }
    const known = data.filter((d) => [d.slope, ...d.products].every((v) => abs(v) < 1e300)),
      side = (sign) =>
        known.map((d) => d.products.reduce((sum, p) => sum + (p * sign > 0 ? p : 0), 0)).sort((a, b) => a - b);
    const tops = side(1),
      bottoms = side(-1),
      at = (list, share) => (list.length ? list[round(share * (list.length - 1))] : 0);
    const bottom = max(at(bottoms, 0), 2.2 * at(bottoms, 0.06)) || -0.2,
      top = min(at(tops, 1), 2.2 * at(tops, 0.94)) || 0.2;
    const x = (t) => 46 + ((w - 56) * (t - low)) / (high - low),
      y = (t) => 6 + ((h - 28) * (top - clamp(t, 2 * bottom - top, 2 * top - bottom))) / (top - bottom);
    scale = { x, y, h, low, high, w };
    set(picture, "viewBox", `0 0 ${w} ${h}`);
    const parts = [
      ...ticks(low, high).flatMap((t) => [line("axis", x(t), 6, x(t), h - 22), label("tick", x(t), h - 7, short(t))]),
      ...ticks(bottom, top, 5).flatMap((t) => [
        line("axis", 46, y(t), w - 10, y(t)),
        label("tick", 40, y(t) + 4, short(t, 3), "end")
      ])
    ];
    const up = known.map(() => 0),
      down = known.map(() => 0),
      labels = [];
    for (let k = 0; known.length && k < known[0].products.length; k++) {
      const outer = [],
        inner = [];
      let widest = [0, 0, 0];
      known.forEach((d, i) => {
        const p = d.products[k],
          from = p > 0 ? up : down,
          a = from[i];
        from[i] += p;
        inner.push([x(d.x), y(a)]);
        outer.push([x(d.x), y(a + p)]);
        const tall = abs(y(a + p) - y(a));
        if (tall > widest[0] && i > 4 && i < known.length - 5) widest = [tall, x(d.x), (y(a) + y(a + p)) / 2];
      });
      const color = k < shown.length ? shown[k].color : "var(--quiet)",
        d = `${wayOf([...outer, ...inner.reverse()])}Z`;
      parts.push(
        svg("path", { d, fill: color, "fill-opacity": 0.5, stroke: color, "stroke-width": 0.8 }),
        svg("path", { d, fill: `url(#hatch${min(k, AREAS)})`, color })
      );
      if (widest[0] > 13)
        labels.push(label("halo", widest[1], widest[2] + 4, k < shown.length ? String(shown[k].index) : "others"));
    }
    parts.push(
      line("zero", 46, y(0), w - 10, y(0)),
      svg("path", {
        class: "tangent",
        d: known.length ? wayOf(known.map((d) => [x(d.x), y(d.slope)])) : ""
      }),
      ...labels
    );
    area.replaceChildren(...parts);
    picture.replaceChildren(picture.firstChild, area, cursor);
  }
  function pattern(k) {
    const lines = [
      "",
      "M0 6L6 0",
      "M2 2h1",
      "M0 0L6 6M0 6L6 0",
      "M0 0L6 6",
      "M3 0V6",
      "M2 3a1 1 0 1 0 2 0a1 1 0 1 0 -2 0",
      "M0 3H6",
      "M0 6L6 0"
    ][k];
    return svg(
      "pattern",
      { id: `hatch${k}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" },
      svg("path", { d: lines, stroke: "var(--ground)", "stroke-width": 1, fill: "none" })
    );
  }
  const to = (event) => {
    const bounds = picture.getBoundingClientRect();
    app.move({
      [app.param]: Number(
        (
          scale.low +
          clamp((event.clientX - bounds.left - 46) / (scale.w - 56), 0, 1) * (scale.high - scale.low)
        ).toPrecision(4)
      )
    });
  };
  on(picture, "pointerdown", (event) => {
    if (scale) {
      moving = true;
      picture.setPointerCapture(event.pointerId);
      to(event);
    }
  });
  on(picture, "pointermove", (event) => {
    if (moving) to(event);
  });
  on(picture, "pointerup pointercancel", () => {
    if (moving) {
      moving = false;
      app.settled();
    }
  });
  on(picture, "keydown", (event) => {
    const go = {
      ArrowRight: 1,
      ArrowUp: 1,
      ArrowLeft: -1,
      ArrowDown: -1,
      PageUp: 10,
      PageDown: -10,
      Home: -999,
      End: 999
    }[event.key];
    if (!go || !scale) return;
    app.move({
      [app.param]: Number(
        clamp(app.where[app.param] + (go * (scale.high - scale.low)) / 100, scale.low, scale.high).toPrecision(6)
      )
    });
    app.settled();
    event.preventDefault();
  });
  watch(box, () => {
    if (app.graph && app.tab === "along") app.draw();
  });
  return {
    build: () => {
      drawnFor = "";
    },
    draw
  };
}
