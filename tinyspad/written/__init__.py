"""NumPy's functions that are written in others, which have rules: a line for each, in modules by subject."""

from . import (  # noqa: F401  (the table's entries)
    aliases,
    arranged,
    averages,
    branches,
    differences,
    fourier,
    matrices,
    polynomials,
    products,
    sets,
)
from .complex import Complex
from .exponentials import logsumexp, softmax
from .table import WRITTEN
from .ufuncs import PARTS, method_of, part_of

__all__ = ["PARTS", "WRITTEN", "Complex", "logsumexp", "method_of", "part_of", "softmax"]
