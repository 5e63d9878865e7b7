"""The rule table: one line per NumPy function, giving its local partial derivatives and its test domain."""

from . import aliases, arranged, averages, elementwise, linalg, products, reductions, shapes  # noqa: F401  (the tables)
from .averages import PARTS, logsumexp, part_of, softmax
from .choices import Choices, Mask, Masked, both, either, guarded, leaves_out, taken
from .elementwise import TRUTH, cast, relu
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
from .special import special_rule
from .table import PLAIN, RULES, Domain, LinearMap, Rule, is_data, rule, unbroadcast
from .written import WRITTEN

__all__ = [
    "LETTERS",
    "MOVES",
    "PARTS",
    "PLAIN",
    "RULES",
    "TRUTH",
    "WRITTEN",
    "Choices",
    "Domain",
    "LinearMap",
    "Mask",
    "Masked",
    "Operand",
    "Product",
    "Reads",
    "Rows",
    "Rule",
    "both",
    "cast",
    "either",
    "guarded",
    "is_data",
    "kind_of",
    "leaves_out",
    "letters_of",
    "lifted",
    "logsumexp",
    "moved",
    "number_of_reads",
    "part_of",
    "places_of",
    "reads_of",
    "relu",
    "restore",
    "rule",
    "softmax",
    "special_rule",
    "taken",
    "unbroadcast",
]
