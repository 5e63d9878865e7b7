"""Slopes from values alone: the yardstick that owes nothing to automatic differentiation, and that knows when it is none.

A function of one number h is evaluated at 0 and on both sides of it, on a ladder of steps from 1/4 down to 2^-50, each an
eighth of the last. x is moved by h times its own size, so that a step never leaves the sign of x, and some rungs lie
inside every domain of which x is inside, however near the edge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .errors import said

RUNGS, RATIO, EPS = 17, 8.0, float(np.finfo(np.float64).eps)

SAFETY = 10.0
"""The true slope is taken to lie within this many estimated errors."""

LIMIT = 1e-4
"""The largest uncertainty that may confirm a slope, relative to its size: a factor of 1.001 is ten times as far off."""


@dataclass(frozen=True)
class Difference:
    """A slope by central differences, element by element.

    ``slope`` and ``margin``: it lies within so much of the true one; infinite where nothing can be told. ``left``,
    ``right``: the one-sided slopes at the step that was chosen. ``size``: the largest slope near the point. ``near``:
    another slope that f has over its last digits alone, where it moves in steps, as what is rounded does; NaN where
    there is none. ``why``: what is in the way of a slope, and what to do next; empty where it is known to within
    ``LIMIT``. ``step``: the one that was chosen.
    """

    slope: Any
    margin: Any
    left: Any
    right: Any
    size: Any
    near: Any
    why: Any
    step: Any


def central_difference(f: Callable[[Any], Any], x: Any) -> tuple[Any, Any]:
    """The derivative of f at x by central differences, and how far it may be off: infinitely where nothing can be told.

    ``x``: a number or an array. If ``f(x)`` has x's shape, its elements are taken to be independent runs and are moved
    together; otherwise f must give one number, and every element of x is moved in turn. Both results have x's shape.
    At a kink it is the mean of the one-sided derivatives, off by half of what they are apart.

    Cost: 37 evaluations of f, or so many for every element if it is not a batch; twice that where x is smaller than 1 and
    steps of its own size are too short to tell.

    >>> slope, error = central_difference(lambda x: x**3, 2.0)
    >>> bool(abs(slope - 12) < 1e-9), bool(error < 1e-8)
    (True, True)
    """
    found = difference(f, x)
    return found.slope, found.margin


def difference(f: Callable[[Any], Any], x: Any, noise: Any = 0.0) -> Difference:
    """What :func:`central_difference` gives, and what it saw on the way.

    ``noise``: what the values of f are off by, where more is known than that it is at least their rounding.
    """
    x = np.asarray(x, dtype=np.float64)
    unit, reach = unit_of(x), reach_of(x)
    if np.shape(f(x[()])) == x.shape:
        return difference_along(lambda h: f((x + h)[()]), unit, reach, noise)
    parts = [difference_along(partial(_moved, f, x, at), unit[at], reach[at], noise) for at in np.ndindex(x.shape)]
    kinds = [float, float, float, float, float, float, object, float]
    fields = zip(*(vars(part).values() for part in parts)) if parts else ((),) * len(kinds)
    return Difference(*(np.array(field, kind).reshape(x.shape) for field, kind in zip(fields, kinds)))


def _moved(f: Callable[[Any], Any], x: Any, at: tuple[int, ...], h: float) -> Any:
    x = x.copy()
    x[at] += h
    return f(x)


def unit_of(x: Any) -> Any:
    """The power of two below |x|, by which x can be moved without rounding; 1 for 0."""
    x = np.abs(np.asarray(x, dtype=np.float64))
    return np.where((x > 0) & np.isfinite(x), 2.0 ** np.floor(np.log2(np.where(x > 0, x, 1.0))), 1.0)


def reach_of(x: Any) -> Any:
    """How many units of x are 1, where it is smaller: the second ladder."""
    return np.maximum(1.0, 1.0 / unit_of(x))


def difference_along(phi: Callable[[Any], Any], unit: Any = 1.0, reach: Any = 1.0, noise: Any = 0.0) -> Difference:
    """The slope of phi at 0, a function of one number, or element by element of an array of numbers of unit's shape.

    Steps are unit/4 and less; where they are too short to tell and ``reach`` is more than 1, unit * reach/4 and less.
    """
    return climb(phi, unit, reach, noise)[1]


def climb(phi: Callable[[Any], Any], unit: Any, reach: Any, noise: Any = 0.0) -> tuple[Ladder, Difference]:
    """The ladder and what it says; see :func:`difference_along`."""
    ladder = Ladder.of(phi, unit, noise)
    found = ladder.difference()
    again = (np.asarray(reach) > 1) & ((np.asarray(found.why) != "") | (found.slope == 0))
    if not np.any(again):
        return ladder, found
    longer = Ladder.of(phi, np.multiply(unit, reach), noise)
    wide = longer.difference()
    with np.errstate(all="ignore"):
        sure, surer = (np.where(d.size > 0, d.margin / d.size, np.inf) for d in (found, wide))
    take = again & (surer < sure)
    chosen = [np.where(take, a, b) for a, b in zip(vars(wide).values(), vars(found).values())]
    chosen[5] = np.where(take & (found.slope == 0) & (np.abs(wide.slope) > wide.margin), 0.0, chosen[5])
    rungs = (np.where(take, a, b) for a, b in zip(vars(longer).values(), vars(ladder).values()))
    return Ladder(*rungs), Difference(*(field[()] for field in chosen))


@dataclass(frozen=True)
class Ladder:
    """The values of a function of one number around 0: ``h``, ``ahead`` and ``behind`` have an axis of rungs first.

    ``centre``: at 0. ``jitter``: how much it differed there when asked again. ``least``: its noise, as far as it is known.
    ``problem``: what it raised, if it did.
    """

    h: Any
    ahead: Any
    behind: Any
    centre: Any
    jitter: Any
    least: Any
    problem: Any

    @classmethod
    def of(cls, phi: Callable[[Any], Any], unit: Any, noise: Any) -> Ladder:
        """Climb it: 37 evaluations."""
        shape, problem = np.shape(unit), ""

        def value(h: Any) -> Any:
            nonlocal problem
            try:
                return np.broadcast_to(np.asarray(phi(h), dtype=np.float64), shape)
            except Exception as raised:  # whatever f does not like beside the point
                problem = said(raised)
                return np.full(shape, np.nan)

        with np.errstate(all="ignore"):
            h = np.stack([np.asarray(unit / 4.0 * RATIO**-k) for k in range(RUNGS)])
            centre = value(np.zeros(shape)[()])
            ahead = np.stack([value(step[()]) for step in h])
            behind = np.stack([value(-step[()]) for step in h])
            again = np.stack([value(np.zeros(shape)[()]) for _ in range(2)])
        jitter = np.max(np.abs(again - centre), axis=0)
        return cls(h, ahead, behind, centre, jitter, np.broadcast_to(noise, shape), problem)

    @property
    def steady(self) -> Any:
        """Whether f answered the same when it was asked again, up to rounding."""
        return ~(self.jitter > 64 * EPS * np.abs(self.centre))

    @property
    def noise(self) -> Any:
        """By rung, how far a value may be off: the rounding of f, and what narrower steps were seen to be off by.

        Half the difference of the two sides falls with the step, by an eighth a rung, up to a cubic term. What it differs
        from that on narrower rungs is noise (or a step too wide for f, which then shows in its own contradiction).
        """
        odd = (self.ahead - self.behind) / 2
        largest = np.maximum(np.maximum(np.abs(self.ahead), np.abs(self.behind)), np.abs(self.centre))
        rounding = 4 * EPS * largest + self.jitter + self.least
        uneven = np.abs(odd[:-1] - RATIO * odd[1:]) / 4
        narrower = np.fmax.accumulate(uneven[::-1], axis=0)[::-1]
        last = np.zeros_like(narrower[:1])
        return np.fmax(rounding, np.concatenate([narrower[1:], last, last]))

    @property
    def unevenness(self) -> Any:
        """By rung, the largest second difference on a narrower one, to which f'' h**2 contributes little."""
        second = np.abs(self.ahead + self.behind - 2 * self.centre)
        narrower = np.fmax.accumulate(second[::-1], axis=0)[::-1]
        return np.concatenate([narrower[1:], np.full_like(narrower[:1], np.inf)])

    def difference(self) -> Difference:
        """The slope of the rung whose error is least, and what stands in the way where that is not small.

        D(h) = (f(h) - f(-h)) / 2h is improved by Richardson extrapolation, E = D(h/8) + (D(h/8) - D(h)) / 63. Its error:
        what the next narrower E differs by, and the noise over h/8; and what a narrower E contradicts it by.
        """
        with np.errstate(all="ignore"):
            steep = (self.ahead - self.behind) / (2 * self.h)
            best = steep[1:] + (steep[1:] - steep[:-1]) / (RATIO**2 - 1)
            error = np.abs(best[:-1] - best[1:])[:-1] + (self.noise / self.h)[1:-2]
            best = best[:-2]
            found = self._at(best, error.copy(), RUNGS)
            # Two slopes, an even one beyond the last digits and another among them: f is rounded there.
            beyond = self._at(best, error.copy(), 6)
            even = (np.abs(beyond.right - beyond.left) <= 0.5 * beyond.size) & (beyond.margin <= 0.1 * beyond.size)
            stairs = even & (np.abs(found.slope - beyond.slope) > found.margin + beyond.margin)
            chosen = [np.where(stairs, a, b) for a, b in zip(vars(beyond).values(), vars(found).values())]
            chosen[5] = np.where(stairs, found.slope, np.nan)
            for at in np.ndindex(np.shape(self.centre)):
                self._explain(at, chosen)
        return Difference(*(field[()] for field in chosen))

    def _at(self, best: Any, error: Any, rungs: int) -> Difference:
        """The slope at the rung with the least error among so many, the widest."""
        error[~(np.isfinite(error) & np.isfinite(best))] = np.inf
        error[rungs:] = np.inf
        for j in range(1, len(best)):
            error[:j] = np.fmax(error[:j], np.abs(best[:j] - best[j]) - SAFETY * error[j])
        k = np.argmin(error, axis=0)[None]
        slope, least = (np.take_along_axis(a, k, axis=0)[0] for a in (best, error))
        low = np.minimum(k + 3, RUNGS - 3)
        (right, wider, near), (left, left_wider, left_near) = (
            [self._sides(n, side)[0] for n in (low - 2, low - 1, low)] for side in (1, -1)
        )
        gap, narrow = right - left, near - left_near
        noise, uneven, h = (np.take_along_axis(a, low, axis=0)[0] for a in (self.noise, self.unevenness, self.h))
        # f'' h falls to a 64th over two rungs; where it does not, and noise is no excuse, the sides have other slopes.
        kink = (np.abs(narrow) > 0.3 * np.abs(gap)) & (np.abs(narrow) * h > np.fmax(16 * noise, 2 * uneven))
        why = np.where(kink, np.where((narrow / gap > 0.5) & (narrow / gap < 2), "kink", "cusp"), "").astype(object)
        third = (np.abs(self._sides(np.full_like(k, 3), side)[0]) for side in (1, -1))
        size = np.fmax.reduce([np.abs(left), np.abs(right), *(np.where(np.isfinite(n), n, 0.0) for n in third)])
        margin = np.where(kink, 0.501 * np.abs(narrow), 0.0) + SAFETY * least
        right = np.where(kink, near + (near - wider) / (RATIO - 1), right)
        left = np.where(kink, left_near + (left_near - left_wider) / (RATIO - 1), left)
        margin = np.where(np.isfinite(slope) & self.steady, margin, np.inf)
        step = np.take_along_axis(self.h, k, axis=0)[0]
        return Difference(slope, margin, left, right, size, np.full_like(slope, np.nan), why, step)

    def _sides(self, rung: Any, side: int) -> Any:
        """The slope towards one side."""
        value, h = (np.take_along_axis(a, rung, axis=0) for a in (self.ahead if side > 0 else self.behind, self.h))
        return (value - self.centre) / (side * h)

    def _explain(self, at: tuple[int, ...], told: list[Any]) -> None:
        """What is in the way of a slope at this element, and what to do next, into ``told``."""
        slope, margin, left, right, size = (field[at] for field in told[:5])
        sides, why = told[6][at], ""
        rungs = (slice(None), *at)
        ahead, behind = self.ahead[rungs] - self.centre[at], self.behind[rungs] - self.centre[at]
        unsettled = margin > LIMIT * size or not np.isfinite(margin)
        if not self.steady[at]:
            why = (
                "f is not deterministic: asked again at the same point it gave another value. "
                "Let it draw from a generator that it seeds itself, np.random.default_rng(0)"
            )
        elif not np.isfinite(self.centre[at]):
            why = f"f is {self.centre[at]} at this point{self._raised()}. Check at a point where it is finite"
        elif not (np.isfinite(ahead[-6:]).all() and np.isfinite(behind[-6:]).all()):
            beyond = [n for n, s in (("above", ahead), ("below", behind)) if not np.isfinite(s[-6:]).all()]
            where = "beside this point" if len(beyond) == 2 else f"just {beyond[0]} this point, the edge of its domain"
            why = f"f is not finite {where}{self._raised()}. Check at a point inside the domain"
        elif np.isnan(told[5][at]) and (jump := self._jump(at, ahead, behind)):
            why = f"f stands at a jump, {jump}. Check at a point beside it"
        elif sides == "kink":
            why = f"f stands at a kink: one-sided slopes {left:.6g} and {right:.6g}. Check at a point beside it"
        elif sides == "cusp":
            why = f"the one-sided slopes do not settle, {left:.2g} and {right:.2g}. Check at a point beside it"
        elif unsettled and (slope != 0 or not np.isfinite(margin)):
            why = _unsettled((ahead - behind) / (2 * self.h[rungs]), slope, margin, told[7][at])
        told[6][at] = why
        if why and sides != "kink" and not why.startswith("noise"):
            told[1][at] = np.inf

    def _raised(self) -> str:
        return f" ({self.problem})" if self.problem else ""

    def _jump(self, at: tuple[int, ...], ahead: Any, behind: Any) -> str:
        """Where f goes to, if it does not come back to its own value as the step goes to nothing."""
        least = 1e4 * EPS * np.max(np.abs(self.centre[at])) + 64 * self.jitter[at]
        jumps = []
        for name, side in (("above", ahead[-4:]), ("below", behind[-4:])):
            if np.min(np.abs(side)) > least and np.ptp(side) <= 0.01 * np.min(np.abs(side)):
                jumps.append(f"{self.centre[at] + side[-1]:.6g} just {name} it")
        return f"{self.centre[at]:.6g} at the point and " + " and ".join(jumps) if jumps else ""

    def order(self, found: Difference, slope: Any, tolerance: Any) -> Any:
        """The power of h with which the Taylor remainder f(h) - f(0) - h slope falls, between noise and chosen step.

        2 or more for the right slope, 1 for a wrong one; infinite where the remainder is nothing but noise, or explained
        by a slope that is off by ``tolerance``; NaN for a slope that is not a number.
        """
        orders = np.full(np.shape(self.centre), np.inf)
        with np.errstate(all="ignore"):
            sides = [
                np.abs(s - self.centre - sign * self.h * slope) for s, sign in ((self.ahead, 1), (self.behind, -1))
            ]
            remainder = np.maximum(*sides)
            above = remainder > SAFETY * (np.fmax(self.noise, self.unevenness) + self.h * tolerance)
            above &= self.h <= found.step
            above[6:] &= np.isnan(found.near)  # what is rounded has another slope there
            for at in np.ndindex(orders.shape):
                rungs = (slice(None), *at)
                three = np.flatnonzero(above[rungs][:-2] & above[rungs][1:-1] & above[rungs][2:])
                if len(three):
                    wide, narrow = remainder[rungs][three[-1]], remainder[rungs][three[-1] + 2]
                    orders[at] = np.log(wide / narrow) / (2 * np.log(RATIO))
        return np.where(np.isfinite(slope), orders, np.nan)[()]


def _unsettled(steep: Any, slope: Any, margin: Any, step: Any) -> str:
    growth = steep[5:] / steep[4:-1]
    if np.all((growth > 1.05) & (growth < 0.9 * RATIO)) and np.ptp(growth) < 0.1:
        return f"the slope grows without bound, past {steep[-1]:.1g}, as the step shrinks. Check at a point beside it"
    return (
        f"noise of size {margin / SAFETY * step / RATIO:.1g} in f drowns the difference, {slope:.4g} within {margin:.1g}. "
        "Check a point or a part of f where less cancels, in double precision"
    )
