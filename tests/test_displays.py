"""What results show of themselves: short lines, and HTML in the colours of the page."""

import html
import pickle
import re
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest
from chromium import started
from matplotlib import pyplot as plt

import tinyspad as ts
from tinyspad.arguments import spaced
from tinyspad.displays import LONGEST, Code, cut, few, line, page, summary, without_middle
from tinyspad.lcg.svg import FACES
from tinyspad.table import Table


@pytest.mark.parametrize("letters", [1, 2, 3, 12, 13])
@pytest.mark.parametrize("text", ["", "x", "λ", "learning_rate", "a_name_that_nobody_could_read_aloud"])
def test_a_cut_text_keeps_its_ends(text, letters):
    found = cut(text, letters)
    assert len(found) == min(len(text), letters)
    before, _, after = found.partition("…")
    assert found == text if len(text) <= letters else text.startswith(before) and text.endswith(after)


def test_a_line_is_one_short_line():
    assert line("x\n  is 1") == "<x is 1>"
    for number in range(LONGEST - 10, LONGEST + 10):
        assert len(line("x" * number)) == min(number + 2, LONGEST - 1)


def test_of_several_the_first_and_how_many_more():
    assert few([]) == "" and few(["λ"]) == "λ" and few("abcd") == "a, b, c, d"
    assert few(map(str, range(2000))) == "0, 1, 2, 3 and 1 996 more"
    assert len(few(["n" * 400] * 100)) < 130


@pytest.mark.parametrize(
    ("x", "told"),
    [
        (2, "2"),
        (1e300, "1e+300"),
        (np.float64(1 / 3), "0.333333"),
        (np.array(3.5), "3.5"),
        (np.nan, "nan"),
        (np.zeros(3), "array (3,) of 0"),
        (np.ones(1), "array (1,) of 1"),
        (np.zeros((0, 2)), "array (0, 2)"),
        (np.array([[1, 2], [3, 4]]), "array (2, 2) from 1 to 4"),
        (np.array([np.inf, np.nan]), "array (2,) (2 not finite)"),
    ],
)
def test_numbers_and_arrays_in_short(x, told):
    assert summary(x) == told


def test_a_page_escapes_and_leaves_out_what_is_empty():
    found = page("<b>&", "", Table(("<i>",), [("λ",)]), "two\nlines")
    assert "<b>" not in found and "<i>" not in found and found.count("<p") == 2 and found.count("<table>") == 1
    assert "color" not in found and "background" not in found
    assert html.unescape(re.sub("<[^>]+>", "|", found)).split("|")[2] == "<b>&"


def test_a_long_program_is_shown_without_its_middle():
    text = "\n".join(map(str, range(100)))
    assert without_middle(text, 100) == text
    assert without_middle(text, 4) == "0\n1\n... 97 more lines ...\n99"
    assert Code("a < b\n" * 1000).html().count("\n") == 39 and ">a &lt; b<" in Code("a < b").html()
    assert len(Code("long " * 1000).html()) < 300


# --- lines and pages of graphs, paths and programs ----------------------------------------------------------------------


def of_operations(number):
    """A function of two parameters, of a long name and a short one, that does about so many operations."""

    def f(learning_rate, λ):
        y = λ * learning_rate
        for _ in range((number - 1) // 2):
            y = np.sin(y) * learning_rate
        return y if number % 2 else -y

    return f


def of_arrays(number):
    """The sum of that over an array."""
    f = of_operations(number)

    def total(learning_rate, λ):
        return np.sum(f(learning_rate, λ))

    return total


POINTS = {
    "numbers": (of_operations, (1.5, 2.0)),
    "runs": (of_operations, (np.linspace(1, 2, 1000), np.ones(1000))),
    "arrays": (of_arrays, (np.ones(9), 2.0)),
}
ODD = {
    "many": (lambda *p: sum(x * x for x in p), np.arange(200.0)),
    "long": (lambda a_name_that_nobody_could_read_aloud_nor_type_without_a_slip: 2.0, (1.0,)),
    "html": (lambda p: p["<b>"] * p["&"] * p["<b>"], ({"<b>": 1.0, "&": 2.0},)),
}


def check(shown):
    """What is shown of a thing: a line of less than 300 characters, and HTML that has no colour of its own but a node's."""
    assert len(repr(shown)) < LONGEST and "\n" not in repr(shown) and "array([" not in repr(shown)
    text = shown._repr_html_()
    root = ElementTree.fromstring(text)  # well formed, hence escaped
    assert len(text) < 60_000
    colors = Counter(re.findall(r"(?:color|fill|stroke|background)[=:] ?\"?([^\";]+)", text))
    assert set(colors) <= {"none", "inherit", "currentColor", "#000", "#fff", *FACES.values()}
    assert colors["#fff"] == len(root.findall(".//{*}mask/{*}rect"))  # white is seen nowhere
    return " | ".join(text.strip() for text in root.itertext() if text.strip())


def check_graph(lcg):
    check(lcg)
    param = lcg.params[0]
    if number := lcg.count_paths(param):
        told = check(lcg.nth_path(param, 0))
        which = (
            f"Path 0 of the {spaced(number)} of {param}, numbered from 0" if number > 1 else f"The only path of {param}"
        )
        assert told.startswith(f"{which}: it contributes ")
        check(lcg.nth_path(param, number - 1))
    if np.ndim(lcg.value) == 0:
        check(lcg.elements())


@pytest.mark.parametrize("number", [3, 30, 300])
@pytest.mark.parametrize("point", POINTS)
def test_graphs_their_paths_and_numbers(point, number):
    made, at = POINTS[point]
    check_graph(ts.trace(made(number), *at))


@pytest.mark.parametrize("odd", ODD)
def test_graphs_of_odd_parameters(odd):
    f, at = ODD[odd]
    check_graph(ts.trace(f, *at))


def test_a_drawn_path_says_how_likely_it_was():
    lcg = ts.trace(ts.functions.beale, 1.0, 2.0)
    assert "It was drawn with probability 0.333333." in check(lcg.sample_path("y", 0))
    assert "drawn" not in check(lcg.nth_path("y", 0))


def test_a_path_is_a_table_of_its_weights():
    told = check(ts.trace(ts.functions.f1, 5.0).nth_path("x", 0)).split(" | ")
    what = "Path 0 of the 2 of x, numbered from 0: it contributes 24.0808 to the gradient, the product of its weights."
    assert told == [what, "from", "to", "weight", "x", "x1", "1", "x1", "a", "10", "a", "z", "2.40808"]


def test_the_middle_of_a_long_path_is_left_out():
    told = check(ts.trace(of_operations(300), 1.5, 2.0).nth_path("λ", 0)).split(" | ")
    assert told[0].startswith("The only path of λ: it contributes ") and len(told) == 4 + 3 * 16 + 1
    assert "... 284 more ..." in told


def test_a_drawing_hides_edges_behind_texts_and_nodes_whatever_the_page_looks_like():
    """By masks, which have names of their own: a notebook has many drawings."""
    pages = [ts.trace(f, 1.0, 2.0)._repr_html_() for f in (ts.functions.f2, ts.functions.beale)]
    names = []
    for text in pages:
        root = ElementTree.fromstring(text)
        (mask,) = root.findall(".//{*}mask")
        masked = [g for g in root.findall(".//{*}g") if g.get("mask")]
        assert [g.get("mask") for g in masked] == [f"url(#{mask.get('id')})"]
        known = {x.get("id") for x in root.iter() if x.get("id")}
        assert {use.get("href")[1:] for use in root.findall(".//{*}use")} == known - {mask.get("id")}
        names.append(mask.get("id"))
    assert len(set(names)) == 2


@pytest.mark.parametrize("number", [3, 30, 300])
def test_a_program_shows_its_code(number):
    program = ts.compile(of_operations(number))
    assert repr(program) == f"<Program of f(learning_rate, λ): {number} operations>"
    told = check(program)
    assert told.startswith(repr(program)[1:-1]) and "def forward(learning_rate, λ):" in told and "def gradient(" in told
    check(pickle.loads(pickle.dumps(program)))


def test_a_program_of_many_parameters():
    assert "p0, p1, p2, p3 and 196 more" in repr(ts.compile(ODD["many"][0], 200))


# --- what experiments and runs leave behind ------------------------------------------------------------------------------

FEW = {"runs": 20, "steps": 5}
RECORDS = {
    "hold sweep": lambda: ts.experiments.hold_sweep("booth", k_max=(1, 5), **FEW),
    "success": lambda: ts.experiments.success_rates(["booth", "beale"], **FEW),
    "paper": lambda: ts.experiments.paper_table(**FEW),
    "variance": lambda: ts.experiments.variance_curve(ts.functions.beale, 1.0, 2.0),
    "stochasticity": lambda: ts.experiments.stochasticity_table("demand", runs=2, steps=5, draws=5),
    "white box": lambda: ts.experiments.white_box("demand", runs=2, steps=20),
    "multimodal": lambda: ts.experiments.multimodal(["rastrigin"], runs=3, work=60),
    "history": lambda: ts.minimize(ts.functions.beale, tuple(np.ones((2, 50))), steps=9).history,
    "large history": lambda: ts.minimize(lambda *p: sum(x * x for x in p), (1.0,) * 200, steps=3).history,
    "training": lambda: ts.nn.Training(*np.ones((6, 3)), "done"),
    "shown": lambda: ts.trace(ts.functions.beale, 1.0, 2.0).shown("x", 2),
}


@pytest.mark.parametrize("record", RECORDS)
def test_records_show_what_they_print(record):
    shown = RECORDS[record]()
    told, first = check(shown), str(shown).splitlines()[0].strip("<>")
    assert repr(shown).startswith(f"<{type(shown).__name__}") and "<table>" in shown._repr_html_()
    assert first in told or (record.endswith("history") and "values | array (" in told)
    if first != repr(shown)[1:-1]:  # it prints more than a line: all of it is there
        assert set(str(shown).split()) <= set(told.split())


def test_what_is_shown_of_the_paths_is_a_line():
    lcg = ts.trace(ts.functions.beale, 1.0, 2.0)
    assert repr(lcg.shown("x", 2)) == "<Shown of x: 6 paths, the largest 2 listed, sum 171.25>"
    assert repr(lcg.shown("x")) == "<Shown of x: 6 paths, sum 171.25>" and "sum over 6 paths" in str(lcg.shown("x"))


def test_a_reading_of_the_paper_is_a_line():
    made = ts.experiments.sensitivity(ts.experiments.readings()[6:8], runs=3, steps=3)
    assert repr(made).startswith("<Sensitivity: ") and repr(made).endswith(" rows of 2 readings>")
    check(ts.experiments.shares(made))


def test_two_programs_side_by_side_and_a_jacobian():
    product, power = ts.trace(lambda x: x * x, 3.0), ts.trace(lambda x: x**2, 3.0)
    assert repr(product.compare(power)) == "<Comparison: value the same, gradient the same; paths: 2 and 1 of x>"
    assert set(str(product.compare(power)).split()) <= set(check(product.compare(power)).split())
    assert "DIFFERENT" in repr(product.compare(ts.trace(lambda x: x**3, 3.0)))
    both = ts.jacobian(lambda λ, w: (λ * w, np.sum(w)), 2.0, np.ones(400))
    assert repr(both).startswith(
        "<Jacobian, outputs by parameters: 0 by λ: array (400,) of 1; 0 by w: array (400, 400) from 0 to 2;"
    )
    assert "output | by λ | by w | 0 | array (400,) of 1" in check(both)
    assert "60 outputs, 60 parameters, of which" in check(ts.jacobian(lambda *p: tuple(x * x for x in p), *np.ones(60)))


# --- in a browser -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    session = started("--window-size=1000,3000")
    yield session
    session.quit()


@pytest.mark.parametrize(
    ("background", "letters"), [("#203040", "#b0c0d0"), ("#f0e4c8", "#202020")], ids=["dark", "light"]
)
def test_a_page_of_any_colours_is_seen_through_all_displays(browser, tmp_path, background, letters):
    """Nothing on it is white, and there is much of the colour of its letters; the page says nothing of dark and light."""
    results = ts.compare(ts.functions.beale, (1.0, 2.0), {"GD": ts.GD(), "RAD": ts.RAD()}, steps=20, rng=0)
    lcg = ts.trace(of_operations(9), 1.5, 2.0)
    table = ts.experiments.success_rates("booth", {"GD": ts.GD()}, **FEW)
    shown = [
        lcg,
        lcg.best_path("λ"),
        ts.compile(ts.functions.f1),
        results,
        results["RAD"],
        results["RAD"].history,
        table,
    ]
    style = f"body {{ background: {background}; color: {letters} }}"
    parts = "".join(part._repr_html_() for part in shown)
    (tmp_path / "page.html").write_text(
        f"<!doctype html><meta charset=utf-8><style>{style}</style>{parts}", encoding="utf-8"
    )
    browser.get((tmp_path / "page.html").as_uri())
    browser.save_screenshot(str(tmp_path / "page.png"))
    pixels = (plt.imread(tmp_path / "page.png")[..., :3] * 255).reshape(-1, 3)
    assert not np.any(pixels.min(axis=1) > 220)
    of_letters = [int(letters[i : i + 2], 16) for i in (1, 3, 5)]
    assert np.sum(np.abs(pixels - of_letters).max(axis=1) < 8) > 5000
    assert browser.execute_script("return document.querySelectorAll('svg, table, pre').length") >= 8
