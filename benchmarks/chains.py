"""Deep and wide scalar graphs of 100 to a million operations: time and memory per operation, until an engine fails.

- chain: y = y * a + x, over and over, from y = x: the last operation is n deep;
- fan: the products of x with n / 2 numbers, added in pairs, in pairs of pairs and so on: x is read n / 2 times, and the
  graph is only log2(n) deep.

Every engine gets a process of its own for each size, a time limit, and is not asked for more once it has failed.
"""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .resident import rise
from .turns import Failed, Measured, Workload, need, processor_time

Function = Callable[..., Any]
ROOT = Path(__file__).parent.parent


def chain(n: int) -> Function:
    def f(a: Any, x: Any) -> Any:
        y = x
        for _ in range(n // 2):
            y = y * a + x
        return y

    return f


def fan(n: int) -> Function:
    def f(x: Any) -> Any:
        terms = [x * (i / n) for i in range(1, n // 2 + 2)]
        while len(terms) > 1:
            odd = terms[-1:] if len(terms) % 2 else []
            terms = [left + right for left, right in zip(terms[::2], terms[1::2])] + odd
        return terms[0]

    return f


SHAPES: dict[str, tuple[Callable[[int], Function], tuple[float, ...]]] = {
    "chain": (chain, (0.5, 1.0)),
    "fan": (fan, (1.0,)),
}


# --- engines: what differentiates f at the inputs, to be called again and again -----------------------------------------


def by_value(f: Function, inputs: Sequence[float]) -> Callable[[], Any]:
    import tinyspad as ts

    return partial(backward, ts.Value, f, inputs)


def by_trace(f: Function, inputs: Sequence[float]) -> Callable[[], Any]:
    import tinyspad as ts

    return lambda: list(ts.trace(f, *inputs).gradient().values())


def by_program(f: Function, inputs: Sequence[float]) -> Callable[[], Any]:
    import tinyspad as ts

    programs: list[Any] = []

    def gradient() -> Any:
        if not programs:
            programs.append(ts.compile(f))
        return list(programs[0].gradient(*inputs).values())

    return gradient


def by_micrograd(f: Function, inputs: Sequence[float]) -> Callable[[], Any]:
    from micrograd.engine import Value

    return partial(backward, Value, f, inputs)


def by_autograd(f: Function, inputs: Sequence[float]) -> Callable[[], Any]:
    import autograd

    slopes = autograd.grad(f, tuple(range(len(inputs))))
    return lambda: slopes(*inputs)


def by_pytorch(f: Function, inputs: Sequence[float]) -> Callable[[], Any]:
    import torch

    return partial(backward, lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True), f, inputs)


def by_jax(f: Function, inputs: Sequence[float], jit: bool = False) -> Callable[[], Any]:
    import jax

    jax.config.update("jax_enable_x64", True)
    slopes = jax.grad(f, tuple(range(len(inputs))))
    slopes = jax.jit(slopes) if jit else slopes
    return lambda: slopes(*inputs)


def backward(value: Callable[[float], Any], f: Function, inputs: Sequence[float]) -> Any:
    values = [value(v) for v in inputs]
    f(*values).backward()
    return [v.grad for v in values]


ENGINES: dict[str, tuple[str, Callable[[Function, Sequence[float]], Callable[[], Any]]]] = {
    "tinyspad": ("tinyspad", by_value),
    "tinyspad, trace": ("tinyspad", by_trace),
    "tinyspad, compiled": ("tinyspad", by_program),
    "micrograd": ("micrograd", by_micrograd),
    "autograd": ("autograd", by_autograd),
    "PyTorch, eager": ("torch", by_pytorch),
    "JAX, eager": ("jax", by_jax),
    "JAX, jit": ("jax", partial(by_jax, jit=True)),
}


# --- one engine, one size, one process ----------------------------------------------------------------------------------


def alone(engine: str, shape: str, n: int, patience: float) -> None:
    """In a process of its own: print the seconds of the first call and of later ones, the processors' of a later one, the
    bytes, and the gradient."""
    make, inputs = SHAPES[shape]
    call = ENGINES[engine][1](make(n), inputs)

    def timed() -> tuple[float, Any]:
        start = time.perf_counter()
        answer = call()
        return time.perf_counter() - start, [float(g) for g in answer]

    try:
        (cold, answer), size = rise(timed)
        worked = processor_time()
        times, end = [timed()[0]], time.perf_counter() + patience
        while time.perf_counter() < end and len(times) < 100:
            times.append(timed()[0])
        used = (processor_time() - worked) / len(times)
    except (RecursionError, MemoryError) as error:
        print(json.dumps({"failed": type(error).__name__}))
    else:
        found = {"cold": cold, "warm": statistics.median(times), "processor": used, "bytes": size, "answer": answer}
        print(json.dumps(found))


def asked(engine: str, shape: str, n: int, limit: float, patience: float) -> Measured:
    """The same, from outside. Raises Failed if there is no answer, and says how the process ended."""
    script = f"from benchmarks.chains import alone; alone({engine!r}, {shape!r}, {n}, {patience})"
    try:
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=limit, cwd=ROOT)
    except subprocess.TimeoutExpired:
        raise Failed(f"killed after {limit:.0f} s") from None
    if done.returncode < 0:
        raise Failed(f"ended by {signal.Signals(-done.returncode).name}")
    if done.returncode:
        raise Failed(done.stderr.strip().splitlines()[-1][:100])
    told = json.loads(done.stdout.splitlines()[-1])
    if "failed" in told:
        raise Failed(told["failed"])
    memory = {} if told["bytes"] is None else {"resident": told["bytes"]}
    return Measured(told["warm"], told["answer"], told["cold"], told["processor"], memory)


def workloads(small: bool, shape: str) -> Iterator[Workload]:
    sizes, limit = ([100], 20.0) if small else ([10**2, 10**3, 10**4, 10**5, 10**6], 60.0)
    ended: dict[str, str] = {}

    def engine(name: str, n: int) -> Callable[[], Callable[[], Measured]]:
        def make() -> Callable[[], Measured]:
            need(ENGINES[name][0])
            if name in ended:
                raise Failed(f"not asked: {ended[name]}")
            return call

        def call() -> Measured:
            try:
                return asked(name, shape, n, limit, 0.0 if small else 1.0)
            except Failed as reason:
                ended[name] = f"{reason} at {n}"
                raise

        return make

    for n in sizes:
        yield Workload(
            name=shape,
            case=f"{n} operations",
            engines={name: engine(name, n) for name in ENGINES},
            base="tinyspad",
            unit="operation",
            units=n,
            turns=1 if small else 3 if n < 10**5 else 2,
            fresh=True,
            size=n,
        )
