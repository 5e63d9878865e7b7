"""What a run leaves behind: steps, values, parameters and the paths that were followed; saved as .npz."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import BinaryIO

import numpy as np

from ..archive import LARGEST, load_arrays, save_arrays, write_file
from ..arguments import Array, Data, spaced
from ..displays import few, line, page, summary
from ..table import Table

__all__ = ["History"]

SHOWN = 8
"""Of so many parameters a display shows the arrays."""

FORMAT = "tinyspad history 1"


@dataclass(frozen=True, repr=False)
class History:
    """The recorded steps of a run, or of R runs side by side; T records in all.

    ``steps``: shape (T,), the step numbers. ``values``: the function there, shape (T,) or (T, R). ``x``: by parameter
    name the position before the step, shape (T, ...). ``paths``: by parameter name the index of the path that the step
    followed, shape (T,) or (T, R); -1 stands for all paths or, in the last record, for no step taken. Indices past the
    largest int64 are Python ints in an object array.

    >>> import tinyspad as ts
    >>> run = ts.minimize(lambda x: x * x, 1.0, optimizer=ts.SGD(lr=0.25), steps=2)
    >>> run.history.values
    array([1.    , 0.25  , 0.0625])
    """

    steps: Array
    values: Array
    x: dict[str, Array] = field(default_factory=dict)
    paths: dict[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        return line(f"History of {self._told}: values {summary(self.values)}; of {few(self.x)}")

    def _repr_html_(self) -> str:
        of_x = [(f"x[{name!r}]", summary(a)) for name, a in self.x.items()]
        of_paths = [(f"paths[{name!r}]", _range(a)) for name, a in self.paths.items()]
        rows = [("steps", _range(self.steps)), ("values", summary(self.values)), *of_x[:SHOWN], *of_paths[:SHOWN]]
        left = len(of_x) + len(of_paths) + 2 - len(rows)
        return page(
            f"History of {self._told}", Table(("", "array"), rows), f"... {spaced(left)} more ..." if left else ""
        )

    @property
    def _told(self) -> str:
        runs = f" of {spaced(self.values.shape[1])} runs" if self.values.ndim > 1 else ""
        return f"{spaced(len(self))} record{'s' * (len(self) != 1)}{runs}"

    def save(self, file: str | PathLike[str]) -> None:
        """Write to an .npz file (compressed, no pickle), whole or not at all. Raises OSError as ``open`` does."""
        save_arrays(file, FORMAT, to_arrays(self))

    @classmethod
    def load(cls, file: str | PathLike[str], limit: int = LARGEST) -> History:
        """Read what ``save`` wrote. Raises BadInput if the file is something else, damaged, or larger than ``limit`` bytes
        when unpacked; OSError if it is missing."""
        return load_arrays(file, FORMAT, from_arrays, limit)

    def to_csv(self, file: str | PathLike[str]) -> None:
        """Write comma-separated values, with all digits: a row for each record, of R runs one for each record and run.

        Columns: step, run (of several), value, every number of the parameters ("w[0, 1]"), and the paths that were followed
        ("path of w"; -1 as above). Whole or not at all. Raises OSError as ``open`` does.

        >>> import tempfile, tinyspad as ts
        >>> run = ts.minimize(lambda x: x * x, 1.0, optimizer=ts.SGD(lr=0.25), steps=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run.history.to_csv(f"{folder}/run.csv")
        ...     with open(f"{folder}/run.csv") as written:
        ...         print(written.read(), end="")
        step,value,x,path of x
        0,1.0,1.0,-1
        1,0.25,0.5,-1
        2,0.0625,0.25,-1
        """
        write_file(file, self._write_csv)

    def _write_csv(self, stream: BinaryIO) -> None:
        runs = self.values.shape[1:]
        columns = {"value": self.values, **self.x, **{f"path of {name}": a for name, a in self.paths.items()}}
        shapes = [a.shape[1 + len(runs) :] for a in columns.values()]
        head = ["step", *["run"] * len(runs)]
        head += [numbered for name, shape in zip(columns, shapes) for numbered in _numbers(name, shape)]
        text = io.TextIOWrapper(stream, "utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(head)
        for row, step in enumerate(self.steps.tolist()):
            of_runs = [
                a[row].reshape(math.prod(runs), math.prod(shape)).tolist() for a, shape in zip(columns.values(), shapes)
            ]
            for run, *numbers in zip(np.ndindex(runs), *of_runs):
                writer.writerow([step, *run, *itertools.chain.from_iterable(numbers)])
        text.flush()
        text.detach()  # it is not ours to close


def _range(a: Array) -> str:
    """An array of whole numbers in short, however large these are."""
    if not a.size:
        return f"array {a.shape}"
    low, high = spaced(int(np.min(a))), spaced(int(np.max(a)))
    return f"array {a.shape} " + (f"from {low} to {high}" if low != high else f"of {low}")


def _numbers(name: str, shape: tuple[int, ...]) -> list[str]:
    """The names of all numbers of a parameter: w[0, 1]."""
    return [f"{name}[{', '.join(map(str, at))}]" if at else name for at in np.ndindex(shape)]


def to_arrays(history: History) -> dict[str, Array]:
    """A history as arrays by name, for a file."""
    arrays = {"steps": history.steps, "values": history.values}
    arrays |= {f"x.{name}": a for name, a in history.x.items()}
    arrays |= {f"paths.{name}": a.astype(str) if a.dtype == object else a for name, a in history.paths.items()}
    return arrays


def from_arrays(named: dict[str, Array]) -> History:
    """The history that such arrays are of; raises whatever others make it raise."""
    history = History(
        named["steps"],
        named["values"],
        {k[2:]: a for k, a in named.items() if k.startswith("x.")},
        {k[6:]: _integers(a) for k, a in named.items() if k.startswith("paths.")},
    )
    for array in (history.values, *history.x.values(), *history.paths.values()):
        if len(array) != len(history.steps):
            raise ValueError("its arrays differ in length")
    if history.steps.dtype.kind != "i" or any(a.dtype.kind != "f" for a in (history.values, *history.x.values())):
        raise TypeError("its arrays are not numbers")
    return history


def _integers(a: Array) -> Array:
    if a.dtype.kind != "U":
        return a
    result = np.empty(a.shape, object)
    for at in np.ndindex(a.shape):
        result[at] = int(a[at])
    return result


class Recorder:
    """The history while it is written: rows in arrays that are there from the start. ``count``: how many there are."""

    def __init__(self, rows: int) -> None:
        self.rows, self.count = rows, 0
        self.steps = np.empty(rows, np.int64)
        self.values: Array = np.empty(0)
        self.x: dict[str, Array] = {}
        self.paths: dict[str, Array] = {}

    def begin(self, value: Data, x: Mapping[str, Data], paths: Mapping[str, Data]) -> None:
        """Make the arrays, for rows like these; of paths, a number alone stands for all that will be: it takes no memory."""
        self.values = self._like(value)
        self.x = {name: self._like(row) for name, row in x.items()}
        self.paths = {name: self._like(row) for name, row in paths.items()}
        for name, row in paths.items():
            if np.ndim(row) == 0 and np.ndim(value):
                self.paths[name] = np.broadcast_to(row, self.values.shape)

    def _like(self, row: Data) -> Array:
        row = np.asarray(row)
        return np.empty((self.rows, *row.shape), row.dtype)

    def add(self, step: int, value: Data, x: Mapping[str, Data], paths: Mapping[str, Data]) -> None:
        """Write a row: copies, which stay as they are."""
        if not self.x:
            self.begin(value, x, paths)
        row, self.count = self.count, self.count + 1
        self.steps[row], self.values[row] = step, value
        for name, position in x.items():
            self.x[name][row] = position
        for name, path in paths.items():
            if not self.paths[name].flags.writeable:
                continue
            if np.asarray(path).dtype == object and self.paths[name].dtype != object:  # an index beyond int64
                self.paths[name] = self.paths[name].astype(object)
            self.paths[name][row] = path

    def ends(self, step: int) -> bool:
        """Whether the last row is of this step. What an interruption left behind it is taken back."""
        self.count = int(np.searchsorted(self.steps[: self.count], step, side="right"))
        return self.count > 0 and int(self.steps[self.count - 1]) == step

    def history(self) -> History:
        """What was written."""
        cut = slice(self.count)
        whole = self.count == self.rows

        def done(a: Array) -> Array:
            return a if whole else a[cut].copy()

        return History(
            done(self.steps),
            done(self.values),
            {name: done(a) for name, a in self.x.items()},
            {name: done(a) for name, a in self.paths.items()},
        )
