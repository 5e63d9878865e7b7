"""The paper's figures and tables, and the estimator laboratory, as data; drawing them is plot's business."""

from .holding import HoldSweep, escape_map, hold_sweep, told_choice
from .intervals import paired, wilson
from .laboratory import COLUMNS, Laboratory, Measured, laboratory
from .methods import METHODS, PRESETS, TASKS, Method, Task
from .minimization import F1_ESTIMATORS, minimize_f1, success_rate
from .network_files import runs_in
from .network_runs import NetworkRuns
from .networks import learning_curves, memory_accuracy
from .problems import Normal
from .sensitivity import Reading, Sensitivity, readings, sensitivity
from .shares import Shares, cells_table, shares
from .stochasticity import CODE, OBSERVATIONS, StochasticityTable, stochasticity_table
from .success import PAPER, PAPER_BOXES, SuccessTable, paper_table, success_rates
from .variance import VarianceCurve, variance_curve
from .white_box import FITTED, WhiteBoxFit, median_interval, white_box

__all__ = [
    "CODE",
    "COLUMNS",
    "F1_ESTIMATORS",
    "FITTED",
    "METHODS",
    "OBSERVATIONS",
    "PAPER",
    "PAPER_BOXES",
    "PRESETS",
    "TASKS",
    "HoldSweep",
    "Laboratory",
    "Measured",
    "Method",
    "NetworkRuns",
    "Normal",
    "Reading",
    "Sensitivity",
    "Shares",
    "StochasticityTable",
    "SuccessTable",
    "Task",
    "VarianceCurve",
    "WhiteBoxFit",
    "cells_table",
    "escape_map",
    "hold_sweep",
    "laboratory",
    "learning_curves",
    "median_interval",
    "memory_accuracy",
    "minimize_f1",
    "paired",
    "paper_table",
    "readings",
    "runs_in",
    "sensitivity",
    "shares",
    "stochasticity_table",
    "success_rate",
    "success_rates",
    "told_choice",
    "variance_curve",
    "white_box",
    "wilson",
]
