"""GD, RAD and FixedPath: all paths, a uniformly random one, always the same one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arguments import Array, Data, State, set_integer
from ..errors import BadInput
from ..lcg import Elements
from ..linearization import Linearization, Linearized
from ..paths import counts, walk_many
from .base import (
    Cost,
    Estimator,
    Held,
    HeldWalks,
    aligned,
    as_float,
    everywhere,
    kept,
    kept_walks,
    mean_and_variance,
    nothing,
    over_probability,
    over_runs,
    path_cost,
    times_number,
)
from .draw import ALL_PATHS, Draw
from .numbers import asks_numbers


@dataclass(frozen=True)
class GD(Estimator):
    """Gradient descent: all paths, the exact gradient by one reverse sweep.

    >>> import numpy as np, tinyspad as ts
    >>> lcg = ts.trace(lambda x: x * x, 3.0)
    >>> ts.GD().draw(lcg, "x", None, np.random.default_rng(0)).gradient
    6.0
    """

    paths_only = True

    def draw(self, lcg: Linearized, param: str, state: State, rng: np.random.Generator) -> Draw:
        return Draw(lcg.adjoint(param), everywhere(lcg, ALL_PATHS), None)

    @asks_numbers
    def probabilities(self, lcg: Linearized, param: str) -> Array:
        """Ones: every path is followed."""
        return np.ones((len(lcg.path_gradients(param)), *lcg.batch))

    def moments(self, lcg: Linearized, param: str) -> tuple[Data, Data]:
        """The gradient, and zero."""
        gradient = lcg.adjoint(param)
        return gradient, abs(0.0 * gradient)

    @asks_numbers
    def cost(self, lcg: Linearized, param: str | None = None) -> Cost:
        """One reverse sweep over all that lies behind the parameter, or behind all."""
        return Cost(lcg.factors(param), lcg.factors(param))


@dataclass(frozen=True)
class RAD(Estimator):
    """Randomized automatic differentiation: one path, drawn uniformly (Oktay et al. 2020; paper, eq. (4)).

    ``by``: "path" draws uniformly over the N paths, "branch" uniformly at each tupling node that is met.
    ``normalize=True`` divides by the probability of what was drawn (by path: multiplies by N), which makes the estimate
    unbiased; otherwise its mean over paths is gradient / N. ``hold``: a path is kept for this many steps.

    Normalised by path, E[ghat**2] = N sum g_i**2. Exact moments take one sweep: no path is listed.

    >>> import tinyspad as ts
    >>> lcg = ts.trace(lambda x: x * x, 3.0)
    >>> ts.RAD().expectation(lcg, "x"), ts.RAD(normalize=True).expectation(lcg, "x")
    (3.0, 6.0)
    """

    paths_only = True

    by: str = "path"
    normalize: bool = False
    hold: int = 1

    def __post_init__(self) -> None:
        if self.by not in ("path", "branch"):
            raise BadInput(f'RAD: by= is "path" or "branch", not {self.by!r}.')
        set_integer(self, "hold")

    def draw(self, lcg: Linearized, param: str, state: State, rng: np.random.Generator) -> Draw:
        if not lcg.count_paths(param):
            return nothing(lcg, param)
        held = kept(state, lcg) or self._drawn(lcg, param, rng)
        if self.normalize and self.by == "path":
            gradient = times_number(lcg, param, held.route)
        else:
            gradient = lcg.follow(param, held.route, lcg.chances("branch") if self.normalize else None)
        return Draw(gradient, held.route, held._replace(left=held.left - 1))

    def draw_together(self, lcg: Linearization, sources: Array, state: State, rng: np.random.Generator) -> Draw | None:
        """A path of each, all walked at once."""
        chances, structure = lcg.chances(self.by), lcg.structure
        held = kept_walks(state, lcg.signature)
        if held is None:
            held = HeldWalks(walk_many(structure, sources, rng, chances), lcg.signature, self.hold)
        number = np.array([as_float(n) for n in counts(structure)[sources[0] : sources[-1] + 1]])
        over = chances.share if self.normalize and (self.by == "branch" or np.max(number) >= 1e300) else None
        found = held.walks.product(lcg.carried, over)
        if found is None:
            return None
        gradient = found * number if self.normalize and over is None else found
        return Draw(gradient, held.walks, held._replace(left=held.left - 1))

    def draw_over_arrays(self, elements: Elements, param: str, state: State, rng: np.random.Generator) -> Draw:
        """A path of each, uniform over its paths up to rounding."""
        if self.by != "path":
            raise BadInput('RAD(by="branch") among so many edges is not offered; RAD() draws uniformly over all paths.')
        held = kept_walks(state, elements.signature_of_walks)
        if held is None:
            held = HeldWalks(elements.walk(param, rng), elements.signature_of_walks, self.hold)
        found = held.walks.product(elements.at)
        if self.normalize:
            found = found * np.ravel(elements.float_counts()[param])
        return Draw(found, held.walks, held._replace(left=held.left - 1))

    def _drawn(self, lcg: Linearized, param: str, rng: np.random.Generator) -> Held:
        if self.by == "path" and lcg.count_paths(param) < 2**63:
            route = lcg.route(param, lcg.draw_index(param, rng))
        else:  # without the table of counts, which is large where they are
            route = lcg.draw_route(param, rng, lcg.chances(self.by))
        return Held(route, lcg.signature, self.hold)

    @asks_numbers
    def probabilities(self, lcg: Linearized, param: str) -> Array:
        """The probability of each path, shape (N,) or (N, R): 1 / N, or the product of 1 / branches."""
        return lcg.path_probabilities(param, lcg.chances(self.by))

    def moments(self, lcg: Linearized, param: str) -> tuple[Data, Data]:
        if lcg.elementwise:
            return lcg.moments(param, lcg.chances(self.by), self.normalize)
        g = lcg.path_gradients(param)
        p = aligned(self.probabilities(lcg, param), g)
        return mean_and_variance(p, over_probability(g, p) if self.normalize else g)

    @property
    def steps_per_draw(self) -> int:  # type: ignore[override]
        """How many steps in a row share their randomness."""
        return self.hold

    @asks_numbers
    def cost(self, lcg: Linearized, param: str | None = None) -> Cost:
        """The mean length of a path."""
        return path_cost(lcg, param, lambda name: lcg.mean_length(name, lcg.chances(self.by)))


@dataclass(frozen=True)
class FixedPath(Estimator):
    """Always the path with this index (Figure 3, green and black-dashed).

    >>> import tinyspad as ts
    >>> round(ts.FixedPath(0).expectation(ts.trace(ts.functions.f1, 5.0), "x"), 2)
    24.08
    """

    paths_only = True

    index: int

    def __post_init__(self) -> None:
        set_integer(self, "index", least=0)

    def draw(self, lcg: Linearized, param: str, state: State, rng: np.random.Generator) -> Draw:
        if not lcg.count_paths(param):
            return nothing(lcg, param)
        lcg.nth_path(param, self.index)  # names the number of paths if there is no such path
        return Draw(lcg.path_gradient(param, self.index), everywhere(lcg, self.index), None)

    @asks_numbers
    def probabilities(self, lcg: Linearized, param: str) -> Array:
        """One for this path, zero for the others."""
        lcg.nth_path(param, self.index)
        p = np.zeros(len(lcg.path_gradients(param)))
        p[self.index] = 1.0
        return over_runs(p, lcg)

    def moments(self, lcg: Linearized, param: str) -> tuple[Data, Data]:
        """The path's contribution, and zero."""
        if not lcg.count_paths(param):
            return lcg.adjoint(param), abs(0.0 * lcg.adjoint(param))
        gradient = lcg.path_gradient(param, self.index)
        return gradient, abs(0.0 * gradient)

    @asks_numbers
    def cost(self, lcg: Linearized, param: str | None = None) -> Cost:
        """The length of the path."""
        return path_cost(lcg, param, lambda name: lcg.length(name, lcg.route(name, self.index)))
