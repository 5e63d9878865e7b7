"""tinyspad: gradients as sums over paths, in pure NumPy.

Write a plain NumPy function; ``trace`` shows it in single-access form with every path from parameter to output, and
``minimize`` and ``compare`` run it with all paths (GD), random ones (RAD) or selected ones (SPAD).
"""

import importlib
from typing import TYPE_CHECKING, Any

from . import data, functions, models, paths
from .errors import TinyspadError, TooManyPaths
from .estimators import GD, RAD, SPAD, Estimator, FixedPath, Magnitude, NearestPath
from .gradcheck import GradientReport, check_gradients, check_rule
from .history import History
from .lcg import LCG, Jacobian, Path, PathArray, jacobian, trace
from .minimize import Result, compare, minimize
from .optimizers import SGD, Adam, Momentum
from .paths import Semiring
from .program import Program, compile
from .rules import Domain, relu, rule
from .tape import Value

if TYPE_CHECKING:
    from . import experiments, nn

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """``experiments`` and ``nn``, which are loaded when they are first asked for."""
    if name in ("experiments", "nn"):
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "GD",
    "LCG",
    "RAD",
    "SGD",
    "SPAD",
    "Adam",
    "Domain",
    "Estimator",
    "FixedPath",
    "GradientReport",
    "History",
    "Jacobian",
    "Magnitude",
    "Momentum",
    "NearestPath",
    "Path",
    "PathArray",
    "Program",
    "Result",
    "Semiring",
    "TinyspadError",
    "TooManyPaths",
    "Value",
    "check_gradients",
    "check_rule",
    "compare",
    "compile",
    "data",
    "experiments",
    "functions",
    "jacobian",
    "minimize",
    "models",
    "nn",
    "paths",
    "relu",
    "rule",
    "trace",
]
