// The ledger: every path of the chosen parameter as a bar, laid end to end; where the last one ends is the gradient.

function Ledger(app) {
  const box = byId("paths");
  let rows = [],
    body,
    foot;

  function build() {
    rows = [];
    body = el("tbody");
    foot = el("tfoot");
    // as wide as its longest text, which does not change with the point
    const longest = (text) => {
      const { paths } = app.listing(app.param);
      return clamp(max(...paths.slice(0, 12).map((path) => text(app, path).length)), 12, 25);
    };
    box.replaceChildren(
      el(
        "div",
        { class: "scroll" },
        el(
          "table",
          { class: "ledger", style: `--through:${longest(throughText) * 0.85 + 6}ch;--factors:${longest(productText) * 0.85 + 5}ch` },
          el(
            "caption",
            { class: "unseen" },
            "The contributions of the paths, laid end to end; the sum is the gradient."
          ),
          el(
            "thead",
            {},
            el(
              "tr",
              {},
              ...[
                ["path, through", "through"],
                ["laid end to end", "bars"],
                ["factors", "factors"],
                ["product", "number"]
              ].map(([text, kind]) => el("th", { class: kind, scope: "col" }, text))
            )
          ),
          body,
          foot
        )
      )
    );
  }

  function row(k) {
    if (rows[k]) return rows[k];
    const chip = el("span", { class: "chip" }),
      through = el("span"),
      fall = el("div", { class: "fall" }),
      factors = el("td", { class: "factors" }),
      number = el("td", { class: "number" });
    const made = { chip, through, fall, factors, number, path: null };
    made.button = el(
      "button",
      {
        type: "button",
        onfocus: () => made.path && app.hover(made.path),
        onblur: () => app.hover(null),
        onclick: () => made.path && app.pin(made.path),
        onkeydown: (event) => key(event, k)
      },
      chip,
      through
    );
    made.tr = el(
      "tr",
      { class: "path", onmouseenter: () => made.path && app.hover(made.path), onmouseleave: () => app.hover(null) },
      el("td", { class: "through" }, made.button),
      el("td", {}, fall),
      factors,
      number
    );
    return (rows[k] = made);
  }
  function key(event, k) {
    const go = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!go || !rows[k + go] || !rows[k + go].tr.isConnected) return;
    rows[k + go].button.focus();
    event.preventDefault();
  }

  function draw() {
    if (app.tab !== "paths") return;
    const { paths, count, rest, slope } = app.listing(app.param);
    // of an array the products are norms, which do not add up
    const norms = app.param !== null && typeof app.slopes[app.param] === "string";
    let end = 0,
      low = 0,
      high = 0;
    for (const x of [...paths.map((path) => path.product), rest ? rest.sum : 0]) {
      end = norms ? x : end + x;
      low = min(low, end);
      high = max(high, end);
    }
    const span = high - low || 1,
      at = (x) => 4 + 92 * (finite(x) ? (x - low) / span : 0);
    const fill = (fall, start, x, kind, color, last) =>
      fall.replaceChildren(
        el("b", { style: `left:${at(0)}%` }),
        abs(x) > 1e-9 * span
          ? el("i", {
              class: `${kind} ${x < 0 ? "less" : "more"}`,
              color,
              style: `left:${at(min(start, start + x))}%;width:${abs(at(start + x) - at(start))}%`
            })
          : "",
        ...(last ? [] : [el("b", { class: "link", style: `left:${at(start + x)}%` })])
      );
    let start = 0;
    const shown = paths.map((path, k) => {
      const made = row(k);
      made.path = path;
      made.tr.style.setProperty("--c", path.color);
      say(made.chip, String(path.index).length > 5 ? `#${k + 1}` : String(path.index));
      say(made.through, throughText(app, path));
      say(made.factors, productText(app, path));
      made.factors.title = made.factors.textContent;
      say(made.number, short(path.product));
      set(made.button, "aria-label", `${writtenOut(app, path)}, through ${made.through.textContent}`);
      fill(made.fall, start, path.product, "", path.color);
      start += norms ? 0 : path.product;
      return made.tr;
    });
    if (rest) {
      const fall = el("div", { class: "fall" });
      fill(fall, start, rest.sum, "rest", "var(--quiet)");
      shown.push(
        el(
          "tr",
          {},
          el(
            "td",
            { colspan: 1, class: "through quiet" },
            `${paths.length ? "the other" : "all"} ${short(rest.count)} together`
          ),
          el("td", {}, fall),
          el("td", { class: "factors" }),
          el("td", { class: "number" }, short(rest.sum))
        )
      );
    }
    if (shown.length !== body.children.length || shown.some((tr, k) => body.children[k] !== tr)) {
      const held = document.activeElement;
      body.replaceChildren(...shown);
      if (held && held.isConnected && body.contains(held)) held.focus({ preventScroll: true });
    }
    const total = el("div", { class: "fall" });
    if (!norms) fill(total, 0, slope, "", "var(--ink)", true);
    foot.replaceChildren(
      el(
        "tr",
        {},
        el(
          "td",
          { class: "through" },
          el("span", {}, count === 0n ? "no path: the slope is 0" : `sum of ${many(count, "path")}`)
        ),
        el("td", {}, total),
        el("td", { class: "factors quiet" }, norms ? "norms, of arrays" : `= df/d${app.param || "x"}`),
        el("td", { class: "number" }, norms ? app.slopes[app.param] : short(slope))
      )
    );
    light();
  }

  function light() {
    const lit = app.lit();
    for (const { tr, path, button } of rows) {
      const on = Boolean(lit && path && (lit.path ? same(lit.path, path) : leads(path, lit.node, lit.between)));
      tr.classList.toggle("lit", on);
      set(button, "aria-pressed", same(app.pinned, path));
    }
  }
  return { build, draw, light };
}
