"""Exercises of tutorial 01: a NumPy function becomes a tape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .answer import call
from .verdict import Wrong, exercise, expect, plain


@exercise(
    1,
    "Write tanh's rule",
    idea="tanh = sinh / cosh, and sinh' = cosh, cosh' = sinh. Which square is left, and is it known already?",
    formula="tanh' = 1 - tanh**2, and tanh(x) is out: 1 - out**2.",
)
def tanh_rule(d: Callable[[Any, Any], Any]) -> None:
    """Grade ``d(out, x)``, the local derivative of tanh at x, where out = tanh(x) is known: one line of a rule table.

    ``x`` and ``out`` are numbers, or arrays of one shape.

    >>> from tinyspad import check
    >>> check.tanh_rule(lambda out, x: 1 - x**2)
    tanh_rule: not yet (reads the input).
    Hint: The derivative of tanh is 1 - tanh(x)**2. The x in that formula stands inside tanh: which argument holds tanh(x)?
    tanh_rule(0.462117, 0.5) gave 0.75; expected 0.786448.
    (Grade the same again for a further hint.)
    """
    for x in (0.5, -1.25, np.array([0.0, 0.5, 2.0]), np.array([[0.25, -1.0], [3.0, 0.0]]), np.array([1, 0, -2])):
        out = np.tanh(x)
        told = f"tanh_rule({_told(out)}, {_told(x)})"
        expect(
            call(d, out, x, told=told),
            1 - out**2,
            told,
            {
                "reads the input": (
                    1 - np.square(x),
                    "The derivative of tanh is 1 - tanh(x)**2. The x in that formula stands inside tanh: which "
                    "argument holds tanh(x)?",
                ),
                "takes out for x": (
                    1 - np.tanh(out) ** 2,
                    "That takes tanh of out, which already is tanh(x). A rule gets the result so as not to compute "
                    "it twice.",
                ),
                "forgets the square": (
                    1 - out,
                    "Differentiate sinh/cosh by the quotient rule: one of the terms is squared.",
                ),
                "wrong sign": (out**2 - 1, "tanh rises everywhere, so its derivative is nowhere negative."),
                "square outside": ((1 - out) ** 2, "The square belongs to tanh(x) alone, not to the difference."),
                "one over cosh": (1 / np.cosh(x), "The derivative is 1 / cosh(x)**2: a square is missing."),
            },
        )


@exercise(
    1,
    "Check a derivative by central differences",
    idea="Look at f a step to the left and a step to the right of x. By how much does f rise, over which width?",
    formula="(f(x + h) - f(x - h)) / (2 * h)",
)
def central_difference(answer: Callable[..., Any]) -> None:
    """Grade ``central_difference(f, x, h)``: the slope of f at x from two values of f, with an error that falls as h**2.

    ``h`` is the width of a step; any h other than 0, also a negative one, is used as it is.

    >>> from tinyspad import check
    >>> check.central_difference(lambda f, x, h: (f(x + h) - f(x)) / h).misconception
    'forward difference'
    """
    for f, name, x, h in (
        (lambda x: x**3, "cube", 2.0, 0.1),
        (np.exp, "exp", 0.0, 0.5),
        (np.cos, "cos", 1.0, 0.5),
        (np.sin, "sin", -2.0, 0.3),
        (np.exp, "exp", 1.5, 0.001),
        (np.exp, "exp", 0.5, 1e-6),
        (lambda x: x**3, "cube", -1.0, 2.0),
    ):
        told = f"central_difference({name}, {x:g}, {h:g})"
        ahead, here, behind = f(x + h), f(x), f(x - h)
        asked: list[float] = []

        def counted(x: float, f: Callable[[float], float] = f, asked: list[float] = asked) -> float:
            asked.append(x)
            return f(x)

        got = call(answer, counted, x, h, told=told)
        if len(set(asked)) > 2:
            hint = "It asks f for more than two values. Which of them cancel?"
            raise Wrong(
                "more than two values", hint, f"In {told} f was asked at {', '.join(f'{a:g}' for a in asked[:5])}."
            )
        expect(
            got,
            (ahead - behind) / (2 * h),
            told,
            {
                "forward difference": (
                    (ahead - here) / h,
                    "That looks to one side, and is off by h/2 times the second derivative. Look to both sides of "
                    "x: the second derivative cancels.",
                ),
                "backward difference": ((here - behind) / h, "That looks to the left alone. Look to both sides of x."),
                "half the width": ((ahead - behind) / h, "The two points are 2 h apart, not h."),
                "half of it times h": (
                    (ahead - behind) / 2 * h,
                    "a / 2 * h is (a / 2) * h in Python. Put the 2 * h in brackets.",
                ),
                "another width": (
                    (f(x + 0.1) - f(x - 0.1)) / 0.2,
                    "The width is the argument h, whatever it is.",
                ),
                "a width of its own": (
                    (f(x + 1e-5) - f(x - 1e-5)) / 2e-5,
                    "That is nearer to the derivative, with a width of its own; here the width is the argument h, so "
                    "that one "
                    "can see how the error falls with it.",
                ),
                "loses the sign": (
                    abs(ahead - behind) / (2 * h),
                    "Where a function falls its slope is negative: no abs.",
                ),
                "no division": (ahead - behind, "A slope is a difference divided by the distance of the two points."),
                "wrong sign": ((behind - ahead) / (2 * h), "The value behind is taken off that ahead."),
            },
        )


@exercise(
    1,
    "Write the backward pass",
    idea="Start with 1 at the output, and go through the tape from its end. Who reads a variable has been met before "
    "it: so "
    "its adjoint is complete when you come to it.",
    formula="for result, arguments in reversed(tape): for name, partial in arguments: adjoint[name] = "
    "adjoint.get(name, 0) + "
    "partial * adjoint.get(result, 0).",
)
def backward(answer: Callable[..., Any]) -> None:
    """Grade ``backward(tape, output)``: the adjoint of every variable, by one pass over the tape from its end.

    ``tape``: a list of (result, [(argument, partial), ...]), in the order in which it was recorded. ``output``: the name of
    the variable whose adjoint is 1. Returns a dict by name; a variable that the output does not depend on may be left out.

    >>> from tinyspad import check
    >>> def overwrites(tape, output):
    ...     adjoint = {output: 1.0}
    ...     for result, arguments in reversed(tape):
    ...         for name, partial in arguments:
    ...             adjoint[name] = partial * adjoint[result]
    ...     return adjoint
    >>> print(check.backward(overwrites).misconception)
    missing accumulation
    """
    overwritten = (
        "A variable that is read twice gets an adjoint from each of its reads. The second one must be added to the "
        "first, "
        "not put in its place; and dict(arguments) keeps only one of two reads of one variable."
    )
    square = [("z", [("x", 3.0), ("x", 3.0)])]  # z = x * x at 3
    told = f'backward({square}, "z")'
    expect(
        call(answer, square, "z", told=told),
        {"z": 1.0, "x": 6.0},
        told,
        {
            "missing accumulation": ({"z": 1.0, "x": 3.0}, overwritten),
            "output left out": ({"x": 6.0}, "The output has an adjoint as well: 1. Return it with the others."),
            "no seed": ({"z": 0.0, "x": 0.0}, "All adjoints start at 0, but for the output's: dz/dz = 1."),
            "multiplies adjoints": ({"z": 1.0, "x": 9.0}, "Factors along a path are multiplied, paths are added."),
        },
        "z = x * x reads x twice; each read sends 3 * 1 to x.",
    )
    shared = [("a", [("x", 2.0)]), ("b", [("a", 3.0)]), ("z", [("a", 5.0), ("b", 7.0)])]
    told = f'backward({shared}, "z")'
    expect(
        call(answer, shared, "z", told=told),
        {"z": 1.0, "b": 7.0, "a": 26.0, "x": 52.0},
        told,
        {
            "missing accumulation": ({"z": 1.0, "b": 7.0, "a": 21.0, "x": 42.0}, overwritten),
            "walks forwards": (
                {"z": 1.0, "b": 7.0, "a": 5.0, "x": 0.0},
                "When a passes its adjoint on to x, it must have heard from b and z, which come later. Go through "
                "the tape from its end.",
            ),
            "one level": (
                {"z": 1.0, "b": 7.0, "a": 5.0},
                "That stops at what the output reads. Go on to the beginning.",
            ),
            "partials of partials": (
                {"z": 1.0, "b": 7.0, "a": 8.0, "x": 2.0},
                "Each partial is multiplied by the adjoint of the result, not added as it is.",
            ),
        },
        "a is read by b and by z: 3 * 7 + 5 * 1 arrive there.",
    )
    other = [("a", [("x", 2.0)]), ("b", [("a", 3.0)]), ("z", [("b", 7.0), ("a", 5.0)])]
    told = f'backward({other}, "z")'
    tells = {
        "goes on too early": (
            {"z": 1.0, "b": 7.0, "a": 26.0, "x": 10.0},
            "a is passed on to x after z has sent its share to a, and before b has. Keep to the order of the tape: "
            "b comes after a, so backwards it goes first.",
        ),
    }
    expect(call(answer, other, "z", told=told), {"z": 1.0, "b": 7.0, "a": 26.0, "x": 52.0}, told, tells)
    unread = [("u", [("x", 9.0)]), ("b", [("x", 3.0)]), ("z", [("b", 1.0)])]
    told = f'backward({unread}, "z")'
    got = _without_u(call(answer, unread, "z", told=told))
    tells = {
        "seeds every end": (
            {"z": 1.0, "b": 1.0, "u": 1.0, "x": 12.0},
            "u is read by nobody, but it is not the output: its adjoint is 0. Only the output has the adjoint 1.",
        ),
    }
    hint = "u is read by nobody, so nothing has been sent to it: its adjoint is 0."
    expect(got, {"z": 1.0, "b": 1.0, "x": 3.0}, told, tells, hint)
    behind = [("z", [("x", 3.0)]), ("u", [("z", 9.0)])]
    told = f'backward({behind}, "z")'
    got = _without_u(call(answer, behind, "z", told=told))
    tells = {
        "starts at the end of the tape": (
            {"u": 1.0, "z": 9.0, "x": 27.0},
            "The output is z here, not the last result on the tape: its adjoint is 1, and u, which reads it, has none.",
        ),
    }
    expect(got, {"z": 1.0, "x": 3.0}, told, tells, "What comes after the output does not count: nothing is sent to u.")
    for nothing, output in (([], "x"), ([("z", [("x", 3.0)])], "x")):
        told = f'backward({nothing}, "{output}")'
        got = plain(call(answer, nothing, output, told=told))
        got = {name: amount for name, amount in got.items() if amount != 0.0} if isinstance(got, dict) else got
        expect(got, {"x": 1.0}, told, {}, "The output's adjoint is 1, even if the output is a parameter.")
    for seed in range(12):
        tape, output = _random_tape(seed, 1 + seed // 2)
        told = f'backward({tape}, "{output}")'
        got, want = call(answer, tape, output, told=told), _adjoints(tape, output)
        got = plain(got)
        if isinstance(got, dict):  # what the output does not depend on may be there, with 0
            got = {name: amount for name, amount in got.items() if name in want or amount != 0.0}
            want = {name: amount for name, amount in want.items() if name in got or amount != 0.0}
        expect(got, want, told, {}, "Add what every read sends: partial times the adjoint of the result that reads.")
    told = 'backward(tape, "v20000") on a chain of 20 000 operations'
    long = [(f"v{i + 1}", [(f"v{i}", 1.0)]) for i in range(20_000)]
    expect(_first(call(answer, long, "v20000", told=told), told), 1.0, told + ', at "v0",')
    told = 'backward(tape, "v60") on 60 doublings'
    doubled = [(f"v{i + 1}", [(f"v{i}", 1.0), (f"v{i}", 1.0)]) for i in range(60)]
    expect(_first(call(answer, doubled, "v60", told=told, paths="2**60"), told), 2.0**60, told + ', at "v0",')


def _random_tape(seed: int, length: int) -> tuple[Any, str]:
    """A tape, and one of its last results: variables read twice by one operation, partials of all signs and 0."""
    rng = np.random.default_rng(seed)
    known, tape = ["y", "x"], []
    for i in range(length):
        read = [str(rng.choice(known)) for _ in range(int(rng.integers(1, 4)))]
        tape.append((f"v{i}", [(name, float(rng.choice([-2.0, -1.0, 0.0, 0.5, 3.0]))) for name in read]))
        known.append(f"v{i}")
    return tape, f"v{max(length - 1 - seed % 2, 0)}"


def _adjoints(tape: Any, output: str) -> dict[str, float]:
    """By the definition, forwards: how much the output moves with each variable, one variable after the other."""
    names = {name for _, arguments in tape for name, _ in arguments} | {result for result, _ in tape}
    found = {}
    for moved in names:
        tangent = {moved: 1.0}
        for result, arguments in tape:
            if result != moved:
                tangent[result] = sum(partial * tangent.get(name, 0.0) for name, partial in arguments)
        found[moved] = tangent.get(output, 0.0)
    return found


def _without_u(adjoints: Any) -> Any:
    """Without the adjoint of u where it is 0: an answer may leave it out."""
    adjoints = plain(adjoints)
    if isinstance(adjoints, dict) and adjoints.get("u") == 0.0:
        return {name: amount for name, amount in adjoints.items() if name != "u"}
    return adjoints


def _first(adjoints: Any, told: str) -> Any:
    adjoints = plain(adjoints)
    if isinstance(adjoints, dict) and "v0" in adjoints:
        return adjoints["v0"]
    raise Wrong("stops early", "It does not get to the beginning of the tape.", f'{told} has no adjoint of "v0".')


def _told(x: Any) -> str:
    return f"{x:.6g}" if np.ndim(x) == 0 else np.array2string(x, precision=3, separator=", ")
