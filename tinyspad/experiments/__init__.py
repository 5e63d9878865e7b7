"""The paper's figures and tables, and the estimator laboratory, as data; drawing them is plot's business."""

from .laboratory import COLUMNS, Laboratory, Measured, laboratory
from .minimization import F1_ESTIMATORS, minimize_f1, success_rate

__all__ = ["COLUMNS", "F1_ESTIMATORS", "Laboratory", "Measured", "laboratory", "minimize_f1", "success_rate"]
