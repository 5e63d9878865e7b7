"""What a run leaves behind: steps, values, parameters and the paths that were followed; saved as .npz."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from typing import NamedTuple

import numpy as np

from ..archive import LARGEST, load_arrays, save_arrays
from ..arguments import Array, Data

__all__ = ["History"]

FORMAT = "tinyspad history 1"


@dataclass(frozen=True)
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

    def save(self, file: str | PathLike[str]) -> None:
        """Write to an .npz file (compressed, no pickle), whole or not at all. Raises OSError as ``open`` does."""
        arrays: dict[str, Data] = {"steps": self.steps, "values": self.values}
        arrays |= {f"x.{name}": a for name, a in self.x.items()}
        arrays |= {f"paths.{name}": a.astype(str) if a.dtype == object else a for name, a in self.paths.items()}
        save_arrays(file, FORMAT, arrays)

    @classmethod
    def load(cls, file: str | PathLike[str], limit: int = LARGEST) -> History:
        """Read what ``save`` wrote. Raises BadInput if the file is something else, damaged, or larger than ``limit`` bytes
        when unpacked; OSError if it is missing."""
        return load_arrays(file, FORMAT, _from_arrays, limit)


def _from_arrays(named: dict[str, Array]) -> History:
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


class Record(NamedTuple):
    """One step: the value and position before it, and the paths that it followed."""

    step: int
    value: Data
    x: dict[str, Data]
    paths: dict[str, Data]


def record(step: int, value: Data, x: dict[str, Data], paths: dict[str, Data]) -> Record:
    """A record of copies, which stay as they are."""
    x, paths = ({k: np.array(v) for k, v in named.items()} for named in (x, paths))
    return Record(step, np.array(value), x, paths)


def history_of(records: list[Record]) -> History:
    """The records as arrays."""
    steps, values, x, paths = zip(*records)
    return History(
        np.array(steps, np.int64),
        np.array(values),
        {name: np.array([row[name] for row in x]) for name in x[0]},
        {name: _stacked([row[name] for row in paths]) for name in paths[0]},
    )


def _stacked(rows: list[Array]) -> Array:
    """Indices of all steps; as Python ints where one of them is too large for int64."""
    return np.array(rows, object) if any(row.dtype == object for row in rows) else np.array(rows)
