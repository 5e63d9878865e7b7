"""Drawings are built from the right data, without overlaps or crossings that could be avoided; the eye checks the rest."""

import numpy as np
import pytest
from matplotlib import colors
from matplotlib import pyplot as plt

import tinyspad as ts
from tinyspad import plot
from tinyspad.errors import BadInput, TooManyPaths
from tinyspad.layout import crossings, layout, spread, uncrossed
from tinyspad.plot.palette import ESTIMATORS, styles

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
    with pytest.raises(TooManyPaths):
        plot.contributions(ts.trace(lambda x: x * x * x * x * x, np.ones(3)), limit=3)


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
    assert chosen["GD"] == ESTIMATORS["GD"] and chosen["SPAD, m = 1"]["color"] == chosen["SPAD, m = 2"]["color"]
    assert chosen["SPAD, m = 1"]["linestyle"] != chosen["SPAD, m = 2"]["linestyle"]
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


def test_a_large_graph_offers_a_part():
    def f(x):
        for _ in range(40):
            x = np.sin(x) * x
        return x

    lcg = ts.trace(f, 1.0)
    with pytest.raises(BadInput, match=r'161 nodes.*around="z"'):
        plot.lcg(lcg)
    ax = plot.lcg(lcg, around="z", reach=2)
    assert "part of the graph" in ax.get_title()
    with pytest.raises(BadInput, match='no variable "nothing"'):
        plot.lcg(lcg, around="nothing")


@pytest.mark.parametrize("name", [n for n in ts.functions.ALL if n != "goldstein_price"])
def test_layouts_run_left_to_right_without_overlap(name):
    problem = ts.functions.ALL[name]
    lcg = ts.trace(problem, *(0.3 + 0.4 * i for i in range(len(problem.box))))
    edges = list(zip(lcg.graph.tail, lcg.graph.head))
    places, ways = layout(list(range(lcg.graph.size)), edges)
    assert all(places[tail][0] < places[head][0] for tail, head in edges)
    columns = {}
    for x, y in places.values():
        columns.setdefault(x, []).append(y)
    assert all(np.all(np.diff(sorted(ys)) > 1 - 1e-9) for ys in columns.values())
    assert [(w[0], w[-1]) for w in ways] == [(places[t], places[h]) for t, h in edges]
    if lcg.graph.size <= 60:
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
