// The reverse sweep, one node at a time: who is done, who waits for whom, what is sent; in three semirings.

const SEMIRINGS = {
  gradient: ["gradient: sum of products", "its adjoint: how fast f moves with it"],
  count: ["count: number of paths", "the number of paths from it"],
  largest: ["largest: the largest product", "the largest product from it on"]
};

function Sweep(app) {
  const box = byId("sweep");
  let steps = [],
    frame = 0,
    timer = 0,
    kind = "gradient",
    known = null;
  const button = (text, label, act) => press(text, act, { "aria-label": label, title: label });
  const play = button("▶ Play", "Play", () => (timer ? stop() : start()));
  const choice = el(
    "select",
    {
      "aria-label": "What the sweep computes",
      onchange: (event) => {
        kind = event.target.value;
        known = null;
        show(frame);
      }
    },
    ...Object.entries(SEMIRINGS).map(([name, [text]]) => el("option", { value: name }, text))
  );
  const number = el("span", { class: "quiet" }),
    told = el("p", { class: "say", "aria-live": "polite" }),
    waits = el("p", { class: "quiet" });
  const first = button("|◂", "First", () => show(0)),
    before = button("◂ Back", "Back", () => show(frame - 1)),
    next = button("Next ▸", "Next", () => show(frame + 1)),
    last = button("▸|", "Last", () => show(steps.length));
  box.append(
    el("div", { class: "controls" }, first, before, next, last, play, number, el("span", { class: "grow" }), choice),
    told,
    waits,
    el(
      "p",
      { class: "key" },
      ...[
        ["done", "has heard from all, and has told those that it reads"],
        ["now", "tells now"],
        ["wait", "waits for the rest of its readers"]
      ].map(([state, words]) =>
        el(
          "span",
          {},
          el("i", {
            style: `background:var(--${state});${{ wait: "border-style:dashed", now: "border-width:2.6px" }[state] || ""}`
          }),
          words
        )
      )
    )
  );

  function start() {
    if (frame >= steps.length) show(0);
    timer = setInterval(() => {
      show(frame + 1);
      if (frame >= steps.length) stop();
    }, 900);
    say(play, "❚❚ Pause");
    set(play, "aria-label", "Pause");
  }
  function stop() {
    clearInterval(timer);
    timer = 0;
    say(play, "▶ Play");
    set(play, "aria-label", "Play");
  }
  function show(to) {
    if (app.point !== known) {
      steps = app.point.sweep(kind);
      known = app.point;
    }
    frame = clamp(to, 0, steps.length);
    const { graph } = app,
      marks = new Map(),
      now = steps[frame - 1];
    const sums = new Map();
    steps.slice(0, frame).forEach((step, k) => {
      marks.set(step.node, {
        state: k === frame - 1 ? "now" : "done",
        note: valueText(step.value),
        words: `${k === frame - 1 ? "tells now" : "done"}: ${valueText(step.value)}`
      });
    });
    for (const [node, arrived, readers] of now ? now.waits : [])
      if (!marks.has(node))
        marks.set(node, {
          state: "wait",
          note: arrived < readers ? `${arrived} of ${readers}` : "ready",
          words: arrived < readers ? `waits, ${arrived} of ${readers} have told` : "ready"
        });
    app.marks = marks;
    app.sent = now
      ? {
          soft: true,
          color: "var(--ink)",
          nodes: new Set(),
          edges: new Set(graph.edges.filter((edge) => edge.head === now.node).map((edge) => edge.index))
        }
      : null;
    say(number, `${frame} of ${steps.length}`);
    const open = (now ? now.waits : [])
      .filter(([, arrived, readers]) => arrived < readers)
      .map(([node, arrived, readers]) => `${graph.nodes[node].name} waits for ${readers - arrived} of ${readers}`);
    say(
      told,
      !steps.length
        ? "The output depends on no parameter: there is nothing to sweep."
        : now
          ? `${now.told.replace(/-(?=\d)/g, "−").replace(/ \* /g, " ⋅ ")}.`
          : `Nothing is known yet. The sweep starts at the output, ${graph.nodes[graph.output].name}, with 1, ` +
            `and works out for every node ${SEMIRINGS[kind][1]}.`
    );
    say(
      waits,
      !now
        ? ""
        : [
            now.sends.length
              ? `It goes to ${listed(
                  middle(
                    now.sends.map((i) => graph.nodes[i].name),
                    6
                  )
                )}`
              : "It has nobody to tell: a parameter is done",
            ...middle(open, 5)
          ].join("; ") + "."
    );
    for (const [ends, buttons] of [
      [0, [first, before]],
      [steps.length, [next, last]]
    ])
      for (const at of buttons) set(at, "aria-disabled", frame === ends);
    app.light();
    if (frame === steps.length && frame) app.event("swept");
  }
  on(box, "keydown", (event) => {
    if (event.target.tagName === "SELECT") return;
    const to = { ArrowRight: frame + 1, ArrowLeft: frame - 1, Home: 0, End: steps.length }[event.key];
    if (to === undefined) return;
    show(to);
    event.preventDefault();
  });
  return {
    build() {
      stop();
      known = null;
      frame = 0;
      choice.hidden = !app.graph.computes;
      if (!app.graph.computes) kind = "gradient";
    },
    draw() {
      if (app.tab === "sweep") show(frame);
    },
    opened() {
      if (app.tab !== "sweep") stop();
    }
  };
}
