"""Success tables and hold sweeps: against loops written by hand, the noted rates, and every way of running them."""

import csv
import io
import json
import os
import subprocess
import sys
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import numpy as np
import pytest

import tinyspad as ts
from benchmarks.programs import by_hand
from tinyspad.errors import BadInput, BlockFailed
from tinyspad.experiments import blocks, escape_map, hold_sweep, paper_table, success_rates, wilson
from tinyspad.experiments.success import PAPER, PAPER_BOXES, Z95

GD, beale = {"GD": ts.GD()}, ts.functions.beale
FEW = {"runs": 40, "steps": 30}


# --- the numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function, box, percent",
    [("beale", (-4.5, 4.5), 23.8), ("ackley", (-2, 2), 13.2), ("levi", (-10, 10), 0.1), ("beale", (-2, 2), 67.7)],
)
def test_the_exact_gradient_succeeds_as_often_as_noted(function, box, percent):
    """The noted rates are of 1000 other starts: two samples of one rate, 3.3 standard errors apart at most (p = 0.001)."""
    found = 100 * success_rates(function, GD, boxes=box).rate(function, "GD", 0.05)
    p = max((found + percent) / 200, 0.002)
    assert abs(found - percent) <= 100 * 3.3 * np.sqrt(2 * p * (1 - p) / 1000)


@pytest.mark.parametrize(
    "function, estimator, percent",
    [
        ("ackley", ts.SPAD(k_max=50), 32),
        ("ackley", ts.SPAD(m=2, k_max=50, replace=True), 87),
        ("ackley", ts.RAD(hold=50), 99),
        ("levi", ts.SPAD(k_max=50), 1.5),
        ("levi", ts.SPAD(m=2, k_max=50, replace=True), 11.7),
        ("levi", ts.SPAD(m=1, k_max=50), 14.1),
    ],
    ids=repr,
)
def test_held_paths_succeed_as_often_as_noted(function, estimator, percent):
    found = 100 * success_rates(function, {"e": estimator}).rate(function, "e")
    p = max((found + percent) / 200, 0.002)
    assert abs(found - percent) <= 100 * 3.3 * np.sqrt(2 * p * (1 - p) / 1000)


def test_a_cell_is_what_a_loop_by_hand_counts():
    cell = blocks.Cell("beale", beale, beale.box, ts.GD(), ts.Adam(), 300, 500)
    (values,) = blocks.run_cells([cell], np.random.SeedSequence(5))
    (block,) = blocks._cut(cell, np.random.SeedSequence(5))
    rng = np.random.default_rng(np.random.SeedSequence(block.seed.entropy, spawn_key=block.seed.spawn_key).spawn(2)[0])
    xs, ys = (rng.uniform(-4.5, 4.5, 300) for _ in range(2))
    by = beale(*by_hand(xs, ys, 500))
    np.testing.assert_allclose(values, by, rtol=1e-6, atol=1e-12)
    table = success_rates("beale", GD, runs=300, steps=500, rng=5)
    assert table.successes[0, 0].tolist() == [np.sum(by < 0.05), np.sum(by < 0.01)]


@pytest.mark.parametrize("successes, runs", [(0, 10), (1, 10), (5, 10), (10, 10), (238, 1000), (0, 1000), (1, 1)])
def test_wilson_ends_are_the_rates_that_the_count_only_just_does_not_contradict(successes, runs):
    for end, extreme in zip(wilson(successes, runs), (0, runs)):
        if successes == extreme:
            assert end == extreme / runs
        else:
            assert (successes / runs - end) ** 2 == pytest.approx(Z95**2 * end * (1 - end) / runs, rel=1e-9)
    low, high = wilson(successes, runs)
    assert low <= successes / runs <= high


def test_winners_are_the_highest_of_their_row_and_failures_are_counted():
    problem = ts.functions.Problem("ln", _logarithm, -0.5, ((0.5,),), ((-1.0, 1.0),), "here")
    table = success_rates(problem, {"a": ts.GD(), "b": ts.GD(), "c": ts.RAD()}, tolerances=0.5, **FEW)
    assert table.winners[0, :2, 0].tolist() == [True, True] and table.not_finite[0, 0] > 5
    assert "met NaN or infinity; they count as failures" in str(table)
    none = success_rates("beale", GD, runs=5, steps=0, tolerances=1e-9)
    assert not none.winners.any() and "*" not in str(none).split("* the")[0]


def _logarithm(x):
    return x * np.log(x)


# --- the same wherever it runs --------------------------------------------------------------------------------------------


def test_results_do_not_depend_on_workers_executors_or_other_cells(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 16)
    estimators = {"GD": ts.GD(), "RAD": ts.RAD(), "SPAD": ts.SPAD(m=1, k_max=7)}
    here = success_rates(["beale", "booth"], estimators, tolerances=(5.0, 1.0), **FEW)
    with ThreadPoolExecutor(3) as pool:
        there = success_rates(["beale", "booth"], estimators, tolerances=(5.0, 1.0), executor=pool, **FEW)
    two = success_rates(["beale", "booth"], estimators, tolerances=(5.0, 1.0), workers=2, **FEW)
    assert str(here) == str(there) == str(two) and here.successes.any()
    alone = success_rates("booth", {"RAD": ts.RAD()}, tolerances=(5.0, 1.0), **FEW)
    assert (alone.successes[0, 0] == here.successes[1, 1]).all()


def test_the_seed_decides_everything():
    limits = {"tolerances": (30.0, 100.0, 300.0)}
    rates = [success_rates("booth", {"R": ts.RAD()}, rng=rng, **FEW, **limits).successes.tolist() for rng in (0, 0, 1)]
    assert rates[0] == rates[1] != rates[2]
    generator = np.random.default_rng(0)
    first, second = (success_rates("booth", GD, rng=generator, **FEW, tolerances=9.0) for _ in range(2))
    assert first.provenance["seed"] != second.provenance["seed"]
    drawn = success_rates("booth", GD, rng=None, **FEW)
    again = success_rates("booth", GD, rng=int(drawn.provenance["seed"]), **FEW)
    assert (drawn.successes == again.successes).all()


def test_a_local_dask_cluster_gives_the_same():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        table = success_rates("beale", GD, executor=client.get_executor(), **FEW)
    assert str(table) == str(success_rates("beale", GD, **FEW))


# --- faults ----------------------------------------------------------------------------------------------------------


class Faulty(Executor):
    """Runs blocks at once, and lets those that are named fail a number of times."""

    def __init__(self, fails, problem=None):
        self.fails, self.done = dict(fails), []
        self.problem = problem or RuntimeError("lightning")

    def submit(self, function, block):
        future = Future()
        if self.fails.get(block.name, 0):
            self.fails[block.name] -= 1
            future.set_exception(self.problem)
        else:
            self.done.append(block.name)
            future.set_result(function(block))
        return future


def test_a_block_that_fails_is_tried_again(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 20)
    faulty = Faulty({"beale, GD, runs 20 to 39": 1})
    table = success_rates("beale", GD, executor=faulty, **FEW)
    assert faulty.done == ["beale, GD, runs 0 to 19", "beale, GD, runs 20 to 39"]
    assert str(table) == str(success_rates("beale", GD, **FEW))


def test_a_block_that_fails_again_is_named_and_the_others_are_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(blocks, "BLOCK", 20)
    file = tmp_path / "new" / "kept.jsonl"
    with pytest.raises(BlockFailed, match=r"beale, GD, runs 0 to 19: failed 2 times with RuntimeError: lightning"):
        success_rates("beale", GD, executor=Faulty({"beale, GD, runs 0 to 19": 2}), resume=file, **FEW)
    second = Faulty({})
    table = success_rates("beale", GD, executor=second, resume=file, **FEW)
    assert second.done == ["beale, GD, runs 0 to 19"] and str(table) == str(success_rates("beale", GD, **FEW))


def test_an_interruption_loses_no_finished_block(monkeypatch, tmp_path):
    monkeypatch.setattr(blocks, "BLOCK", 10)
    file, run = tmp_path / "kept.jsonl", blocks.run_block
    count = iter(range(100))

    def interrupted(block):
        if next(count) == 2:
            raise KeyboardInterrupt
        return run(block)

    monkeypatch.setattr(blocks, "run_block", interrupted)
    with pytest.raises(KeyboardInterrupt):
        success_rates("beale", GD, resume=file, **FEW)
    with file.open("ab") as stream:  # and the power went, too
        stream.write(b'{"block": "hal')
    done = []
    monkeypatch.setattr(blocks, "run_block", lambda block: done.append(block.first) or run(block))
    table = success_rates("beale", GD, resume=file, **FEW)
    assert done == [20, 30]
    monkeypatch.setattr(blocks, "run_block", None)  # everything is in the file now
    assert str(success_rates("beale", GD, resume=file, **FEW)) == str(table)
    assert all(json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())


def test_kept_blocks_serve_only_the_same_question(tmp_path):
    file = tmp_path / "kept.jsonl"
    success_rates("beale", GD, resume=file, **FEW)
    lines = len(file.read_text(encoding="utf-8").splitlines())
    for change in ({"rng": 1}, {"steps": 31}, {"boxes": (-1, 1)}, {"optimizer": ts.Adam(lr=0.02)}, {"runs": 41}):
        success_rates("beale", GD, resume=file, **{**FEW, **change})
        assert len(file.read_text(encoding="utf-8").splitlines()) == (lines := lines + 1)
    other = ts.functions.Problem("beale", lambda x, y: x * x + y * y, 0.0, ((0.0, 0.0),), beale.box, "here")
    success_rates(other, GD, resume=file, **FEW)
    assert len(file.read_text(encoding="utf-8").splitlines()) == lines + 1


@pytest.mark.parametrize("content", ["notes of mine\n", "PK", '{"format": "x"}\n', "FIRST[1]\n", 'FIRST{"block": 1}\n'])
def test_a_file_that_is_something_else_is_left_alone(tmp_path, content):
    file = tmp_path / "kept.jsonl"
    content = content.replace("FIRST", json.dumps({"format": blocks.FORMAT}) + "\n")
    file.write_text(content)
    with pytest.raises(BadInput, match="resume="):
        success_rates("beale", GD, resume=file, **FEW)
    assert file.read_text(encoding="utf-8") == content


def test_a_block_that_lost_some_of_its_values_is_done_again(tmp_path):
    file = tmp_path / "kept.jsonl"
    table = success_rates("beale", GD, resume=file, **FEW)
    head, line = (json.loads(text) for text in file.read_text(encoding="utf-8").splitlines())
    line["values"].pop()
    file.write_text(json.dumps(head) + "\n" + json.dumps(line) + "\n")
    assert str(success_rates("beale", GD, resume=file, **FEW)) == str(table)
    assert len(file.read_text(encoding="utf-8").splitlines()) == 3

    line["values"][0] = "0x1p9999"
    file.write_text(json.dumps(head) + "\n" + json.dumps(line) + "\n")
    with pytest.raises(BadInput, match="line 2 is not what tinyspad writes"):
        success_rates("beale", GD, resume=file, **FEW)


def test_a_killed_worker_is_reported(monkeypatch):
    problem = ts.functions.Problem("killer", _kill, 0.0, ((0.0,),), ((-1.0, 1.0),), "here")
    with pytest.raises(BlockFailed, match=r"killer, GD.*failed 2 times with BrokenProcessPool.*__main__"):
        success_rates(problem, GD, workers=1, **FEW)


def _kill(x):
    os._exit(1)


@pytest.mark.parametrize(
    "settings, says",
    [
        ({"functions": []}, "functions: give problems"),
        ({"functions": "parabola"}, "is not a problem of ts.functions"),
        ({"functions": [np.sin]}, "is not a problem of ts.functions"),
        ({"functions": ["beale", "beale"]}, "give each once"),
        ({"estimators": {}}, "estimators is a dict"),
        ({"estimators": {"GD": ts.GD}}, "write GD"),
        ({"runs": 0}, "runs= is a whole number, at least 1"),
        ({"runs": 2.5}, "runs= is a whole number"),
        ({"steps": -1}, "steps= is a whole number"),
        ({"tolerances": ()}, "tolerances= are different positive numbers"),
        ({"tolerances": (0.05, 0.05)}, "different positive"),
        ({"tolerances": -1}, "different positive"),
        ({"boxes": (1, -1)}, "boxes: beale has 2 parameters"),
        ({"boxes": [(0, 1)] * 3}, "boxes: beale"),
        ({"boxes": (0, np.inf)}, "boxes: beale"),
        ({"optimizer": {"RAD": ts.Adam()}}, "optimizer= is one for all estimators"),
        ({"rng": -1}, "rng= is"),
        ({"rng": "seed"}, "rng= is"),
        ({"workers": 0}, "workers=, a number of processes, is a whole number"),
        ({"workers": 1, "executor": Faulty({})}, "executor= or workers="),
        ({"executor": 3}, "executor= is a concurrent.futures.Executor"),
        ({"resume": "file", "rng": None}, "resume= needs a seed"),
    ],
)
def test_arguments_without_meaning_are_refused(settings, says):
    with pytest.raises(BadInput, match=says):
        success_rates(**{"functions": "beale", "estimators": GD, **FEW, **settings})


# --- how it is told --------------------------------------------------------------------------------------------------


def test_the_paper_table_puts_the_papers_figures_beside_ours():
    table = paper_table(1, 2, **FEW)
    assert table.functions == tuple(PAPER_BOXES) and table.tolerances == (0.05, 0.01)
    text = str(table)
    assert text.count("the paper") == 8 and "70.8" in text and "65.4" in text and "seed: 0" in text
    assert "uniform in ackley [-2, 2]^2" in text and f"NumPy {np.__version__}" in text and "lr=0.01" in text
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert len(rows) == 4 * 4 * 2
    for row in rows:
        column = table.estimators.index(row["estimator"])
        assert float(row["paper"]) == PAPER[float(row["tolerance"])][row["function"]][column] / 100
        assert float(row["rate"]) == int(row["successes"]) / 40
        assert float(row["low"]) <= float(row["rate"]) <= float(row["high"])
    assert "**" in table.to_markdown() and table.to_markdown().count("\n| ") >= 16
    assert paper_table(2, **FEW).tolerances == (0.01,)
    with pytest.raises(BadInput, match="the tables of success rates are 1 and 2"):
        paper_table(3)
    with pytest.raises(BadInput, match="The table has no estimator 'SGD'"):
        table.rate("beale", "SGD")


def test_hold_sweep_is_a_table_of_success_rates():
    sweep = hold_sweep(
        "booth", k_max=(1, 5), choices=((None, False), (2, True)), rates=(0.1, 0.2), tolerances=9.0, **FEW
    )
    for r, lr in enumerate((0.1, 0.2)):
        own = {"GD": ts.GD(), "a": ts.SPAD(k_max=5), "b": ts.SPAD(m=2, replace=True, k_max=1)}
        table = success_rates("booth", own, optimizer=ts.Adam(lr=lr), tolerances=9.0, **FEW)
        assert table.successes[0, :, 0].tolist() == [
            sweep.baseline[0, r, 0],
            sweep.successes[0, r, 0, 1, 0],
            sweep.successes[0, r, 1, 0, 0],
        ]
    assert len(sweep.to_csv().splitlines()) == 1 + 2 + 8 and "largest of 2, with replacement" in str(sweep)
    assert sweep.to_markdown().count("\n") == 1 + 2 * 2
    with pytest.raises(BadInput, match="k_max= is a list"):
        hold_sweep(k_max=())
    with pytest.raises(BadInput, match="given twice"):
        hold_sweep("booth", k_max=(5, 1, 5), **FEW)
    with pytest.raises(BadInput, match="choices= are pairs"):
        hold_sweep(choices=(2,))


def test_escape_map_shows_that_holding_escapes_and_fresh_draws_do_not():
    found = escape_map(rates=(0.01, 0.1), k_max=(1, 50), runs=50)
    reached, left = found.success[0, :, 0, :, 0], found.success[0, :, 0, :, 1]
    assert reached[0, 0] == left[0, 0] == 0 and left[0, 1] > 0.8 and reached[0, 1] < 0.3
    assert reached[1, 0] < 0.2 and reached[1, 1] == 1 and not found.baseline.any()


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs os.killpg, to send Ctrl-C to a group of processes")
def test_long_work_can_be_interrupted_and_goes_on(tmp_path):
    """Ctrl-C on the command line with two workers: one line, status 130, and the finished blocks are kept."""
    import signal
    import time

    file = tmp_path / "kept.jsonl"
    argv = [sys.executable, "-m", "tinyspad", "table", "1", "--workers", "2", "--runs", "3000", "--resume", str(file)]
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not file.exists() or len(file.read_bytes().splitlines()) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err and err.rstrip().endswith("tinyspad: interrupted")
    assert len(file.read_bytes().splitlines()) >= 2
