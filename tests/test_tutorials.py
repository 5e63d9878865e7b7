"""Every notebook runs from top to bottom in a fresh kernel, with warnings as errors, on NumPy and matplotlib alone."""

import ast
import importlib.util
import itertools
import json
import os
import re
import sys
import time
from pathlib import Path

import pytest
from wrong_answers import WRONG

from tinyspad import check

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).parent.parent / "tutorials"
TUTORIALS = sorted(ROOT.glob("*.ipynb"))
EXERCISES = sorted((ROOT / "exercises").glob("*.ipynb"))
MEASURED = {"04_f1", "05_variance", "06_choosing", "08_networks", "09_observations"}
"""Tutorials that measure, for five seconds and more."""
LONG = (pytest.mark.slow,)
MINUTE = 60
"""How long a notebook may take on two cores; twice that on a busy machine."""


def name(file):
    return file.stem


def cells(file, kind):
    return [c for c in json.loads(file.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == kind]


def code(file):
    return ["".join(cell["source"]) for cell in cells(file, "code")]


def module(name, file):
    spec = importlib.util.spec_from_file_location(name, file)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


to_nbgrader = module("to_nbgrader", ROOT / "instructor" / "to_nbgrader.py")
SOLUTIONS = (ROOT / "instructor" / "solutions.py").read_text(encoding="utf-8")


def run(notebook, folder):
    """The executed notebook; a cell before it makes warnings errors, one behind it looks at what was loaded."""
    # IPython of old versions warns of itself when it sets up old versions of matplotlib
    filters = "warnings.simplefilter('error')\nwarnings.filterwarnings('ignore', message='backend2gui is deprecated')"
    before = nbformat.v4.new_code_cell(f"import warnings\n{filters}")
    heavy = "{'autograd', 'torch', 'pytest', 'hypothesis', 'micrograd', 'scipy', 'pandas', 'dask'}"
    behind = nbformat.v4.new_code_cell(
        f"import sys\nassert not {heavy} & set(sys.modules)\nwarnings.simplefilter('ignore')"
    )
    notebook = nbformat.from_dict({**notebook, "cells": [before, *notebook["cells"], behind]})
    client = nbclient.NotebookClient(
        notebook, timeout=2 * MINUTE, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    env = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    client.execute(env={"OPENBLAS_NUM_THREADS": "1", **env})  # several notebooks at once have a core each
    written = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    said = [o.text for o in written if o.output_type == "stream" and o.name == "stderr"]
    assert said == [], "something was written to standard error"
    return notebook


def read(file):
    return nbformat.read(file, as_version=4)


def shown(notebook):
    return [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs if o.output_type != "stream"]


# --- they run -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", [pytest.param(f, marks=LONG * (f.stem in MEASURED)) for f in TUTORIALS], ids=name)
def test_a_tutorial_runs(file, tmp_path):
    start = time.monotonic()
    notebook = run(read(file), tmp_path)
    assert time.monotonic() - start < 2 * MINUTE
    pictures = [o for o in shown(notebook) if "image/png" in o.data]
    assert len(pictures) >= 2 and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", EXERCISES, ids=name)
def test_an_exercise_notebook_runs_with_its_stubs(file, tmp_path):
    verdicts = [o.data["text/plain"] for o in shown(run(read(file), tmp_path))]
    assert len(verdicts) == sum("exercise" in c["metadata"].get("tags", []) for c in cells(file, "code"))
    assert all("not written yet" in verdict for verdict in verdicts)


@pytest.mark.parametrize("file", EXERCISES, ids=name)
def test_a_student_who_solves_everything_passes(file, tmp_path):
    """Through nbgrader's format, with the solutions in place: its graded cells raise unless they pass."""
    notebook = to_nbgrader.assignment(json.loads(file.read_text(encoding="utf-8")), SOLUTIONS)
    run(nbformat.reads(json.dumps(notebook), as_version=4), tmp_path)


# --- what is in them ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", TUTORIALS + EXERCISES, ids=name)
def test_notebooks_are_clean(file):
    notebook = json.loads(file.read_text(encoding="utf-8"))
    nbformat.validate(read(file))
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in cells(file, "code"):
        assert cell["outputs"] == [] and cell["execution_count"] is None
        source = "".join(cell["source"])
        assert not re.search(r"^\s*[%!]|get_ipython|plt\.show|/home/|/tmp/|/Users/", source, flags=re.M)
        assert all(len(line) <= 140 for line in source.splitlines())
    for previous, cell in zip(notebook["cells"], notebook["cells"][1:]):
        assert {previous["cell_type"], cell["cell_type"]} != {"markdown"} or "".join(cell["source"]).startswith("#")


@pytest.mark.parametrize("file", TUTORIALS + EXERCISES, ids=name)
def test_notebooks_import_numpy_matplotlib_and_tinyspad_alone(file):
    found = set()
    for source in code(file):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                found |= {a.name.split(".")[0] for a in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.split(".")[0])
    assert found - set(sys.stdlib_module_names) <= {"numpy", "matplotlib", "tinyspad"}


@pytest.mark.parametrize("file", TUTORIALS + EXERCISES, ids=name)
def test_randomness_is_seeded(file):
    for source in code(file):
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call):
                continue
            called, keywords = ast.unparse(node.func), {k.arg for k in node.keywords}
            if "default_rng" in called:
                assert node.args, ast.unparse(node)
            assert not re.fullmatch(r"np\.random\.(?!default_rng).*", called), called
            if called in ("ts.minimize", "ts.compare") and re.search(
                r"RAD|SPAD|Magnitude|estimator", ast.unparse(node)
            ):
                fixed = re.search(r"estimator=ts\.(GD|FixedPath)", ast.unparse(node))
                assert fixed or "rng" in keywords, ast.unparse(node)
            if called.endswith((".sample_path", ".sample_paths")) and not called.startswith("check."):
                assert "rng" in keywords or len(node.args) > 1, ast.unparse(node)


@pytest.mark.parametrize("file", [*TUTORIALS, *EXERCISES, *ROOT.rglob("*.md")], ids=name)
def test_links_lead_somewhere(file):
    texts = (
        ["".join(c["source"]) for c in cells(file, "markdown")]
        if file.suffix == ".ipynb"
        else [file.read_text(encoding="utf-8")]
    )
    for text in texts:
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert target.startswith("https://") or (file.parent / target).exists(), target


@pytest.mark.parametrize("file", TUTORIALS, ids=name)
def test_a_tutorial_has_its_parts(file):
    text = "\n".join("".join(c["source"]) for c in cells(file, "markdown"))
    assert re.match(rf"# {file.stem[:2]} · .+\n\n\*About \d\d minutes", text)
    assert text.count("**Predict") + text.count("**Check") >= 4 and "## What to remember" in text
    if file.stem != "00_write_it":
        assert "**Exercises:**" in text
    assert "/instructor" not in text and re.search(r"equation|Figure|Definition|Section|Table|Example", text)


def test_each_tutorial_leads_to_the_next():
    for file, following in itertools.pairwise(TUTORIALS):
        assert re.search(
            rf"\*\*Next:\*\* \[[^]]+\]\({following.name}\)", "".join(cells(file, "markdown")[-1]["source"])
        )
    assert "o come:" not in "".join(file.read_text(encoding="utf-8") for file in TUTORIALS)


def test_the_plan_lists_every_notebook():
    plan = (ROOT / "README.md").read_text(encoding="utf-8")
    for file in TUTORIALS + EXERCISES:
        assert f"({file.relative_to(ROOT).as_posix()})" in plan
    assert [f"{n:02d}" for n in range(10)] == [file.stem[:2] for file in TUTORIALS]


def test_every_exercise_has_one_place_in_its_tutorials_notebook():
    places = {}
    for file in EXERCISES:
        for cell in cells(file, "code"):
            tags = cell["metadata"].get("tags", [])
            if "exercise" in tags:
                assert set(to_nbgrader.functions("".join(cell["source"]))) == set(tags[1:])
                assert "raise NotImplementedError" in "".join(cell["source"])
                places[tags[1]] = int(file.stem[:2])
    assert places == {e.name: e.tutorial for e in check.EXERCISES.values()}


def test_wrong_answers_and_solutions_are_out_of_sight():
    text = "".join(file.read_text(encoding="utf-8") for file in TUTORIALS + EXERCISES)
    assert "wrong_answers" not in text and "solutions" not in text
    assert all(len(wrong) >= 3 for wrong in WRONG.values())


# --- nbgrader -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", EXERCISES, ids=name)
def test_the_export_has_nbgraders_structure(file, tmp_path, capsys):
    assert to_nbgrader.main([str(file), "--out", str(tmp_path)]) == 0
    made = Path(capsys.readouterr().out.strip())
    assert made == tmp_path / "source" / file.stem / file.name
    notebook = nbformat.read(made, as_version=4)
    nbformat.validate(notebook)
    marks = [cell.metadata["nbgrader"] for cell in notebook.cells]
    assert len({m["grade_id"] for m in marks}) == len(marks)
    for cell, m in zip(notebook.cells, marks):
        assert m["schema_version"] == 3 and m["task"] is False and re.fullmatch(r"[a-zA-Z0-9_\-]+", m["grade_id"])
        assert m["locked"] is not m["solution"] and ("points" in m) is m["grade"]
        if m["solution"]:
            begins, ends = cell.source.count("### BEGIN SOLUTION"), cell.source.count("### END SOLUTION")
            assert (
                begins == ends == len(to_nbgrader.functions(cell.source)) and "NotImplementedError" not in cell.source
            )
            left = re.sub(
                r"    ### BEGIN SOLUTION.*?### END SOLUTION", "    raise NotImplementedError()", cell.source, flags=re.S
            )
            ast.parse(left)  # what nbgrader leaves to the student
        elif m["grade"]:
            assert m["points"] == 1 and "assert verdict" in cell.source
    expected = [e for e in check.EXERCISES.values() if e.tutorial == int(file.stem[:2])]
    assert sum(m["grade"] for m in marks) == sum(m["solution"] for m in marks) == len(expected)


def cell(source, *tags, kind="code"):
    return {"cell_type": kind, "metadata": {"tags": list(tags)}, "source": source}


STUB = "def tanh_rule(out, x):\n    raise NotImplementedError"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"cells": 3}',
        '{"cells": [{"metadata": null, "source": ""}]}',
        "[" * 5000,
        [cell("def no():\n    pass", "exercise", "no")],
        [cell(STUB, "exercise")],
        [cell(STUB, "exercise", "other")],
        [cell(STUB.replace("out, x", "x, out"), "exercise", "tanh_rule")],
        [cell("def tanh_rule(out, x): raise NotImplementedError", "exercise", "tanh_rule")],
        [cell("%magic", "exercise", "tanh_rule")],
        [cell("print(3)", "check")],
        [cell("from tinyspad import check\ncheck.tanh_rule(tanh_rule)", "check")],
        [cell("check.a(b)", "check"), cell("check.a(b)", "check")],
        [cell(STUB, "exercise", "check", "tanh_rule")],
    ],
    ids=str,
)
def test_the_export_refuses_in_one_line(tmp_path, capsys, text):
    bad = tmp_path / "bad.ipynb"
    bad.write_text(text if isinstance(text, str) else json.dumps({"cells": text}), encoding="utf-8")
    assert to_nbgrader.main([str(bad), "--out", str(tmp_path / "out")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1 and not (tmp_path / "out").exists()
    assert to_nbgrader.main([str(tmp_path / "none.ipynb")]) == 2


def test_the_export_keeps_what_stands_around_a_stub():
    source = f"import math\n\n{STUB}\n\n\ndef helper():\n    return 1\n\n\nlimit = 3"
    made = to_nbgrader.assignment({"cells": [cell(source, "exercise", "tanh_rule")]}, SOLUTIONS)["cells"][0]
    text = "".join(made["source"])
    assert text.startswith("import math") and text.endswith("limit = 3") and "def helper():\n    return 1" in text
    namespace = {}
    exec(text, namespace)
    assert namespace["tanh_rule"](0.5, None) == 0.75 and "NotImplementedError" not in text


def test_nbgraders_own_checks_accept_the_export(tmp_path):
    nbgraderformat = pytest.importorskip("nbgrader.nbgraderformat")
    for file in EXERCISES:
        to_nbgrader.main([str(file), "--out", str(tmp_path)])
        nbgraderformat.read(tmp_path / "source" / file.stem / file.name, as_version=nbformat.NO_CONVERT)
