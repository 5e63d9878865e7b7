"""Processes that work for this one, and never outlive it."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess
from types import FrameType
from typing import ClassVar, cast


@contextmanager
def processes(number: int) -> Iterator[ProcessPoolExecutor]:
    """So many fresh interpreters. When the block is left by an exception, they are ended in the middle of what they do.

    However this process ends, by SIGTERM, SIGKILL or Ctrl-C, its workers end with it, and so no pipe stays open: each
    watches a pipe whose other end only this process holds, and which the system closes. (A worker that waits for work
    would otherwise wait for ever: all workers hold both ends of the queue that work comes through.) The resource tracker of
    ``multiprocessing`` watches such a pipe, too, and ends when all of them have.
    """
    # Fresh interpreters: forking a process in which a BLAS has started threads can hang, and a fork would inherit the
    # pipe's other end. A fork server would be one more process to look after.
    context = Context()
    watched, held = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(number, mp_context=context, initializer=_begin, initargs=(watched,))
    try:
        with _ctrl_c_between_starts():
            try:
                yield pool
            except BaseException:
                held.close()
                raise
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
    finally:
        held.close()  # also where a second Ctrl-C cuts the wait short
        watched.close()


class Process(SpawnProcess):
    """A process that Ctrl-C does not reach while it starts: before it can leave that to the one that waits for it."""

    starting: ClassVar[bool] = False
    started: ClassVar[float] = -math.inf  #: when the last one was, by ``time.monotonic``

    def start(self) -> None:
        """Ctrl-C is blocked in what is started, where there are such masks, and waits in this one (below)."""
        resource_tracker.ensure_running()  # which lifts the block, where it starts one
        masks = hasattr(signal, "pthread_sigmask")
        Process.starting = True
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masks else None
        try:
            super().start()
        finally:
            Process.started = time.monotonic()
            Process.starting = False
            if before is not None:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _ctrl_c_between_starts() -> Iterator[None]:
    """Ctrl-C waits until a process that starts has all that it is to be told, and the pool, which looks for it only then,
    knows of it: a tenth of a second, and again while processes start."""
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield
        return

    def pressed(number: int, frame: FrameType | None) -> None:
        if Process.starting or time.monotonic() - Process.started < 0.1:
            threading.Timer(0.1, _press).start()
        else:
            before(number, frame)

    signal.signal(signal.SIGINT, pressed)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _press() -> None:
    """Ctrl-C again, in the main thread: which alone waits, and may have it blocked where other threads do not."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(cast(int, threading.main_thread().ident), signal.SIGINT)
    else:
        signal.raise_signal(signal.SIGINT)


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
