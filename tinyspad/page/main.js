// The page: what it shows, and what follows when something is changed.

function main() {
  const words = new Set(["NaN", "Infinity", "-Infinity"]);
  const data = JSON.parse(byId("data").textContent, (_, value) => words.has(value) ? Number(value) : value);
  const app = { data, graph: null, point: null, where: {}, slopes: {}, param: null, ranges: {}, version: 0, tab: "paths",
    hovered: null, pinned: null, chosen: null, marks: null, sent: null, following: null };
  let views = [], lists = new Map(), asked = 0;
  const fragment = () => new URLSearchParams(location.hash.slice(1));

  // --- one point, and what is known there -----------------------------------------------------------------------

  app.listing = name => {
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
  app.move = changes => {
    if (!app.graph.computes || Object.entries(changes).every(([name, x]) => app.where[name] === x)) return;
    byId("told").setAttribute("aria-live", "off");
    Object.assign(app.where, changes);
    app.draw();
    app.event("move");
  };
  app.settled = () => {
    byId("told").setAttribute("aria-live", "polite");
    app.draw();
    app.remember();
  };
  app.rebuild = () => { for (const view of views) view.build(); app.drawNow(); };

  /** Show a graph at a point. */
  app.show = (graph, where, boxes = null) => {
    Object.assign(app, { graph, where: { ...where }, param: graph.params[0] || null, ranges: {}, hovered: null, pinned: null, chosen: null, marks: null, following: null });
    app.data.box = boxes;
    app.version++;
    app.point = graph.at(app.where);
    const which = byId("which");
    which.replaceChildren();
    if (graph.params.length > 1) which.append(el("label", {}, "of ", el("select", { id: "param", onchange: event => { app.param = event.target.value; app.hovered = app.pinned = null; app.draw(); } }, ...graph.params.map(name => el("option", {}, name)))));
    for (const view of views) if (view.reset) view.reset();
    app.rebuild();
  };

  // --- what lights up -------------------------------------------------------------------------------------------

  app.lit = () => {
    const path = app.hovered || app.pinned;
    if (path) return lightOf(path);
    return app.chosen === null ? app.sent : throughNode(app.graph, app.chosen);
  };
  const light = () => { for (const view of views) if (view.light) view.light(); told(); };
  app.hover = path => { app.hovered = path; light(); if (path) app.event("hover", path); };
  app.pin = path => {
    app.pinned = same(path, app.pinned) ? null : path; app.chosen = null; light();
  };
  app.choose = node => { app.chosen = node; app.pinned = null; light(); if (node !== null) app.event("choose", node); };
  app.light = light;

  function told() {
    const { graph, point } = app, path = app.hovered || app.pinned;
    const fresh = path && app.listing(path.name).paths.find(p => same(p, path));
    let text = "Point at a path to follow it; choose a node to see what it adds up.";
    if (fresh) text = `${writtenOut(app, fresh)}.`;
    else if (app.chosen !== null) text = adjointText(app, app.chosen);
    else if (!graph.computes) text = `Stepped with Python's numbers, without dragging: ${data.why || "the page cannot compute this function"}.`;
    say(byId("told"), text);
  }

  // --- the head, and the controls -------------------------------------------------------------------------------

  function Head() {
    return { build() {}, draw() {
      const { graph, point } = app, at = graph.params.filter(name => typeof app.where[name] === "number").slice(0, 4).map(name => `${name} = ${short(app.where[name])}`).join(", ");
      const slopes = graph.params.slice(0, 4).map(name => {
        const { paths, count, rest } = app.listing(name), terms = !rest && paths.length > 1 && paths.length < 5 ? `${paths.map((p, i) => i ? bracketed(short(p.product)) : short(p.product)).join(" + ")} = ` : "";
        const way = count === 0n ? "which has no path" : count === 1n ? "its one path" : `the sum of ${many(count, "path")}`;
        return [graph.params.length > 1 ? `by ${name} ` : "", terms, el("b", {}, valueText(app.slopes[name])), `, ${way}`];
      });
      const bad = point.nonfinite;
      byId("sum").replaceChildren(`At ${at || "this point"}, f is `, el("b", {}, valueText(point.value)), ". ", ...(graph.params.length ? [graph.params.length > 1 ? "Its slope " : "Its slope is ", ...slopes.flatMap((parts, i) => i ? ["; ", ...parts] : parts), "."] : ["It depends on no parameter."]), ...(bad ? [el("br"), bad.text, "."] : []));
    } };
  }

  function Controls() {
    let rows = [];
    return {
      build() {
        rows = app.graph.params.filter(name => typeof app.where[name] === "number").map((name, k) => {
          const change = event => { const x = event.target.valueAsNumber; if (Number.isFinite(x)) app.move({ [name]: x }); };
          const slider = el("input", { type: "range", step: "any", id: `slide${k}`, oninput: change, onchange: app.settled, disabled: !app.graph.computes, onfocus: () => pick(name) });
          const field = el("input", { type: "number", step: "any", oninput: change, onchange: app.settled, "aria-label": `${name}, as a number`, disabled: !app.graph.computes, onfocus: () => pick(name) });
          return { name, slider, field, label: el("label", { for: `slide${k}` }, name) };
        });
        byId("controls").replaceChildren(...rows.flatMap(r => [r.label, r.slider, r.field]));
      },
      draw() {
        for (const { name, slider, field } of rows) {
          const [low, high] = curve.range(name);
          slider.min = low; slider.max = high; slider.value = app.where[name];
          slider.setAttribute("aria-valuetext", `${name} = ${short(app.where[name])}`);
          if (document.activeElement !== field) field.value = Number(app.where[name].toPrecision(6));
        }
        const param = byId("param");
        if (param) param.value = app.param;
      },
    };
  }
  function pick(name) { if (app.param !== name) { app.param = name; app.hovered = app.pinned = null; app.draw(); } }

  // --- tabs, theme, the link ------------------------------------------------------------------------------------

  const tabs = data.python ? ["paths", "sweep"] : ["paths", "sweep", "race", "along"];
  app.open = name => {
    app.tab = name;
    for (const tab of tabs) {
      const button = byId(`tab-${tab}`), on = tab === name;
      button.setAttribute("aria-selected", on);
      button.tabIndex = on ? 0 : -1;
      byId(tab).hidden = !on;
    }
    app.marks = app.sent = app.following = null;
    for (const view of views) if (view.opened) view.opened();
    app.drawNow();
    app.event("open", name);
  };
  tabs.forEach((tab, k) => {
    byId(`tab-${tab}`).addEventListener("click", () => { app.open(tab); app.remember(); });
    byId(`tab-${tab}`).addEventListener("keydown", event => {
      const go = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!go) return;
      const next = tabs[(k + go + tabs.length) % tabs.length];
      app.open(next);
      byId(`tab-${next}`).focus();
      event.preventDefault();
    });
  });
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = theme => { root.dataset.theme = theme; if (app.graph) app.draw(); };
  root.dataset.theme = dark.matches ? "dark" : "light";
  dark.addEventListener("change", event => paint(event.matches ? "dark" : "light"));
  byId("theme").addEventListener("click", () => paint(root.dataset.theme === "dark" ? "light" : "dark"));
  addEventListener("message", event => { if (event.data && ["dark", "light"].includes(event.data.tinyspad)) paint(event.data.tinyspad); });
  if (parent !== window) new ResizeObserver(() => parent.postMessage({ tinyspad: document.body.offsetHeight }, "*")).observe(document.body);

  /** The state in the address, so that it can be shared and kept. */
  app.remember = () => {
    if (!app.graph.computes) return;
    const state = new URLSearchParams();
    if (data.playground) state.set("f", app.graph.program.text);
    state.set("at", app.graph.params.map(name => `${name}:${app.where[name]}`).join(","));
    if (app.tab !== "paths") state.set("tab", app.tab);
    if (tour && tour.step()) state.set("tour", tour.step());
    try { history.replaceState(null, "", `#${state}`); } catch { /* a frame without an address */ }
  };
  function pointFrom(text, names) {
    const found = Object.fromEntries((text || "").split(",").map(part => part.split(":")).map(([name, x]) => [name, Number(x)]));
    return Object.fromEntries(names.filter(name => Number.isFinite(found[name])).map(name => [name, found[name]]));
  }
  function fromAddress() {
    const state = fragment();
    if (typed && state.get("f") && state.get("f") !== app.graph.program.text) typed(state.get("f"));
    app.move(pointFrom(state.get("at"), app.graph.params));
    if (tabs.includes(state.get("tab"))) app.open(state.get("tab"));
    if (tour && state.get("tour")) tour.go(Number(state.get("tour")));
  }
  addEventListener("hashchange", fromAddress);

  // --- all of it ------------------------------------------------------------------------------------------------

  const curve = CurveView(app), tour = typeof Tour === "function" ? Tour(app) : null, typed = typeof Typed === "function" ? Typed(app) : null;
  app.curve = curve;
  app.event = (what, about) => tour && tour.event(what, about);
  views = [Head(), curve, Controls(), FormulaView(app), GraphView(app), ProgramView(app), Ledger(app), Sweep(app), ...(data.python ? [] : [Race(app), Along(app)]), ...(tour ? [tour] : [])];
  const graph = data.python ? TinySpad.fromPython(data.python) : TinySpad.trace(data.program);
  graph.program = data.program;
  document.body.classList.toggle("given", !graph.computes);
  byId("tab-race").hidden = byId("tab-along").hidden = !graph.computes;
  app.show(graph, data.point, data.box);
  if (typed) typed(data.program.text, data.point);
  app.open(data.open || "paths");
  fromAddress();

  window.tinyspad = {
    set: (name, value) => { Object.assign(app.where, { [name]: Number(value) }); app.drawNow(); return app.point.value; },
    value: () => app.point.value,
    gradient: () => app.point.gradient(),
    paths: (name = app.param) => app.point.paths(name),
    best: (name = app.param) => app.point.best(name),
    count: (name = app.param) => app.point.count(name),
    run: (estimator, options) => TinySpad.run(app.graph, estimator, { start: app.where, ...options }),
  };
}

/** All edges and nodes on paths through a node. */
function throughNode(graph, node) {
  const nodes = new Set([node]), edges = new Set(), walk = (ends, next, list) => { while (ends.length) for (const e of list(ends.pop())) { edges.add(e); if (!nodes.has(next(e))) { nodes.add(next(e)); ends.push(next(e)); } } };
  const into = graph.nodes.map(() => []), out = graph.nodes.map(() => []);
  for (const { index, tail, head } of graph.edges) { into[head].push(index); out[tail].push(index); }
  walk([node], e => graph.edges[e].tail, i => into[i]);
  walk([node], e => graph.edges[e].head, i => out[i]);
  return { nodes, edges, color: "var(--focus)", node };
}

/** A node's value, and its adjoint as the sum over its readers. */
function adjointText(app, i) {
  const { graph, point } = app, node = graph.nodes[i], readers = graph.edges.filter(edge => edge.tail === i), { count } = point.through(i);
  const shares = middle(readers.map(({ head, index, copy }) => copy ? bracketed(valueText(point.adjoints[head])) : `${bracketed(valueText(point.weights[index]))} ⋅ ${bracketed(valueText(point.adjoints[head]))}`), 8).join(" + ");
  const told = readers.length === 0 ? (i === graph.output ? "is the output, whose adjoint is 1" : "has no reader: its adjoint is 0")
    : `has ${readers.length === 1 ? `one reader, ${graph.nodes[readers[0].head].name}` : `${readers.length} readers, ${listed(middle(readers.map(r => graph.nodes[r.head].name), 6))}`}; its adjoint is ${shares} = ${valueText(point.adjoints[i])}`;
  return `${node.name}${node.kind === "operation" ? ` = ${node.text}` : ""} = ${valueText(point.values[i])} ${told}. ${count === 1n ? "One path leads" : `${short(count)} paths lead`} through it.`;
}

main();
