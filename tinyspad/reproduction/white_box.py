"""Sections III-B and IV: randomness over observations and over code, and white-box models."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..experiments import median_interval, stochasticity_table, white_box
from .claim import CONDITIONS, UNTESTED, Claim, Numbers, Setting, interval, table


def measure_table3(setting: Setting) -> Numbers:
    sizes: dict[str, Any] = {"runs": 20, "steps": 30, "draws": 40} if setting.small else {"runs": 200}
    made = stochasticity_table(**sizes)
    sgd = made.ratios((list(made.observations).index("shuffled"), 0))
    cells = {}
    for o, sampler in enumerate(made.observations):
        for c, estimator in enumerate(made.code):
            cells[f"{sampler} / {estimator}"] = {
                "loss": _listed(made.train[o, c]),
                "gap": _listed(made.gap[o, c]),
                "in": _listed(sgd[0][o, c]),
                "out": _listed(sgd[1][o, c]),
                "variance": float(f"{made.variance[o, c]:.3g}") if made.variance[o, c] > 1e-12 else 0.0,
                "cosine": round(float(made.cosine[o, c]), 3),
                "work": round(float(made.work[o, c])),
                "steps": int(made.steps[o, c]),
            }
    return {"runs": made.train.shape[-1], "budget": made.provenance["budget"], "cells": cells}


def _listed(values: Any) -> list[float | None]:
    return [float(f"{x:.4g}") if np.isfinite(x) else None for x in median_interval(values)]


def told_table3(n: Numbers) -> str:
    rows = []
    for name, cell in n["cells"].items():
        observations, code = name.split(" / ")
        numbers = [interval(cell[k]) for k in ("loss", "gap", "in", "out")]
        rows.append([observations, code, *numbers, cell["variance"], cell["cosine"], cell["work"], cell["steps"]])
    head = ["observations", "code", "in-sample loss", "gap", "in-sample, over SGD's", "out of sample, over SGD's"]
    head += ["variance", "cosine", "work per step", "steps"]
    return (
        f"Seasonal demand, 56 observations, {n['runs']} runs; each cell has {n['budget']}. Medians with 95 % "
        "intervals. *gap*: out-of-sample less in-sample loss; *over SGD's*: over the loss of shuffled batches "
        "and all paths on the same data; "
        "*variance* of the gradient estimate over its squared mean, *cosine* between its mean and the gradient, "
        "both at the starts, where the bandit has learned nothing yet. Rows: all observations, shuffled batches "
        "of 8, importance sampling by gradient norm, bandit; columns: GD, RAD, SPAD (k_max 5), Magnitude.\n\n"
        + table(head, rows)
        + "\n\nThe combination that the paper leaves for future work (non-uniform on both axes) can be run, and is "
        "unbiased with Magnitude. At equal work its four cells end with a *higher* in-sample loss than SGD, times "
        f"{_range(n, 'in')}, and with a *lower* out-of-sample loss, times {_range(n, 'out')}: this model overfits, and what "
        "fits less closely overfits less. Steps that draw observations are seven times "
        "cheaper. Steps that draw *paths* are not: one sweep serves all six parameters at once, six paths have "
        "more factors than it, and for a whole batch the largest one is found by listing. "
        "(`python -m tinyspad table 3 --runs 200`; the picture has 60 runs and less work.)\n\n![Table 3, "
        "measured](figures/table3.png)"
    )


def _both(n: Numbers) -> list[Any]:
    """The cells that are non-uniform over observations and over code."""
    return [n["cells"][f"{o} / {c}"] for o in ("by norm", "bandit") for c in ("largest", "by magnitude")]


def _range(n: Numbers, what: str) -> str:
    medians = [cell[what][0] for cell in _both(n)]
    return f"{min(medians):.2f} to {max(medians):.2f}"


def _supports_table3(n: Numbers) -> bool:
    cells = n["cells"]
    unbiased = cells["all / all paths"]["variance"] == 0 and cells["all / by magnitude"]["cosine"] > 0.99
    if n["runs"] < 200:
        return bool(unbiased)
    return bool(unbiased and all(cell["in"][1] > 1 and cell["out"][2] < 1 for cell in _both(n)))


TABLE3 = Claim(
    "table3",
    "Section IV, Table 3",
    "Non-uniform sampling of observations and of code together could learn better without more memory (future work).",
    CONDITIONS,
    lambda n: (
        "on one model that overfits, at equal work: bandit and SPAD together fit worse than SGD (loss times "
        f"{n['cells']['bandit / largest']['in'][0]:.2f}) and generalise better (times "
        f"{n['cells']['bandit / largest']['out'][0]:.2f})"
    ),
    measure_table3,
    _supports_table3,
    told_table3,
)


def measure_white_box(setting: Setting) -> Numbers:
    found = {}
    for model in ("demand", "growth", "medicine"):
        sizes: dict[str, Any] = {"runs": 40, "steps": 400 if model == "demand" else 150} if setting.small else {}
        fit = white_box(model, **sizes)
        wins, ratio, stages = fit.wins(), fit.ratio(), fit.stages()
        found[model] = {
            "truth": [_listed(t) for t in fit.truth],
            "at": [int(fit.steps[t]) for t in stages],
            "rows": {
                name: {
                    "in": _listed(fit.train[e, -1]),
                    "out": _listed(fit.test[e, -1]),
                    "ratios": [_listed(ratio[e, t]) for t in stages],
                    "wins": int(wins[e]),
                    "lost": int(fit.lost[e]),
                }
                for e, name in enumerate(fit.estimators)
            },
            "runs": fit.runs,
            "steps": int(fit.steps[-1]),
        }
    return {"models": found}


def told_white_box(n: Numbers) -> str:
    parts = []
    for model, found in n["models"].items():
        rows = []
        for name, row in found["rows"].items():
            over = ("" if name == "GD" else interval(r) for r in row["ratios"])
            rows.append([name, interval(row["in"]), interval(row["out"]), *over, row["lost"]])
        rows.append(["the true parameters", *map(interval, found["truth"]), *[""] * (len(found["at"]) + 1)])
        steps = [f"over GD's, step {t}" for t in found["at"]]
        head = ("estimator", "in-sample loss", "out-of-sample loss", *steps, "lost")
        parts.append(
            f"**{model}**, {found['runs']} runs of {found['steps']} steps of Adam at 0.01:\n\n" + table(head, rows)
        )
    demand = n["models"]["demand"]
    overfits = demand["rows"]["GD"]["out"][0] / demand["truth"][1][0]
    return (
        "Three models in which every parameter has a meaning and is used several times (`ts.models`), each run "
        "with a start and noisy data of its own; medians with 95 % intervals. *over GD's*: a run's out-of-sample "
        "loss over that of GD at the same step on the same data; *lost*: runs that met NaN or infinity "
        "(their losses count as infinite).\n\n"
        + "\n\n".join(parts)
        + f"\n\nThe demand model overfits badly: GD's out-of-sample loss is {overfits:.1f} times that of the true "
        "parameters. There RAD has a lower one *on the way*, for a small price in sample; with more steps the "
        "advantage is gone, as both arrive at the same fit. SPAD has none. "
        "On the two recurrences, where a parameter has 10^11 (growth) or 10^8 paths (medicine), a uniformly "
        "drawn path is noise and held ones lead astray; "
        "a coin at each tupling node, which prefers short paths, comes near to GD and not below it. One "
        "optimizer, one learning rate. (`python -m tinyspad whitebox`)\n\n![white-box "
        "fits](figures/white_box.png)"
    )


def _supports_white_box(n: Numbers) -> bool:
    models = n["models"]
    rad = models["demand"]["rows"]["RAD"]["ratios"]
    others = [
        row["ratios"][-1] for m in ("growth", "medicine") for name, row in models[m]["rows"].items() if name != "GD"
    ]
    none_below = all(low is None or low > 0.95 for _, low, _ in others)
    if models["demand"]["runs"] < 200:
        return bool(none_below)
    spad = models["demand"]["rows"]["SPAD, k_max 5"]["ratios"]
    return bool(none_below and rad[1][2] < 1 and rad[-1][1] < 1 < rad[-1][2] and all(high > 1 for _, _, high in spad))


WHITE_BOX = Claim(
    "white-box",
    "Sections I and II-C",
    "Dropping paths of the gradient could regularise small white-box models, to which dropout cannot be applied.",
    CONDITIONS,
    lambda n: (
        "on demand RAD's out-of-sample loss is {:.2f} times GD's at step {} and {:.2f} times at step {}; SPAD's "
        "is no lower; on two "
        "recurrences none is".format(
            *(
                x
                for t in (min(1, len(n["models"]["demand"]["at"]) - 1), -1)
                for x in (n["models"]["demand"]["rows"]["RAD"]["ratios"][t][0], n["models"]["demand"]["at"][t])
            )
        )
    ),
    measure_white_box,
    _supports_white_box,
    told_white_box,
)

REAL = Claim(
    "real-data",
    "Figures 8b, 9, 12",
    "Accuracies and memory peaks on CIFAR-10; five repeats; tuned learning rates and weight decays.",
    UNTESTED,
    lambda n: "the data set is not at hand; its loader is tested on small files of its formats",
    lambda setting: {},
    lambda n: True,
    lambda n: (
        "`python -m tinyspad networks cifar-conv --preset spad-cifar --folder DIR --repeats 5` runs it where the files are, "
        "at the rate of SPAD's released code; `--preset rad-cifar` at those of RAD's."
    ),
)

ENVISION = Claim(
    "envision",
    "Sections III-A and IV",
    "The functions run in Envision, Lokad's language; embedded devices profit.",
    UNTESTED,
    lambda n: "a closed language, and no device; `ts.compile` generates NumPy source in the same spirit",
    lambda setting: {},
    lambda n: True,
    lambda n:
    "`ts.compile(f).source(path=(\"x\", 0))` shows that a path which is not followed is code that is not there "
    "(Tutorial 07).",
)  # fmt: skip

CLAIMS = [TABLE3, WHITE_BOX, REAL, ENVISION]
