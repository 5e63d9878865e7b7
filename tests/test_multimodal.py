"""How often methods find the minimum at equal work, and what is told of it; see test_equal_work for how they are run."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_equal_work import RATED, block_of, same_rate

from tinyspad import plot, reproduction
from tinyspad.__main__ import main
from tinyspad.errors import BadInput
from tinyspad.experiments import FAMILIES, MULTIMODAL_METHODS, Multimodal, multimodal, sign_test
from tinyspad.reproduction import multimodal as claim

ROOT = Path(__file__).parent.parent
FEW = {"dimensions": 2, "rates": (0.01,), "runs": 10, "work": 40}


# --- the experiment --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found():
    """A small one of everything but SciPy's."""
    return multimodal(["rastrigin", "shubert"], methods=RATED, rates=(0.003, 0.01), runs=20, work=300)


def test_successes_are_counted_and_the_best_rate_is_the_one_with_most(found):
    assert found.reached.shape == (2, 2, 6, 2, 20) and found.successes.any()
    for f, d, m in np.ndindex(2, 2, 6):
        counts = [sum(run) for run in found.reached[f, d, m].tolist()]
        assert found.successes[f, d, m].tolist() == counts
        best = counts.index(max(counts))
        assert found.best[f, d, m] == best and (found.at_best[f, d, m] == found.reached[f, d, m, best]).all()
        for other in range(6):
            theirs = found.at_best[f, d, other]
            alone = sum(a and not b for a, b in zip(found.at_best[f, d, m], theirs))
            assert found.alone[f, d, m, other] == alone
    low, high = found.intervals
    assert np.all((low <= found.successes / 20) & (found.successes / 20 <= high))


def test_a_cell_is_what_its_block_gives(found):
    problem = FAMILIES["rastrigin"].problem(10)
    block = block_of(problem, "RAD, held", 0.01 * 10.24, 20, 300)
    near = np.array(block.cell.run(block)) - problem.minimum < 0.05
    assert (found.reached[0, 1, RATED.index("RAD, held"), 1] == near).all()


def test_cells_do_not_depend_on_others_or_on_workers(found, tmp_path):
    file = tmp_path / "kept.jsonl"
    settings = {"rates": (0.01, 0.003), "runs": 20, "work": 300, "workers": 2, "resume": file}
    alone = multimodal("shubert", dimensions=[10, 2], methods=["SPAD", "GD"], **settings)
    for d, m in np.ndindex(2, 2):
        there = found.reached[1, 1 - d, RATED.index(alone.methods[m]), ::-1]
        assert (alone.reached[0, d, m] == there).all()
    size = file.stat().st_size
    assert str(multimodal("shubert", dimensions=[10, 2], methods=["SPAD", "GD"], **settings)) == str(alone)
    assert file.stat().st_size == size
    other = multimodal("shubert", dimensions=2, methods="GD", rates=0.003, runs=20, work=300, rng=1)
    assert other.provenance["seed"] == "1"


def test_starts_are_the_same_for_all_methods():
    problem = FAMILIES["griewank"].problem(2)
    starts = [block_of(problem, name, 0.1, 5, 10).begin()[0] for name in MULTIMODAL_METHODS]
    assert all(np.array_equal(start, starts[0]) for start in starts)


def test_results_are_written_and_read(found):
    again = Multimodal.from_json(found.to_json())
    assert str(again) == str(found) and (again.reached == found.reached).all() and again.rates == found.rates
    text, rows = str(found), found.to_csv().splitlines()
    assert len(rows) == 1 + found.successes.size and "300 evaluations" in text and text.count("*") >= 25
    assert found.to_markdown().count("**") == 2 * 24
    good = json.loads(found.to_json())
    for change in (
        {"format": "another"},
        {"runs": 30},
        {"runs": 0},
        {"functions": []},
        {"methods": ["none"]},
        {"reached": {}},
        {"rates": ["a"]},
    ):
        with pytest.raises(BadInput, match=r"not what Multimodal\.to_json writes"):
            Multimodal.from_json(json.dumps({**good, **change}))
    with pytest.raises(BadInput, match=r"not what Multimodal\.to_json writes"):
        Multimodal.from_json("[" * 100_000)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"functions": "beale"}, "There is no function 'beale' here; there are rastrigin; griewank"),
        ({"functions": []}, "functions= is a list of different values"),
        ({"functions": ["shubert", "shubert"]}, "different values"),
        ({"methods": "magic"}, "There is no method 'magic'"),
        ({"methods": ["GD", 3]}, "There is no method '3'"),
        ({"methods": 3}, "methods= is a list"),
        ({"dimensions": (2, 2)}, "dimensions= is a list of different values"),
        ({"dimensions": 2.5}, "dimensions="),
        ({"dimensions": 11}, "dimensions= is at most 10"),
        ({"rates": (0.01, 1.0)}, "between 0 and 1"),
        ({"rates": "fast"}, "rates= is a list"),
        ({"runs": 0}, "runs= is a whole number"),
        ({"work": 0}, "work= is a whole number"),
        ({"tolerance": 0}, "tolerances= are different positive numbers"),
        ({"rng": None, "resume": "file"}, "resume= needs a seed"),
    ],
)
def test_arguments_without_meaning_are_refused(settings, says):
    with pytest.raises(BadInput, match=says):
        multimodal(**{"functions": "rastrigin", "methods": "GD", **FEW, **settings})


@pytest.mark.parametrize("more, fewer", [(0, 0), (5, 5), (9, 2), (40, 12), (300, 0)])
def test_the_sign_test_is_the_binomial_one(more, fewer):
    stats = pytest.importorskip("scipy.stats")
    expected = stats.binomtest(more, more + fewer).pvalue if more + fewer else 1.0
    assert sign_test(more, fewer) == sign_test(fewer, more) == pytest.approx(expected, rel=1e-9)


# --- the picture and the command -------------------------------------------------------------------------------------


def test_the_picture_shows_every_cell(found):
    figure = plot.multimodal(found)
    assert len(figure.axes) == 4
    drawn = [sorted(float(x) for line in ax.lines for x in line.get_xdata()) for ax in figure.axes]
    order = [(0, 0), (0, 1), (1, 0), (1, 1)]  # one row: rastrigin on the left, shubert on the right
    for xs, (f, d) in zip(drawn, order):
        low, high = (100 * end[f, d] for end in found.intervals)
        rates = 100 * found.successes[f, d] / 20
        at = found.best[f, d]
        caps = [end[m, at[m]] for end in (low, high) for m in range(6)]
        np.testing.assert_allclose(xs, sorted([*rates.ravel(), *caps]), atol=1e-9)
    texts = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert texts == list(plot.multimodal.__globals__["AGREE"].values())
    with pytest.raises(BadInput, match=r"takes what ts\.experiments\.multimodal returns, not dict"):
        plot.multimodal({})
    with pytest.raises(BadInput, match="4 panels"):
        plot.multimodal(found, axes=figure.axes[:3])


def test_the_command_runs_writes_and_reads(tmp_path, capsys):
    data, picture = tmp_path / "data" / "found.json", tmp_path / "found.png"
    few = ["--dimensions", "2", "--methods", "GD; RAD, held", "--runs", "5", "--work", "9"]
    kept = ["--resume", str(tmp_path / "kept.jsonl"), "--data", str(data), "--figure", str(picture)]
    assert main(["multimodal", "rastrigin", "shubert", *few, *kept]) == 0
    out, err = capsys.readouterr()
    assert "the same command goes on from there" in err and "RAD, held" in out and picture.stat().st_size > 1000
    assert main(["multimodal", "--from", str(data), "--as", "csv"]) == 0
    assert capsys.readouterr().out.rstrip() == Multimodal.from_json(data.read_text(encoding="utf-8")).to_csv().rstrip()


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["beale"], "no function 'beale'"),
        (["--methods", "magic"], "no method 'magic'"),
        (["--methods", ";"], "--methods is a list"),
        (["--dimensions", "0"], "dimensions"),
        (["--runs", "0"], "--runs"),
        (["--work", "0"], "--work"),
        (["--seed", "-1"], "--seed"),
        (["--from", "nowhere.json"], "nowhere.json"),
        (["--from", sys.executable], "no file of results that multimodal --data wrote"),
        (["--figure", "found.txt"], "picture format"),
    ],
    ids=" ".join,
)
def test_bad_input_is_told_in_one_line(argv, says, capsys):
    assert main(["multimodal", *argv]) == 2
    err = capsys.readouterr().err
    assert says in err and err.count("\n") == 1 and err.startswith("tinyspad: ")


# --- what is committed -----------------------------------------------------------------------------------------------


def committed():
    return Multimodal.from_json((ROOT / "figures" / "data" / "multimodal.json").read_text(encoding="utf-8"))


@pytest.mark.committed
def test_fewer_runs_succeed_as_often_as_the_committed_ones():
    """Other starts, and on another machine other ways: rates are compared as two samples, not runs."""
    whole = committed()
    assert (whole.functions, whole.methods) == (tuple(FAMILIES), tuple(MULTIMODAL_METHODS))
    assert (whole.runs, whole.work, whole.dimensions, whole.tolerance) == (400, 2000, (2, 10), 0.05)
    names = ["griewank", "cosine_mixture", "styblinski_tang", "michalewicz"]
    few = multimodal(names, dimensions=2, methods=RATED, rates=(0.003,), runs=60, rng=1)
    for f, m in np.ndindex(len(names), len(RATED)):
        there = whole.successes[whole.functions.index(names[f]), 0, whole.methods.index(RATED[m]), 1]
        same_rate(few.successes[f, 0, m, 0], 60, there, 400)


@pytest.mark.committed
def test_fewer_hops_succeed_as_often_as_the_committed_ones():
    pytest.importorskip("scipy.optimize")
    whole = committed()
    few = multimodal(["rastrigin", "michalewicz"], dimensions=2, methods="basin hopping", rates=0.01, runs=20, rng=1)
    for f, name in enumerate(few.functions):
        there = whole.successes[whole.functions.index(name), 0, whole.methods.index("basin hopping"), 0]
        same_rate(few.successes[f, 0, 0, 0], 20, there, 400)


def test_other_rates_would_be_seen():
    same_rate(30, 60, 200, 400)
    with pytest.raises(AssertionError):
        same_rate(15, 60, 200, 400)


# --- the paragraph ---------------------------------------------------------------------------------------------------


def numbers_of(found):
    """What the claim takes from these results."""
    setting = reproduction.claim.Setting(folder=Path())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claim, "Multimodal", type("Read", (), {"from_json": staticmethod(lambda text: found)}))
        patch.setattr(Path, "exists", lambda self: True)
        patch.setattr(Path, "read_bytes", lambda self: b"")
        return claim.measure_multimodal(setting)


def made_up(own, rival, agree_own, agree_rival):
    """Results in which methods of a path at a time, and their rivals, solve so many of 40 starts."""
    reached = np.zeros((2, 1, 6, 1, 40), bool)
    for f, (ours, theirs) in enumerate(((agree_own, agree_rival), (own, rival))):
        for m, name in enumerate(RATED):
            reached[f, 0, m, 0, : ours if name in claim.OWN else theirs] = True
    return Multimodal(("rastrigin", "shubert"), (2,), tuple(RATED), (0.01,), 9, 0.05, reached, {})


@pytest.mark.parametrize(
    ("counts", "words", "ending"),
    [
        ((0, 40, 40, 0), ("ahead", "behind"), "curiosity"),
        ((40, 0, 40, 0), ("ahead", "ahead"), "So it is a method, on these functions"),
        ((20, 20, 40, 0), ("ahead", "mixed"), "no advantage to be counted on"),
        ((24, 20, 40, 0), ("ahead", "mixed"), "no advantage to be counted on"),  # too few to tell
        ((0, 40, 0, 40), ("behind", "behind"), "what people would take does better"),
        ((20, 20, 20, 20), ("mixed", "mixed"), "no better than what people would take"),
    ],
)
def test_the_verdict_follows_the_numbers(counts, words, ending):
    n = numbers_of(made_up(*counts))
    assert (claim.verdict(n, True), claim.verdict(n, False)) == words and ending in claim.paragraph(n)
    assert claim.MULTIMODAL.supports(n) == (words[0] == "ahead" and words[1] != "ahead")


def test_the_paragraph_names_who_is_ahead():
    found = made_up(0, 0, 40, 0)
    found.reached[1, 0, RATED.index("GD, restarts"), 0, :30] = True
    n = numbers_of(found)
    assert (
        claim.standing(n, "SPAD", False) == (0, 1, 1) and "GD with restarts" in claim.paragraph(n).split("elsewhere")[1]
    )
    assert "basin hopping" not in claim.paragraph(n)
    n = numbers_of(replace(found, reached=found.reached[..., ::-1]))
    assert claim.standing(n, "SPAD", True) == (1, 0, 1)


def test_the_claim_asks_for_the_results_of_the_long_run(tmp_path):
    with pytest.raises(BadInput, match="python -m tinyspad multimodal --data"):
        reproduction.measure(["multimodal"], folder=tmp_path)
    few = multimodal("rastrigin", methods=["GD", "RAD"], **FEW)
    (tmp_path / "multimodal.json").write_text(few.to_json(), encoding="utf-8")
    with pytest.raises(BadInput, match="other functions or methods than the report"):
        reproduction.measure(["multimodal"], folder=tmp_path)
