"""The paper's figures and tables, and the estimator laboratory, as data; drawing them is plot's business."""

from .holding import HoldSweep, escape_map, hold_sweep, told_choice
from .laboratory import COLUMNS, Laboratory, Measured, laboratory
from .minimization import F1_ESTIMATORS, minimize_f1, success_rate
from .networks import METHODS, TASKS, Method, NetworkRuns, Task, learning_curves, memory_accuracy
from .success import PAPER, PAPER_BOXES, SuccessTable, paper_table, success_rates, wilson
from .variance import VarianceCurve, variance_curve

__all__ = [
    "COLUMNS",
    "F1_ESTIMATORS",
    "METHODS",
    "PAPER",
    "PAPER_BOXES",
    "TASKS",
    "HoldSweep",
    "Laboratory",
    "Measured",
    "Method",
    "NetworkRuns",
    "SuccessTable",
    "Task",
    "VarianceCurve",
    "escape_map",
    "hold_sweep",
    "laboratory",
    "learning_curves",
    "memory_accuracy",
    "minimize_f1",
    "paper_table",
    "success_rate",
    "success_rates",
    "told_choice",
    "variance_curve",
    "wilson",
]
