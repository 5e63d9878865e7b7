"""Second derivatives: the product of a Hessian with a vector, in gradients of the same engine's own kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tinyspad as ts

from .turns import Workload


def rosenbrock(x: Any, xp: Any) -> Any:
    return xp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def logistic(n: int, d: int) -> Callable[[Any, Any], Any]:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, d)), rng.choice([-1.0, 1.0], n)
    return lambda w, xp: xp.mean(xp.logaddexp(0.0, -y * (x @ w)))


def network(n: int, hidden: int) -> Callable[[Any, Any], Any]:
    """A hidden layer of tanh on ten inputs, all its weights in one vector."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 10)), rng.normal(size=n)

    def loss(w: Any, xp: Any) -> Any:
        first, second = xp.reshape(w[: 10 * hidden], (10, hidden)), w[10 * hidden :]
        return xp.mean((xp.tanh(x @ first) @ second - y) ** 2)

    return loss


def number(x: Any, xp: Any) -> Any:
    return x**2 * (2 + xp.cos(4 * x))


def workloads(small: bool) -> Iterator[Workload]:
    yield of("f1, a number", number, (), small)
    for n in (5,) if small else (5, 1000, 100_000):
        yield of(f"Rosenbrock, {n} numbers", rosenbrock, (n,), small)
    for n, d in ((10, 2),) if small else ((100, 5), (2000, 50), (20_000, 100)):
        yield of(f"logistic regression, {n} x {d}", logistic(n, d), (d,), small)
    for n, hidden in ((5, 2),) if small else ((20, 8), (500, 64), (2000, 256)):
        yield of(f"hidden layer of {hidden}, {n} rows", network(n, hidden), (11 * hidden,), small)


def of(case: str, f: Callable[[Any, Any], Any], shape: tuple[int, ...], small: bool) -> Workload:
    rng = np.random.default_rng(1)
    x, v = rng.normal(size=shape), rng.normal(size=shape)
    if not shape:
        x, v = float(x), float(v)

    def with_numpy(w: Any) -> Any:
        return f(w, np)

    def gradient() -> Callable[[], None]:
        slope = ts.grad(with_numpy)

        def call() -> None:
            slope(x)

        return call

    def by_autograd(second: bool) -> Callable[[], Any]:
        import autograd
        import autograd.numpy as anp

        slope = autograd.grad(lambda w: f(w, anp))
        product = autograd.make_hvp(lambda w: f(w, anp))  # as its users do

        def call() -> Any:
            if second:
                return product(x)[0](v)
            slope(x)
            return None

        return call

    def by_jax(second: bool) -> Callable[[], Any]:
        import jax

        jax.config.update("jax_enable_x64", True)
        import jax.numpy as jnp

        slope = jax.jit(jax.grad(lambda w: f(w, jnp)))
        product = jax.jit(lambda w, u: jax.jvp(jax.grad(lambda w: f(w, jnp)), (w,), (u,))[1])  # forward over reverse

        def call() -> Any:
            if second:
                return np.asarray(product(x, v))
            slope(x).block_until_ready()
            return None

        return call

    return Workload(
        name="second",
        case=case,
        engines={
            "tinyspad, gradient": gradient,
            "tinyspad, Hessian times vector": lambda: lambda: ts.hvp(with_numpy, x, v),
            "autograd, gradient": lambda: by_autograd(False),
            "autograd, Hessian times vector": lambda: by_autograd(True),
            "JAX, jit, gradient": lambda: by_jax(False),
            "JAX, jit, Hessian times vector": lambda: by_jax(True),
        },
        base="tinyspad, gradient",
        unit="call",
        turns=1 if small else 5,
        seconds=0.0 if small else 0.1,
        size=int(np.size(x)),
    )
