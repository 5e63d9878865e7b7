"""Arithmetic and array methods of Values, made from the rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..rules import RULES, LinearMap, Masked, Pair, Rule
from .dispatch import dispatch
from .entry import HOLE, tick
from .record import Operand, new, record


def arithmetic(ufunc: Any, local: Callable[[Any, Any], tuple[Any, Any, Any]]) -> tuple[Any, Any]:
    """An operator and its reflection. Between float64 numbers they enter the tape by themselves, all else by the rule.

    ``local(a, b)``: the result, and its partial derivatives as the rule has them. What it refuses (1 / 0, integers larger
    than any float) NumPy has a value for.
    """
    rule = RULES[ufunc]

    def operate(self: Operand, other: Any) -> Any:
        a = self._data
        if a.__class__ is float:
            try:
                if other.__class__ is self.__class__:
                    b = other._data
                    if b.__class__ is float:
                        out = new(self.__class__)
                        out._data, left, right = local(a, b)
                        out._node = [
                            tick(),
                            None,
                            0.0,
                            rule,
                            None,
                            None,
                            None,
                            None,
                            self._node,
                            left,
                            other._node,
                            right,
                        ]
                        return out
                elif other.__class__ is float or other.__class__ is int:
                    out = new(self.__class__)
                    out._data, left, _ = local(a, other)
                    out._node = [tick(), None, 0.0, rule, (HOLE, other), None, None, None, self._node, left]
                    return out
            except ArithmeticError:
                pass
        return _operate(rule, self, other)

    def reflected(self: Operand, other: Any) -> Any:
        b = self._data
        if b.__class__ is float and (other.__class__ is float or other.__class__ is int):
            try:
                out = new(self.__class__)
                out._data, _, right = local(other, b)
                out._node = [tick(), None, 0.0, rule, (other, HOLE), None, None, None, self._node, right]
                return out
            except ArithmeticError:
                pass
        return _operate(rule, other, self)

    return operate, reflected


def power(a: Any, b: Any) -> tuple[Any, Any, Any]:
    if not (b and (a > 0 or (a and b.__class__ is int))):
        raise ArithmeticError  # a root of a negative number, a power of zero: NumPy's are not Python's
    power = a**b
    return power, b * a ** (b - 1), power * math.log(a) if a > 0 else 0.0


def by_rule(ufunc: Any) -> tuple[Any, Any]:
    """An operator and its reflection, by the rule alone."""
    rule = RULES[ufunc]
    return lambda self, other: _operate(rule, self, other), lambda self, other: _operate(rule, other, self)


def of_one(function: Any, both: Callable[[float], tuple[float, float]]) -> Any:
    """A function of one operand; ``both``: its value and its derivative at a float64 number."""
    rule = RULES[function]

    def operate(self: Operand) -> Any:
        a = self._data
        if a.__class__ is float:
            out = new(self.__class__)
            out._data, slope = both(a)
            out._node = [tick(), None, 0.0, rule, None, None, None, None, self._node, slope]
            return out
        return record(rule, (self,))

    operate.__doc__ = (function.__doc__ or "").partition("\n")[0]
    return operate


def method(function: Any) -> Any:
    """A method of arrays: NumPy's function of that name, its options in NumPy's order."""
    name = function.__name__

    def call(self: Operand, *args: Any, **options: Any) -> Any:
        return dispatch(function, (self, *args), options)

    call.__name__, call.__doc__ = name, f"np.{name}(self, ...)."
    return call


def _operate(rule: Rule, *args: Any) -> Any:
    """An operator: leave what is not a number to Python, which then names the types, or asks a linear map."""
    for a in args:
        if a is None or isinstance(a, (str, bytes, dict, set, LinearMap, Masked, Pair)):
            return NotImplemented
    return record(rule, args)
