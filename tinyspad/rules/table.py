"""What a rule is, and the table that holds them."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..arguments import Data
from ..errors import BadInput, NoRule, NotElementwise

Vjp = Callable[[Data], Data]
"""The map from the adjoint of a result to the adjoint of an argument."""

Derivative = Callable[..., Data]
"""``(out, *args) -> partial derivative``, or ``(out, *args, **kwargs) -> Vjp``."""

Derivatives = Derivative | tuple[Derivative | None, ...]

Domains = Data
"""Where tests draw arguments: a ``Domain`` for each, or a list of example calls."""

WORDS = ("elementwise", "move", "order", "reduction", "diagonal", "scan", "dense")
"""The kinds of operations, by which of their elements depend on which: see ``reads``."""

RULES: dict[Callable[..., Data], Rule] = {}
"""NumPy function -> its Rule."""

PLAIN: set[Callable[..., Data]] = set()
"""Functions whose answer has no derivative (shapes, comparisons, positions): they see the data alone."""


@dataclass(frozen=True)
class Domain:
    """An interval to draw test arguments from; calling it sets the shape: ``reals(2, 3)``."""

    low: float
    high: float
    mirrored: bool = False
    shape: tuple[int, ...] = ()

    def __call__(self, *shape: int) -> Domain:
        return replace(self, shape=shape)

    def sample(self, rng: np.random.Generator) -> Data:
        sign = rng.choice([-1.0, 1.0], self.shape) if self.mirrored else 1.0
        return sign * rng.uniform(self.low, self.high, self.shape)


class LinearMap:
    """The weight of a tensor edge: a linear map known by its vector-Jacobian product.

    ``adjoint * linear_map`` is the vjp, so that a sweep multiplies numbers, arrays and maps alike. ``shape`` is that of
    the argument, ``out_shape`` that of the result, whose adjoint the vjp takes. ``kept``: what the weights of the edges
    between numbers are made from, where the vjp has it anyway: the partial derivative that is broadcast, or a product's
    arguments before and behind this one.
    """

    __slots__ = ("kept", "name", "out_shape", "shape", "vjp")
    __array_ufunc__ = None  # array * map: NumPy steps aside and __rmul__ below answers

    def __init__(
        self, vjp: Vjp, shape: tuple[int, ...], out_shape: tuple[int, ...], name: str, kept: Data = None
    ) -> None:
        self.vjp, self.shape, self.out_shape, self.name, self.kept = vjp, shape, out_shape, name, kept

    def __rmul__(self, adjoint: Data) -> Data:
        result = self.vjp(adjoint)
        if self.shape == () and isinstance(result, np.ndarray):
            return result.item() if result.dtype == np.float64 else result[()]
        return result

    def __abs__(self) -> Data:
        raise NotElementwise(
            f"The edge of {self.name} is a linear map, not a number, so a product along a path has no size before it is "
            "multiplied out. Compare path_gradients(...) by norm, or write the function elementwise."
        )

    def __repr__(self) -> str:
        return f"<{self.name}>"


@dataclass(frozen=True)
class Rule:
    """The local derivative of one function; made by :func:`rule`, looked up in ``RULES``."""

    function: Callable[..., Data]
    elementwise: bool
    derivatives: tuple[Callable[..., Data] | None, ...]
    domain: Domains
    symbol: str | None = None
    indexed: bool = False
    sequence: bool = False
    call: Callable[..., tuple[Data, ...]] | None = None
    forgets: bool = False
    kind: str | Callable[..., str] = "dense"
    chooses: bool = False

    @cached_property
    def arguments(self) -> tuple[inspect.Parameter, ...]:
        """The function's own parameters, as its derivatives list them after ``out`` (and the position, if indexed)."""
        derivative = next(d for d in self.derivatives if d is not None)
        return tuple(inspect.signature(derivative).parameters.values())[2 if self.indexed else 1 :]

    @cached_property
    def _written(self) -> tuple[str, ...]:
        """The function's parameters in NumPy's own order; empty where it does not tell."""
        try:
            return tuple(inspect.signature(self.function).parameters)
        except (TypeError, ValueError):
            return ()

    @cached_property
    def _facts(self) -> tuple[list[str], set[str], bool, bool, int | None]:
        """Of the signature: positional names, all names, whether it takes any number of arguments, any option, and the
        first position at which NumPy's own signature has another name."""
        names = [p.name for p in self.arguments if p.kind is p.POSITIONAL_OR_KEYWORD]
        kinds = {p.kind for p in self.arguments}
        moved = (i for i, name in enumerate(names) if name in self._written and self._written.index(name) != i)
        return (
            names,
            {p.name for p in self.arguments},
            inspect.Parameter.VAR_POSITIONAL in kinds,
            inspect.Parameter.VAR_KEYWORD in kinds,
            next(moved, None),
        )

    @cached_property
    def name(self) -> str:
        """The function's name as NumPy spells it, with its submodule: ``exp``, ``linalg.norm``."""
        prefix = "linalg." if getattr(self.function, "__module__", "") == "numpy.linalg" else ""
        return prefix + str(getattr(self.function, "__name__", self.function))

    def edge(self, i: int, out: Data, x: Data, args: tuple[Data, ...], kwargs: dict[str, Data]) -> Data:
        """The weight of the edge from argument i (whose data is x) to out: number, array or LinearMap.

        None means that the function does not vary with this argument (the condition of ``where``).
        """
        if self.indexed:
            derivative = self.derivatives[0]
            assert derivative is not None
            kept = (args[:i], args[i + 1 :]) if callable(self.kind) else None
            return LinearMap(derivative(i, out, *args, **kwargs), np.shape(x), np.shape(out), self.name, kept)
        derivative = self.derivative(i)
        if derivative is None:
            return None
        if not self.elementwise:
            kept = (args[:i], args[i + 1 :]) if callable(self.kind) else None
            return LinearMap(derivative(out, *args, **kwargs), np.shape(x), np.shape(out), self.name, kept)
        own = x.shape if isinstance(x, np.ndarray) else ()
        shape, dtype = (out.shape, out.dtype) if isinstance(out, np.ndarray) else ((), np.result_type(out))
        if dtype.char == "e":  # float16, whose squares end at 256: the derivative need not
            local = derivative(_single(out), *map(_single, args), **kwargs)
        else:
            try:
                local = derivative(out, *args, **kwargs)
            except ArithmeticError:  # Python raises on 1 / 0 between its own numbers; NumPy says inf
                local = derivative(out, *map(_as_numpy, args), **kwargs)
        if isinstance(local, (np.ndarray, np.generic)) and local.dtype != dtype:
            if local.dtype.kind == "c":
                raise BadInput(f"The derivative that the rule of {self.name} gave is complex; tinyspad's are real.")
            local = local.astype(dtype)  # a condition or a constant inside a formula must not widen float32
        if own == shape:
            if not isinstance(local, np.ndarray) or local.shape == shape:
                return local
            return np.broadcast_to(local, shape)
        return LinearMap(_broadcast_vjp(local, own), own, shape, f"broadcast {self.name}", local)

    def scalar_edge(self, i: int, out: float, args: tuple[Data, ...], kwargs: dict[str, Data]) -> float | None:
        """The weight of an elementwise edge between float64 scalars, as a Python float."""
        derivative = self.derivative(i)
        if derivative is None:
            return None
        try:
            return float(derivative(out, *args, **kwargs))
        except (ArithmeticError, TypeError):  # Python raises on 1 / 0, and makes (-8) ** 0.5 complex
            return float(derivative(np.float64(out), *map(_as_numpy, args), **kwargs))

    def derivative(self, i: int) -> Callable[..., Data] | None:
        """The derivative by argument i as the rule gives it. Raises NoRule where it says nothing of it."""
        if i >= len(self.derivatives):
            raise NoRule(
                f"{self.name}: argument {i + 1} is a Value, and the rule has no derivative for it. "
                "Pass its .data if it is a constant."
            )
        return self.derivatives[i]

    def setting(self, name: str, args: Sequence[Data], options: dict[str, Data]) -> Data:
        """An option of a call, wherever it was given."""
        for place, parameter in enumerate(self.arguments):
            if parameter.name == name:
                return options.get(name, args[place] if place < len(args) else parameter.default)
        return None

    def bind(self, args: tuple[Data, ...], kwargs: dict[str, Data]) -> tuple[tuple[Data, ...], dict[str, Data]]:
        """Move array arguments that were passed by keyword to their positions. Raises NoRule for options not covered."""
        if self.call is not None:
            try:
                found = self.call(*args, **kwargs)
            except TypeError as error:
                raise NoRule(f"{self.name}: {error}.") from None
            return (found[:-1], found[-1]) if isinstance(found[-1], dict) else (found, {})
        names, known, any_number, free, moved = self._facts
        kwargs = dict(kwargs)
        if moved is not None and len(args) > moved:
            # NumPy's positions, where the rule leaves out an option in between: np.sum(x, 0, None, None, True)
            kwargs |= {name: a for name, a in zip(self._written[moved:], args[moved:]) if a is not None}
            args = args[:moved]
        if kwargs.get("out", self) is None:
            del kwargs["out"]
        if len(args) > len(names) and not any_number:
            raise NoRule(f"{self.name}: the rule covers {', '.join(names)}, and no further positional arguments.")
        arrays = names[: len(self.derivatives)]
        while len(args) < len(arrays):  # by the rule's name for it, or by NumPy's own (tile(A=...), vstack(tup=...))
            known_as = {arrays[len(args)], *self._written[len(args) : len(args) + 1]} & kwargs.keys()
            if not known_as:
                break
            args = (*args, kwargs.pop(known_as.pop()))
        for option in kwargs:
            if option == "out" or not (free or option in known):
                raise NoRule(
                    f"{self.name}: the rule does not cover the option {option}=. "
                    "Write the step without it, or add a rule that does (README, 'Add a rule')."
                )
        return args, kwargs


def rule(
    function: Callable[..., Data],
    *,
    d: Derivatives | None = None,
    vjp: Derivatives | None = None,
    domain: Domains,
    symbol: str | None = None,
    indexed: bool = False,
    sequence: bool = False,
    call: Callable[..., tuple[Data, ...]] | None = None,
    forgets: bool = False,
    kind: str | Callable[..., str] | None = None,
    chooses: bool = False,
) -> Callable[..., Data]:
    """Teach tinyspad the derivative of a function, and return the function that takes Values.

    NumPy's own functions already ask their arguments (``__array_function__``) and come back as they are.
    A Python function comes back wrapped so that it asks, too. Give one of

    - ``d`` for an elementwise function: for each argument, a function ``(out, *args) -> partial`` that
      returns the partial derivative of ``out`` with respect to that argument, elementwise;
    - ``vjp`` for any other: for each argument, a function ``(out, *args, **kwargs)`` that returns the map
      from the adjoint of ``out`` to the adjoint of the argument. Capture only what the map needs.

    For second derivatives these are run on Values: so they are written in NumPy functions that have rules, and turn nothing
    into plain arrays (no ``np.asarray``, no ``out[i] = ...``).

    A single function stands for a one-argument tuple; None marks an argument that has no derivative. ``domain`` says
    where tests draw arguments: a ``Domain`` per argument, or, for ``vjp``, a list of example calls (tuples that may end
    in a dict of keyword arguments). ``symbol`` is an infix operator for printing. With ``indexed=True`` the one ``vjp``
    is called with the argument's position first; with ``sequence=True`` the first argument is a sequence of arrays.
    ``call``: for a function whose arguments go by several names, a function of its arguments as users write them that
    returns them by position, and options in a dict at the end. With ``forgets=True`` the tape keeps of constant
    arguments and options only what the vjp captures, so that the operation cannot be replayed (no ``derivative`` and
    ``hessian``, no program). ``kind``: which elements of an operand an element of the result reads, for paths of
    numbers: "elementwise" (always so with ``d``), "move", "reduction", "scan", "diagonal", "order", or, of a product, a
    function of its arguments that gives subscripts as einsum writes them; "dense", if nothing is said, finds out by its
    vjp, row by row. ``chooses``: that a derivative of zero leaves the argument out, as ``where`` and ``maximum`` do, so
    that nothing flows there, whatever else is on the way. A later rule replaces an earlier one (but not in the
    operators + - * / ** between scalars, which are written out).

    Raises BadInput if both or neither of ``d`` and ``vjp`` are given. Cost: one dictionary entry.

    >>> import numpy as np, tinyspad as ts
    >>> def softplus(x):
    ...     return np.log1p(np.exp(x))
    >>> softplus = ts.rule(softplus, d=lambda out, x: 1 / (1 + np.exp(-x)), domain=ts.Domain(-2, 2))
    >>> x = ts.Value(0.0)
    >>> softplus(x).backward()
    >>> x.grad
    0.5
    """
    if (d is None) == (vjp is None):
        raise BadInput("rule: give either d= (elementwise partial derivatives) or vjp= (a linear map), not both.")
    derivatives = d if d is not None else vjp
    if not isinstance(derivatives, tuple):
        derivatives = (derivatives,)
    if (
        isinstance(function, types.FunctionType)
        and not hasattr(function, "asks")
        and not (function.__module__ or "").startswith("numpy")
    ):
        function = asking(function)
    if not (callable(kind) or kind in (None, *WORDS)) or (d is not None and kind not in (None, "elementwise")):
        raise BadInput(
            f"rule: kind= is one of {', '.join(WORDS)}, or a function that gives subscripts, not {kind!r:.60}; with d= "
            "it is elementwise."
        )
    if forgets and kind not in (None, "dense", "elementwise"):
        raise BadInput(
            f"rule: with forgets=True no options are kept that kind={kind!r:.40} would need: leave kind= out."
        )
    kind = kind or ("dense" if d is None else "elementwise")
    RULES[function] = Rule(
        function, d is not None, derivatives, domain, symbol, indexed, sequence, call, forgets, kind, chooses
    )
    return function


def asking(function: Callable[..., Data]) -> Callable[..., Data]:
    """The function under NumPy's protocol: an argument that is more than an array may answer for it."""

    @functools.wraps(function)
    def dispatching(*args: Data, **kwargs: Data) -> Data:
        for a in (*args, *kwargs.values()):
            override = getattr(type(a), "__array_function__", None)
            if override is not None and not isinstance(a, np.ndarray):
                return override(a, dispatching, (type(a),), args, kwargs)
        return function(*args, **kwargs)

    dispatching.asks = True  # type: ignore[attr-defined]
    return dispatching


def is_data(x: Data) -> bool:
    """Whether these are numbers, and not a recording of how they come about, on which NumPy's functions alone work."""
    return isinstance(x, (float, int, np.ndarray, np.generic))


def unbroadcast(g: Data, shape: tuple[int, ...]) -> Data:
    """Sum g over the axes along which an array of this shape was broadcast: the transpose of broadcasting."""
    if np.shape(g) == shape:
        return g
    if shape == ():
        return np.sum(g)
    extra = np.ndim(g) - len(shape)
    axes = tuple(range(extra)) + tuple(extra + i for i, n in enumerate(shape) if n == 1 and np.shape(g)[extra + i] != 1)
    return np.reshape(np.sum(g, axis=axes), shape)


def _single(x: Data) -> Data:
    return x.astype(np.float32) if isinstance(x, (np.ndarray, np.generic)) and x.dtype.char == "e" else x


def _as_numpy(x: Data) -> Data:
    return np.float64(x) if isinstance(x, (int, float)) else x


def _broadcast_vjp(local: Data, shape: tuple[int, ...]) -> Vjp:
    return lambda g: unbroadcast(g * local, shape)
