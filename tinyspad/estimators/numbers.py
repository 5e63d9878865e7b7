"""An LCG of arrays, asked by an estimator: each of its numbers has paths of its own, and draws for itself."""

from __future__ import annotations

import functools
from collections.abc import Callable

from ..arguments import Data
from ..errors import BadInput
from ..lcg import LCG, Elements
from ..linearization import Linearized


def in_numbers(lcg: Linearized, paths: str) -> Elements | None:
    """The numbers of an LCG of arrays, unless it is asked for as it is; None for anything else."""
    if paths not in ("numbers", "arrays"):
        raise BadInput(f'paths= is "numbers" or "arrays", not {paths!r:.60}.')
    if paths == "numbers" and isinstance(lcg, (LCG, Elements)) and not lcg.elementwise:
        return lcg.elements()
    return None


def of_numbers(answer: Callable[..., Data]) -> Callable[..., Data]:
    """The answer about a parameter, of an LCG of arrays about one of its numbers; about several where they can be summed."""

    @functools.wraps(answer)
    def ask(self: object, lcg: Linearized, param: Data = None, *, paths: str = "numbers") -> Data:
        elements = in_numbers(lcg, paths)
        if elements is None:
            return answer(self, lcg, param)
        if answer.__name__ == "cost":
            return answer(self, elements.linearization, None if param is None else elements.numbers_of(param))
        return answer(self, elements.linearization, elements.number(param, answer.__name__))

    return ask
