"""A page that explains one function: the HTML, the styles and the scripts put together, and the function as data in it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

from ..archive import write_text
from ..arguments import name_of
from ..errors import BadInput
from ..expression import formula_of, parse
from ..lcg import LCG, trace
from ..lcg.text import DRAWABLE
from .engine import PARTS
from .program import data_of

LARGEST = 300
"""The most operations that a page shows, some of them folded."""

SEEN = (
    *("dom.js", "layout.js", "folds.js", "graph_view.js", "formula_view.js", "contours.js", "slopes.js"),
    *(
        "curve.js",
        "told.js",
        "head.js",
        "ledger.js",
        "sweep.js",
        "racers.js",
        "race.js",
        "along.js",
        "tour.js",
        "typed.js",
        "main.js",
    ),
)
"""What is seen, one subject each."""

TOURED = "\n".join(
    [
        "x <- Param_0",
        "x1, x2 <- x",
        "a <- x1 ** 2",
        "b <- 4 * x2",
        "c <- cos(b)",
        "d <- 2 + c",
        "z <- a * d",
        "Return z",
    ]
)
"""The program that the tour is about, the paper's first example."""

FRAME = """<iframe srcdoc="{page}" sandbox="allow-scripts" title="{title}" {style}></iframe>
<script>(() => {{
  const script = document.currentScript, frames = document.querySelectorAll("iframe[srcdoc]");
  const frame = script ? script.previousElementSibling : frames[frames.length - 1];
  if (!frame) return;
  const [r, g, b] = (getComputedStyle(frame.parentNode).color.match(/[0-9.]+/g) || [0, 0, 0]).map(Number);
  addEventListener("message", event => {{
    if (event.source !== frame.contentWindow || !(event.data.tinyspad > 0)) return;
    frame.style.height = Math.min(event.data.tinyspad + 30, 2600) + "px";
    if (!frame.dataset.told) frame.contentWindow.postMessage({{ tinyspad: r + g + b > 384 ? "dark" : "light" }}, "*");
    frame.dataset.told = 1;
  }});
}})();</script>"""
"""How a notebook shows a page: isolated from the notebook's own, as high as it asks to be, and as light or dark."""


class Page(str):
    """A page as HTML text; made by :func:`explain`. In a notebook it shows itself.

    ``save(file)`` writes it, whole or not at all, and returns the file. It is a ``str``: what can be done with a text can be
    done with it.
    """

    def save(self, file: str | PathLike[str]) -> Path:
        """Write the page to a file that opens in any browser. Raises OSError as ``open`` does."""
        write_text(file, self)
        return Path(file)

    def __repr__(self) -> str:
        found = re.search(r"<title>(.*?)</title>", self)
        title = html.unescape(found[1]) if found else ""
        return f"<Page {title!r:.80}, {len(self.encode()) / 1000:.0f} kB; show it in a notebook, or save(file)>"

    def _repr_html_(self) -> str:
        style = 'style="width:100%;height:820px;border:0"'
        return FRAME.format(page=html.escape(self, quote=True), title="A gradient, path by path", style=style)


def explain(f: LCG | Callable[..., Any], *point: float, title: str | None = None) -> Page:
    """A page on which a function's gradient can be touched: its program, graph and paths, the sweep, and a race.

    ``f``: a function and the point, or what ``trace(f, ...)`` returned. The page computes by itself what is made of the
    functions that the command line knows, between numbers: the point can be dragged. Of anything else (matrices, rules of
    your own) it has Python's numbers at this point, and says so. ``title``: a heading; by default the function's name
    or formula. Nothing is fetched from the network.

    The page: ``page.save("page.html")``; in a notebook it shows itself, isolated from the notebook. Raises BadInput for more
    than 300 operations, NotScalar where there is no one gradient, and what ``trace`` raises. Cost: O(operations).

    >>> import tinyspad as ts
    >>> from tinyspad import plot
    >>> page = plot.explain(ts.functions.f1, 5.0)
    >>> page  # doctest: +ELLIPSIS
    <Page 'f1 at x = 5', 1... kB; show it in a notebook, or save(file)>
    >>> "http:" in page or "https:" in page
    False
    """
    return _page(_traced("explain", f, point), title, "paths")


def step_through(f: LCG | Callable[..., Any], *point: float, title: str | None = None) -> Page:
    """The same page, opened at the reverse sweep: one node at a time, who is done, who waits for whom, what is sent.

    Takes and raises what :func:`explain` does. ``lcg.reverse_steps()`` has the steps as data.

    >>> import tinyspad as ts
    >>> from tinyspad import plot
    >>> '"open":"sweep"' in plot.step_through(ts.trace(lambda x: x * x, 3.0))
    True
    """
    return _page(_traced("step_through", f, point), title, "sweep")


def playground(formula: str = "x**2 * (2 + cos(4*x))", *point: float) -> Page:
    """The page with a field to type formulas in, and the paper's functions to choose from; shared by link.

    >>> page = playground()
    >>> 'id="typed"' in page, '"playground":true' in page
    (True, True)
    """
    lcg = trace(parse(formula), *(point or [5.0]))
    return _made(data_of(lcg) | {"playground": True, "open": "paths"}, "tinyspad, a playground", lcg)


def _traced(asked: str, f: Any, point: tuple[Any, ...]) -> LCG:
    if isinstance(f, LCG):
        if point:
            raise BadInput(
                f"plot.{asked} of a trace takes no point: it was traced at one. Give the function and the point."
            )
        return f
    if not callable(f):
        raise BadInput(f"plot.{asked} takes a function and a point, or what trace(f, ...) returns, not {f!r:.60}.")
    if not point:
        raise BadInput(f"plot.{asked} needs a point: plot.{asked}(f, 5.0), say, for a function of one number.")
    return trace(f, *point)


def _page(lcg: LCG, title: str | None, first: str) -> Page:
    lcg.check_differentiable()
    operations = sum(node.kind == "operation" for node in lcg.nodes)
    if operations > LARGEST:
        raise BadInput(
            f"The function makes {operations} operations; a page shows up to {LARGEST}. Take a part of it, or see its "
            "program and its paths as text: print(lcg), print(lcg.ledger())."
        )
    return _made(data_of(lcg) | {"open": first}, _title(lcg) if title is None else str(title), lcg)


def _title(lcg: LCG) -> str:
    formula = formula_of(lcg.function)
    called = formula or ("" if lcg.function is None else name_of(lcg.function)).replace("<lambda>", "")
    called = called if len(called) <= 80 else f"{called[:79]}…"
    point = [f"{name} = {x:g}" for name, x in zip(lcg.params, lcg.arguments) if isinstance(x, float)]
    return (
        f"{called or 'A function'} at {', '.join(point)}"
        if 0 < len(point) <= 6
        else called or "A gradient, path by path"
    )


def _made(data: dict[str, Any], title: str, lcg: LCG) -> Page:
    """The parts in their places; of the data nothing can end the script that it stands in."""
    unneeded = set() if "playground" in data else set(_unneeded(data, lcg))
    parts, seen = ([part for part in all_of if part not in unneeded] for all_of in (PARTS, SEEN))
    told = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026")
    filled = {
        "title": html.escape(title),
        "style": _read("page.css"),
        "data": told,
        "script": "\n".join(
            [*(_read(part, data) for part in parts), '(() => {\n"use strict";', *map(_read, seen), "})();"]
        ),
    }
    return Page(re.sub(r"\{\{(\w+)\}\}", lambda found: filled[found[1]], _read("page.html")))


def _unneeded(data: dict[str, Any], lcg: LCG) -> Iterator[str]:
    """The parts that this page has no use for."""
    yield from ("language.js", "formula.js", "typed.js")
    if "program" in data:
        yield "given.js"
    else:
        yield from ("runner.js", "racers.js", "race.js", "along.js")
    if len(lcg.params) != 2 or "program" not in data:
        yield "contours.js"
    if lcg.structure.size <= DRAWABLE:
        yield "folds.js"
    if lcg.text() != TOURED:
        yield "tour.js"


def _read(part: str, data: dict[str, Any] | None = None) -> str:
    """A file as the page carries it: comments, indentation and idle blanks are for those who read the source.

    ``data``: what is shown; of the operations only those of its program, where no other can be typed.
    """
    text = (Path(__file__).parent / part).read_text(encoding="utf-8")
    if part == "operations.js" and data and "program" in data and "playground" not in data:
        used = {step[0] for step in data["program"]["steps"]}
        text = OPERATION.sub(lambda line: line[0] if line[1] in used else "", text)
    if part.endswith(".js"):
        text = re.sub(r"^ *(/\*\*.*?\*/|//[^\n]*) *\n", "", text, flags=re.M | re.S)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    blanks = {".js": SCRIPT, ".css": STYLE}.get(part[part.rindex(".") :])
    return "\n".join(lines if blanks is None else _squeezed(lines, blanks))


def _squeezed(lines: list[str], blanks: re.Pattern[str]) -> list[str]:
    """Lines without the blanks around signs, one for each function or rule; constants that follow each other are one list.

    Where an expression to match begins, or a template goes on, they stay as they are.
    """
    made: list[str] = []
    inside = False  # a template that began on a line before
    for before, line in zip(["", *lines], lines):
        between, ticks = TEXT.split(line), line.count("`")  # code, a text, code, ...
        nested = any(part[:1] == "`" and part.count("{") != part.count("}") for part in between)
        if not (inside or nested or any(UNCLEAR.search(code) for code in between[::2])):
            line = "".join(
                INSIDE.sub(lambda found: _tight(found[0], blanks), part) if i % 2 else _tight(part, blanks)
                for i, part in enumerate(between)
            )
        if not inside and CONSTANT.match(before) and re.match(r"const\b", line):
            made[-1] = f"{made[-1][:-1]},{line[5:].lstrip()}"
        elif made and not inside and "//" not in made[-1] and _goes_on(made[-1], line):
            made[-1] = IDLE.sub("", made[-1] + "\n" + line)
        else:
            made.append(line)
        inside ^= ticks % 2 == 1
    return made


def _tight(code: str, blanks: re.Pattern[str]) -> str:
    return SURE.sub(r"\1\2", blanks.sub(lambda found: found[0].strip(), code))


def _goes_on(before: str, line: str) -> bool:
    """Whether a line may stand beside the one before it: not a function's first, which are left to find one's way."""
    ends = before[-1] in "([{," or line[0] in ")]}.?:" or (before[-1] == ";" and not line.startswith("function"))
    return ends or (before.endswith('" +') and line[0] == '"')


TEXT = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)""")
UNCLEAR = re.compile(r"""[`"']|(?:^|[(,=>:\[!&|?{};]|\breturn)\s*/|//""")
OPERATION = re.compile(r"^    (\w+): (?:written|of|choice|compared)\(.*\),\n", re.M)
CONSTANT = re.compile(r"const .*;$")
INSIDE = re.compile(r"""\$\{[^{}"'`]*\}""")
IDLE = re.compile(r"""" \+\n"|;\n(?=\})|\n""")
SURE = re.compile(r"(?<![\w$])(?:\((\w+)\)(?==>)|0(\.\d))")
SCRIPT = re.compile(
    r" *[=<>(){}\[\],;?:*&|!%]+ *|(?<![+-]) [+-] (?![+-])|(?<=[)\]] )[+-] (?![+-])"
    r"|(?<=[\w)\]]) / (?=[\w(])|(?<=[)\]] )/ (?=[\w(])"
)
STYLE = re.compile(r" *([{};,>]|:(?= )) *")
