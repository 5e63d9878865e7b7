"""NumPy itself: tinyspad needs no other. Only ``array`` of a list of Values is what tinyspad says to write."""

import numpy
from numpy import *  # noqa: F403
from numpy import fft, linalg

from tinyspad import Value

__all__ = ["array", "fft", "linalg"]


def array(a, *args, **options):
    return numpy.array(a, *args, **options) if not _values(a) else _stacked(a)


def _values(a):
    return isinstance(a, Value) or (isinstance(a, (list, tuple)) and any(map(_values, a)))


def _stacked(a):
    return numpy.stack([_stacked(x) for x in a]) if isinstance(a, (list, tuple)) else a
