"""What is shown of many paths: the largest, and one exact row for all others, against brute force."""

import html
import math
import re
import time
from fractions import Fraction

import numpy as np
import pytest
from programs import Program

import tinyspad as ts
from tinyspad import plot
from tinyspad.errors import BadInput, NotElementwise
from tinyspad.paths import COUNT, GRADIENT, Semiring, Structure, all_but, enumerate_paths, sweep


def doubled(x, n=98, by=0.5):
    for _ in range(n):
        x = x + by * x
    return x


# --- the sum over all paths but some ------------------------------------------------------------------------------------


def exact_graph(seed):
    """Weights are fractions, so that sums of products are compared by equality."""
    rng = np.random.default_rng(seed)
    out = [
        [(int(rng.integers(v + 1, 9)), Fraction(int(rng.integers(-9, 10)), 7)) for _ in range(rng.integers(1, 4))]
        for v in range(8)
    ]
    return Structure.of([*out, []], 8)


@pytest.mark.parametrize("seed", range(40))
def test_all_but_some_paths_is_exact(seed):
    structure, weight = exact_graph(seed)
    every = list(enumerate_paths(structure, 0))
    rng = np.random.default_rng(seed)
    chosen = [every[i] for i in rng.permutation(len(every))[: rng.integers(0, len(every) + 1)]]
    left = [path for path in every if path not in chosen]
    exact = Semiring(GRADIENT.edge, GRADIENT.extend, GRADIENT.combine, one=Fraction(1), zero=Fraction(0))
    found = all_but(structure, weight, exact, sweep(structure, weight, exact), 0, chosen)
    assert found == sum((math.prod(weight[e] for e in path) for path in left), Fraction(0))
    assert all_but(structure, weight, COUNT, sweep(structure, weight, COUNT), 0, chosen) == len(left)


def test_all_but_everything_is_nothing():
    structure, weight = Structure.of([[]], 0)
    assert all_but(structure, weight, GRADIENT, [1.0], 0, [()]) == 0.0


# --- ledgers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("shape", [(), (6,)], ids=["a point", "an axis"])
def test_the_largest_and_the_others_are_those_of_the_list(seed, n, shape):
    program = Program(seed, 2, 8)
    lcg = ts.trace(lambda x, y: program(x, y), *program.point(seed, shape))
    for name in lcg.params:
        listed = lcg.path_gradients(name)
        if len(listed) <= n:
            continue
        ledger = lcg.ledger(name, limit=n)
        reach = np.abs(listed).reshape(len(listed), -1).max(axis=1)
        taken = [path.index for path in ledger.paths]
        assert len(set(taken)) == n and np.all(np.diff(reach[taken]) <= 0)
        assert min(reach[taken]) >= np.delete(reach, taken).max() * (1 - 1e-12)
        assert ledger.others.count == len(listed) - n and ledger.count == len(listed)
        scale = np.abs(listed).sum(axis=0)
        np.testing.assert_allclose(ledger.products, listed[taken], rtol=1e-12, atol=0)
        assert np.all(np.abs(ledger.others.sum - np.delete(listed, taken, axis=0).sum(axis=0)) <= 1e-13 * scale)
        sizes = np.abs(listed).reshape(len(listed), -1).sum(axis=1)
        np.testing.assert_allclose(ledger.shares, sizes[taken] / sizes.sum(), rtol=1e-10)
        assert ledger.others.share == pytest.approx(np.delete(sizes, taken).sum() / sizes.sum(), rel=1e-10)
        assert ledger.verdict == lcg.ledger(name, limit=1000).verdict
        assert np.allclose(ledger.total, lcg.adjoint(name), rtol=1e-12, atol=1e-12)


def test_no_digits_are_lost_where_the_others_are_small():
    """By a subtraction the others would be 0: they are 1e-20 of what is listed."""
    lcg = ts.trace(lambda x: 1e10 * x + 3e-10 * x + 2e-10 * x - 1e10 * x, 1.0)
    others = lcg.ledger("x", limit=2).others
    assert (others.count, others.sum) == (2, 5e-10) and others.share == pytest.approx(2.5e-20, rel=1e-12)


def test_it_is_exact_at_any_number_of_paths_and_quick():
    lcg = ts.trace(lambda x: doubled(x, by=1.0), 1.0)
    start = time.perf_counter()
    ledger = lcg.ledger("x", limit=3)
    text = str(ledger)
    assert time.perf_counter() - start < 5.0  # a tenth of a second
    assert (
        ledger.others.count == 2**98 - 3
        and ledger.others.sum == 2.0**98
        and [p.index for p in ledger.paths] == [0, 1, 2]
    )
    assert "the other 3.2e29 together" in text and "sum over 3.2e29 paths" in text and "3e-28%" in text
    assert ledger.paths[2].gradient == 1.0 and lcg.nth_path("x", 2).edges == ledger.paths[2].edges


def test_what_floats_cannot_hold_still_has_a_share():
    lcg = ts.trace(lambda x: doubled(x * 1e-200 * 1e-200, 40, 1.0), 1.0)
    ledger = lcg.ledger("x", limit=2)
    np.testing.assert_allclose([*ledger.shares, ledger.others.share], [2.0**-40, 2.0**-40, 1.0], rtol=1e-9)


def test_an_axis_of_very_many_paths():
    xs = np.linspace(-1, 1, 50)
    lcg = ts.trace(lambda x: doubled(x * x), xs)
    shown = lcg.shown("x", 4)
    assert shown.others.count == 2**99 - 4 and shown.products.shape == (4, 50)
    np.testing.assert_allclose(shown.total, lcg.adjoint("x"), rtol=1e-12)
    assert "norm" in str(lcg.ledger("x", limit=4))


def test_the_ledger_of_fewer():
    ledger = ts.trace(ts.functions.beale, 1.0, 2.0).ledger("x")
    fewer = ledger.largest(2)
    assert fewer.products.tolist() == [154.0, 42.0] and fewer.others.count == 4 and fewer.total == ledger.total
    assert fewer.others.sum == pytest.approx(ledger.products.sum() - 196)
    assert ledger.largest(6).paths == ledger.paths and ledger.largest(6).others is None
    assert fewer.shares.sum() + fewer.others.share == pytest.approx(1.0)
    again = fewer.largest(1)
    direct = ts.trace(ts.functions.beale, 1.0, 2.0).ledger("x", limit=1)
    assert again.others.count == direct.others.count == 5
    assert again.others.sum == pytest.approx(direct.others.sum) and again.others.share == pytest.approx(
        direct.others.share
    )
    with pytest.raises(BadInput, match="largest: n is a whole number"):
        ledger.largest(0)
    with pytest.raises(BadInput, match="limit= is a whole number"):
        ts.trace(ts.functions.f1, 5.0).ledger("x", limit=0)
    with pytest.raises(BadInput, match="shown: n is a whole number, at least 1, not 0"):
        ts.trace(ts.functions.f1, 5.0).shown("x", 0)
    with pytest.raises(BadInput, match="contributions: limit is a whole number"):
        plot.contributions(ts.trace(ts.functions.f1, np.linspace(1, 2, 5)), limit=0)


def test_shares_read_alike_in_print_and_in_the_picture():
    ledger = ts.trace(ts.functions.f1, 5.0).ledger("x")
    told = [text.get_text() for text in plot.ledger(ledger).texts]
    assert [cells[-1] for cells in ledger.table().rows] == ["20.9%", "79.1%"]
    assert [re.search(r"\((.*)\)", text)[1] for text in told[:2]] == ["20.9%", "79.1%"]


def test_arrays_are_listed_as_far_as_their_norms_can_be_compared():
    def f(w):
        for _ in range(6):
            w = np.sin(w) + 0.5 * w
        return np.sum(w)

    lcg = ts.trace(f, np.array([0.3, -0.7]))
    sizes = lcg.path_sizes("w")
    ledger = lcg.ledger("w", limit=3)
    taken = [path.index for path in ledger.paths]
    np.testing.assert_allclose(sizes[taken], np.sort(sizes)[::-1][:3])
    np.testing.assert_allclose(ledger.others.sum, np.delete(lcg.path_gradients("w"), taken, axis=0).sum(axis=0))
    assert ledger.others.share == pytest.approx(1 - (sizes[taken].sum() / sizes.sum())) and ledger.agrees
    assert "the other 61 together" in str(ledger)
    number = lcg.elements().ledger("w[0]", limit=3)
    assert number.others.count == 61 and number.agrees
    with pytest.raises(NotElementwise, match=r"linear maps.*elements\(\)"):
        ts.trace(lambda w: np.sum(doubled(w)), np.ones(2)).ledger("w")


def test_what_is_not_finite_is_told_and_not_ranked():
    with np.errstate(all="ignore"):
        lcg = ts.trace(lambda x: sum([np.sqrt(x)] * 40), 0.0)
        ledger = lcg.ledger("x", limit=3)
        assert not ledger.finite and "nothing can be proved" in str(ledger)
        with pytest.raises(BadInput, match="not numbers"):
            ts.trace(lambda x: sum([np.sqrt(x) * 0.0] * 40), 0.0).ledger("x", limit=3)


# --- how it shows itself ------------------------------------------------------------------------------------------------


def many(learning_rate, λ):
    total = 0.0
    for k in range(300):
        total = total + learning_rate * λ / (k + 1)
    return total


LEDGERS = {
    "3": lambda: ts.trace(lambda x: x * x * x, 2.0).ledger("x"),
    "30": lambda: ts.trace(lambda x: doubled(x, 15), 2.0).ledger("x"),
    "300": lambda: ts.trace(many, 2.0, 3.0).ledger("λ"),
    "rate": lambda: ts.trace(many, 2.0, 3.0).ledger("learning_rate"),
    "batch": lambda: ts.trace(ts.functions.f1, np.linspace(0, 1, 500)).ledger("x"),
    "array": lambda: ts.trace(lambda w: np.sum(w * w), np.ones((30, 40))).ledger("w"),
    "long": lambda: ts.trace(eval(f"lambda {'x' * 900}: {'x' * 900} * 2.0"), 1.0).ledger(),
}


@pytest.mark.parametrize("name", LEDGERS)
def test_a_ledger_shows_itself_in_short(name):
    ledger = LEDGERS[name]()
    assert len(repr(ledger)) < 300 and "\n" not in repr(ledger)
    shown = ledger._repr_html_()
    assert shown.count("<tr>") == 1 + len(ledger.paths) + (ledger.others is not None) <= 32
    assert "color" not in shown and html.escape("-> ") in shown and "reverse mode: " in shown
