"""What a claim of the paper is here: what it says, how it is measured, and what the numbers must show for the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..table import Interval, Table

HOLDS = "holds"
CONDITIONS = "holds under stated conditions"
FAILS = "does not hold"
UNTESTED = "could not be tested here"
BEYOND = "beyond the paper"

Numbers = dict[str, Any]
"""What was measured: numbers, texts, lists and dicts of them, as JSON has them."""


class Setting(NamedTuple):
    """At which size claims are measured, in how many processes, and where the results of long training runs are."""

    small: bool = False
    workers: int | None = None
    folder: Path = Path("figures") / "data"


@dataclass(frozen=True)
class Claim:
    """One claim. ``key``: its name on the command line. ``where``: its place in the paper. ``says``: what it says.

    ``verdict``: one of the five words above; ``because``: the reason in a few words, from the numbers. ``measure(setting)``
    gives the numbers, at the size of the report, or a reduced one. ``supports(numbers)``: whether they bear the verdict out.
    ``told(numbers)``: the section of the report. ``of``: the claim whose numbers these are, if they are not its own.
    """

    key: str
    where: str
    says: str
    verdict: str
    because: Callable[[Numbers], str]
    measure: Callable[[Setting], Numbers]
    supports: Callable[[Numbers], bool]
    told: Callable[[Numbers], str]
    of: str = ""


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table in Markdown."""
    return Table(head, rows).markdown()


def interval(triple: Sequence[float | None]) -> str:
    """A median with its 95 % interval; None is infinite."""
    return f"{Interval(*(float('inf') if x is None else x for x in triple)):.4g}"


def tiny(x: float) -> str:
    """A difference in one digit."""
    return f"{x:.0e}" if x else "0"
