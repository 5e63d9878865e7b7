import os
import signal

import matplotlib
import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for the workers of -n auto, which have a core each

# What a shell starts in the background inherits that Ctrl-C is ignored, and so would the processes that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

matplotlib.use("Agg")

collect_ignore = ["tests/without_posix", "tests/adapters"]  # to import one is to hide, the other stands in for autograd


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items):
    """What an example is said to print is a committed number, too."""
    for item in items:
        if isinstance(item, pytest.DoctestItem):
            item.add_marker("committed")


@pytest.fixture(autouse=True)
def no_figures_left_open():
    yield
    from matplotlib import pyplot as plt

    plt.close("all")
