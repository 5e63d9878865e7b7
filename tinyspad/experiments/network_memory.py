"""The memory that one step of a method takes, measured in three ways that are never mixed."""

from __future__ import annotations

import ctypes
import functools
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from .. import nn
from .methods import TASKS, Method, Task
from .workers import completed, processes


def measure(task: Task, method: Method, batch: int, data: nn.Dataset, resident: bool = False) -> dict[str, float]:
    """The memory of one step of a method, in bytes, measured in two or three ways; of several draws the largest, where it
    depends on the draw."""
    net, x, y = _step_of(task, method, batch, data)

    def step(seed: int, count: bool = False) -> Any:
        return method.paths.draw(net, x, y, method.paths.init(), np.random.default_rng(seed), count)

    seeds = range(16 if isinstance(method.paths, nn.LayerOut) else 1)  # there, a step may hold little or much
    found = {
        "held": float(max(sum(step(seed, True).held.values()) for seed in seeds)),
        "allocated": float(max(allocated(functools.partial(step, seed)) for seed in seeds)),
    }
    if resident and Path("/proc/self/clear_refs").exists():
        with processes(1) as pool:
            (done,) = completed([pool.submit(_resident, task.name, method, batch, data.take(batch, 1))], pool)
            found["resident"] = float(done.result())
    return found


def _step_of(task: Task, method: Method, batch: int, data: nn.Dataset) -> tuple[nn.Sequential, Any, Any]:
    x = np.array(data.x[:batch])
    x.flags.writeable = False
    return task.net(data, dropout=method.dropout, rng=0), x, data.y[:batch]


def allocated(step: Callable[[], Any]) -> int:
    """The peak of what a call allocates, in bytes, above what was there before it (tracemalloc)."""
    step()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    try:
        step()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def _resident(task: str, method: Method, batch: int, data: nn.Dataset) -> int:
    """By how much the first whole step of a process raises its peak resident size, in bytes (Linux)."""
    net, x, y = _step_of(TASKS[task], method, batch, data)
    rng, state = np.random.default_rng(0), method.paths.init()
    method.paths.draw(net, x[:1], y[:1], state, rng)  # loads what is loaded once
    with suppress(AttributeError, OSError):  # glibc: what is free goes back, so that the step does not find room there
        ctypes.CDLL(None).malloc_trim(0)
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # from here on the peak starts anew
    method.paths.draw(net, x, y, state, rng)
    return _status("VmHWM") - before


def _status(name: str) -> int:
    return 1024 * int(Path("/proc/self/status").read_text(encoding="utf-8").split(f"{name}:")[1].split()[0])
