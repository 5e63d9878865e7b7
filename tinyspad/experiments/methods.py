"""What the papers' comparison of networks is made of: tasks, methods, and the rates at which each method is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .. import nn
from ..errors import BadInput


@dataclass(frozen=True)
class Method:
    """A way to train: the path choice, the share of dropout, how many times the task's batch it takes, and which line of a
    preset has its rate."""

    paths: Any = field(default_factory=nn.AllPaths)
    dropout: float = 0.0
    batch: float = 1.0
    line: str = "same"


METHODS: dict[str, Method] = {
    "baseline": Method(line="baseline"),
    "RAD, same": Method(nn.RandomPaths(0.1, "same")),
    "RAD, different": Method(nn.RandomPaths(0.1, "different"), line="different"),
    "RAD, projection": Method(nn.RandomPaths(0.1, "projection"), line="projection"),
    "SPAD, k_max 10, m 10": Method(nn.SelectivePaths(0.1, m=10, k_max=10)),
    "SPAD, k_max 100, m 10": Method(nn.SelectivePaths(0.1, m=10, k_max=100)),
    "SPAD, k_max 1000, m 10": Method(nn.SelectivePaths(0.1, m=10, k_max=1000)),
    "SPAD, k_max 100, m 2": Method(nn.SelectivePaths(0.1, m=2, k_max=100)),
    "SPAD, big batch": Method(nn.SelectivePaths(0.1, m=10, k_max=10), batch=2.0),
    "dropout 10 %": Method(dropout=0.1),
    "LayerOut": Method(nn.LayerOut(0.5)),
    "small batch": Method(batch=20 / 150, line="small batch"),
}
"""The papers' methods, each with a tenth of the paths; "small batch" is the baseline at the memory that they leave."""


IDENTITY = "baseline, identity"
"""The baseline by way of an explicit identity matrix, as the SPAD paper measures its memory: trained it is the baseline."""


class Rate(NamedTuple):
    """A learning rate of Adam, and what times a parameter is added to its gradient."""

    lr: float
    weight_decay: float = 0.0


PRESETS: dict[str, dict[str, Rate]] = {
    "rad-mnist": {
        "baseline": Rate(1.35e-3, 4.066478e-07),
        "same": Rate(4.52e-4, 4.058855e-06),
        "different": Rate(9.34e-4, 1.254031e-06),
        "projection": Rate(5.27e-4, 1.009799e-03),
        "small batch": Rate(6.45e-4, 5.687505e-05),
    },
    "rad-cifar": {
        "baseline": Rate(1.24e-3, 4.340514e-05),
        "same": Rate(1.159e-3, 9.990263e-04),
        "different": Rate(2.139e-3, 7.453841e-04),
        "projection": Rate(4.35e-4, 5.485464e-05),
        "small batch": Rate(4.30e-4, 1.962288e-06),
    },
    "spad-cifar": {"": Rate(2e-3)},
    "common": {"": Rate(5.27e-4)},
}
"""Rates by name and line; "" is for every line. RAD's are those that its authors released, tuned for each kind of paths
(Oktay et al. 2020, nn_experiments); SPAD's fork trains on CIFAR-10 at one rate, and the paper names "common", on MNIST."""


@dataclass(frozen=True)
class Task:
    """A network, its images, and how long it is trained."""

    name: str
    data: Callable[[Any], nn.Dataset]
    net: Callable[..., nn.Sequential]
    iterations: int
    lr: float = 5.27e-4
    batch_size: int = 150


def _conv_net(data: nn.Dataset, **settings: Any) -> nn.Sequential:
    shape: Any = data.shape
    return nn.small_conv_net(shape, **settings)


def _fc_net(data: nn.Dataset, **settings: Any) -> nn.Sequential:
    return nn.small_fc_net(int(np.prod(data.shape)), **settings)


def _mnist(folder: Any) -> nn.Dataset:
    return nn.datasets.load("mnist", folder).normalized(0.1307, 0.3081)


TASKS = {
    task.name: task
    for task in (
        Task("glyphs-fc", lambda folder: nn.datasets.glyphs(2000, rng=0), _fc_net, 600, lr=1e-3),
        Task("mnist-fc", _mnist, _fc_net, 20_000),
        Task("fashion-fc", lambda folder: nn.datasets.load("fashion-mnist", folder), _fc_net, 20_000),
        Task(
            "fashion-conv",
            lambda folder: nn.datasets.load("fashion-mnist", folder).take(500, 2000).centered(),
            _conv_net,
            600,
            lr=2e-3,
        ),
        Task("cifar-conv", lambda folder: nn.datasets.load("cifar-10", folder).centered(), _conv_net, 100_000),
    )
}
"""By name. "mnist-fc" has its pixels scaled as RAD's authors do; "fashion-conv" has so few images that the network can learn
them by heart."""


def task_of(task: Any) -> Task:
    """A task by its name, or as it is. Raises BadInput if there is none."""
    if isinstance(task, Task):
        return task
    if not isinstance(task, str) or task not in TASKS:
        raise BadInput(f"There is no task {task!r:.40}; there are {', '.join(TASKS)}.")
    return TASKS[task]


def methods_of(methods: Iterable[str] | Mapping[str, Method] | None) -> dict[str, Method]:
    """Methods by their names, or of one's own. Raises BadInput for names that are not there."""
    if isinstance(methods, Mapping) and methods:
        for name, method in methods.items():
            if not isinstance(method, Method) or not method.batch > 0:
                raise BadInput(
                    f"learning_curves: {name!r:.40} is to be a Method(paths, dropout, batch), not {method!r:.60}."
                )
        return dict(methods)
    try:
        names: Sequence[Any] = (
            list(METHODS) if methods is None else [methods] if isinstance(methods, str) else list(methods)
        )
    except TypeError:
        names = [methods]
    unknown = [name for name in names if not isinstance(name, str) or name not in METHODS]
    if unknown or not names:
        raise BadInput(f"There is no method {unknown[0] if unknown else ''!r:.40}; there are: {'; '.join(METHODS)}.")
    return {name: METHODS[name] for name in names}


class Rates(NamedTuple):
    """At which rates and in which batches methods are trained: a preset's, or, where one is given, that of all of them."""

    preset: str | None = None
    lr: float | None = None
    weight_decay: float | None = None
    batch: int | None = None

    def check(self) -> None:
        """Raise BadInput for a preset that is not there, and for numbers without meaning."""
        if self.preset is not None and self.preset not in PRESETS:
            raise BadInput(f"There is no preset {self.preset!r:.40}; there are {', '.join(PRESETS)}.")
        for name, least in (("lr", "above 0"), ("weight_decay", "at least 0")):
            x = getattr(self, name)
            fits = isinstance(x, (int, float, np.number)) and not isinstance(x, bool) and 0 <= x < np.inf
            if x is not None and not (fits and (x or name != "lr")):
                raise BadInput(f"{name}= is a number, {least}, not {x!r:.40}.")

    def of(self, task: Task, method: Method) -> tuple[Rate, int]:
        """A method's rate and batch in a task."""
        lines = {"": Rate(task.lr)} if self.preset is None else PRESETS[self.preset]
        rate = lines.get(method.line) or lines.get("") or lines["same"]
        lr = rate.lr if self.lr is None else float(self.lr)
        decay = rate.weight_decay if self.weight_decay is None else float(self.weight_decay)
        whole = task.batch_size if self.batch is None else self.batch
        return Rate(lr, decay), max(1, round(method.batch * whole))
