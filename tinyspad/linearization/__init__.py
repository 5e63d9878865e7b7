"""Paths at a point: one class that answers every question about them, whoever computes there."""

from .linearization import Linearization
from .point import Code

__all__ = ["Code", "Linearization"]
