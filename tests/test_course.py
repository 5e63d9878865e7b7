"""The course as it is laid out: complete, never over a student's work, and in the wheel."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tinyspad.__main__ import main
from tinyspad.course import CHECKOUT, lay_out
from tinyspad.errors import BadInput

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted(f.relative_to(CHECKOUT).as_posix() for f in CHECKOUT.glob("*.ipynb"))
EXERCISES = sorted(f.relative_to(CHECKOUT).as_posix() for f in CHECKOUT.glob("exercises/*.ipynb"))


def test_the_course_is_whole_and_without_solutions(tmp_path):
    made = lay_out(tmp_path / "new" / "course")
    there = sorted(f.relative_to(made.folder).as_posix() for f in made.folder.rglob("*") if f.is_file())
    assert there == sorted(made.written) == sorted([*NOTEBOOKS, *EXERCISES, "README.md"])
    assert f"{len(there)} files written" in str(made) and "README.md first" in str(made)
    for name in there:
        assert (made.folder / name).read_bytes() == (CHECKOUT / name).read_bytes()


def test_solutions_come_when_asked_for(tmp_path):
    assert "instructor/solutions.py" in lay_out(tmp_path, instructor=True).written


def test_a_students_work_is_never_overwritten(tmp_path):
    lay_out(tmp_path)
    mine, gone = tmp_path / EXERCISES[0], tmp_path / EXERCISES[1]
    mine.write_text("my work", encoding="utf-8")
    gone.unlink()
    again = lay_out(tmp_path)
    assert mine.read_text(encoding="utf-8") == "my work" and again.kept == (EXERCISES[0],)
    assert again.written == (EXERCISES[1],) and f"Left as they are, since they were changed: {EXERCISES[0]}" in str(
        again
    )


def test_a_file_is_no_folder(tmp_path):
    file = tmp_path / "f"
    file.write_text("x", encoding="utf-8")
    with pytest.raises(BadInput, match="is a file"):
        lay_out(file)


def test_what_is_missing_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("tinyspad.course.CHECKOUT", tmp_path)
    with pytest.raises(BadInput, match="install tinyspad again"):
        lay_out(tmp_path / "course")


def test_the_command_lays_it_out_and_says_what_to_open(tmp_path, capsys):
    assert main(["tutorials", str(tmp_path / "course"), "--instructor"]) == 0
    assert (
        "00_write_it.ipynb" in capsys.readouterr().out
        and (tmp_path / "course" / "instructor" / "solutions.py").is_file()
    )
    assert main(["tutorials", str(tmp_path / "course" / "README.md")]) == 2
    assert "Name a folder" in capsys.readouterr().err


@pytest.mark.slow
def test_a_wheel_holds_the_course(tmp_path):
    """Whoever installs the package alone has it: the wheel is built as pip builds it."""
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT)]
    done = subprocess.run(pip, capture_output=True, text=True, cwd=tmp_path)
    if done.returncode and "setuptools" in done.stderr:
        pytest.skip("setuptools cannot be had here")
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for name in (*NOTEBOOKS, *EXERCISES, "README.md", "instructor/solutions.py"):
        assert f"tinyspad/course/{name}" in names
