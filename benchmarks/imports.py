"""What it takes to import tinyspad, NumPy and the peers, and to take a first derivative, in fresh interpreters."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from .turns import Measured, Workload, need

INSIDE = """
import time
start, worked = time.perf_counter(), time.process_time()
{}
print(time.perf_counter() - start, time.process_time() - worked)
"""
PEERS = {"NumPy": "numpy", "micrograd": "micrograd.engine", "autograd": "autograd", "PyTorch": "torch", "JAX": "jax"}


FIRST = {
    "tinyspad": ("tinyspad", "import tinyspad as ts; ts.trace(lambda x: x * x, 3.0).gradient()"),
    "NumPy, no derivative": ("numpy", "import numpy"),
    "micrograd": ("micrograd", "from micrograd.engine import Value; x = Value(3.0); (x * x).backward()"),
    "autograd": ("autograd", "from autograd import grad; grad(lambda x: x * x)(3.0)"),
    "PyTorch": ("torch", "import torch; x = torch.tensor(3.0, requires_grad=True); (x * x).backward()"),
    "JAX": ("jax", "import jax; jax.grad(lambda x: x * x)(3.0)"),
}
"""tinyspad's modules are loaded when they are first asked for; so here they are."""


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
        case="import and first derivative",
        engines={name: importing(module, script) for name, (module, script) in FIRST.items()},
        base="tinyspad",
        unit="process",
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


def importing(module: str, script: str = "") -> Callable[[], Callable[[], Measured]]:
    def make() -> Callable[[], Measured]:
        need(module.split(".")[0])
        return call

    def call() -> Measured:
        seconds, processor = map(float, output(INSIDE.format(script or f"import {module}")).split())
        return Measured(seconds, processor=processor)

    return make


def process(script: str) -> Callable[[], Callable[[], None]]:
    def call() -> None:
        output(script)

    return lambda: call


def output(script: str) -> str:
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", script]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=root, env=with_bytecode()).stdout


@functools.cache
def with_bytecode() -> dict[str, str]:
    """The environment in which Python keeps what it compiles, as it does for people: in a folder of this process's own."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": folder}
