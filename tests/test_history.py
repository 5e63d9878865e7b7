"""Histories: what is recorded, and that saving loses nothing and loading trusts nothing."""

import contextlib

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.errors import BadInput
from tinyspad.optimize import History


def run(**options):
    xs = np.linspace(1.0, 3.0, 4)
    return ts.minimize(ts.functions.beale, (xs, xs / 2), estimator=ts.RAD(), steps=10, rng=0, **options)


def test_every_step_is_recorded_with_the_path_it_took():
    history = run().history
    assert len(history) == 11 and history.values.shape == (11, 4) and set(history.x) == set(history.paths) == {"x", "y"}
    np.testing.assert_array_equal(history.steps, np.arange(11))
    # The program that runs multiplies powers out, which rounds differently from NumPy's **.
    np.testing.assert_allclose(history.values, ts.functions.beale(history.x["x"], history.x["y"]), rtol=1e-14)
    lcg = ts.trace(ts.functions.beale, history.x["x"][3], history.x["y"][3])
    adam_free = ts.minimize(
        ts.functions.beale,
        (history.x["x"][3], history.x["y"][3]),
        estimator=ts.FixedPath(0),
        optimizer=ts.SGD(lr=1e-3),
        steps=1,
    )
    step = adam_free.history.x["x"][1] - adam_free.history.x["x"][0]
    np.testing.assert_allclose(step, -1e-3 * lcg.path_gradients("x")[0])
    assert np.all(history.paths["x"][:-1] < lcg.count_paths("x")) and np.all(history.paths["x"][-1] == -1)


def test_thinning_keeps_every_so_many_and_the_last():
    assert list(run(every=4).history.steps) == [0, 4, 8, 10]
    np.testing.assert_array_equal(run(every=4).history.values, run().history.values[[0, 4, 8, 10]])
    assert run(every=None).history is None
    assert run(every=None).value == pytest.approx(run().value)


def assert_same(a, b):
    np.testing.assert_array_equal(a.steps, b.steps)
    np.testing.assert_array_equal(a.values, b.values)
    for mine, yours in ((a.x, b.x), (a.paths, b.paths)):
        assert mine.keys() == yours.keys()
        for name in mine:
            np.testing.assert_array_equal(mine[name], yours[name])


@pytest.mark.parametrize("name", ["run.npz", "run", "run.history"])
def test_save_and_load_round_trip(tmp_path, name):
    history = run().history
    history.save(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert_same(History.load(tmp_path / name), history)


def test_indices_past_64_bits_survive(tmp_path):
    def f(x):
        for _ in range(80):
            x = 0.6 * x + 0.4 * x
        return x * x

    history = ts.minimize(f, 1.0, estimator=ts.RAD(), steps=5, rng=0).history
    assert max(history.paths["x"]) > 2**63
    history.save(tmp_path / "run.npz")
    loaded = History.load(tmp_path / "run.npz")
    assert_same(loaded, history)
    assert all(type(i) is int for i in loaded.paths["x"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a zip",
        b"PK\x03\x04 broken",
        {},
        {"format": np.array("tinyspad history 1")},
        None,
        {"format": np.array("tinyspad history 1"), "steps": np.arange(3), "values": np.arange(2)},
    ],
)
def test_other_files_are_refused(tmp_path, content):
    file = tmp_path / "other.npz"
    if content is None:
        with file.open("wb") as stream:
            np.save(stream, np.arange(3))
    elif isinstance(content, dict):
        np.savez(file, **({"steps": np.arange(3)} | content))
    else:
        file.write_bytes(content)
    with pytest.raises(BadInput, match="not a tinyspad history"):
        History.load(file)


@pytest.mark.parametrize("cut", [10, 200, 600, -5])
def test_a_truncated_or_damaged_file_is_refused(tmp_path, cut):
    file = tmp_path / "run.npz"
    run().history.save(file)
    whole = file.read_bytes()
    file.write_bytes(whole[:cut])
    with pytest.raises(BadInput, match="not a tinyspad history"):
        History.load(file)


def test_flipped_bytes_never_leak_another_error(tmp_path):
    file = tmp_path / "run.npz"
    run().history.save(file)
    whole, rng = file.read_bytes(), np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole)
        for at in rng.integers(len(whole), size=3):
            damaged[at] = rng.integers(256)
        file.write_bytes(damaged)
        with contextlib.suppress(BadInput):
            History.load(file)


def test_a_pickle_inside_is_never_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    file = tmp_path / "trap.npz"
    np.savez(file, format=np.array("tinyspad history 1"), steps=np.array([Trap()], dtype=object), values=np.zeros(1))
    with pytest.raises(BadInput):
        History.load(file)


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        History.load(tmp_path / "nowhere.npz")
