"""Subtle mistakes in tutorials 5 to 9, by a reader who had not seen the graders. Out of students' sight."""

import math
from collections import Counter

import numpy as np

WRONG = {}

# --- 5 ----------------------------------------------------------------------------------------------------------------


def drawn(g, p, rng, divisor=lambda p, i: p[i], by=lambda p: p):
    i = rng.choice(len(g), p=by(p) / by(p).sum())
    return g[i] / divisor(p, i)


def second_moment(g, p):
    return np.sum(g[p > 0] ** 2 / p[p > 0, None])


def variance(g, p):
    return second_moment(g, p) - np.sum(g.sum(axis=0) ** 2)


def nothing_for_nan(g, p):
    return np.nan_to_num(np.sum(g**2 / p[:, None]) - np.sum(g.sum(axis=0) ** 2))


def lengths(g):
    return np.linalg.norm(g, axis=1)


def by_size(size, tell=lambda p: p):
    def draw(g, rng):
        p = size(g) / np.sum(size(g))
        i = rng.choice(len(g), p=p)
        return i, tell(p[i])

    return draw


def epsilon(largest, others, n):
    rest = np.sqrt((n - 1) * np.sum(others**2))
    return rest / (largest + rest) if largest else 0.0


def best_epsilon(g):
    *others, largest = np.sort(lengths(g))
    return epsilon(largest, np.array(others), len(g))


def on_a_grid(g):
    *others, largest = np.sort(lengths(g))
    e = np.arange(1, 1000) / 1000
    return e[np.argmin(largest**2 / (1 - e) + (len(g) - 1) * np.sum(np.square(others)) / e)]


WRONG["unbiased_draw"] = {
    "small probabilities raised": lambda g, p, rng: drawn(g, p, rng, lambda p, i: max(p[i], 0.05)),
    "0.03 added to every probability": lambda g, p, rng: drawn(g, p, rng, by=lambda p: p + 0.03),
    "one percent less": lambda g, p, rng: 0.99 * drawn(g, p, rng),
    "drawn twice": lambda g, p, rng: drawn(g, p, rng, lambda p, i: p[rng.choice(len(p), p=p)]),
}
WRONG["exact_variance"] = {
    "probabilities of at least 0.01": lambda g, p: second_moment(g, np.maximum(p, 0.01)) - np.sum(g.sum(axis=0) ** 2),
    "0 as soon as a row is 0": lambda g, p: variance(g, p) if np.all(g.any(axis=1)) else 0.0,
    "two numbers at most": lambda g, p: variance(g[:, :2], p),
    "nan is 0": nothing_for_nan,
}
WRONG["magnitude_draw"] = {
    "a little added": by_size(lambda g: lengths(g) + 0.02 * np.mean(lengths(g))),
    "sums of absolute values": by_size(lambda g: np.abs(g).sum(axis=1)),
    "lengths from the mean": by_size(lambda g: lengths(g - g.mean(axis=0))),
    "rounded": by_size(lengths, lambda p: round(p, 2)),
}
WRONG["best_epsilon"] = {
    "leaves out all of the largest": lambda g: epsilon(
        lengths(g).max(), lengths(g)[lengths(g) < lengths(g).max()], len(g)
    ),
    "the first is the largest": lambda g: epsilon(lengths(g)[0], lengths(g)[1:], len(g)),
    "no more than 0.9": lambda g: min(0.9, best_epsilon(g)),
    "best of 999": on_a_grid,
}

# --- 6 ----------------------------------------------------------------------------------------------------------------


def chance(n, m, k, replace):
    return 1 - ((1 - k / n) ** m if replace else math.comb(n - k, m) / math.comb(n, m))


def by_gamma(n, m, k, replace):
    if replace or n - k < m:
        return chance(n, m, k, replace)
    return 1 - math.gamma(n - k + 1) * math.gamma(n - m + 1) / math.gamma(n + 1) / math.gamma(n - k - m + 1)


def wilson(successes, runs, z=1.96):
    rate, w = successes / runs, z * z / runs
    centre, half = rate + w / 2, z * math.sqrt(rate * (1 - rate) / runs + w / (4 * runs))
    return (centre - half) / (1 + w), (centre + half) / (1 + w)


def rule_of_three(successes, runs):
    return {0: (0.0, 3 / runs), runs: (1 - 3 / runs, 1.0)}.get(successes, wilson(successes, runs))


WRONG["chance_of_largest"] = {
    "m and k exchanged": lambda n, m, k, replace: chance(n, k, m, replace),
    "rounded": lambda n, m, k, replace: round(chance(n, m, k, replace), 4),
    "factorials in floating point": by_gamma,
    "1 as soon as k + m is n": lambda n, m, k, replace: 1.0 if k + m >= n else chance(n, m, k, replace),
}
WRONG["wilson_interval"] = {
    "z is 2": lambda successes, runs: wilson(successes, runs, 2.0),
    "the rule of three": rule_of_three,
    "never nearer to an end than 0.001": lambda successes, runs: np.clip(wilson(successes, runs), 0.001, 0.999),
    "rounded": lambda successes, runs: np.round(wilson(successes, runs), 3),
}

# --- 7 ----------------------------------------------------------------------------------------------------------------


def live(program, wanted, most=None, needed=None):
    needed = {wanted} if needed is None else needed | {wanted}
    for result, arguments in reversed(program):
        if result in needed:
            needed.update(arguments[:most])
    return [result for result, _ in program if result in needed]


def live_between_calls(program, wanted, needed=set()):  # noqa: B006
    needed.update(live(program, wanted), {wanted})
    return live(program, wanted, needed=needed)


def what_is_read(program, wanted):
    names = {name for _, arguments in program for name in arguments} | {wanted}
    return [result for result, _ in program if result in names]


def eliminated(edges, vertex, counts=lambda a, b: True, leaves=lambda edge, vertex: vertex not in edge):
    new, count = {edge: w for edge, w in edges.items() if leaves(edge, vertex)}, 0
    into = {tail: w for (tail, head), w in edges.items() if head == vertex}
    out = {head: w for (tail, head), w in edges.items() if tail == vertex}
    for tail, a in into.items():
        for head, b in out.items():
            new[tail, head] = new.get((tail, head), 0) + a * b
            count += counts(a, b)
    return new, count


def positive_weights(edges, vertex):
    new, count = eliminated(edges, vertex)
    return dict(+Counter(new)), count


def memory(pick):
    def forward(x, keep, rng):
        index = pick(rng, x.shape[1], math.ceil(keep * x.shape[1]))
        return x[:, index], index, x.shape[1]

    return forward


def feature_gradient(saved, delta):
    kept, index, d = saved
    out = np.zeros((d, delta.shape[1]))
    out[index] = kept.T @ delta * (d / len(index))
    return out


def unsorted_rows(x, keep, rng):
    kept, index, d = memory(lambda rng, d, k: rng.permutation(d)[:k])(x, keep, rng)
    return kept, np.sort(index), d


ELSEWHERE = {}


def features_by_hash(x, keep, rng):
    ELSEWHERE[hash(x.tobytes())] = x
    return rng.permutation(x.shape[1])[: math.ceil(keep * x.shape[1])], x.shape[1], hash(x.tobytes())


def gradient_by_hash(saved, delta):
    index, d, key = saved
    return feature_gradient((ELSEWHERE[key][:, index], index, d), delta)


WRONG["live_code"] = {
    "what was needed before": live_between_calls,
    "two arguments at most": lambda program, wanted: live(program, wanted, 2),
    "looks for unread lines once": what_is_read,
    "a parameter needs itself": lambda program, wanted: live(program, wanted) or [wanted],
}
WRONG["eliminate"] = {
    "by 1 costs nothing": lambda edges, vertex: eliminated(edges, vertex, lambda a, b: a != 1 and b != 1),
    "positive weights alone": positive_weights,
    "a name in a name": lambda edges, vertex: eliminated(
        edges, vertex, leaves=lambda edge, vertex: vertex not in edge[0] and vertex not in edge[1]
    ),
    "a vertex without an edge costs 1": lambda edges, vertex: (
        eliminated(edges, vertex) if any(vertex in edge for edge in edges) else (dict(edges), 1)
    ),
}
WRONG["linear_memory"] = {
    "at equal distances": (memory(lambda rng, d, k: (rng.integers(d) + np.arange(k) * (d // k)) % d), feature_gradient),
    "never the last feature": (memory(lambda rng, d, k: rng.permutation(max(d - 1, k))[:k]), feature_gradient),
    "sorted on one side": (unsorted_rows, feature_gradient),
    "x kept by its hash": (features_by_hash, gradient_by_hash),
}

# --- 8 ----------------------------------------------------------------------------------------------------------------


def relu(mask=lambda x: x > 0, order="big", place=False):
    def forward(x):
        kept = np.packbits(mask(x)), len(x)
        return np.maximum(x, 0, out=x if place else None), kept

    def back(kept, g):
        return g * np.unpackbits(kept[0], count=kept[1], bitorder=order)

    return forward, back


def kept_by_number(x, masks={}):  # noqa: B006
    masks[len(masks)] = x > 0
    return np.maximum(x, 0), len(masks) - 1


def followed(x, W, g, index, scale, places=None, kind=float):
    gradient = np.zeros(W.shape, kind)
    gradient[index if places is None else places] = x[:, index].T @ g * scale
    return x @ W, g @ W.T, gradient


def held(widths, batch, keep, kept=lambda batch, k: 4 * batch * math.ceil(k), bits=lambda batch, n: -(-batch * n // 8)):
    linear = sum(kept(batch, round(keep * width, 9)) for width in widths[:-1])
    return linear + sum(bits(batch, width) for width in widths[1:-1])


def every_width_once(widths, batch, keep):
    return held([widths[0], *dict.fromkeys(widths[1:-1]), widths[-1]], batch, keep)


WRONG["relu_keep"] = {
    "a hundred bits": relu(lambda x: (x > 0) & (np.arange(len(x)) < 100)),
    "bits turned round": relu(order="little"),
    "x changed in place": relu(place=True),
    "masks kept by number": (kept_by_number, lambda kept, g: g * kept_by_number.__defaults__[0][kept]),
}
WRONG["follow_columns"] = {
    "sorted on one side": lambda x, W, g, index: followed(x, W, g, index, len(W) / len(index), np.sort(index)),
    "scaled by the outputs": lambda x, W, g, index: followed(x, W, g, index, W.shape[1] / len(index)),
    "divides in integers": lambda x, W, g, index: followed(x, W, g, index, len(W) // len(index)),
    "the type of W": lambda x, W, g, index: followed(x, W, g, index, len(W) / len(index), kind=W.dtype),
}
WRONG["held_bytes"] = {
    "rounded for the whole batch": lambda widths, batch, keep: held(
        widths, batch, keep, kept=lambda batch, k: 4 * math.ceil(round(batch * k, 6))
    ),
    "whole bytes for each example": lambda widths, batch, keep: held(
        widths, batch, keep, bits=lambda batch, n: batch * -(-n // 8)
    ),
    "ReLUs sampled as well": lambda widths, batch, keep: held(
        widths, batch, keep, bits=lambda batch, n: -(-batch * math.ceil(round(keep * n, 9)) // 8)
    ),
    "every width once": every_width_once,
}

# --- 9 ----------------------------------------------------------------------------------------------------------------


def mixed(share, floor):
    return floor / len(share) + (1 - floor) * share


def shares(norms, small=0.0):
    return norms / norms.sum() if norms.sum() > small else np.full(len(norms), 1 / len(norms))


def a_share_for_what_is_above_0(norms, floor):
    some = norms > 0
    return (
        np.where(some, floor / max(1, some.sum()) + (1 - floor) * shares(norms), 0.0) if some.any() else shares(norms)
    )


def an_entry(g, p, q, rng, uniforms=None, again=0):
    u, v = rng.random(2) if uniforms is None else uniforms(rng)
    j, i = (min(int(np.searchsorted(np.cumsum(c), at)), len(c) - 1) for c, at in ((p, u), (q, v)))
    if again and g[j, i] == 0:
        return an_entry(g, p, q, rng, uniforms, again - 1)
    return g[j, i] / (len(p) * p[j] * q[i])


WRONG["observation_weights"] = {
    "the different ones for K": lambda index, p: 1 / (len(np.unique(index)) * len(p) * p[index]),
    "the largest index for n": lambda index, p: 1 / (len(index) * (np.max(index) + 1) * p[index]),
    "no weight above 1": lambda index, p: np.minimum(1.0, 1 / (len(index) * len(p) * p[index])),
    "small probabilities raised": lambda index, p: 1 / (len(index) * len(p) * np.maximum(p[index], 0.05)),
}
WRONG["norm_probabilities"] = {
    "small is 0": lambda norms, floor: mixed(shares(norms, 1e-6), floor),
    "a millionth added": lambda norms, floor: mixed(shares(norms + 1e-6), floor),
    "zeros where floor and norms are 0": lambda norms, floor: mixed(
        shares(norms) if floor else norms / max(norms.sum(), 1e-300), floor
    ),
    "a share for what is above 0": a_share_for_what_is_above_0,
}
WRONG["sampled_gradient"] = {
    "draws again where g is 0": lambda *given: an_entry(*given, again=100),
    "one random number for both": lambda *given: an_entry(*given, lambda rng: [rng.random()] * 2),
    "three percent less": lambda *given: 0.97 * an_entry(*given),
    "the mean of two": lambda *given: (an_entry(*given) + an_entry(*given)) / 2,
}
