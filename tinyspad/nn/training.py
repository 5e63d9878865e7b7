"""Training: mini-batches of a bootstrapped set, a path choice, an optimizer; recorded, resumable, safe to interrupt."""

from __future__ import annotations

import json
import signal
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..archive import load_arrays, save_arrays
from ..arguments import generator
from ..displays import headline, page
from ..errors import BadInput
from ..optimizers import Adam, Optimizer
from ..progress import Progress
from ..rules import Rows
from ..table import Table
from .choice import AllPaths, PathChoice
from .datasets import Dataset
from .functional import checked_labels, log_softmax
from .layers import Sequential
from .settings import all_layers, check_choices, check_run, layer_text, setting_text
from .update import first_moments, make_private, update

KIND = "tinyspad training 1"
COLUMNS = ("iteration", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "held")


@dataclass(frozen=True)
class StepSchedule:
    """The learning rate times ``factor`` after every 1/``parts`` of the iterations (0.6, every tenth, in the papers).

    >>> from tinyspad import nn
    >>> [round(nn.StepSchedule()(i, 1000), 2) for i in (0, 99, 100, 999)]
    [1.0, 1.0, 0.6, 0.01]
    """

    factor: float = 0.6
    parts: int = 10

    def __call__(self, iteration: int, iterations: int) -> float:
        return float(self.factor ** (iteration * self.parts // max(iterations, 1)))


@dataclass(frozen=True, eq=False, repr=False)
class Training:
    """What a training run leaves behind: one record every so many iterations, in arrays of equal length.

    ``train_loss``, ``train_accuracy``: on (the first 5000 of) the images that are trained on; ``test_loss``,
    ``test_accuracy``: on those to test with; ``held``: bytes held for backward in that iteration. ``status``: "done",
    "stopped" (by a callback) or "interrupted". ``seconds``: of work, resumed runs included.
    """

    iteration: np.ndarray[Any, Any]
    train_loss: np.ndarray[Any, Any]
    train_accuracy: np.ndarray[Any, Any]
    test_loss: np.ndarray[Any, Any]
    test_accuracy: np.ndarray[Any, Any]
    held: np.ndarray[Any, Any]
    status: str = "done"
    seconds: float = field(default=0.0, compare=False)

    def table(self) -> Table:
        """The records, a row for each."""
        forms = ("", ".4f", ".1%", ".4f", ".1%")
        return Table(COLUMNS, zip(*(getattr(self, name).tolist() for name in COLUMNS)), forms, left=0)

    def __repr__(self) -> str:
        return headline(self)

    def _repr_html_(self) -> str:
        return page(str(self), self.table())

    def to_markdown(self) -> str:
        """The records in Markdown."""
        return self.table().markdown()

    def to_csv(self) -> str:
        """The records as text, one line each."""
        return self.table().csv()

    def __str__(self) -> str:
        if not len(self.iteration):
            return f"{self.status}: nothing was recorded"
        return (
            f"{self.status} after {self.iteration[-1]} iterations: train loss {self.train_loss[-1]:.4f}, accuracy "
            f"{self.train_accuracy[-1]:.1%}; test loss {self.test_loss[-1]:.4f}, accuracy {self.test_accuracy[-1]:.1%}"
        )


def evaluate(net: Sequential, x: Any, y: Any) -> tuple[float, float]:
    """The mean cross-entropy and the accuracy on images, nothing recorded and dropout off.

    Raises BadInput for labels that are no classes of the network's. Cost: a forward pass.

    >>> import numpy as np
    >>> from tinyspad import nn
    >>> net = nn.Sequential(nn.Linear(2, 2, rng=0))
    >>> loss, accuracy = nn.evaluate(net, np.zeros((4, 2), np.float32), np.array([0, 1, 0, 1]))
    >>> accuracy
    0.5
    """
    logits = net.predict(x)
    y, rows = checked_labels("evaluate", y, logits.shape), np.arange(len(logits))
    return -float(log_softmax(logits)[rows, y].mean(dtype=np.float64)), float(np.mean(logits.argmax(axis=1) == y))


def fit(
    net: Sequential,
    data: Dataset,
    *,
    paths: PathChoice | None = None,
    optimizer: Optimizer | None = None,
    schedule: Callable[[int, int], float] | None = None,
    weight_decay: float = 0.0,
    iterations: int = 1000,
    batch_size: int = 150,
    bootstrap: bool = True,
    every: int = 100,
    rng: Any = None,
    checkpoint: str | PathLike[str] | None = None,
    callback: Callable[[int, Training], Any] | None = None,
    progress: bool = False,
) -> Training:
    """Train a network in place, and return what was recorded every so many iterations.

    ``paths``: ``AllPaths()`` (the default), ``RandomPaths(...)``, ``SelectivePaths(...)``, ``LayerOut(...)``.
    ``bootstrap``: train on as many images as there are, drawn with replacement, as the papers do. ``weight_decay``
    times a parameter is added to its gradient. ``schedule(iteration, iterations)`` times the optimizer's learning rate:
    ``StepSchedule()`` is the papers'. ``checkpoint``: a file that keeps the run at every record; the same call goes on
    from there, to the identical result. Ctrl-C ends the run after the iteration at hand, which is "interrupted" and can
    be resumed. ``callback(iteration, training so far)`` stops it by returning something true.

    Runs of one seed see the same images in the same batches, whatever paths they follow. Raises BadInput for arguments
    without meaning, for a loss that is not finite, and for a checkpoint of another run.

    >>> from tinyspad import nn
    >>> data = nn.datasets.glyphs(600, rng=0)
    >>> net = nn.small_fc_net(hidden=50, rng=0)
    >>> run = nn.fit(net, data, paths=nn.RandomPaths(0.5), iterations=120, every=40, rng=0)
    >>> run.iteration.tolist(), bool(run.test_accuracy[-1] > 0.5)
    ([0, 40, 80, 120], True)
    """
    paths = AllPaths() if paths is None else paths
    optimizer = Adam(lr=0.001) if optimizer is None else optimizer
    check_run(net, data, iterations, batch_size, every, weight_decay)
    check_choices(paths, optimizer, schedule)
    if checkpoint is not None and rng is None:
        raise BadInput(
            "fit: a run that can be resumed needs a seed, rng=0 or another: without one the next is another run."
        )
    pick, batches, draws = generator(rng).spawn(3)
    chosen = pick.integers(0, len(data.y), len(data.y)) if bootstrap else np.arange(len(data.y))
    run = _Run(
        net, data, paths, optimizer, schedule, weight_decay, iterations, batch_size, every, chosen, batches, draws
    )
    restored = None
    if checkpoint is not None and Path(checkpoint).exists():
        run.restore(checkpoint)
        restored = run.iteration
    with _interruptions() as interrupted, Progress(iterations, "iteration", progress, run.iteration) as bar:
        while True:
            at = run.iteration
            if at % every == 0 or at == iterations or interrupted:
                with np.errstate(all="ignore"):
                    run.record()
                if checkpoint is not None and at != restored:
                    run.keep(checkpoint)
                if interrupted or at == iterations:
                    return run.training("done" if at == iterations else "interrupted")
                if callback is not None and at != restored and callback(at, run.training("running")):
                    return run.training("stopped")
            with np.errstate(all="ignore"):  # what is not finite is looked for, and told
                run.step()
            bar.show(run.iteration)


class _Run:
    """All that a training run consists of, so that it can be kept in a file and gone on with."""

    def __init__(
        self,
        net: Sequential,
        data: Dataset,
        paths: PathChoice,
        optimizer: Optimizer,
        schedule: Any,
        weight_decay: float,
        iterations: int,
        batch_size: int,
        every: int,
        chosen: np.ndarray[Any, Any],
        batches: np.random.Generator,
        draws: np.random.Generator,
    ) -> None:
        self.net, self.data, self.paths, self.optimizer, self.schedule = net, data, paths, optimizer, schedule
        self.weight_decay, self.iterations, self.batch_size, self.every = weight_decay, iterations, batch_size, every
        self.choosing, self.batches, self.draws = chosen, batches, draws
        for value in net.params.values():
            make_private(value)
        self.frozen = getattr(paths, "frozen", False)
        self.moments = {name: first_moments(optimizer, v._data, self.frozen) for name, v in net.params.items()}
        self.state = paths.init()
        self.iteration, self.seconds = 0, 0.0
        self.order = np.zeros(0, np.int64)
        self.rows: list[tuple[Any, ...]] = []
        self.held = 0
        arrays = (data.x, data.y, data.x_test, data.y_test, chosen)
        self.told = repr(
            (
                repr(net),
                [layer_text(layer) for layer in all_layers(net)],
                [v._data.dtype.str for v in net.params.values()],
            )
            + (data.name, *map(setting_text, (paths, optimizer, schedule)), weight_decay, iterations, batch_size, every)
            + (batches.bit_generator.state, draws.bit_generator.state)
            + tuple((a.dtype.str, a.shape, zlib.crc32(np.ascontiguousarray(a).tobytes())) for a in arrays)
        )

    def _batch(self) -> tuple[Any, Any]:
        """The next images, in an order that is drawn anew when all have been seen."""
        if len(self.order) < self.batch_size:
            self.order = np.concatenate([self.order, self.batches.permutation(self.choosing)])
        index, self.order = self.order[: self.batch_size], self.order[self.batch_size :]
        x = self.data.x[index]
        x.flags.writeable = False
        return x, self.data.y[index]

    def step(self) -> None:
        """One iteration: a batch, a gradient, an update."""
        start = time.perf_counter()
        x, y = self._batch()
        count = (self.iteration + 1) % self.every == 0 or self.iteration + 1 == self.iterations or not self.rows[0][-1]
        loss, gradients, held, _, self.state = self.paths.draw(self.net, x, y, self.state, self.draws, count)
        del x
        wrong = "" if np.isfinite(loss) else f"The loss is {loss}"
        for name, g in gradients.items():
            if not wrong and not np.isfinite(np.sum(g.values if isinstance(g, Rows) else g, dtype=np.float64)):
                wrong = f"The gradient of {name} is not finite"
        if wrong:
            raise BadInput(
                f"{wrong} in iteration {self.iteration}: use a smaller learning rate, or look at the data. A checkpoint, if "
                "there is one, is of the last record."
            )
        if held is not None:
            self.held = sum(held.values())
            if not self.rows[0][-1]:  # at the start nothing had been held yet
                self.rows[0] = (*self.rows[0][:-1], self.held)
        rate = 1.0 if self.schedule is None else self.schedule(self.iteration, self.iterations)
        if not isinstance(rate, (int, float, np.number)) or not 0 <= rate < np.inf:
            raise BadInput(
                f"fit: schedule({self.iteration}, {self.iterations}) gave {rate!r:.60}, not a factor for the rate."
            )
        optimizer: Any = self.optimizer if rate == 1.0 else replace(self.optimizer, lr=self.optimizer.lr * rate)  # type: ignore
        for name, value in self.net.params.items():
            gradient = gradients.pop(name)
            reached = isinstance(gradient, Rows) or np.ndim(gradient) or not value.shape
            if reached:  # an array that no path leads from stays as it is
                update(value, gradient, optimizer, self.moments[name], self.weight_decay, self.frozen)
        self.iteration += 1
        self.seconds += time.perf_counter() - start

    def record(self) -> None:
        """Losses and accuracies, now. Raises BadInput where one is not finite."""
        if self.rows and self.rows[-1][0] == self.iteration:
            return
        some = self.choosing[:5000]
        train = evaluate(self.net, self.data.x[some], self.data.y[some])
        test = evaluate(self.net, self.data.x_test, self.data.y_test)
        if not np.isfinite(train[0] + test[0]):
            raise BadInput(
                f"After {self.iteration} iterations the loss is {train[0]} (training) and {test[0]} (test): use a smaller "
                "learning rate, or look at the data. A checkpoint, if there is one, is of the last record."
            )
        self.rows.append((self.iteration, *train, *test, self.held))

    def training(self, status: str) -> Training:
        columns = dict(zip(COLUMNS, map(np.array, zip(*self.rows))))
        return Training(**columns, status=status, seconds=self.seconds)

    def keep(self, file: str | PathLike[str]) -> None:
        """Write all of it to a file."""
        arrays = {f"net.{name}": array for name, array in self.net.state().items()}
        # a record out of turn, at an interruption, is not the uninterrupted run's
        rows = [row for row in self.rows if row[0] % self.every == 0 or row[0] == self.iterations]
        for name, moments in self.moments.items():
            arrays |= {f"moments.{i}.{name}": np.asarray(m) for i, m in enumerate(moments)}
        told = {
            "settings": self.told,
            "iteration": self.iteration,
            "seconds": self.seconds,
            "state": self.state,
            "held": self.held,
            "batches": self.batches.bit_generator.state,
            "draws": self.draws.bit_generator.state,
        }
        save_arrays(
            file,
            KIND,
            {**arrays, "told": np.array(json.dumps(told, default=_plain)), "order": self.order, "rows": np.array(rows)},
        )

    def restore(self, file: str | PathLike[str]) -> None:
        """Go on where ``keep`` left off."""
        found = load_arrays(file, KIND, self._whole)
        if found is None:
            raise BadInput(
                f"{file} keeps another training run (other images, settings or seed). Give checkpoint= another name."
            )
        told, arrays, moments, rows = found
        self.net.load_state({name[4:]: a for name, a in arrays.items() if name.startswith("net.")})
        self.moments, self.rows, self.order = moments, rows, arrays["order"]
        self.iteration, self.seconds, self.held = told["iteration"], told["seconds"], told["held"]
        self.state = tuple(told["state"]) if isinstance(told["state"], list) else told["state"]
        self.batches.bit_generator.state, self.draws.bit_generator.state = told["batches"], told["draws"]

    def _whole(self, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
        """What a file keeps, checked piece by piece before anything is changed; None if it is another run's."""
        told = json.loads(str(arrays["told"]))
        if told["settings"] != self.told:
            return None
        for own_rng, state in ((self.batches, told["batches"]), (self.draws, told["draws"])):
            type(own_rng.bit_generator)().state = state
        moments = {}
        for name, own in self.moments.items():
            kept = [arrays[f"moments.{i}.{name}"] for i in range(len(own))]
            if any(np.shape(a) != np.shape(m) for a, m in zip(kept, own)):
                raise ValueError(f"the moments of {name} have another shape")
            moments[name] = [a if isinstance(m, np.ndarray) else a.item() for a, m in zip(kept, own)]
            if arrays[f"net.{name}"].shape != self.net.params[name].shape:
                raise ValueError(f"{name} has another shape")
        rows = [(int(row[0]), *row[1:-1].tolist(), int(row[-1])) for row in arrays["rows"]]
        numbers = [
            told["iteration"],
            told["held"],
            *(len(row) - len(COLUMNS) for row in rows),
            float(told["seconds"]) >= 0,
        ]
        if not rows or not all(isinstance(n, int) and n >= 0 for n in numbers) or rows[-1][0] > told["iteration"]:
            raise ValueError("its records do not fit")
        order = arrays["order"]
        if (
            order.dtype.kind != "i"
            or order.ndim != 1
            or (order.size and (order.min() < 0 or order.max() >= len(self.data.y)))
        ):
            raise ValueError("its order of images does not fit")
        told["state"]
        return told, arrays, moments, rows


def _plain(x: Any) -> Any:
    """Numbers and arrays of NumPy's in a form that JSON has."""
    return x.tolist()


@contextmanager
def _interruptions() -> Iterator[list[int]]:
    """A list that is filled by Ctrl-C, so that an iteration is never cut in two; a second Ctrl-C interrupts at once."""
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen
        return

    def note(number: int, frame: Any) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)
