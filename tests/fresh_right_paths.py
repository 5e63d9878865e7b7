"""Unusual right answers to tutorials 1 to 4, by a reader who had not seen the graders. Out of students' sight."""

import itertools
import operator
from collections import Counter, OrderedDict, defaultdict, deque
from functools import reduce

import numpy as np

import tinyspad as ts

# --- 1 ----------------------------------------------------------------------------------------------------------------


class WithABuffer:
    def __call__(self, out, x, one=1.0):
        square = np.array(out, dtype=float, copy=True)
        square *= out
        np.subtract(one, square, out=square)
        return square


def by_exponentials(out, x):
    e = np.exp(-2 * np.abs(x))
    return 4 * e / (1 + e) ** 2


def secant(f, x, h):
    left, right = map(f, (x - h, x + h))
    print("values", left, right)
    return 0.5 * ((right - left) / h)


def counts_adjoints(tape, output):
    adjoint = Counter({output: 1})
    for result, arguments in tape[::-1]:
        for name, partial in arguments:
            adjoint[name] += adjoint[result] * partial
    return adjoint


def pops_a_copy(tape, output):
    todo, adjoint = list(tape), defaultdict(float, {output: 1.0})
    while todo:
        result, arguments = todo.pop()
        here = adjoint[result]
        for name, partial in arguments:
            adjoint[name] = adjoint[name] + partial * here
    return adjoint


# --- 2 ----------------------------------------------------------------------------------------------------------------


def grouped(arrivals):
    groups = {}
    for name, amount in arrivals:
        groups.setdefault(name, []).append(amount)
    return {name: reduce(operator.add, amounts) for name, amounts in groups.items()}


def on_copies(arrivals):
    out = OrderedDict()
    for name, amount in arrivals:
        out[name] = np.add(out[name], amount) if name in out else np.array(amount, dtype=float, copy=True)
    return out


def chained_reads(program):
    reads = Counter(itertools.chain.from_iterable(arguments for _, _, arguments in program))
    return {name: n for name, n in reads.items() if n >= 2}


def sorted_reads(program):
    reads = itertools.groupby(sorted((name for line in program for name in line[-1]), key=repr))
    return {name: np.int64(n) for name, n in ((name, sum(1 for _ in group)) for name, group in reads) if n != 1}


# --- 3 ----------------------------------------------------------------------------------------------------------------


def paths_from_a_stack(graph, source, output):
    found, todo = [], deque([(source,)])
    while todo:
        path = todo.pop()
        if path[-1] == output:
            found.append(list(path))
        else:
            todo.extend((*path, head) for head, _ in reversed(graph[path[-1]]))
    return found


def paths_from_a_generator(graph, source, output):
    def walk(node):
        if node == output:
            yield [node]
        for head, *_ in graph[node]:
            yield from ([node, *rest] for rest in walk(head))

    return list(walk(source))


def ways_from(graph, source):
    number = Counter({source: 1})
    for node, edges in graph.items():
        for head, _ in edges:
            number[head] += number[node]
    return number


def ways_to(graph, output):
    number, todo = {output: 1}, list(graph)
    while todo:
        node = todo[-1]
        missing = [head for head, _ in graph[node] if head not in number]
        if node in number or not missing:
            number.setdefault(node, sum(number[head] for head, _ in graph[node]))
            todo.pop()
        else:
            todo += missing
    return number


def path_by_uniforms(graph, source, output, rng):
    number, path = ways_to(graph, output), [source]
    while path[-1] != output:
        edges = graph[path[-1]]
        share = np.cumsum([number[head] / number[path[-1]] for head, _ in edges])
        path.append(edges[int(np.searchsorted(share, rng.random() * share[-1], side="right"))][0])
    return path


def path_by_bits(graph, source, output, rng):
    number, path = ways_to(graph, output), [source]
    rank = number[source]
    while rank >= number[source]:
        rank = int("".join(map(str, rng.integers(0, 2, size=number[source].bit_length()))), 2)
    while path[-1] != output:
        for head, _ in graph[path[-1]]:
            if rank < number[head]:
                break
            rank -= number[head]
        path.append(head)
    return path


def strongest_to_the_output(graph, source, output):
    best = {output: (1.0, 1.0, None)}
    for node in [*graph][::-1]:
        found = [(abs(w) * best[head][0], w * best[head][1], head) for head, w in graph[node] if head in best]
        if found and node != output:
            best[node] = max(found, key=operator.itemgetter(0))
    path = [source]
    while (head := best[path[-1]][2]) is not None:
        path.append(head)
    return best[source][1], path


def strongest_from_the_source(graph, source, output):
    product, before = {source: np.float64(1.0)}, {}
    for tail, edges in graph.items():
        for head, weight in edges if tail in product else ():
            there = product[tail] * weight
            if head not in product or np.abs(there) > np.abs(product[head]):
                product[head], before[head] = there, tail
    path = deque([output])
    while path[0] != source:
        path.appendleft(before[path[0]])
    return product[output], list(path)


# --- 4 ----------------------------------------------------------------------------------------------------------------


def spad_by_holds(contributions, x, steps, k_max, m, lr, rng):
    positions = [x]
    for start in range(0, steps, k_max):
        g = np.asarray(contributions(positions[-1]))
        kept = max(rng.choice(len(g), size=m, replace=False), key=lambda i: abs(g[i]))
        for _ in range(min(k_max, steps - start)):
            positions.append(positions[-1] - lr * contributions(positions[-1])[kept])
    return positions


def spad_by_a_generator(contributions, x, steps, k_max, m, lr, rng):
    def walk(at):
        yield at
        for step in range(steps):
            g = contributions(at)
            if not step % k_max:
                candidates = rng.choice(g.size, size=m, replace=False)
                kept = candidates[np.abs(g)[candidates].argmax()]
            at = at - lr * g[kept]
            yield at

    return list(walk(x))


RIGHT = {
    "tanh_rule": [WithABuffer(), by_exponentials],
    "central_difference": [lambda f, x, h: sum(side * f(x + side * h) for side in (-1, 1)) / (h + h), secant],
    "backward": [counts_adjoints, pops_a_copy],
    "accumulate": [grouped, on_copies],
    "branches": [chained_reads, sorted_reads],
    "three_paths": [lambda x: np.power(x, 2) * x * x, lambda x: (x**4 + x**4 + x**4) / 3],
    "list_paths": [paths_from_a_stack, paths_from_a_generator],
    "count_paths": [
        lambda graph, source, output: ways_from(graph, source)[output],
        lambda graph, source, output: ways_to(graph, output)[source],
    ],
    "sample_path": [path_by_uniforms, path_by_bits],
    "best_path": [strongest_to_the_output, strongest_from_the_source],
    "spad": [spad_by_holds, spad_by_a_generator],
    "escape": [lambda: ts.FixedPath(0), lambda m=1, k_max=50: ts.SPAD(m=m, k_max=k_max)],
}
