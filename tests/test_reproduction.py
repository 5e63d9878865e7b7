"""The report: committed is what the numbers say, they bear out the verdicts, and so they do at a reduced size."""

import copy
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


def test_the_committed_report_is_written_from_the_committed_numbers():
    assert (ROOT / "REPRODUCTION.md").read_text(encoding="utf-8") == reproduction.report(NUMBERS)
    assert reproduction.unsupported(NUMBERS) == []
    assert reproduction.from_json(reproduction.to_json(NUMBERS)) == NUMBERS


@pytest.mark.parametrize("key", OWN)
def test_every_claim_at_a_reduced_size(key):
    found = reproduction.measure([key], small=True)
    assert reproduction.unsupported(found) == []
    committed = NUMBERS[key]
    assert set(found[key]) == set(committed)  # the same numbers, at another size


@pytest.mark.parametrize("key", ["decomposition", "algorithms", "best-path", "figure2"])
def test_what_is_exact_is_measured_whole(key):
    found = reproduction.measure([key])[key]
    for name, value in NUMBERS[key].items():
        if isinstance(value, float) and value < 1e-9:
            assert found[name] < 1e-12
        else:
            assert found[name] == value


WRONG = {
    "decomposition": lambda n: n.update(apart=1e-3),
    "variance": lambda n: n.update(bias=1e-3),
    "algorithms": lambda n: n["sums"].update({"2": 1.0}),
    "average": lambda n: [f.update(share=1 / f["paths"]) for f in n["functions"].values()],
    "best-path": lambda n: n.update(agree=n["agree"] - 1),
    "figure2": lambda n: n.update(nearest=4.0),
    "figure3": lambda n: n["escaped"][n["rates"].index(0.01)].__setitem__(0, 5),
    "tables": lambda n: n["boxes"]["usual"]["beale"][3].__setitem__(0, n["runs"]),
    "figure7": lambda n: n["successes"]["beale"].__setitem__(-1, n["runs"]),
    "choices": lambda n: n["successes"]["ackley"].__setitem__(7, 0),
    "memory": lambda n: n["held"].update({"SPAD, a tenth, m 10": 10**9}),
    "networks": lambda n: n["tasks"]["fashion-fc"]["rows"]["RAD, same"].__setitem__(1, 9.0),
    "table3": lambda n: n["cells"]["uniform / all paths"]["loss"].__setitem__(0, 9.0),
    "white-box": lambda n: n["models"]["demand"]["rows"]["RAD"].update(out=[0.1, 0.1, 0.1]),
}


@pytest.mark.parametrize("key", WRONG)
def test_other_numbers_do_not_bear_out_the_verdict(key):
    numbers = copy.deepcopy(NUMBERS)
    WRONG[key](numbers[key])
    assert key in reproduction.unsupported(numbers)


def test_every_claim_that_is_measured_can_fail():
    assert set(WRONG) == {key for key in OWN if CLAIMS[key].verdict != UNTESTED}


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


def test_bad_input(capsys, tmp_path):
    assert main(["reproduce", "figure99"]) == 2
    assert "There is no claim 'figure99'" in capsys.readouterr().err
    folder = tmp_path / "figures" / "data"
    folder.mkdir(parents=True)
    (folder / "reproduction.json").write_text("[]")
    assert main(["reproduce", "figure2", "--out", str(tmp_path)]) == 2
    assert "no file of reproduced numbers" in capsys.readouterr().err
    for text in ("", "{}", '{"format": "another"}', "nul", "3"):
        with pytest.raises(BadInput):
            reproduction.from_json(text)
    with pytest.raises(BadInput, match="lacks"):
        reproduction.report({})
