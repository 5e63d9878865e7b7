// Formulas that are typed, or chosen among the paper's functions, and shared by link.

function Typed(app) {
  const field = byId("text"),
    presets = TinySpad.PRESETS;

  /** Show a formula, or say what is wrong with it: then the last good one stays. point: {name: number}. */
  function typed(text, point = {}) {
    try {
      const graph = TinySpad.trace(TinySpad.parse(text)),
        name = Object.keys(presets).find((key) => same(presets[key].formula, text));
      const known = Object.assign(Object.create(null), app.where, point),
        where = Object.fromEntries(graph.params.map((param) => [param, known[param] ?? 1]));
      byId("problem").textContent = "";
      if (field.value !== text) field.value = text;
      app.show(graph, where, name ? presets[name].box : null);
      say(byId("title"), name ? presets[name].title : "A formula of your own");
      byId("preset").value = name || "";
    } catch (problem) {
      if (!(problem instanceof TinySpad.Problem)) throw problem;
      byId("problem").textContent = problem.message;
    }
  }
  const same = (a, b) => a.replace(/\s/g, "") === b.replace(/\s/g, "");

  byId("typed").hidden = false;
  byId("preset").append(
    el("option", { value: "" }, "a formula of your own"),
    ...Object.entries(presets).map(([name, { title }]) => el("option", { value: name }, title))
  );
  on(byId("preset"), "change", (event) => {
    const preset = presets[event.target.value];
    if (!preset) {
      field.focus();
      return;
    }
    typed(preset.formula, preset.point);
    app.remember();
  });
  on(field, "input", () => typed(field.value));
  on(field, "change", () => app.remember());
  on(byId("typed"), "submit", (event) => {
    event.preventDefault();
    typed(field.value);
    app.remember();
  });
  on(byId("share"), "click", async () => {
    app.write();
    try {
      await navigator.clipboard.writeText(location.href);
      say(byId("share"), "Copied");
    } catch {
      prompt("The link:", location.href);
    }
    setTimeout(() => say(byId("share"), "Copy link"), 2000);
  });
  return typed;
}
