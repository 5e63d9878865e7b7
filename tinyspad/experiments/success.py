"""How often estimators reach the minimum: the paper's Tables 1 and 2, for any functions, estimators and boxes."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

import numpy as np

from ..arguments import integer, name_of, spaced
from ..displays import few, line, printed
from ..errors import BadInput
from ..estimators import GD, RAD, SPAD, Estimator
from ..functions.problem import told_box
from ..optimizers import Adam, Optimizer
from ..table import Interval, Table
from .blocks import Cell, run_cells, seed_sequence
from .intervals import paired, percent, rate_interval, wilson
from .problems import (
    CRITERIA,
    Box,
    away,
    box_of,
    check_criterion,
    check_names,
    chosen_problems,
    near_what,
    stand_ins,
    told_stand_ins,
    told_writings,
)

ESTIMATORS: dict[str, Estimator] = {
    "GD": GD(),
    "RAD": RAD(),
    "SPAD, k_max 5": SPAD(k_max=5),
    "SPAD, k_max 50": SPAD(k_max=50),
}
"""The columns of the paper's tables. The paper's m is the number of terms, as for f1: all paths are candidates."""

PAPER: dict[float, dict[str, tuple[float, float, float, float]]] = {
    0.05: {
        "ackley": (12.2, 0.1, 2.1, 1.6),
        "beale": (70.8, 65.2, 67.0, 75.2),
        "levi": (0.0, 0.7, 2.2, 1.4),
        "schaffer2": (14.2, 8.8, 10.1, 11.4),
    },
    0.01: {
        "ackley": (12.2, 0.1, 2.1, 1.6),
        "beale": (65.4, 58.2, 62.7, 70.5),
        "levi": (0.0, 0.2, 1.7, 1.1),
        "schaffer2": (13.9, 8.8, 10.0, 11.3),
    },
}
"""The paper's Tables 1 (within 0.05 of the minimum) and 2 (0.01), in percent, under the columns of ``ESTIMATORS``."""

PAPER_BOXES: dict[str, Box] = {
    "ackley": ((-2.0, 2.0), (-2.0, 2.0)),
    "beale": ((-2.0, 2.0), (-2.0, 2.0)),
    "levi": ((-10.0, 10.0), (-10.0, 10.0)),
    "schaffer2": ((-18.0, 18.0), (-18.0, 18.0)),
}
"""The paper does not say where its runs start. From these boxes GD comes near its baseline in Table 1."""


@dataclass(frozen=True, eq=False, repr=False)
class SuccessTable:
    """How many runs ended within each tolerance of the minimum; ``print`` it, or ``plot.success`` it.

    ``reached``: which runs did, shape (functions, estimators, tolerances, runs); run i of every estimator has the same
    start. ``not_finite``: how many of them met NaN or infinity, shape (functions, estimators). ``paper``: the paper's rates
    in percent by (function, tolerance), in the order of the estimators, where it has them. ``provenance``: starts,
    criterion, writings, optimizer, steps, seed, versions. ``stand_ins``: by function, where its minimum is not known, the
    least value at which any run of the table ended, which stands in for it.
    """

    functions: tuple[str, ...]
    estimators: tuple[str, ...]
    tolerances: tuple[float, ...]
    reached: np.ndarray[Any, Any]
    not_finite: np.ndarray[Any, Any]
    provenance: dict[str, str]
    paper: Mapping[tuple[str, float], Sequence[float]]
    stand_ins: Mapping[str, float] = field(default_factory=dict)

    @property
    def runs(self) -> int:
        """How many of each cell."""
        return int(self.reached.shape[-1])

    @property
    def successes(self) -> np.ndarray[Any, Any]:
        """How many runs ended within the tolerance, shape (functions, estimators, tolerances)."""
        return np.asarray(self.reached.sum(axis=-1))

    @property
    def rates(self) -> np.ndarray[Any, Any]:
        """Successes per run, shape (functions, estimators, tolerances)."""
        return self.successes / self.runs

    @property
    def intervals(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The ends of the 95 % Wilson intervals, each of the shape of ``rates``."""
        low, high = wilson(self.successes, self.runs)
        return np.asarray(low), np.asarray(high)

    @property
    def winners(self) -> np.ndarray[Any, Any]:
        """Whether a cell has the highest rate of its row: of several with as many successes all, of none at all none."""
        best = self.successes.max(axis=1, keepdims=True)
        return (self.successes == best) & (best > 0)

    def rate(self, function: str, estimator: str, tolerance: float | None = None) -> float:
        """One rate; the tolerance is the first one if it is left out. Raises BadInput for what is not in the table."""
        return float(self.rates[self._place(function, estimator, tolerance)])

    def difference(self, function: str, estimator: str, other: str, tolerance: float | None = None) -> Interval:
        """By how much one estimator's rate is above another's, paired by start, with its 95 % interval (see ``paired``)."""
        one, two = (self.reached[self._place(function, name, tolerance)] for name in (estimator, other))
        return Interval(*map(float, paired(np.sum(one & ~two), np.sum(two & ~one), self.runs)))

    def _place(self, function: str, estimator: str, tolerance: float | None) -> tuple[int, ...]:
        places = []
        for what, name, names in (
            ("function", function, self.functions),
            ("estimator", estimator, self.estimators),
            ("tolerance", self.tolerances[0] if tolerance is None else tolerance, self.tolerances),
        ):
            if name not in names:
                raise BadInput(f"The table has no {what} {name!r}; it has {', '.join(map(str, names))}.")
            places.append(names.index(name))  # type: ignore[arg-type]
        return tuple(places)

    def _lead(self, f: int, t: int) -> str | None:
        """By how many points the winner of a row is above the second, paired by start."""
        first, *others = np.argsort(-self.successes[f, :, t], kind="stable")
        if not others or not self.winners[f, first, t]:
            return None
        names = self.estimators[first], self.estimators[others[0]]
        lead = self.difference(self.functions[f], *names, self.tolerances[t])
        return "{:.1f} ({:.1f} to {:.1f})".format(*(100 * x for x in lead))

    def _table(self, best: str) -> Table:
        """A row for each tolerance and function, and one for the paper's rates; ``best`` marks the winners."""
        rows = []
        for t, f in np.ndindex(len(self.tolerances), len(self.functions)):
            place = self.functions[f], self.tolerances[t]
            cells = [percent(n, self.runs) for n in self.successes[f, :, t]]
            marked = (best.format(c) if won else c for c, won in zip(cells, self.winners[f, :, t]))
            rows.append([*place[::-1], *marked, self._lead(f, t)])
            if place in self.paper:
                rows.append([place[1], "  the paper", *(f"{p:.1f}" for p in self.paper[place]), None])
        columns = "tolerance", "function", *self.estimators, "lead"
        return Table(columns, rows, left=2)

    def __str__(self) -> str:
        within = " or ".join(f"{tolerance:g}" for tolerance in self.tolerances)
        near = near_what(self.provenance)
        lines = [f"Runs that end within {within} of the {near}, in percent of {self.runs}:", "", self._table("{} *")]
        lines += ["", "* the highest of its row, and its lead: in points, over the second, on the same starts."]
        lines += ["In brackets 95 % intervals (Wilson; of a lead: Agresti and Min)."]
        if self.not_finite.any():
            lines.append(f"{int(self.not_finite.sum())} runs met NaN or infinity; they count as failures.")
        return "\n".join(map(str, [*lines, listed(self.provenance)]))

    def __repr__(self) -> str:
        within = " or ".join(f"{tolerance:g}" for tolerance in self.tolerances)
        compared = f"{few(self.estimators, joint='; ')} on {few(self.functions)}"
        return line(
            f"SuccessTable of {spaced(self.runs)} runs of {compared}, within {within} of the {near_what(self.provenance)}"
        )

    def _repr_html_(self) -> str:
        return printed(self, self._table("{} *"))

    def to_markdown(self) -> str:
        """The table in Markdown, the winners in bold."""
        return f"{self._table('**{}**').markdown()}\n\n{listed(self.provenance, '  ')}"

    def to_csv(self) -> str:
        """One line per cell, with all digits: function, estimator, tolerance, successes, rate, interval, winner, paper."""
        rows = []
        for (f, e, t), good in np.ndenumerate(self.successes):
            place = self.functions[f], self.tolerances[t]
            numbers = [self.runs, good, *rate_interval(good, self.runs), int(self.winners[f, e, t])]
            paper = self.paper[place][e] / 100 if place in self.paper else None
            rows.append([place[0], self.estimators[e], place[1], *numbers, self.not_finite[f, e], paper])
        names = ("runs", "successes", "rate", "low", "high", "winner", "not finite", "paper")
        return Table(("function", "estimator", "tolerance", *names), rows).csv(**self.provenance)


def success_rates(
    functions: Any,
    estimators: Mapping[str, Estimator] | None = None,
    *,
    runs: int = 1000,
    steps: int = 2000,
    optimizer: Optimizer | Mapping[str, Optimizer] | None = None,
    tolerances: Sequence[float] = (0.05, 0.01),
    criterion: str = "value",
    boxes: Any = None,
    writing: str | Mapping[str, str] | None = None,
    minimum: Any = None,
    minimizers: Any = None,
    rng: np.random.Generator | int | None = 0,
    executor: Executor | None = None,
    workers: int | None = None,
    resume: str | PathLike[str] | None = None,
    progress: bool = False,
) -> SuccessTable:
    """How often each estimator ends within each tolerance of each function's minimum (paper, Definition 4).

    ``functions``: a ``ts.functions.Problem``, its name, or a list of them; or functions of your own, elementwise, as
    ``Problem(name, f, box)`` or as they are, with ``boxes``. ``minimum``: the least value of one, ``minimizers``: the points
    that take it; of several dicts by name. Where a minimum is not known, the least value at which any run of the table ended
    stands in, whichever the estimator and the writing: then the true rates are at most those of the table, which says so.
    ``estimators``: a dict by name, ``ESTIMATORS`` if left out. ``optimizer``: one for all, ``Adam()`` if left out, or a dict
    by the estimators' names. ``criterion``: "value", f(x) is less than the tolerance above the minimum; or "distance", x is
    less than the tolerance away from the nearest minimizer, by the Euclidean norm, which asks for ``minimizers``.

    ``writing``: in which of its ``writings`` a function is taken: a name for all that have it, or a dict by function; a
    problem's writing may be among the functions, too. ``boxes``: where the starts are drawn, for all estimators and writings
    alike: (low, high) for every parameter of every function, uniformly; a ``Normal``; or a dict by function of that or of
    one for each parameter; the functions' own boxes if left out.

    ``workers``: so many processes, which end when this one does, however it ends; ``executor``: any
    ``concurrent.futures.Executor``, a cluster's among them, which is its owner's to close. The runs are cut into blocks
    of 1000 with seeds of their own: the result is the same wherever they are done, and where the runs of a cell end does
    not depend on the others. ``resume``: a file of finished blocks; the same call goes on from it, and one by the other
    criterion runs nothing. ``progress``: tell how far it is.

    Raises BadInput for arguments without meaning, BlockFailed for blocks that fail twice. Cost: a fraction of a
    millisecond per cell, step and 1000 runs.

    >>> import tinyspad as ts
    >>> table = ts.experiments.success_rates("booth", {"GD": ts.GD()}, runs=50, optimizer=ts.Adam(lr=0.1))
    >>> table.rate("booth", "GD")
    1.0

    A function of one's own, whose minimum nobody has told; and by distance:

    >>> def bowl(x, y):
    ...     return (x - 1) ** 2 + 4 * y * y
    >>> mine = ts.functions.Problem("mine", bowl, (-1, 1))
    >>> ts.experiments.success_rates(mine, {"GD": ts.GD()}, runs=50, optimizer=ts.SGD(lr=0.1))
    <SuccessTable of 50 runs of GD on mine, within 0.05 or 0.01 of the least value known>
    >>> near = {"criterion": "distance", "minimizers": [(1.0, 0.0)], "boxes": (-1, 1)}
    >>> ts.experiments.success_rates(bowl, {"GD": ts.GD()}, runs=50, optimizer=ts.SGD(lr=0.1), **near).rate("bowl", "GD")
    1.0
    """
    chosen = chosen_problems(functions, writing, minimum, minimizers)
    check_criterion(criterion, chosen)
    columns = ESTIMATORS if estimators is None else estimators
    if not isinstance(columns, Mapping) or not columns:
        raise BadInput('success_rates: estimators is a dict of names, such as {"GD": GD(), "RAD": RAD()}.')
    check_count("runs", runs, 1)
    check_count("steps", steps, 0)
    limits = check_tolerances(tolerances)
    optimizer = Adam() if optimizer is None else optimizer
    each = optimizer if isinstance(optimizer, Mapping) else dict.fromkeys(columns, optimizer)
    if set(each) != set(columns):
        raise BadInput("success_rates: optimizer= is one for all estimators, or a dict of the same names as theirs.")
    root = seed_sequence(rng)
    check_names("boxes", boxes, chosen)
    where = {name_of(p): box_of(p, boxes) for p in chosen}
    cells = [
        Cell(f"{name_of(p)}, {name}", p, where[name_of(p)], estimator, each[name], int(runs), int(steps))
        for p in chosen
        for name, estimator in columns.items()
    ]
    if rng is None and resume is not None:
        raise BadInput("resume= needs a seed, such as rng=0: without one, no two calls do the same runs.")
    ends = run_cells(cells, root, executor=executor, workers=workers, resume=resume, progress=progress)
    shape = len(chosen), len(columns)
    least = stand_ins((cell.problem, values) for cell, (values, *_) in zip(cells, ends)) if criterion == "value" else {}
    known = [replace(p, minimum=least.get(p.name, p.minimum)) for p in (cell.problem for cell in cells)]
    with np.errstate(all="ignore"):  # of runs that went to infinity
        missed = np.stack([away(p, criterion, values, x) for p, (values, *x) in zip(known, ends)])
        reached = np.stack([missed < limit for limit in limits], axis=1)
    starts = "; ".join(f"{name} {told_box(box)}" for name, box in where.items())
    told = {"starts": starts, "criterion": CRITERIA[criterion], **told_stand_ins(least)}
    return SuccessTable(
        tuple(map(name_of, chosen)),
        tuple(map(str, columns)),
        limits,
        reached.reshape(*shape, len(limits), int(runs)),
        np.array([np.sum(~np.isfinite(values)) for values, *_ in ends]).reshape(shape),
        told | {"writings": told_writings(chosen)} | provenance(optimizer, steps, root),
        {},
        least,
    )


def paper_table(*numbers: int, boxes: Any = None, optimizer: Optimizer | None = None, **settings: Any) -> SuccessTable:
    """The paper's Table 1 (within 0.05 of the minimum), Table 2 (0.01), or both from the same runs, beside its figures.

    Ackley, Beale, Levi and Schaffer 2; GD, RAD, SPAD with k_max 5 and 50; Adam with learning rate 0.01, unless another
    ``optimizer`` is given. The paper does not say where its runs start: ``boxes`` (as for ``success_rates``) are
    ``PAPER_BOXES`` if left out. ``settings``: runs, steps, criterion, writing, rng, executor, workers, resume, progress;
    they, errors and cost as for ``success_rates``.

    >>> import tinyspad as ts
    >>> table = ts.experiments.paper_table(1, runs=20, steps=10)
    >>> table.estimators
    ('GD', 'RAD', 'SPAD, k_max 5', 'SPAD, k_max 50')
    """
    wanted = numbers or (1, 2)
    limits = {1: 0.05, 2: 0.01}
    if not all(isinstance(n, int) and n in limits for n in wanted) or len(set(wanted)) < len(wanted):
        raise BadInput(f"paper_table: the tables of success rates are 1 and 2, not {', '.join(map(repr, wanted))}.")
    table = success_rates(
        list(PAPER[0.05]),
        ESTIMATORS,
        optimizer=optimizer,
        tolerances=[limits[n] for n in wanted],
        boxes=PAPER_BOXES if boxes is None else boxes,
        **settings,
    )
    paper = {(f, limits[n]): PAPER[limits[n]][f.partition(", ")[0]] for n in wanted for f in table.functions}
    return SuccessTable(**{**vars(table), "paper": paper})


# --- arguments --------------------------------------------------------------------------------------------------------


MOST = 10**8
"""The largest number of runs or steps that is taken."""


def check_count(name: str, value: Any, least: int) -> None:
    """Raise BadInput unless an argument is a whole number, at least so large."""
    if integer(value, f"{name}=", least) > MOST:
        raise BadInput(f"{name}= is at most {MOST} here, not {value!r:.60}: nobody could wait for that.")


def check_tolerances(tolerances: Any) -> tuple[float, ...]:
    """The tolerances as floats; raises BadInput unless they are positive numbers."""
    try:
        limits = tuple(float(t) for t in np.atleast_1d(tolerances))
        if limits and all(0 < t < np.inf for t in limits) and len(set(limits)) == len(limits):
            return limits
    except (TypeError, ValueError):
        pass
    raise BadInput(f"tolerances= are different positive numbers, such as (0.05, 0.01), not {tolerances!r:.60}.")


def provenance(optimizer: Any, steps: int, root: np.random.SeedSequence) -> dict[str, str]:
    """What a result depends on besides its own axes."""
    from .. import __version__

    seed = str(root.entropy) + (f", spawned {root.spawn_key}" if root.spawn_key else "")
    versions = f"tinyspad {__version__}, NumPy {np.__version__}, Python {platform.python_version()}"
    return {"optimizer": f"{optimizer!r}, {steps} steps", "seed": seed, "made with": versions}


def listed(record: Mapping[str, str], end: str = "") -> str:
    """What a result depends on, a line for each."""
    return "\n".join(f"{key}: {value}{end}" for key, value in record.items())
