"""autograd's own tests, run with tinyspad in its place: what is refused in words is skipped, so what fails is wrong.

They come with its source distribution; $TINYSPAD_AUTOGRAD is the folder that holds test_graphs.py (see CONTRIBUTING.md).
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FOLDER = os.environ.get("TINYSPAD_AUTOGRAD", "")
OF_ITSELF = {  # what autograd has beside NumPy's functions, or says of itself
    "test_fft.py::test_rfftn_odd_not_implemented": "that it cannot do this",
    "test_linalg.py::test_pinv": "its np.linalg._dot",
    "test_numpy.py::test_diagonal": "its make_diagonal",
    "test_numpy.py::test_make_diagonal": "its make_diagonal",
    "test_scipy.py::test_convolve_generalization": "its convolve over some axes",
    "test_scipy.py::test_convolve_ignore": "its convolve over some axes",
    "test_scipy.py::test_convolve_ignore_dot": "its convolve over some axes",
    "test_wrappers.py::test_custom_where": "its where, with keywords that NumPy's has not",
    "test_wrappers.py::test_custom_where_dtypes": "its where, which returns Python's numbers",
    "test_wrappers.py::test_deprecated_defgrad_wrapper": "a name of its earlier versions",
    "test_wrappers.py::test_deprecated_defvjp_is_zero_wrapper": "a name of its earlier versions",
    "test_wrappers.py::test_deprecated_defvjp_wrapper": "a name of its earlier versions",
    "test_wrappers.py::test_deprecated_quick_grad_check_wrapper": "a name of its earlier versions",
    "test_wrappers.py::test_wrapped_name_and_docs": "its own docstring",
}


def test_of_autograds_own_tests_none_is_wrong():
    if not (Path(FOLDER) / "test_graphs.py").is_file():
        pytest.skip("autograd's test_graphs.py is not here: set TINYSPAD_AUTOGRAD to the folder that it is in")
    left_out = [part for name in OF_ITSELF for part in ("--deselect", name)]
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "counted", "-c", os.devnull, *left_out],
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
    passed = re.search(r"(\d+) passed", told.stdout)
    assert told.returncode == 0 and passed, told.stdout + told.stderr
    assert int(passed[1]) >= 400, told.stdout  # 451 with SciPy
