"""Paths over weighted edges: a traversal by edge or by level, semirings, one order, routes, and branch probabilities."""

from .chances import (
    Chances,
    by_branch,
    by_listing,
    by_magnitude,
    by_path,
    mean_length,
    moments,
    moments_behind,
    with_floor,
)
from .elimination import Elimination, eliminate
from .largest import best, best_edges, largest_sizes, top, top_runs
from .levels import FEWEST
from .listing import entropy_of, largest_and_others_of, log_mass_of, moments_of, shares_of
from .others import all_but
from .path import Path as Path
from .path import PathArray as PathArray
from .path import middle, past_turns
from .route import LIMIT, Route, check_limit, count, counts, enumerate_paths, follow, ranks_of
from .semirings import (
    COUNT,
    ENTROPY,
    GRADIENT,
    LARGEST,
    LISTING,
    LOG,
    LOG_LARGEST,
    MAGNITUDE,
    SEMIRINGS,
    SPLIT,
    SQUARES,
    Moments,
    by_size,
    norm,
    sizes_of,
)
from .structure import Structure, Weights
from .sweep import Semiring, fold, sweep, sweep_behind, sweep_from, sweep_to
from .walks import Walks, draw, draw_many, draw_runs, log_probability, settle, walk_along, walk_many
from .whole import distinct_below, drawn_from, uniform_below, whole_dtype

__all__ = [
    "COUNT",
    "ENTROPY",
    "FEWEST",
    "GRADIENT",
    "LARGEST",
    "LIMIT",
    "LISTING",
    "LOG",
    "LOG_LARGEST",
    "MAGNITUDE",
    "SEMIRINGS",
    "SPLIT",
    "SQUARES",
    "Chances",
    "Elimination",
    "Moments",
    "Route",
    "Semiring",
    "Structure",
    "Walks",
    "Weights",
    "all_but",
    "best",
    "best_edges",
    "by_branch",
    "by_listing",
    "by_magnitude",
    "by_path",
    "by_size",
    "check_limit",
    "count",
    "counts",
    "distinct_below",
    "draw",
    "draw_many",
    "draw_runs",
    "drawn_from",
    "eliminate",
    "entropy_of",
    "enumerate_paths",
    "fold",
    "follow",
    "largest_and_others_of",
    "largest_sizes",
    "log_mass_of",
    "log_probability",
    "mean_length",
    "middle",
    "moments",
    "moments_behind",
    "moments_of",
    "norm",
    "past_turns",
    "ranks_of",
    "settle",
    "shares_of",
    "sizes_of",
    "sweep",
    "sweep_behind",
    "sweep_from",
    "sweep_to",
    "top",
    "top_runs",
    "uniform_below",
    "walk_along",
    "walk_many",
    "whole_dtype",
    "with_floor",
]
