"""Checking gradients: against differences, complex steps, the Taylor remainder, the other mode and the paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .arguments import generator, integer, spaced
from .differences import Difference, climb, difference, difference_along, unit_of
from .errors import BadInput, TinyspadError
from .findings import GradientReport, told
from .lcg import LCG, trace
from .linearization import difference_beside, noise_beside, wobble
from .rulecheck import check_rule, local_findings, unit_like
from .tape import Value
from .verdicts import CLOSE, Finding, by_difference, judged, rounding

__all__ = ["Finding", "GradientReport", "check_gradients", "check_rule"]

LARGE = 50
"""The most elements of a parameter that are moved one by one; larger ones are moved along random directions."""

LISTED = 1000
"""The most paths that are added up."""

HIDDEN = (
    "No local derivative on the tape disagrees with its difference. So f hides a part of its dependence from the tape: a "
    ".data inside f, for example."
)


def check_gradients(
    f: Callable[..., Any], *args: Any, order: int = 1, directions: int = 5, rng: np.random.Generator | int | None = 0
) -> GradientReport:
    """Check the gradient of f at a point in every independent way there is; a report, true if all agree.

    For each parameter: central differences with an error estimate (element by element; along ``directions`` random ones
    where it has more than 50); the complex step Im f(x + ih)/h (Squire & Trapp 1998), which has no rounding error, where
    f takes complex numbers; and the sum over its paths, where there are at most 1000. For all together: the power with
    which the Taylor remainder, f(x + hv) - f(x) - h g.v, falls with h, 2 for a right gradient and 1 for a wrong one; and
    forward mode against reverse mode along random tangents. ``order=2``: second derivatives against differences of the
    gradient, too, of arrays along random directions. Where something disagrees, every operation's local derivative is
    compared with its own difference, and the report names rule, argument, point, expected and got.

    Steps scale with each element of the parameters and go down to its last digits, so that they stay inside the domain.
    Each finding has a verdict: "agree", "disagree", or "cannot tell", with what is in the way and what to do next: f
    is not deterministic, noise drowns the differences, f stands at a jump, at a kink (a gradient outside of the
    one-sided slopes is wrong even there) or at the edge of its domain. The report's ``verdict`` is the worst of them.
    What is uncertain by more than 1e-4 of the largest slope near the point confirms nothing: a factor of 1.001 would pass.

    ``args``: as for ``trace``. Raises what ``trace`` raises, NotScalar where there is no one gradient, and BadInput for
    another order or number of directions. Cost: 37 evaluations of f per element or direction (or twice that), and a
    few sweeps.

    >>> import tinyspad as ts
    >>> assert ts.check_gradients(ts.functions.f1, 5.0)
    >>> print(ts.check_gradients(lambda x: x.data * x, 3.0))  # doctest: +ELLIPSIS
    f at x = 3: 3 of 5 disagree
    df/dx by central difference                       expected 6    got 3    WRONG, apart by 3 (allowed 6e-07)
    df/dx by complex step                             expected 6    got 3    WRONG, apart by 3 (allowed 3e-12)
    df/dx by sum over 1 path                          expected 3    got 3    apart by 0
    Taylor remainder along a direction, power of h    expected 2    got 1    WRONG, apart by 1 (allowed 0.5)
    ...
    """
    if isinstance(order, bool) or order not in (1, 2):
        raise BadInput(f"check_gradients: order= is 1 or 2, not {order!r:.40}.")
    integer(directions, "check_gradients: directions=")
    rng = generator(rng)
    lcg = trace(f, *args)
    lcg.check_differentiable()
    notes: list[str] = []
    blamed: list[Finding] = []
    with np.errstate(all="ignore"):
        findings = list(_first_order(lcg, int(directions), rng, notes))
        if order == 2:
            second = _second_order if lcg.elementwise else _second_order_of_arrays
            findings += second(lcg, int(directions), rng, notes)
        if any(finding.verdict == "disagree" for finding in findings):
            try:
                blamed = [finding for finding in local_findings(lcg, rng) if finding.verdict == "disagree"]
                if not blamed:
                    notes.append(HIDDEN)
            except TinyspadError as why:
                notes.append(f"The local derivatives could not be compared one by one: {why}")
    name = getattr(f, "__name__", type(f).__name__)
    point = ", ".join(f"{p} = {told(x)}" for p, x in zip(lcg.params, lcg.arguments))
    return GradientReport(f"{name.replace('<lambda>', 'f')} at {point}", tuple(findings), tuple(blamed), tuple(notes))


# --- first order ------------------------------------------------------------------------------------------------------


def _first_order(lcg: LCG, directions: int, rng: np.random.Generator, notes: list[str]) -> Iterator[Finding]:
    gradient, moved = lcg.linearization.gradient(), dict(zip(lcg.params, wobble(lcg.linearization)))
    noise = noise_beside(lcg.linearization)[0]
    units = [unit_like(rng, x) * unit_of(x) for x in lcg.arguments]
    terms: dict[str, Any] = {}
    for i, name in enumerate(lcg.params):
        g, x = gradient[name], lcg.arguments[i]
        number = lcg.count_paths(name)
        products = lcg.path_gradients(name) if number <= LISTED else None
        terms[name] = _terms(lcg, name, g, products)
        if np.size(x) <= LARGE or lcg.batch:
            v = np.ones(np.shape(x))[()] if lcg.batch or np.shape(x) == () else units[i]
            found = difference_beside(lcg.linearization, i, noise)
            what = f"df/d{name} by central difference"
            yield by_difference(what, found, g, terms=terms[name], wobble=moved[name])
            slope, margin, size = (
                _dot(lcg, a, b) for a, b in zip((found.slope, found.margin, found.size), (v, np.abs(v), np.abs(v)))
            )
        else:
            for k in range(directions):
                v = unit_like(rng, x) * unit_of(x)
                found = difference_along(_along(lcg, {i: v}), 1.0, _reach([x]), noise)
                what = f"df/d{name} along direction {k + 1} by central difference"
                added, give = (_dot(lcg, a, np.abs(v)) for a in (terms[name], moved[name]))
                yield by_difference(what, found, _dot(lcg, g, v), terms=added, wobble=give)
            slope, margin, size = found.slope, found.margin, found.size
        by_step, why = _complex_step(lcg, i, v, slope, margin, size)
        if why:
            notes.append(f"No complex step for {name}: {why}")
        else:
            short = 2.0**-50 * size  # the step is not quite 0
            added, give = (_dot(lcg, a, np.abs(v)) for a in (terms[name], moved[name]))
            yield judged(
                f"df/d{name} by complex step", by_step, _dot(lcg, g, v), short, size=size, terms=added, wobble=give
            )
        if products is not None:
            what = f"df/d{name} by sum over {number} path{'s' * (number != 1)}"
            yield judged(what, np.sum(products, axis=0), g, terms=terms[name])
        else:
            notes.append(f"{name} has {spaced(number)} paths: they were not added up.")
    slopes, sizes, gives = (
        sum(_dot(lcg, of[name], side(v)) for name, v in zip(lcg.params, units))
        for of, side in ((gradient, np.asarray), (terms, np.abs), (moved, np.abs))
    )
    yield _remainder(lcg, units, slopes, sizes, gives, noise)
    forward = lcg.jvp(*(float(v) if np.shape(v) == () else v for v in units))
    yield judged("reverse by forward mode, along a direction", forward, slopes, terms=sizes, wobble=gives)


def _remainder(lcg: LCG, units: list[Any], slope: Any, terms: Any, give: Any, noise: Any) -> Finding:
    """The power with which the Taylor remainder falls, all parameters moved at once: the worst run's."""
    reach = _reach(lcg.arguments)
    ladder, found = climb(_along(lcg, dict(enumerate(units))), np.ones(lcg.batch), np.full(lcg.batch, reach), noise)
    what = "Taylor remainder along a direction, power of h"
    known = by_difference(what, found, slope, terms=terms, wobble=give)
    order = ladder.order(found, slope, CLOSE * np.abs(slope) + rounding(slope) * np.asarray(terms) + give)
    lowest = np.min(np.where(np.isnan(order), -1.0, order), initial=np.inf)
    lowest = round(float(lowest), 2)  # its other digits are rounding
    apart = max(0.0, 2.0 - lowest)
    if known.verdict == "cannot tell":
        return Finding(what, 2.0, lowest, apart, 0.5, "cannot tell", known.why)
    if 0.5 < apart < 0.75:
        why = f"the Taylor remainder falls with h to the {lowest:g}: a higher derivative may not exist at this point"
        return Finding(what, 2.0, lowest, apart, 0.5, "cannot tell", why)
    return Finding(what, 2.0, lowest, apart, 0.5, "agree" if apart <= 0.5 else "disagree")


def _terms(lcg: LCG, name: str, g: Any, products: Any) -> Any:
    """The size of what was added up to each element of the gradient, which its rounding goes by."""
    if lcg.elementwise:
        return np.fmax(np.abs(g), lcg.sweep("magnitude")[name])
    return np.abs(g) if products is None else np.fmax(np.abs(g), np.sum(np.abs(products), axis=0))


def _dot(lcg: LCG, a: Any, v: Any) -> Any:
    return a * v if lcg.batch else np.sum(np.multiply(a, v, dtype=np.float64))


def _reach(arguments: Sequence[Any]) -> float:
    """How many times their own size the arguments are moved on the second ladder."""
    largest = max((float(np.max(unit_of(x), initial=0.0)) for x in arguments), default=1.0)
    return max(1.0, 1.0 / largest) if largest else 1.0


def _along(lcg: LCG, moves: dict[int, Any]) -> Callable[[Any], Any]:
    """The function along a direction, as a function of one number, or one for each run.

    It sees Values, or complex numbers where the step is one.
    """

    def moved(h: Any) -> Any:
        assert lcg.function is not None
        args = [a + h * moves[i] if i in moves else a for i, a in enumerate(lcg.arguments)]
        out = lcg.function(*(args if np.iscomplexobj(h) else map(Value, args)))
        value = out._data if isinstance(out, Value) else out
        return value if lcg.batch or not np.shape(value) else np.reshape(value, ())[()]  # an array of one number

    return moved


def _complex_step(lcg: LCG, i: int, v: Any, slope: Any, margin: Any, size: Any) -> tuple[Any, str]:
    """The derivative along v, or None and why there is none."""
    h = 2.0**-67 * (unit_of(lcg.arguments[i]) if lcg.batch or np.shape(v) == () else 1.0)
    try:
        out = _along(lcg, {i: v})(h * 1j)
    except Exception as problem:  # whatever f does not like about complex numbers
        return None, f"f does not take complex numbers ({type(problem).__name__})."
    if not np.iscomplexobj(out) or np.shape(out) != lcg.batch:
        return None, "f gives no complex number for one."
    if not np.all(np.abs(np.real(out) - lcg.value) <= 1e-6 * np.abs(lcg.value) + 1e-3 * np.abs(slope) * h * 2**67):
        return None, "f is another function on complex numbers."
    by_step = np.imag(out) / h
    if not np.all((margin <= 0.1 * size) | (slope == by_step)):
        return None, "no difference tells whether f is analytic here."
    if not np.all(np.abs(slope - by_step) <= np.fmax(margin, CLOSE * np.abs(by_step))):
        return None, "f is not analytic here (abs, maximum, a branch)."
    return by_step, ""


# --- second order -----------------------------------------------------------------------------------------------------


def _slopes(lcg: LCG, notes: list[str]) -> dict[str, LCG]:
    """The derivatives by all parameters, as programs; of what has none, none."""
    try:
        return {q: lcg.derivative(q) for q in lcg.params}
    except TinyspadError as why:
        notes.append(f"No second derivatives: {why}")
        return {}


def _second_order_of_arrays(lcg: LCG, directions: int, rng: np.random.Generator, notes: list[str]) -> list[Finding]:
    """u . H . v, with random u and v of two parameters each, against the difference of u . gradient along v."""
    slopes, noise = _slopes(lcg, notes), noise_beside(lcg.linearization)[1]
    findings = []
    for q, slope in slopes.items():
        for k in range(directions):
            u = unit_like(rng, lcg.arguments[lcg.params.index(q)])
            row, moved = slope.pulled(u), wobble(slope.linearization, u)
            for i, p in enumerate(lcg.params):
                x = lcg.arguments[i]
                v = unit_like(rng, x) * unit_of(x)

                def along(h: Any, i: int = i, q: str = q, u: Any = u, v: Any = v) -> Any:
                    there = lcg.retrace(*(a + h * v if j == i else a for j, a in enumerate(lcg.arguments)))
                    return _dot(lcg, there.adjoint(q), u)

                what = f"u d2f/d{q}d{p} v, directions {k + 1}, by central difference of u df/d{q}"
                found: Difference = difference_along(along, 1.0, _reach([x]), _dot(lcg, noise[q], np.abs(u)))
                terms, give = (_dot(lcg, a, np.abs(v)) for a in (np.abs(row[p]), moved[i]))
                give = give + rounding(np.zeros((), np.result_type(lcg.value, x))) * terms
                findings.append(by_difference(what, found, _dot(lcg, row[p], v), terms=terms, wobble=give))
    return findings


def _second_order(lcg: LCG, directions: int, rng: np.random.Generator, notes: list[str]) -> list[Finding]:
    slopes = _slopes(lcg, notes)
    hessian = {q: slope.gradient() for q, slope in slopes.items()}  # unchecked: the differences below are the check
    terms = {q: slope.sweep("magnitude") for q, slope in slopes.items()}
    moved = {q: dict(zip(lcg.params, wobble(slope.linearization))) for q, slope in slopes.items()}
    noise = noise_beside(lcg.linearization)[1]
    findings = []
    for i, p in enumerate(lcg.params):
        for q in slopes:

            def slope(x: Any, i: int = i, q: str = q) -> Any:
                return lcg.retrace(*(x if j == i else a for j, a in enumerate(lcg.arguments))).adjoint(q)

            what = f"d2f/d{q}d{p} by central difference of df/d{q}"
            found: Difference = difference(slope, lcg.arguments[i], noise[q])
            findings.append(by_difference(what, found, hessian[q][p], terms=terms[q][p], wobble=moved[q][p]))
    return findings
