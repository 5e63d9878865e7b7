"""What NumPy does not pass on, so that a gradient would be lost: which call it was, and what to write there.

``np.sum([x, y])`` makes an array of the list before anybody is asked. By then it is known which line runs, and in it which
expression; from that follows what to write.
"""

from __future__ import annotations

import ast
import dis
import itertools
import linecache
import re
import sys
from traceback import walk_stack
from types import FrameType
from typing import Any

from ..errors import DroppedGradient, has_source, outside
from .entry import Entry, called
from .remedies import INDEX, remedy


def lost(node: Entry, what: str, instead: str, plain: str = "{}.data") -> DroppedGradient:
    """The error for a Value that is asked for a plain number or a plain array.

    Parameters
    ----------
    node : Entry
        The Value's.
    what, instead : str
        What to say of the call, and of what to write, where the source does not tell.
    plain : str
        How its numbers are taken, for a call that takes such alone.

    Returns
    -------
    DroppedGradient
        Cost: a walk up the stack, and the statement that runs there, parsed.
    """
    frame = outside(frame for frame, _ in walk_stack(sys._getframe(1)))
    if frame is not None:
        stores = dis.opname[frame.f_code.co_code[frame.f_lasti]].startswith("STORE")
        inside = [f for f, _ in itertools.takewhile(lambda at: at[0] is not frame, walk_stack(sys._getframe(1)))]
        expression = _running(frame) if all(map(has_source, inside)) else None  # else what runs is in text of its own
        if stores and plain != INDEX and not _is_index(expression, frame, node):
            what, instead = "Writing it into an array", "np.stack([...]) of the Values, collected in a list"
        elif expression is not None:
            what, instead = ast.unparse(expression), remedy(expression, frame, node, plain) or instead
    return DroppedGradient(
        f"{what} would turn {called(node)} into plain numbers and drop its gradient. Write {instead}."
    )


def _is_index(expression: ast.expr | None, frame: FrameType, node: Entry) -> bool:
    """Whether what stands in the brackets is the Value."""
    index = expression.slice if isinstance(expression, ast.Subscript) else None
    given = {**frame.f_globals, **frame.f_locals}.get(index.id) if isinstance(index, ast.Name) else None
    return getattr(given, "_node", None) is node


# --- which expression runs -----------------------------------------------------------------------------------------------


def _running(frame: FrameType) -> ast.expr | None:
    """The call or the index that runs in a frame; None where the source is not at hand, or leaves a choice."""
    code = frame.f_code
    linecache.checkcache(code.co_filename)
    positions: Any = getattr(code, "co_positions", None)
    if positions is None:  # before Python 3.11
        return _only_one(linecache.getline(code.co_filename, frame.f_lineno, frame.f_globals))
    first, last, start, end = next(itertools.islice(positions(), frame.f_lasti // 2, None))
    lines = linecache.getlines(code.co_filename, frame.f_globals)[(first or 1) - 1 : last or 0]
    if not lines or start is None or end is None:
        return None
    try:
        whole = [line.encode() for line in lines]  # columns are those of bytes
        whole[-1] = whole[-1][:end]
        whole[0] = whole[0][start:]
        found = ast.parse(b"".join(whole).decode().strip(), mode="eval").body
    except (SyntaxError, UnicodeDecodeError):
        return None
    return found if isinstance(found, (ast.Call, ast.Subscript, ast.BinOp)) else None


def _only_one(line: str) -> ast.expr | None:
    try:
        found = [n for n in ast.walk(ast.parse(re.sub(r"^\s*return\b", "", line).strip())) if isinstance(n, ast.Call)]
    except SyntaxError:
        return None
    return found[0] if len(found) == 1 else None
