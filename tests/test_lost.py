"""What NumPy does not pass on ends in an error that names the call, and says what to write; what it says works."""

import math
import sys

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.errors import DroppedGradient

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="which expression runs is known since Python 3.11")
arr = np.array([1.0, 2.0, 4.0])
NAMES = {"np": np, "math": math, "arr": arr, "ts": ts, "array": np.array}

# what somebody writes -> what the error says to write; x, y: numbers, v: an array
CALLS = {
    "np.sum([x, y])": "np.sum(np.stack([x, y]))",
    "np.mean([x, y, 3.0])": "np.mean(np.stack([x, y, 3.0]))",
    "np.linalg.norm((x, y))": "np.linalg.norm(np.stack((x, y)))",
    "np.dot([x, y], [1, 2])": "np.dot(np.stack([x, y]), [1, 2])",
    "np.full((2,), x)": "x * np.ones((2,))",
    "np.polyval([x, 1], 2.0)": "np.polyval(np.stack([x, 1]), 2.0)",
    "np.sqrt([x, y])": "np.sqrt(np.stack([x, y]))",
    "np.array([x, y])": "np.stack([x, y])",
    "array([[x, y], [y, 1]])": "np.stack([np.stack([x, y]), np.stack([y, 1])])",
    "np.array([i * x for i in range(3)])": "np.stack([i * x for i in range(3)])",
    "np.max(np.array([x, 2]))": "np.stack([x, 2])",
    "np.eye(3) @ [x, y, x]": "np.eye(3) @ np.stack([x, y, x])",
    "np.r_[x, v]": "np.concatenate([np.atleast_1d(x), np.atleast_1d(v)])",
    "np.c_[v, v]": "np.column_stack([np.atleast_1d(v), np.atleast_1d(v)])",
    "arr.searchsorted(x)": "np.searchsorted(arr, x)",
    "arr.dot(v)": "arr @ v",
    "(arr - 1).dot(v + 1)": "(arr - 1) @ (v + 1)",
    "arr.searchsorted([x, y])": "np.searchsorted(arr, np.stack([x, y]))",
    "np.full(2, x + y)": "(x + y) * np.ones(2)",
    "np.multiply.outer([x, y], [1, 2])": "np.multiply.outer(np.stack([x, y]), [1, 2])",
    "np.sum([[x, y], [y, x]], (0, 1))": "np.sum(np.stack([np.stack([x, y]), np.stack([y, x])]), (0, 1))",
    "np.array([[x, y] for _ in range(2)])": "np.stack([np.stack([x, y]) for _ in range(2)])",
    "np.average([1, 2], weights=[x, y])": "np.average([1, 2], weights=np.stack([x, y]))",
    "np.concatenate([[x], [y, y]])": "np.concatenate([np.stack([x]), np.stack([y, y])])",
    "np.r_[[x, y], v]": "np.concatenate([np.stack([x, y]), np.atleast_1d(v)])",
    "math.cos(x)": "np.cos(x)",
    "math.hypot(y, x)": "np.hypot(y, x)",
    "math.atan2(y, x)": "np.arctan2(y, x)",
    "math.log(x, 2)": "np.log(x) / np.log(2)",
    "math.pow(y, x)": "y ** x",
    "np.prod([x, y])": "np.prod(np.stack([x, y]))",
    "np.reshape([x, y], (2, 1))": "np.reshape(np.stack([x, y]), (2, 1))",
    "np.concatenate([[x], [y]])": "np.concatenate([np.stack([x]), np.stack([y])])",
    "np.array([[x, y], v[:2]])": "np.stack([np.stack([x, y]), v[:2]])",
}


def values():
    return {"x": ts.Value(1.5, name="x"), "y": ts.Value(2.0), "v": ts.Value(np.array([1.0, 3.0, 2.0]))}


def run(tmp_path, code, names):
    """From a file, as people's code is."""
    file = tmp_path / "code.py"
    file.write_text(f"def f():\n    return {code}\n", encoding="utf-8")
    space = {**NAMES, **names}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), space)
    return space["f"]()


@pytest.mark.parametrize(("code", "instead"), CALLS.items(), ids=CALLS)
def test_the_call_is_named_and_its_remedy_works(tmp_path, code, instead):
    with pytest.raises(DroppedGradient) as caught:
        run(tmp_path, code, values())
    message = caught.value.message
    inner = "np.array([x, 2])" if "max" in code else code
    assert message.startswith(f"{inner} would turn ") and message.endswith(f"drop its gradient. Write {instead}.")
    found = run(tmp_path, instead, values())
    plain = {name: value.data for name, value in values().items()}
    expected = eval(inner, {**NAMES, **plain})
    np.testing.assert_array_equal(found.data if isinstance(found, ts.Value) else found, expected)


SAYS = {
    "arr[v]": "arr[v.data.astype(int)]: an index has no derivative",
    "np.r_[x, 1:3]": "np.concatenate([...]) of the parts",
    "math.remainder(x, y)": "or math.remainder(x.data, y), where that is a constant",
    "math.frexp(x)": "where that is a constant",
    "np.random.uniform(0, x)": "low + (high - low) * np.random.uniform",
    "arr[x]": "arr[int(x.data)]: an index has no derivative",
    "range(x)": "range(int(x.data)), where that is a constant",
    "np.linspace(0, 1, x)": "np.linspace(0, 1, int(x.data)), where that is a constant",
    "np.quantile(v, part)": "np.quantile(v, part.data), where that is a constant",
    "math.acos(x)": "np.arccos(x)",
    "math.lgamma(x)": "scipy.special.gammaln(x)",
    "arr.reshape(n, 1)": "arr.reshape(int(n.data), 1), where that is a constant",
    "arr.take(n)": "where that is a constant",
    "listed.insert(n, 1)": "listed.insert(int(n.data), 1), where that is a constant",
    "float(x)": "x.data",
    "np.random.normal(x, 1.0)": "loc + scale * np.random.normal",
    "np.asarray(v)": "a Value itself is an array already",
}


@pytest.mark.parametrize(("code", "says"), SAYS.items(), ids=SAYS)
def test_what_has_no_remedy_of_its_own_says_what_is_meant(tmp_path, code, says):
    with pytest.raises(DroppedGradient) as caught:
        run(tmp_path, code, {**values(), "n": ts.Value(1.0, name="n"), "listed": [1, 2], "part": ts.Value(0.5)})
    assert caught.value.message.startswith(f"{code} would turn ") and says in caught.value.message


def test_scipys_plain_functions(tmp_path):
    special = pytest.importorskip("scipy.special")
    for name, instead in (("logsumexp", "ts.logsumexp"), ("softmax", r"ts.softmax\(x, axis=None\)")):
        with pytest.raises(DroppedGradient, match=instead) as caught:
            run(tmp_path, f"special.{name}(v)", {**values(), "special": special})
        assert "code.py, line 2" in caught.value.where  # not a line of SciPy's


def test_code_without_source_is_told_in_general():
    with pytest.raises(DroppedGradient, match=r"np\.array\(\), or .* Write np\.stack"):
        exec("np.sum([x])", {"np": np, **values()})


def test_a_library_that_is_called_is_not_who_calls(tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    with pytest.raises(DroppedGradient, match=r"^plt\.plot\(v\) would .* or plt\.plot\(v\.data\), where") as caught:
        run(tmp_path, "plt.plot(v)", {**values(), "plt": plt})
    plt.close()
    assert "code.py, line 2" in caught.value.where


def test_a_list_by_name(tmp_path):
    with pytest.raises(DroppedGradient, match=r"Write np\.sum\(np\.stack\(both\)\)\."):
        run(tmp_path, "np.sum(both)", {"both": list(values().values())[:2]})


def test_an_index_into_which_something_is_written_is_an_index(tmp_path):
    file = tmp_path / "code.py"
    file.write_text("def f():\n    arr[n] = 1.0\n", encoding="utf-8")
    space = {"arr": arr.copy(), "n": ts.Value(1.0, name="n")}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), space)
    with pytest.raises(DroppedGradient, match=r"arr\[n\] would turn .* Write arr\[int\(n\.data\)\]"):
        space["f"]()
