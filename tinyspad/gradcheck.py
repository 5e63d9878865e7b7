"""Checking gradients: against differences, complex steps, the other mode and the paths; and checking rules one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .arguments import generator, spaced
from .differences import central_difference
from .errors import BadInput, NoRule, TinyspadError
from .lcg import LCG, trace
from .lcg.text import constant_text
from .rules import RULES, Domain, Rule
from .tape import FIRST_PARENT, KWARGS, RULE, Value, behind, operands, positions, record, replay

__all__ = ["Finding", "GradientReport", "check_gradients", "check_rule"]

LARGE = 50
"""The most elements of a parameter that are moved one by one; larger ones are moved along random directions."""

LISTED = 1000
"""The most paths that are added up."""


@dataclass(frozen=True)
class Finding:
    """One comparison: ``what`` with what, ``expected`` by the independent way, ``got`` from the gradient.

    ``apart``: the largest difference of an element; ``allowed``: ten times the estimated error of the independent way, or
    the rounding of the terms that were added up, whichever is more there.
    """

    what: str
    expected: Any
    got: Any
    apart: float
    allowed: float

    @property
    def agrees(self) -> bool:
        """Whether the difference is within what is allowed; never where one of the two is not a number."""
        return bool(self.apart <= self.allowed)


@dataclass(frozen=True, repr=False)
class GradientReport:
    """What a check found; true if everything agrees. ``print`` it.

    ``title``: the function and the point. ``findings``: every comparison. ``blamed``: where the gradient is wrong, the
    local derivatives that are wrong, each by rule, argument and point. ``notes``: what could not be checked, and why.
    """

    title: str
    findings: tuple[Finding, ...]
    blamed: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return all(finding.agrees for finding in self.findings)

    def __str__(self) -> str:
        wrong = [f for f in self.findings if not f.agrees]
        lines = [f"{self.title}: " + ("all agree" if self else f"{len(wrong)} of {len(self.findings)} disagree")]
        width = max((len(f.what) for f in (*self.findings, *self.blamed)), default=0)
        lines += [_line(f, width) for f in self.findings]
        if wrong and self.blamed:
            lines += ["The local derivative that is wrong:", *(_line(f, width) for f in self.blamed)]
        elif wrong:
            lines.append(
                "Every local derivative on the tape agrees with its difference. Either this point is a kink, or f hides a "
                "part of its dependence from the tape (a .data inside f, for example)."
            )
        return "\n".join([*lines, *self.notes])

    __repr__ = __str__


def check_gradients(
    f: Callable[..., Any], *args: Any, order: int = 1, directions: int = 5, rng: np.random.Generator | int | None = 0
) -> GradientReport:
    """Check the gradient of f at a point in every independent way there is; a report, true if all agree.

    For each parameter: central differences with an error estimate (element by element; along ``directions`` random ones
    where it has more than 50); the complex step Im f(x + ih)/h (Squire & Trapp 1998), which has no rounding error, where f
    takes complex numbers; and the sum over its paths, where there are at most 1000. For all together: forward mode
    against reverse mode along random tangents. ``order=2``: second derivatives against differences of the gradient, too,
    where they are offered. Where something disagrees, every operation's local derivative is compared with its own
    difference, and the report names rule, argument, point, expected and got.

    ``args``: as for ``trace``. Raises what ``trace`` raises, NotScalar where there is no one gradient, and BadInput for
    another order or number of directions. Cost: 27 evaluations of f per element or direction, and a few sweeps.

    >>> import tinyspad as ts
    >>> assert ts.check_gradients(ts.functions.f1, 5.0)
    >>> print(ts.check_gradients(lambda x: x.data * x, 3.0))  # doctest: +ELLIPSIS
    f at x = 3: 2 of 4 disagree
    df/dx by central difference                   expected 6    got 3    WRONG, apart by 3 (allowed 3e-07)
    df/dx by complex step                         expected 6    got 3    WRONG, apart by 3 (allowed 3e-12)
    df/dx by sum over 1 path                      expected 3    got 3    apart by 0
    ...
    """
    if isinstance(order, bool) or order not in (1, 2):
        raise BadInput(f"check_gradients: order= is 1 or 2, not {order!r:.40}.")
    if isinstance(directions, bool) or not isinstance(directions, (int, np.integer)) or directions < 1:
        raise BadInput(f"check_gradients: directions= is a whole number, at least 1, not {directions!r:.40}.")
    rng = generator(rng)
    lcg = trace(f, *args)
    lcg.check_differentiable()
    notes: list[str] = []
    with np.errstate(all="ignore"):
        findings = list(_first_order(lcg, int(directions), rng, notes))
        if order == 2:
            findings += _second_order(lcg, notes)
        wrong = [finding for finding in findings if not finding.agrees]
        blamed = [finding for finding in _local(lcg, rng) if not finding.agrees] if wrong else []
    name = getattr(f, "__name__", type(f).__name__)
    point = ", ".join(f"{p} = {_told(x)}" for p, x in zip(lcg.params, lcg.arguments))
    return GradientReport(f"{name.replace('<lambda>', 'f')} at {point}", tuple(findings), tuple(blamed), tuple(notes))


def check_rule(
    function: Callable[..., Any] | Rule, *args: Any, draws: int = 3, rng: np.random.Generator | int | None = 0
) -> GradientReport:
    """Check a rule: every derivative it gives, along random directions, against central differences of the function.

    ``function``: one that has a rule (``ts.rule``), or the Rule. ``args``: where; without them it is tried on ``draws``
    draws from the rule's own domain, on scalars and arrays. Raises NoRule for a function without one, and BadInput for a
    number of draws below one. Cost: 54 evaluations of the function per argument and draw.

    >>> import numpy as np, tinyspad as ts
    >>> def cube(x):
    ...     return x**3
    >>> cube = ts.rule(cube, d=lambda out, x: 3 * x, domain=ts.Domain(1, 2))
    >>> print(ts.check_rule(cube, 2.0))  # doctest: +ELLIPSIS
    the rule of cube: 1 of 1 disagree
    cube, argument 1 at (2,)    expected ...    got ...    WRONG, apart by ...
    """
    if isinstance(draws, bool) or not isinstance(draws, (int, np.integer)) or draws < 1:
        raise BadInput(f"check_rule: draws= is a whole number, at least 1, not {draws!r:.40}.")
    rule = function if isinstance(function, Rule) else RULES.get(function)
    if rule is None:
        raise NoRule(f"{getattr(function, '__name__', function)!s:.60} has no rule; give it one with ts.rule.")
    rng = generator(rng)
    findings: list[Finding] = []
    with np.errstate(all="ignore"):
        for call, kwargs in [(args, {})] if args else [c for _ in range(int(draws)) for c in _examples(rule)]:
            findings += _rule_at(rule, call, kwargs, rng, given=bool(args))
    return GradientReport(f"the rule of {rule.name}", tuple(findings), notes=() if findings else ("Nothing varies.",))


# --- a function -------------------------------------------------------------------------------------------------------


def _first_order(lcg: LCG, directions: int, rng: np.random.Generator, notes: list[str]) -> Iterator[Finding]:
    gradient = lcg.gradient()
    for i, name in enumerate(lcg.params):
        g, x = gradient[name], lcg.arguments[i]
        few = np.size(x) <= LARGE or bool(lcg.batch)
        terms = _magnitude(lcg, name, g)
        if few:
            by_difference, error = lcg.central_difference(name)
            yield _finding(f"df/d{name} by central difference", by_difference, g, 10 * error, 1e-7 * terms)
        else:
            for k in range(directions):
                v = rng.normal(size=np.shape(x))
                slope, error = central_difference(_along(lcg, {i: v}), 0.0)
                told = f"df/d{name} along direction {k + 1} by central difference"
                yield _finding(told, slope, np.sum(g * v), 10 * error, 1e-7 * float(np.sum(np.abs(g * v))))
        step, why = _complex_step(lcg, i, few, rng)
        if step is None:
            notes.append(f"No complex step for {name}: {why}")
        else:
            v, by_step = step
            got = g if v is None else np.sum(g * v)
            yield _finding(f"df/d{name} by complex step", by_step, got, 0.0, 1e-12 * terms)
        number = lcg.count_paths(name)
        if number <= LISTED:
            total = np.sum(lcg.path_gradients(name), axis=0)
            yield _finding(f"df/d{name} by sum over {number} path{'s' * (number != 1)}", total, g, 0.0, 1e-12 * terms)
        else:
            notes.append(f"{name} has {spaced(number)} paths: they were not added up.")
    tangents = [rng.normal(size=np.shape(x)) if np.shape(x) else float(rng.normal()) for x in lcg.arguments]
    products = [gradient[name] * v for name, v in zip(lcg.params, tangents)]
    reverse: Any = sum(products) if lcg.batch else sum(float(np.sum(p)) for p in products)
    terms = sum(float(np.sum(np.abs(v))) * _magnitude(lcg, n, gradient[n]) for n, v in zip(lcg.params, tangents))
    yield _finding("reverse by forward mode, along a direction", lcg.jvp(*tangents), reverse, 0.0, 1e-12 * terms)


def _second_order(lcg: LCG, notes: list[str]) -> list[Finding]:
    try:
        hessian = {
            p: lcg.derivative(p).gradient() for p in lcg.params
        }  # unchecked: the differences below are the check
    except TinyspadError as why:
        notes.append(f"No second derivatives: {why}")
        return []
    findings = []
    for i, p in enumerate(lcg.params):
        for q in lcg.params:

            def slope(x: Any, i: int = i, q: str = q) -> Any:
                return lcg.retrace(*(x if j == i else a for j, a in enumerate(lcg.arguments))).adjoint(q)

            expected, error = central_difference(slope, lcg.arguments[i])
            got = hessian[q][p]
            told = f"d2f/d{q}d{p} by central difference of df/d{q}"
            findings.append(
                _finding(told, expected, got, 10 * error, 1e-6 * (1 + float(np.max(np.abs(got), initial=0.0))))
            )
    return findings


def _along(lcg: LCG, moves: dict[int, Any]) -> Callable[[Any], Any]:
    """The function along a direction, as a function of one number; complex numbers pass."""

    def moved(h: Any) -> Any:
        assert lcg.function is not None
        out = lcg.function(*(a + h * moves[i] if i in moves else a for i, a in enumerate(lcg.arguments)))
        return out.data if isinstance(out, Value) else out

    return moved


def _complex_step(lcg: LCG, i: int, few: bool, rng: np.random.Generator) -> tuple[tuple[Any, Any] | None, str]:
    """(direction or None, derivative), or None and why there is none."""
    x, h = lcg.arguments[i], 1e-30
    v = None if few and (lcg.batch or np.shape(x) == ()) else rng.normal(size=np.shape(x))
    try:
        out = _along(lcg, {i: np.ones(np.shape(x)) if v is None else v})(np.complex128(h * 1j))
    except Exception as problem:  # whatever f does not like about complex numbers
        return None, f"f does not take complex numbers ({type(problem).__name__})."
    if not np.iscomplexobj(out) or np.shape(out) != np.shape(lcg.value):
        return None, "f gives no complex number for one."
    real = np.max(np.abs(np.real(out) - lcg.value), initial=0.0)
    if not real <= 1e-9 * (1 + float(np.max(np.abs(lcg.value), initial=0.0))):
        return None, "f is another function on complex numbers."
    slope, error = central_difference(
        _along(lcg, {i: np.ones(np.shape(x)) if v is None else v}), np.zeros(lcg.batch)[()]
    )
    by_step = np.imag(out) / h
    if not np.all(np.abs(slope - by_step) <= np.maximum(10 * error, 1e-6 * (1 + np.abs(by_step)))):
        return None, "f is not analytic here (abs, maximum, a branch)."
    return (v, by_step), ""


def _magnitude(lcg: LCG, name: str, g: Any) -> float:
    """The size of the terms that were added up, which rounding goes by; at least 1."""
    if not lcg.elementwise:
        return max(1.0, float(np.max(np.abs(g), initial=0.0)))
    total = float(np.max(np.abs(lcg.sweep("magnitude")[name]), initial=0.0))
    return max(1.0, total) if np.isfinite(total) else 1.0


def _local(lcg: LCG, rng: np.random.Generator) -> Iterator[Finding]:
    """Every edge of the tape against the difference of its own operation, along one random direction."""
    if lcg.root is None:
        return
    known = {id(leaf): argument for leaf, argument in zip(lcg.leaves, lcg.arguments)}
    operations = behind(lcg.root)
    results = replay(operations, known)
    names = {id(entry): node.text for node, entry in zip(lcg.nodes, lcg.entry_of) if entry is not None}
    for entry in operations:
        rule, kwargs, values = entry[RULE], entry[KWARGS] or {}, operands(entry, results)
        flat = list(values[0]) if rule.sequence else list(values)
        out = results[id(entry)]
        u = _unit(rng, out)
        for place, weight in zip(positions(entry), entry[FIRST_PARENT + 1 :: 2]):
            v = _unit(rng, flat[place])
            told = f"{rule.name}, argument {place + 1} in {names.get(id(entry), rule.name)}"
            moved = _moved(rule, flat, values[1:] if rule.sequence else (), kwargs, place, v, u)
            expected, error = central_difference(moved, 0.0)
            yield _finding(told, expected, float(np.sum((u * weight) * v)), 10 * error, 1e-7 * _size(u, v))


# --- a rule -----------------------------------------------------------------------------------------------------------


def _rule_at(
    rule: Rule, call: tuple[Any, ...], kwargs: dict[str, Any], rng: np.random.Generator, given: bool
) -> Iterator[Finding]:
    drawn = [_draw(x, rng) for x in call]
    flat, rest = (list(drawn[0]), tuple(drawn[1:])) if rule.sequence else (drawn, ())
    places = call[0] if rule.sequence else call
    variable = [i for i, p in enumerate(places) if isinstance(p, Domain) or (given and _varies(rule, i, p))]
    values = [Value(x) if i in variable else x for i, x in enumerate(flat)]
    out = record(rule, (values, *rest) if rule.sequence else tuple(values), kwargs)
    u = _unit(rng, out.data)
    out.backward(u)
    shown = ", ".join(_told(x) for x in flat)
    for i in variable:
        v = _unit(rng, flat[i])
        expected, error = central_difference(_moved(rule, flat, rest, kwargs, i, v, u), 0.0)
        told = f"{rule.name}, argument {i + 1} at ({shown}{',' * (len(flat) == 1)})"
        yield _finding(told, expected, float(np.sum(values[i].grad * v)), 10 * error, 1e-7 * _size(u, v))


def _varies(rule: Rule, i: int, x: Any) -> bool:
    number = isinstance(x, (float, np.floating)) or (isinstance(x, np.ndarray) and x.dtype.kind == "f")
    return number and (rule.indexed or (i < len(rule.derivatives) and rule.derivatives[i] is not None))


def _examples(rule: Rule) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The calls that the rule's domain describes: scalars, arrays, one argument broadcast against the others; or its own."""
    domain = rule.domain if isinstance(rule.domain, (list, tuple)) else (rule.domain,)
    if isinstance(domain, tuple):
        domain = [tuple(d(*shape) if isinstance(d, Domain) else d for d in domain) for shape in ((), (3,))]
        if len(domain[0]) > 1:
            first = next(i for i, d in enumerate(domain[0]) if isinstance(d, Domain))
            domain.append(tuple(d(2, 3) if i == first else d for i, d in enumerate(domain[1])))
    for call in domain:
        yield (call[:-1], call[-1]) if isinstance(call[-1], dict) else (call, {})


def _draw(x: Any, rng: np.random.Generator) -> Any:
    if isinstance(x, Domain):
        return x.sample(rng)
    return [_draw(item, rng) for item in x] if isinstance(x, list) and x and isinstance(x[0], Domain) else x


# --- both -------------------------------------------------------------------------------------------------------------


def _moved(
    rule: Rule, flat: list[Any], rest: tuple[Any, ...], kwargs: dict[str, Any], i: int, v: Any, u: Any
) -> Callable[[Any], Any]:
    """<u, function> with argument i moved along v, as a function of how far."""

    def moved(h: Any) -> Any:
        args = [a + h * v if k == i else a for k, a in enumerate(flat)]
        out = rule.function(args, *rest, **kwargs) if rule.sequence else rule.function(*args, **kwargs)
        return float(np.sum(u * out))

    return moved


def _unit(rng: np.random.Generator, like: Any) -> Any:
    """Random numbers of this shape, none of them small: no element may hide an error."""
    drawn = rng.choice([-1.0, 1.0], np.shape(like)) * rng.uniform(0.5, 1.5, np.shape(like))
    return drawn if np.shape(like) else float(drawn)


def _size(u: Any, v: Any) -> float:
    return max(1.0, float(np.sum(np.abs(u))), float(np.sum(np.abs(v))))


def _finding(what: str, expected: Any, got: Any, error: Any, rounding: float) -> Finding:
    apart = np.abs(np.subtract(expected, got))
    allowed = np.maximum(error, rounding)
    worst = int(np.argmax(apart - allowed)) if np.size(apart) else 0
    if not np.size(apart):
        return Finding(what, expected, got, 0.0, 0.0)
    if np.any(np.isnan(apart)):
        worst = int(np.argmax(np.isnan(apart)))
    return Finding(
        what,
        expected,
        got,
        float(np.ravel(apart)[worst]),
        float(np.ravel(np.broadcast_to(allowed, np.shape(apart)))[worst]),
    )


def _line(finding: Finding, width: int) -> str:
    apart = f"apart by {finding.apart:.1g}"
    if not finding.agrees:
        apart = f"WRONG, {apart} (allowed {finding.allowed:.1g})"
    return f"{finding.what.ljust(width)}    expected {_told(finding.expected)}    got {_told(finding.got)}    {apart}"


def _told(x: Any) -> str:
    """A number, a small array, or the shape of a large one."""
    if isinstance(x, (int, float, np.number)) and not isinstance(x, bool):
        return f"{float(x):.8g}"
    text = constant_text(x)
    return text if len(text) <= 60 else f"<{type(x).__name__}>"
