// What a path is, and a node, in words and numbers; and which edges and nodes belong to it.

const ROWS = 24;

/** The paths to show of a parameter: all of them in the program's order, or the largest, and the rest as one. */
function pathsOf(app, name, most = ROWS) {
  const { graph, point } = app;
  if (!graph.params.includes(name)) return { paths: [], count: 0n, rest: null, slope: 0 };
  const count = point.count(name);
  let found = null,
    rest = null;
  if (count <= BigInt(most)) found = point.paths(name, most);
  else ({ paths: found, rest } = point.top(name, min(most, 12)));
  found = found.map((path, k) => ({ ...path, name, color: term(count <= BigInt(most) ? Number(path.index) : k) }));
  rest = rest && rest.count > 0n ? rest : null;
  // what is left where large products cancel is rounding
  const size = found.reduce((sum, path) => sum + abs(path.product), rest ? abs(rest.sum) : 0),
    slope = app.slopes[name];
  return { paths: found, count, rest, slope: abs(slope) < 1e-9 * size ? 0 : slope };
}

/** Its factors, without the 1 of branches. */
const factorsOf = (app, path) => path.edges.filter((e) => !app.graph.edges[e].copy).map((e) => app.point.weights[e]);
const productText = (app, path) => middle(factorsOf(app, path).map((w) => bracketed(valueText(w)))).join(" ⋅ ") || "1";
const throughText = (app, path) => middle(path.nodes.map((i) => app.graph.nodes[i].name)).join(" → ");
const same = (a, b) => Boolean(a && b && a.name === b.name && String(a.index) === String(b.index));
const lightOf = (path) => ({ edges: new Set(path.edges), nodes: new Set(path.nodes), color: path.color, path });

/** A path's product, written out factor by factor: dz/da ⋅ da/dx = 2.408 ⋅ 10 = 24.08. */
function writtenOut(app, path) {
  const { graph } = app,
    steps = path.edges.filter((e) => !graph.edges[e].copy);
  const names = middle(
    steps.map((e) => `d${graph.nodes[graph.edges[e].head].name}/d${graph.nodes[graph.edges[e].tail].name}`),
    7
  ).join(" ⋅ ");
  const product = names ? `${names} = ${productText(app, path)} = ` : "";
  return `Path ${path.index} of ${path.name}: ${product}${short(path.product)}`;
}

/** All edges and nodes on paths through a node; or through edges. */
function through(graph, node, between = []) {
  const edges = new Set(between),
    nodes = new Set(),
    walk = (ends, near, far) => {
      for (const i of ends) {
        nodes.add(i);
        for (const edge of graph.edges)
          if (edge[near] === i && !edges.has(edge.index)) {
            edges.add(edge.index);
            ends.push(edge[far]);
          }
      }
    },
    from = (end) => (between.length ? between.map((e) => graph.edges[e][end]) : [node]);
  walk(from("tail"), "head", "tail");
  walk(from("head"), "tail", "head");
  return { nodes, edges, color: "var(--focus)", node, between };
}
const leads = (path, node, edges = []) => path.nodes.includes(node) || edges.some((e) => path.edges.includes(e));
/** What lights up where one points at edges, or at a node: the one path that leads there, or all of them. */
function pointedAt(app, node, edges = []) {
  const lists = app.graph.params.slice(0, 12).map((name) => app.listing(name)),
    paths = lists
      .flatMap((list) => list.paths)
      .filter((path) => leads(path, node, edges));
  return paths.length === 1 && !lists.some((list) => list.rest) && lists.length === app.graph.params.length
    ? paths[0]
    : { light: through(app.graph, node, edges) };
}

/** A node's value, and its adjoint as the sum over its readers. */
function adjointText(app, i) {
  const { graph, point } = app,
    node = graph.nodes[i],
    readers = graph.edges.filter((edge) => edge.tail === i),
    { count } = point.through(i);
  const shares = middle(
    readers.map(({ head, index, copy }) =>
      copy
        ? bracketed(valueText(point.adjoints[head]))
        : `${bracketed(valueText(point.weights[index]))} ⋅ ${bracketed(valueText(point.adjoints[head]))}`
    ),
    8
  ).join(" + ");
  const told =
    readers.length === 0
      ? i === graph.output
        ? "is the output, whose adjoint, how fast f moves with it, is 1"
        : "has no reader: its adjoint is 0"
      : `has ${
          readers.length === 1
            ? `one reader, ${graph.nodes[readers[0].head].name}`
            : `${readers.length} readers, ${listed(
                middle(
                  readers.map((r) => graph.nodes[r.head].name),
                  6
                )
              )}`
        }; its adjoint, how fast f moves with it, is ${shares} = ${valueText(point.adjoints[i])}`;
  const named = node.kind === "operation" ? `${node.name} = ${node.text}` : node.name,
    lead = count === 1n ? "One path leads" : `${short(count)} paths lead`;
  return `${named} = ${valueText(point.values[i])} ${told}. ${lead} through it.`;
}
