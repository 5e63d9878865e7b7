"""CIFAR-10's two formats, packed or not. Nothing in a file is trusted: the pickled one is read for its arrays alone."""

from __future__ import annotations

import io
import pickle
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInput
from .idx import at_most

Array = np.ndarray[Any, Any]

ARCHIVES = {
    "cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530",
    "cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a",
}
"""The two archives, and their MD5."""

BINARY = ([f"data_batch_{i}.bin" for i in range(1, 6)], ["test_batch.bin"])
PICKLED = ([f"data_batch_{i}" for i in range(1, 6)], ["test_batch"])


def cifar_in(place: Path) -> Path | None:
    """An archive, or a folder with the unpacked batches."""
    for archive in ARCHIVES:
        if (place / archive).is_file():
            return place / archive
    for inner in (place, place / "cifar-10-batches-bin", place / "cifar-10-batches-py"):
        if all((inner / name).is_file() for name in BINARY[0] + BINARY[1]):
            return inner
        if all((inner / name).is_file() for name in PICKLED[0] + PICKLED[1]):
            return inner
    return None


def read_cifar(found: Path) -> list[Array]:
    """Images in bytes, labels, test images, their labels, from what ``cifar_in`` found. Raises BadInput if it is damaged."""
    batches = _archived(found) if found.is_file() else {p.name: p.read_bytes() for p in found.iterdir() if p.is_file()}
    parts: list[Array] = []
    read, names = (_binary, BINARY) if BINARY[1][0] in batches else (_pickled, PICKLED)
    for group in names:
        missing = [name for name in group if name not in batches]
        if missing:
            raise BadInput(f"{found} lacks {', '.join(missing)}.")
        pairs = [read(batches[name], f"{found}: {name}") for name in group]
        parts += [np.concatenate([x for x, _ in pairs]).reshape(-1, 3, 32, 32), np.concatenate([y for _, y in pairs])]
    return parts


def _archived(file: Path) -> dict[str, bytes]:
    """The batches in an archive, read one by one; nothing is written anywhere."""
    wanted = {*BINARY[0], *BINARY[1], *PICKLED[0], *PICKLED[1]}
    batches = {}
    try:
        with tarfile.open(file) as archive:
            for member in archive:
                if member.isfile() and (name := member.name.rpartition("/")[2]) in wanted:
                    stream = archive.extractfile(member)
                    batches[name] = at_most(stream, f"{file}: {name}")
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
