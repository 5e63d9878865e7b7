// The formula in MathML, in which the reads of a path light up; and the program, line by line, with its values.

const INFIX = {
  add: ["+", 1],
  subtract: ["−", 1],
  multiply: ["⋅", 2],
  divide: ["/", 2],
  remainder: ["mod", 2],
  power: ["^", 4],
  less: ["<", 0],
  less_equal: ["≤", 0],
  greater: [">", 0],
  greater_equal: ["≥", 0],
  equal: ["=", 0],
  not_equal: ["≠", 0]
};
const SIGN = {
  "+": "add",
  "-": "subtract",
  "*": "multiply",
  "/": "divide",
  "**": "power",
  "%": "remainder",
  neg: "negative",
  pow: "power"
};
const LONGEST = 260;

function FormulaView(app) {
  const box = byId("formula");
  let reads = [];

  function build() {
    reads = [];
    const { program } = app.graph,
      name = `f(${app.graph.params.join(", ")})`;
    let body = null;
    if (program && program.steps)
      try {
        body = written(program);
      } catch (problem) {
        if (problem !== LONGEST) throw problem;
      }
    if (body)
      box.replaceChildren(
        math(
          "math",
          { display: "inline" },
          math(
            "mrow",
            {},
            math("mi", {}, "f"),
            fence(...separated(app.graph.params.map(variable))),
            math("mo", {}, "="),
            body
          )
        )
      );
    else box.replaceChildren(el("span", { class: "plain" }, (program && program.text) || name));
  }
  const separated = (items) =>
    items.flatMap((item, i) => (i ? [math("mo", { separator: "true" }, ","), item] : [item]));
  const variable = (name) => {
    const [, stem, index] = /^(.*?[^\d_])_?(\d*)$/.exec(name) || [0, name, ""];
    return index ? math("msub", {}, math("mi", {}, stem), math("mn", {}, index)) : math("mi", {}, name);
  };

  /** The expression that a program computes, its parts written in place; too long a one is not written. */
  function written(program) {
    let length = 0;
    const first = program.params.length,
      { defined } = app.graph;
    const wrap = ([made, strength], least) => (strength < least ? [fence(made), 9] : [made, strength]);
    /** read: how the graph reads it; what only a condition reads has no path. */
    function reference(ref, read) {
      if (++length > LONGEST) throw LONGEST;
      if (ref.constant !== undefined) return number(ref.constant);
      if (ref.node < first) {
        const made = variable(program.params[ref.node]);
        const tagged = made.localName === "mi" ? made : math("mrow", {}, made);
        tagged.classList.add("read");
        reads.push([tagged, read.node]);
        return [tagged, 9];
      }
      return step(ref.node - first);
    }
    function step(s) {
      const { op, args } = program.steps[s],
        name = SIGN[op] || op,
        of = (a) => reference(args[a], defined[s] ? defined[s].reads[a] : {});
      if (name === "negative" || name === "positive")
        return [math("mrow", {}, math("mo", {}, name === "negative" ? "−" : "+"), wrap(of(0), 3)[0]), 1.5];
      if (name === "square") return [math("msup", {}, wrap(of(0), 5)[0], math("mn", {}, "2")), 4];
      if (name === "power") return [math("msup", {}, wrap(of(0), 5)[0], math("mrow", {}, of(1)[0])), 4];
      if (name === "divide" || name === "reciprocal")
        return [
          math(
            "mfrac",
            {},
            math("mrow", {}, name === "divide" ? of(0)[0] : math("mn", {}, "1")),
            math("mrow", {}, of(name === "divide" ? 1 : 0)[0])
          ),
          5
        ];
      if (name === "sqrt" || name === "cbrt")
        return [
          name === "sqrt"
            ? math("msqrt", {}, of(0)[0])
            : math("mroot", {}, math("mrow", {}, of(0)[0]), math("mn", {}, "3")),
          6
        ];
      if (name === "exp" || name === "exp2")
        return [math("msup", {}, math("mi", {}, name === "exp" ? "e" : "2"), math("mrow", {}, of(0)[0])), 4];
      if (name === "abs" || name === "absolute")
        return [math("mrow", {}, math("mo", {}, "|"), of(0)[0], math("mo", {}, "|")), 9];
      if (INFIX[name]) {
        const [sign, strength] = INFIX[name],
          left = wrap(of(0), strength),
          right = wrap(of(1), strength + (sign === "−" || sign === "mod" ? 0.1 : 0));
        const juxtaposed =
          sign === "⋅" &&
          left[0].localName === "mn" &&
          right[0].localName !== "mn" &&
          !/^[\d−]/.test(right[0].textContent);
        return [
          math("mrow", {}, left[0], math("mo", {}, juxtaposed ? "\u2062" : sign), right[0]),
          sign === "mod" ? 0.5 : strength
        ];
      }
      const parts = args.map((_, a) => of(a)[0]);
      return [
        math(
          "mrow",
          {},
          math("mi", { mathvariant: "normal" }, name),
          math("mo", {}, "\u2061"),
          fence(...separated(parts))
        ),
        6
      ];
    }
    return reference(program.output, program.output)[0];
  }
  function number(x) {
    const known = [
      [Math.PI, "π"],
      [Math.E, "e"]
    ].find(([value]) => abs(x) === value);
    const made = known
      ? math("mi", {}, known[1])
      : math("mn", {}, String(abs(x)).length > 8 ? short(abs(x), 6) : String(abs(x)));
    return x < 0 || Object.is(x, -0) ? [math("mrow", {}, math("mo", {}, "−"), made), 1.5] : [made, 9];
  }
  watch(box, () => reached(box));
  function light() {
    const lit = app.lit();
    for (const [made, node] of reads) {
      made.classList.toggle("lit", Boolean(lit && lit.nodes.has(node)));
      made.style.setProperty("--c", lit ? lit.color : "");
    }
  }
  return { build, draw: light, light };
}
const fence = (...inside) =>
  math("mrow", {}, math("mo", { fence: "true" }, "("), ...inside, math("mo", { fence: "true" }, ")"));

function ProgramView(app) {
  const box = byId("program");
  let rows = [];
  function build() {
    rows = app.graph.programText.map((line) => {
      const value = el("td"),
        row = el(
          "tr",
          { onclick: () => line.nodes.length && app.choose(line.nodes[0]) },
          el(
            "td",
            {},
            line.nodes.length > 6
              ? `${middle(
                  line.nodes.map((i) => app.graph.nodes[i].name),
                  6
                ).join(", ")} ← ${app.graph.nodes[line.nodes[0]].text}`
              : line.text.replace("<-", "←")
          ),
          value
        );
      return { ...line, value, row };
    });
    box.replaceChildren(
      el(
        "table",
        { "aria-label": "The single-access program, with its values" },
        el("tbody", {}, ...rows.map((r) => r.row))
      )
    );
  }
  watch(box, () => reached(box));
  function draw() {
    reached(box);
    for (const { nodes, value } of rows)
      say(
        value,
        nodes.length && app.graph.nodes[nodes[0]].kind !== "branch" ? valueText(app.point.values[nodes[0]]) : ""
      );
    light();
  }
  function light() {
    const lit = app.lit();
    for (const { nodes, row } of rows) {
      const on = Boolean(lit && nodes.some((i) => lit.nodes.has(i)));
      row.classList.toggle("lit", on);
      row.style.setProperty("--c", on ? lit.color : "");
    }
  }
  return { build, draw, light };
}
