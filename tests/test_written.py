"""Functions that are written in others, and the methods of Values: their values, their derivatives, and what is refused."""

import numpy as np
import pytest
from test_rules import draw

import tinyspad as ts
from tinyspad.errors import BadInput, DroppedGradient, NoRule, NotOffered
from tinyspad.rules import Domain
from tinyspad.written import WRITTEN

H = 1e-6
CALLS = [
    pytest.param(function, call, id=f"{function.__name__}-{k}")
    for function, entry in WRITTEN.items()
    for k, call in enumerate(entry.domain)
]


def domains(x):
    if isinstance(x, Domain):
        yield x
    elif isinstance(x, (list, tuple)):
        for item in x:
            yield from domains(item)


def filled(x, values):
    if isinstance(x, Domain):
        return next(values)
    return type(x)(filled(item, values) for item in x) if isinstance(x, (list, tuple)) else x


@pytest.mark.parametrize(("function", "call"), CALLS)
def test_values_and_derivatives_of_both_orders(function, call):
    """Against NumPy itself, and against central differences of it, along a direction."""
    options = call[-1] if isinstance(call[-1], dict) else {}
    call = call[:-1] if options else call
    rng = np.random.default_rng(0)
    point = tuple(np.asarray(draw(domain, rng))[()] for domain in domains(call))

    def at(values):
        return function(*filled(call, iter(values)), **options)

    expected = at(point)
    found = at([ts.Value(x) for x in point])
    np.testing.assert_allclose(found.data, expected, rtol=1e-12, atol=1e-14)
    assert np.shape(found.data) == np.shape(expected)
    seed = rng.normal(size=np.shape(expected))

    def number(values):
        return np.sum(np.tanh(0.3 * at(values) + 0.1) * seed)

    v = tuple(rng.normal(size=np.shape(x)) for x in point)
    ahead, behind = (tuple(x + h * u for x, u in zip(point, v)) for h in (H, -H))
    slope = sum(np.sum(g * u) for g, u in zip(ts.grad(number)(point), v))
    # of slopes and curvatures about 1: rounding 1e-10, truncation 1e-12 times higher derivatives
    assert slope == pytest.approx((number(ahead) - number(behind)) / (2 * H), rel=1e-6, abs=1e-7)
    for h, a, b in zip(ts.hvp(number, point, v), ts.grad(number)(ahead), ts.grad(number)(behind)):
        np.testing.assert_allclose(h, (a - b) / (2 * H), rtol=1e-5, atol=1e-6)


SEVERAL = {
    "split": lambda x: np.split(x, 2),
    "array_split": lambda x: np.array_split(x, 3),
    "split at places": lambda x: np.split(x, [1, 1, 3]),
    "hsplit": lambda x: np.hsplit(x, 2),
    "vsplit": lambda x: np.vsplit(np.reshape(x, (2, 2)), 2),
    "meshgrid": lambda x: np.meshgrid(x, x[:2]),
    "meshgrid by rows": lambda x: np.meshgrid(x, x[:2], indexing="ij"),
    "sparse meshgrid": lambda x: np.meshgrid(x, x[:2], sparse=True),
    "gradient along axes": lambda x: np.gradient(np.reshape(x, (2, 2))),
    "slogdet": lambda x: np.linalg.slogdet(np.reshape(x, (2, 2))),
    "svd": lambda x: np.linalg.svd(np.reshape(x, (2, 2))),
    "svd of a wide matrix": lambda x: np.linalg.svd(np.stack([x, x**2]), full_matrices=False),
    "svd of a tall matrix": lambda x: np.linalg.svd(np.stack([x, x**2], axis=1), False),
    "qr": lambda x: np.linalg.qr(np.stack([x, x**2], axis=1)),
    "eigh of the upper triangle": lambda x: np.linalg.eigh(np.reshape(x, (2, 2)), "U"),
    "modf": lambda x: np.modf(x * 1.3),
    "divmod": lambda x: np.divmod(x, 0.7),
    "polydiv": lambda x: np.polydiv(x, [2.0, 1.0, 0.5]),
    "polydiv by more": lambda x: np.polydiv(x[:2], x),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x[:1], x, 2.0),
    "least squares": lambda x: (
        np.linalg.lstsq(np.stack([x, x**2], axis=1), np.ones(4), rcond=None)[i] for i in (0, 1, 3)
    ),
    "least squares of few": lambda x: np.linalg.lstsq(np.stack([x, x**2]), np.ones(2), rcond=None)[::3],
    **({"unstack": lambda x: np.unstack(x)} if hasattr(np, "unstack") else {}),
    "average with weights": lambda x: np.average(x, weights=np.arange(1.0, 5.0), returned=True),
}


@pytest.mark.parametrize("f", SEVERAL.values(), ids=SEVERAL)
def test_functions_that_return_several_arrays(f):
    x = np.array([0.5, -1.0, 2.0, 3.0])
    expected, found = tuple(f(x)), tuple(f(ts.Value(x)))
    assert len(expected) == len(found)
    for a, b in zip(expected, found):
        b = b.data if isinstance(b, ts.Value) else b
        np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-14)  # LAPACK has several ways
        assert np.shape(a) == np.shape(b)
    report = ts.check_gradients(lambda x: sum(np.sum(part**2) for part in f(x)), x)
    assert report.verdict == "agree"


def test_decompositions_of_symmetric_matrices():
    """By what does not depend on the signs of eigenvectors."""
    a, m = np.array([[2.0, 0.3, -0.4], [0.3, 3.0, 0.5], [-0.4, 0.5, 4.0]]), np.arange(9.0).reshape(3, 3)

    def logarithm(a):
        w, v = np.linalg.eigh(a)
        return np.sum((v * np.log(w)) @ v.T * m)

    for f in (logarithm, lambda a: np.sum(np.linalg.cholesky(a) * m), lambda a: np.linalg.slogdet(a)[1]):
        assert ts.check_gradients(f, a, order=2).verdict == "agree"
    with np.errstate(all="ignore"):  # equal eigenvalues: their sum has a derivative, and eigenvectors have none
        assert ts.grad(lambda a: np.sum(np.linalg.eigvalsh(a)))(2.0 * np.eye(3)).tolist() == np.eye(3).tolist()
        assert not np.all(np.isfinite(ts.grad(logarithm)(2.0 * np.eye(3))))


def test_quantiles_of_what_is_no_number_are_none():
    x = np.array([[0.0, np.nan], [2.0, 1.0]])
    for axis in (None, 0, 1):
        for f in (np.median, lambda x, axis: np.quantile(x, [0.0, 0.4], axis=axis)):
            np.testing.assert_array_equal(f(ts.Value(x), axis=axis).data, f(x, axis=axis))
        np.testing.assert_array_equal(
            np.nanquantile(ts.Value(x), [0.2, 1.0], axis=axis).data, np.nanquantile(x, [0.2, 1.0], axis=axis)
        )
    assert ts.trace(np.median, [3.0, 1.0, 2.0], elements=True).count_paths("a").tolist() == [0, 0, 1]
    assert np.median(ts.Value([np.inf, np.inf])).data == np.inf


def test_einsum_takes_lists_of_axes():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    for call in (
        lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [0, 2]),
        lambda a, b: np.einsum(a, [0, 1], b, [1, 2]),
        lambda a, b: np.einsum(a, [30, 4], b, [4, 2]),  # the result is in the order of the numbers
        lambda a, b: np.einsum(a, [..., 1], b, [1, 0], [0, ...], optimize=True),
        lambda a, b: np.einsum("ij,jk->ik", a, b, optimize="greedy"),
    ):
        np.testing.assert_allclose(call(ts.Value(a), ts.Value(b)).data, call(a, b))
        assert ts.check_gradients(lambda a, b, f=call: np.sum(f(a, b) ** 2), a, b).verdict == "agree"


def test_methods_of_ufuncs():
    x = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]])
    for f in (
        lambda x: np.multiply.accumulate(x, axis=1),
        lambda x: np.multiply.outer(x, x[0]),
        lambda x: np.add.outer(x[0], x[1]),
        lambda x: np.logaddexp.reduce(x, axis=1),
        lambda x: np.maximum.outer(x[0], x[1]),
        lambda x: np.sort(x, axis=0, kind="stable"),
        lambda x: np.maximum.accumulate(x, axis=1),
        lambda x: np.logaddexp.accumulate(x),
        lambda x: np.subtract.reduce(x, 1, keepdims=True),
        lambda x: np.hypot.reduce(x, axis=None),
    ):
        np.testing.assert_allclose(f(ts.Value(x)).data, f(x), rtol=1e-14)
        assert ts.check_gradients(lambda x, f=f: np.sum(f(x) ** 2), x, order=2).verdict == "agree"


def test_sums_of_exponentials():
    x = np.array([[0.0, 1000.0], [-np.inf, 2.0]])
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(ts.logsumexp(x, axis=1), [1000.0, 2.0])
        np.testing.assert_allclose(ts.softmax(x), [[0.0, 1.0], [0.0, 1.0]])
        assert ts.logsumexp(x, axis=0, keepdims=True).shape == (1, 2) and ts.logsumexp(np.full(2, -np.inf)) == -np.inf
    y = np.array([0.3, -1.0, 2.0])
    np.testing.assert_allclose(ts.grad(ts.logsumexp)(y), ts.softmax(y))
    p = ts.softmax(y)
    np.testing.assert_allclose(ts.trace(ts.logsumexp, y).hessian()["a"]["a"], np.diag(p) - np.outer(p, p), atol=1e-15)


SPECIAL = {
    **dict.fromkeys(("expit", "logit", "erf", "erfc", "erfinv", "ndtr", "ndtri", "log_ndtr"), (0.3,)),
    **dict.fromkeys(("gammaln", "digamma", "psi", "gamma", "rgamma", "entr", "erfcinv"), (0.4,)),
    **dict.fromkeys(("j0", "j1", "y0", "y1", "i0", "i1"), (1.3,)),
    **dict.fromkeys(("xlogy", "beta", "betaln", "rel_entr", "kl_div"), (0.4, 0.6)),
}
WITH_PARAMETERS = {
    **dict.fromkeys(("jv", "yn", "iv", "ive"), (2,)),
    **dict.fromkeys(("gammainc", "gammaincc"), (1.5,)),
    "betainc": (1.5, 2.5),
}


@pytest.mark.parametrize("name", [*SPECIAL, *WITH_PARAMETERS])
def test_special_functions_of_scipy(name):
    function, parameters = getattr(pytest.importorskip("scipy.special"), name), WITH_PARAMETERS.get(name, ())
    args = SPECIAL.get(name, (0.4,))
    f = (lambda x, y: function(x, y)) if len(args) > 1 else lambda x: function(*parameters, x)
    assert ts.check_gradients(f, *args, order=2).verdict == "agree"
    xs = np.array([0.2, 0.7])
    np.testing.assert_array_equal(
        function(*parameters, ts.Value(xs), *args[1:]).data, function(*parameters, xs, *args[1:])
    )
    if name in ("gammaln", "digamma"):  # to any order
        third = ts.grad(ts.grad(ts.grad(f)))
        polygamma = pytest.importorskip("scipy.special").polygamma
        assert third(0.4) == pytest.approx(polygamma(2 + (name == "digamma"), 0.4))
    if parameters:
        with pytest.raises(NoRule, match="by its argument 1"):
            function(ts.Value(2.0), *parameters[1:], 0.3)


def test_what_is_no_number_is_left_out():
    x = np.array([[1.0, np.nan, 2.0], [0.5, -1.0, np.nan]])
    names = (
        "nansum",
        "nanprod",
        "nanmax",
        "nanmin",
        "nanmean",
        "nanvar",
        "nanstd",
        "nancumsum",
        "nancumprod",
        "nanmedian",
    )
    for name in names:
        function = getattr(np, name)
        np.testing.assert_allclose(function(ts.Value(x)).data, function(x), rtol=1e-14, err_msg=name)
        slope = ts.grad(lambda x, function=function: np.sum(function(x)))(x)
        assert np.all(slope[np.isnan(x)] == 0) and np.all(np.isfinite(slope)), name
    assert ts.grad(lambda x: np.sum(np.nan_to_num(x)))(x)[0].tolist() == [1.0, 0.0, 1.0]


def test_choices_let_nothing_through_from_what_is_not_taken():
    x = np.array([0.0, 4.0])
    with np.errstate(all="ignore"):
        for f in (
            lambda x: np.select([x > 0, x <= 0], [np.sqrt(x), 2 * x]),
            lambda x: np.piecewise(x, [x > 0, x <= 0], [np.sqrt, lambda x: 2 * x]),
            lambda x: np.choose([0, 1], [2 * x, np.sqrt(x)]),
        ):
            np.testing.assert_array_equal(f(ts.Value(x)).data, f(x))
            assert ts.grad(lambda x, f=f: np.sum(f(x)))(x).tolist() == [2.0, 0.25]


def test_reductions_of_a_part():
    x, mask = np.array([[1.0, 5.0, 2.0], [0.5, -1.0, 3.0]]), np.array([[True, False, True], [True, True, False]])
    for function, initial in ((np.sum, 2.0), (np.prod, 2.0), (np.max, 1.5), (np.min, 0.25)):
        for options in ({"where": mask, "initial": initial}, {"axis": 1, "initial": initial}, {"initial": initial}):
            np.testing.assert_allclose(function(ts.Value(x), **options).data, function(x, **options))
            assert ts.check_gradients(lambda x, o=options, f=function: np.sum(f(x, **o)), x).verdict == "agree"
    np.testing.assert_allclose(np.mean(ts.Value(x), axis=1, where=mask).data, np.mean(x, axis=1, where=mask))


def test_options_that_change_nothing_are_taken():
    x = ts.Value([[1.0, 2.0], [3.0, 4.0]])
    assert np.sum(x, dtype=None, out=None, where=True).data == 10.0
    assert (
        x.sum(dtype=None, out=None).data == 10.0
        and x.sum(where=[[True, False], [False, True]], initial=1.0).data == 6.0
    )
    assert np.amax(x).data == np.max(a=x).data == 4.0


METHODS = {
    "flatten": lambda x: x.flatten(),
    "flatten by columns": lambda x: x.flatten("F"),
    "copy": lambda x: x.copy(),
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "take": lambda x: x.take([0, 3]),
    "repeat": lambda x: x.repeat(2, axis=1),
    "trace": lambda x: x.trace(),
    "diagonal": lambda x: x.diagonal(1),
    "cumprod": lambda x: x.cumprod(axis=1),
    "round": lambda x: x.round(1),
    "conj": lambda x: x.conj(),
    "ravel by columns": lambda x: x.ravel("F"),
    "reshape by columns": lambda x: x.reshape(3, 2, order="F"),
    "reshape to a tuple": lambda x: x.reshape((3, 2)),
    "single precision": lambda x: x.astype(np.float32),
    "argmax": lambda x: x.argmax(axis=1),
    "argsort": lambda x: x.argsort(),
    "any": lambda x: x.any(),
    "all": lambda x: x.all(axis=0),
    "real": lambda x: x.real,
    "imag": lambda x: x.imag,
    "nonzero": lambda x: np.array(x.nonzero()),
}


@pytest.mark.parametrize("f", METHODS.values(), ids=METHODS)
def test_methods_of_arrays(f):
    x = np.array([[1.04, -2.0, 0.5], [3.0, 0.25, -1.0]])
    expected, found = f(x), f(ts.Value(x))
    found = found.data if isinstance(found, ts.Value) else found
    np.testing.assert_array_equal(found, expected)
    assert np.asarray(found).dtype == np.asarray(expected).dtype


def test_single_numbers_and_lists_stay_values():
    x = ts.Value([[1.0, 2.0], [3.0, 4.0]])
    (x.item(1) * x.item(1, 1) + sum(x.flat) + x.tolist()[1][0]).backward()
    np.testing.assert_array_equal(x.grad, [[1.0, 5.0], [2.0, 3.0]])
    assert x.mT.data.tolist() == [[1.0, 3.0], [2.0, 4.0]]


def test_precision_may_be_changed_on_the_way():
    x = np.array([1.0, 2.0])
    slope = ts.grad(lambda x: np.sum(x.astype(np.float32) ** 2))(x)
    assert slope.dtype == np.float64 and slope.tolist() == [2.0, 4.0]
    with pytest.raises(DroppedGradient, match=r"\.data\.astype"):
        ts.Value(x).astype(int)


def test_zeros_are_trimmed_at_the_ends_alone():
    x = np.array([0.0, 2.0, 0.0, 3.0, 0.0, 0.0])
    for trim in ("fb", "f", "B"):
        np.testing.assert_array_equal(np.trim_zeros(ts.Value(x), trim).data, np.trim_zeros(x, trim))
    assert np.trim_zeros(ts.Value(np.zeros(3))).data.shape == (0,)
    np.testing.assert_array_equal(
        np.polymul(ts.Value([0.0, 2.0, 1.0]), [1.0, 3.0]).data, np.polymul([0.0, 2.0, 1.0], [1.0, 3.0])
    )


REFUSED = {
    "sort in place": (lambda x: x.sort(), NotOffered, r"np\.sort\(x\)"),
    "fill": (lambda x: x.fill(1.0), NotOffered, "new Value"),
    "bytes": (lambda x: x.tobytes(), NotOffered, r"\.data\.tobytes"),
    "a name that arrays have not": (lambda x: x.nothing, AttributeError, "nothing"),
    "an item of many": (lambda x: x.item(), BadInput, "say which"),
    "an option that is not covered": (lambda x: np.unique(x, return_counts=True), NoRule, "unique"),
    "an argument that is not covered": (
        lambda x: np.nanmean(x, where=[[True, False], [True, True]]),
        NoRule,
        "nanmean",
    ),
    "zeros around a matrix": (lambda x: np.trim_zeros(x), NoRule, "vectors"),
    "a frame that is computed": (lambda x: np.pad(x, 1, mode="mean"), NoRule, "pad"),
}


@pytest.mark.parametrize(("ask", "error", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_offered_says_what_to_write(ask, error, says):
    with pytest.raises(error, match=says):
        ask(ts.Value([[1.0, 2.0], [3.0, 4.0]]))
    assert not hasattr(ts.Value(1.0), "sort")


def test_masks_that_are_computed_are_masks():
    x = ts.Value(np.array([True, False, True]) * 1.0)
    assert np.array([1.0, 2.0, 4.0]).sum(where=x) == 5.0
    assert np.array([1.0, 2.0, 4.0]).clip(1.5, ts.Value(3.0)).data.tolist() == [1.5, 2.0, 3.0]


# --- as NumPy has it: values, shapes, precisions, and what is refused -----------------------------------------------------

X23, NAN2 = np.array([[1.0, 4.0, 2.0], [0.5, -1.0, 3.0]]), np.array([[np.nan, np.nan], [1.0, 2.0]])
SINGLE = np.array([[1.0, 4.0, 2.0], [0.5, -1.0, 3.0]], np.float32)
ALIKE = {
    "an even kernel": lambda v: np.correlate(v(np.arange(5.0)), [1.0, 10.0], "same"),
    "a longer kernel": lambda v: np.correlate(v(np.arange(4.0)), np.arange(1.0, 8.0), "same"),
    **({"a vector's norm": lambda v: np.linalg.vector_norm(v(X23), axis=(0, 1))} if hasattr(np, "vecdot") else {}),
    "a norm of an order of NumPy's": lambda v: np.linalg.norm(v(X23), np.int64(1)),
    "nothing but NaN": lambda v: np.nanmin(v(NAN2), axis=1),
    "a variance of fewer than ddof": lambda v: np.nanvar(v(NAN2), axis=1, ddof=2),
    "one point of interpolation": lambda v: np.interp(v(np.array([0.0, 2.0, 1.0])), [1.0], [5.0], left=-1.0, right=7.0),
    "functions of some of the numbers": lambda v: np.piecewise(
        v(X23), [X23 < 2, X23 > 3], [lambda t: t - t.mean(), 9.0, np.sqrt]
    ),
    "conditions in an array": lambda v: np.piecewise(
        v(X23[0]), np.array([[True, False, True], [False, True, False]]), [np.exp, np.log]
    ),
    "the last condition has its way": lambda v: np.piecewise(v(X23[0]), [X23[0] > 0, X23[0] > 1], [1.0, np.square]),
    "choices are broadcast": lambda v: np.choose([0, 0], [v(1.5)]),
    "columns of one row": lambda v: np.cov(v(np.ones((1, 3))), rowvar=False, ddof=0),
    "NaN that differ": lambda v: np.unique(v(np.array([np.nan, 1.0, np.nan])), equal_nan=False),
    "no powers": lambda v: np.vander(v(X23[0]), 0),
    "all axes, kept": lambda v: np.hypot.reduce(v(X23), axis=None, keepdims=True),
    "axes in a list": lambda v: np.median(v(X23), axis=[0, 1]),
    "a remainder of zeros": lambda v: np.polydiv(v(np.array([0.0, 1.0])), [1.0, 2.0, 3.0])[1],
    "a polynomial of high degree": lambda v: np.polyfit(np.linspace(0, 1, 50), v(np.sin(np.linspace(0, 9, 50))), 8),
    "a quantile in single precision": lambda v: np.quantile(v(SINGLE), 0.3, axis=1),
    "a mean in single precision": lambda v: np.nanmean(v(SINGLE)),
    "a convolution in single precision": lambda v: np.convolve(v(SINGLE[0]), SINGLE[1]),
    "a covariance of single precision": lambda v: np.cov(v(SINGLE)),
    "a determinant of 0": lambda v: np.linalg.slogdet(v(np.ones((2, 2))))[1],
    "divmod": lambda v: divmod(v(7.5), 2.0)[1],
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("f", ALIKE.values(), ids=ALIKE)
def test_it_is_as_numpy_has_it(f):
    expected, found = f(lambda x: x), f(ts.Value)
    found = found.data if isinstance(found, ts.Value) else found
    np.testing.assert_allclose(
        found, expected, rtol=1e-6 if np.asarray(expected).dtype == np.float32 else 1e-7, atol=1e-9
    )
    assert np.shape(found) == np.shape(expected) and np.asarray(found).dtype == np.asarray(expected).dtype


INVALID = {
    "an axis that is not there": lambda x: np.median(x, axis=2),
    "an axis of differences": lambda x: np.diff(x, axis=3),
    "the same axis twice": lambda x: np.gradient(x, axis=(0, 0)),
    "a power that is no whole number": lambda x: np.linalg.matrix_power(x[:, :2], 2.5),
    "more conditions than choices": lambda x: np.select([X23 > 0, X23 > 1], [x]),
    "an order of edges": lambda x: np.gradient(x, edge_order=3),
    "an indexing": lambda x: np.meshgrid(x[0], x[0], indexing="yx"),
    "a product of matrices": lambda x: np.convolve(x, x),
    "weights of 0": lambda x: np.average(x, weights=np.zeros((2, 3))),
    "a norm": lambda x: np.fft.fft(x, norm="none"),
    "a choice": lambda x: np.choose([0, 2, 0], [x[0], x[0]]),
}


@pytest.mark.parametrize("f", INVALID.values(), ids=INVALID)
def test_what_numpy_refuses_is_refused(f):
    with pytest.raises(Exception) as expected:
        f(X23)
    with pytest.raises(type(expected.value)) as found:
        f(ts.Value(X23))
    assert str(expected.value) == str(found.value) or isinstance(found.value, BadInput)


NOT_COVERED = {
    "rcond": lambda x: np.linalg.lstsq(x, np.ones(2), rcond=0.5),
    "hermitian": lambda x: np.linalg.svd(x, compute_uv=False, hermitian=True),
    "dtype": lambda x: np.linspace(x, 5.0, 4, dtype=int),
    "out": lambda x: np.median(x, None, np.zeros(())),
    "rcond= ": lambda x: np.linalg.pinv(x, rcond=0.5),
    "positions": lambda x: np.split(x, ts.Value(1.0)),
    "singular": lambda x: ts.grad(lambda a: np.linalg.slogdet(a)[1])(np.ones((2, 2))),
    "initial=": lambda x: np.max(x, where=[[True, False]]),
    "axis= and keepdims=": lambda x: np.logaddexp.reduce(x, initial=1.0),
}


@pytest.mark.parametrize(("says", "f"), NOT_COVERED.items(), ids=NOT_COVERED)
def test_options_are_not_taken_and_left_out(says, f):
    with pytest.raises((NoRule, BadInput, DroppedGradient), match=says.strip()):
        f(ts.Value([[2.0, 1.0], [0.0, 3.0]]))


def test_factors_of_0_leave_terms_out():
    f = lambda a: ts.logsumexp(a, b=np.array([0.0, 1.0, 2.0]))  # noqa: E731
    a = np.array([1000.0, 0.0, 1.0])
    assert f(a) == pytest.approx(np.log(1 + 2 * np.e))
    np.testing.assert_allclose(ts.grad(f)(a), np.array([0, 1, 2 * np.e]) / (1 + 2 * np.e))
    assert ts.logsumexp(np.zeros(2), b=np.ones((3, 2)), axis=None) == pytest.approx(np.log(6))


def test_rules_of_scipys_functions_over_their_domains():
    """As test_rules.py does of NumPy's: first derivatives by central differences, second ones by those of the first."""
    special = pytest.importorskip("scipy.special")
    from tinyspad.rules import RULES
    from tinyspad.rules.special import special_rule

    assert special_rule(special.expit) is not None
    rules = [rule for function, rule in RULES.items() if getattr(special, rule.name, None) is function]
    rng, checked = np.random.default_rng(0), 0
    for rule in rules:
        domains = rule.domain if isinstance(rule.domain, tuple) else (rule.domain,)
        for _ in range(5):
            args = [d.sample(rng) if isinstance(d, Domain) else d for d in domains]
            for i, d in enumerate(domains):
                if isinstance(d, Domain):

                    def along(x, i=i, args=args, rule=rule):
                        return rule.function(*args[:i], x, *args[i + 1 :])

                    x, slope = float(args[i]), ts.grad(along)
                    assert slope(x) == pytest.approx((along(x + H) - along(x - H)) / (2 * H), rel=1e-5, abs=1e-6), (
                        rule.name
                    )
                    second = (slope(x + H) - slope(x - H)) / (2 * H)
                    assert ts.grad(slope)(x) == pytest.approx(second, rel=1e-4, abs=1e-5), rule.name
                    checked += 1
    assert len(rules) >= 30 and checked > 180
