"""The papers' networks trained with every path choice: Figures 8, 9, 11 and 12, on whatever images are at hand."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import nn
from ..errors import BadInput
from ..nn.settings import setting_text
from ..optimizers import Adam
from ..progress import Progress
from .blocks import seed_sequence
from .methods import IDENTITY, METHODS, TASKS, Method, Rates, Task, methods_of, task_of
from .network_files import OneRun, gathered, read_memory, write_memory
from .network_memory import measure
from .network_runs import NetworkRuns
from .success import check_count


def learning_curves(
    task: str | Task = "glyphs-fc",
    methods: Iterable[str] | Mapping[str, Method] | None = None,
    *,
    preset: str | None = None,
    lr: float | None = None,
    weight_decay: float | None = None,
    batch: int | None = None,
    repeats: int = 1,
    iterations: int | None = None,
    records: int = 20,
    rng: Any = 0,
    folder: Any = None,
    resume: str | os.PathLike[str] | None = None,
    resident: bool = False,
    tell: Callable[[str], Any] | None = None,
    progress: bool = False,
) -> NetworkRuns:
    """Train a task's network with each of several methods, from the same starts on the same batches.

    ``task``: a name in ``TASKS``, or a ``Task``. ``methods``: names in ``METHODS`` (all of them by default), or a dict
    of your own. ``preset``: a name in ``PRESETS``, of rates for each method; without one all have the task's. ``lr``,
    ``weight_decay``, ``batch``: for all methods, in the place of those (a method may take several times, or a part of, the
    batch). Every repeat has its own start, bootstrapped images and batches, and all methods share them. ``iterations``: the
    task's own, or fewer. ``resume``: a folder that keeps every finished run in a small file of its own, and a checkpoint of
    one that is not, from which the same call goes on. ``resident``: measure the peak resident size of a step, too, in a
    process for each method (in a script, under ``if __name__ == "__main__":``). ``tell``: is told of every run.
    ``progress``: show how far all of them are.

    The baseline's memory is measured twice, plainly and by way of an explicit identity matrix, as the paper measures it.
    Raises BadInput for names that are not there, or images that are not, and where ``resume`` keeps other runs. Cost: the
    trainings; see the README for times.

    >>> from tinyspad.experiments import learning_curves
    >>> runs = learning_curves(methods=["baseline", "RAD, same"], preset="rad-mnist", iterations=20, records=2)
    >>> [len(run.test_loss) for repeats in runs.runs.values() for run in repeats]
    [3, 3]
    >>> runs.settings["RAD, same"]
    {'lr': 0.000452, 'weight_decay': 4.058855e-06, 'batch': 150}
    """
    chosen_task, chosen = task_of(task), methods_of(methods)
    rates = Rates(preset, lr, weight_decay, batch)
    rates.check()
    iterations = chosen_task.iterations if iterations is None else iterations
    counts = [("repeats", repeats), ("iterations", iterations), ("records", records)]
    for name, value in counts + ([] if batch is None else [("batch", batch)]):
        check_count(name, value, 1)
    if resident and TASKS.get(chosen_task.name) is not chosen_task:
        raise BadInput(
            "learning_curves: the resident size is measured in a process of its own, for a task of TASKS only."
        )
    data = chosen_task.data(folder)
    place = None if resume is None else Path(resume)
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
    images = f"{data!r} {zlib.crc32(np.ascontiguousarray(data.y).tobytes())}"
    shared = {"preset": preset, "iterations": iterations, "records": records, "data": images}
    finished: list[OneRun] = []
    memory: dict[str, dict[str, float]] = {}
    wanted = [
        (k, seed, name, method, None if place is None else place / f"{chosen_task.name}-{file_name(name)}-{k}.json")
        for k, seed in enumerate(seed_sequence(rng).spawn(repeats))
        for name, method in chosen.items()
    ]
    if place is not None and tell is not None:
        tell(f"Finished runs are kept in {place}: the same call goes on from there.")
    left = sum(file is None or not file.exists() for *_, file in wanted)
    with Progress(len(wanted) * iterations, "iteration", progress, (len(wanted) - left) * iterations) as bar:
        for k, seed, name, method, file in wanted:
            settings = _settings(chosen_task, name, method, rates) | shared
            entropy = np.ravel(np.array(seed.entropy, object)).tolist()  # one number, or several
            settings |= {"repeat": k, "seed": [*map(int, entropy), list(map(int, seed.spawn_key))]}
            if file is not None and file.exists():
                one = OneRun.read(file)
                one.check(file, settings)
            else:
                if name not in memory:
                    memory[name] = measure(chosen_task, method, settings["batch"], data, resident)
                before = (len(wanted) - left) * iterations

                def show(at: int, _: Any, before: int = before) -> None:
                    bar.show(before + at)

                one = OneRun(settings, memory[name], _trained(chosen_task, method, data, settings, seed, file, show))
                if file is not None:
                    one.write(file)
                    file.with_suffix(".npz").unlink()
                left -= 1
                bar.show((len(wanted) - left) * iterations)
            memory[name] = one.memory
            finished.append(one)
            if tell is not None:
                bar.clear()
                tell(f"{chosen_task.name}, {name}, repeat {k}: {one.run}, {one.run.seconds:.0f} s")
    runs = gathered(finished)
    if "baseline" not in chosen:
        return runs
    found = None if place is None else read_memory(place)
    if found is None:
        identity = Method(nn.AllPaths(identity=True))
        found = {IDENTITY: measure(chosen_task, identity, runs.settings["baseline"]["batch"], data, resident)}
        if place is not None:
            write_memory(place, found)
    return replace(runs, memory=runs.memory | found)


def _settings(task: Task, name: str, method: Method, rates: Rates) -> dict[str, Any]:
    """What is trained, in a form that JSON has."""
    rate, batch = rates.of(task, method)
    told = {"task": task.name, "method": name, "lr": rate.lr, "weight_decay": rate.weight_decay, "batch": batch}
    return told | {"dropout": method.dropout, "paths": choice_text(method.paths)}


def _trained(
    task: Task,
    method: Method,
    data: nn.Dataset,
    settings: Any,
    seed: np.random.SeedSequence,
    file: Path | None,
    show: Callable[[int, Any], None],
) -> nn.Training:
    """A run from its start, or from its checkpoint, to its end."""
    start, order = (
        np.random.default_rng(s) for s in np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key).spawn(2)
    )
    run = nn.fit(
        task.net(data, dropout=method.dropout, rng=start),
        data,
        paths=method.paths,
        optimizer=Adam(lr=settings["lr"]),
        weight_decay=settings["weight_decay"],
        schedule=nn.StepSchedule(),
        iterations=settings["iterations"],
        batch_size=settings["batch"],
        every=-(-settings["iterations"] // settings["records"]),
        rng=order,
        checkpoint=None if file is None else file.with_suffix(".npz"),
        callback=show,
    )
    if run.status == "interrupted":
        raise KeyboardInterrupt
    return run


def choice_text(paths: Any) -> str:
    """A choice of paths as text, without the words that are the defaults: a new option does not make old runs others."""
    if not is_dataclass(paths):
        return setting_text(paths)
    told = [(f, getattr(paths, f.name)) for f in fields(paths)]
    own = [f"{f.name}={x!r}" for f, x in told if x != f.default or not isinstance(x, (str, bool))]
    return f"{type(paths).__name__}({', '.join(own)})"


def file_name(method: str) -> str:
    """A part of a file's name for a method; names of one's own may differ in other letters alone, or be long."""
    found = re.sub("[^a-z0-9]+", "-", method.lower())
    return found if method in METHODS else f"{found[:40]}-{zlib.crc32(method.encode(errors='replace')):08x}"


def memory_accuracy(runs: NetworkRuns, memory: str = "held") -> dict[str, tuple[Any, Any]]:
    """Figure 8 as data: by method (bytes, test accuracy), from runs of ``learning_curves``.

    ``memory``: "held", "allocated" or "resident"; they are never mixed.
    """
    if not isinstance(runs, NetworkRuns):
        raise BadInput(f"memory_accuracy takes what learning_curves returns, not {type(runs).__name__}.")
    return runs.memory_accuracy(memory)
