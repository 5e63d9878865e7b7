"""A plugin for pytest: what tinyspad refuses in words counts as skipped, and so does a test of complex numbers alone.

So what fails is wrong.
"""

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    from autograd.test_util import CHECKED

    from tinyspad import TinyspadError

    CHECKED.update(dict.fromkeys(CHECKED, 0))
    try:
        result = yield
    except (TinyspadError, NotImplementedError) as refusal:
        pytest.skip(f"refused: {refusal}")
    if CHECKED["complex"] and not CHECKED["real"]:
        pytest.skip("complex numbers")
    return result
