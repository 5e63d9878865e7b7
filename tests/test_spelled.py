"""A function of arrays, spelled out in numbers: the same value, paths and contributions, elementwise, and a program."""

import numpy as np
import pytest
from test_elements import IN_SCALARS, ON_PAPER, by_numbers
from test_several_runs import FUNCTIONS

import tinyspad as ts

NOT_IN_NUMBERS = {"variance", "sort", "sort along an axis", "inverse", "solve"}
SUMS_INSIDE = {"a letter of its own", "three factors"}  # there each term is a path of its own
SPELLED = sorted(set(FUNCTIONS) - NOT_IN_NUMBERS - SUMS_INSIDE)


@pytest.mark.parametrize("name", SPELLED)
def test_numbers_have_the_paths_of_the_arrays(name):
    f, args = FUNCTIONS[name]
    args = [np.asarray(a, float) + 0.01 * np.arange(np.size(a)).reshape(np.shape(a)) for a in args]
    args = [a if a.shape else float(a) for a in args]
    spelled = ts.of_numbers(f, *args)
    numbers = np.concatenate([np.ravel(a) for a in args])
    lcg, e = ts.trace(spelled, *numbers.tolist()), ts.trace(f, *args, elements=True)
    assert lcg.value == pytest.approx(float(np.reshape(f(*args), ())), rel=1e-12)
    counts = [lcg.count_paths(p) for p in lcg.params]
    assert by_numbers(e, e.count_paths).tolist() == counts
    for param, number in zip(lcg.params, e.numbers.params):
        if max(counts) <= 2000:
            mine, theirs = np.sort(lcg.path_gradients(param)), np.sort(e.path_gradients(number))
            np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)
    runs = np.stack([numbers, numbers * 1.01 + 0.001])
    batch = ts.trace(spelled, *runs.T)
    if len(lcg.nodes) and lcg.single_access.root is not None and lcg.count_paths(lcg.params[0]):
        assert batch.elementwise and batch.batch == (2,)
        np.testing.assert_allclose(batch.value[0], lcg.value, rtol=1e-12)


@pytest.mark.parametrize(
    "name", ["regression", "logistic regression", "net", "Rosenbrock", "factors", "line", "cumsum"]
)
def test_small_functions_of_arrays_are_compiled(name):
    f, args = FUNCTIONS[name]
    program = ts.compile(ts.of_numbers(f, *args))
    numbers = np.concatenate([np.ravel(a) for a in args])
    assert program(*numbers.tolist()) == pytest.approx(f(*args), rel=1e-12)
    gradient = np.concatenate([np.ravel(g) for g in ts.trace(f, *args).gradient().values()])
    np.testing.assert_allclose(list(program.gradient(*numbers.tolist()).values()), gradient, rtol=1e-9)


def test_names_say_the_place():
    f = ts.of_numbers(lambda W, b, c: np.sum(W @ b) * c, np.ones((2, 2)), np.ones(2), 1.0)
    assert ts.trace(f, *np.ones(7)).params == ("W0_0", "W0_1", "W1_0", "W1_1", "b0", "b1", "c")
    clash = ts.of_numbers(lambda w, w0: np.sum(w) * w0, np.ones(2), 1.0)
    assert ts.trace(clash, *np.ones(3)).params == ("x0", "x1", "x2")


@pytest.mark.parametrize("name", sorted(NOT_IN_NUMBERS))
def test_what_cannot_be_written_in_numbers_is_refused(name):
    f, args = FUNCTIONS[name]
    with pytest.raises(ts.errors.NotElementwise, match="elements"):
        ts.of_numbers(f, *args)


def test_functions_that_branch_are_refused():
    with pytest.raises(ts.errors.BadInput, match="looks at values"):
        ts.of_numbers(lambda w: np.sum(w) if w[0] > 0 else w[1], np.ones(2))
    with pytest.raises(ts.errors.NotElementwise, match="one result"):
        ts.of_numbers(lambda w: w * 2, np.ones(2))
    with pytest.raises(ts.errors.NotElementwise, match="norm"):
        ts.of_numbers(lambda w: np.linalg.norm(w, 3), np.ones(2))


def test_a_spelled_function_runs_many_times_and_is_drawn():
    import matplotlib.pyplot as plt

    from tinyspad import plot

    f, valley = ON_PAPER["neighbours"][0], ts.of_numbers(IN_SCALARS["Rosenbrock"][0], np.zeros(2))
    many = ts.minimize(ts.of_numbers(f, np.zeros(3)), tuple(np.ones((3, 4))), estimator=ts.RAD(), steps=5, rng=0)
    assert many.value.shape == (4,)
    plane = ts.trace(valley, *np.meshgrid(np.linspace(-2, 2, 20), np.linspace(-1, 3, 20)))
    assert plot.contours(plane).get_xlabel() == "w0"
    assert len(plot.fields(plane).axes) >= 4
    two = {"GD": ts.GD(), "RAD": ts.RAD()}
    vector = ts.compare(IN_SCALARS["Rosenbrock"][0], np.array([-1.0, 1.0]), two, steps=10, rng=0)
    figure = plot.trajectories(vector, plane)
    assert [ax.get_title() for ax in figure.axes] == ["GD, 10 steps", "RAD, 10 steps"]
    several = ts.compare(IN_SCALARS["Rosenbrock"][0], np.ones((3, 2)), {"GD": ts.GD()}, steps=4, runs=True)
    assert len(plot.trajectories(several, plane).axes[0].lines) == 9
    ax = plot.contributions(ts.trace(valley, np.linspace(-2, 2, 30), np.ones(30)), "w0")
    assert ax.get_xlabel() == "w0"
    plt.close("all")


def test_it_is_called_as_its_signature_says():
    f = ts.of_numbers(lambda w: np.sum(w**2), np.ones(2))
    assert f(w1=3.0, w0=1.0) == f(1.0, 3.0) == 10.0
    for call in (lambda: f(1.0), lambda: f(1.0, 2.0, 3.0), lambda: f(1.0, v=2.0)):
        with pytest.raises(TypeError, match="argument"):
            call()
    assert ts.of_numbers(lambda w: w, np.array([2.0]))(3.0) == 3.0
    with pytest.raises(ts.errors.BadInput, match="depends on no parameter"):
        ts.of_numbers(lambda w: 2.0, np.ones(2))
    with pytest.raises(ts.errors.NotElementwise, match="too many to be spelled out"):
        ts.of_numbers(lambda w: np.sum(np.outer(w, w)), np.ones(1000))


def test_a_program_is_compiled_of_an_array_like_its_argument():
    program = ts.compile(IN_SCALARS["Rosenbrock"][0], np.zeros(3))
    assert program.params == ("w0", "w1", "w2")
    assert ts.compile(lambda w, a: np.sum(w) * a, (np.zeros(2), 1.0))(1.0, 2.0, 3.0) == 9.0
    with pytest.raises(ts.errors.NotCompilable, match="array like its argument"):
        ts.compile(lambda w: np.sum(w))
