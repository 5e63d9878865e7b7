"""Wrong answers to the exercises, by exercise and by the misconception that the grader must name. Out of students' sight."""

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
        return 1.0 if name == output else sum(partial * adjoint(result) for result, partial in readers[name])

    return {name: adjoint(name) for name in [*readers, output]}


def pushes_every_path(tape, output):
    made = dict(tape)
    adjoint, pending = {}, [(output, 1.0)]
    while pending:
        name, amount = pending.pop()
        adjoint[name] = adjoint.get(name, 0.0) + amount
        for argument, partial in made.get(name, []):
            pending.append((argument, amount * partial))
            tape[0]  # looks at the tape at every step
    return adjoint


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
    pending, number = [source], 0
    while pending:
        node = pending.pop()
        number += node == output
        pending.extend(head for head, _ in graph[node])
    return number


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


def largest(g, candidates):
    return candidates[np.argmax(np.abs(g[candidates]))]


# --- 05 to 07 ---------------------------------------------------------------------------------------------------------


def draws_uniformly(g, p, rng):
    i = rng.integers(len(g))
    return g[i] / p[i]


def magnitudes(power=1, signed=False, tell=None):
    def magnitude_draw(g, rng):
        p = g / g.sum() if signed else np.abs(g) ** power / np.sum(np.abs(g) ** power)
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
    kept, pending = set(), [wanted]
    while pending:
        name = pending.pop()
        for result, arguments in program:
            if result == name:
                kept.add(name)
                pending.extend(arguments)
    return [result for result, _ in program if result in kept]


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


def masks(x, keep, rng):
    kept = rng.random(x.shape[1]) < keep
    return np.where(kept, x, 0.0) / keep, None, None


WRONG = {
    "tanh_rule": [
        ("reads the input", lambda out, x: 1 - x**2),
        ("forgets the square", lambda out, x: 1 - out),
        ("wrong sign", lambda out, x: out**2 - 1),
        ("one over cosh", lambda out, x: 1 / np.cosh(x)),
        ("takes out for x", lambda out, x: 1 - np.tanh(out) ** 2),
        ("returns nothing", lambda out, x: None),
        ("raises", lambda out, x: 1 - float(out) ** 2),
    ],
    "central_difference": [
        ("forward difference", lambda f, x, h: (f(x + h) - f(x)) / h),
        ("half the width", lambda f, x, h: (f(x + h) - f(x - h)) / h),
        ("no division", lambda f, x, h: f(x + h) - f(x - h)),
        ("wrong sign", lambda f, x, h: (f(x - h) - f(x + h)) / (2 * h)),
    ],
    "backward": [
        ("missing accumulation", overwrites),
        ("walks forwards", walks_forwards),
        ("recursion", recurses),
        ("follows every path", pushes_every_path),
        ("in-place damage", eats_the_tape),
        ("no seed", no_seed),
    ],
    "accumulate": [
        ("missing accumulation", dict),
        ("keeps the first", keeps_the_first),
        ("averages", averages),
        ("in-place damage", adds_in_place),
    ],
    "branches": [
        ("counts statements", counts_statements),
        ("tuples what is read once", tuples_everything),
        ("tuples parameters alone", tuples_parameters),
        ("nothing tupled", lambda program: {}),
    ],
    "three_paths": [
        ("one read", lambda x: x**4),
        ("two reads", two_reads),
        ("four reads", lambda x: x * x * x * x),
        ("another value", lambda x: x * x * x),
        ("another number of paths", lambda x: x * x * x * x * x / x),
        ("another program at each point", branches_on_values),
    ],
    "list_paths": [
        ("visits every node once", visits_once),
        ("wrong order", last_branch_first),
        ("wrong order", shortest_first),
        ("path without its end", without_the_end),
        ("path without its start", without_the_start),
        ("one path only", lambda graph, source, output: last_branch_first(graph, source, output)[-1:]),
    ],
    "count_paths": [
        ("counts edges", lambda graph, source, output: sum(map(len, graph.values()))),
        ("multiplies all choices", multiplies_choices),
        ("follows every path", counts_by_listing),
        ("recursion", counts_recursively),
        ("counts in floats", counts_in_floats),
        ("counts dead ends", counts_dead_ends),
    ],
    "sample_path": [
        ("greedy bias", uniform_at_branches),
        ("draws by weight", by_weight),
        ("follows every path", lists_then_draws),
        ("always the same path", first_branch),
        ("no path", lambda graph, source, output, rng: [source, output]),
    ],
    "best_path": [
        ("greedy bias", greedy),
        ("ignores negative products", best_by(lambda value: value)),
        ("loses the sign", best_by(abs, extend=lambda w, b: abs(w * b))),
        ("adds along the path", best_by(abs, 0.0, lambda w, b: w + b)),
        ("follows every path", best_by_listing),
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
    ],
    "escape": [
        ("trapped", lambda: ts.GD()),
        ("averaged away", lambda: ts.RAD()),
        ("one term's own trap", lambda: ts.FixedPath(1)),
        ("no estimator", lambda: ts.RAD),
        ("too few arrive", lambda: ts.RAD(hold=3)),
        ("averaged away", lambda: ts.SPAD()),
    ],
    "unbiased_draw": [
        ("missing 1/p", lambda g, p, rng: g[rng.choice(len(g), p=p)]),
        ("multiplies by N", lambda g, p, rng: len(g) * g[rng.choice(len(g), p=p)]),
        ("divides by another path's p", lambda g, p, rng: g[rng.choice(len(g), p=p)] / p[0]),
        ("draws uniformly", draws_uniformly),
        ("no draw", lambda g, p, rng: g.sum()),
        ("always the same path", lambda g, p, rng: g[2] / p[2]),
    ],
    "exact_variance": [
        ("second moment", lambda g, p: np.sum(g[p > 0] ** 2 / p[p > 0])),
        ("missing 1/p", lambda g, p: np.sum(p * g**2) - np.sum(p * g) ** 2),
        ("uniform only", lambda g, p: len(g) * np.sum(g**2) - np.sum(g) ** 2),
        ("standard deviation", lambda g, p: np.sqrt(np.sum(g**2 / p) - np.sum(g) ** 2)),
        ("divides by zero", lambda g, p: np.sum(g**2 / p) - np.sum(g) ** 2),
    ],
    "magnitude_draw": [
        ("greedy bias", lambda g, rng: (int(np.abs(g).argmax()), 1.0)),
        ("negative probabilities", magnitudes(signed=True)),
        ("uniform", magnitudes(0)),
        ("squares", magnitudes(2)),
        ("tells another probability", magnitudes(tell=0.5)),
    ],
    "best_epsilon": [
        ("the other way round", lambda g: _a(g) / (_a(g) + _b(g))),
        ("forgets N - 1", lambda g: _b(g, False) / (_a(g) + _b(g, False))),
        ("forgets the root", lambda g: _b(g) ** 2 / (_a(g) ** 2 + _b(g) ** 2)),
        ("in-place damage", lambda g: g.sort()),
    ],
    "chance_of_largest": [
        ("forgets repeats", lambda n, m, replace: m / n),
        ("always replaces", lambda n, m, replace: 1 - (1 - 1 / n) ** m),
        ("one draw", lambda n, m, replace: 1 / n),
        ("chance of missing it", lambda n, m, replace: (1 - 1 / n) ** m if replace else 1 - m / n),
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
    ],
    "eliminate": [
        ("missing accumulation", eliminates(accumulate=False)),
        ("keeps the vertex", eliminates(keep=True)),
        ("keeps the old edge", eliminates(old=True)),
        ("adds along the path", eliminates(product=lambda a, b: a + b)),
        ("in-place damage", eliminates(place=True)),
        ("counts additions", eliminates(count=1)),
    ],
    "linear_memory": [
        ("keeps everything", (masks, lambda saved, delta: saved[0].T @ delta)),
        ("keeps a view", layer(saves(lambda x, k: x[:, :k], fixed=True))),
        ("missing 1/p", layer(saves(), factor=0.1)),
        ("draws again", layer(saves(), redraw=True)),
        ("always the same features", layer(saves(fixed=True))),
        ("another number of features", layer(saves(fraction=0.5))),
    ],
}


def _a(g):
    return np.max(np.abs(g))


def _b(g, factor=True):
    return np.sqrt((len(g) - 1 if factor else 1) * (np.sum(g**2) - np.max(g**2)))
