// Answers questions about the page's engine: node ask_engine.js ENGINE QUESTIONS ANSWERS (files; the last two of JSON).
"use strict";

const { readFileSync, writeFileSync } = require("node:fs");

const [engine, questions, answers] = process.argv.slice(2);
const TinySpad = require(engine);

const plain = (key, x) => {
  if (typeof x === "bigint") return String(x);
  return typeof x === "number" && !Number.isFinite(x) ? String(x) : x;
};

const path = ({ index, product, share, edges }) => ({ index, product, share, edges });
const listed = (point, name) => (point.count(name) > 300n ? [] : point.paths(name, 300).map(path));

const attempt = (answer) => {
  try {
    return answer();
  } catch (problem) {
    if (!(problem instanceof TinySpad.Problem)) throw problem;
    return { problem: problem.message };
  }
};

/** A point, of which JSON writes what is not finite as text. */
const numbered = (where) => Object.fromEntries(Object.entries(where).map(([name, x]) => [name, Number(x)]));

const about = (graph, where, largest = 3) => {
  const point = graph.at(where);
  const each = (tell) => Object.fromEntries(graph.params.map((name) => [name, tell(name)]));
  const has = (tell) => each((name) => (point.count(name) ? tell(name) : null));
  const top = (name) => {
    const { paths, rest } = point.top(name, largest);
    return { paths: paths.map(path), rest };
  };
  return {
    program: graph.programText.map((line) => line.text),
    lines: graph.programText.map((line) => line.nodes),
    nodes: graph.nodes.map(({ name, kind, tupled, text, of }) => [name, kind, tupled, text, of]),
    edges: graph.edges.map(({ tail, head, copy }) => [tail, head, copy]),
    value: point.value,
    values: point.values,
    weights: point.weights,
    adjoints: point.adjoints,
    gradient: point.gradient(),
    counts: each((name) => point.count(name)),
    paths: each((name) => attempt(() => listed(point, name))),
    best: has((name) => attempt(() => path(point.best(name)))),
    top: has(top),
    others: graph.computes ? has((name) => point.others(name, point.top(name, 3).paths)) : null,
    through: graph.nodes.map((node) => point.through(node.index)),
    sweep: point.sweep().map(({ node, value, sends, waits, told }) => ({ node, value, sends, waits, told })),
    largest: attempt(() => graph.params.map((_, i) => point.adjointOf(i, "largest"))),
    ends: ["count", "largest"].map((name) =>
      attempt(() => point.sweep(name).map(({ node, value, told }) => ({ node, value, told }))),
    ),
    nonfinite: point.nonfinite,
  };
};

const ANSWER = {
  formula: ({ text, where }) => about(TinySpad.trace(TinySpad.parse(text)), numbered(where)),
  program: ({ program, where }) => about(TinySpad.trace(program), numbered(where)),
  given: ({ data, largest }) => about(TinySpad.fromPython(data), {}, largest),
  error: ({ text }) => ({ params: TinySpad.parse(text).params }),
  numbers: ({ numbers }) => {
    const { repr, general, weightText, constantText } = TinySpad.text;
    return numbers.map(Number).map((x) => [repr(x), general(x, 6), weightText(x), constantText(x)]);
  },
  counts: ({ counts }) => counts.map((count) => TinySpad.text.spaced(BigInt(count))),
  run: ({ text, estimator, options, steps }) => {
    const runner = TinySpad.run(TinySpad.trace(TinySpad.parse(text)), estimator, options);
    const followed = [];
    for (let i = 0; i < steps; i++) {
      runner.step();
      followed.push(Object.values(runner.followed).map((one) => one && one.index));
    }
    return { history: runner.history, followed, steps: runner.steps, ended: runner.ended };
  },
  random: ({ seed, below, draws }) => {
    const random = TinySpad.randomness(seed);
    return Array.from({ length: draws }, () => [random.uniform(), random.below(BigInt(below))]);
  },
  misuse: () => {
    const graph = TinySpad.trace(TinySpad.parse("x*x + y*sign(x)*0"));
    const point = graph.at({ x: 1, y: 2 });
    const wrong = {
      point: () => graph.at({ x: 1 }),
      name: () => point.count("w"),
      index: () => point.nthPath("x", 9),
      paths: () => point.paths("x", 2),
      estimator: () => TinySpad.run(graph, "rad", { start: { x: 1, y: 2 } }),
      optimizer: () => TinySpad.run(graph, "RAD", { start: { x: 1, y: 2 }, optimizer: "adam" }),
    };
    return Object.fromEntries(Object.entries(wrong).map(([key, call]) => [key, attempt(call).problem]));
  },
  presets: () => Object.entries(TinySpad.PRESETS).map(([name, preset]) => [name, preset]),
  functions: () => Object.keys(TinySpad.FUNCTIONS).sort(),
};

const asked = JSON.parse(readFileSync(questions, "utf8"));
const found = {};
for (const [key, question] of Object.entries(asked)) found[key] = attempt(() => ANSWER[question.ask](question));
writeFileSync(answers, JSON.stringify(found, plain));
