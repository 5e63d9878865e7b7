"""In which share of the readings each claim of Tables 1, 2 and Figure 7 holds, and which choice decides it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from ..displays import headline, printed
from ..errors import BadInput
from ..table import Table
from .intervals import Z95, paired
from .problems import CRITERIA
from .sensitivity import OPTIMIZERS, RATES, REACHES, SELECTIONS, STARTS, TOLERANCES, Row, Sensitivity
from .success import PAPER

COLUMNS = ("GD", "RAD", "k_max 5", "k_max 50")
"""The methods of the paper's tables, by the names that a ``Row`` has for them."""

SPELLINGS = ("powers", "products", "all-products", "printed", "printed-products")

AXES: dict[str, tuple[Any, ...]] = {
    "writing": SPELLINGS,
    "optimizer": tuple(OPTIMIZERS),
    "rate": RATES,
    "start": tuple(STARTS),
    "selection": tuple(SELECTIONS),
    "criterion": tuple(CRITERIA),
}
"""What the paper leaves open, and the choices there are. Ackley's usual sum counts as written in powers."""


class TableClaim(NamedTuple):
    """What the paper says of one function: that one method's rate is above others', or that a curve rises or falls.

    ``above``: the others, paired by start; or ``trend``: 1 or -1, for k_max up to ``reach``.
    """

    where: str
    says: str
    function: str
    tolerance: float
    method: str = ""
    above: tuple[str, ...] = ()
    trend: int = 0
    reach: int = 0


def _best(says: str, function: str, method: str) -> Iterable[TableClaim]:
    others = tuple(name for name in COLUMNS if name != method)
    for number, tolerance in enumerate(TOLERANCES, start=1):
        yield TableClaim(f"Table {number}", says, function, tolerance, method, others)


CLAIMS: tuple[TableClaim, ...] = (
    *_best("Ackley: the exact gradient is best", "ackley", "GD"),
    *_best("Beale: SPAD, k_max 50 is best", "beale", "k_max 50"),
    *_best("Levi: SPAD, k_max 5 is best", "levi", "k_max 5"),
    TableClaim("Table 1", "Levi: SPAD, k_max 5 is above GD", "levi", 0.05, "k_max 5", ("GD",)),
    TableClaim("Table 1", "Levi: SPAD, k_max 50 is above GD", "levi", 0.05, "k_max 50", ("GD",)),
    *_best("Schaffer 2: the exact gradient is best", "schaffer2", "GD"),
    *(
        TableClaim("Figure 7", f"{says} from k_max 1 to {reach}", function, 0.05, trend=sign, reach=reach)
        for says, function, sign in (("Beale: success rises", "beale", 1), ("Levi: success falls", "levi", -1))
        for reach in REACHES
    ),
)
"""What is bold in Tables 1 and 2, what the text says of Levi, and Figure 7."""


def verdict(row: Row, claim: TableClaim) -> int:
    """1 where a claim holds in a row, -1 where the contrary does, 0 where the starts do not tell.

    Every 95 % interval of a difference, paired by start, is above 0, or one is below; a trend's is above or below.
    """
    if claim.trend:
        slope, error = (claim.trend * row[f"trend to {claim.reach}"], Z95 * row[f"trend to {claim.reach}, error"])
        return int(slope > error) - int(slope < -error)
    ends = [paired(row[f"{claim.method}, not {o}"], row[f"{o}, not {claim.method}"], row["runs"]) for o in claim.above]
    return int(all(low > 0 for _, low, _ in ends)) - int(any(high < 0 for *_, high in ends))


@dataclass(frozen=True, eq=False, repr=False)
class Shares:
    """For each claim how many settings bear it out, and the share of them for each choice; ``print`` it.

    ``counts``: by claim, settings in which it holds, those that do not tell, and those in which the contrary holds.
    ``share``: by axis an array of shape (claims, choices), NaN where a choice is none for the function. ``explained``: by
    axis the part of the variance of "it holds" that lies between its choices. ``together``: the two choices, of two axes,
    with which a claim holds in the largest share of settings, and that share; None where it holds everywhere or nowhere.
    """

    claims: tuple[TableClaim, ...]
    counts: np.ndarray[Any, Any]
    share: dict[str, np.ndarray[Any, Any]]
    explained: dict[str, np.ndarray[Any, Any]]
    together: tuple[tuple[Any, Any, float] | None, ...]

    def decides(self, claim: int) -> str | None:
        """The axis that explains most; None if a claim holds everywhere or nowhere."""
        axis = max(self.explained, key=lambda name: self.explained[name][claim])
        return axis if self.explained[axis][claim] > 0 else None

    def table(self) -> Table:
        """A row for each claim: shares in percent, the axis that decides most, its best and worst choice, the best two."""
        rows = []
        for i, claim in enumerate(self.claims):
            settings = self.counts[i].sum()
            told = [100 * x / settings if settings else None for x in self.counts[i]]
            axis, extremes = self.decides(i), [""] * 2
            if axis is not None:
                share, choices = 100 * self.share[axis][i], AXES[axis]
                at = np.nanargmax(share), np.nanargmin(share)
                extremes = [f"{choices[j]}: {share[j]:.0f}" for j in at]
            part = None if axis is None else f"{axis} ({100 * self.explained[axis][i]:.0f} %)"
            two = self.together[i]
            both = "" if two is None else f"{two[0]} and {two[1]}: {100 * two[2]:.0f}"
            rows.append([claim.where, claim.says, int(self.counts[i].sum()), *told, part, *extremes, both])
        columns = (
            "",
            "the paper says",
            "settings",
            "holds",
            "not told",
            "contrary",
            "decided by",
            "best",
            "worst",
            "best two",
        )
        return Table(columns, rows, ("", "", "d", ".1f", ".1f", ".1f"), left=2)

    def __str__(self) -> str:
        return (
            f"Settings in which a claim of the paper holds, in percent:\n\n{self.table()}\n\n"
            "holds, contrary: by 95 % intervals, paired by start. decided by: the choice that explains most of the\n"
            "variance of whether it holds, with the share of it that it explains; best, worst: percent for its choices;\n"
            "best two: for the two choices together with which it holds most."
        )

    def __repr__(self) -> str:
        return headline(self)

    def _repr_html_(self) -> str:
        return printed(self, self.table())


def shares(measured: Sensitivity) -> Shares:
    """In which share of the grid's settings each of ``CLAIMS`` holds; settings that were picked do not count.

    A setting is a writing, optimizer, rate, start, selection and criterion. Raises BadInput where no reading is of the grid.

    >>> from tinyspad.experiments import readings, sensitivity
    >>> made = sensitivity([r for r in readings()[6:18] if r.function in ("beale", "levi")], runs=10, steps=5)
    >>> shares(made).counts.sum(axis=1).tolist()
    [0, 0, 24, 24, 16, 16, 16, 16, 0, 0, 24, 24, 16, 16]
    """
    rows = [row for row in measured.rows if not row["picked"]]
    if not rows:
        raise BadInput("Shares are of the readings of the grid, and none of them has been measured.")
    counts = np.zeros((len(CLAIMS), 3), int)
    share = {axis: np.full((len(CLAIMS), len(choices)), np.nan) for axis, choices in AXES.items()}
    explained = {axis: np.zeros(len(CLAIMS)) for axis in AXES}
    together: list[tuple[Any, Any, float] | None] = []
    for i, claim in enumerate(CLAIMS):
        own = [row for row in rows if (row["function"], row["tolerance"]) == (claim.function, claim.tolerance)]
        found = np.array([verdict(row, claim) for row in own], int)
        counts[i] = [np.sum(found == v) for v in (1, 0, -1)]
        holds = found == 1
        taken = {
            axis: np.array([choices.index(spelling(row) if axis == "writing" else row[axis]) for row in own], int)
            for axis, choices in AXES.items()
        }
        together.append(_together(taken, holds) if 0 < holds.sum() < len(holds) else None)
        for axis, choices in AXES.items():
            sizes = np.bincount(taken[axis], minlength=len(choices))
            there = sizes > 0
            share[axis][i, there] = np.bincount(taken[axis], holds, len(choices))[there] / sizes[there]
            if 0 < holds.sum() < len(holds):
                apart = sizes[there] @ (share[axis][i, there] - holds.mean()) ** 2
                explained[axis][i] = apart / (len(holds) * holds.var())
    return Shares(CLAIMS, counts, share, explained, tuple(together))


def _together(taken: dict[str, np.ndarray[Any, Any]], holds: np.ndarray[Any, Any]) -> tuple[Any, Any, float]:
    found = []
    for one, two in combinations(AXES, 2):
        width = len(AXES[two])
        pair = taken[one] * width + taken[two]
        sizes = np.bincount(pair)
        with np.errstate(invalid="ignore"):
            share = np.nan_to_num(np.bincount(pair, holds) / sizes)
        at = int(share.argmax())
        found.append((float(share[at]), AXES[one][at // width], AXES[two][at % width]))
    most, *choices = max(found, key=lambda pair: pair[0])
    return choices[0], choices[1], most


def spelling(row: Row) -> str:
    """The writing of a row, by the names that all functions share."""
    return "powers" if row["writing"] == "sum" else str(row["writing"])


# --- the cells of Tables 1 and 2 -----------------------------------------------------------------------------------------


def cells_met(row: Row) -> int:
    """How many of the four rates that the paper has for a row's function and tolerance its starts do not contradict.

    Two rates p and q, of n starts and of the paper's 1000, are less than 1.96 standard errors of their difference apart.
    """
    met = 0
    for method, percent in zip(COLUMNS, PAPER[row["tolerance"]][row["function"]]):
        p, q = row[method] / row["runs"], percent / 100
        mean = (p + q) / 2
        met += abs(p - q) <= Z95 * np.sqrt(mean * (1 - mean) * (1 / row["runs"] + 1 / 1000))
    return int(met)


def single_rules(measured: Sensitivity, own_start: bool = False) -> list[tuple[int, tuple[Any, ...]]]:
    """How many of the 32 cells of Tables 1 and 2 are met by one rule for all four functions, the most first.

    A rule is a spelling (powers; powers of parameters as products; all powers as products, each where a function has it),
    Ackley's function as a sum or as printed, and an optimizer, rate, start, selection and criterion. ``own_start``: each
    function starts where it meets most cells, which is picked, and the rule says "each its own".
    """
    found: dict[tuple[Any, ...], dict[tuple[str, str], int]] = defaultdict(dict)
    for (function, writing, optimizer, rate, start, *others), met in _cells_by_setting(measured).items():
        key = (optimizer, rate, "each its own" if own_start else start, *others)
        place = function, writing
        found[key][place] = max(met, found[key].get(place, 0))
    rules = []
    for key, best in found.items():
        for spelled in ("powers", "products", "all-products"):
            for ackley in ("sum", "printed"):
                places = [(f, _writing_of(f, spelled, ackley)) for f in PAPER[0.05]]
                if all(place in best for place in places):
                    rules.append((sum(best[place] for place in places), (spelled, ackley, *key)))
    return sorted(rules, key=lambda rule: -rule[0])


def _cells_by_setting(measured: Sensitivity, picked: bool = False) -> dict[tuple[Any, ...], int]:
    """How many of its 8 cells each setting of a function meets; of the grid, or with those that were picked."""
    met: dict[tuple[Any, ...], int] = defaultdict(int)
    for row in measured.rows:
        if picked or not row["picked"]:
            setting = (row["function"], *(row[name] for name in AXES))
            met[setting] += cells_met(row)
    return met


def _writing_of(function: str, spelled: str, ackley: str) -> str:
    if function == "ackley":
        return ackley if spelled == "powers" else "products" if ackley == "sum" else "printed-products"
    return "powers" if (function, spelled) == ("levi", "products") else spelled


def picked_settings(measured: Sensitivity) -> list[tuple[int, int, str, tuple[Any, ...]]]:
    """For each function the setting, of all that were tried, that meets most of its 8 cells: cherries, and marked as such.

    How many cells it meets, of how many settings it was picked, the function, and the setting.
    """
    settings = _cells_by_setting(measured, picked=True)
    found = []
    for function in dict.fromkeys(key[0] for key in settings):
        own = {key[1:]: met for key, met in settings.items() if key[0] == function}
        most = max(own.values())
        found.append((most, len(own), function, next(key for key in own if own[key] == most)))
    return found


def cells_table(measured: Sensitivity, rules: int = 5) -> Table:
    """Of Tables 1 and 2 the cells that are met: by single rules for all functions, and then by picked settings.

    A picked row is the best of many for one function alone: it tells what is possible, not what was done.
    """
    rows: list[list[Any]] = []
    for own_start, by in ((False, "one rule for all"), (True, "one rule, starts picked")):
        for met, (spelled, ackley, *others) in single_rules(measured, own_start)[: 2 if own_start else rules]:
            rows.append([f"{met} of 32", by, f"{spelled}; Ackley: {ackley}", *others])
    for met, tried, function, key in picked_settings(measured):
        rows.append([f"{met} of 8", f"{function}, picked from {tried} settings", *key])
    return Table(("cells met", "by", *AXES), rows, left=3)
