"""Many runs in blocks: here, in several processes, or on a cluster; kept in a file, so that nothing is lost."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..archive import locked
from ..arguments import integer
from ..errors import BadInput, BlockFailed, said
from ..estimators import Estimator
from ..functions import Problem
from ..optimize import INTERRUPTED, Result, minimize
from ..optimizers import Optimizer
from ..progress import Progress
from .problems import Box, starts
from .workers import completed, processes

BLOCK = 1000
"""How many runs a block has at most: enough that NumPy's cost per call does not count, and few enough to share out."""

TRIES = 2
"""How often a block is tried before it is reported."""

FORMAT = "tinyspad blocks 2"

Ends = np.ndarray[Any, Any]
"""Where runs ended, shape (1 + parameters, runs): the values of the function, and the coordinates."""


@dataclass(frozen=True)
class Cell:
    """Runs of one function by one estimator: ``name``, and what it takes to do them.

    ``box``: for each parameter where the starts are drawn. The starts depend on the function, the box and the seed, and on
    nothing else: estimators, optimizers and writings are compared from the same starts. ``run``: what is done with a block
    of them, a function of a module, and what is told of it, numbers for each run, row by row; left out, the ``Ends`` of
    ``minimize``.
    """

    name: str
    problem: Problem
    box: Box
    estimator: Estimator
    optimizer: Optimizer
    runs: int
    steps: int
    run: Callable[[Block], list[float]] | None = None


@dataclass(frozen=True)
class Block:
    """Some of the runs of a cell, with the seed of their own; it can be sent to another process."""

    cell: Cell
    first: int
    runs: int
    seed: np.random.SeedSequence = field(compare=False)

    @property
    def name(self) -> str:
        """The cell, and which of its runs."""
        return f"{self.cell.name}, runs {self.first} to {self.first + self.runs - 1}"

    @property
    def key(self) -> str:
        """All that the result depends on, as text."""
        from .. import __version__

        c, seed = self.cell, self.seed
        run = () if c.run is None else (c.run.__module__, c.run.__qualname__)
        return repr(
            (__version__, c.problem.name, _fingerprint(c.problem), c.box, c.estimator, c.optimizer, c.steps)
            + (self.first, self.runs, seed.entropy, seed.spawn_key, *run)
        )

    def begin(self) -> tuple[tuple[np.ndarray[Any, Any], ...], np.random.Generator]:
        """The starts, an array for each parameter, and the generator of all else that is random."""
        # a fresh copy: a sequence counts its children, and a block may be done twice
        first, paths = np.random.SeedSequence(self.seed.entropy, spawn_key=self.seed.spawn_key).spawn(2)
        return starts(self.cell.box, self.runs, np.random.default_rng(first)), np.random.default_rng(paths)


def run_block(block: Block) -> list[float]:
    """What the cell's ``run`` tells of a block."""
    return (block.cell.run or ends)(block)


def minimized(
    cell: Cell, position: Sequence[np.ndarray[Any, Any]], steps: int, rng: np.random.Generator, **recorded: Any
) -> Result:
    """Runs of a cell from some position; KeyboardInterrupt if Ctrl-C ended them. ``recorded``: what ``minimize`` keeps."""
    start = tuple(position) if len(position) > 1 else position[0]
    told = {"estimator": cell.estimator, "optimizer": cell.optimizer, "steps": steps, "rng": rng, **recorded}
    return uninterrupted(minimize(cell.problem, start, **told))


def ends(block: Block) -> list[float]:
    """The ``Ends`` of the runs of a block, row by row."""
    position, rng = block.begin()
    result = minimized(block.cell, position, block.cell.steps, rng, every=None)
    ended = [result.value, *(result.x if len(position) > 1 else [result.x])]
    numbers: list[float] = np.asarray(ended, float).ravel().tolist()
    return numbers


def run_cells(
    cells: Sequence[Cell],
    root: np.random.SeedSequence,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    resume: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> list[Ends]:
    """What every cell's ``run`` told, a row for each number; without one, where its runs ended.

    The runs are cut into blocks whose seeds depend on ``root``, the function, and the block's place alone, so that
    neither the number of workers nor the other cells change a result. ``executor``: any ``concurrent.futures.Executor``;
    it is left as it is, its processes are its owner's. ``workers``: that many processes of our own, which end when this one
    does; otherwise this process. ``resume``: a file that keeps finished blocks, of several runs at once if need be;
    the same call goes on where it stopped. ``progress``: tell how far it is.

    Raises BlockFailed, by name, for blocks that fail twice, when all others are done; BadInput for arguments without
    meaning, or a file that is something else.
    """
    if executor is not None and workers is not None:
        raise BadInput("Give executor= or workers=, not both.")
    if workers is not None:
        workers = integer(workers, "workers=, a number of processes,")
    if executor is not None and not isinstance(executor, Executor) and not hasattr(executor, "submit"):
        raise BadInput(f"executor= is a concurrent.futures.Executor, not {executor!r:.60}.")
    blocks = [block for cell in cells for block in _cut(cell, root)]
    kept = _Kept(resume)
    results = {
        i: known for i, b in enumerate(blocks) if (known := kept.known.get(b.key, [])) and len(known) % b.runs == 0
    }
    left = {i: block for i, block in enumerate(blocks) if i not in results}
    with kept, Progress(len(blocks), "block", progress, len(results)) as bar:
        for i, values in _finished(left, executor, workers):
            kept.add(blocks[i].key, values)
            results[i] = values
            bar.show(len(results))
    found, at = [], 0
    for cell in cells:
        number = len(_places(cell.runs))
        parts = [np.reshape(results[i], (-1, blocks[i].runs)) for i in range(at, at + number)]
        found.append(np.concatenate(parts, axis=1))
        at += number
    return found


def seed_sequence(rng: Any) -> np.random.SeedSequence:
    """The seed of everything, from a Generator, an int or None."""
    if isinstance(rng, np.random.Generator):
        spawned: Any = rng.spawn(1)[0].bit_generator.seed_seq
        return spawned  # type: ignore[no-any-return]
    try:
        if isinstance(rng, bool):
            raise TypeError
        return np.random.SeedSequence(rng)
    except (TypeError, ValueError):
        raise BadInput(f"rng= is a Generator, a whole number from 0 on, or None, not {rng!r:.60}.") from None


def _places(runs: int) -> list[tuple[int, int]]:
    return [(first, min(BLOCK, runs - first)) for first in range(0, runs, BLOCK)]


def _cut(cell: Cell, root: np.random.SeedSequence) -> list[Block]:
    function = zlib.crc32(cell.problem.name.encode())
    return [
        Block(cell, first, runs, np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, function, first)))
        for first, runs in _places(cell.runs)
    ]


def _fingerprint(problem: Problem) -> int:
    """Changes with the function's code, so that a file of results does not outlive it."""
    code = getattr(problem.formula, "__code__", None)
    told = (code.co_code, code.co_names, repr(code.co_consts)) if code else repr(problem.formula)
    return zlib.crc32(repr(told).encode())


# --- doing them -------------------------------------------------------------------------------------------------------


def _finished(
    blocks: dict[int, Block], executor: Executor | None, workers: int | None
) -> Iterator[tuple[int, list[float]]]:
    """Every block with its values, as they are done; those that fail are tried again, and then reported together."""
    failures: dict[int, BaseException] = {}
    left, tries = dict(blocks), 0
    while left and tries < TRIES:
        failures, tries = {}, tries + 1
        done: Any
        if executor is None and workers is None:
            done = _here(left, failures)
        elif executor is not None:
            done = _submitted(left, executor, failures)
        else:
            done = _in_processes(left, int(workers or 1), failures)
        yield from done
        left = {i: left[i] for i in failures}
        for problem in failures.values():
            if isinstance(problem, BadInput):
                raise problem
    if failures:
        first = next(iter(failures))
        others = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        problem = failures[first]
        hint = ""
        if isinstance(problem, BrokenExecutor):
            hint = (
                ' A worker died, or could not start: in a script, make the call under `if __name__ == "__main__":`, '
                "and use functions that can be imported."
            )
        raise BlockFailed(
            f"{blocks[first].name}{others}: failed {tries} times with "
            f"{said(problem)}.{hint} All other blocks are done; with resume= they are kept."
        ) from (problem if isinstance(problem, Exception) else None)


def _here(blocks: dict[int, Block], failures: dict[int, BaseException]) -> Iterator[tuple[int, list[float]]]:
    for i, block in blocks.items():
        try:
            values = run_block(block)
        except Exception as problem:
            failures[i] = problem
            continue
        yield i, values


def _submitted(
    blocks: dict[int, Block], executor: Executor, failures: dict[int, BaseException]
) -> Iterator[tuple[int, list[float]]]:
    futures: dict[Any, int] = {}
    try:
        for i, block in blocks.items():
            try:
                futures[executor.submit(run_block, block)] = i
            except BrokenExecutor as problem:
                failures[i] = problem
        for future in completed(futures, executor):
            try:
                values = future.result()
            except Exception as problem:
                failures[futures[future]] = problem
            else:
                yield futures[future], values
    finally:
        for future in futures:
            future.cancel()


def _in_processes(
    blocks: dict[int, Block], workers: int, failures: dict[int, BaseException]
) -> Iterator[tuple[int, list[float]]]:
    with processes(min(workers, max(len(blocks), 1))) as pool:
        yield from _submitted(blocks, pool, failures)


# --- keeping them -----------------------------------------------------------------------------------------------------


class _Kept:
    """A file of finished blocks, one line each, which can be read after an interruption at any moment.

    Several runs may keep their blocks in one file: each line is written whole, under a lock.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = None if path is None else Path(path)
        self.known: dict[str, list[float]] = {}
        if self.path is not None and self.path.exists():
            self._read(self.path.read_bytes())

    def _read(self, content: bytes) -> None:
        lines = content.split(b"\n")
        torn = lines.pop()  # empty, unless the last line was not finished
        for number, line in enumerate(lines, start=1):
            try:
                entry = json.loads(line)
                if entry == {"format": FORMAT}:  # first, and again where runs without locks began at once
                    continue
                if number == 1:
                    raise ValueError
                self.known[entry["block"]] = [float.fromhex(v) for v in entry["values"]]
            except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
                raise BadInput(
                    f"{self.path}: line {number} is not what tinyspad writes there; the file is something else, or damaged. "
                    "Give resume= another name, or delete that line."
                ) from None
        if not lines and torn:
            raise BadInput(f"{self.path} is not a file of finished blocks. Give resume= another name.")

    def __enter__(self) -> _Kept:
        self._stream: Any = None
        self._own: list[Path] = []
        if self.path is not None:
            self._own = [place for place in (self.path, *self.path.parents) if not place.exists()]
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self.path.open("a+b")
            self._line(None)
        return self

    def add(self, key: str, values: list[float]) -> None:
        """Keep a finished block."""
        if self._stream is not None:
            self._line({"block": key, "values": [float(v).hex() for v in values]})
            self._own = []

    def _line(self, entry: dict[str, Any] | None) -> None:
        stream = self._stream
        with locked(stream.fileno()):
            size = stream.seek(0, os.SEEK_END)
            if size and (stream.seek(size - 1), stream.read(1))[1] != b"\n":  # drop what a killed run left unfinished
                stream.seek(0)
                size = stream.truncate(stream.read().rfind(b"\n") + 1)
            lines = [] if size else [{"format": FORMAT}]
            lines += [] if entry is None else [entry]
            stream.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
            stream.flush()
            os.fsync(stream.fileno())

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._stream is None:
            return
        self._stream.close()
        if kind is not None and self._own and self.path in self._own:  # it holds no block yet
            for place in self._own:
                with suppress(OSError):
                    place.unlink() if place == self.path else place.rmdir()


def uninterrupted(result: Result) -> Result:
    """A result as it is; raises KeyboardInterrupt again if Ctrl-C ended it, for no table has half a cell."""
    if np.any(np.equal(result.status, INTERRUPTED)):
        raise KeyboardInterrupt
    return result
