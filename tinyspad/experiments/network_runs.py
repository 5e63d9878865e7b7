"""Training runs of networks as data: by method, with the memory of a step."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import nn
from ..displays import headline, printed
from ..errors import BadInput
from ..table import Interval, Table
from .methods import IDENTITY

FORMAT = "tinyspad network runs 1"

T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)
"""Student's t with 1, 2, ... degrees of freedom is between -t and t with 95 %; with more it is less."""


@dataclass(frozen=True, repr=False)
class NetworkRuns:
    """Training runs by method, ``repeats`` of each, with the memory of a step measured in three ways.

    ``runs``: by method, a list of ``Training``. ``memory``: by method, bytes: "held" for backward, "allocated" at the
    peak of a step (tracemalloc, above what was there before), "resident" at its peak in a process of its own (absent
    where it was not measured). ``settings``: by method, "lr", "weight_decay" and "batch" (absent from older files). Methods
    may have different numbers of repeats; those of one number have the same start, images and batches, and are compared.
    """

    task: str
    iterations: int
    runs: dict[str, list[nn.Training]]
    memory: dict[str, dict[str, float]]
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)

    def memory_accuracy(self, memory: str = "held") -> dict[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
        """By method (bytes, test accuracy at the end), one of each for every repeat: what ``plot.memory_accuracy`` draws."""
        found = {}
        for name, runs in self.runs.items():
            bytes_ = self.memory[name].get(memory)
            if bytes_ is None:
                raise BadInput(f'"{memory}" was not measured; there is {", ".join(self.memory[name])}.')
            found[name] = (np.full(len(runs), float(bytes_)), self.ends(name))
        if memory in self.memory.get(IDENTITY, {}):
            found[IDENTITY] = (
                np.full(len(self.runs["baseline"]), self.memory[IDENTITY][memory]),
                self.ends("baseline"),
            )
        return found

    def ends(self, method: str, column: str = "test_accuracy") -> np.ndarray[Any, Any]:
        """What a column of ``Training`` is at the end of each repeat of a method."""
        return np.array([getattr(run, column)[-1] for run in self.runs[method]])

    def difference(self, method: str, other: str = "baseline", column: str = "test_accuracy") -> Interval:
        """By how much a method ends above another, on average over the repeats that both have, with a 95 % interval.

        Paired by repeat: what start, images and batches do to both drops out. Student's t for the mean of the differences,
        which takes them as normal; of fewer than two the ends are infinite.
        """
        apart = [a - b for a, b in zip(self.ends(method, column).tolist(), self.ends(other, column).tolist())]
        mean = float(np.mean(apart))
        if len(apart) < 2:
            return Interval(mean, -np.inf, np.inf)
        reach = float(T95[min(len(apart) - 1, len(T95)) - 1] * np.std(apart, ddof=1) / np.sqrt(len(apart)))
        return Interval(mean, mean - reach, mean + reach)

    def _table(self) -> Table:
        kinds = list(whole := self.memory.get("baseline", next(iter(self.memory.values()))))
        rows = []
        for name, runs in self.runs.items():
            accuracy, *ends = (
                float(np.median(self.ends(name, column)))
                for column in ("test_accuracy", "train_accuracy", "test_loss", "train_loss")
            )
            held = [
                (self.memory[name][kind] / 1e6, self.memory[name][kind] / (whole[kind] or np.nan)) for kind in kinds
            ]
            cells = [accuracy, self._against_baseline(name), *ends, *(x for pair in held for x in pair)]
            rows.append([name, len(runs), *cells, np.mean([run.seconds for run in runs])])
        memory = [column for kind in kinds for column in (f"{kind} MB", "share")]
        columns = (
            "method",
            "repeats",
            "test accuracy",
            "less the baseline's",
            "train accuracy",
            "test loss",
            "train loss",
        )
        forms = ("", "", ".2%", "", ".2%", ".4f", ".4f", *[".2f", ".1%"] * len(kinds), ".0f")
        return Table((*columns, *memory, "seconds"), rows, forms)

    def _against_baseline(self, name: str) -> str | None:
        if name == "baseline" or "baseline" not in self.runs:
            return None
        apart = self.difference(name)
        reach = f" +-{apart.high - apart.value:.2%}" if np.isfinite(apart.high) else ""
        return f"{apart.value:+.2%}{reach}"

    @property
    def repeats(self) -> str:
        """How many repeats there are of a method: "1 repeat", "2 to 5 repeats"."""
        numbers = [len(repeats) for repeats in self.runs.values()]
        told = " to ".join(map(str, dict.fromkeys((min(numbers), max(numbers)))))
        return f"{told} repeat{'s' * (max(numbers) > 1)}"

    def __str__(self) -> str:
        return (
            f"{self.task}: {self.iterations} iterations, {self.repeats} of each method; medians, and mean differences, "
            f"paired by repeat, with 95 % intervals where there are two or more\n\n{self._table()}"
        )

    def __repr__(self) -> str:
        return headline(self)

    def _repr_html_(self) -> str:
        return printed(self, self._table())

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
        runs = {name: [columns_of(run) for run in repeats] for name, repeats in self.runs.items()}
        told = {"format": FORMAT, "task": self.task, "iterations": self.iterations, "memory": self.memory, "runs": runs}
        return json.dumps(told | ({"settings": self.settings} if self.settings else {}), indent=1)

    @classmethod
    def from_json(cls, text: str) -> NetworkRuns:
        """What ``to_json`` wrote. Raises BadInput for anything else."""
        try:
            told = json.loads(text)
            if told["format"] != FORMAT or re.fullmatch(r"[\w.-]+", told["task"]) is None:
                raise ValueError("another format, or a name that is none")
            runs = {str(name): [training_of(run) for run in repeats] for name, repeats in told["runs"].items()}
            memory = {
                str(name): {str(kind): float(size) for kind, size in told["memory"][name].items()}
                for name in [*runs, *[name for name in (IDENTITY,) if "baseline" in runs and name in told["memory"]]]
            }
            if not runs or not all(runs.values()) or not all("held" in measured for measured in memory.values()):
                raise ValueError("nothing in it")
            settings = {str(name): dict(found) for name, found in told.get("settings", {}).items()}
            return cls(told["task"], int(told["iterations"]), runs, memory, settings)
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise BadInput(f"This is not what NetworkRuns.to_json writes ({type(error).__name__}: {error}).") from None


def training_of(run: Any) -> nn.Training:
    """A run from what ``columns_of`` gives, checked."""
    columns = {c: np.array(run[c], int if c in ("iteration", "held") else float) for c in nn.training.COLUMNS}
    if (
        len({column.shape for column in columns.values()}) > 1
        or columns["iteration"].ndim != 1
        or not len(columns["held"])
    ):
        raise ValueError("columns of different lengths")
    return nn.Training(**columns, status=str(run["status"]), seconds=float(run["seconds"]))


def columns_of(run: nn.Training) -> dict[str, Any]:
    """A run in a form that JSON has."""
    columns = {c: getattr(run, c).tolist() for c in nn.training.COLUMNS}
    return columns | {"status": run.status, "seconds": round(run.seconds, 1)}
