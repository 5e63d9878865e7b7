"""What an estimator may ask (see ``ts.Estimator``) is answered alike at every stage: by brute force over listed paths."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from programs import listed_paths

import tinyspad as ts
from tinyspad import paths as algebra
from tinyspad.errors import BadInput, ChangedData, NotElementwise
from tinyspad.linearization import Linearization
from tinyspad.linearization.point import Point
from tinyspad.linearization.sums import ExactSums
from tinyspad.linearization.weighted import Weighted
from tinyspad.program import Buffers

T, Y = np.array([0.3, -1.2, 0.7]), np.array([1.0, 0.4, -0.6])
A, B = np.array([0.9, -0.4]), np.array([0.5, 1.3])
SAMPLES = 400


def f(a, b, t, y):
    r = a * t + b * a - y
    return r * r + a * b * 2


def loss(a, b, batch):
    return f(a, b, *batch)


@dataclass
class Truth:
    """What is asked about, by brute force: contributions ``g``, (N, *batch) or (N, *the parameter's shape)."""

    g: np.ndarray
    names: list  # of the variables on each path
    by: dict  # each path's probability: uniform over paths, or at each tupling node
    lengths: np.ndarray
    batch: tuple
    elementwise: bool
    value: object

    @property
    def n(self):
        return len(self.g)

    @property
    def sizes(self):
        return np.abs(self.g) if self.g.ndim == 1 + len(self.batch) else np.linalg.norm(self.g, axis=1)

    def chances(self, by):
        p = self.sizes / self.sizes.sum(axis=0) if by == "magnitude" else self.by[by]
        return np.broadcast_to(p.reshape(p.shape + (1,) * (1 + len(self.batch) - p.ndim)), (self.n, *self.batch))

    def at(self, index, of=None):
        of = self.g if of is None else of
        return np.take_along_axis(of, np.asarray(index)[None], axis=0)[0] if self.batch else of[index]

    def indices(self):
        """Every path; in a batch, of the runs in turn."""
        turn = np.arange(int(np.prod(self.batch))).reshape(self.batch)
        return [(k + turn) % self.n if self.batch else k for k in range(self.n)]


def truth_of(points, param, elementwise=True, weight=None):
    """Of f at an array of points (t, y, a, b): one by one. With a weight of each on the first axis, of their sum."""
    cells = np.empty(np.shape(points[0]), object)
    for at in np.ndindex(cells.shape):
        t, y, a, b = (float(x[at]) for x in points)
        cells[at] = ts.trace(lambda a, b, t=t, y=y: f(a, b, t, y), a, b)
    one = cells.flat[0]
    listed = {at: listed_paths(one_lcg, param) for at, one_lcg in np.ndenumerate(cells)}
    g = np.empty((len(listed_paths(one, param)), *cells.shape))
    value = np.empty(cells.shape)
    for at, found in listed.items():
        g[(slice(None), *at)] = [product for _, product in found]
        value[at] = cells[at].value
    if weight is not None:
        g, value = np.tensordot(g, weight, (1, 0)), np.tensordot(value, weight, (0, 0))
    names = [names for names, _ in listed[next(iter(listed))]]
    width = {node: sum(tail == node for tail, _, _ in one.edges) for node in one.tupling_nodes}
    branch = np.array([np.prod([1 / width.get(node, 1) for node in path]) for path in names])
    lengths = np.array([len(path) - 1 - sum(node in width for node in path) for path in names])
    by = {"path": np.full(len(g), 1 / len(g)), "branch": branch}
    return Truth(g, names, by, lengths, g.shape[1:], elementwise, value)


# --- the questions --------------------------------------------------------------------------------------------------------


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def same_draws(found, p):
    """Indices of many draws, (SAMPLES, *batch), against the probability of each path, within five standard errors."""
    share = np.array([np.mean(np.equal(found, i), axis=0) for i in range(len(p))])
    assert np.all(np.abs(share - p) <= 5 * np.sqrt(p * (1 - p) / len(found)) + 1e-12)


def drawn(ask):
    return np.array([ask() for _ in range(SAMPLES)])


def no_magnitude(lcg, ask):
    """Sizes do not multiply along a path where edges are not numbers, and it is said so."""
    with pytest.raises(NotElementwise):
        ask(lcg.chances("magnitude"))


def kinds(truth):
    return ("path", "branch", "magnitude") if truth.elementwise else ("path", "branch")


def ask_structure(lcg, p, truth, rng):
    assert lcg.count_paths(p) == truth.n and lcg.batch == truth.batch and p in lcg.params
    assert lcg.elementwise == truth.elementwise
    assert lcg.signature[:2] == (tuple(lcg.structure.start), tuple(lcg.structure.head))
    assert len(lcg.arguments) == len(lcg.params)
    close(lcg.value, truth.value)
    shape = truth.batch or truth.g.shape[1:]
    assert all(np.shape(x) == shape for x in lcg.arguments)


def ask_gradient(lcg, p, truth, rng):
    close(lcg.adjoint(p), truth.g.sum(axis=0))
    close(lcg.gradient()[p], truth.g.sum(axis=0))


def ask_listings(lcg, p, truth, rng):
    close(lcg.path_gradients(p), truth.g)
    close(lcg.path_sizes(p), truth.sizes)
    close(lcg.path_shares(p), truth.chances("magnitude"))
    assert lcg.lengths(p).tolist() == truth.lengths.tolist()
    for by in kinds(truth):
        close(lcg.path_probabilities(p, lcg.chances(by)), truth.chances(by))


def ask_paths(lcg, p, truth, rng):
    for i, path in enumerate(lcg.paths(p)):
        assert path.index == lcg.nth_path(p, i).index == i and path.nodes == truth.names[i]
        close(path.gradient, truth.g[i])
        close(lcg.product(path.edges), truth.g[i])
        assert len(path.weights) == len(path.edges)


def ask_routes(lcg, p, truth, rng):
    for index in truth.indices():
        route = lcg.route(p, index)
        close(lcg.follow(p, route), truth.at(index))
        close(lcg.path_gradient(p, index), truth.at(index))
        np.testing.assert_array_equal(route.index, index)
        np.testing.assert_array_equal(lcg.length(p, route), truth.lengths[index])
        for by in kinds(truth):
            chance = truth.at(index, truth.chances(by))
            found = lcg.follow(p, lcg.route(p, index), lcg.chances(by))
            close(found, np.where(chance > 0, truth.at(index) / np.where(chance > 0, chance, 1), found))
        again = algebra.Route(lcg.structure, lcg.params.index(p), branches=route.branches, shape=truth.batch)
        close(lcg.follow(p, again), truth.at(index))
        np.testing.assert_array_equal(again.index, index)
        np.testing.assert_array_equal(lcg.length(p, again), truth.lengths[index])
    for bad in (truth.n, -1, np.full(truth.batch, truth.n) if truth.batch else 0.5, np.zeros((7, 7), int)):
        with pytest.raises(BadInput):
            lcg.route(p, bad)


def ask_draws(lcg, p, truth, rng):
    for by in ("path", "branch", "magnitude"):
        same_draws(drawn(lambda by=by: lcg.draw_index(p, rng, by)), truth.chances(by))
    for by in kinds(truth):
        chances = lcg.chances(by)
        same_draws(drawn(lambda c=chances: lcg.draw_route(p, rng, c).index), truth.chances(by))
    if not truth.elementwise:
        no_magnitude(lcg, lambda chances: lcg.draw_route(p, rng, chances))
    if truth.n > 2:
        pairs = drawn(lambda: lcg.draw_distinct(p, rng, 2))
        assert np.all(pairs[:, 0] != pairs[:, 1])
        same_draws(pairs[:, 1], np.full((truth.n, *truth.batch), 1 / truth.n))
        first = truth.indices()[1]
        others = np.where(np.arange(truth.n).reshape(-1, *(1,) * len(truth.batch)) == first, 0, 1 / (truth.n - 1))
        same_draws(drawn(lambda: lcg.draw_others(p, rng, first)), others)


def ask_largest(lcg, p, truth, rng):
    order = np.argsort(-truth.sizes, axis=0, kind="stable")
    np.testing.assert_array_equal(lcg.best_index(p), order[0])
    np.testing.assert_array_equal(lcg.best_route(p).index, order[0])
    best, top = lcg.best_path(p), lcg.top_paths(p, 2)
    np.testing.assert_array_equal(best.index, order[0])
    close(best.gradient, truth.at(order[0]))
    np.testing.assert_array_equal(top.index if truth.batch else [path.index for path in top], order[:2])
    close(top.gradient if truth.batch else [path.gradient for path in top], [truth.at(i) for i in order[:2]])
    if truth.batch:
        run = tuple(0 for _ in truth.batch)
        assert best[run].index == order[0][run] and top[(1, *run)].gradient == pytest.approx(truth.at(order[1])[run])
        assert len(best[run].weights) == len(best[run].edges)
    close(lcg.log_mass(p), np.log(truth.sizes.sum(axis=0)))
    shares = truth.chances("magnitude")
    close(lcg.entropy(p), -np.sum(shares * np.log(np.where(shares > 0, shares, 1)), axis=0))
    largest, others = lcg.largest_and_others(p)
    close(largest, truth.at(order[0]))
    chosen = np.arange(truth.n).reshape(-1, *(1,) * len(truth.batch)) == order[0]
    rest = ~np.broadcast_to(chosen.reshape(chosen.shape + (1,) * (truth.g.ndim - chosen.ndim)), truth.g.shape)
    assert others.number == truth.n - 1
    close(others.mean, np.mean(truth.g, axis=0, where=rest))
    close(others.deviation, np.std(truth.g, axis=0, where=rest))


def ask_moments(lcg, p, truth, rng):
    for by in kinds(truth):
        chance = truth.chances(by).reshape(truth.n, *truth.batch, *(1,) * (truth.g.ndim - 1 - len(truth.batch)))
        for normalize in (False, True):
            g = np.divide(truth.g, chance, out=np.zeros_like(truth.g), where=np.broadcast_to(chance > 0, truth.g.shape))
            g = g if normalize else truth.g
            mean = np.sum(chance * g, axis=0)
            found = lcg.moments(p, lcg.chances(by), normalize)
            close(found[0], mean)
            close(found[1], np.sum(chance * (g - mean) ** 2, axis=0))
        close(lcg.mean_length(p, lcg.chances(by)), np.tensordot(truth.lengths, truth.chances(by), 1))
    edges = {pair for names in truth.names for pair in pairwise(names)}
    tails = [tail for tail, _ in edges]
    assert lcg.factors(p) == sum(tails.count(tail) == 1 for tail in tails)
    assert lcg.factors() >= lcg.factors(p)


def ask_samples(lcg, p, truth, rng):
    for by in ("path", "branch", "magnitude"):
        chance = truth.chances(by)
        one, many = lcg.sample_path(p, rng, by), lcg.sample_paths(p, SAMPLES, rng, by)
        same_draws(many.index, chance)
        for path in (one, *(many[[k]] for k in (0, 1))):
            index = np.asarray(path.index).reshape((-1, *truth.batch))
            for row, gradient, q in zip(
                index,
                np.reshape(path.gradient, (-1, *truth.g.shape[1:])),
                np.reshape(path.probability, (-1, *truth.batch)),
            ):
                row = row if truth.batch else int(row)
                close(gradient, truth.at(row))
                close(q, truth.at(row, chance))
        assert many.gradient.shape == (SAMPLES, *truth.g.shape[1:])


def ask_sweeps(lcg, p, truth, rng):
    close(lcg.sweep("gradient")[p], truth.g.sum(axis=0))
    assert lcg.sweep("count")[p] == truth.n
    close(lcg.sweep("listing")[p], truth.g)
    longest = ts.Semiring(lambda weight: 1, lambda value, edge: value + edge, max, one=0, zero=0)
    assert lcg.sweep(longest)[p] == max(len(names) for names in truth.names) - 1
    for name in ("largest", "magnitude", "squares", "log", "entropy", "split"):
        if truth.elementwise:
            found = lcg.sweep(name)[p]
        else:
            with pytest.raises(NotElementwise):
                lcg.sweep(name)
    if truth.elementwise:
        close(lcg.sweep("largest")[p], truth.sizes.max(axis=0))
        close(found[0], truth.at(np.argmax(truth.sizes, axis=0)))


def ask_what_there_is(lcg, p, truth, rng):
    lcg.validate()
    ledger = lcg.ledger(p)
    close(ledger.products, truth.g)
    assert [path.nodes for path in ledger.paths] == truth.names and ledger.verdict == "agree"
    shown = lcg.shown(p, 1)
    if len(truth.names) > 1:
        assert shown.count == len(truth.names) == shown.others.count + 1
        close(shown.products[0] + shown.others.sum, lcg.adjoint(p))


QUESTIONS = {
    ask_structure: {"count_paths"},
    ask_gradient: {"adjoint", "gradient", "check_differentiable"},
    ask_listings: {"path_gradients", "path_sizes", "path_shares", "lengths", "path_probabilities", "chances"},
    ask_paths: {"paths", "nth_path", "product"},
    ask_routes: {"route", "follow", "path_gradient", "length"},
    ask_draws: {"draw_index", "draw_route", "draw_distinct", "draw_others"},
    ask_largest: {"best_index", "best_route", "best_path", "top_paths", "log_mass", "entropy", "largest_and_others"},
    ask_moments: {"moments", "mean_length", "factors"},
    ask_samples: {"sample_path", "sample_paths"},
    ask_sweeps: {"sweep"},
    ask_what_there_is: {"validate", "ledger", "shown"},
}


def test_no_question_is_left_out():
    asked = {name for name, method in vars(Linearization).items() if callable(method)}
    asked |= {name for kind in (ExactSums, Point, Weighted) for name, method in vars(kind).items() if callable(method)}
    asked = {
        name
        for name in asked
        if not name.startswith(
            ("_", "check_", "observing", "of_runs", "source", "listable", "shaped", "summed", "weight_onward")
        )
    }
    assert set().union(*QUESTIONS.values()) == asked | {"check_differentiable"}


# --- the stages -----------------------------------------------------------------------------------------------------------


def spread(*shape):
    """Points (t, y, a, b) of a shape (observations, runs), or without one of them."""
    observations, runs = shape
    t, y = (np.broadcast_to(x.reshape(-1, 1), (len(x), 2)) for x in (T, Y))
    a, b = (np.broadcast_to(x, (len(T), 2)) for x in (A, B))
    cut = (slice(None) if observations else 0, slice(None) if runs else 0)
    return [x[cut] for x in (t, y, a, b)]


class Asks(ts.Estimator):
    """Asks one kind of question of every parameter's graph at the first step."""

    def __init__(self, ask, truths):
        self.ask, self.truths, self.asked = ask, truths, []

    def draw(self, lcg, param, state, rng):
        self.ask(lcg, param, self.truths[param], rng)
        self.asked.append((param, type(lcg).__name__))
        return ts.GD().draw(lcg, param, state, rng)


class AsksPathsOnly(Asks):
    paths_only = True


def through_minimize(kind, f, x0, **settings):
    """A stage inside ``minimize``: what its graphs are called comes back."""

    def ask(question, truths):
        estimator = kind(question, truths)
        assert ts.minimize(f, x0, estimator=estimator, steps=1, rng=3, **settings).status is not None
        assert {param for param, _ in estimator.asked} == {"a", "b"}
        return {name for _, name in estimator.asked}

    return ask


def directly(make):
    def ask(question, truths):
        lcg = make()
        for param, truth in truths.items():
            question(lcg, param, truth, np.random.default_rng(3))
        return {type(lcg).__name__}

    return ask


def one(a, b):
    return f(a, b, T[0], Y[0])


def in_buffers():
    program = ts.compile(one)
    return program.at(A, B, buffers=Buffers(program, (2,)))


DATA, MEAN = (T, Y), np.full(3, 1 / 3)
NUMBERS, RUNS = (float(A[0]), float(B[0])), (A, B)
truths = {}
for shape in ((0, 0), (0, 1), (1, 0), (1, 1)):
    truths[shape] = {p: truth_of(spread(*shape), p) for p in "ab"}
for runs in (0, 1):
    truths["same", runs] = {p: truth_of(spread(1, runs), p, False, MEAN) for p in "ab"}
SAME, DIFFERENT, ONE = {"data": DATA}, {"data": DATA, "sample": "different"}, {"data": (T[:1], Y[:1])}

STAGES = {
    "an LCG": (directly(lambda: ts.trace(one, *NUMBERS)), (0, 0), "LCG"),
    "an LCG of runs": (directly(lambda: ts.trace(one, *RUNS)), (0, 1), "LCG"),
    "a program": (directly(lambda: ts.compile(one).at(*NUMBERS)), (0, 0), "Linearization"),
    "a program of runs": (directly(lambda: ts.compile(one).at(*RUNS)), (0, 1), "Linearization"),
    "a program in buffers": (directly(in_buffers), (0, 1), "Linearization"),
}
for kind, named in ((Asks, "LCG"), (AsksPathsOnly, "Linearization")):
    for runs, x0 in ((0, NUMBERS), (1, RUNS)):
        told = f"{kind.__name__}, {'runs' if runs else 'numbers'}"
        STAGES[f"whole, {told}"] = (through_minimize(kind, one, x0), (0, runs), named)
        STAGES[f"same, {told}"] = (through_minimize(kind, loss, x0, **SAME), ("same", runs), "Linearization")
        STAGES[f"different, {told}"] = (through_minimize(kind, loss, x0, **DIFFERENT), (1, runs), named)
        STAGES[f"one observation, {told}"] = (through_minimize(kind, loss, x0, **ONE), (0, runs), named)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
@pytest.mark.parametrize("stage", STAGES)
def test_every_question_is_answered_at_every_stage(stage, question):
    ask, at, named = STAGES[stage]
    assert ask(question, truths[at]) == {named}


MAPS = ts.trace(lambda w: np.sum(w * w * T + w * 0.5), A[[0, 1, 0]])


def maps_truth():
    """By hand: d/dw of w * w * t is w * t along each of two ways, of w / 2 a half."""
    w = A[[0, 1, 0]]
    g = np.array([w * T, w * T, np.full(3, 0.5)])
    names = [path.nodes for path in MAPS.paths("w")]
    by = {"path": np.full(3, 1 / 3), "branch": np.full(3, 1 / 3)}
    return Truth(g, names, by, np.array([4, 4, 3]), (), False, float(np.sum(w * w * T + w * 0.5)))


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
def test_every_question_is_answered_through_linear_maps(question):
    question(MAPS, "w", maps_truth(), np.random.default_rng(3))


OF_ALL_PARAMETERS = {ask_structure, ask_gradient, ask_sweeps, ask_routes}  # which of elements are arrays


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
@pytest.mark.parametrize("of", ["elements", "linearization"])
def test_every_question_is_answered_of_a_number_in_an_array(question, of):
    elements = MAPS.elements()
    at = elements if of == "elements" and question not in OF_ALL_PARAMETERS else elements.linearization
    for i, w in enumerate(A[[0, 1, 0]]):
        name = f"w[{i}]"
        names = [path.nodes for path in elements.paths(name)]
        whole = maps_truth()
        truth = Truth(np.array([w * T[i], w * T[i], 0.5]), names, whole.by, whole.lengths, (), True, whole.value)
        question(at, name, truth, np.random.default_rng(3))


# --- and what is not asked -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", ["same", "different"])
def test_what_is_no_such_question_is_refused_with_what_to_do(sample):
    def edges(lcg, p, truth, rng):
        return lcg.edges

    ask = through_minimize(AsksPathsOnly, loss, NUMBERS, data=DATA, sample=sample)
    with pytest.raises(BadInput, match='for "edges"; it answers what'):
        ask(edges, truths[0, 0])
    with pytest.raises(AttributeError, match="no attribute 'nods'"):  # a slip of the user's own
        ask(lambda lcg, *_: lcg.nods, truths[0, 0])
    if sample == "different":
        through_minimize(Asks, loss, NUMBERS, data=DATA, sample=sample)(edges, truths[0, 0])


def test_what_a_program_answered_stays_and_the_program_itself_does_not():
    """The memory of a program is used again at the next step; an estimator's state must not see that."""

    class Keeps(ts.GD):
        paths_only = True

        def draw(self, lcg, param, state, rng):
            if state is not None:
                for kept, copy in zip(*state[1:]):
                    np.testing.assert_array_equal(kept, copy)
                for ask in (lambda: state[0].adjoint(param), lambda: state[0].path_gradients(param)):
                    with pytest.raises(ChangedData, match="an earlier step"):
                        ask()
            kept = [lcg.value, lcg.adjoint(param), lcg.path_gradients(param), lcg.path_gradient(param, 0)]
            state = lcg, kept, [np.array(x) for x in kept]
            return ts.estimators.Draw(lcg.adjoint(param), np.zeros(lcg.batch, int), state)

    result = ts.minimize(one, RUNS, estimator=Keeps(), optimizer=ts.SGD(lr=0.01), steps=5)
    np.testing.assert_array_equal(result.x, ts.minimize(one, RUNS, optimizer=ts.SGD(lr=0.01), steps=5).x)


# --- who gets a program ----------------------------------------------------------------------------------------------------


def seen_by(estimator, **settings):
    seen = set()

    class Sees(type(estimator)):
        paths_only = vars(type(estimator)).get("paths_only", type(estimator).paths_only)

        def draw(self, lcg, param, state, rng):
            seen.add(type(lcg).__name__)
            return super().draw(lcg, param, state, rng)

    Sees.paths_only = settings.pop("says", Sees.paths_only)
    ts.minimize(one, NUMBERS, estimator=Sees(), steps=2, rng=0, **settings)
    return seen


def test_an_estimator_says_whether_a_program_will_do():
    for own in (ts.GD(), ts.RAD(), ts.SPAD(), ts.NearestPath(), ts.Magnitude()):
        assert seen_by(own, says=True) == {"Linearization"} and seen_by(own, says=False) == {"LCG"}

    class Derived(ts.SPAD):
        """What is derived without a draw of its own is as fast as what it is derived from."""

        def __repr__(self):
            return "mine"

    class Draws(ts.SPAD):
        def draw(self, lcg, param, state, rng):
            assert isinstance(lcg, ts.LCG)
            return super().draw(lcg, param, state, rng)

    ts.minimize(one, NUMBERS, estimator=Draws(), steps=2, rng=0)
    from tinyspad.optimize.start import asks_paths_only

    assert asks_paths_only(Derived()) and not asks_paths_only(Draws())
    assert not asks_paths_only(Asks(None, None)) and asks_paths_only(AsksPathsOnly(None, None))
    assert not asks_paths_only(object())


def test_an_optimizer_says_whether_parameters_may_stand_side_by_side():
    """One that looks at all numbers it is handed gives each parameter its own, as ever, though it is derived from Adam."""
    shapes = []

    class Clipped(ts.Adam):
        def update(self, gradient, state):
            shapes.append(np.shape(gradient))
            return super().update(gradient / max(1.0, np.linalg.norm(gradient)), state)

    class Plain(ts.Adam):
        pass

    class Says(Clipped):
        elementwise = True

    for optimizer, shape in ((Clipped(), (2,)), (Says(), (2, 2))):
        shapes.clear()
        ts.minimize(one, RUNS, optimizer=optimizer, steps=2)
        assert set(shapes) == {shape}
    np.testing.assert_array_equal(
        ts.minimize(one, RUNS, optimizer=Plain(), steps=9).x, ts.minimize(one, RUNS, optimizer=ts.Adam(), steps=9).x
    )
