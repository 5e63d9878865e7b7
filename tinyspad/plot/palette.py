"""One colour and line style per estimator, everywhere: Okabe & Ito's palette and a brown, told apart in grey by dashes."""

from __future__ import annotations

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
    "Magnitude": {"color": SKY, "linestyle": "-", "linewidth": 1.8},
    "NearestPath": {"color": GREY, "linestyle": "--", "linewidth": 1.6},
    "g1": {"color": GREEN, "linestyle": ":", "linewidth": 2.6},
    "g2": {"color": BLACK, "linestyle": "--", "linewidth": 1.4},
}
"""Line styles by the names that the experiments give to estimators (paper, Figure 3)."""

METHODS: dict[str, tuple[str, str, Any]] = {
    "baseline": (BLUE, "o", "-"),
    "baseline, identity": (BLUE, "o", "none"),
    "RAD, same": (VERMILLION, "s", "-"),
    "RAD, different": (ORANGE, "D", "--"),
    "RAD, projection": ("#A6761D", "p", "-."),
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

TERMS = [GREEN, "#444444", ORANGE, SKY, PURPLE, VERMILLION, YELLOW, BLUE]
"""Colours for the terms of a gradient, in path order: g1 is green, g2 dark, as in ESTIMATORS."""

HATCHES = ["", "///", "...", "xxx", "\\\\\\", "++", "oo", "--"]
"""Hatches for the same terms, so that areas are told apart in grey."""


def ink() -> str:
    """The colour of lines and outlines: that of the text, by rcParams."""
    return str(mpl.rcParams["text.color"])


ADJOINTS = "PuOr"
"""The colour map of signed numbers: orange below zero, white at it, purple above; the numbers are written as well."""


def styles(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """A line style for each name: its own if it has one, that of the estimator it starts with, or one not yet used."""
    spare = iter([YELLOW, GREEN, BLACK, ORANGE, SKY, GREY] * 20)
    dashes = iter([(0, (1, 1)), (0, (4, 2, 1, 2)), (0, (2, 2)), (0, (8, 3))] * 30)
    chosen: dict[str, dict[str, Any]] = {}
    used: set[str] = set()
    for name in names:
        stem = max((known for known in ESTIMATORS if str(name).startswith(known)), key=len, default=None)
        style = dict(ESTIMATORS[stem]) if stem else {"color": next(spare), "linestyle": "-", "linewidth": 1.6}
        if stem in used:
            style["linestyle"] = next(dashes)
        if stem:
            used.add(stem)
        chosen[name] = style
    return chosen
