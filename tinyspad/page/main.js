// The page: what it shows, and what follows when something is changed.

function main() {
  const words = new Set(["NaN", "Infinity", "-Infinity"]);
  const data = JSON.parse(byId("data").textContent, (_, value) => (words.has(value) ? Number(value) : value));
  const app = {
    data,
    graph: null,
    point: null,
    where: {},
    slopes: {},
    param: null,
    version: 0,
    tab: "paths",
    hovered: null,
    pinned: null,
    chosen: null,
    marks: null,
    sent: null,
    following: null
  };
  let views = [],
    lists = new Map(),
    asked = 0,
    soon = 0;
  const fragment = () => new URLSearchParams(location.hash.slice(1));

  // --- one point, and what is known there -----------------------------------------------------------------------

  app.listing = (name) => {
    if (!lists.has(name)) lists.set(name, pathsOf(app, name));
    return lists.get(name);
  };
  app.draw = () => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(app.drawNow);
  };
  app.drawNow = () => {
    cancelAnimationFrame(asked);
    app.point = app.graph.at(app.where);
    app.slopes = app.point.gradient();
    lists = new Map();
    for (const view of views) view.draw();
    told();
  };
  app.move = (changes) => {
    if (!app.graph.computes || Object.entries(changes).every(([name, x]) => app.where[name] === x)) return;
    listen(false);
    Object.assign(app.where, changes);
    app.draw();
    app.event("move");
  };
  app.settled = () => {
    app.draw();
    app.remember();
  };
  app.rebuild = () => {
    for (const view of views) view.build();
    app.drawNow();
  };

  /** Show a graph at a point. */
  app.show = (graph, where, boxes = null) => {
    const point = graph.at(where);
    Object.assign(app, {
      graph,
      point,
      where: { ...where },
      param: graph.params[0] || null,
      ranges: Object.create(null),
      homes: Object.create(null),
      away: Object.create(null),
      hovered: null,
      pinned: null,
      chosen: null,
      marks: null,
      following: null
    });
    app.data.box = boxes;
    app.version++;
    app.slopes = app.point.gradient();
    lists = new Map();
    const which = byId("which");
    which.replaceChildren();
    if (graph.params.length > 1)
      which.append(
        el(
          "label",
          {},
          "of ",
          el(
            "select",
            {
              id: "param",
              onchange: (event) => app.about(event.target.value)
            },
            ...graph.params.map((name) => el("option", {}, name))
          )
        )
      );
    for (const view of views) if (view.reset) view.reset();
    app.rebuild();
  };

  // --- what lights up -------------------------------------------------------------------------------------------

  app.lit = () => {
    const path = app.hovered || app.pinned;
    if (path) return path.light || lightOf(path);
    return app.chosen === null ? app.sent : through(app.graph, app.chosen);
  };
  const light = () => {
    for (const view of views) if (view.light) view.light();
    told();
  };
  const listen = (on) => set(byId("told"), "aria-live", on ? "polite" : "off");
  /** A path that is pointed at, {light} of several, or null. */
  app.hover = (path) => {
    if (path === app.hovered || same(path, app.hovered)) return;
    listen(false);
    app.hovered = path;
    light();
    if (path && !path.light) app.event("hover", path);
  };
  app.clear = () => {
    app.hovered = app.pinned = app.chosen = null;
    light();
  };
  on(window, "keydown", (event) => event.key === "Escape" && app.clear());
  app.pin = (path) => {
    listen(true);
    app.pinned = same(path, app.pinned) ? null : path;
    app.chosen = null;
    light();
  };
  app.choose = (node) => {
    listen(true);
    app.chosen = node;
    app.hovered = app.pinned = null;
    light();
    if (node !== null) app.event("choose", node);
  };
  app.light = light;

  function told() {
    const { graph, point } = app,
      path = app.hovered || app.pinned;
    const fresh = path && !path.light && app.listing(path.name).paths.find((p) => same(p, path)),
      esc = app.pinned || app.chosen !== null ? " Esc lets go of it." : "";
    let text =
      (app.tab === "paths"
        ? "Point at a path, a row or an edge of it, to follow it"
        : `${app.tab === "race" ? "Numbers are those of the start, lines beside edges what each racer follows. " : ""}` +
          "Point at an edge to follow its paths") + "; choose a node to see what it adds up.";
    if (fresh) text = `${writtenOut(app, fresh)}.${esc}`;
    else if (app.chosen !== null) text = adjointText(app, app.chosen) + esc;
    else if (!graph.computes)
      text = `Stepped with Python's numbers, without dragging: ${data.why || "the page cannot compute this function"}.`;
    say(byId("told"), text);
  }

  /** Choose the parameter that ledger, slice and axis are about. */
  app.about = (name) => {
    if (app.param === name) return;
    app.param = name;
    app.hovered = app.pinned = null;
    app.draw();
  };

  // --- tabs, theme, the link ------------------------------------------------------------------------------------

  const tabs = data.python ? ["paths", "sweep"] : ["paths", "sweep", "race", "along"];
  app.open = (name) => {
    app.tab = name;
    byId("shapes").hidden = name !== "paths";
    for (const tab of tabs) {
      const button = byId(`tab-${tab}`),
        on = tab === name;
      set(button, "aria-selected", on);
      button.tabIndex = on ? 0 : -1;
      byId(tab).hidden = !on;
    }
    app.marks = app.sent = app.following = null;
    for (const view of views) if (view.opened) view.opened();
    app.drawNow();
    app.event("open", name);
  };
  tabs.forEach((tab, k) => {
    on(byId(`tab-${tab}`), "click", () => {
      app.open(tab);
      app.remember();
    });
    on(byId(`tab-${tab}`), "keydown", (event) => {
      const go = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!go) return;
      const next = tabs[(k + go + tabs.length) % tabs.length];
      app.open(next);
      byId(`tab-${next}`).focus();
      event.preventDefault();
    });
  });
  const root = document.documentElement,
    dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = (theme) => {
    root.dataset.theme = theme;
    if (app.graph) app.draw();
  };
  root.dataset.theme = dark.matches ? "dark" : "light";
  on(dark, "change", (event) => paint(event.matches ? "dark" : "light"));
  on(byId("theme"), "click", () => paint(root.dataset.theme === "dark" ? "light" : "dark"));
  on(window, "message", (event) => {
    if (event.data && ["dark", "light"].includes(event.data.tinyspad)) paint(event.data.tinyspad);
  });
  if (parent !== window)
    watch(document.body, () => parent.postMessage({ tinyspad: document.body.offsetHeight }, "*"));

  /** The state in the address, so that it can be shared and kept. */
  app.remember = () => {
    clearTimeout(soon);
    soon = setTimeout(app.write, 200);
  };
  app.write = () => {
    if (!app.graph.computes) return;
    const state = new URLSearchParams();
    if (data.playground) state.set("f", app.graph.program.text);
    state.set("at", app.graph.params.map((name) => `${name}:${app.where[name]}`).join(","));
    if (app.tab !== "paths") state.set("tab", app.tab);
    if (tour && tour.step()) state.set("tour", tour.step());
    try {
      history.replaceState(null, "", `#${state}`);
    } catch {
      /* a frame without an address */
    }
  };
  /** What an address says of the point: x:5,y:2. */
  function pointFrom(text) {
    const parts = (text || "").split(",").map((part) => part.split(":"));
    return Object.fromEntries(parts.map(([name, x]) => [name, parseFloat(x)]).filter(([, x]) => finite(x)));
  }
  function fromAddress() {
    const state = fragment(),
      point = pointFrom(state.get("at"));
    if (typed && state.get("f") && state.get("f") !== app.graph.program.text) typed(state.get("f"), point);
    app.move(Object.fromEntries(Object.entries(point).filter(([name]) => app.graph.params.includes(name))));
    if (tabs.includes(state.get("tab"))) app.open(state.get("tab"));
    if (tour && state.get("tour")) tour.go(Number(state.get("tour")));
  }
  on(window, "hashchange", fromAddress);

  // --- all of it ------------------------------------------------------------------------------------------------

  const curve = CurveView(app),
    tour = typeof Tour === "function" ? Tour(app) : null,
    typed = typeof Typed === "function" ? Typed(app) : null;
  app.curve = curve;
  app.event = (what, about) => tour && tour.event(what, about);
  views = [
    Head(app),
    curve,
    Controls(app),
    FormulaView(app),
    GraphView(app),
    ProgramView(app),
    Ledger(app),
    Sweep(app),
    ...(data.python ? [] : [Race(app), Along(app)]),
    ...(tour ? [tour] : [])
  ];
  const graph = data.python ? TinySpad.fromPython(data.python) : TinySpad.trace(data.program);
  document.body.classList.toggle("given", !graph.computes);
  byId("tab-race").hidden = byId("tab-along").hidden = !graph.computes;
  app.show(graph, data.point, data.box);
  if (typed) typed(data.program.text, data.point);
  app.open(data.open || "paths");
  fromAddress();

  window.tinyspad = {
    set: (name, value) => {
      const x = value === "" ? NaN : typeof value === "string" ? Number(value) : value;
      app.graph.source(name);
      if (!app.graph.computes) throw new TinySpad.Problem("The page has Python's numbers, of this one point.");
      if (!Number.isFinite(x)) throw new TinySpad.Problem(`${name} is to be a number, not "${value}".`);
      app.where[name] = x;
      app.drawNow();
      return app.point.value;
    },
    value: () => app.point.value,
    gradient: () => app.point.gradient(),
    paths: (name = app.param) => app.point.paths(name),
    best: (name = app.param) => app.point.best(name),
    count: (name = app.param) => app.point.count(name),
    run: (estimator, options) => TinySpad.run(app.graph, estimator, { start: app.where, ...options })
  };
}

main();
