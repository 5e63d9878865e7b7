"""What was measured, as tables in Markdown and as one figure."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tinyspad.archive import write_file, write_text
from tinyspad.plot.palette import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION
from tinyspad.table import Table

SCALES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (0.0, "ns"))
STYLES: dict[str, dict[str, Any]] = {
    "tinyspad": {"color": BLUE, "marker": "o", "linewidth": 2.6},
    "tinyspad, trace": {"color": SKY, "marker": "s", "linestyle": "--"},
    "tinyspad, compiled": {"color": GREEN, "marker": "^", "linestyle": "-."},
    "micrograd": {"color": BLACK, "marker": "x"},
    "autograd": {"color": ORANGE, "marker": "v", "linestyle": ":"},
    "PyTorch, eager": {"color": VERMILLION, "marker": "D"},
    "JAX, eager": {"color": PURPLE, "marker": "P", "linestyle": "--"},
    "JAX, jit": {"color": GREY, "marker": "*", "linestyle": "-.", "markersize": 9},
}
LINES = [
    {"color": c, "marker": m} for c, m in zip((BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY, BLACK, GREY), "os^vDPx*")
]
LINES += [{**line, "linestyle": "--"} for line in LINES[:4]]
FIRST = "a first trace loads NumPy, and the tape, its rules, the path algebra and the graph: thirty modules."
COMPILED = "one machine program for the whole of it, compiled once, before; tinyspad records f at every call."
CHAIN = "compiled once, before; `tinyspad` records at every call, and `tinyspad, compiled` is its like."
FAN = (
    "a fan's gradient is a constant, which both compilers compute in advance, so that a call takes 10 µs at any size "
    "(`tinyspad, compiled`: 2 µs); `tinyspad` records at every call."
)
SCAN = (
    "the whole loop is one machine program without arrays in between; tinyspad's step is some 50 calls of NumPy, each of "
    "which reads and writes arrays."
)
WHY: dict[tuple[str, str], str] = {
    ("imports", "NumPy, no derivative"): FIRST,
    ("imports", "bare interpreter"): "tinyspad's own `__init__`; its modules load when they are first asked for.",
    ("imports", "autograd"): FIRST,
    ("imports", "micrograd"): "it needs no NumPy, and is one short module.",
    ("beale", "JAX, jit and scan"): SCAN,
    ("runs", "JAX, jit and scan"): SCAN,
    ("runs", "NumPy by hand"): (
        "a loop of so few steps is soon done; before it tinyspad records the function, writes the loop, and holds it to a "
        "trace. Of many steps it is the quicker one."
    ),
    ("waves", "JAX, jit and scan"): SCAN,
    ("one", "JAX, jit and scan"): (
        "the whole loop is one machine program; on single numbers tinyspad's is Python's, between whose operations it asks "
        "the program for its gradient, the optimizer for a step, and whether all is finite."
    ),
    ("one", "numbers by hand"): "thirty operations of Python's and no more; tinyspad looks after the run besides.",
    ("models", "NumPy by hand"): (
        "nine calls of NumPy and no more; tinyspad does the same ones, and between them asks each operation's rule for its "
        "derivative, follows the graph back, and looks after the run."
    ),
    ("models", "autograd"): "both wait for the same products with a large matrix.",
    ("elements", "RAD, NumPy by hand"): (
        "by hand a path of a weight is known to be an observation; tinyspad finds that out from f, for any f, and looks "
        "after the run."
    ),
    ("elements", "NumPy by hand"): "two products with a matrix, and nothing between them.",
    ("second", "JAX, jit, gradient"): COMPILED,
    ("second", "JAX, jit, Hessian times vector"): COMPILED,
    ("second", "autograd, gradient"): (
        "tinyspad copies an array of the user's own that enters the tape, here the matrix of data, so that a later change "
        "cannot reach the gradient; and looks at more about each operation, which counts where arrays are small."
    ),
    ("second", "autograd, Hessian times vector"): (
        "as for the gradient; and operations that choose, indexing among them, are guarded, so that nothing flows along "
        "what is not taken."
    ),
    ("chain", "JAX, jit"): CHAIN,
    ("fan", "JAX, jit"): FAN,
    ("networks", "PyTorch"): (
        "nine tenths of tinyspad's step with SmallConvNet are convolutions, in NumPy: copies of shifted images, and a "
        "matrix product for each image. PyTorch's are machine code made for them."
    ),
}
"""Why a peer is faster than tinyspad, by workload and engine: a sentence under the table, wherever it is."""
SCALING = ("chain", "fan", "paths")


def ours(engine: str) -> bool:
    return engine.startswith("tinyspad")


def time_of(seconds: float) -> str:
    """Three digits and a unit.

    >>> time_of(0.00123), time_of(12.3456), time_of(4.5e-9)
    ('1.23 ms', '12.3 s', '4.5 ns')
    """
    size, unit = next((size, unit) for size, unit in SCALES if seconds >= size)
    return f"{digits(seconds / (size or 1e-9))} {unit}"


def digits(number: float) -> str:
    """Three of them.

    >>> digits(1234.5), digits(12.345), digits(0.01234)
    ('1234', '12.3', '0.0123')
    """
    return f"{number:.0f}" if number >= 100 else f"{number:#.3g}".rstrip("0").rstrip(".")


def bytes_of(size: float) -> str:
    unit, name = next((u, n) for u, n in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (0.0, "B")) if size >= u)
    return f"{digits(size / (unit or 1.0))} {name}"


def markdown(results: dict[str, Any]) -> str:
    """All tables, a section for each workload, with a sentence for every peer that is faster."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    small = " A small run, to see that it works: its times mean nothing." if results["small"] else ""
    lines = [
        "# Results",
        "",
        f"Written by `python -m benchmarks`; what is measured is told in benchmarks/README.md.{small}",
        f"{versions}; {results['cores']} cores.",
        "",
        "Cold is the first turn, with what is compiled in it. Warm is the median of the later turns, with their quartiles.",
        "Processor is the time of all processors in the warm turns, children's included: more than warm where several work.",
        "The ratio is that of the medians, to the row whose ratio is 1; its quartiles are those of the turns' own ratios.",
        "A ratio below 1 means faster than tinyspad.",
    ]
    last = None
    for record in results["records"]:
        if record["workload"] != last:
            lines += ["", f"## {record['workload']}"]
        last = record["workload"]
        lines += ["", *table(record)]
    return "\n".join(lines) + "\n"


def table(record: dict[str, Any]) -> list[str]:
    engines = record["engines"]
    kinds = list(dict.fromkeys(kind for row in engines.values() for kind in row["memory"]))
    per = "" if record["size"] is None else f" per {record['unit']}"
    head = [record["case"], "cold", "warm", "quartiles", "processor", "ratio", "quartiles"]
    head += [f"{kind}{per}" for kind in kinds]
    rows = []
    for engine, row in engines.items():
        cold = time_of(sorted(row["cold"])[len(row["cold"]) // 2]) if row["cold"] else None
        warm = spread(time_of, row["median"], row["quartiles"]) if "median" in row else (row["failure"], None)
        ratio = spread(digits, row["ratio"], row["ratio_quartiles"]) if "ratio" in row else (None, None)
        memory = [bytes_of(row["memory"][k] / record["units"]) if k in row["memory"] else None for k in kinds]
        processor = time_of(row["processor_median"]) if row.get("processor_median") else None
        rows.append([engine, cold, *warm, processor, *ratio, *memory])
    lines = [f"Seconds per {record['unit']}:", "", Table(head, rows).markdown()]
    notes = []
    for engine, ratio in faster(record).items():
        why = WHY.get((record["workload"], engine))
        notes.append(f"- {engine} takes {digits(ratio)} of tinyspad's time{f': {why}' if why else '.'}")
    return lines + ([""] + notes if notes else [])


def spread(form: Callable[[float], str], median: float, quartiles: list[float]) -> tuple[str, str]:
    return form(median), " to ".join(map(form, quartiles))


def faster(record: dict[str, Any]) -> dict[str, float]:
    """The peers that took less time than tinyspad, with their ratios."""
    rows = {engine: row.get("ratio", math.inf) for engine, row in record["engines"].items() if not ours(engine)}
    return {engine: ratio for engine, ratio in rows.items() if ratio < 1}


def figure(results: dict[str, Any], file: Path) -> None:
    """Ratios to tinyspad on the left; on the right, time and memory per operation against size."""
    compared = [r for r in results["records"] if r["workload"] not in SCALING]
    rows = sum(1 + len(r["engines"]) for r in compared)
    plot = Figure(figsize=(15, max(12.0, 0.19 * rows)), layout="constrained")
    FigureCanvasAgg(plot)
    left, right = plot.subfigures(1, 2, width_ratios=(1, 1.25))
    draw_ratios(left.subplots(), compared)
    axes = right.subplots(3, 2)
    for column, shape in enumerate(("chain", "fan")):
        records = [r for r in results["records"] if r["workload"] == shape]
        draw_scaling(axes[0, column], records, "median", STYLES)
        axes[0, column].set(title=f"{shape}: time", ylabel="seconds per operation", xlabel="operations")
        draw_scaling(axes[1, column], records, "resident", STYLES)
        axes[1, column].set(title=f"{shape}: memory", ylabel="bytes per operation (peak resident)", xlabel="operations")
    for column, family in enumerate(("deep", "wide")):
        records = [r for r in results["records"] if r["workload"] == "paths" and r["case"].startswith(family)]
        names = list(dict.fromkeys(engine for r in records for engine in r["engines"]))
        draw_scaling(axes[2, column], records, "median", dict(zip(names, LINES)))
        axes[2, column].set(title=f"path algebra, {family} graphs", ylabel="seconds per edge", xlabel="edges")
    for row in (0, 2):
        handles, names = axes[row, 0].get_legend_handles_labels()
        if handles:
            told = [name.replace("tinyspad, ", "") for name in names] if row == 2 else names
            axes[row, 1].legend(handles, told, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    file.parent.mkdir(parents=True, exist_ok=True)
    write_file(file, lambda stream: plot.savefig(stream, format=file.suffix[1:], dpi=110))


def draw_ratios(ax: Any, records: list[dict[str, Any]]) -> None:
    """A dot for the ratio of medians, a line from quartile to quartile of the turns' ratios; hollow dots are ours."""
    labels: list[str] = []
    for record in records:
        labels.append(f"{record['workload']}: {record['case']}")
        for engine, row in record["engines"].items():
            if "ratio" not in row:
                continue
            y = len(labels)
            labels.append(engine)
            low, high = row["ratio_quartiles"]
            ax.plot([low, high], [y, y], color=GREY, linewidth=3, solid_capstyle="butt")
            color = BLUE if ours(engine) else VERMILLION
            face = color if engine == record["base"] or not ours(engine) else "white"
            told = time_of(row["median"]) if engine == record["base"] else digits(row["ratio"])
            ax.plot(row["ratio"], y, "o", markeredgecolor=color, markerfacecolor=face, markersize=7)
            left = 0.01 < row["ratio"] < 1
            spot = (min(low, row["ratio"]), y) if left else (max(high, row["ratio"]), y)
            ax.annotate(
                told,
                spot,
                (-7 if left else 7, 0),
                textcoords="offset points",
                fontsize=8,
                va="center",
                ha=("left", "right")[left],
            )
    ax.axvline(1.0, color=BLUE, linewidth=1.5)
    ax.set(xscale="log", xlabel="time / tinyspad's (blue, told as a time)")
    ax.set_yticks(range(len(labels)), labels, fontsize=9)
    for tick, label in zip(ax.get_yticklabels(), labels):
        if ": " in label:
            tick.set_fontweight("bold")
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(labels), -1)
    ax.margins(x=0.2)
    ax.grid(axis="x", alpha=0.3)


def draw_scaling(ax: Any, records: list[dict[str, Any]], what: str, styles: dict[str, dict[str, Any]]) -> None:
    """One line per engine, against size; memory only from 10 000 operations, below which it is noise."""
    for engine, style in styles.items():
        points = []
        for record in records:
            row = record["engines"].get(engine, {})
            if what == "median" and "median" in row:
                points.append((record["size"], row["median"]))
            elif what in row.get("memory", ()) and record["size"] >= 10**4 and row["memory"][what] > 0:
                points.append((record["size"], row["memory"][what] / record["units"]))
        if points:
            ax.plot(*zip(*points), label=engine, **style)
    ax.set(xscale="log", yscale="log")
    ax.grid(alpha=0.3)


def print_table(told: str | None, report: Callable[[int], str], small: int, whole: int) -> None:
    """The command line of a benchmark that is one table: at full size, or ``--small``; and into a file, ``--out``."""
    parser = argparse.ArgumentParser(description=told, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="at a tiny size, for the tests")
    parser.add_argument("--out", type=Path, help="write the table into this file, too")
    options = parser.parse_args()
    table = report(small if options.small else whole)
    print(table)
    if options.out:
        write_text(options.out, table + "\n")
