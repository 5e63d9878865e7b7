"""Value, the box that NumPy dispatches on, and how it enters what is done with it on the tape."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any
from weakref import ref

import numpy as np

from ..errors import BadInput, ChangedData, DroppedGradient, NoRule, NotScalar
from ..rules import PLAIN, RULES, Rows, Rule, relu
from .data import floats, frozen, gradient_form, recorded_form
from .entry import ARGS, FORGOTTEN, GRAD, HOLE, LEAF_DATA, NAME, ORDER, RULE, Entry, Lent, accumulate, called, tick
from .recording import refuse_foreign

_new = object.__new__

_ADD, _SUBTRACT, _MULTIPLY = RULES[np.add], RULES[np.subtract], RULES[np.multiply]
_DIVIDE, _POWER, _NEGATIVE = RULES[np.divide], RULES[np.power], RULES[np.negative]
_RELU = RULES[relu]


class Value:
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

    __slots__ = ("__weakref__", "_data", "_node")
    __hash__ = object.__hash__

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
        data = self._data
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
        self._node[GRAD] = 0.0 if grad is None else gradient_form(grad, self._data, called(self._node))

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
        return np.shape(self._data)

    @property
    def ndim(self) -> int:
        """The number of axes of the data."""
        return np.ndim(self._data)

    @property
    def size(self) -> int:
        """The number of elements of the data."""
        return int(np.size(self._data))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the data."""
        return np.result_type(self._data)

    def __repr__(self) -> str:
        name = "" if self.name is None else f", name={self.name!r}"
        return f"Value(data={self._data!r}, grad={self.grad!r}{name})"

    def __format__(self, spec: str) -> str:
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
        accumulate(self._node, 1.0 if seed is None and self._data.__class__ is float else self._checked_seed(seed))

    def _checked_seed(self, seed: Any) -> Any:
        shape = np.shape(self._data)
        if seed is None:
            if self.size != 1:
                raise NotScalar(
                    f"backward: {called(self._node)} has shape {shape}, so it has no single gradient. Call "
                    f".sum().backward(), or .backward(np.ones({shape})) to say how the elements are weighted."
                )
            seed = np.ones(shape)
        elif np.shape(seed) != shape:
            raise BadInput(f"backward: the seed has shape {np.shape(seed)}, the value has shape {shape}.")
        return float(seed) if self._data.__class__ is float else np.array(seed, self.dtype)[()]

    # --- arithmetic: the scalar cases are written out, everything else goes through NumPy -----------------

    def __add__(self, other: Any) -> Value:
        a = self._data
        if other.__class__ is Value:
            b = other._data
            if a.__class__ is float and b.__class__ is float:
                out = _new(Value)
                out._data = a + b
                out._node = [tick(), None, 0.0, _ADD, None, None, None, None, self._node, 1.0, other._node, 1.0]
                return out
        elif a.__class__ is float and (other.__class__ is float or other.__class__ is int):
            out = _new(Value)
            out._data = a + other
            out._node = [tick(), None, 0.0, _ADD, (HOLE, other), None, None, None, self._node, 1.0]
            return out
        return _operate(_ADD, self, other)

    def __radd__(self, other: Any) -> Value:
        a = self._data
        if a.__class__ is float and (other.__class__ is float or other.__class__ is int):
            out = _new(Value)
            out._data = other + a
            out._node = [tick(), None, 0.0, _ADD, (other, HOLE), None, None, None, self._node, 1.0]
            return out
        return _operate(_ADD, other, self)

    def __sub__(self, other: Any) -> Value:
        a = self._data
        if other.__class__ is Value:
            b = other._data
            if a.__class__ is float and b.__class__ is float:
                out = _new(Value)
                out._data = a - b
                out._node = [tick(), None, 0.0, _SUBTRACT, None, None, None, None, self._node, 1.0, other._node, -1.0]
                return out
        elif a.__class__ is float and (other.__class__ is float or other.__class__ is int):
            out = _new(Value)
            out._data = a - other
            out._node = [tick(), None, 0.0, _SUBTRACT, (HOLE, other), None, None, None, self._node, 1.0]
            return out
        return _operate(_SUBTRACT, self, other)

    def __rsub__(self, other: Any) -> Value:
        a = self._data
        if a.__class__ is float and (other.__class__ is float or other.__class__ is int):
            out = _new(Value)
            out._data = other - a
            out._node = [tick(), None, 0.0, _SUBTRACT, (other, HOLE), None, None, None, self._node, -1.0]
            return out
        return _operate(_SUBTRACT, other, self)

    def __mul__(self, other: Any) -> Value:
        a = self._data
        if other.__class__ is Value:
            b = other._data
            if a.__class__ is float and b.__class__ is float:
                out = _new(Value)
                out._data = a * b
                out._node = [tick(), None, 0.0, _MULTIPLY, None, None, None, None, self._node, b, other._node, a]
                return out
        elif a.__class__ is float and (other.__class__ is float or other.__class__ is int):
            out = _new(Value)
            out._data = a * other
            out._node = [tick(), None, 0.0, _MULTIPLY, (HOLE, other), None, None, None, self._node, float(other)]
            return out
        return _operate(_MULTIPLY, self, other)

    def __rmul__(self, other: Any) -> Value:
        a = self._data
        if a.__class__ is float and (other.__class__ is float or other.__class__ is int):
            out = _new(Value)
            out._data = other * a
            out._node = [tick(), None, 0.0, _MULTIPLY, (other, HOLE), None, None, None, self._node, float(other)]
            return out
        return _operate(_MULTIPLY, other, self)

    def __truediv__(self, other: Any) -> Value:
        a = self._data
        if other.__class__ is Value:
            b = other._data
            if a.__class__ is float and b.__class__ is float and b:
                out = _new(Value)
                out._data = ratio = a / b
                out._node = [
                    tick(),
                    None,
                    0.0,
                    _DIVIDE,
                    None,
                    None,
                    None,
                    None,
                    self._node,
                    1 / b,
                    other._node,
                    -ratio / b,
                ]
                return out
        elif a.__class__ is float and (other.__class__ is float or other.__class__ is int) and other:
            out = _new(Value)
            out._data = a / other
            out._node = [tick(), None, 0.0, _DIVIDE, (HOLE, other), None, None, None, self._node, 1 / other]
            return out
        return _operate(_DIVIDE, self, other)

    def __rtruediv__(self, other: Any) -> Value:
        a = self._data
        if a.__class__ is float and (other.__class__ is float or other.__class__ is int) and a:
            out = _new(Value)
            out._data = ratio = other / a
            out._node = [tick(), None, 0.0, _DIVIDE, (other, HOLE), None, None, None, self._node, -ratio / a]
            return out
        return _operate(_DIVIDE, other, self)

    def __pow__(self, other: Any) -> Value:
        a = self._data
        if a.__class__ is float and (
            (other.__class__ is int and other and (a or other > 0)) or (other.__class__ is float and other and a > 0)
        ):
            try:
                power, partial = a**other, other * a ** (other - 1)
            except OverflowError:
                return _operate(_POWER, self, other)
            out = _new(Value)
            out._data = power
            out._node = [tick(), None, 0.0, _POWER, (HOLE, other), None, None, None, self._node, partial]
            return out
        return _operate(_POWER, self, other)

    def __rpow__(self, other: Any) -> Value:
        return _operate(_POWER, other, self)

    def __neg__(self) -> Value:
        a = self._data
        if a.__class__ is float:
            out = _new(Value)
            out._data = -a
            out._node = [tick(), None, 0.0, _NEGATIVE, None, None, None, None, self._node, -1.0]
            return out
        return record(_NEGATIVE, (self,))

    def relu(self) -> Value:
        """max(self, 0); its derivative at 0 is 0."""
        a = self._data
        if a.__class__ is float:
            out = _new(Value)
            out._data = 0.0 if a < 0 else a
            out._node = [tick(), None, 0.0, _RELU, None, None, None, None, self._node, 1.0 if a > 0 else 0.0]
            return out
        return record(_RELU, (self,))

    def __pos__(self) -> Value:
        return record(RULES[np.positive], (self,))

    def __abs__(self) -> Value:
        return record(RULES[np.absolute], (self,))

    def __mod__(self, other: Any) -> Value:
        return _operate(RULES[np.remainder], self, other)

    def __rmod__(self, other: Any) -> Value:
        return _operate(RULES[np.remainder], other, self)

    def __floordiv__(self, other: Any) -> Value:
        return _operate(RULES[np.floor_divide], self, other)

    def __rfloordiv__(self, other: Any) -> Value:
        return _operate(RULES[np.floor_divide], other, self)

    def __matmul__(self, other: Any) -> Value:
        return _operate(RULES[np.matmul], self, other)

    def __rmatmul__(self, other: Any) -> Value:
        return _operate(RULES[np.matmul], other, self)

    # --- comparisons act on the data ----------------------------------------------------------------------

    def __bool__(self) -> bool:
        return bool(self._data)

    def __eq__(self, other: Any) -> Any:
        return self._data == plain(other)

    def __ne__(self, other: Any) -> Any:
        return self._data != plain(other)

    def __lt__(self, other: Any) -> Any:
        return self._data < plain(other)

    def __le__(self, other: Any) -> Any:
        return self._data <= plain(other)

    def __gt__(self, other: Any) -> Any:
        return self._data > plain(other)

    def __ge__(self, other: Any) -> Any:
        return self._data >= plain(other)

    # --- the methods of arrays ------------------------------------------------------------------------------

    def exp(self) -> Value:
        """np.exp(self)."""
        return record(RULES[np.exp], (self,))

    def log(self) -> Value:
        """np.log(self)."""
        return record(RULES[np.log], (self,))

    def sqrt(self) -> Value:
        """np.sqrt(self)."""
        return record(RULES[np.sqrt], (self,))

    def sin(self) -> Value:
        """np.sin(self)."""
        return record(RULES[np.sin], (self,))

    def cos(self) -> Value:
        """np.cos(self)."""
        return record(RULES[np.cos], (self,))

    def tanh(self) -> Value:
        """np.tanh(self)."""
        return record(RULES[np.tanh], (self,))

    def sum(self, axis: Any = None, keepdims: bool = False) -> Value:
        """np.sum(self, axis, keepdims=keepdims)."""
        return record(RULES[np.sum], (self,), {"axis": axis, "keepdims": keepdims})

    def mean(self, axis: Any = None, keepdims: bool = False) -> Value:
        """np.mean(self, axis, keepdims=keepdims)."""
        return record(RULES[np.mean], (self,), {"axis": axis, "keepdims": keepdims})

    def prod(self, axis: Any = None, keepdims: bool = False) -> Value:
        """np.prod(self, axis, keepdims=keepdims)."""
        return record(RULES[np.prod], (self,), {"axis": axis, "keepdims": keepdims})

    def max(self, axis: Any = None, keepdims: bool = False) -> Value:
        """np.max(self, axis, keepdims=keepdims); a tie shares the derivative equally."""
        return record(RULES[np.max], (self,), {"axis": axis, "keepdims": keepdims})

    def min(self, axis: Any = None, keepdims: bool = False) -> Value:
        """np.min(self, axis, keepdims=keepdims); a tie shares the derivative equally."""
        return record(RULES[np.min], (self,), {"axis": axis, "keepdims": keepdims})

    def var(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Value:
        """np.var(self, axis, ddof=ddof, keepdims=keepdims)."""
        return record(RULES[np.var], (self,), {"axis": axis, "ddof": ddof, "keepdims": keepdims})

    def std(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Value:
        """np.std(self, axis, ddof=ddof, keepdims=keepdims)."""
        return record(RULES[np.std], (self,), {"axis": axis, "ddof": ddof, "keepdims": keepdims})

    def cumsum(self, axis: Any = None) -> Value:
        """np.cumsum(self, axis)."""
        return record(RULES[np.cumsum], (self,), {"axis": axis})

    def clip(self, min: Any = None, max: Any = None) -> Value:
        """np.clip(self, min, max); at a bound the derivative is 1/2."""
        return record(RULES[np.clip], (self, min, max))

    def ravel(self) -> Value:
        """np.ravel(self)."""
        return record(RULES[np.ravel], (self,))

    def squeeze(self, axis: Any = None) -> Value:
        """np.squeeze(self, axis)."""
        return record(RULES[np.squeeze], (self,), {"axis": axis})

    def dot(self, other: Any) -> Value:
        """np.dot(self, other)."""
        return record(RULES[np.dot], (self, other))

    def reshape(self, *shape: Any) -> Value:
        """np.reshape(self, shape)."""
        return record(RULES[np.reshape], (self, shape[0] if len(shape) == 1 else shape))

    def transpose(self, *axes: Any) -> Value:
        """np.transpose(self, axes)."""
        return record(RULES[np.transpose], (self, axes[0] if len(axes) == 1 else axes or None))

    @property
    def T(self) -> Value:
        """The transpose."""
        return record(RULES[np.transpose], (self,))

    def __getitem__(self, key: Any) -> Value:
        parts = key if isinstance(key, tuple) else (key,)
        if any(isinstance(part, Value) for part in parts):
            raise DroppedGradient("An index has no derivative: index with .data turned into integers.")
        if isinstance(self._data, (float, np.generic)):  # as NumPy's scalars: only axes may be added
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
        if self._node[RULE] is not None:
            raise DroppedGradient(
                f"Copying or pickling the result of {self._node[RULE].name} would cut it off its tape. Copy its .data, "
                "or the leaves it was computed from."
            )
        return _leaf, (self._data, self.name, self._node[GRAD])

    def __copy__(self) -> Value:
        if self._node[RULE] is None:
            return _leaf(self._data, self.name, self._node[GRAD])
        twin = _new(Value)  # the data of a result never changes, so both may stand for it
        twin._data, twin._node = self._data, self._node
        return twin

    def _refuse(self, what: str, instead: str) -> Any:
        raise DroppedGradient(
            f"{what} would turn {called(self._node)} into a plain number and drop its gradient. {instead}"
        )

    def __float__(self) -> float:
        return self._refuse(
            "float(), or math.cos and the like,", "Use NumPy's function of that name (np.cos), or x.data."
        )

    def __int__(self) -> int:
        return self._refuse("int()", "Use np.floor or np.rint, or int(x.data).")

    def __round__(self, digits: int = 0) -> int:
        return self._refuse("round()", "Use np.rint, or round(x.data).")

    def __xor__(self, other: Any) -> Any:
        raise BadInput("^ is not a power in Python: write x ** 2.")

    __rxor__ = __xor__

    def __index__(self) -> int:
        return self._refuse("Using it as an index", "Use int(x.data).")

    def __complex__(self) -> complex:
        return self._refuse("complex()", "tinyspad works on real numbers; use .data.")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        self._refuse(
            "np.array(), np.asarray(), or a method of a plain array (out[:] = x, a.dot(x))",
            "Use np.stack([...]) to join Values, a @ x for a.dot(x), or .data for the numbers.",
        )

    # --- NumPy's protocols -----------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        function: Any = ufunc
        if method == "__call__" and not kwargs:
            return _dispatch(ufunc, inputs, kwargs)
        if method != "__call__":
            function = _REDUCTIONS.get((ufunc, method))
            if function is None:
                raise NoRule(f"{ufunc.__name__}.{method} has no rule. Write it with np.sum, np.prod, np.max or a loop.")
            kwargs.setdefault("axis", 0)
            inputs, kwargs = inputs[:1], {k: v for k, v in kwargs.items() if v is not None or k == "axis"}
        if kwargs.get("out") is not None:
            raise _into_an_array(function)
        return _dispatch(function, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if kwargs.get("out") is not None:
            raise _into_an_array(function)
        return _dispatch(function, args, kwargs)


_REDUCTIONS: dict[Any, Callable[..., Any]] = {
    (np.add, "reduce"): np.sum,
    (np.multiply, "reduce"): np.prod,
    (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min,
    (np.add, "accumulate"): np.cumsum,
}


_WRITING = {np.put, np.place, np.putmask, np.copyto, np.fill_diagonal, np.put_along_axis}
"""Functions that write into their first argument."""


def _into_an_array(function: Any) -> DroppedGradient:
    remedy = (
        "Collect the Values in a list, and join them: np.stack([...])."
        if function in _WRITING
        else "Write y = x + v instead of x += v."
    )
    return DroppedGradient(
        f"{function.__name__}: writing a Value into an existing array (out=, or += on an array) would drop its gradient. "
        + remedy
    )


def _spelled(function: Any) -> str:
    """How a user writes a function: np.sinc, np.linalg.eigh; what is not NumPy's own goes by its name alone."""
    name = getattr(function, "__name__", str(function))
    for prefix, module in (("np", np), ("np.linalg", np.linalg), ("np.fft", np.fft)):
        if getattr(module, name, None) is function:
            return f"{prefix}.{name}"
    return str(name)


def _leaf(data: Any, name: str | None, grad: Any) -> Value:
    value = Value(data, name=name)
    value.grad = grad
    return value


def plain(x: Any) -> Any:
    """The data of a Value, lists of Values included; anything else as it is."""
    if isinstance(x, Value):
        return x._data
    if isinstance(x, (list, tuple)):
        return type(x)(plain(item) for item in x)
    return x


def record(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> Any:
    """Evaluate rule.function on the data of its arguments and enter it on the tape."""
    if kwargs or len(args) > len(rule.derivatives):
        args, kwargs = rule.bind(args, kwargs or {})
        kwargs = {option: frozen(setting) for option, setting in kwargs.items()}
    else:
        kwargs = {}
    operands = args[0] if rule.sequence else args
    arrays = len(operands) if rule.elementwise or rule.sequence or rule.indexed else len(rule.derivatives)
    data = [_read(x, i < arrays) for i, x in enumerate(operands)]
    rest = tuple(frozen(a) for a in args[1:]) if rule.sequence else ()
    call = (data, *rest) if rule.sequence else tuple(data)
    result = recorded_form(rule.function(*call, **kwargs), rule)
    scalar = result.__class__ is float and rule.elementwise
    if rule.elementwise and not scalar:  # an int8 constant must not overflow in a derivative
        call = tuple(_as_precise(x, result.dtype) for x in call)
    edges: list[Any] = []
    holes = list(data)
    with np.errstate(all="ignore"):  # an infinite slope is reported where it is used, not where it arises
        for i, operand in enumerate(operands):
            if isinstance(operand, Value):
                edge = (
                    rule.scalar_edge(i, result, call, kwargs) if scalar else rule.edge(i, result, data[i], call, kwargs)
                )
                if edge is not None:
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
    out = _new(Value)
    out._data = result
    owner = ref(out) if result.__class__ is np.ndarray else None
    out._node = [tick(), None, 0.0, rule, shown, kwargs or None, None, owner, *edges]
    return out


def _read(x: Any, as_array: bool) -> Any:
    """The data of an operand: a Value's, or a constant's (a list of numbers becomes an array where one is wanted)."""
    if x.__class__ is Value:
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


def _as_precise(x: Any, dtype: Any) -> Any:
    if isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "iuf" and x.dtype != dtype:
        return x.astype(dtype)
    return x


def _refuse_values_in(x: Any) -> None:
    if isinstance(x, Value):
        raise DroppedGradient("A list of Values is no array: join them with np.stack([...]) first.")
    if isinstance(x, (list, tuple)):
        for item in x:
            _refuse_values_in(item)


def _operate(rule: Rule, *args: Any) -> Any:
    """An operator: leave what is not a number to Python, which then names the types."""
    for a in args:
        if a is None or isinstance(a, (str, bytes, dict, set)):
            return NotImplemented
    return record(rule, args)


def _dispatch(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a NumPy function does when one of its arguments is a Value."""
    rule = RULES.get(function)
    if rule is None or (function is np.where and len(args) == 1):
        if function in PLAIN or function is np.where:
            return function(*plain(args), **{k: plain(v) for k, v in kwargs.items()})
        if function in _WRITING:
            raise _into_an_array(function)
        name, called_as = getattr(function, "__name__", str(function)), _spelled(function)
        position = next((i + 1 for i, a in enumerate(args) if isinstance(a, Value)), "of a sequence")
        derivative = "d" if isinstance(function, np.ufunc) and function.signature is None else "vjp"
        raise NoRule(
            f"{name} has no rule, so the gradient through its argument {position} would be lost. Write it with other NumPy "
            f"functions, or teach tinyspad its derivative: ts.rule({called_as}, {derivative}=...) (README, 'Add a rule')."
        )
    return record(rule, args, kwargs)
