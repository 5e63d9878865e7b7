"""The course, laid out in a folder: tutorials and exercises, and for teachers the solutions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .archive import write_text
from .errors import BadInput

HERE = Path(__file__).parent / "course"
"""Where the notebooks are if the package was installed alone."""

CHECKOUT = Path(__file__).parents[1] / "tutorials"
"""Where they are in a checkout of the repository."""


@dataclass(frozen=True)
class LaidOut:
    """What was written into a folder, and what was left as it was; by the files' names, from that folder."""

    folder: Path
    written: tuple[str, ...]
    same: tuple[str, ...]
    kept: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.folder}: {len(self.written)} files written, {len(self.same)} were there already."]
        if self.kept:
            lines.append(
                f"Left as they are, since they were changed: {', '.join(self.kept)}. For a new copy of one, move yours away "
                "and lay the course out again."
            )
        lines.append(
            f"Open {self.folder / 'README.md'} first, then 00_write_it.ipynb: python -m jupyter lab {self.folder}"
        )
        return "\n".join(lines)


def lay_out(folder: Path, instructor: bool = False) -> LaidOut:
    """Copy the tutorials and exercises into a folder; a file that is there already is never overwritten.

    ``instructor``: the solutions, the instructor's notes and the maker of nbgrader's course as well. Raises BadInput where
    the notebooks cannot be found, OSError where one cannot write.
    """
    source = HERE if HERE.is_dir() else CHECKOUT
    files = sorted(f for f in source.rglob("*") if f.suffix in (".ipynb", ".md", ".py") and f.name != "__init__.py")
    if not files:
        raise BadInput(
            f"The tutorials are not where they should be, in {source}: install tinyspad again, python -m pip install "
            "--force-reinstall tinyspad."
        )
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file. Name a folder, which is made if need be.")
    written, same, kept = [], [], []
    for file in files:
        name = file.relative_to(source)
        hidden = any(part.startswith((".", "_")) for part in name.parts)  # what notebooks and Python leave behind
        if hidden or (name.parts[0] == "instructor" and not instructor):
            continue
        text, to = file.read_text(encoding="utf-8"), folder / name
        if not to.exists():
            to.parent.mkdir(parents=True, exist_ok=True)
            write_text(to, text)
            written.append(name.as_posix())
        elif to.is_file() and to.read_bytes() == text.encode("utf-8"):
            same.append(name.as_posix())
        else:
            kept.append(name.as_posix())
    return LaidOut(folder, tuple(written), tuple(same), tuple(kept))
