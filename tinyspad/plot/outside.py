"""Text from outside, such as the names of functions, parameters, rules and estimators: drawn letter by letter.

To matplotlib a ``$`` starts a formula, which may not parse; a label that starts with ``_`` stays out of the legend; and a
letter that no font has, such as a line feed, is a warning. All text that this package did not write goes through here.
"""

from __future__ import annotations

import unicodedata

from ..arguments import briefly
from ..paths import Path

MOST = 50
"""The most letters that are drawn of a name: a longer one would leave no room for the drawing."""

UPRIGHT = 34
"""The most beside an upright axis."""

FEW = 24
"""The most where there is little room: beside other text, or above one of several panels."""


def verbatim(text: object, most: int = MOST) -> str:
    r"""A text in one line, without control characters, shortened in its middle, for matplotlib to draw as it is.

    >>> verbatim("a\nb"), verbatim("$x$"), verbatim("x" * 99, 9)
    ('a b', '\\$x\\$', 'xxxx…xxxx')
    """
    letters = [_printable(letter) for letter in str(text)]
    if len(letters) > most:
        kept = most - 1
        letters = [*letters[: kept - kept // 2], "…", *letters[len(letters) - kept // 2 :]]
    return "".join(letters).replace("$", r"\$")


def legend_label(text: object, most: int = MOST) -> str:
    """The same for a line or a marker: a blank before an underscore keeps it in the legend.

    >>> legend_label("_x"), legend_label("x")
    (' _x', 'x')
    """
    found = verbatim(text, most)
    return f" {found}" if found.startswith("_") else found


def path_name(path: Path, rank: int) -> str:
    """A path by its number, and by its variables where they fit; by its ``rank`` where the number is too long to be read.

    >>> import tinyspad as ts
    >>> path_name(ts.trace(lambda x: x * x, 3.0).nth_path("x", 1), 1)
    'path 1: x -> x2 -> z'
    """
    through = str(path)
    name = f"path {briefly(path.index)}" if path.index < 10**15 else f"no. {rank} by size"
    return verbatim(f"{name}: {through}" if len(through) <= 40 else name, 70)


def _printable(letter: str) -> str:
    if letter.isspace():
        return " "
    return "?" if unicodedata.category(letter) in ("Cc", "Cs") else letter
