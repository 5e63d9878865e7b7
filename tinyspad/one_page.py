"""What if a gradient is not one number but a sum over paths, and we may choose which of them to follow?

Draw a program as a graph: from each operand an edge to the operation that reads it, with the local derivative as its
weight. By the chain rule, the derivative of the output by a parameter is a sum over all paths from one to the other, to
which each path contributes the product of its weights. Gradient descent (GD) follows all paths, RAD a random one, SPAD
the one that contributes most; and these two may hold on to their path for some steps.

This page is the whole idea, on plain numbers and slow on purpose. Its headings name the modules of tinyspad that do the
same for NumPy programs; a test holds them to this page. To see what comes of it: ``python -m tinyspad.one_page``.

>>> graph = Graph(lambda x, y: x * x * y, 3.0, 5.0)
>>> [listing(graph)[node] for node in graph.source]  # x is read twice, so it has two paths
[[15.0, 15.0], [9.0]]
>>> [gradient(graph)[node] for node in graph.source]  # the gradient is what they add up to
[30.0, 9.0]
"""

import math
import random


# --- rules, tape: numbers that remember -------------------------------------------------------------------------------
def rule(f):
    """An operation on Values, where f computes in numbers: the result, and then the derivative by each operand."""

    def operation(*operands):
        result, *derivatives = f(*(x.data if isinstance(x, Value) else x for x in operands))
        reads = [(x, derivative) for x, derivative in zip(operands, derivatives) if isinstance(x, Value)]
        return Value(result, reads, reads[0][0].tape) if reads else result  # what is made of constants is a constant

    return operation


class Value:
    """A number that remembers what it was computed from: the Values it ``reads``, with the local derivative by each."""

    def __init__(self, data, reads=(), tape=None):
        self.data, self.reads, self.tape = float(data), reads, [] if tape is None else tape
        self.tape.append(self)  # one tape for all Values of a program, in its order; constants are plain numbers

    __neg__ = rule(lambda x: (-x, -1))
    __add__ = __radd__ = rule(lambda x, y: (x + y, 1, 1))
    __mul__ = __rmul__ = rule(lambda x, y: (x * y, y, x))
    __sub__ = rule(lambda x, y: (x - y, 1, -1))
    __rsub__ = rule(lambda x, c: (c - x, -1))  # what Python calls for c - x, where c is a plain number
    __truediv__ = rule(lambda x, y: (x / y, 1 / y, -x / y**2))
    __rtruediv__ = rule(lambda x, c: (c / x, -c / x**2))
    __pow__ = rule(lambda x, y: (x**y, y * x ** (y - 1) if y else 0, x**y * math.log(x) if x > 0 else math.nan))
    __rpow__ = rule(lambda x, c: (c**x, c**x * math.log(c)))


sin = rule(lambda x: (math.sin(x), math.cos(x)))
cos = rule(lambda x: (math.cos(x), -math.sin(x)))
exp = rule(lambda x: (math.exp(x), math.exp(x)))


# --- lcg: the program as a graph in which every variable is read once -------------------------------------------------
class Graph:
    """One run of f: ``edges[node]`` lists who reads a variable, as pairs (node of the reader, local derivative).

    A variable that is read several times becomes a tupling node: it is copied into branches, each of which is read once.
    So a path has a choice only at tupling nodes. ``source``: the nodes of the parameters. ``output``: that of the result,
    whose number is ``value``. Kept is what lies between them.

    >>> Graph(lambda x: x * x, 3.0).edges  # node 0 is x, 1 and 2 are its branches, 3 is their product
    [[(1, 1), (2, 1)], [(3, 3.0)], [(3, 3.0)], []]
    """

    def __init__(self, f, *args):
        tape = []
        parameters = [Value(x, (), tape) for x in args]
        output = f(*parameters)
        if output not in tape:
            output = Value(output, (), tape)  # a constant: no path leads there
        readers = dict.fromkeys([*parameters, output], 0)  # of each variable that is kept: how many read it
        for value in reversed(tape):
            if value in readers:
                for operand, _ in value.reads:
                    readers[operand] = readers.get(operand, 0) + 1

        self.value, self.source, self.edges = output.data, range(len(args)), []
        unread = {}  # of each variable: the nodes that wait for a reader, its own or its branches
        # The parameters come first, then all their branches; after them each operation, and then its branches.
        for group in [parameters, *([value] for value in tape[len(args) :] if value in readers)]:
            for value in group:
                for operand, weight in value.reads:
                    self.edges[unread[operand].pop(0)].append((len(self.edges), weight))
                unread[value] = [len(self.edges)]
                self.edges.append([])
            for value in group:
                if readers[value] > 1:
                    [node] = unread[value]
                    unread[value] = [len(self.edges) + k for k in range(readers[value])]
                    self.edges[node] = [(branch, 1) for branch in unread[value]]
                    self.edges += [[] for _ in unread[value]]
        [self.output] = unread[output]


# --- paths: one sweep answers many questions --------------------------------------------------------------------------
def sweep(graph, plus, times, zero, one):
    """By node: the sum, over all its paths to the output, of the product of the weights on the path."""
    total = [zero] * len(graph.edges)
    total[graph.output] = one
    for node in reversed(range(graph.output)):  # readers come later in the program: their totals are known by now
        for reader, weight in graph.edges[node]:
            # As times distributes over plus, this serves all paths of the reader at once, however many there are.
            total[node] = plus(total[node], times(weight, total[reader]))
    return total


def gradient(graph):
    """The sum of all contributions: the derivative of the output, by backpropagation."""
    return sweep(graph, lambda a, b: a + b, lambda weight, a: weight * a, 0.0, 1.0)


def count(graph):
    """The number of paths: each counts as 1, whatever is on it."""
    return sweep(graph, lambda a, b: a + b, lambda weight, a: a, 0, 1)


def largest(graph):
    """The largest absolute contribution: here plus is max."""
    return sweep(graph, max, lambda weight, a: abs(weight) * a, 0.0, 1.0)


def listing(graph):
    """All contributions, in order: here plus joins lists, which grow as long as the count, so ask for that first."""
    return sweep(graph, lambda a, b: a + b, lambda weight, a: [weight * each for each in a], [], [1.0])


# --- estimators: choose a path, and follow it -------------------------------------------------------------------------
def walk(graph, node, choose):
    """The path that takes branch ``choose(node)`` at each tupling node: as route {node: branch}, and its contribution."""
    route, product = {}, 1.0
    while edges := graph.edges[node]:
        if len(edges) > 1:
            route[node] = choose(node)
        node, weight = edges[route.get(node, 0)]
        product *= weight
    return route, product if node == graph.output else 0.0  # a parameter that nobody reads has no path


def at_random(graph, rng):
    """The choice that makes all paths equally likely: each branch in proportion to the number of paths through it."""
    paths = count(graph)

    def choose(node):
        number = rng.randrange(paths[node])
        for k, (branch, _) in enumerate(graph.edges[node]):
            if number < paths[branch]:
                return k
            number -= paths[branch]

    return choose


def best(graph, rng=None):
    """The choice that leads along the path of the largest absolute contribution."""
    size = largest(graph)

    def choose(node):
        sizes = [size[branch] for branch, _ in graph.edges[node]]
        return sizes.index(max(sizes))

    return choose


# --- optimizers, optimize: where that leads ---------------------------------------------------------------------------
def minimize(f, x0, select=None, hold=1, steps=2000, rng=None, lr=0.01):
    """All positions on a way down from x0: by GD, or with ``select=at_random`` by RAD, with ``select=best`` by SPAD."""
    x, m, v, way = list(x0), [0.0] * len(x0), [0.0] * len(x0), [list(x0)]
    for t in range(1, steps + 1):
        graph = Graph(f, *x)
        if select and (t - 1) % hold == 0:  # time for each parameter to choose a path of its own
            choose = select(graph, rng)
            routes = {node: walk(graph, node, choose)[0] for node in graph.source}
        g = {node: walk(graph, node, routes[node].get)[1] for node in routes} if select else gradient(graph)
        for i in graph.source:  # a step of Adam: the mean of g over the root of the mean of its square, both recent
            m[i], v[i] = 0.9 * m[i] + 0.1 * g[i], 0.999 * v[i] + 0.001 * g[i] ** 2
            x[i] -= lr * m[i] / (1 - 0.9**t) / (math.sqrt(v[i] / (1 - 0.999**t)) + 1e-8)
        way.append(list(x))
    return way


def f1(x):
    """The paper's first example: a parabola full of local minima."""
    return x**2 * (2 + cos(4 * x))


if __name__ == "__main__":
    graph = Graph(f1, 5.0)
    [x] = graph.source
    print(f"f1(x) = x**2 * (2 + cos(4 * x)) is {graph.value:.3f} at x = 5. Its gradient, path by path:")
    for i, contribution in enumerate(listing(graph)[x]):
        print(f"  path {i}           {contribution:9.3f}")
    print(f"  sum              {sum(listing(graph)[x]):9.3f}\n  backpropagation  {gradient(graph)[x]:9.3f}")
    print("2000 steps from there:")
    for name, select, hold in ("GD", None, 1), ("RAD", at_random, 1), ("RAD", at_random, 50), ("SPAD", best, 50):
        [end] = minimize(f1, [5.0], select, hold, rng=random.Random(1))[-1]
        print(f"  {name:4}  hold {hold:2}   to x = {end:.3f}, where f1(x) = {Graph(f1, end).value:6.3f}")
