// A graph at a point: values, weights, the gradient, and what every path contributes to it.
(() => {
  "use strict";

  const { Problem, OPERATIONS } = TinySpad;
  const { general, spaced, weightText } = TinySpad.text;

  const bracketed = (x) => (weightText(x).startsWith("-") ? `(${weightText(x)})` : weightText(x));
  const number = (x) => general(x, 6);
  const wild = (x) => typeof x === "number" && !Number.isFinite(x);
  const larger = (a, b) => (a >= b || Number.isNaN(a) ? a : b); // NaN counts as the largest
  const inRange = (size) => size > 1e-290 && size < 1e290; // where floats have all their digits

  /** What to make of the weights along a path (extend), and of paths beside each other (combine). */
  const SEMIRINGS = {
    gradient: { edge: (w) => w, extend: (value, w) => value * w, combine: (a, b) => a + b, one: 1, zero: 0 },
    count: { edge: () => 1n, extend: (value) => value, combine: (a, b) => a + b, one: 1n, zero: 0n },
    largest: { edge: Math.abs, extend: (value, w) => value * w, combine: larger, one: 1, zero: 0 },
  };
  const MASS = { ...SEMIRINGS.gradient, edge: Math.abs };
  const LOGARITHMS = {
    // the largest sizes, where floats cannot hold them
    edge: (w) => Math.log(Math.abs(w)),
    extend: (value, w) => value + w,
    combine: larger,
    one: 0,
    zero: -Infinity,
  };
  const LOG_MASS = {
    ...LOGARITHMS,
    combine: (a, b) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      return low === -Infinity || (low === high && high === Infinity) ? high : high + Math.log1p(Math.exp(low - high));
    },
  };

  class Point {
    constructor(graph, where, values, weights, value) {
      Object.assign(this, { graph, where, values, weights, value });
      this.known = new Map();
    }

    /** What is worked out once. */
    once(key, make) {
      if (!this.known.has(key)) this.known.set(key, make());
      return this.known.get(key);
    }

    // --- sweeps --------------------------------------------------------------------------------------------------------

    /**
     * Of every edge whether something flows there. All do, unless a part of the gradient is not finite and the program
     * chooses: then a weight of zero on a choice leaves out what lies behind it, whatever else is on the way.
     */
    get taken() {
      return this.once("taken", () => {
        const { graph, weights } = this;
        const all = weights.map(() => true);
        if (!graph.chooses.includes(true)) return all;
        const adjoints = this.swept(SEMIRINGS.gradient, all);
        if (adjoints.slice(0, graph.params.length).every(Number.isFinite)) return all;
        const reached = graph.nodes.map((node) => node.index === graph.output);
        for (let e = weights.length - 1; e >= 0; e--) {
          all[e] = reached[graph.edges[e].head] && !(graph.chooses[e] && weights[e] === 0);
          if (all[e]) reached[graph.edges[e].tail] = true;
        }
        return all;
      });
    }

    get guarded() {
      return this.once("guarded", () => this.taken.includes(false));
    }

    /** The value of every node: what a semiring makes of all its paths to the output. */
    swept(semiring, taken = this.taken) {
      const { graph, weights } = this;
      const values = graph.nodes.map((node) => (node.index === graph.output ? semiring.one : semiring.zero));
      for (let v = graph.output - 1; v >= 0; v--) {
        for (let e = graph.start[v]; e < graph.start[v + 1]; e++) {
          const value = this.extended(semiring, values[graph.edges[e].head], e, taken);
          values[v] = e === graph.start[v] ? value : semiring.combine(values[v], value);
        }
      }
      return values;
    }

    extended(semiring, value, e, taken = this.taken) {
      if (!taken[e] && semiring !== SEMIRINGS.count) return semiring.zero;
      return semiring.extend(value, semiring.edge(this.weights[e]));
    }

    /** The adjoints: the derivative of the output by every node. */
    get adjoints() {
      return this.once("gradient", () => this.swept(SEMIRINGS.gradient));
    }

    /** What a semiring ("gradient", "count", "largest") makes of all paths of a node. */
    adjointOf(i, semiring = "gradient") {
      if (semiring === "gradient") return this.adjoints[i];
      if (semiring === "count") return this.graph.counts[i];
      return this.once(semiring, () => this.swept(SEMIRINGS[semiring]))[i];
    }

    /** The gradient by name. */
    gradient() {
      return Object.fromEntries(this.graph.params.map((name, i) => [name, this.adjoints[i]]));
    }

    /** The sum of the sizes of all paths, by node. */
    get masses() {
      return this.once("mass", () => this.swept(MASS));
    }

    // --- paths ---------------------------------------------------------------------------------------------------------

    /** How many paths a parameter has. */
    count(name) {
      return this.graph.counts[this.graph.source(name)];
    }

    /** The product along some edges, from the output back. */
    product(edges) {
      const { graph, weights } = this;
      if (this.guarded && edges.some((e) => graph.chooses[e] && weights[e] === 0)) return 0;
      return edges.reduceRight((product, e) => product * weights[e], 1);
    }

    /** A path by its edges; `share`: its part of the sum of all sizes. */
    path(source, edges, index = this.graph.indexOf(edges)) {
      const product = this.product(edges);
      const mass = this.masses[source];
      const nodes = [source, ...edges.map((e) => this.graph.edges[e].head)];
      return { index, edges, nodes, product, share: mass === 0 ? 0 : Math.abs(product) / mass };
    }

    /** The path of this number. */
    nthPath(name, index) {
      const source = this.graph.source(name);
      return this.path(source, this.graph.nthPath(source, index), index);
    }

    /** All paths, in order. Throws Problem when there are more than `limit`. */
    paths(name, limit = 200) {
      const number = this.count(name);
      if (number > BigInt(limit)) {
        const told = `"${name}" has ${spaced(number)} path${number === 1n ? "" : "s"}`;
        throw new Problem(`${told}; listing stops at ${spaced(limit)}. The largest are top("${name}", n).`);
      }
      const source = this.graph.source(name);
      return this.graph.listing(source).map((edges, i) => this.path(source, edges, i));
    }

    /** The source of a parameter that has paths. */
    chosen(name) {
      if (this.count(name)) return this.graph.source(name);
      throw new Problem(`The output does not depend on "${name}": there is no path to choose.`);
    }

    /** The largest |product| behind every node, or its logarithm where floats cannot hold them; and the semiring. */
    get largest() {
      return this.once("sizes", () => {
        const sizes = this.swept(SEMIRINGS.largest);
        if (sizes.every(inRange)) return [SEMIRINGS.largest, sizes];
        const logs = this.swept(LOGARITHMS);
        const faithful = sizes.every((size, i) => !Number.isFinite(logs[i]) || inRange(size));
        return faithful ? [SEMIRINGS.largest, sizes] : [LOGARITHMS, logs];
      });
    }

    /** Of every edge its share of the sizes of all paths behind its tail; equal ones where all are zero. */
    get branchShares() {
      return this.once("shares", () => {
        const { graph } = this;
        const logs = this.swept(LOG_MASS);
        const shares = graph.edges.map(() => 1);
        for (const { index: v } of graph.nodes) {
          const edges = graph.out(v).map((edge) => edge.index);
          const sizes = edges.map((e) => this.extended(LOG_MASS, logs[graph.edges[e].head], e));
          const highest = Math.max(...sizes);
          const wild = !sizes.every((size) => size < Infinity); // then those that are not finite share all
          const parts = sizes.map((size) => (wild ? Number(!(size < Infinity)) : Math.exp(size - highest)));
          const total = highest === -Infinity ? 0 : parts.reduce((sum, part) => sum + part, 0);
          edges.forEach((e, k) => {
            shares[e] = total ? parts[k] / total : 1 / edges.length;
          });
        }
        return shares;
      });
    }

    /** The path of the largest |product|, the first one on a tie; NaN counts as the largest. */
    best(name) {
      const { graph } = this;
      const source = this.chosen(name);
      const [semiring, sizes] = this.largest;
      const edges = [];
      for (let v = source; v !== graph.output; v = graph.edges[edges.at(-1)].head) {
        let best = graph.start[v];
        let size = null;
        for (let e = best; sizes[source] !== semiring.zero && e < graph.start[v + 1]; e++) {
          const other = this.extended(semiring, sizes[graph.edges[e].head], e);
          if (size === null || other > size || (Number.isNaN(other) && !Number.isNaN(size))) [best, size] = [e, other];
        }
        edges.push(best);
      }
      return this.path(source, edges);
    }

    /**
     * The n paths of the largest |product|, largest first, in path order among equals, those of zero last; and of the rest
     * how many there are and their exact sum: by one sweep, at any count.
     */
    top(name, n) {
      const { graph } = this;
      const source = this.chosen(name);
      const [sized] = this.largest;
      const bySize = (a, b) => (Number.isNaN(a.size) ? 1 : 0) - (Number.isNaN(b.size) ? 1 : 0) || a.size - b.size || 0;
      // a value: the n largest, {size, product, edge, then}, largest first; and the sum of all other products
      const best = {
        one: { paths: [{ size: sized.one, product: 1, edge: null, then: null }], rest: 0 },
        zero: { paths: [], rest: 0 },
        extend: (value, e) => ({
          rest: this.extended(SEMIRINGS.gradient, value.rest, e),
          paths: value.paths
            .map((then) => ({
              size: this.extended(sized, then.size, e),
              product: this.extended(SEMIRINGS.gradient, then.product, e),
              edge: e,
              then,
            }))
            .filter((path) => !(path.size <= sized.zero)),
        }),
        combine: (a, b) => {
          const all = [...a.paths, ...b.paths].sort((p, q) => bySize(q, p)); // stable: in path order among equals
          const rest = all.slice(n).reduce((sum, path) => sum + path.product, a.rest + b.rest);
          return { paths: all.slice(0, n), rest };
        },
      };
      const values = new Array(graph.nodes.length).fill(best.zero);
      values[graph.output] = best.one;
      for (let v = graph.output - 1; v >= source; v--) {
        const found = graph.out(v).map(({ index, head }) => best.extend(values[head], index));
        if (found.length) values[v] = found.reduce(best.combine);
      }
      const { paths, rest } = values[source];
      const found = paths.map((link) => {
        const edges = [];
        for (; link.edge !== null; link = link.then) edges.push(link.edge);
        return this.path(source, edges);
      });
      const count = graph.counts[source];
      const seen = new Set(found.map((path) => String(path.index)));
      for (let i = 0; found.length < n && BigInt(i) < count; i++) {
        if (!seen.has(String(i))) found.push(this.nthPath(name, i));
      }
      return { paths: found, rest: { count: count - BigInt(found.length), sum: rest } };
    }

    /** What all paths of a parameter but these contribute, without a difference. */
    others(name, paths) {
      const beside = (v, own, k) =>
        this.graph.out(v).reduce((sum, { index, head }) => {
          const on = own.filter(({ edges }) => edges[k] === index);
          const behind = on.length ? beside(head, on, k + 1) : this.adjoints[head];
          return sum + this.extended(SEMIRINGS.gradient, behind, index);
        }, 0);
      return beside(this.graph.source(name), paths, 0);
    }

    /** The paths of all parameters that lead through a node: how many, and their part of the sum of all sizes. */
    through(i) {
      const { graph } = this;
      const upTo = graph.nodes.map((_, v) => (v < graph.params.length ? 1n : 0n));
      const mass = upTo.map(Number);
      for (const { index, tail, head } of graph.edges) {
        upTo[head] += upTo[tail];
        if (this.taken[index]) mass[head] += mass[tail] * Math.abs(this.weights[index]);
      }
      const total = graph.params.reduce((sum, _, v) => sum + this.masses[v], 0);
      const here = mass[i] === 0 || this.masses[i] === 0 ? 0 : mass[i] * this.masses[i];
      return { count: upTo[i] * graph.counts[i], share: total === 0 ? 0 : here / total };
    }

    // --- the sweep, step by step -----------------------------------------------------------------------------------------

    /**
     * The reverse sweep, one node at a time: who is done, from whom it heard, to whom it sends, who waits with what.
     * A step is {node, value, heard: [{edge, from, weight, value}], sends, waits: [[node, arrived, readers]], told}.
     */
    sweep(name = "gradient") {
      const { graph } = this;
      const semiring = SEMIRINGS[name];
      const arriving = graph.nodes.map(() => []);
      for (const edge of graph.edges) arriving[edge.head].push(edge);
      const values = [];
      const waiting = new Map();
      const steps = [];
      for (let v = Math.min(graph.output, graph.nodes.length - 1); v >= 0; v--) {
        if (v !== graph.output && !waiting.has(v)) continue;
        const heard = graph.out(v).map(({ index, head }) => {
          const value = this.extended(semiring, values[head], index);
          return { edge: index, from: head, weight: this.weights[index], value };
        });
        // as the sweep adds them up: the readers answer from the last to the first
        const shares = heard.map(({ value }) => value).reverse();
        values[v] = v === graph.output ? semiring.one : shares.reduce(semiring.combine);
        waiting.delete(v);
        for (const { tail } of arriving[v]) {
          waiting.set(tail, [tail, (waiting.get(tail) || [0, 0])[1] + 1, graph.out(tail).length]);
        }
        const sends = [...new Set(arriving[v].map(({ tail }) => tail))];
        const waits = [...waiting.values()];
        steps.push({ node: v, value: values[v], heard, sends, waits, told: this.told(name, v, values, heard) });
      }
      return steps;
    }

    told(name, v, values, heard) {
      const { graph } = this;
      const named = (i) => graph.nodes[i].name;
      const number = (x) => (name === "count" ? spaced(x) : bracketed(x));
      const result = name === "count" ? spaced(values[v]) : weightText(values[v]);
      const paths = `path${values[v] === 1n ? "" : "s"}`;
      if (v === graph.output) {
        const at = { gradient: "its adjoint is 1", count: "one path ends here", largest: "the empty product is 1" };
        return `${named(v)} is the output: ${at[name]}`;
      }
      if (heard.length > 1) {
        const some = heard.length > 8 ? [...heard.slice(0, 4), null, ...heard.slice(-3)] : heard;
        const list = (text) => some.map((one) => (one ? text(one) : "..."));
        const branches = list(({ from }) => named(from)).join(", ");
        const shares = list(({ from }) => number(values[from]));
        const sum = { gradient: shares.join(" + "), count: shares.join(" + "), largest: `max(${shares.join(", ")})` };
        const told = `${named(v)} has heard from all its branches (${branches}): ${sum[name]} = ${result}`;
        return name === "count" ? `${told} ${paths}` : told;
      }
      const [{ edge, from, weight }] = heard;
      if (name === "count") {
        const lead = paths === "path" ? "leads" : "lead";
        return `${named(v)}: on to ${named(from)}, from where ${result} ${paths} ${lead} on`;
      }
      const derivative = `d${named(from)}/d${named(v)}`;
      const factor = this.taken[edge] ? bracketed(name === "largest" ? Math.abs(weight) : weight) : "(not taken)";
      const product = `${factor} * ${number(values[from])} = ${result}`;
      if (name === "largest") return `${named(v)}: |${derivative}| * largest of ${named(from)} = ${product}`;
      return `${named(v)}: ${derivative} * adjoint of ${named(from)} = ${product}`;
    }

    // --- what is not finite ----------------------------------------------------------------------------------------------

    /** Where it is infinite or NaN, {node, text}: the first part that makes the value so, or a derivative; null: nowhere. */
    get nonfinite() {
      const { graph } = this;
      const shown = Object.entries(this.where).map(([name, x]) => `${name} = ${number(x)}`);
      const told = (node, text) => ({ node, text: `${text} at ${shown.join(", ")}` });
      const part = this.found && !Number.isFinite(this.value) ? this.culprit() : null;
      if (part) return told(part.node, `${part.text} is ${number(part.value)}`);
      for (const node of graph.nodes) {
        if (node.kind === "branch") continue;
        const [value, text] = [this.values[node.index], node.kind === "parameter" ? node.name : node.part || node.text];
        if (wild(value)) return told(node.index, `${text} is ${number(value)}`);
        for (const { edge, node: tail } of node.reads || []) {
          if (edge === undefined || !wild(this.weights[edge])) continue;
          const by = graph.nodes[graph.nodes[tail].of ?? tail].name;
          return told(node.index, `the derivative of ${text} by ${by} is ${number(this.weights[edge])}`);
        }
      }
      const last = this.adjoints.findLastIndex(wild);
      if (last < 0) return null;
      const adjoint = `the adjoint of ${graph.nodes[last].name} is ${number(this.adjoints[last])}`;
      return told(last, `${adjoint}, a product of finite factors,`);
    }

    /** The first part that is not finite on the way to the value; what a choice leaves out is not to blame. */
    culprit() {
      const { graph, found } = this;
      const { params, steps, output } = graph.code;
      const blame = params.map((name, i) => (wild(found[i]) ? { text: name, value: found[i], node: i } : null));
      const blamed = (ref) => {
        if (ref.node !== undefined) return blame[ref.node];
        return wild(ref.constant) ? { text: ref.part ?? number(ref.constant), value: ref.constant, node: null } : null;
      };
      steps.forEach(({ op, args, part }, i) => {
        const [value, node] = [found[params.length + i], graph.defined[i]];
        const condition = args[0].node === undefined ? args[0].constant : found[args[0].node];
        const read = op === "where" ? [args[condition ? 1 : 2]] : args;
        const own = { text: part ?? (node ? node.text : op), value, node: node ? node.index : null };
        blame.push(wild(value) ? (read.map(blamed).find(Boolean) ?? own) : null);
      });
      return blamed(output);
    }
  }

  Object.assign(TinySpad, { Point });
})();
