"""Sections I, II-C, III-B and IV: memory, neural networks, observations, and white-box models."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import nn
from ..errors import BadInput
from ..experiments import NetworkRuns, learning_curves, median_interval, stochasticity_table, white_box
from .claim import CONDITIONS, HOLDS, UNTESTED, Claim, Numbers, Setting, interval, table

# --- memory ----------------------------------------------------------------------------------------------------------

RAD_TABLE = {
    "conv net": [23.08, 19.19, 12.37, 7.82, 3.28, 2.14],
    "fully connected": [2.69, 2.51, 2.21, 2.00, 1.80, 1.75],
}
KEEPS = (1.0, 0.8, 0.5, 0.3, 0.1, 0.05)


def measure_memory(setting: Setting) -> Numbers:
    fc, conv = nn.small_fc_net(rng=0), nn.small_conv_net((3, 32, 32), rng=0)
    counted = {
        "conv net": [nn.counted_memory(conv, 150, k, shape=(3, 32, 32))["total"] / 1e6 for k in KEEPS],
        "fully connected": [nn.counted_memory(fc, 150, k)["total"] / 1e6 for k in KEEPS],
    }
    data = nn.datasets.glyphs(40 if setting.small else 150, rng=0)
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


def measure_networks(setting: Setting) -> Numbers:
    if setting.small:
        runs = learning_curves("glyphs-fc", list(SHOWN), iterations=40, records=2, rng=0)
        return {"tasks": {"glyphs-fc": _ends(runs)}}
    found = {}
    for task in ("fashion-fc", "fashion-conv"):
        file = setting.folder / f"networks_{task}.json"
        if not file.exists():
            raise BadInput(
                f"{file} is not there: run `python -m tinyspad networks {task}` first, or from the repository's top."
            )
        found[task] = _ends(NetworkRuns.from_json(file.read_text(encoding="utf-8")))
    return {"tasks": found}


SHOWN = ("baseline", "RAD, same", "SPAD, k_max 10, m 10", "SPAD, k_max 1000, m 10", "dropout 10 %", "small batch")


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


def _row(n: Numbers, method: str, task: int = 0) -> Any:
    """(test accuracy, test loss, train loss, held) of a method, on the large task (0) or the one with few images (-1)."""
    return n["tasks"][list(n["tasks"])[task]]["rows"][method]


SPAD10 = "SPAD, k_max 10, m 10"


def _supports_overfitting(n: Numbers) -> bool:
    slower = all(_row(n, SPAD10, t)[2] > _row(n, "baseline", t)[2] for t in (0, -1))
    if "glyphs-fc" in n["tasks"]:  # too short to overfit
        return slower
    lower = all(
        _row(n, name, t)[1] < 0.8 * _row(n, "baseline", t)[1] for name in (SPAD10, "RAD, same") for t in (0, -1)
    )
    no_better = all(_row(n, SPAD10, t)[0] < _row(n, "baseline", t)[0] + 0.005 for t in (0, -1))
    alike = all(abs(_row(n, SPAD10, t)[1] / _row(n, "RAD, same", t)[1] - 1) < 0.1 for t in (0, -1))
    return bool(slower and lower and no_better and alike)


def _supports_competitive(n: Numbers) -> bool:
    less_memory = _row(n, SPAD10)[3] < 0.2
    if "glyphs-fc" in n["tasks"]:
        return bool(less_memory)
    rows = next(iter(n["tasks"].values()))["rows"]
    accuracy = {name: row[0] for name, row in rows.items()}
    ordered = sorted(accuracy, key=accuracy.__getitem__)
    near = accuracy["baseline"] - accuracy[SPAD10] < 0.02
    small = accuracy["small batch"] >= accuracy[SPAD10] - 0.005 and rows["small batch"][1] <= rows[SPAD10][1]
    return bool(
        less_memory and near and small and ordered[0] == "SPAD, k_max 1000, m 10" and ordered[-1] == "dropout 10 %"
    )


OVERFITTING = Claim(
    "networks",
    "Section III-B, Figures 9, 11, 12",
    "SPAD reduces overfitting: its training loss falls slowly, its test loss rises slowly.",
    CONDITIONS,
    lambda n: (
        f"the test loss, yes ({_row(n, SPAD10, -1)[1]:.2f} against {_row(n, 'baseline', -1)[1]:.2f} on few "
        "images); the accuracy is no "
        "better; and RAD does the same"
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
        f"all of it, in single runs (SPAD {_row(n, SPAD10)[0]:.1%}, baseline {_row(n, 'baseline')[0]:.1%}, dropout "
        f"{_row(n, 'dropout 10 %')[0]:.1%}); but so is a small batch ({_row(n, 'small batch')[0]:.1%}) at the same memory"
    ),
    measure_networks,
    _supports_competitive,
    lambda n: (
        "The tables under `networks`. On the large set k_max = 1000 is least accurate, and dropout most, as in "
        "the paper; the best of SPAD (k_max 100, m 2) is within half a percent of the baseline. "
        "SPAD and RAD cannot be told apart by these runs, and a batch of 15 at the memory of a tenth of the "
        "paths does as well as either, "
        "in a fraction of the time: the comparison that the paper does not make."
    ),
    of="networks",
)

# --- observations, white-box models ----------------------------------------------------------------------------------


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
    "Figures 8, 9, 11, 12; Table 1 of the RAD paper (IRNN)",
    "Accuracies and memory peaks on MNIST and CIFAR-10; five repeats; tuned learning rates and weight decays.",
    UNTESTED,
    lambda n: "the data sets are not at hand; the loaders are tested on small files of their formats",
    lambda setting: {},
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
    lambda setting: {},
    lambda n: True,
    lambda n:
    "`ts.compile(f).source(path=(\"x\", 0))` shows that a path which is not followed is code that is not there "
    "(Tutorial 07).",
)  # fmt: skip

CLAIMS: list[Claim] = [MEMORY, OVERFITTING, COMPETITIVE, TABLE3, WHITE_BOX, REAL, ENVISION]
