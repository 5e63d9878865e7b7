"""Random whole numbers, exact at any size."""

from __future__ import annotations

from typing import Any

import numpy as np

LARGEST_INT64 = 2**63 - 1

MANY = 256
"""More different numbers than this are not compared one by one."""


def uniform_below(rng: np.random.Generator, number: int, shape: tuple[int, ...] = ()) -> Any:
    """Whole numbers uniform on 0 .. number - 1, exact at any size: by rejection on random bits past 63 of them."""
    if number <= LARGEST_INT64:
        drawn = rng.integers(number, size=shape[0] if len(shape) == 1 else shape or None)  # a tuple takes longer
        return drawn if shape else int(drawn)
    if shape:
        many = np.empty(shape, object)
        for at in np.ndindex(shape):
            many[at] = uniform_below(rng, number)
        return many
    bits = (number - 1).bit_length()
    while True:
        candidate = int.from_bytes(rng.bytes((bits + 7) // 8), "little") >> (-bits % 8)
        if candidate < number:
            return candidate


def distinct_below(rng: np.random.Generator, number: int, m: int, shape: tuple[int, ...] = ()) -> Any:
    """min(m, number) different whole numbers below number for each run, every set equally likely: shape (m, *shape)."""
    m = min(m, number)
    if number <= max(4 * m, 64):
        every = np.broadcast_to(np.arange(number), (*shape, number)).copy()
        return np.moveaxis(rng.permuted(every, axis=-1)[..., :m], -1, 0)
    runs = shape or (1,)
    drawn = np.empty((m, *runs), whole_dtype(number))
    if m > MANY:
        for at in np.ndindex(runs):
            place = (slice(None), *at)
            drawn[place] = _new_ones(rng, number, m)
        return drawn if shape else drawn[:, 0]
    for k in range(m):  # one after the other, each redrawn until it is new to its run
        drawn[k] = uniform_below(rng, number, runs)
        while np.any(repeated := np.any(drawn[:k] == drawn[k], axis=0)):
            drawn[k][repeated] = uniform_below(rng, number, (int(np.sum(repeated)),))
    return drawn if shape else drawn[:, 0]


def _new_ones(rng: np.random.Generator, number: int, m: int) -> Any:
    """The first m different numbers of a sequence of uniform ones."""
    seen = uniform_below(rng, number, (m,))
    while len(first := np.unique(seen, return_index=True)[1]) < m:
        seen = np.concatenate([seen[np.sort(first)], uniform_below(rng, number, (m - len(first),))])
    return seen[np.sort(first)]


def drawn_from(rng: np.random.Generator, p: Any, shape: tuple[int, ...] = ()) -> Any:
    """Random numbers below len(p) with these probabilities: p of shape (N,), or (N, *runs); ``shape`` ends in the runs'."""
    upto = np.cumsum(p, axis=0)
    below = np.nextafter(upto[-1], 0)  # where the last path that can be drawn ends
    u = np.minimum(rng.random(shape or None) * upto[-1], below)
    if p.ndim == 1:
        return np.searchsorted(upto, u, side="right")
    rows = u.reshape(-1, *p.shape[1:])
    return np.array([(upto <= row).sum(axis=0) for row in rows], int).reshape(shape)


def whole_dtype(number: int) -> Any:
    """The dtype for indices below a number: int64, or Python's integers past it."""
    return np.int64 if number <= LARGEST_INT64 else object
