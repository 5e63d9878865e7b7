// Six short steps on the paper's first example, each a question with something to do.

const F1 = "x <- Param_0|x1, x2 <- x|a <- x1 ** 2|b <- 4 * x2|c <- cos(b)|d <- 2 + c|z <- a * d|Return z";
const TOUR = [
  {
    ask: "How often does the program read x?",
    tell:
      "The formula names x twice: in x² and in cos 4x. In the program every number is read once; so x is " +
      "first copied, into x1 and x2. A diamond is a number that is read more often.",
    todo: "choose the diamond x in the graph (click it, or press Enter on it).",
    won: (what) => what.choose === 0,
    then: "Two readers: the copy x1 goes into the square, x2 into the cosine."
  },
  {
    ask: "How many ways lead from x to the result z?",
    tell:
      "Along an edge stands its local derivative: by how much the next number moves when this one moves by " +
      "1. Along a path they multiply.",
    todo: "point at path 0 and at path 1 in the ledger below the graph, and follow them.",
    won: (what) => what.hovered.size > 1,
    then: "Two ways, one for each read of x. Each has a slope of its own, as if only that x were moved."
  },
  {
    ask: "What have the two slopes to do with the slope of f?",
    tell:
      "On the curve each path draws its own slope. Their rises, laid end to end, lead to the tangent: the " +
      "sum over the paths is the slope.",
    todo:
      "drag the point down into the valley on its right; then press the arrow keys until the slope is " +
      "between −5 and 5.",
    won: (what, app) => abs(app.slopes.x) < 5 && abs(app.where.x) > 1,
    then:
      "The slope is almost 0, but no path is at rest: path 0 pulls the point left, and path 1 pulls it " +
      "right, almost as hard; at x = 5.4748 just as hard."
  },
  {
    ask: "GD follows the sum. Where does it end?",
    race: ["GD"],
    tell: "The lowest point of f is at x = 0. GD starts at x = 5 and goes downhill by the sum of both paths.",
    todo: "press Run, and wait for 500 steps.",
    won: (what) => what.steps.GD >= 500,
    then: "It is trapped at x = 5.475, where f = 30.1: there the two paths cancel, and the sum says “nothing to do”."
  },
  {
    ask: "Does one random path at a time lead out?",
    race: ["GD", "RAD"],
    tell: "RAD draws one of the two paths for each step, and follows it alone. In the graph its path is marked.",
    todo: "press Run, and wait for 500 steps.",
    won: (what) => what.steps.RAD >= 500,
    then:
      "Not at this rate, with Adam: a step is short, and the next draw undoes it, as path 0 pulls left and path 1 " +
      "right. On average half of the sum is left: 0 where the sum is 0. (Try SGD: its steps are as long as a " +
      "path’s slope, here long enough to jump over hills.)"
  },
  {
    ask: "And if each draw is held for a while?",
    race: ["GD", "RAD", "RAD, held"],
    start: 5.4748,
    seed: 3,
    tell: "All start in the trap. RAD, held keeps its path for 100 steps before it draws again.",
    todo: "press Run; which path does it follow when it leaves?",
    won: (what) => what.least < 3.5,
    then:
      "It escapes. Path 0’s slope 2x(2 + cos 4x) has the sign of x everywhere: held, it leads towards 0, uphill, too. " +
      "Path 1’s slope −4x² sin 4x is 0 near the floor of each valley: held, it only leads there. 100 steps may be too " +
      "few for a hill; then path 1 lets it slide back, and the next draw of path 0 tries again."
  }
];

function Tour(app) {
  const box = byId("tour"),
    seen = { choose: null, hovered: new Set(), steps: {}, least: Infinity };
  let step = 0;
  const fits = () => app.graph.computes && app.graph.programText.map((line) => line.text).join("|") === F1;

  function show() {
    const main = document.querySelector("main"),
      there = fits();
    box.hidden = !there;
    main.classList.toggle("untoured", !there || !step);
    main.classList.toggle("beside", there && step > 0 && step < 3);
    if (!there) {
      step = 0;
      return;
    }
    if (!step) {
      box.replaceChildren(
        el(
          "nav",
          { "aria-label": "Tour" },
          press("Take the tour", () => go(1)),
          el(
            "span",
            { class: "quiet" },
            "six short questions: why does a held random path leave the minimum that traps GD?"
          )
        )
      );
      return;
    }
    const { ask, tell, todo } = TOUR[step - 1],
      links = TOUR.map((_, i) =>
        el(
          "a",
          {
            href: `#tour=${i + 1}`,
            "aria-label": `Step ${i + 1}: ${TOUR[i].ask}`,
            "aria-current": i + 1 === step ? "step" : null,
            onclick: (event) => {
              event.preventDefault();
              go(i + 1);
            }
          },
          String(i + 1)
        )
      );
    box.replaceChildren(
      el("h3", { tabindex: -1 }, `${step}. ${ask}`),
      el("p", {}, tell),
      el(
        "p",
        { class: "do" },
        todo,
        ...(TOUR[step - 1].race
          ? [" ", press("Run or pause", app.toggleRace, { id: "tour-run" }), " ", el("span", { id: "tour-steps" })]
          : [])
      ),
      el("p", { id: "found", role: "status" }),
      el(
        "nav",
        { "aria-label": "Steps of the tour" },
        press("Back", () => go(step - 1), { disabled: step === 1 }),
        ...links,
        press(step < TOUR.length ? "Next" : "Done", () => go(step < TOUR.length ? step + 1 : 0)),
        press("Leave the tour", () => go(0))
      )
    );
    check();
  }
  function check() {
    const found = byId("found");
    if (!step || !found || found.textContent || !TOUR[step - 1].won(seen, app)) return;
    found.append(el("span", { class: "done" }, "✓ "), TOUR[step - 1].then);
  }
  function go(to) {
    if (!fits()) return;
    step = clamp(round(to) || 0, 0, TOUR.length);
    Object.assign(seen, { choose: null, hovered: new Set(), steps: {}, least: Infinity });
    const { race, start = 5, seed = 0 } = TOUR[step - 1] || {};
    if (step) {
      app.clear();
      app.where.x = start;
      app.open(race ? "race" : "paths");
    }
    if (race) app.race(race, seed);
    else app.stopRace();
    show();
    app.drawNow();
    if (step) {
      box.querySelector("h3").focus({ preventScroll: true });
      box.scrollIntoView({ block: "nearest" });
    }
    app.remember();
  }
  return {
    build: show,
    draw: check,
    go,
    step: () => step,
    event(what, about) {
      if (what === "choose") seen.choose = about;
      if (what === "hover") seen.hovered.add(String(about.index));
      if (what === "race") {
        const told = [];
        for (const { key, runner, at } of about)
          if (runner) {
            seen.steps[key] = runner.steps;
            told.push(`${key} ${at.textContent}`);
            if (key === "RAD, held") seen.least = min(seen.least, abs(runner.where.x));
          }
        const box = byId("tour-steps");
        if (box) say(box, `${many(seen.steps.GD || 0, "step")}: ${told.join("; ")}`);
      }
      check();
    }
  };
}
