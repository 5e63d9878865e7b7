"""What an estimator may ask of a function at a point, whether an LCG answers, a program, or a batch of observations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ..arguments import Array, Data
from ..paths import Chances, Moments, Path, Route, Structure


class Linearized(Protocol):
    """A function at a point, as far as its paths are concerned.

    ``param`` is a parameter's name. In a batch of runs what is said of a path is said of one path for each run, in arrays of
    the runs' shape.
    """

    # --- what there is ---------------------------------------------------------------------------------------

    @property
    def params(self) -> tuple[str, ...]:
        """The parameters' names."""

    @property
    def arguments(self) -> tuple[Data, ...]:
        """The point: of each parameter a number or an array."""

    @property
    def value(self) -> Data:
        """The output."""

    @property
    def batch(self) -> tuple[int, ...]:
        """The shape of the runs: () for one, (R,) for R independent ones."""

    @property
    def elementwise(self) -> bool:
        """Whether sizes multiply along a path; where not, only a listing compares them."""

    @property
    def signature(self) -> Data:
        """Equal for two points at which the same program ran, so that a path of one is a path of the other."""

    @property
    def structure(self) -> Structure:
        """The edges without their weights."""

    def check_differentiable(self) -> None:
        """Raise NotScalar if there is no single gradient."""

    def observing(self, weight: Data, runs: tuple[int, ...]) -> Linearized:
        """This batch as observations of these weights, shape (K, *runs), that share a path in each run."""

    # --- the gradient, and what each path contributes to it ----------------------------------------------------

    def gradient(self) -> dict[str, Data]:
        """The gradient by parameter."""

    def adjoint(self, param: str | None = None) -> Data:
        """The gradient with respect to one parameter."""

    def count_paths(self, param: str | None = None) -> int:
        """The exact number of paths."""

    def paths(self, param: str | None = None, *, limit: int = ...) -> list[Path]:
        """All paths, in order."""

    def nth_path(self, param: str | None = None, index: int = 0) -> Path:
        """The path of this number."""

    def path_gradients(self, param: str | None = None, *, limit: int = ...) -> Array:
        """Every path's contribution, listed."""

    def path_gradient(self, param: str | None, index: Data) -> Data:
        """The contribution of the path of this number."""

    def path_sizes(self, param: str | None = None) -> Array:
        """The size of every path's contribution, listed."""

    def path_shares(self, param: str | None = None) -> Array:
        """The same as shares of their sum."""

    def best_path(self, param: str | None = None) -> Data:
        """The path of the largest size: a ``Path``, or a ``PathArray``."""

    def top_paths(self, param: str | None = None, n: int = 5) -> Data:
        """The n paths of the largest sizes."""

    # --- paths as routes, which stay good as long as the signature does ------------------------------------------

    def route(self, param: str | None, index: Data) -> Route:
        """The path of this number."""

    def best_route(self, param: str | None = None) -> Route:
        """The path of the largest size."""

    def best_index(self, param: str | None = None) -> Data:
        """Its number."""

    def follow(self, param: str | None, route: Route, chances: Chances | None = None) -> Data:
        """What a path contributes, over its probability if there are ``chances``."""

    def product(self, edges: Sequence[int]) -> Data:
        """What the path of these edges contributes."""

    # --- drawing -------------------------------------------------------------------------------------------------

    def chances(self, by: str, param: str | None = None) -> Chances:
        """Branch probabilities, of one parameter or for all: "path", "branch" or "magnitude"."""

    def path_probabilities(self, param: str | None, chances: Chances) -> Array:
        """The probability of every path, listed."""

    def draw_route(self, param: str | None, rng: np.random.Generator, chances: Chances) -> Route:
        """A random path."""

    def draw_index(self, param: str | None, rng: np.random.Generator, by: str = "path") -> Data:
        """The number of a random path."""

    def draw_distinct(self, param: str | None, rng: np.random.Generator, m: int) -> Data:
        """The numbers of m different paths, or of all if there are fewer."""

    def draw_others(self, param: str | None, rng: np.random.Generator, index: Data) -> Data:
        """The number of another path than this one."""

    # --- exact sums over all paths ---------------------------------------------------------------------------------

    def moments(self, param: str | None, chances: Chances, normalize: bool) -> tuple[Data, Data]:
        """Mean and variance of what a random path contributes."""

    def largest_and_others(self, param: str | None = None) -> tuple[Data, Moments]:
        """What the best path contributes, and number, mean and deviation of the others."""

    def log_mass(self, param: str | None = None) -> Data:
        """The logarithm of the sum of all sizes."""

    def factors(self, param: str | Sequence[str] | None = None) -> int:
        """The multiplications of one sweep."""

    def length(self, param: str | None, route: Route) -> Data:
        """The number of factors on a path."""

    def lengths(self, param: str | None) -> Array:
        """Of every path, listed."""

    def mean_length(self, param: str | None, chances: Chances) -> Data:
        """Of a random path, on average."""
