"""IDX files, the format of MNIST and Fashion-MNIST: plain or gzipped, every length checked before it is believed."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInput

Array = np.ndarray[Any, Any]

LARGEST = 2**30
"""The most bytes that one file may unpack to."""


def read_idx(file: str | os.PathLike[str]) -> Array:
    """The array of an IDX file of bytes, plain or gzipped. Raises BadInput for anything else.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    ...     file.flush()
    ...     read_idx(file.name)
    array([7, 8, 9], dtype=uint8)
    """
    return parse_idx(unpacked(Path(file)), file)


def parse_idx(content: bytes, file: Any) -> Array:
    """The array in the bytes of an IDX file; ``file``: how it is called where it is none."""
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


def unpacked(file: Path) -> bytes:
    """What a file contains, unpacked if it is gzipped. Raises BadInput if it is damaged, or larger than ``LARGEST``."""
    try:
        with file.open("rb") as stream:
            zipped = stream.read(2) == b"\x1f\x8b"
            stream.seek(0)
            if not zipped:
                return at_most(stream, file)
            with gzip.open(stream) as unpacked:
                return at_most(unpacked, file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput(f"{file} is a damaged gzip file ({error}).") from None


def at_most(stream: Any, file: Any) -> bytes:
    """What a stream contains. Raises BadInput if that is more than ``LARGEST``."""
    content: bytes = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise BadInput(f"{file} unpacks to more than {LARGEST} bytes.")
    return content
