"""trace(): run a function on recording Values and return its graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, overload

import numpy as np

from ..arguments import name_of, parameter_names
from ..containers import Form, flattened
from ..errors import BadInput, ChangedData
from ..tape import Value, refuse_foreign, run_on, was_changed
from .derivatives import Jacobian, blocks_of
from .elements import Elements
from .graph import LCG


@overload
def trace(f: Callable[..., Any], *args: Any, elements: Literal[False] = False) -> LCG: ...


@overload
def trace(f: Callable[..., Any], *args: Any, elements: bool) -> LCG | Elements: ...


def trace(f: Callable[..., Any], *args: Any, elements: bool = False) -> LCG | Elements:
    """Run f once on recording Values and return its linearized computational graph in single-access form.

    ``f``: a plain NumPy function of ``len(args)`` parameters that returns one number, or one array of independent runs.
    ``args``: the point, numbers or float arrays; parameters are named after f's own. A dict, list or tuple of them is a
    container of parameters, which are called "p['w']" and "p[1]"; ``gradient()`` gives it back, and all else goes by these
    names. (A list of plain numbers is one array, there and by itself.)
    ``elements=True`` gives ``lcg.elements()``, the graph of the numbers in arrays. Raises BadInput when f returns
    something else, and whatever f itself raises. Cost: f plus O(operations); nothing recurses.

    >>> import numpy as np, tinyspad as ts
    >>> print(ts.trace(lambda x, y: np.exp(x) * (x + y), 1.0, 2.0))
    x <- Param_0
    y <- Param_1
    x1, x2 <- x
    a <- exp(x1)
    b <- x2 + y
    z <- a * b
    Return z
    """
    lcg = trace_as(*_flat(f, args))
    return lcg.elements() if elements else lcg


def _flat(f: Callable[..., Any], args: Sequence[Any]) -> tuple[list[str], Callable[..., Any], list[Any], Form | None]:
    f, names, leaves, form = flattened(f, parameter_names(f, len(args)), args)
    return names, f, leaves, form


def trace_as(names: list[str], f: Callable[..., Any], args: Sequence[Any], form: Form | None = None) -> LCG:
    """:func:`trace` with the parameters' names given, for loops that need not ask f for them every time."""
    params, output = _run(names, f, args)
    if isinstance(output, (tuple, list)) or (isinstance(output, np.ndarray) and output.dtype == object):
        raise BadInput(
            f"{name_of(f)} returned several outputs; trace takes one. ts.jacobian takes several; or join them with "
            "np.stack([...])."
        )
    return LCG(_output(f, output), params, f, lambda *at: trace_as(names, f, at, form), form)


def jacobian(f: Callable[..., Any], *args: Any) -> Jacobian:
    """The derivatives of a function of one or several outputs by all its parameters, from one evaluation.

    ``f``: a plain NumPy function that returns a number, an array, or a tuple or list of them. ``args``: the point, as for
    ``trace``; what is in containers goes by its name, "p['w']". An array counts as so many outputs, even if it is a batch
    of runs. Raises as ``trace`` does. Cost: f, and one reverse sweep for each element of the outputs. (For the product with
    one direction, ``LCG.jvp`` takes one.)

    >>> import numpy as np, tinyspad as ts
    >>> polar = ts.jacobian(lambda r, angle: (r * np.cos(angle), r * np.sin(angle)), 2.0, 1.0)
    >>> polar.matrix.round(2)
    array([[ 0.54, -1.68],
           [ 0.84,  1.08]])
    >>> ts.jacobian(lambda x: x**2, np.array([1.0, 3.0])).blocks[0]["x"]
    array([[2., 0.],
           [0., 6.]])
    """
    names, f, leaves, _ = _flat(f, args)
    params, output = _run(names, f, leaves)
    outputs = list(output) if isinstance(output, (tuple, list)) else [output]
    if not outputs:
        raise BadInput(f"{name_of(f)} returned no outputs.")
    lcgs = tuple(LCG(_output(f, value), params, None) for value in outputs)
    return Jacobian(tuple(names), tuple(lcg.value for lcg in lcgs), tuple(map(blocks_of, lcgs)), lcgs)


def _run(names: list[str], f: Callable[..., Any], args: Sequence[Any]) -> tuple[dict[str, Value], Any]:
    for name, arg in zip(names, args):
        refuse_foreign(arg, f'The point "{name}" at which {name_of(f)} is traced')
    params = {name: Value(arg, name=name) for name, arg in zip(names, args)}
    output = run_on(f, params.values())
    for name, value in params.items():
        if was_changed(value._node):
            raise ChangedData(
                f'{name_of(f)} changed the data of its own argument "{name}"; compute with new names instead.'
            )
    return params, output


def _output(f: Callable[..., Any], output: Any) -> Any:
    """A Value, or a number or array that does not depend on the parameters."""
    if isinstance(output, Value):
        return output
    try:
        if isinstance(output, (str, bytes)):
            raise TypeError
        if np.asarray(output).dtype == bool:
            raise TypeError
        return float(output) if np.shape(output) == () else np.asarray(output, np.float64)
    except (TypeError, ValueError):
        hint = (
            "Does it lack a return?" if output is None else "A gradient is taken of a number, or an array of numbers."
        )
        raise BadInput(f"{name_of(f)} returned {output!r:.60}, which is not a number. {hint}") from None
