"""What is the user's: which files, and the random generators that a function of theirs may draw from."""

from __future__ import annotations

import functools
import os
import random
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, islice
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from .. import functions, models
from ..errors import LIBRARIES, STANDARD
from .recorded import Recorded

PROBLEMS = (os.path.dirname(functions.__file__) + os.sep, models.__file__)
"""Files of this package whose lines are shown as if they were the user's: they are ordinary NumPy."""

LOOKED_AT = 10_000
"""So many objects are looked at for generators."""

PLAIN = (int, float, complex, str, bytes, bool, np.ndarray, np.generic, type(None))


@functools.cache
def is_users(file: str) -> bool:
    """Whether a file is neither of this package, nor NumPy's, nor Python's, nor installed."""
    if file.startswith(PROBLEMS):
        return True
    return not (file.startswith((*LIBRARIES, STANDARD, "<frozen", "<__array_function__")) or "-packages" in file)


@contextmanager
def generators_kept(f: Any) -> Iterator[None]:
    """What is done here moves no random generator that f reaches: afterwards each is where it was before."""
    put_back = [undo for undo in map(_undo, [*_generators(f), random, np.random]) if undo is not None]
    try:
        yield
    finally:
        for undo in put_back:
            undo()


def _undo(generator: Any) -> Callable[[], None] | None:
    """What brings a generator back to where it is now; None of one that has no state, like the system's."""
    try:
        if isinstance(generator, np.random.Generator):
            bits, state = generator.bit_generator, generator.bit_generator.state
            return lambda: setattr(bits, "state", state)
        if isinstance(generator, np.random.RandomState) or generator is np.random:
            return functools.partial(generator.set_state, generator.get_state(legacy=False))
        return functools.partial(generator.setstate, generator.getstate())
    except (AttributeError, NotImplementedError, TypeError):
        return None


def _generators(f: Any) -> Iterator[Any]:
    """Those in a function's closure, defaults, attributes and the globals that its code names, and so on from there."""
    pending, seen, looked = deque([f]), {id(f)}, 0
    while pending and looked < LOOKED_AT:
        found = pending.popleft()
        if isinstance(found, (np.random.Generator, np.random.RandomState, random.Random)):
            yield found
            continue
        for other in islice(_reached(found), LOOKED_AT - looked):
            looked += 1
            if not isinstance(other, PLAIN) and id(other) not in seen:
                seen.add(id(other))
                pending.append(other)


def _reached(found: Any) -> Iterator[Any]:
    """What one step leads to. Nothing of the user's is called for it."""
    if isinstance(found, FunctionType):
        known = _globals(found)
        defaults = [*(found.__defaults__ or ()), *(found.__kwdefaults__ or {}).values()]
        return chain(_cells(found), defaults, known, _own(found))
    if isinstance(found, MethodType):
        return iter((found.__self__, found.__func__))
    if isinstance(found, functools.partial):
        return chain([found.func], found.args, found.keywords.values())
    if isinstance(found, Recorded):  # of a derivative: the graph whose function it runs
        return iter((found.function,))
    if isinstance(found, dict):
        return iter(found.values())
    if isinstance(found, (list, tuple, set, frozenset, deque)):
        return iter(found)
    if isinstance(found, (staticmethod, classmethod)):
        return iter((found.__func__,))
    if isinstance(found, property):
        return iter((found.fget,))
    if isinstance(found, ModuleType):  # what is named of it is looked up where it is named
        return iter(())
    if isinstance(found, type):
        return chain(_own(found), found.__bases__) if _is_users_class(found) else iter(())
    return chain(_own(found), [type(found)])


def _own(found: Any) -> Iterable[Any]:
    """The values of an object's attributes."""
    try:
        return list(object.__getattribute__(found, "__dict__").values())
    except AttributeError:
        return ()


def _is_users_class(found: type) -> bool:
    if found.__module__ in sys.builtin_module_names:
        return False
    file = getattr(sys.modules.get(found.__module__), "__file__", None)  # none in a notebook
    return file is None or is_users(file)


def _globals(f: FunctionType) -> list[Any]:
    """The globals that a function of the user's names, and what it names of the modules among them."""
    if not is_users(f.__code__.co_filename):
        return []
    names = _names(f.__code__)
    known = [f.__globals__[name] for name in names if name in f.__globals__]
    modules = [vars(module) for module in known if isinstance(module, ModuleType)]
    return known + [module[name] for module in modules for name in names if name in module]


def _cells(f: FunctionType) -> Iterator[Any]:
    for cell in f.__closure__ or ():
        with suppress(ValueError):  # not yet bound
            yield cell.cell_contents


def _names(code: CodeType) -> set[str]:
    """The names of globals and attributes in a code, functions inside it included."""
    names, pending = set[str](), [code]
    while pending:
        own = pending.pop()
        names.update(own.co_names)
        pending += [inner for inner in own.co_consts if isinstance(inner, CodeType)]
    return names
