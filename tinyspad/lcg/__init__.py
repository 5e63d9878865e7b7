"""The linearized computational graph in single-access form: building it, asking it, printing it."""

from .build import LCG, Node, Path, trace

__all__ = ["LCG", "Node", "Path", "trace"]
