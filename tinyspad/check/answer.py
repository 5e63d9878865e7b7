"""Running an answer: on copies, within a budget of its own lines and of time, its output caught; and what goes wrong."""

from __future__ import annotations

import copy
import itertools
import signal
import sys
import sysconfig
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import said
from .printed import PRINTED, Printed
from .verdict import DAMAGE, ENDLESS, LISTING, NOTHING, RAISES, RECURSION, STUB, VALUE, WRITE_IT, Wrong, show

BUDGET = 2_000_000
"""The most lines of its own that one call may run: one pass over 20 000 nodes is far below, 2**40 paths are far beyond."""

OPCODES = 10
"""Where there is no timer the steps of a line are counted, too: about so many make a line."""

SECONDS = 10.0
"""The most time that one call may take, where there is a timer: right answers take a few thousandths of a second."""

MOST_PARTS, MOST_TOLD = 100_000, 300
"""No right result has so many parts; and so many letters of an error are told."""

DEEPEST = 2000
"""The most calls within calls: with more, deep recursion would take Python down."""


class OverBudget(BaseException):
    """An answer ran far more lines, or far longer, than it should; no ``except Exception`` of its own is to catch it."""


def call(answer: Callable[..., Any], *args: Any, told: str, paths: str = "") -> Any:
    """What the answer returns for copies of these arguments; raises Wrong if it fails, never ends, or damages them.

    ``told``: the call as the student would write it, for the counterexample. ``paths``: how many paths there are, where
    one that lists them would not come to an end. Random generators are not copied, since they are to change. A generator
    or another iterator that comes back is run to its end, to a list.
    """
    given = [a if isinstance(a, np.random.Generator) or callable(a) else copy.deepcopy(a) for a in args]
    try:
        with np.errstate(all="ignore"):
            result = _within_budget(answer, given)
    except Wrong:  # of a call within the call
        raise
    except NotImplementedError:
        raise Wrong(STUB, WRITE_IT) from None
    except RecursionError:
        raise Wrong(
            RECURSION,
            "A function that calls itself for every node runs out of stack on a long program. Go through the nodes "
            "in order, with a loop: every node comes after all that it depends on.",
            f"It raised RecursionError in {told}.",
        ) from None
    except OverBudget as stopped:
        if paths:
            hint = (
                f"It does the same things again and again, once for every path. There are {paths} paths here; find "
                "one number per node instead, from the numbers of its neighbours."
            )
            raise Wrong(LISTING, hint, f"It was stopped in {told}.") from None
        hint = (
            "Either a loop of it never ends, because its condition never changes; or it goes through everything "
            "again for every item. One pass is enough."
        )
        raise Wrong(ENDLESS, hint, f"It was stopped in {told}, after {stopped}.") from None
    except KeyboardInterrupt:
        raise
    except BaseException as problem:  # SystemExit, and what an answer makes up
        hint = f"It raised {said(problem)[:MOST_TOLD]}{_line(problem, answer)}"
        raise Wrong(RAISES, hint, f"The call was {told}.") from None
    if any(changed(a, g) for a, g in zip(args, given)):
        raise Wrong(
            DAMAGE,
            "It changed its own argument, which the caller still needs. Work on a copy, or build a new result: a += "
            "b changes the array that a is a name of, a = a + b makes a new one.",
            f"After {told} the argument was another.",
        )
    if _parts(result) > MOST_PARTS:
        hint = f"It returned something of {_parts(result)} parts, far more than was asked for."
        raise Wrong(VALUE, hint, f"The call was {told}.")
    if result is None:
        raise Wrong(NOTHING, "It returned None. Is there a return at its end?", f"The call was {told}.")
    return result


def _parts(result: Any) -> int:
    if isinstance(result, np.ndarray):
        return int(result.size)
    return len(result) if isinstance(result, (list, tuple, dict, str, set)) else 1


def check_rng(answer: Callable[..., Any], *args: Any, told: str) -> None:
    """Raise Wrong unless the same generator, handed over as the last argument, gives the same ten draws again."""
    first, again = (
        [call(answer, *args, rng, told=told) for _ in range(10)] for rng in map(np.random.default_rng, (7, 7))
    )
    if show(first) != show(again):
        raise Wrong(
            "random by itself",
            "It has a source of randomness of its own. Draw from rng alone, so that a run can be repeated: "
            "rng.choice, rng.random, rng.integers.",
            f"{told}, ten times with np.random.default_rng(7), twice over: the draws differ.",
        )


def _within_budget(answer: Callable[..., Any], args: list[Any]) -> Any:
    """Call it, and raise OverBudget in the middle of it if it runs too many lines, or for too long."""
    before, depth, timed = sys.gettrace(), sys.getrecursionlimit(), _has_timer()
    left = BUDGET if timed else OPCODES * BUDGET
    deepest = min(depth, DEEPEST)
    own = getattr(getattr(answer, "__code__", None), "co_filename", None)

    def count(frame: Any, event: str, argument: Any) -> Any:
        nonlocal left
        if event == "call":
            if sys.getrecursionlimit() > deepest:  # an answer may not lift it
                sys.setrecursionlimit(deepest)
            if frame.f_code.co_filename != own and _of_others(frame.f_code.co_filename):
                return None  # what the notebook, NumPy or tinyspad do meanwhile is not the student's
            frame.f_trace_opcodes = not timed  # a loop on one line has no lines to count
        left -= 1
        if left < 0:
            raise OverBudget(f"{BUDGET} lines")
        return count

    printed = PRINTED[-1] if PRINTED else Printed()
    with redirect_stdout(printed), redirect_stderr(printed), _timer():
        sys.setrecursionlimit(deepest)
        sys.settrace(count)
        try:
            return _listed(answer(*args))
        finally:
            sys.settrace(before)
            sys.setrecursionlimit(depth)


def _listed(result: Any) -> Any:
    """The same with every iterator in it run to its end."""
    if isinstance(result, Iterator):
        result = list(itertools.islice(result, MOST_PARTS + 1))
        if len(result) > MOST_PARTS:
            raise OverBudget(f"{MOST_PARTS} items")
    if isinstance(result, (list, tuple)) and any(isinstance(part, Iterator) for part in result):
        result = type(result)(_listed(part) for part in result) if type(result) in (list, tuple) else result
    return result


INSTALLED = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")]
OTHERS = (*map(str, INSTALLED), str(Path(__file__).parents[1]))
"""Where code is that nobody wrote as an answer: Python's own, what is installed, and this package."""


def _of_others(file: str) -> bool:
    return file.startswith(OTHERS) or file.startswith("<frozen")


@contextmanager
def _timer() -> Iterator[None]:
    """After ``SECONDS`` raise OverBudget, where there is a timer: on POSIX, in the main thread, if nobody else uses it."""
    if not _has_timer():
        yield
        return

    def stop(number: int, frame: Any) -> None:
        raise OverBudget(f"{SECONDS:g} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def _has_timer() -> bool:
    """Whether this thread can be stopped by a timer that nobody else uses."""
    main = threading.current_thread() is threading.main_thread()
    return main and hasattr(signal, "setitimer") and not signal.getitimer(signal.ITIMER_REAL)[0]


def _line(problem: BaseException, answer: Callable[..., Any]) -> str:
    """The line of the student's own code in which it happened."""
    code = getattr(answer, "__code__", None)
    own = [f for f in traceback.extract_tb(problem.__traceback__) if code and f.filename == code.co_filename]
    return f" (line {own[-1].lineno}: {own[-1].line})" if own and own[-1].line else ""


def changed(before: Any, after: Any) -> bool:
    """Whether an argument is no longer what it was; arrays, dicts, lists, tuples, numbers and texts are compared."""
    if type(before) is not type(after):
        return True
    if isinstance(before, np.ndarray):
        return not np.array_equal(before, after, equal_nan=before.dtype.kind in "fc")
    if isinstance(before, dict):
        return list(before) != list(after) or any(changed(b, after[k]) for k, b in before.items())
    if isinstance(before, (list, tuple)):
        return len(before) != len(after) or any(map(changed, before, after))
    return isinstance(before, (int, float, str)) and before != after
