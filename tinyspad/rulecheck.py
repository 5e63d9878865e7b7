"""Checking rules one by one: over their domain, at a point, and on a tape, each against differences of its function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .arguments import generator, integer
from .differences import difference_along, reach_of, unit_of
from .errors import NoRule
from .findings import GradientReport, told
from .lcg import LCG
from .linearization import wobble
from .rules import RULES, Domain, Rule
from .tape import Value, behind, operands, options_of, partials, positions, record, replay, rule_of
from .verdicts import Finding, by_difference

__all__ = ["check_rule"]


def check_rule(
    function: Callable[..., Any] | Rule, *args: Any, draws: int = 3, rng: np.random.Generator | int | None = 0
) -> GradientReport:
    """Check a rule: every derivative it gives against central differences of the function.

    ``function``: one that has a rule (``ts.rule``), or the Rule. ``args``: where; without them it is tried on ``draws``
    draws from the rule's own domain, on scalars and arrays. An elementwise function is compared element by element where
    argument and result have one shape, others along random directions. The verdicts are those of ``check_gradients``.
    Raises NoRule for a function without a rule, and BadInput for a number of draws below one. Cost: 37 evaluations of
    the function, and three of the rule, per argument and draw; or twice that.

    >>> import numpy as np, tinyspad as ts
    >>> def cube(x):
    ...     return x**3
    >>> cube = ts.rule(cube, d=lambda out, x: 3 * x, domain=ts.Domain(1, 2))
    >>> print(ts.check_rule(cube, 2.0))  # doctest: +ELLIPSIS
    the rule of cube: 1 of 1 disagree
    cube, argument 1 at (2,)    expected 12    got 6    WRONG, apart by ...
    >>> print(ts.check_rule(np.abs, 0.0))
    the rule of absolute: 1 of 1 cannot be told
    absolute, argument 1 at (0,)    expected 0    got 0    CANNOT TELL, apart by 0
    Cannot tell: f stands at a kink: one-sided slopes -1 and 1. Check at a point beside it.
    """
    integer(draws, "check_rule: draws=")
    rule = function if isinstance(function, Rule) else RULES.get(function)
    if rule is None:
        raise NoRule(f"{getattr(function, '__name__', function)!s:.60} has no rule; give it one with ts.rule.")
    rng = generator(rng)
    findings: list[Finding] = []
    with np.errstate(all="ignore"):
        for call, kwargs in [(args, {})] if args else [c for _ in range(int(draws)) for c in _examples(rule)]:
            findings += _rule_at(rule, call, kwargs, rng, given=bool(args))
    return GradientReport(f"the rule of {rule.name}", tuple(findings), notes=() if findings else ("Nothing varies.",))


def local_findings(lcg: LCG, rng: np.random.Generator) -> Iterator[Finding]:
    """Every edge of the tape against the difference of its own operation."""
    if lcg.single_access.root is None:
        return
    known = {id(leaf): argument for leaf, argument in zip(lcg.single_access.leaves, lcg.arguments)}
    operations = behind(lcg.single_access.root)
    results = replay(operations, known)
    names = {id(entry): node.text for node, entry in zip(lcg.nodes, lcg.single_access.entry_of) if entry is not None}
    for entry in operations:
        rule, values = rule_of(entry), operands(entry, results)
        flat, rest = (list(values[0]), tuple(values[1:])) if rule.sequence else (list(values), ())
        for place, weight in zip(positions(entry), partials(entry)):
            what = f"{rule.name}, argument {place + 1} in {names.get(id(entry), rule.name)}"
            yield _compared(what, rule, flat, rest, options_of(entry), place, rng, weight)


def _rule_at(
    rule: Rule, call: tuple[Any, ...], kwargs: dict[str, Any], rng: np.random.Generator, given: bool
) -> Iterator[Finding]:
    drawn = [_draw(x, rng) for x in call]
    flat, rest = (list(drawn[0]), tuple(drawn[1:])) if rule.sequence else (drawn, ())
    places = call[0] if rule.sequence else call
    shown = ", ".join(told(x) for x in flat)
    for i, place in enumerate(places):
        if isinstance(place, Domain) or (given and _varies(rule, i, place)):
            what = f"{rule.name}, argument {i + 1} at ({shown}{',' * (len(flat) == 1)})"
            yield _compared(what, rule, flat, rest, kwargs, i, rng)


def _compared(
    what: str,
    rule: Rule,
    flat: list[Any],
    rest: tuple[Any, ...],
    kwargs: dict[str, Any],
    place: int,
    rng: np.random.Generator,
    weight: Any = None,
) -> Finding:
    """The derivative by one argument, the tape's ``weight`` or else the rule's, against differences of the function."""

    def result(args: list[Any]) -> Any:
        return rule.function(args, *rest, **kwargs) if rule.sequence else rule.function(*args, **kwargs)

    x, out = np.asarray(flat[place], dtype=np.float64), result(flat)
    single = rule.elementwise and np.shape(out) == np.shape(x)
    if single:  # every element has a slope of its own
        u, v = np.ones(np.shape(out))[()], np.ones(np.shape(x))[()]
        found = difference_along(lambda h: result(_moved(flat, place, x + h)), unit_of(x), reach_of(x))
    else:
        u, v = unit_like(rng, out), unit_like(rng, x) * unit_of(x)
        reach = 1.0 / min(1.0, float(np.max(unit_of(x), initial=0.0)) or 1.0)
        found = difference_along(lambda h: float(np.sum(u * result(_moved(flat, place, x + h * v)))), 1.0, reach)

    def along(grad: Any) -> Any:
        return grad if single else np.sum(np.multiply(grad, v, dtype=np.float64))

    leaf = Value(flat[place])
    mixed = _moved(flat, place, leaf)
    recorded = record(rule, (mixed, *rest) if rule.sequence else tuple(mixed), kwargs)
    moved: Any = 0.0
    if isinstance(recorded, Value):
        recorded.backward(u)
        moved = wobble(LCG(recorded, {"x": leaf}).linearization, u)[0]
    grad = leaf.grad if weight is None else u * weight
    terms, give = (np.abs(a) if single else np.sum(np.abs(np.multiply(a, v, dtype=np.float64))) for a in (grad, moved))
    return by_difference(what, found, along(grad), terms=terms, wobble=give)


def _moved(flat: list[Any], place: int, x: Any) -> list[Any]:
    return [x if k == place else a for k, a in enumerate(flat)]


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


def unit_like(rng: np.random.Generator, like: Any) -> Any:
    """Random numbers of this shape: none of them small, for no element may hide an error, and with few digits, so that
    an argument is moved by them without rounding."""
    drawn = rng.choice([-1.0, 1.0], np.shape(like)) * rng.integers(2, 6, np.shape(like)) / 4
    return drawn if np.shape(like) else float(drawn)
