"""Rates that a re-implementation in JAX and NumPy, which shares no code with tinyspad, found; here are the committed ones.

Each was noted of 1000 other starts: two samples of one rate are 3.3 standard errors apart at most (p = 0.001).
"""

from pathlib import Path

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.experiments import Sensitivity, escape_map, sensitivity, shares
from tinyspad.experiments.sensitivity import METHODS, Reading, readings
from tinyspad.experiments.shares import single_rules

FILE = Path(__file__).parent.parent / "figures" / "data" / "sensitivity.csv"
FOUR = ("GD", "RAD", "k_max 5", "k_max 50")
CURVE = METHODS[2:]
PICKED = {(r.function, r.optimizer, r.start): r.picked for r in readings() if r.picked}


@pytest.fixture(scope="module")
def committed():
    return Sensitivity.from_csv(FILE.read_text(encoding="utf-8"))


def apart(found, noted, runs=1000):
    """By how many standard errors of a difference two rates in percent differ."""
    p = max((found + noted) / 200, 0.002)
    return abs(found - noted) / (100 * np.sqrt(2 * p * (1 - p) / runs)) if p < 1 else 0.0


NOTED = [
    # function, writing, optimizer, rate, start, criterion, tolerance, methods, percent; a pair is the span of several sets
    ("beale", "products", "Adam", 0.01, "[-2, 2]^2", "value", 0.05, FOUR, ((62, 68), (48, 53), (64, 68), (67, 72))),
    ("beale", "products", "Adam", 0.01, "[-2, 2]^2", "value", 0.01, FOUR, ((54, 59), 31, (63, 65), (63, 66))),
    ("beale", "powers", "Adam", 0.01, "[-2, 2]^2", "value", 0.05, FOUR, ((63, 68), (49, 51), (54, 57), (50, 54))),
    ("beale", "products", "Adam", 0.01, "[-2, 2]^2", "value", 0.05, CURVE, (62.7, 66.6, 68.2, 69.3, 69.9, 67.8, 62.5)),
    ("beale", "powers", "Adam", 0.01, "[-2, 2]^2", "value", 0.05, CURVE, (55.2, 55.2, 55.4, 55.8, 51.7, 41.9, 38.6)),
    ("beale", "products", "Adam", 0.1, "N(0, 1.5)^2", "value", 0.05, FOUR, (68.1, 66.8, 68.9, 74.6)),
    ("beale", "products", "Adam by path", 0.01, "usual box", "value", 0.05, FOUR, (24.8, 12.7, 39.1, 38.1)),
    ("schaffer2", "powers", "Adam", 0.1, "[-3.5, 3.5]^2", "distance", 0.05, FOUR, (15.0, 10.4, 10.7, 12.3)),
    ("schaffer2", "powers", "Adam", 0.1, "[-3.5, 3.5]^2", "distance", 0.01, FOUR, (12.1, 8.0, 9.8, 10.4)),
    ("schaffer2", "powers", "SGD", 0.1, "[-25, 25]^2", "value", 0.01, FOUR, (14.0, 7.5, 14.8, 14.7)),
    ("schaffer2", "powers", "SGD", 0.1, "[-25, 25]^2", "value", 0.05, FOUR, (14.1, 7.6, 14.9, 14.8)),
    ("schaffer2", "powers", "SGD", 0.1, "[-25, 25]^2", "distance", 0.05, FOUR, (0, 0, 0, 0)),
    ("schaffer2", "powers", "Adam by path", 0.01, "[-18, 18]^2", "value", 0.05, FOUR, (14.1, 8.7, 15.3, 11.3)),
    ("ackley", "sum", "Adam", 0.01, "[-0.5, 0.5]^2", "value", 0.05, FOUR, (100, 99.6, 100, 100)),
    ("ackley", "sum", "Adam by path", 0.01, "[-2, 2]^2", "value", 0.05, ("k_max 50",), (100,)),
    ("ackley", "sum", "Adam by path", 0.01, "usual box", "value", 0.05, ("k_max 50",), (100,)),
    ("ackley", "sum", "Adam", 0.01, "[-2, 2]^2", "value", 0.05, ("GD",), (13.2,)),
    ("ackley", "sum", "Adam", 0.01, "usual box", "value", 0.05, ("GD",), (1.4,)),
    ("levi", "powers", "Adam by path", 0.01, "usual box", "value", 0.05, ("k_max 50",), (9.7,)),
    ("levi", "powers", "Adam", 0.01, "[-2, 2]^2", "value", 0.05, ("GD",), (3.9,)),
    ("levi", "powers", "Adam", 0.01, "usual box", "value", 0.05, ("GD",), (0.1,)),
    ("schaffer2", "powers", "Adam", 0.01, "usual box", "value", 0.05, ("GD",), (0.3,)),
]


@pytest.mark.parametrize("noted", NOTED, ids=lambda row: ", ".join(map(str, row[:7])))
def test_committed_rates_are_those_noted_elsewhere(committed, noted):
    function, writing, optimizer, rate, start, criterion, tolerance, methods, percent = noted
    reading = Reading(function, writing, optimizer, rate, start, PICKED.get((function, optimizer, start), ""))
    keys = {**reading._asdict(), "selection": "largest of all N", "criterion": criterion, "tolerance": tolerance}
    (row,) = [r for r in committed.rows if all(r[name] == value for name, value in keys.items())]
    for method, told in zip(methods, percent, strict=True):
        low, high = told if isinstance(told, tuple) else (told, told)
        found = 100 * row[method] / row["runs"]
        assert low <= found <= high or min(apart(found, low), apart(found, high)) < 3.3, (method, found, told)


def test_the_papers_ordering_on_beale_appears_by_products_and_by_no_power(committed):
    for writing, best in (("products", "k_max 50"), ("powers", "GD")):
        keys = {"writing": writing, "optimizer": "Adam", "rate": 0.01, "start": "[-2, 2]^2", "criterion": "value"}
        keys |= {"function": "beale", "selection": "largest of all N", "tolerance": 0.05}
        (row,) = [r for r in committed.rows if all(r[name] == value for name, value in keys.items())]
        assert max(FOUR, key=row.get) == best and min(FOUR, key=row.get) == "RAD"


def test_no_single_rule_gives_all_32_cells(committed):
    """Noted: at most 18 by one rule for all, of 231 settings from 75 starts, and 22 where each function starts elsewhere.

    Here fewer, as the starts are six, and as a cell is met within the error of two samples.
    """
    assert 5 <= single_rules(committed)[0][0] <= 18 and 10 <= single_rules(committed, own_start=True)[0][0] <= 22
    assert set(committed.readings) <= set(readings()) and len(committed.readings) >= 288
    assert shares(committed).counts[0, 0] == 0  # on Ackley no setting has the exact gradient in front


def test_a_state_for_each_path_leaves_f1s_trap():
    """Fresh uniform draws from x = 5; 67, 98 and 100 % leave it at 0.01, 0.03 and 0.1; none, 69 to 72, and all arrive."""
    by_path = ts.Adam(moments="path")
    found = escape_map(rates=(0.01, 0.03, 0.1), k_max=(1,), runs=1000, optimizer=by_path)
    left, arrived = 100 * found.success[0, :, 0, 0, 1], 100 * found.success[0, :, 0, 0, 0]
    assert all(apart(rate, noted) < 3.3 for rate, noted in zip(left, (67, 98, 100)))
    assert arrived[0] == 0 and 69 - 4.7 < arrived[1] < 72 + 4.7 and arrived[2] == 100  # 3.3 standard errors


@pytest.mark.parametrize("steps, percent", [(5000, 11), pytest.param(20_000, 88, marks=pytest.mark.slow)])
def test_a_state_for_each_path_arrives_at_f1s_minimum_in_time(steps, percent):
    found = escape_map(rates=(0.01,), k_max=(1,), runs=1000, steps=steps, optimizer=ts.Adam(moments="path"))
    assert apart(100 * found.success[0, 0, 0, 0, 0], percent) < 3.3


@pytest.mark.parametrize("number, ratio", [(2, 2.778), (3, 4.568), (6, 6.975)])
def test_almost_dirac_is_at_most_so_much_worse_than_uniform(number, ratio):
    """((N - 1)^2 / eps + 1 / (1 - eps)) / N^2, eps = 0.1, where all sizes are equal; less where they are not."""
    dirac, uniform = ts.SPAD(epsilon=0.1, normalize=True), ts.RAD(normalize=True)

    def worse(*sizes):
        lcg = ts.trace(lambda x: sum((size * x for size in sizes[1:]), sizes[0] * x), 1.0)
        return dirac.second_moment(lcg, "x") / uniform.second_moment(lcg, "x")

    assert worse(*[1.0] * number) == pytest.approx(ratio, abs=5e-4)
    rng = np.random.default_rng(0)
    assert all(worse(*rng.normal(size=number)) < ratio for _ in range(20))


SOME = [
    Reading("ackley", "sum", "Adam by path", 0.01, "[-2, 2]^2"),
    Reading("schaffer2", "all-products", "SGD", 0.1, "[-2, 2]^2"),
    Reading("levi", "powers", "Adam", 0.1, "N(0, 1)^2"),
    next(r for r in readings() if r.start == "[-3.5, 3.5]^2"),
]


@pytest.mark.slow
@pytest.mark.committed
@pytest.mark.parametrize("reading", SOME, ids=lambda r: ", ".join(map(str, r)))
def test_committed_rows_are_what_the_command_finds(committed, reading):
    """On another machine a run may part from its way: two standard errors of a rate, and at 0 and 100 % those of one run."""
    old = [row for row in committed.rows if Reading(*(row[name] for name in Reading._fields)) == reading]
    new = sensitivity([reading]).rows
    assert len(old) == len(new) == 16
    for then, now in zip(old, new):
        assert [then[name] for name in ("selection", "criterion", "tolerance")] == [
            now[name] for name in ("selection", "criterion", "tolerance")
        ]
        for name in METHODS:
            if then[name] is None:
                assert now[name] is None
                continue
            p = then[name] / 1000
            assert abs(then[name] - now[name]) <= 2000 * np.sqrt((p * (1 - p) + 0.001) / 1000), (name, then, now)
