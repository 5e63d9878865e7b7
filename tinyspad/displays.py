"""What a result shows of itself: a line of less than 300 characters, and HTML in the colours of its page, light or dark."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any, NamedTuple, Protocol

import numpy as np

from .arguments import spaced

LONGEST = 300
"""A line that something shows of itself is shorter than this."""

NAME = 24
"""Of a name in such a line so many letters are shown."""


WIDTH = 160
"""Of a line of code so many letters are shown."""


def line(text: str) -> str:
    """What ``__repr__`` gives: a text in angle brackets, on one line, of which the middle goes if it is too long.

    >>> line("LCG of 5 nodes"), len(line("long " * 1000))
    ('<LCG of 5 nodes>', 299)
    """
    return f"<{cut(' '.join(text.split()), LONGEST - 3)}>"


def cut(text: str, letters: int = NAME) -> str:
    """A text of at most so many letters, without its middle if need be.

    >>> cut("learning_rate"), cut("a_name_that_nobody_could_read_aloud", 12)
    ('learning_rate', 'a_name…aloud')
    """
    if len(text) <= letters:
        return text
    last = (letters - 1) // 2
    return f"{text[: letters - 1 - last]}…{text[len(text) - last :]}"


def few(texts: Iterable[str], most: int = 4, letters: int = NAME, joint: str = ", ") -> str:
    """The first of several texts, and how many more there are.

    >>> few(["x", "y"]), few("abcdefg", 3)
    ('x, y', 'a, b, c and 4 more')
    """
    listed = list(texts)
    told = joint.join(cut(text, letters) for text in listed[:most])
    return told if len(listed) <= most else f"{told} and {spaced(len(listed) - most)} more"


def summary(x: Any) -> str:
    """A number as one would say it; an array by its shape and what it ranges over.

    >>> summary(1 / 3), summary(np.arange(6.0).reshape(2, 3)), summary(np.array([1.0, np.nan]))
    ('0.333333', 'array (2, 3) from 0 to 5', 'array (2,) of 1 (1 not finite)')
    """
    if np.shape(x) == ():
        return f"{float(x):.6g}"
    array = np.asarray(x, float)
    finite = array[np.isfinite(array)]
    told = f"array {array.shape}"
    if finite.size:
        low, high = summary(finite.min()), summary(finite.max())
        told += f" from {low} to {high}" if low != high else f" of {low}"
    if finite.size < array.size:
        told += f" ({spaced(array.size - finite.size)} not finite)"
    return told


class Part(Protocol):
    """A part of a page that knows its HTML: a ``Table``, or ``Code``."""

    def html(self) -> str: ...


def page(*parts: str | Part) -> str:
    """What ``_repr_html_`` gives: texts, tables and code below each other, escaped. No colour is set, so it has the page's.

    >>> print(page("1 < 2", Code("a = b < 1")))
    <div><p style="margin:0.4em 0;white-space:pre-line">1 &lt; 2</p><pre \
style="background:none;color:inherit;margin:0.4em 0">a = b &lt; 1</pre></div>
    """
    texts = '<p style="margin:0.4em 0;white-space:pre-line">{}</p>'
    return f"<div>{''.join(texts.format(escape(p)) if isinstance(p, str) else p.html() for p in parts if p)}</div>"


def headline(shown: object) -> str:
    """The ``__repr__`` of what prints itself under a title: what it is, and the title."""
    return line(f"{type(shown).__name__}: {str(shown).partition(chr(10))[0]}")


def printed(shown: object, *tables: Part) -> str:
    """The ``_repr_html_`` of what prints itself with these tables in it: the same, with tables of the page."""
    parts: list[str | Part] = []
    text = str(shown)
    for table in tables:
        before, _, text = text.partition(str(table))
        parts += [before.strip(), table]
    return page(*parts, text.strip())


class Code(NamedTuple):
    """A program, of which so many ``lines`` are shown, the first and the last; of long lines the ends."""

    text: str
    lines: int = 40

    def html(self) -> str:
        """A ``<pre>``, escaped; colours are those of the page."""
        text = "\n".join(cut(own, WIDTH) for own in without_middle(self.text, self.lines).splitlines())
        return f'<pre style="background:none;color:inherit;margin:0.4em 0">{escape(text)}</pre>'


def without_middle(text: str, lines: int) -> str:
    """A text of at most so many lines, one of which says how many are not shown.

    >>> print(without_middle("a\\nb\\nc\\nd\\ne", 3))
    a
    ... 3 more lines ...
    e
    """
    whole = text.splitlines()
    if len(whole) <= lines:
        return text
    last = (lines - 1) // 2
    first = lines - 1 - last
    left = f"... {spaced(len(whole) - first - last)} more lines ..."
    return "\n".join([*whole[:first], left, *whole[len(whole) - last :]])
