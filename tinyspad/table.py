"""Rows and columns: a table as text, in Markdown, as comma-separated values, and in HTML."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

from .errors import BadInput


class Interval(NamedTuple):
    """A number with the ends of an interval around it; a format is that of all three.

    >>> f"{Interval(5.1, 4.04, 6.2):.1f}"
    '5.1 (4.0-6.2)'
    """

    value: float
    low: float
    high: float

    def __format__(self, form: str) -> str:
        return f"{self.value:{form}} ({self.low:{form}}-{self.high:{form}})"


@dataclass(frozen=True)
class Table:
    """Rows of cells under the names of their columns; ``print`` it.

    A cell is a text, a number, an ``Interval``, or None for nothing. ``forms``: the formats of the columns from the first
    on, for all cells but texts ("" is ``str``, and so are those that are missing). ``left``: so many columns are aligned
    left; the others right, intervals by their numbers. Raises BadInput for a row of another length.

    >>> table = Table(("estimator", "rate", "runs"), [("GD", Interval(12.5, 7.24, 20.8), 20)], forms=("", ".1f"))
    >>> print(table)
    estimator             rate  runs
    GD         12.5 (7.2-20.8)    20
    >>> print(table.csv(seed=0), end="")
    estimator,rate,rate_low,rate_high,runs,seed
    GD,12.5,7.24,20.8,20,0
    """

    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]
    forms: Sequence[str] = ()
    left: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(map(tuple, self.rows)))
        for row in self.rows:
            if len(row) != len(self.columns):
                raise BadInput(
                    f"Table: there are {len(self.columns)} columns, and a row of {len(row)} cells: {row!r:.60}."
                )

    def __str__(self) -> str:
        aligned = []
        for i, (head, *cells) in enumerate(zip(*self._texts())):
            pad = str.ljust if i < self.left else str.rjust
            before = [0 if i < self.left else len(cell.partition(" (")[0]) for cell in cells]
            most = max(before, default=0)
            lines = [" " * (most - n) + cell for n, cell in zip(before, cells)]
            body = max(map(len, lines), default=0)
            width = max(body, len(head))
            aligned.append([pad(line, width) for line in (head, *(line.ljust(body) for line in lines))])
        return "\n".join("  ".join(line).rstrip() for line in zip(*aligned))

    def markdown(self) -> str:
        """A table of GitHub's Markdown; a bar in a cell is escaped."""
        head, *lines = ["| " + " | ".join(c.strip().replace("|", "\\|") for c in row) + " |" for row in self._texts()]
        return "\n".join([head, "|---" * len(self.columns) + "|", *lines])

    def csv(self, **constant: Any) -> str:
        """Comma-separated values, numbers with all their digits; ``constant`` columns come last, the same in every row.

        A column of intervals becomes three: name, name_low, name_high.
        """
        ends = [
            ("", "_low", "_high") if any(isinstance(row[i], Interval) for row in self.rows) else ("",)
            for i in range(len(self.columns))
        ]
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*(name + end for name, own in zip(self.columns, ends) for end in own), *constant])
        for row in self.rows:
            spread = [x if isinstance(x, Interval) else (x, *[None] * (len(own) - 1)) for x, own in zip(row, ends)]
            writer.writerow([*(x for cell in spread for x in cell), *constant.values()])
        return stream.getvalue()

    def html(self) -> str:
        """A ``<table>``, escaped; colours and fonts are those of the page, light or dark."""
        lines = []
        for k, row in enumerate(self._texts()):
            tag = "td" if k else "th"
            sides = ["left" if i < self.left else "right" for i in range(len(row))]
            cells = (
                f'<{tag} style="text-align: {side}; padding: 0.2em 0.6em">{escape(x)}</{tag}>'
                for side, x in zip(sides, row)
            )
            lines.append(f"<tr>{''.join(cells)}</tr>")
        return "\n".join(["<table>", *lines, "</table>"])

    def _texts(self) -> list[list[str]]:
        """The names and all cells, as text of one line."""
        forms = [*self.forms, *[""] * len(self.columns)]
        found = []
        for row in (self.columns, *self.rows):
            cells = ("" if x is None else x if isinstance(x, str) else format(x, form) for x, form in zip(row, forms))
            found.append([" ".join(cell.splitlines()) for cell in cells])
        return found
