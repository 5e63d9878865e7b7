"""Samplers of observations: unbiased by enumeration, their updates against the formulas written out."""

import itertools

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.data import Bandit, FullBatch, Importance, Observed, Shuffled, Uniform
from tinyspad.errors import BadInput

G = np.array([3.0, -1.0, 0.5, 7.0])  # the gradients of four observations
REPLACING = [
    Uniform(2),
    Importance(2, bounds=[1, 2, 3, 4]),
    Importance(2, bounds=[1, 0, 3, 4], floor=0.3),
    Importance(2),
    Bandit(2),
]


def state_of(sampler, n=4, runs=()):
    """A state that has learned something."""
    state = sampler.init(n, runs)
    if sampler.asks(state):
        state = sampler.tell(state, np.abs(G).reshape(n, *(1 for _ in runs)) * np.ones(runs))
    rng = np.random.default_rng(5)
    for _ in range(20):
        seen = sampler.draw(state, rng)
        norms = np.abs(G)[seen.index]
        state = sampler.learn(seen.state, seen, norms) if sampler.learns else seen.state
        if sampler.asks(state):
            state = sampler.tell(state, np.abs(G))
    return state


@pytest.mark.parametrize("sampler", REPLACING, ids=repr)
def test_with_replacement_the_mean_over_all_draws_is_the_gradient(sampler):
    p = sampler.probabilities(state_of(sampler))
    assert p.shape == (4,) and p.min() > 0
    np.testing.assert_allclose(p.sum(), 1, rtol=1e-14)
    mean = 0.0
    for pair in itertools.product(range(4), repeat=2):
        weight = 1 / (2 * 4 * p[list(pair)])
        mean += np.prod(p[list(pair)]) * (weight * G[list(pair)]).sum()
    np.testing.assert_allclose(mean, G.mean(), rtol=1e-13)


@pytest.mark.parametrize("sampler", REPLACING, ids=repr)
def test_what_is_drawn_has_these_weights_and_these_frequencies(sampler):
    runs, state = 40_000, state_of(sampler)
    p = sampler.probabilities(state)
    many = {"p": np.repeat(p[:, None], runs, axis=1)} if hasattr(state, "p") else {}
    if hasattr(state, "runs"):
        many["runs"] = (runs,)
    seen = sampler.draw(state._replace(**many), np.random.default_rng(0))
    assert seen.index.shape == seen.weight.shape == (2, runs)
    np.testing.assert_allclose(seen.weight, 1 / (2 * 4 * p[seen.index]), rtol=1e-12)
    for place in seen.index:
        found = np.bincount(place, minlength=4) / runs
        assert np.all(np.abs(found - p) < 5 * np.sqrt(p * (1 - p) / runs))
    together = np.mean(seen.index[0] == seen.index[1])  # the two places are independent
    assert abs(together - (p * p).sum()) < 5 * np.sqrt((p * p).sum() / runs)


def test_full_batch_is_the_mean():
    seen = FullBatch().draw(FullBatch().init(4, (3,)), np.random.default_rng(0))
    assert seen.index.shape == (4, 3)
    np.testing.assert_array_equal((seen.weight * G[seen.index]).sum(axis=0), np.full(3, G.mean()))


@pytest.mark.parametrize(("n", "size"), [(4, 2), (5, 2), (7, 3), (4, 4), (3, 1)])
def test_shuffled_sees_every_observation_once_in_an_epoch(n, size):
    sampler, rng = Shuffled(size), np.random.default_rng(1)
    state, order = sampler.init(n, (6,)), []
    for _ in range(3 * n):
        seen = sampler.draw(state, rng)
        assert seen.index.shape == (size, 6) and np.all(seen.weight == 1 / size)
        order.append(seen.index)
        state = seen.state
    listed = np.concatenate(order)
    for epoch in range(len(listed) // n):
        np.testing.assert_array_equal(
            np.sort(listed[epoch * n : (epoch + 1) * n], axis=0), np.repeat(np.arange(n)[:, None], 6, axis=1)
        )
    assert len({tuple(run) for run in listed.T}) > 1  # each run has an order of its own


class EveryOrder:
    """In place of a generator: run k gets the k-th of all orders."""

    def permuted(self, order, axis):
        return np.array(list(itertools.permutations(range(len(order))))).T.copy()


@pytest.mark.parametrize("n", [3, 4])
def test_over_all_orders_each_place_of_a_batch_holds_every_observation_equally_often(n):
    sampler, orders = Shuffled(2), len(list(itertools.permutations(range(n))))
    state = sampler.init(n, (orders,))
    for _ in range(n):  # also the batches that reach over the end of an epoch
        seen = sampler.draw(state, EveryOrder())
        for place in seen.index:
            np.testing.assert_array_equal(np.bincount(place, minlength=n), np.full(n, orders // n))
        state = seen.state


def test_importance_by_the_norms_themselves_has_the_least_variance():
    exact = Importance(1, floor=0.0)
    p = exact.probabilities(exact.tell(exact.init(4), np.abs(G)))
    np.testing.assert_allclose(p, np.abs(G) / np.abs(G).sum(), rtol=1e-14)

    def second_moment(q):
        return (G**2 / q).sum() / 16

    np.testing.assert_allclose(second_moment(p), (np.abs(G).sum() / 4) ** 2)
    rng = np.random.default_rng(0)
    for _ in range(100):
        assert second_moment(rng.dirichlet(np.ones(4))) > second_moment(p)


def test_importance_asks_for_norms_when_they_are_due():
    sampler, rng = Importance(2, refresh=3), np.random.default_rng(0)
    state, asked = sampler.init(4), []
    for _ in range(8):
        asked.append(sampler.asks(state))
        if asked[-1]:
            state = sampler.tell(state, np.abs(G))
        state = sampler.draw(state, rng).state
    assert asked == [True, False, False, True, False, False, True, False]
    once = Importance(2)
    state = once.tell(once.init(4), np.abs(G))
    for _ in range(100):
        state = once.draw(state, rng).state
        assert not once.asks(state)


@pytest.mark.parametrize("norms", [np.zeros(4), np.array([np.nan, 1, 1, 1]), np.array([np.inf, 0, 0, 0]), [1e308] * 4])
def test_importance_rules_nothing_out_whatever_the_norms(norms):
    for floor in (0.0, 0.1):
        sampler = Importance(2, floor=floor)
        p = sampler.probabilities(sampler.tell(sampler.init(4), norms))
        assert p.min() > 0
        np.testing.assert_allclose(p.sum(), 1)


def by_the_book(p, index, norms, largest, size, rate, least):
    """The update of Liu, Wu & Mozafari 2020, one observation after the other; projected by bisection."""
    alpha = rate * least**3 / largest**2
    w = p.copy()
    for j in set(index.tolist()):
        count = np.sum(index == j)
        loss = -(norms[index.tolist().index(j)] ** 2) / p[j] ** 2 + largest**2 / least**2
        w[j] = p[j] * np.exp(-alpha * loss * count / (size * p[j]))
    low, high = 0.0, 1e6
    for _ in range(200):  # the scale at which entries, none below least, sum to 1
        scale = (low + high) / 2
        low, high = (low, scale) if np.maximum(w * scale, least).sum() > 1 else (scale, high)
    return np.maximum(w * scale, least)


@pytest.mark.parametrize("rate", [0.3, 30.0])
def test_the_bandit_learns_as_the_paper_says(rate):
    n, size, rng = 6, 3, np.random.default_rng(2)
    sampler = Bandit(size, rate=rate, floor=0.4)
    norms, state = np.array([1.0, 2.0, 0.5, 4.0, 1.0, 3.0]), sampler.init(n)
    largest = 0.0
    for _ in range(50):
        seen = sampler.draw(state, rng)
        largest = max(largest, norms[seen.index].max())
        expected = by_the_book(state.p, seen.index, norms[seen.index], largest, size, rate, 0.4 / n)
        state = sampler.learn(seen.state, seen, norms[seen.index])
        np.testing.assert_allclose(state.p, expected, rtol=1e-9)
        assert state.p.min() >= 0.4 / n * (1 - 1e-12)
    assert state.p.max() - state.p.min() > 0.02


def test_runs_of_a_bandit_learn_for_themselves():
    norms, sampler = np.array([[1.0, 9.0], [1.0, 1.0], [9.0, 1.0]]), Bandit(2)
    state, rng = sampler.init(3, (2,)), np.random.default_rng(0)
    for _ in range(3000):
        seen = sampler.draw(state, rng)
        state = sampler.learn(seen.state, seen, np.take_along_axis(norms, seen.index, axis=0))
    assert state.p[:, 0].argmax() == 2 and state.p[:, 1].argmax() == 0
    np.testing.assert_allclose(state.p.sum(axis=0), 1)


def test_a_bandit_that_sees_no_numbers_goes_on():
    sampler, rng = Bandit(2), np.random.default_rng(0)
    state = sampler.init(3)
    for norms in (np.zeros(2), np.full(2, np.nan), np.full(2, np.inf)):
        seen = sampler.draw(state, rng)
        state = sampler.learn(seen.state, seen, norms)
        assert np.all(np.isfinite(state.p)) and state.p.min() > 0


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Uniform(0), "size"),
        (lambda: Uniform(2.0), "size"),
        (lambda: Shuffled(True), "size"),
        (lambda: Shuffled(9).init(4), "9 cannot be drawn from 4"),
        (lambda: Importance(2, bounds=[1, 2]).init(4), "2 bounds and 4 observations"),
        (lambda: Importance(2, bounds=[-1, 2]), "bounds"),
        (lambda: Importance(2, bounds=[0, 0]), "bounds"),
        (lambda: Importance(2, bounds="ab"), "bounds"),
        (lambda: Importance(2, bounds=[0, 1], floor=0), "floor"),
        (lambda: Importance(2, bounds=[1, 1], refresh=2), "not both"),
        (lambda: Importance(2, refresh=0), "refresh"),
        (lambda: Importance(2, floor=2), "floor"),
        (lambda: Importance(2).draw(Importance(2).init(3), np.random.default_rng(0)), "tell"),
        (lambda: Bandit(2, rate=-1), "rate"),
        (lambda: Bandit(2, rate=float("nan")), "rate"),
        (lambda: Bandit(2, floor=0), "floor"),
    ],
)
def test_settings_without_meaning(make, says):
    with pytest.raises(BadInput, match=says):
        make()


def test_samplers_are_values():
    assert Bandit(4) == Bandit(4) != Bandit(5)
    assert hash(Importance(2, bounds=[1, 2])) == hash(Importance(2, bounds=(1.0, 2.0)))
    assert ts.data.Uniform is Uniform and issubclass(Uniform, ts.data.Sampler) and Observed._fields[0] == "index"
