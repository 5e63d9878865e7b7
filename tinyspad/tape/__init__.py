"""Value, the box that NumPy dispatches on, and the tape that records what is done with it."""

from .backward import slopes
from .choices import chooses, guarded_partials, operand_of
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
    tick,
    was_changed,
)
from .gradients import grad, hvp, value_and_grad
from .leaf import give, is_lent, put_back, raw_gradient, touch
from .nesting import refuse_foreign, run_on
from .record import depth_of, edge_inside, edge_of, in_precision, looks, outer_at, record
from .value import Value

__all__ = [
    "HOLE",
    "Entry",
    "Value",
    "arguments_of",
    "behind",
    "chooses",
    "depth_of",
    "edge_inside",
    "edge_of",
    "give",
    "grad",
    "guarded_partials",
    "hvp",
    "in_precision",
    "is_lent",
    "label_of",
    "leaf_data",
    "locked",
    "looks",
    "operand_of",
    "operands",
    "options_of",
    "order_of",
    "outer_at",
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
    "slopes",
    "tick",
    "touch",
    "value_and_grad",
    "was_changed",
]
