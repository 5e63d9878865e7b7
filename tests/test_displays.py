"""What results show of themselves: short lines, and HTML in the colours of the page."""

import html
import re

import numpy as np
import pytest

from tinyspad.displays import LONGEST, code, cut, few, line, page, summary, without_middle
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
        (np.zeros(3), "array (3,), 0"),
        (np.zeros((0, 2)), "array (0, 2)"),
        (np.array([[1, 2], [3, 4]]), "array (2, 2), 1 to 4"),
        (np.array([np.inf, np.nan]), "array (2,), 2 not finite"),
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
    assert code("a < b\n" * 1000).count("\n") == 39 and "a &lt; b" in code("a < b")
