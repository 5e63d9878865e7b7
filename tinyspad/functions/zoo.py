"""The zoo: the paper's functions, and those that teachers reach for, each in all its writings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .problem import ALL, Box, Point, Problem

SURJANOVIC = "Surjanovic & Bingham, Virtual Library of Simulation Experiments"
JAMIL = "Jamil & Yang 2013, A literature survey of benchmark functions"
PAPER = "Peseux, Berar, Paquet & Nicollet 2023, IEEE Access 11"

Register = Callable[[Callable[..., Any]], Problem]


def _problem(minimum: float, minimizers: list[Point], box: Box, reference: str, writing: str = "powers") -> Register:
    def register(formula: Callable[..., Any]) -> Problem:
        problem = Problem(formula.__name__, formula, box, minimum, tuple(minimizers), reference, writing)
        ALL[problem.name] = problem
        return problem

    return register


def _writing(problem: Problem, name: str, **other: Any) -> Callable[[Callable[..., Any]], None]:
    """Enter the formula that follows as a writing: "products" spells powers of parameters out, "all-products" all powers."""
    return lambda formula: problem.write(name, formula, **other)


def _square(low: float, high: float) -> Box:
    return ((low, high), (low, high))


@_problem(0.0, [(0.0,)], ((-6.0, 6.0),), f"{PAPER}, Example 1")
def f1(x: Any) -> Any:
    """x**2 * (2 + cos(4 x)): local minima without end on the way to 0."""
    return x**2 * (2 + np.cos(4 * x))


@_writing(f1, "products")
def _(x: Any) -> Any:
    return x * x * (2 + np.cos(4 * x))


@_problem(-np.exp(-1.0), [(-1.0, 0.0)], ((-1.0, 2.0), (0.0, 2.0)), f"{PAPER}, Example 2; minimum on the box")
def f2(x: Any, y: Any) -> Any:
    """exp(x) * (x + y): the paper's example of a tupling node; unbounded below in y."""
    return np.exp(x) * (x + y)


@_problem(0.0, [(0.0, 0.0)], _square(-5.0, 5.0), f"Ackley 1987; {SURJANOVIC}", "sum")
def ackley(x: Any, y: Any) -> Any:
    """The usual Ackley function, a sum of two exponentials; its slope is undefined at the minimum itself."""
    bowl = -20 * np.exp(-0.2 * np.sqrt(0.5 * (x**2 + y**2)))
    return bowl - np.exp(0.5 * (np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y))) + np.e + 20


@_writing(ackley, "products")
def _(x: Any, y: Any) -> Any:
    bowl = -20 * np.exp(-0.2 * np.sqrt(0.5 * (x * x + y * y)))
    return bowl - np.exp(0.5 * (np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y))) + np.e + 20


@_problem(np.e + 20 - 20 * np.e, [(0.0, 0.0)], _square(-5.0, 5.0), f"{PAPER}, Appendix B, as printed")
def ackley_product(x: Any, y: Any) -> Any:
    """Ackley as the paper prints it, a product of the two exponentials; minimum -31.65."""
    bowl = -20 * np.exp(-0.2 * np.sqrt(0.5 * (x**2 + y**2)))
    return bowl * np.exp(0.5 * (np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y))) + np.e + 20


@_writing(ackley_product, "products")
def _(x: Any, y: Any) -> Any:
    bowl = -20 * np.exp(-0.2 * np.sqrt(0.5 * (x * x + y * y)))
    return bowl * np.exp(0.5 * (np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y))) + np.e + 20


for _name, _other in (("printed", "powers"), ("printed-products", "products")):  # another function, in fact
    _known = {"minimum": ackley_product.minimum, "reference": ackley_product.reference}
    _writing(ackley, _name, **_known)(ackley_product.writings[_other].formula)  # type: ignore[attr-defined]


@_problem(0.0, [(3.0, 0.5)], _square(-4.5, 4.5), f"Beale 1958; {SURJANOVIC}")
def beale(x: Any, y: Any) -> Any:
    """Beale's function: a flat valley with sharp corners."""
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


@_writing(beale, "products")
def _(x: Any, y: Any) -> Any:
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y * y) ** 2 + (2.625 - x + x * y * y * y) ** 2


@_writing(beale, "all-products")
def _(x: Any, y: Any) -> Any:
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y
    return a * a + b * b + c * c


@_problem(0.0, [(1.0, 1.0)], _square(-10.0, 10.0), f"Levy no. 13; {SURJANOVIC}; {PAPER}, Appendix B")
def levi(x: Any, y: Any) -> Any:
    """Levi (Levy) N.13: a bowl covered with ripples."""
    ripples = np.sin(3 * np.pi * x) ** 2
    across = (x - 1) ** 2 * (1 + np.sin(3 * np.pi * y) ** 2)
    return ripples + across + (y - 1) ** 2 * (1 + np.sin(2 * np.pi * y) ** 2)


@_writing(levi, "all-products")
def _(x: Any, y: Any) -> Any:
    a, b, c = np.sin(3 * np.pi * x), np.sin(3 * np.pi * y), np.sin(2 * np.pi * y)
    return a * a + (x - 1) * (x - 1) * (1 + b * b) + (y - 1) * (y - 1) * (1 + c * c)


@_problem(0.0, [(0.0, 0.0)], _square(-100.0, 100.0), f"{SURJANOVIC}; {PAPER}, Appendix B")
def schaffer2(x: Any, y: Any) -> Any:
    """Schaffer N.2: rings of ever lower ripples around the origin."""
    return 0.5 + (np.sin(x**2 - y**2) ** 2 - 0.5) / (1 + 0.001 * (x**2 + y**2)) ** 2


@_writing(schaffer2, "products")
def _(x: Any, y: Any) -> Any:
    return 0.5 + (np.sin(x * x - y * y) ** 2 - 0.5) / (1 + 0.001 * (x * x + y * y)) ** 2


@_writing(schaffer2, "all-products")
def _(x: Any, y: Any) -> Any:
    rings, flat = np.sin(x * x - y * y), 1 + 0.001 * (x * x + y * y)
    return 0.5 + (rings * rings - 0.5) / (flat * flat)


@_problem(0.0, [(1.0, 1.0)], _square(-2.048, 2.048), f"Rosenbrock 1960; {SURJANOVIC}")
def rosenbrock(x: Any, y: Any) -> Any:
    """Rosenbrock's banana: a curved valley with a nearly flat floor."""
    return 100 * (y - x**2) ** 2 + (1 - x) ** 2


@_writing(rosenbrock, "products")
def _(x: Any, y: Any) -> Any:
    return 100 * (y - x * x) ** 2 + (1 - x) ** 2


@_writing(rosenbrock, "all-products")
def _(x: Any, y: Any) -> Any:
    a, b = y - x * x, 1 - x
    return 100 * a * a + b * b


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


@_writing(himmelblau, "products")
def _(x: Any, y: Any) -> Any:
    return (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2


@_writing(himmelblau, "all-products")
def _(x: Any, y: Any) -> Any:
    a, b = x * x + y - 11, x + y * y - 7
    return a * a + b * b


@_problem(0.0, [(0.0, 0.0)], _square(-5.12, 5.12), f"Rastrigin 1974; {SURJANOVIC}")
def rastrigin(x: Any, y: Any) -> Any:
    """Rastrigin's function: an egg box in a bowl."""
    return 20 + x**2 - 10 * np.cos(2 * np.pi * x) + y**2 - 10 * np.cos(2 * np.pi * y)


@_writing(rastrigin, "products")
def _(x: Any, y: Any) -> Any:
    return 20 + x * x - 10 * np.cos(2 * np.pi * x) + y * y - 10 * np.cos(2 * np.pi * y)


@_problem(0.0, [(0.0, 0.0)], _square(-600.0, 600.0), f"Griewank 1981; {SURJANOVIC}")
def griewank(x: Any, y: Any) -> Any:
    """Griewank's function: a wide bowl, and thousands of small dents."""
    return 1 + (x**2 + y**2) / 4000 - np.cos(x) * np.cos(y / np.sqrt(2.0))


@_writing(griewank, "products")
def _(x: Any, y: Any) -> Any:
    return 1 + (x * x + y * y) / 4000 - np.cos(x) * np.cos(y / np.sqrt(2.0))


@_problem(0.0, [(1.0, 3.0)], _square(-10.0, 10.0), SURJANOVIC)
def booth(x: Any, y: Any) -> Any:
    """Booth's function: a tilted quadratic bowl."""
    return (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2


@_writing(booth, "all-products")
def _(x: Any, y: Any) -> Any:
    a, b = x + 2 * y - 7, 2 * x + y - 5
    return a * a + b * b


@_problem(0.0, [(0.0, 0.0)], _square(-10.0, 10.0), SURJANOVIC)
def matyas(x: Any, y: Any) -> Any:
    """Matyas's function: a narrow quadratic valley."""
    return 0.26 * (x**2 + y**2) - 0.48 * x * y


@_writing(matyas, "products")
def _(x: Any, y: Any) -> Any:
    return 0.26 * (x * x + y * y) - 0.48 * x * y


@_problem(0.0, [(0.0, 0.0)], _square(-5.0, 5.0), SURJANOVIC)
def three_hump_camel(x: Any, y: Any) -> Any:
    """The three-hump camel: three minima, the middle one lowest."""
    return 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2


@_writing(three_hump_camel, "products")
def _(x: Any, y: Any) -> Any:
    return 2 * x * x - 1.05 * x * x * x * x + x * x * x * x * x * x / 6 + x * y + y * y


@_problem(-1.0, [(np.pi, np.pi)], _square(-100.0, 100.0), f"Easom 1990; {SURJANOVIC}")
def easom(x: Any, y: Any) -> Any:
    """Easom's function: flat, but for one narrow hole at (pi, pi)."""
    return -np.cos(x) * np.cos(y) * np.exp(-((x - np.pi) ** 2) - (y - np.pi) ** 2)


@_writing(easom, "all-products")
def _(x: Any, y: Any) -> Any:
    a, b = x - np.pi, y - np.pi
    return -np.cos(x) * np.cos(y) * np.exp(-(a * a) - b * b)


@_problem(3.0, [(0.0, -1.0)], _square(-2.0, 2.0), f"Goldstein & Price 1971; {SURJANOVIC}")
def goldstein_price(x: Any, y: Any) -> Any:
    """The Goldstein-Price function: values over six orders of magnitude."""
    s, t = x + y + 1, 2 * x - 3 * y
    first = 1 + s**2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)
    return first * (30 + t**2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2))


@_writing(goldstein_price, "products")
def _(x: Any, y: Any) -> Any:
    s, t = x + y + 1, 2 * x - 3 * y
    first = 1 + s**2 * (19 - 14 * x + 3 * x * x - 14 * y + 6 * x * y + 3 * y * y)
    return first * (30 + t**2 * (18 - 32 * x + 12 * x * x + 48 * y - 36 * x * y + 27 * y * y))


@_problem(
    -np.sqrt(3.0) / 2 - np.pi / 3,  # at x = 1/2 - pi/3, y = x - 1: sin(2x - 1) = -sqrt(3)/2
    [(0.5 - np.pi / 3, -0.5 - np.pi / 3)],
    ((-1.5, 4.0), (-3.0, 4.0)),
    f"{SURJANOVIC}",
)
def mccormick(x: Any, y: Any) -> Any:
    """McCormick's function: a plane with a sinusoidal fold."""
    return np.sin(x + y) + (x - y) ** 2 - 1.5 * x + 2.5 * y + 1


@_writing(mccormick, "all-products")
def _(x: Any, y: Any) -> Any:
    return np.sin(x + y) + (x - y) * (x - y) - 1.5 * x + 2.5 * y + 1


@_problem(
    -78.33233140754282,
    [(-2.903534027771177, -2.903534027771177)],
    _square(-5.0, 5.0),
    f"Styblinski & Tang 1990; {SURJANOVIC}",
)
def styblinski_tang(x: Any, y: Any) -> Any:
    """The Styblinski-Tang function: four basins, one lowest."""
    return 0.5 * (x**4 - 16 * x**2 + 5 * x + y**4 - 16 * y**2 + 5 * y)


@_writing(styblinski_tang, "products")
def _(x: Any, y: Any) -> Any:
    return 0.5 * (x * x * x * x - 16 * x * x + 5 * x + y * y * y * y - 16 * y * y + 5 * y)
