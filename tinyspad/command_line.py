"""What one may write on the command line: the commands and their options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from . import __version__, models, plot
from .errors import BadInput
from .experiments import FAMILIES, METHODS, MULTIMODAL_METHODS, TASKS


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message} (see {self.prog} --help)")


# long, as there are many options: one after the other, in the order of --help
def parser() -> argparse.ArgumentParser:
    made = _Parser(prog="tinyspad", description="Gradients as sums over paths.")
    made.add_argument("--version", action="version", version=f"tinyspad {__version__}")
    names = "{demo,paths,explain,laboratory,table,multimodal,whitebox,networks,reproduce,figures}"
    commands = made.add_subparsers(title="commands", dest="command", required=True, metavar=names)

    demo = commands.add_parser(
        "demo", help="trace f1, list its paths, minimise it with GD, RAD and SPAD, draw the figure"
    )
    demo.add_argument("--out", type=Path, default=Path("figures"), help="folder for the figure (default: figures)")
    demo.add_argument("--runs", type=int, default=50, help="runs of each random estimator (default: 50)")
    demo.add_argument("--steps", type=int, default=2000, help="steps of Adam (default: 2000)")
    demo.add_argument("--seed", type=int, default=0, help="seed of all randomness (default: 0)")

    paths = commands.add_parser("paths", help='list the paths of an expression: paths "x**2*(2+cos(4*x))" x=5')
    paths.add_argument("expression", help="a formula in + - * / ** %% and NumPy functions")
    paths.add_argument("point", nargs="+", metavar="NAME=NUMBER", help="where to take it")
    paths.add_argument("--param", help="list the paths of this variable only")
    paths.add_argument("--limit", type=int, default=1000, help="the most paths to list (default: 1000)")
    paths.add_argument("--figure", type=Path, help="draw the graph into this file, with the strongest path highlighted")

    explained = commands.add_parser(
        "explain",
        help='a page with program, graph, paths and a player: explain "x**2*(2+cos(4*x))" x=5 --out page.html',
    )
    explained.add_argument("expression", help="a formula in + - * / ** %% and NumPy functions")
    explained.add_argument("point", nargs="+", metavar="NAME=NUMBER", help="where to take it")
    explained.add_argument("--out", type=Path, default=Path("page.html"), help="the page (default: page.html)")

    lab = commands.add_parser(
        "laboratory", help='exact bias, variance and cost of estimators: laboratory "x**2*(2+cos(4*x))" x=5'
    )
    lab.add_argument("expression", help="a formula in + - * / ** %% and NumPy functions")
    lab.add_argument("point", nargs="+", metavar="NAME=NUMBER", help="where to take it")
    lab.add_argument("--draws", type=int, default=10_000, help="draws of the Monte Carlo check (default: 10000)")
    lab.add_argument("--seed", type=int, default=0, help="seed of the draws (default: 0)")
    lab.add_argument("--figure", type=Path, help="draw the table into this file")

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
    fits.add_argument("--steps", type=int, default=2000, help="steps of Adam (default: 2000)")
    fits.add_argument("--lr", type=float, default=0.01, help="its learning rate (default: 0.01)")
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
    networks.add_argument("--iterations", type=int, help="iterations of each run (default: the task's own)")
    networks.add_argument(
        "--repeats", type=int, default=1, help="runs of each method, with starts of their own (default: 1)"
    )
    networks.add_argument("--seed", type=int, default=0, help="seed of all randomness (default: 0)")
    networks.add_argument("--folder", type=Path, help="where the images are (default: TINYSPAD_DATA, Debian's package)")
    networks.add_argument("--resume", type=Path, metavar="DIR", help="checkpoints (default: OUT/data/networks_kept)")
    networks.add_argument(
        "--from", dest="source", type=Path, metavar="FILE", help="draw the results in this file, train nothing"
    )
    networks.add_argument("--out", type=Path, default=Path("figures"), help="folder (default: figures)")

    claims = commands.add_parser(
        "reproduce", help="measure every claim of the paper, or one, and write the report: reproduce figure3"
    )
    claims.add_argument("keys", nargs="*", metavar="KEY", help="which claims (default: all, and REPRODUCTION.md)")
    claims.add_argument("--small", action="store_true", help="at a reduced size; nothing is written")
    claims.add_argument("--workers", type=int, default=1, help="processes (default: 1, no others)")
    claims.add_argument(
        "--out", type=Path, default=Path(), help="folder of REPRODUCTION.md and figures/ (default: here)"
    )

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
    return made
