"""Operations in a row that come from one line, or one round of a loop: how they are grouped, and what a group is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from .lines import Origin, Step

FEW = 6
"""Less than this part of the pieces that there is room for is few."""


class Run(NamedTuple):
    """Operations in a row that come the same way; ``cut``: the steps of it as far as the statement that tells them apart."""

    low: int
    high: int
    way: Origin
    cut: int
    loops: tuple[int, ...]

    @property
    def statement(self) -> Step | None:
        return self.way[self.cut - 1] if self.cut else None


def runs_of(ways: Sequence[Origin], low: int, high: int) -> list[Run]:
    """The runs, and how far each way is looked at: to the first statement behind all that they have in common."""
    starts = [k for k in range(low, high) if k == low or (ways[k] is not ways[k - 1] and ways[k] != ways[k - 1])]
    common = len(ways[low])
    for k in starts:
        n = 0
        while n < min(common, len(ways[k])) and ways[k][n] == ways[low][n]:
            n += 1
        common = n
    if common and ways[low][common - 1].kind == "loop":
        common -= 1
    runs = []
    for a, b in zip(starts, [*starts[1:], high]):
        way = ways[a]
        cut = next((i + 1 for i in range(common, len(way)) if way[i].kind == "line"), len(way))
        runs.append(Run(a, b, way, cut, tuple(i for i in range(common, cut) if way[i].kind == "loop")))
    return runs


def grouped(runs: list[Run], most: int) -> tuple[list[tuple[int, int]], int]:
    """The finest division into at most so many; and how many loops deep it tells the rounds.

    By statement, by whole rounds of the innermost loops, of those around them, ..., by whole loops. Where that would be very
    few, so many rounds together, 2, 5, 10, ..., that there is room; where it is still too many, so many pieces together.
    """
    deepest = max(len(run.loops) for run in runs)
    depths = [deepest + 1, *range(deepest, -1, -1)]
    finer = None
    for depth in depths:
        groups = _in_a_row(runs, partial(_at_depth, depth=depth, bunch=1))
        if len(groups) <= most:
            break
        finer = depth
    if len(groups) < max(2, most // FEW) and finer is not None and 0 < finer <= deepest:
        bunch, found = 2, groups
        while bunch <= runs[-1].high:
            found = _in_a_row(runs, partial(_at_depth, depth=finer, bunch=bunch))
            if len(found) <= most:
                break
            bunch = _rounder(bunch + 1 if len(found) < 2 * most else bunch * (len(found) // most))
        if 1 < len(found) <= most:
            return found, finer
    each = -(-len(groups) // most)
    merged = [(groups[i][0], groups[min(i + each, len(groups)) - 1][1]) for i in range(0, len(groups), each)]
    return merged, depth


def _at_depth(run: Run, depth: int, bunch: int) -> tuple[Any, ...]:
    """What tells pieces apart: of runs in a loop of this depth the round, or that of so many; at depth 0 the whole loop."""
    if not run.loops or len(run.loops) < depth:
        return run.way[: run.cut]
    if not depth:
        return run.way[: run.loops[0] + 1]
    at = run.loops[depth - 1]
    return (*run.way[: at + 1], (run.way[at + 1].number - 1) // bunch)


def _rounder(number: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50, ..."""
    ten = 10 ** (len(str(number)) - 1)
    return next(k * ten for k in (1, 2, 5, 10) if k * ten >= number)


def _in_a_row(runs: list[Run], key: Callable[[Run], Any]) -> list[tuple[int, int]]:
    """From where to where runs have one key."""
    keys = [key(run) for run in runs]
    starts = [i for i in range(len(runs)) if i == 0 or keys[i] != keys[i - 1]]
    return list(zip(starts, [*starts[1:], len(runs)]))


def told_of(runs: list[Run], depth: int, calls: dict[int, int]) -> str:
    """A piece's name: its lines, in which call of another function they are, its rounds, and what stands there."""
    statements = {run.statement for run in runs}
    lines = [step for step in statements if step is not None and step.kind == "line"]
    if not lines:
        return "elsewhere"
    first, last = min(step.first for step in lines), max(step.last for step in lines)
    told = f"line {first}" if first == last else f"lines {first}-{last}"
    inside = [step for step in runs[0].way[: runs[0].cut] if step.kind == "call" and not step.text.startswith("<")]
    if inside:
        told += f" of {inside[-1].text}" + (f", call {calls[inside[-1].number]}" if inside[-1].number in calls else "")
    rounds = [_rounds(run, depth) for run in (runs[0], runs[-1])]
    if rounds[0] and rounds[0] == rounds[1]:
        told += f", round {rounds[0]}"
    elif all(rounds):
        told += f", rounds {rounds[0]}-{rounds[1]}"
    if len(statements) == 1:
        return f"{told}: {lines[0].text}" if lines[0].text else told
    around = {run.way[run.loops[max(depth, 1) - 1]].text if max(depth, 1) <= len(run.loops) else "" for run in runs}
    text = around.pop() if len(around) == 1 else ""
    return f"{told}: {text}" if text else told


def _rounds(run: Run, depth: int) -> str:
    """In which round of each loop of its function, so many of the loops that tell it apart included."""
    end = run.cut if max(depth, 1) >= len(run.loops) else run.loops[max(depth, 1)]
    steps = run.way[:end]
    start = max((i + 1 for i, step in enumerate(steps) if step.kind == "call"), default=0)
    return ".".join(str(step.number) for step in steps[start:] if step.kind == "round")
