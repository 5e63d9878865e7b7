"""Pictures: of graphs, of path contributions, of functions and of runs.

Every picture is made of data that the rest of tinyspad computed. Functions of one panel draw on ``ax=`` and return it
(a figure of their own if it is left out); those of several panels take ``axes=``, a
list, and return the Figure. ``explain`` and ``step_through`` return a page, which ``tinyspad/page`` makes. None calls
``plt.show``. Colours of lines and text, and the size of the text, follow rcParams. Names, whoever gave them, are drawn
letter by letter: a ``$`` starts no formula. This is the only place that imports matplotlib.
"""

from ..page import Page, explain, step_through
from .curves import contributions, function
from .figures import EARLY, FIGURES, RATES, check_ending, data_of, figure3, save
from .graph import lcg
from .laboratory import laboratory
from .memory import memory_accuracy
from .multimodal import multimodal
from .networks import learning_curves, memory_panels
from .palette import ESTIMATORS
from .plane import contours, fields, trajectories
from .runs import compare
from .shares import shares
from .stochasticity import stochasticity, white_box
from .success import hold_map, hold_sweep, success
from .terms import ledger, variance_curve

__all__ = [
    "EARLY",
    "ESTIMATORS",
    "FIGURES",
    "RATES",
    "Page",
    "check_ending",
    "compare",
    "contours",
    "contributions",
    "data_of",
    "explain",
    "fields",
    "figure3",
    "function",
    "hold_map",
    "hold_sweep",
    "laboratory",
    "lcg",
    "learning_curves",
    "ledger",
    "memory_accuracy",
    "memory_panels",
    "multimodal",
    "save",
    "shares",
    "step_through",
    "stochasticity",
    "success",
    "trajectories",
    "variance_curve",
    "white_box",
]
