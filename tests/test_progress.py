"""How far a long computation is, where tqdm is installed and where it is not."""

import sys
import types

import pytest

import tinyspad as ts
from tinyspad.progress import Progress


def count(total, wanted, done=0):
    with Progress(total, "step", wanted, done) as bar:
        for at in range(done, total + 1):
            bar.show(at)


@pytest.fixture
def no_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)


def test_nothing_is_shown_unless_it_is_wanted(capsys):
    count(10, False)
    ts.minimize(ts.functions.f1, 5.0, steps=3)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("total", "done", "lines"), [(7, 0, 7), (1000, 0, 100), (1000, 995, 1), (0, 0, 1), (5, 5, 1)])
def test_without_tqdm_a_line_tells_every_percent(no_tqdm, capsys, total, done, lines):
    count(total, True, done)
    out, told = capsys.readouterr()
    assert out == "" and told.endswith(f"\r{total} of {total} steps\n") and told.count("\r") in (lines, lines + 1)


def test_with_tqdm_its_bar_goes_to_the_end(monkeypatch):
    seen = []

    class Bar:
        def __init__(self, total, initial, unit):
            self.n = initial
            seen.append((total, unit))

        def update(self, by):
            self.n += by

        def close(self):
            seen.append(self.n)

    monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=Bar))
    count(20, True, done=4)
    assert seen == [(20, "step"), 20]


def test_an_interrupted_computation_ends_its_line(no_tqdm, capsys):
    with pytest.raises(KeyboardInterrupt), Progress(3, "block", True) as bar:
        bar.show(1)
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "\r1 of 3 blocks\n"
