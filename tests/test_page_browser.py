"""The page in headless Chromium: every control by mouse and by keyboard, what it tells against tinyspad, at three widths."""

import json
import time

import numpy as np
import pytest
from chromium import started

import tinyspad as ts
from tinyspad import plot
from tinyspad.errors import ExpressionError
from tinyspad.expression import parse
from tinyspad.page import playground

pytestmark = pytest.mark.slow
f1, beale = ts.functions.f1, ts.functions.beale
MANY = "+".join(f"sin({k}*x)*exp(-{k}*y*y)*tanh(x*y+{k})" for k in range(1, 13))


@pytest.fixture(scope="module")
def session():
    """Headless Chromium that keeps its console and every request it makes."""
    logs = {"performance": "ALL", "browser": "ALL"}
    made = started("--disable-background-networking", loggingPrefs=logs)
    yield made
    made.quit()


class Opened:
    """A page in the browser, and what one does with it."""

    def __init__(self, session, folder):
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        self.session, self.folder, self.keys = session, folder, Keys
        self.chains = lambda: ActionChains(session, duration=0)

    def open(self, page, fragment="", size=(1280, 800)):
        self.size(*size)
        file = self.folder / "page.html"
        file.write_text(page, encoding="utf-8")
        self.uri = file.as_uri()
        self.session.get("about:blank")
        self.session.get(self.uri + fragment)
        self.settle()
        return self

    def size(self, width, height):
        told = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.session.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", told)

    def js(self, code):
        return self.session.execute_script(f"return {code}")

    def one(self, selector):
        return self.session.find_element("css selector", selector)

    def all(self, selector):
        return self.session.find_elements("css selector", selector)

    def text(self, selector):
        self.settle()
        return self.one(selector).text

    def button(self, name):
        return next(b for b in self.all("button") if name in (b.text, b.get_attribute("aria-label")))

    def press(self, *keys):
        """Keys, for what has the focus."""
        self.chains().send_keys(*keys).perform()
        self.settle()

    def settle(self):
        """Two frames: what was asked for is drawn."""
        self.session.execute_async_script(
            "const d = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(d))"
        )

    def until(self, what, seconds=20):
        end = time.monotonic() + seconds
        while not (found := what()):
            assert time.monotonic() < end, f"waited {seconds} seconds in vain"
            time.sleep(0.03)
        return found

    def focus(self, selector):
        self.session.execute_script("document.querySelector(arguments[0]).focus()", selector)

    def enter(self, selector, text):
        """A text in place of what stands in a field."""
        self.session.execute_script("const f = document.querySelector(arguments[0]); f.focus(); f.select()", selector)
        self.one(selector).send_keys(text)
        self.settle()

    def choose(self, selector, text):
        from selenium.webdriver.support.ui import Select

        Select(self.one(selector)).select_by_visible_text(text)
        self.settle()

    def drag(self, selector, dx, dy=0):
        element = self.one(selector)
        self.chains().move_to_element(element).click_and_hold().move_by_offset(dx, dy).release().perform()
        self.settle()

    def where(self):
        return self.js("document.querySelector('#controls input[type=number]').valueAsNumber")


@pytest.fixture
def page(session, tmp_path):
    session.get_log("performance"), session.get_log("browser")
    session.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    opened = Opened(session, tmp_path)
    yield opened
    assert session.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in session.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert not [url for url in asked if not url.startswith(("file:", "data:", "about:", "chrome:"))]


def number(text):
    return float(text.replace("−", "-").replace("\u202f", "").replace("about ", ""))


# --- what it tells ----------------------------------------------------------------------------------------------------

FORMULAS = [
    "x**2*(2+cos(4*x))",
    "exp(x)*(x+y) - log(y)/x",
    "maximum(x, y)*hypot(x, z) % 3 + arctan2(y, z)",
    "(x - 1)**2 + 100*(y - x**2)**2",
    "sqrt(x*x*x)*tanh(-y)**3 + sinc(x*y)",
    "+".join(["x*y*x"] * 8),
]


def test_it_computes_what_tinyspad_does(page):
    page.open(playground())
    for formula in FORMULAS:
        page.enter("#text", formula)
        f = parse(formula)
        names = list(f.__signature__.parameters)
        point = dict(zip(names, (0.7, 1.3, 2.1)))
        for name, x in point.items():
            page.js(f"window.tinyspad.set('{name}', {x})")
        lcg = ts.trace(f, *point.values())
        scale = max(abs(lcg.value), 1.0)
        assert page.js("window.tinyspad.value()") == pytest.approx(lcg.value, abs=1e-12 * scale)
        for name in names:
            products = lcg.path_gradients(name)
            told = page.js(f"window.tinyspad.paths('{name}').map(path => path.product)")
            np.testing.assert_allclose(told, products, rtol=0, atol=1e-12 * np.sum(np.abs(products)))
            slope = page.js("window.tinyspad.gradient()")[name]
            assert slope == pytest.approx(lcg.adjoint(name), abs=1e-12 * np.sum(np.abs(products)))
            assert page.js(f"String(window.tinyspad.count('{name}'))") == str(lcg.count_paths(name))
            assert page.js(f"window.tinyspad.best('{name}').index") == lcg.best_path(name).index
        lines = [line.replace("<-", "←") for line in lcg.text().splitlines()]
        rows = [row.text for row in page.all("#program td:first-child")]
        assert [r for r in rows if "…" not in r] == [a for a, b in zip(lines, rows) if "…" not in b]
    assert page.js("window.tinyspad.run('GD', {lr: 0.1}).step().steps") == 1


def test_the_head_tells_value_and_slope_in_words(page):
    page.open(plot.explain(f1, 5.0))
    assert page.text("#sum") == "At x = 5, f is 60.2. Its slope is 24.08 + (−91.29) = −67.21, the sum of 2 paths."
    assert page.text("#formula").replace("\n", "").startswith("f")
    page.open(plot.explain(lambda x, y: x * 3.0, 1.0, 2.0))
    assert "by y 0, which has no path" in page.text("#sum")
    page.open(plot.explain(lambda x: 3.0, 1.0))
    page.one("#tab-sweep").click()
    assert "nothing to sweep" in page.text("#sweep")
    page.open(plot.explain(parse("log(x)*x"), 1.0))
    page.js("window.tinyspad.set('x', 0)")
    assert "is -inf at x = 0" in page.text("#sum").replace("−", "-")


def sums(rounds):
    def f(x):
        for _ in range(rounds):
            x = np.tanh(np.array([[0.5, -0.2], [0.1, 0.7]]) @ x) + x * 0.1
        return np.sum(x)

    return ts.trace(f, np.array([1.0, -2.0]))


@pytest.mark.parametrize("rounds", [2, 5, 9, 25])
def test_norms_of_arrays_are_not_added_up(page, rounds):
    lcg = sums(rounds)
    page.open(plot.explain(lcg))
    assert "Its slope is array 2, the sum of" in page.text("#sum")
    products = [number(td.text) for td in page.all(".ledger tbody .number")]
    if rounds == 2:
        assert products == pytest.approx(lcg.path_sizes("x").tolist(), rel=1e-3)
    elif rounds == 25:
        assert products == pytest.approx([np.linalg.norm(lcg.gradient()["x"])], rel=1e-3)
        assert "all 33" in page.text(".ledger")
        assert page.js("[...document.querySelectorAll('#drawing .weight')].map(w => w.textContent).join('')") == "<sum>"
    else:
        shown = lcg.shown("x", 12)
        assert len(products) == 13 and products[-1] == pytest.approx(np.linalg.norm(shown.others.sum), rel=1e-3)


def test_what_it_cannot_be_set_to_is_told(page):
    page.open(plot.explain(f1, 5.0))
    attempt = "(() => {{ try {{ return window.tinyspad.set({}); }} catch (e) {{ return e.message; }} }})()"
    for given, told in {
        "'nope', 1": "There is no parameter 'nope'; the function has x.",
        "'x', 'abc'": 'x is to be a number, not "abc".',
        "'x', ''": 'x is to be a number, not "".',
        "'x', Infinity": 'x is to be a number, not "Infinity".',
    }.items():
        assert page.js(attempt.format(given)) == told
    assert page.text("#sum").startswith("At x = 5, f is 60.2")
    assert page.js(attempt.format("'x', '0'")) == 0
    page.open(plot.explain(lambda x: np.where(x > 0, x * x, x), 2.0))
    assert page.js(attempt.format("'x', 7")) == "The page has Python's numbers, of this one point."
    assert page.text("#sum").startswith("At x = 2, f is 4.")


def test_names_of_javascript_s_own_are_names(page):
    page.open(playground())
    page.enter("#text", "constructor*valueOf + __proto__**2 * toString")
    assert page.text("#problem") == "" and "At constructor = 1, valueOf = 1, __proto__ = 1" in page.text("#sum")
    for tab in page.all("[role=tab]"):
        tab.click()
    page.choose("#param", "__proto__")
    assert page.js("window.tinyspad.set('__proto__', 3)") == 10
    assert page.text("#sum").endswith("by __proto__ 6, its one path; by toString 9, its one path.")
    page.enter("#text", "hasOwnProperty*x")
    assert page.text("#sum").startswith("At hasOwnProperty = 1, x = ")


def test_the_formula_is_what_was_typed(page):
    page.open(playground())
    for typed, shown in {
        "x*(y%3)+y": "x⋅(ymod3)+y",
        "x%3": "xmod3",
        "x%(y%2) - z%3": "(xmod(ymod2))−(zmod3)",
        "x*y%(2*y)": "x⋅ymod(2y)",
    }.items():
        page.enter("#text", typed)
        assert page.text("#problem") == ""
        formula = page.js("document.querySelector('#formula').textContent").replace("\u2062", "")
        assert formula.partition("=")[2] == shown


def test_a_path_lights_its_own_reads_where_a_condition_computes(page):
    page.open(playground())
    page.enter("#text", "where(x*2<1, x*x, 3*x)")
    page.js("window.tinyspad.set('x', 0.1)")
    lit = "[...document.querySelectorAll('#formula .read')].map(r => r.classList.contains('lit'))"
    for k in range(3):
        page.focus(f".ledger tbody tr:nth-child({k + 1}) button")
        page.settle()
        assert page.js(lit) == [False, *(i == k for i in range(3))]


# --- moving the point -------------------------------------------------------------------------------------------------


def in_step(page, f, name="x"):
    """Sentence, curve, program and ledger are all of the point where it is."""
    page.settle()
    x = page.js("window.tinyspad.gradient()") and page.where()
    lcg = ts.trace(f, page.js("Number(document.querySelector('#plot .handle').getAttribute('aria-valuenow'))"))
    assert page.js("window.tinyspad.value()") == pytest.approx(lcg.value, rel=1e-12)
    products = [number(td.text) for td in page.all(".ledger tbody .number")]
    assert products == pytest.approx(list(lcg.path_gradients(name)), rel=2e-3, abs=1e-3)
    assert number(page.one(".ledger tfoot .number").text) == pytest.approx(lcg.adjoint(name), rel=2e-3, abs=1e-3)
    assert number(page.all("#program td:last-child")[0].text) == pytest.approx(x, rel=1e-3)
    return x


def test_the_point_is_moved_by_mouse_and_keys(page):
    page.open(plot.explain(f1, 5.0))
    assert in_step(page, f1) == 5
    page.drag("#plot .handle", -60)
    assert 2.5 < in_step(page, f1) < 4.5
    before = page.where()
    page.focus("#plot .handle")
    page.press(page.keys.ARROW_RIGHT)
    assert in_step(page, f1) == pytest.approx(before + 0.01)
    page.press(page.keys.PAGE_DOWN)
    assert in_step(page, f1) == pytest.approx(before - 0.09)
    page.press(page.keys.HOME)
    assert in_step(page, f1) == -6
    page.focus("#slide0")
    page.press(page.keys.END)
    assert in_step(page, f1) == 6
    page.drag("#slide0", -40)
    assert -3 < in_step(page, f1) < 3
    page.enter("#controls input[type=number]", "2.5")
    assert in_step(page, f1) == 2.5
    page.press(page.keys.TAB)
    page.until(lambda: page.js("location.hash") == "#at=x%3A2.5")


def test_the_rises_of_the_paths_laid_end_to_end_lead_to_the_tangent(page):
    page.open(plot.explain(f1, 4.0))
    page.settle()
    rises = page.all("#plot line.rise")
    ends = [[float(r.get_attribute(k)) for k in ("y1", "y2")] for r in rises]
    tangent = float(page.one("#plot line.tangent").get_attribute("y2"))
    assert ends[0][1] == pytest.approx(ends[1][0]) and ends[1][1] == pytest.approx(tangent, abs=0.02)
    lefts = [page.js(f"document.querySelectorAll('.fall i')[{k}].style.cssText") for k in range(3)]
    assert all("left" in left and "width" in left for left in lefts)


def test_over_two_parameters_the_point_moves_in_the_plane(page):
    page.open(plot.explain(beale, 1.0, 2.0))
    page.drag("#plot .handle", 50, 30)
    x, y = (page.js(f"document.querySelectorAll('#controls input[type=number]')[{k}].valueAsNumber") for k in (0, 1))
    assert x > 1.3 and y < 1.9
    assert page.js("window.tinyspad.value()") == pytest.approx(beale(x, y), rel=1e-5)
    page.press(page.keys.ARROW_UP, page.keys.ARROW_LEFT)
    assert page.js("document.querySelectorAll('#controls input[type=number]')[1].valueAsNumber") == pytest.approx(
        y + 0.01
    )
    assert len(page.all("#plot .iso")) > 4 and len(page.all("#plot line.rise")) == 9
    page.choose("#param", "y")
    assert len(page.all(".ledger tbody tr")) == 3
    page.button("Zoom in").click()
    page.button("Zoom out").click()


# --- what lights up ---------------------------------------------------------------------------------------------------


def test_a_path_lights_up_by_mouse_and_keys(page):
    page.open(plot.explain(f1, 5.0))
    rows, lit = page.all(".ledger tbody tr"), lambda: len(page.all("#drawing .edge.lit"))
    assert lit() == 0
    page.chains().move_to_element(rows[0]).perform()
    assert lit() == 3 and "da/dx1 ⋅ dz/da = 10 ⋅ 2.408 = 24.08" in page.text("#told")
    assert [r.text for r in page.all("#program tr.lit td:first-child")][2] == "a ← x1 ** 2"
    assert len(page.all("#formula .lit")) == 1
    page.chains().move_to_element(page.one("#sum")).perform()
    assert lit() == 0
    page.focus(".ledger button")
    page.press(page.keys.ARROW_DOWN)
    assert lit() == 5 and "4 ⋅ (−0.9129) ⋅ 1 ⋅ 25 = −91.29" in page.text("#told")
    page.press(page.keys.ENTER)
    page.focus("#theme")
    assert lit() == 5 and page.all(".ledger button")[1].get_attribute("aria-pressed") == "true"
    page.focus(".ledger button")
    page.press(page.keys.ARROW_DOWN, page.keys.ESCAPE)
    page.focus("#theme")
    assert lit() == 0


def test_a_node_tells_its_adjoint_as_a_sum_over_its_readers(page):
    page.open(plot.explain(f1, 5.0))
    page.all("#drawing .node")[0].click()
    told = page.text("#told")
    assert (
        "2 readers, x1 and x2; its adjoint, how fast f moves with it, is 24.08 + (−91.29) = −67.21. 2 paths lead through it."
        in told
    )
    page.press(page.keys.ARROW_RIGHT, page.keys.ENTER)
    assert (
        "one reader, a; its adjoint, how fast f moves with it, is 10 ⋅ 2.408 = 24.08. One path leads through it. Esc"
        in page.text("#told")
    )
    assert page.all("#drawing .node")[1].get_attribute("aria-pressed") == "true"
    page.press(page.keys.ESCAPE)
    assert page.text("#told").startswith("Point at a path")
    page.all("#program tr")[2].click()
    assert page.text("#told").startswith("a = x1 ** 2 = 25 has one reader")


# --- tabs -------------------------------------------------------------------------------------------------------------


def test_tabs_by_mouse_and_keys(page):
    page.open(plot.explain(f1, 5.0))
    for name in ("sweep", "race", "along", "paths"):
        page.one(f"#tab-{name}").click()
        assert (
            page.one(f"#{name}").is_displayed()
            and len([t for t in page.all("[role=tabpanel]") if t.is_displayed()]) == 1
        )
    page.focus("#tab-paths")
    page.press(page.keys.ARROW_LEFT)
    assert page.one("#along").is_displayed() and page.js("document.activeElement.id") == "tab-along"
    assert page.one("#tab-along").get_attribute("aria-selected") == "true"
    page.open(plot.explain(f1, 5.0), "#tab=race")
    assert page.one("#race").is_displayed()


def test_the_sweep_is_stepped_through(page):
    lcg = ts.trace(f1, 5.0)
    page.open(plot.step_through(lcg))
    steps = lcg.reverse_steps()
    told = lambda: page.text("#sweep .say").replace("−", "-").replace("⋅", "*").rstrip(".")  # noqa: E731
    assert told().startswith("Nothing is known yet")
    for k, step in enumerate(steps):
        page.button("Next").click()
        assert told() == step.told and f"{k + 1} of {len(steps)}" in page.text("#sweep")
        assert len(page.all("#drawing .node.now")) == 1 and len(page.all("#drawing .node.done")) == k
    assert page.button("Next").get_attribute("aria-disabled") == "true"
    page.button("Back").click()
    assert told() == steps[-2].told
    page.button("First").click()
    assert told().startswith("Nothing")
    page.button("Last").click()
    assert told() == steps[-1].told
    page.focus("#sweep button[aria-label=Back]")
    page.press(page.keys.HOME)
    page.press(page.keys.ARROW_RIGHT)
    assert told() == steps[0].told
    page.press(page.keys.END, page.keys.ARROW_LEFT)
    assert told() == steps[-2].told
    page.choose("#sweep select", "count: number of paths")
    page.button("Last").click()
    assert told().endswith("1 + 1 = 2 paths")
    page.choose("#sweep select", "largest: the largest product")
    assert "max(" in told() and "91.29" in told()
    page.button("Play").click()
    page.until(lambda: "2 of 8" in page.text("#sweep"))
    page.button("Pause").click()


def racers(page):
    rows = [[cell.text for cell in row.find_elements("css selector", "td")] for row in page.all("#race tbody tr")]
    return {row[0]: row[1:] for row in rows if row[0]}


def test_the_race_runs_tinyspads_estimators(page):
    page.open(plot.explain(f1, 5.0), "#tab=race")
    for _ in range(20):
        page.button("One step").click()
    assert "20 steps" in page.text("#race")
    gd = ts.minimize(f1, 5.0, optimizer=ts.Adam(lr=0.01), steps=20)
    assert number(racers(page)["GD, all paths"][0]) == pytest.approx(gd.x, rel=1e-3)
    assert {r[2] for name, r in racers(page).items() if name.startswith("RAD")} <= {"path 0", "path 1"}
    assert page.all("#drawing .follow") and len(page.all("#plot g > path[transform]")) >= 3
    page.focus("#race tbody tr:nth-child(6) input")
    page.press(page.keys.SPACE)
    alone = ts.minimize(f1, 5.0, estimator=ts.FixedPath(0), optimizer=ts.Adam(lr=0.01), steps=20)
    assert number(racers(page)["path 0 alone"][0]) == pytest.approx(alone.x, rel=1e-3)
    page.button("Restart here").click()
    assert "0 steps" in page.text("#race")
    for name, keys in {"rate": "0.001", "hold": "7", "seed": "3"}.items():
        page.enter(f"#race-{name}", keys + page.keys.TAB)
    page.choose("#race-optimizer", "SGD")
    page.choose("#race-moments", "per path")
    for _ in range(3):
        page.button("One step").click()
    sgd = ts.minimize(f1, 5.0, optimizer=ts.SGD(lr=0.001), steps=3)
    assert number(racers(page)["GD, all paths"][0]) == pytest.approx(sgd.x, rel=1e-3)
    page.choose("#race-speed", "20 steps")
    page.button("▶ Run").click()
    page.until(lambda: "100 steps" < page.text("#race b") or "200" in page.text("#race b"))
    page.button("❚❚ Pause").click()
    said = page.js("document.querySelector('#race [aria-live]').textContent")
    assert said.startswith("After ") and "GD, all paths at x" in said


def test_over_two_parameters_runs_leave_their_ways(page):
    page.open(plot.explain(beale, 1.0, 2.0), "#tab=race")
    page.button("▶ Run").click()
    page.until(lambda: len(page.js("document.querySelector('#plot g path[fill=none]')?.getAttribute('d') || ''")) > 200)
    page.button("❚❚ Pause").click()
    page.one("#tab-paths").click()
    assert not page.all("#drawing .follow") and not page.all("#plot g[aria-hidden] path")


def test_contributions_along_the_axis_have_a_cursor(page):
    page.open(plot.explain(f1, 5.0), "#tab=along")
    told = lambda: page.text("#along p")  # noqa: E731
    assert told() == "x = 5: path 0 24.08, path 1 −91.29; their sum, the slope, −67.21"
    page.drag("#alongs svg", 80)
    moved = page.where()
    assert 0.5 < moved < 2.5 and in_words(told()) == pytest.approx(moved, rel=1e-3)
    page.focus("#alongs svg")
    page.press(page.keys.ARROW_RIGHT)
    assert page.where() == pytest.approx(moved + 0.12, abs=1e-4)
    assert page.one("#alongs svg").get_attribute("aria-valuetext") == told()
    page.press(page.keys.HOME)
    assert page.where() == -6
    page.press(page.keys.END)
    assert page.where() == 6


def in_words(text):
    return number(text.split(":")[0].split("=")[1])


# --- the tour ---------------------------------------------------------------------------------------------------------


def test_the_tour_is_walked_from_end_to_end(page):
    page.open(plot.explain(f1, 5.0))
    found = lambda: page.text("#found").startswith("✓")  # noqa: E731
    page.button("Take the tour").click()
    assert not found()
    page.until(lambda: "tour=1" in page.js("location.hash"))
    page.all("#drawing .node")[0].click()
    assert found()
    page.one("#tour nav button:nth-last-child(2)").click()
    assert not found()
    for row in page.all(".ledger tbody tr"):
        page.chains().move_to_element(row).perform()
    assert found()
    page.one("#tour nav button:nth-last-child(2)").click()
    page.enter("#controls input[type=number]", "5.48")
    assert found()
    for step in (4, 5, 6):
        page.one(f"#tour nav a:nth-of-type({step})").click()
        page.choose("#race-speed", "20 steps")
        assert f"{step}. " in page.text("#tour h3") and not found()
        page.one("#tour-run").click()
        page.until(found)
    gd, rad, held = (number(racers(page)[name][0]) for name in ("GD, all paths", "RAD, a fresh draw", "RAD, held"))
    assert gd == pytest.approx(5.475, abs=0.01) and abs(rad - 5.475) < 0.1 and abs(held) < 3.5
    page.button("Leave the tour").click()
    assert page.button("Take the tour").is_displayed()
    page.open(plot.explain(f1, 5.0), "#tour=3")
    assert page.text("#tour h3").startswith("3. ")
    page.open(plot.explain(parse("x*x"), 5.0), "#tour=3")
    assert not page.all("#tour h3")


def next_step(page):
    page.one("#tour nav button:nth-last-child(2)").click()
    page.settle()


def test_a_step_of_the_tour_begins_at_its_own_point_with_nothing_selected_and_no_race(page):
    page.open(plot.explain(f1, 5.0), "#tour=1")
    page.all("#drawing .node")[0].click()
    assert "Esc lets go of it" in page.text("#told") and page.all("#drawing .chosen")
    next_step(page)
    assert not page.all("#drawing .chosen") and page.text("#told").startswith("Point at a path")
    page.all(".ledger button")[1].click()
    page.enter("#controls input[type=number]", "2")
    next_step(page)
    page.chains().move_to_element(page.one("#title")).perform()
    page.settle()
    assert page.where() == 5 and not page.all("#drawing .lit") and not page.all("#plot .dim")
    page.one("#tour nav a:nth-of-type(6)").click()
    assert page.where() == 5.4748 and {row[0] for row in racers(page).values() if row[0]} == {"5.475"}
    page.one("#tour-run").click()
    page.until(lambda: "✓" in page.text("#found"))
    assert page.text("#tour-steps").split(" steps: ")[1].startswith("GD 5.475; RAD 5.")
    page.button("Done").click()
    assert page.text("#race .controls button") == "▶ Run" and not page.all("#tour h3")
    done = page.text("#race b")
    page.settle()
    assert page.text("#race b") == done


def test_escape_lets_go_wherever_the_focus_is(page):
    page.open(plot.explain(f1, 5.0))
    page.all("#drawing .node")[2].click()
    page.focus("#theme")
    page.press(page.keys.ESCAPE)
    assert not page.all("#drawing .chosen")


def test_edges_nodes_and_slopes_light_their_paths(page):
    page.open(plot.explain(f1, 5.0))
    point_at = (
        """(e => e.dispatchEvent(new PointerEvent("{}", {{bubbles: {}}})))(document.querySelectorAll("{}")[{}])"""
    )
    told = lambda: page.text("#told")  # noqa: E731
    page.js(point_at.format("pointerenter", "false", "#drawing .hit", 5))
    assert told().startswith("Path 1 of x") and len(page.all("#drawing .edge.lit")) == 5
    page.js(point_at.format("pointerleave", "false", "#drawing .hit", 5))
    assert not page.all("#drawing .edge.lit")
    for tab in ("race", "along", "sweep", "paths"):
        page.one(f"#tab-{tab}").click()
        page.chains().move_to_element(page.all("#drawing .node")[1]).perform()
        assert told().startswith("Path 0 of x"), tab
        page.chains().move_to_element(page.all("#drawing .node")[0]).perform()
        assert len(page.all("#drawing .edge.lit")) == 8, tab
        page.chains().move_to_element(page.one("#title")).perform()
        assert "Point at" in told() and ("a row" in told()) == (tab == "paths")
    page.chains().move_to_element(page.all("#plot line.rise")[1]).perform()
    assert told().startswith("Path 1 of x")
    page.chains().move_to_element(page.one("#title")).perform()
    page.js(point_at.format("pointerover", "true", "#plot .hit", 0))
    assert told().startswith("Path 0 of x")
    page.js(point_at.format("pointerover", "true", "#plot .curve", 0))
    assert not page.all("#drawing .edge.lit")


def test_a_race_stops_by_itself_and_starts_again_where_the_point_is_dragged(page):
    page.open(plot.explain(f1, 5.0), "#tab=race")
    assert page.text("#sum").startswith("At the start of the race, x = 5, f is 60.2")
    assert page.text("#told").startswith("Numbers are those of the start")
    page.choose("#race-speed", "100 steps")
    page.button("▶ Run").click()
    page.until(lambda: page.text("#race b") == "5000 steps, where it stops")
    assert page.text("#race .controls button") == "▶ Run"
    said = "document.querySelector('#race [aria-live]').textContent"
    assert page.js(said).startswith("After 5")
    page.drag("#plot .handle", -30)
    assert page.text("#race b") == "0 steps" and page.js(said) == ""
    page.choose("#race-speed", "1 step")
    page.button("▶ Run").click()
    page.until(lambda: page.text("#race b") > "1")
    page.focus("#plot .handle")
    page.press(page.keys.ARROW_LEFT)
    assert page.text("#race b") == "0 steps" and page.text("#race .controls button") == "▶ Run"
    assert number(racers(page)["GD, all paths"][0]) == pytest.approx(page.where(), rel=1e-3)


def test_racers_at_one_spot_are_all_seen(page):
    page.open(plot.explain(f1, 5.0), "#tab=race")
    marks = page.js("[...document.querySelectorAll('#plot g > path[transform]')].map(p => p.getAttribute('transform'))")
    spots = [tuple(float(x) for x in mark[10 : mark.index(")")].split(",")) for mark in marks]
    handle = tuple(float(page.one("#plot .handle").get_attribute(k)) for k in ("cx", "cy"))
    apart = [np.hypot(p[0] - q[0], p[1] - q[1]) for p in spots for q in [*spots, handle] if p is not q]
    assert len(spots) == 3 and min(apart) >= 12


def test_what_cannot_be_meant_goes_back_to_what_was(page):
    page.open(plot.explain(f1, 5.0), "#tab=race")
    page.enter("#controls input[type=number]", page.keys.BACKSPACE + page.keys.TAB)
    assert page.where() == 5
    page.enter("#race-hold", "0" + page.keys.TAB)
    assert page.js("document.querySelector('#race-hold').value") == "1"
    page.enter("#race-rate", page.keys.BACKSPACE + page.keys.TAB)
    assert page.js("document.querySelector('#race-rate').value") == "0.01"


def test_tiny_numbers_of_a_large_scale_are_about_0(page):
    page.open(plot.explain(parse("x**40"), 0.9), "#tab=race")
    page.enter("#race-rate", "0.89" + page.keys.TAB)
    page.choose("#race-optimizer", "Adam")
    page.button("One step").click()
    assert racers(page)["GD, all paths"][1] == "about 0"
    page.open(plot.explain(parse("3*x - x*3"), 0.1))
    page.js("window.tinyspad.set('x', 0.3)")
    assert page.text("#sum").endswith("3 + (−3) = 0, the sum of 2 paths.")
    page.open(plot.explain(f1, 0.0))
    assert len(page.all(".ledger .fall i")) == 0


def test_the_view_follows_the_point_and_comes_back(page):
    page.open(plot.explain(f1, 5.0))
    view = lambda: [float(page.one("#slide0").get_attribute(k)) for k in ("min", "max")]  # noqa: E731
    assert view() == [-6, 6]
    page.enter("#controls input[type=number]", "100" + page.keys.TAB)
    assert view() == [94, 106]
    page.enter("#controls input[type=number]", "5" + page.keys.TAB)
    assert view() == [-6, 6]
    for _ in range(5):
        page.button("Zoom out").click()
    page.settle()
    low, high = view()
    assert high - low == pytest.approx(48) and page.button("Zoom out").get_attribute("aria-disabled") == "true"
    page.button("The view at first").click()
    page.settle()
    assert view() == [-6, 6] and page.button("Zoom out").get_attribute("aria-disabled") == "false"
    page.button("Zoom in").click()
    page.settle()
    narrow = np.diff(view())[0]
    page.enter("#controls input[type=number]", "-5" + page.keys.TAB)
    assert np.diff(view())[0] == pytest.approx(narrow) and view()[0] < -5 < view()[1]
    page.open(plot.explain(parse("sin(2000*x)"), 1.0))
    assert "zoom in" in page.text("#curve-title")


def test_nothing_is_drawn_out_of_the_plot_or_cut(page):
    page.open(plot.explain(parse("x**4 * 1000"), 9.9))
    page.settle()
    assert (
        page.js("getComputedStyle(document.querySelector('#plot .tangent').parentNode.parentNode).clipPath") != "none"
    )
    lefts = "[...document.querySelectorAll('#plot .tick')].map(t => t.getBoundingClientRect().left)"
    assert min(page.js(lefts)) >= page.js("document.querySelector('#plot').getBoundingClientRect().left")
    for width in (360, 1280):
        page.open(plot.explain(f1, 5.0), size=(width, 800))
        factors = ".ledger tbody tr:nth-child(2) td.factors"
        assert page.js(f"(e => e.scrollWidth <= e.clientWidth)(document.querySelector('{factors}'))"), width
        assert page.one(factors).is_displayed()
        beneath = """[...document.querySelectorAll("#drawing .weight")].every(label =>
            [...document.querySelectorAll("#drawing .node")].every(node =>
                node.compareDocumentPosition(label) & Node.DOCUMENT_POSITION_FOLLOWING))"""
        assert page.js(beneath) and len(page.all("#drawing .weight rect")) == 6


def test_step_6_fits_into_the_first_screen(page):
    page.open(plot.explain(f1, 5.0), "#tour=6")
    page.choose("#race-speed", "100 steps")
    page.one("#tour-run").click()
    page.until(lambda: "✓" in page.text("#found") and "stops" in page.text("#race b"))
    assert page.js("document.documentElement.scrollHeight") <= 800


def test_on_a_telephone_the_slope_stays_in_sight_and_the_task_beside_what_it_is_about(page):
    page.open(plot.explain(f1, 5.0), "#tour=2", size=(360, 740))
    top = lambda selector: page.js(f"document.querySelector('{selector}').getBoundingClientRect().top")  # noqa: E731
    assert top("#drawing") < top("#tour h3") < top(".ledger")
    page.session.execute_script("window.scrollTo(0, 500)")
    assert top("#sum") == 0
    page.one("#tour nav a:nth-of-type(4)").click()
    page.settle()
    assert top("#tour h3") < top("#plot") and top("#race tbody") < top("#race-rate")


def test_words_are_explained_where_they_stand(page):
    page.open(plot.explain(f1, 5.0), "#tab=race")
    assert not page.one("#race dl").is_displayed()
    page.focus("#race summary")
    page.press(page.keys.ENTER)
    told = page.text("#race dl")
    assert all(word in told for word in ("SPAD", "RAD", "Adam", "per parameter", "SGD"))
    page.one("#tab-paths").click()
    assert "squares" not in page.text("#shapes") and "diamonds" in page.text("#shapes")
    page.open(plot.explain(parse("sin(x)"), 1.0))
    assert "squares" in page.text("#shapes") and "diamond" not in page.text("#shapes") + page.text("#read-once")


def test_only_what_scrolls_is_a_stop_of_the_tab_key(page):
    page.open(plot.explain(f1, 5.0))
    stops = "['formula', 'program'].map(id => document.getElementById(id).tabIndex)"
    assert page.js(stops) == [-1, -1]
    page.open(plot.explain(parse("+".join(f"sin({k}*x)" for k in range(9))), 1.0), size=(360, 740))
    assert page.js(stops) == [0, 0]


# --- typed, folded, given ---------------------------------------------------------------------------------------------


def test_the_playground_takes_formulas_and_is_shared_by_link(page):
    page.open(playground())
    page.enter("#text", "x*y + foo(x)")
    with pytest.raises(ExpressionError) as problem:
        parse("x*y + foo(x)")
    assert page.text("#problem") == problem.value.message
    assert page.js("window.tinyspad.value()") == 5 * 1 + 1  # of x*y + foo, the last good one that was passed through
    page.chains().send_keys(page.keys.BACKSPACE * 9).perform()
    page.press(page.keys.ENTER)
    assert page.text("#problem") == ""
    page.focus("#slide1")
    page.press(page.keys.END)
    value = page.js("window.tinyspad.value()")
    link = page.until(lambda: "f=x*y" in (link := page.js("location.href")) and "y%3A2" in link and link)
    page.session.get("about:blank")
    page.session.get(link)
    assert page.js("document.getElementById('text').value") == "x*y" and page.js("window.tinyspad.value()") == value
    page.choose("#preset", "Beale")
    page.settle()
    assert len(page.all("#plot .iso")) > 4 and page.text("#title") == "Beale"
    page.choose("#preset", "The paper's Example 1")
    assert page.button("Take the tour").is_displayed()


NASTY = [
    "sqrt(x)*sqrt(x)",
    "x**x",
    "1/x*x",
    "x*0",
    "x",
    "log(x)*log(y)",
    "x/y",
    "(x**y)/(0*0)",
    "arctanh(x)+y % x",
    "1e300*x*x*y",
]


@pytest.mark.parametrize("formula", NASTY)
def test_where_numbers_are_infinite_or_none_nothing_breaks(page, formula):
    page.open(playground())
    page.enter("#text", formula)
    for x in (0, -2, 1e6, 1e-300):
        page.js(f"Object.keys(tinyspad.gradient()).forEach(name => tinyspad.set(name, {x}))")
        for tab in ("sweep", "race", "along", "paths"):
            page.session.execute_script("document.getElementById(arguments[0]).click()", f"tab-{tab}")
            if tab == "race":
                page.button("One step").click()
            if tab == "sweep":
                page.button("Last").click()
        assert page.text("#sum").startswith("At ")


def test_many_nodes_are_folded_and_unfolded(page):
    page.open(plot.explain(parse(MANY), 0.7, 0.2))
    nodes = lambda: len(page.all("#drawing .node"))  # noqa: E731
    first = nodes()
    assert first <= 60 and "folded" in page.text("#folding")
    page.session.execute_script("document.querySelector('.node.fold').dispatchEvent(new Event('click'))")
    second = nodes()
    assert second > first
    page.press(page.keys.ENTER)
    assert nodes() >= second
    page.button("Unfold all").click()
    assert nodes() == page.js(
        "Number(document.querySelector('#drawing svg').getAttribute('aria-label').match(/[0-9]+/)[0])"
    )
    page.button("Fold again").click()
    assert nodes() == first


def test_what_is_too_large_is_not_unfolded_at_once(page):
    page.open(playground())
    for operations in (250, 400):
        text = "+".join(["x"] * (operations + 1))
        page.session.execute_script(
            "const f = document.querySelector('#text'); f.value = arguments[0]; f.dispatchEvent(new Event('input'))",
            text,
        )
        assert "folded" in page.text("#folding") and len(page.all("#drawing .node")) <= 60
        assert ("Unfold all" in page.text("#folding")) == (operations < 300)
    page.enter("#text", "+".join(["x*y"] * 50))
    begun = time.monotonic()
    page.button("Unfold all").click()
    page.settle()
    assert len(page.all("#drawing .node")) == 201 and time.monotonic() - begun < 5


def test_what_python_computed_is_stepped_without_dragging(page):
    at = np.full((2, 3), 0.3), np.array([1.0, 2.0, 3.0])
    lcg = ts.trace(lambda W, x: np.sum(np.tanh(W @ x) ** 2), *at)
    page.open(plot.explain(lcg))
    assert page.text("#told") == "Stepped with Python's numbers, without dragging: W is an array."
    assert [t.text for t in page.all("[role=tab]") if t.is_displayed()] == ["Paths", "Sweep"]
    assert number(page.one(".ledger tbody .number").text) == pytest.approx(
        np.linalg.norm(lcg.gradient()["W"]), rel=1e-3
    )
    page.one("#tab-sweep").click()
    for step in lcg.reverse_steps():
        page.button("Next").click()
        assert page.text("#sweep .say").replace("−", "-").replace("⋅", "*").rstrip(".") == step.told
    page.open(plot.explain(lambda x: np.where(x > 0, x * x, x), 2.0))
    assert number(page.one(".ledger tfoot .number").text) == 4


# --- how it looks -----------------------------------------------------------------------------------------------------

PAGES = {
    "f1": lambda: plot.explain(f1, 5.0),
    "beale": lambda: plot.explain(beale, 1.0, 2.0),
    "many": lambda: plot.explain(parse(MANY), 0.7, 0.2, title="t" * 400),
    "matrices": lambda: plot.explain(lambda W, x: np.sum(np.tanh(W @ x) ** 2), np.ones((2, 3)), np.ones(3)),
    "names": lambda: plot.explain(
        lambda learning_rate_of_the_second_layer, λ: learning_rate_of_the_second_layer * λ, 1.0, 2.0
    ),
    "playground": playground,
}


@pytest.mark.parametrize("name", PAGES)
def test_it_fits_at_every_width(page, name):
    page.open(PAGES[name]())
    for width in (360, 800, 1600):
        page.size(width, 800)
        for tab in [t for t in page.all("[role=tab]") if t.is_displayed()]:
            tab.click()
            page.settle()
            assert page.js("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), (
                width,
                tab.text,
            )


@pytest.mark.parametrize("name", ["f1", "beale"])
def test_the_first_screen_holds_formula_curve_graph_and_ledger(page, name):
    page.open(PAGES[name]())
    page.settle()
    for selector in ("#formula", "#sum", "#plot", "#controls", "#drawing", "#program", ".ledger tfoot"):
        bottom = page.js(f"document.querySelector('{selector}').getBoundingClientRect().bottom")
        assert 0 < bottom <= 800, selector
    for tab in page.all("[role=tab]"):
        tab.click()
        page.settle()
        assert page.js("document.documentElement.scrollHeight") <= 800, tab.text


@pytest.mark.parametrize("name", PAGES)
def test_everything_that_can_be_used_has_a_name(page, name):
    page.open(PAGES[name]())
    unnamed = """[...document.querySelectorAll("button, input, select, a, [role=slider], [role=button], [role=application]")]
        .filter(e => !(e.getAttribute("aria-label") || (e.labels && e.labels.length) || e.textContent.trim()))
        .map(e => e.outerHTML)"""
    for tab in [t for t in page.all("[role=tab]") if t.is_displayed()]:
        tab.click()
        assert page.js(unnamed) == []


def test_light_and_dark(page):
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.session.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    page.open(plot.explain(beale, 1.0, 2.0))
    ground = lambda: page.js("getComputedStyle(document.documentElement).backgroundColor")  # noqa: E731
    assert ground() == "rgb(20, 23, 26)"
    page.button("Light or dark").click()
    assert ground() == "rgb(255, 255, 255)"
    page.focus("#theme")
    page.press(page.keys.ENTER)
    assert ground() == "rgb(20, 23, 26)"


def test_in_a_notebook_it_is_as_high_as_it_asks_and_as_dark_as_the_notebook(page):
    shown = plot.explain(f1, 5.0)._repr_html_()
    page.open(f'<!DOCTYPE html><body style="background:#111;color:#eee"><div>{shown}</div>', size=(900, 700))
    height = lambda: page.js("document.querySelector('iframe').offsetHeight")  # noqa: E731
    page.until(lambda: height() > 900)
    page.session.switch_to.frame(page.one("iframe"))
    page.until(lambda: page.js("document.documentElement.dataset.theme") == "dark")
    assert page.js("document.documentElement.scrollHeight <= innerHeight + 1")
    page.session.switch_to.default_content()
