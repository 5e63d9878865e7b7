"""``python -m benchmarks [NAME ...]``: measure, and write the results as numbers, as tables and as a figure."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tinyspad.archive import write_text

from . import chains, elements, imports, loops, models, moons, networks, paths, programs, report, second, spine, tables
from .turns import Disagree, Workload, run

WORKLOADS: dict[str, tuple[str, Callable[[bool], Iterator[Workload]]]] = {
    "imports": ("import tinyspad, against import numpy and the peers", imports.workloads),
    "f1": ("the gradient of f1 at a number, traced and compiled", programs.gradients),
    "moons": ("micrograd's moons step, by scalars and by arrays", moons.workloads),
    "beale": ("1000 runs on Beale's function, a step of Adam", programs.runs),
    "runs": ("a hundred runs to a million, a step of each", loops.sizes),
    "waves": ("1000 runs on functions with sines and cosines", loops.waves),
    "one": ("one run of one start, a step of Adam", loops.single),
    "tables": ("Tables 1 and 2 whole, as fresh processes", tables.workloads),
    "networks": ("steps of SmallFCNet and SmallConvNet, time and memory", networks.workloads),
    "models": ("a logistic regression, and differential equations, a step", models.workloads),
    "paths": ("the path algebra, per edge", paths.workloads),
    "elements": ("paths of the numbers in arrays, a step", elements.workloads),
    "second": ("Hessians times vectors, in gradients", second.workloads),
    "chain": ("a chain of 100 to a million operations, time and memory", partial(chains.workloads, shape="chain")),
    "fan": ("a variable read as often, time and memory", partial(chains.workloads, shape="fan")),
}
PEERS = ("micrograd", "autograd", "torch", "jax")


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status is 0, 1 if engines disagree, 2 for an unknown name, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Times of tinyspad and of its peers.")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a workload; all of them if there is none; or spine, which counts functions",
    )
    parser.add_argument("--small", action="store_true", help="everything in seconds, to see that it runs")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the results go (benchmarks/results)")
    parser.add_argument("--draw", action="store_true", help="tables and figure again, of the numbers in the folder")
    parser.add_argument("--list", action="store_true", help="tell the workloads' names and stop")
    options = parser.parse_args(argv)
    if options.list:
        print("\n".join(f"{name:10}{what}" for name, (what, _) in WORKLOADS.items()))
        return 0
    if options.names == ["spine"]:  # nothing is timed
        print(spine.told())
        return 0
    unknown = [name for name in options.names if name not in WORKLOADS]
    if unknown:
        print(f"no workload is called {unknown[0]!r}; there are {', '.join(WORKLOADS)}", file=sys.stderr)
        return 2
    # A small run is no result: only where it is asked for by name does it leave files.
    out = options.out or (None if options.small else Path(__file__).parent / "results")
    if options.draw:
        return draw(out)
    results: dict[str, Any] = {"small": options.small, "cores": os.cpu_count(), "versions": versions()}
    results["records"] = kept(out, results, options.names or list(WORKLOADS))
    status = 0
    try:
        for name in options.names or WORKLOADS:
            for work in WORKLOADS[name][1](options.small):
                print(f"{work.name}: {work.case}", flush=True)
                results["records"].append(run(work))
                print("\n".join(report.table(results["records"][-1])[2:]) + "\n", flush=True)
                write(results, out)
    except Disagree as told:
        print(told, file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print("interrupted: what was measured so far is kept", file=sys.stderr)
        status = 130
    if out is not None:
        report.figure(results, out / "results.png")
    return status


def versions() -> dict[str, str]:
    """Of Python and every engine that is installed."""
    found = {"Python": platform.python_version()}
    for package in ("numpy", "tinyspad", *PEERS):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def draw(out: Path | None) -> int:
    try:
        results = json.loads(((out or Path()) / "results.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        print(f"there are no results yet: {error.filename}", file=sys.stderr)
        return 2
    write(results, out)
    report.figure(results, (out or Path()) / "results.png")
    return 0


def kept(out: Path | None, results: dict[str, Any], names: Sequence[str]) -> list[dict[str, Any]]:
    """What the folder has of other workloads, if it was measured in the same way with the same versions."""
    file = out / "results.json" if out else None
    if file is None or not file.exists():
        return []
    old = json.loads(file.read_text(encoding="utf-8"))
    if any(old[key] != results[key] for key in ("small", "cores", "versions")):
        return []
    return [record for record in old["records"] if record["workload"] in WORKLOADS and record["workload"] not in names]


def write(results: dict[str, Any], out: Path | None) -> None:
    """The numbers and the tables, in the order of the workloads."""
    if out is None:
        return
    out.mkdir(parents=True, exist_ok=True)
    order = list(WORKLOADS)
    results["records"].sort(key=lambda record: order.index(record["workload"]))
    write_text(out / "results.json", json.dumps(results, indent=1) + "\n")
    write_text(out / "results.md", report.markdown(results))


if __name__ == "__main__":
    sys.exit(main())
