"""Arguments without meaning, one line each: every one is refused by name, before any work is done."""

import numpy as np
import pytest

import tinyspad as ts
from tinyspad import plot
from tinyspad.errors import BadInput, NotElementwise, TinyspadError, TooManyPaths
from tinyspad.experiments import success_rates, variance_curve

f1 = ts.functions.f1
LCG = ts.trace(f1, 5.0)
BATCH = ts.trace(f1, np.array([1.0, 2.0, 3.0]))
MAPS = ts.trace(lambda w: np.sum(np.tanh(w) @ np.ones(2)), np.ones((2, 2)))


def doublings(x):
    for _ in range(60):
        x = 0.6 * x + 0.4 * x
    return x


MANY = ts.trace(doublings, 1.0)

REFUSED = [
    (lambda: LCG.top_paths("x", 0), BadInput, "at least 1, not 0"),
    (lambda: MANY.top_paths("x", 10**6), TooManyPaths, "would list 1000000 paths"),
    (lambda: LCG.sample_paths("x", -1), BadInput, "at least 0, not -1"),
    (lambda: LCG.sample_paths("x", 3, rng="dice"), BadInput, "rng= is a numpy Generator"),
    (lambda: LCG.sample_path("x", 0, by="luck"), BadInput, 'by= is "path"'),
    (lambda: LCG.sweep("median"), BadInput, "no semiring 'median'"),
    (lambda: LCG.sweep(3), BadInput, "takes a Semiring"),
    (lambda: LCG.sweep("count", "sideways"), BadInput, "direction="),
    (lambda: MAPS.sweep("count", "forward"), NotElementwise, "linear map"),
    (lambda: variance_curve(f1, np.ones(3)), BadInput, "one point of numbers"),
    (lambda: variance_curve(lambda x: 2 * x, 1.0), BadInput, "fewer than two"),
    (lambda: variance_curve(f1, 5.0, epsilons=[0.0, 0.5]), BadInput, "between 0 and 1"),
    (lambda: variance_curve(f1, 5.0, epsilons="ab"), BadInput, "between 0 and 1"),
    (lambda: variance_curve(lambda x: 1e160 * x + x, 1.0), BadInput, "too large to be squared"),
    (lambda: success_rates("beale", {"GD": ts.GD()}, tolerances=(0.1, 0.1), runs=2), BadInput, "different positive"),
    (lambda: success_rates("beale", {"GD": ts.GD()}, tolerances="a", runs=2), BadInput, "different positive"),
    (lambda: success_rates("beale", {"GD": ts.GD()}, rng="x", runs=2), BadInput, "rng="),
    (lambda: success_rates("beale", {"GD": ts.GD()}, executor=1, runs=2), BadInput, "executor= is a concurrent"),
    (lambda: plot.lcg(f1), BadInput, "draws what trace"),
    (lambda: plot.lcg(LCG, highlight=3), BadInput, "takes one path"),
    (lambda: plot.lcg(LCG, highlight=MANY.best_path("x")), BadInput, "belongs to another graph"),
    (lambda: plot.lcg(LCG, around="nowhere"), BadInput, "no variable"),
    (lambda: plot.lcg(LCG, around="x", reach=-1), BadInput, "whole number of edges"),
    (lambda: plot.lcg(LCG, collapse=["d"]), BadInput, "dict of blocks"),
    (lambda: plot.lcg(BATCH, adjoints=True), BadInput, "colours one run"),
    (lambda: ts.check_gradients(f1, 5.0, directions=0), BadInput, "directions="),
    (lambda: ts.check_rule(np.cos, draws=0), BadInput, "draws="),
]


@pytest.mark.parametrize(("call", "kind", "says"), REFUSED, ids=[says for _, _, says in REFUSED])
def test_it_is_refused(call, kind, says):
    with pytest.raises(kind, match=says) as caught:
        call()
    assert isinstance(caught.value, TinyspadError) and caught.value.where


# --- what is shown where something does not add up, or is cut short ---------------------------------------------------


def test_a_ledger_says_where_the_tape_was_bypassed():
    text = str(ts.trace(lambda x: x * x + 3 * x.data if isinstance(x, ts.Value) else x * x + 3 * x, 2.0).ledger("x"))
    assert "THEY DISAGREE" in text and "a .data inside f" in text
    assert "disagree" not in str(LCG.ledger("x")).lower() and LCG.ledger("x").agrees


def test_a_ledger_at_the_edge_of_the_domain():
    def f(x):
        if float(getattr(x, "data", x)) != 2.0:
            raise LookupError("only at 2")
        return x * x

    ledger = ts.trace(f, 2.0).ledger("x")
    assert "central difference" in str(ledger) and "LookupError: only at 2" in str(ledger) and ledger.agrees is None
    infinite = ts.trace(lambda x: np.sqrt(x) + x, 0.0).ledger("x")
    assert "nothing can be proved" in str(infinite) and repr(infinite).startswith("<Ledger of x: 2 paths")


def test_many_draws_are_an_array_of_paths():
    drawn = LCG.sample_paths("x", 20, rng=0, by="magnitude")
    assert repr(drawn) == "<20 paths of x>" and len(drawn) == 20 and drawn.shape == (20,)
    some = drawn[5:8]
    assert some.shape == (3,) and repr(drawn[3]).startswith("<Path ") and "probability" in repr(drawn[3])
    assert [p.index for p in drawn] == drawn.index.tolist() and [p.index for p in some] == drawn.index[5:8].tolist()
    np.testing.assert_array_equal([p.gradient for p in some], some.gradient)
    of_runs = BATCH.sample_paths("x", 4, rng=0)
    assert of_runs.shape == (4, 3) and of_runs[1, 2].gradient == of_runs.gradient[1, 2]
    np.testing.assert_array_equal(of_runs[:, 1].gradient, of_runs.gradient[:, 1])
    for by in ("branch", "magnitude"):
        drawn = BATCH.sample_paths("x", 4, rng=0, by=by)
        np.testing.assert_allclose(np.exp(drawn.log_probability), drawn.probability)
        g = BATCH.path_gradients("x")
        np.testing.assert_allclose(np.take_along_axis(g, drawn.index.reshape(4, 3), 0), drawn.gradient)


def test_adjoints_colour_the_nodes_and_write_their_numbers():
    ax = plot.lcg(LCG, adjoints=True, around="d", reach=1)
    texts = [text.get_text() for text in ax.texts]
    assert "25" in texts  # x**2, by which cos is multiplied
    assert ax.get_title() == f'part of the graph: 3 of {len(LCG.nodes)} nodes around "d"'
    assert ax.figure.axes[-1].get_ylabel() == "adjoint: d output / d node"
