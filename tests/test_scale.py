"""Deep narrow chains and wide shallow graphs: nothing recurses, and memory is proportional to the edges."""

import tracemalloc

import numpy as np
import pytest

import tinyspad as ts


def chain(stages):
    """A chain of stages with two branches each: 2**stages paths of one size."""

    def f(x):
        for _ in range(stages):
            x = 0.5 * x + 0.5 * x
        return x

    return f


def fan(reads):
    """x is read so many times."""

    def f(x):
        total = 0.0 * x
        for k in range(1, reads):
            total = total + float(k) * x
        return total

    return f


QUESTIONS = {
    "gradient": lambda lcg: lcg.gradient(),
    "count": lambda lcg: lcg.count_paths("x"),
    "best path": lambda lcg: lcg.best_path("x"),
    "top paths": lambda lcg: lcg.top_paths("x", 3),
    "uniform": lambda lcg: lcg.sample_path("x", 0),
    "by branch": lambda lcg: lcg.sample_path("x", 0, by="branch"),
    "by magnitude": lambda lcg: lcg.sample_path("x", 0, by="magnitude"),
    "ten draws": lambda lcg: lcg.sample_paths("x", 10, 0),
    "index": lambda lcg: lcg.sample_path("x", 0).index,
    "entropy": lambda lcg: lcg.entropy("x"),
    "squares": lambda lcg: lcg.sweep(ts.paths.SQUARES, "forward"),
    "RAD": lambda lcg: ts.RAD(normalize=True).draw(lcg, "x", None, np.random.default_rng(0)),
    "variance": lambda lcg: ts.RAD(normalize=True).variance(lcg, "x"),
    "SPAD": lambda lcg: ts.SPAD().draw(lcg, "x", None, np.random.default_rng(0)),
    "Magnitude": lambda lcg: ts.Magnitude().draw(lcg, "x", None, np.random.default_rng(0)),
    "jvp": lambda lcg: lcg.jvp(1.0),
    "elimination": lambda lcg: lcg.eliminate("markowitz"),
    "derivative": lambda lcg: lcg.derivative("x"),
    "nonfinite": lambda lcg: lcg.trace_nonfinite(),
}


def peak(question, lcg):
    tracemalloc.start()
    try:
        question(lcg)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("make", [chain, fan])
def test_memory_is_proportional_to_the_edges(make, name):
    """Four times the edges: linear memory is four times, quadratic sixteen (a table of counts would be)."""
    small, large = (peak(QUESTIONS[name], ts.trace(make(n), 1.0)) for n in (1_000, 4_000))
    assert large < 6 * small + 100_000


@pytest.mark.slow
def test_a_hundred_thousand_tuplings():
    lcg = ts.trace(chain(100_000), 1.0)
    assert lcg.gradient() == {"x": 1.0}
    assert lcg.count_paths("x") == 2**100_000
    assert lcg.best_path("x").branches == (0,) * 100_000
    drawn = lcg.sample_path("x", 0)
    assert drawn.probability == 0.0 and drawn.log_probability == pytest.approx(-100_000 * np.log(2))
    assert 0 < drawn.index < 2**100_000 and sum(drawn.branches) == pytest.approx(50_000, abs=5 * 160)
    assert lcg.entropy("x") == pytest.approx(100_000 * np.log(2))
    assert ts.Magnitude().draw(lcg, "x", None, np.random.default_rng(0)).gradient == pytest.approx(1.0, rel=1e-9)
    assert ts.RAD(normalize=True).variance(lcg, "x") == pytest.approx(0.0, abs=1e-12)


@pytest.mark.slow
def test_a_hundred_thousand_reads_of_one_variable():
    n = 100_000
    lcg = ts.trace(fan(n), 1.0)
    assert lcg.count_paths("x") == n
    assert lcg.best_path("x").gradient == n - 1
    assert [path.gradient for path in lcg.top_paths("x", 3)] == [n - 1, n - 2, n - 3]
    drawn = lcg.sample_paths("x", 2000, 0, by="magnitude")
    np.testing.assert_allclose(drawn.probability, drawn.gradient / (n * (n - 1) / 2), rtol=1e-9)
    assert ts.Magnitude().variance(lcg, "x") == pytest.approx(0.0, abs=1e-6)
    uniform = n * sum(float(k) ** 2 for k in range(n)) - (n * (n - 1) / 2) ** 2
    assert ts.RAD(normalize=True).variance(lcg, "x") == pytest.approx(uniform, rel=1e-10)
