"""Generated programs: a function as readable NumPy source for its value, its gradient, and each of its paths."""

from .buffers import Buffers
from .compiling import compile_as, compile_function, with_half_angles
from .loop import ALL, BEST, GIVEN, MOVES, Loop, loop_of
from .program import Program

compile = compile_function  # the public name; inside the package it would hide Python's own

__all__ = [
    "ALL",
    "BEST",
    "GIVEN",
    "MOVES",
    "Buffers",
    "Loop",
    "Program",
    "compile",
    "compile_as",
    "compile_function",
    "loop_of",
    "with_half_angles",
]
