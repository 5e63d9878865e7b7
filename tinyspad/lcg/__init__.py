"""The linearized computational graph in single-access form: building it, asking it, printing it."""

from ..linearization import Ledger, Node
from ..paths import Path, PathArray
from .array_walks import ArrayWalks
from .collapse import Link, Part, collapsed
from .comparison import Comparison
from .derivatives import Jacobian
from .elements import Elements
from .folds import folding_of, folds_of, folds_of_arrays
from .graph import LCG
from .nonfinite import NonFinite
from .numbers import Numbers
from .replayed import Recording, alike, is_trace, recorded_twice
from .spelled import of_numbers
from .steps import Pending, ReverseStep, waiting
from .trace import jacobian, trace, trace_as
from .vectorized import vectorized

__all__ = [
    "LCG",
    "ArrayWalks",
    "Comparison",
    "Elements",
    "Jacobian",
    "Ledger",
    "Link",
    "Node",
    "NonFinite",
    "Numbers",
    "Part",
    "Path",
    "PathArray",
    "Pending",
    "Recording",
    "ReverseStep",
    "alike",
    "collapsed",
    "folding_of",
    "folds_of",
    "folds_of_arrays",
    "is_trace",
    "jacobian",
    "of_numbers",
    "recorded_twice",
    "trace",
    "trace_as",
    "vectorized",
    "waiting",
]
