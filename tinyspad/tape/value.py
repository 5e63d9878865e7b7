"""Value, the box that NumPy dispatches on: what it shows, backward(), and what would lose the gradient."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import BadInput, ChangedData, DroppedGradient, NotScalar
from ..rules import RULES, Pair, Rows, relu
from .backward import accumulate
from .data import floats, gradient_form
from .dispatch import dispatch, into_an_array, written_in_others
from .entry import ARGS, GRAD, LEAF_DATA, NAME, ORDER, RULE, Entry, Lent, called, tick
from .methods import ArrayMethods
from .nesting import refuse_foreign
from .operators import arithmetic, by_rule, method, of_one, power
from .record import Operand, innermost, look, looked_at, new, record


class Value(ArrayMethods):
    """A number or an array of numbers that remembers how it was made.

    A drop-in for micrograd's ``Value`` that also takes arrays and plain NumPy code::

        Value(data, name="x")

    ``data``: a Python or NumPy number, or anything ``np.array`` makes floats of; integers and booleans become
    float64, float32 stays float32. The data is copied: changing your array later changes nothing here.
    ``_children`` and ``_op`` are micrograd's, accepted empty. Raises BadInput for complex, object, string and
    masked data. Cost: about a microsecond for + - * / ** and relu on scalars, five for a
    NumPy function of one, ten and up on arrays.

    Gradients accumulate in ``grad`` until you zero them. Comparisons and ``bool`` act on the data. A Value
    compares by data but hashes by identity, as micrograd's sets need.

    >>> x = Value(3.0, name="x")
    >>> y = x * x + 1
    >>> y.backward()
    >>> y.data, x.grad
    (10.0, 6.0)
    """

    __slots__ = ()
    __hash__ = object.__hash__
    depth = 1

    def __init__(self, data: Any, _children: Any = (), _op: str = "", *, name: str | None = None) -> None:
        if _children:
            raise BadInput(
                "Value(data, _children, _op) would record an operation without its partial derivatives, and the "
                "gradient would stop there. Give the operation a rule (ts.rule) and call it on Values."
            )
        if isinstance(data, Value):
            raise BadInput("Value(...) of a Value: it is one already; use it as it is, or its .data for a copy.")
        self._data = floats(data)
        self._node: Entry = [0, None, 0.0, None, None, self._data, name, None]

    # --- what a Value shows -----------------------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The number or array. A leaf's may be replaced or changed in place; a result's is read-only.

        Changing a leaf between a forward pass and its backward() makes that backward() raise ChangedData.
        """
        look()
        data = self._data
        if isinstance(data, Operand):
            return innermost(data)
        node = self._node
        if data.__class__ is np.ndarray and node[RULE] is None and node[ARGS] is None:
            # From here on the caller can write into this array: the tape keeps to snapshots of it.
            node[ARGS] = Lent(data.copy(), data)
            self._data = data = node[ARGS].array
        return data

    @data.setter
    def data(self, data: Any) -> None:
        node = self._node
        if node[RULE] is not None:
            raise ChangedData(
                f"{called(node)} is the result of {node[RULE].name}; its data cannot be set, or its gradient would "
                "be that of another number. Make a new Value, or change the leaf it was computed from."
            )
        if data is self._data:  # the second half of x.data -= step on an array that was lent out
            return
        self._data = node[LEAF_DATA] = floats(data)
        node[ARGS] = None
        node[ORDER] = tick()

    @property
    def grad(self) -> Any:
        """The accumulated gradient: zero until backward() reaches this Value, or after it was set to None.

        It may be set to a number, which stands for all elements, or to an array of the data's shape; anything else raises
        BadInput.
        """
        grad = self._node[GRAD]
        if (
            self._data.__class__ is np.ndarray and grad.__class__ is not np.ndarray
        ):  # kept, so that it can be written into
            self._node[GRAD] = grad = grad.dense() if grad.__class__ is Rows else np.full_like(self._data, grad)
        return grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        self._node[GRAD] = gradient_form(grad, self._data, called(self._node))

    @property
    def name(self) -> str | None:
        """A name for printing and drawing; None if it was not given one."""
        return self._node[NAME]

    @name.setter
    def name(self, name: str | None) -> None:
        self._node[NAME] = name

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the data; () for a scalar."""
        return np.shape(innermost(self))

    @property
    def ndim(self) -> int:
        """The number of axes of the data."""
        return np.ndim(innermost(self))

    @property
    def size(self) -> int:
        """The number of elements of the data."""
        return int(np.size(innermost(self)))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the data."""
        return np.result_type(innermost(self))

    def __repr__(self) -> str:
        look()
        name = "" if self.name is None else f", name={self.name!r}"
        return f"Value(data={self._data!r}, grad={self.grad!r}{name})"

    def __format__(self, spec: str) -> str:
        look()
        return format(self._data, spec) if spec else repr(self)

    # --- backward ---------------------------------------------------------------------------------------

    def backward(self, seed: Any = None) -> None:
        """Add d(self)/d(v) to ``v.grad`` for every Value v that self was computed from.

        ``seed`` is the adjoint of self, of self's shape; it may be left out when self is one number (it is 1).
        Raises NotScalar without a seed on an array, ChangedData if a leaf was changed since it was read.
        Cost: one pass over the operations behind self, no recursion. Calling it twice adds exactly twice. A result's own
        ``grad`` is kept for scalars, and for arrays whose Value is still held.

        >>> import numpy as np
        >>> x = Value([1.0, 2.0])
        >>> (x * x).backward(np.array([1.0, 10.0]))
        >>> x.grad
        array([ 2., 40.])
        """
        refuse_foreign(self, "What backward() starts from")
        seed = 1.0 if seed is None and self._data.__class__ is float else self._checked_seed(seed)
        accumulate(self._node, seed)
        outer = self._data
        while isinstance(outer, Operand):  # what a function that has ended left behind
            accumulate(outer._node, seed)
            outer = outer._data

    def _checked_seed(self, seed: Any) -> Any:
        shape = self.shape
        if seed is None:
            if self.size != 1:
                raise NotScalar(
                    f"backward: {called(self._node)} has shape {shape}, so it has no single gradient. Call "
                    f".sum().backward(), or .backward(np.ones({shape})) to say how the elements are weighted."
                )
            seed = np.ones(shape)
        elif isinstance(seed, np.ma.MaskedArray) or np.asarray(seed).dtype.kind not in "fiub":
            raise BadInput(f"backward: the seed is a number or an array of numbers, not {seed!r:.60}.")
        elif np.shape(seed) != shape:
            raise BadInput(f"backward: the seed has shape {np.shape(seed)}, the value has shape {shape}.")
        return float(seed) if self._data.__class__ is float else np.array(seed, self.dtype)[()]

    # --- arithmetic: between numbers by itself, everything else goes through NumPy ------------------------

    __add__, __radd__ = arithmetic(np.add, lambda a, b: (a + b, 1.0, 1.0))
    __sub__, __rsub__ = arithmetic(np.subtract, lambda a, b: (a - b, 1.0, -1.0))
    __mul__, __rmul__ = arithmetic(np.multiply, lambda a, b: (a * b, 1.0 * b, 1.0 * a))
    __truediv__, __rtruediv__ = arithmetic(np.divide, lambda a, b: (a / b, 1 / b, -(a / b) / b))
    __pow__, __rpow__ = arithmetic(np.power, power)
    __mod__, __rmod__ = by_rule(np.remainder)
    __floordiv__, __rfloordiv__ = by_rule(np.floor_divide)
    __matmul__, __rmatmul__ = by_rule(np.matmul)
    __neg__ = of_one(np.negative, lambda a: (-a, -1.0))
    relu = of_one(relu, lambda a: (0.0 if a < 0 else a, 1.0 if a > 0 else 0.0))
    __pos__, __abs__ = method(np.positive), method(np.absolute)

    # --- comparisons act on the data ----------------------------------------------------------------------

    def __bool__(self) -> bool:
        look()
        return bool(self._data)

    def __eq__(self, other: Any) -> Any:
        return self._data == looked_at(other)

    def __ne__(self, other: Any) -> Any:
        return self._data != looked_at(other)

    def __lt__(self, other: Any) -> Any:
        return self._data < looked_at(other)

    def __le__(self, other: Any) -> Any:
        return self._data <= looked_at(other)

    def __gt__(self, other: Any) -> Any:
        return self._data > looked_at(other)

    def __ge__(self, other: Any) -> Any:
        return self._data >= looked_at(other)

    # --- indexing and iterating; the other methods of arrays are in ``methods`` -----------------------------------

    def __getitem__(self, key: Any) -> Value:
        parts = key if isinstance(key, tuple) else (key,)
        if any(isinstance(part, Value) for part in parts):
            raise DroppedGradient(
                "An index has no derivative: write int(i.data), or i.data.astype(int), for the index i."
            )
        if isinstance(innermost(self), (float, np.generic)):  # as NumPy's scalars: only axes may be added
            if any(part is not None and part is not Ellipsis for part in parts) or parts.count(Ellipsis) > 1:
                raise BadInput(
                    f"{called(self._node)} is one number and has no elements; there is no [{key!r:.60}] of it."
                )
            axes = (1,) * parts.count(None)
            return record(RULES[np.reshape], (self, axes)) if axes else self
        return record(RULES[operator.getitem], (self, key))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("A scalar Value has no len().")
        return self.shape[0]

    def __iter__(self) -> Iterator[Value]:
        if not self.shape:
            raise TypeError("A scalar Value cannot be iterated over.")
        return (self[i] for i in range(self.shape[0]))

    # --- what would lose the gradient is refused -----------------------------------------------------------

    def __setitem__(self, key: Any, value: Any) -> None:
        raise DroppedGradient(
            "A Value's elements cannot be assigned: the tape would not see it. Build the result with np.where, "
            "np.concatenate or np.stack, or change x.data of a leaf before the forward pass."
        )

    def __reduce__(self) -> Any:
        refuse_foreign(self, "A copy")
        if self._node[RULE] is not None:
            raise DroppedGradient(
                f"Copying or pickling the result of {self._node[RULE].name} would cut it off its tape. Copy its .data, "
                "or the leaves it was computed from."
            )
        return _leaf, (self._data, self.name, self._node[GRAD])

    def __copy__(self) -> Value:
        if self._node[RULE] is None:
            refuse_foreign(self, "A copy")
            return _leaf(self._data, self.name, self._node[GRAD])
        twin = new(Value)  # the data of a result never changes, so both may stand for it
        twin._data, twin._node = self._data, self._node
        return twin

    def __float__(self) -> float:
        raise _lost(
            self._node, "float(), or math.cos and the like,", "NumPy's function of that name (np.cos), or x.data"
        )

    def __int__(self) -> int:
        raise _lost(self._node, "int()", "np.floor or np.rint, or int(x.data)")

    def __round__(self, digits: int = 0) -> int:
        raise _lost(self._node, "round()", "np.rint, or round(x.data)")

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __trunc__(self) -> int:
        raise _lost(self._node, "math.trunc()", "np.trunc(x), or math.trunc(x.data)")

    def __xor__(self, other: Any) -> Any:
        raise BadInput("^ is not a power in Python: write x ** 2.")

    __rxor__ = __xor__

    def __index__(self) -> int:
        raise _lost(self._node, "Using it as an index, or as a length,", "int(x.data)", "int({}.data)")

    def __complex__(self) -> complex:
        raise _lost(self._node, "complex()", "x.data: tinyspad works on real numbers")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise _lost(
            self._node,
            "np.array(), or a function or method that makes a plain array of it,",
            "np.stack([...]) to join Values, NumPy's function for an array's method (np.dot(a, x) for a.dot(x)), or x.data",
        )

    # --- NumPy's protocols -----------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs.get("out") is not None:
            raise into_an_array(ufunc)
        if len(inputs) > 1:
            for x in inputs:
                if isinstance(x, Pair):
                    return NotImplemented
        if method != "__call__":
            return written_in_others().method_of(ufunc, method, inputs, kwargs)
        return dispatch(ufunc, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if kwargs.get("out") is not None:
            raise into_an_array(function)
        if len(types) > 1 and any(issubclass(kind, Pair) for kind in types):
            return NotImplemented
        return dispatch(function, args, kwargs)


for _name, _method in (*vars(Value).items(), *vars(ArrayMethods).items()):
    if getattr(_method, "__module__", None) == arithmetic.__module__:  # for help() and tracebacks
        _method.__name__, _method.__qualname__ = _name, f"Value.{_name}"


def _lost(*told: Any) -> DroppedGradient:
    """What NumPy does not pass on; by a module that is loaded for it."""
    from .lost import lost

    return lost(*told)


_at_depth: dict[int, type[Value]] = {1: Value}


def leaf_at(depth: int, data: Any, name: str | None) -> Value:
    """A leaf of this depth."""
    if depth not in _at_depth:
        _at_depth[depth] = type("Value", (Value,), {"__slots__": (), "depth": depth, "__module__": __name__})
    leaf = new(_at_depth[depth])
    leaf._data, leaf._node = data, [0, None, 0.0, None, None, data, name, None]
    return leaf


def _leaf(data: Any, name: str | None, grad: Any) -> Value:
    value = Value(data, name=name)
    value.grad = grad
    return value
