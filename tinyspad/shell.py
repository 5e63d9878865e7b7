"""What is different in a shell: remedies in its words, files that are asked for beforehand, what is not finite."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .archive import check_file
from .arguments import name_of
from .errors import BadInput
from .expression import formula_of, trouble
from .lcg import LCG, trace

WORDS = (
    (r" ?Use best_path\(\), nth_path\(i\) or sample_path\(rng\), or raise limit=\.", ""),
    (r"[;.] lcg\.trace_nonfinite\(\) names the first operation that is to blame", ""),
    (r" ?trace_nonfinite\(\) names the operation they come from\.", ""),
    (r"; lcg\.text\(\) has every one\)", "; the command explain draws them)"),
    (r"; or download=True\. glyphs\(n, rng\) needs no files", ". The task glyphs-fc needs no files"),
    (r" in a script, make the call under `if .*` and use functions that can be imported\.", " give fewer --workers."),
    (r"not what NetworkRuns\.to_json writes", "no file of results that networks wrote"),
    (r"not what Multimodal\.to_json writes", "no file of results that multimodal --data wrote"),
    (r"Give resume= \(--resume\)", "Give --resume"),
    (r"\bcheckpoint= another name", "--resume another folder"),
    (r"\bresume=", "--resume"),
    (r"\brng=(?=\d)", "--seed "),
    (r"\brng=", "--seed"),
    (r"\bweight_decay=", "--weight-decay"),
    (
        r"\b(lr|runs|steps|workers|folder|preset|work|writing|criterion|optimizer|methods|batch|iterations|repeats"
        r"|dimensions)=(?=[\s,.])",
        r"--\1",
    ),
)
"""What the library says to whoever calls it, and what that is in a shell."""


def in_words(text: str) -> str:
    """A text of the library's in the words of the command line: options in the place of arguments.

    >>> in_words("lr= is a number, above 0, not -1.")
    '--lr is a number, above 0, not -1.'
    """
    for pattern, words in WORDS:
        text = re.sub(pattern, words, text)
    return text


def check_writable(file: Path | None) -> None:
    """Raise BadInput or OSError unless a file can be written there: before the work is done, not after it."""
    if file is None:
        return
    if file.is_dir():
        raise BadInput(f"{file} is a folder: name a file.")
    first = next(place for place in (file.parent, *file.parent.parents) if place.exists())
    if not first.is_dir():
        raise NotADirectoryError(20, "Not a folder", str(first))
    check_file(file)


# --- what is not finite ---------------------------------------------------------------------------------------------------


def value_trouble(f: Callable[..., Any], point: Mapping[str, float]) -> str | None:
    """At which part a formula, or a function of the library, is infinite or NaN at a point; None if it is finite."""
    if (formula := formula_of(f)) is not None:
        return trouble(formula, point)
    with np.errstate(all="ignore"):
        value = f(*map(np.float64, point.values()))  # Python's own floats raise where NumPy's are infinite
        if np.isfinite(value):
            return None
        found = trace(f, *point.values()).trace_nonfinite()
    part = "" if found is None or found.what != "value" else f", first in {found.name} <- {found.text}"
    return f"{name_of(f)} is {float(value):g} at {told_point(point)}{part}"


def gradient_trouble(f: Callable[..., Any], point: Mapping[str, float]) -> str | None:
    """The same of its derivatives, where its value is finite."""
    with np.errstate(all="ignore"):
        return slope_trouble(trace(f, *point.values()))


def slope_trouble(lcg: LCG) -> str | None:
    """At which operation a traced function's derivative is infinite or NaN; None if it is finite."""
    found = lcg.trace_nonfinite()
    if found is None:
        return None
    place = told_point(dict(zip(lcg.params, lcg.arguments)))
    number = f"{float(found.number):g}"
    return {
        "value": f"{found.name} <- {found.text} is {number} at {place}",
        "partial": f"the derivative of {found.name} <- {found.text} by {found.by} is {number} at {place}",
        "adjoint": f"the derivative by {found.name} is {number} at {place}: a product of finite factors that overflows",
    }.get(found.what, f"{found.name} is {number}")


def told_point(point: Mapping[str, Any]) -> str:
    """A point as text.

    >>> told_point({"x": 1 / 3, "y": 2.0})
    'x = 0.333333, y = 2'
    """
    return ", ".join(f"{name} = {float(x):g}" for name, x in point.items())
