"""compile(): record a function once on formulas, and make a program of it."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arguments import integer, parameter_count, parameter_names
from ..errors import NotCompilable, said
from ..lcg import LCG, of_numbers
from ..tape import Value, give, run_on
from .program import Program
from .symbol import ANGLES, OF_NUMBERS, Book, Symbol


def compile_function(f: Callable[..., Any], number: Any = None) -> Program:
    """Record f once on formulas and return its program, NumPy source for value, gradient and paths.

    ``f``: a plain NumPy function, elementwise: of numbers, or of arrays of runs. ``number``: how many parameters it takes,
    where its signature leaves it open (``*args``); or, of a function of small arrays, an array like its argument, or a
    tuple of them: then the program is one of their numbers (``of_numbers``). Captured Values become constants, and so does
    whatever else f refers to: a program is a snapshot. Raises NotCompilable where f branches on values, or uses arrays or
    functions that are not elementwise; ``trace`` takes those. Cost: O(operations) once.

    >>> import tinyspad as ts
    >>> program = ts.compile(lambda x, y: np.exp(x) * (x + y))
    >>> print(program.source("forward"))
    def forward(x, y):
        a = np.exp(x)
        b = x + y
        z = a * b
        return z
    >>> ts.compile(lambda w: np.sum(w * w), np.zeros(2)).gradient(1.0, 3.0)
    {'w0': 2.0, 'w1': 6.0}
    """
    if isinstance(number, (tuple, list, np.ndarray)):
        f = of_numbers(f, *(number if isinstance(number, tuple) else (number,)))
        number = None
    if number is None:
        number = parameter_count(f, "compile", "say how many, compile(f, 2)")
    number = integer(number, "compile: number=, how many parameters f takes,", least=0)
    return compile_as(parameter_names(f, number), f)


def compile_as(names: Sequence[str], f: Callable[..., Any], data: Sequence[str] = ()) -> Program:
    """:func:`compile_function` with the names of all arguments given; the last of them may be ``data``, not parameters."""
    if {"np", "math"} & set(names):
        raise NotCompilable(
            'A parameter named "np" or "math" would hide the module that generated code uses: rename it.'
        )
    book = Book()
    inputs, written = {}, _identifiers([*names, *data])
    for name, identifier in zip((*names, *data), written):
        value = Value(0.0, name=name)
        give(value, book.input(identifier))
        inputs[name] = value
    params = {name: inputs[name] for name in names}
    name = getattr(f, "__name__", type(f).__name__)
    book.recording = True
    try:
        output = run_on(f, inputs.values())
    except NotCompilable:
        raise
    except Exception as problem:  # on numbers it might not have
        raise NotCompilable(f"{name} cannot be compiled: recorded on formulas it raised {said(problem)}").at(
            problem
        ) from None
    finally:
        book.recording = False
    if book.refused:
        raise book.refused
    inner = output._data if isinstance(output, Value) else output
    truth = isinstance(inner, (bool, np.bool_)) or (isinstance(inner, Symbol) and inner.boolean)
    if truth or not isinstance(inner, (Symbol, int, float, np.floating, np.integer)):
        raise NotCompilable(f"A program returns one number for each run, which {name} does not.")
    lcg = LCG(output if isinstance(output, Value) else inner if isinstance(inner, Symbol) else float(inner), params, f)
    if not lcg.elementwise:
        raise NotCompilable(f"Programs are made of elementwise functions. {OF_NUMBERS}")
    return Program(lcg, book, name, tuple(written))


def with_half_angles(program: Program) -> Program:
    """The same, which on buffers computes sines and cosines by the tangent of half the angle; itself, if there are none."""
    if not any(symbol.function in ANGLES for symbol in program._book.symbols):
        return program
    found = copy.copy(program)
    found.half_angles = True
    found._forget_code()
    return found


def _identifiers(names: Sequence[str]) -> list[str]:
    """The names as code has them: "p['w']", of a container of parameters, as p_w."""
    found: list[str] = []
    for name in names:
        plain = name if name.isidentifier() else re.sub(r"\W+", "_", name).strip("_")
        while plain in found or (plain != name and plain in names):
            plain += "_"
        found.append(plain)
    return found
