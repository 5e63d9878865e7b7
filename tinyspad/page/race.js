// Estimators side by side from one start: dots on the curve, the path that each follows in the graph, and where they were.

const LAST = 5000;

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
  const play = press("▶ Run", () => (going ? pause() : run())),
    one = press("One step", () => {
      pause();
      step(1);
    }),
    again = press("Restart here", restart);
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
    el("div", { class: "controls settings" }, rateBox, holdBox, wayBox, momentsBox, seedBox),
    el(
      "div",
      { class: "racers" },
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, el("th", {}, "method"), head, el("th", {}, "f"), el("th", {}, "follows"))),
        el("tbody", {}, ...RACERS.map((r) => r.row))
      ),
      strip
    ),
    el(
      "details",
      {},
      el("summary", {}, "What are these?"),
      el(
        "dl",
        {},
        ...[
          ...RACERS.map(({ label, title }) => [label, title]),
          ["RAD, SPAD", "randomized, and selective path, automatic differentiation"],
          ["SGD", "each step is rate times slope"],
          ["Adam", "steps of about the rate, by averages of the slopes so far: per parameter, or of each path its own"]
        ].flatMap(([what, words]) => [el("dt", {}, what), el("dd", {}, words)])
      )
    ),
    state
  );

  const options = () => ({
    start: { ...app.where },
    scale: abs(app.point.value) || 1,
    lr: clamp(rate.valueAsNumber || 0.01, 1e-6, 100),
    hold: max(1, round(hold.valueAsNumber) || 1),
    optimizer: way.value,
    moments: moments.value,
    seed: abs(round(seed.valueAsNumber)) || 0
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
    [rate.value, hold.value, seed.value] = [begun.lr, begun.hold, begun.seed];
    say(state, "");
    for (const racer of RACERS) racer.runner = null;
    RACERS.forEach(begin);
    show();
  }
  const steps = () => max(0, ...RACERS.map((r) => (r.runner ? r.runner.steps : 0)));
  function advance(racer, n) {
    for (let i = 0; i < n && finite(racer.runner.value); i++) racer.runner.step();
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
  /** A number, or about 0 where it is below what one sees of this scale. */
  const about = (x, scale) => (x && abs(x) < 1e-9 * scale ? "about 0" : short(x));
  const summary = () =>
    `After ${many(steps(), "step")}: ${RACERS.filter((r) => r.runner)
      .map((r) => `${r.label} at ${app.param} = ${r.at.textContent}, f = ${r.f.textContent}`)
      .join("; ")}.`;

  // --- showing it -------------------------------------------------------------------------------------------------

  function show() {
    if (app.tab !== "race") return;
    const on = RACERS.filter((r) => r.runner),
      name = app.param,
      plane = app.graph.params.length === 2;
    say(done, many(steps(), "step") + (steps() >= LAST ? ", where it stops" : ""));
    say(head, name || "");
    app.following = [];
    for (const racer of RACERS) {
      racer.check.checked = racer.on;
      const { runner } = racer,
        followed = runner ? runner.followed[name] : null;
      say(racer.at, runner ? about(runner.where[name], 1) : "");
      say(racer.f, runner ? about(runner.value, begun.scale) : "");
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
    const start = plane ? app.curve.place(app.where) : [app.curve.place(app.where)[0], app.curve.height(app.point.value)],
      taken = [[...start, 14]];
    app.curve.dots.replaceChildren(
      ...on.flatMap(({ runner, color, dash, mark }) => {
        const [x, y] = app.curve.place(runner.where),
          at = [x, plane ? y : app.curve.height(runner.value)],
          parts = [];
        // racers at one spot stand above each other
        while (taken.some(([u, v, r]) => hypot(u - at[0], v - at[1]) < r)) at[1]--;
        taken.push([...at, 13]);
        if (plane && runner.history.length > 1) {
          const every = Math.ceil(runner.history.length / 400),
            line = runner.history.filter((_, i) => i % every === 0).map((h) => app.curve.place(h.where)),
            kept = [...line, at].filter((p) => p.every(finite));
          parts.push(
            svg("path", {
              d: wayOf(kept.map((p) => p.map((v) => clamp(v, -4000, 4000)))),
              fill: "none",
              stroke: color,
              "stroke-width": 1.8,
              "stroke-dasharray": dash || null
            })
          );
        }
        if (at.every(finite))
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
      last = max(100, steps()),
      of = (entry) => (plane ? entry.value : entry.where[name]);
    c.scale(ratio, ratio);
    c.font = "11.5px system-ui, sans-serif";
    const values = on.flatMap((r) => r.runner.history.map(of)).filter(finite);
    let low = min(...spanOf(values)),
      high = max(...spanOf(values));
    if (!plane && on.length) {
      low = min(low, 0);
      high = max(high, 0);
    }
    const pad = 0.06 * (high - low) || 1;
    low -= pad;
    high += pad;
    const x = (t) => 44 + ((w - 54) * t) / last,
      y = (v) => 22 + ((h - 44) * (high - v)) / (high - low);
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
    for (const t of ticks(0, last, 4)) c.fillText(short(t), min(x(t), w - 18), h - 8);
    c.textAlign = "left";
    c.fillText(plane ? "f, by steps" : `${name || ""}, by steps`, 44, 9);
    c.lineWidth = 2;
    for (const { runner, css: color, dash } of on) {
      const every = max(1, floor(runner.history.length / 800));
      c.strokeStyle = css.getPropertyValue(color);
      c.setLineDash(dash ? dash.split(" ").map(Number) : []);
      c.beginPath();
      runner.history.forEach((entry, i) => {
        if (i % every === 0 || i === runner.history.length - 1) c.lineTo(x(i), y(of(entry)));
      });
      c.stroke();
    }
    set(strip, "aria-label", summary());
  }
  const spanOf = (values) =>
    values
      .reduce(([a, b], v) => [min(a, v), max(b, v)], [Infinity, -Infinity])
      .map((v) => (finite(v) ? v : 0));

  watch(strip, () => {
    if (app.graph) show();
  });
  /** These from where the point is, with the settings of the paper's Figure 3. */
  app.race = (which, draws = 0) => {
    for (const field of [rate, hold, seed]) field.value = field.defaultValue;
    for (const field of [way, moments]) field.selectedIndex = 0;
    seed.value = draws;
    for (const racer of RACERS) if (which.length) racer.on = which.includes(racer.key);
    restart();
  };
  app.toggleRace = () => (going ? pause() : run());
  app.stopRace = pause;
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
      if (!begun || app.graph.params.some((name) => begun.start[name] !== app.where[name])) restart();
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
