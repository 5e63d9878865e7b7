"""Value, the box that NumPy dispatches on, and the tape that records what is done with it."""

from .entry import ARGS, FIRST_PARENT, GRAD, HOLE, KWARGS, LEAF_DATA, NAME, ORDER, RULE, Entry, tick
from .record import record
from .recording import refuse_foreign, run_on
from .replay import behind, leaf_data, operands, positions, replay
from .value import Value

__all__ = [
    "ARGS",
    "FIRST_PARENT",
    "GRAD",
    "HOLE",
    "KWARGS",
    "LEAF_DATA",
    "NAME",
    "ORDER",
    "RULE",
    "Entry",
    "Value",
    "behind",
    "leaf_data",
    "operands",
    "positions",
    "record",
    "refuse_foreign",
    "replay",
    "run_on",
    "tick",
]
