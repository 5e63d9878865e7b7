"""Value, the box that NumPy dispatches on, and the tape that records what is done with it."""

from .entry import (
    ARGS,
    GRAD,
    HOLE,
    LEAF_DATA,
    ORDER,
    Entry,
    arguments_of,
    label_of,
    options_of,
    order_of,
    parents,
    partials,
    rule_of,
    tick,
    was_changed,
)
from .record import record
from .recording import refuse_foreign, run_on
from .replay import behind, leaf_data, operands, positions, replay
from .value import Value

__all__ = [
    "ARGS",
    "GRAD",
    "HOLE",
    "LEAF_DATA",
    "ORDER",
    "Entry",
    "Value",
    "arguments_of",
    "behind",
    "label_of",
    "leaf_data",
    "operands",
    "options_of",
    "order_of",
    "parents",
    "partials",
    "positions",
    "record",
    "refuse_foreign",
    "replay",
    "rule_of",
    "run_on",
    "tick",
    "was_changed",
]
