"""What a minimisation arrived at, and what several of them did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from os import PathLike

import numpy as np

from ..archive import LARGEST, load_arrays, save_arrays
from ..arguments import Array, Data, spaced
from ..containers import filled, form_of, is_container, leaves_of, of_form
from ..displays import cut, few, line, page, summary
from ..table import Table
from .history import History, from_arrays, to_arrays

NO_CHOICE = (
    "Every parameter has a single path here, so this estimator is GD. To have more, read a variable several times (x * x, "
    "not x**2), or sum over data inside f."
)

DONE, NON_FINITE, STOPPED, INTERRUPTED = "done", "non-finite", "stopped", "interrupted"

FORMAT = "tinyspad result 1"

TOLD = {
    DONE: "took all steps, {}",
    NON_FINITE: "met NaN or infinity after {}, and stayed there",
    STOPPED: "ended after {}, by the callback",
    INTERRUPTED: "ended after {}, by Ctrl-C",
}
"""What a run did, by its status."""


@dataclass(frozen=True, repr=False)
class Result:
    """What a minimisation arrived at.

    ``x``: the final position, of x0's form (a tuple if x0 was one). ``value``: f there, a number or one per run.
    ``status``: "done", "non-finite" (the run met NaN or infinity and stays where it did), "stopped" (by the callback)
    or "interrupted" (by Ctrl-C); an array of these for a batch. ``steps``: steps taken, an array for a batch.
    ``history``: a ``History``, or None. ``single_paths``: whether the estimator had no choice, since every parameter, or
    number in an array, has one path at most: then it did what ``GD`` does. ``trig``: how sines and cosines were computed, by
    "numpy" or "half-angle".

    ``fun``, ``nit``, ``success`` and ``message`` are what SciPy calls the value, the steps, whether the run ended as it
    should, and the status in words.

    >>> import tinyspad as ts
    >>> result = ts.minimize(ts.functions.f1, 5.0, steps=2000)
    >>> result
    <Result: f = 30.1001 at x = 5.47483, done after 2 000 steps>
    >>> result.fun == result.value, result.nit, result.success
    (True, 2000, True)
    """

    x: Data
    value: Data
    status: Data
    steps: Data
    history: History | None
    single_paths: bool = False
    trig: str = "numpy"

    # --- what else is asked of it -----------------------------------------------------------------------------------

    @property
    def best_value(self) -> float:
        """The least finite value that is known: of all runs, at their ends and in the history. NaN if there is none.

        What was not recorded (``every=``) is not known. It is f itself, with ``data=`` the mean over all of it.
        """
        return self._best[0]

    @property
    def best_x(self) -> Data:
        """Where that is: of one run, in x0's form. None where no value is finite."""
        return self._best[1]

    @property
    def fun(self) -> Data:
        """SciPy's name for ``value``."""
        return self.value

    @property
    def nit(self) -> Data:
        """SciPy's name for ``steps``."""
        return self.steps

    @property
    def success(self) -> Data:
        """Whether a run took all its steps, and ended at a finite value; an array of these for a batch.

        Whether that is a minimum it does not say: nothing is tested for convergence.
        """
        good = np.equal(self.status, DONE) & np.isfinite(self.value)
        return good if np.shape(self.value) else bool(good)

    @property
    def message(self) -> str:
        """How the run ended, in words; of a batch, how many did how."""
        if np.shape(self.value) == ():
            good = self.success or self.status != DONE
            return f"The run {self._did(self.status)}{'' if good else ', and f is not finite at its end'}."
        of_each = dict(self._numbers())
        runs = f"{spaced(np.size(self.value))} run{'s' * (np.size(self.value) != 1)}"
        if not of_each:
            return "There were no runs."
        if len(of_each) == 1:
            return f"{'The run' if np.size(self.value) == 1 else f'All of {runs}'} {self._did(*of_each)}."
        return f"Of {runs} {'; '.join(f'{spaced(number)} {self._did(status)}' for status, number in of_each.items())}."

    def _did(self, status: str) -> str:
        taken = np.asarray(self.steps)[np.equal(self.status, status)]
        least, most = spaced(int(taken.min())), spaced(int(taken.max()))
        number = least if least == most else f"{least} to {most}"
        if status == DONE:
            return "took the one step" if number == "1" else TOLD[status].format(number)
        return TOLD[status].format(f"{number} step{'s' * (number != '1')}")

    def _numbers(self) -> Iterator[tuple[str, int]]:
        """Of a batch how many runs ended how."""
        for status in TOLD:
            if number := int(np.sum(np.equal(self.status, status))):
                yield status, number

    @cached_property
    def _best(self) -> tuple[float, Data]:
        """The least value, and where; at the end, if it is as good as any."""
        value, leaves = np.asarray(self.value, float), _leaves(self.x)
        at = _least(value)
        if self.history is not None and len(self.history):
            before = _least(self.history.values)
            if before is not None and (at is None or self.history.values[before] < value[at]):
                value, leaves, at = self.history.values, list(self.history.x.values()), before
        if at is None:
            return np.nan, None
        own = (leaf[at] if at else leaf for leaf in leaves)
        own = (float(leaf) if np.ndim(leaf) == 0 else np.array(leaf) for leaf in own)
        return float(value[at]), filled(self.x, own)

    @property
    def median(self) -> float:
        """The median of the runs' final values, of those that are finite; of one run its value."""
        finite = np.asarray(self.value)[np.isfinite(self.value)]
        return float(np.median(finite)) if finite.size else np.nan

    # --- showing it -------------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return f"{self._told()}\n{NO_CHOICE}" if self.single_paths else self._told()

    def _told(self) -> str:
        if np.shape(self.value) == ():
            after = f"{self.status} after {self.steps} step{'s' * (self.steps != 1)}"
            return f"{after}: f({_coordinates(self.x)}) = {self.value:.6g}"
        value = np.asarray(self.value)
        finite = value[np.isfinite(value)]
        span = f"least {finite.min():.6g}, median {np.median(finite):.6g}" if finite.size else "no finite value"
        counts = ", ".join(f"{int(np.sum(self.status == s))} {s}" for s in np.unique(self.status))
        return f"{value.size} runs ({counts}): {span}"

    def __repr__(self) -> str:
        best = f"best f = {self.best_value:.6g} at x = {position_text(self.best_x)}"
        if np.shape(self.value) == ():
            after = f"{self.status} after {spaced(self.steps)} step{'s' * (self.steps != 1)}"
            ended = f"f = {self.value:.6g} at x = {position_text(self.x)}, {after}"
            differs = self.best_x is not None and f"{self.best_value:.6g}" != f"{self.value:.6g}"
            return line(f"Result: {ended}{f'; {best}' if differs else ''}")
        counts = ", ".join(f"{spaced(number)} {status}" for status, number in self._numbers())
        told = "no finite value" if self.best_x is None else f"{best}; median at the end {self.median:.6g}"
        return line(f"Result of {spaced(np.size(self.value))} runs: {told}{counts and '; '}{counts}")

    def _repr_html_(self) -> str:
        rows: list[tuple[object, ...]] = []
        if np.shape(self.value) == ():
            if self.history is not None and len(self.history):
                start = filled(self.x, (x[0] for x in self.history.x.values()))
                rows.append(("at the start", f"{self.history.values[0]:.6g}", position_text(start)))
            rows.append(("at the end", f"{self.value:.6g}", position_text(self.x)))
        else:
            ends = np.asarray(self.value)[np.isfinite(self.value)]
            for name, of in (("least", np.min), ("median", np.median), ("largest", np.max)):
                rows.append((f"{name} at the end", f"{of(ends):.6g}" if ends.size else "none is finite", ""))
        rows.append(("the best", f"{self.best_value:.6g}", position_text(self.best_x)))
        return page(self.message, Table(("", "f", "x"), rows), NO_CHOICE if self.single_paths else "")

    # --- keeping it -------------------------------------------------------------------------------------------------

    def save(self, file: str | PathLike[str]) -> None:
        """Write to an .npz file, history included, which ``Result.load`` reads; whole or not at all.

        Containers of parameters come back as dicts, lists and tuples. Raises BadInput for a dict whose keys are neither
        texts nor numbers, OSError as ``open`` does.

        >>> import tempfile, tinyspad as ts
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     ts.minimize(ts.functions.f1, 5.0, steps=20).save(f"{folder}/run.npz")
        ...     ts.Result.load(f"{folder}/run.npz")
        <Result: f = 43.7809 at x = 5.20334, done after 20 steps>
        """
        arrays = {"form": np.array(json.dumps(form_of(self.x)))}
        arrays |= {f"x.{i}": np.asarray(leaf) for i, (_, leaf) in enumerate(leaves_of(self.x, ""))}
        for name in ("value", "status", "steps", "single_paths", "trig"):
            arrays[name] = np.asarray(getattr(self, name))
        if self.history is not None:
            arrays |= {f"history.{name}": array for name, array in to_arrays(self.history).items()}
        save_arrays(file, FORMAT, arrays)

    @classmethod
    def load(cls, file: str | PathLike[str], limit: int = LARGEST) -> Result:
        """Read what ``save`` wrote. Raises BadInput if the file is something else, damaged, or larger than ``limit`` bytes
        when unpacked; OSError if it is missing."""
        return load_arrays(file, FORMAT, _from_arrays, limit)


class Results(dict[str, Result]):
    """Several results by name, as ``compare`` gives them: a dict that shows itself as a table. ``print`` it.

    >>> import tinyspad as ts
    >>> f = lambda x: (x - 1) * (x - 2)
    >>> print(ts.compare(f, 5.0, {"GD": ts.GD(), "g0": ts.FixedPath(0)}, optimizer=ts.SGD(lr=0.1), steps=50))
    estimator     best f     at x  f at the end  status
    GD             -0.25  1.50005         -0.25    done
    g0         0.0157004  2.01546     0.0157004    done
    """

    def table(self) -> Table:
        """A row for each: the least value that is known, where it is, the value at the end, of several runs the median, and
        the status, of several runs how many ended how."""
        batch = any(np.shape(result.value) for result in self.values())
        rows = []
        for name, result in self.items():
            best = (result.best_value, position_text(result.best_x)) if result.best_x is not None else ("none", "")
            ended = ", ".join(f"{spaced(n)} {status}" for status, n in result._numbers()) if batch else result.status
            rows.append((cut(str(name), 40), *best, result.median, ended))
        columns = ("estimator", "best f", "at x", "median f at the end" if batch else "f at the end", "status")
        return Table(columns, rows, ("", ".6g", "", ".6g"))

    def __str__(self) -> str:
        return str(self.table())

    def __repr__(self) -> str:
        of_each = (f"{cut(str(name))}: {result.best_value:.6g}" for name, result in self.items())
        return line(f"Results by name, best f of each: {few(of_each, letters=40, joint='; ')}")

    def _repr_html_(self) -> str:
        same = [cut(str(name)) for name, result in self.items() if result.single_paths]
        return page(self.table(), f"{few(same)}: {NO_CHOICE}" if same else "")


def position_text(x: Data) -> str:
    """A position as one would say it: a number, some in brackets, arrays by shape and range; "nowhere" for None.

    >>> position_text(5.0), position_text((3.0, 0.5)), position_text({"w": np.zeros(3)})
    ('5', '(3, 0.5)', 'dict of 1 parameter')
    """
    if x is None:
        return "nowhere"
    if isinstance(x, tuple) and not hasattr(x, "_fields"):
        return f"({few(map(_coordinate, x), letters=40)})"
    return _coordinate(x)


def _coordinates(x: Data) -> str:
    parts = x if isinstance(x, tuple) else (x,)
    return ", ".join(map(_coordinate, parts))


def _coordinate(p: Data) -> str:
    if is_container(p):
        n = len(list(leaves_of(p, "", True)))
        return f"{type(p).__name__} of {n} parameter{'s' * (n != 1)}"
    return summary(p)


def _leaves(x: Data) -> list[Data]:
    """The numbers and arrays of a position, in the order of the history's."""
    return [leaf for _, leaf in leaves_of(x, "")]


def _least(values: Array) -> tuple[int, ...] | None:
    """Where the least finite value is."""
    if not np.size(values):
        return None
    at = int(np.argmin(values))
    if not np.isfinite(values.flat[at]):  # NaN counts as least, and minus infinity is
        finite = np.where(np.isfinite(values), values, np.inf)
        at = int(np.argmin(finite))
        if np.isinf(finite.flat[at]):
            return None
    return tuple(map(int, np.unravel_index(at, np.shape(values))))


def _from_arrays(named: dict[str, Array]) -> Result:
    """What was saved, numbers and texts as such; raises whatever a damaged file makes it raise."""
    found: dict[str, Data] = {name: array.item() if array.ndim == 0 else array for name, array in named.items()}
    leaves = [found[f"x.{i}"] for i in range(sum(name.startswith("x.") for name in found))]
    x = filled(of_form(json.loads(found["form"])), iter(leaves))
    told = {name: a for name, a in named.items() if name.startswith("history.")}
    history = from_arrays({name.removeprefix("history."): a for name, a in told.items()}) if told else None
    if not {np.shape(found[name]) for name in ("value", "status", "steps")} == {np.shape(found["value"])}:
        raise ValueError("its arrays differ in length")
    if not set(np.ravel(found["status"])) <= set(TOLD):
        raise ValueError("it tells of no status that there is")
    return Result(x, found["value"], found["status"], found["steps"], history, found["single_paths"], found["trig"])
