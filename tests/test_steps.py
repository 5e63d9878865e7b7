"""Reverse accumulation step by step: against brute force; and the pages, in a browser where there is one."""

import json
import re
import shutil

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from programs import Program

import tinyspad as ts
from tinyspad import plot
from tinyspad.__main__ import main
from tinyspad.errors import BadInput, NotScalar
from tinyspad.lcg import waiting
from tinyspad.plot.palette import GREEN, ORANGE, YELLOW

f1 = ts.functions.f1


def adjoint_by_hand(lcg, name):
    """d output / d node: the sum over all ways on, by recursion over the named edges."""
    if name == lcg.names[lcg.structure.output]:
        return 1.0
    return sum(w * adjoint_by_hand(lcg, head) for tail, head, w in lcg.edges if tail == name)


# --- the steps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(15))
def test_steps_find_every_adjoint_and_wait_for_every_reader(seed):
    program = Program(seed, length=7)
    lcg = ts.trace(program, *program.point(seed))
    seen, readers = set(), {name: {head for tail, head, _ in lcg.edges if tail == name} for name in lcg.names}
    steps = lcg.reverse_steps()
    for step in steps:
        assert readers[step.node] <= seen, "a node went before one of its readers"
        seen.add(step.node)
        assert step.adjoint == pytest.approx(adjoint_by_hand(lcg, step.node), rel=1e-9, abs=1e-12)
        assert set(step.sends) == {tail for tail, head, _ in lcg.edges if head == step.node}
        pending_now = waiting(steps[: len(seen)])
        assert set(pending_now) == {tail for tail, head, _ in lcg.edges if head in seen and tail not in seen}
        for name, pending in pending_now.items():
            heard = [(head, w) for tail, head, w in lcg.edges if tail == name and head in seen]
            assert (pending.arrived, pending.readers) == (len(heard), len(readers[name]))
            partial = sum(w * adjoint_by_hand(lcg, head) for head, w in heard)
            assert pending.sum == pytest.approx(partial, rel=1e-9, abs=1e-12)
    assert not waiting(steps) and seen == {name for name in lcg.names if adjoint_by_hand(lcg, name) or readers[name]}


def test_steps_of_arrays_and_of_nothing():
    lcg = ts.trace(lambda w: np.sum(np.tanh(w) * w), np.ones((2, 3)))
    steps = lcg.reverse_steps()
    np.testing.assert_allclose(steps[-1].adjoint, lcg.gradient()["w"])
    assert "array 2x3" in steps[-1].told
    assert ts.trace(lambda x: 3.0, 1.0).reverse_steps() == []
    (only,) = ts.trace(lambda x: x, 1.0).reverse_steps()
    assert (only.node, only.adjoint) == ("x", 1.0)
    with pytest.raises(NotScalar):
        ts.trace(lambda w: w @ w, np.ones((2, 2))).reverse_steps()


def test_a_long_chain_has_steps_without_recursion():
    def chain(x):
        for _ in range(5000):
            x = np.sin(x)
        return x

    assert len(ts.trace(chain, 1.0).reverse_steps()) == 5001


# --- the frames -----------------------------------------------------------------------------------------------------


def faces(ax, sketch):
    """The fill of every node's marker, by name."""
    marks = [line for line in ax.lines if line.get_marker() in ("o", "s", "D")]
    at = {(line.get_xdata()[0], line.get_ydata()[0]): to_hex(line.get_markerfacecolor()) for line in marks}
    return {sketch.parts[v].name: at[place] for v, place in sketch.places.items()}


def test_frames_colour_who_is_done_and_who_waits():
    player = plot.step_through(ts.trace(f1, 5.0))
    assert len(player) == 9 and "frames" in repr(player)
    first, half, last = (faces(player.draw(i), player.sketch) for i in (0, 6, 8))
    assert set(first.values()) == {"#ffffff"}
    sixth = player.steps[5]
    assert half[sixth.node] == to_hex(YELLOW) and half["z"] == to_hex(GREEN)
    assert {name for name, p in sixth.sends.items() if p.arrived < p.readers} == {"x"}
    assert half["x"] == to_hex(ORANGE)
    assert last["x"] == to_hex(YELLOW) and set(last.values()) == {to_hex(YELLOW), to_hex(GREEN)}
    notes = [text.get_text() for text in player.draw(6).texts]
    assert any("(1 of 2)" in note for note in notes)


def test_captions_tell_the_sum_at_a_tupling_node():
    player = plot.step_through(ts.trace(f1, 5.0))
    assert "24.08 + (-91.29) = -67.21" in player.caption(8)
    assert "x waits for 1 of 2" in player.caption(6)
    with pytest.raises(BadInput, match="no frame 9"):
        player.draw(9)
    with pytest.raises(BadInput, match="takes what trace"):
        plot.step_through(f1)


def test_the_player_leaves_no_figure_open_and_obeys_ax():
    player = plot.step_through(ts.trace(lambda x: x * x, 3.0))
    page = player.html()
    assert plt.get_fignums() == []
    assert page.count("data:image/png;base64") == len(player) == 5
    assert "http" not in page and 'class="fa' not in page and player._repr_html_().count("<button") == 9
    ax = plt.subplots()[1]
    assert player.draw(2, ax) is ax


def test_the_player_is_the_same_whatever_rc_params_say(recwarn):
    with plt.rc_context({"figure.constrained_layout.use": True, "savefig.bbox": "tight"}):
        assert plot.step_through(ts.trace(lambda x: x * x, 3.0)).html().count("data:image/png") == 5


def test_a_wide_graph_steps_in_linear_time():
    """Counted, not timed: what the steps hold grows with the edges."""
    for n in (10, 1000):
        steps = ts.trace(lambda x: sum([x] * n), 1.0).reverse_steps()
        held = sum(len(step.sends) for step in steps)
        assert (
            held == len(ts.trace(lambda x: sum([x] * n), 1.0).structure.head) and max(len(s.told) for s in steps) < 300
        )


def test_explain_escapes_and_counts():
    page = plot.explain(ts.trace(lambda x: x * x, 3.0), "<b>x & y</b>")
    assert "<b>x" not in page and "&lt;b&gt;x &amp; y" in page
    many = plot.explain(ts.trace(lambda x: (lambda a: (a * a) * (a * a))(x * x), 1.5), limit=3)
    assert "x has 8 paths, too many to list here" in many and "The largest:" in many
    assert "sum over 0 paths" in plot.explain(ts.trace(lambda x, y: x * x, 3.0, 1.0))
    for constant in (lambda x: 3.0, lambda z: 3.0):
        assert "sum over 0 paths" in plot.explain(ts.trace(constant, 1.0))
        player = plot.step_through(ts.trace(constant, 1.0))
        assert len(player) == 1 and "nothing to sweep" in player.caption(0)
    with pytest.raises(BadInput, match="takes what trace"):
        plot.explain("x*x")


# --- the command ----------------------------------------------------------------------------------------------------


def test_explain_writes_a_page(capsys, tmp_path):
    out = tmp_path / "new folder" / "page.html"
    assert main(["explain", "-x**2*(2+cos(4*x))", "x=5", "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == f"The page: {out}"
    page = out.read_text(encoding="utf-8")
    for part in ("x1, x2 &lt;- x", "sum over 2 paths", "<svg", "anim-slider", "-x**2*(2+cos(4*x)) at x = 5"):
        assert part in page


@pytest.mark.parametrize(
    "argv, says",
    [
        (["x*x", "x=1", "--out", "page.txt"], "a page is an .html file"),
        (["x*y", "x=1"], "give y=NUMBER"),
        (["log(x)", "x=0"], "outside its domain"),
        (["+".join(["x"] * 60), "x=1"], "readable up to 60"),
        (["x*x", "x=1", "--out", "taken/page.html"], "taken"),
    ],
)
def test_explain_refuses_in_one_line(capsys, tmp_path, monkeypatch, argv, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_bytes(b"")  # a file, where a folder would have to be
    assert main(["explain", *argv]) == 2
    err = capsys.readouterr().err
    assert says in err and len(err.splitlines()) == 1 and [p.name for p in tmp_path.iterdir()] == ["taken"]


# --- in a browser ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium that keeps its console and every request it makes; Debian: chromium, chromium-driver."""
    webdriver = pytest.importorskip("selenium.webdriver")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    session = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield session
    session.quit()


def requests(browser):
    """What the page asked for, besides what it carries in itself."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith(("data:", "blob:", "chrome:", "about:"))]


@pytest.mark.parametrize("kind", ["page", "player"])
def test_the_page_works_in_a_browser(browser, tmp_path, kind):
    lcg = ts.trace(f1, 5.0)
    file = tmp_path / f"{kind}.html"
    if kind == "page":
        file.write_text(plot.explain(lcg, "f1 at x = 5"), encoding="utf-8")
    else:
        plot.step_through(lcg).save(file)
    browser.get_log("performance"), browser.get_log("browser")
    browser.get(file.as_uri())
    from selenium.webdriver.support.ui import WebDriverWait

    wait = WebDriverWait(browser, 10)
    picture = browser.find_element("css selector", ".animation img")
    slider = browser.find_element("css selector", "input.anim-slider")
    wait.until(
        lambda b: picture.get_attribute("src").startswith("data:") and picture.get_property("naturalWidth") > 300
    )
    buttons = {b.get_attribute("title"): b for b in browser.find_elements("css selector", ".anim-buttons button")}
    assert len(buttons) == 9 and all(b.text and b.is_displayed() for b in buttons.values())

    def press(name, lands_on):
        before = picture.get_attribute("src")
        buttons[name].click()
        wait.until(lambda b: slider.get_property("value") == str(lands_on))
        assert picture.get_attribute("src") != before

    press("Next frame", 1)
    press("Next frame", 2)
    press("Previous frame", 1)
    press("Last frame", 8)
    press("First frame", 0)
    buttons["Play"].click()
    wait.until(lambda b: int(slider.get_property("value")) >= 2)
    buttons["Pause"].click()
    assert browser.get_log("browser") == []
    assert requests(browser) == [file.as_uri()]
    if kind == "page":
        svg = browser.find_element("css selector", "svg")
        assert svg.size["width"] > 300 and len(browser.find_elements("css selector", "svg text")) > 15
        assert re.search("sum over 2 paths", browser.find_element("tag name", "body").text)
