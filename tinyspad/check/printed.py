"""What an answer prints: its first lines are kept and shown with the verdict, the rest is counted."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

LINES, LETTERS = 5, 200
"""So many lines of what an answer prints are kept, and of each so many letters; the rest is counted."""


class Printed(io.TextIOBase):
    """What answers print: its first lines, and how many more there were."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.more = 0
        self._open = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *whole, rest = text.split("\n")
        for line in whole:
            self._add(self._open + line)
            self._open = ""
        self._open = (self._open + rest)[: LETTERS + 1]
        return len(text)

    def _add(self, line: str) -> None:
        if len(self.lines) < LINES:
            self.lines.append(line if len(line) <= LETTERS else line[:LETTERS] + " …")
        else:
            self.more += 1

    def __str__(self) -> str:
        lines, more = list(self.lines), self.more
        if self._open:
            lines, more = (lines + [self._open], more) if len(lines) < LINES else (lines, more + 1)
        if more:
            lines.append(f"... and {more} more line{'s' * (more > 1)}")
        return "\n".join(lines)


PRINTED: list[Printed] = []
"""Where the output of answers goes while a grader runs: the last one."""


@contextmanager
def printing() -> Iterator[Printed]:
    """Catch what all calls of an answer print while a grader runs."""
    PRINTED.append(Printed())
    try:
        yield PRINTED[-1]
    finally:
        PRINTED.pop()
