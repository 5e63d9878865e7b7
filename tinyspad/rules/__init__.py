"""The rule table: one line per NumPy function, giving its local partial derivatives and its test domain."""

from . import elementwise, linalg, products, reductions, shapes  # noqa: F401  (importing them fills the table)
from .elementwise import TRUTH, relu
from .rows import Rows
from .table import PLAIN, RULES, Domain, LinearMap, Rule, rule

__all__ = ["PLAIN", "RULES", "TRUTH", "Domain", "LinearMap", "Rows", "Rule", "relu", "rule"]
