"""How far a long computation is: a bar where tqdm is installed, a line on standard error otherwise."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any


def shown(steps: Sequence[int], unit: str, wanted: bool) -> Iterable[int]:
    """The same steps, one after the other; if ``wanted``, how many are done is shown on the way."""
    return _shown(steps, unit) if wanted else steps


def _shown(steps: Sequence[int], unit: str) -> Iterator[int]:
    with Progress(len(steps), unit, True) as bar:
        for done, step in enumerate(steps):
            bar.show(done)
            yield step
        bar.show(len(steps))


class Progress:
    """Of ``total`` units; nothing is shown unless it is ``wanted``. ``done``: where an earlier run stopped."""

    def __init__(self, total: int, unit: str, wanted: bool, done: int = 0) -> None:
        self.total, self.unit, self.wanted, self.done = total, unit, wanted, done
        self._bar: Any = None
        if wanted:
            try:
                from tqdm.auto import tqdm
            except ImportError:
                return
            self._bar = tqdm(total=total, initial=done, unit=unit)

    def show(self, done: int) -> None:
        """Say how many are done."""
        if not self.wanted:
            return
        if self._bar is not None:
            self._bar.update(done - self.done)
        elif done == self.total or done * 100 // self.total > self.done * 100 // self.total:
            print(f"\r{done} of {self.total} {self.unit}s", end="", file=sys.stderr, flush=True)
        self.done = done

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self.wanted:
            print(file=sys.stderr)
