"""Tables 1 and 2 and Figure 7 under every reading of the paper: what it leaves open, crossed, and kept in one file.

The paper does not say how its functions are written, where runs start, how many candidates are drawn and how, whether an
optimizer keeps a state for each path, nor whether success is meant by value or by distance. Here each is an axis.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..archive import write_text
from ..arguments import integer, spaced
from ..displays import line
from ..errors import BadInput
from ..estimators import GD, RAD, SPAD, Draw, Estimator
from ..functions import ALL, written
from ..linearization import Linearized
from ..optimizers import SGD, Adam, Optimizer
from ..progress import Progress
from ..table import Table
from .blocks import Cell, run_cells, seed_sequence
from .problems import CRITERIA, Normal, away, box_of
from .success import PAPER
from .workers import processes

TOLERANCES = (0.05, 0.01)

RATES = (0.01, 0.03, 0.1)

OPTIMIZERS: dict[str, Callable[[float], Optimizer]] = {
    "Adam": lambda lr: Adam(lr=lr),
    "Adam by path": lambda lr: Adam(lr=lr, moments="path"),
    "SGD": lambda lr: SGD(lr=lr),
}

STARTS: dict[str, Any] = {
    "[-2, 2]^2": (-2.0, 2.0),
    "usual box": None,
    "N(0, 1)^2": Normal(0.0, 1.0),
    "[-4, 4]^2": (-4.0, 4.0),
    "[-1, 1]^2": (-1.0, 1.0),
    "[-10, 10]^2": (-10.0, 10.0),
}
"""Where runs start: one rule for all functions each."""


@dataclass(frozen=True)
class _AsMany(Estimator):
    """SPAD with as many candidates as the parameter has paths, drawn with replacement: the largest may be missed."""

    paths_only = True

    k_max: int = 1

    def draw(self, lcg: Linearized, param: str, state: Any, rng: np.random.Generator) -> Draw:
        return SPAD(m=max(lcg.count_paths(param), 1), k_max=self.k_max, replace=True).draw(lcg, param, state, rng)


SELECTIONS: dict[str, Callable[[int], Estimator]] = {
    "largest of all N": lambda k: SPAD(k_max=k),
    "N drawn with replacement": lambda k: _AsMany(k_max=k),
    "2 drawn without": lambda k: SPAD(m=2, k_max=k),
    "2 drawn with replacement": lambda k: SPAD(m=2, k_max=k, replace=True),
}
"""How SPAD chooses a path. N paths drawn without replacement are all of them."""

HOLDS = (1, 5, 10, 20, 50, 100, 200)
"""The k_max of Figure 7; the tables have 5 and 50."""

REACHES = (50, 200)
"""Up to which k_max the trend of a curve is taken: that of the tables, and all."""

CURVES = ("beale", "levi")
"""The functions of Figure 7."""

PAIRS = (
    ("GD", "RAD"),
    ("k_max 5", "GD"),
    ("k_max 50", "GD"),
    ("k_max 5", "RAD"),
    ("k_max 50", "RAD"),
    ("k_max 50", "k_max 5"),
)
"""Methods that are compared, from the same starts."""

METHODS = ("GD", "RAD", *(f"k_max {k}" for k in HOLDS))


class Reading(NamedTuple):
    """A way to read the paper, but for selection and criterion: the runs of these are side by side.

    ``picked``: why, if it is not of the grid but was found by a search for rows like the paper's.
    """

    function: str
    writing: str
    optimizer: str
    rate: float
    start: str
    picked: str = ""


NEAREST, SEARCHED = "the box whose baseline is nearest", "found by a search"

PICKED_STARTS: dict[str, Any] = {
    "[-18, 18]^2": (-18.0, 18.0),
    "N(0, 1.5)^2": Normal(0.0, 1.5),
    "[-3.5, 3.5]^2": (-3.5, 3.5),
    "[-25, 25]^2": (-25.0, 25.0),
    "[-0.5, 0.5]^2": (-0.5, 0.5),
}

PICKED = (
    Reading("schaffer2", "powers", "Adam", 0.01, "[-18, 18]^2", NEAREST),
    Reading("schaffer2", "powers", "Adam by path", 0.01, "[-18, 18]^2", NEAREST),
    Reading("beale", "products", "Adam", 0.1, "N(0, 1.5)^2", SEARCHED),
    Reading("schaffer2", "powers", "Adam", 0.1, "[-3.5, 3.5]^2", SEARCHED),
    Reading("schaffer2", "powers", "SGD", 0.1, "[-25, 25]^2", SEARCHED),
    Reading("ackley", "sum", "Adam", 0.01, "[-0.5, 0.5]^2", "the inner cell of Ackley's function"),
)


def readings() -> list[Reading]:
    """All that are measured: those that were picked, and the grid, one start after the other.

    >>> len(readings()), readings()[len(PICKED)]
    (654, Reading(function='ackley', writing='sum', optimizer='Adam', rate=0.01, start='[-2, 2]^2', picked=''))
    """
    grid = [
        Reading(function, writing, optimizer, rate, start)
        for start in STARTS
        for rate in RATES
        for optimizer in OPTIMIZERS
        for function in PAPER[0.05]
        for writing in ALL[function].writings
    ]
    return [*PICKED, *grid]


# --- the table ----------------------------------------------------------------------------------------------------------

KEYS = (*Reading._fields, "selection", "criterion", "tolerance")
SIZES = ("runs", "steps", "seed")
COUNTS = (*SIZES, "not finite", *METHODS, *(f"{a}, not {b}" for pair in PAIRS for a, b in (pair, pair[::-1])))
NUMBERS = tuple(f"trend to {k}{what}" for k in REACHES for what in ("", ", error"))
COLUMNS = (*KEYS, *COUNTS, *NUMBERS)

Row = dict[str, Any]
"""A reading with selection, criterion and tolerance, under ``COLUMNS``: successes by method, the starts from which only one
of two methods succeeds, and of a curve its slopes, the rise of the rate for ten times the k_max, with standard errors."""


@dataclass(frozen=True, eq=False, repr=False)
class Sensitivity:
    """Success under every reading of the paper: a ``Row`` for each, selection, criterion and tolerance.

    ``shares`` tells in which of them a claim holds, ``plot.sensitivity`` draws that; ``to_csv`` and ``from_csv`` keep them.
    """

    rows: tuple[Row, ...]

    @property
    def readings(self) -> list[Reading]:
        """Those that have been measured."""
        return list(dict.fromkeys(_reading(row) for row in self.rows))

    def __repr__(self) -> str:
        return line(f"Sensitivity: {spaced(len(self.rows))} rows of {spaced(len(self.readings))} readings")

    def to_csv(self) -> str:
        """One line for each row; ``from_csv`` reads it."""
        return Table(COLUMNS, [[row[name] for name in COLUMNS] for row in self.rows]).csv()

    @classmethod
    def from_csv(cls, text: str) -> Sensitivity:
        """The inverse of ``to_csv``. Raises BadInput for anything else."""
        lines = csv.reader(io.StringIO(text))
        try:
            if tuple(next(lines)) != COLUMNS:
                raise ValueError
            return cls(tuple(_row(cells) for cells in lines))
        except (ValueError, StopIteration, csv.Error):
            raise BadInput(
                "This is no table of the command sensitivity, or one of another version. Give another name, or delete it."
            ) from None


def _row(cells: Sequence[str]) -> Row:
    if len(cells) != len(COLUMNS):
        raise ValueError
    row: Row = dict(zip(COLUMNS, cells))
    for name in ("rate", "tolerance", *NUMBERS):
        row[name] = float(row[name]) if row[name] else None
    for name in COUNTS:
        row[name] = int(row[name]) if row[name] else None
    if row["criterion"] not in CRITERIA or row["selection"] not in SELECTIONS:
        raise ValueError
    return row


def _reading(row: Row) -> Reading:
    return Reading(*(row[name] for name in Reading._fields))


# --- measuring ----------------------------------------------------------------------------------------------------------


def sensitivity(
    wanted: Iterable[Reading] | None = None,
    *,
    runs: int = 1000,
    steps: int = 2000,
    rng: int = 0,
    file: str | PathLike[str] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> Sensitivity:
    """Measure Tables 1 and 2 and Figure 7 under every reading of the paper.

    ``wanted``: which ``readings``, all if left out. All methods, writings, optimizers and rates of a function run from
    the same starts, and both criteria are counted from one set of runs. ``rng``: a seed. ``file``: a CSV of finished
    readings, for one call at a time; the same one goes on from it, and one that has them all runs nothing. ``executor``,
    ``workers``, ``progress`` as for ``success_rates``. Raises BadInput for a file that is something else, or of another
    size or seed, and what ``success_rates`` raises. Cost: 2 to 6 s for a reading, three quarters of an hour for all.

    >>> made = sensitivity(readings()[6:8], runs=10, steps=20)
    >>> len(made.rows), made.rows[0]["selection"], made.rows[0]["runs"]
    (32, 'largest of all N', 10)
    """
    sizes = {
        "runs": integer(runs, "runs=, whose spread is told,", 2),
        "steps": integer(steps, "steps=", 0),
        "seed": integer(rng, "rng=", 0),
    }
    chosen = list(readings() if wanted is None else wanted)
    if executor is not None and workers is not None:
        raise BadInput("Give executor= or workers=, not both.")
    kept = _Kept(None if file is None else Path(file), sizes)
    left = [reading for reading in chosen if reading not in kept.known]
    pool: Any = nullcontext(executor) if workers is None else processes(integer(workers, "workers="))
    with pool as doing, Progress(len(chosen), "reading", progress, len(chosen) - len(left)) as bar:
        for reading in left:
            kept.add(reading, list(measured(reading, sizes, doing)))
            bar.show(sum(r in kept.known for r in chosen))
    return Sensitivity(tuple(row for reading in chosen for row in kept.known[reading]))


def measured(reading: Reading, sizes: dict[str, int], executor: Executor | None = None) -> Iterator[Row]:
    """The rows of one reading."""
    function = ALL[reading.function]
    problem: Any = written(function, reading.writing) if reading.writing != function.writing else function
    box = box_of(problem, {**STARTS, **PICKED_STARTS}[reading.start])
    optimizer = OPTIMIZERS[reading.optimizer](reading.rate)
    holds = HOLDS if reading.function in CURVES else (5, 50)
    methods: dict[tuple[str, str], Estimator] = {("", "GD"): GD(), ("", "RAD"): RAD()}
    methods |= {(how, f"k_max {k}"): make(k) for how, make in SELECTIONS.items() for k in holds}
    cells = [
        Cell(", ".join(map(str, (*reading, *key))), problem, box, estimator, optimizer, sizes["runs"], sizes["steps"])
        for key, estimator in methods.items()
    ]
    ends = dict(zip(methods, run_cells(cells, seed_sequence(sizes["seed"]), executor=executor)))
    for selection in SELECTIONS:
        own = {name: e for (how, name), e in ends.items() if how in ("", selection)}
        lost = sum(int(np.sum(~np.isfinite(values))) for values, *_ in own.values())
        for criterion in CRITERIA:
            with np.errstate(all="ignore"):  # of runs that went to infinity
                missed = {name: away(problem, criterion, values, x) for name, (values, *x) in own.items()}
            for limit in TOLERANCES:
                keys = dict(zip(KEYS, (*reading, selection, criterion, limit)))
                yield {**keys, **sizes, "not finite": lost, **counted({name: m < limit for name, m in missed.items()})}


def counted(reached: dict[str, np.ndarray[Any, Any]]) -> Row:
    """The columns of a row that count successes, from which runs of each method succeeded."""
    row: Row = {name: int(reached[name].sum()) if name in reached else None for name in METHODS}
    for pair in PAIRS:
        for a, b in (pair, pair[::-1]):
            row[f"{a}, not {b}"] = int(np.sum(reached[a] & ~reached[b]))
    for reach in REACHES:
        holds = [k for k in HOLDS if k <= reach]
        curve = [reached[f"k_max {k}"] for k in holds if f"k_max {k}" in reached]
        slope, error = trend(holds, np.array(curve)) if len(curve) == len(holds) else (None, None)
        row |= {f"trend to {reach}": slope, f"trend to {reach}, error": error}
    return row


def trend(holds: Sequence[int], curve: np.ndarray[Any, Any]) -> tuple[float, float]:
    """By how much the success rate rises for ten times the k_max, by least squares, and its standard error.

    ``curve``: which runs succeeded, shape (k_max, runs). Each start has a slope of its own; their mean is that of the
    rates, and the error is that of a mean, so that it is paired by start.

    >>> trend([1, 10, 100], np.array([[False, False], [True, False], [True, True]]))
    (0.5, 0.0)
    """
    x = np.log10(holds) - np.mean(np.log10(holds))
    slopes = x @ curve / (x @ x)
    return float(f"{slopes.mean():.6g}"), float(f"{slopes.std(ddof=1) / np.sqrt(len(slopes)):.6g}")


class _Kept:
    """A CSV of finished readings: written anew, whole or not at all, after each of them, in the order of ``readings``."""

    def __init__(self, file: Path | None, sizes: dict[str, int]) -> None:
        self.file, self.known = file, dict[Reading, list[Row]]()
        if file is None or not file.exists():
            return
        try:
            found = Sensitivity.from_csv(file.read_bytes().decode("utf-8", errors="replace"))
        except BadInput as problem:
            raise BadInput(f"{file}: {problem.message}") from None
        for row in found.rows:
            for name, size in sizes.items():
                if row[name] != size:
                    raise BadInput(
                        f"{file} has rows with {name} {row[name]}, not {size}: take another folder, or ask for that."
                    )
            self.known.setdefault(_reading(row), []).append(row)
        whole = len(SELECTIONS) * len(CRITERIA) * len(TOLERANCES)
        self.known = {reading: rows for reading, rows in self.known.items() if len(rows) == whole}

    def add(self, reading: Reading, rows: list[Row]) -> None:
        self.known[reading] = rows
        if self.file is not None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            place = {r: i for i, r in enumerate(readings())}
            order = sorted(self.known, key=lambda r: place.get(r, len(place)))
            write_text(self.file, Sensitivity(tuple(row for r in order for row in self.known[r])).to_csv())
