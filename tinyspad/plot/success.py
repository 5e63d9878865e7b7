"""Success rates as pictures: tables as dots with intervals, holding as curves with bands, and as maps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import BadInput
from ..experiments import HoldSweep, SuccessTable, told_choice, wilson
from ..experiments.problems import near_what
from .outside import FEW, legend_label, verbatim
from .palette import BLACK, BLUE, ink, looks
from .panels import legend_beside, legend_of
from .panels import panels as panels_of


def method_looks(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour, marker, dashes and filling for each name: its method's, wherever it stands."""
    keys = ("color", "marker", "linestyle", "fillstyle")
    return {name: {key: look[key] for key in keys} for name, look in looks(names).items()}


def success(table: SuccessTable, *, axes: Sequence[Axes] | None = None) -> Figure:
    """A success table as dots with 95 % intervals, a panel per tolerance; hollow diamonds are the paper's figures.

    ``axes``: as many Axes as tolerances. Raises BadInput for another number of them.

    >>> import tinyspad as ts
    >>> from tinyspad import plot
    >>> figure = plot.success(ts.experiments.paper_table(1, runs=10, steps=5))
    >>> len(figure.axes)
    1
    """
    if not isinstance(table, SuccessTable):
        raise BadInput(f"plot.success takes what ts.experiments.success_rates returns, not {type(table).__name__}.")
    number = len(table.estimators)
    height = 1.8 + len(table.functions) * (0.25 + 0.16 * number)
    columns = len(table.tolerances)
    panels, own = panels_of(axes, columns, columns=columns, size=(4.2 * columns + 1.2, height), sharey=True)
    low, high = table.intervals
    rows = np.arange(len(table.functions), dtype=float)[::-1]
    offsets = np.linspace(0.33, -0.33, number) if number > 1 else np.zeros(1)
    look_of = method_looks(table.estimators)
    for t, (ax, tolerance) in enumerate(zip(panels, table.tolerances)):
        for e, name in enumerate(table.estimators):
            y, p = rows + offsets[e], 100 * table.rates[:, e, t]
            reach = (p - 100 * low[:, e, t], 100 * high[:, e, t] - p)
            ax.errorbar(
                p,
                y,
                xerr=np.maximum(reach, 0.0),
                **look_of[name] | {"linestyle": "none"},
                markersize=5,
                capsize=2.5,
                label=legend_label(name),
            )
            paper = [
                (table.paper[f, tolerance][e], at) for f, at in zip(table.functions, y) if (f, tolerance) in table.paper
            ]
            if paper:
                look: dict[str, Any] = {"fillstyle": "none", "color": ink(), "markersize": 6, "linestyle": ""}
                ax.plot(*zip(*paper), "d", label="the paper" if e == number - 1 else None, **look)
        for line in rows[:-1] - 0.5:
            ax.axhline(line, color=ink(), alpha=0.2, linewidth=0.7)
        ax.set_yticks(rows, [verbatim(name) for name in table.functions])
        ax.set_xlim(-2, 102)
        near = near_what(table.provenance)
        ax.set_xlabel(f"runs that end within {tolerance:g}{' ' if near == 'minimum' else chr(10)}of the {near} (%)")
        ax.grid(axis="x", alpha=0.3)
    figure = cast(Figure, panels[0].figure)
    if own:
        handles, labels = panels[0].get_legend_handles_labels()
        order = sorted(range(len(labels)), key=lambda i: labels[i] == "the paper")
        legend_of(figure, [handles[i] for i in order], [labels[i] for i in order], loc="outside upper center", most=5)
    else:
        legend_beside(panels[-1], grow=False)
    return figure


def hold_sweep(sweep: HoldSweep, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Success against k_max (paper, Figure 7): a row of panels per function and learning rate, a column per tolerance.

    Bands are 95 % intervals; the level line is the exact gradient. ``axes``: as many Axes as panels, row by row.

    >>> import tinyspad as ts
    >>> from tinyspad import plot
    >>> figure = plot.hold_sweep(ts.experiments.hold_sweep("booth", k_max=(1, 5), runs=10, steps=5))
    >>> len(figure.axes)
    2
    """
    _check_sweep(sweep, "hold_sweep")
    where = [(f, r) for f in range(len(sweep.functions)) for r in range(len(sweep.rates))]
    columns = len(sweep.tolerances)
    size = (4.2 * columns + 0.4, 2.6 * len(where) + 0.7)
    panels, own = panels_of(axes, len(where) * columns, columns=columns, size=size, sharex=True)
    low, high = sweep.intervals
    look_of = method_looks(f"SPAD, {told_choice(choice)}" for choice in sweep.choices)
    for i, (f, r) in enumerate(where):
        for t, tolerance in enumerate(sweep.tolerances):
            ax = panels[i * columns + t]
            for c, choice in enumerate(sweep.choices):
                name = f"SPAD, {told_choice(choice)}"
                color = look_of[name]["color"]
                ax.plot(sweep.k_max, 100 * sweep.success[f, r, c, :, t], label=name, **look_of[name])
                band = (100 * low[f, r, c, :, t], 100 * high[f, r, c, :, t])
                ax.fill_between(sweep.k_max, *band, color=color, alpha=0.2, linewidth=0)
            gd = sweep.baseline[f, r, t]
            ax.axhline(100 * gd / sweep.runs, color=BLUE, linewidth=2.5, label="GD")
            ax.axhspan(*(100 * float(end) for end in wilson(gd, sweep.runs)), color=BLUE, alpha=0.15, linewidth=0)
            rate = f", lr {sweep.rates[r]:g}" if len(sweep.rates) > 1 else ""
            ax.set_title(f"{verbatim(sweep.functions[f], FEW)}, within {tolerance:g}{rate}", fontsize="medium")
            ax.set_xscale("log")
            ax.set_xticks(sweep.k_max, [str(k) for k in sweep.k_max])
            ax.minorticks_off()
            ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
            ax.grid(alpha=0.3)
            if t == 0:
                ax.set_ylabel(f"success (% of {sweep.runs})")
            if i == len(where) - 1:
                ax.set_xlabel("k_max, steps that a path is held")
    figure = cast(Figure, panels[0].figure)
    if own:
        legend_of(figure, *panels[0].get_legend_handles_labels(), loc="outside upper center", most=4)
    else:
        legend_beside(panels[-1], grow=False)
    return figure


def hold_map(sweep: HoldSweep, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Success over learning rate and k_max as a map; each field tells percent, and how far its 95 % interval reaches.

    A panel for each function, choice of paths, and tolerance. ``axes``: as many Axes as panels.

    >>> import tinyspad as ts
    >>> from tinyspad import plot
    >>> figure = plot.hold_map(ts.experiments.escape_map(rates=(0.01, 0.1), k_max=(1, 5), runs=10, steps=5))
    >>> len(figure.axes)
    3
    """
    _check_sweep(sweep, "hold_map")
    tolerances, rows = (
        len(sweep.tolerances),
        [(f, c) for f in range(len(sweep.functions)) for c in range(len(sweep.choices))],
    )
    size = (tolerances * max(1.4 + 0.5 * len(sweep.k_max), 3.2) + 1.0, len(rows) * (1.3 + 0.42 * len(sweep.rates)))
    number = len(rows) * tolerances
    panels, own = panels_of(axes, number, columns=tolerances, size=size, sharex=True, sharey=True)
    low, high = sweep.intervals
    image: Any = None
    for i, (f, c) in enumerate(rows):
        for t, tolerance in enumerate(sweep.tolerances):
            ax, p = panels[i * tolerances + t], 100 * sweep.success[f, :, c, :, t]
            image = ax.imshow(p, origin="lower", aspect="auto", cmap="cividis", vmin=0, vmax=100)
            reach = 50 * (high - low)[f, :, c, :, t]
            for r, k in np.ndindex(p.shape):
                seen = BLACK if p[r, k] > 55 else "white"
                told = f"{p[r, k]:.0f}\n±{reach[r, k]:.0f}"
                ax.text(k, r, told, ha="center", va="center", color=seen, fontsize="x-small")
            ax.set_xticks(range(len(sweep.k_max)), [str(k) for k in sweep.k_max])
            ax.set_yticks(range(len(sweep.rates)), [f"{rate:g}" for rate in sweep.rates])
            how = told_choice(sweep.choices[c])
            ax.set_title(
                f"{verbatim(sweep.functions[f], FEW)}, {how}:\nends {_level(sweep, tolerance, f)}",
                fontsize="small",
            )
            if t == 0:
                ax.set_ylabel("learning rate")
            if i == len(rows) - 1:
                ax.set_xlabel("k_max, steps that a path is held")
    figure = cast(Figure, panels[0].figure)
    if own:
        figure.colorbar(image, ax=panels, label=f"runs (% of {sweep.runs})")
    return figure


def _level(sweep: HoldSweep, tolerance: float, f: int) -> str:
    if (near := near_what(sweep.provenance)) != "minimum":
        return f"within {tolerance:g} of the {near}"
    return f"below {tolerance:g}" if sweep.functions[f] == "f1" else f"below minimum + {tolerance:g}"


def _check_sweep(sweep: Any, name: str) -> None:
    if not isinstance(sweep, HoldSweep):
        raise BadInput(f"plot.{name} takes what ts.experiments.hold_sweep returns, not {type(sweep).__name__}.")
