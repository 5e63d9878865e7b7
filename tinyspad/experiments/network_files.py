"""Training runs of networks in files, one for each run that is finished: what a long comparison goes on from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from .. import nn
from ..archive import write_text
from ..errors import BadInput
from .methods import METHODS
from .network_runs import NetworkRuns, columns_of, training_of

ONE_RUN = "tinyspad network run 1"


@dataclass(frozen=True)
class OneRun:
    """A finished run in a file of its own: what was trained (``settings``), the memory of a step, and the run."""

    settings: dict[str, Any]
    memory: dict[str, float]
    run: nn.Training

    def write(self, file: str | PathLike[str]) -> None:
        """Keep it, whole or not at all."""
        told = {"format": ONE_RUN, "settings": self.settings, "memory": self.memory, "run": columns_of(self.run)}
        write_text(file, json.dumps(told) + "\n")

    @classmethod
    def read(cls, file: str | PathLike[str]) -> OneRun:
        """What ``write`` wrote. Raises BadInput for anything else."""
        try:
            told = json.loads(Path(file).read_bytes().decode("utf-8", errors="replace"))
            if told["format"] != ONE_RUN:
                raise ValueError("another format")
            settings, memory = dict(told["settings"]), {str(k): float(x) for k, x in told["memory"].items()}
            for name, kind in (("task", str), ("method", str), ("repeat", int), ("iterations", int)):
                if type(settings[name]) is not kind:
                    raise ValueError(f"{name} is {settings[name]!r:.40}")
            if "held" not in memory or re.fullmatch(r"[\w.-]+", settings["task"]) is None:
                raise ValueError("no memory, or no task")
            if settings["iterations"] < 1 or not all(0 < x < float("inf") for x in memory.values()):
                raise ValueError(f"iterations is {settings['iterations']}, and memory {memory}")
            return cls(settings, memory, training_of(told["run"]))
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise BadInput(f"{file} does not keep a finished run ({type(error).__name__}: {error}).") from None

    def check(self, file: Path, settings: Mapping[str, Any]) -> None:
        """Raise BadInput unless this is the run of these settings."""
        for name in {**settings, **self.settings}:
            if (here := settings.get(name)) != (there := self.settings.get(name)):
                raise BadInput(
                    f"{file} keeps another run ({name}: {there!r:.60} there, {here!r:.60} here). Give resume= (--resume) "
                    "another folder, or delete the file."
                )


def gathered(finished: list[OneRun]) -> NetworkRuns:
    """Finished runs of one task, of each method those repeats, from the first on, of which none is missing."""
    by_place = {(one.settings["method"], one.settings["repeat"]): one for one in finished}
    runs: dict[str, list[nn.Training]] = {}
    for name in dict.fromkeys(one.settings["method"] for one in finished):
        while (one := by_place.get((name, len(runs.get(name, []))))) is not None:
            runs.setdefault(name, []).append(one.run)
    first = {name: by_place[name, 0] for name in runs}
    told = {name: {k: one.settings[k] for k in TOLD if k in one.settings} for name, one in first.items()}
    whole = next(iter(first.values())).settings
    return NetworkRuns(
        whole["task"], whole["iterations"], runs, {name: one.memory for name, one in first.items()}, told
    )


SHARED = ("task", "preset", "iterations", "records", "data", "seed")
"""What all runs of a comparison have in common; of the seed, what comes before the repeat's number."""


def _shared(settings: Mapping[str, Any], name: str) -> str:
    value = settings.get(name)
    return str(value[:-1] if name == "seed" and isinstance(value, list) else value)


TOLD = ("lr", "weight_decay", "batch")


def runs_in(folder: str | PathLike[str]) -> NetworkRuns:
    """The finished runs that a folder keeps, as ``learning_curves(..., resume=folder)`` left them.

    Of each method those repeats, from the first on, of which none is missing. Raises BadInput where there are none, or some
    of several experiments.
    """
    finished = [OneRun.read(file) for file in sorted(Path(folder).glob("*-[0-9]*.json"))]
    for one in finished[1:]:
        first, other = finished[0].settings, one.settings
        for name in SHARED:
            if (here := _shared(first, name)) != (there := _shared(other, name)):
                raise BadInput(
                    f"{folder} keeps runs of several experiments, whose differences tell nothing: {name} is {here} and "
                    f"{there} ({first['method']}, {other['method']}). Give each its own folder."
                )
    if not any(one.settings["repeat"] == 0 for one in finished):
        raise BadInput(
            f"{folder} keeps no finished run: python -m tinyspad networks TASK --resume {folder} makes some."
        )
    names = list(METHODS)
    finished.sort(
        key=lambda one: names.index(one.settings["method"]) if one.settings["method"] in METHODS else len(names)
    )
    runs = gathered(finished)
    return replace(runs, memory=runs.memory | (read_memory(Path(folder)) or {}))


MEMORY = "memory.json"
"""The file that keeps, beside the runs, the memory of a step that belongs to no run."""


def write_memory(folder: Path, memory: Mapping[str, Mapping[str, float]]) -> None:
    """Keep the memory of steps, by name, beside finished runs."""
    write_text(folder / MEMORY, json.dumps({"memory": memory}) + "\n")


def read_memory(folder: Path) -> dict[str, dict[str, float]] | None:
    """What ``write_memory`` wrote; None if there is nothing. Raises BadInput for anything else."""
    file = folder / MEMORY
    if not file.exists():
        return None
    try:
        told = json.loads(file.read_bytes().decode("utf-8", errors="replace"))["memory"]
        return {str(name): {str(k): float(x) for k, x in kinds.items()} for name, kinds in told.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(f"{file} does not keep the memory of steps ({type(error).__name__}: {error}).") from None
