"""Estimators typed as text: "GD; RAD; SPAD, k_max 50; RAD, hold 100"."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import MISSING, fields

from .errors import BadInput
from .estimators import GD, RAD, SPAD, Estimator, FixedPath, Magnitude, NearestPath
from .expression import closest

KINDS: dict[str, type[Estimator]] = {kind.__name__: kind for kind in (GD, RAD, SPAD, NearestPath, FixedPath, Magnitude)}

ALSO = {"eps": "epsilon", "normalised": "normalize", "normalized": "normalize", "normalise": "normalize"}
"""Other words for options."""

WORDS = {"True": True, "False": False, "None": None}
"""Values that are no numbers."""


def estimators(text: str) -> dict[str, Estimator]:
    """Estimators by name, from their names with semicolons between them, each with its options after commas.

    An option is a word and its value, "hold 100" or "hold=100"; one that is on or off is on: "normalize". Raises BadInput,
    with what there is, for anything else.

    >>> estimators("GD; rad, hold 100; SPAD, eps 0.1, normalised")["SPAD, eps 0.1, normalised"]
    SPAD(m=None, k_max=1, epsilon=0.1, normalize=True, replace=False)
    >>> list(estimators("GD; rad, hold 100"))
    ['GD', 'RAD, hold 100']
    """
    found: dict[str, Estimator] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        word, *options = (" ".join(option.replace("=", " ").split()) for option in part.split(","))
        kind, *index = word.split(" ")
        name = next((known for known in KINDS if known.lower() == kind.lower()), None)
        if name is None:
            raise BadInput(f"There is no estimator {kind!r:.40}{_there_are(kind, list(KINDS))}.")
        if index and "index" not in {field.name for field in fields(KINDS[name])}:  # type: ignore[arg-type]
            raise BadInput(_no_number(name, " ".join(index)))
        options = [*([" ".join(["index", *index])] if index else []), *filter(None, options)]
        shown = ", ".join([" ".join([name, *index]), *options[bool(index) :]])
        found[shown] = _made(KINDS[name], options)
    if not found:
        raise BadInput('--estimators names none; write them with semicolons between them, such as "GD; RAD, hold 100".')
    return found


def _made(kind: type[Estimator], options: list[str]) -> Estimator:
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    given: dict[str, object] = {}
    for option in options:
        word, _, value = option.partition(" ")
        name = ALSO.get(word.lower(), word)
        if name not in known:
            what = f"{kind.__name__} has no option {word!r:.40}"
            raise BadInput(f"{what}{_there_are(word, list(known))}." if known else f"{what}; it has none.")
        given[name] = _value(value) if value else True
        if not value and not isinstance(known[name].default, bool):
            raise BadInput(f"{kind.__name__}: {name} takes a value, such as {name} {_example(name)}.")
    lacking = [name for name, field in known.items() if field.default is MISSING and name not in given]
    if lacking:
        raise BadInput(f"{kind.__name__} needs a number, such as {kind.__name__} 0.")
    return kind(**given)


def is_random(estimator: Estimator) -> bool:
    """Whether two runs of it may differ."""
    if isinstance(estimator, (SPAD, NearestPath)):
        return estimator.m is not None or getattr(estimator, "epsilon", 0.0) > 0
    return not isinstance(estimator, (GD, FixedPath))


def _no_number(name: str, given: str) -> str:
    """What to write instead of "SPAD 3": a comma and an option's name."""
    options = [field.name for field in fields(KINDS[name])]  # type: ignore[arg-type]
    if not options:
        return f"{name} takes nothing behind its name, not {given!r:.40}."
    return (
        f"{name} takes options, each behind a comma and by its name, not {given!r:.40}; there are {', '.join(options)}."
    )


def _value(text: str) -> object:
    """A number, True, False or None; else the text."""
    if text in WORDS:
        return WORDS[text]
    for number in (int, float):
        with suppress(ValueError):
            return number(text)
    return text


def _example(name: str) -> str:
    return {"by": "branch", "epsilon": "0.1"}.get(name, "10")


def _there_are(word: str, known: list[str]) -> str:
    hint = closest(word, known)
    return f"{hint} There are {', '.join(known)}" if hint else f"; there are {', '.join(known)}"
