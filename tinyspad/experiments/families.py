"""Functions with many minima, in any number of dimensions from 1 to 10, none of them the paper's.

They are written in numbers, coordinate by coordinate in a loop: ``c`` is a coordinate, and each read of it in the text
below begins paths of its own. So a function has as many paths for each coordinate as the text has reads of it, times those
of what is read on the way. Another way of writing has other paths.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import integer
from ..errors import BadInput
from ..functions import Problem
from ..functions.zoo import JAMIL, SURJANOVIC
from ..lcg import trace

__all__ = ["FAMILIES", "Family"]

MOST = 10
"""The most dimensions."""


@dataclass(frozen=True)
class Family:
    """A function of any number of coordinates. ``side``: (low, high) of each coordinate's box. ``minimizer``: the one point
    of the box where it is least, in ten dimensions; in fewer, the first coordinates of that.

    >>> float(FAMILIES["rastrigin"].problem(3)(0.0, 0.0, 1.0))
    1.0
    """

    formula: Callable[..., Any]
    side: tuple[float, float]
    minimizer: tuple[float, ...]
    reference: str

    @property
    def name(self) -> str:
        """The formula's own."""
        return self.formula.__name__

    @property
    def width(self) -> float:
        """How wide the box is."""
        return self.side[1] - self.side[0]

    def problem(self, dimensions: int) -> Problem:
        """The function of so many coordinates. Raises BadInput for numbers other than 1 to 10."""
        n = integer(dimensions, "dimensions=", 1)
        if n > MOST:
            raise BadInput(
                f"dimensions= is at most {MOST}, for which the minima are known here, not {dimensions!r:.60}."
            )
        least = self.minimizer[:n]
        found = float(self.formula(*least))
        return Problem(f"{self.name}, {n}-D", self.formula, (self.side,) * n, found, (least,), self.reference)

    def agrees(self, dimensions: int = 2) -> bool:
        """Whether at the minimum every path's contribution vanishes by itself, and not their sum alone.

        Then whoever follows one path at a time has nowhere to go from there; otherwise every single path leads away.

        >>> FAMILIES["rastrigin"].agrees(), FAMILIES["styblinski_tang"].agrees()
        (True, False)
        """
        problem = self.problem(dimensions)
        beside = 1e-7 * self.width  # at the minimum itself the square root in drop_wave has no slope
        lcg = trace(problem, *(float(c) + beside for c in problem.minimizer))
        return all(bool(np.all(np.abs(lcg.path_gradients(name)) < 1e-3)) for name in lcg.params)


FAMILIES: dict[str, Family] = {}
"""The functions by name: first those for which ``agrees`` is true, then the others."""


def _family(
    side: tuple[float, float], minimizer: float | tuple[float, ...], reference: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(formula: Callable[..., Any]) -> Callable[..., Any]:
        least = minimizer if isinstance(minimizer, tuple) else (minimizer,) * MOST
        FAMILIES[formula.__name__] = Family(formula, side, least, reference)
        return formula

    return register


# Loops, not generators: a program is told from others by its code, in which a nested one would have its address.


@_family((-5.12, 5.12), 0.0, f"Rastrigin 1974; {SURJANOVIC}")
def rastrigin(*x: Any) -> Any:
    """10 n + sum of c**2 - 10 cos(2 pi c): an egg box in a bowl."""
    total = 10.0 * len(x)
    for c in x:
        total = total + c**2 - 10 * np.cos(2 * np.pi * c)
    return total


@_family((-600.0, 600.0), 0.0, f"Griewank 1981; {SURJANOVIC}")
def griewank(*x: Any) -> Any:
    """1 + sum of c**2 / 4000 - product of cos(c / sqrt(i)): a wide bowl, and thousands of small dents."""
    bowl, dents = 1.0, 1.0
    for i, c in enumerate(x, start=1):
        bowl = bowl + c**2 / 4000
        dents = dents * np.cos(c / np.sqrt(i))
    return bowl - dents


@_family((-5.12, 5.12), 0.0, f"{SURJANOVIC}, where it has two dimensions")
def drop_wave(*x: Any) -> Any:
    """-(1 + cos(12 r)) / (r**2 / 2 + 2), r**2 = sum of c**2: rings of ever lower ripples."""
    squared = 0.0
    for c in x:
        squared = squared + c**2
    return -(1 + np.cos(12 * np.sqrt(squared))) / (0.5 * squared + 2)


@_family((-1.0, 1.0), 0.0, f"Breiman & Cutler 1993, maximised there with the other sign; {JAMIL}, no. 38")
def cosine_mixture(*x: Any) -> Any:
    """Sum of c**2 - cos(5 pi c) / 10: a bowl with five dents on each axis."""
    total = 0.0
    for c in x:
        total = total + c**2 - 0.1 * np.cos(5 * np.pi * c)
    return total


@_family((-5.0, 5.0), -2.903534027771177, f"Styblinski & Tang 1990; {SURJANOVIC}")
def styblinski_tang(*x: Any) -> Any:
    """Half the sum of c**4 - 16 c**2 + 5 c: two basins on each axis, one lower."""
    total = 0.0
    for c in x:
        total = total + 0.5 * (c**4 - 16 * c**2 + 5 * c)
    return total


@_family((-500.0, 500.0), 420.968746359982, f"Schwefel 1981, problem 2.26; {SURJANOVIC}")
def schwefel(*x: Any) -> Any:
    """418.9829 n - sum of c sin(sqrt(abs(c))): the second best basin is far from the best; lower outside of the box."""
    total = 418.98288727243374 * len(x)
    for c in x:
        total = total - c * np.sin(np.sqrt(np.abs(c)))
    return total


@_family(
    (0.0, np.pi),
    (
        2.2029055201726093,
        np.pi / 2,
        1.2849915705529242,
        1.9230584698663629,
        1.720469772565841,
        np.pi / 2,
        1.4544139713623792,
        1.7560865209450265,
        1.655717416821029,
        np.pi / 2,
    ),
    f"Michalewicz 1992; {SURJANOVIC}",
)
def michalewicz(*x: Any) -> Any:
    """Minus the sum of sin(c) sin(i c**2 / pi)**20: narrow valleys in a plain."""
    total = 0.0
    for i, c in enumerate(x, start=1):
        total = total - np.sin(c) * np.sin(i * c**2 / np.pi) ** 20
    return total


@_family((-5.0, 5.0), -1.1140996875818518, f"Shubert no. 3; {JAMIL}, no. 134; half its box, where it has one minimum")
def shubert(*x: Any) -> Any:
    """Sum of j sin((j + 1) c + j), j from 1 to 5: five waves on each axis."""
    total = 0.0
    for c in x:
        for j in range(1, 6):
            total = total + j * np.sin((j + 1) * c + j)
    return total
