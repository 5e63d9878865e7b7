"""The table of mistakes in the docs: every line does what it says, and the error points at the line of the user's code."""

import ast
import math
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import tinyspad as ts

PAGE = (Path(__file__).parent.parent / "docs" / "mistakes.md").read_text(encoding="utf-8")


def code(cell):
    return "\n".join(line.replace("\u2003", "    ") for line in re.findall(r"`(.+?)`", cell.replace("\\|", "|")))


def plain(text):
    return re.sub(r"\\(.)", r"\1", text)


ROWS = [
    (code(wrong), plain(says.strip()), code(right))
    for wrong, says, right in (
        re.split(r"(?<!\\)\|", line)[1:4] for line in PAGE.splitlines() if line.startswith("| `")
    )
]


def execute(text, namespace, file):
    """Run the text as a file of the user's; the value of its last line if that is an expression."""
    file.write_text(text, encoding="utf-8")
    tree = ast.parse(text)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, file, "exec"), namespace)
    return None if last is None else eval(compile(ast.Expression(last.value), file, "eval"), namespace)


@pytest.mark.committed
@pytest.mark.parametrize(("wrong", "says", "right"), ROWS, ids=[row[0].splitlines()[-1] for row in ROWS])
def test_the_mistake_is_met_with_what_the_page_says(tmp_path, wrong, says, right):
    namespace = {"np": np, "ts": ts, "math": math}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if says.startswith("No error"):
            assert bool(execute(wrong, namespace, tmp_path / "mistake.py")) is True
        else:
            kind, message = re.fullmatch(r"`(\w+)` (.*)", says).groups()
            with pytest.raises(getattr(ts.errors, kind, ValueError)) as caught:
                execute(wrong, namespace, tmp_path / "mistake.py")
            assert type(caught.value).__name__ == kind
            error = caught.value
            if isinstance(error, ts.errors.TinyspadError):
                lines = [f"mistake.py, line {i}: {line.strip()}" for i, line in enumerate(wrong.splitlines(), 1)]
                assert error.message == message
                assert error.where == lines[-1] or (error.where in lines and ("def " in wrong or "lambda" in wrong))
                assert str(error) == f"{message}\n    {error.where}"
            else:
                assert str(error) == message  # NumPy's own
        execute(right, namespace, tmp_path / "right.py")


def test_the_table_has_the_mistakes_of_a_class():
    assert len(ROWS) >= 20
    errors = {re.match(r"`(\w+)`", says).group(1) for _, says, _ in ROWS if says.startswith("`")}
    assert {"DroppedGradient", "NotCompilable", "NotScalar", "ChangedData", "NoRule", "TooManyPaths"} <= errors


def test_a_refusal_inside_a_function_points_into_it(tmp_path):
    text = "def f(x):\n    y = 2 * x\n    if y > 1:\n        return y\n    return x\nts.compile(f)"
    with pytest.raises(ts.errors.NotCompilable) as caught:
        execute(text, {"ts": ts}, tmp_path / "inner.py")
    assert caught.value.where == "inner.py, line 3: if y > 1:"

    text = "def f(x):\n    y = 2 * x\n    return y + [][3]\nts.compile(f)"
    with pytest.raises(ts.errors.NotCompilable, match="IndexError: list index") as caught:
        execute(text, {"ts": ts}, tmp_path / "other.py")
    assert caught.value.where == "other.py, line 3: return y + [][3]"

    text = (
        "def f(x):\n    try:\n        bool(x > 1)\n    except Exception:\n        return x\n    return x\nts.compile(f)"
    )
    with pytest.raises(ts.errors.NotCompilable) as caught:
        execute(text, {"ts": ts}, tmp_path / "caught.py")
    assert caught.value.where == "caught.py, line 3: bool(x > 1)"


def test_code_without_a_source_has_no_line():
    with pytest.raises(ts.errors.BadInput) as caught:
        exec("ts.Value('3')", {"ts": ts})
    assert "exec(" in caught.value.where  # the innermost line that has one
