"""The estimator laboratory: exact numbers by hand, draws that agree with them, and its pictures."""

import csv
import html
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest

import tinyspad as ts
from tinyspad import plot
from tinyspad.errors import BadInput
from tinyspad.experiments import laboratory
from tinyspad.expression import parse

f1 = ts.functions.f1


def test_the_numbers_of_f1_by_hand():
    lab = laboratory(f1, 5.0, draws=4000)
    g1, g2 = ts.trace(f1, 5.0).path_gradients("x")
    rad, normalised, spad = lab.rows["RAD"], lab.rows["RAD, normalised"], lab.rows["SPAD"]
    assert rad.bias == pytest.approx(abs(g1 + g2) / 2) and rad.variance == pytest.approx((g1 - g2) ** 2 / 4)
    assert normalised.bias == pytest.approx(0.0, abs=1e-12) and normalised.variance == pytest.approx((g1 - g2) ** 2)
    assert (spad.bias, spad.variance) == (pytest.approx(g1), 0.0)
    assert rad.cost == (3, 3) and lab.gradient_cost == 6 and rad.variance_times_cost == pytest.approx(3 * rad.variance)
    assert rad.error(6) == pytest.approx(np.sqrt(rad.bias**2 + rad.variance / 2))
    assert lab.rows["Magnitude"].variance == pytest.approx((abs(g1) + abs(g2)) ** 2 - (g1 + g2) ** 2)
    assert any(name.startswith("SPAD, best eps") for name in lab.rows)


@pytest.mark.parametrize(
    ("f", "point"),
    [
        (f1, (5.0,)),
        (ts.functions.beale, (1.0, 2.0)),
        (f1, (np.linspace(0.1, 6.0, 5),)),
        (lambda x: np.abs(x) * x, (-2.0,)),
    ],
    ids=["f1", "beale", "axis", "kink"],
)
def test_the_draws_agree_with_the_exact_numbers(f, point):
    lab = laboratory(f, *point, draws=4000)
    assert not lab.left_out
    for row in lab.rows.values():
        assert np.all(row.z < 5)
        # The error is itself estimated, and vanishes to first order for a fair coin: then 1 / draws is what is left.
        slack = 6 * row.drawn_error + 10 * row.variance / lab.draws + 1e-12
        assert np.all(np.abs(row.drawn_variance - row.variance) <= slack)


def test_functions_that_take_no_arrays_are_drawn_from_one_by_one():
    def branching(x):
        return x * x * x if x > 0 else x * x

    lab = laboratory(branching, 2.0, draws=200, estimators={"RAD": ts.RAD(), "GD": ts.GD()})
    assert lab.rows["RAD"].variance == 0.0 and lab.rows["RAD"].bias == pytest.approx(8.0)


def test_every_number_of_an_array_draws_for_itself():
    lab = laboratory(lambda w: np.sum(w * w) + w[0] ** 3, np.array([0.5, -1.0]), draws=2000)
    first, second = [0.5, 0.5, 0.75], [-1.0, -1.0]  # of w[0] and of w[1]
    assert lab.rows["RAD, normalised"].variance == pytest.approx(
        np.var(3 * np.array(first)) + np.var(2 * np.array(second))
    )
    assert lab.rows["RAD, normalised"].z < 5 and not lab.left_out
    assert lab.title.endswith("paths: 2 to 3 of each number of w; 2000 draws, seed 0")


def test_what_would_need_too_many_paths_is_left_out_with_the_reason():
    def chain(x):
        for _ in range(40):
            x = 0.6 * x + 0.5 * x
        return x

    lab = laboratory(chain, 1.0, draws=50)
    assert list(lab.left_out) == ["NearestPath"] and "paths" in lab.left_out["NearestPath"]
    assert "NearestPath is left out" in str(lab)


def test_rows_do_not_depend_on_which_others_are_there():
    few = laboratory(f1, 5.0, draws=100, estimators={"RAD": ts.RAD()})
    more = laboratory(f1, 5.0, draws=100, estimators={"GD": ts.GD(), "RAD": ts.RAD()})
    assert few.rows["RAD"] == more.rows["RAD"]


def test_one_sweep_serves_all_parameters():
    lab = laboratory(ts.functions.beale, 1.0, 2.0, draws=50)
    lcg = ts.trace(ts.functions.beale, 1.0, 2.0)
    operations = sum(len(lcg.reads(entry)) for entry in lcg.single_access.entries)
    assert lab.gradient_cost == lab.rows["GD"].cost.multiplications == operations
    assert lab.rows["SPAD"].cost.held == operations


def test_held_draws_are_no_independent_draws():
    """The mean over the steps of one hold has the error of one draw, however many steps there are."""
    lab = laboratory(f1, 5.0, draws=100, estimators={"h": ts.RAD(normalize=True, hold=50), "n": ts.RAD(normalize=True)})
    held, fresh = lab.rows["h"], lab.rows["n"]
    steps = 200
    assert held.error(steps * held.cost.multiplications) == pytest.approx(np.sqrt(50) * fresh.error(steps * 3))
    rng, lcg, means = np.random.default_rng(0), ts.trace(f1, 5.0), []
    for _ in range(300):
        state, total = None, 0.0
        for _ in range(steps):
            gradient, _, state = held.estimator.draw(lcg, "x", state, rng)
            total += gradient
        means.append(total / steps)
    measured = np.sqrt(np.mean((np.array(means) - lcg.gradient()["x"]) ** 2))
    assert measured == pytest.approx(held.error(steps * 3), rel=0.25)


def test_what_is_no_number_is_not_called_zero():
    with np.errstate(all="ignore"):
        lab = laboratory(lambda x: x * np.log(x), 0.0, draws=10)
    assert np.isnan(lab.rows["GD"].bias) and lab.table()[0][1] == "nan"


def test_single_precision_is_no_error():
    lab = laboratory(f1, np.float32(5.0), draws=500)
    assert all(row.z < 5 for row in lab.rows.values())


@pytest.mark.parametrize("f", [lambda x: x, lambda x: 3.0, lambda x: 2 * x])
def test_functions_without_anything_to_choose(f):
    lab = laboratory(f, 1.0, draws=10)
    assert all(row.variance == 0 and row.bias == pytest.approx(0.0, abs=1e-12) for row in lab.rows.values())
    assert str(lab) and plot.laboratory(lab)


def test_estimators_of_ones_own():
    class Duck:
        def init(self):
            return None

        def draw(self, lcg, param, state, rng):
            return lcg.adjoint(param), -1, None

    class Silent(ts.Estimator):
        pass

    class Half(ts.Estimator):
        def draw(self, lcg, param, state, rng):
            return 0.5 * lcg.path_gradient(param, 0), 0, None

        def probabilities(self, lcg, param):
            return np.eye(lcg.count_paths(param))[0]

        def cost(self, lcg, param=None):
            return ts.GD().cost(lcg, param)

    chosen = {"duck": Duck(), "silent": Silent(), "class": ts.RAD, 3: ts.GD(), "half": Half()}
    lab = laboratory(f1, 5.0, draws=10, estimators=chosen)
    assert list(lab.left_out) == ["duck", "silent", "class"] and "ts.Estimator" in lab.left_out["duck"]
    assert "Silent does not say its probabilities" in lab.left_out["silent"] and str(lab)
    assert lab.rows["half"].z > 5  # it says that it follows path 0, and follows half of it


def test_the_table_in_three_forms():
    lab = laboratory(f1, 5.0, draws=50)
    rows = list(csv.reader(lab.to_csv().splitlines()))
    assert rows[0] == list(ts.experiments.COLUMNS) and len(rows) == 1 + len(lab.rows)
    assert lab.to_markdown().count("\n") == 1 + len(lab.rows)
    assert "f1 at x = 5; paths: 2 of x; 50 draws, seed 0" in str(lab)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: laboratory(f1, 5.0, draws=1), "draws is a whole number"),
        (lambda: laboratory(f1, 5.0, draws=2.5), "draws is a whole number"),
        (lambda: laboratory(f1, 5.0, estimators={}), "estimators is a dict"),
        (lambda: laboratory(f1), "1 argument"),
        (lambda: laboratory(f1, 5.0, estimators=[ts.RAD()]), "estimators is a dict"),
        (lambda: laboratory(f1, np.zeros(0)), "no points"),
        (lambda: laboratory(f1, 5.0, rng="x"), "rng= is"),
        (lambda: plot.laboratory(laboratory(f1, np.ones((2, 3)), draws=9)), "along an axis"),
        (lambda: plot.laboratory(laboratory(f1, 5.0, draws=9), axes=3), "panels"),
        (lambda: plot.laboratory({"RAD": 1}), "plot.laboratory takes"),
        (lambda: plot.laboratory(laboratory(f1, 5.0, draws=9), axes=plt.subplots(ncols=2)[1]), "3 panels"),
    ],
)
def test_requests_without_meaning_are_refused(ask, says):
    with pytest.raises(BadInput, match=says):
        ask()


def test_the_pictures_show_every_estimator():
    point = plot.laboratory(laboratory(f1, 5.0, draws=50))
    names = [text.get_text() for text in point.axes[0].get_yticklabels()]
    assert names == list(laboratory(f1, 5.0, draws=50).rows)
    estimators = {"RAD": ts.RAD(), "Magnitude": ts.Magnitude()}
    lab = laboratory(f1, np.linspace(0, 6, 31), estimators=estimators, draws=50)
    axis = plot.laboratory(lab)
    np.testing.assert_allclose(axis.axes[1].lines[0].get_ydata(), np.sqrt(lab.rows["RAD"].variance))
    assert [text.get_text() for text in axis.legends[0].get_texts()] == ["RAD", "Magnitude", "50 draws, ± 2 s.e."]
    still = laboratory(ts.functions.beale, np.ones(9), np.linspace(0, 2, 9), estimators=estimators, draws=9)
    assert plot.laboratory(still).axes[1].get_xlabel() == "y"


def every_way(learning_rate, λ):
    for k in range(10):
        learning_rate = np.sin(learning_rate) * λ + learning_rate / (k + 1)
    return learning_rate


@pytest.mark.parametrize("f", [lambda x: x * x * x, every_way], ids=["3", "30"])
def test_a_laboratory_shows_itself_in_short(f):
    point = (0.5,) if f is not every_way else (0.5, 0.7)
    lab = laboratory(f, *point, draws=9)
    assert len(repr(lab)) < 300 and repr(lab).startswith("<Laboratory of 1")
    shown = lab._repr_html_()
    assert shown.count("<tr>") == 1 + len(lab.rows) and "color" not in shown and html.escape("&lt;") not in shown
    assert f"of {list(lab.point)[-1]}" in shown


def test_a_laboratory_with_a_long_formula_and_many_variables_is_told_in_short():
    text = "+".join(f"variable_number_{i}**2*sin(variable_number_{i})" for i in range(30))
    f = parse(text)
    lab = replace(laboratory(f, *np.ones(30), draws=9, estimators={"RAD": ts.RAD()}), function=text)
    assert len(repr(lab)) < 300 and "and 26 more" in repr(lab)
    title = plot.laboratory(lab).get_suptitle()
    assert max(map(len, title.split("\n"))) <= 150 and "9 draws, seed 0" in title


@pytest.mark.parametrize("draws", [60])
def test_the_title_of_a_laboratory_fits_its_figure(draws):
    for lab in (
        laboratory(every_way, 0.5, 0.7, draws=draws),
        laboratory(every_way, np.linspace(0, 1, 9), np.full(9, 0.7), draws=draws),
    ):
        figure = plot.laboratory(lab)
        figure.canvas.draw()
        title = figure._suptitle.get_window_extent()
        assert title.x0 >= 0 and title.x1 <= figure.bbox.width
        axes = [ax.get_tightbbox() for ax in figure.axes]
        assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in axes)
        names = [ax.xaxis.label.get_window_extent() for ax in figure.axes if ax.get_xlabel()]
        assert not any(a.overlaps(b) for i, a in enumerate(names) for b in names[:i])
