"""Containers are Python's own; a Value is an array."""

import builtins

import numpy as np

from tinyspad import Value

dict, list, tuple = builtins.dict, builtins.list, builtins.tuple
__all__ = ["dict", "isinstance", "list", "tuple"]


def isinstance(x, kind):
    kinds = kind if builtins.isinstance(kind, tuple) else (kind,)
    return builtins.isinstance(x, kinds) or (builtins.isinstance(x, Value) and np.ndarray in kinds)
