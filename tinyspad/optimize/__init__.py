"""Minimising: the loop, what it minimises (f as it is, or a mean over observations), and what a run leaves behind."""

from .contracts import Graph, Objective
from .history import History
from .observations import Losses
from .result import INTERRUPTED, Result, Results
from .start import compare, minimize

__all__ = [
    "INTERRUPTED",
    "Graph",
    "History",
    "Losses",
    "Objective",
    "Result",
    "Results",
    "compare",
    "minimize",
]
