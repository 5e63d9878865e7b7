"""Containers as one array and back."""

import numpy as np

from .wrap_util import unary_to_nary  # noqa: F401


def const_graph(f, *args, **options):
    raise NotImplementedError("a graph that is kept")


def flatten(x):
    if isinstance(x, (list, tuple, dict)):
        items = [flatten(x[key]) for key in (sorted(x) if isinstance(x, dict) else range(len(x)))]
        flat = np.concatenate([part for part, _ in items]) if items else np.array([])

        def unflatten(flat):
            parts, start = [], 0
            for part, back in items:
                parts.append(back(flat[start : start + len(part)]))
                start += len(part)
            return dict(zip(sorted(x), parts)) if isinstance(x, dict) else type(x)(parts)

        return flat, unflatten
    return np.ravel(x), lambda flat: np.reshape(flat, np.shape(x)) if np.shape(x) else flat[0]
