"""By how much something raises the peak resident size of the process it runs in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def rise(action: Callable[[], Any]) -> tuple[Any, float | None]:
    """What the action returns, and the bytes. To be asked in a fresh process: memory that was used before is used again.

    Where the system lets the peak start anew it is counted above what is resident now, elsewhere above the peak so far;
    where it tells no peak it is None.
    """
    if RESET.exists():
        RESET.write_text("5")
        before = _told("VmRSS")
        return action(), _told("VmHWM") - before
    if resource is None:
        return action(), None
    before = _peak()
    return action(), _peak() - before


def _told(name: str) -> float:
    return 1024.0 * int(STATUS.read_text(encoding="utf-8").split(name + ":")[1].split()[0])


def _peak() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else 1024 * peak)
