"""The rule table: one line per NumPy function, giving its local partial derivatives and its test domain."""

from . import elementwise, linalg, products, reductions, shapes  # noqa: F401  (importing them fills the table)
from .choices import Choices, Chosen, Mask, both, either, guarded, leaves_out, taken
from .elementwise import TRUTH, relu
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
from .table import PLAIN, RULES, Domain, LinearMap, Rule, rule, unbroadcast

__all__ = [
    "LETTERS",
    "MOVES",
    "PLAIN",
    "RULES",
    "TRUTH",
    "Choices",
    "Chosen",
    "Domain",
    "LinearMap",
    "Mask",
    "Operand",
    "Product",
    "Reads",
    "Rows",
    "Rule",
    "both",
    "either",
    "guarded",
    "kind_of",
    "leaves_out",
    "letters_of",
    "lifted",
    "moved",
    "number_of_reads",
    "places_of",
    "reads_of",
    "relu",
    "restore",
    "rule",
    "taken",
    "unbroadcast",
]
