"""Tables 1 and 2 whole, from a fresh process to the printed rates: tinyspad with two workers, and JAX with jit and scan.

    python -m benchmarks.tables [--small]

Both sides draw 1000 starts from the same boxes and take 2000 steps of Adam in double precision with GD, RAD, and SPAD with
k_max 5 and 50. JAX runs the sources that ``ts.compile`` generates, with jax.numpy in NumPy's place: so it has every path's
contribution, too. It is left out where it is not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import time


def with_jax(runs: int, steps: int) -> None:
    """The two tables by JAX, as rates in percent."""
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

    for name, box in ts.experiments.PAPER_BOXES.items():
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="few runs and steps, for the tests")
    parser.add_argument("--jax", action="store_true", help=argparse.SUPPRESS)  # the other side's process
    options = parser.parse_args()
    runs, steps, turns = (20, 20, 1) if options.small else (1000, 2000, 5)
    if options.jax:
        with_jax(runs, steps)
        return
    table = ["-m", "tinyspad", "table", "1", "2", "--runs", str(runs), "--steps", str(steps)]
    sides = {"tinyspad, 2 workers": [*table, "--workers", "2"], "tinyspad, 1 process": table}
    if importlib.util.find_spec("jax") is not None:
        sides["JAX, jit and scan"] = ["-m", "benchmarks.tables", "--jax", *["--small"] * options.small]
    else:
        print("jax is not installed: left out")
    times: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(turns):
        for name, argv in sides.items():
            start = time.perf_counter()
            told = subprocess.run([sys.executable, *argv], check=True, capture_output=True, text=True).stdout
            times[name].append(time.perf_counter() - start)
            if not turn:
                print(f"{name}:\n{told}")
    medians = {name: statistics.median(t) for name, t in times.items()}
    for name, seconds in medians.items():
        ratio = seconds / medians["tinyspad, 2 workers"]
        print(f"{name:22s}{seconds:7.2f} s   {ratio:5.2f} times tinyspad with 2 workers ({turns} turns)")


if __name__ == "__main__":
    main()
