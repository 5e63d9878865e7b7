"""How far a long computation is, and about how long the rest takes: a bar or a line that changes, through a pipe lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

QUIET = 5.0
"""Through a pipe nothing is told of what takes less than so many seconds."""

EVERY = 10.0
"""Then a line at most every so many seconds; of what has been going on for long, every tenth of that time."""


def shown(steps: Sequence[int], unit: str, wanted: bool) -> Iterable[int]:
    """The same steps, one after the other; if ``wanted``, how many are done is shown on the way."""
    return _shown(steps, unit) if wanted else steps


def _shown(steps: Sequence[int], unit: str) -> Iterator[int]:
    with Progress(len(steps), unit, True) as bar:
        for done, step in enumerate(steps):
            bar.show(done)
            yield step
        bar.show(len(steps))


def is_watched() -> bool:
    """Whether standard error leads to a terminal, or into a notebook, where a line can change."""
    here = sys.stderr
    return here is not None and (here.isatty() or type(here).__module__.startswith("ipykernel"))


def duration(seconds: float) -> str:
    """How long something takes, as one would say it.

    >>> [duration(s) for s in (0.2, 42, 200, 9000, 10**6)]
    ['1 s', '42 s', '3 min', '2 h 30 min', '278 h']
    """
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 1440 else f"{round(seconds / 3600)} h"


class Progress:
    """Of ``total`` units; nothing is shown unless it is ``wanted``. ``done``: where an earlier run stopped.

    ``costs``: of each unit, where they are not alike, about how much of the time it takes.

    A bar where tqdm is installed, and otherwise a line that changes; where standard error leads neither to a terminal nor
    into a notebook, a line now and then. What ends before its total, and without an error, has come to its end: 100 %.
    """

    def __init__(
        self, total: int, unit: str, wanted: bool, done: int = 0, costs: Sequence[float] | None = None
    ) -> None:
        self.total, self.unit, self.wanted, self.done, self.costs = total, unit, wanted, done, costs
        self._bar: Any = None
        self._began: tuple[float, int] | None = None
        self._told, self._last = -1.0, ""
        self._alive = wanted and is_watched()
        if self._alive and costs is None:  # a bar takes all units for alike
            try:
                from tqdm.auto import tqdm
            except ImportError:
                return
            self._bar = tqdm(total=total, initial=done, unit=unit)

    def show(self, done: int) -> None:
        """Say how many are done."""
        if not self.wanted:
            return
        now = time.monotonic()
        if self._began is None:  # what was there before takes no time of this run
            self._began = now, max(done, self.done)
        if self._bar is not None:
            self._bar.update(done - self.done)
        elif not self._alive:
            self._line(done, now)
        elif done == self.total or done * 100 // max(self.total, 1) > self.done * 100 // max(self.total, 1):
            print(f"\r{self._text(done, now):<60}", end="", file=sys.stderr, flush=True)
        self.done = done

    def clear(self) -> None:
        """Make room for a line of somebody else's."""
        if self._bar is not None:
            self._bar.clear()
        elif self._alive:
            print(f"\r{'':<60}\r", end="", file=sys.stderr, flush=True)

    def one_more(self, *_: object) -> None:
        """Say that one more is done."""
        self.show(self.done + 1)

    def _line(self, done: int, now: float) -> None:
        """A line, if it is time for one."""
        assert self._began is not None
        gone = now - self._began[0]
        if gone >= QUIET and (self._told < 0 or gone - self._told >= max(EVERY, gone / 10)):
            self._told, self._last = gone, self._text(done, now)
            print(self._last, file=sys.stderr, flush=True)

    def _text(self, done: int, now: float) -> str:
        assert self._began is not None
        since, first = self._began
        text = f"{done} of {self.total} {self.unit}s"
        if first < done < self.total:
            spent, left = self._cost(first, done), self._cost(done, self.total)
            text += f", about {duration((now - since) / spent * left)} left"
        return text

    def _cost(self, first: int, last: int) -> float:
        return float(last - first) if self.costs is None else sum(self.costs[first:last])

    def __enter__(self) -> Progress:
        self.show(self.done)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self.wanted:
            return
        early = kind in (None, GeneratorExit) and self.done < self.total
        if self._bar is not None:
            if early:
                self._bar.total = self.done
                self._bar.refresh()
            self._bar.close()
            return
        told = f"{self.done} of {self.done} {self.unit}s, ended early" if early else ""
        if self._alive:
            print(f"\r{told:<60}" if early else "", file=sys.stderr)
        elif self._last and kind in (None, GeneratorExit):
            told = told or f"{self.done} of {self.total} {self.unit}s"
            if told != self._last:
                print(told, file=sys.stderr, flush=True)
