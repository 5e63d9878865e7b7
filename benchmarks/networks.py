"""SmallFCNet and SmallConvNet, batches of 150 in float32: time of a step (loss and gradients) against PyTorch, and memory.

    python -m benchmarks.networks [--small]

Engines take turns in blocks with a pause between them, since the waiting threads of one BLAS slow down the other's;
medians over blocks, and ratios to PyTorch where it is installed. Memory in three ways, never mixed: bytes held for
backward (counted on the tape), the peak of what is allocated in a step (tracemalloc, above what was there before it),
and the peak resident size of a process of its own.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tinyspad import nn

BATCH = 150
WAYS = {
    "exact": nn.ALL,
    "same, 10 %": nn.Way("same", 0.1, seed=1),
    "different, 10 %": nn.Way("different", 0.1, seed=1),
    "projection, 10 %": nn.Way("projection", 0.1, seed=1),
}
NETS: dict[str, tuple[Callable[[], nn.Sequential], tuple[int, ...]]] = {
    "SmallFCNet": (lambda: nn.small_fc_net(rng=0), (1, 28, 28)),
    "SmallConvNet": (lambda: nn.small_conv_net(rng=0), (3, 32, 32)),
}


def batch(shape: tuple[int, ...], n: int = BATCH) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.random((n, *shape), np.float32)
    x.flags.writeable = False
    return x, rng.integers(0, 10, n)


def in_pytorch(net: nn.Sequential) -> Any:
    """The same network, with the same parameters."""
    import torch

    modules = []
    for layer in net.layers:
        state = {name: torch.tensor(np.array(value._data)) for name, value in layer.params.items()}
        if isinstance(layer, nn.Linear):
            module: Any = torch.nn.Linear(layer.inputs, layer.outputs)
            state["weight"] = state["weight"].T.contiguous()
        elif isinstance(layer, nn.Conv2d):
            module = torch.nn.Conv2d(layer.inputs, layer.outputs, layer.kernel, layer.stride, layer.padding)
        elif isinstance(layer, nn.AvgPool2d):
            module = torch.nn.AvgPool2d(layer.size)
        else:
            module = torch.nn.ReLU() if isinstance(layer, nn.ReLU) else torch.nn.Flatten()
        module.to(next(iter(state.values()), torch.zeros(0)).dtype).load_state_dict(state)
        modules.append(module)
    return torch.nn.Sequential(*modules)


def pytorch_step(net: nn.Sequential, x: Any, labels: Any) -> Callable[[], Any]:
    import torch

    module, x, labels = in_pytorch(net), torch.tensor(x), torch.tensor(labels)

    def step() -> Any:
        module.zero_grad()
        loss = torch.nn.functional.cross_entropy(module(x), labels)
        loss.backward()
        return loss.item()

    return step


def in_turns(steps: dict[str, Callable[[], Any]], rounds: int, seconds: float) -> dict[str, list[float]]:
    """The median time of each in every round."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            time.sleep(0.3)
            step()
            block, end = [], time.perf_counter() + seconds
            while time.perf_counter() < end or len(block) < 2:
                start = time.perf_counter()
                step()
                block.append(time.perf_counter() - start)
            times[name].append(statistics.median(block))
    return times


def allocated(step: Callable[[], Any]) -> int:
    """The peak of what a step allocates, above what was there before."""
    step()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    step()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return peak


RESIDENT = """
from pathlib import Path
from benchmarks.networks import NETS, WAYS, batch, nn
make, shape = NETS[{net!r}]
net, (x, labels) = make(), batch(shape)
nn.gradients(net, x[:2], labels[:2], WAYS[{way!r}])
def told(name):
    return int(Path("/proc/self/status").read_text().split(name + ":")[1].split()[0])
Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from here
before = told("VmRSS")
nn.gradients(net, x, labels, WAYS[{way!r}])
print(told("VmHWM") - before)
"""


def resident(net: str, way: str) -> float:
    """By how much a first step raises the peak resident size of a fresh process, bytes; NaN where the system cannot tell."""
    if not Path("/proc/self/clear_refs").exists():
        return float("nan")
    script = RESIDENT.format(net=net, way=way)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return 1024 * int(done.stdout)


def report(rounds: int = 5, seconds: float = 1.0, size: int = BATCH) -> str:
    lines = []
    for name, (make, shape) in NETS.items():
        net, (x, labels) = make(), batch(shape, size)
        steps: dict[str, Callable[[], Any]] = {
            told: functools.partial(nn.gradients, net, x, labels, way) for told, way in WAYS.items()
        }
        try:
            steps = {"PyTorch": pytorch_step(net, x, labels), **steps}
        except ImportError:
            lines.append("PyTorch is not installed: no ratios to it")
        times = in_turns(steps, rounds, seconds)
        lines.append(f"{name}, batch of {size}: a step's loss and gradients")
        lines.append(
            f"{'':20}{'ms':>9}{'spread':>16}{'/ PyTorch':>11}{'held MB':>10}{'/ exact':>9}{'peak MB':>9}"
            f"{'/ exact':>9}{'RSS MB':>9}"
        )
        first: dict[str, float] = {}
        for told, block in times.items():
            ms = 1e3 * statistics.median(block)
            row = f"{told:20}{ms:9.2f}{f'{1e3 * min(block):.2f}-{1e3 * max(block):.2f}':>16}"
            ratio = ms / (1e3 * statistics.median(times["PyTorch"])) if "PyTorch" in times else float("nan")
            row += f"{ratio:11.2f}"
            if told in WAYS:
                held = sum((nn.gradients(net, x, labels, WAYS[told], count=True).held or {}).values())
                peak = allocated(steps[told])
                first.setdefault("held", held)
                first.setdefault("peak", peak)
                row += f"{held / 1e6:10.2f}{held / first['held']:9.3f}{peak / 1e6:9.2f}{peak / first['peak']:9.3f}"
                row += f"{resident(name, told) / 1e6:9.1f}"
            lines.append(row)
        lines.append("")
    return "\n".join(lines).rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(description="Steps of the papers' networks: time and memory.")
    parser.add_argument("--small", action="store_true", help="a few images, once: only to see that it runs")
    small = parser.parse_args().small
    print(report(1, 0.01, 12) if small else report())


if __name__ == "__main__":
    main()
