"""White-box models in plain NumPy: every parameter has a meaning and is used several times.

Each gives the loss of observations, ``loss(*params, batch)``, elementwise in parameters and data; so it takes numbers, runs
side by side, and recording Values alike. Data are generated, with noise, at parameters that are known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .arguments import integer

__all__ = ["ALL", "Model", "Parameter", "Split", "demand", "growth", "medicine"]


class Parameter(NamedTuple):
    """One parameter: what it means, in which unit, its true value, and the interval in which starts are drawn."""

    meaning: str
    unit: str
    truth: float
    low: float
    high: float


class Split(NamedTuple):
    """Data to fit and data to be judged by; each an array per column, (n,), or (n, R) for what differs between R runs."""

    train: tuple[Any, ...]
    test: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Model:
    """A small model in which parameters mean something. ``loss(*params, batch)``: of every observation of a batch.

    ``generate(rng, runs)``: a ``Split`` of fresh data. ``about``, ``observation``: model and data in words.
    ``test_loss``: the loss on the test data, where that is another function (a recurrence run for longer).
    """

    name: str
    about: str
    observation: str
    parameters: dict[str, Parameter]
    loss: Callable[..., Any]
    test_loss: Callable[..., Any]
    make: Callable[..., Split]
    reference: str

    @property
    def truth(self) -> Any:
        """The parameters that made the data."""
        return tuple(p.truth for p in self.parameters.values())

    def generate(self, rng: Any = None, runs: int | None = None) -> Split:
        """Training and test data; with ``runs`` noise of its own for each of so many runs. Raises BadInput for other runs.

        >>> split = demand.generate(rng=0)
        >>> [column.shape for column in split.train], split.test[-1].shape
        ([(56,), (56,), (56,), (56,)], (224,))
        """
        return self.make(np.random.default_rng(rng), () if runs is None else (integer(runs, "generate: runs="),))

    def starts(self, rng: Any = None, runs: int | None = None) -> tuple[Any, ...]:
        """Uniformly random parameters from the intervals: numbers, or arrays of shape (R,).

        >>> [x.shape for x in growth.starts(rng=0, runs=5)]
        [(5,), (5,), (5,), (5,)]
        """
        rng = np.random.default_rng(rng)
        drawn = (rng.uniform(p.low, p.high, runs) for p in self.parameters.values())
        return tuple(float(x) if runs is None else x for x in drawn)

    def errors(self, params: Any, split: Split) -> tuple[Any, Any]:
        """The mean losses on training and test data, of each run; infinite or NaN where the model leaves the numbers.

        >>> split = medicine.generate(rng=0)
        >>> train, test = medicine.errors(medicine.truth, split)
        >>> bool(train < 0.1), bool(test < 0.1)
        (True, True)
        """
        runs = np.shape(params[0])
        lanes = [np.asarray(p)[None] for p in params]
        found = []
        for loss, columns in ((self.loss, split.train), (self.test_loss, split.test)):
            shaped = tuple(c if c.ndim > 1 else c.reshape(-1, *(1 for _ in runs)) for c in columns)
            with np.errstate(all="ignore"):
                losses = np.asarray(loss(*lanes, shaped))
            found.append(np.broadcast_to(losses, (len(columns[0]), *runs)).mean(axis=0))
        return found[0], found[1]

    def __repr__(self) -> str:
        return f"<Model {self.name}({', '.join(self.parameters)}): {self.about}>"


def _noise(rng: np.random.Generator, shape: tuple[int, ...], size: float) -> Any:
    """Factors around 1: log-normal, of mean 1."""
    return np.exp(rng.normal(-size * size / 2, size, shape))


# --- multiplicative seasonal demand ---------------------------------------------------------------------------------------

SLOTS = 8
"""Parts of a day, of three hours each."""


def expected_demand(
    level: Any, trend: Any, friday: Any, weekend: Any, morning: Any, evening: Any, *, week: Any, weekday: Any, slot: Any
) -> Any:
    """Demand per slot: a quiet base, a morning peak that weekends flatten, and an evening peak that grows with time.

    level s d (1 + morning w [slot 2 or 3] + evening s [slot 5 or 6]), s = 1 + trend week, d the day's factor (friday,
    weekend, or 1) and w = weekend on weekends, else 1; written out as a sum of three, so that each factor is read often.
    """
    since = 1 + trend * week
    base = level * since
    of_day = np.where(weekday >= 5, weekend, np.where(weekday == 4, friday, 1.0))
    quiet = base * of_day
    calm = np.where(weekday >= 5, weekend, 1.0)
    at_breakfast = np.where((slot == 2) | (slot == 3), 1.0, 0.0)
    after_work = np.where((slot == 5) | (slot == 6), 1.0, 0.0)
    return quiet + quiet * morning * calm * at_breakfast + quiet * evening * since * after_work


def demand_loss(level: Any, trend: Any, friday: Any, weekend: Any, morning: Any, evening: Any, batch: Any) -> Any:
    """The squared error of the demand in a slot."""
    week, weekday, slot, sold = batch
    return (
        expected_demand(level, trend, friday, weekend, morning, evening, week=week, weekday=weekday, slot=slot) - sold
    ) ** 2


def _make_demand(rng: np.random.Generator, runs: tuple[int, ...]) -> Split:
    def weeks(first: int, number: int) -> tuple[Any, ...]:
        t = np.arange(7 * SLOTS * number)
        week, weekday, slot = first + t / (7 * SLOTS), (t // SLOTS) % 7.0, t % float(SLOTS)
        mean = expected_demand(*demand.truth, week=week, weekday=weekday, slot=slot).reshape(-1, *(1 for _ in runs))
        return week, weekday, slot, mean * _noise(rng, (len(t), *runs), 0.3)

    return Split(weeks(0, 1), weeks(1, 4))


demand = Model(
    "demand",
    "multiplicative seasonal demand: level x trend x week profile x day profile, with shared factors",
    "a slot of three hours: one week to fit, the next four weeks to be judged by",
    {
        "level": Parameter("demand of a quiet slot in the first week", "hundred pieces", 1.0, 0.5, 1.5),
        "trend": Parameter("growth per week", "1/week", 0.05, -0.2, 0.2),
        "friday": Parameter("Fridays against other working days", "1", 1.2, 0.5, 1.5),
        "weekend": Parameter("weekends against working days, and their mornings once more", "1", 0.7, 0.5, 1.5),
        "morning": Parameter("the morning peak on top of the base", "1", 0.8, 0.0, 2.0),
        "evening": Parameter("the evening peak on top of the base", "1", 1.5, 0.0, 2.0),
    },
    demand_loss,
    demand_loss,
    _make_demand,
    "Holt 1957, Winters 1960 (level, trend and season that multiply)",
)


# --- logistic growth with seasonal capacity ------------------------------------------------------------------------------

MONTHS = 24
"""Months to fit, and as many again to be judged by."""


def population(start: Any, rate: Any, capacity: Any, season: Any, *, months: int) -> list[Any]:
    """x[t+1] = x[t] + rate x[t] (1 - x[t] / c[t]), c[t] = capacity (1 + season sin(2 pi t / 12)): after each month."""
    x, found = start, []
    for t in range(months):
        limit = capacity * (1 + season * math.sin(2 * math.pi * t / 12))
        x = x + rate * x * (1 - x / limit)
        found.append(x)
    return found


def growth_loss(start: Any, rate: Any, capacity: Any, season: Any, batch: Any) -> Any:
    """The mean squared error of a series of monthly counts, ``batch`` a tuple with one array per month."""
    predicted = population(start, rate, capacity, season, months=len(batch))
    return sum((x - y) ** 2 for x, y in zip(predicted, batch)) / len(batch)


def growth_test_loss(start: Any, rate: Any, capacity: Any, season: Any, batch: Any) -> Any:
    """The mean squared error of the second half of a series."""
    half = len(batch) // 2
    predicted = population(start, rate, capacity, season, months=len(batch))[half:]
    return sum((x - y) ** 2 for x, y in zip(predicted, batch[half:])) / half


def _make_growth(rng: np.random.Generator, runs: tuple[int, ...]) -> Split:
    months = population(*growth.truth, months=2 * MONTHS)
    counted = tuple(x * _noise(rng, (1, *runs), 0.15) for x in months)
    return Split(counted[:MONTHS], counted)


growth = Model(
    "growth",
    "logistic growth with a seasonal carrying capacity, a recurrence over months",
    f"a series of monthly counts: {MONTHS} months to fit, the next {MONTHS} to be judged by",
    {
        "start": Parameter("population at the start", "thousands", 0.1, 0.05, 0.3),
        "rate": Parameter("growth per month of a small population", "1/month", 0.4, 0.1, 0.8),
        "capacity": Parameter("what the land carries, mean over the year", "thousands", 1.0, 0.5, 1.5),
        "season": Parameter("how much more of it in spring", "1", 0.3, 0.0, 0.6),
    },
    growth_loss,
    growth_test_loss,
    _make_growth,
    "Verhulst 1838; the difference equation: May 1976",
)


# --- a medicine taken by mouth -------------------------------------------------------------------------------------------

STEPS, PER_HOUR = 24, 2
"""Steps of half an hour: twelve hours after the dose."""

MEASURED = (1, 2, 4, 8, 16, 24)
"""After which steps blood is taken."""


def concentrations(absorption: Any, elimination: Any, volume: Any, *, dose: Any) -> list[Any]:
    """Gut and blood, step by step, h = 1/2 hour; the concentrations at the times of ``MEASURED``.

    gut[t+1] = gut[t] - h absorption gut[t]; blood[t+1] = blood[t] + h (absorption gut[t] - elimination blood[t]);
    the concentration is blood / volume. (Euler's steps.)
    """
    gut, blood, found = dose, 0.0, []
    for step in range(1, STEPS + 1):
        absorbed = absorption * gut * (1 / PER_HOUR)
        gut = gut - absorbed
        blood = blood + absorbed - elimination * blood * (1 / PER_HOUR)
        if step in MEASURED:
            found.append(blood / volume)
    return found


def medicine_loss(absorption: Any, elimination: Any, volume: Any, batch: Any) -> Any:
    """The mean squared error of one patient's concentrations; ``batch`` is the dose, then an array per measurement."""
    dose, *measured = batch
    predicted = concentrations(absorption, elimination, volume, dose=dose)
    return sum((c - y) ** 2 for c, y in zip(predicted, measured)) / len(measured)


def _make_medicine(rng: np.random.Generator, runs: tuple[int, ...]) -> Split:
    def patients(number: int) -> tuple[Any, ...]:
        dose = np.linspace(0.5, 2.0, number)
        mean = concentrations(*medicine.truth, dose=dose.reshape(-1, *(1 for _ in runs)))
        return dose, *(c * _noise(rng, (number, *runs), 0.3) for c in mean)

    return Split(patients(4), patients(40))


medicine = Model(
    "medicine",
    "one-compartment pharmacokinetics with absorption, a difference equation in steps of half an hour",
    "a patient, measured six times: four patients to fit, forty others to be judged by",
    {
        "absorption": Parameter("share of the gut's content absorbed per hour", "1/h", 1.0, 0.3, 1.5),
        "elimination": Parameter("share of the blood's content eliminated per hour", "1/h", 0.25, 0.05, 0.8),
        "volume": Parameter("volume of distribution", "ten litres", 1.0, 0.5, 2.0),
    },
    medicine_loss,
    medicine_loss,
    _make_medicine,
    "Dost 1953; Gibaldi & Perrier 1982, chapter 1",
)

ALL = {m.name: m for m in (demand, growth, medicine)}
