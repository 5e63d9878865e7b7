"""Rows and columns: aligned, escaped, and with all digits."""

import csv
import html
import io
import math
import re

import numpy as np
import pytest

from tinyspad.errors import BadInput
from tinyspad.table import Interval, Table

SMALL = Table(
    ("name", "rate", "runs"), [("GD", Interval(7.5, 2.61, 19.9), 40), ("a longer one", 12.25, None)], ("", ".1f")
)


def test_text_is_aligned_and_ends_where_it_ends():
    assert str(SMALL).splitlines() == [
        "name                     rate  runs",
        "GD             7.5 (2.6-19.9)    40",
        "a longer one  12.2",
    ]


def test_left_columns_and_formats_go_by_place():
    table = Table(("a", "a", "a"), [(1, 2.5, 2.5), ("text", -1.0, "text")], ("", ".3f"), left=1)
    assert str(table).splitlines() == ["a          a     a", "1      2.500   2.5", "text  -1.000  text"]
    assert str(Table(("a", "b"), [("x", "y")] * 2, left=2)) == "a  b\nx  y\nx  y"
    assert str(Table(("a", "long"), [("x", 1)], left=0)) == "a  long\nx     1"


def test_rows_may_come_one_by_one_and_are_kept():
    table = Table(("k", "square"), ((k, k * k) for k in range(3)))
    assert str(table) == str(table) and table.rows == ((0, 0), (1, 1), (2, 4))
    assert table == Table(("k", "square"), [(0, 0), (1, 1), (2, 4)])


def test_a_table_without_rows():
    empty = Table(("a", "b"), [])
    assert str(empty) == "a  b" and empty.csv() == "a,b\n" and empty.csv(seed=1) == "a,b,seed\n"
    assert empty.markdown() == "| a | b |\n|---|---|"
    assert re.findall(r"<th[^>]*>(.*?)</th>", empty.html()) == ["a", "b"] and "<td" not in empty.html()


@pytest.mark.parametrize("row", [(), (1,), (1, 2, 3)])
def test_a_row_of_another_length_is_refused(row):
    with pytest.raises(BadInput, match=f"2 columns, and a row of {len(row)} cells"):
        Table(("a", "b"), [(1, 2), row])


def test_markdown_escapes_bars_and_has_one_line_for_a_row():
    table = Table(("|x|", "b\nc"), [("a|b", "two\nlines"), (None, Interval(1.0, 0.5, 2.0))], ("", ".1f"))
    assert table.markdown().splitlines() == [
        r"| \|x\| | b c |",
        "|---|---|",
        r"| a\|b | two lines |",
        "|  | 1.0 (0.5-2.0) |",
    ]
    for line in table.markdown().splitlines():
        assert len(re.findall(r"(?<!\\)\|", line)) == 3


def test_html_escapes_and_reads_back():
    cells = ["<b>&", 'a "quote"', "<script>alert(1)</script>"]
    text = Table(("<th>", "n"), [(cell, k) for k, cell in enumerate(cells)]).html()
    found = [html.unescape(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", text)]
    assert found == ["<th>", "n", "<b>&", "0", 'a "quote"', "1", cells[2], "2"]
    assert "<script" not in text and "<b>" not in text and "color" not in text  # the page's colours, light or dark
    assert text.count("<tr>") == text.count("</tr>") == 4 and text.count("text-align: right") == 4


def test_csv_quotes_and_reads_back():
    cells = ["a,b", 'say "x"', "two\nlines", ""]
    text = Table(("na,me", "k"), [(cell, k) for k, cell in enumerate(cells)]).csv(**{"made with": "this, that"})
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["na,me", "k", "made with"]
    assert rows[1:] == [[cell, str(k), "this, that"] for k, cell in enumerate(cells)]
    assert "\r" not in text and text.endswith("\n")


def test_csv_has_all_digits_whatever_the_format():
    rng = np.random.default_rng(0)
    numbers = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, *rng.normal(size=200) * 10.0 ** rng.integers(-300, 300, 200)]
    rows = [(x, float(x), 3**60) for x in numbers]
    found = list(csv.reader(io.StringIO(Table(("numpy", "python", "n"), rows, (".2f", ".2g")).csv())))[1:]
    assert [[float(a), float(b), int(n)] for a, b, n in found] == [[float(x), float(x), 3**60] for x in numbers]
    assert Table(("x",), [(math.inf,), (math.nan,), (None,)]).csv() == 'x\ninf\nnan\n""\n'


def test_an_interval_takes_three_columns_in_csv_and_one_elsewhere():
    text = SMALL.csv(seed=0)
    assert text == "name,rate,rate_low,rate_high,runs,seed\nGD,7.5,2.61,19.9,40,0\na longer one,12.25,,,,0\n"
    value, low, high = Interval(1.0, 0.5, 2.0)
    assert (value, low, high) == (1.0, 0.5, 2.0) and f"{Interval(-1.0, -2.5, math.inf):.2g}" == "-1 (-2.5-inf)"
