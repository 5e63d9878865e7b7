"""A structure and its weights as one value, and the path algebra over it, for tests that draw graphs."""

from typing import Any, NamedTuple

import numpy as np

from tinyspad import paths
from tinyspad.paths import *  # noqa: F403
from tinyspad.paths import Route, Structure


class Graph(NamedTuple):
    structure: Structure
    weight: Any

    @classmethod
    def of(cls, out_edges, output):
        return cls(*Structure.of(out_edges, output))

    def weighing(self, weight):
        """The same edges with other weights."""
        return Graph(self.structure, weight)

    def __getattr__(self, name):
        return getattr(self.structure, name)


def _over_weights(function):
    return lambda graph, *args, **options: function(graph.structure, graph.weight, *args, **options)


def _over_edges(function):
    return lambda graph, *args, **options: function(graph.structure, *args, **options)


sweep, sweep_from, sweep_to = map(_over_weights, (paths.sweep, paths.sweep_from, paths.sweep_to))
largest_sizes, top_runs, draw_many = map(_over_weights, (paths.largest_sizes, paths.top_runs, paths.draw_many))
by_magnitude, moments = map(_over_weights, (paths.by_magnitude, paths.moments))
by_path, by_branch, with_floor, mean_length = map(
    _over_edges, (paths.by_path, paths.by_branch, paths.with_floor, paths.mean_length)
)
counts, enumerate_paths, ranks_of, settle = map(
    _over_edges, (paths.counts, paths.enumerate_paths, paths.ranks_of, paths.settle)
)
draw_runs = _over_edges(paths.draw_runs)


def best(graph, source, shape=()):
    return paths.best(*graph, source, largest_sizes(graph), shape)


def top(graph, source, n):
    return paths.top(*graph, source, n, largest_sizes(graph)[0])


def draw(graph, source, rng, chances):
    route, probability = paths.draw(graph.structure, source, rng, chances)
    return route.edges, probability


def unrank(graph, source, index):
    return Route(graph.structure, source, index=index).edges


def routed(graph, source, index):
    """One path for each of many runs, by index."""
    index = np.asarray(index)
    return Route(graph.structure, source, index=index, shape=index.shape)


def product(graph, edges, one=1.0):
    for e in reversed(edges):
        one = one * graph.weight[e]
    return one


def route_of(graph, source, edges):
    turning = {graph.tail[e]: e - graph.start[graph.tail[e]] for e in edges if graph.structure.copies[e]}
    return Route(graph.structure, source, branches=turning)
