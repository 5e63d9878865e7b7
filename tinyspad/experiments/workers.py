"""Processes that work for this one, and never outlive it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection


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
    context = multiprocessing.get_context("spawn")
    watched, held = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(number, mp_context=context, initializer=_begin, initargs=(watched,))
    try:
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


def _begin(watched: Connection) -> None:
    """What a worker does first: it leaves Ctrl-C, which reaches all processes of a terminal, to the one that waits for it,
    and watches that one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
