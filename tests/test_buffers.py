"""Programs in buffers: the same numbers as the tape's, in a pool that does not grow."""

import tracemalloc

import numpy as np
import pytest
from programs import Program

import tinyspad as ts
from tinyspad.errors import BadInput
from tinyspad.program import Buffers

KINDS = ("value_and_gradient", "value_and_paths", "weights")


def assert_same(f, *points, number=None):
    """Value, gradient and contributions in buffers against those of a trace, twice over the same memory."""
    program = ts.compile(f, number)
    buffers = Buffers(program, np.shape(points[0]))
    for args in (points, [0.5 * p for p in points]):
        with np.errstate(all="ignore"):
            lcg = ts.trace(f, *args)
            terms = [lcg.path_gradients(name) for name in lcg.params]
            gradient = list(lcg.gradient().values())
        rows = {"value_and_gradient": [lcg.value, *gradient], "value_and_paths": [lcg.value, *np.concatenate(terms)]}
        for kind, expected in rows.items():
            found = buffers.run(kind, tuple(args))
            scale = max(np.max(np.abs(t), where=np.isfinite(t), initial=0.0) for t in terms) + 1.0
            np.testing.assert_allclose(found, np.array(expected), rtol=1e-11, atol=1e-13 * scale)
            assert found.dtype == float
    return program


@pytest.mark.parametrize("seed", range(60))
def test_random_programs_in_buffers(seed):
    program = Program(seed, length=9)
    assert_same(lambda x, y: program(x, y), *program.point(seed, (5,)))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x,
        lambda x: x + x,
        lambda x: 3.0 + 0 * x,
        lambda x: -x - x * -x,
        lambda x: np.where(x > 0, x * x, -x) * x,
        lambda x: np.where(x > 0, x, 2.0) + np.where((x > 0.1) & (x < 0.3), x, x**3),
        lambda x: ((x > 0) * 2) * x + (x > 0) * (x < 1) * x,
        lambda x: (x > 0) + ~(x > 0.5) * 1.0 + x,
        lambda x: np.maximum(x, 0.25) * np.clip(x, -0.5, 0.5) + np.abs(x),
        lambda x: x ** (-1) + x**17 + 2**x + x**0.5,
        lambda x: np.inf * x + np.log(x),
        lambda x: (x // 0.3) * x + x % 0.7,
        lambda x: np.exp(x) * np.sinc(x) / np.exp(x),
    ],
)
def test_masks_constants_kinks_and_repeated_outputs(f):
    assert_same(f, np.array([-1.2, -0.2, 0.2, 0.4, 1.6]))


@pytest.mark.parametrize("name", sorted(ts.functions.ALL))
def test_every_problem_in_buffers(name):
    f = ts.functions.ALL[name]
    low, high = np.array(f.box).T
    starts = np.random.default_rng(0).uniform(low[:, None], high[:, None], (len(f.box), 7))
    assert_same(f, *starts, number=len(f.box))


def test_the_pool_is_small_and_named_by_dtype():
    def f(x):
        for _ in range(100):
            x = np.sin(x) + 1.0
        return x

    program = ts.compile(f)
    assert len(program.buffered("weights")[2]) <= 3
    assert len(ts.compile(ts.functions.beale).buffered("value_and_gradient")[2]) <= 12
    assert np.dtype(bool) in ts.compile(lambda x: np.where(x > 0, x, -x)).buffered("value_and_gradient")[2]


def test_an_argument_is_never_written_into():
    xs = np.array([1.0, 2.0])
    xs.flags.writeable = False
    Buffers(program := ts.compile(lambda x: -(x * x) + x), (2,)).run("value_and_gradient", (xs,))
    assert program.buffered("value_and_gradient")[1] == 2


def test_memory_does_not_grow_with_steps():
    xs = np.linspace(-2, 2, 5000)

    def peak(steps, every):
        tracemalloc.start()
        ts.minimize(ts.functions.beale, (xs, xs), estimator=ts.RAD(), steps=steps, rng=0, every=every)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(5, None)
    short, long = peak(100, None), peak(400, None)  # draws are made for some steps at once
    assert long < 1.05 * short + 20_000
    assert peak(200, 1) > 5 * short  # a history is what grows


def test_what_comes_out_of_minimize_is_not_a_buffer():
    xs = np.linspace(-2, 2, 50)
    result = ts.minimize(lambda x: x, xs, steps=3, every=1)
    assert not np.shares_memory(result.value, result.x)
    assert not any(np.shares_memory(result.history.values[i], result.history.values[i + 1]) for i in range(2))
    np.testing.assert_allclose(np.diff(result.history.values, axis=0), -0.01, rtol=1e-6)


def test_runs_that_die_at_different_steps_stay_where_they_are():
    """sqrt(x) - x/2 from below 1 falls to 0 and leaves the domain; the others go on."""
    xs = np.array([0.004, 0.104, 0.9, 1.5])
    batch = ts.minimize(lambda x: np.sqrt(x) - x * 0.5, xs, optimizer=ts.SGD(lr=0.05), steps=30)
    for r, x in enumerate(xs):
        single = ts.minimize(lambda x: np.sqrt(x) - x * 0.5, x, optimizer=ts.SGD(lr=0.05), steps=30)
        assert (batch.status[r], batch.steps[r]) == (single.status, single.steps)
        np.testing.assert_allclose(batch.x[r], single.x, rtol=1e-12)
    assert len(set(batch.steps)) > 2 and set(batch.status) == {"done", "non-finite"}


def test_a_route_with_a_path_that_is_not_there_is_refused():
    at = ts.compile(ts.functions.beale).at(*np.ones((2, 3)))
    for index in ([0, 1, 6], [0, -1, 0]):
        with pytest.raises(BadInput):
            at.path_gradient("x", np.array(index))


def test_routes_by_table_answer_as_the_tape_does():
    xs, ys = np.random.default_rng(1).uniform(-2, 2, (2, 40))
    at, lcg = ts.compile(ts.functions.beale).at(xs, ys), ts.trace(ts.functions.beale, xs, ys)
    index = np.random.default_rng(2).integers(0, 6, 40)
    for chances in (None, lcg.chances("branch"), lcg.chances("path")):
        found = at.follow("x", at.route("x", index), chances)
        np.testing.assert_allclose(found, lcg.follow("x", lcg.route("x", index), chances), rtol=1e-12)
    np.testing.assert_array_equal(at.best_index("x"), lcg.best_index("x"))
    found = at.route("x", index).branches
    assert all((found[v] == branch).all() for v, branch in lcg.route("x", index).branches.items())
