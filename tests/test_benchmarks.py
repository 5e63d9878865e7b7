"""The benchmarks run, at a tiny size; what they measure is no test's business."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(name):
    command = [sys.executable, "-m", f"benchmarks.{name}", "--small"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_moons_runs_small():
    pytest.importorskip("micrograd")
    assert run("moons").count("micrograd / it") == 6


def test_paths_runs_small():
    assert run("paths").count("max / min") == 2


def test_programs_runs_small():
    assert "SPAD(k_max=50)" in run("programs")


def test_networks_runs_small():
    told = run("networks")
    assert told.count("projection, 10 %") == 2 and "SmallConvNet, batch of 12" in told


def test_tables_runs_small():
    assert run("tables").count("times tinyspad with 2 workers") >= 2


def test_variance_runs_small_and_the_committed_table_is_what_it_prints():
    assert "magnitude" in run("variance")
    from benchmarks.variance import report

    assert report(200) + "\n" == (ROOT / "benchmarks" / "variance.md").read_text()
