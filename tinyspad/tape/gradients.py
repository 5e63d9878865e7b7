"""Derivatives of functions as functions, which nest: ``grad``, ``value_and_grad`` and ``hvp``."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..arguments import integer, name_of, parameter_names
from ..containers import filled, leaves_of
from ..errors import BadInput, ChangedData, NotScalar
from ..rules import LinearMap, Masked, Rows
from .choices import chooses, guarded_partials
from .data import floats
from .entry import Entry, behind, parents, partials, was_changed
from .nesting import deepest, open_leaf, run_on
from .record import Operand, depth_of, innermost, outer_at, shape_of
from .value import Value, leaf_at


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The gradient of a function, as a function of the same arguments.

    Parameters
    ----------
    f : callable
        A plain NumPy function that returns one number.
    argnums : int or sequence of ints
        By which of its positional arguments to differentiate. These are numbers, float arrays, or tuples, lists and dicts
        of them, nested as you like.

    Returns
    -------
    callable
        Called as f is, it returns the gradient in the form of the argument, of several arguments a tuple. It may be
        differentiated in turn, to any order: inside another function that is differentiated (by ``grad``, ``trace``,
        ``jacobian`` or ``minimize``), and of arguments that are Values, the gradient is a Value that depends on them. A
        Value that f reads from outside, whose own function is not being differentiated, is a constant.

    Raises
    ------
    BadInput
        For arguments that hold no numbers, or an f that returns none.
    NotScalar
        If f returns several numbers.
    NoRule
        For NumPy functions without a rule.

    Notes
    -----
    Cost: f, recorded, and one reverse sweep. Inside another function both are recorded there, operation by operation.

    Examples
    --------
    >>> import numpy as np, tinyspad as ts
    >>> ts.grad(np.sin)(0.0), ts.grad(ts.grad(ts.grad(np.sin)))(0.0)
    (1.0, -1.0)
    >>> ts.grad(lambda x: x * ts.grad(lambda y: x * y)(2.0))(3.0)
    6.0
    >>> ts.grad(lambda w, x: np.sum(w * x), argnums=(0, 1))(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    (array([3., 4.]), array([1., 2.]))
    """
    return _named("grad", f, lambda *args, **options: _differentiate(f, argnums, args, options)[1])


def value_and_grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The value of a function and its gradient, as a function of the same arguments that returns both.

    Parameters
    ----------
    f, argnums
        As for :func:`grad`.

    Returns
    -------
    callable
        Called as f is, it returns the pair (value, gradient), each a Value where that of :func:`grad` is.

    Raises
    ------
    BadInput, NotScalar, NoRule
        As :func:`grad` does.

    Notes
    -----
    Cost: that of :func:`grad`; f is called once.

    Examples
    --------
    >>> import numpy as np, tinyspad as ts
    >>> ts.value_and_grad(lambda w: np.sum(w**2))(np.array([1.0, 2.0]))
    (5.0, array([2., 4.]))
    """
    return _named("value_and_grad", f, lambda *args, **options: _differentiate(f, argnums, args, options))


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The product of a function's Hessian with a vector, without the Hessian.

    Parameters
    ----------
    f : callable
        A plain NumPy function of one argument that returns one number.
    x : number, array, or a tuple, list or dict of them
        The point.
    v : the same
        The vector, in the form of x.

    Returns
    -------
    the same
        The Hessian of f at x, times v: the derivative of the gradient along v.

    Raises
    ------
    BadInput
        If v has not the form of x; and as :func:`grad` does.

    Notes
    -----
    Cost: the gradient, recorded, and one reverse sweep over it (Christianson 1992): 2 to 4 gradients on arrays, 3 to 6 on
    single numbers, measured by ``python -m benchmarks second``; no matrix. ``trace(f, x).hessian()`` has the whole of it.

    Examples
    --------
    >>> import numpy as np, tinyspad as ts
    >>> ts.hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    points = dict(leaves_of(x, _names(f, 1)[0]))
    along = [u if isinstance(u, Operand) else floats(u) for u in _alike(x, v)]
    if [shape_of(p) for p in points.values()] != [shape_of(u) for u in along]:
        raise BadInput(f"hvp: the vector has the form of the point, so it is not {v!r:.60}.")

    def at(depth: int) -> list[Any]:
        outer = [_value(p, depth, name) for name, p in points.items()]
        inner = [_value(value, depth + 1, value.name) for value in outer]
        call = filled(x, iter(inner))
        out = _run(f, [*outer, *inner], [call], {})
        slopes = _pulled([(out, _seed(f, out))], inner)
        roots = [*zip(slopes, along)]
        del inner, call, out, slopes
        return _results(_pulled(roots, outer), outer)

    return filled(x, iter(_deep_enough(at, (*points.values(), *along))))


def _differentiate(
    f: Callable[..., Any], argnums: int | Sequence[int], args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[Any, Any]:
    """The value of f at these arguments, and its gradient."""
    places, names = _places(f, argnums, len(args)), _names(f, len(args))

    def at(depth: int) -> list[Any]:
        leaves = [[_value(x, depth, name) for name, x in leaves_of(args[i], names[i])] for i in places]
        flat, call = [leaf for of_one in leaves for leaf in of_one], list(args)
        for i, of_one in zip(places, leaves):
            call[i] = filled(args[i], iter(of_one))
        out = _run(f, flat, call, options)
        return [outer_at(out, depth - 1), *_results(_pulled([(out, _seed(f, out))], flat), flat)]

    value, *found = _deep_enough(at, [x for _, x in leaves_of((args, options), "")])
    left = iter(found)
    gradients = tuple(filled(args[i], left) for i in places)
    return value, gradients[0] if isinstance(argnums, (int, np.integer)) else gradients


def _deep_enough(at: Callable[[int], list[Any]], given: Sequence[Any]) -> list[Any]:
    """What a derivative gives, taken deeper than all that it may depend on.

    That is what is being recorded in this thread, and the arguments. If a function that runs in another thread turns out to
    be read, too, once more, deeper than that.
    """
    try:
        return at(1 + deepest(given))
    except _Shallow:
        return at(1 + deepest(given, everywhere=True))


class _Shallow(Exception):
    """What is to be differentiated depends on a recording of the same depth that is open elsewhere."""


def _run(f: Callable[..., Any], values: list[Value], args: list[Any], options: dict[str, Any]) -> Any:
    """What f returns, recorded on these Values."""
    out = run_on(lambda *_: f(*args, **options), values)
    for value in values:
        if was_changed(value._node):
            raise ChangedData(
                f'{name_of(f)} changed the data of its own argument "{value.name}"; compute with new names.'
            )
    out = outer_at(out, max(map(depth_of, values), default=0))
    if open_leaf(out, min(map(depth_of, values), default=1)) is not None:
        raise _Shallow
    return out


def _seed(f: Callable[..., Any], out: Any) -> Any:
    """The adjoint of what f returned. Raises unless that is one number."""
    kind = "f" if isinstance(out, Operand) else np.asarray(out).dtype.kind
    if not isinstance(out, (Operand, float, int, np.number, np.ndarray)) or kind not in "fiu":
        hint = " Does it lack a return?" if out is None else ""
        raise BadInput(f"{name_of(f)} returned {out!r:.60}, which is not a number.{hint}")
    numbers = innermost(out)
    shape = numbers.shape if isinstance(numbers, np.ndarray) else ()
    if math.prod(shape) != 1:
        raise NotScalar(
            f"{name_of(f)} returned an array of shape {shape}, and a gradient is that of one number. Reduce it, for example "
            "with np.sum; or take ts.jacobian, which takes several outputs."
        )
    return np.ones(shape, numbers.dtype) if shape else 1.0


def _pulled(roots: list[tuple[Any, Any]], leaves: list[Value]) -> list[Any]:
    """The sum of the roots' derivatives by the leaves, times the roots' adjoints; 0.0 where nothing depends on a leaf.

    No gradient is left on the tape, and none of the leaves of other recordings is visited. What only the list of roots
    holds is freed on the way, so that its memory serves for what comes.
    """
    depth = max(map(depth_of, leaves), default=0)
    adjoint: dict[int, Any] = {id(leaf._node): 0.0 for leaf in leaves}
    starts = [(root._node, seed) for root, seed in roots if depth and depth_of(root) == depth]
    roots.clear()
    for start, seed in starts:
        _add(adjoint, id(start), seed)
    of = [start for start, _ in starts]
    del starts
    own, live = _between(of, leaves)
    if not chooses(*own):
        return _swept(own, {}, adjoint, live, leaves)
    if not any(isinstance(leaf._data, Operand) for leaf in leaves):  # of numbers, it matters only where they are none
        found = _swept(own.copy(), {}, adjoint.copy(), live, leaves)
        if not any(isinstance(x, Operand) or np.isnan(x.values if isinstance(x, Rows) else x).any() for x in found):
            return found
    return _swept(own, guarded_partials(reversed(own), of), adjoint, live, leaves)


def _swept(
    own: list[Entry], guards: dict[int, list[Any]], adjoint: dict[int, Any], live: set[int], leaves: list[Value]
) -> list[Any]:
    """The sweep, newest operation first; ``guards``: what stands in the place of partials."""
    while own:
        entry = own.pop()
        share = adjoint.pop(id(entry), None)
        if share is None:
            continue
        for parent, partial in zip(parents(entry), guards.pop(id(entry), partials(entry))):
            if id(parent) in live and not (isinstance(partial, Masked) and partial.taken is False):
                _add(adjoint, id(parent), _times(share, partial))
    return [adjoint[id(leaf._node)] for leaf in leaves]


def _between(roots: list[Entry], leaves: list[Value]) -> tuple[list[Entry], set[int]]:
    """The operations between leaves and roots, oldest first; and the ids of these and of the leaves."""
    live, own = {id(leaf._node) for leaf in leaves}, []
    for entry in behind(*roots):
        if any(id(parent) in live for parent in parents(entry)):
            live.add(id(entry))
            own.append(entry)
    return own, live


def _add(adjoint: dict[int, Any], key: int, share: Any) -> None:
    known = adjoint.get(key)
    adjoint[key] = share if known is None or _is(known, 0.0) else known + share


def _times(adjoint: Any, partial: Any) -> Any:
    """Their product, for which nothing need be recorded where one of them is 1."""
    if _is(partial, 1.0):
        return adjoint
    return partial if _is(adjoint, 1.0) and not isinstance(partial, (LinearMap, Masked)) else adjoint * partial


def _is(x: Any, number: float) -> bool:
    return x.__class__ is float and x == number


def _results(found: list[Any], leaves: list[Value]) -> list[Any]:
    """Adjoints in the form of the leaves: numbers and arrays, or Values of the recordings outside on which they depend."""
    return [_in_form(adjoint, innermost(leaf)) for adjoint, leaf in zip(found, leaves)]


def _in_form(adjoint: Any, numbers: Any) -> Any:
    if isinstance(adjoint, Rows):
        adjoint = adjoint.dense()
    if isinstance(adjoint, Operand) or not isinstance(numbers, (float, np.ndarray, np.generic)):
        return adjoint
    if isinstance(numbers, np.ndarray):
        return np.array(np.broadcast_to(adjoint, numbers.shape), numbers.dtype)
    return float(adjoint) if isinstance(numbers, float) else numbers.dtype.type(adjoint)


# --- arguments: numbers, arrays, and tuples, lists and dicts of them ---------------------------------------------------


def _alike(x: Any, v: Any) -> Iterator[Any]:
    """What is in v, in the order of x. Raises BadInput unless they have one form."""
    inside = isinstance(x, (tuple, list, dict))
    same = type(x) is type(v) if inside else not isinstance(v, (tuple, list, dict))
    if not same or (inside and (x.keys() != v.keys() if isinstance(x, dict) else len(x) != len(v))):
        raise BadInput(f"hvp: the vector has the form of the point, so it is not {v!r:.60}.")
    if not inside:
        yield v
    for key in () if not inside else x if isinstance(x, dict) else range(len(x)):
        yield from _alike(x[key], v[key])


def _value(x: Any, depth: int, name: str | None) -> Value:
    """A leaf in so many recordings, which in the innermost one stands for x."""
    return leaf_at(depth, x if isinstance(x, Operand) else floats(x), name)


def _places(f: Callable[..., Any], argnums: int | Sequence[int], number: int) -> list[int]:
    given = [argnums] if isinstance(argnums, (int, np.integer)) else argnums
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise BadInput(f"grad: argnums= is a whole number, or several in a tuple, not {argnums!r:.60}.")
    if not number:
        raise BadInput(f"The gradient of {name_of(f)} is by a positional argument, and none was given.")
    found = [integer(i, "grad: argnums=", -number, number - 1) % number for i in given]
    if len(set(found)) < len(found):
        raise BadInput(f"grad: argnums={argnums!r:.60} names an argument twice.")
    return found


def _names(f: Callable[..., Any], number: int) -> list[str]:
    """What messages call the arguments: as f does, where it tells."""
    try:
        return parameter_names(f, number)
    except BadInput:
        if not callable(f):
            raise
        return [f"argument {i + 1}" for i in range(number)]  # others go by keyword; or f raises its own TypeError


def _named(what: str, f: Callable[..., Any], derivative: Callable[..., Any]) -> Callable[..., Any]:
    """The derivative with f's signature, and a name that says whose it is."""
    if not callable(f):
        raise BadInput(f"{what} takes a function, not {f!r:.60}.")
    functools.update_wrapper(derivative, f, assigned=("__module__",), updated=())
    derivative.__name__ = derivative.__qualname__ = f"{what}({name_of(f)})"
    return derivative
