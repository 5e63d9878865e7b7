"""Nothing needs POSIX: its modules are imported under a guard alone, and the tests can run where they are hidden."""

import ast
import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
HIDDEN = ROOT / "tests" / "without_posix"
POSIX = {"resource", "fcntl", "termios", "tty", "pty", "pwd", "grp", "syslog", "posix"}
GUARDS = {"ImportError", "ModuleNotFoundError"}
FILES = [
    f for folder in ("tinyspad", "tests", "benchmarks", "tutorials", "docs") for f in (ROOT / folder).rglob("*.py")
]


def imports(tree):
    """The modules that are imported outside every ``try`` that catches an ImportError."""
    if isinstance(tree, ast.Try) and any(ast.unparse(h.type or ast.Tuple([])) in GUARDS for h in tree.handlers):
        return {name for node in tree.orelse + tree.finalbody for name in imports(node)}
    if isinstance(tree, ast.Import):
        return {alias.name.partition(".")[0] for alias in tree.names}
    if isinstance(tree, ast.ImportFrom):
        return {(tree.module or "").partition(".")[0]} if not tree.level else set()
    return {name for node in ast.iter_child_nodes(tree) for name in imports(node)}


def test_no_module_of_posix_is_imported_unconditionally():
    assert len(FILES) > 150
    for file in FILES:
        assert not imports(ast.parse(file.read_text(encoding="utf-8"))) & POSIX, file


def test_an_unconditional_import_would_be_seen():
    assert imports(ast.parse("def f():\n    import fcntl")) == {"fcntl"}
    assert imports(ast.parse("from resource import getrusage")) == {"resource"}
    assert imports(ast.parse("try:\n    import fcntl\nexcept ImportError:\n    fcntl = None")) == set()


def found():
    """What is here of POSIX."""
    seen = [name for name in ("SIGKILL", "SIGALRM", "setitimer") if hasattr(signal, name)]
    seen += [name for name in ("fork", "killpg", "getuid", "sysconf") if hasattr(os, name)]
    seen += [path for path in ("/proc", "/dev/null") if os.path.exists(path) and pathlib.Path(path).exists()]
    for name in ("resource", "fcntl"):
        try:
            importlib.import_module(name)
            seen.append(name)
        except ModuleNotFoundError:
            pass
    try:
        import resource

        seen.append(resource.__name__)
    except ModuleNotFoundError:
        pass
    try:
        with open("/dev/null"):
            seen.append("open")
    except FileNotFoundError:
        pass
    return seen


@pytest.mark.skipif(sys.platform != "linux", reason="needs POSIX, to hide it")
def test_what_is_hidden_is_not_there_and_the_library_has_it_still():
    here = {**os.environ, "PYTHONPATH": f"{HIDDEN}{os.pathsep}{ROOT}"}
    done = subprocess.run([sys.executable, __file__], env=here, capture_output=True, encoding="utf-8", check=True)
    assert json.loads(done.stdout) == []
    if "without_posix" not in os.environ.get("PYTHONPATH", ""):
        assert len(found()) == 13


if __name__ == "__main__":
    importlib.import_module("tinyspad.experiments")
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    child.kill()  # by SIGKILL, in the standard library
    assert child.wait(timeout=30) == -9
    print(json.dumps(found()))
