import os
import signal
import sys

import matplotlib
import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for the workers of -n auto, which have a core each

# What a shell starts in the background inherits that Ctrl-C is ignored, and so would the processes that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

matplotlib.use("Agg")

collect_ignore = ["tests/without_posix", "tests/adapters"]  # to import one is to hide, the other stands in for autograd

REPEATED = [
    "test_candidates",
    "test_losses",
    "test_nested",
    "test_oracles",
    "test_scale",
    "test_second_derivatives",
    "test_stateful",
    "test_verdicts",
]
"""Files that run over and over, on random programs or large ones, what others run, too: nothing more is covered by them, and
measuring that would double their time."""


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items):
    """What an example is said to print is a committed number, too."""
    for item in items:
        if isinstance(item, pytest.DoctestItem):
            item.add_marker("committed")
        elif item.path.stem in REPEATED:
            item.add_marker("no_cover")


@pytest.fixture(autouse=True)
def graders_meet_a_student_for_the_first_time():
    """How much help a verdict gives depends on how often it was asked for."""
    if "tinyspad.check.verdict" in sys.modules:
        sys.modules["tinyspad.check.verdict"].ASKED.clear()


@pytest.fixture(autouse=True)
def no_figures_left_open():
    yield
    from matplotlib import pyplot as plt

    plt.close("all")
