"""How many functions, in how many files, a reader passes who follows one step of ``minimize`` through the code.

``minimize(f1, 5.0, estimator=SPAD(), steps=2)`` under a profile, after one run that loads everything: once on f1's
program, and once, with a callback, by tracing f1 at every step.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

import tinyspad as ts

PACKAGE = str(Path(ts.__file__).parent) + os.sep
INLINE = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}
"""What is read where it stands, and no function to a reader."""

LIMITS = {"traced": (60, 12), "compiled": (100, 16)}
"""Functions and files at most."""


class Spine(NamedTuple):
    """The functions entered, by file in the order in which they are first met; and how often one calls into another file."""

    functions: dict[str, list[str]]
    switches: int

    @property
    def number(self) -> int:
        return sum(map(len, self.functions.values()))


def spine(traced: bool) -> Spine:
    """Follow a run, by program or by traces."""

    def run() -> None:
        ts.minimize(
            ts.functions.f1,
            5.0,
            estimator=ts.SPAD(),
            steps=2,
            rng=0,
            callback=(lambda step, x, value: None) if traced else None,
        )

    run()
    found: dict[str, list[str]] = {}
    seen: set[Any] = set()
    switches, last = 0, ""

    def enter(frame: Any, event: str, _: Any) -> None:
        nonlocal switches, last
        code = frame.f_code
        if event != "call" or code.co_name in INLINE or not code.co_filename.startswith(PACKAGE):
            return
        switches += code.co_filename != last
        last = code.co_filename
        if code not in seen:
            seen.add(code)
            found.setdefault(code.co_filename.removeprefix(PACKAGE), []).append(code.co_name)

    before = sys.getprofile()
    sys.setprofile(enter)
    try:
        run()
    finally:
        sys.setprofile(before)
    return Spine(found, switches)


def told() -> str:
    """Both spines as text."""
    lines = []
    for name, traced in (("compiled", False), ("traced", True)):
        found, (functions, files) = spine(traced), LIMITS[name]
        lines.append(
            f"{name}: {found.number} functions (aim: {functions}) in {len(found.functions)} files (aim: {files}), "
            f"{found.switches} switches between files"
        )
        lines += [f"  {file}: {', '.join(names)}" for file, names in found.functions.items()]
    return "\n".join(lines)
