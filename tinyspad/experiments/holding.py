"""How long to hold a path: success against k_max, over candidates, replacement and learning rate (Figure 7, and beyond)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np

from .. import functions as problems
from ..displays import headline, printed
from ..errors import BadInput
from ..estimators import GD, SPAD
from ..optimize import minimize
from ..optimizers import Adam, Optimizer
from ..table import Table
from .blocks import uninterrupted
from .intervals import rate_interval, wilson
from .problems import chosen_problems, near_what
from .success import listed, success_rates

Choice = tuple[int | None, bool]

CHOICES: tuple[Choice, ...] = ((None, False), (2, True), (1, False))
"""Candidates m and whether they are drawn with replacement: the largest of all paths, the larger of two, any one (RAD)."""

AT_MINIMUM = 0.05
"""The tolerance of Table 1, within which a run of ``escape_map`` has reached the minimum."""


@dataclass(frozen=True, eq=False, repr=False)
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
            f"Runs that end within a tolerance of the {near_what(self.provenance)}, in percent of {self.runs}:\n\n"
            f"{self._table()}\n\n"
            f"95 % intervals (Wilson) reach at most {spread:.1f} points to either side; intervals has each.\n"
            f"{listed(self.provenance)}"
        )

    def __repr__(self) -> str:
        return headline(self)

    def _repr_html_(self) -> str:
        return printed(self, self._table())

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
    optimizer: Optimizer | None = None,
    steps: int = 2000,
    **settings: Any,
) -> HoldSweep:
    """Success of SPAD against k_max (paper, Figure 7): for several m, with replacement or without, and learning rates.

    ``choices``: pairs (m, replace) of SPAD; m = 1 is RAD with a path held for k_max steps. ``rates``: the learning rates
    that ``optimizer``, ``Adam()`` if left out, is given as its ``lr``. ``settings``: runs, tolerances, criterion, boxes,
    writing, minimum, minimizers, rng, executor, workers, resume, progress; they and ``steps`` as for ``success_rates``. The
    exact gradient is run along as the baseline. Raises BadInput for arguments without meaning. Cost: that of functions *
    rates * (choices * k_max + 1) cells of a success table.

    >>> import tinyspad as ts
    >>> sweep = ts.experiments.hold_sweep("booth", k_max=(1, 10), rates=(0.1,), runs=20, steps=400)
    >>> sweep.successes.shape
    (1, 1, 3, 2, 2)
    """
    holds, ways = _axis("k_max", k_max), _axis("choices", choices)
    optimizer = Adam() if optimizer is None else optimizer
    steppers = [at_rate(optimizer, lr) for lr in _axis("rates", rates)]
    for way in ways:
        if not (isinstance(way, tuple) and len(way) == 2):
            raise BadInput(f"choices= are pairs (m, replace), such as (2, True), not {way!r:.60}.")
    spads = [SPAD(m=m, replace=bool(replace), k_max=k) for m, replace in ways for k in holds]
    methods = {f"lr {by.lr}, {estimator!r}": (estimator, by) for by in steppers for estimator in (GD(), *spads)}
    if len(methods) < len(steppers) * (1 + len(spads)):
        raise BadInput("hold_sweep: k_max=, choices= and rates= are lists of different values; one is given twice.")
    estimators = {name: estimator for name, (estimator, _) in methods.items()}
    optimizers = {name: by for name, (_, by) in methods.items()}
    made = success_rates(functions, estimators, optimizer=optimizers, steps=steps, **settings)
    good = made.successes.reshape(len(made.functions), len(steppers), 1 + len(spads), -1)
    rates = tuple(float(by.lr) for by in steppers)
    others = [f"{f.name}={getattr(optimizer, f.name)!r}" for f in fields(optimizer) if f.name != "lr"]  # type: ignore[arg-type]
    told = f"{type(optimizer).__name__}({', '.join(others)}), learning rate {', '.join(f'{lr:g}' for lr in rates)}"
    return HoldSweep(
        made.functions,
        rates,
        tuple((None if m is None else int(m), bool(replace)) for m, replace in ways),
        tuple(int(k) for k in holds),
        made.tolerances,
        made.runs,
        good[:, :, 1:].reshape(*good.shape[:2], len(ways), len(holds), -1),
        good[:, :, 0],
        made.provenance | {"optimizer": f"{told}, {steps} steps"},
    )


def at_rate(optimizer: Optimizer, lr: float) -> Any:
    """An optimizer with another learning rate; raises BadInput for one without ``lr``."""
    if not is_dataclass(optimizer) or isinstance(optimizer, type) or "lr" not in {f.name for f in fields(optimizer)}:
        raise BadInput(
            f"optimizer= is to take the learning rates in rates= as its lr, as SGD, Momentum and Adam do; {optimizer!r:.60} "
            "is no dataclass with a field lr."
        )
    return replace(optimizer, lr=lr)


def escape_map(
    function: Any = problems.f1,
    *,
    start: Any = 5.0,
    rates: Sequence[float] = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
    k_max: Sequence[int] = (1, 2, 5, 10, 20, 50, 100, 200, 500),
    m: int | None = 1,
    runs: int = 200,
    optimizer: Optimizer | None = None,
    steps: int = 2000,
    **settings: Any,
) -> HoldSweep:
    """Which runs from one start escape, by learning rate and how long a path is held: the phase diagram behind Figure 3.

    ``function`` and ``start``: f1 from x = 5, as in the paper, or any function that ``success_rates`` takes, with a number,
    or a tuple of one for each parameter. A path is drawn at random (``m=1``; ``m=None`` keeps the largest one) and held for
    k_max steps. Two tolerances: 0.05, the run ends at the minimum; and where the exact gradient does not come near it, the
    value below which a run has left what traps that, 0.05 less than where it ends: 30.05 for f1, with its local minimum of
    30.10. ``settings``: writing, minimum, rng, executor, workers, resume, progress; they, ``optimizer``, ``steps``, errors
    and cost as for ``hold_sweep``.

    >>> import tinyspad as ts
    >>> print(ts.experiments.escape_map(rates=(0.1,), k_max=(1, 50), runs=20, steps=1000))  # doctest: +ELLIPSIS
    Runs that end within a tolerance of the minimum, in percent of 20:
    <BLANKLINE>
    function  path            lr  tolerance   GD  k_max 1  k_max 50
    f1        a random path  0.1       0.05  0.0      0.0     100.0
    f1        a random path  0.1      30.05  0.0     10.0     100.0
    ...
    """
    for name in {"boxes", "choices", "tolerances"} & settings.keys():
        raise BadInput(f"escape_map: {name}= is what it finds by itself, from function=, start= and m=.")
    known = {name: settings.pop(name, None) for name in ("writing", "minimum", "minimizers")}
    (problem, *others) = chosen_problems(function, *known.values())
    by_value = settings.get("criterion", "value") == "value"
    if by_value and not np.isfinite(problem.minimum):
        raise BadInput(
            f"escape_map: the minimum of {problem.name} is not known, and from one start no run may come near it: pass the "
            "least value, minimum=0.0."
        )
    point = start if isinstance(start, (tuple, list)) else (start,)
    if others or len(point) != len(problem.box):
        raise BadInput(f"escape_map: one function, and a start of {len(problem.box)} numbers, not {start!r:.60}.")
    by = Adam() if optimizer is None else optimizer
    optimizers = [at_rate(by, lr) for lr in _axis("rates", rates)]
    trap = _trap(problem, point, optimizers, steps) if by_value else []
    return hold_sweep(
        problem,
        k_max=k_max,
        choices=((m, False),),
        rates=rates,
        optimizer=by,
        runs=runs,
        steps=steps,
        tolerances=(AT_MINIMUM, *trap),
        boxes=tuple((x, x) for x in point),
        **settings,
    )


def _trap(
    problem: problems.Problem, point: Sequence[float], optimizers: Sequence[Optimizer], steps: int
) -> list[float]:
    """How far above the minimum a run has left the lowest end of the exact gradient; nothing where that comes near it."""
    start = tuple(map(float, point)) if len(point) > 1 else float(point[0])
    ends = [uninterrupted(minimize(problem, start, optimizer=by, steps=steps, every=None)).value for by in optimizers]
    above = min((end - problem.minimum for end in ends if np.isfinite(end)), default=0.0) - AT_MINIMUM
    return [float(f"{above:.4g}")] if above > AT_MINIMUM else []


def _axis(name: str, values: Any) -> list[Any]:
    listed = list(values) if isinstance(values, (list, tuple, range, np.ndarray)) else []
    if not listed:
        raise BadInput(f"{name}= is a list of at least one value, not {values!r:.60}.")
    return listed
