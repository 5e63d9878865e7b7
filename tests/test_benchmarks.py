"""The benchmarks run, at a tiny size, and catch engines that are wrong; what they measure is no test's business."""

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from texts import same_text

from benchmarks import chains, report, spine
from benchmarks.__main__ import WORKLOADS, main
from benchmarks.turns import Disagree, Failed, Measured, Workload, need, run

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def two(**settings):
    return Workload(name="sums", case="two", base="tinyspad", unit="sum", turns=2, **settings)


def command(*arguments):
    done = subprocess.run([sys.executable, "-m", "benchmarks", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


# --- the command --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKLOADS)
def test_every_workload_runs_small_and_leaves_its_results(name, tmp_path):
    if name == "moons":
        pytest.importorskip("micrograd")
    status, told, errors = command(name, "--small", "--out", str(tmp_path))
    assert status == 0, errors
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert results["small"] and results["versions"]["numpy"]
    for record in results["records"]:
        assert record["workload"] == name and record["case"] in told
        base = record["engines"][record["base"]]
        assert base["ratio"] == 1 and base["failure"] is None
        for row in record["engines"].values():
            assert row["failure"] or (row["ratio"] > 0 and row["warm"]), row
    assert f"## {name}" in (tmp_path / "results.md").read_text(encoding="utf-8")
    assert (tmp_path / "results.png").read_bytes()[:4] == b"\x89PNG"


def test_an_unknown_name_is_told_in_one_line_with_the_names_there_are(tmp_path):
    status, told, errors = command("moon", "--small", "--out", str(tmp_path))
    assert (status, told, list(tmp_path.iterdir())) == (2, "", [])
    assert errors.count("\n") == 1 and "'moon'" in errors and all(name in errors for name in WORKLOADS)


def test_the_list_has_every_workload(capsys):
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(WORKLOADS)


def test_the_spine_of_minimize_is_counted(capsys):
    assert main(["spine"]) == 0
    compiled, traced = (line for line in capsys.readouterr().out.splitlines() if not line.startswith(" "))
    assert compiled.startswith("compiled: ") and traced.startswith("traced: ")
    found = spine.spine(traced=True)
    assert "spad.py" in str(list(found.functions)) and "draw" in found.functions["estimators/spad.py"]
    assert found.number == len([name for names in found.functions.values() for name in names]) and found.switches > 10


@pytest.mark.slow
def test_a_missing_peer_is_skipped_by_name(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "autograd", None)
    assert main(["f1", "--small", "--out", str(tmp_path)]) == 0
    assert "autograd: skipped: autograd is not installed" in capsys.readouterr().out
    rows = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["records"][0]["engines"]
    assert rows["autograd"]["failure"] == "skipped: autograd is not installed" and "ratio" not in rows["autograd"]
    assert "| autograd |  | skipped: autograd is not installed |" in (tmp_path / "results.md").read_text(
        encoding="utf-8"
    )
    with pytest.raises(ImportError, match="autograd"):
        need("autograd")


def test_ctrl_c_keeps_what_was_measured(monkeypatch, tmp_path, capsys):
    def interrupted(small):
        yield two(engines={"tinyspad": lambda: lambda: 1.0})
        raise KeyboardInterrupt

    monkeypatch.setitem(WORKLOADS, "sums", ("sums", interrupted))
    assert main(["sums", "--small", "--out", str(tmp_path)]) == 130
    assert [r["case"] for r in json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["records"]] == [
        "two"
    ]
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.slow
def test_results_of_other_workloads_stay_if_the_versions_are_the_same(monkeypatch, tmp_path):
    for name in ("sums", "products"):
        workload = Workload(name, "one", {"tinyspad": lambda: lambda: 1.0}, "tinyspad", "sum", turns=1)
        monkeypatch.setitem(WORKLOADS, name, (name, lambda small, workload=workload: iter([workload])))

    def measured():
        return [r["workload"] for r in json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["records"]]

    folder = ["--small", "--out", str(tmp_path)]
    main(["products", *folder])
    main(["sums", *folder])
    main(["sums", *folder])
    assert measured() == ["sums", "products"]
    monkeypatch.setattr("benchmarks.__main__.versions", lambda: {"numpy": "another"})
    main(["sums", *folder])
    assert measured() == ["sums"]


@pytest.mark.committed
@pytest.mark.slow
def test_tables_and_figure_can_be_made_again_from_the_numbers(tmp_path, capsys):
    assert main(["--draw", "--out", str(tmp_path)]) == 2
    assert "no results yet" in capsys.readouterr().err
    (tmp_path / "results.json").write_bytes((RESULTS / "results.json").read_bytes())
    assert main(["--draw", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "results.md").read_text(encoding="utf-8") == (RESULTS / "results.md").read_text(encoding="utf-8")


# --- the turns ----------------------------------------------------------------------------------------------------------


def test_engines_take_turns_and_the_first_is_cold():
    order = []

    def engine(name):
        return lambda: lambda: order.append(name)

    record = run(two(engines={"tinyspad": engine("A"), "peer": engine("B")}))
    assert order == ["A", "B"] * 3
    assert [len(row["cold"]) for row in record["engines"].values()] == [1, 1]
    assert [len(row["warm"]) for row in record["engines"].values()] == [2, 2]


def test_medians_ratios_and_their_quartiles_are_per_unit():
    times = {"tinyspad": iter([1.0, 2.0, 3.0]), "peer": iter([4.0, 4.0, 12.0])}

    def engine(name):
        return lambda: lambda: Measured(next(times[name]), cold=9.0, memory={"resident": 5.0})

    work = Workload("sums", "three", {name: engine(name) for name in times}, "tinyspad", "sum", 10, turns=3, fresh=True)
    rows = run(work)["engines"]
    assert rows["tinyspad"]["warm"] == [0.1, 0.2, 0.3] and rows["tinyspad"]["cold"] == [0.9] * 3
    assert (
        rows["peer"]["median"] == 0.4 and rows["peer"]["ratio"] == 2.0 and rows["peer"]["memory"] == {"resident": 5.0}
    )
    assert rows["peer"]["ratio_quartiles"] == [3.0, 4.0]  # of 4, 2 and 4


def test_processor_time_stands_beside_the_clocks():
    def busy():
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass

    child = "import time\nwhile time.process_time() < 0.2: pass"
    engines = {
        "tinyspad": lambda: busy,
        "asleep": lambda: lambda: time.sleep(0.05),
        "child": lambda: lambda: (subprocess.run([sys.executable, "-c", child], check=True), None)[1],
        "own clock": lambda: lambda: Measured(2.0, processor=3.0),
        "own clock alone": lambda: lambda: Measured(2.0),
    }
    record = run(two(engines=engines))
    rows = record["engines"]
    assert rows["tinyspad"]["processor_median"] >= 0.05  # by definition of busy
    assert rows["asleep"]["processor_median"] < 0.02 and rows["asleep"]["median"] >= 0.05  # it sleeps so long
    assert rows["child"]["processor_median"] > 0.15  # 0.2, to a tick of the system's clock
    assert rows["own clock"]["processor_median"] == 3.0 and "processor_median" not in rows["own clock alone"]
    table = "\n".join(report.table(record)).splitlines()
    cells = {row.split("|")[1].strip(): row.split("|")[5].strip() for row in table if row.startswith("|")}
    assert cells[record["case"]] == "processor"
    assert cells["own clock"] == "3 s" and cells["own clock alone"] == ""


@pytest.mark.parametrize("wrong", [1.0 + 1e-6, float("nan"), [1.0, 1.0]])
def test_an_engine_that_is_wrong_is_caught_before_a_second_turn(wrong):
    calls = []

    def peer():
        calls.append(1)
        return wrong

    with pytest.raises(Disagree, match=r"sums, two: peer and tinyspad are .* apart"):
        run(two(engines={"tinyspad": lambda: lambda: 1.0, "peer": lambda: peer}))
    assert len(calls) == 1


def test_the_command_tells_a_disagreement_and_fails(monkeypatch, tmp_path, capsys):
    work = two(engines={"tinyspad": lambda: lambda: 1.0, "peer": lambda: lambda: 2.0})
    monkeypatch.setitem(WORKLOADS, "sums", ("sums", lambda small: iter([work])))
    assert main(["sums", "--small", "--out", str(tmp_path)]) == 1
    assert "peer and tinyspad are 1.0e+00 apart" in capsys.readouterr().err


def test_an_engine_that_fails_is_told_and_asked_no_more():
    calls = []

    def peer():
        calls.append(1)
        raise Failed("RecursionError")

    rows = run(two(engines={"tinyspad": lambda: lambda: 1.0, "peer": lambda: peer}))["engines"]
    assert len(calls) == 1 and rows["peer"]["failure"] == "RecursionError" and rows["tinyspad"]["failure"] is None


# --- chains and fans ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape, gradient", [("chain", [4.0, 2.0]), ("fan", [sum(range(1, 502)) / 1000])])
def test_tinyspads_gradients_of_chains_and_fans_are_the_formulas(shape, gradient):
    """y = a * y + x tends to x / (1 - a), at a = 1/2 and x = 1; a fan is x times the sum of its numbers."""
    for engine in ("tinyspad", "tinyspad, trace", "tinyspad, compiled"):
        make, inputs = chains.SHAPES[shape]
        assert chains.ENGINES[engine][1](make(1000), inputs)() == pytest.approx(gradient)


def test_how_a_process_ends_is_told_in_words():
    with pytest.raises(Failed, match="killed after 1 s"):
        chains.asked("tinyspad", "chain", 10**8, limit=1.0, patience=0.0)
    with pytest.raises(Failed, match="KeyError: 'nobody'"):
        chains.asked("nobody", "chain", 10, limit=30.0, patience=0.0)


@pytest.mark.skipif(importlib.util.find_spec("micrograd") is None, reason="micrograd is not installed")
def test_micrograd_recurses_where_we_do_not():
    with pytest.raises(Failed, match="RecursionError"):
        chains.asked("micrograd", "chain", 10**4, limit=60.0, patience=0.0)


# --- the committed results ----------------------------------------------------------------------------------------------


def test_wherever_a_peer_is_faster_the_committed_table_says_why():
    records = json.loads((RESULTS / "results.json").read_text(encoding="utf-8"))["records"]
    assert {record["workload"] for record in records} == set(WORKLOADS)
    unexplained = {
        (r["workload"], engine)
        for r in records
        for engine in report.faster(r)
        if (r["workload"], engine) not in report.WHY
    }
    assert not unexplained


@pytest.mark.committed
def test_variance_runs_small_and_the_committed_table_is_what_it_prints():
    small = [sys.executable, "-m", "benchmarks.variance", "--small"]
    assert "magnitude" in subprocess.run(small, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    from benchmarks.variance import report as table

    same_text(table(200) + "\n", (ROOT / "benchmarks" / "variance.md").read_text(encoding="utf-8"))


@pytest.mark.committed
def test_the_main_lines_of_the_readme_are_those_of_the_results():
    results = json.loads((ROOT / "benchmarks" / "results" / "results.json").read_text(encoding="utf-8"))
    engines = {(r["workload"], r["case"]): r["engines"] for r in results["records"]}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    def row(start):
        return next(line for line in readme.splitlines() if line.startswith(f"| {start}"))

    def time(workload, case, engine, unit):
        return f"{engines[workload, case][engine]['median'] / unit:.2g}"

    def ratio(workload, case, engine, form=".1f"):
        return format(engines[workload, case][engine]["ratio"], form)

    traced, compiled = row("gradient of f1"), row("the same, compiled")
    assert f"| {time('f1', 'traced', 'tinyspad, trace', 1e-6)} µs |" in traced
    assert (
        f"autograd {ratio('f1', 'traced', 'autograd')}, eager PyTorch {ratio('f1', 'traced', 'PyTorch, eager')}"
        in traced
    )
    assert f"| {time('f1', 'compiled', 'tinyspad, compiled', 1e-6)} µs |" in compiled
    assert f"JAX `jit` {ratio('f1', 'compiled', 'JAX, jit')}" in compiled
    beale, case = row("a step of Adam on 1000 runs"), "1000 runs, exact gradient"
    assert f"| {time('beale', case, 'tinyspad, minimize', 1e-6)} µs |" in beale
    for engine, told in (("NumPy by hand", "by hand"), ("autograd", "autograd"), ("PyTorch, eager", "eager PyTorch")):
        assert f"{told} {ratio('beale', case, engine)}" in beale
    assert f"**{ratio('beale', case, 'JAX, jit and scan', '.2f')}**" in beale
    regression, case = row("a step of a logistic regression"), "logistic regression, 500 x 50"
    assert f"| {time('models', case, 'tinyspad, minimize', 1e-6)} µs |" in regression
    assert f"autograd {ratio('models', case, 'autograd')}" in regression
    assert f"**{ratio('models', case, 'NumPy by hand', '.2f')}**" in regression
    whole = row("Tables 1 and 2 whole")
    assert f"| {time('tables', '1000 runs, 2000 steps', 'tinyspad, 2 workers', 1)} s |" in whole
    assert f"`scan` {ratio('tables', '1000 runs, 2000 steps', 'JAX, jit and scan')}" in whole
    imports = row("`import tinyspad`")
    assert f"| {time('imports', 'the import statement', 'tinyspad', 1e-3)} ms |" in imports
    assert f"`import numpy` {ratio('imports', 'the import statement', 'NumPy', '.0f')}:" in imports
    first = engines["imports", "import and first derivative"]
    assert f"derivative {first['tinyspad']['median'] * 1e3:.0f} ms" in imports
    assert f"**{first['NumPy, no derivative']['ratio']:.2f}**" in imports


def test_pages_of_up_to_60_nodes_are_small_and_the_committed_table_says_so():
    small = [sys.executable, "-m", "benchmarks.page", "--small"]
    told = subprocess.run(small, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tables = {"now": told, "committed": (ROOT / "benchmarks" / "page.md").read_text(encoding="utf-8")}
    sizes = {}
    for when, text in tables.items():
        rows = [
            [cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")
        ][1:]
        sizes[when] = {row[0]: (int(row[1]), float(row[2])) for row in rows if row[1].isdigit()}
        assert len(sizes[when]) == 7 and all(
            kilobytes < 120 for nodes, kilobytes in sizes[when].values() if nodes <= 60
        )
    for name, (nodes, kilobytes) in sizes["now"].items():
        assert sizes["committed"][name][0] == nodes and abs(sizes["committed"][name][1] - kilobytes) < 5, name
