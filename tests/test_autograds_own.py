"""autograd's own tests of nested derivatives, run with tinyspad's ``grad`` in its place.

They come with its source distribution; $TINYSPAD_AUTOGRAD is the folder that holds test_graphs.py (see CONTRIBUTING.md).
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FOLDER = os.environ.get("TINYSPAD_AUTOGRAD", "")
COMPLEX = ("test_complex_mutating_outgrad_from_indexing", "test_complex_separate_real_and_imaginary")


def test_autograds_tests_of_graphs_pass():
    if not (Path(FOLDER) / "test_graphs.py").is_file():
        pytest.skip("autograd's test_graphs.py is not here: set TINYSPAD_AUTOGRAD to the folder that it is in")
    left_out = [part for name in COMPLEX for part in ("--deselect", f"test_graphs.py::{name}")]
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "test_graphs.py", *left_out],
        cwd=FOLDER,
        env={
            **os.environ,
            "PYTEST_ADDOPTS": "",  # coverage, for one, is that of the tests here
            "PYTHONPATH": f"{HERE / 'adapters'}{os.pathsep}{HERE.parent}",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert told.returncode == 0 and "17 passed" in told.stdout, told.stdout + told.stderr
