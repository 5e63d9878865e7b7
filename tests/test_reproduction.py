"""The report: committed is what the numbers say, they bear out the verdicts, and so they do at a reduced size."""

import copy
import dataclasses
import re
from pathlib import Path

import pytest

from tinyspad import reproduction
from tinyspad.__main__ import main
from tinyspad.errors import BadInput
from tinyspad.reproduction import BEYOND, CLAIMS, CONDITIONS, FAILS, HOLDS, UNTESTED

ROOT = Path(__file__).parent.parent
NUMBERS = reproduction.from_json((ROOT / "figures" / "data" / "reproduction.json").read_text(encoding="utf-8"))
OWN = [key for key, claim in CLAIMS.items() if not claim.of]


@pytest.fixture(autouse=True)
def at_the_top(monkeypatch):
    monkeypatch.chdir(ROOT)  # where the long runs' results are read


@pytest.mark.committed
def test_the_committed_report_is_written_from_the_committed_numbers():
    assert (ROOT / "REPRODUCTION.md").read_text(encoding="utf-8") == reproduction.report(NUMBERS)
    assert reproduction.unsupported(NUMBERS) == []
    assert reproduction.from_json(reproduction.to_json(NUMBERS)) == NUMBERS


@pytest.mark.committed
@pytest.mark.parametrize("key", OWN)
def test_every_claim_at_a_reduced_size(key):
    found = reproduction.measure([key], small=True)
    assert reproduction.unsupported(found) == []
    committed = NUMBERS[key]
    assert set(found[key]) == set(committed)  # the same numbers, at another size
    for name, claim in CLAIMS.items():
        if (claim.of or name) == key:
            assert claim.verdict in reproduction.section(name, found[key])


@pytest.mark.committed
@pytest.mark.parametrize("key", ["decomposition", "algorithms", "best-path", "figure2"])
def test_what_is_exact_is_measured_whole(key):
    found = reproduction.measure([key])[key]
    for name, value in NUMBERS[key].items():
        if isinstance(value, float) and abs(value) < 1e-9 and name != "best":
            assert abs(found[name]) < 1e-12  # a rounding error
        elif isinstance(value, float):
            assert found[name] == pytest.approx(value, rel=1e-9, abs=0)  # of thousands of roundings, each 1e-16
        elif name == "Algorithm 1 against RAD, mean square":
            assert {n: pytest.approx(x, rel=1e-9) for n, x in value.items()} == found[name]
        else:
            assert found[name] == value


def solved_by_nobody_else(n, *methods, agree):
    """On the functions of one kind these methods alone solve from every start."""
    places = [n["methods"].index(method) for method in methods]
    for f, agrees in enumerate(n["functions"].values()):
        for alone in n["alone"][f] if agrees == agree else []:
            for m, row in enumerate(alone):
                row[:] = [n["runs"] if m in places and o not in places else 0 for o in range(len(row))]


def cell(n, name):
    return n["cells"][name]


def counts(n, claim, never=False):
    found = n["claims"][claim]["counts"]
    found[:] = [0, 0, sum(found)] if never else [sum(found), 0, 0]


def fashion(n, method, net="fc"):
    return n["tasks"][f"fashion-{net}"]["rows"][method]


def mnist(n, method):
    return n["presets"]["rad-mnist"]["rows"][method]


WRONG = [
    ("decomposition", lambda n: n.update(apart=1e-3)),
    ("decomposition", lambda n: n.update({"f1 apart": 1e-3})),
    ("variance", lambda n: n.update(bias=1e-3)),
    (
        "variance",
        lambda n: n["families"]["random programs"]["almost-Dirac, epsilon 0.1"].update(median=[1.0, 1.0, 1.0]),
    ),
    ("variance", lambda n: n["families"]["beale"]["almost-Dirac, epsilon 0.1"].update(range=[0.1, 7.0])),
    ("variance", lambda n: n["families"]["levi"]["by magnitude"].update(range=[0.1, 1.1])),
    ("algorithms", lambda n: n["sums"].update({"2": 1.0})),
    ("algorithms", lambda n: n.update({"Algorithm 2 against RAD": 0.1})),
    ("algorithms", lambda n: n["Algorithm 1 against RAD, mean square"].update({"6": [1.0, 1.0]})),
    ("average", lambda n: [f.update(share=[f["fair"]] * 3) for f in n["functions"].values()]),
    ("best-path", lambda n: n.update(agree=n["agree"] - 1)),
    ("figure2", lambda n: n.update(nearest=4.0)),
    ("figure3", lambda n: n["escaped"]["parameter"][n["rates"].index(0.01)].__setitem__(0, n["runs"])),
    ("figure3", lambda n: n["escaped"]["parameter"][n["rates"].index(0.1)].__setitem__(0, n["runs"])),
    ("figure3", lambda n: n["escaped"]["path"][n["rates"].index(0.1)].__setitem__(0, 0)),
    ("figure3", lambda n: n["ends"]["g1"].__setitem__(n["rates"].index(0.1), 5.0)),
    ("tables", lambda n: n["boxes"]["usual"]["beale"][3].__setitem__(0, n["runs"])),
    ("tables", lambda n: n["boxes"]["usual"]["ackley"][0].__setitem__(0, n["runs"])),
    ("figure7", lambda n: n["successes"]["beale"].__setitem__(-1, n["runs"])),
    ("figure7", lambda n: n["successes"].update(levi=[0] * 7)),
    ("figure7", lambda n: n["successes"].update({"beale, products": [200] * 7})),
    ("tables", lambda n: n["boxes"]["nearest, products"]["beale"][0].__setitem__(0, n["runs"])),
    ("readings", lambda n: counts(n, "Ackley: the exact gradient is best (Table 1)")),
    ("readings", lambda n: counts(n, "Beale: SPAD, k_max 50 is best (Table 1)")),
    ("readings", lambda n: counts(n, "Levi: SPAD, k_max 50 is above GD (Table 1)", never=True)),
    ("readings", lambda n: counts(n, "Levi: success falls from k_max 1 to 50 (Figure 7)")),
    ("readings", lambda n: n["claims"]["Beale: success rises from k_max 1 to 50 (Figure 7)"].update(shares=[])),
    ("readings", lambda n: n.update({"most cells": 32})),
    ("choices", lambda n: n["successes"]["ackley"].__setitem__(7, 0)),
    ("choices", lambda n: n["successes"]["beale"].__setitem__(5, n["successes"]["beale"][2] + 1)),
    ("holding", lambda n: n["successes"]["ackley"].__setitem__(7, 0)),
    ("magnitude", lambda n: n["successes"]["ackley"].__setitem__(6, n["runs"])),
    ("multimodal", lambda n: solved_by_nobody_else(n, "GD", agree=True)),
    ("multimodal", lambda n: solved_by_nobody_else(n, "basin hopping", agree=True)),
    ("multimodal", lambda n: solved_by_nobody_else(n, "RAD", "SPAD", "RAD, held", agree=False)),
    ("multimodal", lambda n: n.update(functions=dict.fromkeys(n["functions"], False))),
    ("memory", lambda n: n["held"].update({"SPAD, a tenth, m 10": 10**9})),
    ("memory", lambda n: n["held"].update({"all paths, a tenth of the batch": 10**6})),
    ("memory", lambda n: n["measured"]["IRNN"].__setitem__(-1, 9.0)),
    ("memory", lambda n: n["counted"]["IRNN"].__setitem__(0, 47.93)),
    ("memory", lambda n: n["peaks"].update({"all paths, by an identity": 1})),
    ("networks", lambda n: fashion(n, "RAD, same").update({"test loss": 9.0})),
    ("networks", lambda n: fashion(n, "SPAD, k_max 10, m 10", "conv").update({"test loss": 9.0})),
    ("networks", lambda n: fashion(n, "SPAD, k_max 10, m 10").update({"less baseline": [0.02, None, None]})),
    ("networks", lambda n: fashion(n, "RAD, same").update({"test loss less baseline": [-0.1, -0.3, 0.1]})),
    ("competitive", lambda n: fashion(n, "SPAD, k_max 1000, m 10").update(accuracies=[0.99])),
    ("competitive", lambda n: fashion(n, "dropout 10 %").update(accuracies=[0.5])),
    ("competitive", lambda n: fashion(n, "SPAD, k_max 10, m 10").update({"less small batch": [0.1, None, None]})),
    ("mnist", lambda n: mnist(n, "RAD, different").update({"less baseline": [0.02, 0.01, 0.03]})),
    ("mnist", lambda n: mnist(n, "SPAD, k_max 10, m 10").update({"less RAD": [0.02, None, None]})),
    ("mnist", lambda n: mnist(n, "small batch").update(accuracies=[0.9])),
    ("mnist", lambda n: mnist(n, "SPAD, k_max 1000, m 10").update(accuracies=[0.99])),
    ("mnist", lambda n: n["presets"]["rad-mnist"]["rows"].pop("LayerOut")),
    ("table3", lambda n: cell(n, "bandit / largest").update({"in": [0.5, 0.4, 0.6]})),
    ("table3", lambda n: cell(n, "by norm / by magnitude").update(out=[1.0, 0.9, 1.1])),
    ("table3", lambda n: cell(n, "all / by magnitude").update(cosine=0.5)),
    ("white-box", lambda n: n["models"]["demand"]["rows"]["RAD"].update(ratios=[[1.0, 0.9, 1.1]] * 4)),
    ("white-box", lambda n: n["models"]["demand"]["rows"]["RAD"].update(ratios=[[0.8, 0.7, 0.9]] * 4)),
    ("white-box", lambda n: n["models"]["growth"]["rows"]["RAD, by branch"]["ratios"].__setitem__(-1, [0.5, 0.4, 0.6])),
]


@pytest.mark.parametrize(("key", "change"), WRONG, ids=[f"{key}-{i}" for i, (key, _) in enumerate(WRONG)])
def test_other_numbers_do_not_bear_out_the_verdict(key, change):
    numbers = copy.deepcopy(NUMBERS)
    change(numbers[CLAIMS[key].of or key])
    assert key in reproduction.unsupported(numbers)


def test_every_claim_that_is_measured_can_fail():
    assert {key for key, _ in WRONG} == {key for key in CLAIMS if CLAIMS[key].verdict != UNTESTED}


def test_verdicts_are_five_words_and_the_first_table_has_all_claims():
    assert {claim.verdict for claim in CLAIMS.values()} == {HOLDS, CONDITIONS, FAILS, UNTESTED, BEYOND}
    page = reproduction.report(NUMBERS)
    quick = page[: page.index("## Claim by claim")]
    for key, claim in CLAIMS.items():
        assert f"[{key}](#{key})" in quick and f"**{claim.verdict}**" in quick and f"\n### {key}\n" in page
    assert page.index("## In a hurry") < page.index("## Claim by claim") < page.index("## What the neighbours have")


def test_pictures_and_commands_of_the_report_exist():
    page = reproduction.report(NUMBERS)
    for target in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page):
        assert (ROOT / target).exists(), target
    assert not re.search(r"\bnan\b", page)


def test_the_command_prints_one_claim_and_keeps_the_others(capsys, tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert main(["reproduce", "figure2", "--out", str(out)]) == 0
    assert "### figure2" in capsys.readouterr().out and not (out / "REPRODUCTION.md").exists()
    file = out / "figures" / "data" / "reproduction.json"
    file.write_text(reproduction.to_json(NUMBERS), encoding="utf-8")
    assert main(["reproduce", "figure2", "--out", str(out)]) == 0
    assert (out / "REPRODUCTION.md").read_text(encoding="utf-8") == reproduction.report(NUMBERS)
    assert main(["reproduce", "figure2", "--small", "--out", str(tmp_path / "none")]) == 0
    assert not (tmp_path / "none").exists()


def test_finished_claims_are_kept_when_a_later_one_is_interrupted(tmp_path, monkeypatch, capsys):
    def interrupt(setting):
        raise KeyboardInterrupt

    monkeypatch.setitem(CLAIMS, "algorithms", dataclasses.replace(CLAIMS["algorithms"], measure=interrupt))
    assert main(["reproduce", "figure2", "algorithms", "figure3", "--out", str(tmp_path)]) == 130
    kept = (tmp_path / "figures" / "data" / "reproduction.json").read_text(encoding="utf-8")
    assert list(reproduction.from_json(kept)) == ["figure2"]


def test_bad_input(capsys, tmp_path):
    assert main(["reproduce", "figure99"]) == 2
    assert "There is no claim 'figure99'" in capsys.readouterr().err
    folder = tmp_path / "figures" / "data"
    folder.mkdir(parents=True)
    good = reproduction.to_json({"figure2": NUMBERS["figure2"]})
    for text in (
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        good.replace("nearest", "N").encode(),
        b'{"format": "another"}',
        b"",
    ):
        (folder / "reproduction.json").write_bytes(text)
        assert main(["reproduce", "figure2", "--out", str(tmp_path)]) == 2
        said = capsys.readouterr().err
        assert "no file of reproduced numbers" in said and "reproduction.json" in said
    with pytest.raises(BadInput, match="lacks"):
        reproduction.report({})
    with pytest.raises(BadInput, match="networks fashion-fc"):
        reproduction.measure(["networks"], folder=tmp_path)
    with pytest.raises(BadInput, match=r"run `python -m tinyspad networks mnist-fc --preset rad-mnist` first"):
        reproduction.measure(["mnist"], folder=tmp_path)
    (tmp_path / "file").write_text("")
    assert main(["reproduce", "figure2", "--out", str(tmp_path / "file")]) == 2  # before anything is measured
    assert "figure2:" not in capsys.readouterr().err


def hurried(**changed):
    """The first page, with other numbers for some claims."""
    found = {key: copy.deepcopy(NUMBERS[claim.of or key]) for key, claim in CLAIMS.items()}
    for key, change in changed.items():
        change(found[key])
    return reproduction.hurry.page(CLAIMS, found)


def test_the_first_page_tells_each_claim_with_where_it_holds_and_where_not():
    page = hurried()
    rows = [line for line in page.splitlines() if line.startswith("| [")]
    told = {
        re.match(r"\| \[([\w-]+)\]", row)[1]: [cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows
    }
    assert set(told) == set(CLAIMS) and len(rows) == len(CLAIMS)
    for key, cells in told.items():
        beyond = CLAIMS[key].verdict == BEYOND
        assert len([cell for cell in cells[1:] if cell]) >= (2 if beyond else 3), key
        assert beyond or CLAIMS[key].verdict in cells[2]
    assert page in reproduction.report(NUMBERS)


@pytest.mark.parametrize(
    "key, change",
    [
        ("figure3", lambda n: n["escaped"]["path"][n["rates"].index(0.01)].__setitem__(0, 3)),
        ("figure3", lambda n: n["escaped"]["parameter"][n["rates"].index(0.1)].__setitem__(0, 3)),
        ("average", lambda n: n["functions"]["beale"].update(share=[0.31, 0.3, 0.32])),
        ("readings", lambda n: counts(n, "Levi: SPAD, k_max 50 is above GD (Table 1)", never=True)),
        ("readings", lambda n: counts(n, "Beale: success rises from k_max 1 to 50 (Figure 7)")),
        ("choices", lambda n: n["successes"]["ackley"].__setitem__(2, n["runs"])),
        ("memory", lambda n: n["held"].update({"SPAD, a tenth, m 10": n["held"]["all paths"]})),
    ],
)
def test_other_numbers_change_the_first_page(key, change):
    assert hurried(**{key: change}) != hurried()
