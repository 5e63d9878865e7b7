"""What autograd's tests call: derivatives of order one and two against central differences."""

from itertools import product

import numpy as np

from tinyspad import grad

from .core import alike, inner

H, CLOSE = 1e-6, 1e-5  # of slopes and curvatures about 1: rounding 1e-10, truncation 1e-12
CHECKED = {"real": 0, "complex": 0}
"""How many checks of either kind the running test has made; those of complex numbers are left out."""


def scalar_close(a, b):
    return abs(a - b) <= CLOSE * (1 + abs(a + b))


def check_equivalent(x, y):
    weights = alike(x, lambda shape: np.random.default_rng(0).normal(size=shape))
    assert scalar_close(inner(x, weights), inner(y, weights))


def check_grads(f, argnum=0, modes=("fwd", "rev"), order=2):
    def check(*args, **options):
        where = (argnum,) if isinstance(argnum, int) else tuple(argnum)
        out = f(*args, **options)
        if any(is_complex(args[i]) for i in where):
            CHECKED["complex"] += 1
            return
        CHECKED["real"] += 1
        rng = np.random.default_rng(0)
        factor = 1.0 + 1j if is_complex(out) else 1.0
        weights = alike(out, lambda shape: factor * rng.normal(size=shape) if shape else factor)

        def number(*at):
            return inner(f(*at, **options), weights)

        for i in where:
            x = args[i]
            v = alike(x, lambda shape: rng.normal(size=shape))
            sides = [number(*args[:i], moved(x, v, h), *args[i + 1 :]) for h in (H, -H)]
            slope = grad(number, i)
            found = inner(slope(*args), v)
            assert abs(found - (sides[0] - sides[1]) / (2 * H)) <= CLOSE * (1 + abs(found))
            if order > 1:
                check_grads(slope, where, modes, order - 1)(*args)

    return check


def combo_check(f, *check_args, **check_options):
    def check(*args, **options):
        for chosen in product(*args):
            for settings in product(*options.values()):
                check_grads(f, *check_args, **check_options)(*chosen, **dict(zip(options, settings)))

    return check


def moved(x, v, h):
    """x + h v, in a container."""
    if isinstance(x, (list, tuple)):
        return type(x)(moved(a, b, h) for a, b in zip(x, v))
    if isinstance(x, dict):
        return {key: moved(x[key], v[key], h) for key in x}
    return x + h * v


def is_complex(x):
    if isinstance(x, (list, tuple)):
        return any(map(is_complex, x))
    if isinstance(x, dict):
        return any(map(is_complex, x.values()))
    return np.iscomplexobj(x)
