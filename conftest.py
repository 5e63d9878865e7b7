import os

import matplotlib
import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for the workers of -n auto, which have a core each

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def no_figures_left_open():
    yield
    from matplotlib import pyplot as plt

    plt.close("all")
