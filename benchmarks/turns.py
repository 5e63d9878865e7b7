"""The one way in which everything here is timed: engines take turns, A B A B ..., and ratios are to tinyspad's median."""

from __future__ import annotations

import gc
import importlib.util
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np


class Failed(Exception):
    """An engine cannot do it; the text says how it ends."""


class Disagree(Exception):
    """Two engines that should compute the same thing do not."""


def need(module: str) -> None:
    """Raise ImportError by name, as ``import`` would, for what only a process of its own is to import."""
    if importlib.util.find_spec(module) is None:
        raise ImportError(f"No module named {module!r}", name=module)


def largest(a: Any, b: Any) -> float:
    """The largest difference, relative to the largest of b.

    >>> largest([1.0, 2.0], [1.0, 4.0])
    0.5
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape:
        return float("inf")
    return float(np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-300))


@dataclass(frozen=True)
class Measured:
    """What a turn took; an engine that holds the clock itself, because it runs in a process of its own, returns it.

    ``seconds``: by the clock on the wall; ``processor``: those of all processors, children's included; ``memory``: bytes.
    """

    seconds: float
    answer: Any = None
    cold: float | None = None
    processor: float | None = None
    memory: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Workload:
    """One thing to compute, and the engines that compute it.

    ``engines`` maps a name to a factory, which imports the engine and returns the call that is timed; those whose name
    starts with "tinyspad" are ours, and ``base`` is the one that ratios are to. A call does ``units`` units of work, and
    what it returns must agree with the others' within ``tolerance`` by ``apart`` (None agrees with everything). A turn
    repeats the call for ``seconds``, and counts their median. The first turn is the cold one, unless every call is a
    ``fresh`` process. ``memory`` holds, by engine, what measures bytes.
    """

    name: str
    case: str
    engines: Mapping[str, Callable[[], Callable[[], Any]]]
    base: str
    unit: str
    units: int = 1
    turns: int = 5
    seconds: float = 0.0
    pause: float = 0.0
    fresh: bool = False
    tolerance: float = 1e-9
    apart: Callable[[Any, Any], float] = largest
    memory: Mapping[str, Callable[[], Mapping[str, float]]] = field(default_factory=dict)
    size: int | None = None


@dataclass
class Row:
    """What was found out about one engine: seconds per unit of work, turn by turn, and bytes.

    ``processor``: of the warm turns. Above ``warm`` an engine uses several processors at once; below it waited for one.
    """

    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    memory: dict[str, float] = field(default_factory=dict)
    failure: str | None = None


def run(work: Workload, tell: Callable[[str], None] = print) -> dict[str, Any]:
    """The record of a workload, for a results file. Raises Disagree before anything is timed twice."""
    rows = {engine: Row() for engine in work.engines}
    calls: dict[str, Callable[[], Any]] = {}

    def attempt(engine: str, what: Callable[[], Any]) -> Any:
        try:
            return what()
        except (ImportError, Failed) as reason:
            missing = isinstance(reason, ImportError)
            rows[engine].failure = f"skipped: {reason.name or reason} is not installed" if missing else str(reason)
            tell(f"  {engine}: {rows[engine].failure}")
            calls.pop(engine, None)

    for engine, make in work.engines.items():
        call = attempt(engine, make)
        if call is not None:
            calls[engine] = call
    gc.collect()
    gc.freeze()  # a collection inside a turn is to look at what the turn made, not at every module of every peer
    try:
        for turn in range(work.turns if work.fresh else work.turns + 1):
            first = turn == 0 and not work.fresh
            answers: dict[str, Any] = {}
            for engine, call in list(calls.items()):
                time.sleep(work.pause)
                gc.collect()
                found = attempt(engine, lambda call=call, first=first: _timed(call, 0.0 if first else work.seconds))
                if found is None:
                    continue
                row, answers[engine] = rows[engine], found.answer
                cold = found.seconds if first else found.cold
                row.cold += [] if cold is None else [cold / work.units]
                row.warm += [] if first else [found.seconds / work.units]
                row.processor += [] if first or found.processor is None else [found.processor / work.units]
                row.memory |= {kind: max(size, row.memory.get(kind, 0.0)) for kind, size in found.memory.items()}
            _agree(work, answers)
    finally:
        gc.unfreeze()
    for engine, measure in work.memory.items():
        if engine in calls:
            rows[engine].memory |= measure()
    return {
        "workload": work.name,
        "case": work.case,
        "unit": work.unit,
        "units": work.units,
        "size": work.size,
        "base": work.base,
        "engines": {engine: asdict(row) | _summary(row, rows[work.base]) for engine, row in rows.items()},
    }


def _timed(call: Callable[[], Any], seconds: float) -> Measured:
    times, end, worked = [], time.perf_counter() + seconds, processor_time()
    while True:
        start = time.perf_counter()
        answer = call()
        now = time.perf_counter()
        if isinstance(answer, Measured):
            return answer
        times.append(now - start)
        if now >= end:
            return Measured(statistics.median(times), answer, processor=(processor_time() - worked) / len(times))


def processor_time() -> float:
    """Seconds that processors have worked for this process, all its threads, and its children that have ended."""
    ended = os.times()
    return time.process_time() + ended.children_user + ended.children_system


def _agree(work: Workload, answers: dict[str, Any]) -> None:
    known = {engine: answer for engine, answer in answers.items() if answer is not None}
    if not known:
        return
    judge = work.base if work.base in known else next(iter(known))
    for engine, answer in known.items():
        apart = work.apart(answer, known[judge])
        if not apart <= work.tolerance:
            raise Disagree(
                f"{work.name}, {work.case}: {engine} and {judge} are {apart:.1e} apart (allowed {work.tolerance:.0e})"
            )


def _summary(row: Row, base: Row) -> dict[str, Any]:
    """Median and quartiles of the warm turns; the same of the turns' ratios to tinyspad, and the ratio of the medians."""
    if not row.warm:
        return {}
    found: dict[str, Any] = {"median": statistics.median(row.warm), "quartiles": _quartiles(row.warm)}
    if row.processor:
        found["processor_median"] = statistics.median(row.processor)
    if base.warm:
        by_turn = [own / theirs for own, theirs in zip(row.warm, base.warm)]
        found |= {"ratio": found["median"] / statistics.median(base.warm), "ratio_quartiles": _quartiles(by_turn)}
    return found


def _quartiles(numbers: list[float]) -> list[float]:
    return np.quantile(numbers, [0.25, 0.75]).tolist()
