"""Test problems in plain NumPy: the paper's, and the zoo that teachers reach for.

Each is callable on numbers, arrays (elementwise: many starts at once) and Values, and knows its minimum, where it lies,
the usual search box, where it comes from, and the ways in which it is written: paths belong to the program, not to the
function. They know nothing of automatic differentiation.
"""

from .problem import ALL, Problem, written
from .zoo import (
    ackley,
    ackley_product,
    beale,
    booth,
    easom,
    f1,
    f2,
    goldstein_price,
    griewank,
    himmelblau,
    levi,
    matyas,
    mccormick,
    rastrigin,
    rosenbrock,
    schaffer2,
    styblinski_tang,
    three_hump_camel,
)

__all__ = [
    "ALL",
    "Problem",
    "ackley",
    "ackley_product",
    "beale",
    "booth",
    "easom",
    "f1",
    "f2",
    "goldstein_price",
    "griewank",
    "himmelblau",
    "levi",
    "matyas",
    "mccormick",
    "rastrigin",
    "rosenbrock",
    "schaffer2",
    "styblinski_tang",
    "three_hump_camel",
    "written",
]


def __dir__() -> list[str]:
    """What completion offers: the functions, and no module that they are made with."""
    return list(__all__)
