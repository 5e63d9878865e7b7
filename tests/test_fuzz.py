"""A hundred thousand inputs from outside: formulas, command lines, saved runs, kept blocks. Each is taken or refused.

Hypothesis draws seeds; each makes a batch of inputs, since a batch of one would spend its time in drawing.
"""

import io
import json
import random
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tinyspad as ts
from tinyspad.__main__ import main
from tinyspad.errors import BadInput, ExpressionError
from tinyspad.experiments.blocks import FORMAT, _Kept
from tinyspad.expression import parse
from tinyspad.optimize import History

pytestmark = pytest.mark.slow

BATCH = 100
seeds = st.integers(0, 2**32)
TOKENS = [
    *"xyλ12.+-*/%(),'[]={}:;@#\\ \n\0\"~!&|^<>",
    "**",
    "cos",
    "hypot",
    "lambda ",
    "e9",
    "if ",
    "else ",
    "pi",
    "1j",
    "0x",
]
TOKENS += [
    "__import__",
    "x.y",
    "**9",
    "((((",
    "x for x in ",
    "not ",
    "or ",
    "f'{x}'",
    "...",
    "1_0",
    "await ",
    ":=",
    "\ud800",
]


def fuzz(inputs):
    """Settings for about so many inputs."""
    return settings(max_examples=inputs // BATCH, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def damaged(whole, chance):
    """The bytes with a few of them changed, left out, doubled, or cut off."""
    content = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        at, what = chance.randrange(len(content) + 1), chance.random()
        if what < 0.6 and at < len(content):
            content[at] = chance.choice((0, 255, 0x7F, content[at] ^ (1 << chance.randrange(8)), chance.randrange(256)))
        elif what < 0.75:
            del content[at : at + chance.randint(1, 30)]
        elif what < 0.9:
            content[at:at] = content[max(0, at - chance.randint(1, 30)) : at]
        else:
            del content[at:]
    return bytes(content)


@fuzz(65_000)
@given(seeds)
def test_formulas(seed):
    chance = random.Random(seed)
    for _ in range(BATCH):
        if chance.random() < 0.8:
            text = "".join(chance.choices(TOKENS, k=chance.randint(0, 25)))
        else:
            text = "".join(chr(chance.randrange(0x3000)) for _ in range(chance.randint(0, 12)))
        text = text if chance.random() < 0.98 else text * chance.randint(2, 300)  # long and deep
        try:
            f = parse(text)
        except ExpressionError as error:
            assert error.message
        else:
            with np.errstate(all="ignore"):
                f(*(0.5 + i for i in range(len(f.__signature__.parameters))))


@fuzz(5_000)
@given(seeds)
def test_command_lines(tmp_path_factory, seed):
    chance = random.Random(seed)
    words = [
        "paths",
        "explain",
        "laboratory",
        "table",
        "figures",
        "-h1",
        "--",
        "--draws",
        "--seed",
        "--runs",
        "-1",
        "9" * 30,
    ]
    words += ["x*x", "x=3", "x=inf", "x=nan", "=", "x=", "y=1", "1e999", "--form", "csv", "--figure", "", "\0", "x**y"]
    for _ in range(BATCH):
        argv = [chance.choice(words[:5])] + chance.choices(words[5:], k=chance.randint(0, 4))
        if chance.random() < 0.5:
            argv.append("".join(chance.choices(TOKENS, k=8)))
        if {"table", "figures"} & {argv[0]} or "--draws" in argv:
            argv.append("--no-such-option")  # parsed whole, and refused before the work begins
        if argv[0] == "explain" and "--" not in argv:
            argv += ["--out", str(tmp_path_factory.getbasetemp() / "page.html")]
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            status = main(argv)
        assert status in (0, 2), argv
        assert status == 0 or (err.getvalue().startswith("tinyspad: ") and err.getvalue().count("\n") == 1), argv


@fuzz(15_000)
@given(seeds)
def test_saved_runs(tmp_path_factory, seed):
    file = tmp_path_factory.getbasetemp() / "run.npz"
    ts.minimize(ts.functions.f1, 5.0, estimator=ts.RAD(), steps=3, rng=0).history.save(file)
    whole, chance = file.read_bytes(), random.Random(seed)
    for _ in range(BATCH):
        file.write_bytes(damaged(whole, chance))
        try:
            History.load(file, limit=10**6)
        except BadInput as error:
            assert "not a tinyspad history" in error.message
        except FileNotFoundError:
            raise AssertionError from None


@fuzz(15_000)
@given(seeds)
def test_kept_blocks(tmp_path_factory, seed):
    file = tmp_path_factory.getbasetemp() / "kept.jsonl"
    lines = [{"format": FORMAT}, {"block": "('0.1', 'beale')", "values": [(1.5).hex(), np.inf.hex(), np.nan.hex()]}]
    whole, chance = "".join(json.dumps(line) + "\n" for line in lines).encode(), random.Random(seed)
    for _ in range(BATCH):
        content = damaged(whole, chance) if chance.random() < 0.98 else whole + b"[" * 10**5 + b"\n"
        file.write_bytes(content)
        try:
            known = _Kept(file).known
        except BadInput as error:
            assert str(file) in error.message and file.read_bytes() == content
        else:
            assert all(isinstance(v, float) for values in known.values() for v in values)
