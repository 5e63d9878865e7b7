"""Seeded random programs, and brute force over their paths: what the laws (CONTRIBUTING.md) are tested against."""

import functools

import numpy as np

from tinyspad.rules import RULES, Domain

ELEMENTWISE_RULES = [r for r in RULES.values() if r.elementwise and isinstance(r.domain, (Domain, tuple))]

UNARY = ["sin", "cos", "tanh", "exp", "square", "arctan"]
BINARY = ["+", "-", "*", "/"]


class Program:
    """Random straight-line code with shared intermediates, constants, dead code and reused parameters.

    Calling it evaluates it with ``xp``, plain NumPy or autograd's; every value stays within a few units.
    """

    def __init__(self, seed, params=2, length=8):
        rng = np.random.default_rng(seed)
        self.params = params
        self.lines = []

        def pick():
            """A variable defined so far: mostly one of the last five, so that intermediates are shared."""
            defined = params + len(self.lines)
            return int(rng.integers(max(0, defined - 5) if rng.random() < 0.7 else 0, defined))

        for _ in range(length):
            kind = rng.random()
            if kind < 0.4:
                self.lines.append((str(rng.choice(UNARY)), pick()))
            elif kind < 0.85:
                self.lines.append((str(rng.choice(BINARY)), pick(), pick()))
            else:
                self.lines.append((str(rng.choice(["c*", "c+", "**"])), pick(), float(rng.integers(1, 4))))
        self.last = [params + length - 1, *map(int, rng.integers(params, params + length, 2))]

    def __call__(self, *args, xp=np):
        v = list(args)
        for op, i, *rest in self.lines:
            a = v[i]
            if op in UNARY:
                v.append(getattr(xp, op)(0.5 * xp.tanh(a) if op == "exp" else a))
            elif op in BINARY:
                b = v[rest[0]]
                v.append(
                    {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / (2 + b * b)}[op]()
                )
            elif op == "**":
                v.append(xp.tanh(a) ** int(rest[0]))
            else:
                v.append(rest[0] * a if op == "c*" else rest[0] + a)
        return v[self.last[0]] + v[self.last[1]] * v[self.last[2]]

    def point(self, seed, shape=()):
        draws = np.random.default_rng(seed).uniform(-1.5, 1.5, (self.params, *shape))
        return [float(x) if shape == () else x for x in draws]


def listed_paths(lcg, param):
    """Every path by recursion over the named edges, as (names, product): slow, and nothing of tinyspad's algebra."""
    out = {}
    for tail, head, weight in lcg.edges:
        out.setdefault(tail, []).append((head, weight))
    end = lcg.names[lcg.structure.output]

    def walk(node):
        if node == end:
            yield (node,), 1.0
            return
        for head, weight in out.get(node, []):
            for names, product in walk(head):
                yield (node, *names), product * weight

    return list(walk(param))


def more_operations(value):
    """micrograd's test/test_engine.py, second program."""
    a, b = value(-4.0), value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return g.data, a.grad, b.grad


def scaled(derivative, factor):
    """The derivative, or the vjp, times a factor."""

    @functools.wraps(derivative)  # rules are asked for the names of their arguments
    def elementwise(*args, **kwargs):
        return factor * derivative(*args, **kwargs)

    @functools.wraps(derivative)
    def linear(*args, **kwargs):
        vjp = derivative(*args, **kwargs)
        return lambda g: factor * vjp(g)

    return elementwise, linear
