"""Derivatives of very large and very small numbers, and in float16, which ends at 65504: not a square or a count too far."""

import math

import numpy as np
import pytest

import tinyspad as ts
from tinyspad import nn
from tinyspad.errors import BadInput

pytestmark = pytest.mark.filterwarnings(
    "ignore::RuntimeWarning"
)  # NumPy's own norm and var overflow, their slopes do not

NUMPY_1 = np.lib.NumpyVersion(np.__version__) < "2.0.0"  # there a Python number makes float64 of a scalar float32


def gradient(f, x):
    v = ts.Value(x)
    f(v).backward()
    assert v.grad.shape == x.shape
    assert v.grad.dtype == x.dtype or NUMPY_1
    return v.grad


# --- elementwise, in float64 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "point", "slopes"),
    [
        (np.hypot, (1e-200, 1e-200), (math.sqrt(0.5), math.sqrt(0.5))),
        (np.hypot, (3e200, -4e200), (0.6, -0.8)),
        (np.arctan2, (1e-170, 1e-170), (0.5e170, -0.5e170)),
        (np.arctan2, (1e170, 1e170), (0.5e-170, -0.5e-170)),
        (np.arctan2, (3e-300, 4e-300), (0.16e300, -0.12e300)),
        (np.arctan2, (0.0, -1e-200), (-1e200, 0.0)),
        (np.arcsinh, (1e200,), (1e-200,)),
        (np.arccosh, (1e200,), (1e-200,)),
        (np.arccosh, (1.0 + 2.0**-40,), (1 / math.sqrt(2.0**-39 + 2.0**-80),)),
        (np.arcsin, (1.0 - 2.0**-40,), (1 / math.sqrt(2.0**-39 - 2.0**-80),)),
        (np.arccos, (2.0**-40 - 1.0,), (-1 / math.sqrt(2.0**-39 - 2.0**-80),)),
        (np.arctanh, (1.0 - 2.0**-40,), (1 / (2.0**-39 - 2.0**-80),)),
        (np.expm1, (-40.0,), (math.exp(-40.0),)),
        (np.log10, (1e308,), (1e-308 / math.log(10.0),)),
        (np.logaddexp, (1e16, 1e16), (0.5, 0.5)),
        (np.logaddexp, (1e300, -1e300), (1.0, 0.0)),
        (np.logaddexp, (0.0, 700.0), (math.exp(-700.0), 1.0)),
        (np.logaddexp2, (1e16, 1e16 - 2), (0.8, 0.2)),
        (np.remainder, (1.0, 0.1), (1.0, -9.0)),  # 0.1 is a little more than a tenth, and 1 / 0.1 is 10
        (np.remainder, (-1.0, 0.1), (1.0, 10.0)),
        (np.remainder, (-1.0, np.inf), (1.0, 1.0)),
        (np.fmod, (1.0, 0.1), (1.0, -9.0)),
        (np.fmod, (-1.0, 0.1), (1.0, 9.0)),
        (np.fmod, (6.0, 0.2), (1.0, -29.0)),
        (np.fmod, (3.0, np.inf), (1.0, 0.0)),
        (np.power, (1e-310, 0.0), (0.0, math.log(1e-310))),
    ],
)
def test_elementwise(f, point, slopes):
    for values in (list(map(ts.Value, point)), [ts.Value(np.array([x, 1.0])) for x in point]):
        out = f(*values)
        (out[0] if out.shape else out).backward()
        for v, slope in zip(values, slopes, strict=True):
            assert np.ravel(v.grad)[0] == pytest.approx(slope, rel=1e-13, abs=0)  # a few roundings


# --- norm and std -----------------------------------------------------------------------------------------------------

TINY = {np.float64: 1e-200, np.float32: 1e-30, np.float16: 1e-4}


@pytest.mark.parametrize("dtype", TINY)
@pytest.mark.parametrize(
    "size", [lambda tiny: tiny, lambda tiny: 1 / tiny, lambda tiny: 1.0], ids=["tiny", "huge", "one"]
)
@pytest.mark.parametrize(
    ("f", "slopes"),
    [
        (np.linalg.norm, [0.6, -0.8]),
        (lambda v: np.linalg.norm(v[None, :], axis=1, keepdims=True)[0, 0], [0.6, -0.8]),
        (lambda v: np.linalg.norm(v[None, :]), [0.6, -0.8]),
        (lambda v: np.linalg.norm(v, 1), [1.0, -1.0]),
        (lambda v: np.linalg.norm(v, 3), [9 / 91 ** (2 / 3), -16 / 91 ** (2 / 3)]),
        (np.std, [0.5, -0.5]),
        (lambda v: np.std(v, ddof=1), [math.sqrt(0.5), -math.sqrt(0.5)]),
        (lambda v: np.std(np.stack([v, 0 * v]), axis=1)[0], [0.5, -0.5]),
    ],
    ids=["norm", "along an axis", "Frobenius", "sum of sizes", "cubes", "std", "std, ddof 1", "std, equal elsewhere"],
)
def test_norms_whose_powers_over_or_underflow(dtype, size, f, slopes):
    x = np.array([3.0, -4.0]) * size(TINY[dtype])
    np.testing.assert_allclose(gradient(f, x.astype(dtype)), slopes, rtol=10 * np.finfo(dtype).eps)


def test_rows_of_all_sizes():
    x = np.array([[3e-200, 4e-200], [3e200, 4e200], [0.0, 0.0], [3.0, 4.0], [5e-324, 0.0]])
    right = [[0.6, 0.8], [0.6, 0.8], [0.0, 0.0], [0.6, 0.8], [1.0, 0.0]]
    np.testing.assert_allclose(gradient(lambda v: np.linalg.norm(v, axis=1).sum(), x), right, rtol=1e-15)


def test_norms_of_nothing_and_of_what_is_not_finite():
    assert gradient(lambda v: np.linalg.norm(v, axis=1).sum(), np.zeros((2, 0))).shape == (2, 0)
    assert gradient(lambda v: np.linalg.norm(v, axis=1).sum(), np.zeros((0, 2))).shape == (0, 2)
    assert np.isnan(gradient(np.linalg.norm, np.array([np.nan, 1.0]))).all()
    assert np.isnan(gradient(lambda v: np.std(v, ddof=3), np.ones(3))).all()


# --- counts and shares in float16 and float32 -------------------------------------------------------------------------

MANY = 70_000


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (np.mean, 1 / MANY),
        (np.max, 1 / MANY),
        (np.min, 1 / MANY),
        (lambda v: np.mean(v.reshape(2, -1), axis=1)[0] * 2 + np.mean(v.reshape(2, -1)[1]) * 2, 4 / MANY),
        (lambda v: np.max(v.reshape(2, -1), axis=1).sum(), 2 / MANY),
        (lambda v: np.mean(v) * 1000, 1000 / MANY),
        (np.prod, 1.0),
        (np.linalg.norm, MANY**-0.5),
        (lambda v: np.cumsum(v)[-1], 1.0),
        (lambda v: np.mean(v, axis=0, keepdims=True)[0], 1 / MANY),
    ],
    ids=["mean", "max", "min", "means of rows", "max of rows", "scaled", "prod", "norm", "cumsum", "keepdims"],
)
def test_seventy_thousand_ones(dtype, f, slope):
    rounding = max(2 * np.finfo(dtype).eps, np.finfo(dtype).smallest_subnormal / slope)
    np.testing.assert_allclose(gradient(f, np.ones(MANY, dtype)), slope, rtol=rounding)


@pytest.mark.parametrize("f", [np.var, np.std, np.prod, np.mean, np.linalg.norm, np.max, np.cumsum, np.sort])
@pytest.mark.parametrize("axis", [0, 1, None])
def test_float16_is_float64_rounded(f, axis):
    x = (np.random.default_rng(0).choice([0.5, 1.0, 2.0], (1200, 60)) * 1.5).astype(np.float16)
    if f is np.prod:
        x = x[:20, :8] / np.float16(1.5)
    weigh = np.random.default_rng(1).normal(size=np.shape(f(x, axis=axis))).astype(np.float16)

    def of(v):
        return np.sum(f(v, axis=axis) * weigh.astype(v.dtype)) if f is not np.linalg.norm or axis is not None else f(v)

    half, double = gradient(of, x), gradient(of, x.astype(float))
    np.testing.assert_allclose(half, double, rtol=3e-3, atol=2e-7 if f is not np.cumsum else 0.3)  # adjoints round, too


def test_steps_back_through_a_running_sum_are_counted_to_the_end():
    slopes = gradient(lambda v: np.sum(np.cumsum(v) * np.float16(0.001)), np.zeros(5000, np.float16))
    np.testing.assert_allclose(slopes, 0.001 * np.arange(5000, 0, -1), rtol=2e-3)  # in float16 1 + 2048 is 2048


@pytest.mark.parametrize(
    "f",
    [
        lambda v: np.repeat(v, 5000),
        lambda v: np.tile(v, 5000),
        lambda v: np.take(v, np.zeros(5000, int)),
        lambda v: v[np.zeros(5000, int)],
        lambda v: np.broadcast_to(v, (5000, 1)),
        lambda v: v + np.zeros(5000, np.float16),
    ],
    ids=["repeat", "tile", "take", "index", "broadcast_to", "broadcast"],
)
def test_many_reads_of_one_number_add_up(f):
    assert gradient(lambda v: np.sum(f(v)), np.ones(1, np.float16)) == [5000.0]


def test_the_mean_of_many_examples():
    logits = np.zeros((MANY, 2), np.float16)
    slopes = gradient(lambda v: nn.cross_entropy(v, np.zeros(MANY, int)), logits)
    np.testing.assert_allclose(slopes, np.broadcast_to([-0.5 / MANY, 0.5 / MANY], slopes.shape), rtol=0.01)
    assert nn.log_softmax(np.zeros((1, MANY), np.float16))[0, 0] == np.float16(-math.log(MANY))


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (np.arctan, 300.0, 1 / 90001),
        (np.arcsinh, 300.0, 1 / math.sqrt(90001)),
        (np.arccosh, 300.0, 1 / math.sqrt(89999)),
        (np.log10, 60000.0, 1 / (60000 * math.log(10))),
        (np.cbrt, 60000.0, 1 / (3 * 60000 ** (2 / 3))),
        (lambda v: np.arctan2(v, np.float16(400.0)), 300.0, 400 / 250000),
        (lambda v: np.hypot(v, np.float16(400.0)), 300.0, 0.6),
    ],
)
def test_squares_in_float16(f, x, slope):
    for point in (np.array([x], np.float16), np.float16(x)):
        v = ts.Value(point)
        out = f(v)
        (out.sum() if out.shape else out).backward()
        assert np.result_type(v.grad) == np.float16 or NUMPY_1
        assert float(np.ravel(v.grad)[0]) == pytest.approx(slope, rel=2e-3, abs=6e-8)


# --- SPAD's epsilon ---------------------------------------------------------------------------------------------------


def test_an_epsilon_that_cannot_be_divided_by():
    with pytest.raises(BadInput, match=r"1 / 5e-324 is beyond floats\. Use an epsilon of 1e-300"):
        ts.SPAD(epsilon=5e-324, normalize=True)
    lcg = ts.trace(ts.functions.f1, 5.0)
    assert ts.SPAD(epsilon=5e-324).expectation(lcg, "x") == lcg.best_path("x").gradient
    assert ts.SPAD(epsilon=1e-300, normalize=True).expectation(lcg, "x") == pytest.approx(lcg.gradient()["x"])

    def doublings(x):
        for _ in range(40):
            x = 0.5 * x + 0.5 * x
        return x

    with pytest.raises(BadInput, match=r"or epsilon is so small, .*\(N - 1\) / epsilon, is beyond the largest float"):
        ts.SPAD(epsilon=1e-300, normalize=True).variance(ts.trace(doublings, 1.0), "x")
