"""What long trainings leave for the report: by method the ends of its repeats, and differences that are paired by repeat."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import BadInput
from ..experiments import NetworkRuns
from ..table import Interval
from .claim import Numbers, table

BASELINE, SAME, SPAD, HELD_LONG = "baseline", "RAD, same", "SPAD, k_max 10, m 10", "SPAD, k_max 1000, m 10"
DROPOUT, SMALL = "dropout 10 %", "small batch"


def kept_runs(folder: Path, name: str) -> NetworkRuns:
    """The results that ``networks`` left under a name. Raises BadInput where there are none, with the command for them."""
    file = folder / f"networks_{name}.json"
    if not file.exists():
        command = f"python -m tinyspad networks {name.replace('_', ' --preset ')}"
        raise BadInput(f"{file} is not there: run `{command}` first, or from the repository's top.")
    return NetworkRuns.from_json(file.read_text(encoding="utf-8"))


def numbers_of(runs: NetworkRuns) -> Numbers:
    """The ends of runs and their differences, by method."""
    return {
        "iterations": runs.iterations,
        "repeats": runs.repeats,
        "rows": {name: _row(runs, name) for name in runs.runs},
    }


def _row(runs: NetworkRuns, name: str) -> Numbers:
    whole = runs.memory[BASELINE]
    return {
        "accuracies": [round(x, 4) for x in runs.ends(name).tolist()],
        "test loss": round(float(np.median(runs.ends(name, "test_loss"))), 4),
        "train loss": round(float(np.median(runs.ends(name, "train_loss"))), 4),
        "less baseline": _triple(runs.difference(name)),
        "less RAD": _triple(runs.difference(name, SAME)),
        "less small batch": _triple(runs.difference(name, SMALL)),
        "test loss less baseline": _triple(runs.difference(name, column="test_loss")),
        "memory": {kind: round(runs.memory[name][kind] / whole[kind], 3) for kind in ("held", "allocated")},
    }


def _triple(apart: Interval) -> list[float | None]:
    """A mean difference and the ends of its interval, None where they are infinite."""
    return [round(x, 5) if np.isfinite(x) else None for x in apart]


def accuracy(row: Numbers) -> float:
    """The median over a method's repeats."""
    return float(np.median(row["accuracies"]))


def not_above(triple: list[float | None]) -> bool:
    """Whether a difference is not shown to be above zero: its interval reaches down to it, or there is none."""
    return triple[1] is None or triple[1] <= 0


def told_runs(found: Numbers) -> str:
    """A table of methods."""
    head = ("method", "repeats", "test accuracy", "less the baseline's", "less RAD's (same)", "test loss", "train loss")
    rows = [
        [
            name,
            len(row["accuracies"]),
            f"{accuracy(row):.2%}",
            "" if name == BASELINE else _told(row["less baseline"]),
            "" if name == SAME else _told(row["less RAD"]),
            f"{row['test loss']:.3f}",
            f"{row['train loss']:.4f}",
            f"{row['memory']['held']:.0%}",
            f"{row['memory']['allocated']:.0%}",
        ]
        for name, row in found["rows"].items()
    ]
    return table((*head, "held", "allocated"), rows)


def _told(triple: list[float | None]) -> str:
    value, low, high = triple
    ends = "" if low is None or high is None else f" ({low:+.2%} to {high:+.2%})"
    return f"{value:+.2%}{ends}"


PAIRED = (
    "Medians over the repeats; differences are paired by repeat, whose start, bootstrapped images and batches all methods "
    "share, with Student's 95 % interval where there are two or more. Of few repeats intervals are wide, of one there is "
    "none: half a percent is no difference then."
)
