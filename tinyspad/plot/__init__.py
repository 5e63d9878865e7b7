"""Pictures: of graphs, of path contributions, of functions and of runs.

Every function takes data that the rest of tinyspad computed, draws on ``ax=`` (the current axes if it is left out) and
returns the Axes. None calls ``plt.show``; all obey rcParams. This is the only place that imports matplotlib.
"""

from .curves import contributions, function
from .figures import FIGURES, RATES, check_ending, figure3, save
from .graph import lcg
from .laboratory import laboratory
from .palette import ESTIMATORS
from .runs import compare
from .success import hold_map, hold_sweep, success

__all__ = [
    "ESTIMATORS",
    "FIGURES",
    "RATES",
    "check_ending",
    "compare",
    "contributions",
    "figure3",
    "function",
    "hold_map",
    "hold_sweep",
    "laboratory",
    "lcg",
    "save",
    "success",
]
