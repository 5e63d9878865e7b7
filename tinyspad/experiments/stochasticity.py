"""The paper's Table 3, measured: randomness over observations and over code, uniform and not, after equal work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import Bandit, FullBatch, Importance, Sampler, Shuffled
from ..displays import headline, printed
from ..errors import BadInput
from ..estimators import GD, RAD, SPAD, Estimator, Magnitude
from ..models import Model
from ..optimize import Losses, minimize
from ..optimizers import SGD, Adam, Optimizer
from ..table import Table
from .blocks import seed_sequence, uninterrupted
from .success import check_count, listed, provenance
from .white_box import median_interval, model_of, run_by_run


def samplers(size: int = 8) -> dict[str, Sampler]:
    """The rows: no randomness, uniform (SGD), non-uniform twice (importance sampling; the paper's reference [10])."""
    return {
        "all": FullBatch(),
        "shuffled": Shuffled(size),
        "by norm": Importance(size, refresh=50),
        "bandit": Bandit(size),
    }


OBSERVATIONS = samplers()
"""The rows for 16 observations and more; for fewer, batches are half of them."""

CODE: dict[str, Estimator] = {
    "all paths": GD(),
    "uniform": RAD(),
    "largest": SPAD(k_max=5),
    "by magnitude": Magnitude(),
}
"""The columns: none, uniform (RAD), non-uniform twice (SPAD; sampling by magnitude)."""

PAPER = {
    ("all", "all paths"): "GD",
    ("shuffled", "all paths"): "SGD",
    ("shuffled", "uniform"): "RAD",
    ("shuffled", "largest"): "SPAD",
    ("bandit", "all paths"): "[10]",
}
"""The cells that the paper's Table 3 names."""

LONGEST = 100_000
"""The most steps that a cell is given."""

NOTES = """\
train, test: the loss in sample and out of sample. gap: their difference. ratio: test over that of the first row on the
same data. variance: of the gradient estimate over the square of its mean; cosine: between its mean and the gradient;
both at the starts, where a bandit has learned nothing yet. work: operations forward and multiplications back, per step."""


@dataclass(frozen=True, eq=False, repr=False)
class StochasticityTable:
    """What each combination of observation sampler and path estimator comes to, after equal work.

    All arrays are (observations, code, ...). ``train``, ``test``: (..., R), the mean losses at the end, infinite where a run
    met NaN or infinity. ``work``: multiplications and operations per step. ``steps``: how many of them the budget pays.
    ``variance``: of the gradient estimate at the starts, over the square of its mean, summed over parameters, the median
    over starts. ``cosine``: between that mean and the gradient; 1 is no bias of direction.
    """

    model: str
    observations: tuple[str, ...]
    code: tuple[str, ...]
    train: np.ndarray[Any, Any]
    test: np.ndarray[Any, Any]
    work: np.ndarray[Any, Any]
    steps: np.ndarray[Any, Any]
    variance: np.ndarray[Any, Any]
    cosine: np.ndarray[Any, Any]
    provenance: dict[str, str]

    @property
    def gap(self) -> np.ndarray[Any, Any]:
        """The generalisation gap of every run: out-of-sample less in-sample loss."""
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(self.train) & np.isfinite(self.test), self.test - self.train, np.inf)

    def ratios(self, cell: tuple[int, int] = (0, 0)) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Every run's in-sample and out-of-sample loss over that of one cell on the same data, the first if left out."""
        return run_by_run(self.train, self.train[cell]), run_by_run(self.test, self.test[cell])

    @property
    def ratio(self) -> np.ndarray[Any, Any]:
        """Every run's out-of-sample loss over that of the first cell on the same data: 1 in the first cell."""
        return self.ratios()[1]

    def _table(self) -> Table:
        rows = []
        for o, c in np.ndindex(self.work.shape):
            own = self.observations[o], self.code[c]
            losses = [median_interval(values[o, c]) for values in (self.train, self.test, self.gap, self.ratio)]
            numbers = [values[o, c] for values in (self.variance, self.cosine, self.work, self.steps)]
            rows.append([*own, PAPER.get(own), *losses, *numbers])
        names = ("train", "test", "gap", "ratio", "variance", "cosine", "work", "steps")
        forms = ("", "", "", *[".4g"] * 4, ".4f", ".3f", ".0f")
        return Table(("observations", "code", "paper", *names), rows, forms, left=3)

    def __str__(self) -> str:
        title = (
            f"Table 3, measured: {self.model}, median of {self.train.shape[-1]} runs (95 % interval) after equal work"
        )
        return f"{title}\n\n{self._table()}\n\n{NOTES}\n{listed(self.provenance)}"

    def __repr__(self) -> str:
        return headline(self)

    def _repr_html_(self) -> str:
        return printed(self, self._table())

    def to_markdown(self) -> str:
        """The table in Markdown."""
        return self._table().markdown()

    def to_csv(self) -> str:
        """One line per cell, with all digits."""
        table = self._table()
        rows = [(self.model, *row) for row in table.rows]
        return Table(("model", *table.columns), rows).csv(runs=self.train.shape[-1], **self.provenance)


# long, as an experiment is a list of what is done, in order
def stochasticity_table(
    model: str | Model = "demand",
    observations: Mapping[str, Sampler] | None = None,
    code: Mapping[str, Estimator] | None = None,
    *,
    runs: int = 100,
    steps: int = 200,
    draws: int = 200,
    optimizer: Optimizer | None = None,
    sample: str = "same",
    rng: np.random.Generator | int | None = 0,
    tell: Callable[[str], Any] | None = None,
) -> StochasticityTable:
    """Every observation sampler with every path estimator, after equal work: the paper's Table 3 with numbers in it.

    ``model``: as for ``white_box``. ``observations``, ``code``: dicts by name, ``OBSERVATIONS`` and ``CODE`` if left out.
    ``steps``: of the exact gradient on all data; that much work every cell is given. Work is counted, not timed: for each
    observation the operations of the loss and what ``estimator.cost`` says (for a path of the whole batch, what a selection
    lists), and for a sampler that asks for the norms of all gradients those gradients; drawing itself is not counted.
    ``draws``: how many estimates at each of 20 starts the variance is taken of. ``optimizer``: ``Adam()`` if left out;
    ``sample`` as for ``minimize``. ``tell`` hears of every cell that is done.

    Raises BadInput for arguments without meaning. Cost: about half a minute for the default size.

    >>> import tinyspad as ts
    >>> table = ts.experiments.stochasticity_table(runs=4, steps=3, draws=10)
    >>> table.steps[:, 0]          # of all observations, and of eight
    array([ 3, 21, 18, 21])
    """
    chosen = model_of(model)
    columns = CODE if code is None else code
    for name, table in (("observations", OBSERVATIONS if observations is None else observations), ("code", columns)):
        if not isinstance(table, Mapping) or not table:
            raise BadInput(f"stochasticity_table: {name} is a dict of names, such as those of {name.upper()}.")
    for name, value, least in (("runs", runs, 1), ("steps", steps, 1), ("draws", draws, 2)):
        check_count(name, value, least)
    optimizer = Adam() if optimizer is None else optimizer
    root = seed_sequence(rng)
    seeds = [np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, k)) for k in range(4)]
    split = chosen.generate(np.random.default_rng(seeds[0]), runs)
    starts = chosen.starts(np.random.default_rng(seeds[1]), runs)
    n = len(split.train[0])
    rows = samplers(min(8, max(n // 2, 1))) if observations is None else observations
    few = min(runs, 20)
    at, first = [start[:few] for start in starts], _first(split.train, few)
    lanes = Losses(chosen.loss, list(chosen.parameters), at, first, None, sample, False, False).traced(at)
    together = np.full((n, few), 1 / n)
    asked = lanes.observing(together, (few,)) if sample == "same" and n > 1 else lanes
    forward = len(lanes.single_access.entries)

    def each(estimator: Estimator) -> float:
        """Operations forward and multiplications back for one observation, the mean over the starts."""
        return forward + float(np.mean(estimator.cost(asked).multiplications))

    exact = forward + float(np.mean(GD().cost(lanes).multiplications))
    budget = steps * n * exact

    def work_of(sampler: Sampler, estimator: Estimator) -> tuple[float, float]:
        """Work per step, and once at the start."""
        state = sampler.init(n, ())
        if sampler.asks(state):
            state = sampler.tell(state, np.ones(n))
        size = len(sampler.draw(state, np.random.default_rng(0)).index)
        norms, refresh = n * exact, getattr(sampler, "refresh", None)
        own = size * each(estimator)
        return (own + norms / refresh, 0.0) if refresh else (own, norms if sampler.asks(sampler.init(n, ())) else 0.0)

    shape = (len(rows), len(columns))
    work, taken = np.zeros(shape), np.zeros(shape, int)
    train, test = np.zeros((*shape, runs)), np.zeros((*shape, runs))
    variance, cosine = np.zeros(shape), np.zeros(shape)
    there = tuple(np.repeat(s[:few], draws) for s in starts)
    copies = tuple(c if c.ndim == 1 else np.repeat(c[:, :few], draws, axis=1) for c in split.train)
    gradient = _step(
        chosen, GD(), FullBatch(), tuple(s[:few] for s in starts), _first(split.train, few), "same", seeds[3]
    )
    for o, (row, sampler) in enumerate(rows.items()):
        for c, (column, estimator) in enumerate(columns.items()):
            work[o, c], once = work_of(sampler, estimator)
            taken[o, c] = min(max(int((budget - once) / work[o, c]), 1), LONGEST)
            result = uninterrupted(
                minimize(
                    chosen.loss,
                    starts,
                    estimator=estimator,
                    optimizer=optimizer,
                    steps=int(taken[o, c]),
                    rng=np.random.default_rng(seeds[2]),
                    every=None,
                    data=split.train,
                    observations=sampler,
                    sample=sample,
                )
            )
            bad = result.status != "done"
            for kept, found in zip((train, test), chosen.errors(result.x, split)):
                kept[o, c] = np.where(bad | ~np.isfinite(found), np.inf, found)
            drawn = _step(chosen, estimator, sampler, there, copies, sample, seeds[3]).reshape(-1, few, draws)
            variance[o, c], cosine[o, c] = _spread(drawn, gradient)
            if tell is not None:
                tell(f"{row}, {column}")
    record = {
        "budget": f"the work of {steps} steps of the exact gradient on all {n} observations, {budget:.3g} operations",
        "a path": {"same": "one for the batch", "different": "one for each observation"}[sample],
        "samplers": "; ".join(f"{name}: {sampler!r}" for name, sampler in rows.items()),
        "estimators": "; ".join(f"{name}: {estimator!r}" for name, estimator in columns.items()),
        **(provenance(optimizer, steps, root) | {"optimizer": repr(optimizer)}),
    }
    return StochasticityTable(
        chosen.name, tuple(rows), tuple(columns), train, test, work, taken, variance, cosine, record
    )


def _first(columns: tuple[Any, ...], few: int) -> tuple[Any, ...]:
    return tuple(c if c.ndim == 1 else c[:, :few] for c in columns)


def _step(
    model: Model, estimator: Estimator, sampler: Sampler, x0: Any, data: Any, sample: str, seed: Any
) -> np.ndarray[Any, Any]:
    """The gradient estimates of one step from x0, (parameters, runs): what plain descent of rate 1 subtracts."""
    result = uninterrupted(
        minimize(
            model.loss,
            x0,
            estimator=estimator,
            optimizer=SGD(lr=1.0),
            steps=1,
            rng=np.random.default_rng(seed),
            every=None,
            data=data,
            observations=sampler,
            sample=sample,
        )
    )
    return np.array(x0) - np.array(result.x)


def _spread(drawn: np.ndarray[Any, Any], gradient: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Variance over squared mean, and the cosine of mean and gradient: medians over the starts."""
    mean = drawn.mean(axis=-1)
    square = np.sum(mean * mean, axis=0)
    relative = np.sum(drawn.var(axis=-1, ddof=1), axis=0) / np.where(square > 0, square, np.nan)
    product = np.sqrt(square * np.sum(gradient * gradient, axis=0))
    cosine = np.sum(mean * gradient, axis=0) / np.where(product > 0, product, np.nan)
    return float(np.nanmedian(relative)), float(np.nanmedian(cosine))
