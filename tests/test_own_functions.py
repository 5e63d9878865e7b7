"""Functions of one's own in tables: with a box alone, and a least value that was found in place of one that is known."""

import csv
import io
import pickle
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from matplotlib import pyplot as plt
from test_displays import check

import tinyspad as ts
from tinyspad import plot
from tinyspad.errors import BadInput
from tinyspad.experiments import blocks, hold_sweep, success_rates
from tinyspad.functions import Problem

TWO = {"GD": ts.GD(), "RAD": ts.RAD()}
FEW = {"runs": 60, "steps": 150, "optimizer": ts.Adam(lr=0.05), "tolerances": (0.5, 0.05)}
f1 = ts.functions.f1


def dents(x, y):
    """A bowl with dents, whose minimum, -1.5, is not told."""
    return x * x + 4 * y * y + np.sin(3 * x) * x - 1.5


def dents_with_powers(x, y):
    return x**2 + 4 * y**2 + np.sin(3 * x) * x - 1.5


def never_finite(x):
    return np.log(-1.0 - x * x)


MINE = Problem("mine", dents, (-3, 3), writing="products", writings={"powers": dents_with_powers})


# --- a problem -----------------------------------------------------------------------------------------------------------


def test_a_box_is_enough():
    mine = Problem("mine", dents, ((-1, 1), (0, 2)))
    assert mine.box == ((-1.0, 1.0), (0.0, 2.0)) and np.isnan(mine.minimum) and mine.minimizers == ()
    assert repr(mine) == "<Problem mine(x, y): minimum not known; in [-1, 1] x [0, 2]>"
    assert Problem("mine", dents, (-1, 1)).box == ((-1.0, 1.0),) * 2 and Problem("sin", np.sin, [(0, 1)]).box == (
        (0.0, 1.0),
    )
    assert Problem("mine", f1, (-1, 1)).box == ((-1.0, 1.0),) and Problem("any", lambda *x: x[0], [(0, 1)] * 3).box[
        2
    ] == (0, 1)
    with pytest.raises(BadInput, match=r"The minimizers of mine are not known: Problem\(..., minimizers="):
        _ = mine.minimizer
    again = pickle.loads(pickle.dumps(MINE))
    assert again.name == "mine" and again(1.0, 2.0) == MINE(1.0, 2.0) and list(again.writings) == ["products", "powers"]
    assert ts.minimize(mine, (1.0, 1.0), steps=1).success


@pytest.mark.parametrize(
    ("box", "says"),
    [
        (0.0, "Problem mine: box= is .low, high. for each parameter, .*not 0.0"),
        ((1, -1), "box="),
        ([(0, 1)] * 3, "dents takes 2 arguments .x, y., and 3 were given"),
        ("box", "box="),
        ([(0, 1), (0,)], "box="),
        ((), "box="),
        ((0, np.inf), "box="),
        (None, "box="),
    ],
)
def test_a_box_that_does_not_fit_is_refused(box, says):
    with pytest.raises(BadInput, match=says):
        Problem("mine", dents, box)


def test_problems_in_short_are_short():
    for problem in ts.functions.ALL.values():
        assert repr(problem).startswith(f"<Problem {problem.name}(x") and len(repr(problem)) < 130
        assert pickle.loads(pickle.dumps(problem)) is problem
        for f in problem.writings.values():
            assert pickle.loads(pickle.dumps(f)) is f
    assert len(repr(Problem("n" * 400, lambda *x: x[0], [(k, k + 1) for k in range(200)]))) < 300
    himmelblau = "minimum 0 at (3, 2), (-2.80512, 3.13131) and 2 more; in [-5, 5]^2; 3 writings>"
    assert repr(ts.functions.himmelblau).endswith(himmelblau)


def test_the_functions_are_what_completion_offers():
    assert set(dir(ts.functions)) == {"ALL", "Problem", "written", *ts.functions.ALL}
    assert all(callable(getattr(ts.functions, name)) for name in set(dir(ts.functions)) - {"ALL"})
    assert all(getattr(ts.functions, name) is problem for name, problem in ts.functions.ALL.items())


# --- a minimum that is not known -------------------------------------------------------------------------------------------


def same(one, two):
    return np.array_equal(one.reached, two.reached) and one.functions == two.functions


def test_the_least_value_at_which_a_run_ended_stands_in():
    table = success_rates(MINE, TWO, **FEW)
    cells = [blocks.Cell("", MINE, MINE.box, e, FEW["optimizer"], 60, 150) for e in TWO.values()]
    values = [ended for ended, *_ in blocks.run_cells(cells, np.random.SeedSequence(0))]
    assert table.stand_ins == {"mine": min(map(np.min, values))}
    for e in range(2):
        for t, limit in enumerate(table.tolerances):
            assert table.reached[0, e, t].tolist() == (values[e] < table.stand_ins["mine"] + limit).tolist()
    known = success_rates(MINE, TWO, minimum=table.stand_ins["mine"], **FEW)
    assert same(known, table) and known.stand_ins == {} and "minimum" not in known.provenance
    assert success_rates(MINE, TWO, minimum=-1.5, **FEW).rates.max() <= table.rates.max()


def test_a_plain_function_and_boxes_give_the_same():
    plain = success_rates(dents, TWO, boxes=(-3, 3), **FEW)
    mine = success_rates(Problem("dents", dents, (-3, 3)), TWO, **FEW)
    assert str(plain) == str(mine) and plain.stand_ins == mine.stand_ins and set(mine.stand_ins) == {"dents"}
    with pytest.raises(BadInput, match=r"boxes: dents has 2 parameters.*not nothing"):
        success_rates(dents, TWO, **FEW)


def test_the_table_says_so_wherever_it_is_shown():
    table = success_rates([MINE, "booth"], TWO, **FEW)
    said = (
        f"minimum: of mine not known, {table.stand_ins['mine']!r} stands in: the least value at which a run here ended"
    )
    assert said in str(table) and said in table.to_markdown() and said in check(table)
    assert str(table).startswith("Runs that end within 0.5 or 0.05 of the least value known, in percent of 60:")
    assert (
        repr(table)
        == "<SuccessTable of 60 runs of GD; RAD on mine, booth, within 0.5 or 0.05 of the least value known>"
    )
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert {row["minimum"] for row in rows} == {table.provenance["minimum"]}
    known = success_rates("booth", TWO, **FEW)
    assert "minimum" not in known.provenance and "of the minimum, in percent" in check(known)
    figure = plot.success(table)
    assert "least value known" in figure.axes[0].get_xlabel()
    plt.close(figure)


def test_writings_of_a_function_share_what_was_found():
    both = success_rates(["booth", MINE, MINE.writings["powers"]], TWO, **FEW)
    assert both.functions == ("booth", "mine", "mine, powers") and set(both.stand_ins) == {"mine"}
    alone = [success_rates(MINE.writings[name], TWO, **FEW).stand_ins["mine"] for name in MINE.writings]
    assert both.stand_ins["mine"] == min(alone)
    one = success_rates(MINE, TWO, minimum=min(alone), **FEW)
    assert np.array_equal(both.reached[1], one.reached[0])


def test_where_no_run_ends_finite_none_succeeds():
    table = success_rates(Problem("lost", never_finite, (0, 1)), TWO, runs=20, steps=3)
    assert np.isnan(table.stand_ins["lost"]) and not table.reached.any() and table.not_finite.tolist() == [[20, 20]]
    told = "minimum: of lost not known, and no run ended at a number, so none can succeed"
    assert table.provenance["minimum"] == told.partition(": ")[2] and told in str(table) and "nan" not in told
    both = success_rates([Problem("lost", never_finite, (0, 1)), MINE], TWO, **FEW)
    assert "of mine not known, " in both.provenance["minimum"] and both.provenance["minimum"].endswith(told[9:])


def test_it_is_the_same_by_workers_and_resumed(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 16)
    here, file = success_rates(MINE, TWO, **FEW), tmp_path / "kept.jsonl"
    with ProcessPoolExecutor(2) as pool:
        assert str(success_rates(MINE, TWO, executor=pool, **FEW)) == str(here)
    first = success_rates(MINE, {"GD": ts.GD()}, resume=file, **FEW)
    assert first.stand_ins["mine"] >= here.stand_ins["mine"]
    assert str(success_rates(MINE, TWO, resume=file, **FEW)) == str(here)
    monkeypatch.setattr(blocks, "run_block", None)  # nothing is run again
    assert str(success_rates(MINE, TWO, resume=file, **FEW)) == str(here)
    assert same(success_rates(MINE, TWO, resume=file, minimum=here.stand_ins["mine"], **FEW), here)


def test_distance_asks_for_minimizers():
    with pytest.raises(
        BadInput, match=r"those of mine are not known: pass them, .*, or take criterion=\"value\", which needs"
    ):
        success_rates(MINE, TWO, criterion="distance", **FEW)
    near = success_rates(MINE, TWO, criterion="distance", minimizers=[(0.0, 0.0)], **FEW)
    assert near.stand_ins == {} and "nearest minimizer" in str(near)


def test_sweeps_say_so_too():
    sweep = hold_sweep(MINE, k_max=(1, 5), runs=20, steps=30)
    assert "of the least value known" in str(sweep) and "minimum: of mine not known" in str(sweep)
    assert check(success_rates(MINE, {"λ" * 60: ts.GD(), "<b>": ts.RAD()}, runs=3, steps=3))
