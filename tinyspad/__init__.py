"""tinyspad: gradients as sums over paths, in pure NumPy.

Write a plain NumPy function; ``trace`` shows it in single-access form with every path from parameter to output, and
``minimize`` and ``compare`` run it with all paths (GD), random ones (RAD) or selected ones (SPAD).
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from . import check, data, experiments, functions, models, nn, paths, plot, reproduction
    from .errors import TinyspadError, TooManyPaths
    from .estimators import GD, RAD, SPAD, Estimator, FixedPath, Magnitude, NearestPath
    from .gradcheck import GradientReport, check_gradients, check_rule
    from .lcg import LCG, Elements, Jacobian, Path, PathArray, jacobian, of_numbers
    from .lcg.trace import trace
    from .optimize import History, Result, Results, compare, minimize
    from .optimizers import SGD, Adam, Momentum
    from .paths import Semiring
    from .program import Program, compile
    from .rules import Domain, relu, rule
    from .tape import Value, grad, hvp, value_and_grad
    from .written import logsumexp, softmax

HOME = {
    "errors": ("TinyspadError", "TooManyPaths"),
    "estimators": ("GD", "RAD", "SPAD", "Estimator", "FixedPath", "Magnitude", "NearestPath"),
    "gradcheck": ("GradientReport", "check_gradients", "check_rule"),
    "lcg": ("LCG", "Elements", "Jacobian", "Path", "PathArray", "jacobian", "of_numbers", "trace"),
    "optimize": ("History", "Result", "Results", "compare", "minimize"),
    "optimizers": ("SGD", "Adam", "Momentum"),
    "paths": ("Semiring",),
    "program": ("Program", "compile"),
    "rules": ("Domain", "relu", "rule"),
    "tape": ("Value", "grad", "hvp", "value_and_grad"),
    "written": ("logsumexp", "softmax"),
}
"""Where each public name lives. A module is loaded when one of its names is first asked for, as SPEC 1 of Scientific
Python proposes: importing tinyspad itself loads nothing else, not even NumPy."""

MODULES = ("check", "data", "experiments", "functions", "models", "nn", "plot", "reproduction", *HOME)

_module_of = {name: module for module, names in HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _module_of:
        found = getattr(importlib.import_module(f".{_module_of[name]}", __name__), name)
    elif name in MODULES:
        found = importlib.import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*__all__, *MODULES, "__version__"})


__all__ = [
    "GD",
    "LCG",
    "RAD",
    "SGD",
    "SPAD",
    "Adam",
    "Domain",
    "Elements",
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
    "Results",
    "Semiring",
    "TinyspadError",
    "TooManyPaths",
    "Value",
    "check",
    "check_gradients",
    "check_rule",
    "compare",
    "compile",
    "data",
    "experiments",
    "functions",
    "grad",
    "hvp",
    "jacobian",
    "logsumexp",
    "minimize",
    "models",
    "nn",
    "of_numbers",
    "paths",
    "plot",
    "relu",
    "reproduction",
    "rule",
    "softmax",
    "trace",
    "value_and_grad",
]
