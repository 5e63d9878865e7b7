"""Make an nbgrader assignment of an exercise notebook: ``python tutorials/instructor/to_nbgrader.py NOTEBOOK [--out FOLDER]``.

It writes FOLDER/source/NAME/NAME.ipynb, with the solutions between the marks that nbgrader takes out, a graded cell for every
check (one point each), and everything else locked. ``nbgrader generate_assignment NAME`` makes the students' version of it.
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


def solved(stub, solutions):
    """The cell of a student with the solution's body in place of the stub's, between nbgrader's marks."""
    stubs, known = functions(stub), functions(solutions)
    lines, parts = stub.splitlines(), []
    for name, node in stubs.items():
        head = lines[node.lineno - 1 : node.body[0].end_lineno]  # def and docstring
        body = solutions.splitlines()[known[name].body[0].lineno - 1 : known[name].end_lineno]
        parts.append("\n".join([*head, "    ### BEGIN SOLUTION", *body, "    ### END SOLUTION"]))
    return "\n\n\n".join(parts)


def graded(check):
    """The check as a cell that fails unless it passes, for it is nbgrader that reads it."""
    return f"verdict = {check.strip()}\nassert verdict, verdict"


def assignment(notebook, solutions):
    """The notebook (a dict) as an nbgrader source notebook. Raises ValueError where an exercise has no solution."""
    cells = []
    for number, cell in enumerate(notebook["cells"]):
        tags, source = cell["metadata"].get("tags", []), "".join(cell["source"])
        if "exercise" in tags:
            missing = set(functions(source)) - set(functions(solutions))
            if missing:
                raise ValueError(f"there is no solution to {', '.join(sorted(missing))}")
            name, source = tags[1], solved(source, solutions)
            kind = {"grade": False, "solution": True, "locked": False, "grade_id": f"solution_{name}"}
        elif "check" in tags:
            name = source.split("check.")[1].split("(")[0]
            kind = {"grade": True, "solution": False, "locked": True, "grade_id": f"check_{name}", "points": 1}
            source = graded(source)
        else:
            kind = {"grade": False, "solution": False, "locked": True, "grade_id": f"text_{number}"}
        metadata = {"nbgrader": {**kind, "schema_version": 3, "task": False}}
        cells.append({**cell, "metadata": metadata, "source": source.splitlines(keepends=True)})
    return {**notebook, "cells": cells}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--out", type=Path, default=Path("nbgrader"), help="the course's folder (default: nbgrader)")
    options = parser.parse_args(argv)
    try:
        made = assignment(json.loads(options.notebook.read_text(encoding="utf-8")), SOLUTIONS.read_text(encoding="utf-8"))
        file = options.out / "source" / options.notebook.stem / options.notebook.name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except (OSError, ValueError, KeyError, TypeError) as problem:
        print(f"to_nbgrader: {options.notebook}: {problem}", file=sys.stderr)
        return 2
    print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
