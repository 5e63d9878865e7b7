"""What is drawn in every committed figure is what its command draws now; and how that is written down."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image
from matplotlib import pyplot as plt

from tinyspad import plot
from tinyspad.experiments import TASKS, NetworkRuns
from tinyspad.plot import figures

ROOT = Path(__file__).parent.parent / "figures"

COUNTED = {"figure7": 2.0, "escape": 6.0, "tables": 2.0}
"""Figures of success rates in percent: rounding, which differs between machines, may turn a run or two."""

LONG = {"figure3", "trajectories_ackley"}
"""Thousands of steps: rounding may grow on the way, and a run in a hundred may part."""


def numbers(data):
    """Every number in nested lists and dicts, those in texts, too, in order; None is NaN."""
    if isinstance(data, dict):
        return [x for value in data.values() for x in numbers(value)]
    if isinstance(data, list):
        return [x for value in data for x in numbers(value)]
    if isinstance(data, str):
        return [float(x) for x in NUMBER.findall(data)]
    return [np.nan if data is None else float(data)]


NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def texts(data):
    """All texts, without the numbers in them."""
    found = []
    for ax in data:
        found += ax["texts"] + [line["label"] for line in ax["lines"]]
    return [NUMBER.sub("#", text) for text in found]


def compare(name, fresh, committed):
    """Raise AssertionError unless what is drawn is the same, to the tolerance of this figure."""
    assert texts(fresh) == texts(committed)
    old, new = np.array(numbers(committed)), np.array(numbers(fresh))
    assert old.shape == new.shape and len(old) > 0
    assert np.array_equal(np.isnan(old), np.isnan(new))
    off = np.nan_to_num(np.abs(old - new)) > 1e-4 * (1 + np.abs(np.nan_to_num(old)))
    if name in COUNTED:
        assert np.nanmax(np.abs(old - new)) <= COUNTED[name] and np.mean(off) < 0.1
    elif name in LONG:
        assert np.mean(off) < 0.01
    else:
        assert not np.any(off)


@pytest.mark.parametrize("name", plot.FIGURES)
def test_fresh_data_are_the_committed_ones(name):
    committed = json.loads((ROOT / "data" / f"{name}.json").read_text(encoding="utf-8"))
    compare(name, json.loads(json.dumps(plot.data_of(plot.FIGURES[name]()))), committed)


@pytest.mark.parametrize("name", ["f1_graph", "step", "code_f1", "figure2", "f1_contributions"])
def test_another_function_would_be_seen(name, monkeypatch):
    """The same program with another number in it: only numbers change, some of them in texts alone."""
    committed = json.loads((ROOT / "data" / f"{name}.json").read_text(encoding="utf-8"))
    monkeypatch.setattr(figures.functions, "f1", lambda x: x**2 * (2 + np.cos(5 * x)))
    with pytest.raises(AssertionError):
        compare(name, plot.data_of(plot.FIGURES[name]()), committed)


def test_zeroed_rates_would_be_seen():
    committed = json.loads((ROOT / "data" / "tables.json").read_text(encoding="utf-8"))
    zeroed = json.loads(re.sub(r"(?<=[\[,:])[01]\.\d+", "0.0", json.dumps(committed, separators=(",", ":"))))
    with pytest.raises(AssertionError):
        compare("tables", zeroed, committed)


def test_every_picture_has_its_data():
    pictures, data = ({p.stem for p in files} for files in (ROOT.glob("*.png"), (ROOT / "data").glob("*.json")))
    long = {name for name in pictures | data if name.startswith("networks_")} | {"white_box", "reproduction"}
    assert pictures - long == data - long == set(plot.FIGURES)
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


# --- results of long runs, which no test repeats --------------------------------------------------------------------


@pytest.mark.parametrize("task", ["fashion-fc", "fashion-conv"])
def test_network_results_are_whole_and_the_readme_tells_them(task):
    runs = NetworkRuns.from_json((ROOT / "data" / f"networks_{task}.json").read_text(encoding="utf-8"))
    assert runs.task == task and runs.iterations == TASKS[task].iterations
    assert (ROOT / "data" / f"networks_{task}.csv").read_text(encoding="utf-8") == runs.to_csv()
    for repeats in runs.runs.values():
        assert all(run.status == "done" and run.iteration[-1] == runs.iterations for run in repeats)
    readme = (ROOT.parent / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index(f"**{task}**") :]
    rows = [line for line in table[: table.index("\n\n", table.index("|---"))].splitlines() if line.startswith("| ")][
        1:
    ]
    assert [row.split("|")[1].strip() for row in rows] == list(runs.runs)
    first = runs.memory["baseline"]
    for row in rows:
        name, *told = (cell.strip() for cell in row.strip("|").split("|"))
        ends = [
            np.mean([getattr(run, c)[-1] for run in runs.runs[name]])
            for c in ("test_accuracy", "test_loss", "train_loss")
        ]
        shares = [runs.memory[name][kind] / first[kind] for kind in ("held", "allocated", "resident")]
        expected = [f"{ends[0]:.1%}", f"{ends[1]:.3f}", f"{ends[2]:.3f}", *(f"{share:.0%}" for share in shares)]
        assert told[:6] == expected, name
    for kind in ("curves", "memory"):
        assert image.imread(ROOT / f"networks_{task}_{kind}.png").size > 0
