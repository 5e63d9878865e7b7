"""The engine against the one page that says what it should do, on a thousand random programs.

The two share no code, and the page can be checked by reading it. Random paths are shared as choices: the engine draws them,
its history says which, and the page is made to select the same. What it draws by itself is checked apart, exactly.
"""

import ast
import itertools
import math
import random
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import tinyspad as ts
from tinyspad import one_page as page

FILE = Path(page.__file__)
SOURCE = FILE.read_text()
PROGRAMS, GROUPS = 1000, 20
ROUNDING = 1e-12

LINES = [  # m is NumPy or the page; every value stays within a few units, so that rounding is not magnified
    lambda m, a, b, c: a + b,
    lambda m, a, b, c: a - b,
    lambda m, a, b, c: m.sin(a) * b,
    lambda m, a, b, c: a * m.cos(a),
    lambda m, a, b, c: a / (2 + b * b),
    lambda m, a, b, c: (2 + m.sin(a)) ** m.cos(b),
    lambda m, a, b, c: m.sin(a),
    lambda m, a, b, c: m.cos(a),
    lambda m, a, b, c: m.exp(m.sin(a)),
    lambda m, a, b, c: -a,
    lambda m, a, b, c: a + c,
    lambda m, a, b, c: c + a,
    lambda m, a, b, c: a - c,
    lambda m, a, b, c: c - a,
    lambda m, a, b, c: a * c,
    lambda m, a, b, c: c * a,
    lambda m, a, b, c: a / c,
    lambda m, a, b, c: c / (2 + m.cos(a)),
    lambda m, a, b, c: m.sin(a) ** int(4 * c),
    lambda m, a, b, c: c ** m.sin(a),
    lambda m, a, b, c: m.sin(c),  # a constant that the program computes
]


class Program:
    """Random straight-line code: shared intermediates, constants, dead code, parameters that are read often or never."""

    def __init__(self, seed):
        rng = random.Random(seed)
        self.x0 = [rng.uniform(-1.5, 1.5) for _ in range(rng.randint(1, 3))]
        size = rng.randint(0, 10)
        self.lines = []
        for defined in range(len(self.x0), len(self.x0) + size):
            a, b = (rng.randrange(max(0, defined - rng.choice([3, 99])), defined) for _ in "ab")
            self.lines.append((rng.choice(LINES), a, b, rng.uniform(0.5, 1.5)))
        self.result = len(self.x0) + size - 1 - rng.choice([0, 0, 0, min(1, size)])

    def on(self, module):
        def f(*variables):
            variables = list(variables)
            for line, a, b, c in self.lines:
                variables.append(line(module, variables[a], variables[b], c))
            return variables[self.result]

        return f


def routes(graph, source):
    """All routes from a node in order, by walking: the last choice that has another branch takes the next one."""
    route = {}
    while True:
        route, contribution = page.walk(graph, source, lambda node: route.get(node, 0))
        yield route, contribution
        while route:
            node, branch = route.popitem()
            if branch + 1 < len(graph.edges[node]):
                route[node] = branch + 1
                break
        else:
            return


def close(found, expected, size):
    """Equal up to the rounding of sums and products whose absolute values add up to this size."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * max(size, 1e-300))


@pytest.mark.parametrize("group", range(GROUPS))
def test_the_engine_has_the_pages_paths(group):
    met = set()
    for seed in range(group, PROGRAMS, GROUPS):
        program = Program(seed)
        graph, lcg = page.Graph(program.on(page), *program.x0), ts.trace(program.on(np), *program.x0)
        close(lcg.value, graph.value, 1 + abs(graph.value))
        number = {node.name: node.index for node in lcg.nodes}
        heads = [(node, reader) for node, edges in enumerate(graph.edges) for reader, _ in edges]
        assert [(number[tail], number[head]) for tail, head, _ in lcg.edges] == heads
        weights = [weight for edges in graph.edges for _, weight in edges]
        np.testing.assert_allclose([weight for _, _, weight in lcg.edges], weights, rtol=ROUNDING, atol=ROUNDING)
        counts, sizes, lists, slopes = (ask(graph) for ask in (page.count, page.largest, page.listing, page.gradient))
        for name, source in zip(lcg.params, graph.source, strict=True):
            assert lcg.count_paths(name) == counts[source] == len(lists[source])
            met.add(min(counts[source], 3))
            if not counts[source]:
                assert lcg.gradient()[name] == slopes[source] == 0
                assert page.walk(graph, source, None) == ({}, 0.0)
                continue
            size = sum(map(abs, lists[source]))
            close(lcg.gradient()[name], slopes[source], size)
            close(lcg.path_gradients(name), lists[source], size)
            best = lcg.best_path(name)
            close(abs(best.gradient), sizes[source], size)
            close(abs(page.walk(graph, source, page.best(graph))[1]), sizes[source], size)
            for path, (route, contribution) in itertools.zip_longest(lcg.paths(name), routes(graph, source)):
                met_by = [number[node] for node in path.nodes if len(graph.edges[number[node]]) > 1]
                assert dict(zip(met_by, path.branches, strict=True)) == route
                close(path.gradient, contribution, size)
    assert met == {0, 1, 2, 3}, "no path, one, two, and more were all met"


def replayed(lcg, history, hold, largest):
    """A way to select for the page: the paths that the engine followed; they must be as large as the page's best."""
    starts = itertools.count(0, hold)

    def select(graph, rng):
        step = next(starts)
        followed = [(name, int(history.paths[name][step])) for name in lcg.params]
        branches = [lcg.nth_path(name, index).branches if index >= 0 else () for name, index in followed]
        if largest:
            sizes, lists = page.largest(graph), page.listing(graph)
            for source, taken in zip(graph.source, branches):
                left = iter(taken)
                _, contribution = page.walk(graph, source, lambda node: next(left))
                close(abs(contribution), sizes[source], sum(map(abs, lists[source])))
        turns = itertools.chain(*branches)  # the page selects for one parameter after the other
        return lambda node: next(turns)

    return select


@pytest.mark.parametrize("group", range(GROUPS))
@pytest.mark.parametrize(
    "estimator, hold", [(ts.GD(), 1), (ts.RAD(), 1), (ts.RAD(hold=7), 7), (ts.SPAD(k_max=6), 6)], ids=str
)
def test_twenty_steps_are_the_pages(estimator, hold, group):
    for seed in range(group, PROGRAMS, GROUPS):
        program = Program(seed)
        f, x0 = program.on(np), tuple(program.x0)
        engine = ts.minimize(f, x0, estimator=estimator, optimizer=ts.Adam(lr=0.01), steps=20, rng=seed)
        select = None
        if estimator != ts.GD():
            select = replayed(ts.trace(f, *x0), engine.history, hold, isinstance(estimator, ts.SPAD))
        way = page.minimize(program.on(page), x0, select, hold, steps=20, lr=0.01)
        np.testing.assert_allclose(np.transpose(list(engine.history.x.values())), way, rtol=ROUNDING, atol=ROUNDING)


def test_without_randomness_nothing_need_be_shared():
    for select, estimator in (None, ts.GD()), (page.best, ts.SPAD(k_max=50)):
        engine = ts.minimize(ts.functions.f1, 5.0, estimator=estimator, steps=2000)
        way = page.minimize(page.f1, [5.0], select, 50)
        np.testing.assert_allclose(engine.history.x["x"], np.ravel(way), rtol=1e-9)


def test_a_random_path_is_any_path_with_the_same_probability():
    """Over all numbers that the generator might give: exactly."""

    class Scripted:
        def randrange(self, n):
            self.chance /= n
            self.asked.append(n)
            return self.script[len(self.asked) - 1] if len(self.asked) <= len(self.script) else 0

    for seed in range(60):
        program, rng = Program(seed), Scripted()
        graph = page.Graph(program.on(page), *program.x0)
        for source in graph.source:
            n = page.count(graph)[source]
            if not 1 < n < 12:
                continue
            chances, rng.script = {}, []
            while rng.script is not None:
                rng.asked, rng.chance = [], Fraction(1)
                route, _ = page.walk(graph, source, page.at_random(graph, rng))
                key = tuple(route.items())
                chances[key] = chances.get(key, 0) + rng.chance
                drawn = [*rng.script, *[0] * (len(rng.asked) - len(rng.script))]
                while drawn and drawn[-1] + 1 == rng.asked[len(drawn) - 1]:
                    drawn.pop()
                rng.script = [*drawn[:-1], drawn[-1] + 1] if drawn else None
            assert list(chances.values()) == [Fraction(1, n)] * n


def test_each_parameter_draws_for_itself():
    way = page.minimize(lambda x, y: page.f1(x) + page.f1(y), [5.0, 5.0], page.at_random, rng=random.Random(0), steps=9)
    assert way[-1][0] != way[-1][1]


def test_long_programs_and_large_numbers_of_paths():
    def doubled(x):
        for _ in range(2000):
            x = x + x
        return x

    graph = page.Graph(doubled, 0.0)
    assert page.count(graph)[0] == 2**2000
    assert len(page.walk(graph, 0, page.at_random(graph, random.Random(0)))[0]) == 2000


def test_powers_at_the_edge_of_their_domain():
    for base, exponent in itertools.product((0.0, -2.0), (0, 1, 2)):
        assert page.gradient(page.Graph(lambda x: x**exponent, base))[0] == (
            exponent and exponent * base ** (exponent - 1)
        )
    assert math.isnan(page.gradient(page.Graph(lambda x, n: x**n, -2.0, 2.0))[1])


def test_values_of_another_program_are_refused():
    other = page.Value(2.0)
    for f in (lambda x: x * other, lambda x: other * x, lambda x: x + other * x):
        with pytest.raises((KeyError, TypeError)):
            page.Graph(f, 1.0)


def test_it_is_one_page_of_pythons_own():
    assert len(SOURCE.splitlines()) <= 200
    tree = ast.parse(SOURCE, feature_version=(3, 10))
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert {alias.name for node in imports for alias in node.names} == {"math", "random"}
    headings = re.findall(r"^# --- ([\w, ]+):", SOURCE, flags=re.M)
    names = [name for heading in headings for name in heading.split(", ")]
    missing = [n for n in names if not (FILE.parent / n).is_dir() and not (FILE.parent / f"{n}.py").exists()]
    assert len(headings) == 5 and not missing, missing


PRINTED = """\
f1(x) = x**2 * (2 + cos(4 * x)) is 60.202 at x = 5. Its gradient, path by path:
  path 0              24.081
  path 1             -91.295
  sum                -67.214
  backpropagation    -67.214
2000 steps from there:
  GD    hold  1   to x = 5.475, where f1(x) = 30.100
  RAD   hold  1   to x = 5.488, where f1(x) = 30.139
  RAD   hold 50   to x = 0.467, where f1(x) =  0.372
  SPAD  hold 50   to x = 5.485, where f1(x) = 30.126
"""


@pytest.mark.parametrize("how", [["-m", "tinyspad.one_page"], ["-I", "-S", str(FILE)]], ids=["module", "alone"])
def test_it_runs_as_a_script(how):
    """The second without site-packages: there is no NumPy to be found."""
    done = subprocess.run([sys.executable, *how], capture_output=True, text=True, check=True, cwd=FILE.parent.parent)
    assert done.stderr == ""
    assert done.stdout == PRINTED
