"""How far a long computation is: on a terminal, with tqdm and without, and through a pipe."""

import sys
import types

import pytest

import tinyspad as ts
from tinyspad import progress
from tinyspad.progress import Progress, duration, shown


def count(total, wanted, done=0):
    with Progress(total, "step", wanted, done) as bar:
        for at in range(done, total + 1):
            bar.show(at)
            Clock.now += 1.0


class Clock:
    """It goes on when it is told to."""

    now = 0.0

    def monotonic(self):
        return Clock.now


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    Clock.now = 0.0
    monkeypatch.setattr(progress, "time", Clock())


@pytest.fixture
def no_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(progress, "is_watched", lambda: True)


def test_nothing_is_shown_unless_it_is_wanted(capsys):
    count(10, False)
    ts.minimize(ts.functions.f1, 5.0, steps=3)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("total", "done", "lines"), [(7, 0, 7), (1000, 0, 100), (1000, 995, 1), (0, 0, 1), (5, 5, 1)])
def test_without_tqdm_a_line_tells_every_percent(no_tqdm, terminal, capsys, total, done, lines):
    count(total, True, done)
    out, told = capsys.readouterr()
    assert out == "" and told.rstrip().endswith(f"\r{total} of {total} steps") and told.endswith("\n")
    assert told.count("\r") in (lines, lines + 1)


def test_the_line_tells_about_how_long_the_rest_takes(no_tqdm, terminal, capsys):
    count(100, True, done=40)
    told = [line.strip() for line in capsys.readouterr().err.split("\r")]
    assert told[1:3] == ["41 of 100 steps, about 59 s left", "42 of 100 steps, about 58 s left"]
    assert told[-1] == "100 of 100 steps"


def test_through_a_pipe_there_is_a_line_now_and_then(no_tqdm, capsys):
    count(1000, True)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["5 of 1000 steps, about 17 min left", "15 of 1000 steps, about 16 min left"]
    assert lines[-1] == "1000 of 1000 steps" and 20 < len(lines) < 60 and not any("\r" in line for line in lines)


def test_through_a_pipe_what_is_quick_tells_nothing(capsys):
    count(4, True)
    assert capsys.readouterr() == ("", "")


def fake_bar(monkeypatch):
    seen = []

    class Bar:
        def __init__(self, total, initial, unit):
            self.n, self.total = initial, total
            seen.append((total, unit))

        def update(self, by):
            self.n += by

        def refresh(self):
            pass

        def close(self):
            seen.append((self.n, self.total))

    monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=Bar))
    return seen


def test_with_tqdm_its_bar_goes_to_the_end(monkeypatch, terminal):
    seen = fake_bar(monkeypatch)
    count(20, True, done=4)
    assert seen == [(20, "step"), (20, 20)]


def test_a_run_that_stops_early_ends_at_a_hundred_percent(monkeypatch, terminal):
    seen = fake_bar(monkeypatch)
    ts.minimize(ts.functions.f1, 5.0, steps=100, callback=lambda step, x, value: step == 7, progress=True)
    assert seen == [(100, "step"), (7, 7)]


def test_without_tqdm_so_does_the_line(no_tqdm, terminal, capsys):
    for step in shown(range(100), "step", True):
        if step == 7:
            break
    assert capsys.readouterr().err.rstrip().endswith("\r7 of 7 steps, ended early")


def test_an_interrupted_computation_ends_its_line(no_tqdm, terminal, capsys):
    with pytest.raises(KeyboardInterrupt), Progress(3, "block", True) as bar:
        bar.show(1)
        raise KeyboardInterrupt
    told = capsys.readouterr().err
    assert told.startswith("\r1 of 3 blocks") and told.endswith("\n") and "early" not in told


def test_durations_are_as_one_would_say_them():
    assert [duration(s) for s in (0.0, 89, 91, 5400, 86000)] == ["1 s", "89 s", "2 min", "1 h 30 min", "23 h 53 min"]


def test_what_was_done_before_is_no_part_of_the_estimate(no_tqdm, terminal, capsys):
    with Progress(100, "block", True, done=90) as bar:
        Clock.now = 1.0
        bar.show(91)
    assert "\r91 of 100 blocks, about 9 s left" in capsys.readouterr().err


def test_units_that_are_not_alike_count_by_what_they_cost(no_tqdm, terminal, capsys):
    with Progress(3, "claim", True, costs=[1.0, 1.0, 58.0]) as bar:
        for _ in range(3):
            Clock.now += 1.0
            bar.one_more()
    told = capsys.readouterr().err
    assert "\r1 of 3 claims, about 59 s left" in told and "\r2 of 3 claims, about 58 s left" in told


def test_a_notebook_is_known_by_its_stream(monkeypatch):
    """Not by what is imported: a script that uses ipykernel for something else may write through a pipe."""

    class OutStream:
        isatty = staticmethod(lambda: False)

    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    monkeypatch.setattr(sys, "stderr", OutStream())
    assert not progress.is_watched()
    OutStream.__module__ = "ipykernel.iostream"
    assert progress.is_watched()
