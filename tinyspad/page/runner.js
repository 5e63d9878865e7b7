// Gradient descent along all paths, or along one that an estimator draws: tinyspad's estimators and optimizers.
(() => {
  "use strict";

  const { Problem } = TinySpad;

  // --- random numbers --------------------------------------------------------------------------------------------------

  /** Random numbers of a seed (Chris Doty-Humphrey's sfc32): uniform() in [0, 1), below(n) for a BigInt of any size. */
  const randomness = (seed) => {
    let [a, b, c, counter] = [0, seed | 0, Math.floor(seed / 2 ** 32) | 0, 1];
    const bits = () => {
      const t = (a + b + counter++) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + t) | 0;
      return t >>> 0;
    };
    for (let i = 0; i < 15; i++) bits();
    const below = (n) => {
      const length = BigInt(n.toString(2).length);
      for (;;) {
        let drawn = 0n;
        for (let filled = 0n; filled < length; filled += 32n) drawn = (drawn << 32n) | BigInt(bits());
        drawn >>= (32n - (length % 32n)) % 32n;
        if (drawn < n) return drawn;
      }
    };
    return { uniform: () => ((bits() >>> 5) * 2 ** 26 + (bits() >>> 6)) / 2 ** 53, below };
  };

  // --- estimators --------------------------------------------------------------------------------------------------------

  /** One path, uniformly over all of them. */
  const uniform = (point, source, { drawn, random }) => {
    const index = drawn() ?? random.below(point.graph.counts[source]);
    return { edges: point.graph.nthPath(source, index) };
  };

  /** The largest path, or the largest of m that are drawn, different ones; on a tie the first in path order. */
  const selected = (point, source, { m, drawn, random }) => {
    const { graph } = point;
    const number = graph.counts[source];
    if (m === null || BigInt(m) >= number) return { edges: point.best(graph.params[source]).edges };
    const candidates = new Set();
    while (candidates.size < m) candidates.add(BigInt(drawn() ?? random.below(number)));
    let best = null;
    for (const index of [...candidates].sort((i, j) => (i < j ? -1 : 1))) {
      const edges = graph.nthPath(source, index);
      const size = Math.abs(point.product(edges));
      if (!best || size > best.size || (Number.isNaN(size) && !Number.isNaN(best.size))) best = { edges, size };
    }
    return best;
  };

  /** One path, in proportion to what it contributes; `share`: of every edge that it takes, its chance there. */
  const proportional = (point, source, { drawn, random }) => {
    const { graph } = point;
    const shares = point.branchShares;
    const given = drawn();
    let edges = given === undefined ? [] : graph.nthPath(source, given);
    for (let v = source; given === undefined && v !== graph.output; v = graph.edges[edges.at(-1)].head) {
      const out = graph.out(v).map((edge) => edge.index);
      let [left, taken] = [random.uniform() * out.reduce((sum, e) => sum + shares[e], 0), -1];
      for (const e of out) {
        if (shares[e] > 0 && (left >= 0 || taken < 0)) taken = e;
        left -= shares[e];
      }
      edges.push(taken);
    }
    return { edges, share: edges.map((e) => shares[e]) };
  };

  /** name -> how a path is chosen, and whether it is held for several steps. */
  const ESTIMATORS = {
    GD: { choose: null },
    RAD: { choose: uniform },
    SPAD: { choose: selected, holds: true },
    "RAD, held": { choose: uniform, holds: true },
    Magnitude: { choose: proportional },
  };

  // --- optimizers --------------------------------------------------------------------------------------------------------

  /** init() makes a state, update(gradient, state) gives the step and the next state. */
  const OPTIMIZERS = {
    SGD: (lr) => ({ init: () => null, update: (gradient) => [-lr * gradient, null] }),
    Adam: (lr) => ({
      byPath: true,
      init: () => [0, 0, 0],
      update: (gradient, [mean, square, steps]) => {
        const t = steps + 1;
        const m = 0.9 * mean + (1 - 0.9) * gradient;
        const v = 0.999 * square + (1 - 0.999) * (gradient * gradient);
        const size = Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8;
        return [(m * (-lr / (1 - 0.9 ** t))) / size, [m, v, t]];
      },
    }),
  };

  // --- the loop ----------------------------------------------------------------------------------------------------------

  const known = (table, name, what) => {
    if (Object.hasOwn(table, name)) return table[name];
    throw new Problem(`There is no ${what} ${name}; there are ${Object.keys(table).join(", ")}.`);
  };

  /**
   * A run: `where`, `value`, `steps`, `history` of positions, and `followed`, the path of each parameter that the last
   * step went along (null: all). It ends where something is not finite.
   */
  class Runner {
    constructor(graph, estimator, options = {}) {
      const given = { lr: 0.01, optimizer: "Adam", hold: 100, m: null, seed: 0, moments: "parameter", draws: null };
      this.options = { ...given, ...options };
      const { start, lr, optimizer, hold, m, seed, moments, draws } = this.options;
      if (!graph.computes) throw new Problem("This program's numbers are Python's, so nothing can be run here.");
      this.fixed = estimator !== null && typeof estimator === "object" ? estimator.path : null;
      this.estimator = this.fixed === null ? known(ESTIMATORS, estimator, "estimator") : { choose: null };
      this.optimizer = known(OPTIMIZERS, optimizer, "optimizer")(lr);
      this.hold = this.estimator.holds ? hold : 1;
      this.byPath = this.optimizer.byPath && moments === "path" && (this.fixed !== null || !!this.estimator.choose);
      const left = draws && draws.flat();
      this.source = { m, random: randomness(seed), drawn: () => (left && left.length ? left.shift() : undefined) };
      Object.assign(this, { graph, point: graph.at(start), steps: 0, ended: null });
      this.held = graph.params.map(() => null);
      this.states = graph.params.map(() => new Map());
      this.history = [{ where: this.point.where, value: this.point.value }];
      this.endUnless(Number.isFinite(this.point.value));
    }

    get where() {
      return this.point.where;
    }

    get value() {
      return this.point.value;
    }

    /** What every parameter followed in the last step, with its product here. */
    get followed() {
      const path = (held, i) => (held ? this.point.path(i, held.edges) : null);
      return Object.fromEntries(this.graph.params.map((name, i) => [name, path(this.held[i], i)]));
    }

    endUnless(finite) {
      if (!finite) this.ended = "non-finite";
    }

    /** The path that a parameter follows now; null: all, or there is none. */
    chosen(source) {
      const { graph, point, fixed } = this;
      if (fixed !== null) {
        return BigInt(fixed) < graph.counts[source] ? { edges: graph.nthPath(source, fixed) } : null;
      }
      if (!this.estimator.choose || !graph.counts[source]) return null;
      const held = this.held[source];
      if (held && held.left > 0) return { ...held, left: held.left - 1 };
      return { ...this.estimator.choose(point, source, this.source), left: this.hold - 1 };
    }

    /** What a parameter's path contributes here, over its chance; along all paths the gradient. */
    slope(source, path) {
      if (!path) return this.fixed === null ? this.point.adjoints[source] : 0;
      const product = this.point.product(path.edges);
      if (!path.share || product === 0) return product;
      return path.edges.reduceRight((found, e, k) => found * (this.point.weights[e] / path.share[k]), 1);
    }

    /** One step on. */
    step() {
      if (this.ended) return this;
      const { graph, optimizer } = this;
      const where = {};
      graph.params.forEach((name, i) => {
        const path = (this.held[i] = this.chosen(i));
        const key = this.byPath && path ? String(graph.indexOf(path.edges)) : "all";
        const state = this.states[i].get(key) || optimizer.init();
        const [step, next] = optimizer.update(this.slope(i, path), state);
        this.states[i].set(key, next);
        where[name] = this.point.where[name] + step;
      });
      this.endUnless(Object.values(where).every(Number.isFinite));
      if (this.ended) return this;
      this.steps++;
      this.point = graph.at(where);
      this.history.push({ where, value: this.point.value });
      this.endUnless(Number.isFinite(this.point.value));
      return this;
    }
  }

  const run = (graph, estimator, options) => new Runner(graph, estimator, options);

  Object.assign(TinySpad, { run, ESTIMATORS, randomness });
})();

if (typeof module !== "undefined") module.exports = TinySpad;
