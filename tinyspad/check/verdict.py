"""How an answer is tried: probe by probe, until one shows what is wrong; and what comes back, a verdict."""

from __future__ import annotations

import copy
import functools
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadInput

STUB, RAISES, NOTHING, DAMAGE, RECURSION, LISTING, VALUE = (
    "not written yet",
    "raises",
    "returns nothing",
    "in-place damage",
    "recursion",
    "follows every path",
    "another value",
)
"""The misconceptions that any exercise may meet."""


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


class OverBudget(Exception):
    """An answer looked at a graph far more often than a sweep would."""


def exercise(tutorial: int, title: str) -> Callable[[Callable[..., None]], Callable[..., Verdict]]:
    """Make a grader of a function that raises Wrong where an answer is wrong, and enter it in the table."""

    def register(probe: Callable[..., None]) -> Callable[..., Verdict]:
        name = probe.__name__

        @functools.wraps(probe)
        def grade(*answers: Any) -> Verdict:
            for answer in answers:
                if not callable(answer):
                    raise BadInput(f"check.{name} takes the function itself, {name}, not {answer!r:.60}: no brackets.")
            try:
                probe(*answers)
            except Wrong as wrong:
                return Verdict(name, False, wrong.misconception, wrong.hint, wrong.example)
            return Verdict(name, True)

        REGISTERED.append(Exercise(name, tutorial, title, grade))
        return grade

    return register


# --- calling an answer ------------------------------------------------------------------------------------------------


def call(answer: Callable[..., Any], *args: Any, told: str = "", **kwargs: Any) -> Any:
    """What the answer returns; raises Wrong if it fails, returns nothing, or changes its arguments.

    ``told``: the call as the student would write it, for the counterexample. Random generators may change.
    """
    told = told or f"{answer.__name__}({', '.join(show(a) for a in args)})"
    before = [copy.deepcopy(a) if isinstance(a, (np.ndarray, list, dict, tuple)) else a for a in args]
    try:
        with np.errstate(all="ignore"):
            result = answer(*args, **kwargs)
    except NotImplementedError:
        raise Wrong(STUB, "Replace the line `raise NotImplementedError` by your code.") from None
    except RecursionError:
        raise Wrong(
            RECURSION,
            "A function that calls itself for every node runs out of stack on a long program. Go through the nodes in "
            "order, with a loop: every node comes after all that it depends on.",
            f"It raised RecursionError in {told}.",
        ) from None
    except OverBudget:
        raise Wrong(
            LISTING,
            "It looks at the same edges again and again, once for every path. There are 2 to the power of "
            "dozens of paths "
            "here; find one number per node instead, from the numbers of its neighbours.",
            f"It was stopped in {told}.",
        ) from None
    except Exception as problem:
        raise Wrong(
            RAISES,
            f"It raised {type(problem).__name__}: {problem}{_line(problem, answer)}",
            f"The call was {told}.",
        ) from None
    if any(changed(b, a) for b, a in zip(before, args)):
        raise Wrong(
            DAMAGE,
            "It changed its own argument, which the caller still needs. Work on a copy, or build a new result: a += b "
            "changes the array that a is a name of, a = a + b makes a new one.",
            f"After {told} the argument was another.",
        )
    if result is None:
        raise Wrong(NOTHING, "It returned None. Is there a return at its end?", f"The call was {told}.")
    return result


def _line(problem: Exception, answer: Callable[..., Any]) -> str:
    """The line of the student's own code in which it happened."""
    code = getattr(answer, "__code__", None)
    own = [f for f in traceback.extract_tb(problem.__traceback__) if code and f.filename == code.co_filename]
    return f" (line {own[-1].lineno}: {own[-1].line})" if own and own[-1].line else ""


def changed(before: Any, after: Any) -> bool:
    """Whether an argument is no longer what it was."""
    if before is after:  # nothing that could be changed, or a graph that counts how often it is read
        return False
    if isinstance(before, np.ndarray):
        return not np.array_equal(before, after, equal_nan=before.dtype.kind in "fc")
    if isinstance(before, dict):
        return list(before) != list(after) or any(changed(b, after[k]) for k, b in before.items())
    if isinstance(before, (list, tuple)):
        return len(before) != len(after) or any(map(changed, before, after))
    return bool(before != after)


# --- looking at what it returned --------------------------------------------------------------------------------------

Tell = Mapping[str, tuple[Any, str]]
"""Telltale wrong values: by misconception, the value that it would give, and the hint."""


def expect(got: Any, want: Any, told: str, tells: Tell | None = None, hint: str = "") -> None:
    """Raise Wrong unless got is want; with the hint of the telltale value that it is, or the general one."""
    if same(got, want):
        return
    example = f"{told} gave {show(got)}; expected {show(want)}."
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
    if isinstance(want, (str, bool)) or (isinstance(want, int) and abs(want) > 2**53):
        return type(got) is type(want) and bool(got == want)
    try:
        found, wanted = np.asarray(got, float), np.asarray(want, float)
        return found.shape == wanted.shape and bool(np.allclose(found, wanted, rtol=1e-6, atol=1e-9, equal_nan=True))
    except (TypeError, ValueError, OverflowError):
        return False


def number(x: Any, told: str) -> float:
    """What came back as a float; raises Wrong if it is none."""
    try:
        return float(x)
    except (TypeError, ValueError):
        raise Wrong(VALUE, "Return a number there.", f"{told} gave {x!r:.60}.") from None


def show(x: Any) -> str:
    """A value in few characters."""
    if isinstance(x, (float, np.floating)):
        return f"{x:.6g}"
    if isinstance(x, np.ndarray):
        text = np.array2string(x, precision=4, separator=", ", threshold=8)
        return text if len(text) <= 80 and x.ndim < 2 else f"<array {'x'.join(map(str, x.shape))}>"
    if isinstance(x, np.random.Generator):
        return "rng"
    if isinstance(x, Mapping):
        text = "{" + ", ".join(f"{k!r}: {show(v)}" for k, v in x.items()) + "}"
    elif isinstance(x, list):
        text = "[" + ", ".join(map(show, list.__iter__(x))) + "]"
    elif isinstance(x, tuple):
        text = "(" + ", ".join(map(show, x)) + ("," if len(x) == 1 else "") + ")"
    elif callable(x):
        text = getattr(x, "__name__", type(x).__name__)
    else:
        text = repr(x)
    return text if len(text) <= 240 else text[:237] + "..."


# --- graphs and lists that count how often they are read --------------------------------------------------------------


class Counted:
    """Counts how often it is read, and stops an answer that reads far more often than a sweep needs to."""

    left = 10**9

    def _read(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OverBudget

    def __deepcopy__(self, memo: Any) -> Any:
        return self  # it is compared by what it holds at the end, and copying would count

    @classmethod
    def of(cls, data: Any, budget: int) -> Any:
        made = cls(data)  # type: ignore[call-arg]
        made.left = budget
        return made


class CountedDict(Counted, dict):  # type: ignore[type-arg]
    """A dict that counts look-ups."""

    def __getitem__(self, key: Any) -> Any:
        self._read()
        return dict.__getitem__(self, key)

    def get(self, key: Any, default: Any = None) -> Any:
        self._read()
        return dict.get(self, key, default)


class CountedList(Counted, list):  # type: ignore[type-arg]
    """A list that counts elements read."""

    def __getitem__(self, key: Any) -> Any:
        self._read()
        return list.__getitem__(self, key)

    def __iter__(self) -> Iterator[Any]:
        for item in list.__iter__(self):
            self._read()
            yield item

    def __reversed__(self) -> Iterator[Any]:
        for item in list.__reversed__(self):
            self._read()
            yield item


Graph = dict[str, list[tuple[str, float]]]
"""A graph as the exercises hand it out: by node, in an order in which edges lead forwards, its (head, weight) pairs."""


def doublings(n: int, budget: int | None = None) -> Any:
    """A graph with 2**n paths from "v0" to the last node: every node reads the one before it twice."""
    graph: Graph = {f"v{i}": [(f"v{i + 1}", 1.0), (f"v{i + 1}", 1.0)] for i in range(n)}
    graph[f"v{n}"] = []
    return graph if budget is None else CountedDict.of(graph, budget)


def chain(n: int) -> Graph:
    """A graph with one long path."""
    return {f"v{i}": [(f"v{i + 1}", 1.0)] for i in range(n)} | {f"v{n}": []}
