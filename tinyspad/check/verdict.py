"""How an answer is tried: probe by probe, until one shows what is wrong; and what comes back, a verdict."""

from __future__ import annotations

import copy
import functools
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from ..errors import BadInput, said

STUB, RAISES, NOTHING, DAMAGE, RECURSION, LISTING, ENDLESS, VALUE = (
    "not written yet",
    "raises",
    "returns nothing",
    "in-place damage",
    "recursion",
    "follows every path",
    "does not end",
    "another value",
)
"""The misconceptions that any exercise may meet."""

BUDGET = 2_000_000
"""The most lines that one call may run: what takes one pass over 20 000 nodes is far below, 2**40 paths are far beyond."""


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a grader says of an answer; true if it passed. A notebook shows it as text.

    ``misconception``: the name of what is probably behind a wrong answer, "" if it passed. ``hint``: what to think about.
    ``example``: the smallest input found on which the answer is wrong, with what it gave and what was expected.
    """

    exercise: str
    passed: bool
    misconception: str = ""
    hint: str = ""
    example: str = ""

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        if self.passed:
            return f"{self.exercise}: passed."
        lines = [f"{self.exercise}: not yet ({self.misconception}).", f"Hint: {self.hint}", self.example]
        return "\n".join(line for line in lines if line)

    __repr__ = __str__


@dataclass(frozen=True)
class Exercise:
    """A line of the table of exercises: its grader's name, the tutorial that it belongs to, and what is asked."""

    name: str
    tutorial: int
    title: str
    grade: Callable[..., Verdict]


REGISTERED: list[Exercise] = []
"""Every exercise, as the modules are loaded."""


class Wrong(Exception):
    """A probe showed that the answer is wrong."""

    def __init__(self, misconception: str, hint: str, example: str = "") -> None:
        super().__init__(misconception)
        self.misconception, self.hint, self.example = misconception, hint, example


class OverBudget(BaseException):
    """An answer ran far more lines than it should; no ``except Exception`` of its own is to catch it."""


def exercise(tutorial: int, title: str) -> Callable[[Callable[..., None]], Callable[..., Verdict]]:
    """Make a grader of a function that raises Wrong where an answer is wrong, and enter it in the table."""

    def register(probe: Callable[..., None]) -> Callable[..., Verdict]:
        name = probe.__name__
        wanted = list(inspect.signature(probe).parameters)

        @functools.wraps(probe)
        def grade(*answers: Any) -> Verdict:
            names = ", ".join([name] if len(wanted) == 1 else wanted)
            if len(answers) != len(wanted):
                raise BadInput(f"Write check.{name}({names}): it takes {len(wanted)}, not {len(answers)}.")
            for answer in answers:
                if not callable(answer):
                    raise BadInput(f"check.{name} takes the function itself, {names}, not {answer!r:.60}: no brackets.")
            try:
                probe(*answers)
            except Wrong as wrong:
                return Verdict(name, False, wrong.misconception, wrong.hint, wrong.example)
            except Exception as problem:  # of looking at something that nobody thought of
                hint = (
                    "What it returned is of another kind than what was asked for: read the text of the exercise again."
                )
                return Verdict(name, False, VALUE, hint, f"Looking at it raised {said(problem)}")
            return Verdict(name, True)

        REGISTERED.append(Exercise(name, tutorial, title, grade))
        return grade

    return register


# --- calling an answer ------------------------------------------------------------------------------------------------


def call(answer: Callable[..., Any], *args: Any, told: str, paths: str = "") -> Any:
    """What the answer returns for copies of these arguments; raises Wrong if it fails, never ends, or damages them.

    ``told``: the call as the student would write it, for the counterexample. ``paths``: how many paths there are, where
    one that lists them would not come to an end. Random generators are not copied, since they are to change.
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
    except OverBudget:
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
        raise Wrong(ENDLESS, hint, f"It was stopped in {told}, after {BUDGET} lines.") from None
    except (Exception, SystemExit) as problem:
        hint = f"It raised {said(problem)}{_line(problem, answer)}"
        raise Wrong(RAISES, hint, f"The call was {told}.") from None
    if any(changed(a, g) for a, g in zip(args, given)):
        raise Wrong(
            DAMAGE,
            "It changed its own argument, which the caller still needs. Work on a copy, or build a new result: a += "
            "b changes the array that a is a name of, a = a + b makes a new one.",
            f"After {told} the argument was another.",
        )
    if result is None:
        raise Wrong(NOTHING, "It returned None. Is there a return at its end?", f"The call was {told}.")
    return result


WRITE_IT = "Replace the line `raise NotImplementedError` by your code."


DEEPEST = 2000


def _within_budget(answer: Callable[..., Any], args: list[Any]) -> Any:
    """Call it, and raise OverBudget in the middle of it if it runs too many lines of Python."""
    left = BUDGET

    def count(frame: Any, event: str, argument: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise OverBudget
        return count

    before, depth = sys.gettrace(), sys.getrecursionlimit()
    sys.setrecursionlimit(min(depth, DEEPEST))  # with a higher one deep recursion would take Python down
    sys.settrace(count)
    try:
        return answer(*args)
    finally:
        sys.settrace(before)
        sys.setrecursionlimit(depth)


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


# --- looking at what it returned --------------------------------------------------------------------------------------

Tell = Mapping[str, tuple[Any, str]]
"""Telltale wrong values: by misconception, the value that it would give, and the hint."""


def expect(got: Any, want: Any, told: str, tells: Tell | None = None, hint: str = "") -> None:
    """Raise Wrong unless got is want; with the hint of the telltale value that it is, or the general one."""
    if same(got, want):
        return
    example = f"{told} gave {show(got)}; expected {show(want)}."
    if isinstance(got, np.ndarray) and np.ndim(want) == 0 and got.size == 1 and same(got.ravel()[0], want):
        raise Wrong(VALUE, "The number is right, but it is in an array: return the number itself.", example)
    for misconception, (value, why) in (tells or {}).items():
        if same(got, value):
            raise Wrong(misconception, why, example)
    raise Wrong(VALUE, hint or "The value is another. Work this example by hand, and compare each step.", example)


def same(got: Any, want: Any) -> bool:
    """Equal, numbers and arrays up to rounding; never an error, whatever was returned."""
    if isinstance(want, Mapping):
        return isinstance(got, Mapping) and set(got) == set(want) and all(same(got[k], want[k]) for k in want)
    if isinstance(want, (list, tuple)) and not all(isinstance(w, (int, float)) for w in want):
        return isinstance(got, (list, tuple)) and len(got) == len(want) and all(map(same, got, want))
    if isinstance(want, str):
        return isinstance(got, str) and got == want
    if isinstance(want, int) and abs(want) > 2**53:
        return isinstance(got, int) and got == want
    try:
        found, wanted = np.asarray(got), np.asarray(want, float)
        if found.dtype.kind not in "iuf" and not all(isinstance(x, Real) for x in found.ravel()):
            return False  # texts that look like numbers, too
        found = found.astype(float)
        return found.shape == wanted.shape and bool(np.allclose(found, wanted, rtol=1e-6, atol=1e-9, equal_nan=True))
    except Exception:  # whatever it is, it is not what was wanted
        return False


def number(x: Any, told: str) -> float:
    """What came back as a float; raises Wrong if it is none."""
    if isinstance(x, np.ndarray) and x.size == 1 and x.dtype.kind in "iuf":
        x = x.ravel()[0]
    if isinstance(x, Real):
        try:
            return float(x)
        except OverflowError:
            pass
    raise Wrong(VALUE, "Return a number there.", f"{told} gave {show(x)}.")


def pair(got: Any, told: str, of: str) -> tuple[Any, Any]:
    """The two parts of what came back; raises Wrong if it is no pair. ``of``: what they are, in words."""
    if isinstance(got, (tuple, list, np.ndarray)) and len(got) == 2:
        return got[0], got[1]
    raise Wrong(VALUE, f"Return a pair: {of}.", f"{told} gave {show(got)}.")


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


def near(shares: Any, p: Any, draws: int) -> bool:
    """Whether shares of so many draws are those of these probabilities: each within five standard errors.

    One right answer in a million would be off by more; the telltale distributions of the exercises are ten errors apart.
    """
    error = np.sqrt(np.multiply(p, np.subtract(1, p)) / draws)
    return bool(np.all(np.abs(np.subtract(shares, p)) <= 5 * error))


def show(x: Any) -> str:
    """A value in few characters; never an error."""
    try:
        text = _shown(x)
    except Exception:
        text = f"<{type(x).__name__}>"
    return text if len(text) <= 240 else text[:237] + "..."


def _shown(x: Any) -> str:
    if isinstance(x, (float, np.floating)):
        return f"{x:.6g}"
    if isinstance(x, np.ndarray):
        text = np.array2string(x, precision=4, separator=", ", threshold=8)
        return text if len(text) <= 80 and x.ndim < 2 else f"<array {'x'.join(map(str, x.shape))}>"
    if isinstance(x, np.random.Generator):
        return "rng"
    if isinstance(x, Mapping):
        return (
            "{" + ", ".join(f"{k!r}: {show(v)}" for k, v in list(x.items())[:SHOWN]) + ", ..." * (len(x) > SHOWN) + "}"
        )
    if isinstance(x, (list, tuple)):
        inside = ", ".join(map(show, x[:SHOWN])) + ", ..." * (len(x) > SHOWN)
        return f"[{inside}]" if isinstance(x, list) else f"({inside}{',' * (len(x) == 1)})"
    return getattr(x, "__name__", type(x).__name__) if callable(x) else repr(x)


SHOWN = 30


# --- graphs -----------------------------------------------------------------------------------------------------------

Graph = dict[str, list[tuple[str, float]]]
"""A graph as the exercises hand it out: by node, in an order in which edges lead forwards, its (head, weight) pairs."""


def doublings(n: int) -> Graph:
    """A graph with 2**n paths from "v0" to the last node: every node is read twice by the next."""
    return {f"v{i}": [(f"v{i + 1}", 1.0), (f"v{i + 1}", 1.0)] for i in range(n)} | {f"v{n}": []}


def chain(n: int) -> Graph:
    """A graph with one long path."""
    return {f"v{i}": [(f"v{i + 1}", 1.0)] for i in range(n)} | {f"v{n}": []}
