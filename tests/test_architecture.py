"""Imports go one way: a module may import from lower ranks only."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tinyspad as ts

ROOT = Path(__file__).parent.parent / "tinyspad"
RANKS = [
    ["one_page", "errors"],  # read first, and alone; and beneath everything, as every module may raise
    ["archive", "arguments", "table", "progress"],
    ["containers", "displays"],
    ["data", "functions", "models", "optimizers", "differences", "expression", "layout"],
    ["rules", "paths", "verdicts"],
    ["written"],
    ["tape"],
    ["linearization"],
    ["lcg"],
    ["program"],
    ["estimators", "findings"],
    ["rulecheck", "support"],
    ["gradcheck"],
    ["optimize"],
    ["nn"],
    ["experiments"],
    ["reproduction"],
    ["page"],
    ["plot", "check", "course"],
    ["shell", "typed"],
    ["command_line"],
    ["on_formulas"],
    ["commands"],
    ["__main__"],
]
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names}
FILES = sorted(ROOT.rglob("*.py"))


def imports(file):
    """(module, nested in a function or a type check) for every import of tinyspad's own modules."""
    package = ("tinyspad", *file.relative_to(ROOT).parts[:-1])
    tree = ast.parse(file.read_text(encoding="utf-8"))
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((a.name.split("."), id(node) not in top) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            base += node.module.split(".") if node.module else []
            yield from ((base + [a.name], id(node) not in top) for a in node.names)


@pytest.mark.parametrize("file", FILES, ids=[str(f.relative_to(ROOT)) for f in FILES])
def test_imports_come_from_lower_ranks(file):
    own = file.relative_to(ROOT).with_suffix("").parts[0]
    if own == "__init__":
        return
    assert own in RANK, f"give {own} a rank"
    for module, nested in imports(file):
        if module[0] == "matplotlib":
            assert own == "plot" or nested, f"{own} imports matplotlib at the top"
        if module[0] != "tinyspad" or len(module) < 2 or module[1] in (own, "__version__"):
            continue
        assert RANK[module[1]] < RANK[own], f"{own} (rank {RANK[own]}) imports {module[1]} (rank {RANK[module[1]]})"


def left_in_circles(needs):
    """Of modules and the modules that each imports, those from which imports lead into a circle."""
    needs = dict(needs)
    while free := [name for name in needs if not needs[name] & set(needs)]:
        for name in free:
            del needs[name]
    return set(needs)


def imported_by_module():
    """Of every module which modules it imports, for the type checker alone included."""
    modules = {}
    for file in FILES:
        parts = file.relative_to(ROOT).with_suffix("").parts
        modules[".".join(("tinyspad", *(p for p in parts if p != "__init__")))] = file
    del modules["tinyspad"]  # names load when they are asked for
    needs = {}
    for name, file in modules.items():
        needs[name] = set()
        for module, _ in imports(file):
            dotted = ".".join(module)
            needs[name].add(dotted if dotted in modules else dotted.rpartition(".")[0])
        needs[name] &= set(modules) - {name}
    return needs


def test_no_import_leads_back():
    needs = imported_by_module()
    assert not left_in_circles(needs)
    assert "tinyspad.tape.value" in needs["tinyspad.tape"] and "tinyspad.paths.route" in needs["tinyspad.paths.chances"]
    needs["tinyspad.paths.structure"] = {"tinyspad.paths.chances"}
    assert {"tinyspad.paths.structure", "tinyspad.paths.route"} <= left_in_circles(needs)


def test_the_walk_sees_every_form_of_import(tmp_path):
    inside = ROOT / "lcg" / "sample.py"  # only its place matters: the text is read from elsewhere

    class Sample:
        def relative_to(self, root):
            return inside.relative_to(root)

        def read_text(self, encoding):
            lines = ["import tinyspad.plot", "from .. import plot", "from ..plot import lcg", "def f():"]
            return "\n".join([*lines, "    from ..plot.runs import compare"])

    assert [(module[:2], nested) for module, nested in imports(Sample())] == [
        (["tinyspad", "plot"], False),
        (["tinyspad", "plot"], False),
        (["tinyspad", "plot"], False),
        (["tinyspad", "plot"], True),
    ]


@pytest.mark.parametrize("heavy", ["matplotlib", "tqdm", "autograd", "torch"])
def test_importing_tinyspad_stays_light(heavy):
    code = f"import sys, tinyspad; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_module_declares_what_it_needs():
    third_party = set()
    for file in FILES:
        third_party |= {module[0] for module, nested in imports(file) if not nested}
    allowed = {"numpy", "matplotlib", "tinyspad"} | set(sys.stdlib_module_names)
    assert third_party <= allowed


def test_every_public_name_is_found_wherever_one_starts():
    """Whichever is asked for first, in a fresh interpreter."""
    for first in ("ts.trace", "ts.experiments", "importlib.import_module('tinyspad.optimize')", "ts.plot", "ts.Value"):
        code = f"""
import importlib, tinyspad as ts
assert not set(sys.modules) & {{"tinyspad.tape", "tinyspad.lcg"}}, "importing loads nothing"
{first}
names = {{name: getattr(ts, name) for name in ts.__all__}}
assert ts.minimize is names["minimize"] and callable(ts.minimize) and ts.minimize.__module__.startswith("tinyspad.optimize.")
assert set(ts.__all__) <= set(dir(ts))
from tinyspad import *
from tinyspad import minimize, errors, tape
assert minimize is ts.minimize and ts.errors is errors and ts.tape is tape
try:
    ts.nothing
except AttributeError as problem:
    assert "nothing" in str(problem)
else:
    raise SystemExit(1)
"""
        done = subprocess.run(
            [sys.executable, "-c", "import sys\n" + code], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("file", FILES, ids=[str(f.relative_to(ROOT)) for f in FILES])
def test_files_are_short_and_read_the_tape_by_name(file):
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert "tape" in file.relative_to(ROOT).parts or not re.search(r"_node\[", text)


def own_classes():
    names = [".".join(("tinyspad", *file.relative_to(ROOT).with_suffix("").parts)) for file in FILES]
    modules = [importlib.import_module(name.removesuffix(".__init__")) for name in names if "__main__" not in name]
    found = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    return {kind for kind in found if kind.__module__.startswith("tinyspad.")}


def overridden(kind, classes):
    """The private names that a class has anew from one of these that it derives from."""
    bases = [base for base in kind.__mro__[1:] if base in classes]
    return {
        name
        for base in bases
        for name in vars(kind).keys() & vars(base).keys()
        if re.match(r"_[a-z]", name) and not name.startswith(("_abc_", "_is_")) and name != "_repr_html_"
    }


def test_no_class_overrides_a_private_name():
    classes = own_classes()
    assert len(classes) > 100
    assert {kind: names for kind in classes if (names := overridden(kind, classes))} == {}

    class Base:
        def _told(self): ...

    class Derived(Base):
        def _told(self): ...

    assert overridden(Derived, {Base, Derived}) == {"_told"}


def test_every_public_name_is_entered_where_it_is_looked_up():
    assert {name for names in ts.HOME.values() for name in names} | set(ts.MODULES) >= set(ts.__all__)
    assert {name for names in ts.HOME.values() for name in names} - set(ts.__all__) == set(), "add it to __all__, too"
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    typed = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert set(ts.__all__) <= typed, "add it to the imports for the type checker, too"
