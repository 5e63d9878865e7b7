"""What one may write on the command line: the commands and their options."""

from __future__ import annotations

import argparse
import inspect
import unicodedata
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from . import __version__, functions, models, plot
from .errors import BadInput, ExpressionError
from .experiments import FAMILIES, METHODS, MULTIMODAL_METHODS, PRESETS, TASKS
from .experiments.sensitivity import OPTIMIZERS as MAKERS
from .expression import CONSTANTS, closest, parse
from .linearization import LISTED
from .optimizers import Optimizer
from .shell import check_writable, value_trouble
from .typed import KINDS

FORMULA = (
    "a formula in + - * / ** %%, NumPy's functions, max, min, ln, relu, sigmoid and where(x < 1, a, b); or the name of a "
    "test function, such as beale"
)

COMPARED = "GD; RAD; SPAD, k_max 50; RAD, hold 50"
"""What ``compare`` compares unless told otherwise."""

OPTIMIZERS = {name.lower().replace(" ", "-"): make for name, make in MAKERS.items()}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message} (see {self.prog} --help)")


def _add_writing(command: argparse.ArgumentParser) -> None:
    command.add_argument("--writing", help="in which of its writings a function is taken, such as products")


def _add_optimizer(command: argparse.ArgumentParser) -> None:
    command.add_argument("--optimizer", choices=tuple(OPTIMIZERS), help="instead of Adam")
    command.add_argument("--lr", type=float, help="its learning rate (default: 0.01)")


# long, as there are many options: one after the other, in the order of --help
def parser() -> argparse.ArgumentParser:
    made = _Parser(prog="tinyspad", description="Gradients as sums over paths.")
    made.add_argument("--version", action="version", version=f"tinyspad {__version__}")
    commands = made.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo", help="trace f1, list its paths, minimise it with GD, RAD and SPAD, draw the figure"
    )
    demo.add_argument("--out", type=Path, default=Path("figures"), help="folder for the figure (default: figures)")
    demo.add_argument("--runs", type=int, default=50, help="runs of each random estimator (default: 50)")
    demo.add_argument("--steps", type=int, default=2000, help="steps of Adam (default: 2000)")
    demo.add_argument("--seed", type=int, default=0, help="seed of all randomness (default: 0)")

    paths = commands.add_parser("paths", help='list the paths of an expression: paths "x**2*(2+cos(4*x))" x=5')
    paths.add_argument("expression", help=FORMULA)
    paths.add_argument("point", nargs="+", metavar="NAME=NUMBER", help="where to take it")
    _add_writing(paths)
    paths.add_argument("--param", help="list the paths of this variable only")
    paths.add_argument(
        "--top",
        type=int,
        metavar="N",
        help=f"list at most so many paths, the largest, and all others as one row (default: {LISTED})",
    )
    paths.add_argument("--figure", type=Path, help="draw the graph into this file, with the strongest path highlighted")

    explained = commands.add_parser(
        "explain",
        help='a page that computes: graph, paths, sweep and a race: explain "x**2*(2+cos(4*x))" x=5 --out page.html',
    )
    explained.add_argument("expression", help=FORMULA)
    explained.add_argument("point", nargs="+", metavar="NAME=NUMBER", help="where to take it")
    _add_writing(explained)
    explained.add_argument("--out", type=Path, default=Path("page.html"), help="the page (default: page.html)")

    lab = commands.add_parser(
        "laboratory", help='exact bias, variance and cost of estimators: laboratory "x**2*(2+cos(4*x))" x=5'
    )
    lab.add_argument("expression", help=FORMULA)
    lab.add_argument("point", nargs="+", metavar="NAME=NUMBER", help="where to take it")
    _add_writing(lab)
    lab.add_argument("--draws", type=int, default=10_000, help="draws of the Monte Carlo check (default: 10000)")
    lab.add_argument("--seed", type=int, default=0, help="seed of the draws (default: 0)")
    lab.add_argument("--figure", type=Path, help="draw the table into this file")

    ends = commands.add_parser(
        "compare",
        help='minimise an expression with several estimators from one start: compare "x**2*(2+cos(4*x))" x=5',
    )
    ends.add_argument("expression", help=FORMULA)
    ends.add_argument("point", nargs="+", metavar="NAME=NUMBER", help="the start")
    _add_writing(ends)
    ends.add_argument(
        "--estimators",
        default=COMPARED,
        help=f'separated by semicolons, options after commas (default: "{COMPARED}"); there are {", ".join(KINDS)}',
    )
    ends.add_argument("--steps", type=int, default=1000, help="of each run (default: 1000)")
    _add_optimizer(ends)
    ends.add_argument("--runs", type=int, default=50, help="runs of each random estimator (default: 50)")
    ends.add_argument("--seed", type=int, default=0, help="seed of all randomness (default: 0)")
    ends.add_argument("--as", dest="form", choices=("text", "markdown", "csv"), default="text", help="how to print it")
    ends.add_argument("--figure", type=Path, help="draw the values by step into this file")

    table = commands.add_parser("table", help="the paper's tables, with its figures beside ours: table 1")
    table.add_argument(
        "numbers",
        nargs="*",
        metavar="NUMBER",
        help="1 (within 0.05 of the minimum), 2 (0.01), or both; 3 (observations and code), measured",
    )
    table.add_argument("--runs", type=int, help="runs of each cell (default: 1000; table 3: 100)")
    table.add_argument("--steps", type=int, help="steps of Adam (default: 2000; table 3: 200 of the exact gradient)")
    table.add_argument("--seed", type=int, default=0, help="seed of all randomness (default: 0)")
    table.add_argument(
        "--box",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="the starts of all functions (default: one box each)",
    )
    _add_writing(table)
    table.add_argument(
        "--criterion",
        choices=("value", "distance"),
        help="what is within the tolerance: f above its minimum, or x from the nearest minimizer (default: value)",
    )
    _add_optimizer(table)
    table.add_argument("--workers", type=int, default=1, help="processes (default: 1, no others)")
    table.add_argument("--resume", type=Path, metavar="FILE", help="keep finished blocks here, and go on from them")
    table.add_argument("--as", dest="form", choices=("text", "markdown", "csv"), default="text", help="how to print it")
    table.add_argument("--figure", type=Path, help="draw the table into this file")

    minima = commands.add_parser(
        "multimodal",
        help="how often a path at a time, restarts, noise and basin hopping find the minimum, at equal work: "
        "multimodal rastrigin",
    )
    minima.add_argument("functions", nargs="*", metavar="FUNCTION", help=f"{', '.join(FAMILIES)} (default: all)")
    minima.add_argument("--dimensions", type=int, nargs="+", metavar="N", help="of each function (default: 2 10)")
    minima.add_argument("--methods", help=f"separated by semicolons (default: all): {'; '.join(MULTIMODAL_METHODS)}")
    minima.add_argument("--runs", type=int, default=400, help="starts of each method (default: 400)")
    minima.add_argument("--work", type=int, default=2000, help="evaluations of each run (default: 2000)")
    minima.add_argument("--seed", type=int, default=0, help="seed of all randomness (default: 0)")
    minima.add_argument("--workers", type=int, default=1, help="processes (default: 1, no others)")
    minima.add_argument("--resume", type=Path, metavar="FILE", help="keep finished blocks here, and go on from them")
    minima.add_argument(
        "--from", dest="source", type=Path, metavar="FILE", help="take the results in this file, run nothing"
    )
    minima.add_argument(
        "--as", dest="form", choices=("text", "markdown", "csv"), default="text", help="how to print it"
    )
    minima.add_argument("--data", type=Path, metavar="FILE", help="write the results into this file, for --from")
    minima.add_argument("--figure", type=Path, help="draw the results into this file")

    fits = commands.add_parser(
        "whitebox", help="fit white-box models with all paths and sampled ones, and judge them out of sample"
    )
    fits.add_argument("models", nargs="*", metavar="MODEL", help=f"{', '.join(models.ALL)} (default: all)")
    fits.add_argument("--runs", type=int, default=200, help="fits of each estimator (default: 200)")
    fits.add_argument("--steps", type=int, default=2000, help="steps of each fit (default: 2000)")
    _add_optimizer(fits)
    fits.add_argument("--seed", type=int, default=0, help="seed of all randomness (default: 0)")
    fits.add_argument("--as", dest="form", choices=("text", "csv"), default="text", help="how to print it")
    fits.add_argument("--figure", type=Path, help="draw the losses into this file")

    networks = commands.add_parser(
        "networks", help="train the papers' networks with every path choice: networks fashion-fc"
    )
    networks.add_argument("task", nargs="?", default="glyphs-fc", help=f"{', '.join(TASKS)} (default: glyphs-fc)")
    networks.add_argument(
        "--methods", help=f"separated by semicolons (default: all): {'; '.join(METHODS)}".replace("%", "%%")
    )
    networks.add_argument(
        "--preset", help=f"rates for each method: {', '.join(PRESETS)} (default: the task's one rate for all)"
    )
    networks.add_argument("--lr", type=float, help="learning rate of all methods")
    networks.add_argument("--weight-decay", type=float, help="what times a weight is added to its gradient, for all")
    networks.add_argument(
        "--batch", type=int, help="images of a batch (default: 150), to which small and big are relative"
    )
    networks.add_argument("--iterations", type=int, help="iterations of each run (default: the task's own)")
    networks.add_argument(
        "--repeats", type=int, default=1, help="runs of each method, with starts of their own (default: 1)"
    )
    networks.add_argument("--seed", type=int, default=0, help="seed of all randomness (default: 0)")
    networks.add_argument("--folder", type=Path, help="where the images are (default: TINYSPAD_DATA, Debian's package)")
    networks.add_argument(
        "--resume",
        type=Path,
        metavar="DIR",
        help="keeps finished runs, which are not trained again, and checkpoints (default: OUT/data/networks_TASK[_PRESET])",
    )
    networks.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="draw the results in this file, or gather and draw the finished runs in this folder, and train nothing",
    )
    networks.add_argument("--out", type=Path, default=Path("figures"), help="folder (default: figures)")

    images = commands.add_parser("datasets", help="which data sets of images are here, and how to get the others")
    images.add_argument("--folder", type=Path, help="where to look, too (default: TINYSPAD_DATA, Debian's package)")

    claims = commands.add_parser(
        "reproduce", help="measure every claim of the paper, or one, and write the report: reproduce figure3"
    )
    claims.add_argument("keys", nargs="*", metavar="KEY", help="which claims (default: all, and REPRODUCTION.md)")
    claims.add_argument("--small", action="store_true", help="at a reduced size; nothing is written")
    claims.add_argument("--workers", type=int, default=1, help="processes (default: 1, no others)")
    claims.add_argument(
        "--out", type=Path, default=Path(), help="folder of REPRODUCTION.md and figures/ (default: here)"
    )

    crossed = commands.add_parser(
        "sensitivity", help="tables 1 and 2 and Figure 7 under every reading of the paper; goes on where it stopped"
    )
    crossed.add_argument("--runs", type=int, default=1000, help="starts of each reading (default: 1000)")
    crossed.add_argument("--steps", type=int, default=2000, help="steps of each run (default: 2000)")
    crossed.add_argument("--seed", type=int, default=0, help="seed of all randomness (default: 0)")
    crossed.add_argument("--workers", type=int, default=1, help="processes (default: 1, no others)")
    crossed.add_argument(
        "--only", metavar="TEXT", help='only readings with this in their names, such as "beale, products" or "SGD"'
    )
    crossed.add_argument("--out", type=Path, default=Path("figures"), help="folder (default: figures)")

    figures = commands.add_parser(
        "figures", help="redraw the figures from fixed seeds, and write down what is drawn in each"
    )
    figures.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"which (default: all): {', '.join(plot.FIGURES)}; a number N is figureN",
    )
    figures.add_argument("--out", type=Path, default=Path("figures"), help="folder (default: figures)")

    tutorials = commands.add_parser(
        "tutorials", help="lay out the course, notebooks and exercises, and never over your work: tutorials course"
    )
    tutorials.add_argument("folder", type=Path, metavar="FOLDER", help="where to, a folder that is made if need be")
    tutorials.add_argument("--instructor", action="store_true", help="the solutions and the teacher's notes, too")
    return made


# --- what was written ---------------------------------------------------------------------------------------------------


def function_at(options: argparse.Namespace) -> tuple[Any, dict[str, float]]:
    """The function that was typed, or named, and the point, in the order of its variables."""
    point = dict(_assignment(text) for text in options.point)
    name = options.expression.strip()
    f = functions.ALL[name] if name in functions.ALL and name not in point else parse(name)
    if options.writing is not None:
        f = functions.written(f, options.writing)
    names = list(inspect.signature(f).parameters)
    missing, extra = [n for n in names if n not in point], [n for n in point if n not in names]
    if missing or extra or len(point) < len(options.point):
        problem = (
            f"give {missing[0]}=NUMBER{_meant(missing[0], name)}"
            if missing
            else f"{extra[0]} is not in it"
            if extra
            else "a variable is given twice"
        )
        end = "" if problem.endswith("?") else "."
        raise ExpressionError(f"The expression's variables are {', '.join(names)}: {problem}{end}")
    point = {name: point[name] for name in names}
    fault = value_trouble(f, point)
    if fault is not None:
        raise BadInput(f"{fault}: outside its domain, or too large.")
    return f, point


def _meant(variable: str, expression: str) -> str:
    """What a name that is given no number may have been meant for."""
    if variable == expression:
        return closest(variable, functions.ALL)
    return f", or write {variable.lower()}" if variable.lower() in CONSTANTS else ""


def _assignment(text: str) -> tuple[str, float]:
    name, equals, number = text.partition("=")
    try:
        value = CONSTANTS[number.strip()] if number.strip() in CONSTANTS else float(number)
        if equals and name.strip().isidentifier() and np.isfinite(value):
            return unicodedata.normalize("NFKC", name.strip()), value  # as Python reads names in an expression
    except ValueError:
        pass
    raise BadInput(f"{text!r:.60} is not of the form NAME=NUMBER, such as x=5.")


def check_counts(options: argparse.Namespace) -> None:
    """Refuse numbers without meaning, and files that cannot be written, before the work is done."""
    for name, least in (
        ("runs", 1),
        ("steps", 0),
        ("seed", 0),
        ("draws", 2),
        ("workers", 1),
        ("repeats", 1),
        ("iterations", 1),
        ("batch", 1),
        ("work", 1),
        ("top", 1),
    ):
        if getattr(options, name, None) is not None and getattr(options, name) < least:
            raise BadInput(f"--{name} is a whole number, at least {least}, not {getattr(options, name)}.")
    for name in ("figure", "data", "resume"):
        check_writable(getattr(options, name, None) if options.command != "networks" else None)
    if getattr(options, "figure", None) is not None:
        plot.check_ending(options.figure)


def optimizer(options: argparse.Namespace) -> Optimizer | None:
    """The one that was asked for; None if none was."""
    if options.optimizer is None and options.lr is None:
        return None
    return OPTIMIZERS[options.optimizer or "adam"](0.01 if options.lr is None else options.lr)
