"""Exercises that check themselves: ``check.NAME(your_function)`` passes, or hints at what is probably behind the mistake.

Each belongs to a tutorial; its notebook in ``tutorials/exercises`` has the text and a place to write.

>>> from tinyspad import check
>>> len(check.EXERCISES)
27
>>> check.EXERCISES["tanh_rule"].title
"Write tanh's rule"
"""

from .choosing import chance_of_largest, wilson_interval
from .compiling import eliminate, linear_memory, live_code
from .moments import best_epsilon, exact_variance, magnitude_draw, unbiased_draw
from .networks import follow_columns, held_bytes, relu_keep
from .observations import norm_probabilities, observation_weights, sampled_gradient
from .routes import count_paths, list_paths
from .running import escape, spad
from .tape import backward, central_difference, tanh_rule
from .tupling import accumulate, branches, three_paths
from .verdict import REGISTERED, Exercise, Verdict
from .ways import best_path, sample_path

EXERCISES: dict[str, Exercise] = {e.name: e for e in sorted(REGISTERED, key=lambda e: e.tutorial)}
"""Every exercise by name, in the order of the tutorials."""

__all__ = [
    "EXERCISES",
    "Exercise",
    "Verdict",
    "accumulate",
    "backward",
    "best_epsilon",
    "best_path",
    "branches",
    "central_difference",
    "chance_of_largest",
    "count_paths",
    "eliminate",
    "escape",
    "exact_variance",
    "follow_columns",
    "held_bytes",
    "linear_memory",
    "list_paths",
    "live_code",
    "magnitude_draw",
    "norm_probabilities",
    "observation_weights",
    "relu_keep",
    "sample_path",
    "sampled_gradient",
    "spad",
    "tanh_rule",
    "three_paths",
    "unbiased_draw",
    "wilson_interval",
]
