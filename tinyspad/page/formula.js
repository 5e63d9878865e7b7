// A formula typed as text becomes a program, through a whitelist, as in tinyspad/expression.py, whose texts these are.
(() => {
  "use strict";

  const { Problem, OPERATIONS } = TinySpad;
  const { quoted } = TinySpad.text;
  const { read, Unreadable } = TinySpad.language;

  const LONGEST = 2000;
  const CONSTANTS = { pi: Math.PI, e: Math.E };
  const OPERATORS = { "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power", "%": "remainder" };
  const SIGNS = { "-": "negative", "+": "positive" };

  /** What one may call: name -> {takes, make(apply, ...args)}; apply(operation, ...args) enters an operation. */
  const FUNCTIONS = {};
  const call = (name, takes, make) => {
    FUNCTIONS[name] = { takes, make };
  };
  const operation = (name, own = name) => {
    call(name, OPERATIONS[own].partials.length, (apply, ...args) => apply(own, ...args));
  };
  const ONE = "exp log sqrt cbrt square log2 log10 exp2 expm1 log1p sin cos tan arcsin arccos arctan sinh cosh tanh";
  for (const name of ONE.split(" ")) operation(name);
  for (const name of "arcsinh arccosh arctanh arctan2 hypot logaddexp".split(" ")) operation(name);
  for (const name of "maximum minimum sign reciprocal power sinc".split(" ")) operation(name);
  operation("abs", "absolute");
  const OTHERWISE = { max: "maximum", min: "minimum", ln: "log", asin: "arcsin", acos: "arccos", atan: "arctan" };
  for (const [name, own] of Object.entries({ ...OTHERWISE, atan2: "arctan2" })) operation(name, own);
  call("relu", 1, (apply, x) => apply("maximum", x, constant(0, true)));
  call("sigmoid", 1, (apply, x) => {
    const softplus = apply("logaddexp", constant(0, true), apply("negative", x));
    return apply("exp", apply("negative", softplus));
  });
  operation("where");
  const COMPARISONS = { "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal" };
  Object.assign(COMPARISONS, { "==": "equal", "!=": "not_equal" });

  const stripped = (text) => text.replace(/^[^\S\ufeff]+|[^\S\ufeff]+$/g, "");
  const isName = (node) => node.kind === "name";

  // --- the tree in postfix order -------------------------------------------------------------------------------------

  const refusal = (node, text) => {
    const part = quoted(text.slice(node.from, node.to) || text, 60);
    const attribute = node.kind === "call" && node.callee.attribute;
    if (attribute && Object.hasOwn(FUNCTIONS, attribute)) return `${part}: write ${attribute}(...), without a module.`;
    if (node.kind === "binary" && node.op === "^") return `${part}: a power is written **, not ^.`;
    const others = ["compare", "choice"].includes(node.kind)
      ? "a comparison stands in where, where(x < 1, a, b)."
      : "numbers, variables, + - * / ** %, and functions like cos(x) are.";
    return `${part} is not part of an expression: ${others}`;
  };

  /** How many letters two texts share in blocks, the longest first, as Python's difflib counts them. */
  const shared = (a, b) => {
    let [length, i, j] = [0, 0, 0];
    for (let p = 0; p < a.length; p++) {
      for (let q = 0; q < b.length; q++) {
        let k = 0;
        while (p + k < a.length && q + k < b.length && a[p + k] === b[q + k]) k++;
        if (k > length) [length, i, j] = [k, p, q];
      }
    }
    if (!length) return 0;
    return length + shared(a.slice(0, i), b.slice(0, j)) + shared(a.slice(i + length), b.slice(j + length));
  };

  /** The name that is most like this one, if there is one: at least 0.6 of the letters of both are shared. */
  const closest = (name) => {
    const word = name.toLowerCase();
    const scored = Object.keys(FUNCTIONS).map((own) => [(2 * shared(own, word)) / (own.length + word.length), own]);
    scored.sort(([p, a], [q, b]) => q - p || (a < b ? 1 : -1));
    return word.length < 200 && scored[0][0] >= 0.6 ? scored[0][1] : null;
  };

  const called = (node, text) => {
    const name = node.callee.name;
    if (!Object.hasOwn(FUNCTIONS, name)) {
      const like = closest(name);
      const hint = like ? `; did you mean ${like}? There` : "; there";
      const known = Object.keys(FUNCTIONS).sort().join(", ");
      throw new Problem(`There is no function ${quoted(name, 40)}${hint} are ${known}.`);
    }
    const { takes, make } = FUNCTIONS[name];
    const { given } = node;
    if (given.length !== takes || node.keywords) {
      const told = { where: ": where(x < 1, a, b) is a if x < 1, and b if not" }[name] ?? "";
      const more = given.length > 2 && ["max", "min"].includes(name) ? ` Write ${name}(a, ${name}(b, c)).` : "";
      throw new Problem(`${name} takes ${takes} argument${takes > 1 ? "s" : ""}${told}.${more}`);
    }
    if (name === "where") return [{ takes, make, node }, given[2], given[1], ...compared(given[0], text)];
    return [{ takes, make, node }, ...[...given].reverse()];
  };

  const short = (part) => (part.length <= 60 ? part : `${part.slice(0, 30)} ... ${part.slice(-25)}`);
  const partOf = (node, text) => short(text.slice(node.from, node.to).split(/\s+/).join(" "));
  /** The condition of where. */
  const compared = (node, text) => {
    if (node.kind !== "compare" || node.ops.length > 1 || !Object.hasOwn(COMPARISONS, node.ops[0])) {
      const part = quoted(text.slice(node.from, node.to), 60);
      throw new Problem(`${part}: the condition of where is one comparison, such as x < 1 (or <=, >, >=, ==, !=).`);
    }
    const [left, right] = node.operands;
    return [entering(COMPARISONS[node.ops[0]], 2, node), right, left];
  };

  const constant = (value, whole = false) => ({ constant: value, whole });
  const entering = (name, takes, node) => ({ takes, make: (apply, ...args) => apply(name, ...args), node });

  /** Instructions: a reference to push; or how many to take from the stack, what to make of them, and for which node. */
  const postfix = (tree, text, params) => {
    const done = [];
    const pending = [tree];
    while (pending.length) {
      const node = pending.pop();
      if (node.make) done.push(node);
      else if (node.kind === "number") {
        done.push({ ...constant(node.value, node.whole), part: partOf(node, text) });
      }
      else if (isName(node) && Object.hasOwn(CONSTANTS, node.name)) done.push(constant(CONSTANTS[node.name]));
      else if (isName(node)) {
        if (Object.hasOwn(FUNCTIONS, node.name)) {
          throw new Problem(`${node.name} is a function; write ${node.name}(...).`);
        }
        if (!params.includes(node.name)) params.push(node.name);
        done.push({ node: params.indexOf(node.name) });
      } else if (node.kind === "binary" && Object.hasOwn(OPERATORS, node.op)) {
        pending.push(entering(OPERATORS[node.op], 2, node), node.right, node.left);
      } else if (node.kind === "unary") pending.push(entering(SIGNS[node.op], 1, node), node.operand);
      else if (node.kind === "call" && isName(node.callee)) pending.push(...called(node, text));
      else throw new Problem(refusal(node, text));
    }
    return done;
  };

  // --- the program ---------------------------------------------------------------------------------------------------

  const treeOf = (text) => {
    try {
      return read(stripped(text));
    } catch (problem) {
      if (!(problem instanceof Unreadable)) throw problem;
      const product = /\p{Nd}\s*[a-zA-Z_(]|\)\s*[\p{L}\p{N}_(]/u.test(text);
      const hint = product ? " A product needs its sign: 2*x." : "";
      throw new Problem(`${quoted(text, 80)} is not an expression: ${problem.message}.${hint}`);
    }
  };

  /**
   * The program that an expression stands for: {text, params, steps: [{op, args: [ref]}], output: ref}; a ref is
   * {node: i}, of the parameters and then the steps, or {constant, whole}. What reads constants alone is computed here.
   * A step's part is what is written of it in the text, and so is that of a constant.
   */
  const parse = (text) => {
    const length = [...text].length;
    if (length > LONGEST) {
      throw new Problem(`The expression has ${length} characters; at most ${LONGEST} are taken.`);
    }
    const [params, steps, stack] = [[], [], []];
    const written = stripped(text);
    const instructions = postfix(treeOf(text), written, params);
    if (!params.length) throw new Problem(`${quoted(text, 80)} has no variable, so there is no path to follow.`);
    for (const done of instructions) {
      const part = done.make && partOf(done.node, written);
      const apply = (op, ...args) => {
        if (args.every((ref) => ref.node === undefined)) {
          const culprit = args.find((ref) => !Number.isFinite(ref.constant));
          const value = OPERATIONS[op].value(...args.map((ref) => ref.constant));
          return { ...constant(value), part: culprit ? culprit.part : part };
        }
        steps.push({ op, args, part });
        return { node: params.length + steps.length - 1 };
      };
      stack.push(done.make ? done.make(apply, ...stack.splice(stack.length - done.takes)) : done);
    }
    return { text, params, steps, output: stack[0] };
  };

  // --- the paper's functions -------------------------------------------------------------------------------------------

  const square = (side) => [[-side, side], [-side, side]];
  const ripples = "exp(0.5 * (cos(2*pi*x) + cos(2*pi*y)))";
  const bowl = "-20 * exp(-0.2 * sqrt(0.5 * (x**2 + y**2)))";
  const preset = (title, formula, point, box) => ({ title, formula, point, box });

  /** The functions of the paper, and others that teachers reach for, written as in tinyspad/functions/zoo.py. */
  const PRESETS = {
    f1: preset("The paper's Example 1", "x**2 * (2 + cos(4*x))", { x: 5 }, { x: [-6, 6] }),
    f2: preset("The paper's Example 2", "exp(x) * (x + y)", { x: 1, y: 1 }, { x: [-1, 2], y: [0, 2] }),
  };
  const plane = (name, title, formula, point, [x, y]) => {
    PRESETS[name] = preset(title, formula, { x: point[0], y: point[1] }, { x, y });
  };
  plane("ackley", "Ackley", `${bowl} - ${ripples} + e + 20`, [2.5, 1.5], square(5));
  plane("ackley_product", "Ackley, as the paper prints it", `${bowl} * ${ripples} + e + 20`, [2.5, 1.5], square(5));
  plane("beale", "Beale", "(1.5 - x + x*y)**2 + (2.25 - x + x*y**2)**2 + (2.625 - x + x*y**3)**2", [1, 2], square(4.5));
  const dents = "(x - 1)**2 * (1 + sin(3*pi*y)**2) + (y - 1)**2 * (1 + sin(2*pi*y)**2)";
  plane("levi", "Levi N. 13", `sin(3*pi*x)**2 + ${dents}`, [4, -3], square(10));
  const rings = "0.5 + (sin(x**2 - y**2)**2 - 0.5) / (1 + 0.001*(x**2 + y**2))**2";
  plane("schaffer2", "Schaffer N. 2", rings, [6, 3], square(100));
  plane("rosenbrock", "Rosenbrock", "100*(y - x**2)**2 + (1 - x)**2", [-1, 1.5], square(2.048));
  plane("himmelblau", "Himmelblau", "(x**2 + y - 11)**2 + (x + y**2 - 7)**2", [0, 0], square(5));
  plane("booth", "Booth", "(x + 2*y - 7)**2 + (2*x + y - 5)**2", [-5, 5], square(10));

  Object.assign(TinySpad, { parse, FUNCTIONS, PRESETS });
})();
