"""The report's first page, for readers in a hurry: under which readings a claim of the paper holds, and under which not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from .claim import FAILS, UNTESTED, Claim, Numbers, table
from .minimising import LARGEST, NEAREST, ends, rate, red

Found = Mapping[str, Numbers]
"""The numbers of all claims, by key."""

Sides = tuple[str, str]
"""Under which writing, rate, criterion, start and state a claim holds, and under which it does not."""


def _figure3(found: Found) -> Sides:
    n = found["figure3"]

    def left(lr: float, reading: str) -> str:
        return f"{red(n, lr, reading):.0%}"

    return (
        "blue, green and black: Adam at 0.01, as printed. Red, runs that leave the trap at 0.01: "
        f"{left(0.01, 'fresh draw, a state for each path')} with a state of Adam's for each path, "
        f"{left(0.01, 'held 50 steps')} if a term is held for 50 steps",
        f"red with one state for x: {left(0.01, 'fresh draw')} at 0.01, {left(0.1, 'fresh draw')} at 0.1",
    )


def _readings_of(place: str) -> Callable[[Found], Sides]:
    """Of the claims of one place in the paper: in which share of the readings each holds, and the contrary does."""

    def sides(found: Found) -> Sides:
        holds, fails = [f"share of the [readings](#readings) of {place}"], ["share in which the contrary holds"]
        for says, claim in found["readings"]["claims"].items():
            if not says.endswith(f"({place})"):
                continue
            short, (yes, _, no) = says.removesuffix(f" ({place})"), claim["counts"]
            settings = sum(claim["counts"])
            most = "" if claim["two"] is None else " ({} and {}: {:.0%})".format(*claim["two"])
            holds.append(f"{short}: {yes / settings:.1%}{most}")
            fails.append(f"{short}: {no / settings:.1%}")
        return "<br>".join(holds), "<br>".join(fails)

    return sides


def _choices(found: Found) -> Sides:
    n, above, below = found["choices"], list[str](), list[str]()
    for name in n["successes"]:
        for other, told in ((NEAREST, "eq. (8)"), ("RAD, held 50", "a uniform draw, held")):
            (low, high), (other_low, other_high) = ends(n, name, LARGEST), ends(n, name, other)
            told = f"{told}, on {name} ({rate(n, name, other):.1%} for {rate(n, name, LARGEST):.1%})"
            if low > other_high:
                above.append(told)
            if other_low > high:
                below.append(told)
    where = "usual boxes, powers, Adam at 0.01, intervals apart"
    return f"{where}: {'; '.join(above) or 'none'}", f"{where}: {'; '.join(below) or 'none'}"


def _average(found: Found) -> Sides:
    return "none that was measured", "the largest of all paths, k_max 5, usual boxes: " + ", ".join(
        f"{name} {of['share'][0]:.0%} for {1 / of['paths']:.0%}"
        for name, of in found["average"]["functions"].items()
    )  # fmt: skip


SIDES: dict[str, Callable[[Found], Sides]] = {
    "decomposition": lambda found: (
        "every program, at every point",
        "said of a *function*: `x * x` has {} paths, `x**2` has {}".format(
            *found["decomposition"]["paths of x*x and x**2"]
        ),
    ),
    "variance": lambda found: (
        "no bias: any probabilities above 0",
        "no loss of precision: epsilon 0.1, where paths are many or of like size",
    ),
    "algorithms": lambda found: ("Algorithm 2; Algorithm 1 with m = N", "Algorithm 1 with m < N"),
    "average": _average,
    "best-path": lambda found: (
        "paths through linear maps, where a size is a norm",
        "paths of numbers, and of elements of arrays: one sweep finds the best",
    ),
    "figure2": lambda found: ("every writing: it is said of the values", ""),
    "figure3": _figure3,
    "tables": _readings_of("Table 1"),
    "figure7": _readings_of("Figure 7"),
    "choices": _choices,
}
"""The claims that hang on a reading; of the others the verdict's reason is told."""


def sides(claim: Claim, found: Found) -> Sides:
    """Under which readings a claim holds, and under which it does not."""
    if claim.key in SIDES:
        return SIDES[claim.key](found)
    because = claim.because(found[claim.of or claim.key])
    return ("", because) if claim.verdict in (FAILS, UNTESTED) else (because, "")


def page(claims: Mapping[str, Claim], found: Found) -> str:
    """How many claims have which verdict, a row for each, and the picture of what Figure 3 hangs on."""
    counted = Counter(claim.verdict for claim in claims.values())
    count = ", ".join(f"{number} {verdict}" for verdict, number in counted.most_common())
    rows = [
        (f"[{key}](#{key})", claim.says, f"**{claim.verdict}**", *sides(claim, found)) for key, claim in claims.items()
    ]
    return (
        f"{len(claims)} claims: {count}. The paper leaves open how its functions are written, the starts, what counts as "
        "success, how many candidates are drawn, and whether an optimizer keeps its averages for each parameter or for each "
        "path.\n\n"
        + table(("", "the paper says", "verdict", "where it holds", "where it does not"), rows)
        + "\n\nFigure 3's red curve, under the readings of what keeps a random choice: f1 from x = 5, one state of Adam's "
        "for x above, one for each path below; on the left runs that end at the minimum, on the right those that leave the "
        "trap.\n\n"
        "![f1 from x = 5, by learning rate, hold and state](figures/escape.png)\n"
    )
