"""Is following a path at a time a method, or a curiosity? At equal work, on functions that the paper does not use."""

from __future__ import annotations

from typing import Any

from ..errors import BadInput
from ..experiments import FAMILIES, MULTIMODAL_METHODS, Multimodal, multimodal, sign_test
from ..experiments.intervals import percent
from .claim import BEYOND, Claim, Numbers, Setting, table

OWN = ("RAD", "SPAD", "RAD, held")
"""The methods that follow a path at a time; the others are their rivals."""

TOLD = {"GD, restarts": "GD with restarts", "GD, noise": "GD with noise", "RAD, held": "held RAD"}
"""How methods are called in a sentence."""

RARE = 0.001
"""A method is ahead of another if a fair coin would give it so many more of the starts that one of them alone solves less
often than this: there are some hundred comparisons."""


def measure_multimodal(setting: Setting) -> Numbers:
    if setting.small:
        few = [name for name in MULTIMODAL_METHODS if name != "basin hopping"]  # which needs SciPy
        found = multimodal(
            ["rastrigin", "styblinski_tang"],
            dimensions=2,
            methods=few,
            rates=(0.01,),
            runs=60,
            work=600,
            workers=setting.workers,
        )
    else:
        file = setting.folder / "multimodal.json"
        if not file.exists():
            raise BadInput(
                f"{file} is not there: run `python -m tinyspad multimodal --data {file}` first (a quarter of an hour), or "
                "from the repository's top."
            )
        found = Multimodal.from_json(file.read_bytes().decode("utf-8", errors="replace"))
        if not (set(found.functions) <= set(FAMILIES) and set(OWN) <= set(found.methods)):
            raise BadInput(f"{file} is of other functions or methods than the report: make it anew with `multimodal`.")
    return {
        "functions": {name: FAMILIES[name].agrees() for name in found.functions},
        "dimensions": list(found.dimensions),
        "methods": list(found.methods),
        "rates": list(found.rates),
        "runs": found.runs,
        "work": found.work,
        "tolerance": found.tolerance,
        "successes": found.successes.tolist(),
        "best": found.best.tolist(),
        "alone": found.alone.tolist(),
    }


def _problems(n: Numbers, agree: bool) -> list[tuple[int, int]]:
    """The places of the functions, in each number of dimensions, at whose minimum every path vanishes, or of the others."""
    kind = [f for f, agrees in enumerate(n["functions"].values()) if agrees == agree]
    return [(f, d) for f in kind for d in range(len(n["dimensions"]))]


def _ahead(n: Numbers, place: tuple[int, int], method: str, other: str) -> bool:
    """Whether a method is ahead of another on one problem."""
    alone, m, o = n["alone"][place[0]][place[1]], n["methods"].index(method), n["methods"].index(other)
    return bool(alone[m][o] > alone[o][m] and sign_test(alone[m][o], alone[o][m]) < RARE)


def standing(n: Numbers, method: str, agree: bool) -> tuple[int, int, int]:
    """On how many problems a method is ahead of all rivals, on how many behind one at least, and of how many."""
    rivals, places = [name for name in n["methods"] if name not in OWN], _problems(n, agree)
    ahead = sum(all(_ahead(n, place, method, rival) for rival in rivals) for place in places)
    behind = sum(any(_ahead(n, place, rival, method) for rival in rivals) for place in places)
    return ahead, behind, len(places)


def verdict(n: Numbers, agree: bool) -> str:
    """Of all three together: "ahead" if each is more often ahead of all rivals than behind one, "behind" the other way
    round, else "mixed"."""
    more = [ahead - behind for ahead, behind, _ in (standing(n, method, agree) for method in OWN)]
    return "ahead" if min(more) > 0 else "behind" if max(more) < 0 else "mixed"


def _count(n: Numbers, place: tuple[int, int], method: str) -> int:
    f, d, m = *place, n["methods"].index(method)
    return int(n["successes"][f][d][m][n["best"][f][d][m]])


def _range(n: Numbers, agree: bool, method: str) -> str:
    counts = [100 * _count(n, place, method) / n["runs"] for place in _problems(n, agree)]
    low, high, name = f"{min(counts):.0f}", f"{max(counts):.0f}", TOLD.get(method, method)
    return f"{name} {low} %" if low == high else f"{name} {low} to {high} %"


def _kind(n: Numbers, agree: bool) -> str:
    """What was found on one kind of functions."""
    names = [name for name, agrees in n["functions"].items() if agrees == agree]
    where = "every path vanishes by itself" if agree else "the paths only cancel, so that each by itself leads away"
    ranges = ", ".join(_range(n, agree, method) for method in n["methods"])
    stands = []
    for method in OWN:
        ahead, behind, number = standing(n, method, agree)
        stands.append(f"{TOLD.get(method, method)} on {ahead} and {behind} of {number}")
    return (
        f"At the minimum of {_listed(names)} {where}. There, by function and dimensions, succeed {ranges}. Ahead of every "
        f"rival, and behind at least one, are {_listed(stands)}.{_unsolved(n, agree)}"
    )


def _unsolved(n: Numbers, agree: bool) -> str:
    """On how many problems nobody succeeds."""
    places = _problems(n, agree)
    hard = sum(max(_count(n, place, method) for method in n["methods"]) < 0.05 * n["runs"] for place in places)
    return f" On {hard} of these {len(places)} no method succeeds in 5 % of its runs." if hard else ""


def _preferred(n: Numbers, agree: bool) -> list[str]:
    """The rivals that are more often ahead of a path at a time than behind it, over its three ways."""
    found = []
    for rival in (name for name in n["methods"] if name not in OWN):
        pairs = [(place, method) for place in _problems(n, agree) for method in OWN]
        ahead = sum(_ahead(n, place, rival, method) for place, method in pairs)
        if ahead > sum(_ahead(n, place, method, rival) for place, method in pairs):
            found.append(TOLD.get(rival, rival))
    return found


def _conclusion(n: Numbers) -> str:
    words = verdict(n, True), verdict(n, False)
    if words == ("ahead", "ahead"):
        return "So it is a method, on these functions of both kinds."
    if words[0] != "ahead":
        better = (
            "what people would take does better" if "behind" in words else "it is no better than what people would take"
        )
        return f"So on these functions it is a curiosity: {better}."
    preferred = _preferred(n, False)
    elsewhere = "it has no advantage to be counted on"
    if words[1] == "behind":
        elsewhere = "it is a curiosity"
    if preferred:
        elsewhere += (
            f", and {_listed(preferred)} {'does' if len(preferred) == 1 else 'do'} better more often than worse"
        )
    return (
        "So it is a method on functions of the first kind, which they owe to how test functions are made, and to how they "
        f"are written; elsewhere {elsewhere}."
    )


def paragraph(n: Numbers) -> str:
    """The answer, in sentences that come from the numbers."""
    return f"{_kind(n, True)} {_kind(n, False)} {_conclusion(n)}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def told_multimodal(n: Numbers) -> str:
    rows: list[list[Any]] = []
    for agree in (True, False):
        for f, d in _problems(n, agree):
            cells = [percent(_count(n, (f, d), method), n["runs"]) for method in n["methods"]]
            rows.append([f"{list(n['functions'])[f]}, {n['dimensions'][d]}-D", "yes" if agree else "no", *cells])
    rates = ", ".join(f"{rate:g}" for rate in n["rates"])
    return (
        f"{paragraph(n)}\n\nRuns that evaluate a value within {n['tolerance']:g} of the minimum, in percent of {n['runs']} "
        "with 95 % intervals, each method at its best learning rate; *vanish*: whether every path does at the minimum:\n\n"
        + table(("function", "vanish", *n["methods"]), rows)
        + f"\n\nHow it was done. Work: {n['work']} evaluations for each run; a step is one, of value and gradient, a "
        "selection (SPAD's) one more, SciPy's count is its nfev + njev, two for each point. Success is judged by the least "
        "value evaluated in the box within the work, for all methods alike. Starts are uniform in the usual box, and the "
        f"same for all methods. Adam, at {rates} widths of the box, of which a method's best is the one with most successes "
        "(of equal ones the smallest), chosen on the same runs for all alike. RAD, SPAD and held RAD have moments for each "
        "path, and the latter two hold a path for 50 steps; restarts: a fresh uniform start every 200 evaluations; noise: "
        "at each step isotropic and normal, of the mean square that the error of RAD's unbiased form has at that point; "
        "basin hopping: SciPy's with L-BFGS-B in the box, hops of at most a twentieth of its width in each coordinate, "
        "which are SciPy's own in a box of width 10, else its defaults, and no rate to choose. "
        "One method is ahead of another on a problem if, of the starts that only one of the two solves, so many more are "
        f"its own that a fair coin would do so with a chance below {RARE:g} (exact sign test). Paths are those of the "
        "functions as they are written in `tinyspad/experiments/families.py`, counted per number.\n\n"
        "![success by function, method and learning rate](figures/multimodal.png)"
    )


def because_multimodal(n: Numbers) -> str:
    kinds = {True: "where every path vanishes by itself at the minimum", False: "where the paths only cancel there"}
    parts = []
    for agree, told in kinds.items():
        counts = {TOLD.get(method, method): standing(n, method, agree) for method in OWN}
        ahead = ", ".join(f"{name} on {count[0]}" for name, count in counts.items())
        behind = ", ".join(f"{name} on {count[1]}" for name, count in counts.items())
        number = next(iter(counts.values()))[2]
        parts.append(f"of {number} problems {told}, ahead of all rivals are {ahead}, behind one {behind}")
    return "; ".join(parts)


MULTIMODAL = Claim(
    "multimodal",
    "not in the paper",
    "A path at a time with moments of its own, at equal work on eight functions with many minima, against gradient descent, "
    "alone, with restarts and with noise, and against basin hopping.",
    BEYOND,
    because_multimodal,
    measure_multimodal,
    lambda n: verdict(n, True) == "ahead" and verdict(n, False) != "ahead",
    told_multimodal,
)

CLAIMS: list[Claim] = [MULTIMODAL]
