"""The commands about one formula at a point: its paths, the estimators there, and where they lead from there."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from . import plot
from .arguments import name_of
from .command_line import check_counts, function_at, optimizer
from .displays import cut
from .errors import BadInput
from .experiments import laboratory
from .expression import formula_of
from .lcg import trace
from .optimize import Result, Results, minimize
from .optimizers import Adam
from .plot.outside import verbatim
from .shell import gradient_trouble, in_words, slope_trouble, told_point, value_trouble
from .table import Table
from .typed import estimators, is_random

LONG = 200_000
"""Steps of all runs of an estimator, from which on it is told how far they are."""

DECADES = 3.0
"""Values that are above 0 and differ by more powers of ten than these are drawn by their logarithms."""


def show_paths(options: argparse.Namespace) -> None:
    """The program, and of each variable its paths."""
    check_counts(options)
    f, point = function_at(options)
    names = list(point)
    if options.param is not None and options.param not in names:
        raise BadInput(f"--param {options.param}: the expression's variables are {', '.join(names)}.")
    with np.errstate(all="ignore"):
        lcg = trace(f, *point.values())
        print(in_words(str(lcg)))
        listed = {} if options.top is None else {"limit": options.top}
        for name in [options.param] if options.param else names:
            ledger = lcg.ledger(name, **listed)
            print(f"\n{in_words(str(ledger))}")
            if not ledger.finite:
                print(f"At fault: {slope_trouble(lcg)}.")
        if options.figure is not None:
            best = (lcg.best_path(name) for name in names if lcg.count_paths(name))
            strongest = max(best, key=lambda path: abs(path.gradient), default=None)
            drawing = plot.save(plot.lcg(lcg, highlight=strongest).figure, options.figure)
            print(f"\nThe drawing: {drawing}")


def show_laboratory(options: argparse.Namespace) -> None:
    """Exact bias, variance and cost of estimators at the point."""
    check_counts(options)
    f, point = function_at(options)
    with np.errstate(all="ignore"):
        lab = laboratory(f, *point.values(), draws=options.draws, rng=options.seed)
        lab = replace(lab, left_out={name: in_words(why) for name, why in lab.left_out.items()})
        if (formula := formula_of(f)) is not None:
            lab = replace(lab, function=formula)
        print(lab)
        fault = gradient_trouble(f, point)
        if fault is not None:
            print(f"\nNot everything is finite: {fault}.")
        if options.figure is not None:
            print(f"\nThe drawing: {plot.save(plot.laboratory(lab), options.figure)}")


def show_compare(options: argparse.Namespace) -> None:
    """Minimise it from the point with each estimator, and tell where they end."""
    check_counts(options)
    f, point = function_at(options)
    chosen = estimators(options.estimators)
    stepper = optimizer(options) or Adam()
    results = Results()
    for name, estimator in chosen.items():
        runs = options.runs if is_random(estimator) else 1
        start = tuple(x if runs == 1 else np.full(runs, x) for x in point.values())
        results[name] = found = minimize(
            f,
            start if len(start) > 1 else start[0],
            estimator=estimator,
            optimizer=stepper,
            steps=options.steps,
            rng=options.seed,
            progress=runs * options.steps >= LONG,
        )
        if np.any(np.equal(found.status, "interrupted")):
            raise KeyboardInterrupt
    formula = formula_of(f) or name_of(f)
    told = Ends(formula, f, point, results)
    table, remarks = told.table(), told.remarks()
    if options.form == "text":
        steps = f"{options.steps} step{'s' * (options.steps != 1)}"
        head = f"{cut(formula, 80)} from {told_point(point)}: {steps} of {stepper!r}, seed {options.seed}"
        print("\n\n".join([head, str(table), *filter(None, ["\n".join(remarks)])]))
    else:
        constant = {"formula": formula, "steps": options.steps, "optimizer": repr(stepper), "seed": options.seed}
        print(table.markdown() if options.form == "markdown" else table.csv(**constant).rstrip())
        for remark in remarks:
            print(remark, file=sys.stderr)
    if options.figure is not None:
        print(f"\nThe drawing: {plot.save(drawn(told), options.figure)}", file=sys.stderr)


class Ends:
    """Where runs of several estimators from one point ended."""

    def __init__(self, formula: str, f: Callable[..., Any], point: Mapping[str, float], results: Results) -> None:
        self.formula, self.f, self.point, self.results = formula, f, point, results

    def table(self) -> Table:
        """A row for each estimator: f at the start, the least value on the way, and the end, of several runs the median."""
        start = float(self.f(*self.point.values()))
        rows = []
        for name, result in self.results.items():
            best = (result.best_value, self._at(result.best_x)) if result.best_x is not None else (None, "")
            end = _middle(result)
            rows.append(
                (name, np.size(result.value), start, *best, *((None, "") if end is None else self._end(result, end)))
            )
        columns = ("estimator", "runs", "f at the start", "best f", "best at", "f at the end", "ends at")
        return Table(columns, rows, ("", "", ".6g", ".6g", "", ".6g", ""))

    def remarks(self) -> list[str]:
        """What the numbers mean, and what went wrong, at which part of the formula."""
        lines = []
        if any(np.size(result.value) > 1 for result in self.results.values()):
            lines.append("Of several runs the best is that of all, and the end that of the median run.")
        lines += [f"{name}: {told}" for name, result in self.results.items() if (told := self._trouble(result))]
        same = [name for name, result in self.results.items() if result.single_paths]
        if same:
            lines.append(
                f"{'; '.join(same)}: every variable has a single path here, so this is GD. There are more where a variable "
                "is read several times: x*x, not x**2; or --writing."
            )
        return lines

    def _end(self, result: Result, run: int) -> tuple[float, str]:
        return float(np.ravel(result.value)[run]), self._at(tuple(np.ravel(x)[run] for x in _coordinates(result)))

    def _at(self, x: Any) -> str:
        return told_point(dict(zip(self.point, x if isinstance(x, tuple) else (x,))))

    def _trouble(self, result: Result) -> str:
        bad = np.ravel(np.not_equal(result.status, "done") | ~np.isfinite(result.value))
        if not bad.any():
            return ""
        first = int(np.argmax(bad))
        where = dict(zip(self.point, (float(np.ravel(x)[first]) for x in _coordinates(result))))
        step = int(np.ravel(result.steps)[first])
        what = value_trouble(self.f, where) or gradient_trouble(self.f, where)
        of = f"{int(bad.sum())} of {bad.size} runs met NaN or infinity; the first" if bad.size > 1 else "the run"
        steps = f"{step} step{'s' * (step != 1)}"
        return f"{of} stopped after {steps}, where {what or 'the next one leads too far: give a smaller --lr'}."


def drawn(told: Ends) -> Any:
    """The values by step, by their logarithms where they differ by decades."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of steps at which all runs are lost
        ax = plot.compare(told.results)
        values = np.concatenate([np.ravel(r.history.values) for r in told.results.values() if r.history is not None])
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0 and np.log10(values.max() / values.min()) > DECADES:
        ax.set_yscale("log")
        ax.set_ylabel(f"{ax.get_ylabel()}, logarithmic")
    ax.set_title(verbatim(f"{told.formula} from {told_point(told.point)}", 64), fontsize="medium")
    return ax.figure


def _middle(result: Result) -> int | None:
    """The run whose end is the median, the lower one of two; None if no run ended at a number."""
    values = np.ravel(result.value)
    order = [int(i) for i in np.argsort(values, kind="stable") if np.isfinite(values[i])]
    return order[(len(order) - 1) // 2] if order else None


def _coordinates(result: Result) -> tuple[Any, ...]:
    return result.x if isinstance(result.x, tuple) else (result.x,)
