"""Wrong answers to the exercises, by exercise and by the misconception that the grader must name. Out of students' sight."""

from math import comb

import numpy as np

import tinyspad as ts

# --- 01 ---------------------------------------------------------------------------------------------------------------


def overwrites(tape, output):
    adjoint = {output: 1.0}
    for result, arguments in reversed(tape):
        for name, partial in arguments:
            adjoint[name] = partial * adjoint[result]
    return adjoint


def walks_forwards(tape, output):
    adjoint = {output: 1.0}
    for result, arguments in tape:
        for name, partial in arguments:
            adjoint[name] = adjoint.get(name, 0.0) + partial * adjoint.get(result, 0.0)
    return adjoint


def recurses(tape, output):
    readers = {}
    for result, arguments in tape:
        for name, partial in arguments:
            readers.setdefault(name, []).append((result, partial))

    def adjoint(name):
        return 1.0 if name == output else sum(p * adjoint(r) for r, p in readers.get(name, []))

    return {name: adjoint(name) for name in [*readers, output]}


def pushes_every_path(tape, output):
    made = dict(tape)
    adjoint, pending = {}, [(output, 1.0)]
    while pending:
        name, amount = pending.pop()
        adjoint[name] = adjoint.get(name, 0.0) + amount
        for argument, partial in made.get(name, []):
            pending.append((argument, amount * partial))
    return adjoint


def visits_once_backwards(tape, output):
    made, adjoint, seen, pending = dict(tape), {output: 1.0}, set(), [output]
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        for argument, partial in made.get(name, []):
            adjoint[argument] = adjoint.get(argument, 0.0) + partial * adjoint[name]
            pending.append(argument)
    return adjoint


def seeds_every_end(tape, output):
    read = {argument for _, arguments in tape for argument, _ in arguments}
    adjoint = {result: 1.0 for result, _ in tape if result not in read}
    for result, arguments in reversed(tape):
        for name, partial in arguments:
            adjoint[name] = adjoint.get(name, 0.0) + partial * adjoint[result]
    return adjoint


def starts_at_the_end(tape):
    adjoint = {tape[-1][0]: 1.0}
    for result, arguments in reversed(tape):
        for name, partial in arguments:
            adjoint[name] = adjoint.get(name, 0.0) + partial * adjoint.get(result, 0.0)
    return adjoint


def never_ends(tape, output):
    while True:
        output = output


def eats_the_tape(tape, output):
    adjoint = {output: 1.0}
    while tape:
        result, arguments = tape.pop()
        for name, partial in arguments:
            adjoint[name] = adjoint.get(name, 0.0) + partial * adjoint[result]
    return adjoint


def no_seed(tape, output):
    adjoint = {output: 0.0}
    for result, arguments in reversed(tape):
        for name, partial in arguments:
            adjoint[name] = adjoint.get(name, 0.0) + partial * adjoint[result]
    return adjoint


# --- 02 ---------------------------------------------------------------------------------------------------------------


def adds_in_place(arrivals):
    adjoint = {}
    for name, amount in arrivals:
        if name in adjoint:
            adjoint[name] += amount
        else:
            adjoint[name] = amount
    return adjoint


def keeps_the_first(arrivals):
    adjoint = {}
    for name, amount in arrivals:
        adjoint.setdefault(name, amount)
    return adjoint


def averages(arrivals):
    groups = {}
    for name, amount in arrivals:
        groups.setdefault(name, []).append(amount)
    return {name: sum(group) / len(group) for name, group in groups.items()}


def counts_statements(program):
    reads = {}
    for _, _, arguments in program:
        for name in set(arguments):
            reads[name] = reads.get(name, 0) + 1
    return {name: n for name, n in reads.items() if n > 1} or {"x": 1}


def tuples_everything(program):
    reads = {}
    for _, _, arguments in program:
        for name in arguments:
            reads[name] = reads.get(name, 0) + 1
    return reads


def tuples_parameters(program):
    made = {result for result, _, _ in program}
    return {name: n for name, n in tuples_everything(program).items() if n > 1 and name not in made}


def two_reads(x):
    b = x**2
    return b * b


def branches_on_values(x):
    return x**2 * x * x if x > 0 else x**4


# --- 03 ---------------------------------------------------------------------------------------------------------------


def visits_once(graph, source, output):
    paths, seen = [], set()

    def walk(path):
        if path[-1] == output:
            paths.append(path)
            return
        for head, _ in graph[path[-1]]:
            if head not in seen or head == output:
                seen.add(head)
                walk([*path, head])

    walk([source])
    return paths


def last_branch_first(graph, source, output):
    paths, pending = [], [[source]]
    while pending:
        path = pending.pop()
        if path[-1] == output:
            paths.append(path)
        for head, _ in graph[path[-1]]:
            pending.append([*path, head])
    return paths


def shortest_first(graph, source, output):
    paths, pending = [], [[source]]
    while pending:
        path = pending.pop(0)
        if path[-1] == output:
            paths.append(path)
        for head, _ in graph[path[-1]]:
            pending.append([*path, head])
    return paths


def without_the_end(graph, source, output):
    return [path[:-1] for path in last_branch_first(graph, source, output)[::-1]]


def without_the_start(graph, source, output):
    return [path[1:] for path in last_branch_first(graph, source, output)[::-1]]


def counts_by_listing(graph, source, output):
    heads = {node: [head for head, _ in edges] for node, edges in graph.items()}
    pending, number = [source], 0
    while pending:
        node = pending.pop()
        number += node == output
        pending.extend(heads[node])
    return number


def counts_in_int64(graph, source, output):
    number = {}
    for node in reversed(list(graph)):
        number[node] = (
            np.int64(1) if node == output else np.sum([number[head] for head, _ in graph[node]], dtype=np.int64)
        )
    return number[source]


def counts_recursively(graph, source, output):
    known = {}

    def number(node):
        if node not in known:
            known[node] = 1 if node == output else sum(number(head) for head, _ in graph[node])
        return known[node]

    return number(source)


def multiplies_choices(graph, source, output):
    product = 1
    for edges in graph.values():
        product *= len(edges) or 1
    return product


def counts_in_floats(graph, source, output):
    number = {}
    for node in reversed(list(graph)):
        number[node] = 1.0 if node == output else sum(number[head] for head, _ in graph[node])
    return number[source]


def counts_dead_ends(graph, source, output):
    number = {}
    for node in reversed(list(graph)):
        number[node] = sum(number[head] for head, _ in graph[node]) or 1
    return number[source]


def uniform_at_branches(graph, source, output, rng):
    path = [source]
    while path[-1] != output:
        heads = [head for head, _ in graph[path[-1]]]
        path.append(heads[rng.integers(len(heads))])
    return path


def by_out_degree(graph, source, output, rng):
    path = [source]
    while path[-1] != output:
        heads = [head for head, _ in graph[path[-1]]]
        n = np.array([len(graph[head]) or 1 for head in heads], float)
        path.append(heads[rng.choice(len(heads), p=n / n.sum())])
    return path


def any_end_will_do(graph, source, output):
    paths, pending = [], [[source]]
    while pending:
        path = pending.pop()
        if not graph[path[-1]]:
            paths.append(path)
        for head, _ in reversed(graph[path[-1]]):
            pending.append([*path, head])
    return paths


def by_weight(graph, source, output, rng):
    path = [source]
    while path[-1] != output:
        heads, weights = zip(*graph[path[-1]])
        path.append(heads[rng.choice(len(heads), p=np.array(weights) / sum(weights))])
    return path


def lists_then_draws(graph, source, output, rng):
    paths = last_branch_first(graph, source, output)
    return paths[rng.integers(len(paths))]


def first_branch(graph, source, output, rng):
    path = [source]
    while path[-1] != output:
        path.append(graph[path[-1]][0][0])
    return path


def solutions_sample_path(graph, source, output, rng):
    paths = last_branch_first(graph, source, output) if len(graph) < 20 else None
    return paths[rng.integers(len(paths))]


def compares_one_side(graph, source, output):
    best, step = {output: 1.0}, {}
    for node in reversed(list(graph)):
        for head, weight in graph[node]:
            if node not in step or abs(weight * best[head]) > best[node]:
                best[node], step[node] = weight * best[head], head
    path = [source]
    while path[-1] != output:
        path.append(step[path[-1]])
    return best[source], path


def greedy(graph, source, output):
    path, product = [source], 1.0
    while path[-1] != output:
        head, weight = max(graph[path[-1]], key=lambda edge: abs(edge[1]))
        path.append(head)
        product *= weight
    return product, path


def best_by(key, one=1.0, extend=lambda w, b: w * b, final=lambda b: b):
    def best_path(graph, source, output):
        best, step = {output: one}, {}
        for node in reversed(list(graph)):
            for head, weight in graph[node]:
                value = extend(weight, best[head])
                if node not in step or key(value) > key(best[node]):
                    best[node], step[node] = value, head
        path = [source]
        while path[-1] != output:
            path.append(step[path[-1]])
        return final(best[source]), path

    return best_path


def best_by_listing(graph, source, output):
    best, pending = (0.0, None), [(1.0, [source])]
    while pending:
        product, path = pending.pop()
        if path[-1] == output and abs(product) > abs(best[0]):
            best = (product, path)
        pending.extend((product * weight, [*path, head]) for head, weight in graph[path[-1]])
    return best


# --- 04 ---------------------------------------------------------------------------------------------------------------


def spad_with(choose=lambda g, rng, m: None, every=None, value=False, ends=True, sign=1, whole=False):
    def spad(contributions, x, steps, k_max, m, lr, rng):
        way, k = [x], every or k_max
        for t in range(steps):
            g = contributions(x)
            if t % k == 0:
                candidates = rng.choice(len(g), size=m, replace=False)
                i = choose(g, candidates)
                stored = g[i]
            x = x - sign * lr * (g.sum() if whole else stored if value else g[i])
            way.append(x)
        return way if ends else way[1:]

    return spad


def spad_once(contributions, x, steps, k_max, m, lr, rng):
    candidates, way = rng.choice(len(contributions(x)), size=m, replace=False), [x]
    for t in range(steps):
        g = contributions(x)
        if t % k_max == 0:
            i = largest(g, candidates)
        x = x - lr * g[i]
        way.append(x)
    return way


def spad_repeats(contributions, x, steps, k_max, m, lr, rng):
    way = [x]
    for t in range(steps):
        g = contributions(x)
        if t % k_max == 0:
            i = largest(g, rng.choice(len(g), size=m))
        x = x - lr * g[i]
        way.append(x)
    return way


def largest(g, candidates):
    return candidates[np.argmax(np.abs(g[candidates]))]


# --- 05 to 07 ---------------------------------------------------------------------------------------------------------


def draws_uniformly(g, p, rng):
    i = rng.integers(len(g))
    return g[i] / p[i]


def magnitudes(power=1, signed=False, tell=None, length=lambda g: np.sqrt(np.sum(g**2, axis=1))):
    def magnitude_draw(g, rng):
        p = g.sum(axis=1) / g.sum() if signed else length(g) ** power / np.sum(length(g) ** power)
        i = rng.choice(len(g), p=p)
        return i, (p[i] if tell is None else tell)

    return magnitude_draw


def interval(centre, scale=1.0):
    def wilson_interval(successes, runs):
        p, n, z = successes / runs, runs, 1.96
        if centre == "simple":
            reach = z * scale * np.sqrt(p * (1 - p) / n)
            return p - reach, p + reach
        middle, reach = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        shrink = 1 if centre == "undivided" else 1 + z**2 / n
        low, high = scale * (middle - reach) / shrink, scale * (middle + reach) / shrink
        return (high, low) if centre == "exchanged" else (low, high)

    return wilson_interval


def reads_one_level(program, wanted):
    needed = {wanted, *next(arguments for result, arguments in program if result == wanted)}
    return [result for result, _ in program if result in needed]


def code_recursively(program, wanted):
    made, kept = dict(program), []

    def need(name):
        if name in made and name not in kept:
            for argument in made[name]:
                need(argument)
            kept.append(name)

    need(wanted)
    return kept


def code_by_paths(program, wanted):
    made, kept, pending = dict(program), set(), [wanted]
    while pending:
        name = pending.pop()
        if name in made:
            kept.add(name)
            pending.extend(made[name])
    return [result for result, _ in program if result in kept]


def eliminates_by_substring(edges, vertex):
    left = {e: w for e, w in edges.items() if vertex not in e[0] and vertex not in e[1]}
    into = [(t, w) for (t, h), w in edges.items() if vertex in h]
    out = [(h, w) for (t, h), w in edges.items() if vertex in t]
    for t, a in into:
        for h, b in out:
            left[t, h] = left.get((t, h), 0.0) + a * b
    return left, len(into) * len(out)


def eliminates(accumulate=True, keep=False, count=0, old=False, product=lambda a, b: a * b, place=False):
    def eliminate(edges, vertex):
        left = edges if place else dict(edges)
        into = [(t, w) for (t, h), w in edges.items() if h == vertex]
        out = [(h, w) for (t, h), w in edges.items() if t == vertex]
        if not keep:
            for t, _ in into:
                del left[t, vertex]
            for h, _ in out:
                del left[vertex, h]
        for t, a in into:
            for h, b in out:
                if old and (t, h) in left:
                    continue
                left[t, h] = (left.get((t, h), 0.0) if accumulate else 0.0) + product(a, b)
        return left, len(into) * len(out) + count

    return eliminate


def layer(save, factor=1.0, redraw=False):
    def gradient(saved, delta):
        columns, chosen, d = saved
        out = np.zeros((d, delta.shape[1]))
        if redraw:
            chosen = np.random.default_rng(5).choice(d, size=len(chosen), replace=False)
        out[chosen] = columns.T @ delta * (d / len(chosen)) * factor
        return out

    return save, gradient


def saves(take=None, fraction=1.0, fixed=False):
    def linear_memory(x, keep, rng):
        d = x.shape[1]
        k = int(np.ceil(keep * d * fraction))
        chosen = np.arange(k) if fixed else rng.choice(d, size=k, replace=False)
        return (x[:, chosen] if take is None else take(x, k)), chosen, d

    return linear_memory


def examples(x, keep, rng):
    chosen = rng.choice(len(x), size=int(np.ceil(keep * len(x))), replace=False)
    return x[chosen], chosen


def twice():
    def save(x, keep, rng):
        chosen = rng.choice(x.shape[1], size=3)
        return x[:, chosen], chosen, x.shape[1]

    def gradient(saved, delta):
        columns, chosen, d = saved
        out = np.zeros((d, delta.shape[1]))
        np.add.at(out, chosen, columns.T @ delta * (d / len(chosen)))
        return out

    return save, gradient


def neighbours(x, keep, rng):
    d = x.shape[1]
    k = int(np.ceil(keep * d))
    chosen = (rng.integers(d) + np.arange(k)) % d
    return x[:, chosen], chosen, d


def masks(x, keep, rng):
    kept = rng.random(x.shape[1]) < keep
    return np.where(kept, x, 0.0) / keep, None, None


# --- 08 ---------------------------------------------------------------------------------------------------------------


def bits_back(kept, g):
    return g * np.unpackbits(kept, count=len(g))


def follow(scale=None, forward=False, signal=False):
    def follow_columns(x, W, g, index):
        d, k = x.shape[1], len(index)
        some = np.zeros_like(x)
        some[:, index] = x[:, index]
        dW = x.T @ g if scale is None else some.T @ g * scale(d, k)
        dx = g @ W.T
        if signal:
            dx[:, np.setdiff1d(np.arange(d), index)] = 0
        return (some if forward else x) @ W, dx, dW

    return follow_columns


def held(bits=lambda batch, n: -(-batch * n // 8), kept=lambda keep, d: int(np.ceil(round(keep * d, 9))), size=4):
    def held_bytes(widths, batch, keep):
        inputs = sum(kept(keep, d) for d in widths[:-1])
        return size * batch * inputs + sum(bits(batch, n) for n in widths[1:-1])

    return held_bytes


# --- 09 ---------------------------------------------------------------------------------------------------------------


def cut(norms, floor):
    return np.maximum(norms / norms.sum(), floor / len(norms))


def right_estimate(g, j, i, p, q):
    return g[j, i] / (len(p) * p[j] * q[i])


def drawn(estimate, observations=True, paths=True):
    def sampled_gradient(g, p, q, rng):
        j = rng.choice(len(p), p=p if observations else None)
        i = rng.choice(len(q), p=q if paths else None)
        return estimate(g, j, i, p, q)

    return sampled_gradient


def simulated_variance(g, p):
    rng = np.random.default_rng()
    i = rng.choice(len(g), size=20_000, p=p)
    return np.sum(np.var(g[i] / p[i][:, None], axis=0))


def all_of_the_largest(n, m, k, replace):
    if replace:
        return (1 - (1 - 1 / n) ** m) ** k
    return comb(n - k, m - k) / comb(n, m) if m >= k else 0.0


def dict_of_arguments(tape, output):
    adjoint = {output: 1.0}
    for result, arguments in reversed(tape):
        for name, partial in dict(arguments).items():
            adjoint[name] = adjoint.get(name, 0.0) + partial * adjoint.get(result, 0.0)
    return adjoint


def added(arrivals):
    return {name: sum(amount for n, amount in arrivals if n == name) for name, _ in arrivals}


def counted(program):
    reads = [name for _, _, arguments in program for name in arguments]
    return {name: reads.count(name) for name in reads}


def through_a_dict(graph, source, output):
    paths, pending = [], [[source]]
    while pending:
        path = pending.pop()
        if path[-1] == output:
            paths.append(path)
            continue
        pending += [[*path, head] for head in reversed(dict(graph[path[-1]]))]
    return paths


def counts_all(graph, source, output):
    number = {}
    for node in reversed(list(graph)):
        number[node] = 1 if node == output else sum(number[head] for head, _ in graph[node])
    return number[source]


def lists_through_a_dict(graph, source, output, rng):
    paths = through_a_dict(graph, source, output)
    return paths[rng.integers(len(paths))]


def samples_through_a_dict(graph, source, output, rng):
    single = {node: list(dict(edges).items()) for node, edges in graph.items()}
    return solutions_sample_path(single, source, output, rng)


def with_dead_ends(graph, source, output):
    """Without the nodes that do not lead to the output."""
    leads = {output}
    for node in reversed(list(graph)):
        if any(head in leads for head, _ in graph[node]):
            leads.add(node)
    return {n: [(h, w) for h, w in edges if h in leads] for n, edges in graph.items() if n in leads}, source, output


def by_largest_sum(graph, source, output):
    """The path by its sum of sizes; what it returns is that path's product."""
    graph, source, output = with_dead_ends(graph, source, output)
    best = {output: (0.0, 1.0, [output])}
    for node in reversed(list(graph)):
        for head, weight in graph[node]:
            total, product, path = best[head]
            if node not in best or abs(weight) + total > best[node][0]:
                best[node] = abs(weight) + total, weight * product, [node, *path]
    return best[source][1:]


def needs_more_than_zero(graph, source, output):
    graph, source, output = with_dead_ends(graph, source, output)
    best, step = {output: 1.0}, {}
    for node in reversed(list(graph)):
        for head, weight in graph[node]:
            if abs(weight * best.get(head, 0.0)) > abs(best.get(node, 0.0)):
                best[node], step[node] = weight * best[head], head
    path = [source]
    while path[-1] != output:
        path.append(step[path[-1]])
    return best[source], path


def spad_of_three(contributions, x, steps, k_max, m, lr, rng):
    positions = [x]
    for step in range(steps):
        g = contributions(x)
        if step % k_max == 0:
            c = rng.choice(3, size=min(m, 3), replace=False)
            c = c[c < len(g)]
            held = c[np.argmax(np.abs(g[c]))]
        x = x - lr * g[held]
        positions.append(x)
    return positions


def needed_for(program, wanted):
    needed, kept = {wanted}, []
    for result, arguments in reversed(program):
        if result in needed:
            kept.append(result)
            needed.update(arguments)
    return kept[::-1]


def lists_parameters(program, wanted):
    results, kept = {result for result, _ in program}, needed_for(program, wanted)
    read = [name for result, arguments in program if result in kept for name in arguments if name not in results]
    return [*dict.fromkeys(read), *kept]


def globally():
    last = {}

    def keep(x):
        last["x"] = x.copy()
        return np.maximum(x, 0), 0

    return keep, lambda kept, g: g * (last["x"] > 0)


def by_identity():
    known = {}

    def keep(x):
        token = np.zeros(1)
        known[id(token)] = token, x.copy()
        return np.maximum(x, 0), token

    return keep, lambda kept, g: g * (known.get(id(kept), (0, known[next(reversed(known))][1]))[1] > 0)


def in_a_global():
    last = {}

    def save(x, keep, rng):
        k = int(np.ceil(keep * x.shape[1]))
        last["x"] = x.copy()
        return (rng.choice(x.shape[1], size=k, replace=False),)

    def gradient(saved, delta):
        (chosen,), x = saved, last["x"]
        made = np.zeros((x.shape[1], delta.shape[1]))
        made[chosen] = x[:, chosen].T @ delta * (x.shape[1] / len(chosen))
        return made

    return save, gradient


def in_mask_order(x, W, g, index):
    mask = np.isin(np.arange(x.shape[1]), index)
    dW = np.zeros(W.shape)
    dW[index] = x[:, mask].T @ g * (x.shape[1] / len(index))
    return x @ W, g @ W.T, dW


def in_the_type_of_w(x, W, g, index):
    dW = np.zeros_like(W)
    dW[index] = x[:, index].T @ g * (x.shape[1] / len(index))
    return x @ W, g @ W.T, dW


WRONG = {
    "tanh_rule": [
        ("reads the input", lambda out, x: 1 - x**2),
        ("forgets the square", lambda out, x: 1 - out),
        ("wrong sign", lambda out, x: out**2 - 1),
        ("one over cosh", lambda out, x: 1 / np.cosh(x)),
        ("takes out for x", lambda out, x: 1 - np.tanh(out) ** 2),
        ("returns nothing", lambda out, x: None),
        ("raises", lambda out, x: 1 - float(out) ** 2),
        ("square outside", lambda out, x: (1 - out) ** 2),
    ],
    "central_difference": [
        ("forward difference", lambda f, x, h: (f(x + h) - f(x)) / h),
        ("loses the sign", lambda f, x, h: abs(f(x + h) - f(x - h)) / (2 * h)),
        ("half of it times h", lambda f, x, h: (f(x + h) - f(x - h)) / 2 * h),
        ("another width", lambda f, x, h: (f(x + 0.1) - f(x - 0.1)) / 0.2),
        ("half the width", lambda f, x, h: (f(x + h) - f(x - h)) / h),
        ("no division", lambda f, x, h: f(x + h) - f(x - h)),
        ("wrong sign", lambda f, x, h: (f(x - h) - f(x + h)) / (2 * h)),
        ("backward difference", lambda f, x, h: (f(x) - f(x - h)) / h),
        ("a width of its own", lambda f, x, h: (f(x + 1e-5) - f(x - 1e-5)) / 2e-5),
    ],
    "backward": [
        ("missing accumulation", overwrites),
        ("walks forwards", walks_forwards),
        ("recursion", recurses),
        ("follows every path", pushes_every_path),
        ("in-place damage", eats_the_tape),
        ("no seed", no_seed),
        ("goes on too early", visits_once_backwards),
        ("seeds every end", seeds_every_end),
        ("starts at the end of the tape", lambda tape, output: {**starts_at_the_end(tape)}),
        ("does not end", never_ends),
        ("missing accumulation", dict_of_arguments),
    ],
    "accumulate": [
        ("missing accumulation", dict),
        ("keeps the first", keeps_the_first),
        ("averages", averages),
        ("in-place damage", adds_in_place),
        ("counts all as one", lambda arrivals: sum(amount for _, amount in arrivals)),
        ("another value", lambda arrivals: {name: 2 * amount for name, amount in added(arrivals).items()}),
        ("returns nothing", lambda arrivals: None),
        ("another value", lambda arrivals: list(added(arrivals).items())),
        ("drops zeros", lambda arrivals: {k: v for k, v in added(arrivals).items() if np.any(v)}),
    ],
    "branches": [
        ("counts statements", counts_statements),
        ("tuples what is read once", tuples_everything),
        ("tuples parameters alone", tuples_parameters),
        ("nothing tupled", lambda program: {}),
        ("counts statements", lambda program: {k: n - 1 for k, n in counted(program).items() if n > 1}),
        ("another value", lambda program: [k for k, n in counted(program).items() if n > 1]),
        ("counts statements", lambda program: {k: 2 for k, n in counted(program).items() if n > 1}),
        ("another value", lambda program: {k: n for k, n in counted(program).items() if n > 1 and k in "xyab"}),
    ],
    "three_paths": [
        ("one read", lambda x: x**4),
        ("two reads", two_reads),
        ("four reads", lambda x: x * x * x * x),
        ("another value", lambda x: x * x * x),
        ("another number of paths", lambda x: x * x * x * x * x / x),
        ("another program at each point", branches_on_values),
        ("hides a part of x", lambda x: x * x * (x * 0 + 1) * float(getattr(x, "data", x)) ** 2),
        ("two reads", lambda x: x**3 * x),
    ],
    "list_paths": [
        ("visits every node once", visits_once),
        ("wrong order", last_branch_first),
        ("wrong order", shortest_first),
        ("path without its end", without_the_end),
        ("path without its start", without_the_start),
        ("counts dead ends", any_end_will_do),
        ("sorts by name", lambda graph, source, output: sorted(last_branch_first(graph, source, output))),
        ("one path only", lambda graph, source, output: last_branch_first(graph, source, output)[-1:]),
        ("one edge for two", through_a_dict),
    ],
    "count_paths": [
        ("counts edges", lambda graph, source, output: sum(map(len, graph.values()))),
        ("multiplies all choices", multiplies_choices),
        ("follows every path", counts_by_listing),
        ("recursion", counts_recursively),
        ("counts in floats", counts_in_floats),
        ("overflows", counts_in_int64),
        ("counts dead ends", counts_dead_ends),
        ("one edge for two", lambda graph, *_: counts_all({k: list(dict(v).items()) for k, v in graph.items()}, *_)),
    ],
    "sample_path": [
        ("greedy bias", uniform_at_branches),
        ("draws by weight", by_weight),
        ("counts branches, not paths", by_out_degree),
        ("follows every path", lists_then_draws),
        ("always the same path", first_branch),
        ("random by itself", lambda graph, *_: solutions_sample_path(graph, *_[:-1], np.random.default_rng())),
        ("no path", lambda graph, source, output, rng: [source, output]),
        ("one edge for two", lists_through_a_dict),
        ("one edge for two", samples_through_a_dict),
    ],
    "best_path": [
        ("greedy bias", greedy),
        ("ignores negative products", best_by(lambda value: value)),
        ("loses the sign", best_by(abs, extend=lambda w, b: abs(w * b))),
        ("magnitude on one side", compares_one_side),
        ("adds along the path", best_by(abs, 0.0, lambda w, b: w + b)),
        ("follows every path", best_by_listing),
        ("not the largest", by_largest_sum),
        ("fails where all are zero", needs_more_than_zero),
        (
            "another product",
            lambda *args: (lambda p, path: (p * 1.5 if abs(p) == 0.5 else p, path))(
                *best_by(abs)(*with_dead_ends(*args))
            ),
        ),
    ],
    "spad": [
        ("does not hold", spad_with(largest, every=1)),
        ("holds for ever", spad_with(largest, every=1000)),
        ("holds the number, not the path", spad_with(largest, value=True)),
        ("forgets the magnitude", spad_with(lambda g, candidates: candidates[np.argmax(g[candidates])])),
        ("follows all paths", spad_with(largest, whole=True)),
        ("walks uphill", spad_with(largest, sign=-1)),
        ("leaves out an end", spad_with(largest, ends=False)),
        ("ignores m", spad_with(lambda g, candidates: int(np.argmax(np.abs(g))))),
        ("place for path", spad_with(lambda g, candidates: int(np.argmax(np.abs(g[candidates]))))),
        ("candidates repeat", spad_repeats),
        ("draws candidates once", spad_once),
        ("another value", spad_of_three),
    ],
    "escape": [
        ("trapped", lambda: ts.GD()),
        ("averaged away", lambda: ts.RAD()),
        ("one term's own trap", lambda: ts.FixedPath(1)),
        ("no estimator", lambda: ts.RAD),
        ("too few arrive", lambda: ts.RAD(hold=3)),
        ("holds too long", lambda: ts.RAD(hold=1000)),
        ("downhill again", lambda: ts.SPAD()),
    ],
    "unbiased_draw": [
        ("missing 1/p", lambda g, p, rng: g[rng.choice(len(g), p=p)]),
        ("multiplies by p", lambda g, p, rng: (g * p)[rng.choice(len(g), p=p)]),
        ("draws otherwise", lambda g, p, rng: (g / p)[rng.choice(len(g), p=p[::-1])]),
        ("another value", lambda g, p, rng: (2 * g / p)[rng.choice(len(g), p=p)]),
        ("multiplies by N", lambda g, p, rng: len(g) * g[rng.choice(len(g), p=p)]),
        ("divides by another path's p", lambda g, p, rng: g[rng.choice(len(g), p=p)] / p[0]),
        ("draws uniformly", draws_uniformly),
        ("no draw", lambda g, p, rng: g.sum()),
        ("always the same path", lambda g, p, rng: g[2] / p[2]),
        ("random by itself", lambda g, p, rng: (lambda i: g[i] / p[i])(np.random.default_rng().choice(3, p=p))),
        ("raises", lambda g, p, rng: (lambda i: g[i] / p[i])(rng.choice(3, p=p))),
        ("another value", lambda g, p, rng: (lambda i: g[i] / p[i] if len(g) == 3 else g[i])(rng.choice(len(g), p=p))),
    ],
    "exact_variance": [
        ("second moment", lambda g, p: np.sum(_squares(g)[p > 0] / p[p > 0])),
        ("missing 1/p", lambda g, p: np.sum(p * _squares(g)) - np.sum((p @ g) ** 2)),
        ("uniform only", lambda g, p: len(g) * np.sum(g**2) - np.sum(g.sum(axis=0) ** 2)),
        ("standard deviation", lambda g, p: np.sqrt(np.sum(_squares(g) / p) - np.sum(g.sum(axis=0) ** 2))),
        ("divides by zero", lambda g, p: np.sum(_squares(g) / p) - np.sum(g.sum(axis=0) ** 2)),
        ("variance of the list", lambda g, p: np.sum(np.var(g, axis=0))),
        ("squares p as well", lambda g, p: np.sum((g / p[:, None]) ** 2) - np.sum(g.sum(axis=0) ** 2)),
        ("squares the sum of all", lambda g, p: np.sum(_squares(g) / p) - np.sum(g) ** 2),
        ("a variance for each number", lambda g, p: np.sum(g**2 / p[:, None], axis=0) - g.sum(axis=0) ** 2),
        ("simulated", simulated_variance),
    ],
    "magnitude_draw": [
        ("greedy bias", lambda g, rng: (int(_sizes(g).argmax()), 1.0)),
        ("always the same path", lambda g, rng: (0, 1.0)),
        ("another value", lambda g, rng: (7, 1.0)),
        ("softmax", lambda g, rng: (rng.choice(len(g), p=np.exp(_sizes(g)) / np.exp(_sizes(g)).sum()), 0.5)),
        ("negative probabilities", lambda g, rng: (rng.choice(3, p=np.maximum(g.sum(axis=1), 0) / 3.2), 0.5)),
        ("another distribution", lambda g, rng: (rng.choice(3, p=[0.4, 0.1, 0.5]), 0.5)),
        ("negative probabilities", magnitudes(signed=True)),
        ("does not add up", lambda g, rng: (rng.choice(len(g), p=_sizes(g) / _sizes(g).max()), 0.5)),
        ("uniform", magnitudes(0)),
        ("squares", magnitudes(2)),
        ("tells another probability", magnitudes(tell=0.5)),
        ("draws numbers, not paths", lambda g, rng: (rng.choice(3, p=np.abs(g) / np.abs(g).sum()), 0.5)),
        ("another length", magnitudes(length=lambda g: np.abs(g).sum(axis=1))),
        (
            "raises",
            lambda g, rng: (lambda p, i: (i, p[i]))(_sizes(g) / 10, rng.choice(3, p=[0.3, 0.1, 0.6])),
        ),
    ],
    "best_epsilon": [
        ("forgets the magnitude", lambda g: _of(g, g.max())),
        ("the other way round", lambda g: _a(g) / (_a(g) + _b(g))),
        ("drops ties", lambda g: (lambda b: b / (_a(g) + b))(_rest(g))),
        ("forgets N - 1", lambda g: _b(g, False) / (_a(g) + _b(g, False))),
        ("forgets the root", lambda g: _b(g) ** 2 / (_a(g) ** 2 + _b(g) ** 2)),
        ("in-place damage", lambda g: g[:, 0].sort()),
        ("numbers for rows", lambda g: (lambda a, b: b / (a + b))(abs(g).max(), _b(g.reshape(-1, 1)))),
        ("counts the largest twice", lambda g: _twice(g) / (_a(g) + _twice(g))),
    ],
    "chance_of_largest": [
        ("adds up chances", lambda n, m, k, replace: m * k / n),
        ("always replaces", lambda n, m, k, replace: 1 - (1 - k / n) ** m),
        ("never replaces", lambda n, m, k, replace: 1 - comb(n - k, m) / comb(n, m)),
        ("one draw", lambda n, m, k, replace: k / n),
        ("chance of missing it", lambda n, m, k, replace: (1 - k / n) ** m if replace else comb(n - k, m) / comb(n, m)),
        ("the largest alone", lambda n, m, k, replace: 1 - (1 - 1 / n) ** m if replace else m / n),
        ("all of them", all_of_the_largest),
        ("counts sets, not chances", lambda n, m, k, replace: comb(n, m)),
        ("only if all are it", lambda n, m, k, replace: (k / n) ** m),
    ],
    "wilson_interval": [
        ("no interval at the ends", interval("simple")),
        ("forgets the division", interval("undivided")),
        ("percent", interval("wilson", 100)),
        ("ends exchanged", interval("exchanged")),
    ],
    "live_code": [
        ("keeps everything", lambda program, wanted: [result for result, _ in program]),
        ("one level", reads_one_level),
        ("recursion", code_recursively),
        ("follows every path", code_by_paths),
        ("wrong order", lambda program, wanted: code_by_paths(program, wanted)[::-1]),
        (
            "keeps all before it",
            lambda program, wanted: [r for r, _ in program][: [r for r, _ in program].index(wanted) + 1],
        ),
        ("lists parameters", lists_parameters),
        ("leaves out the wanted", lambda program, wanted: needed_for(program, wanted)[:-1]),
    ],
    "eliminate": [
        ("missing accumulation", eliminates(accumulate=False)),
        ("keeps the vertex", eliminates(keep=True)),
        ("keeps the old edge", eliminates(old=True)),
        ("adds along the path", eliminates(product=lambda a, b: a + b)),
        ("in-place damage", eliminates(place=True)),
        ("counts additions", eliminates(count=1)),
        ("another value", eliminates_by_substring),
        ("counts none", eliminates(count=-2)),
    ],
    "linear_memory": [
        ("keeps everything", (masks, lambda saved, delta: saved[0].T @ delta)),
        ("keeps a view", layer(saves(lambda x, k: x[:, :k], fixed=True))),
        ("missing 1/p", layer(saves(), factor=3 / 25)),
        ("draws again", layer(saves(), redraw=True)),
        ("always the same features", layer(saves(fixed=True))),
        ("always neighbours", layer(neighbours)),
        ("draws examples", (examples, lambda saved, delta: saved[0].T @ delta[saved[1]] * 10)),
        ("features repeat", twice()),
        ("hides what it keeps", (lambda x, keep, rng: (lambda: x,), lambda saved, delta: saved[0]().T @ delta)),
        ("another factor", (saves(), lambda saved, delta: layer(saves())[1](saved, delta) * (10 / (25 / 3)))),
        ("another number of features", layer(saves(fraction=0.5))),
        ("keeps it elsewhere", in_a_global()),
    ],
    "relu_keep": [
        ("keeps numbers", (lambda x: (np.maximum(x, 0), x), lambda kept, g: g * (kept > 0))),
        ("a byte for each", (lambda x: (np.maximum(x, 0), x > 0), lambda kept, g: g * kept)),
        ("a byte for each", (lambda x: (np.maximum(x, 0), (x > 0, x.shape)), lambda kept, g: g * kept[0])),
        ("lets everything through", (lambda x: (np.maximum(x, 0), 0), lambda kept, g: g)),
        ("looks at g", (lambda x: (np.maximum(x, 0), 0), lambda kept, g: np.maximum(g, 0))),
        ("passes at zero", (lambda x: (np.maximum(x, 0), np.packbits(x >= 0)), bits_back)),
        ("another output", (lambda x: (np.abs(x), np.packbits(x > 0)), bits_back)),
        ("another gradient", (lambda x: (np.maximum(x, 0), np.packbits(x > 1)), bits_back)),
        (
            "keeps something else",
            (lambda x: (np.maximum(x, 0), {"bits": np.packbits(x > 0)}), lambda k, g: bits_back(k["bits"], g)),
        ),
        ("keeps it elsewhere", globally()),
        ("keeps it elsewhere", by_identity()),
    ],
    "follow_columns": [
        ("follows all", follow()),
        ("another shape", lambda x, W, g, index: x @ W),
        ("drops inputs forward", follow(forward=True)),
        ("disturbs the signal", follow(signal=True)),
        ("forgets d / k", follow(lambda d, k: 1)),
        ("multiplies by k / d", follow(lambda d, k: k / d)),
        ("forgets one root", follow(lambda d, k: (d / k) ** 0.5)),
        (
            "rows without a place",
            lambda x, W, g, index: (x @ W, g @ W.T, x[:, index].T @ g * (x.shape[1] / len(index))),
        ),
        ("another output", lambda x, W, g, index: (2 * x @ W, g @ W.T, x.T @ g)),
        ("another gradient of x", lambda x, W, g, index: (x @ W, 2 * g @ W.T, x.T @ g)),
        ("another gradient of W", lambda x, W, g, index: (x @ W, g @ W.T, 7 * x.T @ g)),
        ("mask order", in_mask_order),
        ("divides in integers", follow(lambda d, k: d // k)),
        ("cuts off fractions", in_the_type_of_w),
    ],
    "held_bytes": [
        ("counts the outputs", lambda widths, batch, keep: 4 * batch * sum(widths)),
        ("forgets ReLU", held(bits=lambda batch, n: 0)),
        ("a byte for each", held(bits=lambda batch, n: batch * n)),
        ("numbers for bits", held(bits=lambda batch, n: 4 * batch * n)),
        ("one example", lambda widths, batch, keep: held()(widths, batch, keep) // batch),
        ("rounds down", held(kept=lambda keep, d: int(keep * d))),
        ("ignores keep", held(kept=lambda keep, d: d)),
        ("forgets 4 bytes", held(size=1)),
        ("another count", lambda widths, batch, keep: 17),
        ("bits rounded down", held(bits=lambda batch, n: batch * n // 8)),
        ("parts of bytes", held(bits=lambda batch, n: batch * n / 8)),
        (
            "bits pooled",
            lambda widths, batch, keep: (
                held(bits=lambda *_: 0)(widths, batch, keep) - (-batch * sum(widths[1:-1]) // 8)
            ),
        ),
        ("rounds up an error", held(kept=lambda keep, d: int(np.ceil(keep * d)))),
    ],
    "observation_weights": [
        ("estimates the sum", lambda index, p: 1 / (len(index) * p[index])),
        ("estimates K times", lambda index, p: 1 / (len(p) * p[index])),
        ("estimates nK times", lambda index, p: 1 / p[index]),
        ("multiplies", lambda index, p: p[index] / len(index)),
        ("ignores p", lambda index, p: np.full(len(index), 1 / len(index))),
        ("scaled to sum 1", lambda index, p: 1 / p[index] / np.sum(1 / p[index])),
        ("a weight for each observation", lambda index, p: 1 / (len(index) * len(p) * p)),
        ("another value", lambda index, p: np.full(len(index), 1 / (len(index) * len(p))) / p[index[0]]),
    ],
    "norm_probabilities": [
        ("no floor", lambda norms, floor: norms / norms.sum()),
        ("sums to more than 1", lambda norms, floor: norms / norms.sum() + floor / len(norms)),
        ("a floor for each", lambda norms, floor: (1 - floor) * norms / norms.sum() + floor),
        ("squares", lambda norms, floor: (1 - floor) * norms**2 / (norms**2).sum() + floor / len(norms)),
        ("squares, no floor", lambda norms, floor: norms**2 / (norms**2).sum()),
        ("cuts off", lambda norms, floor: cut(norms, floor) / cut(norms, floor).sum()),
        ("lifts, does not scale", lambda norms, floor: cut(norms, floor)),
        ("norms as they are", lambda norms, floor: norms),
        ("the shares exchanged", lambda norms, floor: floor * norms / norms.sum() + (1 - floor) / len(norms)),
        ("divides by zero", lambda norms, floor: (1 - floor) * norms / norms.sum() + floor / len(norms)),
    ],
    "sampled_gradient": [
        ("forgets both", drawn(lambda g, j, i, p, q: g[j, i])),
        ("forgets the path's", drawn(lambda g, j, i, p, q: g[j, i] / (len(p) * p[j]))),
        ("forgets the observation's", drawn(lambda g, j, i, p, q: g[j, i] / (len(p) * q[i]))),
        ("estimates the sum", drawn(lambda g, j, i, p, q: g[j, i] / (p[j] * q[i]))),
        ("divides by N", drawn(lambda g, j, i, p, q: g[j, i] / (g.size * p[j] * q[i]))),
        ("multiplies", drawn(lambda g, j, i, p, q: g[j, i] * p[j] * q[i])),
        ("divides by n alone", drawn(lambda g, j, i, p, q: g[j, i] / len(p))),
        ("forgets n and the observation's", drawn(lambda g, j, i, p, q: g[j, i] / q[i])),
        ("forgets n and the path's", drawn(lambda g, j, i, p, q: g[j, i] / p[j])),
        ("follows all paths", drawn(lambda g, j, i, p, q: g[j].sum() / (len(p) * p[j]))),
        ("another estimate", drawn(lambda g, j, i, p, q: g[j, i] + 1)),
        ("draws uniformly", drawn(right_estimate, observations=False, paths=False)),
        ("draws observations uniformly", drawn(right_estimate, observations=False)),
        ("draws paths uniformly", drawn(right_estimate, paths=False)),
        ("another distribution", lambda g, p, q, rng: right_estimate(g, *[rng.integers(2)] * 2, p, q)),
        ("random by itself", lambda g, p, q, rng: drawn(right_estimate)(g, p, q, np.random.default_rng())),
    ],
}


def _rest(g):
    return np.sqrt((len(g) - 1) * np.sum(_squares(g)[_sizes(g) < _a(g)]))


def _of(g, a):
    b = np.sqrt((len(g) - 1) * (np.sum(g**2) - a**2))
    return b / (a + b)


def _twice(g):
    return np.sqrt((len(g) - 1) * np.sum(g**2))


def _a(g):
    return np.max(_sizes(g))


def _b(g, factor=True):
    return np.sqrt((len(g) - 1 if factor else 1) * (np.sum(g**2) - np.max(_squares(g))))


def _squares(g):
    return np.sum(g**2, axis=1)


def _sizes(g):
    return np.sqrt(_squares(g))
