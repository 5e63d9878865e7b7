"""Training: mini-batches of a bootstrapped set, a path choice, an optimizer; recorded, resumable, safe to interrupt."""

from __future__ import annotations

import csv
import io
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..archive import load_arrays, save_arrays
from ..errors import BadInput
from ..lcg.choice import generator
from ..optimizers import Adam, Optimizer
from ..rules import Rows
from ..tape import ARGS, ORDER, Value, tick
from .choice import AllPaths, PathChoice
from .datasets import Dataset
from .functional import log_softmax
from .layers import Sequential

KIND = "tinyspad training 1"
BLOCK = 32768
"""How many numbers of a parameter are updated at once: what they need for it stays in the processor's cache."""

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


@dataclass(frozen=True)
class Training:
    """What a training run leaves behind: one record every so many iterations, in arrays of equal length.

    ``train_loss``, ``train_accuracy``: on (the first 5000 of) the images that are trained on; ``test_loss``,
    ``test_accuracy``: on those to test with; ``held``: bytes held for backward in that iteration. ``status``: "done" or
    "interrupted". ``seconds``: of work, resumed runs included.
    """

    iteration: np.ndarray[Any, Any]
    train_loss: np.ndarray[Any, Any]
    train_accuracy: np.ndarray[Any, Any]
    test_loss: np.ndarray[Any, Any]
    test_accuracy: np.ndarray[Any, Any]
    held: np.ndarray[Any, Any]
    status: str = "done"
    seconds: float = field(default=0.0, compare=False)

    def to_csv(self) -> str:
        """The records as text, one line each."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(zip(*(getattr(self, name).tolist() for name in COLUMNS)))
        return out.getvalue()

    def __str__(self) -> str:
        if not len(self.iteration):
            return f"{self.status}: nothing was recorded"
        return (
            f"{self.status} after {self.iteration[-1]} iterations: train loss {self.train_loss[-1]:.4f}, accuracy "
            f"{self.train_accuracy[-1]:.1%}; test loss {self.test_loss[-1]:.4f}, accuracy {self.test_accuracy[-1]:.1%}"
        )


def evaluate(net: Sequential, x: Any, y: Any) -> tuple[float, float]:
    """The mean cross-entropy and the accuracy on images, nothing recorded and dropout off."""
    logits = net.predict(x)
    rows = np.arange(len(y))
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
    _check(net, data, iterations, batch_size, every, weight_decay)
    seeds = generator(rng).spawn(3)
    pick, batches, draws = seeds
    chosen = pick.integers(0, len(data.y), len(data.y)) if bootstrap else np.arange(len(data.y))
    run = _Run(
        net, data, paths, optimizer, schedule, weight_decay, iterations, batch_size, every, chosen, batches, draws
    )
    if checkpoint is not None and Path(checkpoint).exists():
        run.restore(checkpoint)
    with _interruptions() as interrupted, _bar(iterations, run.iteration, progress) as advance:
        while True:
            at = run.iteration
            if at % every == 0 or at == iterations or interrupted:
                run.record(bool(interrupted))
                if checkpoint is not None:
                    run.keep(checkpoint)
                so_far = run.training("interrupted" if interrupted else "done")
                if at == iterations or interrupted or (callback is not None and callback(at, so_far)):
                    return so_far
            run.step()
            advance()


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
        self.chosen, self.batches, self.draws = chosen, batches, draws
        self.moments = {name: list(optimizer.init(np.zeros(v.shape, v._data.dtype))) for name, v in net.params.items()}
        self.state = paths.init()
        self.iteration, self.seconds = 0, 0.0
        self.order = np.zeros(0, np.int64)
        self.rows: list[tuple[Any, ...]] = []
        self.held = 0
        self.told = repr(
            (repr(net), data.name, len(data.y), len(data.y_test), paths, optimizer, schedule, weight_decay, iterations)
            + (batch_size, every, int(chosen[:100].sum()), int(chosen.sum()))
        )

    def _batch(self) -> tuple[Any, Any]:
        """The next images, in an order that is drawn anew when all have been seen."""
        if len(self.order) < self.batch_size:
            self.order = np.concatenate([self.order, self.batches.permutation(self.chosen)])
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
        if not np.isfinite(loss):
            raise BadInput(
                f"The loss is {loss} in iteration {self.iteration}: use a smaller learning rate, or look at the data. The "
                "parameters are those before it."
            )
        if held is not None:
            self.held = sum(held.values())
            if not self.rows[0][-1]:  # at the start nothing had been held yet
                self.rows[0] = (*self.rows[0][:-1], self.held)
        rate = 1.0 if self.schedule is None else self.schedule(self.iteration, self.iterations)
        optimizer: Any = self.optimizer if rate == 1.0 else replace(self.optimizer, lr=self.optimizer.lr * rate)  # type: ignore
        for name, value in self.net.params.items():
            update(value, gradients.pop(name), optimizer, self.moments[name], self.weight_decay)
        self.iteration += 1
        self.seconds += time.perf_counter() - start

    def record(self, final: bool) -> None:
        """Losses and accuracies, now."""
        if self.rows and self.rows[-1][0] == self.iteration:
            return
        some = self.chosen[:5000]
        train = evaluate(self.net, self.data.x[some], self.data.y[some])
        test = evaluate(self.net, self.data.x_test, self.data.y_test)
        self.rows.append((self.iteration, *train, *test, self.held))

    def training(self, status: str) -> Training:
        columns = dict(zip(COLUMNS, map(np.array, zip(*self.rows))))
        return Training(**columns, status=status, seconds=self.seconds)

    def keep(self, file: str | PathLike[str]) -> None:
        """Write all of it to a file."""
        arrays = {f"net.{name}": array for name, array in self.net.state().items()}
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
            file, KIND, {**arrays, "told": np.array(json.dumps(told)), "order": self.order, "rows": np.array(self.rows)}
        )

    def restore(self, file: str | PathLike[str]) -> None:
        """Go on where ``keep`` left off."""
        arrays, told = load_arrays(file, KIND, lambda arrays: (arrays, json.loads(str(arrays["told"]))))
        if told["settings"] != self.told:
            raise BadInput(
                f"{file} keeps another training run. Give checkpoint= another name. It is of {told['settings']:.300}"
            )
        self.net.load_state({name[4:]: a for name, a in arrays.items() if name.startswith("net.")})
        for name, moments in self.moments.items():
            for i, m in enumerate(moments):
                kept = arrays[f"moments.{i}.{name}"]
                moments[i] = kept if isinstance(m, np.ndarray) else kept.item()
        self.iteration, self.seconds, self.held = told["iteration"], told["seconds"], told["held"]
        self.state = tuple(told["state"]) if isinstance(told["state"], list) else told["state"]
        self.batches.bit_generator.state, self.draws.bit_generator.state = told["batches"], told["draws"]
        self.order = arrays["order"]
        self.rows = [(int(row[0]), *row[1:-1].tolist(), int(row[-1])) for row in arrays["rows"]]


def update(value: Value, gradient: Any, optimizer: Optimizer, moments: list[Any], weight_decay: float = 0.0) -> None:
    """One step of an elementwise optimizer on a parameter, in place, a block of rows after the other.

    ``gradient``: an array, or ``Rows`` of one. ``moments``: the optimizer's state for this parameter, changed in place. No
    array of the parameter's size is made on the way.
    """
    if value._node[ARGS] is not None:  # somebody holds its data
        value.data = np.array(value._data)
    array, rows = value._data, value.shape[0]
    array.flags.writeable = True
    after: Any = moments
    height = max(1, BLOCK // max(1, array[0].size))
    for low in range(0, rows, height):
        high = min(rows, low + height)
        g = gradient.block(low, high) if isinstance(gradient, Rows) else gradient[low:high]
        if weight_decay:
            g = g + weight_decay * array[low:high]
        part = tuple(m[low:high] if isinstance(m, np.ndarray) else m for m in moments)
        step, after = optimizer.update(g, part)
        array[low:high] += step
        for m, new in zip(moments, after):
            if isinstance(m, np.ndarray):
                m[low:high] = new
    moments[:] = [m if isinstance(m, np.ndarray) else new for m, new in zip(moments, after)]
    array.flags.writeable = False
    value._node[ORDER] = tick()  # a tape that read the parameter before this is out of date


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


@contextmanager
def _bar(total: int, done: int, wanted: bool) -> Iterator[Callable[[], Any]]:
    """What is called after every iteration: a bar where tqdm is installed, a line on standard error otherwise."""
    if not wanted:
        yield lambda: None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        count = iter(range(done + 1, total + 1))

        def tell() -> None:
            at = next(count)
            if at == total or at % max(1, total // 100) == 0:
                print(f"\r{at} of {total} iterations", end="\n" * (at == total), file=sys.stderr, flush=True)

        yield tell
        return
    with tqdm(total=total, initial=done, unit="it") as bar:
        yield lambda: bar.update()


def _check(net: Any, data: Any, iterations: Any, batch_size: Any, every: Any, weight_decay: Any) -> None:
    if not isinstance(net, Sequential):
        raise BadInput(f"fit trains a Sequential, such as small_fc_net(), not {net!r:.60}.")
    if not isinstance(data, Dataset):
        raise BadInput(f"fit takes a Dataset, such as datasets.glyphs(1000), not {type(data).__name__}.")
    for name, value, least in (("iterations", iterations, 0), ("batch_size", batch_size, 1), ("every", every, 1)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise BadInput(f"fit: {name}= is a whole number, at least {least}, not {value!r:.40}.")
    if batch_size > len(data.y):
        raise BadInput(f"fit: there are {len(data.y)} images, too few for a batch of {batch_size}.")
    if not isinstance(weight_decay, (int, float)) or not 0 <= weight_decay < np.inf:
        raise BadInput(f"fit: weight_decay= is a number, at least 0, not {weight_decay!r:.40}.")
