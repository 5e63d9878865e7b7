// The single-access program of a formula: every variable is read at most once; numbers and names are tinyspad's own.
(() => {
  "use strict";

  const { Problem, OPERATIONS } = TinySpad;
  const { constantText, spaced } = TinySpad.text;
  const KEYWORDS = new Set("as if in is or and def del for not try".split(" "));

  // --- names and texts -------------------------------------------------------------------------------------------------

  /** a, b, ..., z, aa, ab, ... */
  function* letters() {
    let prefixes = [""];
    for (;;) {
      const next = [];
      for (const prefix of prefixes) {
        for (const letter of "abcdefghijklmnopqrstuvwxyz") {
          next.push(prefix + letter);
          if (!KEYWORDS.has(prefix + letter)) yield prefix + letter;
        }
      }
      prefixes = next;
    }
  }

  /** Parameters keep their names; operations are a, b, c, ..., the output z; the branches of a are a1, a2, ... */
  const nameNodes = (nodes, params, output, branches) => {
    const taken = new Set(params);
    const spare = letters();
    for (const node of nodes) {
      if (node.kind !== "operation") continue;
      let wish = node.index === output ? "z" : null;
      while (wish === null || taken.has(wish) || (wish === "z" && node.index !== output)) wish = spare.next().value;
      node.name = wish;
      taken.add(wish);
    }
    for (const node of nodes) {
      const copies = branches(node.index);
      if (!node.name || copies.length < 2) continue;
      let joint = "";
      while (copies.some((_, k) => taken.has(`${node.name}${joint}${k + 1}`))) joint += "_";
      copies.forEach((to, k) => {
        nodes[to].name = `${node.name}${joint}${k + 1}`;
        taken.add(nodes[to].name);
      });
    }
  };

  /** What an operation computes, with the names of what it reads. */
  const rightHandSide = (op, read) => {
    const { symbol } = OPERATIONS[op];
    if (symbol && read.length === 2) return `${read[0]} ${symbol} ${read[1]}`;
    return symbol ? symbol + read[0] : `${op}(${read.join(", ")})`;
  };

  // --- the graph -------------------------------------------------------------------------------------------------------

  /**
   * Nodes, and edges sorted by tail: those out of node v are start[v] .. start[v + 1] - 1, in branch order, and every
   * edge leads to a higher number. `computes`: whether it evaluates itself at other points. `chooses[e]`: whether a
   * weight of zero leaves the tail out.
   */
  class Graph {
    constructor(params, nodes, edges, output, value) {
      Object.assign(this, { params, nodes, edges, output, constant: value, computes: true });
      this.start = new Array(nodes.length + 1).fill(0);
      for (const { tail } of edges) this.start[tail + 1]++;
      for (let v = 0; v < nodes.length; v++) this.start[v + 1] += this.start[v];
      this.chooses = edges.map(() => false);
      this.counted = null;
    }

    /** The edges out of a node. */
    out(v) {
      return this.edges.slice(this.start[v], this.start[v + 1]);
    }

    /** The node of a parameter. */
    source(name) {
      const found = this.params.indexOf(name);
      if (found >= 0) return found;
      throw new Problem(`There is no parameter '${name}'; the function has ${this.params.join(", ")}.`);
    }

    /** The number of paths from every node to the output. */
    get counts() {
      if (!this.counted) {
        this.counted = this.nodes.map((node) => (node.index === this.output ? 1n : 0n));
        for (let e = this.edges.length - 1; e >= 0; e--) {
          this.counted[this.edges[e].tail] += this.counted[this.edges[e].head];
        }
      }
      return this.counted;
    }

    /** The edges of the path of this number, without listing the others. */
    nthPath(source, index) {
      const counts = this.counts;
      let left = BigInt(index);
      if (left < 0n || left >= counts[source]) {
        const told = `"${this.nodes[source].name}" has ${spaced(counts[source])} paths, numbered from 0`;
        throw new Problem(`${told}; there is no path ${index}.`);
      }
      const path = [];
      for (let v = source; v !== this.output; ) {
        let e = this.start[v];
        while (left >= counts[this.edges[e].head]) left -= counts[this.edges[e++].head];
        path.push(e);
        v = this.edges[e].head;
      }
      return path;
    }

    /** The number of a path that is given by its edges. */
    indexOf(path) {
      let index = 0n;
      for (const e of path) {
        for (let before = this.start[this.edges[e].tail]; before < e; before++) {
          index += this.counts[this.edges[before].head];
        }
      }
      return index <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(index) : index;
    }

    /** The program, one assignment a line, with the nodes that it defines. */
    get programText() {
      const lines = [];
      for (const node of this.nodes) {
        if (node.kind !== "branch") lines.push({ text: `${node.name} <- ${node.text}`, nodes: [node.index] });
        if (node.kind !== "branch" || this.nodes[node.index - 1].of === node.of) continue;
        const siblings = this.out(node.of).map((edge) => edge.head);
        const names = siblings.map((i) => this.nodes[i].name).join(", ");
        lines.push({ text: `${names} <- ${node.text}`, nodes: siblings });
      }
      const output = this.nodes[this.output];
      const nodes = output ? [output.index] : [];
      return [...lines, { text: `Return ${output ? output.name : constantText(this.constant)}`, nodes }];
    }

    /** Everything at a point, {name: number}. */
    at(where) {
      const values = new Array(this.nodes.length);
      const weights = new Array(this.edges.length).fill(1);
      this.params.forEach((name, i) => {
        if (typeof where[name] !== "number") {
          throw new Problem(`The point has no ${name}: it is to be a number for each of ${this.params.join(", ")}.`);
        }
        values[i] = where[name];
      });
      const at = {};
      for (const name of this.params) at[name] = where[name];
      for (const node of this.nodes) {
        if (node.kind === "branch") values[node.index] = values[node.of];
        if (node.kind !== "operation") continue;
        const { value, partials } = OPERATIONS[node.op];
        const args = node.reads.map((ref) => (ref.node === undefined ? ref.constant : values[ref.node]));
        const out = (values[node.index] = value(...args));
        node.reads.forEach((ref, k) => {
          if (ref.edge !== undefined) weights[ref.edge] = partials[k](out, ...args);
        });
      }
      const value = this.nodes[this.output] ? values[this.output] : this.constant;
      return new TinySpad.Point(this, at, values, weights, value);
    }
  }

  // --- from a program --------------------------------------------------------------------------------------------------

  /** The steps that the output is computed from. */
  const neededSteps = ({ params, steps, output }) => {
    const needed = new Set();
    const pending = [output];
    while (pending.length) {
      const { node } = pending.pop();
      if (node === undefined || needed.has(node)) continue;
      needed.add(node);
      if (node >= params.length) pending.push(...steps[node - params.length].args);
    }
    return [...needed].filter((i) => i >= params.length).sort((a, b) => a - b);
  };

  /** The single-access program, numbered and named as tinyspad's trace() does. */
  const trace = (program) => {
    const { params, steps } = program;
    const needed = neededSteps(program);
    const argsOf = (i) => steps[i - params.length].args;
    const readers = new Map();
    for (const i of needed) {
      for (const { node } of argsOf(i)) if (node !== undefined) readers.set(node, (readers.get(node) || 0) + 1);
    }
    const nodes = [];
    const ends = [];
    const place = new Map(); // of every parameter and step its node
    const spare = new Map(); // and the branches that nobody has read yet
    const define = (kind, more) => {
      nodes.push({ index: nodes.length, name: null, kind, tupled: false, text: "", op: null, of: null, ...more });
      return nodes.length - 1;
    };
    const connect = (tail, head, copy, then = () => {}) => ends.push({ tail, head, copy, then });
    const tupleUp = (i) => {
      const n = readers.get(i) || 0;
      if (n < 2) return;
      const of = place.get(i);
      nodes[of].tupled = true;
      const copies = Array.from({ length: n }, () => define("branch", { of }));
      for (const copy of copies) connect(of, copy, true);
      spare.set(i, copies);
    };
    params.forEach((name, i) => place.set(i, define("parameter", { name, text: `Param_${i}` })));
    params.forEach((_, i) => tupleUp(i));
    for (const i of needed) {
      const { op, args } = steps[i - params.length];
      const index = define("operation", { op, reads: [] });
      place.set(i, index);
      args.forEach((ref, k) => {
        nodes[index].reads.push({ ...ref, constant: Number(ref.constant) }); // JSON has "Infinity" as a text
        if (ref.node === undefined) return;
        const tail = spare.has(ref.node) ? spare.get(ref.node).shift() : place.get(ref.node);
        nodes[index].reads[k] = { node: tail };
        connect(tail, index, false, (e) => {
          nodes[index].reads[k].edge = e;
        });
      });
      tupleUp(i);
    }
    const constant = program.output.node === undefined;
    const output = constant ? nodes.length : place.get(program.output.node);
    ends.sort((a, b) => a.tail - b.tail); // stable: branches stay in reading order
    const edges = ends.map(({ tail, head, copy }, index) => ({ index, tail, head, copy }));
    ends.forEach(({ then }, e) => then(e));
    const graph = new Graph(params, nodes, edges, output, Number(program.output.constant));
    nameNodes(nodes, params, output, (v) => graph.out(v).filter((edge) => edge.copy).map((edge) => edge.head));
    for (const node of nodes) {
      if (node.kind === "branch") node.text = nodes[node.of].name;
      if (node.kind !== "operation") continue;
      const read = (ref) => (ref.node === undefined ? constantText(ref.constant, ref.whole) : nodes[ref.node].name);
      node.text = rightHandSide(node.op, node.reads.map(read));
      for (const { edge } of node.reads) if (edge !== undefined) graph.chooses[edge] = !!OPERATIONS[node.op].chooses;
    }
    return graph;
  };

  Object.assign(TinySpad, { Graph, trace, rightHandSide });
})();
