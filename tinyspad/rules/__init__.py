"""The rule table: one line per NumPy function, giving its local partial derivatives and its test domain."""

from . import (  # noqa: F401  (the tables)
    decompositions,
    elementwise,
    linalg,
    products,
    reductions,
    shapes,
)
from .choices import Choices, Mask, Masked, both, either, guarded, leaves_out, taken
from .decompositions import (
    eigenvalues,
    eigenvectors,
    left_vectors,
    log_abs_det,
    orthogonal_factor,
    right_vectors,
    singular_values,
    triangular_factor,
)
from .elementwise import TRUTH, cast, nonzero, positive, reals, relu
from .fourier import Pair, fourier
from .products import LETTERS
from .reads import (
    MOVES,
    Operand,
    Product,
    Reads,
    kind_of,
    letters_of,
    lifted,
    moved,
    number_of_reads,
    places_of,
    reads_of,
)
from .reductions import restore
from .rows import Rows
from .shapes import picked
from .table import PLAIN, RULES, Domain, LinearMap, Rule, asking, is_data, rule, unbroadcast

__all__ = [
    "LETTERS",
    "MOVES",
    "PLAIN",
    "RULES",
    "TRUTH",
    "Choices",
    "Domain",
    "LinearMap",
    "Mask",
    "Masked",
    "Operand",
    "Pair",
    "Product",
    "Reads",
    "Rows",
    "Rule",
    "asking",
    "both",
    "cast",
    "eigenvalues",
    "eigenvectors",
    "either",
    "fourier",
    "guarded",
    "is_data",
    "kind_of",
    "leaves_out",
    "left_vectors",
    "letters_of",
    "lifted",
    "log_abs_det",
    "moved",
    "nonzero",
    "number_of_reads",
    "orthogonal_factor",
    "picked",
    "places_of",
    "positive",
    "reads_of",
    "reals",
    "relu",
    "restore",
    "right_vectors",
    "rule",
    "singular_values",
    "taken",
    "triangular_factor",
    "unbroadcast",
]
