"""Generated programs: a function as readable NumPy source for its value, its gradient, and each of its paths."""

from .buffers import Buffers
from .compiling import compile_as, compile_function
from .program import Program

compile = compile_function  # the public name; inside the package it would hide Python's own

__all__ = ["Buffers", "Program", "compile", "compile_as", "compile_function"]
