"""NumPy's functions that have no derivative here: what to write instead."""

from __future__ import annotations

from typing import Any

import numpy as np

COMPLEX = "tinyspad's numbers are real, and its results may be complex"
WHOLE = "it takes whole numbers, which have no derivative: x.data.astype(int)"

INSTEAD = {
    "linalg.eig": f"np.linalg.eigh of a symmetric matrix; {COMPLEX}",
    "linalg.eigvals": f"np.linalg.eigvalsh of a symmetric matrix; {COMPLEX}",
    "roots": f"np.polyval, and the zero by Newton's steps; {COMPLEX}",
    "sort_complex": "np.sort",
    "i0": "scipy.special.i0, which has a rule",
    "frexp": "x.data, for the digits of a number; or x / 2**k with k = np.frexp(x.data)[1]",
    "nextafter": "x.data: the next number in the machine is no function of the reals",
    "spacing": "x.data: the step to the next number in the machine is no function of the reals",
    "unique_all": "np.unique(x); for positions and counts, of x.data",
    "unique_counts": "np.unique(x); for counts, of x.data",
    "unique_inverse": "np.unique(x); for positions, of x.data",
    **dict.fromkeys(("gcd", "lcm", "left_shift", "right_shift", "packbits", "unpackbits", "unravel_index"), WHOLE),
    **dict.fromkeys(("ix_", "ravel_multi_index", "bitwise_and", "bitwise_or", "bitwise_xor", "invert"), WHOLE),
    "bitwise_count": WHOLE,
    # what NumPy does not pass on, so that the error comes when a Value is asked for plain numbers
    **dict.fromkeys(
        ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray"), "np.stack([...]), np.block"
    ),
    **dict.fromkeys(("asarray_chkfinite", "require", "asmatrix", "bmat"), "np.stack([...]), np.block"),
    "full": "x * np.ones(shape)",
    "kaiser": "scipy.special.i0 in the window's formula",
    "fromfunction": "the function on np.indices(shape)",
    "fromiter": "np.stack([...])",
    "frompyfunc": "the function in NumPy's functions",
    "arange": "np.linspace, or x * np.arange(n)",
    **dict.fromkeys(
        ("put", "place", "putmask", "copyto", "fill_diagonal", "put_along_axis"), "np.where, np.concatenate"
    ),
}
"""NumPy's name -> what to write."""

REFUSED: dict[Any, str] = {}
"""Function -> what to write."""

for _name, _text in INSTEAD.items():
    _function: Any = np
    for _part in _name.split("."):
        _function = getattr(_function, _part, None)
    if _function is not None:
        REFUSED[_function] = _text
