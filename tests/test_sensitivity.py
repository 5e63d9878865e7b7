"""The sensitivity table: its plan, counts by brute force, verdicts and shares by hand, going on from a file, the picture."""

import csv
import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from matplotlib import image
from matplotlib import pyplot as plt

import tinyspad as ts
from tinyspad import plot
from tinyspad.__main__ import main
from tinyspad.errors import BadInput
from tinyspad.experiments import Reading, Sensitivity, cells_table, readings, sensitivity, shares
from tinyspad.experiments import blocks as blocks_module
from tinyspad.experiments.sensitivity import (
    COUNTS,
    HOLDS,
    METHODS,
    OPTIMIZERS,
    PAIRS,
    PICKED,
    RATES,
    SELECTIONS,
    STARTS,
    counted,
    trend,
)
from tinyspad.experiments.shares import AXES, CLAIMS, cells_met, picked_settings, single_rules, verdict
from tinyspad.experiments.success import PAPER

LEVI = [r for r in readings() if r.function == "levi" and not r.picked]
FEW = {"runs": 12, "steps": 8}


# --- the plan ---------------------------------------------------------------------------------------------------------


def test_the_grid_has_every_reading_once_and_the_picked_ones_are_marked():
    grid = [r for r in readings() if not r.picked]
    writings = [(name, w) for name in ("ackley", "beale", "levi", "schaffer2") for w in ts.functions.ALL[name].writings]
    assert len(set(readings())) == len(readings()) == len(grid) + len(PICKED)
    assert {(r.function, r.writing, r.optimizer, r.rate, r.start) for r in grid} == {
        (*w, *rest) for w, rest in itertools.product(writings, itertools.product(OPTIMIZERS, RATES, STARTS))
    }
    assert all(r.picked for r in PICKED) and len(STARTS) == 6 and RATES == (0.01, 0.03, 0.1)


def test_as_many_candidates_as_paths_drawn_with_replacement():
    """A path that r others beat is the largest of N draws with probability ((N - r)^N - (N - r - 1)^N) / N^N."""
    lcg = ts.trace(lambda x: 4 * x + 2 * x + x, 1.0)
    estimator, rng, n = SELECTIONS["N drawn with replacement"](1), np.random.default_rng(0), 3
    drawn = [estimator.draw(lcg, "x", estimator.init(), rng).gradient for _ in range(3000)]
    for r, size in enumerate((4.0, 2.0, 1.0)):
        p = ((n - r) ** n - (n - r - 1) ** n) / n**n
        assert abs(drawn.count(size) / 3000 - p) < 5 * np.sqrt(p * (1 - p) / 3000)
    held = SELECTIONS["N drawn with replacement"](50)
    assert (
        held.k_max == 50
        and ts.minimize(ts.functions.beale, (1.0, 2.0), estimator=held, steps=3, rng=0).status == "done"
    )


# --- what is counted --------------------------------------------------------------------------------------------------


def test_rows_count_the_runs_of_the_same_starts_by_both_criteria():
    """Against minimize, called here for every method by itself."""
    reading = Reading("beale", "products", "Adam by path", 0.1, "N(0, 1)^2")
    made = sensitivity([reading], runs=60, steps=60)
    f, optimizer = ts.functions.beale.writings["products"], ts.Adam(lr=0.1, moments="path")
    cell = blocks_module.Cell("", f, (STARTS["N(0, 1)^2"],) * 2, ts.GD(), optimizer, 60, 60)
    (block,) = blocks_module._cut(cell, np.random.SeedSequence(0))
    first, paths = (np.random.SeedSequence(block.seed.entropy, spawn_key=(*block.seed.spawn_key, i)) for i in range(2))
    rng = np.random.default_rng(first)
    start = tuple(rng.normal(0, 1, 60) for _ in range(2))
    for row in made.rows:
        find = {"GD": ts.GD(), "RAD": ts.RAD()}
        find |= {f"k_max {k}": SELECTIONS[row["selection"]](k) for k in (5, 50)}
        reached = {}
        for name, estimator in find.items():
            result = ts.minimize(
                f,
                start,
                estimator=estimator,
                optimizer=optimizer,
                steps=60,
                rng=np.random.default_rng(paths),
                every=None,
            )
            x, y = result.x
            miss = result.value if row["criterion"] == "value" else np.sqrt((x - 3) ** 2 + (y - 0.5) ** 2)
            reached[name] = miss < row["tolerance"]
            assert row[name] == reached[name].sum()
        for a, b in PAIRS:
            assert row[f"{a}, not {b}"] == sum(p and not q for p, q in zip(reached[a], reached[b]))
            assert row[f"{b}, not {a}"] == sum(q and not p for p, q in zip(reached[a], reached[b]))
    assert len(made.rows) == 4 * 2 * 2 and any(row["k_max 50"] != row["GD"] for row in made.rows)


def test_the_trend_is_the_least_squares_slope_of_the_rates_with_the_error_of_a_mean_over_starts():
    rng = np.random.default_rng(0)
    curve = rng.random((len(HOLDS), 400)) < np.linspace(0.2, 0.5, len(HOLDS))[:, None]
    curve[:, :150] = curve[0, :150]  # starts for which k_max does not matter
    slope, error = trend(HOLDS, curve)
    assert slope == pytest.approx(np.polyfit(np.log10(HOLDS), curve.mean(axis=1), 1)[0], rel=1e-5)
    again = [curve[:, rng.integers(0, 400, 400)] for _ in range(2000)]
    spread = np.std([np.polyfit(np.log10(HOLDS), c.mean(axis=1), 1)[0] for c in again])
    assert error == pytest.approx(spread, rel=0.06)  # 3.8 standard errors of a spread of 2000 resamplings


# --- verdicts and shares ----------------------------------------------------------------------------------------------


def row_of(reached, reading, **keys):
    return {
        **reading._asdict(),
        **keys,
        "runs": len(reached["GD"]),
        "steps": 0,
        "seed": 0,
        "not finite": 0,
        **counted(reached),
    }


def rates_of(n=1000, **rates):
    """Runs that succeed from the first so many starts: all methods nested, so that pairs are told apart most sharply."""
    return {name: np.arange(n) < rates.get(name.replace(" ", "_"), 0) for name in METHODS}


@pytest.mark.parametrize(
    "rates, told",
    [
        ({"GD": 500, "RAD": 450, "k_max_5": 450, "k_max_50": 450}, 1),
        ({"GD": 500, "RAD": 450, "k_max_5": 497, "k_max_50": 450}, 0),  # 3 of 1000 starts tell nothing
        ({"GD": 500, "RAD": 450, "k_max_5": 510, "k_max_50": 450}, -1),
        ({}, 0),
    ],
)
def test_best_means_above_every_other_one_and_a_tie_is_not_told(rates, told):
    claim = next(c for c in CLAIMS if c.function == "ackley")
    assert claim.method == "GD" and set(claim.above) == {"RAD", "k_max 5", "k_max 50"}
    assert verdict(row_of(rates_of(**rates), LEVI[0]), claim) == told


def test_a_trend_rises_or_falls_or_is_not_told():
    rises = rates_of(**{f"k_max_{k}": 100 * i for i, k in enumerate(HOLDS)})
    falls = rates_of(**{f"k_max_{k}": 900 - 100 * i for i, k in enumerate(HOLDS)})
    noise = {name: np.random.default_rng(i).random(1000) < 0.5 for i, name in enumerate(METHODS)}
    for claim in (c for c in CLAIMS if c.trend):
        found = [verdict(row_of(reached, LEVI[0]), claim) for reached in (rises, falls, noise)]
        assert found[:2] == [claim.trend, -claim.trend] and found[2] in (0, 1, -1)
    up_then_down = rates_of(
        k_max_1=100, k_max_5=200, k_max_10=300, k_max_20=400, k_max_50=500, k_max_100=100, k_max_200=0
    )
    beale = {c.reach: verdict(row_of(up_then_down, LEVI[0]), c) for c in CLAIMS if c.trend == 1}
    assert beale == {50: 1, 200: -1}


def above_by_rate():
    rows = []
    for reading, how, criterion, limit in itertools.product(LEVI, SELECTIONS, ("value", "distance"), (0.05, 0.01)):
        reached = rates_of(GD=100, k_max_5=400 if reading.rate == 0.1 else 100, k_max_50=0)
        rows.append(row_of(reached, reading, selection=how, criterion=criterion, tolerance=limit))
    return tuple(rows)


def test_shares_count_and_name_the_choice_that_decides():
    """Levi under every reading: k_max 5 is above GD where the rate is 0.1, from whatever start and by whatever choice."""
    rows = above_by_rate()
    found = shares(Sensitivity(rows))
    above = next(i for i, c in enumerate(CLAIMS) if "k_max 5 is above GD" in c.says)
    settings = len(LEVI) * len(SELECTIONS) * 2
    assert found.counts[above].tolist() == [settings / 3, 2 * settings / 3, 0]
    assert found.decides(above) == "rate" and found.explained["rate"][above] == pytest.approx(1)
    assert found.share["rate"][above].tolist() == [0, 0, 1]
    for axis in ("optimizer", "start", "selection", "criterion"):
        np.testing.assert_allclose(found.share[axis][above], 1 / 3)
        assert found.explained[axis][above] == pytest.approx(0, abs=1e-12)
    assert np.isnan(found.share["writing"][above]).tolist() == [False, True, False, True, True]  # Levi has two
    assert found.together[above][2] == 1 and 0.1 in found.together[above]
    never = next(i for i, c in enumerate(CLAIMS) if "k_max 50 is above GD" in c.says)
    assert (
        found.decides(never) is None
        and found.together[never] is None
        and found.counts[never].tolist() == [0, 0, settings]
    )
    assert "rate (100 %)" in str(found) and "0.1: 100" in str(found)
    with pytest.raises(BadInput, match="none of them has been measured"):
        shares(Sensitivity(tuple({**row, "picked": "by hand"} for row in rows)))


def test_the_best_two_choices_are_found_together():
    rows = []
    for reading, how in itertools.product(LEVI, SELECTIONS):
        both = (reading.start, how) == ("[-1, 1]^2", "2 drawn without")
        reached = rates_of(GD=100, k_max_5=400 if both else 100)
        rows.append(row_of(reached, reading, selection=how, criterion="value", tolerance=0.05))
    found = shares(Sensitivity(tuple(rows)))
    above = next(i for i, c in enumerate(CLAIMS) if "k_max 5 is above GD" in c.says)
    assert found.together[above] == ("[-1, 1]^2", "2 drawn without", 1.0)
    assert "[-1, 1]^2 and 2 drawn without: 100" in str(found)


def test_cells_are_met_within_the_error_of_two_samples_and_rules_are_for_all_four():
    near = {"GD": 122, "RAD": 1, "k_max 5": 21, "k_max 50": 16, "runs": 1000}
    base = {"tolerance": 0.05, "function": "ackley"}
    assert cells_met({**base, **near}) == 4
    assert cells_met({**base, **near, "GD": 122 + 31}) == 3 and cells_met({**base, **near, "GD": 122 + 29}) == 4
    rows = []
    for reading in (r for r in readings() if not r.picked and r.start == "[-2, 2]^2"):
        for how, criterion, limit in itertools.product(SELECTIONS, ("value", "distance"), (0.05, 0.01)):
            paper = PAPER[limit][reading.function]
            exact = (reading.writing, reading.rate, criterion) in {
                *((w, 0.03, "distance") for w in ("products", "printed-products")),
                ("powers", 0.03, "distance") if reading.function == "levi" else (),
            }
            cells = {f"{m}": 10 * p if exact else 1000 for m, p in zip(("GD", "RAD", "k_max 5", "k_max 50"), paper)}
            keys = {"selection": how, "criterion": criterion, "tolerance": limit, "runs": 1000}
            rows.append({**reading._asdict(), **keys, **cells})
    rules = single_rules(Sensitivity(tuple(rows)))
    whole = [rule for met, rule in rules if met == 32]
    assert whole and all(rule[0] == "products" and rule[3] == 0.03 and rule[-1] == "distance" for rule in whole)
    assert {rule[1] for rule in whole} == {"sum", "printed"} and len(whole) == 2 * len(OPTIMIZERS) * len(SELECTIONS)
    assert rules[len(whole)][0] < 32 and len(rules) == 3 * 2 * len(OPTIMIZERS) * len(RATES) * len(SELECTIONS) * 2
    for met, tried, function, key in picked_settings(Sensitivity(tuple(rows))):
        assert met == 8 and tried == sum(r["function"] == function and r["tolerance"] == 0.05 for r in rows)
        assert dict(zip(AXES, key))["rate"] == 0.03
    assert "picked from" in str(cells_table(Sensitivity(tuple(rows)))) and "32 of 32" in str(
        cells_table(Sensitivity(tuple(rows)))
    )


def test_a_start_of_its_own_for_each_function_is_picked():
    rows, best = [], dict(zip(PAPER[0.05], STARTS))  # another start each, from which all cells are met
    for reading in (r for r in readings() if (r.optimizer, r.rate, r.picked) == ("SGD", 0.1, "")):
        for criterion, limit in itertools.product(("value", "distance"), (0.05, 0.01)):
            paper = PAPER[limit][reading.function]
            right = criterion == "value" and best[reading.function] == reading.start
            cells = {m: 10 * p if right else 1000 for m, p in zip(("GD", "RAD", "k_max 5", "k_max 50"), paper)}
            keys = {"selection": "2 drawn without", "criterion": criterion, "tolerance": limit, "runs": 1000}
            rows.append({**reading._asdict(), **keys, **cells})
    made = Sensitivity(tuple(rows))
    assert max(met for met, _ in single_rules(made)) == 8
    rules = single_rules(made, own_start=True)
    assert [met for met, _ in rules] == [32] * 6 + [0] * 6 and {rule[4] for _, rule in rules} == {"each its own"}


# --- going on ---------------------------------------------------------------------------------------------------------


def test_an_interrupted_table_goes_on_and_a_finished_one_runs_nothing(tmp_path, monkeypatch):
    from tinyspad.experiments import sensitivity as whole  # the function; its module is behind the same name

    module = __import__("sys").modules[whole.__module__]
    file, wanted, real = tmp_path / "new" / "kept.csv", readings()[6:10], module.run_cells
    count = iter(range(100))

    def interrupted(*args, **options):
        if next(count) == 2:
            raise KeyboardInterrupt
        return real(*args, **options)

    monkeypatch.setattr(module, "run_cells", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sensitivity(wanted, file=file, **FEW)
    assert Sensitivity.from_csv(file.read_text(encoding="utf-8")).readings == wanted[:2]
    later = sensitivity(wanted[3:], file=file, **FEW)  # in another order
    assert later.readings == wanted[3:]
    made = sensitivity(wanted, file=file, **FEW)
    assert next(count) == 5  # two, the one that was interrupted, one, and one
    monkeypatch.setattr(module, "run_cells", None)
    assert sensitivity(wanted, file=file, **FEW).rows == made.rows
    assert Sensitivity.from_csv(file.read_text(encoding="utf-8")).rows == made.rows  # in the order of the plan
    monkeypatch.undo()
    assert sensitivity(wanted, **FEW).to_csv() == made.to_csv() == file.read_text(encoding="utf-8")


def test_it_is_the_same_wherever_it_runs():
    wanted = [LEVI[0]]
    here = sensitivity(wanted, **FEW).to_csv()
    assert sensitivity(wanted, workers=2, **FEW).to_csv() == here
    with ThreadPoolExecutor(2) as pool:
        assert sensitivity(wanted, executor=pool, **FEW).to_csv() == here


@pytest.mark.parametrize("content", ["", "notes\n", "a,b\n1,2\n", "HEAD1,2,3\n", "HEAD{row}x\n", "HEAD{row},7\n"])
def test_a_file_that_is_something_else_is_left_alone(tmp_path, content):
    file = tmp_path / "kept.csv"
    head, row = sensitivity([LEVI[0]], **FEW).to_csv().splitlines()[:2]
    content = content.replace("HEAD", head + "\n").replace("{row}", row)
    file.write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match=r"kept\.csv: This is no table of the command sensitivity"):
        sensitivity([LEVI[0]], file=file, **FEW)
    assert file.read_text(encoding="utf-8") == content


def test_rows_of_another_size_or_seed_are_not_mixed(tmp_path):
    file = tmp_path / "kept.csv"
    sensitivity([LEVI[0]], file=file, **FEW)
    for change in ({"runs": 13}, {"steps": 9}, {"rng": 1}):
        with pytest.raises(BadInput, match="take another folder, or ask for that"):
            sensitivity([LEVI[0]], file=file, **{**FEW, **change})
    for wrong in ({"runs": 0}, {"steps": -1}, {"rng": None}, {"workers": 0}, {"workers": 1, "executor": 3}):
        with pytest.raises(BadInput, match=r"whole number|executor= or workers="):
            sensitivity([LEVI[0]], **{**FEW, **wrong})


# --- the command and the picture --------------------------------------------------------------------------------------


def test_the_command_prints_shares_and_cells_keeps_rows_and_goes_on(capsys, tmp_path, monkeypatch):
    module = __import__("sys").modules["tinyspad.experiments.sensitivity"]
    wanted = [PICKED[-1], *(r for r in readings() if (r.optimizer, r.rate, r.start) == ("SGD", 0.1, "[-1, 1]^2"))]
    monkeypatch.setattr("tinyspad.commands.readings", lambda: wanted)
    argv = ["sensitivity", "--runs", "10", "--steps", "4", "--out", str(tmp_path)]
    assert main(argv) == 0
    out, err = capsys.readouterr()
    assert "Levi: SPAD, k_max 5 is best" in out and "one rule for all" in out and "picked from" in out
    assert "the same command goes on from there" in err and image.imread(tmp_path / "sensitivity.png").shape[1] > 1000
    with (tmp_path / "data" / "sensitivity.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 16 * len(wanted) and rows[0]["picked"] and not rows[-1]["picked"]
    assert all(int(row["runs"]) == 10 for row in rows) and set(COUNTS) <= set(rows[0])
    monkeypatch.setattr(module, "run_cells", None)
    assert main(argv) == 0 and capsys.readouterr().out == out
    assert main([*argv, "--only", "levi"]) == 0 and "ackley" not in capsys.readouterr().out
    for wrong, says in (
        (["--only", "nowhere"], "'nowhere' is in no reading, such as"),
        (["--runs", "0"], "--runs is a whole number"),
        (["--seed", "-1"], "--seed is a whole number"),
        (["--runs", "11"], "has rows with runs 10, not 11"),
        (["--only", "inner cell"], "none of them has been measured"),
    ):
        assert main([*argv, *wrong]) == 2
        assert says in capsys.readouterr().err


def test_the_picture_tells_the_shares_and_frames_what_decides():
    found = shares(Sensitivity(above_by_rate()))
    figure = plot.shares(found)
    bars, fields = figure.axes
    widths = np.array([[bar.get_width() for bar in part] for part in bars.containers]).T
    np.testing.assert_allclose(widths, 100 * found.counts / np.maximum(found.counts.sum(axis=1, keepdims=True), 1))
    told = [text.get_text() for text in fields.texts]
    numbers = [f"{100 * x:.0f}" for axis in AXES for x in found.share[axis].ravel() if not np.isnan(x)]
    assert sorted(t for t in told if t.isdigit()) == sorted(numbers) and {*AXES, "learning rate"} - {"rate"} <= set(
        told
    )
    assert {"0", "33", "100"} <= set(told)
    framed = [patch for patch in fields.patches if not patch.get_fill()]
    assert len(framed) == sum(found.decides(i) is not None for i in range(len(CLAIMS)))
    axes = plt.subplots(1, 2)[1]
    assert plot.shares(found, axes=axes) is axes[0].figure
    with pytest.raises(BadInput, match="There are 2 panels"):
        plot.shares(found, axes=axes[:1])
    with pytest.raises(BadInput, match=r"takes what ts\.experiments\.shares returns"):
        plot.shares(3)
    assert json.dumps(plot.data_of(figure))


def test_a_reading_that_is_not_whole_is_measured_again(tmp_path):
    file, wanted = tmp_path / "kept.csv", readings()[6:7]
    whole = sensitivity(wanted, runs=5, steps=3, file=file)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:5]), encoding="utf-8")
    assert sensitivity(wanted, runs=5, steps=3, file=file).rows == whole.rows
    assert file.read_text(encoding="utf-8").splitlines(keepends=True) == lines


def test_one_run_has_no_spread():
    with pytest.raises(BadInput, match="runs=, whose spread is told"):
        sensitivity(readings()[6:7], runs=1, steps=1)
