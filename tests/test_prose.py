"""Numbers in the report's sentences come from data; those written by hand are settings, formulas, or places in the paper."""

import ast
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "tinyspad" / "reproduction"

PLACES = re.compile(
    r"(Figures?|Tables?|Definitions?|Algorithms?|Eqs?\.|eqs?\.|Example|Tutorial|Schaffer|CIFAR-|line|al\.)[ (]*"
    r"([\w.]+\)?(, | and |; |, \()?)*$"
)
"""What comes before the number of a place in the paper, of a function, or of a year."""

BY_HAND = {
    "0": "a bound",
    "1": "a formula; k_max",
    "2": "a formula; candidates",
    "3": "a power",
    "4": "a box",
    "5": "k_max; a start; repeats",
    "6": "the interval of Figure 2",
    "8": "a batch",
    "10": "candidates; a basis",
    "15": "a batch",
    "20": "k_max",
    "50": "a hold",
    "56": "observations of the demand model",
    "60": "runs of a picture",
    "95": "percent of an interval",
    "100": "numbers of the IRNN",
    "120 001": "points of a grid",
    "150": "a batch",
    "200": "an exponent; runs",
    "500": "images",
    "784": "steps of the IRNN",
    "1000": "k_max",
    "2000": "steps",
    "60 000": "images",
    "0.01": "a learning rate",
    "0.05": "a tolerance",
    "0.1": "epsilon; a rate",
    "5.27e-4": "a learning rate",
    "97": "percent, as the paper says",
}
"""Numbers that no measurement gives, and what they are."""

NUMBER = re.compile(r"(?<![\w.^])\d+(?: \d{3})*(?:\.\d+)?(?:e-?\d+)?")
WORDS = re.compile(
    r"\b(?:twice|thrice|half a|\w+ times (?:as|more|less|better|worse|cheaper|faster|larger|smaller|higher|lower))\b"
)
SAID = {"twice": "as many paths in a writing", "half a": "a threshold", "ten times that": "a ratio of rates"}


def texts(source):
    """The sentences in a module: its longer string constants that are no docstrings."""
    tree = ast.parse(source)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in alone
            and len(node.value) > 25
        ):
            yield node.value


def by_hand(text):
    """The numbers in a sentence that are neither of a place in the paper nor listed above."""
    for found in NUMBER.finditer(text):
        if not PLACES.search(text[: found.start()]) and found[0].rstrip(".") not in BY_HAND:
            yield found[0]
    for found in WORDS.finditer(text):
        if not any(word in found[0] for word in SAID):
            yield found[0]


MODULES = sorted(
    path.name for path in FOLDER.glob("*.py") if path.name != "report.py"
)  # whose sentences compare engines


@pytest.mark.parametrize("name", MODULES)
def test_numbers_in_sentences_come_from_data(name):
    for text in texts((FOLDER / name).read_text(encoding="utf-8")):
        assert not list(by_hand(text)), text


@pytest.mark.parametrize(
    "sentence",
    [
        "the best of SPAD is within 0.54 points of the baseline",
        "a quarter of its runs leave the trap, 26 % at ten times that rate",
        "steps that draw observations are seven times cheaper than others",
        "the mean square is up to 6.0 times that of a uniform draw",
    ],
)
def test_a_number_written_by_hand_is_found(sentence):
    assert list(by_hand(sentence))


def test_every_number_that_may_be_written_is():
    """The list has nothing that stands in no sentence any more."""
    told = "\n".join(text for name in MODULES for text in texts((FOLDER / name).read_text(encoding="utf-8")))
    numbers = {found[0] for found in NUMBER.finditer(told)}
    assert set(BY_HAND) <= numbers, set(BY_HAND) - numbers
