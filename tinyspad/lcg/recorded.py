"""What an LCG is made of: a recording in single-access form, its linearization, and the function it came from."""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import cached_property
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from ..containers import Form
from ..errors import BadInput
from ..linearization import Linearization, Node, Unchanging, guarded_weights, not_finite
from ..paths import GRADIENT, Structure, sweep
from ..rules import LinearMap
from ..tape import Entry, Value, depth_of, outer_at, refuse_foreign
from .single_access import SingleAccess

P = ParamSpec("P")
R = TypeVar("R")


def asks(question: Callable[Concatenate[Linearization, P], R]) -> Callable[Concatenate[Recorded, P], R]:
    """The question, put to the linearization."""

    def ask(self: Recorded, /, *args: P.args, **options: P.kwargs) -> R:
        return question(self.linearization, *args, **options)

    return functools.update_wrapper(ask, question)


class Recorded(Unchanging):
    """A function's evaluation in single-access form; of it ``LCG`` tells a student."""

    def __init__(
        self,
        output: Value | Any,
        params: dict[str, Value],
        function: Callable[..., Any] | None = None,
        again: Callable[..., Any] | None = None,
        form: Form | None = None,
    ) -> None:
        refuse_foreign(output, "The function that is recorded here")
        if depth_of(output) > Value.depth:  # of functions that have ended
            output = outer_at(output, Value.depth)
        self.single_access = made = SingleAccess(output, params, function)
        self.params, self.value = made.params, made.value
        self.arguments = tuple(value._data for value in params.values())
        self.function, self._again, self.form = function, again, form

    @cached_property
    def structure(self) -> Structure:
        """The edges: where they lead."""
        return self.single_access.structure

    @cached_property
    def weight(self) -> list[Any]:
        """The edges: what they carry."""
        return self.single_access.weight

    @cached_property
    def elementwise(self) -> bool:
        """Whether every edge carries a number, or one per run."""
        return not any(isinstance(w, LinearMap) for w in self.weight)

    @cached_property
    def batch(self) -> tuple[int, ...]:
        """The shape of independent runs; () for one."""
        return np.shape(self.value) if self.elementwise else ()

    @cached_property
    def linearization(self) -> Linearization:
        """What answers every question about paths."""
        return Linearization(
            self.single_access, self.structure, self.params, self.arguments, self.batch, elementwise=self.elementwise
        )

    # --- what is in it ------------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """The variables' names, by node."""
        return self.single_access.names

    @property
    def nodes(self) -> list[Node]:
        """The variables of the program, in the order in which it defines them."""
        return self.single_access.nodes

    @property
    def signature(self) -> tuple[Any, ...]:
        """Equal for two evaluations that ran the same program: the shape of the graph without its weights."""
        return self.single_access.signature

    def reads(self, entry: Entry) -> list[int]:
        """The variables that an operation reads, by the nodes that were tupled rather than by their branches."""
        source_of = self.single_access.tupled_from
        return [source_of.get(r, r) for r in self.single_access.reads[id(entry)] if r is not None]

    @property
    def edges(self) -> list[tuple[str, str, Any]]:
        """(tail, head, weight) by name, sorted by tail."""
        structure, names = self.structure, self.names
        return [(names[t], names[h], w) for t, h, w in zip(structure.tail, structure.head, self.weight)]

    @property
    def tupling_nodes(self) -> tuple[str, ...]:
        """The names of the variables that the program reads more than once."""
        return tuple(node.name for node in self.nodes if node.tupled)

    # --- what its linearization answers ---------------------------------------------------------------------

    seed = property(lambda self: self.linearization.seed)
    adjoints = property(lambda self: self.linearization.adjoints)
    check_differentiable, observing = asks(Linearization.check_differentiable), asks(Linearization.observing)
    validate = asks(Linearization.validate)
    ledger, shown = asks(Linearization.ledger), asks(Linearization.shown)

    adjoint = asks(Linearization.adjoint)
    count_paths, paths, nth_path = (
        asks(Linearization.count_paths),
        asks(Linearization.paths),
        asks(Linearization.nth_path),
    )
    best_path, top_paths = asks(Linearization.best_path), asks(Linearization.top_paths)
    sample_path, sample_paths = asks(Linearization.sample_path), asks(Linearization.sample_paths)
    path_gradients, path_gradient = asks(Linearization.path_gradients), asks(Linearization.path_gradient)
    path_sizes, path_shares = asks(Linearization.path_sizes), asks(Linearization.path_shares)
    sweep, entropy, log_mass = asks(Linearization.sweep), asks(Linearization.entropy), asks(Linearization.log_mass)

    # What estimators ask besides.
    route, follow, product = asks(Linearization.route), asks(Linearization.follow), asks(Linearization.product)
    draw_route, best_route = asks(Linearization.draw_route), asks(Linearization.best_route)
    draw_index, best_index = asks(Linearization.draw_index), asks(Linearization.best_index)
    draw_distinct, draw_others = asks(Linearization.draw_distinct), asks(Linearization.draw_others)
    chances, path_probabilities = asks(Linearization.chances), asks(Linearization.path_probabilities)
    moments, largest_and_others = asks(Linearization.moments), asks(Linearization.largest_and_others)
    factors, length, lengths = asks(Linearization.factors), asks(Linearization.length), asks(Linearization.lengths)
    mean_length = asks(Linearization.mean_length)

    def pulled(self, seed: Any) -> dict[str, Any]:
        """The derivative of the output's sum, weighted by the seed of its shape, by every parameter: one reverse sweep."""
        found = sweep(self.structure, self.weight, GRADIENT, seed, forget=True)
        if any(map(not_finite, found[: len(self.params)])):
            asked = True if np.ndim(seed) == 0 else seed != 0  # of several outputs, the others are not reached
            weight = guarded_weights(self.structure, self.weight, self.single_access.choices, asked)
            found = sweep(self.structure, weight, GRADIENT, seed, forget=True)
        return {name: found[i] for i, name in enumerate(self.params)}

    # --- the function that it came from -----------------------------------------------------------------------

    def retrace(self, *args: Any) -> Any:
        """The LCG of the same function at another point. Raises BadInput if this one was built without its function."""
        if len(args) != len(self.params):
            raise BadInput(f"retrace takes one argument for each of {', '.join(self.params)}, not {len(args)}.")
        if self._again is not None:
            return self._again(*args)
        raise BadInput("This LCG was built without its function, so there is nothing to evaluate.")
