"""Paths at a point: one class that answers every question about them, whoever computes there."""

from .linearization import Linearization
from .linearized import Linearized
from .point import Code

__all__ = ["Code", "Linearization", "Linearized"]
