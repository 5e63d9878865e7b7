"""The estimator laboratory: exact bias and variance of estimators at a point, or along an axis, what a step costs, and a
Monte Carlo check of it all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import briefly, generator, integer, name_of
from ..displays import cut, few, line, page
from ..errors import BadInput, TinyspadError
from ..estimators import GD, RAD, SPAD, Cost, Estimator, FixedPath, Magnitude, NearestPath, as_draw
from ..lcg import LCG, trace
from ..linearization import Linearized
from ..table import Table

ESTIMATORS: dict[str, Estimator] = {
    "GD": GD(),
    "RAD": RAD(),
    "RAD, normalised": RAD(normalize=True),
    "RAD by branch, normalised": RAD(by="branch", normalize=True),
    "SPAD": SPAD(),
    "SPAD, k_max 50": SPAD(k_max=50),
    "SPAD, eps 0.1, normalised": SPAD(epsilon=0.1, normalize=True),
    "NearestPath": NearestPath(),
    "Magnitude": Magnitude(),
    "Magnitude, k_max 50": Magnitude(k_max=50),
}
"""What ``laboratory`` compares unless told otherwise; it adds SPAD with the best epsilon where there is one for all."""

ALONG = ("GD", "RAD", "RAD, normalised", "SPAD", "SPAD, eps 0.1, normalised", "Magnitude")
"""Those of them that are compared along an axis, where more curves than that cannot be told apart."""


@dataclass(frozen=True)
class Measured:
    """One estimator of the gradient by all parameters, at a point or in arrays along an axis.

    ``bias``: the norm of expectation - gradient over the parameters. ``variance``: the sum of the parameters' variances.
    ``drawn_variance``: that of the draws, ``drawn_error`` its standard error. ``z``: how many standard errors the mean
    of the draws is from the exact expectation, the largest over the parameters (0 if nothing is random). ``cost``:
    multiplications and partial derivatives held, on average per step.
    """

    estimator: Estimator
    bias: Any
    variance: Any
    drawn_variance: Any
    drawn_error: Any
    z: Any
    cost: Cost

    @property
    def variance_times_cost(self) -> Any:
        """Variance times the multiplications of an independent draw: those of all steps that share its randomness."""
        return self.variance * self.cost.multiplications * self.estimator.steps_per_draw

    def error(self, multiplications: Any) -> Any:
        """The root mean square error of the mean of as many draws as so many multiplications pay for.

        sqrt(bias**2 + variance * cost / multiplications): averaging takes the variance away and leaves the bias. Where that
        pays for less than one draw it extrapolates, to the error that one draw's cost stands for.
        """
        return np.hypot(self.bias, np.sqrt(self.variance_times_cost / max(multiplications, 1)))


COLUMNS = (
    "estimator",
    "bias",
    "variance",
    "drawn variance",
    "z of mean",
    "multiplications",
    "held",
    "variance x cost",
    "error at GD's cost",
)
NOTES = """\
bias and variance are exact; drawn variance and z (standard errors between mean and expectation) are those of
the draws: a z above 5 hints at an error, or at draws too few to meet the rare ones. multiplications and held
are per step; the last two columns compare at equal cost, where lower is better."""


@dataclass(frozen=True, repr=False)
class Laboratory:
    """Estimators side by side; ``print`` it, or ``plot.laboratory`` it. A notebook shows it as a table.

    ``point``: where, by parameter name. ``gradient``: the exact one. ``paths``: how many each parameter has. ``rows``: a
    ``Measured`` by name. ``left_out``: why an estimator has no row. ``gradient_cost``: the multiplications of one exact
    gradient by all parameters, a reverse sweep. ``draws``: how many the check took; ``seed`` of it.
    """

    function: str
    point: dict[str, Any]
    gradient: dict[str, Any]
    paths: dict[str, Any]
    rows: dict[str, Measured]
    left_out: dict[str, str]
    gradient_cost: int
    draws: int
    seed: Any

    def table(self, digits: str = ".4g") -> list[tuple[str, ...]]:
        """The rows as text, under ``COLUMNS``; along an axis the mean over the points (of z the largest)."""
        found = []
        rounding = 1e-12 * max((float(np.max(np.abs(g), initial=0.0)) for g in self.gradient.values()), default=0.0)
        for name, row in self.rows.items():
            cells = [
                np.mean(np.where(row.bias <= rounding, 0.0, row.bias)),
                np.mean(row.variance),
                np.mean(row.drawn_variance),
                np.max(row.z),
                np.mean(row.cost.multiplications),
                np.mean(row.cost.held),
                np.mean(row.variance_times_cost),
                np.mean(row.error(self.gradient_cost)),
            ]
            found.append((name, *(format(float(cell), digits) for cell in cells)))
        return found

    def __str__(self) -> str:
        return "\n\n".join(filter(None, (self.title, str(Table(COLUMNS, self.table())), self._left_out, NOTES)))

    def __repr__(self) -> str:
        n = len(self.rows)
        parts = "; ".join(self.title_parts(20))
        return line(f"Laboratory of {n} estimator{'s' * (n != 1)}: {parts}")

    def _repr_html_(self) -> str:
        return page(self.title, Table(COLUMNS, self.table()), self._left_out, " ".join(NOTES.splitlines()))

    @property
    def _left_out(self) -> str:
        return "\n".join(f"{name} is left out: {why}" for name, why in self.left_out.items())

    def to_markdown(self) -> str:
        """The table in Markdown."""
        return Table(COLUMNS, self.table()).markdown()

    def to_csv(self) -> str:
        """The table as comma-separated values, with all digits."""
        return Table(COLUMNS, self.table(".17g")).csv()

    @property
    def title(self) -> str:
        """The function, the point, the paths, the draws."""
        return "; ".join(self.title_parts(10**4))

    def title_parts(self, most: int) -> tuple[str, ...]:
        """The same in parts, with names and formulas of at most so many letters, and the first few parameters."""
        shown = 4 if most < 10**4 else len(self.point)
        where = few((f"{cut(name, most)} = {_place(x)}" for name, x in self.point.items()), shown, 10**4)
        paths = few((_counted(cut(name, most), number) for name, number in self.paths.items()), shown, 10**4)
        draws = f"{self.draws} draws, seed {self.seed}"
        return f"{cut(self.function, 3 * most)} at {where}", f"paths: {paths}", draws


def laboratory(
    f: Callable[..., Any],
    *point: Any,
    estimators: Mapping[str, Estimator] | None = None,
    draws: int = 10_000,
    rng: int | np.random.Generator | None = 0,
) -> Laboratory:
    """Exact bias and variance of estimators at a point or along an axis, what a step costs, and a Monte Carlo check.

    ``f``: a plain NumPy function. ``point``: its arguments, numbers; or arrays of shape (R,) if f is elementwise, for R
    points at once. Of a function of arrays every number counts, and draws, as a parameter of its own. ``estimators``: a
    dict by name, ``ESTIMATORS`` if left out. ``draws``: fresh draws per estimator and point. An estimator whose exact
    moments would need too many paths listed is left out, with the reason. Raises BadInput for no draws or no estimators,
    and what ``trace`` raises. Cost: a few sweeps, and draws * points * O(edges) per estimator.

    >>> import tinyspad as ts
    >>> lab = ts.experiments.laboratory(ts.functions.f1, 5.0, draws=2000)
    >>> print(lab)  # doctest: +ELLIPSIS
    f1 at x = 5; paths: 2 of x; 2000 draws, seed 0
    ...
    >>> round(lab.rows["RAD"].bias, 2), round(lab.rows["Magnitude"].variance)
    (33.61, 8794)
    """
    integer(draws, "laboratory: draws", least=2)
    lcg = trace(f, *point)
    lcg.check_differentiable()
    if estimators is not None and not (isinstance(estimators, Mapping) and estimators):
        raise BadInput('laboratory: estimators is a dict of names, such as {"RAD": RAD()}.')
    if lcg.batch and not np.size(lcg.value):
        raise BadInput("laboratory: there are no points; the arguments are empty arrays.")
    numbers = None if lcg.elementwise else lcg.elements()
    asked = lcg if numbers is None else numbers.linearization
    chosen = _default(asked) if estimators is None else dict(estimators)
    rows, left_out = {}, {}
    seed: Any = generator(rng).spawn(1)[0].bit_generator.seed_seq  # one for all: a row does not depend on the others
    for name, estimator in chosen.items():
        try:
            if not isinstance(estimator, Estimator):
                what = estimator.__name__ if isinstance(estimator, type) else type(estimator).__name__
                raise BadInput(f"{what} is no ts.Estimator, so its exact moments are not known.")
            with np.errstate(all="ignore"):  # NaN and infinity show in the table
                rows[str(name)] = _measure(asked, estimator, int(draws), np.random.default_rng(seed))
        except (TinyspadError, NotImplementedError) as problem:
            left_out[str(name)] = problem.message if isinstance(problem, TinyspadError) else str(problem)
    return Laboratory(
        name_of(f),
        dict(zip(lcg.params, lcg.arguments)),
        lcg.linearization.gradient(),
        {name: lcg.count_paths(name) if numbers is None else numbers.count_paths(name) for name in lcg.params},
        rows,
        left_out,
        asked.factors(),
        int(draws),
        rng if isinstance(rng, (int, np.integer)) else "not given",
    )


def _default(lcg: Linearized) -> dict[str, Estimator]:
    chosen = {name: ESTIMATORS[name] for name in ALONG} if lcg.batch else dict(ESTIMATORS)
    if lcg.elementwise and not lcg.batch and len(lcg.params) == 1 and lcg.count_paths() > 1:
        best = SPAD.best_epsilon(lcg, lcg.params[0])
        if 0 < best < 1:
            chosen[f"SPAD, best eps {best:.3g}, normalised"] = SPAD(epsilon=best, normalize=True)
    if not lcg.batch and all(lcg.count_paths(name) > 0 for name in lcg.params):
        chosen["first path alone"] = FixedPath(0)
    return chosen


def _measure(lcg: Linearized, estimator: Estimator, draws: int, rng: np.random.Generator) -> Measured:
    bias: Any = 0.0
    variance: Any = 0.0
    drawn_variance: Any = 0.0
    squared_error: Any = 0.0
    z: Any = 0.0
    for name in lcg.params:
        mean, exact = estimator.moments(lcg, name)
        drawn = _draw(lcg, estimator, name, draws, rng)
        bias = np.hypot(bias, mean - lcg.adjoint(name))
        variance = variance + exact
        away = drawn - drawn[0]  # so that draws that are all alike have variance 0 exactly
        spread, fourth = np.var(away, axis=0, ddof=1), np.mean((away - np.mean(away, axis=0)) ** 4, axis=0)
        drawn_variance = drawn_variance + spread
        squared_error = squared_error + np.maximum(fourth - spread**2, 0.0) / draws
        apart = np.abs(np.sum(drawn / draws, axis=0) - mean)
        rounding = 1e4 * np.finfo(drawn.dtype).eps * (np.abs(mean) + np.sqrt(exact))
        error = np.sqrt(exact / draws)
        off = np.where(apart <= rounding, 0.0, apart / np.where(error > 0, error, np.finfo(float).tiny))
        z = np.maximum(z, off)
    numbers = (bias, variance, drawn_variance, np.sqrt(squared_error), z)
    bias, variance, drawn_variance, error, z = (x if np.ndim(x) else float(x) for x in numbers)
    return Measured(estimator, bias, variance, drawn_variance, error, z, estimator.cost(lcg))


def _draw(lcg: Linearized, estimator: Estimator, name: str, draws: int, rng: np.random.Generator) -> Any:
    """Independent fresh draws, shape (draws, ...): as so many runs of a batch, one after the other where f takes none."""
    if isinstance(lcg, LCG):
        try:
            many = lcg.retrace(*(np.broadcast_to(a, (draws, *lcg.batch)).copy() for a in lcg.arguments))
            if many.batch == (draws, *lcg.batch) and many.structure.head == lcg.structure.head:
                gradient = as_draw(estimator.draw(many, name, estimator.init(), rng), estimator).gradient
                return np.broadcast_to(gradient, (draws, *lcg.batch))
        except (TinyspadError, TypeError, ValueError):
            pass
    return np.array(
        [as_draw(estimator.draw(lcg, name, estimator.init(), rng), estimator).gradient for _ in range(draws)]
    )


def _counted(name: str, number: Any) -> str:
    if np.shape(number) == ():
        return f"{briefly(int(number))} of {name}"
    least, most = (briefly(int(edge(number))) if np.size(number) else "0" for edge in (np.min, np.max))
    return f"{least if least == most else f'{least} to {most}'} of each number of {name}"


def _place(x: Any) -> str:
    if np.shape(x) == () or np.all(x == np.ravel(x)[0]):
        return f"{float(np.ravel(x)[0]):.6g}"
    return f"{np.min(x):.4g} .. {np.max(x):.4g} ({np.size(x)})" if np.ndim(x) == 1 else f"array {np.shape(x)}"
