"""A solution to every exercise of tinyspad.check, by the exercise's name. For instructors: no tutorial links here."""

import numpy as np

import tinyspad as ts

# --- 01 ---------------------------------------------------------------------------------------------------------------


def tanh_rule(out, x):
    return 1 - out**2


def central_difference(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


def backward(tape, output):
    adjoint = {output: 1.0}
    for result, arguments in reversed(tape):
        for name, partial in arguments:
            adjoint[name] = adjoint.get(name, 0.0) + partial * adjoint.get(result, 0.0)
    return adjoint


# --- 02 ---------------------------------------------------------------------------------------------------------------


def accumulate(arrivals):
    adjoint = {}
    for name, amount in arrivals:
        adjoint[name] = adjoint[name] + amount if name in adjoint else amount
    return adjoint


def branches(program):
    reads = {}
    for _result, _operation, arguments in program:
        for name in arguments:
            reads[name] = reads.get(name, 0) + 1
    return {name: n for name, n in reads.items() if n > 1}


def three_paths(x):
    return x**2 * x * x


# --- 03 ---------------------------------------------------------------------------------------------------------------


def list_paths(graph, source, output):
    paths, pending = [], [[source]]
    while pending:
        path = pending.pop()
        if path[-1] == output:
            paths.append(path)
            continue
        for head, _weight in reversed(graph[path[-1]]):  # the last one pushed is the first one popped
            pending.append([*path, head])
    return paths


def count_paths(graph, source, output):
    number = {}
    for node in reversed(list(graph)):
        number[node] = 1 if node == output else sum(number[head] for head, _weight in graph[node])
    return number[source]


def sample_path(graph, source, output, rng):
    number = {}
    for node in reversed(list(graph)):
        number[node] = 1 if node == output else sum(number[head] for head, _weight in graph[node])
    path = [source]
    while path[-1] != output:
        heads = [head for head, _weight in graph[path[-1]]]
        shares = [number[head] / number[path[-1]] for head in heads]
        path.append(heads[rng.choice(len(heads), p=shares)])
    return path


def best_path(graph, source, output):
    best, step = {output: 1.0}, {}
    for node in reversed(list(graph)):
        for head, weight in graph[node]:
            if head in best and (node not in step or abs(weight * best[head]) > abs(best[node])):
                best[node], step[node] = weight * best[head], head
    path = [source]
    while path[-1] != output:
        path.append(step[path[-1]])
    return best[source], path


# --- 04 ---------------------------------------------------------------------------------------------------------------


def spad(contributions, x, steps, k_max, m, lr, rng):
    positions = [x]
    for step in range(steps):
        g = contributions(x)
        if step % k_max == 0:
            candidates = rng.choice(len(g), size=m, replace=False)
            held = candidates[np.argmax(np.abs(g[candidates]))]
        x = x - lr * g[held]
        positions.append(x)
    return positions


def escape():
    return ts.RAD(hold=50)


# --- 05 ---------------------------------------------------------------------------------------------------------------


def unbiased_draw(g, p, rng):
    i = rng.choice(len(g), p=p)
    return g[i] / p[i]


def exact_variance(g, p):
    drawn = p > 0
    second = np.sum(np.sum(g[drawn] ** 2, axis=1) / p[drawn])
    return second - np.sum(np.sum(g, axis=0) ** 2)


def magnitude_draw(g, rng):
    size = np.linalg.norm(g, axis=1)
    p = size / np.sum(size)
    i = rng.choice(len(g), p=p)
    return i, p[i]


def best_epsilon(g):
    sizes = np.sort(np.linalg.norm(g, axis=1))
    a = sizes[-1]
    b = np.sqrt((len(g) - 1) * np.sum(sizes[:-1] ** 2))
    return b / (a + b)


# --- 06 ---------------------------------------------------------------------------------------------------------------


def chance_of_largest(n, m, k, replace):
    all_miss = (1 - k / n) ** m if replace else np.prod([(n - k - i) / (n - i) for i in range(m)])
    return 1 - all_miss


def wilson_interval(successes, runs):
    p, n, z = successes / runs, runs, 1.96
    middle = p + z**2 / (2 * n)
    reach = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (middle - reach) / (1 + z**2 / n), (middle + reach) / (1 + z**2 / n)


# --- 07 ---------------------------------------------------------------------------------------------------------------


def live_code(program, wanted):
    needed, kept = {wanted}, []
    for result, arguments in reversed(program):
        if result in needed:
            kept.append(result)
            needed.update(arguments)
    return kept[::-1]


def eliminate(edges, vertex):
    left = {edge: weight for edge, weight in edges.items() if vertex not in edge}
    multiplications = 0
    for (tail, to), first in edges.items():
        for (start, head), second in edges.items():
            if to == vertex == start:
                left[tail, head] = left.get((tail, head), 0.0) + first * second
                multiplications += 1
    return left, multiplications


def linear_memory(x, keep, rng):
    d = x.shape[1]
    k = int(np.ceil(keep * d))
    chosen = rng.choice(d, size=k, replace=False)
    return x[:, chosen], chosen, d


def linear_gradient(saved, delta):
    columns, chosen, d = saved
    gradient = np.zeros((d, delta.shape[1]))
    gradient[chosen] = columns.T @ delta * (d / len(chosen))
    return gradient


# --- 08 ---------------------------------------------------------------------------------------------------------------


def relu_keep(x):
    return np.maximum(x, 0), np.packbits(x > 0)


def relu_back(kept, g):
    return g * np.unpackbits(kept, count=len(g))


def follow_columns(x, W, g, index):
    dW = np.zeros(W.shape)
    dW[index] = x[:, index].T @ g * (x.shape[1] / len(index))
    return x @ W, g @ W.T, dW


def held_bytes(widths, batch, keep):
    inputs = sum(int(np.ceil(round(keep * d, 9))) for d in widths[:-1])
    bits = sum(-(-batch * n // 8) for n in widths[1:-1])
    return 4 * batch * inputs + bits


# --- 09 ---------------------------------------------------------------------------------------------------------------


def observation_weights(index, p):
    return 1 / (len(index) * len(p) * p[index])


def norm_probabilities(norms, floor):
    n, total = len(norms), norms.sum()
    share = norms / total if total > 0 else np.full(n, 1 / n)
    return (1 - floor) * share + floor / n


def sampled_gradient(g, p, q, rng):
    j = rng.choice(len(p), p=p)
    i = rng.choice(len(q), p=q)
    return g[j, i] / (len(p) * p[j] * q[i])
