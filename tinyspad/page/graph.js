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

  /** What is read, in words: a variable, a constant, or a number that is computed from what has no derivative. */
  const readText = (read, name) => {
    if (read.node !== undefined) return name(read.node);
    return read.part === undefined || read.constant !== undefined ? constantText(read.constant, read.whole) : read.part;
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
      this.listed = new Map();
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

    /** The edges of all paths, in order. */
    listing(source) {
      if (!this.listed.has(source)) {
        const all = Array.from({ length: Number(this.counts[source]) }, (_, i) => this.nthPath(source, i));
        this.listed.set(source, all);
      }
      return this.listed.get(source);
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
      const given = this.params.map((name) => {
        if (typeof where[name] === "number") return where[name];
        throw new Problem(`The point has no ${name}: it is to be a number for each of ${this.params.join(", ")}.`);
      });
      const found = [...given]; // of parameters, and then of steps
      const valueOf = (ref) => (ref.node === undefined ? ref.constant : found[ref.node]);
      const values = [...given];
      const weights = new Array(this.edges.length).fill(1);
      this.code.steps.forEach(({ op, args }, i) => {
        const { value, partials } = OPERATIONS[op];
        const operands = args.map(valueOf);
        const out = value(...operands);
        found.push(out);
        const node = this.defined[i];
        if (!node) return;
        values[node.index] = out;
        node.reads.forEach(({ edge }, k) => {
          if (edge !== undefined) weights[edge] = partials[k](out, ...operands);
        });
      });
      for (const node of this.nodes) if (node.kind === "branch") values[node.index] = values[node.of];
      const at = Object.fromEntries(this.params.map((name, i) => [name, given[i]]));
      const value = valueOf(this.code.output);
      return Object.assign(new TinySpad.Point(this, at, values, weights, value), { found });
    }
  }

  // --- from a program --------------------------------------------------------------------------------------------------

  /** Whether an operation's result varies with this argument: that of a condition does not. */
  const varies = ({ op }, k) => OPERATIONS[op].partials[k] !== null;

  /** Which parameters and steps have derivatives, and are on a way to the output; the others are numbers that are read. */
  const nodesOf = ({ params, steps, output }) => {
    const live = params.map(() => true);
    for (const step of steps) live.push(step.args.some((ref, k) => live[ref.node] && varies(step, k)));
    const on = new Set();
    const pending = [output];
    while (pending.length) {
      const { node } = pending.pop();
      if (node === undefined || !live[node] || on.has(node)) continue;
      on.add(node);
      const step = steps[node - params.length];
      if (step) pending.push(...step.args.filter((_, k) => varies(step, k)));
    }
    return on;
  };

  /** The same program, of one that may be in short: [op, ...args] for a step, i for {node: i}, "Infinity" for a number. */
  const inFull = (program) => {
    const ref = (given) => {
      if (typeof given === "number") return { node: given };
      return given.node === undefined ? { ...given, constant: Number(given.constant) } : given;
    };
    const steps = program.steps.map((step) => {
      const { op, args, part } = Array.isArray(step) ? { op: step[0], args: step.slice(1) } : step;
      return { op, args: args.map(ref), part };
    });
    return { ...program, steps, output: ref(program.output) };
  };

  /** The single-access program, numbered and named as tinyspad's trace() does. */
  const trace = (given) => {
    const program = inFull(given);
    const { params, steps, output } = program;
    const on = nodesOf(program);
    const isNode = (step, k) => on.has(step.args[k].node) && varies(step, k);
    const [nodes, ends] = [[], []];
    const place = new Map(); // of every parameter and step its node
    const spare = new Map(); // and the branches that nobody has read yet
    const readers = new Map();
    steps.forEach((step, i) => {
      if (!on.has(params.length + i)) return;
      step.args.forEach(({ node }, k) => {
        if (isNode(step, k)) readers.set(node, (readers.get(node) || 0) + 1);
      });
    });
    const define = (kind, more) => {
      const node = { index: nodes.length, name: null, kind, tupled: false, text: "", op: null, of: null, ...more };
      nodes.push(node);
      return node;
    };
    const connect = (tail, head, copy, then = () => {}) => ends.push({ tail, head, copy, then });
    const tupleUp = (i) => {
      const node = place.get(i);
      if (!(readers.get(i) > 1)) return;
      node.tupled = true;
      const copies = Array.from({ length: readers.get(i) }, () => define("branch", { of: node.index }));
      for (const copy of copies) connect(node.index, copy.index, true);
      spare.set(i, copies);
    };
    params.forEach((name, i) => place.set(i, define("parameter", { name, text: `Param_${i}` })));
    params.forEach((_, i) => tupleUp(i));
    steps.forEach((step, i) => {
      if (!on.has(params.length + i)) return;
      const node = define("operation", { op: step.op, part: step.part, reads: [] });
      place.set(params.length + i, node);
      step.args.forEach((ref, k) => {
        const read = {};
        node.reads.push(read);
        if (!isNode(step, k)) {
          Object.assign(read, ref.node === undefined ? ref : { part: steps[ref.node - params.length].part });
          return;
        }
        const tail = spare.has(ref.node) ? spare.get(ref.node).shift() : place.get(ref.node);
        read.node = tail.index;
        connect(tail.index, node.index, false, (e) => {
          read.edge = e;
        });
      });
      tupleUp(params.length + i);
    });
    ends.sort((a, b) => a.tail - b.tail); // stable: branches stay in reading order
    const edges = ends.map(({ tail, head, copy }, index) => ({ index, tail, head, copy }));
    ends.forEach(({ then }, e) => then(e));
    const end = on.has(output.node) ? place.get(output.node).index : nodes.length;
    const graph = new Graph(params, nodes, edges, end, output.constant);
    nameNodes(nodes, params, end, (v) => graph.out(v).filter((edge) => edge.copy).map((edge) => edge.head));
    for (const node of nodes) {
      if (node.kind === "branch") node.text = nodes[node.of].name;
      if (node.kind !== "operation") continue;
      node.text = rightHandSide(node.op, node.reads.map((read) => readText(read, (i) => nodes[i].name)));
      for (const { edge } of node.reads) if (edge !== undefined) graph.chooses[edge] = !!OPERATIONS[node.op].chooses;
    }
    return Object.assign(graph, { program, code: program, defined: steps.map((_, i) => place.get(params.length + i)) });
  };

  Object.assign(TinySpad, { Graph, trace, rightHandSide, readText });
})();
