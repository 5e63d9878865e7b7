// A graph whose numbers Python computed, at one point: matrix products, and rules of a user's own.
(() => {
  "use strict";

  const { Problem, Graph, Point } = TinySpad;
  const LARGEST = 12;

  /** A point of which some weights are linear maps, told as texts: products along paths are those that Python listed. */
  class Given extends Point {
    constructor(graph, data) {
      super(graph, data.where, data.values, data.weights, data.value);
      this.data = data;
    }

    get adjoints() {
      return this.data.adjoints;
    }

    adjointOf(i, semiring = "gradient") {
      return semiring === "largest" ? this.sweep(semiring) : super.adjointOf(i, semiring);
    }

    /** Of the paths that Python lists what they contribute, by their number. */
    listed(source) {
      return this.once(source, () => new Map(this.data.shown[this.graph.params[source]].paths));
    }

    /** NaN where not all are listed. */
    get masses() {
      return this.graph.params.map((_, i) =>
        this.listed(i).size < this.graph.counts[i]
          ? NaN
          : [...this.listed(i).values()].reduce((sum, size) => sum + Math.abs(size), 0),
      );
    }

    path(source, edges, index = this.graph.indexOf(edges)) {
      const nodes = [source, ...edges.map((e) => this.graph.edges[e].head)];
      const [product, mass] = [this.listed(source).get(index), this.masses[source]];
      if (product === undefined) throw new Problem(`Python sent the largest paths alone, so not path ${index}.`);
      return { index, edges, nodes, product, share: mass === 0 ? 0 : Math.abs(product) / mass };
    }

    best(name) {
      const [path] = this.top(name, 1).paths;
      if (path) return path;
      throw new Problem(`The paths of "${name}" lead through linear maps, and are too many to be compared.`);
    }

    /** Of arrays the rest is the norm of a sum, which Python has for the LARGEST; for another n it is not known. */
    top(name, n) {
      const source = this.chosen(name);
      const order = [...this.listed(source)].sort(([, p], [, q]) => Math.abs(q) - Math.abs(p));
      const paths = order.slice(0, n).map(([i]) => this.nthPath(name, i));
      const count = this.graph.counts[source] - BigInt(paths.length);
      const known = n === LARGEST || !order.length;
      return { paths, rest: { count, sum: count === 0n ? 0 : known ? this.data.shown[name].rest : null } };
    }

    through(i) {
      const all = this.graph.params.flatMap((_, source) =>
        [...this.listed(source)].map(([index, size]) => [this.graph.nthPath(source, index), Math.abs(size)]),
      );
      const touches = (e) => this.graph.edges[e].head === i || this.graph.edges[e].tail === i;
      const here = all.filter(([edges]) => edges.some(touches));
      const [total, own] = [all, here].map((paths) => paths.reduce((sum, [, size]) => sum + size, 0));
      const whole = this.masses.every((mass) => !Number.isNaN(mass));
      return { ...super.through(i), share: whole ? (total === 0 ? 0 : own / total) : null };
    }

    sweep(name = "gradient") {
      if (name === "largest") throw new Problem("Through linear maps no sweep finds the largest path.");
      if (name === "count") return super.sweep(name);
      const steps = super.sweep("count");
      return steps.map((step, i) => ({
        ...step,
        value: this.adjoints[step.node],
        told: this.data.told[i],
        heard: step.heard.map((one) => ({ ...one, value: null })),
      }));
    }
  }

  /** JSON has no number that is not finite; it comes as a text. */
  const numbered = (x) => {
    if (Array.isArray(x)) return x.map(numbered);
    if (x && typeof x === "object") return Object.fromEntries(Object.entries(x).map(([key, y]) => [key, numbered(y)]));
    return ["NaN", "Infinity", "-Infinity"].includes(x) ? Number(x) : x;
  };

  /**
   * A graph from Python's numbers: {params, output, nodes: [{name, kind, tupled, text, of}], edges: [[tail, head, copy]],
   * where, value, values (by node), weights (by edge), adjoints (by node), and, where some weights are texts (linear maps):
   * told (the sentences of lcg.reverse_steps()), shown: {name: {paths: [[index, product], ...], rest}}, of arrays their
   * norms}; chooses (by edge), where there is a choice. What is no number is a text. It knows this one point.
   */
  const fromPython = (given) => {
    const data = numbered(given);
    const nodes = data.nodes.map((node, index) => ({ op: null, of: null, ...node, index }));
    const edges = data.edges.map(([tail, head, copy], index) => ({ index, tail, head, copy }));
    const graph = new Graph(data.params, nodes, edges, data.output, data.value);
    if (data.chooses) graph.chooses = data.chooses;
    const numbers = data.weights.every((weight) => typeof weight === "number");
    const { where, values, weights, value } = data;
    const point = numbers ? new Point(graph, where, values, weights, value) : new Given(graph, data);
    return Object.assign(graph, { computes: false, at: () => point, where });
  };

  TinySpad.fromPython = fromPython;
})();
