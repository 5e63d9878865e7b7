"""The estimator laboratory: exact numbers by hand, draws that agree with them, and its pictures."""

import csv

import matplotlib.pyplot as plt
import numpy as np
import pytest

import tinyspad as ts
from tinyspad import plot
from tinyspad.errors import BadInput
from tinyspad.experiments import laboratory

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


def test_parameters_that_are_arrays_count_as_a_whole():
    lab = laboratory(lambda w: np.sum(w * w) + w[0] ** 3, np.array([0.5, -1.0]), draws=2000)
    g = ts.trace(lambda w: np.sum(w * w) + w[0] ** 3, np.array([0.5, -1.0])).path_gradients("w")
    assert lab.rows["RAD, normalised"].variance == pytest.approx(np.sum(np.var(3 * g, axis=0)))
    assert lab.rows["RAD, normalised"].z < 5 and not lab.left_out


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
    more = laboratory(f1, 5.0, draws=100, estimators={"RAD": ts.RAD(), "GD": ts.GD()})
    assert few.rows["RAD"] == more.rows["RAD"]


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
    assert [text.get_text() for text in axis.axes[0].get_legend().get_texts()] == ["RAD", "Magnitude"]
