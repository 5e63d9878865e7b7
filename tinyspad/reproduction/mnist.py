"""Section III-B on MNIST itself: every method at the rates of RAD's authors, and at one rate for all."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import BadInput
from ..experiments import METHODS, NetworkRuns, learning_curves
from ..table import Interval
from .claim import CONDITIONS, Claim, Numbers, Setting, table

RATES = {"rad-mnist": "at the rates that RAD's authors released", "common": "at one rate, 5.27e-4 without weight decay"}
BASELINE, SAME, SPAD, HELD_LONG = "baseline", "RAD, same", "SPAD, k_max 10, m 10", "SPAD, k_max 1000, m 10"


def measure_mnist(setting: Setting) -> Numbers:
    """By preset and method, the ends of the repeats, and paired differences; of presets in which each method has a run."""
    found: Numbers = {"task": "glyphs-fc" if setting.small else "mnist-fc", "presets": {}, "unfinished": []}
    for preset in RATES:
        file = setting.folder / f"networks_mnist-fc_{preset}.json"
        if setting.small:
            shown = [BASELINE, SAME, SPAD, HELD_LONG, "small batch"]
            runs = learning_curves("glyphs-fc", shown, preset=preset, iterations=30, records=1, repeats=2)
        elif file.exists():
            runs = NetworkRuns.from_json(file.read_text(encoding="utf-8"))
        if not setting.small and (not file.exists() or set(runs.runs) < set(METHODS)):
            found["unfinished"].append(preset)
            continue
        rows = {name: _row(runs, name) for name in runs.runs}
        found["presets"][preset] = {"iterations": runs.iterations, "repeats": runs.repeats, "rows": rows}
    if not found["presets"]:
        raise BadInput(
            f"{setting.folder} has no results of MNIST: run `python -m tinyspad networks mnist-fc --preset rad-mnist` "
            "first, or from the repository's top."
        )
    return found


def _row(runs: NetworkRuns, name: str) -> Numbers:
    ends = {column: runs.ends(name, column) for column in ("test_accuracy", "test_loss", "train_loss")}
    best = [float(run.test_loss.min()) for run in runs.runs[name]]
    whole = runs.memory[BASELINE]
    return {
        "accuracies": [round(x, 4) for x in ends["test_accuracy"].tolist()],
        "test loss": round(float(np.median(ends["test_loss"])), 4),
        "least test loss": round(float(np.median(best)), 4),
        "train loss": round(float(np.median(ends["train_loss"])), 4),
        "less baseline": _kept(runs.difference(name)),
        "less RAD": _kept(runs.difference(name, SAME)),
        "less small batch": _kept(runs.difference(name, "small batch")),
        "memory": {
            kind: round(size / whole[kind], 3) for kind, size in runs.memory[name].items() if kind != "resident"
        },
    }


def _kept(apart: Interval) -> list[float | None]:
    return [round(x, 5) if np.isfinite(x) else None for x in apart]


def told_difference(triple: list[float | None]) -> str:
    """A paired difference of accuracies in percent, with its interval if there is one."""
    value, low, high = triple
    ends = "" if low is None or high is None else f" ({low:+.2%} to {high:+.2%})"
    return f"{value:+.2%}{ends}"


def told_mnist(n: Numbers) -> str:
    parts = []
    for preset, found in n["presets"].items():
        rows = [
            [
                name,
                len(row["accuracies"]),
                f"{np.median(row['accuracies']):.2%}",
                "" if name == BASELINE else told_difference(row["less baseline"]),
                "" if name == SAME else told_difference(row["less RAD"]),
                f"{row['test loss']:.3f}",
                f"{row['train loss']:.4f}",
                *(f"{row['memory'][kind]:.0%}" for kind in ("held", "allocated")),
            ]
            for name, row in found["rows"].items()
        ]
        head = (
            "method",
            "repeats",
            "test accuracy",
            "less the baseline's",
            "less RAD's (same)",
            "test loss",
            "train loss",
        )
        parts.append(
            f"**{n['task']}**, {found['iterations']} iterations, {RATES[preset]} (`--preset {preset}`):\n\n"
            + table((*head, "held", "allocated"), rows)
        )
    parts += [f"Not every method has a run {RATES[preset]} (`--preset {preset}`) yet." for preset in n["unfinished"]]
    return (
        "\n\n".join(parts)
        + "\n\nMedians over the repeats; differences are paired by repeat, whose start, bootstrapped images and batches all "
        "methods share, with Student's 95 % interval where there are two or more. Of few repeats intervals are wide: what "
        'they do not exclude is not excluded. SPAD, dropout and LayerOut have the rate of RAD\'s kind "same". '
        "`python -m tinyspad networks mnist-fc --preset rad-mnist --repeats 5 --folder DIR` goes on from the finished runs "
        "in `figures/data`; `python -m tinyspad datasets` says how to get MNIST.\n\n"
        "![accuracy against memory](figures/networks_mnist-fc_rad-mnist_memory.png)\n\n"
        "![learning curves](figures/networks_mnist-fc_rad-mnist_curves.png)"
    )


def _rows(n: Numbers) -> list[dict[str, Any]]:
    return [found["rows"] for found in n["presets"].values()]


def _median(row: Numbers) -> float:
    return float(np.median(row["accuracies"]))


def _below(triple: list[float | None]) -> bool:
    """Whether a difference is not shown to be above zero."""
    return triple[1] is None or triple[1] <= 0


def _supports_mnist(n: Numbers) -> bool:
    if n["task"] != "mnist-fc":  # too short to tell more
        return all(rows[SPAD]["memory"]["held"] < 0.2 for rows in _rows(n))
    for rows in _rows(n):
        no_better = all(_below(row["less baseline"]) for row in rows.values())
        least = min(rows, key=lambda name: _median(rows[name])) == HELD_LONG
        others = all(_median(row) > 0.97 for name, row in rows.items() if name != HELD_LONG)
        alike = all(
            abs(rows[name]["less RAD"][0]) < 0.005 for name in rows if name.startswith("SPAD") and name != HELD_LONG
        )
        if not (set(rows) == set(METHODS) and no_better and least and others and alike):
            return False
    return True


def _because(n: Numbers) -> str:
    first = next(iter(n["presets"].values()))["rows"]
    told = " and ".join(f"{found['repeats']} ({preset})" for preset, found in n["presets"].items())
    most, least, spad, same, small = (
        f"{_median(first[name]):.1%}" for name in (BASELINE, HELD_LONG, SPAD, SAME, "small batch")
    )
    return (
        f"in {told} no method is shown to be above the "
        f"baseline ({most}), k_max 1000 is lowest ({least}, not over 97 %); but SPAD ({spad}) is no better than RAD ({same})"
        f", and a small batch ({small}) holds as little"
    )


MNIST = Claim(
    "mnist",
    "Section III-B, Figures 8a and 11",
    "On MNIST no method outperforms the baseline, the differences are minimal, every model is over 97 % accurate, and k_max "
    "= 1000 is least accurate; SPAD is competitive with the baseline and RAD at less memory.",
    CONDITIONS,
    _because,
    measure_mnist,
    _supports_mnist,
    told_mnist,
)

CLAIMS = [MNIST]
