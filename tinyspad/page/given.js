// A graph whose numbers Python computed, at one point: matrix products, and rules of a user's own.
(() => {
  "use strict";

  const { Problem, Graph, Point } = TinySpad;

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

    listed(source) {
      const name = this.graph.params[source];
      if (this.data.products[name]) return this.data.products[name];
      throw new Problem(`The paths of "${name}" lead through linear maps, and are too many to be listed.`);
    }

    get masses() {
      return this.graph.params.map((_, i) => this.listed(i).reduce((sum, size) => sum + Math.abs(size), 0));
    }

    path(source, edges, index = this.graph.indexOf(edges)) {
      const nodes = [source, ...edges.map((e) => this.graph.edges[e].head)];
      const [product, mass] = [this.listed(source)[index], this.masses[source]];
      return { index, edges, nodes, product, share: mass === 0 ? 0 : Math.abs(product) / mass };
    }

    best(name) {
      return this.top(name, 1).paths[0];
    }

    top(name, n) {
      const source = this.chosen(name);
      const products = this.listed(source);
      const order = products.map((_, i) => i).sort((i, j) => Math.abs(products[j]) - Math.abs(products[i]));
      const sum = order.slice(n).reduce((total, i) => total + products[i], 0);
      const paths = order.slice(0, n).map((i) => this.nthPath(name, i));
      return { paths, rest: { count: BigInt(products.length - paths.length), sum } };
    }

    through(i) {
      const all = this.graph.params.flatMap((name) => (this.count(name) ? this.paths(name, 1e5) : []));
      const [total, here] = [all, all.filter((path) => path.nodes.includes(i))].map((paths) =>
        paths.reduce((sum, path) => sum + Math.abs(path.product), 0),
      );
      return { ...super.through(i), share: total === 0 ? 0 : here / total };
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
   * told (the sentences of lcg.reverse_steps()), products: {name: [number, ...]} of the parameters whose paths are listed,
   * products or, of arrays, their norms}. What is no number is a text. It knows this one point.
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
