"""Many steps of a minimisation as one generated function: program, choice of paths and optimizer, on bound buffers.

Between the calls of NumPy there is then no Python but the calls themselves. It computes what the steps one by one compute,
bit for bit; that all was finite on the way is seen afterwards, by ``total``, the sum of all values, and by where it ended.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..arguments import Array, State
from ..optimizers import SGD, Adam, Momentum, corrections_until
from ..paths import Structure, counts
from .buffers import Statements


class Moves(NamedTuple):
    """An optimizer's ``update`` in place: of the positions x by the gradients g, with scratch arrays s and u.

    No name may be that of a ufunc, such as SciPy's beta, as f may call it.

    ``state``: its arrays; after them its state may have the number of steps. ``turning``: what is another number at every
    step, by name; those numbers ``at`` step t, and, as rows, at all steps ``until`` one.
    """

    state: tuple[str, ...]
    counts: bool
    lines: list[str]
    constants: dict[str, float]
    turning: tuple[str, ...] = ()
    at: Callable[[int], tuple[float, ...]] = lambda t: ()
    until: Callable[[int], Array] | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """What a state consists of."""
        return (*self.state, *(["t"] if self.counts else []))


def _sgd(optimizer: SGD) -> Moves:
    return Moves((), False, ["multiply(g, rate, s)", "add(x, s, x)"], {"rate": -optimizer.lr})


def _momentum(optimizer: Momentum) -> Moves:
    lines = ["multiply(m, decay, m)", "add(m, g, m)", "multiply(m, rate, s)", "add(x, s, x)"]
    return Moves(("m",), False, lines, {"decay": optimizer.beta, "rate": -optimizer.lr})


def _adam(optimizer: Adam) -> Moves:
    b1, b2 = optimizer.beta1, optimizer.beta2
    lines = [
        *("multiply(m, decay1, m)", "multiply(g, rest1, s)", "add(m, s, m)"),
        *("multiply(v, decay2, v)", "multiply(g, g, s)", "multiply(s, rest2, s)", "add(v, s, v)"),
        *("divide(v, share, s)", "sqrt(s, s)", "add(s, eps, s)"),
        *("multiply(m, rate, u)", "divide(u, s, u)", "add(x, u, x)"),
    ]
    constants = {"decay1": b1, "rest1": 1 - b1, "decay2": b2, "rest2": 1 - b2, "eps": optimizer.eps}
    until = functools.partial(corrections_until, optimizer)
    return Moves(("m", "v"), True, lines, constants, ("rate", "share"), optimizer.corrections, until)


MOVES: dict[type, Callable[[Any], Moves]] = {SGD: _sgd, Momentum: _momentum, Adam: _adam}
"""Optimizers that are known in place; of others ``update`` is called, step by step."""

ALL, GIVEN, BEST = "all", "given", "best"
"""Which paths are followed: all; those that are given for every step; or the largest, chosen anew where it is said."""

CHOICES = {
    ALL: [],
    GIVEN: ["take(places, None, g, 'clip')"],
    BEST: ["if places:", "    choose()", "take(chosen, None, g, 'clip')"],
}


WHERE = {GIVEN: "places", BEST: "chosen"}
"""By what name the loop knows where the contributions are that are followed; the states of paths are in the same places."""


def loop_source(
    program: Statements, params: int, moves: Moves, choice: str = ALL, recorded: bool = False, by_path: bool = False
) -> str:
    """``loop(steps)``, for statements that leave the value in o0, and behind it the gradient or all paths' contributions.

    A step is a tuple: what turns; ``row``, the row of the history that it is written into, -1 for none, if ``recorded``;
    and ``places``, where the contributions are that are followed, or whether to choose anew. ``by_path``: every path has
    a state of its own, taken from ``all_m``, ... and put back there; what turns is that of each path's own step count.
    """
    turning = [] if by_path else [*moves.turning]
    turning += [*(["row"] if recorded else []), *(["places"] if choice != ALL else [])]
    kept = ["values[row] = o0", *(f"kept{i}[row] = x{i}" for i in range(params))]
    if choice == BEST:
        kept += [f"paths{i}[row] = path{i}" for i in range(params)]
    body = [
        *program.lines,
        "add(total, o0, total)",
        *CHOICES[choice],
        *(["if row >= 0:", *(f"    {line}" for line in kept)] if recorded else []),
        *(_of_paths(moves, WHERE[choice]) if by_path else moves.lines),
    ]
    names = f"{', '.join(turning)}{',' * (len(turning) == 1)}" if turning else "_"
    return "\n".join(["def loop(steps):", f"    for {names} in steps:", *(f"        {line}" for line in body)])


def _of_paths(moves: Moves, where: str) -> list[str]:
    """An optimizer's lines for the states of the paths that are followed."""
    lines = [f"all_{name}.take({where}, None, {name}, 'clip')" for name in moves.parts]
    if moves.counts:
        lines += ["add(t, 1, t)", *(f"all_{name}.take(t, None, {name}, 'clip')" for name in moves.turning)]
    return [*lines, *moves.lines, *(f"all_{name}[{where}] = {name}" for name in moves.parts)]


@functools.lru_cache(maxsize=64)
def _code(source: str) -> Any:
    return compile(source, "<loop>", "exec")


class Recorded(Protocol):
    """Where a history is written: by row, the values, and by parameter positions and paths."""

    values: Array
    x: dict[str, Array]
    paths: dict[str, Array]


class Loop:
    """The function with its arrays: R runs of P parameters.

    ``begin``, then ``steps`` as often as wanted, then ``finite`` and ``end``. Nothing that is handed in is written into, but
    for the rows of a history.
    """

    def __init__(
        self,
        source: str,
        program: Statements,
        moves: Moves,
        choice: str,
        numbers: Sequence[int],
        names: Sequence[str],
        runs: int,
        recorder: Recorded | None,
        by_path: bool = False,
    ) -> None:
        params = len(names)
        self.moves, self.choice, self.runs, self.recorded = moves, choice, runs, recorder is not None
        self.by_path = by_path
        rows = np.empty((1 + (params if choice == ALL else sum(numbers)), runs))
        self.x, self.total, self.contributions = np.empty((params, runs)), np.empty(runs), rows[1:]
        self.state = [
            np.empty((params, runs)) for _ in moves.state
        ]  # of the paths that are followed, where each has one
        space: dict[str, Any] = dict(program.space)
        space |= {name: getattr(np, name) for name in ("add", "divide", "multiply", "sqrt")}
        space |= {f"o{k}": row for k, row in enumerate(rows)} | {f"x{i}": row for i, row in enumerate(self.x)}
        space |= {f"b{k}": np.empty(runs, dtype) for k, dtype in enumerate(program.dtypes)}
        space |= {name: np.array(value) for name, value in moves.constants.items()}
        space |= dict(zip(moves.state, self.state))
        space |= {
            "x": self.x,
            "total": self.total,
            "g": self.contributions if choice == ALL else np.empty(self.x.shape),
        }
        space |= {"s": np.empty(self.x.shape), "u": np.empty(self.x.shape)}
        self.index = np.zeros((params, runs), np.int64)
        starts = np.cumsum([0, *numbers[:-1]])[:, None] if len(numbers) else np.zeros((0, 1), np.int64)
        self._offset = starts * runs + np.arange(runs)
        if choice != ALL:
            space["take"] = self.contributions.reshape(-1).take
        if choice == BEST:
            space |= self._chooser(numbers) | {f"path{i}": row for i, row in enumerate(self.index)}
        if recorder is not None:
            space["values"] = recorder.values
            space |= {f"kept{i}": recorder.x[name] for i, name in enumerate(names)}
            space |= {f"paths{i}": recorder.paths[name] for i, name in enumerate(names) if choice == BEST}
        if by_path:
            space |= {name: np.empty(self.x.shape) for name in moves.turning} | {"t": np.empty(self.x.shape, np.int64)}
            self.of_paths = [np.empty(sum(numbers) * runs, space[name].dtype) for name in moves.parts]
            space |= {f"all_{name}": part for name, part in zip(moves.parts, self.of_paths)}
        self._space = space
        exec(_code(source), space)
        self._loop: Callable[[Iterable[Any]], None] = space["loop"]

    def _chooser(self, numbers: Sequence[int]) -> dict[str, Any]:
        ends = np.cumsum(numbers)
        sizes = np.empty_like(self.contributions)
        self._chosen = chosen = np.empty(self.x.shape, np.int64)
        each = [(sizes[end - n : end], row) for n, end, row in zip(numbers, ends, self.index)]

        def choose() -> None:
            """The first of the largest, NaN being larger than any."""
            np.absolute(self.contributions, sizes)
            for own, row in each:
                own.argmax(0, row)
            self._place()

        return {"choose": choose, "chosen": chosen}

    def _place(self) -> None:
        np.multiply(self.index, self.runs, self._chosen)
        np.add(self._chosen, self._offset, self._chosen)

    def places(self, indices: Array) -> Array:
        """Where the contributions of these paths are, (steps, P, R)."""
        found = indices * self.runs
        found += self._offset
        return found

    def begin(self, position: Array, state: State, index: Array | None) -> None:
        """From here, with this state of the optimizer, on these paths."""
        self.x[:] = position
        for own, given in zip(self.of_paths if self.by_path else self.state, state):
            own[:] = given
        self._count = int(np.max(state[-1])) if self.moves.counts else 0
        self.total.fill(0.0)
        if index is not None and self.choice == BEST:
            self.index[:] = index
            self._place()

    def steps(self, rows: Sequence[int], given: Iterable[Any] | None) -> None:
        """So many steps. ``rows``: where each is recorded; ``given``: the paths of each, or where to choose anew."""
        number = len(rows)
        columns: list[Iterable[Any]] = []
        if self.moves.turning and not self.by_path:
            columns += zip(*(map(np.array, self.moves.at(self._count + 1 + k)) for k in range(number)))
        elif self.moves.until is not None:  # no path has taken more steps than this
            tables = self.moves.until(1 << (self._count + number).bit_length())
            self._space |= {f"all_{name}": row for name, row in zip(self.moves.turning, tables)}
        if self.recorded:
            columns.append(rows)
        if given is not None:
            columns.append(given)
        self._loop(zip(*columns) if columns else range(number))
        self._count += number

    def finite(self) -> bool:
        """Whether all values and positions were: what was not is not at the end, either."""
        return bool(np.isfinite(np.add.reduce(self.total)) and np.isfinite(np.add.reduce(self.x, axis=None)))

    def end(self) -> tuple[Array, State]:
        """The position, and the optimizer's state."""
        if self.by_path:
            return self.x.copy(), tuple(part.copy() for part in self.of_paths)
        counted = (self._count,) if self.moves.counts else ()
        return self.x.copy(), (*(own.copy() for own in self.state), *counted)


class Stated(Protocol):
    """What a loop asks of a program."""

    params: tuple[str, ...]
    structure: Structure

    def statements(self, kind: str) -> tuple[Statements, int, list[str]]: ...


def loop_of(program: Stated, optimizer: Any, runs: int, choice: str = ALL, recorder: Recorded | None = None) -> Loop:
    """The loop of a program and an optimizer that is known in place, for so many runs."""
    moves = MOVES[type(optimizer)](optimizer)
    statements = program.statements("value_and_gradient" if choice == ALL else "value_and_paths")[0]
    numbers, names = counts(program.structure)[: len(program.params)], program.params
    by_path = choice != ALL and getattr(optimizer, "moments", "parameter") == "path"
    source = loop_source(statements, len(names), moves, choice, recorder is not None, by_path)
    return Loop(source, statements, moves, choice, numbers, names, runs, recorder, by_path)
