"""Section III-B on MNIST itself: every method at the rates of RAD's authors, and at one rate for all."""

from __future__ import annotations

from typing import Any

from ..experiments import METHODS, learning_curves
from .claim import CONDITIONS, Claim, Numbers, Setting
from .trained import (
    BASELINE,
    HELD_LONG,
    PAIRED,
    SAME,
    SMALL,
    SPAD,
    accuracy,
    kept_runs,
    not_above,
    numbers_of,
    told_runs,
)

RATES = {"rad-mnist": "at the rates that RAD's authors released", "common": "at one rate, 5.27e-4 without weight decay"}


def measure_mnist(setting: Setting) -> Numbers:
    """By preset and method, the ends of the repeats, and paired differences; of presets in which each method has a run."""
    found: Numbers = {"task": "glyphs-fc" if setting.small else "mnist-fc", "presets": {}, "unfinished": []}
    for preset in RATES:
        if setting.small:
            shown = [BASELINE, SAME, SPAD, HELD_LONG, SMALL]
            runs = learning_curves("glyphs-fc", shown, preset=preset, iterations=30, records=1, repeats=2)
        else:
            runs = kept_runs(setting.folder, f"mnist-fc_{preset}")
        if setting.small or set(runs.runs) == set(METHODS):
            found["presets"][preset] = numbers_of(runs)
        else:
            found["unfinished"].append(preset)
    return found


def told_mnist(n: Numbers) -> str:
    parts = [
        f"**{n['task']}**, {found['iterations']} iterations, {RATES[preset]} (`--preset {preset}`):\n\n{told_runs(found)}"
        for preset, found in n["presets"].items()
    ]
    parts += [f"Not every method has a run {RATES[preset]} (`--preset {preset}`) yet." for preset in n["unfinished"]]
    return (
        "\n\n".join(parts) + f'\n\n{PAIRED} SPAD, dropout and LayerOut have the rate of RAD\'s kind "same". '
        "`python -m tinyspad networks mnist-fc --preset rad-mnist --repeats 5 --folder DIR` goes on from the finished runs "
        "in `figures/data`; `python -m tinyspad datasets` says how to get MNIST.\n\n"
        "![accuracy against memory](figures/networks_mnist-fc_rad-mnist_memory.png)\n\n"
        "![learning curves](figures/networks_mnist-fc_rad-mnist_curves.png)"
    )


def _rows(n: Numbers) -> list[dict[str, Any]]:
    return [found["rows"] for found in n["presets"].values()]


def _supports_mnist(n: Numbers) -> bool:
    if n["task"] != "mnist-fc":  # too short to tell more
        return all(rows[SPAD]["memory"]["held"] < 0.2 for rows in _rows(n))
    for rows in _rows(n):
        no_better = all(not_above(row["less baseline"]) for row in rows.values())
        least = min(rows, key=lambda name: accuracy(rows[name])) == HELD_LONG
        others = all(accuracy(row) > 0.97 for name, row in rows.items() if name != HELD_LONG)
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
        f"{accuracy(first[name]):.1%}" for name in (BASELINE, HELD_LONG, SPAD, SAME, SMALL)
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
