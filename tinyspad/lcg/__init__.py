"""The linearized computational graph in single-access form: building it, asking it, printing it."""

from .graph import LCG, Node, Path
from .trace import parameter_names, trace, trace_as

__all__ = ["LCG", "Node", "Path", "parameter_names", "trace", "trace_as"]
