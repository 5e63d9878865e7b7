"""Unusual right answers to tutorials 5 to 9, by a reader who had not seen the graders. Out of students' sight."""

import itertools
import math
from collections import Counter, deque
from fractions import Fraction
from types import MappingProxyType

import numpy as np

# --- 5 ----------------------------------------------------------------------------------------------------------------


def draw_by_a_uniform(g, p, rng):
    i = min(np.searchsorted(np.cumsum(p), rng.random() * np.sum(p), side="right"), len(p) - 1)
    return g[i] / p[i]


def draw_by_multinomial(g, p, rng):
    i = np.flatnonzero(rng.multinomial(1, p)).item()
    print("drew", i)
    return float(g[i]) / float(p[i])


def variance_by_definition(g, p):
    mean = [math.fsum(column) for column in np.asarray(g, float).T]
    return sum(q * sum((c / q - m) ** 2 for c, m in zip(row, mean)) for row, q in zip(g, p) if q > 0)


def variance_by_pairs(g, p):
    on = np.flatnonzero(p)
    estimates = g[on] / p[on, None]
    distances = ((estimates[:, None, :] - estimates[None, :, :]) ** 2).sum(axis=-1)
    return 0.5 * p[on] @ distances @ p[on]


def magnitude_by_clocks(g, rng):
    size = np.array([math.hypot(*row) for row in g])
    with np.errstate(divide="ignore"):
        i = int((rng.exponential(size=len(size)) / size).argmin())
    return i, size[i] / size.sum()


def magnitude_by_a_uniform(g, rng):
    size = np.sqrt(np.einsum("ij,ij->i", g, g))
    ends = np.cumsum(size)
    i = np.searchsorted(ends, ends[-1] * rng.random(), side="right")
    return i, np.float64(size[i] / ends[-1])


def epsilon_by_sorting(g):
    sizes = np.sort(np.linalg.norm(g, axis=-1))[::-1]
    rest = math.sqrt((len(sizes) - 1) * (sizes[1:] ** 2).sum())
    return rest / (sizes[0] + rest)


def epsilon_by_bisection(g):
    squares = [sum(float(c) ** 2 for c in row) for row in g]
    a, b = max(squares), (len(squares) - 1) * (sum(squares) - max(squares))
    low, high = 0.0, 1.0
    for _ in range(200):
        e = (low + high) / 2
        low, high = (e, high) if a * e**2 < b * (1 - e) ** 2 else (low, e)
    return (low + high) / 2


# --- 6 ----------------------------------------------------------------------------------------------------------------


def chance_by_products(n, m, k, replace):
    lefts = [n if replace else n - i for i in range(m)]
    return float(1 - math.prod(Fraction(max(left - k, 0), left) for left in lefts))


def chance_by_sums(n, m, k, replace):
    if replace:
        return sum(math.comb(m, j) * Fraction(k, n) ** j * Fraction(n - k, n) ** (m - j) for j in range(1, m + 1))
    return sum(Fraction(math.comb(k, j) * math.comb(n - k, m - j), math.comb(n, m)) for j in range(1, min(k, m) + 1))


def wilson_by_roots(successes, runs):
    s, z2 = successes / runs, 1.96**2 / runs
    low, high = np.sort(np.roots([1 + z2, -(2 * s + z2), s * s]).real)
    return low, high


def wilson_by_bisection(successes, runs):
    rate = successes / runs

    def end(inside, outside):
        for _ in range(200):
            p = (inside + outside) / 2
            holds = (rate - p) ** 2 * runs <= 1.96**2 * p * (1 - p)
            inside, outside = (p, outside) if holds else (inside, p)
        return inside

    return end(rate, 0.0), end(rate, 1.0)


# --- 7 ----------------------------------------------------------------------------------------------------------------


def live_by_a_search(program, wanted):
    lines, seen, todo = dict(program), {wanted}, deque([wanted])
    while todo:
        fresh = set(lines.get(todo.popleft(), ())) - seen
        seen |= fresh
        todo.extend(fresh)
    return [result for result, _ in program if result in seen]


def live_from_the_end(program, wanted):
    needed, out = {wanted}, deque()
    for result, arguments in reversed(program):
        if result in needed:
            needed.update(arguments)
            out.appendleft(result)
    return list(out)


def eliminated_by_an_outer_product(edges, vertex):
    into = [(tail, w) for (tail, head), w in edges.items() if head == vertex]
    out = [(head, w) for (tail, head), w in edges.items() if tail == vertex]
    new = Counter({edge: w for edge, w in edges.items() if vertex not in edge})
    products = np.outer([w for _, w in into], [w for _, w in out])
    for (i, (tail, _)), (j, (head, _)) in itertools.product(enumerate(into), enumerate(out)):
        new[tail, head] += products[i, j]
    return dict(new), products.size


def eliminated_in_a_copy(edges, vertex):
    edges, count = dict(edges), 0
    for tail in [tail for tail, head in edges if head == vertex]:
        first = edges.pop((tail, vertex))
        for (start, head), second in list(edges.items()):
            if start == vertex:
                count += 1
                edges[tail, head] = edges.get((tail, head), 0) + first * second
    return MappingProxyType({edge: w for edge, w in edges.items() if edge[0] != vertex}).copy(), count


def permuted_features(x, keep, rng):
    index = rng.permutation(x.shape[1])[: math.ceil(keep * x.shape[1])]
    return x[:, index], index, x.shape[1]


def gradient_by_one_hot(saved, delta):
    kept, index, d = saved
    spread = np.zeros((d, len(index)))
    spread[index, np.arange(len(index))] = d / len(index)
    return spread @ (kept.T @ delta)


def scaled_features(x, keep, rng):
    d = x.shape[-1]
    k = int(np.ceil(keep * d))
    index = np.sort(rng.random(d).argsort()[:k])
    return np.ascontiguousarray(x.T[index]) * (d / k), index.astype(np.int32), np.int32(d)


def gradient_by_adding(saved, delta):
    rows, index, d = saved
    out = np.zeros((int(d), delta.shape[1]))
    np.add.at(out, index, np.einsum("kb,bj->kj", rows, delta))
    return out


# --- 8 ----------------------------------------------------------------------------------------------------------------


def keeps_bits_and_a_size(x):
    return np.where(x > 0, x, 0), (np.packbits(np.greater(x, 0)), x.size)


def back_by_where(kept, g):
    return np.where(np.unpackbits(kept[0], count=kept[1]), g, 0)


def keeps_bytes(x):
    return np.clip(x, 0, None), np.packbits(x > 0, bitorder="little").tobytes()


def back_from_bytes(kept, g):
    return g * np.unpackbits(np.frombuffer(kept, dtype=np.uint8), bitorder="little")[: len(g)]


def followed_by_a_mask(x, W, g, index):
    mask = np.zeros(x.shape[1])
    mask[np.asarray(index)] = x.shape[1] / len(index)
    return np.einsum("bd,dk->bk", x, W), np.einsum("bk,dk->bd", g, W), (x * mask).T @ g


def followed_row_by_row(x, W, g, index):
    gradient = np.zeros(W.shape)
    for i in index:
        gradient[i] = sum(x[b, i] * g[b] for b in range(len(x))) * W.shape[0] / len(index)
    return x.dot(W), np.transpose(W @ g.T), gradient


def held_by_fractions(widths, batch, keep):
    *inner, _ = widths
    kept = sum(4 * batch * math.ceil(Fraction(str(keep)) * width) for width in inner)
    return kept + sum(-(-batch * width // 8) for width in inner[1:])


def held_layer_by_layer(widths, batch, keep, relu=False):
    if len(widths) == 1:
        return 0
    bits = np.packbits(np.zeros(batch * widths[0] * relu, bool)).nbytes
    here = 4 * batch * int(np.ceil(np.round(keep * widths[0], 9)))
    return here + bits + held_layer_by_layer(list(widths)[1:], batch, keep, True)


# --- 9 ----------------------------------------------------------------------------------------------------------------


def probabilities_one_by_one(norms, floor):
    n, total = len(norms), math.fsum(norms)
    if total == 0:
        return np.full(n, 1 / n)
    return np.fromiter((floor / n + (1 - floor) * norm / total for norm in norms), dtype=float)


def probabilities_by_average(norms, floor):
    uniform = np.ones_like(norms, dtype=float) / norms.size
    return np.average([uniform, norms / norms.sum() if norms.any() else uniform], axis=0, weights=[floor, 1 - floor])


def entry_from_all(g, p, q, rng):
    joint = np.outer(p, q)
    j, i = np.unravel_index(rng.choice(joint.size, p=joint.ravel()), joint.shape)
    return g[j, i] / (len(g) * joint[j, i])


def entry_by_uniforms(g, p, q, rng):
    def draw(chances):
        u, last = rng.random(), len(chances) - 1
        return next(i for i, end in enumerate(itertools.accumulate(chances)) if end > u or i == last)

    j, i = draw(p), draw(q)
    return g[j][i] / p[j] / q[i] / g.shape[0]


RIGHT = {
    "unbiased_draw": [draw_by_a_uniform, draw_by_multinomial],
    "exact_variance": [variance_by_definition, variance_by_pairs],
    "magnitude_draw": [magnitude_by_clocks, magnitude_by_a_uniform],
    "best_epsilon": [epsilon_by_sorting, epsilon_by_bisection],
    "chance_of_largest": [chance_by_products, chance_by_sums],
    "wilson_interval": [wilson_by_roots, wilson_by_bisection],
    "live_code": [live_by_a_search, live_from_the_end],
    "eliminate": [eliminated_by_an_outer_product, eliminated_in_a_copy],
    "linear_memory": [(permuted_features, gradient_by_one_hot), (scaled_features, gradient_by_adding)],
    "relu_keep": [(keeps_bits_and_a_size, back_by_where), (keeps_bytes, back_from_bytes)],
    "follow_columns": [followed_by_a_mask, followed_row_by_row],
    "held_bytes": [held_by_fractions, held_layer_by_layer],
    "observation_weights": [
        lambda index, p: np.reciprocal(np.take(p, index) * np.size(p) * np.size(index)),
        lambda index, p: np.array([1 / (len(index) * len(p) * p[i]) for i in index]),
    ],
    "norm_probabilities": [probabilities_one_by_one, probabilities_by_average],
    "sampled_gradient": [entry_from_all, entry_by_uniforms],
}
