"""Does path sampling regularise a white-box model? Fits on short series, judged on what comes after them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import models
from ..data import Sampler
from ..displays import headline, printed
from ..errors import BadInput
from ..estimators import GD, RAD, SPAD, Estimator
from ..models import Model
from ..optimize import minimize
from ..optimizers import Adam, Optimizer
from ..table import Interval, Table
from .blocks import seed_sequence, uninterrupted
from .intervals import percent
from .success import check_count, listed, provenance

FITTED: dict[str, Estimator] = {
    "GD": GD(),
    "RAD": RAD(),
    "RAD, by branch": RAD(by="branch"),
    "SPAD, k_max 5": SPAD(k_max=5),
    "SPAD, k_max 50": SPAD(k_max=50),
}
"""The estimators of the paper's tables, and RAD with a coin at every tupling node, which prefers short paths."""

SAMPLES = {"demand": "same", "growth": "same", "medicine": "different"}
"""A path for the batch or for each observation: a medicine's loss has too many paths to list them for a batch."""


@dataclass(frozen=True, eq=False, repr=False)
class WhiteBoxFit:
    """Runs that fit a white-box model, each from a start of its own to data of its own, by estimator.

    ``steps``: (T,), the steps that were recorded. ``train``, ``test``: (E, T, R), mean losses on the data fitted and on the
    data to be judged by; infinite from where a run met NaN or infinity, which ``lost`` (E,) counts. ``truth``: those of the
    parameters that made the data, (2, R).
    """

    model: str
    estimators: tuple[str, ...]
    steps: np.ndarray[Any, Any]
    train: np.ndarray[Any, Any]
    test: np.ndarray[Any, Any]
    lost: np.ndarray[Any, Any]
    truth: np.ndarray[Any, Any]
    provenance: dict[str, str]

    @property
    def runs(self) -> int:
        """How many runs there are of each estimator."""
        return int(self.train.shape[-1])

    def best_stop(self) -> np.ndarray[Any, Any]:
        """For each estimator the record of least median out-of-sample error: where early stopping would stop if it knew."""
        return np.argmin(np.median(self.test, axis=-1), axis=-1)

    def wins(self, against: str = "GD") -> np.ndarray[Any, Any]:
        """For each estimator in how many runs its last out-of-sample error is below that of another, on the same data."""
        last = self.test[:, -1]
        return np.sum(last < last[self._place(against)], axis=-1)

    def ratio(self, against: str = "GD") -> np.ndarray[Any, Any]:
        """Every run's out-of-sample loss over that of another estimator on the same data, by record: (E, T, R).

        Data differ far more than estimators do, so this is what tells them apart.
        """
        return run_by_run(self.test, self.test[self._place(against)])

    def _place(self, name: str) -> int:
        if name not in self.estimators:
            raise BadInput(f"The fit has no estimator {name!r}; it has {', '.join(self.estimators)}.")
        return self.estimators.index(name)

    def stages(self) -> list[int]:
        """Four records for tables: about a twentieth, a fifth and half of the steps, and the last."""
        last = int(self.steps[-1])
        return sorted({int(np.abs(self.steps - last * share).argmin()) for share in (0.05, 0.2, 0.5, 1.0)})

    def _tables(self) -> tuple[Table, Table]:
        """How the estimators end; and by step, how much they lose out of sample over what the first does."""
        wins, stops, stages = self.wins(self.estimators[0]), self.best_stop(), self.stages()
        ratios = self.ratio(self.estimators[0])
        ends: list[list[Any]] = []
        on_the_way = []
        for e, name in enumerate(self.estimators):
            share = percent(wins[e], self.runs) if e else None
            stopped = [np.median(self.test[e, stops[e]]), self.steps[stops[e]]]
            losses = [median_interval(self.train[e, -1]), median_interval(self.test[e, -1])]
            ends.append([name, *losses, share, self.lost[e], *stopped])
            on_the_way.append([name, *(median_interval(ratios[e, t]) for t in stages)])
        ends.append(["the truth", *map(median_interval, self.truth), None, None, None, None])
        beats = f"beats {self.estimators[0]}, %"
        columns = ("estimator", "in-sample", "out-of-sample", beats, "lost", "best stop", "at step")
        by_step = ("estimator", *(str(self.steps[t]) for t in stages))
        return (
            Table(columns, ends, ("", ".4g", ".4g", "", "", ".4g")),
            Table(by_step, on_the_way[1:], ("", *[".4g"] * len(stages))),
        )

    def __str__(self) -> str:
        first, (ends, on_the_way) = self.estimators[0], self._tables()
        return f"""\
{self.model}: mean loss after {self.steps[-1]} steps, median of {self.runs} runs (95 % interval)

{ends}

beats {first}: runs with a smaller out-of-sample error on the same data (Wilson).
lost: runs that met NaN or infinity; their errors count as infinite.
best stop: the least median out-of-sample error on the way, which nobody knows beforehand.

out-of-sample loss over that of {first} on the same data, median (95 % interval), by step

{on_the_way}

{listed(self.provenance)}"""

    def __repr__(self) -> str:
        return headline(self)

    def _repr_html_(self) -> str:
        return printed(self, *self._tables())

    def to_markdown(self) -> str:
        """Both tables in Markdown."""
        return "\n\n".join(table.markdown() for table in self._tables())

    def to_csv(self) -> str:
        """One line per estimator and record, with all digits."""
        rows, ratios = [], self.ratio(self.estimators[0])
        for (e, name), (t, step) in itertools.product(enumerate(self.estimators), enumerate(self.steps)):
            measured = [median_interval(values[e, t]) for values in (self.train, self.test, ratios)]
            rows.append([self.model, name, step, *measured, self.runs, self.lost[e]])
        columns = ("model", "estimator", "step", "in_sample", "out_of_sample", "ratio", "runs", "lost")
        return Table(columns, rows).csv(**self.provenance)


def run_by_run(losses: np.ndarray[Any, Any], reference: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Losses over those of a reference on the same data; 1 where both runs are lost."""
    with np.errstate(invalid="ignore"):
        found = losses / reference
    return np.where(np.isnan(found), 1.0, found)


def median_interval(values: Any) -> Interval:
    """The median of independent values, and the ends of an interval that covers the true one with at least 95 %.

    Order statistics, whatever the distribution: from the (j+1)-th smallest to the (j+1)-th largest, j the largest number
    with P(Binomial(n, 1/2) <= j) <= 0.025. Fewer than six values say nothing: the ends are infinite. (Hahn & Meeker 1991,
    section 5.2.)

    >>> median_interval(np.arange(101.0))
    Interval(value=50.0, low=40.0, high=60.0)
    """
    ordered = np.sort(np.asarray(values, float))
    n, j, ways = len(ordered), -1, 1  # ways to have j + 1 of n values on one side
    below = ways
    while below * 40 <= 2**n:
        j += 1
        ways = ways * (n - j) // (j + 1)
        below += ways
    low, high = (float(ordered[j]), float(ordered[n - 1 - j])) if j >= 0 else (-np.inf, np.inf)
    with np.errstate(invalid="ignore"):
        return Interval(float(np.median(ordered)), low, high)


def white_box(
    model: str | Model = "demand",
    estimators: Mapping[str, Estimator] | None = None,
    *,
    runs: int = 200,
    steps: int = 2000,
    every: int = 20,
    optimizer: Optimizer | None = None,
    observations: Sampler | None = None,
    sample: str | None = None,
    rng: np.random.Generator | int | None = 0,
    tell: Callable[[str], Any] | None = None,
) -> WhiteBoxFit:
    """Fit a white-box model from many starts on short training data, and judge it out of sample (paper, Section I).

    ``model``: "demand", "growth", "medicine", or a ``ts.models.Model``. ``runs``: so many fits side by side, each with a
    start and noise of its own, the same ones for every estimator. ``estimators``: a dict by name, ``FITTED`` if left out;
    the first is what the others are compared with. ``every``: record every so many steps. ``tell`` hears of every estimator
    that is done. Others as for ``minimize``.

    Raises BadInput for arguments without meaning. Cost: 1 to 10 ms per step and estimator for 200 runs, half a minute for
    the larger models.

    >>> import tinyspad as ts
    >>> fit = ts.experiments.white_box("demand", runs=10, steps=40, every=20)
    >>> fit.test.shape, fit.estimators
    ((5, 3, 10), ('GD', 'RAD', 'RAD, by branch', 'SPAD, k_max 5', 'SPAD, k_max 50'))
    """
    chosen = model_of(model)
    table = FITTED if estimators is None else estimators
    if not isinstance(table, Mapping) or not table:
        raise BadInput('white_box: estimators is a dict of names, such as {"GD": GD(), "RAD": RAD()}.')
    for name, value, least in (("runs", runs, 1), ("steps", steps, 0), ("every", every, 1)):
        check_count(name, value, least)
    optimizer = Adam() if optimizer is None else optimizer
    way = SAMPLES.get(chosen.name, "same") if sample is None else sample
    root = seed_sequence(rng)
    seeds = [np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, k)) for k in range(3)]
    split = chosen.generate(np.random.default_rng(seeds[0]), runs)
    starts = chosen.starts(np.random.default_rng(seeds[1]), runs)
    train: list[Any] = []
    test: list[Any] = []
    lost, at = [], np.array([])
    for name, estimator in table.items():
        result = uninterrupted(
            minimize(
                chosen.loss,
                starts,
                estimator=estimator,
                optimizer=optimizer,
                steps=steps,
                rng=np.random.default_rng(seeds[2]),
                every=every,
                data=split.train,
                observations=observations,
                sample=way,
            )
        )
        history = result.history
        assert history is not None
        at = history.steps
        errors = [chosen.errors(params, split) for params in zip(*history.x.values())]
        over = at[:, None] >= np.where(result.status == "done", steps + 1, result.steps)
        for kept, column in ((train, 0), (test, 1)):
            found = np.array([e[column] for e in errors])
            kept.append(np.where(over | ~np.isfinite(found), np.inf, found))
        lost.append(int(np.sum(result.status != "done")))
        if tell is not None:
            tell(f"{chosen.name}, {name}")
    true = chosen.errors(tuple(np.full(runs, t) for t in chosen.truth), split)
    record = {
        "data": chosen.observation,
        "a path": {"same": "one for all observations", "different": "one for each observation"}[way],
        "observations": "all at every step" if observations is None else repr(observations),
        **provenance(optimizer, steps, root),
    }
    return WhiteBoxFit(
        chosen.name, tuple(table), at, np.array(train), np.array(test), np.array(lost), np.array(true), record
    )


def model_of(model: Any) -> Model:
    """A model, or the one of this name; raises BadInput for anything else."""
    if isinstance(model, str) and model in models.ALL:
        return models.ALL[model]
    if not isinstance(model, Model):
        raise BadInput(f"The white-box models are {', '.join(models.ALL)}, or a ts.models.Model; not {model!r:.60}.")
    return model
