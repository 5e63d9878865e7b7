"""The page that computes: what Python puts into it; and, in a browser, every control by mouse and by keyboard."""

import html
import json
import re
import time

import numpy as np
import pytest

import tinyspad as ts
from tinyspad import plot
from tinyspad.__main__ import main
from tinyspad.errors import BadInput, NotScalar
from tinyspad.expression import parse
from tinyspad.page import page as made
from tinyspad.page import playground
from tinyspad.plot.palette import ESTIMATORS, TERMS

f1 = ts.functions.f1
FOLDER = made.Path(made.__file__).parent
LARGEST = 120_000
SIXTY = "+".join(f"sin({k}*x)*cos(y+{k})/{k}" for k in range(1, 7)) + "-x*y"
LONG = "x-y"
for k in range(28):
    LONG = f"maximum(arctan2({LONG}, {k}.12345678912345), {k}.98765432198765)"
FUNCTIONS = {
    "f1": (f1, 5.0),
    "beale": (ts.functions.beale, 1.0, 2.0),
    "sixty": (parse(SIXTY), 0.5, 2.0),
    "long": (parse(LONG), 1.0, 2.0),
    "three": (parse("exp(x)*y + sin(x*z)/(2 + y**2) - maximum(x, z) % 2"), 1.0, 0.5, 2.0),
}
GIVEN = {
    "matrices": (lambda W, x: np.sum(np.tanh(W @ x) ** 2), np.full((2, 3), 0.3), np.array([1.0, 2.0, 3.0])),
    "a choice": (lambda x: np.where(x > 0, x * x, x), 2.0),
}


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


# --- what Python makes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_page_is_small_whole_and_soon_written(name, tmp_path):
    f, *point = FUNCTIONS[name]
    assert ts.trace(f, *point).structure.size <= 60
    begun = time.process_time()
    file = plot.explain(f, *point).save(tmp_path / "page.html")
    assert time.process_time() - begun < 1
    page = file.read_text(encoding="utf-8")
    assert len(page.encode()) < LARGEST and not re.search(r"https?:|\{\{\w+\}\}", page)
    assert set(re.findall(r'(?:src|href)="([^"]*)"', page)) == {"data:,"}
    assert page.count("<script") == page.count("</script>") == 2


def test_a_page_has_the_parts_that_it_needs():
    """The tour where the program is its own; what reads formulas where one is typed; folding where there is much to fold."""
    many = ts.trace(parse("+".join(["x"] * 70)), 1.0)
    pages = {name: plot.explain(*args) for name, args in {**FUNCTIONS, **GIVEN}.items()}
    pages |= {"many": plot.explain(many), "playground": playground()}
    for has, where in {
        "function Tour(": {"f1", "playground"},
        "function Typed(": {"playground"},
        "function foldedGraph(": {"many", "playground"},
        "function levelsOf(": {"beale", "sixty", "long", "playground"},
        "function Race(": {*FUNCTIONS, "many", "playground"},
        "fromPython = given": {*GIVEN, "playground"},
    }.items():
        has = re.sub(" ", "", has) if "=" in has else has
        assert {name for name, page in pages.items() if has in page} == where, has
    for name, operations in {
        "f1": {"cos", "power", "multiply", "add"},
        "matrices": {"cos", "tan"},
        "playground": {"tan"},
    }.items():
        assert all(f"{op}:" in pages[name] for op in operations), name
    assert "arctan2:" not in pages["f1"] and "arctan2:" in pages["long"]
    spaced = parse("x**2*(2+cos(4*x))")
    assert "function Tour(" in plot.explain(spaced, 1.0) and "function Tour(" not in plot.explain(lambda x: x * x, 1.0)


def test_a_function_is_sent_as_a_program_if_the_page_computes_all_of_it():
    program = data_of(plot.explain(f1, 5.0))["program"]
    assert program["params"] == ["x"] and program["output"] == 5
    assert program["steps"] == [
        ["power", 0, {"constant": 2, "whole": True}],
        ["multiply", {"constant": 4, "whole": True}, 0],
        ["cos", 2],
        ["add", {"constant": 2, "whole": True}, 3],
        ["multiply", 1, 4],
    ]
    assert data_of(plot.explain(f1, 5.0))["box"] == {"x": [-6.0, 6.0]}
    assert data_of(plot.explain(parse("x*x"), 3.0))["program"]["text"] == "x*x"
    assert data_of(plot.explain(lambda x: x * np.inf, 3.0))["program"]["steps"] == [
        ["multiply", 0, {"constant": "Infinity"}]
    ]
    captured = ts.Value(2.0)
    assert {"constant": 2.0} in data_of(plot.explain(lambda x: x * captured, 3.0))["program"]["steps"][0]
    assert data_of(plot.explain(lambda x: 3.0, 1.0))["program"]["output"] == {"constant": 3.0}


@pytest.mark.parametrize(
    "f, point, why",
    [
        (GIVEN["matrices"][0], GIVEN["matrices"][1:], "W is an array"),
        (GIVEN["a choice"][0], (2.0,), "where is not one of the functions"),
        (lambda x: np.clip(x, 0.0, 1.0) * x, (0.5,), "clip is not"),
        (lambda x: np.sum(np.array([1.0, 2.0]) * x), (0.5,), "reads what is no number"),
    ],
)
def test_of_other_functions_it_has_the_numbers_and_says_why(f, point, why):
    data = data_of(plot.explain(f, *point))
    assert "program" not in data and why in data["why"]
    lcg, numbers = ts.trace(f, *point), data["python"]
    assert [node["name"] for node in numbers["nodes"]] == lcg.names
    assert [edge[:2] for edge in numbers["edges"]] == [list(e) for e in zip(lcg.structure.tail, lcg.structure.head)]
    assert set(numbers["shown"]) in (set(), set(lcg.params))
    for name, shown in numbers["shown"].items():
        terms = lcg.path_gradients(name)
        sizes = terms if terms.ndim == 1 else np.linalg.norm(terms.reshape(len(terms), -1), axis=1)
        assert [i for i, _ in shown["paths"]] == list(range(len(terms))) and shown["rest"] == 0
        np.testing.assert_allclose([size for _, size in shown["paths"]], sizes)


def test_ends_of_a_box_that_are_not_known_are_left_out():
    f = ts.functions.Problem("mine", lambda x, y: x * y, ((np.nan, 1.0), (0.0, 2.0)))
    assert data_of(plot.explain(f, 1.0, 1.0))["box"] == {"y": [0.0, 2.0]}


def test_a_function_that_is_called_expression_is_no_formula():
    def expression(x):
        """Three times x."""
        return np.where(x < 1, x, 3 * x)

    page = plot.explain(expression, 2.0)
    assert "program" not in data_of(page) and "<title>expression at x = 2</title>" in page


def test_a_page_shows_itself_isolated_from_the_notebook(tmp_path):
    page = plot.explain(f1, 5.0)
    assert isinstance(page, str) and len(repr(page)) < 300 and "f1 at x = 5" in repr(page)
    shown = page._repr_html_()
    frame = re.fullmatch(r'<iframe srcdoc="([^"]*)" sandbox="allow-scripts".*</script>', shown, re.S)
    assert html.unescape(frame[1]) == page
    assert page.save(str(tmp_path / "a.html")) == tmp_path / "a.html"
    with pytest.raises(OSError):
        page.save(tmp_path)


def test_step_through_opens_at_the_sweep():
    assert data_of(plot.step_through(ts.trace(f1, 5.0)))["open"] == "sweep"
    assert data_of(plot.explain(ts.trace(f1, 5.0)))["open"] == "paths"


WICKED = "</script><script>alert(1)</script><!-- & \" ' ]]> \u2028 {{data}}"


def test_nothing_that_comes_from_outside_ends_a_script():
    def f(a, b):
        return a * b * a

    lcg = ts.LCG(*_named(f, [WICKED, "</style>"]))
    page = plot.explain(lcg, title=WICKED)
    assert page.count("</script>") == 2 and page.count("<!--") == 0 and page.count("</style>") == 1
    data = data_of(page)
    assert data["program"]["params"] == [WICKED, "</style>"]
    assert html.unescape(re.search("<title>(.*?)</title>", page, re.S)[1]) == WICKED


def _named(f, names):
    params = {name: ts.Value(2.0, name=name) for name in names}
    return f(*params.values()), params, None


@pytest.mark.parametrize("asked", [plot.explain, plot.step_through])
def test_what_is_no_function_is_told(asked):
    for wrong, says in [
        (lambda: asked("x*x"), "takes a function and a point"),
        (lambda: asked(f1), "needs a point"),
        (lambda: asked(ts.trace(f1, 5.0), 5.0), "takes no point"),
        (lambda: asked(parse("+".join(["x"] * 400)), 1.0), "399 operations"),
    ]:
        with pytest.raises(BadInput, match=says):
            wrong()
    with pytest.raises(NotScalar):
        asked(lambda w: w @ w, np.ones((2, 2)))


def test_colours_are_those_of_the_pictures():
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    dark = re.search(r'\[data-theme="dark"\] \{.*?\n\}', style, re.S)[0]
    known = dict(re.findall(r"(--\w+): ([^;]+);", style.replace(dark, "")))

    def colour(name):
        return known[known[name][4:-1] if known[name].startswith("var") else name].lower()

    assert [colour(f"--t{k}") for k in range(8)] == [c.lower() for c in TERMS]
    for name, key in {"gd": "GD", "rad": "RAD", "spad": "SPAD", "held": "RAD, held", "magnitude": "Magnitude"}.items():
        assert colour(f"--{name}") == ESTIMATORS[key]["color"].lower()
    assert [colour("--g1"), colour("--g2")] == [ESTIMATORS[g]["color"].lower() for g in ("g1", "g2")]


SOURCES = sorted(FOLDER.glob("*.js"))


@pytest.mark.parametrize("file", SOURCES, ids=[file.name for file in SOURCES])
def test_sources_are_short_and_write_no_markup(file):
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400 and "innerHTML" not in text and "document.write" not in text


def test_blanks_that_separate_words_stay():
    squeezed = lambda *lines: list(made._squeezed(list(lines), made.SCRIPT))  # noqa: E731
    assert squeezed('const a = { b: "x = y", c: 1 + 2 - -d };') == ['const a={b:"x = y",c:1+2 - -d};']
    assert squeezed("f = (x) => (a[0] - b) / c(d) - e / (async (x) => y);") == ["f=x=>(a[0]-b)/c(d)-e/(async(x)=>y);"]
    assert squeezed('say("one " +', '"two", 0.5);') == ['say("one two",.5);']
    assert squeezed("return typeof a === `x , ${ b }` ? a++ + 1 : [a, b];") == [
        "return typeof a===`x , ${b}`?a++ + 1:[a,b];"
    ]
    for left in ("s.replace(/ , /g, x = 1)", "a = `${b ? `c , d` : 1}`", "it's = 1"):
        assert squeezed(left) == [left]
    over = ["a = `b , ${c(", "d , e", ")} = f`;", "g = `h`;"]
    assert squeezed(*over) == [*over[:2], ")} = f`;g=`h`;"]
    assert squeezed("f(", "a,", "b", ");", "if (c) {", "d;", "}", "e; // f(", ") , g", "h;", "function i() {", "}") == [
        "f(a,b);if(c){d}",
        "e; // f(",
        "),g",
        "h;",
        "function i(){}",
    ]
    assert squeezed("const a = 1;", "const { b } = a;", "const c =", "d;", "const e = 2;") == [
        "const a=1,{b}=a,c=",
        "d;const e=2;",
    ]
    assert made._squeezed(["a > :b, c {", "d: e f;", "}"], made.STYLE) == ["a>:b,c{d:e f}"]


# --- the command ----------------------------------------------------------------------------------------------------


def test_explain_writes_a_page(capsys, tmp_path):
    out = tmp_path / "new folder" / "page.html"
    assert main(["explain", "-x**2*(2+cos(4*x))", "x=5", "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == f"The page: {out}"
    page = out.read_text(encoding="utf-8")
    assert "<title>-x**2*(2+cos(4*x)) at x = 5</title>" in page
    assert data_of(page)["program"]["text"] == "-x**2*(2+cos(4*x))" and data_of(page)["point"] == {"x": 5.0}


@pytest.mark.parametrize(
    "argv, says",
    [
        (["x*x", "x=1", "--out", "page.txt"], "a page is an .html file"),
        (["x*y", "x=1"], "give y=NUMBER"),
        (["log(x)", "x=0"], "outside its domain"),
        (["+".join(["x"] * 400), "x=1"], "shows up to 300"),
        (["x*x", "x=1", "--out", "taken/page.html"], "taken"),
    ],
)
def test_explain_refuses_in_one_line(capsys, tmp_path, monkeypatch, argv, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_bytes(b"")  # a file, where a folder would have to be
    assert main(["explain", *argv]) == 2
    err = capsys.readouterr().err
    assert says in err and len(err.splitlines()) == 1 and [p.name for p in tmp_path.iterdir()] == ["taken"]
