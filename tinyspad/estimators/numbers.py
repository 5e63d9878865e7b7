"""An LCG of arrays, asked by an estimator: each of its numbers has paths of its own, and draws for itself."""

from __future__ import annotations

import functools
from collections.abc import Callable

from ..arguments import Data
from ..errors import BadInput
from ..lcg import LCG, Elements
from ..linearization import Linearized


def in_numbers(lcg: Linearized, paths: str) -> tuple[Linearized, Elements | None]:
    """What an estimator is asked about: the graph of the numbers of an LCG of arrays, unless these are to be whole.

    And those numbers, None where an LCG is asked about as it is.
    """
    if not isinstance(paths, str) or paths not in ("numbers", "arrays"):
        raise BadInput(f'paths= is "numbers" or "arrays", not {paths!r:.60}.')
    if not isinstance(lcg, (LCG, Elements)) or lcg.elementwise:
        return lcg, None
    if paths == "arrays":
        return (lcg.at if isinstance(lcg, Elements) else lcg.linearization), None
    return lcg.elements().linearization, lcg.elements()


def asks_numbers(answer: Callable[..., Data]) -> Callable[..., Data]:
    """The answer about a parameter, of an LCG of arrays about one of its numbers; about several where they can be summed."""

    @functools.wraps(answer)
    def ask(self: object, lcg: Linearized, param: Data = None, *, paths: str = "numbers") -> Data:
        at, numbers = in_numbers(lcg, paths)
        if numbers is None:
            return answer(self, at, param)
        if answer.__name__ == "cost":
            return answer(self, at, None if param is None else numbers.numbers_of(param))
        return answer(self, at, numbers.number(param, answer.__name__))

    return ask
