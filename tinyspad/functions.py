"""Test problems in plain NumPy: the paper's, and the zoo that teachers reach for.

Each is callable on numbers, arrays (elementwise: many starts at once) and Values, and knows its minimum, where it lies,
the usual search box and where it comes from. They know nothing of automatic differentiation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["ALL", "Problem"]

SURJANOVIC = "Surjanovic & Bingham, Virtual Library of Simulation Experiments"
JAMIL = "Jamil & Yang 2013, A literature survey of benchmark functions"
PAPER = "Peseux, Berar, Paquet & Nicollet 2023, IEEE Access 11"


@dataclass(frozen=True)
class Problem:
    """A function to minimise, with what is known about it.

    ``minimum``: its least value in the box. ``minimizers``: every point that takes it, a tuple of coordinates each.
    ``box``: (low, high) per parameter. ``reference``: the source of formula and minimum. Calling it evaluates the
    formula.

    >>> beale(3.0, 0.5), beale.minimum, beale.minimizer
    (0.0, 0.0, (3.0, 0.5))
    """

    name: str
    formula: Callable[..., Any]
    minimum: float
    minimizers: tuple[tuple[float, ...], ...]
    box: tuple[tuple[float, float], ...]
    reference: str

    def __post_init__(self) -> None:
        # inspect.signature follows __wrapped__, so that parameters keep the formula's names
        for attribute, value in (
            ("__wrapped__", self.formula),
            ("__name__", self.name),
            ("__doc__", self.formula.__doc__),
        ):
            object.__setattr__(self, attribute, value)

    def __call__(self, *args: Any) -> Any:
        return self.formula(*args)

    def __reduce__(self) -> Any:
        return self.name if ALL.get(self.name) is self else super().__reduce__()

    @property
    def minimizer(self) -> tuple[float, ...]:
        """The first of the minimizers."""
        return self.minimizers[0]


ALL: dict[str, Problem] = {}
"""Every problem by name."""


def _problem(
    minimum: float, minimizers: list[tuple[float, ...]], box: tuple[tuple[float, float], ...], reference: str
) -> Callable[[Callable[..., Any]], Problem]:
    def register(formula: Callable[..., Any]) -> Problem:
        problem = Problem(formula.__name__, formula, minimum, tuple(minimizers), box, reference)
        ALL[problem.name] = problem
        return problem

    return register


def _square(low: float, high: float) -> tuple[tuple[float, float], ...]:
    return ((low, high), (low, high))


@_problem(0.0, [(0.0,)], ((-6.0, 6.0),), f"{PAPER}, Example 1")
def f1(x: Any) -> Any:
    """x**2 * (2 + cos(4 x)): local minima without end on the way to 0."""
    return x**2 * (2 + np.cos(4 * x))


@_problem(-np.exp(-1.0), [(-1.0, 0.0)], ((-1.0, 2.0), (0.0, 2.0)), f"{PAPER}, Example 2; minimum on the box")
def f2(x: Any, y: Any) -> Any:
    """exp(x) * (x + y): the paper's example of a tupling node; unbounded below in y."""
    return np.exp(x) * (x + y)


@_problem(0.0, [(0.0, 0.0)], _square(-5.0, 5.0), f"Ackley 1987; {SURJANOVIC}")
def ackley(x: Any, y: Any) -> Any:
    """The usual Ackley function, a sum of two exponentials; its slope is undefined at the minimum itself."""
    bowl = -20 * np.exp(-0.2 * np.sqrt(0.5 * (x**2 + y**2)))
    return bowl - np.exp(0.5 * (np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y))) + np.e + 20


@_problem(np.e + 20 - 20 * np.e, [(0.0, 0.0)], _square(-5.0, 5.0), f"{PAPER}, Appendix B, as printed")
def ackley_product(x: Any, y: Any) -> Any:
    """Ackley as the paper prints it, a product of the two exponentials; minimum -31.65."""
    bowl = -20 * np.exp(-0.2 * np.sqrt(0.5 * (x**2 + y**2)))
    return bowl * np.exp(0.5 * (np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y))) + np.e + 20


@_problem(0.0, [(3.0, 0.5)], _square(-4.5, 4.5), f"Beale 1958; {SURJANOVIC}")
def beale(x: Any, y: Any) -> Any:
    """Beale's function: a flat valley with sharp corners."""
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


@_problem(0.0, [(1.0, 1.0)], _square(-10.0, 10.0), f"Levy no. 13; {SURJANOVIC}; {PAPER}, Appendix B")
def levi(x: Any, y: Any) -> Any:
    """Levi (Levy) N.13: a bowl covered with ripples."""
    ripples = np.sin(3 * np.pi * x) ** 2
    across = (x - 1) ** 2 * (1 + np.sin(3 * np.pi * y) ** 2)
    return ripples + across + (y - 1) ** 2 * (1 + np.sin(2 * np.pi * y) ** 2)


@_problem(0.0, [(0.0, 0.0)], _square(-100.0, 100.0), f"{SURJANOVIC}; {PAPER}, Appendix B")
def schaffer2(x: Any, y: Any) -> Any:
    """Schaffer N.2: rings of ever lower ripples around the origin."""
    return 0.5 + (np.sin(x**2 - y**2) ** 2 - 0.5) / (1 + 0.001 * (x**2 + y**2)) ** 2


@_problem(0.0, [(1.0, 1.0)], _square(-2.048, 2.048), f"Rosenbrock 1960; {SURJANOVIC}")
def rosenbrock(x: Any, y: Any) -> Any:
    """Rosenbrock's banana: a curved valley with a nearly flat floor."""
    return 100 * (y - x**2) ** 2 + (1 - x) ** 2


@_problem(
    0.0,
    [
        (3.0, 2.0),
        (-2.805118086952745, 3.131312518250573),
        (-3.779310253377747, -3.283185991286170),
        (3.584428340330492, -1.848126526964404),
    ],
    _square(-5.0, 5.0),
    f"Himmelblau 1972; {JAMIL}, no. 65",
)
def himmelblau(x: Any, y: Any) -> Any:
    """Himmelblau's function: four minima, all of value 0."""
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


@_problem(0.0, [(0.0, 0.0)], _square(-5.12, 5.12), f"Rastrigin 1974; {SURJANOVIC}")
def rastrigin(x: Any, y: Any) -> Any:
    """Rastrigin's function: an egg box in a bowl."""
    return 20 + x**2 - 10 * np.cos(2 * np.pi * x) + y**2 - 10 * np.cos(2 * np.pi * y)


@_problem(0.0, [(0.0, 0.0)], _square(-600.0, 600.0), f"Griewank 1981; {SURJANOVIC}")
def griewank(x: Any, y: Any) -> Any:
    """Griewank's function: a wide bowl, and thousands of small dents."""
    return 1 + (x**2 + y**2) / 4000 - np.cos(x) * np.cos(y / np.sqrt(2.0))


@_problem(0.0, [(1.0, 3.0)], _square(-10.0, 10.0), SURJANOVIC)
def booth(x: Any, y: Any) -> Any:
    """Booth's function: a tilted quadratic bowl."""
    return (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2


@_problem(0.0, [(0.0, 0.0)], _square(-10.0, 10.0), SURJANOVIC)
def matyas(x: Any, y: Any) -> Any:
    """Matyas's function: a narrow quadratic valley."""
    return 0.26 * (x**2 + y**2) - 0.48 * x * y


@_problem(0.0, [(0.0, 0.0)], _square(-5.0, 5.0), SURJANOVIC)
def three_hump_camel(x: Any, y: Any) -> Any:
    """The three-hump camel: three minima, the middle one lowest."""
    return 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2


@_problem(-1.0, [(np.pi, np.pi)], _square(-100.0, 100.0), f"Easom 1990; {SURJANOVIC}")
def easom(x: Any, y: Any) -> Any:
    """Easom's function: flat, but for one narrow hole at (pi, pi)."""
    return -np.cos(x) * np.cos(y) * np.exp(-((x - np.pi) ** 2) - (y - np.pi) ** 2)


@_problem(3.0, [(0.0, -1.0)], _square(-2.0, 2.0), f"Goldstein & Price 1971; {SURJANOVIC}")
def goldstein_price(x: Any, y: Any) -> Any:
    """The Goldstein-Price function: values over six orders of magnitude."""
    s, t = x + y + 1, 2 * x - 3 * y
    first = 1 + s**2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)
    return first * (30 + t**2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2))


@_problem(
    -np.sqrt(3.0) / 2 - np.pi / 3,  # at x = 1/2 - pi/3, y = x - 1: sin(2x - 1) = -sqrt(3)/2
    [(0.5 - np.pi / 3, -0.5 - np.pi / 3)],
    ((-1.5, 4.0), (-3.0, 4.0)),
    f"{SURJANOVIC}",
)
def mccormick(x: Any, y: Any) -> Any:
    """McCormick's function: a plane with a sinusoidal fold."""
    return np.sin(x + y) + (x - y) ** 2 - 1.5 * x + 2.5 * y + 1


@_problem(
    -78.33233140754282,
    [(-2.903534027771177, -2.903534027771177)],
    _square(-5.0, 5.0),
    f"Styblinski & Tang 1990; {SURJANOVIC}",
)
def styblinski_tang(x: Any, y: Any) -> Any:
    """The Styblinski-Tang function: four basins, one lowest."""
    return 0.5 * (x**4 - 16 * x**2 + 5 * x + y**4 - 16 * y**2 + 5 * y)
