"""Large programs in pieces, by lines, rounds, subexpressions: weights between them are exact; and labels stand free."""

import functools
import random
import sys
from itertools import pairwise

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.errors import BadInput
from tinyspad.expression import parse
from tinyspad.layout import label_places, layout, near, wrapped
from tinyspad.lcg import collapsed, folds_of
from tinyspad.lcg.lines import origins


def line_of(f, text):
    """The number of the line of f that holds this text."""
    import inspect

    lines, first = inspect.getsourcelines(f)
    return next(first + i for i, line in enumerate(lines) if text in line)


def helper(x):
    y = np.sin(x)
    return y * x


def one_line(x):
    for _ in range(30):
        x = np.sin(x) * x
    return x


def three_lines(x):
    for _ in range(19):
        y = np.cos(x) * 0.9
        y = helper(y) + 0.1
        x = y * y + 0.2
    return x


def nested(x):
    for _ in range(50):
        for _ in range(4):
            x = helper(x) - x
        x = x * 0.5
    return x


def one_statement(x):
    return model(x, 3)


def model(x, depth):
    for _ in range(depth):
        h = np.tanh(x)
        for _ in range(6): h = h * h + np.sin(h)  # fmt: skip  # noqa: E701
        x = x + h
    return x


def several_outputs(x, y):
    for _ in range(40):
        x, y = np.sin(x) * y, np.cos(y) * x
    return x + y


FUNCTIONS = {
    "one line": (one_line, (1.0,)),
    "three lines": (three_lines, (1.0,)),
    "nested": (nested, (1.0,)),
    "one statement": (one_statement, (1.0,)),
    "lambda": (lambda x: sum(np.sin(k * x) * x for k in range(1, 31)), (1.0,)),
    "formula": (parse("*".join(f"(x**2 + cos({k} * y) / 3)" for k in range(1, 31))), (0.8, 0.3)),
    "goldstein_price": (ts.functions.goldstein_price, (0.3, 0.7)),
    "many parameters": (lambda *x: sum(a * a for a in x), tuple(np.linspace(1, 2, 70))),
}


def blocks_of(lcg, **options):
    return {name: [lcg.names[v] for v in nodes] for name, nodes in folds_of(lcg, **options)}


def gradient_between(parts, links, output):
    """d output / d each part by a sweep over the folded graph; parts are in an order in which links lead forwards."""
    adjoint = [0.0] * len(parts)
    adjoint[output] = 1.0
    for link in sorted(links, key=lambda link: -link.tail):
        adjoint[link.tail] += link.weight * adjoint[link.head]
    return adjoint


@pytest.mark.parametrize("name", FUNCTIONS)
def test_folded_edges_carry_the_exact_derivatives(name):
    f, point = FUNCTIONS[name]
    lcg = ts.trace(f, *point)
    parts, links = collapsed(lcg, blocks_of(lcg))
    assert len(parts) <= 60 and all(link.tail < link.head for link in links)
    assert sorted(v for part in parts for v in part.members) == list(range(lcg.structure.size))
    assert sorted(e for link in links for e in link.edges) == sorted(
        e
        for e, ends in enumerate(zip(lcg.structure.tail, lcg.structure.head))
        if not any(set(ends) <= set(part.members) for part in parts)
    )
    if any(link.weight is None for link in links):
        assert name == "many parameters"  # which are a piece with several ways out
        return
    output = next(i for i, part in enumerate(parts) if lcg.structure.output in part.members)
    found = gradient_between(parts, links, output)
    for param, exact in lcg.gradient().items():
        at = next(i for i, part in enumerate(parts) if lcg.params.index(param) in part.members)
        assert found[at] == pytest.approx(exact, rel=1e-9, abs=1e-12)


def test_a_repeated_line_is_a_fold_for_every_round():
    lcg = ts.trace(one_line, 1.0)
    line = line_of(one_line, "np.sin")
    names = [f"line {line}, round {k}: x = np.sin(x) * x" for k in range(1, 31)]
    assert list(lcg.folds()) == names
    assert lcg.folds()[names[4]] == ("h1", "h2", "i", "j") or len(lcg.folds()[names[4]]) == 4
    assert all(lcg.names.index(a[-1]) < lcg.names.index(b[0]) for a, b in pairwise(lcg.folds().values()))


def test_rounds_are_whole_where_their_lines_are_too_many():
    first, last = line_of(three_lines, "np.cos"), line_of(three_lines, "0.2")
    keys = [name.split(":")[0] for name in ts.trace(three_lines, 1.0).folds()]
    assert keys == [f"line {n}, round {k}" for k in range(1, 20) for n in range(first, last + 1)]

    def more(x):
        return three_lines(three_lines(x))

    keys = [name.split(":")[0] for name in ts.trace(more, 1.0).folds()]
    assert keys[0] == f"lines {first}-{last} of three_lines, call 1, round 1" and len(keys) == 38


def test_several_rounds_together_where_rounds_are_too_many():
    def long(x):
        for _ in range(300):
            x = np.sin(x) * x
        return x

    line = line_of(long, "np.sin")
    keys = [name.split(":")[0] for name in ts.trace(long, 1.0).folds()]
    assert keys[:2] == [f"line {line}, rounds 1-10", f"line {line}, rounds 11-20"] and len(keys) == 30


def test_a_line_that_does_all_is_divided_by_the_lines_that_it_calls():
    keys = [name.split(":")[0] for name in ts.trace(one_statement, 1.0).folds()]
    inner = line_of(model, "h * h")
    assert f"line {inner} of model, round 2.5" in keys


def test_without_lines_there_are_subexpressions():
    f, point = FUNCTIONS["formula"]
    lcg = ts.trace(f, *point)
    folds = lcg.folds()
    assert all(set(members) <= set(lcg.block(members[-1])) for members in folds.values())
    assert any(name.endswith("(x ** 2) + (cos(12 * y) / 3)") for name in folds)
    calls = []

    def changes(x):
        calls.append(1)
        for _ in range(40 + len(calls)):
            x = np.sin(x) * x
        return x

    lcg = ts.trace(changes, 1.0)
    assert origins(lcg) is None and lcg.folds()


def test_small_programs_are_not_folded_and_the_function_runs_once():
    calls = []

    def f(x):
        calls.append(1)
        return x * x

    lcg = ts.trace(f, 1.0)
    assert folds_of(lcg) == [] and lcg.folds() == {} and str(lcg) == lcg.text() and len(calls) == 1


def test_what_the_function_prints_is_not_printed_again(capsys):
    def f(x):
        print("here")
        return one_line(x)

    lcg = ts.trace(f, 1.0)
    before = sys.gettrace()
    assert "folded into 30 pieces" in str(lcg) and sys.gettrace() is before
    assert capsys.readouterr().out == "here\n"


def test_a_file_is_looked_at_once_for_all_its_calls(monkeypatch):
    import linecache

    looks = []
    checked = linecache.checkcache
    monkeypatch.setattr(linecache, "checkcache", lambda file=None: (looks.append(file), checked(file)))
    assert origins(ts.trace(nested, 1.0)) and looks == [__file__]


GENERATOR, OLD, PYTHONS = np.random.default_rng(1), np.random.RandomState(2), random.Random(3)


class Noise:
    """One whose generator is an attribute, and one that its method names."""

    def __init__(self):
        self.rng = np.random.default_rng(4)

    def __call__(self):
        return self.rng.normal() + GENERATOR.normal()


def test_showing_a_graph_moves_no_random_generator():
    cell, kept, noise = np.random.default_rng(5), {"of it": [np.random.default_rng(6)]}, Noise()
    given = functools.partial(lambda rng: rng.normal(), np.random.default_rng(7))

    def drawn(x, at=np.random.default_rng(8), *, last=random.Random(9)):  # noqa: B008
        numbers = [cell.normal(), kept["of it"][0].normal(), noise(), noise.__call__(), given(), at.normal()]
        numbers += [last.random(), GENERATOR.normal(), OLD.normal(), PYTHONS.random(), random.random()]
        numbers += [np.random.normal(), (lambda: other.normal())()]  # noqa: NPY002
        for number in numbers * 5:
            x = np.sin(x) * number
        return x

    def state():
        own = [given.args[0], *drawn.__defaults__, cell, *kept["of it"], noise.rng, GENERATOR, other]
        mine = [rng.bit_generator.state for rng in own]
        olds = [str(rng.get_state(legacy=False)) for rng in (OLD, np.random)]
        return mine, olds, [rng.getstate() for rng in (PYTHONS, random, drawn.__kwdefaults__["last"])]

    other = np.random.default_rng(10)
    for shown in (
        ts.trace(drawn, 1.0),
        ts.trace(lambda p: drawn(p["x"]), {"x": 1.0}),
        ts.trace(drawn, 1.0).derivative(),
    ):
        before = state()
        assert "folded into" in str(shown) and state() == before
    before = state()
    drawn(1.0)
    assert all(a != b for a, b in zip(np.ravel(before[0]), np.ravel(state()[0])))  # they move when f runs


def test_generators_are_put_back_where_f_raises():
    rng = np.random.default_rng(0)

    def once(x, runs=[]):  # noqa: B006
        runs.append(rng.normal())
        for _ in range(70):
            x = np.sin(x) * x
        if len(runs) > 1:
            raise ValueError
        return x

    lcg = ts.trace(once, 1.0)
    before = rng.bit_generator.state
    assert origins(lcg) is None and rng.bit_generator.state == before


def test_unfolding():
    lcg = ts.trace(nested, 1.0)
    outer = f"{line_of(nested, 'helper')}-{line_of(nested, '0.5')}"
    assert [name.split(":")[0] for name in lcg.folds()] == [f"lines {outer}, round {k}" for k in range(1, 51)]
    inner = f"line {line_of(nested, 'helper')}, round 7.2"
    keys = [name.split(":")[0] for name in lcg.folds(unfold=f"lines {outer}, round 7")]
    assert inner in keys and len(keys) == 53  # of five new pieces one is a single operation
    opened = lcg.folds(unfold=[f"lines {outer}, round 7", inner])
    assert any(name.startswith(f"line {line_of(helper, 'np.sin')} of helper, call 26") for name in opened)
    with pytest.raises(BadInput, match=r'no fold "line 1" in this program: unfold= takes one of "lines'):
        lcg.folds("line 1")
    small = r'no fold "line 1" in this program: it has 4 variables, and is folded above 60\.'
    for show in (lambda small: small.folds("line 1"), lambda small: ts.plot.lcg(small, unfold=["line 1"])):
        with pytest.raises(BadInput, match=small):
            show(ts.trace(lambda x: x * x, 3.0))


def test_the_text_in_pieces_tells_what_each_reads_and_gives():
    lines = str(ts.trace(several_outputs, 1.0, 2.0)).splitlines()
    line = line_of(several_outputs, "np.sin")
    first = f"b, d <- line {line}, round 1: x, y = np.sin(x) * y, np.cos(y) * x  [4 operations on x, y]"
    assert lines[:3] == ["x <- Param_0", "y <- Param_1", first]
    assert lines[-2:] == ["Return z", "(161 operations, folded into 40 pieces; lcg.text() has every one)"]
    assert lines[-3] == "z <- {} + {}".format(*lines[-4].split(" <- ")[0].split(", "))


@pytest.mark.parametrize("seed", range(8))
def test_every_operation_comes_from_its_line(seed):
    """A program of random lines, written to be read by a line's number: each adds its own constant."""
    rng = np.random.default_rng(seed)
    lines, depth, wanted = ["def f(x):"], 1, []
    for _ in range(25):
        kind = rng.choice(["add", "for", "while", "one", "out"], p=[0.5, 0.15, 0.1, 0.15, 0.1])
        pad = "    " * depth
        if kind == "for" and depth < 4:
            lines += [f"{pad}for _ in range({rng.integers(1, 4)}):"]
            depth += 1
        elif kind == "while" and depth < 4:
            lines += [f"{pad}n{depth} = 0", f"{pad}while n{depth} < {rng.integers(1, 4)}:", f"{pad}    n{depth} += 1"]
            depth += 1
        elif kind == "one":
            lines += [f"{pad}for _ in range(3): x = x + {len(lines) + 1}.0"]
        elif kind == "out" and depth > 1 and lines[-1].lstrip().startswith("x"):
            depth -= 1
            continue
        lines += [f"{'    ' * depth}x = x + {len(lines) + 1}.0"]
    lines.append("    return x")
    import linecache

    file = f"<lines {seed}>"
    linecache.cache[file] = (len("\n".join(lines)), None, [f"{line}\n" for line in lines], file)
    space = {}
    exec(compile("\n".join(lines), file, "exec"), space)
    lcg = ts.trace(space["f"], 0.0)
    operations = [node.text for node in lcg.nodes if node.kind == "operation"]
    ways = origins(lcg)
    wanted = [round(float(text.split(" + ")[1])) for text in operations]
    assert [way[-1].first for way in ways] == wanted
    assert len(set(ways)) == len(ways)  # every round is told apart


# --- where labels stand -------------------------------------------------------------------------------------------------


def meets(box, start, end):
    """Whether a segment meets a box, by clipping it (Liang & Barsky 1984)."""
    low, high = 0.0, 1.0
    for k in range(2):
        step, away = end[k] - start[k], start[k] - box[k]
        for p, q in ((-step, away + box[k + 2]), (step, box[k + 2] - away)):
            if p == 0 and q < 0:
                return False
            if p:
                low, high = (max(low, q / p), high) if p < 0 else (low, min(high, q / p))
    return low <= high


@pytest.mark.parametrize("name", [*ts.functions.ALL])
def test_labels_stand_off_boxes_edges_and_each_other(name):
    problem = ts.functions.ALL[name]
    lcg = ts.trace(problem, *(0.3 + 0.4 * i for i in range(len(problem.box))))
    edges = list(zip(lcg.structure.tail, lcg.structure.head))
    places, ways = layout(list(range(lcg.structure.size)), edges)
    boxes = [(x, y, 0.17, 0.27) for x, y in places.values()] + [(x, y + 0.4, 0.3, 0.12) for x, y in places.values()]
    sizes = {e: (0.2, 0.12) for e in range(len(edges)) if not lcg.structure.copies[e]}
    found = label_places(ways, sizes, boxes)
    labels = [(*found[e], *sizes[e]) for e in sizes]
    crowded = 0
    for i, (e, label) in enumerate(zip(sizes, labels)):
        for other in (*boxes, *labels[:i]):
            assert abs(label[0] - other[0]) >= label[2] + other[2] or abs(label[1] - other[1]) >= label[3] + other[3]
        crowded += any(meets(label, a, b) for k, way in enumerate(ways) if k != e for a, b in pairwise(way))
    assert crowded == 0


def test_what_does_not_fit_side_by_side_stands_below():
    nodes = list(range(50))
    edges = [(v, v + 1) for v in range(49)] + [(0, v) for v in range(2, 50)] + [(20, 30), (20, 23)]
    drawn = [edge for edge, short in zip(edges, near(nodes, edges)) if short]
    assert drawn == [*edges[1:49], (20, 23)]  # node 0 is read by many, and 30 is far from 20
    places, ways = wrapped(*layout(nodes, drawn))
    assert max(x for x, _ in places.values()) < 16
    for way, (tail, head) in zip(ways, drawn):
        assert way[0] == places[tail] and way[-1] == places[head]
    boxes = [(x, y, 0.17, 0.27) for x, y in places.values()]
    for way in ways:  # no edge runs through a node
        for a, b in pairwise(way):
            assert not any(meets(box, a, b) for box in boxes if box[:2] not in (way[0], way[-1]))
    assert near(nodes[:10], edges[:9]) == [True] * 9
