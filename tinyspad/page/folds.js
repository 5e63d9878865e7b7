// What a graph of many nodes shows: parts of it stand folded in one node, and are unfolded by a click.

const ALL = "all",
  DRAWABLE = 60,
  ROOM = 34,
  LARGEST = 300;

/**
 * The nodes and edges to draw: {nodes: [{members, fold, exit}], edges: [{tail, head, edges}]}, edges leading forwards.
 * given: parts by name, [[label, [nodes]]]; without them, subexpressions. opened: labels of parts to unfold.
 */
function foldedGraph(graph, given, opened) {
  const groups =
    graph.nodes.length <= DRAWABLE || opened.has(ALL)
      ? []
      : given && given.length
        ? given.filter(([label]) => !opened.has(label)).map(([label, members]) => ({ label, members }))
        : subexpressions(graph, opened);
  const home = new Array(graph.nodes.length).fill(null);
  for (const group of groups) for (const i of group.members) home[i] = group;
  const parts = new Map();
  for (const node of graph.nodes) {
    const key = home[node.index] || node.index;
    if (!parts.has(key)) parts.set(key, { members: [], fold: home[node.index] ? home[node.index].label : null });
    parts.get(key).members.push(node.index);
  }
  const order = forwards([...parts.values()], graph),
    place = new Map();
  order.forEach((part, k) => part.members.forEach((i) => place.set(i, k)));
  const links = new Map();
  for (const edge of graph.edges) {
    const tail = place.get(edge.tail),
      head = place.get(edge.head);
    if (tail === head) continue;
    if (!links.has(`${tail} ${head}`)) links.set(`${tail} ${head}`, { tail, head, edges: [] });
    links.get(`${tail} ${head}`).edges.push(edge.index);
  }
  for (const part of order) {
    const inside = new Set(part.members);
    const exits = part.members.filter(
      (i) => i === graph.output || graph.edges.some((e) => e.tail === i && !inside.has(e.head))
    );
    part.exit = exits.length === 1 ? exits[0] : null;
  }
  return { nodes: order, edges: [...links.values()], folds: groups.length };
}

/** The parts in an order in which edges lead forwards. */
function forwards(parts, graph) {
  const of = new Map();
  parts.forEach((part) => part.members.forEach((i) => of.set(i, part)));
  const before = new Map(parts.map((part) => [part, new Set()]));
  for (const { tail, head } of graph.edges)
    if (of.get(tail) !== of.get(head)) before.get(of.get(head)).add(of.get(tail));
  const done = new Set(),
    order = [];
  let left = [...parts].sort((a, b) => a.members.at(-1) - b.members.at(-1));
  while (left.length) {
    const next = left.find((part) => [...before.get(part)].every((p) => done.has(p))) || left[0];
    done.add(next);
    order.push(next);
    left = left.filter((part) => part !== next);
  }
  return order;
}

/** Subexpressions that leave room for ROOM nodes: of the tree in which a node hangs from where all its paths meet again. */
function subexpressions(graph, opened) {
  const n = graph.nodes.length,
    up = new Array(n).fill(-1),
    heads = Array.from({ length: n }, () => []);
  for (const { tail, head } of graph.edges) heads[tail].push(head);
  const common = (a, b) => {
    while (a !== b) {
      if (a < b) a = up[a];
      else b = up[b];
    }
    return a;
  };
  for (let i = n - 1; i >= 0; i--) if (heads[i].length) up[i] = heads[i].reduce(common);
  const below = Array.from({ length: n }, () => []),
    size = new Array(n).fill(1);
  for (let i = 0; i < n; i++)
    if (up[i] >= 0 && graph.nodes[i].kind !== "parameter") {
      below[up[i]].push(i);
      size[up[i]] += size[i];
    }
  const label = (i) => `${graph.nodes[i].name}, ${size[i]} nodes`;
  let shown = 1 + below[graph.output].length + graph.params.length;
  const folds = new Set(below[graph.output].filter((i) => size[i] > 2));
  const unfold = (i) => {
    folds.delete(i);
    for (const c of below[i]) if (size[c] > 2) folds.add(c);
    shown += below[i].reduce((sum, c) => sum + (size[c] > 2 ? 1 : size[c]), 0);
  };
  for (;;) {
    const [next] = [...folds].filter((i) => shown + below[i].length <= ROOM).sort((a, b) => size[b] - size[a]);
    if (next === undefined) break;
    unfold(next);
  }
  for (let more = true; more;) {
    more = false;
    for (const i of [...folds])
      if (opened.has(label(i)) && shown < LARGEST) {
        unfold(i);
        more = true;
      }
  }
  const members = (i) => [...below[i].flatMap(members), i];
  return [...folds].map((i) => ({ label: label(i), members: members(i).sort((a, b) => a - b) }));
}

/** The weight of a drawn edge into a part: of the part's way out, by the tail; null of several ways out, or linear maps. */
function linkWeight(view, link, graph, point) {
  const part = view.nodes[link.head];
  if (part.exit === null || point.weights.some((weight) => typeof weight !== "number")) return null;
  const adjoint = new Map([[part.exit, 1]]),
    inside = new Set(part.members);
  for (const i of [...part.members].reverse())
    if (i !== part.exit)
      adjoint.set(
        i,
        graph
          .out(i)
          .reduce((sum, { index, head }) => sum + (inside.has(head) ? point.weights[index] * adjoint.get(head) : 0), 0)
      );
  return link.edges.reduce((sum, e) => sum + point.weights[e] * adjoint.get(graph.edges[e].head), 0);
}
