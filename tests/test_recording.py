"""What depends on a function that is still being recorded is refused where it would come out as a plain number."""

import threading

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.errors import BadInput, DroppedGradient, NotCompilable
from tinyspad.tape.refused import REFUSED

SQUARE = ts.trace(lambda y: y**2, 2.0)
FREE = ts.Value(5.0)
PROGRAM = ts.compile(lambda y: y**2)


def by_backward(x):
    y = ts.Value(2.0)
    (x * y).backward()
    return y.grad


def by_backward_of_a_result(x):
    y = ts.Value([1.0, 2.0])
    np.sum(y * (x + 1)).backward()
    return y.grad.sum()


def in_another_thread(x):
    """A recording is told by its Values, whoever runs it."""
    found = []

    def work():
        try:
            found.append(ts.trace(lambda y: x * y, 2.0).gradient()["y"])
        except DroppedGradient as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def of_a_result(u):
    return ts.trace(lambda y: u * y, 2.0).gradient()["y"]


def two_deep(x):
    return ts.trace(lambda y: y * ts.trace(lambda z: x * z, 2.0).gradient()["z"], 2.0).value


# What each gives is a number that has forgotten how it varies with x.
INNER = {
    "gradient": lambda x: ts.trace(lambda y: x * y, 2.0).gradient()["y"],
    "value": lambda x: ts.trace(lambda y: x * y, 2.0).value,
    "the outer variable itself": lambda x: ts.trace(lambda y: x, 2.0).value,
    "path gradients": lambda x: ts.trace(lambda y: y * y * x, 2.0).path_gradients("y")[0],
    "jvp": lambda x: ts.trace(lambda y: x * y, 2.0).jvp(1.0),
    "derivative": lambda x: ts.trace(lambda y: x * y**2, 2.0).derivative("y").value,
    "hessian": lambda x: ts.trace(lambda y: x * y**2, 2.0).hessian()["y"]["y"],
    "through arrays": lambda x: ts.trace(lambda y: np.sum(x * y), np.ones(3)).gradient()["y"][0],
    "what x was made into": lambda x: of_a_result(np.sin(2 * x)),
    "jacobian": lambda x: ts.jacobian(lambda y: (x * y, y), 2.0).matrix[0, 0],
    "compile": lambda x: ts.compile(lambda y: x * y)(2.0),
    "minimize": lambda x: ts.minimize(lambda y: (y - x) ** 2, 2.0, steps=3).x,
    "minimize by tracing": lambda x: ts.minimize(lambda y: (y - x) ** 2, 2.0, steps=3, callback=lambda *_: None).x,
    "minimize over data": lambda x: ts.minimize(lambda y, t: (y - x * t) ** 2, 2.0, data=np.ones(3), steps=3).x,
    "compare": lambda x: ts.compare(lambda y: (y - x) ** 2, 2.0, {"GD": ts.GD()}, steps=3)["GD"].x,
    "check_gradients": lambda x: float(bool(ts.check_gradients(lambda y: x * y, 2.0))),
    "backward": by_backward,
    "backward of a result": by_backward_of_a_result,
    "another thread": in_another_thread,
    "two deep": two_deep,
    # given as the point
    "point of trace": lambda x: ts.trace(lambda y: y**2, x).gradient()["y"],
    "a result as the point": lambda x: ts.trace(lambda y: y**2, 2 * x).gradient()["y"],
    "retrace": lambda x: SQUARE.retrace(x).gradient()["y"],
    "tangent": lambda x: SQUARE.jvp(x),
    "program": lambda x: PROGRAM(x),
    "program's gradient": lambda x: PROGRAM.gradient(x)["y"],
    "program's paths": lambda x: PROGRAM.path_gradients("y", x)[0],
    "program at a point": lambda x: PROGRAM.at(x).value,
    "start of minimize": lambda x: ts.minimize(lambda y: y**2, x, steps=3).x,
    "starts of minimize": lambda x: ts.minimize(lambda y, z: y * z, (1.0, x), steps=3).x[0],
    "data": lambda x: ts.minimize(lambda y, t: (y - t) ** 2, 2.0, data=x, steps=3).x,
}


@pytest.mark.parametrize("inner", INNER.values(), ids=INNER)
@pytest.mark.parametrize("outer", ["trace", "jacobian", "minimize"])
def test_a_number_that_forgot_the_outer_variable_is_refused(inner, outer):
    run = {
        "trace": lambda f: ts.trace(f, 3.0),
        "jacobian": lambda f: ts.jacobian(f, 3.0),
        "minimize": lambda f: ts.minimize(f, 3.0, steps=2),
    }[outer]
    with pytest.raises(DroppedGradient, match='"x"') as caught:
        run(lambda x: x * inner(x))
    assert caught.value.where.startswith("test_recording.py, line ")


@pytest.mark.parametrize("inner", [INNER["gradient"], by_backward, INNER["program"]])
def test_a_program_cannot_be_made_of_it_either(inner):
    with pytest.raises(NotCompilable, match=r"DroppedGradient.*still being recorded"):
        ts.compile(lambda x: x * inner(x))


KEPT = {
    "its .data": (lambda x: x * ts.trace(lambda y: x.data * y, 2.0).gradient()["y"], 3.0),
    "a free leaf": (lambda x: x * ts.trace(lambda y: FREE * y, 2.0).gradient()["y"], 5.0),
    "a leaf made inside": (lambda x: x * ts.trace(lambda y: ts.Value(5.0) * y, 2.0).gradient()["y"], 5.0),
    "comparisons and text": (lambda x: x * 2 if x > ts.trace(lambda y: y**2, 1.0).value and f"{x}{x!r}" else x, 2.0),
    "an inner backward": (lambda x: (v := ts.Value(2.0), (v * v).backward(), x * v.grad)[-1], 4.0),
    "x in a condition": (lambda x: x * ts.trace(lambda y: np.where(x > 0, y, -y), 2.0).gradient()["y"], 1.0),
}


@pytest.mark.parametrize(("f", "slope"), KEPT.values(), ids=KEPT)
def test_what_forgets_nothing_is_as_it_was(f, slope):
    assert ts.trace(f, 3.0).gradient() == {"x": slope}


def test_values_outside_any_function_are_constants():
    x = ts.Value(3.0)
    assert ts.trace(lambda y: x * y, 2.0).gradient() == {"y": 3.0}
    y = ts.Value(2.0)
    (x * y).backward()
    assert (x.grad, y.grad) == (2.0, 3.0)


def test_a_recording_is_over_when_its_function_returns_or_fails():
    kept = []
    ts.trace(lambda x: (kept.append(x), x * x)[1], 3.0)
    with pytest.raises(ZeroDivisionError):
        ts.trace(lambda x: (kept.append(x), 1 / 0)[1], 4.0)
    with pytest.raises(NotCompilable):
        ts.compile(lambda x: (kept.append(x), 1 / 0)[1])
    assert [ts.trace(lambda y, x=x: x * y, 2.0).gradient() for x in kept[:2]] == [{"y": 3.0}, {"y": 4.0}]


# --- a Value that is written into a plain array ---------------------------------------------------------------------


def item(x):
    out = np.zeros(3)
    for i in range(3):
        out[i] = x * i
    return out.sum()


def single_precision(x):
    out = np.zeros(2, np.float32)
    out[0] = x
    return out.sum()


def whole_numbers(x):
    out = np.zeros(2, int)
    out[0] = x
    return out.sum()


def everything(x):
    out = np.zeros(3)
    out[:] = 2 * x
    return out.sum()


def row(x):
    out = np.zeros((2, 2))
    out[0] = x, 2 * x
    return out.sum()


def added_to(x):
    out = np.zeros(3)
    out[0] += x
    return out.sum()


def all_added_to(x):
    out = np.zeros(3)
    out += x
    return out.sum()


def filled(x):
    out = np.zeros(3)
    out.fill(x)
    return out.sum()


def put(x):
    out = np.zeros(3)
    np.put(out, [0], x)
    return out.sum()


def copied(x):
    out = np.zeros(3)
    np.copyto(out, x)
    return out.sum()


def from_an_iterator(x):
    return np.fromiter((x * i for i in range(3)), float).sum()


def as_an_array(x):
    return np.array([x, 2 * x]).sum()


WRITING = [
    item,
    single_precision,
    whole_numbers,
    everything,
    row,
    added_to,
    filled,
    put,
    copied,
    from_an_iterator,
    as_an_array,
]


@pytest.mark.parametrize("f", [*WRITING, all_added_to])
def test_writing_a_value_into_an_array_ends_in_our_error(f):
    for run in (lambda: ts.trace(f, 2.0), lambda: ts.minimize(f, 2.0, steps=2), lambda: ts.jacobian(f, 2.0)):
        with pytest.raises(DroppedGradient) as caught:
            run()
        assert caught.value.__cause__ is None  # nothing of NumPy's is shown behind it
        assert ("np.stack([" in caught.value.message) == (f in WRITING)
    with pytest.raises(NotCompilable, match="DroppedGradient"):
        ts.compile(f)


def test_it_names_the_line_inside_the_function():
    with pytest.raises(DroppedGradient) as caught:
        ts.trace(item, 2.0)
    assert caught.value.where.endswith(": out[i] = x * i")


def test_errors_of_the_users_own_pass():
    def f(x):
        try:
            float(x)
        except DroppedGradient as error:
            raise ValueError("mine") from error

    with pytest.raises(ValueError, match=r"^mine$"):
        ts.trace(f, 2.0)
    with pytest.raises(ValueError, match="setting an array element"):
        ts.trace(lambda x: np.array([[1.0], [1.0, 2.0]], float).sum() + x, 2.0)


def test_a_method_of_a_plain_array_is_met_with_the_operator():
    with pytest.raises(DroppedGradient, match=r"Write np\.eye\(2\)\.T @ ts\.Value"):
        np.eye(2).T.dot(ts.Value([1.0, 2.0]))
    assert (np.eye(2).T @ ts.Value([1.0, 2.0])).shape == (2,)


def test_the_remedy_for_a_missing_rule_can_be_written(monkeypatch):
    for known in (np.nextafter, np.linalg.eigvals):  # as functions that a new NumPy has
        monkeypatch.delitem(REFUSED, known)

    def spelled(function, *args):
        with pytest.raises(ts.errors.NoRule) as caught:
            function(*args)
        return caught.value.message.partition("ts.rule(")[2].partition(") (README")[0]

    x, matrix = ts.Value(1.0), ts.Value(np.eye(2))
    assert spelled(np.nextafter, x, 0.5) == "np.nextafter, d=..."
    assert spelled(np.linalg.eigvals, matrix) == "np.linalg.eigvals, vjp=..."
    erf = np.frompyfunc(lambda x: x, 1, 1)  # as SciPy's: a ufunc that is not NumPy's
    assert spelled(erf, x) == f"{erf.__name__}, d=..."


def test_a_point_that_is_a_free_value_is_told_so():
    with pytest.raises(BadInput, match=r"\.data"):
        ts.trace(lambda y: y**2, ts.Value(2.0))
