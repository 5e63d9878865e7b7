"""Tables 1 and 2 whole, from a fresh process to the printed rates: tinyspad with two workers, and JAX with jit and scan.

Both sides draw 1000 starts from the same boxes and take 2000 steps of Adam in double precision with GD, RAD, and SPAD with
k_max 5 and 50. JAX runs the sources that ``ts.compile`` generates, with jax.numpy in NumPy's place: so it has every path's
contribution, too. Its random numbers are others, so its rates are not compared.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .turns import Workload, need


def workloads(small: bool) -> Iterator[Workload]:
    runs, steps = (20, 20) if small else (1000, 2000)
    table = ["-m", "tinyspad", "table", "1", "2", "--runs", str(runs), "--steps", str(steps)]

    def printed(arguments: list[str]) -> str:
        root = Path(__file__).parent.parent
        command = [sys.executable, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=root).stdout

    def jax() -> Callable[[], Any]:
        need("jax")
        script = f"from benchmarks.tables import with_jax; with_jax({runs}, {steps}, {1 if small else 4})"
        return lambda: printed(["-c", script])[:0] or None

    yield Workload(
        name="tables",
        case=f"{runs} runs, {steps} steps",
        engines={
            "tinyspad, 2 workers": lambda: lambda: printed([*table, "--workers", "2"]),
            "tinyspad, 1 process": lambda: lambda: printed(table),
            "JAX, jit and scan": jax,
        },
        base="tinyspad, 2 workers",
        unit="run of both tables",
        turns=1 if small else 5,
        fresh=True,
        apart=lambda a, b: float(a != b),
    )


def with_jax(runs: int, steps: int, functions: int = 4) -> None:
    """The two tables by JAX, as rates in percent, or their first rows."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    import tinyspad as ts

    def chosen(kind: str, listed, key, index, t, k_max):  # one gradient of each parameter, and the paths held
        gradients, indices = [], []
        for terms, held in zip(listed, index):
            n = len(terms)
            key, own = jax.random.split(key)
            if kind == "RAD":
                held = jax.random.randint(own, held.shape, 0, n)
            else:
                held = jnp.where(t % k_max == 0, jnp.argmax(jnp.abs(terms), axis=0), held)
            gradients.append(jnp.take_along_axis(terms, held[None], axis=0)[0])
            indices.append(held)
        return gradients, indices

    for name, box in list(ts.experiments.PAPER_BOXES.items())[:functions]:
        program, space = ts.compile(ts.functions.ALL[name]), {"np": jnp}
        for kind in ("forward", "gradient", "paths"):
            exec(program.source(kind), space)

        def run(kind: str, starts, key, k_max, space=space):
            def step(state, t):
                p, m, v, index, key = state
                key, own = jax.random.split(key)
                if kind == "GD":
                    g = list(space["gradient"](*p))
                else:
                    listed = [jnp.stack(jnp.broadcast_arrays(*terms)) for terms in space["paths"](*p).values()]
                    g, index = chosen(kind, listed, own, index, t, k_max)
                m = [0.9 * a + 0.1 * b for a, b in zip(m, g)]
                v = [0.999 * a + 0.001 * b * b for a, b in zip(v, g)]
                n = t + 1
                p = [x - 0.01 * (a / (1 - 0.9**n)) / (jnp.sqrt(b / (1 - 0.999**n)) + 1e-8) for x, a, b in zip(p, m, v)]
                return (p, m, v, index, key), None

            zero = [jnp.zeros(runs) for _ in starts]
            index = [jnp.zeros(runs, int) for _ in starts]
            (p, *_), _ = jax.lax.scan(step, (starts, zero, zero, index, key), jnp.arange(steps))
            return space["forward"](*p)

        compiled = jax.jit(run, static_argnums=0)
        key = jax.random.key(0)
        starts = [jax.random.uniform(k, (runs,), float, *side) for k, side in zip(jax.random.split(key), box)]
        row = []
        for kind, k_max in (("GD", 1), ("RAD", 1), ("SPAD", 5), ("SPAD", 50)):
            away = compiled(kind, starts, key, k_max) - ts.functions.ALL[name].minimum
            row += [100 * float((away < limit).mean()) for limit in (0.05, 0.01)]
        print(name.ljust(10), *(f"{cell:5.1f}" for cell in row))
