"""A rule's function on Values: it is evaluated on their data and entered on the tape."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np

from ..errors import DroppedGradient
from ..rules import LinearMap, Rule, unbroadcast
from .data import frozen, recorded_form
from .entry import ARGS, FORGOTTEN, HOLE, Entry, tick


class Operand:
    """What an operation reads: data, and the entry of the tape that they came from. The result is of the operands' class.

    Functions that are differentiated while another one is have operands of greater ``depth``, a class for each. The data of
    these may be operands themselves, of a recording outside: what is computed with them is recorded there, too.
    """

    __slots__ = ("__weakref__", "_data", "_node")
    depth = 0
    _data: Any
    _node: Entry


new = object.__new__


def depth_of(x: Any) -> int:
    """How deep the recording is that these data are of; 0 for numbers."""
    return x.depth if isinstance(x, Operand) else 0


def outer_at(x: Any, depth: int) -> Any:
    """What recordings of this depth and less see of it: in those that are deeper it is a constant."""
    while depth_of(x) > depth:
        x = x._data
    return x


def record(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> Any:
    """Evaluate rule.function on the data of its arguments and enter it on the tape."""
    if kwargs or len(args) > len(rule.derivatives):
        args, kwargs = rule.bind(args, kwargs or {})
        kwargs = {option: frozen(setting) for option, setting in kwargs.items()}
    else:
        kwargs = {}
    operands = args[0] if rule.sequence else args
    kind: Any = None
    for x in operands:
        if isinstance(x, Operand):
            if isinstance(x._data, Operand) or (kind is not None and x.__class__ is not kind):
                return _record_inside(rule, args, kwargs)
            kind = x.__class__
    arrays = _arrays(rule, operands)
    data = [_read(x, i < arrays) for i, x in enumerate(operands)]
    rest = tuple(frozen(a) for a in args[1:]) if rule.sequence else ()
    call = (data, *rest) if rule.sequence else tuple(data)
    result = recorded_form(rule.function(*call, **kwargs), rule)
    call = in_precision(rule, call, result)
    edges: list[Any] = []
    holes = list(data)
    with np.errstate(all="ignore"):  # an infinite slope is reported where it is used, not where it arises
        for i, operand in enumerate(operands):
            if isinstance(operand, Operand):
                edge = edge_of(rule, i, result, data[i], call, kwargs)
                if edge is None:
                    look()
                else:
                    edges += (operand._node, edge)
                    holes[i] = HOLE
    if not edges:  # np.where(v, 1, 2): the answer does not vary with v, as that of a comparison does not
        return result
    if rule.forgets:
        holes, kwargs = [x if x is HOLE else FORGOTTEN for x in holes], {}
    if len(edges) == 2 * len(data) and not kwargs and not rule.sequence:
        shown: Any = None
    else:
        shown = (holes, *rest) if rule.sequence else tuple(holes)
    out = new(kind)
    out._data = result
    owner = ref(out) if result.__class__ is np.ndarray else None
    out._node = [tick(), None, 0.0, rule, shown, kwargs or None, None, owner, *edges]
    return out


BY_OPERATOR: dict[Any, Callable[..., Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.power: operator.pow,
    np.negative: operator.neg,
}
"""What numbers have a shorter way for."""


def _record_inside(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``record`` of operands in several recordings: it is evaluated in the outer ones, and entered in the innermost.

    So its derivatives are computed from what the outer ones record, and have derivatives in turn.
    """
    operands = args[0] if rule.sequence else args
    arrays, depth = _arrays(rule, operands), max(map(depth_of, operands))
    mine = [depth_of(x) == depth for x in operands]
    kind = next(x for x, own in zip(operands, mine) if own).__class__
    given = [x if isinstance(x, Operand) else _read(x, i < arrays) for i, x in enumerate(operands)]
    data = [(x._data if isinstance(x._data, Operand) else _read(x, True)) if own else x for x, own in zip(given, mine)]
    call = (data, *args[1:]) if rule.sequence else tuple(data)
    shorter: Any = BY_OPERATOR.get(rule.function)
    result = record(rule, call, kwargs) if shorter is None else shorter(*call)
    call = in_precision(rule, call, result)
    edges: list[Any] = []
    with np.errstate(all="ignore"):
        for i, own in enumerate(mine):
            edge = edge_inside(rule, i, result, data[i], call, kwargs) if own else None
            if edge is not None:
                edges += (operands[i]._node, edge)
    if not edges:
        look()
        return result
    out = new(kind)
    shown = [HOLE if own else x for x, own in zip(given, mine)]
    shown_call = (shown, *args[1:]) if rule.sequence else tuple(shown)
    out._data, out._node = result, [tick(), None, 0.0, rule, shown_call, kwargs or None, None, None, *edges]
    return out


def edge_inside(rule: Rule, i: int, result: Any, x: Any, call: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The local derivative by an operand: a Value that depends on what it is computed from, or a map made of such."""
    if not rule.elementwise:
        return rule.edge(i, result, x, call, options)
    derivative = rule.derivative(i)
    if derivative is None:
        return None
    local, shape, out_shape = derivative(result, *call, **options), shape_of(x), shape_of(result)
    if shape == out_shape:
        return local
    return LinearMap(lambda g: unbroadcast(g * local, shape), shape, out_shape, f"broadcast {rule.name}", local)


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of data, which are not looked at for it: () of what is no array."""
    data = innermost(x)
    return data.shape if isinstance(data, np.ndarray) else ()


def _arrays(rule: Rule, operands: Any) -> int:
    """So many of the operands, the first ones, are arrays."""
    return len(operands) if rule.elementwise or rule.sequence or rule.indexed else len(rule.derivatives)


def _read(x: Any, as_array: bool) -> Any:
    """The data of an operand: a Value's, or a constant's (a list of numbers becomes an array where one is wanted)."""
    if isinstance(x, Operand):
        data = x._data
        if data.__class__ is np.ndarray and data.flags.writeable:
            return x._node[ARGS].read(x._node)  # only a leaf that was lent out is writeable
        return data
    if x.__class__ is float or x.__class__ is int:
        return x
    if isinstance(x, (list, tuple)):
        _refuse_values_in(x)
        return frozen(np.array(x)) if as_array else frozen(x)
    return frozen(x)


def in_precision(rule: Rule, call: tuple[Any, ...], result: Any) -> tuple[Any, ...]:
    """An operation's arguments as its derivatives take them: an int8 constant must not overflow there."""
    if not rule.elementwise or result.__class__ is float:
        return call
    dtype = result.dtype
    return tuple([_as_precise(x, dtype) for x in call])


def edge_of(rule: Rule, i: int, result: Any, x: Any, call: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The local derivative by operand i, whose data is x; None where the result does not vary with it."""
    if rule.elementwise and result.__class__ is float:
        return rule.scalar_edge(i, result, call, options)
    return rule.edge(i, result, x, call, options)


def _as_precise(x: Any, dtype: Any) -> Any:
    if isinstance(x, (np.ndarray, np.generic)) and x.dtype != dtype and x.dtype.kind in "iuf":
        return x.astype(dtype)
    return x


def _refuse_values_in(x: Any) -> None:
    if isinstance(x, Operand):
        raise DroppedGradient("A list of Values is no array: join them with np.stack([...]) first.")
    if isinstance(x, (list, tuple)):
        for item in x:
            _refuse_values_in(item)


_seen = [0]


def look() -> None:
    """Note that data were looked at: what is recorded from here on may depend on them."""
    _seen[0] += 1


def looks() -> int:
    """How often, so far, in all threads."""
    return _seen[0]


def innermost(x: Any) -> Any:
    """The numbers of a Value, in however many recordings it is."""
    while isinstance(x, Operand):
        x = x._data
    return x


def plain(x: Any) -> Any:
    """The numbers of a Value, lists of Values included; anything else as it is."""
    if isinstance(x, Operand):
        return innermost(x)
    if isinstance(x, (list, tuple)):
        return type(x)(plain(item) for item in x)
    return x


def looked_at(x: Any) -> Any:
    """The same, for somebody who acts on it."""
    look()
    return plain(x)
