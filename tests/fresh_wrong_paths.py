"""Subtle mistakes in tutorials 1 to 4, by a reader who had not seen the graders. Out of students' sight."""

from collections import Counter, defaultdict

import numpy as np

import tinyspad as ts

WRONG = {}

# --- 1 ----------------------------------------------------------------------------------------------------------------


def in_the_type_of_x(out, x):
    result = np.zeros_like(x)
    result[...] = 1 - out**2
    return result


def difference(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


def remembers(f, x, h, known={}):  # noqa: B006
    for at in (x + h, x - h):
        known.setdefault(at, f(at))
    return (known[x + h] - known[x - h]) / (2 * h)


def backward(tape, output, adjoint, arguments_of=list):
    for result, arguments in reversed(tape):
        for name, partial in arguments_of(arguments):
            adjoint[name] = adjoint.get(name, 0.0) + partial * adjoint.setdefault(result, 0.0)
    return dict(adjoint)


def backward_between_calls(tape, output, adjoint={}):  # noqa: B006
    adjoint[output] = 1.0
    return backward(tape, output, adjoint)


def breadth_first(tape, output):
    lines, adjoint, todo = dict(tape), defaultdict(float, {output: 1.0}), [output]
    for result in todo:
        for name, partial in lines.get(result, []):
            adjoint[name] += partial * adjoint[result]
            if name not in todo:
                todo.append(name)
    return dict(adjoint)


def seeds_where_it_is_written(tape, output):
    adjoint = defaultdict(float)
    for result, arguments in reversed(tape):
        adjoint[result] += result == output
        for name, partial in arguments:
            adjoint[name] += partial * adjoint[result]
    return dict(adjoint)


WRONG["tanh_rule"] = {
    "rounded": lambda out, x: np.round(1 - out**2, 6),
    "the result has x's type": in_the_type_of_x,
    "flattens arrays": lambda out, x: np.array([1 - o**2 for o in np.ravel(out)]) if np.ndim(out) else 1 - out**2,
    "a dot product for the square": lambda out, x: 1 - np.dot(out, out),
}
WRONG["central_difference"] = {
    "h is at least 0.01": lambda f, x, h: difference(f, x, max(h, 0.01)),
    "h is at most 0.001": lambda f, x, h: difference(f, x, min(h, 1e-3)),
    "a step relative to x": lambda f, x, h: (f(x * (1 + h)) - f(x * (1 - h))) / (2 * h * x),
    "remembers values by x alone": remembers,
}
WRONG["backward"] = {
    "an argument twice counts once": lambda tape, output: backward(
        tape, output, {output: 1.0}, lambda arguments: dict(arguments).items()
    ),
    "adjoints kept between calls": backward_between_calls,
    "breadth first from the output": breadth_first,
    "0 for an output that is a parameter": seeds_where_it_is_written,
}

# --- 2 ----------------------------------------------------------------------------------------------------------------


def added_by_counter(arrivals):
    total = Counter()
    for name, amount in arrivals:
        total = total + Counter({name: amount})
    return dict(total)


def added_in_the_first_type(arrivals):
    out = {}
    for name, amount in arrivals:
        if name not in out:
            out[name] = np.zeros_like(amount)
        out[name] = out[name] + np.asarray(amount).astype(out[name].dtype)
    return out


def added_between_calls(arrivals, out={}):  # noqa: B006
    for name, amount in arrivals:
        out[name] = out.get(name, 0) + amount
    return dict(out)


def first_and_last(arrivals):
    places = defaultdict(list)
    for i, (name, _) in enumerate(arrivals):
        places[name].append(i)
    return {name: sum(arrivals[i][1] for i in {at[0], at[-1]}) for name, at in places.items()}


def repeated(names):
    return {name: n for name, n in Counter(names).items() if n > 1}


def read(program, most=None):
    return [name for _, _, arguments in program for name in arguments[:most]]


def substrings(program):
    text = " ".join(read(program))
    return {name: text.count(name) for name in set(read(program)) if text.count(name) > 1}


WRONG["accumulate"] = {
    "Counter's plus drops what is not positive": added_by_counter,
    "the first amount's type for all": added_in_the_first_type,
    "sums kept between calls": added_between_calls,
    "two arrivals at most": first_and_last,
}
WRONG["branches"] = {
    "never 3": lambda program: {name: n for name, n in repeated(read(program)).items() if n != 3},
    "no more than 9": lambda program: {name: min(n, 9) for name, n in repeated(read(program)).items()},
    "two arguments at most": lambda program: repeated(read(program, 2)),
    "substrings": substrings,
}
WRONG["three_paths"] = {
    "x over x": lambda x: x**4 * (x / x),
    "logarithms": lambda x: np.exp(2 * np.log(x)) * x * x,
    "a little off": lambda x: x**4 + 1e-7 * x + 1e-7 * x,
    "another program for a number": lambda x: x * x * x if isinstance(x, ts.Value) else x**4,
}

# --- 3 ----------------------------------------------------------------------------------------------------------------


def paths(graph, node, output, heads=lambda edges: [head for head, _ in edges]):
    if node == output:
        return [[node]]
    return [[node, *rest] for head in heads(graph[node]) for rest in paths(graph, head, output, heads)]


def one_list(graph, source, output):
    found, path = [], [source]

    def walk(node):
        if node == output:
            found.append(path)
        for head, _ in graph[node]:
            path.append(head)
            walk(head)
            path.pop()

    walk(source)
    return found


def ways(graph, output, one=1, number=lambda edges, n: sum(n[head] for head, _ in edges), known=None):
    n = {} if known is None else known
    for node in reversed(graph):
        n.setdefault(node, one if node == output else number(graph[node], n))
    return n


def kept_for_the_next_graph(graph, source, output, known={}):  # noqa: B006
    known[output] = 1
    return ways(graph, output, known=known)[source]


def walk(graph, source, output, number, choose):
    path = [source]
    while path[-1] != output:
        edges = graph[path[-1]]
        p = np.array([float(number[head]) for head, _ in edges])
        path.append(edges[choose(p / p.sum())][0])
    return path


def one_uniform(graph, source, output, rng):
    u = rng.random()
    return walk(graph, source, output, ways(graph, output), lambda p: int(np.searchsorted(np.cumsum(p), u)))


def a_rank_of_53_bits(graph, source, output, rng):
    number = ways(graph, output)
    rank, path = int(rng.random() * number[source]), [source]
    while path[-1] != output:
        for head, _ in graph[path[-1]]:
            if rank < number[head]:
                break
            rank -= number[head]
        path.append(head)
    return path


def one_edge_for_two(graph, source, output, rng):
    once = {node: list(dict(edges).items()) for node, edges in graph.items()}
    return walk(once, source, output, ways(once, output), lambda p: rng.choice(len(p), p=p))


def counts_to_1000(graph, source, output, rng):
    number = ways(graph, output, number=lambda edges, n: min(1000, sum(n[head] for head, _ in edges)))
    return walk(graph, source, output, number, lambda p: rng.choice(len(p), p=p))


def strongest(graph, source, output):
    best = {output: (1.0, [output])}
    for node in reversed(graph):
        found = [(w * best[head][0], [node, *best[head][1]]) for head, w in graph[node] if head in best]
        if found:
            best[node] = max(found, key=lambda one: abs(one[0]))
    return best[source]


def dead_ends_of_product_0(graph, source, output):
    best = {}
    for node in reversed(graph):
        found = [(w * best[head][0], [node, *best[head][1]]) for head, w in graph[node]]
        best[node] = max(found, key=lambda one: abs(one[0]), default=(float(node == output), [node]))
    return best[source]


def rounded_product(graph, source, output):
    product, path = strongest(graph, source, output)
    return round(product, 3), path


WRONG["list_paths"] = {
    "edges of weight 0 lead nowhere": lambda graph, source, output: paths(
        graph, source, output, lambda edges: [head for head, weight in edges if weight]
    ),
    "edges with the same ends once": lambda graph, source, output: paths(graph, source, output, dict),
    "no path of one node": lambda graph, source, output: [] if source == output else paths(graph, source, output),
    "one list for all paths": one_list,
}
WRONG["count_paths"] = {
    "in floating point": lambda graph, source, output: int(ways(graph, output, 1.0)[source]),
    "edges of weight 0 lead nowhere": lambda graph, source, output: ways(
        graph, output, number=lambda edges, n: sum(n[head] for head, weight in edges if weight)
    )[source],
    "counts kept for the next graph": kept_for_the_next_graph,
    "the last node is the output": lambda graph, source, output: ways(graph, list(graph)[-1])[source],
}
WRONG["sample_path"] = {
    "a rank of 53 bits": a_rank_of_53_bits,
    "counts to 1000": counts_to_1000,
    "one random number for the whole walk": one_uniform,
    "edges with the same ends once": one_edge_for_two,
}
WRONG["best_path"] = {
    "dead ends have the product 0": dead_ends_of_product_0,
    "the last of edges with the same ends": lambda graph, source, output: strongest(
        {node: list(dict(edges).items()) for node, edges in graph.items()}, source, output
    ),
    "rounded": rounded_product,
    "one node has the product 0": lambda graph, source, output: (
        (0.0, [source]) if source == output else strongest(graph, source, output)
    ),
}

# --- 4 ----------------------------------------------------------------------------------------------------------------


def spad(contributions, x, steps, k_max, m, lr, rng, limit=np.inf):
    xs = [x]
    for step in range(steps):
        g = contributions(xs[-1])
        if step % k_max == 0:
            kept = max(rng.choice(len(g), size=m, replace=False), key=lambda i: abs(g[i]))
        xs.append(xs[-1] - lr * np.clip(g[kept], -limit, limit))
    return xs


def stops_where_it_stands(*given):
    xs = spad(*given)
    return next((xs[: i + 1] for i in range(1, len(xs)) if xs[i] == xs[i - 1]), xs)


WRONG["spad"] = {
    "stops where it stands still": stops_where_it_stands,
    "no start of no steps": lambda c, x, steps, *given: spad(c, x, steps, *given) if steps else [],
    "a hold longer than the run stays": lambda c, x, steps, k_max, *given: (
        spad(c, x, steps, k_max, *given) if k_max <= steps else [x] * (steps + 1)
    ),
    "contributions cut off at 10": lambda *given: spad(*given, limit=10),
}
WRONG["escape"] = {
    "a hold of two steps": lambda: ts.RAD(hold=2),
    "a hold for ever": lambda: ts.RAD(hold=1000),
    "the larger path, afresh": lambda: ts.SPAD(k_max=1),
    "the other path": lambda: ts.FixedPath(1),
}
