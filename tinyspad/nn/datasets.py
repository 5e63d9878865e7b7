"""Images to train on: read from files with every length checked, or drawn from fonts.

``load(name)`` looks in ``folder``, in the folder that the environment variable TINYSPAD_DATA names, and, for Fashion-MNIST,
where Debian's package dataset-fashion-mnist puts it; with ``download=True`` it is fetched by pooch (extra ``datasets``) and
checked. Nothing in a file is trusted: a CIFAR archive holds pickles, of which only arrays are read.
"""

from __future__ import annotations

import functools
import gzip
import io
import math
import os
import pickle
import tarfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import generator, integer
from ..errors import BadInput

Array = np.ndarray[Any, Any]
Folder = str | os.PathLike[str] | None

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
LARGEST = 2**30
"""The most bytes that one file may unpack to."""

IDX = {
    "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873 8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432 25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3 bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c bb300cfdad3c16e7a12a480ee83cd310",
}
"""The four files of MNIST and Fashion-MNIST, and the MD5 of each one's .gz, MNIST's first."""

URLS = {
    "mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "fashion-mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "cifar-10": "https://www.cs.toronto.edu/~kriz/",
}
CIFAR = {
    "cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530",
    "cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a",
}
BINARY = ([f"data_batch_{i}.bin" for i in range(1, 6)], ["test_batch.bin"])
PICKLED = ([f"data_batch_{i}" for i in range(1, 6)], ["test_batch"])


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

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        return f"<{self.name}: {len(self.y)} images of {shape} to train on, {len(self.y_test)} to test with>"


def load(name: str, folder: Folder = None, *, download: bool = False) -> Dataset:
    """MNIST, Fashion-MNIST or CIFAR-10: "mnist", "fashion-mnist" or "cifar-10".

    Raises BadInput where no files are found, with the places that were looked at, and for files that are broken.
    """
    if not isinstance(name, str) or name not in URLS:
        raise BadInput(f"There is no data set {name!r:.40}; there are {', '.join(URLS)}, and glyphs(n, rng).")
    places = _places(name, folder)
    for place in places:
        if name == "cifar-10" and (found := _cifar_in(place)):
            return _cifar(found)
        if name != "cifar-10" and all(_found(place, file) for file in IDX):
            return _idx_dataset(name, place)
    if download:
        return load(name, _download(name, folder))
    looked = ", ".join(map(str, places)) or "no folder was given"
    files = " or ".join(CIFAR) if name == "cifar-10" else "its four IDX files"
    raise BadInput(
        f"{name} is not here ({looked}). Give folder= or TINYSPAD_DATA a folder with {files}, or download=True; "
        "glyphs(n, rng) needs no files."
    )


def _places(name: str, folder: Folder) -> list[Path]:
    roots = [Path(root) for root in (folder, os.environ.get("TINYSPAD_DATA")) if root]
    places = [place for root in roots for place in (root, root / name)]
    return places + ([DEBIAN] if name == "fashion-mnist" and not folder else [])


# --- IDX --------------------------------------------------------------------------------------------------------------


def _found(place: Path, name: str) -> Path | None:
    return next((p for p in (place / name, place / f"{name}.gz") if p.is_file()), None)


def _idx_dataset(name: str, place: Path) -> Dataset:
    parts = []
    for images, labels in (list(IDX)[:2], list(IDX)[2:]):
        x, y = (read_idx(_found(place, file) or place / file) for file in (images, labels))
        if x.ndim != 3 or y.ndim != 1 or len(x) != len(y) or not len(y) or y.max() > 9:
            raise BadInput(
                f"{place}: {images} of shape {x.shape} and {labels} of shape {y.shape} are not images and labels."
            )
        parts += [(x[:, None] / np.float32(255)).astype(np.float32), y.astype(np.int64)]
    if parts[0].shape[1:] != parts[2].shape[1:]:
        raise BadInput(f"{place}: the images to train on and to test with differ in size.")
    x, y, x_test, y_test = parts
    clothes = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
    return Dataset(name, x, y, x_test, y_test, clothes if name == "fashion-mnist" else tuple("0123456789"))


def read_idx(file: str | os.PathLike[str]) -> Array:
    """The array of an IDX file of bytes, plain or gzipped. Raises BadInput for anything else.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    ...     file.flush()
    ...     read_idx(file.name)
    array([7, 8, 9], dtype=uint8)
    """
    content = _unpacked(Path(file))
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise BadInput(f"{file} is not an IDX file of bytes: it starts with {content[:4].hex(' ') or 'nothing'}.")
    n = content[3]
    if n < 1 or len(content) < 4 + 4 * n:
        raise BadInput(f"{file} ends before its {n} sizes.")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", n, 4))
    if n > 8 or max(shape) > LARGEST:
        raise BadInput(f"{file} tells of {n} axes, up to {max(shape)} long: it is damaged, or no images.")
    if math.prod(shape) != len(content) - 4 - 4 * n:
        raise BadInput(
            f"{file} should hold {math.prod(shape)} bytes of shape {shape}, and holds {len(content) - 4 - 4 * n}."
        )
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n).reshape(shape)


def _unpacked(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            zipped = stream.read(2) == b"\x1f\x8b"
            stream.seek(0)
            if not zipped:
                return _at_most(stream, file)
            with gzip.open(stream) as unpacked:
                return _at_most(unpacked, file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput(f"{file} is a damaged gzip file ({error}).") from None


def _at_most(stream: Any, file: Any) -> bytes:
    content: bytes = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise BadInput(f"{file} unpacks to more than {LARGEST} bytes.")
    return content


# --- CIFAR-10 ---------------------------------------------------------------------------------------------------------


def _cifar_in(place: Path) -> Path | None:
    """An archive, or a folder with the unpacked batches."""
    for archive in CIFAR:
        if (place / archive).is_file():
            return place / archive
    for inner in (place, place / "cifar-10-batches-bin", place / "cifar-10-batches-py"):
        if all((inner / name).is_file() for name in BINARY[0] + BINARY[1]):
            return inner
        if all((inner / name).is_file() for name in PICKLED[0] + PICKLED[1]):
            return inner
    return None


def _cifar(found: Path) -> Dataset:
    batches = _archived(found) if found.is_file() else {p.name: p.read_bytes() for p in found.iterdir() if p.is_file()}
    parts: list[Array] = []
    read, names = (_binary, BINARY) if BINARY[1][0] in batches else (_pickled, PICKLED)
    for group in names:
        missing = [name for name in group if name not in batches]
        if missing:
            raise BadInput(f"{found} lacks {', '.join(missing)}.")
        pairs = [read(batches[name], f"{found}: {name}") for name in group]
        images = np.concatenate([x for x, _ in pairs]).reshape(-1, 3, 32, 32)
        parts += [(images / np.float32(255)).astype(np.float32), np.concatenate([y for _, y in pairs]).astype(np.int64)]
    x, y, x_test, y_test = parts
    classes = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    return Dataset("cifar-10", x, y, x_test, y_test, classes)


def _archived(file: Path) -> dict[str, bytes]:
    """The batches in an archive, read one by one; nothing is written anywhere."""
    wanted = {*BINARY[0], *BINARY[1], *PICKLED[0], *PICKLED[1]}
    batches = {}
    try:
        with tarfile.open(file) as archive:
            for member in archive:
                if member.isfile() and (name := member.name.rpartition("/")[2]) in wanted:
                    stream = archive.extractfile(member)
                    batches[name] = _at_most(stream, f"{file}: {name}")
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise BadInput(f"{file} is not a tar archive, or it is damaged ({error}).") from None
    return batches


def _binary(content: bytes, told: str) -> tuple[Array, Array]:
    """Records of one byte of label and 3072 of image."""
    if not content or len(content) % 3073:
        raise BadInput(f"{told} has {len(content)} bytes, which is no multiple of 3073.")
    records = np.frombuffer(content, np.uint8).reshape(-1, 3073)
    return records[:, 1:], _labels(records[:, 0], told)


def _labels(y: Array, told: str) -> Array:
    if y.size and (y.min() < 0 or y.max() > 9):
        raise BadInput(f"{told} has a label {int(y.max())}; they go from 0 to 9.")
    return y


def _pickled(content: bytes, told: str) -> tuple[Array, Array]:
    try:
        batch = _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
        named = {k.decode() if isinstance(k, bytes) else k: v for k, v in batch.items()}
        x, y = np.asarray(named["data"]), np.asarray(named["labels"])
    except BadInput:
        raise
    except Exception as error:  # a damaged pickle fails in a dozen ways, all of them meaning this
        raise BadInput(f"{told} is not a batch of CIFAR-10, or it is damaged ({type(error).__name__}).") from None
    if x.dtype != np.uint8 or x.ndim != 2 or x.shape[1] != 3072 or y.shape != x.shape[:1] or y.dtype.kind not in "iu":
        raise BadInput(f"{told} holds {x.dtype} data of shape {x.shape}, and labels of shape {y.shape}; not a batch.")
    return x, _labels(y, told)


class _ArraysOnly(pickle.Unpickler):
    """Reads arrays, lists, dicts, numbers and text; whatever else a pickle asks for is refused."""

    ALLOWED = frozenset({("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")})

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return _reconstruct
        if (module, name) in self.ALLOWED:
            return super().find_class(module, name)
        raise BadInput(
            f"The file asks to run {module}.{name}, which a batch of images has no need of. It is not opened."
        )


def _reconstruct(kind: Any, shape: Any, dtype: Any) -> Array:
    return np.ndarray((0,), np.dtype("b"))


# --- downloads --------------------------------------------------------------------------------------------------------


def _download(name: str, folder: Folder) -> Path:
    try:
        import pooch
    except ImportError:
        raise BadInput("download=True needs pooch: python -m pip install 'tinyspad[datasets]'.") from None
    root = folder or os.environ.get("TINYSPAD_DATA")
    place = (Path(root) if root else Path(pooch.os_cache("tinyspad"))) / name
    if name == "cifar-10":
        wanted = {"cifar-10-binary.tar.gz": CIFAR["cifar-10-binary.tar.gz"]}
    else:
        wanted = {f"{file}.gz": sums.split()[name == "fashion-mnist"] for file, sums in IDX.items()}
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
