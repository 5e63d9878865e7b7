"""Is following one path at a time a method? Functions with many minima, at equal work, against what people would take."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from ..displays import headline, printed
from ..errors import BadInput
from ..optimizers import Adam
from ..table import Table
from .blocks import Cell, run_cells, seed_sequence
from .equal_work import HOLD, HOP, METHODS, SHORT, hopped, scipy_optimize
from .families import FAMILIES
from .intervals import percent, rate_interval, wilson
from .success import check_count, check_tolerances, listed, provenance

RATES = (0.001, 0.003, 0.01)
"""Learning rates, in widths of the box: a step of Adam is as long. In a box of width 10 they are 0.01, 0.03 and 0.1."""

FORMAT = "tinyspad multimodal 1"


@dataclass(frozen=True, eq=False, repr=False)
class Multimodal:
    """Which runs came near the minimum, by function, dimensions, method and learning rate; ``print`` it, or draw it.

    ``reached``: booleans of shape (functions, dimensions, methods, rates, runs); the runs of all methods have the same
    starts, and a method without a learning rate has the same runs under each. ``rates``: in widths of the box. ``work``:
    evaluations of each run. ``tolerance``: how near. ``provenance``: versions and seed.
    """

    functions: tuple[str, ...]
    dimensions: tuple[int, ...]
    methods: tuple[str, ...]
    rates: tuple[float, ...]
    work: int
    tolerance: float
    reached: np.ndarray[Any, Any]
    provenance: dict[str, str]

    @property
    def runs(self) -> int:
        """How many runs each cell has."""
        return int(self.reached.shape[-1])

    @property
    def successes(self) -> np.ndarray[Any, Any]:
        """How many runs came near, shape (functions, dimensions, methods, rates)."""
        return np.sum(self.reached, axis=-1)

    @property
    def best(self) -> np.ndarray[Any, Any]:
        """The place of each method's best rate, of equal ones the smallest, shape (functions, dimensions, methods).

        It is chosen by the same runs that it is then judged by, for all methods alike: so these rates of success are a
        little too high, and more so those of methods whose rates hardly differ.
        """
        return np.argmax(self.successes, axis=-1)

    @property
    def at_best(self) -> np.ndarray[Any, Any]:
        """``reached`` at the best rates, shape (functions, dimensions, methods, runs)."""
        return np.take_along_axis(self.reached, self.best[..., None, None], axis=-2)[..., 0, :]

    @property
    def intervals(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The ends of the 95 % Wilson intervals of the rates of success, each of the shape of ``successes``."""
        low, high = wilson(self.successes, self.runs)
        return np.asarray(low), np.asarray(high)

    @property
    def alone(self) -> np.ndarray[Any, Any]:
        """From how many starts one method came near and another did not, at their best rates.

        Shape (functions, dimensions, methods, methods).
        """
        good = self.at_best
        return np.sum(good[:, :, :, None] & ~good[:, :, None], axis=-1)

    def _table(self, best: str) -> Table:
        rows = []
        for f, d, m in np.ndindex(self.best.shape):
            good, at = self.successes[f, d, m], self.best[f, d, m]
            cells = [percent(n, self.runs) for n in good]
            rows.append(
                [
                    self.functions[f],
                    f"{self.dimensions[d]}-D",
                    self.methods[m],
                    *(best.format(cell) if k == at else cell for k, cell in enumerate(cells)),
                ]
            )
        return Table(("function", "", "method", *(f"{rate:g}" for rate in self.rates)), rows, left=3)

    def __str__(self) -> str:
        return (
            f"Runs that evaluate a value within {self.tolerance:g} of the minimum in {self.work} evaluations, in percent of "
            f"{self.runs}, by learning rate in widths of the box:\n\n{self._table('{} *')}\n\n"
            "* the method's best rate, of equal ones the smallest; in brackets 95 % intervals (Wilson).\n"
            f"{listed(self.provenance)}"
        )

    def __repr__(self) -> str:
        return headline(self)

    def _repr_html_(self) -> str:
        return printed(self, self._table("{} *"))

    def to_markdown(self) -> str:
        """The table in Markdown, each method's best rate in bold."""
        return f"{self._table('**{}**').markdown()}\n\n{listed(self.provenance, '  ')}"

    def to_csv(self) -> str:
        """One line per cell, with all digits."""
        rows = []
        for (f, d, m, k), good in np.ndenumerate(self.successes):
            place = [self.functions[f], self.dimensions[d], self.methods[m], self.rates[k]]
            numbers = [self.runs, good, *rate_interval(good, self.runs), int(k == self.best[f, d, m])]
            rows.append([*place, self.work, self.tolerance, *numbers])
        names = ("work", "tolerance", "runs", "successes", "rate", "low", "high", "best")
        return Table(("function", "dimensions", "method", "lr", *names), rows).csv(**self.provenance)

    def to_json(self) -> str:
        """All of it as text, which ``from_json`` reads: the runs of a cell are the bits of a hexadecimal number."""
        head = {"format": FORMAT, "work": self.work, "tolerance": self.tolerance, "runs": self.runs}
        axes = {
            "functions": self.functions,
            "dimensions": self.dimensions,
            "methods": self.methods,
            "rates": self.rates,
        }
        head |= axes | {"provenance": self.provenance}
        lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
        cells = []
        for f, d, m in np.ndindex(self.reached.shape[:3]):
            name = f"{self.functions[f]}, {self.dimensions[d]}-D, {self.methods[m]}"
            cells.append(f"{json.dumps(name)}: {json.dumps([_hex(bits) for bits in self.reached[f, d, m]])}")
        return "{" + ",\n".join([*lines, '"reached": {\n' + ",\n".join(cells) + "}"]) + "}\n"

    @classmethod
    def from_json(cls, text: str) -> Multimodal:
        """What ``to_json`` wrote. Raises BadInput for anything else."""
        try:
            told = json.loads(text)
            if told["format"] != FORMAT:
                raise ValueError("another format")
            functions, methods = tuple(map(str, told["functions"])), tuple(map(str, told["methods"]))
            dimensions, rates = tuple(map(int, told["dimensions"])), tuple(map(float, told["rates"]))
            shape = len(functions), len(dimensions), len(methods), len(rates)
            runs = int(told["runs"])
            names = [f"{f}, {d}-D, {m}" for f in functions for d in dimensions for m in methods]
            cells = [_bits(cell, runs) for name in names for cell in told["reached"][name]]
            if not cells or runs < 1:
                raise ValueError("nothing in it")
            reached = np.array(cells).reshape(*shape, runs)
            record = {str(key): str(value) for key, value in told["provenance"].items()}
            work, tolerance = int(told["work"]), float(told["tolerance"])
            return cls(functions, dimensions, methods, rates, work, tolerance, reached, record)
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise BadInput(f"This is not what Multimodal.to_json writes ({type(error).__name__}: {error}).") from None


def sign_test(more: int, fewer: int) -> float:
    """How often a fair coin, thrown more + fewer times, falls so unevenly: two-sided (McNemar 1947, in its exact form).

    >>> sign_test(10, 0), sign_test(3, 3)
    (0.001953125, 1.0)
    """
    n, least = more + fewer, min(more, fewer)
    return min(1.0, 2 * sum(math.comb(n, k) for k in range(least + 1)) / 2**n)


def multimodal(
    functions: Sequence[str] | str | None = None,
    *,
    dimensions: Sequence[int] | int = (2, 10),
    methods: Sequence[str] | str | None = None,
    rates: Sequence[float] = RATES,
    runs: int = 400,
    work: int = 2000,
    tolerance: float = 0.05,
    rng: np.random.Generator | int | None = 0,
    executor: Executor | None = None,
    workers: int | None = None,
    resume: str | PathLike[str] | None = None,
    progress: bool = False,
) -> Multimodal:
    """How often each method comes near the minimum of functions with many minima, at equal work, from the same starts.

    ``functions``: names of ``FAMILIES``, all eight if left out, in each of the ``dimensions``. ``methods``: names of
    ``MULTIMODAL_METHODS``, all seven if left out: gradient descent with Adam, alone, with restarts (a fresh start every 200
    evaluations), and with isotropic noise (of the mean square of RAD's error at that point); a path at a time with moments
    of its own (``Adam(moments="path")``), drawn at each step (RAD), the largest one held for 50 steps (SPAD), a random one
    held for 50 steps; and SciPy's basin hopping, which needs SciPy. ``rates``: learning rates in widths of the box.

    ``work``: so many evaluations. A step is one, of value and gradient, a selection (SPAD's) one more; SciPy's is its
    nfev + njev. ``tolerance``: a run succeeds if the least value that it evaluated in the box within the work is so near to
    the minimum. ``runs``: starts, uniform in the box and the same for all methods. ``rng``, ``executor``, ``workers``,
    ``resume`` and ``progress`` as for ``success_rates``.

    Raises BadInput for arguments without meaning, and where SciPy is asked for and missing; BlockFailed for blocks that fail
    twice. Cost: a quarter of an hour of processor time for all, half of it SciPy's, for whose small matrices a BLAS had
    best not start threads (OPENBLAS_NUM_THREADS=1).

    >>> import tinyspad as ts
    >>> found = ts.experiments.multimodal("rastrigin", dimensions=2, methods=["GD", "RAD, held"], rates=[0.01], runs=20)
    >>> found.successes[0, 0, :, 0].tolist()
    [0, 20]
    """
    chosen = _named("functions", functions, FAMILIES)
    ways = _named("methods", methods, METHODS)
    many = _several("dimensions", dimensions, int)
    adams = _several("rates", rates, float)
    if not all(0 < rate < 1 for rate in adams):
        raise BadInput(f"rates= are learning rates in widths of the box, between 0 and 1, not {rates!r:.60}.")
    check_count("runs", runs, 1)
    check_count("work", work, 1)
    (limit,) = check_tolerances(tolerance)[:1]
    problems = [FAMILIES[f].problem(n) for f in chosen for n in many]
    if any(METHODS[name].run is hopped for name in ways):
        scipy_optimize()
    root = seed_sequence(rng)
    if rng is None and resume is not None:
        raise BadInput("resume= needs a seed, such as rng=0: without one, no two calls do the same runs.")
    cells = []
    for problem in problems:
        width = problem.box[0][1] - problem.box[0][0]
        for name in ways:
            way = METHODS[name]
            for rate in adams if way.rated else adams[:1]:
                adam = Adam(lr=rate * width, moments=way.moments) if way.rated else Adam()
                told = f"{problem.name}, {name}" + f", lr {rate:g}" * way.rated
                cells.append(Cell(told, problem, problem.box, way.estimator, adam, int(runs), int(work), way.run))
    values = iter(run_cells(cells, root, executor=executor, workers=workers, resume=resume, progress=progress))
    reached = np.zeros((len(problems), len(ways), len(adams), int(runs)), bool)
    for p, problem in enumerate(problems):
        for m, name in enumerate(ways):
            for k in range(len(adams)) if METHODS[name].rated else [slice(None)]:
                (lowest,) = next(values)
                reached[p, m, k] = lowest - problem.minimum < limit
    record = {
        "starts": "uniform in each function's box",
        "methods": f"Adam, learning rates in widths of the box; paths held for {HOLD} steps, restarts after {SHORT}, hops "
        f"of at most {HOP:g} widths",
        **provenance(None, work, root),
    }
    del record["optimizer"]
    reached = reached.reshape(len(chosen), len(many), *reached.shape[1:])
    return Multimodal(tuple(chosen), tuple(many), tuple(ways), tuple(adams), int(work), limit, reached, record)


def _named(what: str, names: Any, known: Any) -> list[str]:
    """Those that were named, all if none; raises BadInput for what is none, and for one given twice."""
    listed = list(known) if names is None else [names] if isinstance(names, str) else _several(what, names, str)
    for name in listed:
        if name not in known:
            raise BadInput(f"There is no {what[:-1]} {name!r:.40} here; there are {'; '.join(known)}.")
    return listed


def _several(what: str, values: Any, kind: type) -> list[Any]:
    try:
        listed = [kind(value) for value in ([values] if np.ndim(values) == 0 else values)]
        if listed and len(set(listed)) == len(listed) and all(a == b for a, b in zip(listed, np.ravel(values))):
            return listed
    except (TypeError, ValueError, OverflowError):
        pass
    raise BadInput(f"{what}= is a list of different values, not {values!r:.60}.")


def _hex(bits: np.ndarray[Any, Any]) -> str:
    return np.packbits(bits).tobytes().hex()


def _bits(text: str, runs: int) -> np.ndarray[Any, Any]:
    packed = np.frombuffer(bytes.fromhex(text), np.uint8)
    if len(packed) != -(-runs // 8):
        raise ValueError("another number of runs")
    return np.unpackbits(packed)[:runs].astype(bool)
