"""How large a page is, how long it takes to write, and how long it takes to follow a dragged point.

``python -m benchmarks.page --out benchmarks/page.md``. What follows a point is measured in node: the page's engine
evaluates the program, its derivatives, its gradient, and the paths of every parameter (of more than 200 the ten largest).
Drawing is the browser's; in Chromium moving the point of f1 takes 2.5 ms in all, of a formula of 273 nodes 24 ms.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tinyspad as ts
from benchmarks.report import print_table
from tinyspad import plot
from tinyspad.expression import parse
from tinyspad.page.engine import engine_text
from tinyspad.page.program import data_of
from tinyspad.table import Table


def waves(n: int) -> Callable[..., Any]:
    """A formula of seven operations for each of n waves."""
    return parse(" + ".join(f"sin({i}*x)*cos(x + {i})/{i}" for i in range(1, n + 1)))


CASES: dict[str, tuple[Callable[..., Any], tuple[float, ...]]] = {
    "f1, with its tour": (ts.functions.f1, (5.0,)),
    "rosenbrock": (ts.functions.rosenbrock, (-1.0, 2.0)),
    "beale": (ts.functions.beale, (1.0, 2.0)),
    "four waves": (waves(4), (0.7,)),
    "seven waves": (waves(7), (0.7,)),
    "thirty waves, folded": (waves(30), (0.7,)),
    "a condition": (parse("where(x < 1, x*x, 2*x - 1) + relu(x)"), (0.5,)),
}
"""What is shown, and where."""

MOVES = """
const {{ performance }} = require("perf_hooks");
const graph = TinySpad.trace({program}), point = {point}, name = graph.params[0], times = [];
for (let k = 0; k < {turns}; k++) {{
  point[name] += 1e-3;
  const start = performance.now(), at = graph.at(point);
  at.gradient();
  for (const param of graph.params) at.count(param) <= 200n ? at.paths(param) : at.top(param, 10);
  times.push(performance.now() - start);
}}
console.log(times.sort((a, b) => a - b)[{turns} >> 1]);
"""


def moving(lcg: ts.LCG, turns: int) -> float | None:
    """Milliseconds that the page's engine takes for a new point, the median; None without node."""
    node, data = shutil.which("node"), data_of(lcg)
    if node is None or "program" not in data:
        return None
    asked = MOVES.format(program=json.dumps(data["program"]), point=json.dumps(data["point"]), turns=turns)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "moves.js")
        script.write_text(f"{engine_text()}\n{asked}", encoding="utf-8")
        return float(subprocess.run([node, str(script)], capture_output=True, text=True, check=True).stdout)


def report(turns: int) -> str:
    """The table, as Markdown."""
    rows = []
    for name, (f, point) in CASES.items():
        lcg, times = ts.trace(f, *point), []
        for _ in range(max(turns // 20, 1)):
            start = time.perf_counter()
            page = plot.explain(lcg)
            times.append(time.perf_counter() - start)
        row = (name, lcg.structure.size, len(page.encode()) / 1000, 1000 * float(np.median(times)), moving(lcg, turns))
        rows.append(row)
    head = ("page", "nodes", "kB", "ms to write", "ms of the engine for a new point")
    lines = [
        "# The page",
        "",
        "`python -m benchmarks.page`: the size of what `explain` writes, the time that it takes, and how long the page's",
        "engine takes (in node) for value, derivatives, gradient and paths at a new point. Medians.",
        "",
        Table(head, rows, ("", "", ".1f", ".1f", ".2f")).markdown(),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print_table(__doc__, report, small=1, whole=200)
