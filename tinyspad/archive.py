"""Files: written whole or not at all, whoever else writes them. And arrays by name in a file: ``.npz``, with a first word
that says what they are, never a pickle."""

from __future__ import annotations

import errno
import io
import os
import re
import secrets
import stat
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np

from .errors import BadInput

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

T = TypeVar("T")
WINDOWS = os.name == "nt"

LARGEST = 2**32
"""The most bytes that are unpacked from a file, unless more is allowed."""

FORMAT = "format"

PART = ".tinyspad-{}.part"
"""The name of a file that is being written: beside its target, with 16 random digits of its own."""

OUR_PART = re.compile(r"\.tinyspad-[0-9a-f]{16}\.part")

AGE = 3600.0
"""Where there are no locks: how many seconds a part must have stood still before it counts as left by a killed save."""

TRIES = 5
"""How often a save starts again whose part was taken away: a sweeper on another machine may not see its lock."""

ELSEWHERE = ("/proc", "/sys", "/dev/fd")
"""Folders of names for what is open already: nothing can be put beside it."""

PATIENCE = 2.0
"""How many seconds a replacement is tried again on Windows, where a file that somebody reads just now cannot be replaced."""


@contextmanager
def made(folder: Path) -> Iterator[Path]:
    """A folder for results, there before the work is done; what was made of it and holds nothing goes if that fails."""
    new = _missing(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    except BaseException:
        _go(new)
        raise


def check_file(file: str | PathLike[str]) -> None:
    """Raise OSError unless :func:`write_file` can write there. Folders that it lacks are made, and go again."""
    folder = Path(file).parent
    new = _missing(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _named(file):
            target = _regular(file)
            if (target is None or target.exists()) and not os.access(file, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(file))
            if target is not None:
                part, handle = _begun(target, 0o600)
                os.close(handle)
                part.unlink()
    finally:
        _go(new)


def _missing(folder: Path) -> list[Path]:
    """Of a folder and those around it the ones that are not there, from the inside outwards."""
    return [place for place in (folder, *folder.parents) if not place.exists()]


def _go(folders: list[Path]) -> None:
    for place in folders:
        with suppress(OSError):  # something is in it
            place.rmdir()


def write_file(file: str | PathLike[str], write: Callable[[BinaryIO], object]) -> None:
    """Write a file with ``write(stream)``; a file of that name is replaced when all is on the disk, and not before.

    Of several saves at once, in threads, processes or containers, each is whole and the last one stays. A symbolic link is
    followed: what it leads to is replaced. An old file's mode is kept, a new one's is what ``open`` would give it. What is
    no regular file (a device, a pipe) is written in place. What killed saves left in the folder is removed.

    Raises OSError as ``open`` does, or when the disk is full; then the old file stands as it was.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_file(Path(folder, "note.txt"), lambda stream: stream.write(b"here"))
    ...     Path(folder, "note.txt").read_bytes(), len(os.listdir(folder))
    (b'here', 1)
    """
    with _named(file):
        target = _regular(file)
        if target is None:
            whole = io.BytesIO()  # a pipe cannot be sought in, and some formats are written back and forth
            write(whole)
            with open(file, "wb") as stream:
                stream.write(whole.getbuffer())
            return
        for _ in range(TRIES):
            if _replaced(target, write):
                return
        raise OSError(
            errno.EAGAIN, "Somebody removes what is written before it has its name; save to another folder", file
        )


def write_text(file: str | PathLike[str], text: str) -> None:
    """Write a text as UTF-8, as :func:`write_file` does; lines end the same way on every system."""
    content = text.encode("utf-8")
    write_file(file, lambda stream: stream.write(content))


def save_arrays(file: str | PathLike[str], kind: str, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write arrays to a file of this kind, as :func:`write_file` does."""
    named: dict[str, Any] = {FORMAT: np.array(kind), **arrays}
    write_file(file, lambda stream: np.savez_compressed(stream, **named))  # to a bare path it would append .npz


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


# --- how a file is replaced -------------------------------------------------------------------------------------------


def _replaced(target: Path, write: Callable[[BinaryIO], object]) -> bool:
    """Write a part beside the target and give it the target's name; False if the part was taken away meanwhile."""
    try:
        old = os.stat(target)
    except FileNotFoundError:
        old = None
    if old is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    part, handle = _begun(
        target, 0o666 if old is None else 0o600
    )  # less the umask; a secret file is not shown for a moment
    try:
        with os.fdopen(handle, "wb") as stream, locked(handle):
            if not part.exists():  # swept between its birth and its lock
                return False
            _sweep(target.parent, os.fstat(handle).st_mtime)
            write(stream)
            stream.flush()
            os.fsync(handle)
            if old is not None:
                _give_rights(part, old)
            if fcntl is not None:  # the lock is held until the name is final
                return _renamed(part, target)
        return _renamed(part, target)  # Windows renames no open file
    finally:
        with suppress(OSError):
            part.unlink()


def _begun(target: Path, mode: int) -> tuple[Path, int]:
    """A part of its own beside the target, open."""
    part = target.parent / PART.format(secrets.token_hex(8))
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        return part, os.open(part, flags, mode)
    except PermissionError as problem:
        told = f"{problem.strerror} in its folder, where a file is made before it gets its name: save to another folder"
        raise PermissionError(problem.errno, told, str(target)) from None


def _renamed(part: Path, target: Path) -> bool:
    """Give the part its name; False if it was taken away."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            os.replace(part, target)
        except FileNotFoundError:
            if part.exists():
                raise
            return False
        except PermissionError as problem:
            if not WINDOWS:
                raise
            if time.monotonic() > end:
                told = "Another program has it open, and on Windows an open file cannot be replaced: close it there, or save"
                raise PermissionError(
                    problem.errno, f"{told} under another name. The old file stands", str(target)
                ) from None
            time.sleep(0.01)
        else:
            return True


def _sweep(folder: Path, now: float) -> None:
    """Remove the parts that killed saves left in a folder.

    A save holds a lock on its part from its birth until it has its final name, and the system drops the lock when the
    process is gone: a part whose lock is free is dead. A file system without locks tells nobody that one is free. Windows
    removes no file that is open; there a part must also be old, by the clock of the file system, for it is closed for a
    moment before it is renamed. Should two machines that write to one folder not see each other's locks, the save whose
    part is taken away starts again.
    """
    left = []
    with suppress(OSError), os.scandir(folder) as entries:  # one may be allowed to write where one may not look
        left = [e.path for e in entries if OUR_PART.fullmatch(e.name) and e.is_file(follow_symlinks=False)]
    for path in left:
        with suppress(OSError):  # it has its name by now, is in use, or somebody else's
            if fcntl is None:
                if now - os.stat(path).st_mtime > AGE:
                    os.unlink(path)
                continue
            handle = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(path)
            finally:
                os.close(handle)


@contextmanager
def locked(handle: int) -> Iterator[None]:
    """Alone with an open file among all who ask to be; not alone where the system, or the disk, has no such locks."""
    if fcntl is None:
        yield
        return
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)


def _give_rights(part: Path, old: os.stat_result) -> None:
    """Group, owner and mode of the old file, as far as the system lets us."""
    if hasattr(os, "chown"):
        for owner, group in ((-1, old.st_gid), (old.st_uid, -1)):
            with suppress(OSError):
                os.chown(part, owner, group)
    with suppress(OSError):
        os.chmod(part, stat.S_IMODE(old.st_mode))


def _regular(file: str | PathLike[str]) -> Path | None:
    """What a name leads to, a file or nothing yet; None if it is written in place. Raises OSError for a folder."""
    with suppress(FileNotFoundError):
        kind = os.stat(file).st_mode  # follows links, and refuses those that go around in a circle
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, "It is a folder, not a file", os.fspath(file))
        if not stat.S_ISREG(kind):
            return None
    place = os.fspath(file)
    while True:
        folder = os.path.realpath(os.path.dirname(place))
        if any(folder == here or folder.startswith(here + "/") for here in ELSEWHERE):
            return None
        if not os.path.islink(place):
            break
        place = os.path.join(os.path.dirname(place), os.readlink(place))
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "Its folder is not there", os.fspath(file))
    return Path(place)


@contextmanager
def _named(file: str | PathLike[str]) -> Iterator[None]:
    """Let errors of the system name the file that was to be written, and not its part."""
    try:
        yield
    except OSError as problem:
        ours = problem.filename is None or OUR_PART.search(str(problem.filename))
        if problem.errno is None or not ours:
            raise
        raise OSError(problem.errno, problem.strerror, os.fspath(file)) from None
