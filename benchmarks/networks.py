"""SmallFCNet and SmallConvNet, batches of 150 in float32: time of a step (loss and gradients) against PyTorch, and memory.

Engines take turns with a pause between them, since the waiting threads of one BLAS slow down the other's; where something
else uses a core, threads wait for each other most of the time, and ``OMP_NUM_THREADS=1`` is what compares. Memory in three
ways, never mixed: bytes held for backward (counted on the tape), the peak of what is allocated in a step (tracemalloc,
above what was there before it), and the rise of the peak resident size in a process of its own.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tinyspad import nn

from .resident import rise
from .turns import Workload

BATCH = 150
WAYS = {
    "tinyspad, exact": nn.ALL,
    "tinyspad, same 10 %": nn.Way("same", 0.1, seed=1),
    "tinyspad, different 10 %": nn.Way("different", 0.1, seed=1),
    "tinyspad, projection 10 %": nn.Way("projection", 0.1, seed=1),
}
NETS: dict[str, tuple[Callable[[], nn.Sequential], tuple[int, ...]]] = {
    "SmallFCNet": (lambda: nn.small_fc_net(rng=0), (1, 28, 28)),
    "SmallConvNet": (lambda: nn.small_conv_net(rng=0), (3, 32, 32)),
}


def workloads(small: bool) -> Iterator[Workload]:
    size = 12 if small else BATCH
    threads = {"1": "one thread"}.get(os.environ.get("OMP_NUM_THREADS", ""), "all cores")
    for name, (make, shape) in NETS.items():
        net, (x, labels) = make(), batch(shape, size)
        steps = {told: functools.partial(step, net, x, labels, way) for told, way in WAYS.items()}
        memory: dict[str, Callable[[], dict[str, float]]] = {
            told: functools.partial(bytes_of, steps[told], name, told, size)
            for told in list(WAYS)[: 1 if small else None]
        }
        if not small:
            memory["PyTorch"] = lambda name=name: resident(name, "PyTorch", size)
        yield Workload(
            name="networks",
            case=f"{name}, batch of {size}, {threads}",
            engines={told: lambda call=call: call for told, call in steps.items()}
            | {"PyTorch": lambda net=net, x=x, labels=labels: pytorch_step(net, x, labels)},
            base="tinyspad, exact",
            unit="step",
            turns=1 if small else 5,
            seconds=0.0 if small else 1.0,
            pause=0.0 if small else 0.3,
            tolerance=1e-5,  # a loss in float32
            memory=memory,
        )


def step(net: nn.Sequential, x: Any, labels: Any, way: nn.Way, count: bool = False) -> Any:
    """The loss; or, with count, the bytes held for backward."""
    done = nn.gradients(net, x, labels, way, count=count)
    return sum((done.held or {}).values()) if count else done.loss


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


def bytes_of(call: Callable[..., Any], net: str, way: str, size: int) -> dict[str, float]:
    return {"held": call(count=True), "allocated": allocated(call), **resident(net, way, size)}


def resident(net: str, way: str, size: int) -> dict[str, float]:
    """By how much a first step raises the peak resident size of a fresh process, bytes; where the system tells it."""
    script = f"from benchmarks.networks import first_step; first_step({net!r}, {way!r}, {size})"
    command = [sys.executable, "-c", script]
    root = Path(__file__).parent.parent
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=root).stdout)
    return {} if told is None else {"resident": told}


def first_step(net: str, way: str, size: int) -> None:
    """In a process of its own: print the bytes; a step with two images comes before, which loads what has to be loaded."""
    make, shape = NETS[net]
    model, (x, labels) = make(), batch(shape, size)

    def call(n: int) -> Callable[[], Any]:
        if way == "PyTorch":
            return pytorch_step(model, x[:n].copy(), labels[:n])
        return functools.partial(step, model, x[:n], labels[:n], WAYS[way])

    call(2)()
    print(json.dumps(rise(call(size))[1]))
