"""The report's first page, for readers in a hurry: under which readings a claim of the paper holds, and under which not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from .claim import BEYOND, Claim, Numbers, table
from .minimising import LARGEST, NEAREST, ends, rate, red
from .trained import BASELINE, DROPOUT, HELD_LONG, SAME, SMALL, SPAD, accuracy

Found = Mapping[str, Numbers]
"""The numbers of all claims, by key."""

Sides = tuple[str, str]
"""Under which writing, rate, criterion, start and state a claim holds, and under which it does not."""


def _figure3(found: Found) -> Sides:
    n = found["figure3"]

    def shares(lr: float, reading: str) -> str:
        return f"{red(n, lr, reading):.0%} leave and {red(n, lr, reading, 'minimum'):.0%} are at the minimum at {lr:g}"

    by_path, held, fresh = "fresh draw, a state for each path", "held 50 steps", "fresh draw"
    return (
        f"blue, green and black: Adam at 0.01, as printed. Red, after {n['steps']} steps: with a state of Adam's for each "
        f"path {shares(0.01, by_path)}, {shares(0.1, by_path)}; held for 50 steps {shares(0.01, held)}, {shares(0.1, held)}",
        f"red with one state for x: {shares(0.01, fresh)}, {shares(0.1, fresh)}",
    )


def _readings_of(place: str) -> Callable[[Found], Sides]:
    """Of the claims of one place in the paper: in which share of the readings each holds, and the contrary does."""

    def sides(found: Found) -> Sides:
        n = found["readings"]
        told = f"{n['readings']} of {n['planned']} [readings](#readings)"
        holds, fails = [f"in a share of {told}, {place}"], ["the contrary, in a share of them"]
        for says, claim in n["claims"].items():
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
    """It holds where another choice is not shown to be above SPAD's."""
    n, holds, fails = found["choices"], list[str](), list[str]()
    for name in n["successes"]:
        for other, told in ((NEAREST, "eq. (8)"), ("RAD, held 50", "a uniform draw, held")):
            above = ends(n, name, other)[0] > ends(n, name, LARGEST)[1]
            rates = f"{rate(n, name, other):.1%} for {rate(n, name, LARGEST):.1%}"
            (fails if above else holds).append(f"{told}, on {name} ({rates})")
    where = "usual boxes, powers, Adam at 0.01"
    return f"{where}; not above: {'; '.join(holds) or 'none'}", f"{where}; above: {'; '.join(fails) or 'none'}"


def _memory(found: Found) -> Sides:
    held = found["memory"]["held"]
    share = {name: size / held["all paths"] for name, size in held.items()}
    return (
        f"SmallFCNet, a tenth of the paths: {share['SPAD, a tenth, m 10']:.0%} is held for backward, of 2 candidates or 10",
        f"as a gain over a batch a tenth as large, which holds {share['all paths, a tenth of the batch']:.0%}",
    )


def _overfitting(found: Found) -> Sides:
    task, of = list(found["networks"]["tasks"].items())[-1]
    loss = {name: row["test loss"] for name, row in of["rows"].items()}
    return (
        f"{task}, few images, {of['repeats']}: test loss {loss[SPAD]:.2f}, the baseline's {loss[BASELINE]:.2f}",
        f"as SPAD's own: RAD's test loss is {loss[SAME]:.2f}, a small batch's {loss[SMALL]:.2f}; in accuracy, "
        f"{percent(of, SPAD)} for the baseline's {percent(of, BASELINE)}",
    )


def _competitive(found: Found) -> Sides:
    task, of = next(iter(found["networks"]["tasks"].items()))
    told = {name: percent(of, name) for name in (SPAD, BASELINE, SAME, HELD_LONG, DROPOUT, SMALL)}
    return (
        f"{task}, {of['repeats']}: {SPAD} {told[SPAD]}, RAD {told[SAME]}, baseline {told[BASELINE]}; k_max 1000 "
        f"{told[HELD_LONG]}, dropout {told[DROPOUT]}",
        f"as a gain over a small batch, {told[SMALL]}, which {memory_of(of)}",
    )


def _mnist(found: Found) -> Sides:
    n = found["mnist"]
    holds, fails = [], []
    for preset, of in n["presets"].items():
        told = {name: percent(of, name) for name in (SPAD, BASELINE, SAME, HELD_LONG, SMALL)}
        where, small = f"preset {preset}, {of['repeats']}", f"a small batch, {told[SMALL]}, which {memory_of(of)}"
        holds.append(f"{where}: baseline {told[BASELINE]}, RAD {told[SAME]}, {SPAD} {told[SPAD]}")
        fails.append(f"{where}: k_max 1000 {told[HELD_LONG]}; as a gain over {small}")
    return "<br>".join(holds), "<br>".join(fails)


def memory_of(of: Numbers) -> str:
    """What a small batch holds and allocates, for SPAD's."""
    small, spad = (of["rows"][name]["memory"] for name in (SMALL, SPAD))
    return " and ".join(f"has {small[kind]:.0%} {kind} for {spad[kind]:.0%}" for kind in ("held", "allocated"))


def percent(of: Numbers, method: str) -> str:
    """The accuracy of a method in a task."""
    return f"{accuracy(of['rows'][method]):.1%}"


def _table3(found: Found) -> Sides:
    cells = found["table3"]["cells"]
    both, paths = cells["bandit / largest"], cells["all / uniform"]
    return (
        f"out of sample, a model that overfits, equal work: loss {both['out'][0]:.2f} times SGD's (bandit and SPAD)",
        f"in sample: {both['in'][0]:.2f} times. As a gain of both together: random paths alone have {paths['out'][0]:.2f}",
    )


def _white_box(found: Found) -> Sides:
    models = found["white-box"]["models"]
    demand, rad = models["demand"], models["demand"]["rows"]["RAD"]["ratios"]
    early, late = min(1, len(demand["at"]) - 1), -1
    others = ", ".join(
        f"{name} {of['rows']['RAD']['ratios'][-1][0]:.2f}" for name, of in models.items() if name != "demand"
    )
    return (
        f"demand, RAD, out of sample, step {demand['at'][early]}: loss {rad[early][0]:.2f} times GD's",
        f"demand, step {demand['at'][late]}: {rad[late][0]:.2f} times, SPAD "
        f"{demand['rows']['SPAD, k_max 5']['ratios'][late][0]:.2f}; RAD on {others}",
    )


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
    "memory": _memory,
    "networks": _overfitting,
    "competitive": _competitive,
    "mnist": _mnist,
    "table3": _table3,
    "white-box": _white_box,
}
"""The claims that hang on a reading; of the others the verdict's reason is told."""


def sides(claim: Claim, found: Found) -> Sides:
    """Under which readings a claim holds, and under which it does not."""
    if claim.key in SIDES:
        return SIDES[claim.key](found)
    return ("", claim.because(found[claim.key]))


def page(claims: Mapping[str, Claim], found: Found) -> str:
    """How many claims have which verdict, a row for each, and the picture of what Figure 3 hangs on."""
    papers = [claim for claim in claims.values() if claim.verdict != BEYOND]
    ours = [claim for claim in claims.values() if claim.verdict == BEYOND]
    counted = Counter(claim.verdict for claim in papers).most_common()
    rows = [
        (f"[{claim.key}](#{claim.key})", claim.says, f"**{claim.verdict}**", *sides(claim, found)) for claim in papers
    ]
    more = [(f"[{claim.key}](#{claim.key})", claim.says, claim.because(found[claim.key])) for claim in ours]
    return (
        f"The paper's {len(papers)} claims, by verdict: {', '.join(f'{told} {number}' for told, number in counted)}. "
        "The paper leaves open how its functions are written, the starts, what counts as success, how many candidates are "
        "drawn, and whether an optimizer keeps its averages for each parameter or for each path. *Holds under stated "
        "conditions* is said where a part of a claim does, or the claim under some of these readings.\n\n"
        + table(("", "the paper says", "verdict", "where it holds", "where it does not"), rows)
        + "\n\nFigure 3's red curve, under the readings of what keeps a random choice: f1 from x = 5, one state of Adam's "
        "for x above, one for each path below; on the left runs that end at the minimum, on the right those that leave the "
        "trap.\n\n"
        "![f1 from x = 5, by learning rate, hold and state](figures/escape.png)\n\nWhat goes **beyond the paper**:\n\n"
        + table(("", "what", "measured"), more)
        + "\n"
    )
