// Estimators side by side from one start: dots on the curve, the path that each follows in the graph, and where they were.

const MARKS = {
  circle: "M-4.6 0a4.6 4.6 0 1 0 9.2 0a4.6 4.6 0 1 0 -9.2 0Z",
  square: "M-4 -4H4V4H-4Z",
  diamond: "M0 -5.6L5.6 0L0 5.6L-5.6 0Z",
  up: "M0 -5.4L5 4H-5Z",
  down: "M0 5.4L5 -4H-5Z",
  cross: "M-4.5 -4.5L4.5 4.5M4.5 -4.5L-4.5 4.5",
  plus: "M0 -5.6V5.6M-5.6 0H5.6"
};
const RACERS = [
  ["GD", "GD, all paths", "--gd", "", "circle", "the sum over all paths: the gradient"],
  ["RAD", "RAD, a fresh draw", "--rad", "2 2", "square", "one random path, another for every step"],
  ["RAD, held", "RAD, held", "--held", "7 2 2 2", "diamond", "one random path, kept for some steps"],
  ["SPAD", "SPAD, largest held", "--spad", "7 3", "up", "the path of the largest product, kept for some steps"],
  ["Magnitude", "Magnitude", "--magnitude", "5 2", "down", "a large path more often, divided by its chance"],
  [0, "path 0 alone", "--g1", "1.5 2.5", "cross", "always the first path"],
  [1, "path 1 alone", "--g2", "4 3", "plus", "always the second path"]
].map(([key, label, color, dash, mark, title]) => ({
  key,
  label,
  title,
  css: color,
  color: `var(${color})`,
  dash,
  mark,
  on: ["GD", "RAD", "RAD, held"].includes(key)
}));
const LAST = 20000;

function Race(app) {
  const box = byId("race");
  let going = 0,
    clock = 0,
    begun = null;
  const number = (label, name, value, options, title) => {
    const made = el("input", { type: "number", value, id: `race-${name}`, ...options, onchange: restart });
    return [el("label", { title }, label, made), made];
  };
  const pick = (label, name, choices, change) => {
    const made = el(
      "select",
      { id: `race-${name}`, onchange: change },
      ...choices.map(([value, text]) => el("option", { value }, text))
    );
    return [el("label", {}, label, made), made];
  };
  const [rateBox, rate] = number("rate", "rate", 0.01, { min: 0.0001, max: 10, step: "any" }, "learning rate"),
    [holdBox, hold] = number("hold", "hold", 100, { min: 1, step: 1 }, "for how many steps a held path is kept"),
    [seedBox, seed] = number("seed", "seed", 0, { min: 0, step: 1 }, "of the random draws");
  const [wayBox, way] = pick(
      "by",
      "optimizer",
      [
        ["Adam", "Adam"],
        ["SGD", "SGD"]
      ],
      restart
    ),
    [momentsBox, moments] = pick(
      "averages",
      "moments",
      [
        ["parameter", "per parameter"],
        ["path", "per path"]
      ],
      restart
    ),
    [speedBox, speed] = pick(
      "speed",
      "speed",
      [
        [1, "1 step"],
        [5, "5 steps"],
        [20, "20 steps"],
        [100, "100 steps"]
      ],
      () => {}
    );
  speed.value = 5;
  const play = el("button", { type: "button", onclick: () => (going ? pause() : run()) }, "▶ Run"),
    one = el(
      "button",
      {
        type: "button",
        onclick: () => {
          pause();
          step(1);
        }
      },
      "One step"
    ),
    again = el("button", { type: "button", onclick: restart }, "Restart here");
  const done = el("b"),
    state = el("p", { class: "unseen", "aria-live": "polite" }),
    strip = el("canvas", { id: "strip", role: "img" });
  for (const racer of RACERS) {
    racer.check = el("input", {
      type: "checkbox",
      onchange: () => {
        racer.on = racer.check.checked;
        begin(racer);
        show();
      }
    });
    racer.at = el("td");
    racer.f = el("td");
    racer.follows = el("td");
    racer.row = el(
      "tr",
      {},
      el(
        "td",
        {},
        el(
          "label",
          { title: racer.title },
          racer.check,
          svg(
            "svg",
            { class: "mark", viewBox: "0 -7 34 14", "aria-hidden": "true" },
            svg("path", {
              d: "M0 0H34",
              stroke: racer.color,
              "stroke-width": 2,
              "stroke-dasharray": racer.dash || null
            }),
            svg("path", {
              d: MARKS[racer.mark],
              transform: "translate(17 0)",
              fill: racer.color,
              stroke: racer.color,
              "stroke-width": 1.4
            })
          ),
          racer.label
        )
      ),
      racer.at,
      racer.f,
      racer.follows
    );
  }
  const head = el("th");
  box.append(
    el("div", { class: "controls" }, play, one, again, speedBox, done),
    el("div", { class: "controls", style: "padding-top:6px" }, rateBox, holdBox, wayBox, momentsBox, seedBox),
    el(
      "div",
      { class: "racers" },
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, el("th", {}, "from here"), head, el("th", {}, "f"), el("th", {}, "follows"))),
        el("tbody", {}, ...RACERS.map((r) => r.row))
      ),
      strip
    ),
    state
  );

  const options = () => ({
    start: { ...app.where },
    lr: clamp(rate.valueAsNumber || 0.01, 1e-6, 100),
    hold: Math.max(1, Math.round(hold.valueAsNumber) || 1),
    optimizer: way.value,
    moments: moments.value,
    seed: Math.abs(Math.round(seed.valueAsNumber)) || 0
  });
  function begin(racer) {
    racer.runner = null;
    if (!racer.on || racer.row.hidden || !begun) return;
    racer.runner = TinySpad.run(app.graph, typeof racer.key === "number" ? { path: racer.key } : racer.key, begun);
    for (const other of RACERS)
      if (other !== racer && other.runner) {
        advance(racer, other.runner.steps);
        break;
      }
  }
  function restart() {
    pause();
    begun = options();
    for (const racer of RACERS) racer.runner = null;
    RACERS.forEach(begin);
    show();
  }
  const steps = () => Math.max(0, ...RACERS.map((r) => (r.runner ? r.runner.steps : 0)));
  function advance(racer, n) {
    for (let i = 0; i < n && Number.isFinite(racer.runner.value); i++) racer.runner.step();
  }
  function step(n) {
    for (const racer of RACERS) if (racer.runner) advance(racer, n);
    show();
    app.event("race", RACERS);
    if (steps() >= LAST) pause();
  }
  function run() {
    if (steps() >= LAST) restart();
    say(play, "❚❚ Pause");
    const slow = still() ? 12 : 1;
    const tick = (now) => {
      if (now - clock >= 16 * slow - 2) {
        clock = now;
        step(Number(speed.value) * slow);
      }
      if (going) going = requestAnimationFrame(tick);
    };
    going = requestAnimationFrame(tick);
  }
  function pause() {
    if (going) {
      cancelAnimationFrame(going);
      going = 0;
      say(state, summary());
    }
    say(play, "▶ Run");
  }
  const summary = () =>
    `After ${many(steps(), "step")}: ${RACERS.filter((r) => r.runner)
      .map((r) => `${r.label} at ${app.param} = ${short(r.runner.where[app.param])}, f = ${short(r.runner.value)}`)
      .join("; ")}.`;

  // --- showing it -------------------------------------------------------------------------------------------------

  function show() {
    if (app.tab !== "race") return;
    const on = RACERS.filter((r) => r.runner),
      name = app.param,
      plane = app.graph.params.length === 2;
    say(done, many(steps(), "step"));
    say(head, name || "");
    app.following = [];
    for (const racer of RACERS) {
      racer.check.checked = racer.on;
      const { runner } = racer,
        followed = runner ? runner.followed[name] : null;
      say(racer.at, runner ? short(runner.where[name]) : "");
      say(racer.f, runner ? short(runner.value) : "");
      say(
        racer.follows,
        !runner ? "" : !followed ? (runner.steps || racer.key === "GD" ? "all" : "") : `path ${followed.index}`
      );
      if (followed)
        app.following.push({
          edges: new Set(app.graph.params.flatMap((p) => (runner.followed[p] ? runner.followed[p].edges : []))),
          color: racer.color,
          dash: racer.dash
        });
    }
    app.curve.dots.replaceChildren(
      ...on.flatMap(({ runner, color, dash, mark }) => {
        const [x, y] = app.curve.place(runner.where),
          at = [x, plane ? y : app.curve.height(runner.value)],
          parts = [];
        if (plane && runner.history.length > 1) {
          const every = Math.ceil(runner.history.length / 400),
            line = runner.history.filter((_, i) => i % every === 0).map((h) => app.curve.place(h.where)),
            finite = [...line, at].filter((p) => p.every(Number.isFinite));
          parts.push(
            svg("path", {
              d: `M${finite.map((p) => p.map((v) => clamp(v, -4000, 4000).toFixed(1))).join("L")}`,
              fill: "none",
              stroke: color,
              "stroke-width": 1.8,
              "stroke-dasharray": dash || null
            })
          );
        }
        if (at.every(Number.isFinite))
          parts.push(
            svg("path", {
              d: MARKS[mark],
              transform: `translate(${at.map((v) => clamp(v, -99, 4000))}) scale(${mark === "circle" ? 1.9 : 1.3})`,
              fill: color,
              stroke: "var(--ground)",
              "stroke-width": 1
            }),
            ...(mark === "cross" || mark === "plus"
              ? [
                  svg("path", {
                    d: MARKS[mark],
                    transform: `translate(${at}) scale(${mark === "circle" ? 1.9 : 1.3})`,
                    stroke: color,
                    "stroke-width": 2.4
                  })
                ]
              : [])
          );
        return parts;
      })
    );
    drawStrip(on, name, plane);
    app.light();
  }
  function drawStrip(on, name, plane) {
    const ratio = devicePixelRatio || 1,
      w = strip.clientWidth,
      h = strip.clientHeight,
      css = getComputedStyle(document.documentElement),
      ink = css.getPropertyValue("--quiet");
    if (!w) return;
    strip.width = w * ratio;
    strip.height = h * ratio;
    const c = strip.getContext("2d"),
      last = Math.max(100, steps()),
      of = (entry) => (plane ? entry.value : entry.where[name]);
    c.scale(ratio, ratio);
    c.font = "11.5px system-ui, sans-serif";
    const values = on.flatMap((r) => r.runner.history.map(of)).filter(Number.isFinite);
    let low = Math.min(...spanOf(values)),
      high = Math.max(...spanOf(values));
    if (!plane && on.length) {
      low = Math.min(low, 0);
      high = Math.max(high, 0);
    }
    const pad = 0.06 * (high - low) || 1;
    low -= pad;
    high += pad;
    const x = (t) => 44 + ((w - 54) * t) / last,
      y = (v) => 8 + ((h - 30) * (high - v)) / (high - low);
    c.strokeStyle = css.getPropertyValue("--line");
    c.fillStyle = ink;
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const t of ticks(low, high, 4)) {
      c.beginPath();
      c.moveTo(44, y(t));
      c.lineTo(w - 10, y(t));
      c.stroke();
      c.fillText(short(t, 3), 38, y(t));
    }
    c.textAlign = "center";
    for (const t of ticks(0, last, 4)) c.fillText(short(t), Math.min(x(t), w - 18), h - 8);
    c.textAlign = "left";
    c.fillText(plane ? "f, by steps" : `${name || ""}, by steps`, 50, 12);
    c.lineWidth = 2;
    for (const { runner, css: color, dash } of on) {
      const every = Math.max(1, Math.floor(runner.history.length / 800));
      c.strokeStyle = css.getPropertyValue(color);
      c.setLineDash(dash ? dash.split(" ").map(Number) : []);
      c.beginPath();
      runner.history.forEach((entry, i) => {
        if (i % every === 0 || i === runner.history.length - 1) c.lineTo(x(i), y(of(entry)));
      });
      c.stroke();
    }
    strip.setAttribute("aria-label", summary());
  }
  const spanOf = (values) =>
    values
      .reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity])
      .map((v) => (Number.isFinite(v) ? v : 0));

  new ResizeObserver(() => {
    if (app.graph) show();
  }).observe(strip);
  /** These from where the point is, with the settings of the paper's Figure 3. */
  app.race = (which) => {
    for (const field of [rate, hold, seed]) field.value = field.defaultValue;
    for (const field of [way, moments]) field.selectedIndex = 0;
    for (const racer of RACERS) racer.on = which.includes(racer.key);
    restart();
  };
  app.toggleRace = () => (going ? pause() : run());
  return {
    build() {
      pause();
      for (const racer of RACERS)
        if (typeof racer.key === "number")
          racer.row.hidden = app.graph.params.every((name) => app.point.count(name) <= BigInt(racer.key));
      begun = null;
    },
    draw() {
      if (app.tab !== "race") return;
      if (!begun || (!going && app.graph.params.some((name) => begun.start[name] !== app.where[name]))) restart();
      else show();
    },
    opened() {
      if (app.tab !== "race") {
        pause();
        app.curve.dots.replaceChildren();
      }
    }
  };
}
