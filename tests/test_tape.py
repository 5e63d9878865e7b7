"""Value and its tape: micrograd's behaviour, NumPy's protocols, refusals, and the bookkeeping of backward()."""

import copy
import gc
import inspect
import math
import pickle
import threading
import tracemalloc
import warnings
import weakref

import numpy as np
import pytest
from programs import more_operations

import tinyspad as ts
from tinyspad.errors import BadInput, ChangedData, DroppedGradient, NoRule, NotScalar
from tinyspad.rules import RULES


def test_micrograds_readme_example():
    g, a, b = more_operations(ts.Value)
    assert (f"{g:.4f}", f"{a:.4f}", f"{b:.4f}") == ("24.7041", "138.8338", "645.5773")


def test_intermediate_values_have_gradients_too():
    x = ts.Value(3.0)
    y = x * x
    z = y + y
    z.backward()
    assert (z.grad, y.grad, x.grad) == (1.0, 2.0, 12.0)


@pytest.mark.parametrize(
    "operation",
    [
        lambda x, y: x + y,
        lambda x, y: x - y,
        lambda x, y: x * y,
        lambda x, y: x / y,
        lambda x, y: x**y,
        lambda x, y: x % y,
        lambda x, y: x // y,
    ],
    ids=["+", "-", "*", "/", "**", "%", "//"],
)
@pytest.mark.parametrize(
    "other", [2, 2.5, np.float64(2.5), np.float32(2.5), np.int64(2), True, np.array([1.5, 2.5])], ids=repr
)
def test_operators_take_numbers_on_both_sides(operation, other):
    for x, y in [(ts.Value(1.75), other), (other, ts.Value(1.75)), (ts.Value(1.75), ts.Value(float(np.max(other))))]:
        plain = [v.data if isinstance(v, ts.Value) else v for v in (x, y)]
        result = operation(x, y)
        assert isinstance(result, ts.Value)
        np.testing.assert_allclose(result.data, operation(*plain), rtol=1e-15)
        assert np.shape(result.data) == np.shape(operation(*plain))


@pytest.mark.parametrize("x", [-2.0, 0.0, 3.0])
@pytest.mark.parametrize("n", [0, 1, 2, 3, -1, 0.5, 2.0, True])
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_powers_are_numpys(x, n):
    v = ts.Value(x)
    y = v**n
    np.testing.assert_equal(y.data, float(np.power(np.float64(x), float(n))))
    y.backward()
    with np.errstate(all="ignore"):
        expected = 0.0 if n == 0 else float(n) * np.float64(x) ** (float(n) - 1)
    np.testing.assert_equal(v.grad, expected)


def test_overflow_gives_infinity_as_in_numpy():
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert (ts.Value(10.0) ** 400).data == np.inf
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert (ts.Value(1.0) / 0).data == np.inf


def test_comparisons_and_bool_act_on_the_data():
    x, y = ts.Value(1.0), ts.Value(2.0)
    assert x < y and x <= 1 and y > 1 and y >= x and x == 1 and x != y and x
    assert not ts.Value(0.0)
    np.testing.assert_array_equal(ts.Value(np.array([1.0, 3.0])) > 2, [False, True])
    np.testing.assert_array_equal(np.greater(ts.Value(np.array([1.0, 3.0])), 2), [False, True])
    assert len({x, y, x}) == 2
    assert max(x, y) is y


@pytest.mark.parametrize(
    ("given", "dtype", "kept"),
    [
        (3, np.float64, 3.0),
        (True, np.float64, 1.0),
        (np.int8(3), np.float64, 3.0),
        (np.float32(0.1), np.float32, np.float32(0.1)),
        (np.float16(0.5), np.float16, np.float16(0.5)),
        ([1, 2], np.float64, [1.0, 2.0]),
        (np.array(5.0), np.float64, 5.0),
        (np.arange(3, dtype=np.float32), np.float32, [0, 1, 2]),
        (np.array([True, False]), np.float64, [1.0, 0.0]),
    ],
)
def test_data_becomes_floats_as_numpy_would(given, dtype, kept):
    v = ts.Value(given)
    assert v.dtype == dtype
    np.testing.assert_array_equal(v.data, kept)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (1j, "not complex"),
        (np.array([1j]), "not complex"),
        ("3", "real numbers"),
        (np.array(["a"]), "real numbers"),
        (None, "real numbers"),
        (np.array([1, None]), "object"),
        (np.ma.masked_array([1.0], [True]), "mask"),
        (ts.Value(1.0), "already"),
        (np.datetime64("2020"), "real numbers"),
    ],
    ids=repr,
)
def test_what_is_not_a_number_is_refused(given, says):
    with pytest.raises(BadInput, match=says):
        ts.Value(given)


def test_micrograds_constructor():
    assert ts.Value(2.0, (), "").data == 2.0
    with pytest.raises(BadInput, match=r"ts\.rule"):
        ts.Value(2.0, (ts.Value(1.0),), "tanh")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda v: math.cos(v), "np.cos"),
        (lambda v: float(v), "np.cos"),
        (lambda v: int(v), "int"),
        (lambda v: complex(v), "complex"),
        (lambda v: [1, 2][v], "index"),
        (lambda v: np.array([v, v]), "np.stack"),
        (lambda v: np.asarray(v), "np.stack"),
        (lambda v: np.maximum(v, [v, 1.0]), "np.stack"),
        (lambda v: np.add(np.ones(2), v, out=np.zeros(2)), "out="),
        (lambda v: np.ones(2)[v], "index|np.array"),
    ],
)
def test_what_would_drop_the_gradient_is_refused(call, says):
    with pytest.raises(DroppedGradient, match=says):
        call(ts.Value(1.0, name="v"))


def test_writing_a_value_into_an_array_is_refused():
    array = np.ones(3)
    with pytest.raises(DroppedGradient, match=r"x = x \+ v|y = x \+ v"):
        array += ts.Value(1.0)
    with pytest.raises(ValueError, match="array element") as caught:  # NumPy's own words, with ours as the cause
        array[0] = ts.Value(1.0)
    assert isinstance(caught.value.__cause__, DroppedGradient)
    with pytest.raises(DroppedGradient, match=r"np\.where"):
        ts.Value(np.ones(3))[0] = 2.0
    with pytest.raises(DroppedGradient, match="index"):
        ts.Value(np.ones(3))[ts.Value(1.0)]


def test_operands_that_are_not_numbers_are_left_to_python():
    for operation in (lambda: ts.Value(1.0) + "a", lambda: None * ts.Value(1.0), lambda: ts.Value(1.0) ** {}):
        with pytest.raises(TypeError, match="unsupported operand"):
            operation()


@pytest.mark.parametrize(
    "array", [np.array([ts.Value, None]), np.ma.masked_array([1.0, 2.0], [True, False])], ids=["object", "masked"]
)
def test_constant_operands_of_objects_or_with_masks_are_refused(array):
    with pytest.raises(BadInput):
        np.multiply(ts.Value(np.ones(2)), array)


def test_numpy_protocols_reach_plain_code():
    def softmax_loss(w, x):
        logits = x @ w
        shifted = logits - np.max(logits, axis=-1, keepdims=True)
        return -np.mean(np.log(np.exp(shifted) / np.sum(np.exp(shifted), axis=-1, keepdims=True))[:, 0])

    rng = np.random.default_rng(0)
    w, x = rng.normal(size=(4, 3)), rng.normal(size=(5, 4))
    v = ts.Value(w)
    loss = softmax_loss(v, x)
    assert np.isclose(loss.data, softmax_loss(w, x), rtol=1e-15)
    loss.backward()
    p = np.exp(x @ w)
    p /= p.sum(axis=1, keepdims=True)
    p[:, 0] -= 1
    np.testing.assert_allclose(v.grad, x.T @ p / 5, rtol=1e-12)


def test_ufunc_reductions_map_to_their_functions():
    v = ts.Value(np.arange(1.0, 7.0).reshape(2, 3))
    for got, expected in [
        (np.add.reduce(v), [5.0, 7.0, 9.0]),
        (np.multiply.reduce(v, axis=None), 720.0),
        (np.maximum.reduce(v, axis=1), [3.0, 6.0]),
        (np.add.accumulate(v, axis=1), [[1, 3, 6], [4, 9, 15]]),
    ]:
        assert isinstance(got, ts.Value)
        np.testing.assert_array_equal(got.data, expected)


def test_array_methods_are_numpys():
    data = np.random.default_rng(0).uniform(0.5, 2.0, (2, 3))
    v = ts.Value(data)
    for name in ("exp", "log", "sqrt", "sin", "cos", "tanh"):
        np.testing.assert_array_equal(getattr(v, name)().data, getattr(np, name)(data))
    for name in ("sum", "mean", "prod", "max", "min"):
        np.testing.assert_array_equal(getattr(v, name)().data, getattr(data, name)())
        np.testing.assert_array_equal(
            getattr(v, name)(axis=1, keepdims=True).data, getattr(data, name)(axis=1, keepdims=True)
        )
    np.testing.assert_array_equal(v.reshape(3, 2).data, data.reshape(3, 2))
    np.testing.assert_array_equal(v.reshape((3, 2)).data, data.reshape(3, 2))
    np.testing.assert_array_equal(v.T.data, data.T)
    np.testing.assert_array_equal(v.transpose(1, 0).data, data.T)
    np.testing.assert_array_equal(v.dot(data.T).data, data @ data.T)
    np.testing.assert_array_equal((data.T @ v).data, data.T @ data)
    np.testing.assert_array_equal(abs(-v).data, data)
    np.testing.assert_array_equal((+v).data, data)
    assert (v.shape, v.ndim, v.size, len(v)) == ((2, 3), 2, 6, 2)
    assert [row.shape for row in v] == [(3,), (3,)]
    for scalar_has_none in (len, iter):
        with pytest.raises(TypeError, match="scalar"):
            scalar_has_none(ts.Value(1.0))


def test_values_by_keyword_are_found():
    v, low = ts.Value(np.array([-2.0, 0.5])), ts.Value(-1.0)
    np.clip(v, a_min=low, a_max=1.0).sum().backward()
    np.testing.assert_array_equal(v.grad, [0.0, 1.0])
    assert low.grad == 1.0
    np.sum(a=v).backward()
    np.testing.assert_array_equal(v.grad, [1.0, 2.0])
    top = np.max(v, initial=low)
    assert top.data == 0.5
    with pytest.raises(NoRule, match="where="):
        np.var(v, where=[True, False])


# --- backward ---------------------------------------------------------------------------------------------------


def test_backward_twice_adds_exactly_twice():
    x = ts.Value(0.7)
    y = np.sin(x) * x
    z = y * y + y
    z.backward()
    once = (x.grad, y.grad, z.grad)
    z.backward()
    assert (x.grad, y.grad, z.grad) == tuple(2 * g for g in once)
    x.grad = 0
    assert x.grad == 0.0


def test_backward_of_an_array_needs_a_seed():
    v = ts.Value(np.ones(3), name="v")
    with pytest.raises(NotScalar, match=r'"v" has shape \(3,\).*sum\(\)'):
        v.backward()
    (v * 2).backward(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(v.grad, [2.0, 4.0, 6.0])
    with pytest.raises(BadInput, match="seed"):
        (v * 2).backward(np.ones(2))


def test_gradients_start_at_zero_in_the_shape_of_the_data():
    assert ts.Value(1.0).grad == 0.0
    np.testing.assert_array_equal(ts.Value(np.ones((2, 3))).grad, np.zeros((2, 3)))
    assert f"{ts.Value(2.0):.2f} {ts.Value(2.0)}" == "2.00 Value(data=2.0, grad=0.0)"
    assert "grad=0.0" in repr(ts.Value(1.0)) and "name='w'" in repr(ts.Value(1.0, name="w"))


def test_float32_stays_float32():
    v = ts.Value(np.ones(3, np.float32))
    loss = np.sum(np.exp(v) * 2.0 + v**2)
    loss.backward()
    assert loss.data.dtype == v.grad.dtype == np.float32


def test_a_chain_of_a_hundred_thousand_operations():
    x = ts.Value(1.0)
    y = x
    for _ in range(100_000):
        y = y * 1.00001
    y.backward()
    assert x.grad == pytest.approx(np.exp(100_000 * np.log(1.00001)), rel=1e-9)
    del y
    gc.collect()


def test_arrays_that_nobody_needs_are_freed():
    x = ts.Value(np.ones(1000))
    hidden = x + 1.0
    data = weakref.ref(hidden._data)
    loss = np.sum(hidden)
    del hidden
    assert data() is None
    loss.backward()
    np.testing.assert_array_equal(x.grad, np.ones(1000))


def test_an_exception_on_the_way_leaves_the_tape_usable():
    fragile = ts.rule(lambda x: x * 1.0, vjp=lambda out, x: lambda g: 1 / 0, domain=[])
    x = ts.Value(2.0)
    y = fragile(x * 3.0 + 0.0)
    z = x * x + y
    with pytest.raises(ZeroDivisionError):
        z.backward()
    with pytest.raises(ZeroDivisionError):
        z.backward()
    x.grad = 0.0
    (x * x).backward()
    assert x.grad == 4.0
    del RULES[fragile]


def test_threads_record_at_once():
    results = {}

    def work(n):
        x = ts.Value(float(n))
        y = x
        for _ in range(2000):
            y = y + x
        y.backward()
        results[n] = x.grad

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == dict.fromkeys(range(8), 2001.0)


# --- data that changes -------------------------------------------------------------------------------------------


def test_the_callers_array_is_copied():
    mine, constant = np.ones(3), np.full(3, 2.0)
    x = ts.Value(mine)
    y = np.sum(x * constant)
    mine[:] = 100.0
    constant[:] = 100.0
    y.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 2.0, 2.0])
    assert y.data == 6.0


def test_an_index_array_is_copied():
    x, index = ts.Value(np.arange(3.0)), np.array([0, 0])
    picked = [0, 1]
    y = np.sum(x[index]) + np.sum(np.take(x, picked))
    index[:] = 2
    picked[:] = [2, 2]
    y.backward()
    np.testing.assert_array_equal(x.grad, [3.0, 1.0, 0.0])


@pytest.mark.parametrize(
    "pick", [lambda x, i: x[(i,)], lambda x, i: x[..., i], lambda x, i: np.take(x, i), lambda x, i: np.repeat(x, i)[:2]]
)
def test_index_and_option_arrays_are_copied_wherever_they_stand(pick):
    x, i = ts.Value(np.arange(3.0)), np.array([0, 1, 1])
    y = np.sum(pick(x, i))
    i[:] = 2
    changed = x.grad
    y.backward()
    again = ts.Value(np.arange(3.0))
    np.sum(pick(again, np.array([0, 1, 1]))).backward()
    np.testing.assert_array_equal(x.grad - changed, again.grad)


def test_a_shift_is_copied():
    x, shift = ts.Value(np.arange(3.0)), np.array([1])
    y = np.sum(np.roll(x, shift=shift, axis=(0,)) * np.array([1.0, 10.0, 100.0]))
    shift[:] = 2
    y.backward()
    np.testing.assert_array_equal(x.grad, [10.0, 100.0, 1.0])


def test_values_in_lists_are_never_dropped():
    x, y = ts.Value(2.0), ts.Value(np.ones(2))
    for call in (
        lambda: y * [x, x],
        lambda: np.maximum(y, [1.0, x]),
        lambda: np.where(y > 0, y, [x, x]),
        lambda: np.concatenate([y, [x, 1.0]]),
        lambda: np.stack([y, [[x], 1.0]]),
        lambda: y @ (x, x),
    ):
        with pytest.raises(DroppedGradient, match=r"np\.stack"):
            call()


@pytest.mark.parametrize("constant", [1j, np.complex128(1j), np.array([1j]), np.array(1j)], ids=repr)
def test_complex_constants_are_refused(constant):
    for v in (ts.Value(2.0), ts.Value(np.ones(1))):
        with pytest.raises(BadInput, match=r"complex|real"):
            v * constant


def test_a_backward_inside_a_vjp():
    """What checkpointing does: recompute, and run a backward pass of its own, while the outer one is under way."""

    def block(v):
        return np.sin(v) * v

    def recompute(out, x):
        def vjp(g):
            inner = ts.Value(x)
            (block(inner) * shared).backward()
            return g * inner.grad / shared.data

        return vjp

    checkpointed = ts.rule(lambda x: block(x), vjp=recompute, domain=[])
    shared, x = ts.Value(3.0), ts.Value(0.7)
    (checkpointed(x) * shared + x * shared).backward()
    assert x.grad == pytest.approx(3 * (np.sin(0.7) + 0.7 * np.cos(0.7)) + 3)
    assert shared.grad == pytest.approx(
        np.sin(0.7) * 0.7 + 0.7 + np.sin(0.7) * 0.7
    )  # outer pass, and once more the inner
    del RULES[checkpointed]


def test_the_gradients_of_arrays_that_nobody_holds_are_not_kept():
    x = ts.Value(np.ones(50_000))
    held = np.exp(x)
    loss = np.sum(held * 2.0 + 1.0)
    tracemalloc.start()
    loss.backward()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 3 * x.data.nbytes  # x.grad and held.grad
    np.testing.assert_array_equal(held.grad, np.full(50_000, 2.0))


def test_changing_a_leaf_in_place_is_caught_at_backward():
    x = ts.Value(np.array([1.0, 2.0]), name="x")
    before = x.data
    y = np.sum(x * x)
    before[0] = 10.0
    with pytest.raises(ChangedData, match='"x" was changed after multiply read it'):
        y.backward()
    y = np.sum(x * x)
    y.backward()
    np.testing.assert_array_equal(x.grad, [20.0, 4.0])


def test_every_older_reader_of_a_changed_leaf_is_caught():
    x = ts.Value(np.array([1.0, 2.0]), name="x")
    first = np.sum(x * x)
    x.data[0] = 5.0
    with pytest.raises(ChangedData):
        first.backward()
    second = np.sum(x * x)
    with pytest.raises(ChangedData):
        first.backward()
    with pytest.raises(ChangedData):
        (first + second).backward()
    second.backward()
    np.testing.assert_array_equal(x.grad, [10.0, 4.0])


def test_a_lent_leaf_is_copied_only_when_it_changed():
    x = ts.Value(np.ones(100_000))
    x.data[0] = 2.0
    tracemalloc.start()
    reads = [x * 1.0 for _ in range(3)] and [np.sum(x) for _ in range(20)]
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(reads) == 20 and held < 3 * 800_000


def test_replacing_a_leaf_is_caught_at_backward():
    x = ts.Value(3.0, name="x")
    y = x * x
    x.data = 4.0
    with pytest.raises(ChangedData, match='"x" was changed after multiply read it'):
        y.backward()
    z = x * x
    z.backward()
    assert x.grad == 8.0
    both = ts.Value(1.0) * y + z
    with pytest.raises(ChangedData):
        both.backward()


@pytest.mark.parametrize("start", [1.0, np.array([1.0, -2.0])], ids=["scalar", "array"])
def test_a_training_loop_in_micrograds_style(start):
    p = ts.Value(start)
    kept = []
    for _ in range(5):
        loss = np.sum(p * p)
        p.grad = 0.0
        loss.backward()
        kept.append(loss)
        p.data -= 0.25 * p.grad
    np.testing.assert_allclose(p.data, np.asarray(start) * 0.5**5)
    np.testing.assert_allclose([k.data for k in kept], [np.sum(np.asarray(start) ** 2) * 0.25**i for i in range(5)])


def test_a_results_data_cannot_be_changed():
    x = ts.Value(np.ones(2))
    y = np.exp(x)
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 5.0
    with pytest.raises(ChangedData, match="result of exp"):
        y.data = np.zeros(2)
    view = x.reshape(2, 1)
    with pytest.raises(ValueError, match="read-only"):
        view.data[0] = 5.0


def test_leaves_can_be_copied_and_parameters_stay_apart():
    x = ts.Value(np.ones(2), name="x")
    y = copy.deepcopy(x)
    np.sum(y * 3.0).backward()
    np.testing.assert_array_equal(x.grad, [0.0, 0.0])
    np.testing.assert_array_equal(y.grad, [3.0, 3.0])
    assert y.name == "x"
    y.name = "y"
    assert x.name == "x"
    z = pickle.loads(pickle.dumps(y))
    np.testing.assert_array_equal(z.grad, [3.0, 3.0])
    with pytest.raises(DroppedGradient, match="result of multiply"):
        pickle.dumps(y * 2.0)
    assert copy.copy(y * 2.0).data[0] == 2.0


def test_gradients_of_two_leaves_never_share_memory():
    same_adjoint = ts.rule(lambda a, b: a + b, vjp=(lambda out, a, b: lambda g: g,) * 2, domain=[])
    a, b, seed = ts.Value(np.ones(3)), ts.Value(np.ones(3)), np.ones(3)
    same_adjoint(a, b).backward(seed)
    assert not np.shares_memory(a.grad, b.grad) and not np.shares_memory(a.grad, seed)
    c = ts.Value(np.ones(3))
    c.backward(seed)
    assert not np.shares_memory(c.grad, seed)
    del RULES[same_adjoint]


# --- gradients that are set by hand, seeds, and what is one number ---------------------------------------------------


@pytest.mark.parametrize("data", [3.0, np.float32(3.0), [1.0, 2.0, 3.0]], ids=repr)
def test_none_is_no_gradient(data):
    x = ts.Value(data)
    x.grad = 7.0
    x.grad = None
    np.testing.assert_array_equal(x.grad, np.zeros_like(x.data))
    np.sum(x * x).backward()
    np.testing.assert_array_equal(x.grad, 2 * x.data)


def test_a_gradient_is_a_number_or_of_the_datas_shape():
    x = ts.Value([1.0, 2.0, 3.0])
    for wrong in (np.zeros(2), np.zeros((3, 1)), [[1.0, 2.0, 3.0]], "one", np.zeros(3) * 1j, [1.0, [2.0]]):
        with pytest.raises(BadInput, match=r"array of shape \(3,\)"):
            x.grad = wrong
    with pytest.raises(BadInput):
        ts.Value(1.0).grad = [1.0]
    with pytest.raises(DroppedGradient):
        x.grad = ts.Value(1.0)
    mine = np.array([1.0, 2.0, 3.0], np.float32)
    x.grad = mine
    mine[:] = 0  # it was copied
    np.sum(x).backward()
    np.testing.assert_array_equal(x.grad, [2.0, 3.0, 4.0])
    assert x.grad.dtype == np.float64


@pytest.mark.parametrize("of_a_result", [False, True])
def test_a_gradient_that_is_written_into_is_kept(of_a_result):
    x = ts.Value([1.0, 2.0, 3.0])
    v = 2 * x if of_a_result else x
    v.grad[:] = 5
    v.grad[0] += 1
    np.testing.assert_array_equal(v.grad, [6.0, 5.0, 5.0])
    np.sum(v).backward()
    np.testing.assert_array_equal(v.grad, [7.0, 6.0, 6.0])
    if not of_a_result:
        x.grad = 0.0
        np.testing.assert_array_equal(x.grad, np.zeros(3))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("data", [1.5, [1.5, 2.5]], ids=["number", "array"])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x * np.array([1.0, 2.0])),
        lambda x: np.sum(x * ts.Value([1.0, 2.0])),
        lambda x: np.sum(np.float64(3.0) * x**2),
        lambda x: np.sum(x) * ts.Value(2.5),
        lambda x: np.sum(np.ones((3, 2)) @ (x * np.ones(2))),
        lambda x: np.sum(x),
    ],
)
def test_a_gradient_has_its_parameters_precision(f, data, dtype):
    x = ts.Value(np.array(data, dtype)[()])
    f(x).backward()
    once = np.copy(x.grad)
    assert np.asarray(x.grad).dtype == dtype
    x.grad = None
    f(x).backward(1.0)
    np.testing.assert_array_equal(x.grad, once)
    assert np.asarray(x.grad).dtype == dtype
    f(x).backward(2.0)
    np.testing.assert_allclose(x.grad, 3 * once, rtol=2 * np.finfo(dtype).eps)
    lcg = ts.trace(f, x.data)
    np.testing.assert_array_equal(lcg.gradient()["x"], once)
    assert {np.asarray(g).dtype for g in (lcg.gradient()["x"], lcg.adjoint("x"), lcg.path_gradients("x"))} == {
        np.dtype(dtype)
    }


@pytest.mark.parametrize("estimator", [ts.GD(), ts.RAD(), ts.SPAD()])
def test_minimizing_keeps_precision(estimator):
    result = ts.minimize(
        lambda x: np.sum((x * np.array([1.0, 2.0])) ** 2), np.ones(2, np.float32), estimator=estimator, steps=3, rng=0
    )
    assert result.x.dtype == np.float32


@pytest.mark.parametrize("data", [1.5, np.float32(1.5)], ids=repr)
@pytest.mark.parametrize("key", [None, ..., (), (None,), (None, None), (..., None), (None, ...)], ids=repr)
def test_a_number_is_indexed_as_numpys_scalars_are(key, data):
    x = ts.Value(data)
    expected = np.asarray(data)[key]
    found = x[key]
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found.data, expected)
    np.sum(found * found).backward()
    assert x.grad == 3.0


@pytest.mark.parametrize("key", [0, -1, slice(None), (..., ...), [0], "x", (None, 0)], ids=repr)
def test_a_number_has_no_elements(key):
    with pytest.raises(BadInput, match="one number and has no elements"):
        ts.Value(1.5)[key]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.reshape(np.sum(x * x), (1,)),
        lambda x: np.sum(x * x, keepdims=True),
        lambda x: (x @ x)[None, None],
        lambda x: x[:1] * x[1:2] + x[:1] ** 2,
    ],
)
def test_an_array_of_one_number_has_a_gradient(f):
    at = np.array([3.0, 4.0])
    expected = ts.trace(lambda x: np.sum(f(x)), at).gradient()["x"]
    lcg = ts.trace(f, at)
    np.testing.assert_array_equal(lcg.gradient()["x"], expected)
    np.testing.assert_allclose(lcg.path_gradients("x").sum(axis=0), expected)
    np.testing.assert_allclose(np.sum(lcg.jvp(np.array([1.0, 10.0]))), expected @ [1.0, 10.0])
    assert ts.check_gradients(f, at)
    x = ts.Value(at)
    f(x).backward()
    np.testing.assert_array_equal(x.grad, expected)
    for estimator in (ts.GD(), ts.RAD(), ts.SPAD()):
        single = ts.minimize(f, at, estimator=estimator, steps=5, rng=0)
        number = ts.minimize(lambda x: np.sum(f(x)), at, estimator=estimator, steps=5, rng=0)
        assert type(single.value) is float and single.status == "done"
        if isinstance(estimator, ts.GD):
            assert single.value == number.value
        np.testing.assert_array_equal(single.history.values[0], number.history.values[0])


# --- calls that NumPy takes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0,), (2, 0, 3)])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1)])
@pytest.mark.parametrize("function", [np.sum, np.prod, np.mean, np.var, np.std])
def test_reductions_of_nothing(function, axis, shape):
    if axis not in (None, 0, -1) and len(shape) == 1:
        pytest.skip("there is no such axis")
    at = np.zeros(shape)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's own: mean of empty slice
        x = ts.Value(at)
        found = function(x, axis=axis)
        np.testing.assert_array_equal(found.data, function(at, axis=axis))
        found.backward(np.ones(found.shape))
    assert x.grad.shape == shape


@pytest.mark.parametrize("ddof", [3, 4])
@pytest.mark.parametrize("function", [np.var, np.std])
def test_no_degrees_of_freedom(function, ddof):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for at in (np.arange(3.0), np.ones(3)):
            found = ts.trace(lambda v: function(v, ddof=ddof), at)
            np.testing.assert_array_equal(found.value, function(at, ddof=ddof))
            assert not np.any(np.isfinite(found.gradient()["v"]))


def test_arguments_by_numpys_own_names():
    """Every argument of every rule by the name that NumPy's signature gives it."""
    rng, told = np.random.default_rng(0), 0
    for function, rule in RULES.items():
        if rule.elementwise or not (function.__module__ or "").startswith("numpy"):
            continue
        try:
            named = [p for p in inspect.signature(function).parameters.values() if p.kind is not p.KEYWORD_ONLY]
        except ValueError:
            continue
        for example in rule.domain:
            call, options = (example[:-1], example[-1]) if isinstance(example[-1], dict) else (example, {})
            drawn = [[i.sample(rng) for i in a] if rule.sequence and k == 0 else a for k, a in enumerate(call)]
            drawn = [a.sample(rng) if isinstance(a, ts.Domain) else a for a in drawn]
            if len(named) < len(drawn) or any(p.kind is p.VAR_POSITIONAL for p in named[: len(drawn)]):
                continue
            values = [
                [ts.Value(i) for i in a]
                if rule.sequence and k == 0
                else ts.Value(a)
                if k < len(rule.derivatives)
                else a
                for k, a in enumerate(drawn)
            ]
            only = sum(p.kind is p.POSITIONAL_ONLY for p in named[: len(drawn)])
            by_name = {p.name: value for p, value in list(zip(named, values))[only:]}
            found = function(*values[:only], **by_name, **options)
            np.testing.assert_array_equal(found.data, function(*drawn, **options), err_msg=rule.name)
            told += 1
    assert told > 60
    np.testing.assert_array_equal(np.tile(A=ts.Value([1.0, 2.0]), reps=2).data, [1.0, 2.0, 1.0, 2.0])


def test_transpose_of_one_axis():
    x = ts.Value([1.0, 2.0])
    np.sum(np.transpose(x, 0) * np.array([1.0, 10.0])).backward()
    np.testing.assert_array_equal(x.grad, [1.0, 10.0])
