"""The benchmarks run, at a tiny size; what they measure is no test's business."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_moons_runs_small():
    pytest.importorskip("micrograd")
    command = [sys.executable, "-m", "benchmarks.moons", "--small"]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True)
    assert done.stdout.count("micrograd / it") == 6
