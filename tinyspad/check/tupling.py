"""Exercises of tutorial 02: single access and tupling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import said
from ..lcg import trace
from .verdict import STUB, WRITE_IT, Wrong, call, exercise, expect


@exercise(2, "Accumulate at a tupling node")
def accumulate(answer: Callable[..., Any]) -> None:
    """Grade ``accumulate(arrivals)``: the adjoint of every variable, given what its branches send, in any order.

    ``arrivals``: a list of (variable, amount); amounts are numbers, or arrays of one shape. Returns a dict: equation (7),
    df/dx = sum over the branches of df/dx_i. The amounts stay as they are.

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


@exercise(2, "Which variables need a tupling node?")
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


@exercise(2, "One function, three paths")
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
            counts.append(trace(f, x).count_paths())
        except NotImplementedError:
            raise Wrong(STUB, WRITE_IT) from None
        except Exception as problem:
            hint = f"tinyspad cannot record it ({said(problem)}). Write it in + - * / and **."
            raise Wrong("cannot be traced", hint, "It is traced to count its paths.") from None
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
            "Two paths. (x**2) * (x**2), or b = x**2 and b * b, read twice what was read once. Which factors read "
            "three times?"
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
