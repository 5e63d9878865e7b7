"""What autograd's tests call: derivatives of order one and two against central differences."""

import numpy as np

from tinyspad import grad

H, CLOSE = 1e-6, 1e-5  # of slopes and curvatures about 1: rounding 1e-10, truncation 1e-12


def check_grads(f, modes=("fwd", "rev"), order=2):
    def check(*args):
        rng = np.random.default_rng(0)
        shape = np.shape(f(*args))
        weights = rng.normal(size=shape) if shape else 1.0

        def number(*at):
            return np.sum(f(*at) * weights)

        for i, x in enumerate(args):
            v = rng.normal(size=np.shape(x))
            sides = [number(*args[:i], x + h * v, *args[i + 1 :]) for h in (H, -H)]
            slope = grad(number, i)
            found = np.sum(slope(*args) * v)
            assert abs(found - (sides[0] - sides[1]) / (2 * H)) <= CLOSE * (1 + abs(found))
            if order > 1:
                check_grads(slope, modes, order - 1)(*args)

    return check
