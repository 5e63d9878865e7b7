"""Drawings are built from the right data, without overlaps or crossings that could be avoided; the eye checks the rest."""

import io
import re
from collections import defaultdict
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib import colors
from matplotlib import pyplot as plt
from matplotlib.cbook import is_math_text
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

import tinyspad as ts
from tinyspad import plot
from tinyspad.errors import BadInput
from tinyspad.layout import crossings, layout, spread, uncrossed
from tinyspad.lcg.trace import trace_as
from tinyspad.plot.outside import FEW, MOST, legend_label, verbatim
from tinyspad.plot.palette import ESTIMATORS, looks, styles
from tinyspad.plot.panels import legend_beside, own_axes
from tinyspad.rules import RULES

f1 = ts.functions.f1


def line(ax, label):
    return next(artist for artist in ax.lines if artist.get_label() == label)


def test_function_draws_the_function():
    xs = np.linspace(-6, 6, 50)
    ax = plot.function(ts.trace(f1, xs), label="f1")
    np.testing.assert_allclose(line(ax, "f1").get_ydata(), f1(xs), rtol=1e-14)  # np.power may round unlike **
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "f1")


def test_contributions_stack_to_the_gradient():
    xs = np.linspace(0.1, 6, 50)
    ax = plot.contributions(ts.trace(f1, xs))
    np.testing.assert_allclose(
        line(ax, "sum: the gradient").get_ydata(),
        2 * xs * (2 + np.cos(4 * xs)) - 4 * xs**2 * np.sin(4 * xs),
        rtol=1e-10,
    )
    tops = np.max([c.get_paths()[0].vertices[:, 1].max() for c in ax.collections])
    terms = ts.trace(f1, xs).path_gradients()
    assert tops == pytest.approx(np.maximum(terms, 0).sum(axis=0).max())


@pytest.mark.parametrize("draw", [plot.function, plot.contributions])
def test_curves_need_an_axis(draw):
    with pytest.raises(BadInput, match="needs an axis"):
        draw(ts.trace(f1, 5.0))
    with pytest.raises(BadInput, match="needs an axis"):
        draw(ts.trace(lambda x: np.sum(x * x), np.ones(3)))
    with pytest.raises(BadInput, match="no parameter"):
        plot.contributions(ts.trace(f1, np.ones(3)), "y")
    for thing in (ts.trace(f1, 5.0), 3):
        with pytest.raises(BadInput):
            draw(thing)


def test_of_more_paths_the_largest_anywhere_are_drawn_and_the_rest_as_one():
    xs = np.linspace(-2, 2, 41)
    lcg = ts.trace(lambda x: x * x + 9.0 * np.sin(x) + 0.1 * x + np.exp(x) / 10, xs)
    ax = plot.contributions(lcg, limit=2)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert [label.split(":")[0] for label in labels[:2]] == ["path 2", "path 0"]
    assert labels[2].startswith("the other 3 together, ") and labels[3] == "sum: the gradient"
    np.testing.assert_allclose(line(ax, "sum: the gradient").get_ydata(), lcg.gradient()["x"], rtol=1e-12, atol=1e-12)


def test_compare_draws_median_and_band():
    results = ts.compare(f1, np.full(9, 5.0), {"RAD": ts.RAD(), "mine": ts.RAD(hold=3)}, steps=20, rng=0)
    ax = plot.compare(results)
    label = "RAD (median of 9, band 10-90 %)"
    np.testing.assert_allclose(line(ax, label).get_ydata(), np.median(results["RAD"].history.values, axis=1))
    assert len(ax.collections) == 2 and len(ax.get_legend().get_texts()) == 2
    with pytest.raises(BadInput, match="no history"):
        plot.compare({"GD": ts.minimize(f1, 5.0, steps=2, every=None)})


def test_compare_survives_runs_that_are_not_finite():
    runs = ts.minimize(lambda x: np.log(x), np.array([1.0, -1.0]), steps=5)
    single = ts.minimize(lambda x: np.log(x), 1.0, steps=5)
    plot.compare({"GD": runs, "other": single})


def test_ax_is_obeyed_and_returned():
    _, (left, right) = plt.subplots(ncols=2)
    xs = np.linspace(0, 1, 5)
    assert plot.function(ts.trace(f1, xs), ax=left) is left
    assert plot.contributions(ts.trace(f1, xs), ax=left) is left
    assert plot.lcg(ts.trace(f1, 5.0), ax=left) is left
    assert plot.compare(ts.compare(f1, 5.0, {"GD": ts.GD()}, steps=2), ax=left) is left
    assert not right.lines and not right.texts


def test_estimators_differ_in_grey_too():
    looks = [(str(s["linestyle"]), s["linewidth"]) for s in ESTIMATORS.values()]
    assert len(set(looks)) == len(looks)
    assert len({s["color"] for s in ESTIMATORS.values()}) == len(looks)
    chosen = styles(["GD", "RAD", "SPAD, m = 1", "SPAD, m = 2", "mine", "yours"])
    assert chosen["GD"] == ESTIMATORS["GD"] and chosen["SPAD, m = 1"] == ESTIMATORS["SPAD"]
    first, second = chosen["SPAD, m = 1"], chosen["SPAD, m = 2"]
    hues = [colors.rgb_to_hsv(colors.to_rgb(look["color"]))[0] for look in (first, second)]
    assert hues[0] == pytest.approx(hues[1], abs=0.01) and first["linestyle"] != second["linestyle"]
    assert chosen["mine"]["color"] != chosen["yours"]["color"]
    assert all(colors.is_color_like(s["color"]) for s in chosen.values())


# --- the layered drawing --------------------------------------------------------------------------------------------------


def test_every_variable_and_weight_is_written():
    lcg = ts.trace(f1, 5.0)
    ax = plot.lcg(lcg, highlight=lcg.nth_path("x", 1))
    texts = [t.get_text() for t in ax.texts]
    assert set(lcg.names) <= set(texts) and {"10", "2.408", "-0.9129", "25", "cos(b)", "x1 ** 2"} <= set(texts)


def test_the_highlighted_path_is_thick():
    lcg = ts.trace(f1, 5.0)
    thick = [
        t
        for t in plot.lcg(lcg, highlight=lcg.nth_path("x", 1)).texts
        if getattr(t, "arrow_patch", None) and t.arrow_patch.get_linewidth() > 2
    ]
    assert len(thick) == len(lcg.nth_path("x", 1).edges)
    with pytest.raises(BadInput, match="another graph"):
        plot.lcg(lcg, highlight=ts.trace(ts.functions.f2, 1.0, 2.0).nth_path("x", 0))


def forty_rounds(x):
    for _ in range(40):
        x = np.sin(x) * x
    return x


def test_a_large_graph_is_folded_and_offers_a_part():
    lcg = ts.trace(forty_rounds, 1.0)
    ax = plot.lcg(lcg)
    line = forty_rounds.__code__.co_firstlineno + 2
    assert ax.get_title() == f'80 operations in pieces; unfold="line {line}, round 1" divides one'
    texts = [text.get_text() for text in ax.texts]
    assert {f"line {line}\nround {k}" for k in range(1, 41)} <= set(texts) and texts.count("x = np.sin(x) * x") == 40
    opened = [text.get_text() for text in plot.lcg(lcg, unfold=f"line {line}, round 2").texts]
    assert {"c", "sin(b1)", "c * b2"} <= set(opened) and f"line {line}\nround 2" not in opened
    ax = plot.lcg(lcg, around="z", reach=2)
    assert "part of the graph" in ax.get_title()
    ax = plot.lcg(lcg, around=f"line {line}, round 7", reach=1)
    assert "3 of 41 nodes" in ax.get_title()
    with pytest.raises(BadInput, match='no variable "nothing"'):
        plot.lcg(lcg, around="nothing")
    with pytest.raises(BadInput, match=rf'no fold "line 1".*"line {line}, round 1"'):
        plot.lcg(lcg, unfold="line 1")
    with pytest.raises(BadInput, match="unfold= is about"):
        plot.lcg(lcg, unfold="line 1", collapse={})
    with pytest.raises(BadInput, match=r'161 nodes.*around="z"'):
        plot.lcg(lcg, collapse={})


@pytest.mark.parametrize("name", [n for n in ts.functions.ALL if n != "goldstein_price"])
def test_layouts_run_left_to_right_without_overlap(name):
    problem = ts.functions.ALL[name]
    lcg = ts.trace(problem, *(0.3 + 0.4 * i for i in range(len(problem.box))))
    edges = list(zip(lcg.structure.tail, lcg.structure.head))
    places, ways = layout(list(range(lcg.structure.size)), edges)
    assert all(places[tail][0] < places[head][0] for tail, head in edges)
    columns = {}
    for x, y in places.values():
        columns.setdefault(x, []).append(y)
    assert all(np.all(np.diff(sorted(ys)) > 1 - 1e-9) for ys in columns.values())
    assert [(w[0], w[-1]) for w in ways] == [(places[t], places[h]) for t, h in edges]
    if lcg.structure.size <= 60:
        plot.lcg(lcg)


def test_avoidable_crossings_are_avoided():
    layers = [[0, 1, 2], [3, 4, 5]]
    links = [(0, 5), (1, 4), (2, 3)]
    assert crossings(layers, links) == 3
    assert crossings(uncrossed(layers, links), links) == 0


def test_spread_is_the_nearest_with_a_distance_of_one():
    np.testing.assert_allclose(spread([0.0, 0.0, 0.0]), [-1, 0, 1])
    np.testing.assert_allclose(spread([0.0, 5.0]), [0, 5])
    np.testing.assert_allclose(spread([3.0, 0.0]), [1, 2])


def test_success_shows_rates_intervals_and_the_papers_figures():
    table = ts.experiments.paper_table(1, 2, runs=30, steps=20)
    figure = plot.success(table)
    for t, ax in enumerate(figure.axes):
        for e, container in enumerate(ax.containers):
            marks, _, (bars,) = container.lines
            np.testing.assert_allclose(marks.get_xdata(), 100 * table.rates[:, e, t])
            ends = np.array([segment[:, 0] for segment in bars.get_segments()])
            np.testing.assert_allclose(
                ends, 100 * np.stack([end[:, e, t] for end in table.intervals], axis=1), atol=1e-9
            )
        paper = [line.get_xdata() for line in ax.lines if line.get_marker() == "d"]
        assert len(paper) == 4 and list(paper[0]) == [row[0] for row in table.paper.values()][4 * t : 4 * t + 4]
    axes = plt.subplots(1, 2)[1]
    assert plot.success(table, axes=axes) is axes[0].figure
    with pytest.raises(BadInput, match="There are 2 panels"):
        plot.success(table, axes=[axes[0]])
    with pytest.raises(BadInput, match=r"takes what ts\.experiments\.success_rates returns"):
        plot.success(3)


def test_hold_sweep_and_map_show_the_rates():
    sweep = ts.experiments.hold_sweep(
        ["booth", "beale"], k_max=(1, 3), rates=(0.1, 0.2), runs=20, steps=10, tolerances=(50.0, 5.0)
    )
    lines, maps = plot.hold_sweep(sweep), plot.hold_map(sweep)
    assert len(lines.axes) == 8 and len(maps.axes) == 2 * 3 * 2 + 1
    drawn = lines.axes[3].lines[1].get_ydata()  # booth, the second rate and tolerance, the second choice
    np.testing.assert_allclose(drawn, 100 * sweep.success[0, 1, 1, :, 1])
    np.testing.assert_allclose(maps.axes[3].images[0].get_array(), 100 * sweep.success[0, :, 1, :, 1])
    for draw in (plot.hold_sweep, plot.hold_map):
        with pytest.raises(BadInput, match="hold_sweep returns"):
            draw({})


def test_trivial_graphs_are_drawn():
    plot.lcg(ts.trace(lambda x: x, 2.0))
    plot.lcg(ts.trace(lambda x: 3.0, 2.0))
    plot.lcg(ts.trace(f1, np.ones(4)))
    plot.lcg(ts.trace(lambda w: np.sum(w @ w), np.ones((2, 2))))


# --- text from outside ------------------------------------------------------------------------------------------------

NAMES = [
    "$x_",
    "$x$",
    r"\$y$",
    r"$\frac{$",
    "_hidden",
    "__",
    "two\nlines\tand",
    "control\x01\x7f\ud800",
    "long" * 100,
    "имя שם نام",
    "<b>&\"'</b>",
    "a|b {c} %d \\",
]
WORST = "_$\\frac{$\n<&\"'>имя"
SEEN = "frac{"
"""What is left of WORST wherever it is drawn, unless it is shortened to less."""


def strange(x):
    return np.sin(x) * x + x * x


strange.__name__ = WORST


@pytest.fixture
def traced():
    """A trace whose parameters, rule and variables have the worst of names."""

    def rule(x):
        return np.sin(x)

    rule.__name__ = WORST
    rule = ts.rule(rule, d=lambda out, x: np.cos(x), domain=ts.Domain(-1, 1))

    def f(*args):
        total = 0
        for k, x in enumerate(args):
            inside = rule(x)
            inside.name = f"{WORST}{k}"
            total = inside * x + total
        return total

    yield lambda *args: trace_as([WORST[: -k or None] for k in range(len(args))], f, args)
    del RULES[rule]


def each(thing):
    return dict.fromkeys(NAMES, thing)


def plane():
    return np.meshgrid(np.linspace(1, 2, 9), np.linspace(1, 2, 9))


def runs_of(f, *names):
    results = ts.compare(f, (1.0, 2.0), each(ts.RAD()), steps=3, rng=0)
    for result in results.values():  # a function's own parameters are identifiers, a history's need not be
        for part in (result.history.x, result.history.paths):
            for old, new in zip(list(part), names):
                part[new] = part.pop(old)
    return results


def problem():
    return ts.functions.Problem(WORST, lambda x: x * x, ((-1.0, 1.0),), 0.0, ((0.0,),), "here")


def networks():
    method = ts.experiments.METHODS["baseline"]
    return ts.experiments.learning_curves("glyphs-fc", each(method), iterations=2, records=2)


def sensitive():
    few = [r for r in ts.experiments.readings() if r.function == "levi"][:2]
    return ts.experiments.shares(ts.experiments.sensitivity(few, runs=5, steps=2))


DRAWINGS = {
    "function": lambda traced: plot.function(traced(np.linspace(1, 2, 5)), label="_$x$").legend(),
    "contributions": lambda traced: plot.contributions(traced(np.linspace(1, 2, 5))),
    "compare": lambda traced: plot.compare(runs_of(lambda a, b: a * b * b, WORST, "b")),
    "contours": lambda traced: plot.contours(traced(*plane())),
    "fields": lambda traced: plot.fields(traced(*plane())),
    "trajectories": lambda traced: plot.trajectories(runs_of(ts.functions.f2, *(t := traced(*plane())).params), t),
    "lcg": lambda traced: plot.lcg(
        (t := traced(1.0, 2.0)), around=WORST, reach=9, adjoints=True, collapse={"$block_\n": t.block(f"{WORST}1")}
    ),
    "ledger": lambda traced: plot.ledger(traced(1.0).ledger(WORST)),
    "step_through": lambda traced: plot.step_through(traced(1.0)).draw(3),
    "laboratory": lambda traced: plot.laboratory(
        ts.experiments.laboratory(strange, 1.0, estimators=each(ts.RAD()), draws=20)
    ),
    "laboratory, along": lambda traced: plot.laboratory(
        ts.experiments.laboratory(strange, np.linspace(1, 2, 5), estimators=each(ts.RAD()), draws=20)
    ),
    "variance_curve": lambda traced: plot.variance_curve(ts.experiments.variance_curve(strange, 1.0)),
    "success": lambda traced: plot.success(
        ts.experiments.success_rates(problem(), each(ts.GD()), tolerances=(0.1,), runs=5, steps=2)
    ),
    "hold_sweep": lambda traced: plot.hold_sweep(
        ts.experiments.hold_sweep([problem()], k_max=(1, 2), runs=5, steps=2, tolerances=(0.1,))
    ),
    "hold_map": lambda traced: plot.hold_map(
        ts.experiments.hold_sweep([problem()], k_max=(1, 2), rates=(0.1, 0.2), runs=5, steps=2, tolerances=(0.1,))
    ),
    "shares": lambda traced: plot.shares(
        replace(found := sensitive(), claims=tuple(c._replace(says=WORST, where="$") for c in found.claims))
    ),
    "multimodal": lambda traced: plot.multimodal(
        ts.experiments.Multimodal(
            (WORST, "_"), (2,), tuple(NAMES), (0.1,), 9, 0.1, np.ones((2, 1, len(NAMES), 1, 5), bool), {}
        )
    ),
    "white_box": lambda traced: plot.white_box(
        replace(ts.experiments.white_box("demand", {WORST: ts.GD(), **each(ts.RAD())}, runs=8, steps=20), model="$x_\n")
    ),
    "stochasticity": lambda traced: plot.stochasticity(
        ts.experiments.stochasticity_table(
            "demand", {WORST: ts.data.Uniform(4)}, each(ts.GD()), runs=4, steps=3, draws=10
        )
    ),
    "memory_accuracy": lambda traced: plot.memory_accuracy(
        each(([1e6, 2e6], [0.9, 0.8])), memory=WORST, accuracy="$x$"
    ),
    "learning_curves": lambda traced: plot.learning_curves(networks()),
    "memory_panels": lambda traced: plot.memory_panels(networks()),
    "figure3": lambda traced: plot.figure3(
        {
            lr: {**table, **ts.compare(ts.functions.f1, 5.0, each(ts.RAD()), steps=3)}
            for lr, table in {lr: ts.experiments.minimize_f1(lr, runs=2, steps=3) for lr in plot.RATES}.items()
        }
    ),
}
LEGENDS = {"compare", "laboratory, along", "success", "white_box", "stochasticity"}
LEGENDS |= {"memory_accuracy", "learning_curves", "memory_panels", "figure3"}
"""Drawings that tell estimators or methods apart in a legend."""


def test_every_drawing_is_tried_with_strange_names():
    drawn = {name for name in plot.__all__ if callable(getattr(plot, name)) and name not in NO_DRAWING}
    assert {name.split(",")[0] for name in DRAWINGS} == drawn


NO_DRAWING = {"Player", "check_ending", "data_of", "save", "explain"}  # the last two have tests of their own


@pytest.mark.parametrize("name", DRAWINGS)
def test_text_from_outside_is_drawn_letter_by_letter(name, traced):
    """Warnings are errors here: a formula that does not parse, a label that a legend drops, a letter that no font has."""
    drawn = DRAWINGS[name](traced)
    figure = drawn if isinstance(drawn, Figure) else drawn.figure
    figure.canvas.draw()
    texts = [text.get_text() for text in figure.findobj(Text) if text.get_text()]
    formulas = [text for text in texts if is_math_text(text)]
    assert all("mathdefault" in text for text in formulas), formulas  # those of matplotlib's own ticks
    legends = [legend for legend in figure.findobj(Legend) if legend.get_visible()]
    entries = [text.get_text() for legend in legends for text in legend.get_texts()]
    if name in LEGENDS:
        for wanted in NAMES:
            ways = {verbatim(wanted, most) for most in (FEW, 36, MOST)}
            assert any(way in entry for way in ways for entry in entries), wanted
        inside = figure.get_window_extent().padded(1)
        assert all(legend.get_window_extent().width <= inside.width for legend in legends)
    if name == "function":
        assert entries == [r" _\$x\$"]
    if name not in ("learning_curves", "memory_panels", "figure3"):  # where all names are in the legend
        assert any(SEEN in text for text in texts), texts
    for ending in ("svg", "pdf"):
        figure.savefig(io.BytesIO(), format=ending)


def test_verbatim_text_is_what_matplotlib_draws():
    for name in NAMES:
        shown, math = Text(0, 0, verbatim(name, 10**6))._preprocess_math(verbatim(name, 10**6))
        assert math is False and shown == name.translate(
            {ord(c): " " for c in "\n\t"} | dict.fromkeys((1, 127, 0xD800), "?")
        )
    assert verbatim("a" * 60 + "b" * 60) == "a" * 25 + "…" + "b" * 24
    assert legend_label("_x") == " _x" and legend_label("x_") == "x_" and legend_label(3) == "3"


def test_pages_and_graphviz_escape_what_comes_from_outside(traced):
    lcg = traced(1.0)
    page = plot.explain(lcg, "</title><script>alert(1)</script> & \"'")
    parsed = Tags()
    parsed.feed(page)
    assert parsed.seen.count("script") == 2 and "alert" not in "".join(parsed.inside["script"])  # the player's own
    assert "&lt;/title&gt;&lt;script&gt;" in page and "<&\"'>имя" not in page
    drawing = ElementTree.fromstring(re.search(r"<svg.*?</svg>", page, re.S)[0])
    assert any(SEEN in (text.text or "") for text in drawing.iter("text"))
    assert "&lt;&amp;" in lcg._repr_html_()
    for line in lcg.to_dot().splitlines()[2:-1]:
        assert re.fullmatch(r'  n\d+ (-> n\d+ )?\[label="([^"\\]|\\.)*"(, shape=\w+)?\];', line), line


class Tags(HTMLParser):
    """The tags of a page, and what stands in them."""

    def __init__(self):
        super().__init__()
        self.seen, self.inside = [], defaultdict(list)

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)

    def handle_data(self, data):
        if self.seen:
            self.inside[self.seen[-1]].append(data)


# --- where it is drawn ------------------------------------------------------------------------------------------------


def test_a_legend_stands_beside_the_data_whatever_its_size():
    for labels in (["GD"], [name * 40 for name in "abc"], [f"method {i}, k_max 10" for i in range(12)]):
        for columns in (None, 1, 2, 4):
            given = None if columns is None else plt.subplots(1, columns, squeeze=False)[1][0, -1]
            ax = own_axes(given)
            for i, label in enumerate(labels):
                ax.plot([0, 1], [i, i + 1], label=label)
            ax.set_xlabel("step")
            legend = legend_beside(ax, grow=given is None)
            ax.figure.canvas.draw()
            box, inside = legend.get_window_extent(), ax.figure.bbox.padded(1)
            assert not box.overlaps(ax.get_window_extent()) and not box.overlaps(ax.xaxis.get_tightbbox())
            if columns in (None, 1):
                assert inside.contains(box.x0, box.y0) and inside.contains(box.x1, box.y1)


def test_a_figure_of_its_own_unless_axes_are_given():
    first, second = own_axes(None), own_axes(None)
    assert first.figure is not second.figure and own_axes(first) is first
    with pytest.raises(BadInput, match="ax= takes the Axes"):
        own_axes(first.figure)


def test_colours_go_by_method_not_by_order():
    names = ["GD", "RAD", "SPAD, k_max 5", "Magnitude", "mine", "yours"]
    for order in (names, names[::-1]):
        found = looks(order)
        for name in names:
            assert found[name] == looks([name])[name], name
    several = looks([f"SPAD, k_max {k}" for k in range(8)] + [f"run {k}" for k in range(40)])
    assert len({(str(look["linestyle"]), look["marker"], look["color"]) for look in several.values()}) == 48
    with plt.style.context("dark_background"):
        assert looks(["g2"])["g2"]["color"] == "white"


def test_plots_of_one_panel_have_a_figure_of_their_own():
    """One after the other: none paints over the last one."""
    plane_of = ts.trace(ts.functions.beale, *plane())
    runs = ts.compare(lambda second, first: (second - first) ** 2, (1.0, 2.0), {"GD": ts.GD()}, steps=3)
    table = ts.experiments.stochasticity_table(runs=4, steps=3, draws=10)
    drawn = [
        plot.compare(runs),
        plot.contours(plane_of),
        plot.memory_accuracy({"exact": (1e6, 0.9)}),
        plot.stochasticity(table),
        plot.lcg(ts.trace(f1, 5.0)),
    ]
    assert len({id(ax.figure) for ax in drawn}) == len(drawn)
    assert drawn[0].get_ylabel() == "f(second, first)"  # in the order of f


@pytest.mark.parametrize("name", sorted(DRAWINGS))
def test_nothing_is_drawn_in_the_colour_of_the_paper(name, traced):
    """Lines, texts and whiskers on a dark background: none as dark as it, unless it stands on something."""
    with plt.style.context("dark_background"):
        drawn = DRAWINGS[name](traced)
        figure = drawn if isinstance(drawn, Figure) else drawn.figure
        for ax in figure.axes:
            if ax.images or any(hasattr(c, "levels") and c.filled for c in ax.collections):
                continue
            for line in ax.lines:
                if line.get_linestyle() not in ("None", "none", "", " ") and line.get_visible():
                    assert colors.rgb_to_hsv(colors.to_rgb(line.get_color()))[2] > 0.3, (name, line.get_label())
