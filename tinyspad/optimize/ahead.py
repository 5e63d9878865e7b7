"""Many steps ahead: where f's program, the choice of paths and the optimizer are one generated function.

What comes out is what the loop computes step by step, bit for bit. Where something was not finite on the way these steps are
done again, one by one, by the loop; it says which runs end, and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..arguments import Array, Data, State
from ..estimators import ALL_PATHS, GD, RAD, SPAD, Estimator, FixedPath, Held
from ..paths import counts
from ..program import ALL, BEST, GIVEN, MOVES, Loop, Program, loop_of
from .history import Recorder

CHUNK = 256
"""So many steps are done at once, before it is asked whether all was finite."""

DRAWN = 2**17
"""So many paths are drawn at once: they stay in the cache until they are followed."""


class Ahead:
    """Runs side by side, by the generated function. ``index``, ``left``: the paths that they hold, and for how long."""

    def __init__(
        self, loop: Loop, estimator: Any, numbers: tuple[int, ...], names: tuple[str, ...], recorder: Recorder | None
    ) -> None:
        self.loop, self.estimator, self.numbers, self.names, self.recorder = loop, estimator, numbers, names, recorder
        self.index: Array | None = None
        self.left = 0

    def run(
        self, steps: range, every: int | None, position: Array, moments: State, rng: np.random.Generator
    ) -> tuple[Array, State] | None:
        """The position after these steps, and the optimizer's state; None, and nothing changed, if not all was finite."""
        loop, rows, kept = self.loop, [-1] * len(steps), []
        if self.recorder is not None and every is not None:
            kept = [step for step in steps if step % every == 0]
            for row, step in enumerate(kept, start=self.recorder.count):
                rows[step - steps.start] = row
        drawn, held = rng.bit_generator.state, (self.index, self.left)
        loop.begin(position, moments, self.index)
        loop.steps(rows, self._given(rows, rng))
        if not loop.finite():
            rng.bit_generator.state = drawn
            self.index, self.left = held
            return None
        if loop.choice == BEST:
            self.index = loop.index.copy()
        if self.recorder is not None:
            self.recorder.steps[self.recorder.count : self.recorder.count + len(kept)] = kept
            self.recorder.count += len(kept)
        return loop.end()

    def held(self, graph: Any) -> dict[str, State]:
        """The paths that are held, as the estimator remembers them; ``graph``: f's program at a point."""
        if self.index is None or not self.left:
            return dict.fromkeys(self.names, self.estimator.init())
        held = (
            Held(graph.route(name, index), graph.signature, self.left) for name, index in zip(self.names, self.index)
        )
        return dict(zip(self.names, held))

    def _given(self, rows: list[int], rng: np.random.Generator) -> Iterable[Any] | None:
        """Of every step where what it follows is, as it would be drawn step by step; or whether to choose anew."""
        if self.loop.choice == ALL:
            return None
        if self.loop.choice == BEST:
            anew = []
            for _ in rows:
                anew.append(not self.left)
                self.left = (self.left or self.estimator.k_max) - 1
            return anew
        return self._places(rows, rng)

    def _places(self, rows: list[int], rng: np.random.Generator) -> Iterator[Array]:
        some = max(1, DRAWN // (len(self.numbers) * self.loop.runs))
        for first in range(0, len(rows), some):
            of_these = rows[first : first + some]
            indices = self._indices(len(of_these), rng)
            if self.recorder is not None:
                for k, row in enumerate(of_these):
                    for i, paths in enumerate(self.recorder.paths.values() if row >= 0 else ()):
                        paths[row] = indices[k, i]
            yield from self.loop.places(indices)

    def _indices(self, number: int, rng: np.random.Generator) -> Array:
        """The paths of so many steps, (steps, P, R)."""
        estimator, runs = self.estimator, self.loop.runs
        shape = (number, len(self.numbers), runs)
        if isinstance(estimator, FixedPath):
            return np.full(shape, estimator.index)
        if estimator.hold == 1 and len(set(self.numbers)) == 1:
            return rng.integers(self.numbers[0], size=shape)
        listed = []
        for _ in range(number):
            if not self.left:
                self.index, self.left = np.array([rng.integers(n, size=runs) for n in self.numbers]), estimator.hold
            listed.append(self.index)
            self.left -= 1
        return np.array(listed)


def choice_of(estimator: Any, numbers: tuple[int, ...]) -> str | None:
    """How the generated function follows paths as this estimator does; None where it cannot."""
    kind, known = type(estimator), min(numbers, default=0) > 0 and max(numbers, default=0) < 2**63
    if kind is GD:
        return ALL
    if not known:
        return None
    if kind is RAD and estimator.by == "path" and not estimator.normalize:
        return GIVEN
    if kind is FixedPath and estimator.index < min(numbers):
        return GIVEN
    best = kind is SPAD and not estimator.epsilon
    if best and (estimator.m is None or (not estimator.replace and estimator.m >= max(numbers))):
        return BEST
    return None


def known_ahead(program: Program, estimator: Estimator, optimizer: object) -> str | None:
    """How the generated function follows paths; None where it does not know the estimator, or the optimizer."""
    choice = choice_of(estimator, tuple(counts(program.structure)[: len(program.params)]))
    known = program.params and type(optimizer) in MOVES and (choice == ALL or program.few)
    return choice if known else None


def ahead_of(
    program: Program, estimator: Estimator, optimizer: object, position: Data, recorder: Recorder | None, paths: bool
) -> Ahead | None:
    """The generated function for these, if there is one: of known optimizers and estimators, for runs of one axis.

    ``paths``: whether the history has the paths.
    """
    if not isinstance(position, np.ndarray) or position.ndim != 2 or not position.size:
        return None
    names, choice = program.params, known_ahead(program, estimator, optimizer)
    if choice is None or (recorder is not None and choice == BEST and not paths):
        return None
    if recorder is not None:
        some = position[0]
        followed = np.int64(ALL_PATHS) if choice == ALL else np.zeros(some.shape, np.int64)
        recorder.begin(some, dict.fromkeys(names, some), dict.fromkeys(names if paths else (), followed))
    loop = loop_of(program, optimizer, position.shape[1], choice, recorder)
    return Ahead(loop, estimator, tuple(counts(program.structure)[: len(names)]), names, recorder)
