"""Which of NumPy's functions take Values: the table of docs/functions.md, made from those by which they are looked up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .rules import PLAIN, RULES
from .table import Table
from .tape.dispatch import FORM
from .tape.refused import REFUSED
from .written import WRITTEN

VERSION = np.__version__.rpartition(".")[0]
__all__ = ["functions", "page", "support", "table"]

MODULES = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft}

NAMES = """
    add_docstring add_newdoc asfarray add_newdoc_ufunc base_repr binary_repr broadcast_shapes busday_count busday_offset
    byte_bounds cast compare_chararrays datetime_as_string datetime_data deprecate deprecate_with_doc disp
    find_common_type fastCopyAndTranspose format_float_positional format_float_scientific from_dlpack frombuffer
    fromfile fromregex fromstring genfromtxt get_array_wrap get_include get_printoptions getbufsize geterr geterrcall
    geterrobj info is_busday isdtype isfortran isnat isscalar issctype issubclass_ issubdtype issubsctype iterable load
    loadtxt lookfor maximum_sctype mintypecode nested_iters obj2sctype printoptions promote_types recfromcsv recfromtxt
    safe_eval sctype2char set_numeric_ops set_printoptions set_string_function setbufsize seterr seterrcall seterrobj
    show_config show_runtime source test typename who

    bartlett blackman diag_indices empty eye fftfreq hamming hanning identity indices mask_indices ones rfftfreq
    tri tril_indices triu_indices zeros
"""
NO_NUMBERS = set(NAMES.split())
"""Names of functions to which nobody hands a Value: files, settings, types, dates; and arrays made of a shape alone."""


def functions() -> Iterator[tuple[str, Any]]:
    """NumPy's public functions, each with the name by which it is written.

    >>> dict(functions())["np.linalg.norm"].__name__
    'norm'
    """
    for prefix, module in MODULES.items():
        for name in sorted(dir(module)):
            function = getattr(module, name)
            if not name.startswith("_") and callable(function) and not isinstance(function, type):
                yield f"{prefix}.{name}", function


def support(function: Any) -> str | None:
    """What becomes of a Value that this function is called with; None where that is not said anywhere.

    >>> support(np.exp), support(np.diff), support(np.argmax)
    ('a rule', 'written in functions that have rules', 'acts on the data')
    >>> support(np.sort_complex)
    'refused: write np.sort'
    """
    if function in RULES:
        return "a rule"
    if function in WRITTEN:
        return "written in functions that have rules"
    if function in PLAIN or function in FORM:
        return "acts on the data"
    return f"refused: write {REFUSED[function]}" if function in REFUSED else None


def table() -> Table:
    """The functions of the NumPy that is installed that take numbers.

    >>> len(table().rows) > 300
    True
    """
    rows = [(name, support(f) or "") for name, f in functions() if name.rpartition(".")[2] not in NO_NUMBERS]
    return Table(("function", "what becomes of a Value"), rows, left=2)


def page() -> str:
    """docs/functions.md."""
    return f"""# NumPy's functions

A function of NumPy's that meets a `Value` has a rule; or it is written in functions that have one, so that its paths are
theirs; or it acts on the data alone, as what it says has no derivative (positions, truth values, shapes); or it is refused,
and the error says what to write. Methods of arrays and of ufuncs (`x.sum()`, `np.add.reduce`) are the functions that they
stand for. What `np.fft` gives are pairs of Values, the real and the imaginary part. Of SciPy, functions of `scipy.special`
have rules as soon as SciPy is loaded; `ts.logsumexp` and `ts.softmax` stand in for SciPy's.

This page is made from the tables by which functions are looked up, by `tinyspad.support`; with NumPy {VERSION}.

{table().markdown()}
"""
