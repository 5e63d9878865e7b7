"""What each command of the command line does."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from . import functions, models, nn, plot, reproduction
from .archive import made, write_text
from .command_line import check_counts, function_at, optimizer
from .course import lay_out
from .errors import BadInput
from .experiments import (
    CODE,
    FITTED,
    OBSERVATIONS,
    Multimodal,
    NetworkRuns,
    cells_table,
    learning_curves,
    minimize_f1,
    multimodal,
    paper_table,
    readings,
    runs_in,
    sensitivity,
    shares,
    stochasticity_table,
    success_rate,
    white_box,
)
from .lcg import trace
from .on_formulas import show_compare, show_laboratory, show_paths
from .progress import Progress
from .table import Table


def _demo(options: argparse.Namespace) -> None:
    check_counts(options)
    lcg = trace(functions.f1, 5.0)
    print("f1(x) = x**2 * (2 + cos(4 x)) at x = 5, in single-access form:\n")
    print(lcg)
    print()
    print(lcg.ledger("x"))
    print(
        f"\nMinimising f1 from x = 5: {options.steps} steps of Adam; f at the end, and how many runs got below 0.05.\n"
    )
    results = {lr: minimize_f1(lr, runs=options.runs, steps=options.steps, rng=options.seed) for lr in plot.RATES}
    print(_table(results))
    print(f"\nThe figure: {plot.save(plot.figure3(results), options.out / 'figure3.png')}")


def _table(results: dict[float, Any]) -> str:
    """One row an estimator, one pair of columns a learning rate."""
    columns = ["estimator", *(name for lr in results for name in (f"lr = {lr}: x", "f(x)", "success"))]
    rows = []
    for name in next(iter(results.values())):
        row = [name]
        for table in results.values():
            good, runs = success_rate(table[name])
            row += [f"{np.median(table[name].x):.3f}", f"{np.median(table[name].value):.3f}", f"{good}/{runs}"]
        rows.append(row)
    return f"{Table(columns, rows)}\n(x and f(x): the median over the runs)"


def _explain(options: argparse.Namespace) -> None:
    if options.out.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"--out {options.out}: a page is an .html file.")
    f, point = function_at(options)
    with np.errstate(all="ignore"):
        where = ", ".join(f"{name} = {x:g}" for name, x in point.items())
        lcg = trace(f, *point.values())
        page = plot.explain(lcg, title=f"{options.expression.strip()} at {where}")
    with made(options.out.parent):
        write_text(options.out, page)
    print(f"The page: {options.out}")


def _tables(options: argparse.Namespace) -> None:
    check_counts(options)
    unknown = [n for n in options.numbers if n not in ("1", "2", "3")]
    if unknown:
        raise BadInput(f"There is no table {unknown[0]!r:.40}; there are 1, 2 and 3.")
    if options.box is not None and not -np.inf < options.box[0] < options.box[1] < np.inf:
        raise BadInput(f"--box LOW HIGH: two numbers, LOW below HIGH, not {options.box[0]:g} {options.box[1]:g}.")
    if "3" in options.numbers:
        _table3(options)
        return
    if options.resume is not None:
        print(f"Finished blocks are kept in {options.resume}: the same command goes on from there.", file=sys.stderr)
    table = paper_table(
        *dict.fromkeys(map(int, options.numbers)),
        runs=1000 if options.runs is None else options.runs,
        steps=2000 if options.steps is None else options.steps,
        boxes=None if options.box is None else tuple(options.box),
        writing=options.writing,
        criterion=options.criterion or "value",
        optimizer=optimizer(options),
        rng=options.seed,
        workers=None if options.workers == 1 else options.workers,
        resume=options.resume,
        progress=True,
    )
    print(_told(table, options.form))
    if options.figure is not None:
        print(f"\nThe drawing: {plot.save(plot.success(table), options.figure)}", file=sys.stderr)


def _table3(options: argparse.Namespace) -> None:
    alone = {
        "--box": options.box,
        "--writing": options.writing,
        "--criterion": options.criterion,
        "--resume": options.resume,
        "--workers": None if options.workers == 1 else options.workers,
        "another table": None if set(options.numbers) == {"3"} else "",
    }
    for option, value in alone.items():
        if value is not None:
            raise BadInput(f"Table 3 is another experiment than tables 1 and 2, and does not go with {option}.")
    sizes = {name: getattr(options, name) for name in ("runs", "steps") if getattr(options, name) is not None}
    cells = len(OBSERVATIONS) * len(CODE)
    with Progress(cells, "cell", True) as bar:
        table = stochasticity_table(rng=options.seed, optimizer=optimizer(options), tell=bar.one_more, **sizes)
    print(_told(table, options.form))
    if options.figure is not None:
        print(f"\nThe drawing: {plot.save(plot.stochasticity(table).figure, options.figure)}", file=sys.stderr)


def _told(table: Any, form: str) -> str:
    told: str = {"text": table.__str__, "markdown": table.to_markdown, "csv": table.to_csv}[form]()
    return told.rstrip()


def _multimodal(options: argparse.Namespace) -> None:
    check_counts(options)
    if options.source is not None:
        found = Multimodal.from_json(options.source.read_bytes().decode("utf-8", errors="replace"))
    else:
        if options.resume is not None:
            print(
                f"Finished blocks are kept in {options.resume}: the same command goes on from there.", file=sys.stderr
            )
        with made(options.data.parent) if options.data is not None else nullcontext():  # before the work is done
            found = multimodal(
                options.functions or None,
                dimensions=options.dimensions or (2, 10),
                methods=_separated(options.methods),
                runs=options.runs,
                work=options.work,
                rng=options.seed,
                workers=None if options.workers == 1 else options.workers,
                resume=options.resume,
                progress=True,
            )
            if options.data is not None:
                write_text(options.data, found.to_json())
                print(f"The results: {options.data}", file=sys.stderr)
    print(_told(found, options.form))
    if options.figure is not None:
        print(f"\nThe drawing: {plot.save(plot.multimodal(found), options.figure)}", file=sys.stderr)


def _separated(names: str | None) -> list[str] | None:
    """Names with semicolons between them."""
    return None if names is None else [name.strip() for name in names.split(";") if name.strip()]


def _whitebox(options: argparse.Namespace) -> None:
    check_counts(options)
    unknown = [name for name in options.models if name not in models.ALL]
    if unknown:
        raise BadInput(f"There is no model {unknown[0]!r:.40}; there are {', '.join(models.ALL)}.")
    stepper = optimizer(options)
    fits: list[Any] = []
    chosen = list(dict.fromkeys(options.models or models.ALL))
    every = max(options.steps // 100, 1)
    sizes: dict[str, Any] = {"runs": options.runs, "steps": options.steps, "every": every, "rng": options.seed}
    with Progress(len(chosen) * len(FITTED), "estimator", True) as bar:
        for name in chosen:
            fit = white_box(name, optimizer=stepper, tell=bar.one_more, **sizes)
            rows = fit.to_csv().splitlines()[bool(fits) :]  # one header for all
            bar.clear()
            print(f"{fit}\n" if options.form == "text" else "\n".join(rows), flush=True)
            fits.append(fit)
    if options.figure is not None:
        print(f"The drawing: {plot.save(plot.white_box(*fits), options.figure)}", file=sys.stderr)


def _figures(options: argparse.Namespace) -> None:
    options.names = [f"figure{name}" if name.isdigit() else name for name in options.names]
    unknown = [name for name in options.names if name not in plot.FIGURES]
    if unknown:
        raise BadInput(f"There is no figure {unknown[0]!r:.40}; there are {', '.join(plot.FIGURES)}.")
    chosen = options.names or list(plot.FIGURES)
    with made(options.out / "data") as data, Progress(len(chosen), "figure", True) as bar:
        for name in chosen:
            figure = plot.FIGURES[name]()
            text = json.dumps(plot.data_of(figure, plot.EARLY.get(name)), ensure_ascii=False, separators=(",", ":"))
            write_text(data / f"{name}.json", text + "\n")
            drawing = plot.save(figure, options.out / f"{name}.png")
            bar.clear()
            print(drawing, flush=True)
            bar.one_more()


def _networks(options: argparse.Namespace) -> None:
    check_counts(options)
    name = options.task if options.preset is None else f"{options.task}_{options.preset}"
    if options.source is not None and options.source.is_dir():
        runs, name = runs_in(options.source), options.source.resolve().name.removeprefix("networks_")
    elif options.source is not None:
        runs = NetworkRuns.from_json(options.source.read_bytes().decode("utf-8", errors="replace"))
        name = options.source.stem.removeprefix("networks_")
    else:
        kept = options.out / "data" / f"networks_{name}" if options.resume is None else options.resume
        with made(options.out / "data"), made(kept):  # before the work is done
            try:
                runs = learning_curves(
                    options.task,
                    _separated(options.methods),
                    preset=options.preset,
                    lr=options.lr,
                    weight_decay=options.weight_decay,
                    batch=options.batch,
                    repeats=options.repeats,
                    iterations=options.iterations,
                    rng=options.seed,
                    folder=options.folder,
                    resume=kept,
                    resident=True,
                    tell=lambda text: print(text, file=sys.stderr, flush=True),
                    progress=True,
                )
            except KeyboardInterrupt:
                print(f"Runs are kept in {kept}: the same command goes on from there.", file=sys.stderr)
                raise
    if options.source is None or options.source.is_dir():
        with made(options.out / "data") as data:
            write_text(data / f"networks_{name}.json", runs.to_json() + "\n")
            write_text(data / f"networks_{name}.csv", runs.to_csv())
        print(f"The runs: {data / f'networks_{name}.json'}, and .csv", file=sys.stderr)
    print(runs)
    for kind, draw in (("curves", plot.learning_curves), ("memory", plot.memory_panels)):
        print(plot.save(draw(runs), options.out / f"networks_{name}_{kind}.png"), file=sys.stderr)


def _datasets(options: argparse.Namespace) -> None:
    with Progress(len(nn.datasets.SOURCES), "data set", True) as bar:
        for name, source in nn.datasets.SOURCES.items():
            found = nn.datasets.find(name, options.folder)
            told = f"{name} is not here. To get it: {source}; then --folder or TINYSPAD_DATA says where."
            if found is not None:
                told = f"{nn.datasets.load(name, options.folder)!r}, in {found}"
            bar.clear()
            print(told, flush=True)
            bar.one_more()
    print("glyphs, digits from matplotlib's fonts, needs no files.")


def _sensitivity(options: argparse.Namespace) -> None:
    check_counts(options)
    wanted = [r for r in readings() if options.only is None or options.only in ", ".join(map(str, r))]
    if not wanted:
        raise BadInput(
            f'--only {options.only!r:.40} is in no reading, such as "{", ".join(map(str, readings()[-1][:-1]))}".'
        )
    with made(options.out / "data") as folder:  # before the work is done
        file = folder / "sensitivity.csv"
        print(f"Finished readings are kept in {file}: the same command goes on from there.", file=sys.stderr)
        measured = sensitivity(
            wanted,
            runs=options.runs,
            steps=options.steps,
            rng=options.seed,
            file=file,
            workers=None if options.workers == 1 else options.workers,
            progress=True,
        )
    found = shares(measured)
    print(f"{found}\n\nCells of Tables 1 and 2 that the starts do not contradict:\n\n{cells_table(measured)}")
    if options.only is None:
        print(f"\nThe picture: {plot.save(plot.shares(found), options.out / 'sensitivity.png')}", file=sys.stderr)


def _reproduce(options: argparse.Namespace) -> None:
    check_counts(options)
    data = options.out / "figures" / "data"
    file = data / "reproduction.json"
    known = {}
    if options.keys and not options.small and file.exists():
        try:
            known = reproduction.from_json(file.read_bytes().decode("utf-8", errors="replace"))
        except BadInput as problem:
            raise BadInput(f"{file}: {problem.message}") from None

    def keep(found: dict[str, Any]) -> None:
        if not options.small:
            write_text(file, reproduction.to_json(found))

    kept = data if (data / "networks_fashion-fc.json").exists() else Path("figures") / "data"
    with nullcontext() if options.small else made(data):  # before the work is done
        if known:
            keep(known)
        found = reproduction.measure(
            options.keys or None,
            small=options.small,
            workers=None if options.workers == 1 else options.workers,
            folder=kept,
            known=known,
            tell=lambda text: print(text, file=sys.stderr, flush=True),
            keep=keep,
            progress=True,
        )
    for key in options.keys:
        print(reproduction.section(key, found[reproduction.CLAIMS[key].of or key]))
    if not options.small:
        print(f"The numbers: {file}", file=sys.stderr)
        if len(found) == len({claim.of or key for key, claim in reproduction.CLAIMS.items()}):
            page = options.out / "REPRODUCTION.md"
            write_text(page, reproduction.report(found))
            print(f"The report: {page}", file=sys.stderr)
    lost = [key for key in reproduction.unsupported(found) if key in (options.keys or reproduction.CLAIMS)]
    if lost:
        raise BadInput(f"The numbers do not bear out the verdicts on {', '.join(lost)}.")
    if not options.keys:
        print(f"The numbers bear out all {len(reproduction.CLAIMS)} verdicts.")


def _tutorials(options: argparse.Namespace) -> None:
    print(lay_out(options.folder, options.instructor))


COMMANDS = {
    "demo": _demo,
    "paths": show_paths,
    "explain": _explain,
    "laboratory": show_laboratory,
    "compare": show_compare,
    "table": _tables,
    "multimodal": _multimodal,
    "whitebox": _whitebox,
    "networks": _networks,
    "datasets": _datasets,
    "reproduce": _reproduce,
    "sensitivity": _sensitivity,
    "figures": _figures,
    "tutorials": _tutorials,
}
