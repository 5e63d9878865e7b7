"""Paths at a point: one class that answers every question about them, whoever computes there."""

from .beside import difference_beside, noise_beside, wobble
from .choices import guarded_edge, guarded_onward, guarded_weights, not_finite
from .code import Code, Node, Unchanging, in_form_of
from .ledger import LISTED, Ledger, Others, Shown, percent
from .linearization import Linearization
from .linearized import Linearized

__all__ = [
    "LISTED",
    "Code",
    "Ledger",
    "Linearization",
    "Linearized",
    "Node",
    "Others",
    "Shown",
    "Unchanging",
    "difference_beside",
    "guarded_edge",
    "guarded_onward",
    "guarded_weights",
    "in_form_of",
    "noise_beside",
    "not_finite",
    "percent",
    "wobble",
]
