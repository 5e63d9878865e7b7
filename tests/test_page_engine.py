"""The page's engine says what tinyspad says: node answers all questions at once, and tinyspad answers them here."""

import functools
import inspect
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pieces import PIECES
from programs import Program

import tinyspad as ts
from tinyspad.errors import ExpressionError
from tinyspad.estimators import candidates
from tinyspad.expression import FUNCTIONS, TWO, parse, trouble
from tinyspad.lcg.text import constant_text, weight_text
from tinyspad.page.engine import engine_text
from tinyspad.page.program import data_of, numbers_of, program_of

node = shutil.which("node")
pytestmark = pytest.mark.skipif(node is None, reason="needs node")

TOLERANCE = 1e-12
"""Of the sum of |contributions|, or of the largest intermediate, which the page promises. Both sides round each operation by
itself, and NumPy's and V8's functions differ in the last bit."""


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """What the engine answers to questions {key: {"ask": ..., ...}}, all in one process."""
    folder = tmp_path_factory.mktemp("engine")
    (folder / "engine.js").write_text(engine_text(), encoding="utf-8")

    def answers(questions):
        files = [folder / name for name in ("engine.js", "questions.json", "answers.json")]
        files[1].write_text(json.dumps(questions), encoding="utf-8")
        script = Path(__file__).parent / "ask_engine.js"
        done = subprocess.run([node, script, *files], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(files[2].read_text(encoding="utf-8"))

    return answers


# --- formulas ---------------------------------------------------------------------------------------------------------

NAMES = ["x", "y", "w", "z", "a", "x1", "λ"]


class Formula:
    """A random formula of one to three variables, finite at its point, with values and slopes of moderate size."""

    def __init__(self, seed, chooses=False):
        rng = np.random.default_rng(seed)
        self.chooses = chooses  # whether it has where
        self.rng, names = rng, list(rng.choice(NAMES, int(rng.integers(1, 4)), replace=False))
        while True:
            self.drawn = dict(zip(map(str, names), map(float, rng.uniform(-2, 2, len(names)).round(3))))
            self.text = self.tree(int(rng.integers(2, 6)))
            try:
                f = parse(self.text)
            except ExpressionError:
                continue
            self.where = {name: self.drawn[name] for name in inspect.signature(f).parameters}
            with np.errstate(all="ignore"):
                self.lcg = ts.trace(f, *self.where.values())
            weights = [abs(w) for w in self.lcg.weight]
            if np.all(np.isfinite([self.lcg.value, *weights])) and max(weights, default=0) < 1e3:
                break

    def tree(self, depth):
        while True:
            text = self.branch(depth)
            with np.errstate(all="ignore"):
                value = value_of(text, self.drawn)
            if abs(value) < 50:  # neither NaN nor so large that its sine has no digits left
                return text

    def branch(self, depth):
        rng = self.rng
        if depth == 0 or rng.random() < 0.1:
            constant = str(rng.choice(["2", "3", "0.5", "1e-3", "pi", "e", "1.25e2", "7"]))
            return constant if rng.random() < 0.25 else str(rng.choice(list(self.drawn)))
        kind = rng.random()
        if self.chooses and kind < 0.3:
            compared = f" {rng.choice(['<', '<=', '>', '>=', '==', '!='])} ".join(
                self.tree(depth - 1) for _ in range(2)
            )
            return f"where({compared}, {self.tree(depth - 1)}, {self.tree(depth - 1)})"
        if kind < 0.45:
            name = str(rng.choice(sorted(FUNCTIONS)))
            return f"{name}({', '.join(self.tree(depth - 1) for _ in range(2 if name in TWO else 1))})"
        if kind < 0.55:
            return f"({rng.choice(['-', '+'])}{self.tree(depth - 1)})"
        operator = str(rng.choice(["+", "-", "*", "/", "**", "%", "*", "+"]))
        return f"({self.tree(depth - 1)} {operator} {self.tree(depth - 1)})"


def value_of(text, where):
    try:
        f = parse(text)
    except ExpressionError:  # of constants alone
        f = parse(f"{text} + 0*x")
        return f(1.0)
    return f(*(where[name] for name in inspect.signature(f).parameters))


@pytest.fixture(scope="module")
def formulas():
    return [Formula(seed) for seed in range(300)] + [Formula(seed, chooses=True) for seed in range(60)]


class Shared:
    """A random program with shared intermediates, as ``explain`` hands it to the page."""

    def __init__(self, seed):
        program = Program(seed, params=1 + seed % 3, length=4 + seed % 9)
        self.lcg = ts.trace(program, *program.point(seed))
        self.text = f"program {seed}"
        self.where = dict(zip(self.lcg.params, self.lcg.arguments))


@pytest.fixture(scope="module")
def told(ask, formulas):
    asked = [{"ask": "formula", "text": f.text, "where": f.where} for f in formulas]
    shared = [Shared(seed) for seed in range(60)]
    asked += [{"ask": "program", "program": program_of(s.lcg), "where": s.where} for s in shared]
    answers = ask(dict(enumerate(asked)))
    return [(f, f.lcg, answers[str(i)]) for i, f in enumerate((*formulas, *shared))]


def test_the_formulas_have_all_functions_and_operators(formulas):
    together = " ".join(f.text for f in formulas)
    for name in FUNCTIONS:
        assert f"{name}(" in together
    for operator in ("+", "-", "*", "/", "**", "%", "<", "<=", ">", ">=", "==", "!="):
        assert f" {operator} " in together
    assert "(-" in together and "(+" in together
    assert {len(f.where) for f in formulas} == {1, 2, 3}
    assert max(f.lcg.count_paths(name) for f in formulas for name in f.where) > 8


def test_functions_are_the_command_lines(ask):
    assert ask({"it": {"ask": "functions"}})["it"] == sorted([*FUNCTIONS, "where"])


def test_programs_are_numbered_and_named_as_traced(told):
    for f, lcg, answer in told:
        if "where" not in f.text:
            assert "\n".join(answer["program"]) == lcg.text(), f.text
        names = lcg.names
        for text, defined in zip(answer["program"][:-1], answer["lines"]):
            assert text.partition(" <- ")[0] == ", ".join(names[i] for i in defined)
        of = lcg.single_access.tupled_from
        nodes = [[n.name, n.kind, n.tupled, of.get(n.index)] for n in lcg.nodes]
        assert [[*first, of] for *first, _, of in answer["nodes"]] == nodes, f.text
        s = lcg.structure
        assert answer["edges"] == [list(e) for e in zip(s.tail, s.head, s.copies)], f.text


def test_many_operations_have_the_names_that_python_may_use(ask):
    text = " + ".join(f"sin({k}*x)" for k in range(1, 91))
    answer = ask({"it": {"ask": "formula", "text": text, "where": {"x": 0.3}}})["it"]
    lcg = ts.trace(parse(text), 0.3)
    assert "\n".join(answer["program"]) == lcg.text() and "ix" in lcg.names


def test_where_tells_its_condition(ask):
    cases = {
        "where(x < 1, x*x, 3*x)": [
            "x <- Param_0",
            "x1, x2, x3 <- x",
            "a <- x1 * x2",
            "b <- 3 * x3",
            "z <- where(x < 1, a, b)",
        ],
        "x * where(sin( x )+2*y>= 0, 1, 2)": ["x <- Param_0", "y <- Param_1", "z <- x * where(sin( x )+2*y>= 0, 1, 2)"],
        "where(x < y, 2, x)": ["x <- Param_0", "y <- Param_1", "z <- where(x < y, 2, x)"],
    }
    answers = ask({text: {"ask": "formula", "text": text, "where": {"x": 0.5, "y": 2.0}} for text in cases})
    for text, program in cases.items():
        assert answers[text]["program"][:-1] == program


def masses(lcg):
    return {name: float(np.sum(np.abs(lcg.path_gradients(name)))) for name in lcg.params}


def test_values_and_gradients(told):
    for f, lcg, answer in told:
        values = [float(x) for x in answer["values"]]
        largest = max(map(abs, values))
        assert abs(float(answer["value"]) - lcg.value) <= TOLERANCE * largest, f.text
        with np.errstate(all="ignore"):
            gradient, mass = lcg.gradient(), masses(lcg)
        for name, slope in gradient.items():
            assert abs(float(answer["gradient"][name]) - slope) <= TOLERANCE * mass[name], (f.text, name)
            i = lcg.params.index(name)
            largest_product = max(np.abs(lcg.path_gradients(name)), default=0.0)
            assert abs(float(answer["largest"][i]) - largest_product) <= TOLERANCE * mass[name]
        np.testing.assert_allclose(np.array(answer["weights"], float), lcg.weight, rtol=1e-9, atol=1e-9, err_msg=f.text)


def test_every_path(told):
    for f, lcg, answer in told:
        mass = masses(lcg)
        for name in lcg.params:
            products = lcg.path_gradients(name)
            paths = answer["paths"][name]
            assert answer["counts"][name] == str(len(products))
            assert [p["edges"] for p in paths] == [list(p.edges) for p in lcg.paths(name)][: len(paths)]
            found = np.array([p["product"] for p in paths], float)
            assert np.all(np.abs(found - products) <= TOLERANCE * mass[name]), f.text
            shares = np.abs(products) / (mass[name] or 1.0)
            np.testing.assert_allclose([p["share"] for p in paths], shares, atol=1e-11)


def test_the_best_and_the_largest(told):
    for f, lcg, answer in told:
        mass = masses(lcg)
        for name in lcg.params:
            sizes = np.abs(lcg.path_gradients(name))
            if not len(sizes):
                assert answer["best"][name] is None
                continue
            order = [path.index for path in lcg.top_paths(name, 3)]
            top = answer["top"][name]
            margin = TOLERANCE * mass[name]
            for rank, (mine, theirs) in enumerate(zip(order, [p["index"] for p in top["paths"]])):
                ties = sizes[theirs] > 0 and abs(sizes[mine] - sizes[theirs]) <= margin
                assert mine == theirs or ties, (f.text, name, rank)
            assert answer["best"][name]["index"] == top["paths"][0]["index"]
            others = np.delete(lcg.path_gradients(name), [p["index"] for p in top["paths"]])
            assert top["rest"]["count"] == str(len(others))
            assert abs(float(top["rest"]["sum"]) - others.sum()) <= margin, f.text
            assert abs(float(answer["others"][name]) - others.sum()) <= margin, f.text


def test_what_other_paths_contribute_is_no_difference(ask):
    """Beside 1e17 the 1 of the last path is lost."""
    text = "1e17*x - 1e17*x + 2e17*x + x"
    found = ask({"it": {"ask": "formula", "text": text, "where": {"x": 1.0}}})["it"]
    assert found["others"] == {"x": 1.0}


def test_paths_through_a_node(told):
    for f, lcg, answer in told[:100]:
        total = sum(masses(lcg).values())
        listed = [path for name in lcg.params for path in lcg.paths(name)]
        for i, name in enumerate(lcg.names):
            through = [path for path in listed if name in path.nodes]
            assert answer["through"][i]["count"] == str(len(through)), f.text
            share = sum(abs(path.gradient) for path in through) / (total or 1.0)
            assert float(answer["through"][i]["share"]) == pytest.approx(share, abs=1e-11)


NUMBER = re.compile(r"\(?(?<!\w)(-?\d+(?:\.\d+)?(?:e[+-]\d+)?)(?!\w)\)?")


def in_words(told):
    """A sentence without its numbers, and these."""
    return NUMBER.sub("#", told), [float(x) for x in NUMBER.findall(told)]


def test_the_sweep_of_f1_is_told_to_the_letter(ask):
    for point in (5.0, -0.3, 1e-7, 1e5):
        answer = ask({"it": {"ask": "formula", "text": "x**2 * (2 + cos(4*x))", "where": {"x": point}}})["it"]
        lcg = ts.trace(ts.functions.f1, point)
        assert [step["told"] for step in answer["sweep"]] == [step.told for step in lcg.reverse_steps()]


def test_the_reverse_sweep_is_told_in_the_same_words(told):
    for f, lcg, answer in told:
        steps = lcg.reverse_steps()
        number = {name: i for i, name in enumerate(lcg.names)}
        assert [number[step.node] for step in steps] == [step["node"] for step in answer["sweep"]], f.text
        done = []
        for step, theirs in zip(steps, answer["sweep"]):
            done.append(step)
            (theirs_told, found), (our_told, numbers) = in_words(theirs["told"]), in_words(step.told)
            assert theirs_told == our_told, f.text
            # four digits, of numbers that differ in the last of sixteen
            np.testing.assert_allclose(found, numbers, rtol=2e-3, atol=1e-9, err_msg=f.text)
            assert theirs["sends"] == [number[name] for name in step.sends]
            if len(done) % 7 == 1:
                waits = [[number[name], p.arrived, p.readers] for name, p in ts.lcg.steps.waiting(done).items()]
                assert theirs["waits"] == waits, f.text


def test_the_other_semirings_end_in_the_counts_and_the_largest(told):
    for _, lcg, answer in told[:50]:
        for name, steps in zip(("count", "largest"), answer["ends"]):
            last = {step["node"]: step["value"] for step in steps}
            for i, param in enumerate(lcg.params):
                if not lcg.count_paths(param):
                    assert i not in last
                elif name == "count":
                    assert last[i] == str(lcg.count_paths(param))
                else:
                    assert float(last[i]) == pytest.approx(max(np.abs(lcg.path_gradients(param))), rel=1e-11)
            assert all(step["told"] for step in steps)


# --- kinks, ties, and what is not finite --------------------------------------------------------------------------------

EDGES = [
    *(f"{name}(x)" for name in sorted(FUNCTIONS) if name not in TWO),
    *(f"{name}(x, {other})" for name in sorted(TWO) for other in ("y", "2", "0", "-1.5")),
    *(f"{name}(2, x)" for name in sorted(TWO)),
    *(f"x {op} {other}" for op in ("*", "/", "**", "%") for other in ("y", "2", "3", "1", "0", "0.5", "-1", "-2")),
    *(f"{other} {op} x" for op in ("/", "**", "%") for other in ("2", "0", "1", "-2", "0.5", "-7")),
    "maximum(sqrt(x), 1)",
    "maximum(sqrt(x), 1) * y",
    "x * maximum(log(x), y)",
    "minimum(1/x, 2) + x",
    "sign(x) * sqrt(x)",
    "sqrt(sign(x) * y)",
    "sqrt(abs(x))",
    "maximum(maximum(x, y), sqrt(x))",
    "maximum(x**0.5, y**0.5)",
    "x**0 * y",
    "hypot(x, y) / y",
    "exp(1000*x) * exp(-1000*x)",
    "sinc(1e-9 * x)",
    "1e200 * (1e200 * (y*1e-300))*1e-200*x",
    "log(x)*(x - x)",
    "where(x < 1, log(x), y)",
    "where(x <= 0, x, sqrt(x)) / y",
    "where(x > y, 1/x, 1/y)",
    "where(x == y, 2, 3) * x",
    "x * where(x >= 0, log(x), where(y != 0, 1/y, x))",
    "where(1 > 2, x, y) + where(2 > 1, log(0), x)*y",
    "where(x < 1, 1, 2) + 0*x",
    "x*1e999 + y",
    "max(x, y) - min(x, y) + ln(x) * asin(y) + acos(x) * atan(y) - atan2(x, y)",
    "relu(x) * relu(y)",
    "sigmoid(x) + sigmoid(1000*x)",
]
PLACES = [0.0, -0.0, 1.0, -1.0, -2.0, 0.3, -0.45, 1e-9, -710.5, 4.25]


def test_kinks_ties_and_what_is_not_finite(ask):
    cases = {}
    for i, text in enumerate(EDGES):
        for j, x in enumerate(PLACES):
            for k, y in enumerate([0.0, x, 1.5]):
                names = inspect.signature(parse(text)).parameters
                if "y" in names or k == 0:
                    where = {name: {"x": x, "y": y}[name] for name in names}
                    cases[f"{i} {j} {k}"] = {"ask": "formula", "text": text, "where": where}
    answers = ask(cases)
    unlike = []
    for key, case in cases.items():
        with np.errstate(all="ignore"):
            lcg = ts.trace(parse(case["text"]), *case["where"].values())
            expected = {
                "value": [lcg.value],
                "weights": lcg.weight,
                "gradient": list(lcg.gradient().values()),
                "products": [g for name in lcg.params for g in lcg.path_gradients(name)],
                "best": [lcg.best_index(name) for name in lcg.params if lcg.count_paths(name)],
            }
            bad = lcg.trace_nonfinite()
        answer = answers[key]
        found = {
            "value": [answer["value"]],
            "weights": answer["weights"],
            "gradient": list(answer["gradient"].values()),
            "products": [p["product"] for name in lcg.params for p in answer["paths"][name]],
            "best": [best["index"] for best in answer["best"].values() if best],
        }
        for what, numbers in expected.items():  # 1 - tanh(x)**2 loses digits of a tanh that differs in its last
            given = np.array(found[what], float)
            if not np.allclose(given, np.array(numbers, float), rtol=1e-10, atol=1e-300, equal_nan=True):
                unlike.append((case["text"], case["where"], what, found[what], numbers))
        told = answer["nonfinite"]
        blamed = trouble(case["text"], case["where"])  # on the way to the value; else a derivative
        if blamed is None and told is not None and bad is not None:
            alike = lcg.names[told["node"]] == bad.name
        else:
            alike = blamed == (told and told["text"])
        if not alike:
            unlike.append((case["text"], case["where"], "nonfinite", told, blamed or (bad and bad.name)))
    assert not unlike, "\n".join(map(str, unlike[:20]))


def test_what_is_not_finite_is_told(ask):
    cases = {
        "x*log( x )": ({"x": 0.0}, "log( x ) is -inf at x = 0"),
        "cos(sqrt(x - 3)) + y": ({"x": 2.5, "y": 1.0}, "sqrt(x - 3) is nan at x = 2.5, y = 1"),
        "2*sqrt(x)": ({"x": 0.0}, "the derivative of sqrt(x) by x is inf at x = 0"),
        "exp(-1/x**2)": ({"x": 0.0}, "-1/x**2 is -inf at x = 0"),
        "exp(-1/x**2) + log(x)": ({"x": 0.0}, "log(x) is -inf at x = 0"),
        "x + y": ({"x": "Infinity", "y": 1.0}, "x is inf at x = inf, y = 1"),
        "x*1e999": ({"x": 1.0}, "1e999 is inf at x = 1"),
        "(2*x)**y": ({"x": -1.0, "y": 0.5}, "(2*x)**y is nan at x = -1, y = 0.5"),
        "1e200*(x*1e200)*(y*1e-300)*1e-100": (
            {"x": 1.0, "y": 1.0},
            "1e200*(x*1e200) is inf at x = 1, y = 1",
        ),
        "x*x": ({"x": 3.0}, None),
    }
    answers = ask({text: {"ask": "formula", "text": text, "where": where} for text, (where, _) in cases.items()})
    for text, (_, says) in cases.items():
        assert (answers[text]["nonfinite"] or {"text": None})["text"] == says


# --- numbers as text ------------------------------------------------------------------------------------------------------


def test_numbers_are_written_as_python_writes_them(ask):
    rng = np.random.default_rng(0)
    numbers = [0.0, -0.0, 1.0, 1e16, 1e15, 123456789012345680.0, 1e-4, 1e-5, 1e22, 1e23, 5e-324, 1.7e308]
    numbers += [1000.5, 1001.5, 0.25, 2.5, 100.25, 12345.5, 12346.5, 99999.5, 999999.5, 9999.5, 0.1, 1 / 3, np.pi]
    numbers += [np.inf, -np.inf, np.nan, 1234567.0, 123456.7, 0.00012345678, -0.5]
    numbers += list(rng.normal(size=2000) * 10.0 ** rng.integers(-30, 30, 2000)) + list(rng.integers(-9999, 9999, 500))
    numbers += list(rng.integers(0, 10**7, 2000) / 8)
    numbers += [0.12345, 1.00005, 0.45, 1.23445, 1.000005, 0.1234565, *(rng.integers(0, 10**6, 2000) / 1e5)]  # no ties
    numbers = list(map(float, numbers))
    text = [{np.inf: "Infinity", -np.inf: "-Infinity"}.get(x, "NaN" if x != x else repr(x)) for x in numbers]
    answers = ask({"it": {"ask": "numbers", "numbers": text}})["it"]
    for x, answer in zip(numbers, answers):
        assert answer == [repr(x), f"{x:.6g}", weight_text(x), constant_text(x)]


def test_counts_are_written_in_groups(ask):
    counts = [
        0,
        7,
        999,
        1000,
        1234567,
        2**63,
        10**59 + 5,
        10**60,
        2**1000,
        99999 * 10**70,
        123455 * 10**60,
        12345 * 10**60,
    ]
    answers = ask({"it": {"ask": "counts", "counts": list(map(str, counts))}})["it"]
    assert answers == [ts.arguments.spaced(n) for n in counts]


# --- what is refused --------------------------------------------------------------------------------------------------

OWN = [
    *"""3 + 4|x^2|__import__('os').system('true')|x.__class__|np.sin(x)|open(x)|(lambda: x)()|[x for x in y]|x if x else y
x < 3|'a' * x|True * x|1j * x|cos|cos(x, y)|hypot(x)|cos(x=3)|cos(*x)|y*foo(x)|cos()|hypot(x,y,z)|math.cos(x)|a.cos(x)+1
x & y|x<y<z|not x|x and y|x or y or z|x[0]|x[1:2]*3|{x}|{x: 1}|(x for x in y)|cos(x for x in y)|cos(**x)|cos(x)(y)|x is y
x in y|x not in y|(x^2)*y|2*(x<3)|x**2^3|-(x^2)|f(x,)|maximum(x)|x + sin|e*pi+2|lambda: x|{**x}|x*'it''s'|x*"it's"
x*'a"b'|'''a''' + x|x.cos|x.cos(y)|cos (x) ^ 2|é^2|α@β|x*1e5j|2(x)|(x)(y)|x(y)|3(x+1)|x!=y|x//2|x>>1|x<<2|~x+1|(x,y)
()*x|x,|(x:=3)|x - 1 if y else z|None|...|await x|f'{x}'|b'x'|1or x|0xfor x|1if x else y|cosh|cos(a, b=2)|maximum(x, *y)|pi
00|x @ y|x . y|1..x|(x^y)^z|cos(x^2)|cos(x, y^2)|foo(x^2)|tanhh(x)|wehre(x<1,x,1)|where(x,1,2)|where(0<x<1,1,2)
where(x in y,1,2)|where(x<1,x)|where|max(x,y,1)|min(x)|max(x,y,z=1)|relu(x,y)|SQRT(x)|arc(x)|sgn(x)|exponential(x)|logx(x)
where(*x,1,2)|where(x<1 and y<2,1,2)|where((x),x,2)|where(x is y,1,2)|heaviside(x)|pow(x)|ReLU(x)|maxi(x)|where(1 < 2, 3, 4)
x if y < 1 else z|1 + (x or y)|log(x)^2 + y|sin(cos)|abs(x, y)|cos(cos)|(x)^(y)|x ** (y ^ z)
""".strip()
    .replace("\n", "|")
    .split("|"),
    *("a\t^2", "(x^2\n + y)", "  x^2  ", "x^" + "y" * 200, "x" * 2001, "(x\n+1)^2", "λ" * 2001, "x | y"),
]
"""What tinyspad refuses in its own words."""

PYTHONS = [
    *"""x +|x = 3|(x|x)|(x]|x y|cos(x y)|2x|1__0|0777|'abc|x := 3|x²|x$|x=|cos(x|f(,)|1e|x..y|0x|1_|* x|x ** |(|not|lambda x
[x|{x:|x?|x and|x if y|cos(x,|x;y|#a|if|1.e+|x!|x->y|x' |"|0b12|0o8|1.2.3|3 4|`x`|x == |x<>y|f(a=1, 2)|x+*y|x***y|(x y)
5 x|1_000_|x, y z|*x|yield x|import x|3x+2|sin x|2 sin(x)|x^|^2|x · y|x−y|∞|cos(x) sin(x)|(x)y|x=>y|x+=1|x//|cos(x))|[x)|}
.x|..|x.3|1.5 x|cos(2 3)|hypot(2x, 3)|cos(x|x(3|(2x|x*lambda: y|x\\ y|\\""".replace("\n", "|").split("|"),
    *("", "x\0", "x\ny", "x\u00a0+1", "\ufeffx", "(" * 300 + "x" + ")" * 300, "\n"),
]
"""What Python's parser cannot read."""


def refusal(text):
    try:
        return {"params": list(inspect.signature(parse(text)).parameters)}
    except ExpressionError as problem:
        return {"problem": problem.message}


def without_detail(answer):
    """A refusal without what Python's own parser has to say, which differs between its versions."""
    if "problem" not in answer:
        return answer
    return re.sub(r"(is not an expression): .*?\.(?= A product needs|$)", r"\1", answer["problem"])


def test_what_is_refused_is_refused_in_the_same_words(ask):
    answers = ask({text: {"ask": "error", "text": text} for text in (*OWN, *PYTHONS)})
    assert len(set(OWN)) > 100 and len(set(PYTHONS)) > 80
    for text in OWN:
        expected = refusal(text)
        assert "problem" in expected and "not an expression" not in expected["problem"], text
        assert answers[text] == expected
    for text in PYTHONS:
        assert "is not an expression" in refusal(text)["problem"], text
        assert without_detail(answers[text]) == without_detail(refusal(text))
        assert "is not an expression: " in answers[text]["problem"]


def test_a_bracket_that_is_not_closed_is_told(ask):
    texts = ["(x", "2*(x+", "cos(x y", "x*(y+1 2", "(x=3", "cos x*cos(", "x[y"]
    answers = ask({text: {"ask": "error", "text": text} for text in texts})
    for text in texts:
        bracket = "[" if "[" in text else "("
        told = f"{text!r} is not an expression: '{bracket}' was never closed."
        assert answers[text]["problem"] == told
        assert refusal(text)["problem"] == told or sys.version_info < (3, 12)


def test_powers_and_large_numbers_are_read_as_python_reads_them(ask):
    texts = [
        "2**-x**-y + 2**-x*y",
        "x*9007199254740992 + 9007199254740993*x",
        "-x**2 + (-x)**2 - -x",
        "2**3**2*x % 7 * y",
    ]
    where = {"x": 1.5, "y": 0.5}
    answers = ask({text: {"ask": "formula", "text": text, "where": where} for text in texts})
    for text in texts:
        f = parse(text)
        lcg = ts.trace(f, *(where[name] for name in inspect.signature(f).parameters))
        assert "\n".join(answers[text]["program"]) == lcg.text()
        assert answers[text]["value"] == pytest.approx(lcg.value, rel=1e-14)


@pytest.mark.filterwarnings("ignore")
def test_any_text_is_taken_or_refused_alike(ask):
    rng = np.random.default_rng(1)
    texts = {"".join(rng.choice(PIECES, int(rng.integers(1, 9)))) for _ in range(4000)}
    answers = ask({text: {"ask": "error", "text": text} for text in texts})
    unlike = [
        (t, answers[t], refusal(t)) for t in sorted(texts) if without_detail(answers[t]) != without_detail(refusal(t))
    ]
    assert not unlike, "\n".join(map(str, unlike[:10]))


# --- runs -------------------------------------------------------------------------------------------------------------

RUNS = {
    "x**2 * (2 + cos(4*x))": (5.0,),
    "where(x*y > 0.5, 3*x*x*y + relu(x), where(x < y, 2, x)*y*sigmoid(x))": (0.7, 0.9),
    "(1.5 - x + x*y)**2 + (2.25 - x + x*y*y)**2 + (2.625 - x + x*y*y*y)**2": (1.0, 0.5),
    "exp(sin(x*y)) + w*w*x - maximum(y, w)*tanh(x/w) + hypot(x, y)": (0.4, -1.2, 1.7),
}
STEPS = 20
ESTIMATORS = [
    ("GD", {}, ts.GD(), 1),
    ("RAD", {}, ts.RAD(), 1),
    ("RAD, held", {"hold": 6}, ts.RAD(hold=6), 6),
    ("SPAD", {"hold": 1}, ts.SPAD(), 1),
    ("SPAD", {"hold": 7}, ts.SPAD(k_max=7), 7),
    ("SPAD", {"hold": 3, "m": 2}, ts.SPAD(m=2, k_max=3), 3),
    ("Magnitude", {}, ts.Magnitude(), 1),
    ({"path": 1}, {}, ts.FixedPath(1), 1),
]
OPTIMIZERS = [("Adam", "parameter"), ("Adam", "path"), ("SGD", "parameter")]


def draws_of(estimator, history, drawn, hold):
    """The path numbers in the order in which they were drawn: by step, and by parameter within it."""
    if isinstance(estimator, ts.SPAD):
        return [int(i) for candidates in drawn for i in candidates]
    if isinstance(estimator, (ts.RAD, ts.Magnitude)):
        return [int(paths[step]) for step in range(0, STEPS, hold) for paths in history.paths.values()]
    return None


def test_the_first_steps_of_every_estimator_given_the_same_draws(ask, monkeypatch):
    drawn = []
    ordinary = candidates._candidates

    def recorded(*args):
        drawn.append(ordinary(*args))
        return drawn[-1]

    monkeypatch.setattr(candidates, "_candidates", recorded)
    asked, expected = {}, {}
    for text, start in RUNS.items():
        for name, options, estimator, hold in ESTIMATORS:
            for optimizer, moments in OPTIMIZERS:
                key = f"{text} {name} {options} {optimizer} {moments}"
                lr = 0.1 if optimizer == "Adam" else 0.002
                ours = ts.Adam(lr=lr, moments=moments) if optimizer == "Adam" else ts.SGD(lr=lr)
                drawn.clear()
                x0 = start if len(start) > 1 else start[0]
                look = {"callback": lambda *_: False}  # so that draws are asked for one by one
                run = ts.minimize(parse(text), x0, estimator=estimator, optimizer=ours, steps=STEPS, rng=3, **look)
                draws = draws_of(estimator, run.history, drawn, hold)
                more = {"start": dict(zip(run.history.x, start)), "lr": lr, "optimizer": optimizer, "moments": moments}
                options_ = {**options, **more, "draws": draws}
                asked[key] = {"ask": "run", "text": text, "estimator": name, "options": options_, "steps": STEPS}
                expected[key] = run.history
    answers = ask(asked)
    for key, history in expected.items():
        found = answers[key]["history"]
        assert len(found) == STEPS + 1 and answers[key]["steps"] == STEPS
        for name, xs in history.x.items():
            theirs = [here["where"][name] for here in found]
            np.testing.assert_allclose(theirs, xs, rtol=1e-9, atol=1e-9, err_msg=key)
        np.testing.assert_allclose([here["value"] for here in found], history.values, rtol=1e-8, atol=1e-8, err_msg=key)
        paths = np.array(list(history.paths.values()))[:, :-1].T
        followed = [[-1 if i is None else i for i in row] for row in answers[key]["followed"]]
        np.testing.assert_array_equal(followed, paths, err_msg=key)


def test_a_run_ends_where_something_is_not_finite(ask):
    options = {"start": {"x": 0.5}, "optimizer": "SGD", "lr": 1.0}
    asked = {"it": {"ask": "run", "text": "log(x)", "estimator": "GD", "options": options, "steps": 9}}
    found = ask(asked)["it"]
    run = ts.minimize(parse("log(x)"), 0.5, optimizer=ts.SGD(lr=1.0), steps=9)
    assert (found["ended"], found["steps"]) == (run.status, run.steps)
    assert found["history"][-1]["where"]["x"] == run.x


def test_a_path_that_a_parameter_has_not_is_followed_nowhere(ask):
    options = {"start": {"x": 2.0, "y": 1.0}, "optimizer": "SGD", "lr": 0.1}
    found = ask({"it": {"ask": "run", "text": "x*x*y", "estimator": {"path": 1}, "options": options, "steps": 1}})["it"]
    assert found["followed"] == [[1, None]]
    assert found["history"][1]["where"] == {"x": 2.0 - 0.1 * 2.0, "y": 1.0}


@pytest.mark.parametrize(
    ("name", "options", "estimator"),
    [
        ("RAD", {}, ts.RAD()),
        ("RAD, held", {"hold": 1}, ts.RAD()),
        ("Magnitude", {}, ts.Magnitude()),
        ("SPAD", {"hold": 1, "m": 2}, ts.SPAD(m=2)),
        ("SPAD", {"hold": 1, "m": 4}, ts.SPAD(m=4)),
    ],
)
def test_paths_are_drawn_as_often_as_they_are_likely(ask, name, options, estimator):
    draws = 20_000
    text, where = "x*y*sin(x)*(x + y)*exp(y)*x + y*maximum(x, 0.3)", {"x": 0.8, "y": -0.7}
    options = {**options, "start": where, "optimizer": "SGD", "lr": 0.0, "seed": 12345}
    asked = {"it": {"ask": "run", "text": text, "estimator": name, "options": options, "steps": draws}}
    followed = np.array(ask(asked)["it"]["followed"])
    lcg = ts.trace(parse(text), *where.values())
    for i, param in enumerate(lcg.params):
        p = estimator.probabilities(lcg, param)
        found = np.bincount(followed[:, i], minlength=len(p)) / draws
        assert np.all(np.abs(found - p) <= 5 * np.sqrt(p * (1 - p) / draws)), (param, found, p)
    if name == "RAD":  # parameters draw for themselves
        assert abs(np.corrcoef(followed.T)[0, 1]) < 5 / np.sqrt(draws)


def test_random_numbers_are_uniform_at_any_size(ask):
    below, draws = 3 * 2**80, 4000
    asked = {str(seed): {"ask": "random", "seed": seed, "below": str(below), "draws": draws} for seed in (0, 1)}
    answers = ask(asked)
    assert answers["0"] != answers["1"]
    for drawn in answers.values():
        u = np.array([first for first, _ in drawn])
        whole = [int(second) for _, second in drawn]
        assert np.all((u >= 0) & (u < 1)) and max(whole) < below
        share = np.array([n / below for n in whole])
        last = np.array([n % 1000 for n in whole]) / 999
        for x in (u, share, last):
            assert abs(x.mean() - 0.5) < 5 / np.sqrt(12 * draws)
            assert abs(np.mean((x - 0.5) ** 2) - 1 / 12) < 5 / np.sqrt(180 * draws) + 1e-3
            assert abs(np.corrcoef(x[1:], x[:-1])[0, 1]) < 5 / np.sqrt(draws)


def test_misuse_is_told(ask):
    told = ask({"it": {"ask": "misuse"}})["it"]
    lcg = ts.trace(parse("x*x + y*sign(x)*0"), 1.0, 2.0)
    with pytest.raises(ts.errors.BadInput) as index:
        lcg.nth_path("x", 9)
    assert told["index"] == index.value.message
    with pytest.raises(ts.errors.BadInput) as name:
        lcg.count_paths("w")
    assert told["name"] == name.value.message
    with pytest.raises(ts.errors.TooManyPaths) as paths:
        lcg.paths("x", limit=2)
    assert told["paths"].partition(". ")[0] == paths.value.message.partition(". ")[0]
    assert told["point"] == "The point has no y: it is to be a number for each of x, y."
    assert told["estimator"] == "There is no estimator rad; there are GD, RAD, SPAD, RAD, held, Magnitude."
    assert told["optimizer"] == "There is no optimizer adam; there are SGD, Adam."


# --- the paper's functions, and Python's numbers ---------------------------------------------------------------------------


def test_presets_are_the_paper_s_functions(ask):
    presets = dict(ask({"it": {"ask": "presets"}})["it"])
    assert {"f1", "beale", "ackley", "levi", "schaffer2", "rosenbrock"} <= set(presets)
    for name, preset in presets.items():
        problem = ts.functions.ALL[name]
        f = parse(preset["formula"])
        names = list(inspect.signature(f).parameters)
        point = preset["point"]
        ours = ts.trace(problem, *(point[p] for p in sorted(names)))
        theirs = ts.trace(f, *(point[p] for p in names))
        assert theirs.value == pytest.approx(ours.value, rel=1e-14)
        for param in names:
            assert sorted(theirs.path_gradients(param)) == pytest.approx(sorted(ours.path_gradients(param)), rel=1e-12)
        assert {p: tuple(preset["box"][p]) for p in names} == dict(zip(ours.params, problem.box))
        if names == sorted(names):
            numbers = re.compile(r"(?<![\w.])(\d+)\.0\b")  # -20 is a sign and a number there, and one number here
            assert numbers.sub(r"\1", str(theirs)) == numbers.sub(r"\1", str(ours))


def test_a_graph_of_pythons_numbers(ask):
    deep = ts.trace(lambda x: functools.reduce(lambda y, _: y + y * 0.5, range(120), x), 1.0)
    W, v = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([1.0, 3.0])
    with np.errstate(all="ignore"):
        unbounded = ts.trace(lambda x, y: np.log(x) * y, 0.0, 2.0)
    maps = ts.trace(lambda W, v: np.sum(np.tanh(W @ v) * (W @ v)) + v[0] * v[1], W, v)
    lcgs = {"deep": deep, "maps": maps, "unbounded": unbounded}
    with np.errstate(all="ignore"):
        answers = ask({name: {"ask": "given", "data": numbers_of(lcg)} for name, lcg in lcgs.items()})
    found = answers["deep"]
    assert found["program"] == deep.text().split("\n")
    assert found["counts"]["x"] == str(2**120)
    assert found["gradient"]["x"] == pytest.approx(deep.gradient()["x"], rel=1e-13)
    best = deep.best_path("x")
    assert (found["best"]["x"]["edges"], int(found["best"]["x"]["index"])) == (list(best.edges), best.index)
    rest = found["top"]["x"]["rest"]
    assert int(rest["count"]) == 2**120 - 3
    first = sum(path.gradient for path in deep.top_paths("x", 3))
    assert rest["sum"] == pytest.approx(deep.gradient()["x"] - first, rel=1e-12)
    assert [step["told"] for step in found["sweep"]] == [step.told for step in deep.reverse_steps()]
    found = answers["maps"]
    for name in maps.params:
        sizes = maps.path_sizes(name)
        assert [p["product"] for p in found["paths"][name]] == pytest.approx(sizes.tolist(), rel=1e-14)
        assert [p["edges"] for p in found["paths"][name]] == [list(p.edges) for p in maps.paths(name)]
        assert found["best"][name]["index"] == int(np.argmax(sizes))
        assert found["top"][name]["rest"]["count"] == str(len(sizes) - len(found["top"][name]["paths"]))
    assert [step["told"] for step in found["sweep"]] == [step.told for step in maps.reverse_steps()]
    assert found["adjoints"][: len(maps.params)] == ["array 2x2", "array 2"]
    found = answers["unbounded"]
    assert (found["value"], found["gradient"]) == ("-Infinity", {"x": "Infinity", "y": "-Infinity"})
    assert found["paths"]["x"][0]["product"] == "Infinity"


def test_a_program_of_python_s_numbers_leaves_out_what_is_not_chosen(ask):
    with np.errstate(all="ignore"):
        lcg = ts.trace(lambda x: np.where(x > 0, np.sqrt(x), x), 0.0)
        found = ask({"it": {"ask": "given", "data": numbers_of(lcg)}})["it"]
    assert found["gradient"] == lcg.gradient() == {"x": 1.0}
    assert [path["product"] for path in found["paths"]["x"]] == lcg.path_gradients("x").tolist() == [0.0, 1.0]


@pytest.mark.parametrize("rounds", [4, 5, 9, 15])
def test_of_many_paths_through_linear_maps_the_largest_and_the_norm_of_the_rest_are_known(ask, rounds):
    W = np.array([[0.5, -0.2], [0.1, 0.7]])

    def f(x, y):
        for _ in range(rounds):
            x = np.tanh(W @ x) + 0.1 * x * x
        return np.sum(x) + y

    lcg = ts.trace(f, np.array([1.0, -2.0]), 3.0)
    found = ask({"it": {"ask": "given", "data": numbers_of(lcg), "largest": 12}})["it"]
    assert [path["product"] for path in found["top"]["y"]["paths"]] == [1.0]
    top, number = found["top"]["x"], lcg.count_paths("x")
    few = number <= 20_000
    assert few == (rounds < 10) and number > 12
    own = [path["index"] for path in top["paths"]]
    sizes = lcg.path_sizes("x") if few else np.array([])
    assert sorted(sizes[own]) == pytest.approx(sorted(sizes)[-12:], rel=1e-14)
    assert int(top["rest"]["count"]) == number - len(top["paths"])
    rest = np.delete(lcg.path_gradients("x"), own, axis=0).sum(axis=0) if few else lcg.gradient()["x"]
    assert top["rest"]["sum"] == pytest.approx(np.linalg.norm(rest), rel=1e-12)
    if number <= 200:
        assert len(found["paths"]["x"]) == number
    elif few:
        assert found["paths"]["x"] == [] or "sent the largest paths alone" in found["paths"]["x"]["problem"]
    else:
        assert "too many to be compared" in found["best"]["x"]["problem"]


def test_a_formula_with_a_condition_is_sent_with_it(tmp_path):
    """A trace has forgotten the comparison; the page computes it anew at every point."""
    f = parse("where(x < 1, x*x, 2*x - 1) + relu(x) + where(x != y, x % y, abs(-y)) * sinc(x)")
    data = data_of(ts.trace(f, 0.5, 2.0))
    assert "python" not in data and ["less", 0, {"constant": 1, "whole": True}] in data["program"]["steps"]
    points = [{"x": 0.5, "y": 2.0}, {"x": 1.5, "y": 2.0}, {"x": 2.0, "y": 2.0}, {"x": -3.0, "y": 0.7}]
    script = tmp_path / "ask.js"
    script.write_text(
        f"{engine_text()}\nconst graph = TinySpad.trace({json.dumps(data['program'])});\n"
        f"console.log(JSON.stringify({json.dumps(points)}.map(at => {{ const p = graph.at(at);"
        " return [p.value, p.gradient()]; })));",
        encoding="utf-8",
    )
    done = subprocess.run([node, str(script)], capture_output=True, text=True, check=True)
    for point, (value, gradient) in zip(points, json.loads(done.stdout)):
        lcg = ts.trace(f, *point.values())
        assert value == pytest.approx(lcg.value, rel=1e-12) and gradient == pytest.approx(lcg.gradient(), rel=1e-12)
