"""The figures that ``tinyspad figures`` redraws, from fixed seeds; how a figure becomes a file; and what is drawn in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.quiver import Quiver

from .. import functions, nn
from ..archive import made, write_file
from ..errors import BadInput
from ..estimators import GD, RAD, SPAD, Magnitude
from ..experiments import (
    escape_map,
    hold_sweep,
    laboratory,
    minimize_f1,
    paper_table,
    stochasticity_table,
    variance_curve,
)
from ..lcg import trace
from ..optimize import Result
from ..optimize import compare as compare_runs
from ..optimizers import Adam
from ..program import compile
from .curves import contributions, function
from .graph import lcg as draw_lcg
from .laboratory import laboratory as draw_laboratory
from .palette import GREY, SKY, ink
from .panels import legend_beside, legend_of
from .plane import fields, trajectories
from .runs import compare
from .steps import reverse_step
from .stochasticity import stochasticity
from .success import hold_map, method_looks, success
from .success import hold_sweep as draw_hold_sweep
from .terms import variance_curve as draw_variance_curve

RATES = (0.01, 0.1)
"""The learning rates of figure3: the paper's, and ten times that."""

EARLY = {"figure3": 20, "trajectories_ackley": 20}
"""Figures of runs, and how many points of each way are written down before its end. The steps in between are left out:
a run of thousands of steps amplifies the last bit of a number, in which machines differ."""


def save(figure: Any, file: Path) -> Path:
    """Write a figure to a file, whose ending gives the format, whole or not at all; close it, and return the file's path.

    Makes the folder if it is not there. Raises BadInput for an ending that names no format, OSError as ``open`` does.
    """
    check_ending(file)
    try:
        ending = file.suffix.lower()[1:]
        with made(file.parent):
            write_file(file, lambda stream: figure.savefig(stream, format=ending, dpi=150))
    finally:
        plt.close(figure)
    return file


def check_ending(file: Path) -> None:
    """Raise BadInput unless a file's ending names a picture format: before the work is done, not after it."""
    if file.suffix.lower() not in (".png", ".svg", ".pdf", ".eps", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"):
        raise BadInput(f"{file} has no ending that names a picture format: .png, .svg, .pdf.")


def data_of(figure: Figure, early: int | None = None) -> list[dict[str, Any]]:
    """What was given to be drawn in a figure, as plain numbers and texts that JSON can hold: a dict for each of its Axes.

    ``texts``: title, labels and everything written. ``lines``: label, x and y. ``points``: the places of collections.
    ``bands``: x, low and high of areas. ``whiskers``: the two ends of each. ``arrows``: their two components.
    ``bars``: x, y, width and height. ``levels``: of contours. ``images``: their arrays. Six significant digits each,
    and nothing that matplotlib computes. ``early``: of lines and bands only so many points, and the last one.

    >>> figure, ax = plt.subplots()
    >>> lines = ax.plot([0.0, 1.0, 2.0], [2.0, 1 / 3, 0.0], label="falls")
    >>> data_of(figure)[0]["lines"]
    [{'label': 'falls', 'x': [0.0, 1.0, 2.0], 'y': [2.0, 0.333333, 0.0]}]
    >>> data_of(figure, early=1)[0]["lines"]
    [{'label': 'falls', 'x': [0.0, 2.0], 'y': [2.0, 0.0]}]
    """

    def written(numbers: Any) -> Any:
        numbers = np.asarray(numbers, float)
        whole = early is None or len(numbers) <= early + 1
        return _rounded(numbers if whole else [*numbers[:early], numbers[-1]])

    found: list[dict[str, Any]] = []
    for ax in figure.axes:
        texts = [ax.get_title(), ax.get_xlabel(), ax.get_ylabel(), *(text.get_text() for text in ax.texts)]
        drawn = [c for c in ax.collections if not isinstance(c, ContourSet)]
        offsets = [np.asarray(c.get_offsets()) for c in drawn]
        whiskers = [path.vertices for c in drawn if isinstance(c, LineCollection) for path in c.get_paths()]
        bands = [_band(c) for c in drawn if isinstance(c, PolyCollection) and not isinstance(c, Quiver)]
        bars = [bar for bar in ax.patches if isinstance(bar, (Rectangle, Polygon))]
        found.append(
            {
                "texts": [text for text in texts if text],
                "lines": [
                    {
                        "label": "" if str(line.get_label()).startswith("_") else str(line.get_label()),
                        "x": written(line.get_xdata()),
                        "y": written(line.get_ydata()),
                    }
                    for line in ax.lines
                ],
                "points": [_rounded(places) for places in offsets if len(places) > 1],
                "arrows": [_rounded([c.U, c.V]) for c in drawn if isinstance(c, Quiver)],
                "bands": [{part: written(numbers) for part, numbers in band.items()} for band in bands],
                "whiskers": [_rounded(ends) for ends in whiskers],
                "bars": [_rounded(_box(bar)) for bar in bars],
                "levels": [_rounded(c.levels) for c in ax.collections if isinstance(c, ContourSet)],
                "images": [_rounded(image.get_array()) for image in ax.images],
            }
        )
    return found


def _band(area: PolyCollection) -> dict[str, Any]:
    """What fill_between was given, whatever polygons matplotlib makes of it: at each x the lowest and the highest y."""
    corners = np.concatenate([np.zeros((0, 2)), *(np.asarray(path.vertices) for path in area.get_paths())])
    xs, at = np.unique(corners[:, 0], return_inverse=True)
    low, high = np.full(len(xs), np.inf), np.full(len(xs), -np.inf)
    np.minimum.at(low, at, corners[:, 1])
    np.maximum.at(high, at, corners[:, 1])
    return {"x": xs, "low": low, "high": high}


def _box(patch: Rectangle | Polygon) -> Any:
    """x, y, width and height; older versions of matplotlib draw bands as polygons."""
    if isinstance(patch, Rectangle):
        return [*patch.get_xy(), patch.get_width(), patch.get_height()]
    corners = np.asarray(patch.get_xy())
    return [*corners.min(axis=0), *np.ptp(corners, axis=0)]


def _rounded(numbers: Any) -> Any:
    """Nested lists of floats of six digits; None for what is not finite."""
    array: Any = np.ma.filled(np.ma.asarray(numbers, float), np.nan)
    flat = [float(f"{x:.6g}") if np.isfinite(x) else None for x in array.ravel()]
    return np.array(flat, object).reshape(array.shape).tolist()


def figure2() -> Figure:
    """The paper's Figure 2: f1 and its local minima."""
    figure, ax = plt.subplots(layout="constrained", figsize=(6.4, 3.2))
    xs = np.linspace(-6, 6, 1201)
    function(trace(functions.f1, xs), ax=ax, label="f1(x) = x² (2 + cos 4x)")
    ax.plot(xs, 2 * xs**2, color="#888888", linestyle="--", linewidth=1.2, label="2 x², the trend")
    ax.plot([5.0], [functions.f1(5.0)], "o", color=ink(), label="start of Figure 3")
    ax.plot([5.47483], [functions.f1(5.47483)], "v", color=ink(), label="where GD stays")
    ax.set_ylabel("f1(x)")
    legend_beside(ax, grow=True)
    return figure


def figure3(results: Mapping[float, Mapping[str, Result]] | None = None) -> Figure:
    """The paper's Figure 3, at its learning rate and at ten times that."""
    results = {lr: minimize_f1(lr) for lr in RATES} if results is None else results
    figure, axes = plt.subplots(layout="constrained", figsize=(10, 4.4), ncols=2, sharey=True)
    for ax, (lr, table) in zip(axes, results.items()):
        compare(table, ax=ax)
        ends = {name: f"{name} ends at x = {abs(float(np.median(table[name].x))):.3f}" for name in table}
        told = "\n".join(ends[name] for name in ("GD", "g2 alone", "g1 alone"))
        ax.text(0.98, 0.53, told, ha="right", transform=ax.transAxes, fontsize="small")
        ax.set_title(f"Adam, learning rate {lr}" + (", as in the paper" if lr == 0.01 else ""))
    axes[1].set_ylabel("")
    for ax in axes:
        ax.get_legend().remove()
    legend_of(figure, *axes[0].get_legend_handles_labels(), loc="outside lower center", most=4)
    axes[0].set_ylim(-3, 86)
    return figure


def figure4() -> Figure:
    """The paper's Figure 4: the single-access graph of f2, whose node x is a tupling node."""
    lcg = trace(functions.f2, 1.0, 2.0)
    return cast(Figure, draw_lcg(lcg, highlight=lcg.nth_path("x", 0)).figure)


def figure7() -> Figure:
    """The paper's Figure 7: success against k_max on Beale's and Levi's functions, in their usual boxes."""
    return draw_hold_sweep(hold_sweep(k_max=(1, 5, 10, 20, 50, 100, 200)))


def escape() -> Figure:
    """Which runs of f1 from x = 5 escape, by learning rate, how long a random path is held, and what Adam averages."""
    figure, axes = plt.subplots(2, 2, layout="constrained", figsize=(12.8, 7.6))
    for row, moments in zip(axes, ("parameter", "path")):
        hold_map(escape_map(optimizer=Adam(moments=moments)), axes=row)
        for ax, what in zip(row, ("ends at the minimum", "has left the first basin")):
            ax.set_title(f"f1, a random path, a state for each {moments}: {what}", fontsize="small")
    for ax in axes[0]:
        ax.set_xlabel("")
    figure.colorbar(axes[0, 0].images[0], ax=axes, label="runs (% of 200)")
    return figure


def tables() -> Figure:
    """The paper's Tables 1 and 2, ours beside its."""
    return success(paper_table(1, 2))


def f1_graph() -> Figure:
    """The graph of f1 at 5, with its strongest path."""
    lcg = trace(functions.f1, 5.0)
    return cast(Figure, draw_lcg(lcg, highlight=lcg.best_path("x")).figure)


def f1_contributions() -> Figure:
    """Equation (3) along the axis: the two terms of f1's gradient, and their sum."""
    figure, ax = plt.subplots(layout="constrained", figsize=(6.4, 3.6))
    contributions(trace(functions.f1, np.linspace(0, 6, 601)), ax=ax)
    return figure


def laboratory_beale() -> Figure:
    """The laboratory at a point: estimators of the gradient of Beale's function at (1, 2)."""
    return draw_laboratory(laboratory(functions.beale, 1.0, 2.0))


def laboratory_f1() -> Figure:
    """The laboratory along an axis: bias and standard deviation of estimators of f1's gradient."""
    estimators = {
        "RAD": RAD(),
        "RAD, normalised": RAD(normalize=True),
        "SPAD": SPAD(),
        "SPAD, eps 0.1, normalised": SPAD(epsilon=0.1, normalize=True),
        "Magnitude": Magnitude(),
    }
    xs = np.linspace(0, 6, 241)
    return draw_laboratory(laboratory(functions.f1, xs, estimators=estimators, draws=1000))


def step() -> Figure:
    """One step of reverse accumulation: f1's reverse sweep while x waits for its second branch."""
    return cast(Figure, reverse_step(trace(functions.f1, 5.0), 6).figure)


def variance_beale() -> Figure:
    """The exact variance of almost-Dirac sampling against epsilon, for Beale's function at (1, 2)."""
    figure, ax = plt.subplots(layout="constrained", figsize=(6.4, 4.2))
    draw_variance_curve(variance_curve(functions.beale, 1.0, 2.0), ax=ax)
    return figure


def fields_beale() -> Figure:
    """What each path of Beale's function pulls to."""
    return fields(trace(functions.beale, *np.meshgrid(np.linspace(-2, 2, 52), np.linspace(-2, 2, 52))))


def trajectories_ackley() -> Figure:
    """Runs on Ackley's function with all paths, a fresh one at each step, the largest held, and any one held."""
    starts = (np.array([3.2, -4.0, 2.0, -1.4]), np.array([3.7, 1.0, -3.0, -2.2]))
    estimators = {"GD": GD(), "RAD": RAD(), "SPAD, k_max 50": SPAD(k_max=50), "RAD, held 50": RAD(hold=50)}
    runs = compare_runs(functions.ackley, starts, estimators, steps=2000, rng=1, every=5)
    plane = np.meshgrid(np.linspace(-5, 5, 80), np.linspace(-5, 5, 80))
    return trajectories(runs, trace(functions.ackley, *plane))


def code_f1() -> Figure:
    """The generated gradient of f1, and what is left of it when one path is followed."""
    program = compile(functions.f1)
    sources = {
        "all paths": program.source("gradient"),
        "path 0 alone": program.source(path=("x", 0)),
        "path 1 alone": program.source(path=("x", 1)),
    }
    figure, axes = plt.subplots(1, 3, layout="constrained", figsize=(11.5, 1.65), width_ratios=(1.1, 1, 1))
    for ax, (title, source) in zip(axes, sources.items()):
        ax.set_title(title, fontsize="medium", loc="left")
        ax.text(0.02, 0.95, source.strip(), family="monospace", fontsize=9.5, va="top", transform=ax.transAxes)
        ax.set_xticks([])
        ax.set_yticks([])
        for spine in ax.spines.values():
            spine.set_color(GREY)
    return figure


def injection() -> Figure:
    """How far the mean of n path-sampled gradients of a neural net is from the exact one; and what one step holds."""
    net, data = nn.small_fc_net(rng=0), nn.datasets.glyphs(150, rng=0)
    exact = nn.gradients(net, data.x, data.y, count=True)
    weight = exact.gradients["1.weight"]
    figure, (left, right) = plt.subplots(1, 2, layout="constrained", figsize=(9.5, 3.8))
    n, held = np.arange(1, 31), {"all paths": sum((exact.held or {}).values())}
    for name, look in method_looks(["RAD, same", "RAD, different", "RAD, projection"]).items():
        kind: Any = name.removeprefix("RAD, ")
        total, errors = np.zeros_like(weight), []
        for seed in n:
            step = nn.gradients(net, data.x, data.y, nn.Way(kind, 0.1, seed=int(seed)), count=True)
            total += np.asarray(step.gradients["1.weight"])
            errors.append(float(np.linalg.norm(total / seed - weight) / np.linalg.norm(weight)))
        held[f"a tenth, {kind}"] = sum((step.held or {}).values())
        left.loglog(n, errors, **look, markersize=4, label=kind)
    left.loglog(n, errors[0] / np.sqrt(n), color=ink(), linewidth=0.8, label="1 / sqrt(n)")
    left.set_xlabel("estimates averaged, n")
    left.set_ylabel("relative error of the mean")
    legend_beside(left, grow=False)
    for row, size in enumerate(held.values()):
        right.barh(row, size / 1e6, color=SKY, edgecolor=ink())
        right.annotate(f" {size / 1e6:.2f}", (size / 1e6, row), va="center", fontsize="small")
    right.set_yticks(range(len(held)), held)
    right.invert_yaxis()
    right.margins(x=0.12)
    right.set_xlabel("held for backward, MB\n(SmallFCNet, batch of 150)")
    return figure


def table3() -> Figure:
    """The paper's Table 3, measured on seasonal demand: each observation sampler with each path estimator."""
    return cast(Figure, stochasticity(stochasticity_table(runs=60, steps=150)).figure)


FIGURES: dict[str, Callable[[], Figure]] = {
    "figure2": figure2,
    "figure3": figure3,
    "figure4": figure4,
    "figure7": figure7,
    "escape": escape,
    "tables": tables,
    "f1_graph": f1_graph,
    "f1_contributions": f1_contributions,
    "laboratory_beale": laboratory_beale,
    "laboratory_f1": laboratory_f1,
    "step": step,
    "variance_beale": variance_beale,
    "fields_beale": fields_beale,
    "trajectories_ackley": trajectories_ackley,
    "code_f1": code_f1,
    "injection": injection,
    "table3": table3,
}
"""Every figure that ``tinyspad figures`` redraws, by the name of its file."""
