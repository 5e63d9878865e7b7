"""What is drawn in every committed figure is what its command draws now; and how that is written down."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image
from matplotlib import pyplot as plt

from tinyspad import plot

ROOT = Path(__file__).parent.parent / "figures"

COUNTED = {"figure7": 2.0, "escape": 6.0, "tables": 2.0}
"""Figures of success rates in percent: rounding, which differs between machines, may turn a run or two."""

LONG = {"figure3", "trajectories_ackley"}
"""Thousands of steps: rounding may grow on the way, and a run in a hundred may part."""


def numbers(data):
    """Every number in nested lists and dicts, but not in texts, in order; None is NaN."""
    if isinstance(data, dict):
        return [x for key, value in data.items() if key not in ("texts", "label") for x in numbers(value)]
    if isinstance(data, list):
        return [x for value in data for x in numbers(value)]
    return [np.nan if data is None else float(data)]


def texts(data):
    """All texts, without the numbers in them."""
    found = []
    for ax in data:
        found += ax["texts"] + [line["label"] for line in ax["lines"]]
    return [re.sub(r"-?[\d.]+(e-?\d+)?", "#", text) for text in found]


@pytest.mark.parametrize("name", plot.FIGURES)
def test_fresh_data_are_the_committed_ones(name):
    committed = json.loads((ROOT / "data" / f"{name}.json").read_text(encoding="utf-8"))
    fresh = json.loads(json.dumps(plot.data_of(plot.FIGURES[name]())))
    assert texts(fresh) == texts(committed)
    old, new = np.array(numbers(committed)), np.array(numbers(fresh))
    assert (old.shape == new.shape and len(old) > 0) or name == "code_f1"
    apart = np.abs(old - new)
    assert np.array_equal(np.isnan(old), np.isnan(new))
    if name in COUNTED:
        assert np.nanmax(apart) <= COUNTED[name]
    elif name in LONG:
        assert np.mean(np.nan_to_num(apart) > 1e-3 * (1 + np.abs(np.nan_to_num(old)))) < 0.01
    else:
        np.testing.assert_allclose(new, old, rtol=1e-4, atol=1e-4)


def test_every_picture_has_its_data():
    assert {p.stem for p in ROOT.glob("*.png")} == {p.stem for p in (ROOT / "data").glob("*.json")} == set(plot.FIGURES)
    for name in plot.FIGURES:
        height, width = image.imread(ROOT / f"{name}.png").shape[:2]
        assert height > 200 and width > 500


def test_a_changed_number_would_be_seen():
    figure, ax = plt.subplots()
    ax.plot([0, 1], [1, np.nan], label="a")
    ax.barh([0], [3.0])
    ax.imshow([[1.0, 2.0]])
    ax.contourf([[0, 1], [2, 3]], levels=[0, 1, 3])
    ax.quiver([0], [0], [1.5], [2.5])
    ax.fill_between([0, 1], [0, 0], [1, 7.25])
    ax.scatter([1, 2], [3, 4])
    (data,) = plot.data_of(figure)
    assert data["lines"] == [{"label": "a", "x": [0.0, 1.0], "y": [1.0, None]}] and data["levels"] == [[0.0, 1.0, 3.0]]
    assert data["arrows"] == [[[1.5], [2.5]]] and data["images"] == [[[1.0, 2.0]]] and data["bars"][0][2] == 3.0
    assert data["points"] == [[[1.0, 3.0], [2.0, 4.0]]] and 7.25 in numbers(data["areas"])
    assert json.loads(json.dumps(data)) == data
