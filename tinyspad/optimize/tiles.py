"""Very many runs, tile by tile: all steps of some runs before those of the next, so that what is read stays in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ..arguments import Array, Data
from ..progress import shown
from .history import History
from .result import INTERRUPTED, Result

TILE = 10_000
"""So many runs are done together. Each tile draws from a generator of its own, the first from the one that was handed in."""


def tiles(position: Sequence[Array]) -> list[list[Array]]:
    """The positions of each tile."""
    return [[x[first : first + TILE] for x in position] for first in range(0, len(position[0]), TILE)]


def by_tiles(
    run: Callable[[list[Array], np.random.Generator], Result],
    value: Callable[[list[Array]], Data],
    position: Sequence[Array],
    rng: np.random.Generator,
    progress: bool,
) -> Result:
    """All tiles, one after the other, as one result.

    ``run``: what minimises from a tile's position with its generator; ``value``: f there. After an interruption the tiles
    that are done keep their end, that one ends where it was, and the others have not begun.
    """
    of_tiles = tiles(position)
    streams = [rng, *_spawned(rng, len(of_tiles) - 1)]
    results: list[Result] = []
    for i in shown(range(len(of_tiles)), "tile", progress):
        if results and np.any(results[-1].status == INTERRUPTED):
            results += [_not_begun(own, value) for own in of_tiles[i:]]
            break
        results.append(run(of_tiles[i], streams[i]))
    return Result(
        x=tuple(np.concatenate(parts) for parts in zip(*(result.x for result in results))),
        value=np.concatenate([result.value for result in results]),
        status=np.concatenate([result.status for result in results]),
        steps=np.concatenate([result.steps for result in results]),
        history=_side_by_side([result.history for result in results]),
        single_paths=all(result.single_paths for result in results),
    )


def _spawned(rng: np.random.Generator, number: int) -> list[np.random.Generator]:
    try:
        return rng.spawn(number)
    except TypeError:  # of a state that was set by hand it is not known what it came from
        seeds = np.random.SeedSequence(rng.integers(2**63, size=4).tolist())
        return [np.random.default_rng(seed) for seed in seeds.spawn(number)]


def _not_begun(position: list[Array], value: Callable[[list[Array]], Data]) -> Result:
    with np.errstate(all="ignore"):
        found = np.array(value(position))
    n = len(found)
    return Result(tuple(position), found, np.full(n, INTERRUPTED), np.zeros(n, np.int64), None)


def _side_by_side(histories: Sequence[History | None]) -> History | None:
    """The histories of all tiles, as far as all have one; a tile that ended earlier stays where it was."""
    there = [history for history in histories if history is not None]
    if len(there) < len(histories):
        return None
    longest = max(there, key=len)

    def joined(parts: Iterator[Array]) -> Array:
        return np.concatenate([_lengthened(part, len(longest)) for part in parts], axis=1)

    return History(
        longest.steps,
        joined(history.values for history in there),
        {name: joined(history.x[name] for history in there) for name in longest.x},
        {name: joined(history.paths[name] for history in there) for name in longest.paths},
    )


def _lengthened(rows: Array, number: int) -> Array:
    return np.concatenate([rows, np.repeat(rows[-1:], number - len(rows), axis=0)]) if len(rows) < number else rows
