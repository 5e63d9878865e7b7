"""The page's engine, in JavaScript: a formula's program, its derivatives and paths, and the estimators, without Python."""

from __future__ import annotations

from pathlib import Path

__all__ = ["PARTS", "engine_text"]

PARTS = ("numbers.js", "operations.js", "language.js", "formula.js", "graph.js", "point.js", "given.js", "runner.js")
"""The engine's files, in the order in which they are read: the first defines ``TinySpad``, the others add to it."""


def engine_text() -> str:
    """The engine as one script, which defines the global ``TinySpad`` and nothing else.

    >>> engine_text().count("const TinySpad =")
    1
    """
    folder = Path(__file__).parent
    return "\n".join((folder / part).read_text(encoding="utf-8") for part in PARTS)
