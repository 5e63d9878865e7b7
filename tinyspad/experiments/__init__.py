"""The paper's figures and tables, and the estimator laboratory, as data; drawing them is plot's business."""

from .laboratory import COLUMNS, Laboratory, Measured, laboratory
from .minimization import F1_ESTIMATORS, minimize_f1, success_rate
from .success import PAPER, PAPER_BOXES, SuccessTable, paper_table, success_rates, wilson

__all__ = [
    "COLUMNS",
    "F1_ESTIMATORS",
    "PAPER",
    "PAPER_BOXES",
    "Laboratory",
    "Measured",
    "SuccessTable",
    "laboratory",
    "minimize_f1",
    "paper_table",
    "success_rate",
    "success_rates",
    "wilson",
]
