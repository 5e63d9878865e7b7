// The sentence at the top, and a slider and a number field for every parameter.

function Head(app) {
  return {
    build() {},
    draw() {
      const { graph, point } = app,
        at = graph.params
          .filter((name) => typeof app.where[name] === "number")
          .slice(0, 4)
          .map((name) => `${name} = ${short(app.where[name])}`)
          .join(", ");
      const slopes = graph.params.slice(0, 4).map((name) => {
        const { paths, count, rest, slope } = app.listing(name),
          terms =
            typeof app.slopes[name] === "number" && !rest && paths.length > 1 && paths.length < 5
              ? `${paths.map((p, i) => (i ? bracketed(short(p.product)) : short(p.product))).join(" + ")} = `
              : "";
        const way =
          count === 0n ? "which has no path" : count === 1n ? "its one path" : `the sum of ${many(count, "path")}`;
        return [
          graph.params.length > 1 ? `by ${name} ` : "",
          terms,
          el("b", {}, valueText(slope)),
          `, ${way}`
        ];
      });
      const bad = point.nonfinite;
      byId("sum").classList.toggle("stays", graph.params.length < 2);
      byId("sum").replaceChildren(
        `At ${app.tab === "race" ? "the start of the race, " : ""}${at || "this point"}, f is `,
        el("b", {}, valueText(point.value)),
        ". ",
        ...(graph.params.length
          ? [
              graph.params.length > 1 ? "Its slope " : "Its slope is ",
              ...slopes.flatMap((parts, i) => (i ? ["; ", ...parts] : parts)),
              "."
            ]
          : ["It depends on no parameter."]),
        ...(bad ? [el("br"), bad.text, "."] : [])
      );
    }
  };
}

function Controls(app) {
  let rows = [];
  return {
    build() {
      rows = app.graph.params
        .filter((name) => typeof app.where[name] === "number")
        .map((name, k) => {
          const change = (event) => {
            const x = event.target.valueAsNumber;
            if (finite(x)) app.move({ [name]: x });
          };
          const settled = () => {
            app.sliding = false;
            field.value = Number(app.where[name].toPrecision(6));
            app.settled();
          };
          const slider = el("input", {
            type: "range",
            step: "any",
            id: `slide${k}`,
            "aria-label": `${name}, along its axis`,
            oninput: (event) => {
              app.sliding = true;
              change(event);
            },
            onchange: settled,
            disabled: !app.graph.computes,
            onfocus: () => app.about(name)
          });
          const field = el("input", {
            type: "number",
            step: "any",
            oninput: change,
            onchange: settled,
            "aria-label": `${name}, as a number`,
            disabled: !app.graph.computes,
            onfocus: () => app.about(name)
          });
          return { name, slider, field, label: el("label", { for: `slide${k}` }, name) };
        });
      byId("controls").replaceChildren(...rows.flatMap((r) => [r.label, r.slider, r.field]));
    },
    draw() {
      for (const { name, slider, field } of rows) {
        const [low, high] = app.curve.range(name);
        slider.min = low;
        slider.max = high;
        slider.value = app.where[name];
        set(slider, "aria-valuetext", `${name} = ${short(app.where[name])}`);
        if (document.activeElement !== field) field.value = Number(app.where[name].toPrecision(6));
      }
      const param = byId("param");
      if (param) param.value = app.param;
    }
  };
}
