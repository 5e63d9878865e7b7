"""The paper's figures and tables as data; drawing them is plot's business."""

from .minimization import F1_ESTIMATORS, minimize_f1, success_rate

__all__ = ["F1_ESTIMATORS", "minimize_f1", "success_rate"]
