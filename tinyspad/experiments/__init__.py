"""The paper's figures and tables, and the estimator laboratory, as data; drawing them is plot's business."""

from .equal_work import METHODS as MULTIMODAL_METHODS
from .families import FAMILIES, Family
from .holding import HoldSweep, escape_map, hold_sweep, told_choice
from .laboratory import COLUMNS, Laboratory, Measured, laboratory
from .minimization import F1_ESTIMATORS, minimize_f1, success_rate
from .multimodal import Multimodal, multimodal, sign_test
from .networks import METHODS, TASKS, Method, NetworkRuns, Task, learning_curves, memory_accuracy
from .stochasticity import CODE, OBSERVATIONS, StochasticityTable, stochasticity_table
from .success import PAPER, PAPER_BOXES, SuccessTable, paper_table, success_rates, wilson
from .variance import VarianceCurve, variance_curve
from .white_box import FITTED, WhiteBoxFit, median_interval, white_box

__all__ = [
    "CODE",
    "COLUMNS",
    "F1_ESTIMATORS",
    "FAMILIES",
    "FITTED",
    "METHODS",
    "MULTIMODAL_METHODS",
    "OBSERVATIONS",
    "PAPER",
    "PAPER_BOXES",
    "TASKS",
    "Family",
    "HoldSweep",
    "Laboratory",
    "Measured",
    "Method",
    "Multimodal",
    "NetworkRuns",
    "StochasticityTable",
    "SuccessTable",
    "Task",
    "VarianceCurve",
    "WhiteBoxFit",
    "escape_map",
    "hold_sweep",
    "laboratory",
    "learning_curves",
    "median_interval",
    "memory_accuracy",
    "minimize_f1",
    "multimodal",
    "paper_table",
    "sign_test",
    "stochasticity_table",
    "success_rate",
    "success_rates",
    "told_choice",
    "variance_curve",
    "white_box",
    "wilson",
]
