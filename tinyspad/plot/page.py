"""A page that explains one function at one point: its program, its graph, its paths, and a player to step through."""

from __future__ import annotations

import html
import io
import re
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from ..arguments import spaced
from ..errors import BadInput
from ..lcg import LCG
from ..lcg.text import weight_text
from .graph import Sketch
from .player import PAGE, step_through


def explain(lcg: LCG, title: str = "A gradient, path by path", *, limit: int = 200) -> str:
    """A self-contained HTML page: the single-access program, its drawing, every path with the proof, and the player.

    ``title``: a heading, such as the formula. ``limit``: the most paths that a ledger lists; past it the page tells their
    number and shows the largest. Nothing on the page is fetched from the network. Raises BadInput for more than 60 nodes,
    NotScalar where there is no one gradient. Cost: a drawing per node, 0.1 to 0.4 s each.

    >>> import tinyspad as ts
    >>> from tinyspad import plot
    >>> page = plot.explain(ts.trace(lambda x: x * x, 3.0), "x*x at x = 3")
    >>> "<h1>x*x at x = 3</h1>" in page and "sum over 2 paths" in page and "http" not in page
    True
    """
    if not isinstance(lcg, LCG):
        raise BadInput(f"plot.explain takes what trace(f, ...) returns, not {lcg!r:.60}.")
    title = str(title)
    player = step_through(lcg)
    told = html.escape(title)
    parts = [f"<h1>{told}</h1>"]
    parts.append(
        "<p>A gradient is a sum over paths: one product of local derivatives for every way from a parameter to the "
        "output. This page lists them, and steps through the sweep that adds them up.</p>"
    )
    parts.append("<h2>The program, every variable read once</h2>")
    parts.append(f"<pre>{html.escape(str(lcg))}</pre>")
    parts.append(
        "<h2>The graph</h2><p>Squares are parameters that are read once; diamonds are variables, parameters or not, "
        "that are read more often: tupling nodes, which copy them. Numbers on edges are local derivatives; the "
        "thick path is the largest.</p>"
    )
    parts.append(_drawing(lcg, player.sketch))
    for name in lcg.params:
        parts.append(f"<h2>The paths of {html.escape(name)}</h2>")
        parts.append(f"<pre>{html.escape(_ledger(lcg, name, limit))}</pre>")
    parts.append(
        "<h2>Step through the reverse sweep</h2><p>Green nodes are done. The yellow one is done in this step and "
        "sends its adjoint, times the weight, along the thick edges. Orange ones wait for the rest of their "
        "branches.</p>"
    )
    parts.append(player.html())
    return PAGE.format(title=told, body="\n".join(parts))


def _ledger(lcg: LCG, name: str, limit: int) -> str:
    number = lcg.count_paths(name)
    if number <= limit:
        return str(lcg.ledger(name, limit=limit))
    best = lcg.top_paths(name, 10) if lcg.elementwise and not lcg.batch else []
    lines = [
        f"{name} has {spaced(number)} paths, too many to list here; their sum is {weight_text(lcg.adjoint(name))}."
    ]
    return "\n".join([*lines, *(["The largest:"] if best else []), *(f"{p.gradient:.6g}  {p}" for p in best)])


def _drawing(lcg: LCG, sketch: Sketch) -> str:
    """The graph as SVG that stands in the page itself."""
    named = [name for name in lcg.params if lcg.count_paths(name)]
    bold: Any = ()
    if named and lcg.elementwise and not lcg.batch and all(abs(lcg.adjoint(name)) < float("inf") for name in named):
        bold = max((lcg.best_path(name) for name in named), key=lambda path: abs(path.gradient)).edges
    figure = Figure(figsize=sketch.size, layout="constrained")
    sketch.draw(figure.add_subplot(), bold=bold)
    stream = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "tinyspad", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", text, count=2).replace("xlink:href", "href")
    return f'<div role="img" aria-label="The linearized computational graph">{text}</div>'
