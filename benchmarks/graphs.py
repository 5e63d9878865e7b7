"""Random layered graphs for the benchmarks, as bare edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyspad.paths import Structure


def layered(width: int, layers: int, degree: int, rng: np.random.Generator) -> tuple[Structure, list[Any]]:
    """A source, ``layers`` layers of ``width`` nodes, an output; every node has ``degree`` edges into the next layer.

    Weights are normal with variance 1 / degree, so that contributions neither vanish nor explode with depth.
    """
    first = 1 + width * np.arange(layers + 1)
    out_edges: list[list[tuple[int, float]]] = [list(zip(range(1, width + 1), rng.normal(size=width).tolist()))]
    for layer in range(layers - 1):
        heads = (first[layer + 1] + rng.integers(width, size=(width, degree))).tolist()
        weights = (rng.normal(size=(width, degree)) / np.sqrt(degree)).tolist()
        out_edges += [list(zip(h, w)) for h, w in zip(heads, weights)]
    output = 1 + width * layers
    out_edges += [[(output, w)] for w in rng.normal(size=width).tolist()]
    return Structure.of([*out_edges, []], output)
