"""The graders against people: right answers that look unusual, wrong ones that look right, endless and talkative ones."""

import itertools
import random
import sys
import types
from collections import deque
from fractions import Fraction

import numpy as np
import pytest
from test_check import grade, solutions

import tinyspad as ts
from tinyspad import check
from tinyspad.check.answer import BUDGET
from tinyspad.check.graphs import all_paths, random_graph
from tinyspad.check.verdict import plain, same

# --- right answers of other kinds


def generated(name):
    def answer(*args):
        yield from getattr(solutions, name)(*args)

    return answer


def talkative(name):
    def answer(*args):
        for i in range(30):
            print(name, i)
        return getattr(solutions, name)(*args)

    return answer


def list_paths_recursively(graph, source, output):
    if source == output:
        yield [output]
    for head, _ in graph[source]:
        for path in list_paths_recursively(graph, head, output):
            yield (source, *path)


def count_with_fractions(graph, source, output):
    number = {}
    for node in reversed(list(graph)):
        number[node] = Fraction(node == output) or sum((number[head] for head, _ in graph[node]), Fraction(0))
    return int(number[source])


def sample_by_integers(graph, source, output, rng):
    number = dict.fromkeys(graph, 0)
    for node in reversed(graph):
        number[node] = 1 if node == output else sum(number[h] for h, _ in graph[node])
    i, path = random.Random(int(rng.integers(2**32))).randrange(number[source]), deque([source])
    while path[-1] != output:
        for head, _ in graph[path[-1]]:
            if i < number[head]:
                path.append(head)
                break
            i -= number[head]
    return path


def best_with_fractions(graph, source, output):
    best = {output: (Fraction(1), (output,))}
    for node in reversed(graph):
        ways = [(Fraction(w) * best[h][0], (node, *best[h][1])) for h, w in graph[node] if h in best]
        if ways:
            best[node] = max(ways, key=lambda way: abs(way[0]))
    return best[source]


def shortened(saved):
    columns, chosen, d = saved
    return columns, chosen.tolist(), d


def difference_of_two(f, x, h):
    return np.diff([f(x - h), f(x + h)])[0] / (2 * h)


def variance_of_fractions(g, p):
    second = sum(Fraction(a) ** 2 / Fraction(b) for row, b in zip(g, p) if b for a in row)
    return second - sum(sum(map(Fraction, column)) ** 2 for column in g.T)


def chance_by_listing(n, m, k, replace):
    if n > 7 or m > 5:
        return solutions.chance_of_largest(n, m, k, replace)
    ways = list(itertools.product(range(n), repeat=m) if replace else itertools.combinations(range(n), m))
    return Fraction(sum(min(way) < k for way in ways), len(ways))


def eliminate_with_fractions(edges, vertex):
    left, n = solutions.eliminate(edges, vertex)
    return {tuple(map(np.str_, edge)): Fraction(weight) for edge, weight in left.items()}, np.int64(n)


def keep_in_an_integer(x):
    return x * (x > 0), (int.from_bytes(np.packbits(x > 0).tobytes(), "big"), len(x))


def back_from_an_integer(kept, g):
    bits, n = kept
    return g * np.unpackbits(np.frombuffer(bits.to_bytes(-(-n // 8), "big"), np.uint8), count=n)


def keep_in_bytes(x):
    return [np.maximum(x, 0), np.packbits(x > 0).tobytes()]


def back_from_bytes(kept, g):
    return g * np.unpackbits(np.frombuffer(kept, np.uint8), count=len(g))


def held_by_fractions(widths, batch, keep):
    linear = sum(4 * batch * -(-Fraction(str(keep)) * d // 1) for d in widths[:-1])
    return linear + sum((batch * n + 7) // 8 for n in widths[1:-1])


RIGHT = {
    "tanh_rule": [lambda out, x: np.subtract(1, np.square(out)), lambda out, x: 1 / np.cosh(x) ** 2],
    "central_difference": [lambda f, x, h: np.float64(f(x + h) - f(x - h)) / h / 2, difference_of_two],
    "backward": [
        lambda tape, output: types.MappingProxyType(solutions.backward(tape, output)),
        lambda tape, output: {np.str_(k): np.float64(v) for k, v in solutions.backward(tape, output).items()},
    ],
    "accumulate": [lambda arrivals: {k: sum(a for n, a in arrivals if n == k) for k, _ in arrivals}],
    "branches": [
        lambda program: {np.str_(k): np.int64(n) for k, n in solutions.branches(program).items()},
        lambda program: {k: Fraction(n) for k, n in solutions.branches(program).items()},
    ],
    "three_paths": [lambda x: x * x * x**2, lambda x: x * (x**2 * x)],
    "list_paths": [
        generated("list_paths"),
        list_paths_recursively,
        lambda *args: np.array(solutions.list_paths(*args), dtype=object),
        lambda *args: tuple(map(tuple, solutions.list_paths(*args))),
        lambda *args: (iter(path) for path in solutions.list_paths(*args)),
    ],
    "count_paths": [count_with_fractions],
    "sample_path": [sample_by_integers, generated("sample_path")],
    "best_path": [best_with_fractions, generated("best_path"), lambda *args: deque(solutions.best_path(*args))],
    "spad": [generated("spad"), lambda *args: deque(solutions.spad(*args))],
    "escape": [lambda: ts.RAD(hold=np.int64(50))],
    "unbiased_draw": [lambda g, p, rng: Fraction(float(solutions.unbiased_draw(g, p, rng)))],
    "exact_variance": [variance_of_fractions],
    "magnitude_draw": [generated("magnitude_draw"), lambda g, rng: np.array(solutions.magnitude_draw(g, rng))],
    "best_epsilon": [lambda g: np.float32(solutions.best_epsilon(g)), lambda g: np.array(solutions.best_epsilon(g))],
    "chance_of_largest": [chance_by_listing],
    "wilson_interval": [generated("wilson_interval")],
    "live_code": [
        generated("live_code"),
        lambda *args: np.array(solutions.live_code(*args)),
        lambda *args: dict.fromkeys(solutions.live_code(*args)).keys(),
    ],
    "eliminate": [generated("eliminate"), eliminate_with_fractions],
    "linear_memory": [(lambda *args: shortened(solutions.linear_memory(*args)), solutions.linear_gradient)],
    "relu_keep": [(keep_in_an_integer, back_from_an_integer), (keep_in_bytes, back_from_bytes)],
    "follow_columns": [generated("follow_columns")],
    "held_bytes": [lambda *args: Fraction(solutions.held_bytes(*args)), held_by_fractions],
    "observation_weights": [
        generated("observation_weights"),
        lambda index, p: list(solutions.observation_weights(index, p)),
    ],
    "norm_probabilities": [
        generated("norm_probabilities"),
        lambda *args: tuple(map(Fraction, solutions.norm_probabilities(*args))),
    ],
    "sampled_gradient": [lambda *args: np.array(solutions.sampled_gradient(*args))],
}


@pytest.mark.parametrize("name, i", [(name, i) for name, answers in RIGHT.items() for i in range(len(answers))])
def test_right_answers_pass_whatever_they_are_made_of(name, i):
    verdict = grade(name, RIGHT[name][i])
    assert verdict, str(verdict)


def test_every_exercise_has_an_unusual_right_answer():
    assert set(RIGHT) == set(check.EXERCISES)


def test_content_is_what_counts():
    assert plain({np.str_("a"): deque([np.int64(1)])}) == {"a": [1]} and plain({"b": 1}.keys()) == ["b"]
    assert same(iter([1, 2]), [1, 2]) and same(np.array(["x", "y"]), ["x", "y"]) and same(Fraction(1, 2), 0.5)
    assert not same({"x", "y"}, ["x", "y"]) and not same("xy", ["x", "y"])


# --- answers that never end, and that talk


def loops_in_one_line(*args):
    while True: pass  # noqa: E701  # fmt: skip


def loops_in_a_generator(*args):
    return all(True for _ in itertools.count())


def loops_in_c(*args):
    for _ in itertools.repeat(None):
        np.sort(np.random.default_rng(0).normal(size=2_000_000))


def yields_for_ever(*args):
    while True:
        yield "x"


@pytest.mark.parametrize("answer", [loops_in_one_line, loops_in_a_generator, yields_for_ever])
def test_what_never_ends_is_stopped(answer, monkeypatch):
    monkeypatch.setattr("tinyspad.check.answer.SECONDS", 1.0)
    assert check.list_paths(answer).misconception == "does not end"


@pytest.mark.skipif(not hasattr(__import__("signal"), "setitimer"), reason="no timer here")
def test_what_is_slow_below_python_is_stopped_by_the_timer(monkeypatch):
    monkeypatch.setattr("tinyspad.check.answer.SECONDS", 0.5)
    verdict = check.list_paths(loops_in_c)
    assert verdict.misconception == "does not end" and "after 0.5 seconds" in verdict.example


def test_the_lines_of_others_are_not_counted():
    """A print in a loop of a notebook runs many lines of the kernel's own; so does NumPy's Python code."""

    def answer(graph, source, output):
        for _ in range(BUDGET // 200):
            np.array2string(np.arange(3))  # some hundred lines of NumPy's
        return solutions.list_paths(graph, source, output)

    from tinyspad.check.answer import call

    graph = {"x": [("z", 1.0)], "z": []}
    assert call(answer, graph, "x", "z", told="") == [["x", "z"]]


def dives(depth):
    return dives(depth + 1)


@pytest.mark.parametrize("lift", [lambda: sys.setrecursionlimit(10**6), lambda: None])
def test_the_recursion_limit_stays_safe(lift):
    def answer(*args):
        lift()
        return dives(0)

    before = sys.getrecursionlimit()
    assert check.list_paths(answer).misconception == "recursion" and sys.getrecursionlimit() == before


def test_what_is_printed_is_caught_and_counted(capsys):
    verdict = check.tanh_rule(talkative("tanh_rule"))
    assert verdict and verdict.printed.splitlines()[:2] == ["tanh_rule 0", "tanh_rule 1"]
    assert verdict.printed.splitlines()[-1] == "... and 145 more lines"  # 5 calls of 30 lines, 5 of them shown
    assert "It printed:\ntanh_rule 0" in str(verdict) and capsys.readouterr().out == ""
    long = check.tanh_rule(lambda out, x: print("x" * 10**6, file=sys.stderr))
    assert len(str(long)) < 1000 and capsys.readouterr().err == ""
    assert check.tanh_rule(lambda out, x: (print("a", end=""), print("b"), 1 - out**2)[2]).printed == "\n".join(
        ["ab"] * 5
    )


# --- hints in steps


def test_hints_come_step_by_step():
    check.tanh_rule(solutions.tanh_rule)
    wrong, other = (lambda out, x: 1 - x**2), (lambda out, x: 1 - out)
    first, second, third = str(check.tanh_rule(wrong)), str(check.tanh_rule(wrong)), str(check.tanh_rule(wrong))
    assert "The idea" not in first and "further hint" in first
    assert "The idea" in second and "In full" not in second and "In full: " in third and "further" not in third
    assert "The idea" not in str(check.tanh_rule(other)), "another mistake: from the beginning"
    assert check.tanh_rule(solutions.tanh_rule) and "The idea" not in str(check.tanh_rule(wrong))


@pytest.mark.parametrize("name", check.EXERCISES)
def test_every_exercise_has_an_idea_and_a_formula_that_its_text_does_not_tell(name):
    verdict = grade(name, (lambda *args: 10**400,) * (2 if name in ("relu_keep", "linear_memory") else 1))
    assert len(verdict.idea) > 30 and len(verdict.formula) > 15
    assert verdict.formula not in (check.EXERCISES[name].grade.__doc__ or "")


# --- the graphs they are tried on


@pytest.mark.parametrize("seed", range(8))
def test_random_graphs_are_of_all_kinds_and_their_paths_are_right(seed):
    graph = random_graph(seed, 6)
    names = list(graph)
    assert all(names.index(head) > i for i, name in enumerate(names) for head, _ in graph[name])
    product = {"z": 1.0}
    for name in reversed(names[:-1]):
        product[name] = sum(weight * product[head] for head, weight in graph[name])
    assert sum(p for p, _ in all_paths(graph, "x", "z")) == pytest.approx(product["x"], abs=1e-12)


def test_among_the_graphs_are_ties_zeros_parallel_edges_and_dead_ends():
    graphs = [random_graph(seed, size) for size in (3, 4, 5, 6, 7) for seed in range(6)]
    assert any(len({h for h, _ in edges}) < len(edges) for g in graphs for edges in g.values())
    assert any(not edges for g in graphs for name, edges in g.items() if name != "z")
    assert any(p == 0 for g in graphs for p, _ in all_paths(g, "x", "z"))
    assert any(p < 0 for g in graphs for p, _ in all_paths(g, "x", "z"))
