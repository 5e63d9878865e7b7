"""The papers' networks trained with every path choice: Figures 8, 9, 11 and 12, on whatever images are at hand."""

from __future__ import annotations

import functools
import json
import os
import re
import tracemalloc
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import nn
from ..errors import BadInput
from ..optimizers import Adam
from ..table import Table
from .blocks import seed_sequence
from .success import check_count
from .workers import processes

FORMAT = "tinyspad network runs 1"


@dataclass(frozen=True)
class Method:
    """A way to train: the path choice, the share of dropout, and how many times the task's batch it takes."""

    paths: Any = field(default_factory=nn.AllPaths)
    dropout: float = 0.0
    batch: float = 1.0


METHODS: dict[str, Method] = {
    "baseline": Method(),
    "RAD, same": Method(nn.RandomPaths(0.1, "same")),
    "RAD, different": Method(nn.RandomPaths(0.1, "different")),
    "RAD, projection": Method(nn.RandomPaths(0.1, "projection")),
    "SPAD, k_max 10, m 10": Method(nn.SelectivePaths(0.1, m=10, k_max=10)),
    "SPAD, k_max 100, m 10": Method(nn.SelectivePaths(0.1, m=10, k_max=100)),
    "SPAD, k_max 1000, m 10": Method(nn.SelectivePaths(0.1, m=10, k_max=1000)),
    "SPAD, k_max 100, m 2": Method(nn.SelectivePaths(0.1, m=2, k_max=100)),
    "SPAD, big batch": Method(nn.SelectivePaths(0.1, m=10, k_max=10), batch=2.0),
    "dropout 10 %": Method(dropout=0.1),
    "LayerOut": Method(nn.LayerOut(0.5)),
    "small batch": Method(batch=0.1),
}
"""The paper's methods, each with a tenth of the paths; "small batch" is the baseline at the memory that they leave."""


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


TASKS = {
    task.name: task
    for task in (
        Task("glyphs-fc", lambda folder: nn.datasets.glyphs(2000, rng=0), _fc_net, 600, lr=1e-3),
        Task("fashion-fc", lambda folder: nn.datasets.load("fashion-mnist", folder), _fc_net, 20_000),
        Task(
            "fashion-conv",
            lambda folder: nn.datasets.load("fashion-mnist", folder).take(500, 2000).centered(),
            _conv_net,
            600,
            lr=2e-3,
        ),
        Task("mnist-fc", lambda folder: nn.datasets.load("mnist", folder), _fc_net, 20_000),
        Task("cifar-conv", lambda folder: nn.datasets.load("cifar-10", folder).centered(), _conv_net, 100_000),
    )
}
"""By name. "fashion-conv" has so few images that the network can learn them by heart."""


@dataclass(frozen=True)
class NetworkRuns:
    """Training runs by method, ``repeats`` of each, with the memory of a step measured in three ways.

    ``runs``: by method, a list of ``Training``. ``memory``: by method, bytes: "held" for backward, "allocated" at the
    peak of a step (tracemalloc, above what was there before), "resident" at its peak in a process of its own (absent
    where it was not measured).
    """

    task: str
    iterations: int
    runs: dict[str, list[nn.Training]]
    memory: dict[str, dict[str, float]]

    def memory_accuracy(self, memory: str = "held") -> dict[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
        """By method (bytes, test accuracy at the end), one of each for every repeat: what ``plot.memory_accuracy`` draws."""
        found = {}
        for name, runs in self.runs.items():
            bytes_ = self.memory[name].get(memory)
            if bytes_ is None:
                raise BadInput(f'"{memory}" was not measured; there is {", ".join(self.memory[name])}.')
            found[name] = (np.full(len(runs), float(bytes_)), np.array([run.test_accuracy[-1] for run in runs]))
        return found

    def _table(self) -> Table:
        kinds = list(whole := next(iter(self.memory.values())))
        rows = []
        for name, runs in self.runs.items():
            accuracy, *ends = (
                np.array([getattr(run, column)[-1] for run in runs])
                for column in ("test_accuracy", "train_accuracy", "test_loss", "train_loss")
            )
            spread = f"+-{accuracy.std(ddof=1) / len(runs) ** 0.5:.2%}" if len(runs) > 1 else ""
            held = [
                (self.memory[name][kind] / 1e6, self.memory[name][kind] / (whole[kind] or np.nan)) for kind in kinds
            ]
            cells = [f"{accuracy.mean():.2%}{spread}", *map(np.mean, ends), *(x for pair in held for x in pair)]
            rows.append([name, *cells, np.mean([run.seconds for run in runs])])
        memory = [column for kind in kinds for column in (f"{kind} MB", "share")]
        columns = ("method", "test accuracy", "train accuracy", "test loss", "train loss", *memory, "seconds")
        return Table(columns, rows, ("", "", ".2%", ".4f", ".4f", *[".2f", ".1%"] * len(kinds), ".0f"))

    def __str__(self) -> str:
        repeats = len(next(iter(self.runs.values())))
        return f"{self.task}: {self.iterations} iterations, {repeats} repeats of each method\n\n{self._table()}"

    def to_markdown(self) -> str:
        """The table in Markdown."""
        return self._table().markdown()

    def to_csv(self) -> str:
        """Every record of every run, one line each."""
        rows = [
            (self.task, name, k, *row)
            for name, runs in self.runs.items()
            for k, run in enumerate(runs)
            for row in run.table().rows
        ]
        return Table(("task", "method", "repeat", *nn.training.COLUMNS), rows).csv()

    def to_json(self) -> str:
        """All of it as text, which ``from_json`` reads."""
        runs = {
            name: [
                {c: getattr(run, c).tolist() for c in nn.training.COLUMNS}
                | {"status": run.status, "seconds": round(run.seconds, 1)}
                for run in repeats
            ]
            for name, repeats in self.runs.items()
        }
        told = {"format": FORMAT, "task": self.task, "iterations": self.iterations, "memory": self.memory, "runs": runs}
        return json.dumps(told, indent=1)

    @classmethod
    def from_json(cls, text: str) -> NetworkRuns:
        """What ``to_json`` wrote. Raises BadInput for anything else."""
        try:
            told = json.loads(text)
            if told["format"] != FORMAT or re.fullmatch(r"[\w.-]+", told["task"]) is None:
                raise ValueError("another format, or a name that is none")
            runs = {str(name): [_training(run) for run in repeats] for name, repeats in told["runs"].items()}
            memory = {
                str(name): {str(kind): float(size) for kind, size in told["memory"][name].items()} for name in runs
            }
            if not runs or not all(runs.values()) or not all("held" in measured for measured in memory.values()):
                raise ValueError("nothing in it")
            return cls(told["task"], int(told["iterations"]), runs, memory)
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise BadInput(f"This is not what NetworkRuns.to_json writes ({type(error).__name__}: {error}).") from None


def _training(run: Any) -> nn.Training:
    columns = {c: np.array(run[c], int if c in ("iteration", "held") else float) for c in nn.training.COLUMNS}
    if (
        len({column.shape for column in columns.values()}) > 1
        or columns["iteration"].ndim != 1
        or not len(columns["held"])
    ):
        raise ValueError("columns of different lengths")
    return nn.Training(**columns, status=str(run["status"]), seconds=float(run["seconds"]))


def learning_curves(
    task: str | Task = "glyphs-fc",
    methods: Iterable[str] | Mapping[str, Method] | None = None,
    *,
    repeats: int = 1,
    iterations: int | None = None,
    records: int = 20,
    rng: Any = 0,
    folder: Any = None,
    resume: str | os.PathLike[str] | None = None,
    resident: bool = False,
    tell: Callable[[str], Any] | None = None,
) -> NetworkRuns:
    """Train a task's network with each of several methods, from the same starts on the same batches.

    ``task``: a name in ``TASKS``, or a ``Task``. ``methods``: names in ``METHODS`` (all of them by default), or a dict
    of your own. Every repeat has its own start, bootstrapped images and batches. ``iterations``: the task's own, or
    fewer. ``resume``: a folder for checkpoints, from which the same call goes on. ``resident``: measure the peak
    resident size of a step, too, in a process for each method (in a script, under ``if __name__ == "__main__":``). ``tell``:
    is told of every run.

    Raises BadInput for names that are not there, or images that are not. Cost: the trainings; see the README for times.

    >>> from tinyspad.experiments import learning_curves
    >>> runs = learning_curves(methods=["baseline", "RAD, same"], iterations=20, records=2)
    >>> [len(run.test_loss) for repeats in runs.runs.values() for run in repeats]
    [3, 3]
    """
    chosen_task, chosen = _task(task), _methods(methods)
    iterations = chosen_task.iterations if iterations is None else iterations
    for name, value, least in (("repeats", repeats, 1), ("iterations", iterations, 1), ("records", records, 1)):
        check_count(name, value, least)
    if resident and TASKS.get(chosen_task.name) is not chosen_task:
        raise BadInput(
            "learning_curves: the resident size is measured in a process of its own, for a task of TASKS only."
        )
    data = chosen_task.data(folder)
    seeds = seed_sequence(rng).spawn(repeats)
    every = -(-iterations // records)
    runs: dict[str, list[nn.Training]] = {name: [] for name in chosen}
    memory = {name: measure(chosen_task, method, data, resident, folder) for name, method in chosen.items()}
    for k, seed in enumerate(seeds):
        for name, method in chosen.items():
            start, order = (
                np.random.default_rng(s)
                for s in np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key).spawn(2)
            )
            net = chosen_task.net(data, dropout=method.dropout, rng=start)
            file = None
            if resume is not None:
                Path(resume).mkdir(parents=True, exist_ok=True)
                file = Path(resume) / f"{chosen_task.name}-{_file_name(name)}-{k}.npz"
            run = nn.fit(
                net,
                data,
                paths=method.paths,
                optimizer=Adam(lr=chosen_task.lr),
                schedule=nn.StepSchedule(),
                iterations=iterations,
                batch_size=max(1, round(method.batch * chosen_task.batch_size)),
                every=every,
                rng=order,
                checkpoint=file,
            )
            if run.status == "interrupted":
                raise KeyboardInterrupt
            runs[name].append(run)
            if tell is not None:
                tell(f"{chosen_task.name}, {name}, repeat {k}: {run}, {run.seconds:.0f} s")
    return NetworkRuns(chosen_task.name, iterations, runs, memory)


def memory_accuracy(runs: NetworkRuns, memory: str = "held") -> dict[str, tuple[Any, Any]]:
    """Figure 8 as data: by method (bytes, test accuracy), from runs of ``learning_curves``.

    ``memory``: "held", "allocated" or "resident"; they are never mixed.
    """
    if not isinstance(runs, NetworkRuns):
        raise BadInput(f"memory_accuracy takes what learning_curves returns, not {type(runs).__name__}.")
    return runs.memory_accuracy(memory)


def measure(
    task: Task, method: Method, data: nn.Dataset, resident: bool = False, folder: Any = None
) -> dict[str, float]:
    """The memory of one step of a method, in bytes, measured in two or three ways; of several draws the largest, where it
    depends on the draw."""
    net, x, y = _step_of(task, method, data)

    def step(seed: int, count: bool = False) -> Any:
        return method.paths.draw(net, x, y, method.paths.init(), np.random.default_rng(seed), count)

    seeds = range(16 if isinstance(method.paths, nn.LayerOut) else 1)  # there, a step may hold little or much
    found = {
        "held": float(max(sum(step(seed, True).held.values()) for seed in seeds)),
        "allocated": float(max(allocated(functools.partial(step, seed)) for seed in seeds)),
    }
    if resident and Path("/proc/self/clear_refs").exists():
        with processes(1) as pool:
            found["resident"] = float(pool.submit(_resident, task.name, method, folder).result())
    return found


def _step_of(task: Task, method: Method, data: nn.Dataset) -> tuple[nn.Sequential, Any, Any]:
    n = max(1, round(method.batch * task.batch_size))
    x = np.array(data.x[:n])
    x.flags.writeable = False
    return task.net(data, dropout=method.dropout, rng=0), x, data.y[:n]


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


def _resident(task: str, method: Method, folder: Any) -> int:
    """By how much the first whole step of a process raises its peak resident size, in bytes (Linux)."""
    chosen = TASKS[task]
    net, x, y = _step_of(chosen, method, chosen.data(folder))
    rng, state = np.random.default_rng(0), method.paths.init()
    method.paths.draw(net, x[:1], y[:1], state, rng)  # loads what is loaded once
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # from here on the peak starts anew
    method.paths.draw(net, x, y, state, rng)
    return _status("VmHWM") - before


def _status(name: str) -> int:
    return 1024 * int(Path("/proc/self/status").read_text(encoding="utf-8").split(f"{name}:")[1].split()[0])


def _file_name(method: str) -> str:
    """A part of a file's name for a method; names of one's own may differ in other letters alone, or be long."""
    found = re.sub("[^a-z0-9]+", "-", method.lower())
    return found if method in METHODS else f"{found[:40]}-{zlib.crc32(method.encode(errors='replace')):08x}"


def _task(task: Any) -> Task:
    if isinstance(task, Task):
        return task
    if not isinstance(task, str) or task not in TASKS:
        raise BadInput(f"There is no task {task!r:.40}; there are {', '.join(TASKS)}.")
    return TASKS[task]


def _methods(methods: Any) -> dict[str, Method]:
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
