"""Where operations come from: the user's line of each, the round of the loop it is in, and the call that it is behind.

The tape does not write this down, which would cost every operation something. It is found out when somebody asks: the
function runs once more, watched line by line by ``sys.settrace``.
"""

from __future__ import annotations

import ast
import functools
import io
import linecache
import os
import sys
import warnings
from bisect import bisect_right
from contextlib import redirect_stdout
from inspect import CO_GENERATOR
from types import CodeType, FrameType
from typing import Any, NamedTuple

from ..tape import order_of, tick
from .recorded import Recorded
from .users import generators_kept, is_users

COMPREHENSIONS = ("<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>")


class Step(NamedTuple):
    """A step from a function to one of its operations: into a loop, a round of it, a statement, or a call.

    ``number``: of a round, from 1; of a call, another for each. ``first`` and ``last``: the lines of a statement, of a
    compound one without its body, or of a whole loop. ``text``: of these, of a loop its head; of a call the function's name.
    """

    kind: str
    number: int = 0
    first: int = 0
    last: int = 0
    text: str = ""


Origin = tuple[Step, ...]
"""The way to an operation, from the function that was traced inwards; () if it cannot be told."""


class Statement(NamedTuple):
    """A statement of a file, and the loops around it, from the outermost inwards."""

    step: Step
    loops: tuple[Step, ...]


def origins(lcg: Recorded) -> list[Origin] | None:
    """The way to each operation, in their order; None where it cannot be told: without the function, or if it ran otherwise.

    The random generators that f reaches are then put back to where they were. Cost: f once more, and a microsecond for each
    line and call.
    """
    watch, before = _Watch(), sys.gettrace()
    try:
        with generators_kept(lcg.function), redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it has to say it has said
            sys.settrace(watch.called)
            again = lcg.retrace(*lcg.arguments)
    except Exception:  # whatever f raises this time: then it is not the run that was recorded
        return None
    finally:
        sys.settrace(before)
    if not isinstance(again, Recorded) or again.signature != lcg.signature:
        return None
    found: list[Origin] = []
    last = -1
    for entry in again.single_access.entries:
        at = bisect_right(watch.orders, order_of(entry)) - 1
        found.append(found[-1] if at == last else way_to(watch.places[at]))
        last = at
    return found


Place = tuple[Origin, tuple[Step, ...], tuple[int, ...], Step | None]
"""The way to a call, and in it the loops, the rounds that they are in, and the statement."""

NOWHERE: Place = ((), (), (), None)


def way_to(place: Place) -> Origin:
    """The same as one way."""
    call, loops, rounds, at = place
    around = [step for loop, number in zip(loops, rounds) for step in (loop, Step("round", number))]
    return (*call, *around) if at is None else (*call, *around, at)


class _Watch:
    """What ``sys.settrace`` tells: ``places[i]`` is where the function was from the order ``orders[i]`` on."""

    def __init__(self) -> None:
        self.orders: list[int] = [0]
        self.places: list[Place] = [NOWHERE]
        self._running: list[_Running] = []
        self._resting: dict[FrameType, _Running] = {}  # generators
        self._calls = 0
        self._statements = functools.cache(_statements)  # of each file, as it is now

    def called(self, frame: FrameType, event: str, _: Any) -> Any:
        if not is_users(frame.f_code.co_filename):
            return None
        running = self._resting.get(frame)
        if running is None:
            self._calls += 1
            running = _Running(frame.f_code, self._calls, self._statements(frame.f_code.co_filename))
            if frame.f_code.co_flags & CO_GENERATOR:
                self._resting[frame] = running
        if self._running:
            running.call = (*way_to(self._running[-1].place), Step("call", running.number, text=frame.f_code.co_name))
        self._running.append(running)
        return self._inside

    def _inside(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            self._running[-1].move(frame.f_lineno, frame.f_lasti)
        elif event == "return":
            self._running.pop()
        else:
            return self._inside
        self.orders.append(tick())
        self.places.append(self._running[-1].place if self._running else NOWHERE)
        return self._inside


class _Running:
    """A call of a function of the user's, and where it is."""

    def __init__(self, code: CodeType, number: int, statements: dict[int, Statement]) -> None:
        self.number, self.call = number, ()  # type: tuple[int, Origin]
        self.place: Place = NOWHERE
        self._file, self._statements = code.co_filename, statements
        self._repeats = code.co_name in COMPREHENSIONS
        self._line, self._instruction = -1, -1
        self._at: Step | None = None
        self._loops: tuple[Step, ...] = ()
        self._rounds: list[int] = []

    def move(self, line: int, instruction: int) -> None:
        """To a line. A step back in the code, which a line that follows itself is, too, is a loop's next round."""
        at, loops = self._statements.get(line) or _unread(self._file, line)
        if not loops and self._repeats:
            loops = (at._replace(kind="loop"),)
        back = instruction <= self._instruction or line == self._line
        self._instruction, self._line = instruction, line
        if at is self._at and not back:
            return
        rounds = self._rounds
        if loops is not self._loops:
            common = 0
            while common < min(len(loops), len(self._loops)) and loops[common] == self._loops[common]:
                common += 1
            rounds[common:] = []
        if back and rounds:
            rounds[-1] += 1
        rounds += [1] * (len(loops) - len(rounds))
        self._at, self._loops = at, loops
        self.place = (self.call, loops, tuple(rounds), at)


@functools.lru_cache(maxsize=32)
def _parsed(file: str, size: int, changed: float) -> dict[int, Statement]:
    lines = linecache.getlines(file)
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[int, Statement] = {}
    pending: list[tuple[ast.AST, tuple[Step, ...]]] = [(tree, ())]
    while pending:  # what is deeper comes later, and so stands
        node, loops = pending.pop()
        if isinstance(node, ast.stmt):
            first, last = node.lineno, _end_of_head(node)
            text = _text(lines, node, last)
            if isinstance(node, (ast.For, ast.While)):
                loops = (*loops, Step("loop", 0, first, node.end_lineno or last, text))
            at = Statement(Step("line", 0, first, last, text), loops)
            found.update(dict.fromkeys(range(first, last + 1), at))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            loops = ()
        pending += [(child, loops) for child in ast.iter_child_nodes(node)]
    return found


@functools.lru_cache(maxsize=1024)
def _unread(file: str, line: int) -> Statement:
    """Where the source is not at hand, or says something else by now: every step back is taken for one loop's next round."""
    return Statement(Step("line", 0, line, line, linecache.getline(file, line).strip()), ANY_LOOP)


ANY_LOOP = (Step("loop"),)


def _statements(file: str) -> dict[int, Statement]:
    """The statement at each line of a file; none where there is no source."""
    linecache.checkcache(file)
    try:
        changed = os.stat(file).st_mtime
    except OSError:  # a notebook's cell
        changed = 0.0
    return _parsed(file, sum(map(len, linecache.getlines(file))), changed)


def _text(lines: list[str], node: ast.stmt, last: int) -> str:
    """A statement in one line, of a compound one the head."""
    end = node.end_col_offset if last == node.end_lineno else None
    if body := getattr(node, "body", None):
        end = body[0].col_offset if body[0].lineno == last else None
    whole = [line.encode() for line in lines[node.lineno - 1 : last]]  # columns count bytes
    whole[-1] = whole[-1][:end]
    whole[0] = whole[0][node.col_offset :]
    return " ".join(b" ".join(whole).decode(errors="replace").split())


def _end_of_head(node: ast.stmt) -> int:
    """The last line of a statement, of a compound one without its body."""
    body = getattr(node, "body", None) or [getattr(case, "pattern", case) for case in getattr(node, "cases", [])]
    if body and isinstance(body, list):
        return max(node.lineno, body[0].lineno - 1)
    return node.end_lineno or node.lineno
