"""White-box models, their fits, and the measured Table 3."""

import csv
import io
import math

import autograd
import numpy as np
import pytest

import tinyspad as ts
from tinyspad import data, models, plot
from tinyspad.__main__ import main
from tinyspad.errors import BadInput
from tinyspad.experiments import (
    FITTED,
    StochasticityTable,
    median_interval,
    stochasticity_table,
    white_box,
)
from tinyspad.experiments.success import wilson

ALL = list(models.ALL.values())


def demand_by_hand(level, trend, friday, weekend, morning, evening, week, weekday, slot):
    """The same demand for one slot, in plain Python."""
    base = level * (1 + trend * week)
    day = friday if weekday == 4 else weekend if weekday > 4 else 1.0
    calm = weekend if weekday > 4 else 1.0
    peaks = 1.0
    if slot in (2, 3):
        peaks += morning * calm
    if slot in (5, 6):
        peaks += evening * (1 + trend * week)
    return base * day * peaks


def test_demand_is_the_formula_slot_by_slot():
    split, rng = models.demand.generate(0), np.random.default_rng(1)
    for _ in range(5):
        params = models.demand.starts(rng)
        expected = [(demand_by_hand(*params, *row[:3]) - row[3]) ** 2 for row in zip(*(c.tolist() for c in split.test))]
        np.testing.assert_allclose(models.demand.loss(*params, split.test), expected, rtol=1e-12)
        np.testing.assert_allclose(models.demand.errors(params, split)[1], np.mean(expected), rtol=1e-12)


def test_growth_and_medicine_are_the_recurrences():
    start, rate, capacity, season = models.growth.truth
    x, months = start, []
    for t in range(48):
        c = capacity * (1 + season * np.sin(2 * np.pi * t / 12))
        x = x + rate * x * (1 - x / c)
        months.append(x)
    series = tuple(np.array([m]) for m in months)
    np.testing.assert_allclose(models.growth.loss(*models.growth.truth, series[:24]), 0, atol=1e-25)
    off = tuple(m + 0.1 for m in series)
    np.testing.assert_allclose(models.growth.test_loss(*models.growth.truth, (*series[:24], *off[24:])), 0.01)
    np.testing.assert_allclose(models.growth.test_loss(*models.growth.truth, (*off[:24], *series[24:])), 0, atol=1e-25)

    absorption, elimination, volume = models.medicine.truth
    gut, blood, found = 1.3, 0.0, [np.array([1.3])]
    for step in range(1, 25):
        gut, blood = gut - 0.5 * absorption * gut, blood + 0.5 * (absorption * gut - elimination * blood)
        if step in (1, 2, 4, 8, 16, 24):
            found.append(np.array([blood / volume]))
    np.testing.assert_allclose(models.medicine.loss(*models.medicine.truth, tuple(found)), 0, atol=1e-25)


@pytest.mark.parametrize("model", ALL, ids=lambda m: m.name)
def test_gradients_are_autograds(model):
    split = model.generate(3)
    params = model.starts(4)

    def mean(*p):
        if model.name != "demand":  # which has np.where: autograd's own NumPy does that
            return sum(model.loss(*p, tuple(c[j] for c in split.train)) for j in range(len(split.train[0]))) / len(
                split.train[0]
            )
        rows = zip(*(c.tolist() for c in split.train))
        return sum((demand_by_hand(*p, *row[:3]) - row[3]) ** 2 for row in rows) / len(split.train[0])

    result = ts.minimize(model.loss, params, data=split.train, optimizer=ts.SGD(1.0), steps=1, every=None)
    expected = [autograd.grad(mean, k)(*params) for k in range(len(params))]
    np.testing.assert_allclose(np.array(params) - np.array(result.x), expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("model", ALL, ids=lambda m: m.name)
def test_every_parameter_has_a_meaning_and_the_truth_fits_best(model):
    assert all(p.meaning and p.unit and p.low <= p.truth <= p.high for p in model.parameters.values())
    assert model.about in repr(model) and model.name in repr(model) and model.reference and model.observation
    split = model.generate(0, 30)
    truth = model.errors(tuple(np.full(30, t) for t in model.truth), split)
    start = model.errors(model.starts(1, 30), split)
    fitted = ts.minimize(
        model.loss, model.starts(1, 30), data=split.train, steps=1500, optimizer=ts.Adam(0.01), every=None
    )
    errors = model.errors(fitted.x, split)
    assert np.all(errors[0] < truth[0] * 1.001)  # a fit is at least as good in sample as the truth
    assert np.median(truth[1]) < np.median(start[1]) and np.median(truth[1]) < np.median(errors[1])


def test_some_parameters_are_used_many_times():
    counts = {}
    for model in ALL:
        split = model.generate(0)
        batch = tuple(c[0] for c in split.train)
        lcg = ts.trace(lambda *p, m=model, b=batch: m.loss(*p, b), *model.starts(0))
        counts[model.name] = [lcg.count_paths(name) for name in lcg.params]
    assert counts["demand"] == [3, 4, 3, 4, 1, 1]
    assert min(counts["growth"]) > 10**11 and max(counts["medicine"]) > 10**8


def test_data_are_seeded_and_each_run_has_its_own():
    a, b = models.growth.generate(5, 4), models.growth.generate(5, 4)
    np.testing.assert_array_equal(a.train, b.train)
    assert a.train[0].shape == (1, 4) and len(set(a.train[3][0].tolist())) == 4
    assert all(np.array_equal(x, y) for x, y in zip(a.test, a.train))  # the first half of the series is what is fitted
    with pytest.raises(BadInput, match="runs="):
        models.growth.generate(0, 0)


def test_median_intervals_cover():
    for n in (6, 7, 16, 21, 50, 60, 100, 200, 301):
        _, low, high = median_interval(np.arange(float(n)))
        assert low + high == n - 1  # from the (low + 1)-th smallest to the (low + 1)-th largest
        missed = 2 * sum(math.comb(n, i) for i in range(int(low) + 1)) / 2**n
        assert missed <= 0.05 < missed + 2 * math.comb(n, int(low) + 1) / 2**n  # not one place less
    for n in range(1, 6):
        assert median_interval(np.arange(float(n)))[1:] == (-np.inf, np.inf)
    assert median_interval([1.0, 2.0, np.inf])[0] == 2.0


def test_a_fit_can_be_done_again_and_does_not_depend_on_the_others():
    fit = white_box("demand", runs=6, steps=20, every=10)
    np.testing.assert_array_equal(fit.steps, [0, 10, 20])
    alone = white_box("demand", {"RAD": ts.RAD()}, runs=6, steps=20, every=10)
    np.testing.assert_array_equal(fit.train[1], alone.train[0])
    np.testing.assert_array_equal(fit.truth, alone.truth)
    assert np.all(fit.train[:, 0] == fit.train[0, 0])  # all estimators start alike
    other = white_box("demand", {"RAD": ts.RAD()}, runs=6, steps=20, every=10, rng=1)
    assert not np.array_equal(other.train, alone.train)


def test_a_fit_tells_and_counts():
    fit = white_box(
        "growth", {"GD": ts.GD(), "SPAD": ts.SPAD(k_max=50)}, runs=12, steps=400, every=200, optimizer=ts.Adam(0.03)
    )
    assert fit.lost[0] == 0 < fit.lost[1]
    lost = np.isinf(fit.test[1, -1])
    assert lost.sum() == fit.lost[1] and np.all(np.isfinite(fit.test[0]))
    assert fit.wins()[0] == 0 and fit.wins()[1] == np.sum(fit.test[1, -1] < fit.test[0, -1])
    text = str(fit)
    assert "the truth" in text and "beats GD" in text and "seed: 0" in text
    rows = list(csv.DictReader(io.StringIO(fit.to_csv())))
    ends, on_the_way = fit.to_markdown().split("\n\n")
    assert ends.count("\n") == 1 + 3 and on_the_way.count("\n") == 1 + 1  # the truth is not on the way
    assert len(rows) == 2 * 3 and float(rows[0]["in_sample"]) == np.median(fit.train[0, 0])
    with pytest.raises(BadInput, match="no estimator"):
        fit.wins("RAD")


def test_a_path_of_a_recurrence_is_noise():
    """The answer of the tutorial and of the report, at a reduced size."""
    fit = white_box("growth", runs=50, steps=200, every=100)
    ends = {name: median_interval(fit.ratio()[e, -1])[1:] for e, name in enumerate(fit.estimators)}
    assert all(ends[name][0] > 1 for name in ("RAD", "SPAD, k_max 5", "SPAD, k_max 50"))
    assert ends["RAD, by branch"][1] > 1  # not below GD, either
    assert wilson(int(fit.wins()[1]), 50)[1] < 0.5  # RAD wins in fewer than half of the runs


def test_table_3_has_equal_work_and_what_it_prints():
    table = stochasticity_table(runs=5, steps=10, draws=20)
    assert isinstance(table, StochasticityTable) and table.train.shape == (4, 4, 5)
    budget = 10 * table.work[0, 0]
    assert np.all(table.steps * table.work <= budget * (1 + 1e-12))
    assert np.all((table.steps + 1) * table.work > budget)
    assert table.variance[0, 0] < 1e-20 and table.cosine[0, 0] > 1 - 1e-12
    assert table.variance[1, 0] > 0.1 and table.cosine[0, 3] > 0.999  # magnitude is unbiased
    np.testing.assert_array_equal(table.ratio[0, 0], 1)
    np.testing.assert_allclose(table.gap, table.test - table.train)
    text = str(table)
    for named in ("GD", "SGD", "RAD", "SPAD", "[10]"):
        assert named in text
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert len(rows) == 16 and int(rows[0]["steps"]) == 10 and float(rows[0]["ratio"]) == 1


def test_the_measured_variance_is_the_exact_one():
    """Uniform(1) and all paths: the variance over observations at the start, by hand."""
    table = stochasticity_table(
        observations={"all": data.FullBatch(), "one": data.Uniform(1)},
        code={"all": ts.GD()},
        runs=1,
        steps=1,
        draws=10_000,
    )
    seeds = [np.random.SeedSequence(0, spawn_key=(k,)) for k in range(2)]
    split = models.demand.generate(np.random.default_rng(seeds[0]), 1)
    x = models.demand.starts(np.random.default_rng(seeds[1]), 1)
    each = []
    for j in range(56):
        batch = tuple(float(np.ravel(c)[j]) for c in split.train)
        each.append(
            list(ts.trace(lambda *p, b=batch: models.demand.loss(*p, b), *(float(v[0]) for v in x)).gradient().values())
        )
    each = np.array(each)
    exact = each.var(axis=0).sum() / (each.mean(axis=0) ** 2).sum()
    assert abs(table.variance[1, 0] / exact - 1) < 0.15


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: white_box("weather"), "demand, growth, medicine"),
        (lambda: white_box("demand", {}), "dict of names"),
        (lambda: white_box("demand", [ts.GD()]), "dict of names"),
        (lambda: white_box("demand", runs=0), "runs="),
        (lambda: white_box("demand", every=0), "every="),
        (lambda: stochasticity_table("weather"), "demand"),
        (lambda: stochasticity_table(observations={}), "observations"),
        (lambda: stochasticity_table(code=[]), "code"),
        (lambda: stochasticity_table(draws=1), "draws="),
        (lambda: plot.white_box(), "experiments.white_box"),
        (lambda: plot.white_box(3), "experiments.white_box"),
        (lambda: plot.white_box(white_box("demand", runs=2, steps=1), axes=[]), "are 3, not 0"),
        (lambda: plot.stochasticity(3), "stochasticity_table"),
    ],
)
def test_what_does_not_fit_is_said(call, says):
    with pytest.raises(BadInput, match=says):
        call()


def test_a_model_of_ones_own():
    def loss(slope, batch):
        t, y = batch
        return (slope * t - y) ** 2

    def make(rng, runs):
        t = np.linspace(0, 1, 10)
        return models.Split(
            (t, 2 * t[:, None] + 0.1 * rng.normal(size=(10, *runs))), (t, 2 * t[:, None] + np.zeros((10, *runs)))
        )

    mine = models.Model(
        "line",
        "a line",
        "a point",
        {"slope": models.Parameter("slope", "1", 2.0, 0.0, 4.0)},
        loss,
        loss,
        make,
        "Euclid",
    )
    fit = white_box(mine, {"GD": ts.GD()}, runs=8, steps=300, optimizer=ts.Adam(0.1))
    assert fit.model == "line" and np.all(fit.test[0, -1] < 0.05)


def test_drawings():
    fits = [
        white_box(name, {"GD": ts.GD(), "RAD": ts.RAD()}, runs=4, steps=4, every=2) for name in ("demand", "growth")
    ]
    figure = plot.white_box(*fits)
    assert [ax.get_title() for ax in figure.axes[:2]] == ["demand, 4 runs", "growth, 4 runs"]
    lines = figure.axes[0].lines
    np.testing.assert_allclose(lines[0].get_ydata(), np.median(fits[0].train[0], axis=-1))
    table = stochasticity_table(runs=3, steps=2, draws=5)
    ax = plot.stochasticity(table)
    assert len(ax.containers) == 16 and ax.get_legend().get_title().get_text() == "observations / code"


def test_command_line(capsys, tmp_path):
    assert main(["whitebox", "demand", "--runs", "4", "--steps", "4", "--figure", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").exists() and "RAD, by branch" in capsys.readouterr().out
    assert main(["whitebox", "demand", "--runs", "3", "--steps", "2", "--as", "csv"]) == 0
    assert capsys.readouterr().out.startswith("model,estimator,step")
    assert main(["table", "3", "--runs", "3", "--steps", "2", "--figure", str(tmp_path / "b.png")]) == 0
    assert (tmp_path / "b.png").exists() and "Table 3, measured" in capsys.readouterr().out
    assert main(["table", "3", "--runs", "2", "--steps", "1", "--as", "csv"]) == 0
    assert capsys.readouterr().out.startswith("model,observations")
    assert main(["table", "3", "--runs", "2", "--steps", "1", "--as", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("| observations | code |")
    for bad, says in (
        (["whitebox", "weather"], "no model 'weather'"),
        (["whitebox", "--lr", "-1"], "lr must be"),
        (["whitebox", "demand", "--figure", "x.txt"], "picture format"),
        (["table", "3", "1"], "another table"),
        (["table", "3", "--box", "0", "1"], "--box"),
        (["table", "3", "--workers", "2"], "--workers"),
        (["table", "4"], "1, 2 and 3"),
    ):
        assert main(bad) == 2
        assert says in capsys.readouterr().err


def test_the_default_estimators():
    assert FITTED["SPAD, k_max 5"] == ts.SPAD(k_max=5) and FITTED["RAD, by branch"] == ts.RAD(by="branch")


class Interrupts(ts.Estimator):
    def draw(self, lcg, param, state, rng):
        raise KeyboardInterrupt

    def cost(self, lcg, param=None):
        return ts.GD().cost(lcg, param)


def test_ctrl_c_ends_an_experiment():
    for call in (
        lambda: white_box("demand", {"GD": ts.GD(), "K": Interrupts()}, runs=2, steps=2),
        lambda: stochasticity_table(code={"K": Interrupts()}, runs=2, steps=1, draws=2),
    ):
        with pytest.raises(KeyboardInterrupt):
            call()


def test_table_3_takes_other_models_and_samplers_of_ones_own():
    class First(data.Sampler):
        def init(self, n, runs=()):
            return runs

        def draw(self, state, rng):
            return data.Observed(np.zeros((2, *state), int), np.full((2, *state), 0.5), state)

    table = stochasticity_table("medicine", sample="different", runs=3, steps=2, draws=3)
    assert table.train.shape == (4, 4, 3) and "size=2" in str(table)
    mine = stochasticity_table(
        observations={"all": data.FullBatch(), "first": First()}, code={"GD": ts.GD()}, runs=2, steps=1
    )
    assert mine.work[1, 0] * 28 == mine.work[0, 0]
    once = stochasticity_table(
        observations={"all": data.FullBatch(), "norms": data.Importance(8)},
        code={"GD": ts.GD()},
        runs=2,
        steps=2,
        draws=2,
    )
    assert once.steps[1, 0] == 7  # one step's worth went into the norms


def test_ratios_are_run_by_run():
    fit = white_box("demand", runs=5, steps=20)
    np.testing.assert_array_equal(fit.ratio()[0], 1)
    np.testing.assert_allclose(fit.ratio("RAD")[2], fit.test[2] / fit.test[1])
    assert fit.stages()[-1] == len(fit.steps) - 1 and "on the same data" in str(fit)
    table = stochasticity_table(runs=3, steps=2, draws=3)
    inside, outside = table.ratios((1, 0))
    np.testing.assert_allclose(inside[2, 3], table.train[2, 3] / table.train[1, 0])
    np.testing.assert_array_equal(outside[1, 0], 1)


def test_csv_of_several_models_has_one_header(capsys):
    assert main(["whitebox", "demand", "growth", "--runs", "2", "--steps", "1", "--as", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["model"] for row in rows} == {"demand", "growth"} and len(rows) == 2 * 5 * 2
    header = stochasticity_table(runs=2, steps=1, draws=2).to_csv().splitlines()[0].split(",")
    assert len(header) == len(set(header))
