"""How an answer is tried: probe by probe, until one shows what is wrong; and what comes back, a verdict."""

from __future__ import annotations

import functools
import inspect
from collections import deque
from collections.abc import Callable, Iterator, KeysView, Mapping, ValuesView
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from ..errors import BadInput, said
from .printed import printing

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

WRITE_IT = "Replace the line `raise NotImplementedError` by your code."


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a grader says of an answer; true if it passed. A notebook shows it as text.

    ``misconception``: the name of what is probably behind a wrong answer, "" if it passed. ``hint``: what is wrong.
    ``example``: the smallest input found on which the answer is wrong, with what it gave and what was expected. ``idea``
    and ``formula``: more help, which the text shows when the same mistake is graded a second and a third time, ``asked``
    times in a row. ``printed``: what the answer printed, its first lines.
    """

    exercise: str
    passed: bool
    misconception: str = ""
    hint: str = ""
    example: str = ""
    idea: str = ""
    formula: str = ""
    printed: str = ""
    asked: int = field(default=1, compare=False)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        lines = [f"{self.exercise}: passed."]
        if not self.passed:
            lines = [f"{self.exercise}: not yet ({self.misconception}).", f"Hint: {self.hint}", self.example]
            helps = [f"The idea: {self.idea}" if self.idea else "", f"In full: {self.formula}" if self.formula else ""]
            helps = [text for text in helps if text]
            lines += helps[: self.asked - 1]
            if len(helps) >= self.asked:
                lines.append("(Grade the same again for a further hint.)")
        if self.printed:
            lines += ["It printed:", self.printed]
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


ASKED: dict[str, tuple[str, int]] = {}
"""By exercise the last misconception, and how often in a row it was met."""


def exercise(
    tutorial: int, title: str, idea: str = "", formula: str = ""
) -> Callable[[Callable[..., None]], Callable[..., Verdict]]:
    """Make a grader of a function that raises Wrong where an answer is wrong, and enter it in the table.

    ``idea`` and ``formula``: what to tell whoever makes the same mistake a second and a third time.
    """

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
            with printing() as printed:
                wrong = _tried(probe, answers)
            if wrong is None:
                ASKED.pop(name, None)
                return Verdict(name, True, printed=str(printed))
            before, times = ASKED.get(name, ("", 0))
            times = times + 1 if before == wrong.misconception else 1
            ASKED[name] = wrong.misconception, times
            helps = ("", "") if wrong.misconception == STUB else (idea, formula)
            return Verdict(name, False, wrong.misconception, wrong.hint, wrong.example, *helps, str(printed), times)

        REGISTERED.append(Exercise(name, tutorial, title, grade))
        return grade

    return register


def _tried(probe: Callable[..., None], answers: Any) -> Wrong | None:
    """What is wrong with it, if anything is."""
    try:
        probe(*answers)
    except Wrong as wrong:
        return wrong
    except Exception as problem:  # of looking at something that nobody thought of
        hint = "What it returned is of another kind than what was asked for: read the text of the exercise again."
        return Wrong(VALUE, hint, f"Looking at it raised {said(problem)}")
    return None


# --- looking at what it returned --------------------------------------------------------------------------------------

Tell = Mapping[str, tuple[Any, str]]
"""Telltale wrong values: by misconception, the value that it would give, and the hint."""


def expect(got: Any, want: Any, told: str, tells: Tell | None = None, hint: str = "") -> None:
    """Raise Wrong unless got is want; with the hint of the telltale value that it is, or the general one."""
    if same(got, want):
        return
    example = f"{told} gave {show(got)}; expected {show(want)}."
    if show(got) == show(want) and np.shape(got) == np.shape(want) == ():
        example = f"{told} gave {got!r:.40}; expected {want!r:.40}."
    if isinstance(got, np.ndarray) and np.ndim(want) == 0 and got.size == 1 and same(got.ravel()[0], want):
        raise Wrong(VALUE, "The number is right, but it is in an array: return the number itself.", example)
    for misconception, (value, why) in (tells or {}).items():
        if same(got, value):
            raise Wrong(misconception, why, example)
    raise Wrong(VALUE, hint or "The value is another. Work this example by hand, and compare each step.", example)


def plain(x: Any) -> Any:
    """What an answer means, whatever it is made of: lists for all that has an order, Python's own numbers and texts.

    >>> from fractions import Fraction
    >>> plain((np.str_("a"), iter([np.int64(2)]), np.array(["b"]), {np.str_("k"): (1,)}))
    ['a', [2], ['b'], {'k': [1]}]
    """
    if isinstance(x, np.ndarray) and (x.dtype.kind in "OUS" and x.ndim):
        x = x.tolist()
    if isinstance(x, (list, tuple, deque, range, Iterator, KeysView, ValuesView)):
        return [plain(part) for part in x]
    if isinstance(x, Mapping):
        return {plain(key) if isinstance(key, np.generic) else key: plain(value) for key, value in x.items()}
    if isinstance(x, np.generic):
        return x.item()
    return float(x) if isinstance(x, Decimal) else x


def same(got: Any, want: Any) -> bool:
    """Equal in content, numbers and arrays up to rounding; never an error, whatever was returned."""
    try:
        return _same(plain(got), want)
    except Exception:  # whatever it is, it is not what was wanted
        return False


def _same(got: Any, want: Any) -> bool:
    if isinstance(want, Mapping):
        return isinstance(got, Mapping) and set(got) == set(want) and all(_same(got[k], want[k]) for k in want)
    if isinstance(want, (list, tuple)) and not all(isinstance(w, (int, float)) for w in want):
        return isinstance(got, (list, np.ndarray)) and len(got) == len(want) and all(map(_same, got, want))
    if isinstance(want, str):
        return isinstance(got, str) and got == want
    if isinstance(want, int) and abs(want) > 2**53:
        return isinstance(got, int) and got == want
    found, wanted = np.asarray(got), np.asarray(want, float)
    if found.dtype.kind not in "iuf" and not all(isinstance(x, Real) for x in found.ravel()):
        return False  # texts that look like numbers, too
    found = found.astype(float)
    return found.shape == wanted.shape and bool(np.allclose(found, wanted, rtol=1e-6, atol=1e-9, equal_nan=True))


def number(x: Any, told: str) -> float:
    """What came back as a float; raises Wrong if it is none."""
    if isinstance(x, np.ndarray) and x.size == 1 and x.dtype.kind in "iuf":
        x = x.ravel()[0]
    if isinstance(x, (Real, Decimal)):
        try:
            return float(x)
        except OverflowError:
            pass
    raise Wrong(VALUE, "Return a number there.", f"{told} gave {show(x)}.")


def pair(got: Any, told: str, of: str) -> tuple[Any, Any]:
    """The two parts of what came back; raises Wrong if it is no pair. ``of``: what they are, in words."""
    if isinstance(got, (tuple, list, deque, np.ndarray)) and len(got) == 2:
        return got[0], got[1]
    raise Wrong(VALUE, f"Return a pair: {of}.", f"{told} gave {show(got)}.")


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
        text = " ".join(np.array2string(x, precision=6, separator=", ", threshold=12).split())
        return text if len(text) <= 120 and x.size <= 12 else f"<array {'x'.join(map(str, x.shape))}>"
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
