"""What it takes to import tinyspad, NumPy and the peers, in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .turns import Measured, Workload, need

INSIDE = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
PEERS = {"NumPy": "numpy", "micrograd": "micrograd.engine", "autograd": "autograd", "PyTorch": "torch", "JAX": "jax"}


def workloads(small: bool) -> Iterator[Workload]:
    turns = 1 if small else 11
    modules = {"tinyspad": "tinyspad", **PEERS}
    yield Workload(
        name="imports",
        case="the import statement",
        engines={name: importing(module) for name, module in modules.items()},
        base="tinyspad",
        unit="import",
        turns=turns,
        fresh=True,
    )
    yield Workload(
        name="imports",
        case="the process, from start to end",
        engines={
            "tinyspad": process("import tinyspad"),
            "NumPy": process("import numpy"),
            "bare interpreter": process(""),
        },
        base="tinyspad",
        unit="process",
        turns=turns,
        fresh=True,
    )


def importing(module: str) -> Callable[[], Callable[[], Measured]]:
    def make() -> Callable[[], Measured]:
        need(module.split(".")[0])
        return lambda: Measured(float(output(INSIDE.format(module))))

    return make


def process(script: str) -> Callable[[], Callable[[], Measured]]:
    def call() -> Measured:
        start = time.perf_counter()
        output(script)
        return Measured(time.perf_counter() - start)

    return lambda: call


def output(script: str) -> str:
    root = Path(__file__).parent.parent
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=root).stdout
