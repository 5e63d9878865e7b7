"""How long to hold a path: success against k_max, over candidates, replacement and learning rate (Figure 7, and beyond)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import functions as problems
from ..errors import BadInput
from ..estimators import GD, SPAD
from ..optimizers import Adam
from ..table import Table
from .success import listed, rate_interval, success_rates, wilson

Choice = tuple[int | None, bool]

CHOICES: tuple[Choice, ...] = ((None, False), (2, True), (1, False))
"""Candidates m and whether they are drawn with replacement: the largest of all paths, the larger of two, any one (RAD)."""

BELOW_TRAP = 30.05
"""f1 has its local minimum nearest to 5 at 5.475, of value 30.10: a run that ends below this has left it."""


@dataclass(frozen=True, eq=False)
class HoldSweep:
    """How many runs succeed, by how a path is chosen, how long it is held, and the learning rate.

    ``successes``: shape (functions, learning rates, choices, k_max, tolerances), of ``runs`` each; ``baseline``: those of
    the exact gradient, shape (functions, learning rates, tolerances). ``choices``: pairs (m, replace) of SPAD.
    """

    functions: tuple[str, ...]
    rates: tuple[float, ...]
    choices: tuple[Choice, ...]
    k_max: tuple[int, ...]
    tolerances: tuple[float, ...]
    runs: int
    successes: np.ndarray[Any, Any]
    baseline: np.ndarray[Any, Any]
    provenance: dict[str, str]

    @property
    def success(self) -> np.ndarray[Any, Any]:
        """Successes per run, of the shape of ``successes``."""
        return self.successes / self.runs

    @property
    def intervals(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The ends of the 95 % Wilson intervals, each of the shape of ``successes``."""
        low, high = wilson(self.successes, self.runs)
        return np.asarray(low), np.asarray(high)

    def _table(self) -> Table:
        rows = []
        for f, r, t, c in np.ndindex(*self.baseline.shape, len(self.choices)):
            good = np.array([self.baseline[f, r, t], *self.successes[f, r, c, :, t]])
            place = self.functions[f], told_choice(self.choices[c]), self.rates[r], self.tolerances[t]
            rows.append([*place, *(100 * good / self.runs)])
        columns = ("function", "path", "lr", "tolerance", "GD", *(f"k_max {k}" for k in self.k_max))
        return Table(columns, rows, ("", "", "g", "g", *[".1f"] * (1 + len(self.k_max))), left=2)

    def __str__(self) -> str:
        spread = 100 * float(np.max(np.subtract(*self.intervals[::-1]))) / 2
        return (
            f"Runs that end within a tolerance of the minimum, in percent of {self.runs}:\n\n{self._table()}\n\n"
            f"95 % intervals (Wilson) reach at most {spread:.1f} points to either side; intervals has each.\n"
            f"{listed(self.provenance)}"
        )

    def to_markdown(self) -> str:
        """The table in Markdown."""
        return self._table().markdown()

    def to_csv(self) -> str:
        """One line per cell, with all digits; GD's have no m, replace and k_max."""
        cells: list[Any] = [(f, r, [None] * 3, t, good) for (f, r, t), good in np.ndenumerate(self.baseline)]
        for (f, r, c, k, t), good in np.ndenumerate(self.successes):
            m, replace = self.choices[c]
            cells.append((f, r, ["all" if m is None else m, int(replace), self.k_max[k]], t, good))
        rows = [
            [
                self.functions[f],
                self.rates[r],
                *how,
                self.tolerances[t],
                self.runs,
                good,
                *rate_interval(good, self.runs),
            ]
            for f, r, how, t, good in cells
        ]
        names = ("function", "lr", "m", "replace", "k_max", "tolerance", "runs", "successes", "rate", "low", "high")
        return Table(names, rows).csv(**self.provenance)


def told_choice(choice: Choice) -> str:
    """How a path is chosen, in words."""
    m, replace = choice
    if m is None:
        return "the largest path"
    return "a random path" if m == 1 else f"largest of {m}" + (", with replacement" if replace else "")


def hold_sweep(
    functions: Any = ("beale", "levi"),
    *,
    k_max: Sequence[int] = (1, 2, 5, 10, 20, 50, 100, 200),
    choices: Sequence[Choice] = CHOICES,
    rates: Sequence[float] = (0.01,),
    steps: int = 2000,
    **settings: Any,
) -> HoldSweep:
    """Success of SPAD against k_max (paper, Figure 7): for several m, with replacement or without, and learning rates.

    ``choices``: pairs (m, replace) of SPAD; m = 1 is RAD with a path held for k_max steps. ``rates``: the learning rates.
    ``settings``: runs, tolerances, boxes, rng, executor, workers, resume, progress; they and ``steps`` as for
    ``success_rates``. The exact gradient is run along as the baseline. Raises BadInput for arguments without meaning. Cost:
    that of functions * rates * (choices * k_max + 1) cells of a success table.

    >>> import tinyspad as ts
    >>> sweep = ts.experiments.hold_sweep("booth", k_max=(1, 10), rates=(0.1,), runs=20, steps=400)
    >>> sweep.successes.shape
    (1, 1, 3, 2, 2)
    """
    holds, ways, adams = _axis("k_max", k_max), _axis("choices", choices), [Adam(lr=lr) for lr in _axis("rates", rates)]
    for way in ways:
        if not (isinstance(way, tuple) and len(way) == 2):
            raise BadInput(f"choices= are pairs (m, replace), such as (2, True), not {way!r:.60}.")
    spads = [SPAD(m=m, replace=bool(replace), k_max=k) for m, replace in ways for k in holds]
    methods = {f"lr {adam.lr}, {estimator!r}": (estimator, adam) for adam in adams for estimator in (GD(), *spads)}
    if len(methods) < len(adams) * (1 + len(spads)):
        raise BadInput("hold_sweep: k_max=, choices= and rates= are lists of different values; one is given twice.")
    estimators = {name: estimator for name, (estimator, _) in methods.items()}
    optimizers = {name: adam for name, (_, adam) in methods.items()}
    made = success_rates(functions, estimators, optimizer=optimizers, steps=steps, **settings)
    good = made.successes.reshape(len(made.functions), len(adams), 1 + len(spads), -1)
    rates = tuple(float(adam.lr) for adam in adams)
    return HoldSweep(
        made.functions,
        rates,
        tuple((None if m is None else int(m), bool(replace)) for m, replace in ways),
        tuple(int(k) for k in holds),
        made.tolerances,
        made.runs,
        good[:, :, 1:].reshape(*good.shape[:2], len(ways), len(holds), -1),
        good[:, :, 0],
        made.provenance | {"optimizer": f"Adam, learning rate {', '.join(f'{lr:g}' for lr in rates)}, {steps} steps"},
    )


def escape_map(
    *,
    start: float = 5.0,
    rates: Sequence[float] = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
    k_max: Sequence[int] = (1, 2, 5, 10, 20, 50, 100, 200, 500),
    m: int | None = 1,
    runs: int = 200,
    **settings: Any,
) -> HoldSweep:
    """Which runs of f1 from x = 5 escape, by learning rate and how long a path is held: the phase diagram behind Figure 3.

    A path is drawn at random (``m=1``; ``m=None`` keeps the larger one) and held for k_max steps. Two tolerances: 0.05,
    the run ends at the minimum; 30.05, it ends below the local minimum that traps the exact gradient. ``settings``: steps,
    rng, executor, workers, resume, progress; they, errors and cost as for ``hold_sweep``.

    >>> import tinyspad as ts
    >>> print(ts.experiments.escape_map(rates=(0.1,), k_max=(1, 50), runs=20, steps=1000))  # doctest: +ELLIPSIS
    Runs that end within a tolerance of the minimum, in percent of 20:
    <BLANKLINE>
    function  path            lr  tolerance   GD  k_max 1  k_max 50
    f1        a random path  0.1       0.05  0.0      0.0     100.0
    f1        a random path  0.1      30.05  0.0     10.0     100.0
    ...
    """
    return hold_sweep(
        problems.f1,
        k_max=k_max,
        choices=((m, False),),
        rates=rates,
        runs=runs,
        tolerances=(0.05, BELOW_TRAP),
        boxes=(start, start),
        **settings,
    )


def _axis(name: str, values: Any) -> list[Any]:
    listed = list(values) if isinstance(values, (list, tuple, range, np.ndarray)) else []
    if not listed:
        raise BadInput(f"{name}= is a list of at least one value, not {values!r:.60}.")
    return listed
