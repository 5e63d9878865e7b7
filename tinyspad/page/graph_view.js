// The graph: parameters to output, weights on edges; a node is chosen by click or key, a path lights up.

let RADIUS = 14;

function GraphView(app) {
  const box = byId("drawing"),
    opened = new Set();
  let view,
    parts = [],
    links = [],
    follow,
    at = 0;

  function build() {
    const { graph } = app;
    view = typeof foldedGraph === "function" ? foldedGraph(graph, app.data.folds, opened) : wholeGraph(graph);
    const { places, ways } = layered(view.nodes.length, view.edges),
      small = view.nodes.length > 16,
      program = byId("program");
    (small ? document.querySelector(".left") : box.parentNode).append(program);
    document.body.classList.toggle("small", small);
    RADIUS = small ? 11 : 14;
    const wide = box.clientWidth || 600,
      most = clamp(innerHeight - 510, 260, 520);
    const columns = max(...places.map((p) => p[0]), 0),
      tops = places.map((p) => p[1]),
      rows = max(...tops) - min(...tops);
    const upright = wide < 560 && columns * 60 > wide && rows < columns;
    const [across, down] = upright ? [rows, columns] : [columns, rows];
    const dx = clamp((wide - 76) / (across || 1), upright ? 84 : 62, upright ? 110 : 104);
    const dy = clamp((most - 74) / (down || 1), upright ? 60 : small ? (view.folds ? 36 : 29) : 43, upright ? 64 : 92);
    const width = max(dx * across + 76, 150),
      height = dy * down + 74;
    const spot = ([c, h]) => {
      const [u, v] = upright ? [h - min(...tops), c] : [c, h - min(...tops)];
      return [38 + u * dx + (across ? 0 : width / 2 - 38), 34 + v * dy];
    };
    const spots = places.map(spot),
      lines = ways.map((way) => trimmed(way.map(spot)));
    const scale = clamp(min((wide - 8) / width, upright ? 1 : most / height, 1), 0.72, 1);
    box.parentNode.style.height = innerWidth > 620 ? `${clamp(height * scale + 4, 190, most)}px` : "";
    const boxes = view.nodes.flatMap((part, k) => [
      [...spots[k], RADIUS + 2, RADIUS + 2],
      ...(nameOf(part).length > 3 ? [[spots[k][0], spots[k][1] - RADIUS - 9, 3.1 * cut(nameOf(part)).length, 7]] : []),
      ...(nodeText(part) ? [[spots[k][0], spots[k][1] + RADIUS + 10, 3.1 * nodeText(part).length, 7]] : [])
    ]);
    links = view.edges.map((link, k) => {
      const copy = graph.edges[link.edges[0]].copy;
      const d = wayOf(lines[k]),
        line = svg("path", { class: "edge", d }),
        hit = svg("path", {
          class: "hit",
          d,
          onpointerenter: () => app.hover(pointedAt(app, -1, link.edges)),
          onpointerleave: () => app.hover(null)
        });
      const head = svg("path", { class: "head", d: arrow(...lines[k].slice(-2)) });
      let label = null;
      if (!copy || view.nodes[link.head].fold) {
        const { at: place, crowded } = freePlace(lines[k], [small ? 15 : 19, 7], boxes, lines);
        if (!crowded) boxes.push([...place, small ? 15 : 19, 7]);
        label = svg("g", { class: `weight${crowded ? " crowded" : ""}` }, svg("rect", { height: 13 }), svg("text", { y: 4, class: "halo" }));
        label.at = place;
        // lifted off a short edge, whose ends would cover it
        const [[x0, y0], [x1, y1]] = lines[k];
        label.room = abs(y1 - y0) > 9 ? Infinity : abs(x1 - x0) + 2;
      }
      return { link, line, hit, head, label, points: lines[k] };
    });
    parts = view.nodes.map((part, k) => node(part, k, spots[k]));
    follow = svg("g", { "aria-hidden": "true" });
    const picture = svg(
      "svg",
      {
        viewBox: `0 0 ${width.toFixed(0)} ${height.toFixed(0)}`,
        width: (width * scale).toFixed(0),
        height: (height * scale).toFixed(0),
        role: "group",
        "aria-label":
          `The graph: ${many(graph.nodes.length, "node")}, ${many(graph.edges.length, "edge")}. ` +
          "Arrow keys go from node to node, Enter chooses one."
      },
      ...links.map((l) => l.line),
      follow,
      ...links.flatMap((l) => [l.head, l.hit]),
      ...parts.map((p) => p.group),
      ...links.flatMap((l) => l.label || [])
    );
    box.replaceChildren(picture);
    at = min(at, parts.length - 1);
    parts.forEach((p, k) => set(p.group, "tabindex", k === at ? 0 : -1));
    const folding = byId("folding");
    folding.replaceChildren();
    const button = (text, change) => press(text, () => (change(), app.rebuild())),
      has = (kind) => graph.nodes.some((node) => (node.tupled ? "tupled" : node.kind) === kind);
    say(byId("read-once"), `Every number is read once${has("tupled") ? "; what is needed more often is copied (diamond)" : ""}`);
    const shapes = [
      ["parameter", "squares are parameters that are read once"],
      ["tupled", "diamonds are numbers that are copied"],
      ["operation", "circles are operations"]
    ].flatMap(([kind, words]) => (has(kind) ? words : []));
    say(
      byId("shapes"),
      `In the graph ${listed(shapes)}. A number on an edge is a local derivative; a path’s contribution is the product of ` +
        "those along it, and the gradient is the sum over all paths."
    );
    if (view.folds)
      folding.append(
        el("span", { class: "quiet" }, `${many(view.folds, "part")} folded: click one to unfold it`),
        ...(graph.nodes.filter(({ kind }) => kind === "operation").length <= LARGEST
          ? [el("span", { class: "quiet" }, ", or "), button("Unfold all", () => opened.add("all"))]
          : [])
      );
    if (opened.size)
      folding.append(
        " ",
        button("Fold again", () => opened.clear())
      );
  }

  const nameOf = (part) => app.graph.nodes[part.members.at(-1)].name;
  /** What a part computes, in a few letters. */
  function nodeText(part) {
    if (part.fold) return `+${part.members.length - 1}`;
    const { kind, text } = app.graph.nodes[part.members[0]];
    return kind === "operation" && view.nodes.length < 17 ? cut(text) : "";
  }
  const cut = (text) => (text.length > 16 ? `${text.slice(0, 15)}…` : text);

  function node(part, k, [x, y]) {
    const last = app.graph.nodes[part.members.at(-1)],
      r = part.fold ? RADIUS + 2 : last.kind === "branch" ? RADIUS - 3 : RADIUS;
    const shape = part.fold
      ? svg("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r, rx: 6 })
      : last.tupled
        ? svg("path", { d: `M${x - r - 2} ${y}L${x} ${y - r - 2}L${x + r + 2} ${y}L${x} ${y + r + 2}Z` })
        : last.kind === "parameter"
          ? svg("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r })
          : svg("circle", { cx: x, cy: y, r });
    const inside = last.name.length < 4,
      title = svg("title");
    const does = svg("text", { class: "does halo", x, y: y + r + 13 }, nodeText(part));
    const note = svg("text", { class: "note halo", x, y: y - r - 5 });
    const group = svg(
      "g",
      {
        class: "node",
        role: "button",
        onclick: () => choose(k),
        onpointerenter: () => part.fold || app.hover(pointedAt(app, part.members[0])),
        onpointerleave: () => app.hover(null),
        onfocus: () => {
          at = k;
        },
        onkeydown: (event) => key(event, k)
      },
      shape,
      title,
      svg("text", { class: inside ? "name" : "name halo", x, y: inside ? y + 4 : y - r - 5 }, cut(last.name)),
      does,
      note
    );
    const kind = part.fold ? "fold" : last.tupled ? "tupling" : last.kind;
    return { part, group, title, does, note, kind, last: last.index, lifted: inside ? 0 : 12 };
  }

  function choose(k) {
    const { part, last } = parts[k];
    if (part.fold) {
      opened.add(part.fold);
      app.rebuild();
      focus(k);
      return;
    }
    app.choose(app.chosen === last ? null : last);
  }
  function focus(k) {
    at = clamp(k, 0, parts.length - 1);
    parts.forEach((p, i) => set(p.group, "tabindex", i === at ? 0 : -1));
    parts[at].group.focus();
  }
  function key(event, k) {
    const go = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (go) focus(k + go);
    else if (event.key === "Enter" || event.key === " ") choose(k);
    else return;
    event.preventDefault();
  }

  function draw() {
    const { graph, point } = app;
    for (const { link, label } of links) {
      if (!label) continue;
      const weight = view.nodes[link.head].fold
        ? linkWeight(view, link, graph, point)
        : link.edges.length > 1
          ? ownWeight(link, point)
          : point.weights[link.edges[0]];
      const text =
          weight === null ? "" : typeof weight === "number" ? short(weight, parts.length > 16 ? 3 : 4) : String(weight),
        wide = text && 6.7 * text.length + 4,
        [plate, words] = label.children;
      say(words, text);
      set(plate, "width", wide || 0);
      set(plate, "x", -wide / 2);
      set(plate, "y", -6.5);
      const lifted = wide > label.room;
      label.classList.toggle("lifted", lifted);
      set(label, "transform", `translate(${label.at[0]} ${label.at[1] - (lifted ? 14 : 0)})`);
    }
    for (const { part, title, last } of parts) {
      const { name, text, kind } = graph.nodes[last];
      say(
        title,
        `${part.fold ? `${part.fold}, folded: ` : ""}${name}${kind === "operation" ? ` = ${text}` : ""} = ` +
          `${valueText(point.values[last])}; adjoint ${valueText(point.adjoints[last])}`
      );
    }
    light();
  }

  function light() {
    const lit = app.lit(),
      { marks } = app,
      dim = lit && !lit.soft ? " dim" : "";
    for (const { link, line, head, label } of links) {
      const on = lit && link.edges.some((e) => lit.edges.has(e)),
        way = on ? " lit" : dim;
      set(line, "class", `edge${way}`);
      set(head, "class", `head${way}`);
      if (label) {
        label.classList.toggle("lit", Boolean(on && lit.path));
        label.classList.toggle("dim", Boolean(dim && !on));
      }
      for (const shape of [line, head]) shape.style.setProperty("--c", on ? lit.color : "");
    }
    for (const { part, group, title, kind, does, note, last } of parts) {
      const on = lit && part.members.some((i) => lit.nodes.has(i)),
        mark = marks && marks.get(last);
      set(group, 
        "class",
        `node ${kind}${on ? " lit" : dim}${app.chosen === last ? " chosen" : ""}${mark ? ` ${mark.state}` : ""}`
      );
      group.style.setProperty("--c", on ? lit.color : "");
      set(group, 
        "aria-label",
        `${part.fold ? "" : `${kind} `}${title.textContent}${mark ? `; ${mark.words}` : ""}`
      );
      set(group, "aria-pressed", app.chosen === last);
      say(note, mark ? mark.note : "");
      does.style.display = mark && mark.note && kind === "fold" ? "none" : "";
    }
    drawFollowing();
  }

  /** The paths that racers follow now, each beside the other along the edges. */
  function drawFollowing() {
    const now = app.following || [];
    follow.replaceChildren(
      ...links.flatMap(({ link, line, points }) => {
        const here = now.filter((f) => link.edges.some((e) => f.edges.has(e)));
        const steep =
          points.length > 1 && abs(points[1][1] - points[0][1]) > abs(points[1][0] - points[0][0]);
        return here.map((f, k) => {
          const aside = 3.6 * (k - (here.length - 1) / 2);
          return svg("path", {
            class: "follow",
            d: line.getAttribute("d"),
            stroke: f.color,
            "stroke-dasharray": f.dash || null,
            transform: steep ? `translate(${aside} 0)` : `translate(0 ${aside})`
          });
        });
      })
    );
  }

  watch(box, () => {
    if (app.graph && box.clientWidth !== box.lastWidth) {
      box.lastWidth = box.clientWidth;
      build();
      draw();
    }
  });
  return { build, draw, light, reset: () => opened.clear(), focus: () => parts[at].group.focus() };
}

const wholeGraph = ({ nodes, edges }) => ({
  folds: 0,
  nodes: nodes.map(({ index }) => ({ members: [index], fold: null })),
  edges: edges.map(({ index, tail, head }) => ({ tail, head, edges: [index] }))
});
/** The weight of a drawn edge that stands for itself. */
const ownWeight = (link, point) => link.edges.reduce((sum, e) => sum + point.weights[e], 0);
const valueText = (x) => (typeof x === "number" || typeof x === "bigint" ? short(x) : String(x));

/** A way that ends at the rim of its nodes. */
function trimmed(points) {
  const line = points.map((p) => [...p]),
    n = line.length;
  const cutBack = (end, from, by) => {
    const u = end[0] - from[0],
      v = end[1] - from[1],
      d = hypot(u, v) || 1;
    end[0] -= (by * u) / d;
    end[1] -= (by * v) / d;
  };
  cutBack(line[0], line[1], RADIUS);
  cutBack(line[n - 1], line[n - 2], RADIUS + 3);
  return line;
}
function arrow(a, b) {
  const d = hypot(b[0] - a[0], b[1] - a[1]) || 1,
    u = (b[0] - a[0]) / d,
    v = (b[1] - a[1]) / d;
  const at = (back, aside) => `${(b[0] - back * u - aside * v).toFixed(1)} ${(b[1] - back * v + aside * u).toFixed(1)}`;
  return `M${at(-2, 0)}L${at(7, 3.6)}L${at(7, -3.6)}Z`;
}
