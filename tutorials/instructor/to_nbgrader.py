"""Make an nbgrader assignment of an exercise notebook.

``python tutorials/instructor/to_nbgrader.py NOTEBOOK [--out FOLDER]`` writes FOLDER/source/NAME/NAME.ipynb, with the
solutions between the marks that nbgrader takes out, a graded cell for every check (one point each), and everything else
locked. ``nbgrader generate_assignment NAME`` makes the students' version of it.

An exercise is a cell with the tags "exercise" and the names of the functions that it asks for; a check is a cell with the
tag "check" that holds one call, ``check.NAME(...)``.
"""

import argparse
import ast
import json
import sys
from pathlib import Path

SOLUTIONS = Path(__file__).parent / "solutions.py"


def functions(source):
    """The top-level functions of a source, by name."""
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


def solved(stub, names, solutions):
    """The student's cell with the solutions' bodies in place of the stubs', between nbgrader's marks; the rest as it is."""
    lines, stubs, known = stub.splitlines(), functions(stub), functions(solutions)
    for name in reversed([name for name in stubs if name in names]):
        node, solution = stubs[name], known.get(name)
        if solution is None:
            raise ValueError(f"there is no solution to {name}")
        if ast.unparse(solution.args) != ast.unparse(node.args):
            raise ValueError(f"{name}({ast.unparse(node.args)}): the solution takes ({ast.unparse(solution.args)})")
        documented = ast.get_docstring(node) is not None
        if node.body[0].lineno == node.lineno:
            raise ValueError(f"{name}: write the stub's body on lines of its own")
        first = node.body[0].end_lineno if documented else node.body[0].lineno - 1
        body = solutions.splitlines()[solution.body[0].lineno - 1 : solution.end_lineno]
        lines[first : node.end_lineno] = ["    ### BEGIN SOLUTION", *body, "    ### END SOLUTION"]
    return "\n".join(lines)


def graded(check):
    """The check's name, and the check as a cell that fails unless it passes, for it is nbgrader that reads it."""
    body = ast.parse(check).body
    call = body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else None
    if not isinstance(call, ast.Call) or not ast.unparse(call.func).startswith("check."):
        raise ValueError(f"a check is one call, check.NAME(...), not {check!r:.60}")
    return ast.unparse(call.func).removeprefix("check."), f"verdict = {ast.unparse(call)}\nassert verdict, verdict"


def assignment(notebook, solutions):
    """The notebook (a dict) as an nbgrader source notebook. Raises ValueError for a cell that is not what its tags say."""
    cells, seen = [], set()
    for number, cell in enumerate(notebook["cells"]):
        tags, source = cell["metadata"].get("tags", []), "".join(cell["source"])
        if not isinstance(tags, list) or {"exercise", "check"} <= set(tags):
            raise ValueError(f"cell {number} has the tags {tags}")
        if "exercise" in tags:
            names = [tag for tag in tags if tag != "exercise"]
            if not names or not set(names) <= set(functions(source)):
                raise ValueError(f"cell {number} asks for {names}, and does not define all of them")
            source = solved(source, names, solutions)
            kind = {"grade": False, "solution": True, "locked": False, "grade_id": f"solution_{names[0]}"}
        elif "check" in tags:
            name, source = graded(source)
            kind = {"grade": True, "solution": False, "locked": True, "grade_id": f"check_{name}", "points": 1}
        else:
            kind = {"grade": False, "solution": False, "locked": True, "grade_id": f"text_{number}"}
        if kind["grade_id"] in seen:
            raise ValueError(f"{kind['grade_id']} is there twice")
        seen.add(kind["grade_id"])
        metadata = {"nbgrader": {**kind, "schema_version": 3, "task": False}}
        cells.append({**cell, "metadata": metadata, "source": source.splitlines(keepends=True)})
    return {**notebook, "cells": cells}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--out", type=Path, default=Path("nbgrader"), help="the course's folder (default: nbgrader)")
    options = parser.parse_args(argv)
    try:
        notebook = json.loads(options.notebook.read_text(encoding="utf-8"))
        made = assignment(notebook, SOLUTIONS.read_text(encoding="utf-8"))
        file = options.out / "source" / options.notebook.stem / options.notebook.name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SyntaxError, RecursionError) as problem:
        told = " ".join(f"{type(problem).__name__}: {problem}".split())
        print(f"to_nbgrader: {options.notebook}: {told}", file=sys.stderr)
        return 2
    print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
