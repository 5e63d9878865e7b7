"""The comparison of networks: what is trained, at which rates, how it is kept, and that it goes on from what is kept."""

import dataclasses
import json
import math

import numpy as np
import pytest

from tinyspad import nn, plot
from tinyspad.__main__ import main
from tinyspad.errors import BadInput
from tinyspad.experiments import (
    METHODS,
    PRESETS,
    Method,
    NetworkRuns,
    learning_curves,
    memory_accuracy,
    networks,
    runs_in,
)

TWO = ["baseline", "RAD, same"]


@pytest.fixture(scope="module")
def runs():
    return learning_curves("glyphs-fc", TWO, iterations=60, records=3, repeats=2, resident=True)


def test_learning_curves_are_what_fit_gives(runs):
    assert list(runs.runs) == TWO and all(len(repeats) == 2 for repeats in runs.runs.values())
    assert runs.runs["baseline"][0].iteration.tolist() == [0, 20, 40, 60]
    a, b = (runs.runs[name][0] for name in TWO)
    assert a.test_loss[0] == b.test_loss[0] and a.test_loss[-1] != b.test_loss[-1]  # one start, two ways
    assert runs.runs["baseline"][0].test_loss[0] != runs.runs["baseline"][1].test_loss[0]
    memory = runs.memory
    assert memory["RAD, same"]["held"] <= 0.13 * memory["baseline"]["held"]
    assert memory["RAD, same"]["allocated"] <= 0.35 * memory["baseline"]["allocated"]
    if "resident" in memory["baseline"]:
        assert memory["RAD, same"]["resident"] >= 0  # pages are too coarse for so small a net
    identity, whole = memory["baseline, identity"], memory["baseline"]
    assert identity["held"] == whole["held"] and identity["allocated"] > whole["allocated"] + 4 * 784**2
    text = str(runs)
    assert "2 repeats" in text and "RAD, same" in text and "held MB" in text and "allocated MB" in text
    assert runs.to_csv().count("\n") == 1 + 2 * 2 * 4
    assert [line.split(" | ")[0] for line in runs.to_markdown().splitlines()[2:]] == [f"| {name}" for name in TWO]


def test_runs_survive_a_file_and_can_be_drawn(runs):
    twin = NetworkRuns.from_json(runs.to_json())
    assert twin.to_csv() == runs.to_csv() and twin.memory == runs.memory
    for kind in ("held", "allocated"):
        ax = plot.memory_accuracy(memory_accuracy(twin, kind))
        assert [t.get_text() for t in ax.get_legend().get_texts()] == [*TWO, "baseline, identity"]
        ax.figure.clear()
    with pytest.raises(BadInput, match="was not measured"):
        memory_accuracy(twin, "imagined")
    with pytest.raises(BadInput, match="takes what learning_curves returns"):
        memory_accuracy({})
    told = json.loads(runs.to_json())
    changes = [{"format": "other"}, {"task": "../x"}, {"task": 3}, {"runs": {}}, {"memory": {}}, {"memory": 5}]
    changes += [{"memory": {name: {"held": "x"} for name in TWO}}, {"memory": {name: {} for name in TWO}}]
    changes += [{"runs": {"baseline": []}}, {"runs": {"baseline": [{}]}}, {"iterations": 1e400}, {"iterations": None}]
    ragged = runs.to_json().replace('"test_loss": [', '"test_loss": [1.0,', 1)
    texts = [json.dumps(told | change) for change in changes]
    for text in ("", "[]", "{}", *texts, ragged, runs.to_json().replace("test_loss", "lost")):
        with pytest.raises(BadInput, match="not what NetworkRuns"):
            NetworkRuns.from_json(text)


def test_learning_curves_resume(tmp_path, monkeypatch):
    few = {"iterations": 20, "records": 2}
    expected = learning_curves("glyphs-fc", TWO, **few)
    learning_curves("glyphs-fc", TWO, resume=tmp_path, **few)
    told = []
    monkeypatch.setattr(nn.training._Run, "step", None)  # everything is in the files
    again = learning_curves("glyphs-fc", TWO, resume=tmp_path, tell=told.append, **few)
    assert (
        again.to_csv() == expected.to_csv()
        and len(told) == 3
        and told[0].startswith("Finished runs are kept in")
        and told[1].startswith("glyphs-fc, baseline, repeat 0: done")
    )


def test_methods_with_strange_names_keep_files_of_their_own(tmp_path):
    names = ["имя", "שם", "$a$", "_A_", "long" * 100]
    methods = {name: dataclasses.replace(METHODS["RAD, same"], batch=1 + k) for k, name in enumerate(names)}
    few = {"iterations": 2, "records": 1, "resume": tmp_path}
    first = learning_curves("glyphs-fc", methods, **few)
    assert len(list(tmp_path.iterdir())) == len(names)
    assert learning_curves("glyphs-fc", methods, **few).to_csv() == first.to_csv()


def test_every_method_of_the_paper_runs():
    runs = learning_curves("glyphs-fc", iterations=3, records=1)
    assert list(runs.runs) == list(METHODS)
    held = {name: memory["held"] for name, memory in runs.memory.items()}
    assert held["small batch"] < 1.3 * held["RAD, same"] < 0.2 * held["baseline"] < held["dropout 10 %"]
    assert 1.9 < held["SPAD, big batch"] / held["SPAD, k_max 10, m 10"] < 2.1


def test_methods_stand_in_the_order_that_was_asked_for():
    few = {"iterations": 1, "records": 1}
    assert list(learning_curves(methods=["small batch", "baseline"], **few).runs) == ["small batch", "baseline"]


def test_methods_of_ones_own_and_names_that_are_not_there():
    runs = learning_curves(methods={"half": Method(nn.RandomPaths(0.5))}, iterations=2, records=1)
    assert list(runs.runs) == ["half"]
    for settings, says in (
        ({"task": "imagenet"}, "no task"),
        ({"methods": ["magic"]}, "no method"),
        ({"methods": []}, "no method"),
        ({"methods": {}}, "no method"),
        ({"methods": 5}, "no method"),
        ({"methods": {"a": nn.RandomPaths(0.1)}}, "is to be a Method"),
        ({"methods": {"a": Method(batch=-5)}}, "is to be a Method"),
        ({"repeats": 0}, "repeats="),
        ({"iterations": 0}, "iterations="),
    ):
        with pytest.raises(BadInput, match=says):
            learning_curves(**settings)


def test_differences_are_paired_by_repeat_and_have_intervals():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)

    def runs_of(**accuracies):
        runs = {name: [ended(x) for x in values] for name, values in accuracies.items()}
        return NetworkRuns("made", 1, runs, {name: {"held": 1.0} for name in runs})

    def ended(accuracy):
        columns = {c: np.array([0.5]) for c in nn.training.COLUMNS} | {"test_accuracy": np.array([accuracy])}
        return nn.Training(**columns)

    for n in (2, 3, 5, 14):
        shared = rng.normal(0.9, 0.05, n)  # a repeat's luck, which both have
        a, b = shared + rng.normal(0, 0.01, n), shared + 0.005 + rng.normal(0, 0.01, n)
        found = runs_of(baseline=b, other=a).difference("other")
        theirs = stats.ttest_rel(a, b).confidence_interval(0.95)
        assert found == pytest.approx(
            (np.mean(a - b), theirs.low, theirs.high), rel=2e-3
        )  # the table has three decimals
    assert np.ptp(found[1:]) < 0.3 * np.ptp(stats.ttest_ind(a, b).confidence_interval(0.95))
    runs = runs_of(baseline=[0.5, 0.7, 0.9], other=[0.6, 0.9], third=[0.4])
    assert runs.difference("other") == pytest.approx((0.15, 0.15 - 12.706 * 0.05, 0.15 + 12.706 * 0.05))
    assert runs.difference("other", "third") == pytest.approx((0.2, -np.inf, np.inf))
    text = str(runs)
    assert text.startswith("made: 1 iterations, 1 to 3 repeats of each method") and "+15.00% +-63.53%" in text
    assert runs.ends("baseline").tolist() == [0.5, 0.7, 0.9] and "70.00%" in text  # the median


# --- rates ------------------------------------------------------------------------------------------------------------

RELEASED = """
--exp_name=0000-project --simple=True --lr=0.000527 --weight_decay=1.009799e-03 --keep_frac=0.1
--exp_name=0005-smallbatch --simple=True --lr=0.000645 --weight_decay=5.687505e-05 --batch_size=20
--exp_name=0010-baseline --simple=True --lr=0.001350 --weight_decay=4.066478e-07
--exp_name=0015-samesample --simple=True --lr=0.000452 --weight_decay=4.058855e-06 --keep_frac=0.1 --sparse=True
--exp_name=0020-diffsample --simple=True --lr=0.000934 --weight_decay=1.254031e-06 --keep_frac=0.1 --sparse=True
"""
"""Of each kind the first line of nn_experiments/mnistffcommands.txt of RAD's repository."""

OURS = {
    "project": ["RAD, projection"],
    "smallbatch": ["small batch"],
    "baseline": ["baseline"],
    "diffsample": ["RAD, different"],
    "samesample": ["RAD, same", "dropout 10 %", "LayerOut", *(name for name in METHODS if name.startswith("SPAD"))],
}


def test_the_preset_is_what_rads_authors_ran():
    runs = learning_curves(preset="rad-mnist", iterations=1, records=1)
    told = {}
    for line in RELEASED.split("\n--exp_name=")[1:]:
        kind, _, options = line.partition(" ")
        told[kind.split("-")[1]] = dict(option.split("=") for option in options.replace("--", "").split())
    assert set(told) == set(OURS) and {name for names in OURS.values() for name in names} == set(METHODS)
    for kind, names in OURS.items():
        for name in names:
            batch = 300 if name == "SPAD, big batch" else int(told[kind].get("batch_size", 150))
            expected = {
                "lr": float(told[kind]["lr"]),
                "weight_decay": float(told[kind]["weight_decay"]),
                "batch": batch,
            }
            assert runs.settings[name] == expected, name
            assert METHODS[name].paths == nn.AllPaths() or METHODS[name].paths.keep in (0.1, 0.5)


def test_rates_of_ones_own_stand_in_the_place_of_a_presets():
    few = {"iterations": 1, "records": 1, "methods": ["baseline", "RAD, same", "small batch"]}
    assert set(PRESETS) == {"rad-mnist", "rad-cifar", "spad-cifar", "common"}
    common = learning_curves(preset="common", **few).settings
    assert {(s["lr"], s["weight_decay"]) for s in common.values()} == {(5.27e-4, 0.0)}
    assert [s["batch"] for s in common.values()] == [150, 150, 20]
    assert {s["lr"] for s in learning_curves(preset="spad-cifar", **few).settings.values()} == {2e-3}
    own = learning_curves(preset="rad-mnist", lr=0.01, batch=30, **few).settings
    assert (
        own["RAD, same"] == {"lr": 0.01, "weight_decay": 4.058855e-06, "batch": 30} and own["small batch"]["batch"] == 4
    )
    assert learning_curves(weight_decay=0.5, **few).settings["baseline"] == {
        "lr": 1e-3,
        "weight_decay": 0.5,
        "batch": 150,
    }
    for wrong, says in (
        ({"preset": "best"}, "no preset 'best'; there are rad-mnist"),
        ({"lr": 0}, "lr= is a number, above 0"),
        ({"lr": math.nan}, "lr= is a number"),
        ({"weight_decay": -1}, "weight_decay= is a number, at least 0"),
        ({"batch": 0}, "batch="),
        ({"batch": 2.5}, "batch="),
    ):
        with pytest.raises(BadInput, match=says):
            learning_curves(**few, **wrong)


def test_weight_decay_and_rate_reach_the_optimizer():
    data, few = nn.datasets.glyphs(2000, rng=0), {"iterations": 3, "records": 3}
    runs = learning_curves(methods=["baseline"], lr=0.02, weight_decay=0.3, batch=40, **few)
    seed = np.random.SeedSequence(0).spawn(1)[0]
    start, order = map(np.random.default_rng, np.random.SeedSequence(0, spawn_key=seed.spawn_key).spawn(2))
    net, rng = nn.small_fc_net(rng=start), order.spawn(3)
    chosen = rng[0].integers(0, 2000, 2000)
    batches, state = rng[1].permutation(chosen), {}
    for step in range(3):  # Adam with weight decay in the gradient, written out
        index = batches[40 * step : 40 * step + 40]
        for name, g in nn.gradients(net, data.x[index], data.y[index]).gradients.items():
            w = net.params[name].data.astype(float)
            g = g + 0.3 * w
            m, v = state.get(name, (0.0, 0.0))
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            state[name] = m, v
            rate = 0.02 * 0.6 ** (step * 10 // 3)
            w -= rate * m / (1 - 0.9 ** (step + 1)) / (np.sqrt(v / (1 - 0.999 ** (step + 1))) + 1e-8)
            net.params[name].data = w.astype(np.float32)
        loss, _ = nn.evaluate(net, data.x_test, data.y_test)
        assert (
            abs(loss - runs.runs["baseline"][0].test_loss[step + 1]) < 1e-3
        )  # float32, and a rate of a whole first step


# --- what is kept -----------------------------------------------------------------------------------------------------

FEW = {"iterations": 4, "records": 2}


def test_finished_runs_are_kept_one_by_one_and_not_trained_again(tmp_path, monkeypatch):
    learning_curves("glyphs-fc", TWO, resume=tmp_path, **FEW)
    first = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert sorted(first) == ["glyphs-fc-baseline-0.json", "glyphs-fc-rad-same-0.json", "memory.json"]
    trained, fit = [], nn.fit
    monkeypatch.setattr(
        nn, "fit", lambda *args, **settings: trained.append(settings["paths"]) or fit(*args, **settings)
    )
    runs_of_zero = learning_curves("glyphs-fc", TWO, resume=tmp_path, **FEW).to_csv()
    more = learning_curves("glyphs-fc", TWO, repeats=2, resume=tmp_path, **FEW)
    assert trained == [METHODS[name].paths for name in TWO]  # repeat 1 alone
    assert {name: (tmp_path / name).read_bytes() for name in first} == first
    assert more.to_csv() == learning_curves("glyphs-fc", TWO, repeats=2, **FEW).to_csv()
    assert runs_in(tmp_path).to_json() == more.to_json()
    for same in (np.int64(0), [0]):  # the same seed, written otherwise
        assert learning_curves("glyphs-fc", TWO, resume=tmp_path, rng=same, **FEW).to_csv() == runs_of_zero
    for other in ({"lr": 0.5}, {"rng": 1}, {"iterations": 5}, {"preset": "common"}):
        with pytest.raises(BadInput, match=r"baseline-0.json keeps another run .* there, .* here.*another folder"):
            learning_curves("glyphs-fc", TWO, resume=tmp_path, **FEW | other)


def test_a_run_that_is_not_finished_goes_on_from_its_checkpoint(tmp_path, monkeypatch):
    expected = learning_curves("glyphs-fc", TWO, **FEW)
    step = nn.training._Run.step

    def broken(run):
        if run.iteration == 3 and run.paths == METHODS["RAD, same"].paths:
            raise KeyboardInterrupt
        step(run)

    monkeypatch.setattr(nn.training._Run, "step", broken)
    with pytest.raises(KeyboardInterrupt):
        learning_curves("glyphs-fc", TWO, resume=tmp_path, **FEW)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["glyphs-fc-baseline-0.json", "glyphs-fc-rad-same-0.npz"]
    at = []
    monkeypatch.setattr(nn.training._Run, "step", lambda run: at.append(run.iteration) or step(run))
    assert learning_curves("glyphs-fc", TWO, resume=tmp_path, **FEW).to_csv() == expected.to_csv()
    assert at == [2, 3]


def test_a_folder_gives_the_repeats_that_can_be_compared(tmp_path):
    learning_curves("glyphs-fc", TWO, repeats=3, resume=tmp_path, **FEW)
    (tmp_path / "glyphs-fc-rad-same-1.json").unlink()
    runs = runs_in(tmp_path)
    assert {name: len(repeats) for name, repeats in runs.runs.items()} == {"baseline": 3, "RAD, same": 1}
    assert runs.settings["baseline"] == {"lr": 1e-3, "weight_decay": 0.0, "batch": 150}
    assert NetworkRuns.from_json(runs.to_json()).settings == runs.settings
    text = (tmp_path / "glyphs-fc-baseline-2.json").read_text(encoding="utf-8")
    told = json.loads(text)
    damages = ["", "[]", text[:-50], text.replace("tinyspad", "other", 1), text.replace('"held"', '"hold"')]
    damages += [json.dumps(told | {"settings": told["settings"] | {"repeat": "x"}}), json.dumps(told | {"run": {}})]
    damages += [json.dumps(told | {"settings": told["settings"] | {"task": "../x"}})]
    damages += [json.dumps(told | {"settings": told["settings"] | {"iterations": -5}})]
    damages += [json.dumps(told | {"memory": {"held": value}}) for value in (0.0, -1e9, float("nan"))]
    for damage in damages:
        (tmp_path / "glyphs-fc-baseline-2.json").write_text(damage, encoding="utf-8")
        with pytest.raises(BadInput, match=r"baseline-2\.json does not keep a finished run"):
            runs_in(tmp_path)
    for name, value in {"task": "mnist-fc", "seed": [7, [2]], "records": 5, "preset": ["x"], "data": "others"}.items():
        other = json.dumps(told | {"settings": told["settings"] | {name: value}})
        (tmp_path / "glyphs-fc-baseline-2.json").write_text(other, encoding="utf-8")
        with pytest.raises(BadInput, match=f"runs of several experiments, whose differences tell nothing: {name} is"):
            runs_in(tmp_path)
    (tmp_path / "glyphs-fc-baseline-2.json").write_text(text, encoding="utf-8")
    for damage in ("", "[]", '{"memory": 3}', '{"memory": {"baseline, identity": {"held": "x"}}}'):
        (tmp_path / "memory.json").write_text(damage, encoding="utf-8")
        with pytest.raises(BadInput, match=r"memory\.json does not keep the memory of steps"):
            runs_in(tmp_path)
    with pytest.raises(BadInput, match="keeps no finished run: python -m tinyspad networks"):
        runs_in(tmp_path / "nothing")


def test_what_is_told_of_a_choice_names_no_default():
    assert networks.choice_text(nn.SelectivePaths(0.1, m=2)) == "SelectivePaths(keep=0.1, m=2, k_max=10)"
    assert networks.choice_text(nn.RandomPaths(0.2, "different")) == "RandomPaths(keep=0.2, kind='different')"


def test_ctrl_c_tells_where_the_runs_are(capsys, tmp_path, monkeypatch):
    def interrupt(*args, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr("tinyspad.commands.learning_curves", interrupt)
    assert main(["networks", "glyphs-fc", "--out", str(tmp_path)]) == 130
    told = capsys.readouterr().err.splitlines()
    assert told == [
        f"Runs are kept in {tmp_path / 'data' / 'networks_glyphs-fc'}: the same command goes on from there.",
        "tinyspad: interrupted",
    ]
