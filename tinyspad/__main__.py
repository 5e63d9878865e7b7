"""The command line: ``python -m tinyspad demo``, ``paths``, ``explain``, ``laboratory``, ``compare``, ``table``,
``multimodal``, ``whitebox``, ``networks``, ``datasets``, ``reproduce``, ``sensitivity``, ``tutorials``, ``figures``."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

os.environ["MPLBACKEND"] = "Agg"  # before matplotlib is loaded: the command line writes files and opens no window

from .command_line import parser
from .commands import COMMANDS
from .errors import TinyspadError
from .shell import in_words


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0, 2 for bad input (told in one line), 130 after Ctrl-C.

    >>> main(["paths", "x*x", "x=3"])  # doctest: +ELLIPSIS
    x <- Param_0
    ...
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    if argv[:1] in (["paths"], ["explain"], ["laboratory"], ["compare"]):
        # a formula may start with a minus; after a blank the parser does not take it for an option
        argv = [f" {a}" if a[:1] == "-" and a[:2] not in ("--", "-h") else a for a in argv]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a variable may have a letter that the terminal has not
    if any("\0" in a for a in argv):
        print("tinyspad: an argument has a NUL byte in it, which no name of a file may have", file=sys.stderr)
        return 2
    try:
        options = parser().parse_args(argv)
        COMMANDS[options.command](options)
        if sys.stdout is not None:
            sys.stdout.flush()
    except MemoryError:
        print("tinyspad: out of memory: ask for fewer runs or steps", file=sys.stderr)
        return 2
    except (TinyspadError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        message = in_words(error.message if isinstance(error, TinyspadError) else str(error)).replace("\n", " ")
        print(f"tinyspad: {message}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tinyspad: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
