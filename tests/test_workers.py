"""No worker outlives the process that it works for, however that one ends."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import tinyspad as ts
from tinyspad.errors import BlockFailed
from tinyspad.experiments import blocks, success_rates
from tinyspad.experiments.workers import processes

SOON = 5.0
"""Seconds within which every process must be gone: a worker notices at once, but machines are busy."""

WORK = """
import os, sys, time
from pathlib import Path
import tinyspad as ts
from tinyspad.experiments import hold_sweep, success_rates
from tinyspad.experiments.workers import completed, processes

def mark():
    Path(os.environ["MARKS"], str(os.getpid())).touch()

def endless(x):
    mark()
    return x * x

def asleep():
    mark()
    time.sleep(600)

PROBLEM = ts.functions.Problem("endless", endless, ((-1.0, 1.0),), 0.0, ((0.0,),), "here")
CALLS = {
    "success_rates": lambda: success_rates(PROBLEM, {"GD": ts.GD()}, runs=4000, steps=10**8, workers=2),
    "hold_sweep": lambda: hold_sweep([PROBLEM], k_max=(1,), runs=4000, steps=10**8, workers=2),
    "processes": lambda: wait_for_two(),
}

def wait_for_two():
    with processes(2) as pool:
        list(completed([pool.submit(asleep), pool.submit(asleep)], pool))

if __name__ == "__main__":
    print("begins", flush=True)
    try:
        CALLS[sys.argv[1]]()
    except KeyboardInterrupt:
        sys.exit(130)
"""


def alive(token):
    """The processes that have inherited a mark in their environment (Linux; none is found elsewhere)."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if token.encode() in (place / "environ").read_bytes():  # which is empty once it has ended
                found.append(int(place.name))
        except OSError:  # it has ended, or is another user's
            pass
    return found


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGINT"])
@pytest.mark.parametrize("call", ["success_rates", "hold_sweep", "processes"])
def test_workers_end_with_the_process_that_they_work_for(tmp_path, call, name):
    if not hasattr(signal, name) or os.name == "nt":
        pytest.skip(f"there is no {name} to send")
    script, marks = tmp_path / "work.py", tmp_path / "marks"
    script.write_text(WORK)
    marks.mkdir()
    process = subprocess.Popen(
        [sys.executable, str(script), call],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "MARKS": str(marks), "PYTHONPATH": str(Path(ts.__file__).parent.parent)},
    )
    try:
        deadline = time.monotonic() + 120
        while len([pid for pid in marks.iterdir() if int(pid.name) != process.pid]) < 2:  # until both are at work
            assert process.poll() is None and time.monotonic() < deadline, process.stderr.read()
            time.sleep(0.05)
        assert len(alive(str(marks))) >= 3 or not Path("/proc/self/environ").exists()
        process.send_signal(getattr(signal, name))
        out, err = process.communicate(timeout=SOON)  # the ends of both pipes: nobody holds them any more
    finally:
        if process.poll() is None:
            process.kill()
        for pid in alive(str(marks)):
            os.kill(pid, signal.SIGKILL)  # what the test would leave behind where it fails
    assert process.returncode == (130 if name == "SIGINT" else -getattr(signal, name))
    assert out == b"begins\n" and b"Traceback" not in err
    assert not alive(str(marks))


def test_workers_are_kept_until_their_work_is_done():
    with processes(2) as pool:
        assert list(pool.map(abs, range(-3, 0))) == [3, 2, 1]


def test_work_that_is_given_up_ends_at_once():
    start = time.monotonic()
    with pytest.raises(LookupError), processes(1) as pool:
        pool.submit(time.sleep, 60)
        pool.submit(time.sleep, 60)
        raise LookupError
    assert time.monotonic() - start < 50  # it would have taken two minutes


def test_an_executor_that_was_handed_in_stays_open(monkeypatch):
    """Whatever happens: it is its owner's to manage."""
    run = blocks.run_block
    with ThreadPoolExecutor(2) as pool:
        few = {"runs": 10, "steps": 3, "executor": pool}
        for problem, raised in ((RuntimeError("lightning"), BlockFailed), (KeyboardInterrupt(), KeyboardInterrupt)):

            def fails(block, problem=problem):
                raise problem

            monkeypatch.setattr(blocks, "run_block", fails)
            with pytest.raises(raised):
                success_rates("beale", {"GD": ts.GD()}, **few)
            monkeypatch.setattr(blocks, "run_block", run)
            assert pool.submit(abs, -2).result() == 2
        assert str(success_rates("beale", {"GD": ts.GD()}, **few)) == str(
            success_rates("beale", {"GD": ts.GD()}, runs=10, steps=3)
        )


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc, to see processes begin")
def test_ctrl_c_while_the_workers_start_is_one_line(tmp_path):
    argv = [sys.executable, "-m", "tinyspad", "table", "1", "--workers", "2", "--resume", str(tmp_path / "kept.jsonl")]
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, start_new_session=True)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while len(children.read_text(encoding="utf-8").split()) < 3:  # the tracker of multiprocessing, and two workers
        assert process.poll() is None
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err, err


INTERRUPTED = """
import signal
from concurrent.futures import _base
from tinyspad.experiments import workers

PRESS

try:
    with workers.processes(1) as pool:
        (done,) = workers.completed([pool.submit(abs, -1)], pool)
        done.result()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""

STARTED = """
def start(self, start=workers.Process.start):
    start(self)
    signal.raise_signal(signal.SIGINT)

workers.Process.start = start
"""

LOCKED = """
def enter(self, enter=_base._AcquireFutures.__enter__):
    enter(self)
    signal.raise_signal(signal.SIGINT)

_base._AcquireFutures.__enter__ = enter
"""


@pytest.mark.parametrize(
    "press", [STARTED, LOCKED], ids=["before the pool knows of a worker", "while futures are locked"]
)
def test_ctrl_c_in_the_middle_of_pythons_own_work_waits(press):
    script = INTERRUPTED.replace("PRESS", press)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


def test_workers_that_end_in_the_middle_of_telling_a_result_are_not_waited_for():
    """Of a second of results of 30 MB nearly all goes into telling them."""
    script = """
import time
from tinyspad.experiments import workers

for _ in range(3):
    try:
        with workers.processes(2) as pool:
            futures = [pool.submit(bytes, 30_000_000) for _ in range(1000)]
            futures[3].result()
            time.sleep(0.05)
            raise LookupError
    except LookupError:
        print("given up", flush=True)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "given up\n" * 3, "")
