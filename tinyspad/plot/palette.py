"""One colour and line style per method, everywhere: Okabe & Ito's palette and a brown, told apart in grey by dashes."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from typing import Any

import matplotlib as mpl

BLUE, VERMILLION, GREEN, BLACK = "#0072B2", "#D55E00", "#009E73", "#000000"
PURPLE, ORANGE, SKY, YELLOW, GREY = "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#888888"
BROWN = "#8C4A1F"

ESTIMATORS: dict[str, dict[str, Any]] = {
    "GD": {"color": BLUE, "linestyle": "-", "linewidth": 5.0},
    "RAD": {"color": VERMILLION, "linestyle": "-", "linewidth": 1.4},
    "SPAD": {"color": PURPLE, "linestyle": (0, (6, 1.5)), "linewidth": 2.0},
    "RAD, held": {"color": ORANGE, "linestyle": "-.", "linewidth": 2.0},
    "RAD, states by path": {"color": BROWN, "linestyle": (0, (3, 1, 1, 1)), "linewidth": 1.8},
    "Magnitude": {"color": SKY, "linestyle": (0, (5, 2)), "linewidth": 1.8},
    "NearestPath": {"color": GREY, "linestyle": "--", "linewidth": 1.6},
    "g1": {"color": GREEN, "linestyle": ":", "linewidth": 2.6},
    "g2": {"color": BLACK, "linestyle": "--", "linewidth": 1.4},
}
"""Line styles by method (paper, Figure 3): a name starts with its method's. Black is drawn in the colour of text."""

SAME = {
    "baseline": "GD",
    "exact": "GD",
    "all paths": "GD",
    "uniform": "RAD",
    "largest": "SPAD",
    "by magnitude": "Magnitude",
}
"""What else the experiments call a method."""

MARKERS = {"GD": "o", "RAD": "s", "SPAD": "^", "RAD, held": "D", "RAD, states by path": "p", "Magnitude": "P"}
MARKERS |= {"NearestPath": "X", "g1": "v", "g2": "*"}
OTHER_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "d", "p", "h")
DASHES = ["-", "--", "-.", ":", (0, (6, 1.5)), (0, (1, 1)), (0, (4, 2, 1, 2)), (0, (8, 3))]
OTHERS = [GREEN, GREY, SKY, BROWN, "#999933", "#AA4499", ORANGE, "#44AA99"]
"""For what is no method of ours: by its name, so that it has one colour wherever and beside whatever it stands."""

METHODS: dict[str, tuple[str, str, Any]] = {
    "baseline": (BLUE, "o", "-"),
    "baseline, identity": (BLUE, "o", "none"),
    "RAD, same": (VERMILLION, "s", "-"),
    "RAD, different": ("#EE9A5E", "D", "--"),
    "RAD, projection": ("#8F3E00", "p", "-."),
    "SPAD, k_max 10, m 10": (PURPLE, "^", "-"),
    "SPAD, k_max 100, m 10": ("#9E5FC0", "v", "--"),
    "SPAD, k_max 1000, m 10": ("#7A6FD0", "<", "-."),
    "SPAD, k_max 100, m 2": ("#D6409F", ">", ":"),
    "SPAD, big batch": ("#A8527D", "d", (0, (6, 1.5))),
    "dropout 10 %": (GREEN, "*", "-"),
    "LayerOut": (SKY, "P", "--"),
    "small batch": (GREY, "X", "-."),
}
"""Colour, marker and dashes of the ways to train a network, by the names that the experiments give them."""

TERMS = [GREEN, "#777777", ORANGE, SKY, PURPLE, VERMILLION, YELLOW, BLUE]
"""Colours for the terms of a gradient, in path order: g1 is green, as in ESTIMATORS, g2 a grey, seen on black, too."""

HATCHES = ["", "///", "...", "xxx", "\\\\\\", "++", "oo", "--"]
"""Hatches for the same terms, so that areas are told apart in grey."""


def ink() -> str:
    """The colour of lines and outlines: that of the text, by rcParams."""
    return str(mpl.rcParams["text.color"])


ADJOINTS = "PuOr"
"""The colour map of signed numbers: orange below zero, white at it, purple above; the numbers are written as well."""


def styles(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """A line style for each name: its method's; several of one method differ in lightness and dashes, others by name."""
    keys = ("color", "linestyle", "linewidth")
    return {name: {key: look[key] for key in keys} for name, look in looks(names).items()}


def looks(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour, dashes, width, marker and filling for each name, told apart in grey by all but the colour.

    >>> found = looks(["SPAD, k_max 5", "GD"])
    >>> found["GD"]["color"] == ESTIMATORS["GD"]["color"], found["SPAD, k_max 5"]["color"] == PURPLE
    (True, True)
    """
    names = list(dict.fromkeys(map(str, names)))
    chosen: dict[str, dict[str, Any]] = {}
    often = dict.fromkeys([*ESTIMATORS, *METHODS], 0)
    taken: set[int] = set()
    for name in names:
        stem = method_of(name)
        if name in METHODS:
            color, marker, dashes = METHODS[name]
            look = {"color": color, "linestyle": dashes, "linewidth": 1.6, "marker": marker, "fillstyle": "full"}
            look["fillstyle"] = "none" if dashes == "none" else "full"
        elif stem is not None:
            k = often[stem]
            often[stem] += 1
            look = {**ESTIMATORS[stem], "marker": MARKERS[stem], "fillstyle": "full"}
            look["color"] = _lightness(ink() if look["color"] == BLACK else look["color"], k)
            if k:
                look["linestyle"] = DASHES[k % len(DASHES)]
                look["marker"] = OTHER_MARKERS[(OTHER_MARKERS.index(look["marker"]) + k) % len(OTHER_MARKERS)]
                look["fillstyle"] = "none" if k % 2 else "full"
        else:
            place = zlib.crc32(name.encode("utf-8", "replace"))
            while place % 104 in taken and len(taken) < 104:
                place += 1
            taken.add(place % 104)
            k = place % 104  # 8 colours times 13 markers: all pairs differ
            look = {"color": OTHERS[k % 8], "linestyle": DASHES[k // 13 % 8], "linewidth": 1.6}
            look |= {"marker": OTHER_MARKERS[k % 13], "fillstyle": "full"}
        chosen[name] = look
    return chosen


def method_of(name: str) -> str | None:
    """The method that a name starts with, or that stands in it as a word; the longest.

    >>> method_of("RAD, held 50"), method_of("SPAD, m = 2"), method_of("fast SPAD"), method_of("RADAR")
    ('RAD, held', 'SPAD', 'SPAD', None)
    """
    if name in SAME:
        return SAME[name]
    found = [known for known in ESTIMATORS if re.search(rf"(?<![^\W_]){re.escape(known)}(?![^\W_])", name)]
    first = [known for known in found if name.startswith(known)]
    return max(first or found, key=len, default=None)


def _lightness(color: str, k: int) -> str:
    """The k-th variant of a colour: itself, lighter (darker, if it is light), the reverse, the first more so, ..."""
    if not k:
        return color
    red, green, blue = mpl.colors.to_rgb(color)
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5
    share, towards = 0.35 + 0.12 * ((k - 1) // 2 % 4), 0.1 if light == bool(k % 2) else 1.0
    return mpl.colors.to_hex(
        (red + share * (towards - red), green + share * (towards - green), blue + share * (towards - blue))
    )
