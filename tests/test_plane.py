"""Pictures of functions of two variables, of ledgers, variances and memory: what is drawn is what was computed."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

import tinyspad as ts
from tinyspad import plot
from tinyspad.errors import BadInput, TooManyPaths
from tinyspad.plot.plane import round_levels

beale = ts.functions.beale
XS, YS = np.linspace(-2, 2, 26), np.linspace(-1, 2, 21)


@pytest.fixture(scope="module")
def plane():
    return ts.trace(beale, *np.meshgrid(XS, YS))


def test_arrows_point_down_on_a_descending_grid():
    xs = np.linspace(2, -2, 20)
    (ax, *_) = plot.fields(ts.trace(lambda x, y: x**2 + y**2, *np.meshgrid(xs, xs))).axes
    quiver = arrows(ax)
    assert np.all(np.ravel(quiver.U) * quiver.X <= 1e-12) and np.all(np.ravel(quiver.V) * quiver.Y <= 1e-12)


def arrows(ax):
    (quiver,) = [c for c in ax.collections if hasattr(c, "U")]
    return quiver


def test_contours_are_numbers_that_one_would_say(plane):
    """Each is near a quantile, so that every shade covers as much: 1, 2, 5 where they are decades apart, else two digits."""
    ax = plot.contours(plane, levels=8)
    filled = next(c for c in ax.collections if hasattr(c, "levels"))
    z = beale(*np.meshgrid(XS, YS))
    wanted = np.quantile(z, np.linspace(0, 1, 9))[1:-1]
    assert all(float(f"{level:.2g}") == level for level in filled.levels) and len(filled.levels) >= 5
    assert all(np.min(np.abs(np.log(wanted / level))) <= np.log(2.5) / 2 + 1e-9 for level in filled.levels)
    wide = round_levels(10.0 ** np.linspace(-3, 5, 1001), 8)
    assert set(wide) <= {k * 10.0**n for k in (1, 2, 5) for n in range(-3, 6)} and len(wide) == 7
    labels = [text.get_text() for text in ax.figure.axes[-1].get_yticklabels()]
    assert labels == [f"{level:g}" for level in filled.levels]
    assert round_levels(np.linspace(-1, 1, 1001), 10) == [-0.8, -0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8]
    assert round_levels(np.full(9, 3.0), 10) == []
    assert ax.get_xlim() == (-2, 2) and ax.get_ylim() == (-1, 2)
    flat = plot.contours(ts.trace(lambda x, y: 0 * x * y, *np.meshgrid(XS, YS)), ax=plt.subplots()[1])
    assert not flat.collections


def test_every_field_points_down_its_own_path(plane):
    figure = plot.fields(plane)
    panels = [ax for ax in figure.axes if ax.get_title()]
    assert len(panels) == 1 + 6 + 3
    x, y = np.meshgrid(XS, YS)
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3
    by_hand = [-2 * a, 2 * a * y, -2 * b, 2 * b * y**2, -2 * c, 2 * c * y**3]  # the six terms of d/dx
    by_hand_y = [2 * a * x, 4 * b * x * y, 6 * c * x * y**2]
    shown = [arrows(ax) for ax in panels]
    where = np.ix_(np.searchsorted(YS, np.unique(shown[0].Y)), np.searchsorted(XS, np.unique(shown[0].X)))
    sizes = [np.hypot(sum(by_hand), sum(by_hand_y)), *map(np.abs, by_hand), *map(np.abs, by_hand_y)]
    for quiver, size in zip(shown, sizes):
        np.testing.assert_allclose(np.ravel(quiver.get_array()), np.ravel(size[where]), atol=1e-9)
    for quiver, term in zip(shown[1:7], by_hand):
        u, expected = np.reshape(quiver.U, term[where].shape), -term[where]
        seen = np.isfinite(u) & (np.abs(expected) > 1e-9)
        assert np.all(np.sign(u[seen]) == np.sign(expected[seen])) and not np.any(quiver.V[np.ravel(seen)])
    for quiver, term in zip(shown[7:], by_hand_y):
        v, expected = np.reshape(quiver.V, term[where].shape), -term[where]
        seen = np.isfinite(v) & (np.abs(expected) > 1e-9)
        assert np.all(np.sign(v[seen]) == np.sign(expected[seen])) and not np.any(quiver.U[np.ravel(seen)])


def test_fields_refuse_what_cannot_be_read(plane):
    with pytest.raises(TooManyPaths):
        plot.fields(plane, limit=2)
    with pytest.raises(BadInput, match="10 panels"):
        plot.fields(plane, axes=list(plt.subplots(1, 3)[1]))
    axes = plt.subplots(2, 5)[1]
    assert plot.fields(plane, axes=axes) is axes[0, 0].figure


@pytest.mark.parametrize("draw", [plot.contours, plot.fields, lambda lcg: plot.trajectories({"GD": None}, lcg)])
@pytest.mark.parametrize(
    "other",
    [
        ts.trace(beale, 1.0, 2.0),
        ts.trace(beale, np.ones(4), np.ones(4)),
        ts.trace(beale, *np.random.default_rng(0).normal(size=(2, 4, 4))),
        ts.trace(ts.functions.f1, np.ones((3, 3))),
        beale,
    ],
    ids=["point", "axis", "scattered", "one parameter", "no trace"],
)
def test_a_plane_is_needed(draw, other):
    with pytest.raises(BadInput, match="needs a plane"):
        draw(other)


def test_trajectories_are_the_histories(plane):
    runs = ts.compare(
        beale, (np.array([1.0, -1.0]), np.array([0.5, 1.5])), {"GD": ts.GD(), "RAD": ts.RAD()}, steps=30, rng=0
    )
    figure = plot.trajectories(runs, plane)
    for ax, result in zip(figure.axes, runs.values()):
        for r in range(2):
            way, start, end = ax.lines[3 * r : 3 * r + 3]
            np.testing.assert_array_equal(way.get_xdata(), result.history.x["x"][:, r])
            np.testing.assert_array_equal(way.get_ydata(), result.history.x["y"][:, r])
            assert (start.get_xdata()[0], end.get_ydata()[0]) == (way.get_xdata()[0], result.x[1][r])
    single = ts.compare(beale, (1.0, 1.0), {"GD": ts.GD()}, steps=3)
    assert len(plot.trajectories(single, plane).axes[0].lines) == 3
    with pytest.raises(BadInput, match="no history of x and y"):
        plot.trajectories({"GD": ts.minimize(beale, (1.0, 1.0), steps=3, every=None)}, plane)
    with pytest.raises(BadInput, match="dict of results"):
        plot.trajectories({}, plane)


def test_ledger_bars_are_the_products():
    ledger = ts.trace(beale, 1.0, 2.0).ledger("x")
    ax = plot.ledger(ledger)
    widths = [bar.get_width() for bar in ax.patches]
    np.testing.assert_allclose(widths, [-5, 10, -10.5, 42, -19.25, 154, 171.25])
    shares = [text.get_text() for text in ax.texts]
    assert shares[5] == "154 (64.0%)" and shares[-1] == "171.2"
    with pytest.raises(BadInput, match="trace the function at one point"):
        plot.ledger(ts.trace(beale, np.ones(3), np.ones(3)).ledger("x"))
    many = plot.ledger(ts.trace(lambda x: sum([x] * 40), 1.0).ledger("x", limit=1000))
    assert [bar.get_width() for bar in many.patches] == [1.0] * 30 + [10.0, 40.0]
    assert (
        many.get_yticklabels()[30].get_text() == "the other 10 together" and many.texts[30].get_text() == "10 (25.0%)"
    )
    few = plot.ledger(ts.trace(lambda x: sum([x] * 40), 1.0).ledger("x"), ax=plt.subplots(figsize=(6, 3))[1])
    assert sum(bar.get_width() for bar in few.patches) == 80 and 4 < len(few.patches) < 12
    with pytest.raises(BadInput, match=r"lcg\.ledger"):
        plot.ledger(3)
    plot.ledger(ts.trace(lambda x: 3.0, 1.0).ledger("x"), ax=plt.subplots()[1])


def test_sizes_that_differ_by_decades_are_drawn_by_their_logarithms_and_it_is_said():
    ax = plot.ledger(ts.trace(lambda x: 1e5 * x - 0.2 * x + 3 * x, 1.0).ledger("x"))
    assert ax.get_xscale() == "symlog" and "logarithmic beyond ±0.1" in ax.get_xlabel()
    low, high = ax.get_xlim()
    assert -0.5 < low < -0.2 and high > 1e5
    assert plot.ledger(ts.trace(beale, 1.0, 2.0).ledger("x")).get_xscale() == "linear"
    xs = np.linspace(0.5, 6, 50)
    ax = plot.contributions(ts.trace(lambda x: np.exp(3 * x) - x, xs))
    assert ax.get_yscale() == "symlog" and "logarithmic beyond ±" in ax.get_ylabel()


def test_a_path_of_very_many_is_called_by_its_rank():
    def f(x):
        for _ in range(98):
            x = x + 0.5 * x
        return x

    ax = plot.ledger(ts.trace(f, 1.0).ledger("x", limit=3))
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        *("no. 1 by size", "no. 2 by size", "no. 3 by size", "the other 3.2e29 together", "sum: the gradient")
    ]
    axis = ts.trace(f, np.linspace(0, 1, 9))
    ax = plot.contributions(axis, limit=2)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[-2:] == ["the other 3.2e29 together, 100.0% of all sizes", "sum: the gradient"]
    tops = max(c.get_paths()[0].vertices[:, 1].max() for c in ax.collections)
    assert tops == pytest.approx(1.5**98, rel=1e-9)
    title = plot.laboratory(ts.experiments.laboratory(f, 1.0, estimators={"RAD": ts.RAD()}, draws=9)).get_suptitle()
    assert "paths: 3.2e29 of x" in title


def test_variance_curve_is_the_closed_form():
    """a**2/(1 - eps) + b**2/eps - G**2, on the six terms written out by hand."""
    curve = ts.experiments.variance_curve(beale, 1.0, 2.0, epsilons=[0.1, 0.5, 0.9])
    g = np.array([-5.0, 10.0, -10.5, 42.0, -19.25, 154.0])
    a2, b2, total = 154.0**2, 5 * np.sum(g[:5] ** 2), np.sum(g)
    expected = [a2 / (1 - e) + b2 / e - total**2 for e in (0.1, 0.5, 0.9)]
    np.testing.assert_allclose(curve.spad, expected, rtol=1e-12)
    assert curve.rad == pytest.approx(6 * np.sum(g**2) - total**2)
    assert curve.magnitude == pytest.approx(np.sum(np.abs(g)) ** 2 - total**2)
    assert curve.best == pytest.approx(np.sqrt(b2) / (154 + np.sqrt(b2)))
    assert curve.best_variance == pytest.approx((154 + np.sqrt(b2)) ** 2 - total**2)
    ax = plot.variance_curve(curve)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), curve.spad)
    assert ax.get_title() == "beale at x = 1, y = 2: 6 paths of x"


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: ts.experiments.variance_curve(beale, np.ones(3), np.ones(3)), "one point"),
        (lambda: ts.experiments.variance_curve(lambda x: x**2, 1.0), "1 paths"),
        (lambda: ts.experiments.variance_curve(beale, 1.0, 2.0, epsilons=[0.0]), "between 0 and 1"),
        (lambda: ts.experiments.variance_curve(beale, 1.0, 2.0, param="q"), "no parameter 'q'"),
        (lambda: ts.experiments.variance_curve(lambda: 3.0), "at least one parameter"),
        (lambda: plot.variance_curve(3), "variance_curve returns"),
        (lambda: plot.contours(ts.trace(beale, *np.meshgrid(XS, YS)), levels=1), "levels="),
        (lambda: plot.contours(ts.trace(beale, *np.meshgrid(XS, YS)), levels=[1, 2]), "levels="),
        (lambda: plot.trajectories({"GD": None}, ts.trace(beale, *np.meshgrid(XS, YS))), "no history"),
        (
            lambda: plot.contours(ts.trace(lambda x, y: np.log(-1 - x * x - y * y), *np.meshgrid(XS, YS))),
            "nowhere finite",
        ),
        (lambda: plot.ledger(ts.trace(lambda x: x * np.log(x), 0.0).ledger("x")), "not a finite number"),
        (lambda: plot.memory_accuracy({}), "dict of measurements"),
        (lambda: plot.memory_accuracy({"a": 3}), "not a pair"),
        (lambda: plot.memory_accuracy({"a": ([1, 2], [1])}), "pair up"),
        (lambda: plot.memory_accuracy({"a": (1.0, np.nan)}), "not a finite number"),
    ],
)
def test_bad_input_is_refused(call, says):
    with pytest.raises(BadInput, match=says), np.errstate(all="ignore"):
        call()
    assert plt.get_fignums() == []


def test_memory_accuracy_shows_medians_and_a_dot_for_every_repeat():
    repeats = [2e6, 4e6, 3.5e6], [0.9, 0.8, 0.7]
    ax = plot.memory_accuracy({"exact": repeats, "one": (1e6, 0.7)}, memory="peak allocation")
    dots, median, one = ax.lines
    np.testing.assert_allclose([dots.get_xdata(), dots.get_ydata()], repeats)
    assert (median.get_xdata(), median.get_ydata()) == ([3.5e6], [0.8])
    assert (one.get_xdata(), one.get_ydata()) == ([1e6], [0.7])
    assert dots.get_color() == median.get_color() != one.get_color()
    assert ax.get_xlabel() == "memory: peak allocation"


def test_equal_variances_have_a_linear_axis():
    """Two equal terms: magnitude sampling has no variance, which a logarithm could not show."""
    ax = plot.variance_curve(ts.experiments.variance_curve(lambda x: x * x, 3.0))
    assert ax.get_yscale() == "linear"
