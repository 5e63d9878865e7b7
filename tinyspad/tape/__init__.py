"""Value, the box that NumPy dispatches on, and the tape that records what is done with it."""

from .data import locked, recorded_form, shared
from .entry import (
    HOLE,
    Entry,
    arguments_of,
    behind,
    label_of,
    leaf_data,
    operands,
    options_of,
    order_of,
    parents,
    partials,
    positions,
    replay,
    rule_of,
    was_changed,
)
from .leaf import give, is_lent, put_back, raw_gradient, touch
from .record import edge_of, in_precision, looks, record, refuse_foreign, run_on
from .value import Value

__all__ = [
    "HOLE",
    "Entry",
    "Value",
    "arguments_of",
    "behind",
    "edge_of",
    "give",
    "in_precision",
    "is_lent",
    "label_of",
    "leaf_data",
    "locked",
    "looks",
    "operands",
    "options_of",
    "order_of",
    "parents",
    "partials",
    "positions",
    "put_back",
    "raw_gradient",
    "record",
    "recorded_form",
    "refuse_foreign",
    "replay",
    "rule_of",
    "run_on",
    "shared",
    "touch",
    "was_changed",
]
