"""Arrays by name in a file: ``.npz``, with a first word that says what they are. Never a pickle, and never half a file."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .errors import BadInput

T = TypeVar("T")

LARGEST = 2**32
"""The most bytes that are unpacked from a file, unless more is allowed."""

FORMAT = "format"


def save_arrays(file: str | PathLike[str], kind: str, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write arrays to a file of this kind; a file of that name is replaced when all is written, and not before.

    Raises OSError as ``open`` does, or when the disk is full; then the old file stands as it was.
    """
    target = Path(file)
    if target.is_dir() or not target.parent.is_dir():
        raise OSError(f"{target}: it is a folder, or its folder is not there")
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:  # np.savez would append .npz to a bare path
            named: dict[str, Any] = {FORMAT: np.array(kind), **arrays}
            np.savez_compressed(stream, **named)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def load_arrays(
    file: str | PathLike[str], kind: str, build: Callable[[dict[str, np.ndarray[Any, Any]]], T], limit: int = LARGEST
) -> T:
    """What ``build`` makes of the arrays of a file of this kind.

    A file that was made to fill the memory is refused by the sizes that it tells before anything is unpacked. Raises
    BadInput if the file is something else, damaged, or larger than ``limit`` bytes when unpacked; OSError if it is missing.
    """
    with open(file, "rb") as stream:
        try:
            size = sum(member.file_size for member in zipfile.ZipFile(stream).infolist())
            if size > limit:
                raise ValueError(f"unpacked it has {size} bytes; at most {limit} are read")
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            if str(arrays.pop(FORMAT)) != kind:
                raise ValueError("it says that it is something else")
            return build(arrays)
        except Exception as error:  # a damaged archive fails in a dozen ways, all of them meaning this
            raise BadInput(f"{file} is not a {kind}, or it is damaged ({error}).") from None
