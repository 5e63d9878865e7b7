"""The command line: ``python -m tinyspad demo``, ``paths``, ``figures``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from . import __version__, functions
from .errors import BadInput, ExpressionError, TinyspadError
from .experiments import minimize_f1, success_rate
from .expression import CONSTANTS, parse
from .lcg import trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0, 2 for bad input (told in one line), 130 after Ctrl-C.

    >>> main(["paths", "x*x", "x=3"])  # doctest: +ELLIPSIS
    x <- Param_0
    ...
    """
    try:
        options = _parser().parse_args(argv)
        options.run(options)
        sys.stdout.flush()
    except (TinyspadError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        message = str(error).replace("\n", " ")
        print(f"tinyspad: {message}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tinyspad: interrupted", file=sys.stderr)
        return 130
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message} (see {self.prog} --help)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="tinyspad", description="Gradients as sums over paths.")
    parser.add_argument("--version", action="version", version=f"tinyspad {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="{demo,paths,figures}")

    demo = commands.add_parser(
        "demo", help="trace f1, list its paths, minimise it with GD, RAD and SPAD, draw the figure"
    )
    demo.add_argument("--out", type=Path, default=Path("figures"), help="folder for the figure (default: figures)")
    demo.add_argument("--runs", type=int, default=50, help="runs of each random estimator (default: 50)")
    demo.add_argument("--steps", type=int, default=2000, help="steps of Adam (default: 2000)")
    demo.add_argument("--seed", type=int, default=0, help="seed of all randomness (default: 0)")
    demo.set_defaults(run=_demo)

    paths = commands.add_parser("paths", help='list the paths of an expression: paths "x**2*(2+cos(4*x))" x=5')
    paths.add_argument("expression", help="a formula in + - * / ** %% and NumPy functions")
    paths.add_argument("point", nargs="+", metavar="NAME=NUMBER", help="where to take it")
    paths.add_argument("--param", help="list the paths of this variable only")
    paths.add_argument("--limit", type=int, default=1000, help="the most paths to list (default: 1000)")
    paths.add_argument("--figure", type=Path, help="draw the graph into this file, with the strongest path highlighted")
    paths.set_defaults(run=_paths)

    figures = commands.add_parser("figures", help="redraw the figures from fixed seeds")
    figures.add_argument("names", nargs="*", metavar="NAME", help=f"which (default: all): {', '.join(FIGURES)}")
    figures.add_argument("--out", type=Path, default=Path("figures"), help="folder (default: figures)")
    figures.set_defaults(run=_figures)
    return parser


# --- commands -------------------------------------------------------------------------------------------------

RATES = (0.01, 0.1)


def _demo(options: argparse.Namespace) -> None:
    _check_counts(options)
    _use_files_only()
    lcg = trace(functions.f1, 5.0)
    print("f1(x) = x**2 * (2 + cos(4 x)) at x = 5, in single-access form:\n")
    print(lcg)
    print()
    print(lcg.ledger("x"))
    print(
        f"\nMinimising f1 from x = 5: {options.steps} steps of Adam; f at the end, and how many runs got below 0.05.\n"
    )
    results = {lr: minimize_f1(lr, runs=options.runs, steps=options.steps, rng=options.seed) for lr in RATES}
    print(_table(results))
    print(f"\nThe figure: {_save(figure3(results), options.out / 'figure3.png')}")


def _table(results: dict[float, Any]) -> str:
    """One row an estimator, one pair of columns a learning rate."""
    lines = ["".ljust(12) + "".join(f"lr = {lr}".ljust(28) for lr in results)]
    lines.append("estimator".ljust(12) + ("x".rjust(9) + "f(x)".rjust(9) + "success".rjust(9) + " ") * len(results))
    for name in next(iter(results.values())):
        row = name.ljust(12)
        for table in results.values():
            result = table[name]
            good, runs = success_rate(result)
            row += f"{np.median(result.x):9.3f}{np.median(result.value):9.3f}{f'{good}/{runs}':>9} "
        lines.append(row)
    return "\n".join([*(line.rstrip() for line in lines), "(x and f(x): the median over the runs)"])


def _paths(options: argparse.Namespace) -> None:
    f = parse(options.expression)
    point = dict(_assignment(text) for text in options.point)
    names = list(f.__signature__.parameters)  # type: ignore[attr-defined]
    missing, extra = [n for n in names if n not in point], [n for n in point if n not in names]
    if missing or extra or len(point) < len(options.point):
        problem = (
            f"give {missing[0]}=NUMBER"
            if missing
            else f"{extra[0]} is not in it"
            if extra
            else "a variable is given twice"
        )
        raise ExpressionError(f"The expression's variables are {', '.join(names)}: {problem}.")
    if options.param is not None and options.param not in names:
        raise BadInput(f"--param {options.param}: the expression's variables are {', '.join(names)}.")
    with np.errstate(all="ignore"):
        lcg = trace(f, *(point[name] for name in names))
        if not np.isfinite(lcg.value):
            raise BadInput(f"The expression is {lcg.value} at this point: outside its domain, or too large.")
        print(lcg)
        for name in [options.param] if options.param else names:
            print()
            print(lcg.ledger(name, limit=options.limit))
    if options.figure is not None:
        _use_files_only()
        from . import plot

        best = max((lcg.best_path(n) for n in names if lcg.count_paths(n)), key=lambda p: abs(p.gradient), default=None)
        ax = plot.lcg(lcg, highlight=best)
        print(f"\nThe drawing: {_save(ax.figure, options.figure)}")


def _assignment(text: str) -> tuple[str, float]:
    name, equals, number = text.partition("=")
    try:
        value = CONSTANTS[number.strip()] if number.strip() in CONSTANTS else float(number)
        if equals and name.strip().isidentifier() and np.isfinite(value):
            return name.strip(), value
    except ValueError:
        pass
    raise BadInput(f"{text!r:.60} is not of the form NAME=NUMBER, such as x=5.")


def _figures(options: argparse.Namespace) -> None:
    unknown = [name for name in options.names if name not in FIGURES]
    if unknown:
        raise BadInput(f"There is no figure {unknown[0]!r:.40}; there are {', '.join(FIGURES)}.")
    _use_files_only()
    for name in options.names or FIGURES:
        print(_save(FIGURES[name](), options.out / f"{name}.png"), flush=True)


def _check_counts(options: argparse.Namespace) -> None:
    for name, least in (("runs", 1), ("steps", 0), ("seed", 0)):
        if getattr(options, name) < least:
            raise BadInput(f"--{name} is a whole number, at least {least}, not {getattr(options, name)}.")


# --- figures --------------------------------------------------------------------------------------------------


def _use_files_only() -> None:
    import matplotlib

    matplotlib.use("Agg")


def _save(figure: Any, file: Path) -> Path:
    from matplotlib import pyplot as plt

    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        figure.savefig(file, dpi=150)
    except ValueError as error:
        raise BadInput(f"Cannot write {file}: {error}.") from None
    finally:
        plt.close(figure)
    return file


def _subplots(**kwargs: Any) -> Any:
    from matplotlib import pyplot as plt

    return plt.subplots(layout="constrained", **kwargs)


def figure2() -> Figure:
    """The paper's Figure 2: f1 and its local minima."""
    from . import plot

    figure, ax = _subplots(figsize=(6.4, 3.2))
    xs = np.linspace(-6, 6, 1201)
    plot.function(trace(functions.f1, xs), ax=ax, label="f1(x) = x² (2 + cos 4x)")
    ax.plot(xs, 2 * xs**2, color="#888888", linestyle="--", linewidth=1.2, label="2 x², the trend")
    ax.plot([5.0], [functions.f1(5.0)], "o", color="black", label="start of Figure 3")
    ax.plot([5.47483], [functions.f1(5.47483)], "v", color="black", label="where GD stays")
    ax.set_ylabel("f1(x)")
    ax.legend(fontsize="small")
    return figure


def figure3(results: dict[float, Any] | None = None) -> Figure:
    """The paper's Figure 3, at its learning rate and at ten times that."""
    from . import plot

    results = {lr: minimize_f1(lr) for lr in RATES} if results is None else results
    figure, axes = _subplots(figsize=(10, 4.4), ncols=2, sharey=True)
    for ax, (lr, table) in zip(axes, results.items()):
        plot.compare(table, ax=ax)
        ax.set_title(f"Adam, learning rate {lr}" + (", as in the paper" if lr == 0.01 else ""))
    axes[1].set_ylabel("")
    axes[1].get_legend().remove()
    axes[0].legend(fontsize="x-small", loc="upper right")
    axes[0].set_ylim(-3, 86)
    return figure


def figure4() -> Figure:
    """The paper's Figure 4: the single-access graph of f2, whose node x is a tupling node."""
    from . import plot

    lcg = trace(functions.f2, 1.0, 2.0)
    return plot.lcg(lcg, highlight=lcg.nth_path("x", 0)).figure  # type: ignore[return-value]


def f1_graph() -> Figure:
    """The graph of f1 at 5, with its strongest path."""
    from . import plot

    lcg = trace(functions.f1, 5.0)
    return plot.lcg(lcg, highlight=lcg.best_path("x")).figure  # type: ignore[return-value]


def f1_contributions() -> Figure:
    """Equation (3) along the axis: the two terms of f1's gradient, and their sum."""
    from . import plot

    figure, ax = _subplots(figsize=(6.4, 3.6))
    plot.contributions(trace(functions.f1, np.linspace(0, 6, 601)), ax=ax)
    return figure


FIGURES: dict[str, Callable[[], Figure]] = {
    "figure2": figure2,
    "figure3": figure3,
    "figure4": figure4,
    "f1_graph": f1_graph,
    "f1_contributions": f1_contributions,
}
"""Every figure that ``tinyspad figures`` redraws, by the name of its file."""


if __name__ == "__main__":
    sys.exit(main())
