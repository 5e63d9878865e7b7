"""Exercises of tutorial 02: single access and tupling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import said
from ..lcg import trace
from .answer import call
from .verdict import STUB, WRITE_IT, Wrong, exercise, expect


@exercise(
    2,
    "Accumulate at a tupling node",
    idea="Go through the arrivals once, with one sum for each variable. What is the sum before anything has arrived?",
    formula="adjoint[name] = adjoint[name] + amount if name in adjoint else amount (equation 7: df/dx is the sum of "
    "all "
    "df/dx_i). adjoint[name] += amount would change the caller's array.",
)
def accumulate(answer: Callable[..., Any]) -> None:
    """Grade ``accumulate(arrivals)``: the adjoint of every variable, given what its branches send, in any order.

    ``arrivals``: a list of (variable, amount); amounts are numbers, or arrays of one shape. Returns a dict by variable. The
    amounts stay as they are.

    >>> from tinyspad import check
    >>> check.accumulate(lambda arrivals: dict(arrivals)).misconception
    'missing accumulation'
    """
    arrivals: list[Any] = [("x", 24.0), ("y", 3.0), ("x", -91.0)]
    told = f"accumulate({arrivals})"
    expect(
        call(answer, arrivals, told=told),
        {"x": -67.0, "y": 3.0},
        told,
        {
            "missing accumulation": (
                {"x": -91.0, "y": 3.0},
                "Only what came last to x is left. A tupling node adds what its branches send (equation 7).",
            ),
            "keeps the first": (
                {"x": 24.0, "y": 3.0},
                "Only what came first to x is left. The second branch counts as well.",
            ),
            "averages": (
                {"x": -33.5, "y": 3.0},
                "The branches' adjoints are added, not averaged: each has the factor 1.",
            ),
            "counts all as one": (-64.0, "Every variable has a sum of its own: return a dict by name."),
        },
    )
    one = np.array([1.0, 2.0])
    arrays = [("x", one), ("x", np.array([10.0, 20.0])), ("y", one)]
    told = "accumulate([('x', a), ('x', b), ('y', a)]) with arrays a and b"
    expect(call(answer, arrays, told=told), {"x": np.array([11.0, 22.0]), "y": one.copy()}, told)
    expect(call(answer, [], told="accumulate([])"), {}, "accumulate([])")
    rng = np.random.default_rng(2)
    cancelled = [("x", 2.0), ("y", 0.0), ("x", -2.0)]
    hint = "What adds up to 0 is an adjoint, too: x and y have arrived."
    told = f"accumulate({cancelled})"
    expect(call(answer, cancelled, told=told), {"x": 0.0, "y": 0.0}, told, {"drops zeros": ({}, hint)}, hint)
    twice: list[Any] = [("x", 3.0), ("x", 3.0), ("x1", 1), ("x1", 0.5)]
    told = f"accumulate({twice})"
    tells = {
        "equal ones count once": (
            {"x": 3.0, "x1": 1.5},
            "x*x sends the same amount twice, and both count: a set or a dict of the arrivals forgets one.",
        ),
    }
    expect(call(answer, twice, told=told), {"x": 6.0, "x1": 1.5}, told, tells)
    for size in (1, 2, 3, 5, 8):
        some = [(str(rng.choice(["x", "y", "a", "a1"])), float(rng.integers(-4, 5))) for _ in range(size)]
        told = f"accumulate({some})"
        want = {name: sum(amount for n, amount in some if n == name) for name, _ in some}
        expect(call(answer, some, told=told), want, told, {}, "Every variable has the sum of all that was sent to it.")


@exercise(
    2,
    "Which variables need a tupling node?",
    idea="Count how often each name stands among the arguments, of all statements together.",
    formula="reads[name] = reads.get(name, 0) + 1 for every name of every argument list; then keep those with more "
    "than 1.",
)
def branches(answer: Callable[..., Any]) -> None:
    """Grade ``branches(program)``: for every variable that is read more than once, how many branches it needs.

    ``program``: a list of (result, operation, [arguments]), every result defined once. Returns a dict by name, without the
    variables that are read once.

    >>> from tinyspad import check
    >>> check.branches(lambda program: {}).hint
    'x is read twice there. In single-access form it needs two branches.'
    """
    square = [("z", "*", ["x", "x"])]
    told = f"branches({square})"
    expect(
        call(answer, square, told=told),
        {"x": 2},
        told,
        {
            "nothing tupled": ({}, "x is read twice there. In single-access form it needs two branches."),
            "counts statements": (
                {"x": 1},
                "x is read twice there, in one statement: two branches, for the original is read by the tupling alone.",
            ),
        },
    )
    f2 = [("a", "exp", ["x"]), ("b", "+", ["x", "y"]), ("z", "*", ["a", "b"])]
    told = f"branches({f2})"
    expect(
        call(answer, f2, told=told),
        {"x": 2},
        told,
        {
            "tuples what is read once": (
                {"x": 2, "y": 1, "a": 1, "b": 1},
                "A variable that is read once needs no copy. Leave it out.",
            ),
        },
    )
    inner = [("a", "sin", ["x"]), ("b", "*", ["a", "a"]), ("c", "+", ["b", "a"]), ("z", "*", ["c", "b"])]
    told = f"branches({inner})"
    expect(
        call(answer, inner, told=told),
        {"a": 3, "b": 2},
        told,
        {
            "tuples parameters alone": (
                {},
                "Intermediate variables are tupled just like parameters: a is read three times.",
            ),
            "counts statements": ({"a": 2, "b": 2}, "b = a * a is one statement, but it reads a twice: count reads."),
        },
    )
    long = [("z", "sum", ["x1"] * 12 + ["x", "x11"])]
    told = f"branches({long})"
    hint = "Compare whole names: x, x1 and x11 are three variables. And count to the end."
    expect(call(answer, long, told=told), {"x1": 12}, told, {}, hint)
    rng = np.random.default_rng(3)
    for size in (1, 2, 3, 4, 6):
        known, program = ["x", "x1"], []
        for i in range(size):
            arguments = [str(rng.choice(known)) for _ in range(int(rng.integers(1, 4)))]
            program.append((f"v{i}", "f", arguments))
            known.append(f"v{i}")
        reads = [name for _, _, arguments in program for name in arguments]
        want = {name: reads.count(name) for name in reads if reads.count(name) > 1}
        told = f"branches({program})"
        expect(
            call(answer, program, told=told), want, told, {}, "Count every read of every variable, in every statement."
        )


@exercise(
    2,
    "One function, three paths",
    idea="Every read of x begins a path. Which three factors have the product x**4, if one of them may be a power?",
    formula="x**2 * x * x reads x three times; each result is read once.",
)
def three_paths(f: Callable[..., Any]) -> None:
    """Grade ``three_paths(x)``: write x**4 so that x has exactly three paths to the result.

    The decomposition belongs to the program, not to the function.

    >>> from tinyspad import check
    >>> check.three_paths(lambda x: x**4).hint
    'x**4 reads x once, so there is one path. Read x more often: which products give x**4?'
    """
    at = (2.0, -1.5, 0.25)
    for x in at:
        got = call(f, x, told=f"three_paths({x:g})")
        told = f"three_paths({x:g})"
        expect(got, x**4, told, {}, "That is another function: x**4 was asked for.")
    counts = []
    for x in at:
        try:
            graph = trace(f, x)
            counts.append(graph.count_paths())
        except NotImplementedError:
            raise Wrong(STUB, WRITE_IT) from None
        except Exception as problem:
            hint = f"tinyspad cannot record it ({said(problem)}). Write it in + - * / and **."
            raise Wrong("cannot be traced", hint, "It is traced to count its paths.") from None
        slope = (
            float(np.sum(graph.gradient()["x"]))
            if graph.params == ("x",)
            else float(next(iter(graph.gradient().values())))
        )
        if not np.isclose(slope, 4 * x**3):
            hint = (
                "The value is x**4, but the gradient of what was recorded is not 4 x**3: a factor hides its "
                "dependence on x "
                "(a float(...), a .data, a number that was computed elsewhere). Paths count only what is recorded."
            )
            raise Wrong(
                "hides a part of x", hint, f"At x = {x:g} the gradient is {slope:.6g}; 4 x**3 is {4 * x**3:.6g}."
            )
    number = counts[0]
    if len(set(counts)) > 1:
        raise Wrong(
            "another program at each point", "The number of paths depends on x. Leave out the if.", f"It is {counts}."
        )
    example = f"It has {number} path{'s' * (number != 1)}."
    if number == 1:
        hint = "x**4 reads x once, so there is one path. Read x more often: which products give x**4?"
        raise Wrong("one read", hint, example)
    if number == 2:
        hint = (
            "Two paths: x is read twice, as in (x**2) * (x**2), x**3 * x, or b = x**2 and b * b. Write one power "
            "less, and "
            "one factor more."
        )
        raise Wrong("two reads", hint, example)
    if number == 4:
        hint = (
            "Four paths: x * x * x * x reads x four times; so do a = x * x and a * a, where two choices follow two. "
            "A square as a power reads once."
        )
        raise Wrong("four reads", hint, example)
    if number != 3:
        hint = "Count the reads of x, and where a result is read again, multiply."
        raise Wrong("another number of paths", hint, example)
    expect(
        call(f, 0.0, told="three_paths(0)"),
        0.0,
        "three_paths(0)",
        {},
        "x**4 is 0 at 0, too: do without a division by x.",
    )
