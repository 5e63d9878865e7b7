"""Other names for functions that have a rule: where NumPy has two names for one thing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..rules import reals
from .table import written

CORE = "_core" if hasattr(np, "vecdot") else "core"  # since NumPy 2
ALIASES: dict[str, tuple[Any, list[tuple[Any, ...]]]] = {
    "amax": (np.max, [(reals(4),), (reals(2, 3), {"axis": 1})]),
    "amin": (np.min, [(reals(4),)]),
    "row_stack": (np.vstack, []),
    "linalg.matmul": (np.matmul, [(reals(2, 3), reals(3, 2))]),
    "linalg.outer": (np.outer, [(reals(2), reals(3))]),
    "linalg.tensordot": (np.tensordot, [(reals(2, 3), reals(3, 2), {"axes": 1})]),
    "linalg.vecdot": (getattr(np, "vecdot", None), [(reals(3), reals(3))]),
    f"{CORE}.umath.clip": (np.clip, []),  # as an array's method has it
    # names of before NumPy 2
    "alltrue": (np.all, []),
    "sometrue": (np.any, []),
    "in1d": (np.isin, []),
    "product": (np.prod, []),
    "cumproduct": (np.cumprod, []),
    "round_": (np.round, []),
    "msort": (lambda a: np.sort(a, axis=0), []),
}
"""NumPy's name -> the function by which it is known here, and example calls."""

for _name, (_known, _calls) in ALIASES.items():
    if _known is not None:
        written(_name, _known, _calls)
