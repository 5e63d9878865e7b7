"""Processes that work for this one, and never outlive it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any


class Pool(ProcessPoolExecutor):
    """Processes that are at work, in which Ctrl-C waits until ``check`` asks for it.

    It may come in the middle of what Python does there, with a lock taken that nobody would then give back, or with a
    process started that is not yet known.
    """

    pressed = False

    def check(self) -> None:
        """Raises KeyboardInterrupt if Ctrl-C was pressed."""
        if self.pressed:
            raise KeyboardInterrupt


@contextmanager
def processes(number: int) -> Iterator[Pool]:
    """So many fresh interpreters. When the block is left by an exception, they are ended in the middle of what they do.

    However this process ends, by SIGTERM, SIGKILL or Ctrl-C, its workers end with it, and so no pipe stays open: each
    watches a pipe whose other end only this process holds, and which the system closes. (A worker that waits for work
    would otherwise wait for ever: all workers hold both ends of the queue that work comes through.) The resource tracker of
    ``multiprocessing`` watches such a pipe, too, and ends when all of them have. Ctrl-C is told by the pool's ``check``,
    by ``completed``, and where the block ends.
    """
    # Fresh interpreters: forking a process in which a BLAS has started threads can hang, and a fork would inherit the
    # pipe's other end. A fork server would be one more process to look after.
    context = Context()
    watched, held = context.Pipe(duplex=False)
    pool = Pool(number, mp_context=context, initializer=_begin, initargs=(watched,))
    try:
        try:
            with _ctrl_c_told_to(pool):
                yield pool
            pool.check()
        except BaseException:
            held.close()
            _close_results(pool)
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    finally:
        held.close()  # also where a second Ctrl-C cuts the wait short
        watched.close()


def completed(futures: Iterable[Future[Any]], executor: Executor) -> Iterator[Future[Any]]:
    """Futures as they are done, and Ctrl-C while they are waited for, where the executor is a ``Pool``."""
    pool = executor if isinstance(executor, Pool) else None
    waiting = set(futures)
    while waiting:
        done = wait(waiting, timeout=None if pool is None else 0.1, return_when=FIRST_COMPLETED).done
        if pool is not None:
            pool.check()
        yield from done
        waiting -= done


@contextmanager
def _ctrl_c_told_to(pool: Pool) -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, lambda number, frame: setattr(pool, "pressed", True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _close_results(pool: Pool) -> None:
    """A worker may be ended in the middle of telling a result: whoever reads it would wait for the rest for ever, as long as
    this process could write it, too."""
    results: Any = getattr(pool, "_result_queue", None)
    if hasattr(results, "_writer"):
        results._writer.close()


class Process(SpawnProcess):
    """A process that Ctrl-C does not reach while it starts: before it can leave that to the one that waits for it."""

    def start(self) -> None:
        """Ctrl-C is blocked in what is started, where there are such masks."""
        resource_tracker.ensure_running()  # which lifts the block, where it starts one
        masks = hasattr(signal, "pthread_sigmask")
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masks else None
        try:
            super().start()
        finally:
            if before is not None:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Context(SpawnContext):
    """Of such processes."""

    Process = Process


def _begin(watched: Connection) -> None:
    """What a worker does first: it leaves Ctrl-C, which reaches all processes of a terminal, to the one that waits for it,
    and watches that one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, args=(watched,), daemon=True).start()


def _end_with_parent(watched: Connection) -> None:
    parent = multiprocessing.parent_process()
    try:
        # nothing is ever sent; whoever was forked from the parent may hold the other end, but is not the parent
        while not watched.poll(1.0) and (os.name == "nt" or parent is None or os.getppid() == parent.pid):
            pass
    except OSError:
        pass
    os._exit(1)
