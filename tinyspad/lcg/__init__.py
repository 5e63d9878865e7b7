"""The linearized computational graph in single-access form: building it, asking it, printing it."""

from .comparison import Comparison
from .derivatives import Jacobian
from .graph import LCG, Node
from .nonfinite import NonFinite
from .path import Path, PathArray
from .trace import jacobian, parameter_names, trace, trace_as

__all__ = [
    "LCG",
    "Comparison",
    "Jacobian",
    "Node",
    "NonFinite",
    "Path",
    "PathArray",
    "jacobian",
    "parameter_names",
    "trace",
    "trace_as",
]
