"""The table of what becomes of NumPy's functions: it has all of them, and says what is so."""

import re
from pathlib import Path

import numpy as np
import pytest

import tinyspad as ts
from tinyspad import support
from tinyspad.errors import NoRule
from tinyspad.rules import RULES, Domain
from tinyspad.tape.refused import REFUSED
from tinyspad.written import WRITTEN

PAGE = (Path(__file__).parent.parent / "docs" / "functions.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| (np\.\S+) \| (.*) \|$", PAGE, re.MULTILINE))


def test_every_function_of_numpy_that_takes_numbers_is_in_the_table():
    """What a new NumPy has beside is shown here: give it a rule, write it in others, or say what to write instead."""
    said = {name: support.support(f) for name, f in support.functions()}
    new = [name for name, what in said.items() if what is None and name.rpartition(".")[2] not in support.NO_NUMBERS]
    assert new == []
    if f"with NumPy {support.VERSION}." in PAGE:  # another has other names for one function
        assert {name: what for name, what in said.items() if what is not None} == ROWS


def test_no_function_is_said_to_take_no_numbers_that_has_a_rule():
    named = {name for name, f in support.functions() if name.rpartition(".")[2] in support.NO_NUMBERS}
    assert [name for name, f in support.functions() if name in named and support.support(f) is not None] == []


CALLED_WITH = {  # beside the Value
    **dict.fromkeys(("ravel_multi_index", "unravel_index"), ((2, 2),)),
    **dict.fromkeys(("fill_diagonal", "copyto"), (1.0,)),
    **dict.fromkeys(("place", "putmask"), (True, 1.0)),
    "put": (0, 1.0),
    "put_along_axis": ([0], 1.0, 0),
}


@pytest.mark.parametrize("name", [name for name, what in ROWS.items() if what.startswith("refused")])
def test_what_is_refused_says_what_to_write(name):
    function = dict(support.functions()).get(name)
    if function is None:
        pytest.skip(f"this NumPy has no {name}")
    if not isinstance(function, np.ufunc) and not hasattr(function, "_implementation"):
        pytest.skip("NumPy asks for plain numbers first: see test_lost.py")
    x = ts.Value(np.eye(2))
    given = CALLED_WITH.get(name[3:], (1.0,) if getattr(function, "nin", 1) == 2 else ())
    with pytest.raises((NoRule, ts.errors.DroppedGradient)) as caught:
        function(x, *given)
    assert "Write " in caught.value.message or "join them" in caught.value.message


# The functions of mygrad 2.5 that NumPy has, but for those that make arrays, or have no derivative.
OF_MYGRAD = """
    abs absolute add amax amin arccos arccosh arcsin arcsinh arctan arctan2 arctanh atleast_1d atleast_2d atleast_3d
    broadcast_to cbrt ceil clip concatenate cos cosh cumprod cumsum divide divmod einsum exp exp2 expand_dims expm1 floor
    floor_divide fmod full_like geomspace linspace log log10 log1p log2 logaddexp logaddexp2 logspace matmul max maximum mean
    min minimum mod moveaxis multiply negative positive power prod ravel reciprocal remainder repeat reshape rint roll sign
    sin sinc sinh sqrt square squeeze stack std subtract sum swapaxes tan tanh transpose true_divide trunc var where
    linalg.norm
"""


@pytest.mark.parametrize("name", OF_MYGRAD.split())
def test_what_mygrad_offers_has_example_calls(name):
    """At random points of these test_rules.py and test_written.py compare it with central differences."""
    function = np
    for part in name.split("."):
        function = getattr(function, part)
    entry = WRITTEN.get(function) or RULES[function]
    assert isinstance(entry.domain, Domain) or len(entry.domain) > 0 or name == "divmod"  # it returns two arrays


def test_remedies_name_functions_that_are_there():
    offered = dict(support.functions())
    for text in REFUSED.values():
        for name in re.findall(r"np\.[a-z_.0-9]+[a-z_0-9]", text):
            assert name in offered, name
