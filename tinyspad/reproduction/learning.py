"""Sections I, II-C, III-B and IV: memory, neural networks, observations, and white-box models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .. import nn
from ..experiments import NetworkRuns, learning_curves, median_interval, stochasticity_table, white_box
from .claim import CONDITIONS, FAILS, HOLDS, UNTESTED, Claim, Numbers, interval, percent, table

KEPT = Path("figures") / "data"
"""Where the results of the long training runs are, from the top of the repository."""

# --- memory ----------------------------------------------------------------------------------------------------------

RAD_TABLE = {
    "conv net": [23.08, 19.19, 12.37, 7.82, 3.28, 2.14],
    "fully connected": [2.69, 2.51, 2.21, 2.00, 1.80, 1.75],
}
KEEPS = (1.0, 0.8, 0.5, 0.3, 0.1, 0.05)


def measure_memory(small: bool) -> Numbers:
    fc, conv = nn.small_fc_net(rng=0), nn.small_conv_net((3, 32, 32), rng=0)
    counted = {
        "conv net": [nn.counted_memory(conv, 150, k, shape=(3, 32, 32))["total"] / 1e6 for k in KEEPS],
        "fully connected": [nn.counted_memory(fc, 150, k)["total"] / 1e6 for k in KEEPS],
    }
    data = nn.datasets.glyphs(40 if small else 150, rng=0)
    rng = np.random.default_rng(0)
    held = {}
    choices: dict[str, Any] = {
        "all paths": nn.AllPaths(),
        "RAD, a tenth": nn.RandomPaths(0.1),
        "SPAD, a tenth, m 2": nn.SelectivePaths(0.1, m=2, k_max=10),
        "SPAD, a tenth, m 10": nn.SelectivePaths(0.1, m=10, k_max=10),
    }
    for name, choice in choices.items():
        step = choice.draw(fc, data.x, data.y, choice.init(), rng, count=True)
        held[name] = int(sum((step.held or {}).values()))
    fewer = nn.gradients(fc, data.x[: len(data.x) // 10], data.y[: len(data.x) // 10], nn.Way(), count=True)
    held["all paths, a tenth of the batch"] = int(sum((fewer.held or {}).values()))
    return {"batch": len(data.x), "counted": {k: [round(x, 2) for x in v] for k, v in counted.items()}, "held": held}


def told_memory(n: Numbers) -> str:
    whole = n["held"]["all paths"]
    counted = []
    for name, found in n["counted"].items():
        counted.append([name, "RAD's Table 1", *(f"{x:.2f}" for x in RAD_TABLE[name])])
        counted.append([name, "counted here", *(f"{x:.2f}" for x in found)])
    return (
        "Counted peak memory in MB by RAD's formula, batches of 150:\n\n"
        + table(("net", "", *(f"keep {k:g}" for k in KEEPS)), counted)
        + f"\n\nMeasured on the tape, what a step of SmallFCNet (batch of {n['batch']}) holds for backward:\n\n"
        + table(("paths", "bytes", "share"), [[name, size, f"{size / whole:.1%}"] for name, size in n["held"].items()])
        + "\n\nThe saving is real, and does not depend on m: candidates are evaluated one after the other. Two "
        "things belong beside it. The paper's baseline multiplies by an identity matrix, which inflates it; "
        "here it is the plain step. And all paths through a tenth of the *batch* hold no more than a tenth of "
        "the paths. Peaks of a whole step, time, and checkpoints: README, `python -m benchmarks networks`."
    )


MEMORY = Claim(
    "memory",
    "Sections II-B, III-B; Figure 8 (memory axis)",
    "Following a tenth of the paths reduces the memory that a step needs, independently of m.",
    HOLDS,
    lambda n: (
        f"{n['held']['SPAD, a tenth, m 10'] / n['held']['all paths']:.0%} is held for backward, for any m; "
        "so it is by a batch a tenth as large"
    ),
    measure_memory,
    lambda n: (
        n["held"]["SPAD, a tenth, m 2"] == n["held"]["SPAD, a tenth, m 10"] < 0.15 * n["held"]["all paths"]
        and max(abs(a - b) for k, v in RAD_TABLE.items() for a, b in zip(v, n["counted"][k])) < 0.0101
    ),
    told_memory,
)

# --- networks --------------------------------------------------------------------------------------------------------


def measure_networks(small: bool) -> Numbers:
    if small:
        methods = ["baseline", "RAD, same", "SPAD, k_max 10, m 10", "small batch"]
        return {"tasks": {"glyphs-fc": _ends(learning_curves("glyphs-fc", methods, iterations=60, records=4, rng=0))}}
    found = {}
    for task in ("fashion-fc", "fashion-conv"):
        text = (KEPT / f"networks_{task}.json").read_text(encoding="utf-8")
        found[task] = _ends(NetworkRuns.from_json(text))
    return {"tasks": found}


def _ends(runs: NetworkRuns) -> Numbers:
    rows = {}
    whole = runs.memory["baseline"]["held"]
    for name, repeats in runs.runs.items():
        last = [float(np.mean([getattr(run, what)[-1] for run in repeats])) for what in ENDS]
        rows[name] = [round(x, 4) for x in last] + [round(runs.memory[name]["held"] / whole, 3)]
    return {"iterations": runs.iterations, "rows": rows}


ENDS = ("test_accuracy", "test_loss", "train_loss")


def told_networks(n: Numbers) -> str:
    parts = []
    for task, found in n["tasks"].items():
        rows = [
            [name, f"{accuracy:.1%}", f"{test:.3f}", f"{train:.3f}", f"{held:.0%}"]
            for name, (accuracy, test, train, held) in found["rows"].items()
        ]
        parts.append(
            f"**{task}**, {found['iterations']} iterations, one run each:\n\n"
            + table(("method", "test accuracy", "test loss", "train loss", "held"), rows)
        )
    return (
        "\n\n".join(parts)
        + "\n\nFashion-MNIST, since MNIST and CIFAR-10 are not at hand here (`networks mnist-fc` and `networks "
        "cifar-conv` run the paper's own). *fashion-fc*: SmallFCNet, all 60 000 images; *fashion-conv*: "
        "SmallConvNet on 500 images, which it can learn by heart. "
        "Single runs: half a percent of accuracy is no difference. These two take 45 and 20 minutes and are kept "
        "in figures/data; `reproduce` reads them, `python -m tinyspad networks TASK` makes them.\n\n"
        "![accuracy against memory](figures/networks_fashion-fc_memory.png)\n\n![learning "
        "curves](figures/networks_fashion-conv_curves.png)"
    )


def _row(n: Numbers, task: str, method: str) -> Any:
    return n["tasks"][task]["rows"][method]


def _supports_overfitting(n: Numbers) -> bool:
    return all(
        _row(n, task, "RAD, same")[1] < _row(n, task, "baseline")[1] or task == "glyphs-fc" for task in n["tasks"]
    )


def _supports_competitive(n: Numbers) -> bool:
    if "glyphs-fc" in n["tasks"]:
        return bool(_row(n, "glyphs-fc", "SPAD, k_max 10, m 10")[3] < 0.2)
    return bool(
        _row(n, "fashion-fc", "SPAD, k_max 10, m 10")[0] < _row(n, "fashion-fc", "baseline")[0]
        and _row(n, "fashion-fc", "small batch")[1] < _row(n, "fashion-fc", "SPAD, k_max 10, m 10")[1]
    )


OVERFITTING = Claim(
    "networks",
    "Section III-B, Figures 9, 11, 12",
    "SPAD reduces overfitting: its training loss falls slowly, its test loss rises slowly.",
    CONDITIONS,
    lambda n: (
        "the test loss, yes (fashion-conv: "
        f"{_row(n, 'fashion-conv', 'SPAD, k_max 10, m 10')[1]:.2f} against "
        f"{_row(n, 'fashion-conv', 'baseline')[1]:.2f}); the accuracy, no; RAD does the same"
    ),
    measure_networks,
    _supports_overfitting,
    told_networks,
)

COMPETITIVE = Claim(
    "competitive",
    "Section III-B, Figure 8",
    "Variants of SPAD are competitive with baseline and RAD in accuracy at less memory; k_max = 1000 is least "
    "accurate; dropout is most accurate.",
    CONDITIONS,
    lambda n: (
        f"fashion-fc: SPAD {_row(n, 'fashion-fc', 'SPAD, k_max 10, m 10')[0]:.1%}, baseline "
        f"{_row(n, 'fashion-fc', 'baseline')[0]:.1%}, "
        f"dropout {_row(n, 'fashion-fc', 'dropout 10 %')[0]:.1%}; a small batch "
        f"{_row(n, 'fashion-fc', 'small batch')[0]:.1%} at the same memory"
    ),
    measure_networks,
    _supports_competitive,
    lambda n: (
        "The tables under `networks`. k_max = 1000 is least accurate, and dropout most, as in the paper. SPAD is "
        "told apart from RAD by nothing in these runs, and a batch of 15 at the memory of a tenth of the paths "
        "does as well as either, "
        "in a fraction of the time: the comparison that the paper does not make."
    ),
    of="networks",
)

# --- observations, white-box models ----------------------------------------------------------------------------------


def measure_table3(small: bool) -> Numbers:
    made = stochasticity_table(**({"runs": 20, "steps": 30, "draws": 40} if small else {"runs": 200}))  # type: ignore[arg-type]
    cells = {}
    for o, sampler in enumerate(made.observations):
        for c, estimator in enumerate(made.code):
            cells[f"{sampler} / {estimator}"] = {
                "loss": _listed(made.train[o, c]),
                "gap": _listed(made.gap[o, c]),
                "ratio": _listed(made.ratio[o, c]),
                "variance": float(f"{made.variance[o, c]:.3g}") if made.variance[o, c] > 1e-12 else 0.0,
                "cosine": round(float(made.cosine[o, c]), 3),
                "work": round(float(made.work[o, c])),
                "steps": int(made.steps[o, c]),
            }
    return {"runs": made.train.shape[-1], "work": made.provenance["work"], "cells": cells}


def _listed(values: Any) -> list[float | None]:
    return [float(f"{x:.4g}") if np.isfinite(x) else None for x in median_interval(values)]


def told_table3(n: Numbers) -> str:
    rows = []
    for name, cell in n["cells"].items():
        observations, code = name.split(" / ")
        numbers = [interval(cell[k]) for k in ("loss", "gap", "ratio")]
        rows.append([observations, code, *numbers, cell["variance"], cell["cosine"], cell["work"], cell["steps"]])
    head = ("observations", "code", "in-sample loss", "gap", "ratio", "variance", "cosine", "work per step", "steps")
    return (
        f"Seasonal demand, 56 observations, {n['runs']} runs, each cell with the work of "
        f"{n['work'].removeprefix('that of ')}. Medians with 95 % intervals. *gap*: out-of-sample less in-sample "
        "loss; *ratio*: out-of-sample loss over that of the first row, "
        "on the same data; *variance* of the gradient estimate over its squared mean, *cosine* between its mean "
        "and the gradient, at the starts. Rows: all, shuffled batches of 8, importance sampling by gradient "
        "norm, bandit; columns: GD, RAD, SPAD (k_max 5), Magnitude.\n\n"
        + table(head, rows)
        + "\n\nThe combination that the paper leaves for future work (non-uniform on both axes) can be run, and is "
        "unbiased with Magnitude. It is not better than SGD at equal work here. Drawing *observations* makes a "
        "step seven times cheaper and pays. Drawing *paths* does not on a graph this small: "
        "one sweep serves all six parameters, and six paths have more factors than it. (`python -m tinyspad "
        "table 3`)\n\n![Table 3, measured](figures/table3.png)"
    )


TABLE3 = Claim(
    "table3",
    "Section IV, Table 3",
    "Non-uniform sampling of observations and of code together could learn better without more memory (future work).",
    FAILS,
    lambda n: (
        "no better on the one model tried, after equal work: in-sample loss "
        f"{n['cells']['bandit / largest']['loss'][0]:.3f} (bandit, SPAD) against "
        f"{n['cells']['uniform / all paths']['loss'][0]:.3f} (SGD)"
    ),
    measure_table3,
    lambda n: (
        n["cells"]["uniform / all paths"]["loss"][0] <= n["cells"]["bandit / largest"]["loss"][0] * 1.05
        and n["cells"]["all / all paths"]["variance"] == 0
    ),
    told_table3,
)


def measure_white_box(small: bool) -> Numbers:
    sizes: dict[str, Any] = {"runs": 40, "steps": 200, "every": 100} if small else {}
    found = {}
    for model in ("demand", "growth", "medicine"):
        fit = white_box(model, **sizes)
        wins = fit.wins()
        found[model] = {
            "truth": [_listed(t) for t in fit.truth],
            "rows": {
                name: {
                    "in": _listed(fit.train[e, -1]),
                    "out": _listed(fit.test[e, -1]),
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
        rows = [
            [
                name,
                interval(row["in"]),
                interval(row["out"]),
                "" if name == "GD" else percent(row["wins"], found["runs"]),
                row["lost"],
            ]
            for name, row in found["rows"].items()
        ]
        rows.append(["the true parameters", *map(interval, found["truth"]), "", ""])
        head = ("estimator", "in-sample loss", "out-of-sample loss", "beats GD, %", "lost")
        parts.append(
            f"**{model}**, {found['runs']} runs of {found['steps']} steps of Adam at 0.01:\n\n" + table(head, rows)
        )
    return (
        "Three models in which every parameter has a meaning and is used several times (`ts.models`), each run "
        "with a start and noisy data of its own; medians with 95 % intervals; *beats GD*: runs with a smaller "
        "out-of-sample loss on the same data; *lost*: runs that met NaN or infinity "
        "(their losses count as infinite).\n\n"
        + "\n\n".join(parts)
        + "\n\nThe demand model overfits badly (its true parameters are seven times better out of sample), so "
        "there is something to regularise; sampled paths end where GD ends. On the recurrences a uniformly drawn "
        "path, one of 10^8 or 10^11, is noise, and held ones lead astray; "
        "a coin at each tupling node, which prefers short paths, comes near to GD and not below it. (`python -m "
        "tinyspad whitebox`; one learning rate here, a tenth of it changes nothing in the order.)\n\n![white-box "
        "fits](figures/white_box.png)"
    )


WHITE_BOX = Claim(
    "white-box",
    "Sections I and II-C",
    "Dropping paths of the gradient could regularise small white-box models, to which dropout cannot be applied.",
    FAILS,
    lambda n: "on three models no sampled estimator has a lower out-of-sample loss than GD beyond the intervals",
    measure_white_box,
    lambda n: all(
        (row["out"][2] is None or row["out"][2] >= found["rows"]["GD"]["out"][0])
        for found in n["models"].values()
        for row in found["rows"].values()
    ),
    told_white_box,
)

REAL = Claim(
    "real-data",
    "Figures 8, 9, 11, 12; Table 1 of the RAD paper (IRNN)",
    "Accuracies and memory peaks on MNIST and CIFAR-10; five repeats; tuned learning rates and weight decays.",
    UNTESTED,
    lambda n: "the data sets are not at hand; the loaders are tested on small files of their formats",
    lambda small: {},
    lambda n: True,
    lambda n: (
        "`python -m tinyspad networks mnist-fc --folder DIR --repeats 5` and `networks cifar-conv --folder DIR` "
        "run them where the files are. RAD's recurrent network (IRNN) is not built."
    ),
)

ENVISION = Claim(
    "envision",
    "Sections III-A and IV",
    "The functions run in Envision, Lokad's language; embedded devices profit.",
    UNTESTED,
    lambda n: "a closed language, and no device; `ts.compile` generates NumPy source in the same spirit",
    lambda small: {},
    lambda n: True,
    lambda n:
    "`ts.compile(f).source(path=(\"x\", 0))` shows that a path which is not followed is code that is not there "
    "(Tutorial 07).",
)  # fmt: skip

CLAIMS: list[Claim] = [MEMORY, OVERFITTING, COMPETITIVE, TABLE3, WHITE_BOX, REAL, ENVISION]
