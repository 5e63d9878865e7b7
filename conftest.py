import matplotlib
import pytest

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def no_figures_left_open():
    yield
    from matplotlib import pyplot as plt

    plt.close("all")
