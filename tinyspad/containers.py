"""Containers of parameters: nested dicts, lists and tuples, as their leaves with names, and back.

``arrays``: whether a list of plain numbers, however nested, is one array, and so a leaf. It is for whoever traces; for
``grad`` lists of numbers are containers, as in other engines.
"""

from __future__ import annotations

import copy
import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .arguments import Data, name_of
from .errors import BadInput

NUMBERS = {int, float, bool}


def leaves_of(x: Any, name: str, arrays: bool = False) -> Iterator[tuple[str, Any]]:
    """What is in a container, each with a name that says where: "p['w']", "p[1]".

    >>> dict(leaves_of({"w": 1.0, "layers": [2.0, 3.0]}, "p"))
    {"p['w']": 1.0, "p['layers'][0]": 2.0, "p['layers'][1]": 3.0}
    """
    if isinstance(x, dict):
        for key, item in x.items():
            yield from leaves_of(item, f"{name}[{key!r}]", arrays)
    elif isinstance(x, (tuple, list)) and not (arrays and _is_array(x)):
        for i, item in enumerate(x):
            yield from leaves_of(item, f"{name}[{i}]", arrays)
    else:
        yield name, x


def filled(x: Any, leaves: Iterator[Any], arrays: bool = False) -> Any:
    """A container's form with these leaves, of its own kind.

    >>> filled({"w": 1.0, "layers": (2.0, 3.0)}, iter("abc"))
    {'w': 'a', 'layers': ('b', 'c')}
    """
    if isinstance(x, dict):
        found = copy.copy(x)
        found.update({key: filled(item, leaves, arrays) for key, item in x.items()})
        return found
    if isinstance(x, (tuple, list)) and not (arrays and _is_array(x)):
        items = [filled(item, leaves, arrays) for item in x]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    return next(leaves)


def is_container(x: Any) -> bool:
    """Whether an argument is a container of parameters: a list or a tuple of plain numbers is one array.

    >>> is_container({"w": 1.0}), is_container([np.zeros(2), 1.0]), is_container([[1, 2], [3, 4]])
    (True, True, False)
    """
    return isinstance(x, dict) or (isinstance(x, (tuple, list)) and not _is_array(x))


def _is_array(x: Any) -> bool:
    if isinstance(x, (tuple, list)):
        return not hasattr(x, "_fields") and (set(map(type, x)) <= NUMBERS or all(map(_is_array, x)))
    return isinstance(x, np.generic) or not (isinstance(x, (dict, np.ndarray)) or hasattr(x, "__array_ufunc__"))


def form_of(x: Any) -> Any:
    """A container's form as JSON can hold it, with None for every leaf: for a file. Raises BadInput for keys that it cannot.

    >>> form_of({"w": 1.0, "layers": (2.0, 3.0)})
    {'dict': [['w', None], ['layers', {'tuple': [None, None]}]]}
    """
    if isinstance(x, dict):
        odd = next((key for key in x if not (key is None or isinstance(key, (str, int, float)))), None)
        if odd is not None:
            raise BadInput(f"In a file the keys of a dict are texts and numbers, which {odd!r:.60} is not: rename it.")
        return {"dict": [[key, form_of(item)] for key, item in x.items()]}
    if isinstance(x, (tuple, list)):
        return {"tuple" if isinstance(x, tuple) else "list": [form_of(item) for item in x]}
    return None


def of_form(form: Any) -> Any:
    """A container of this form, to be ``filled``; raises whatever another form makes it raise.

    >>> filled(of_form(form_of({"w": 1.0, "layers": (2.0, 3.0)})), iter("abc"))
    {'w': 'a', 'layers': ('b', 'c')}
    """
    if form is None:
        return None
    ((kind, items),) = form.items()
    if kind == "dict":
        return {key: of_form(item) for key, item in items}
    return {"tuple": tuple, "list": list}[kind](map(of_form, items))


class Form(NamedTuple):
    """How parameters stand in a function's arguments; ``inside``: of each, whether it is a container of them."""

    names: Sequence[str]
    arguments: Sequence[Any]
    inside: Sequence[bool]

    def filled(self, leaves: Sequence[Data]) -> list[Any]:
        """The arguments with these leaves."""
        left = iter(leaves)
        return [filled(x, left, True) if inside else next(left) for x, inside in zip(self.arguments, self.inside)]

    def by_argument(self, found: Mapping[str, Data]) -> dict[str, Any]:
        """What is known by leaf, as a dict by argument, in its form."""
        return dict(zip(self.names, self.filled(list(found.values()))))


def flattened(
    f: Callable[..., Any], names: Sequence[str], args: Sequence[Any]
) -> tuple[Callable[..., Any], list[str], list[Any], Form | None]:
    """f as a function of what is in its arguments; the leaves' names, and the leaves; the form, None if none is a container.

    Further arguments are handed on to f as they are. Raises BadInput where two leaves would have one name. Cost: O(leaves).

    >>> f, names, leaves, form = flattened(lambda p, x: p["a"] * x + p["b"], ["p", "x"], [{"a": 2.0, "b": 1.0}, 3.0])
    >>> names, f(*leaves)
    (["p['a']", "p['b']", 'x'], 7.0)
    """
    inside = [is_container(x) for x in args]
    if not any(inside):
        return f, list(names), list(args), None
    form = Form(tuple(names), tuple(args), inside)
    each = [[*leaves_of(x, name, True)] if own else [(name, x)] for name, x, own in zip(names, args, inside)]
    leaves = [leaf for of_one in each for leaf in of_one]
    twice = [name for name, n in Counter(name for name, _ in leaves).items() if n > 1]
    if twice:
        raise BadInput(f"{name_of(f)}: two parameters would be called {twice[0]}: keys of a dict that look alike.")

    def of_leaves(*given: Any) -> Any:
        return f(*form.filled(given[: len(leaves)]), *given[len(leaves) :])

    functools.update_wrapper(of_leaves, f, assigned=("__module__", "__doc__"), updated=())
    del of_leaves.__wrapped__  # type: ignore[attr-defined]  # its parameters are others
    of_leaves.__name__ = of_leaves.__qualname__ = name_of(f)
    return of_leaves, [name for name, _ in leaves], [x for _, x in leaves], form
