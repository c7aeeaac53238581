"""What a worker process does without for the time that it computes a piece of ours.

Fits are thousands of small products. Two things may take a third of their time: the profiler of a
Dask worker, which stops the thread a hundred times a second, and an allocator that gives memory
back at once (Dask tells it to), so that every array is mapped and cleared anew.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from typing import Any

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt in glibc."""

KEPT = (2**28, 2**25)
"""Bytes that stay with the process, and from which on an array is mapped by itself."""

DEFAULT = 2**17
"""Of both, in glibc."""


@contextmanager
def undisturbed(own: bool) -> Iterator[None]:
    """Without both in a task of a Dask worker and in a process of our own; else as it is.

    Parameters
    ----------
    own : bool
        Whether the process was started to work for us.
    """
    worker = None
    if distributed := sys.modules.get("distributed"):
        with suppress(ValueError):  # not in a task of a worker
            worker = distributed.get_worker()
    with ExitStack() as stack:
        if worker is not None:
            stack.enter_context(_unsampled(worker))
        if own or worker is not None:
            stack.enter_context(_keeping_memory())
        yield


@contextmanager
def _unsampled(worker: Any) -> Iterator[None]:
    profiler = worker.periodic_callbacks.get("profile")
    if profiler is None:
        yield
        return

    def resume() -> None:
        if not profiler.is_running():
            profiler.start()

    worker.loop.add_callback(profiler.stop)
    try:
        yield
    finally:
        worker.loop.add_callback(resume)


@contextmanager
def _keeping_memory() -> Iterator[None]:
    setting = _mallopt()
    if setting is None:
        yield
        return
    own = [
        int(os.environ.get(name, DEFAULT))
        for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")
    ]
    _set(setting, KEPT)
    try:
        yield
    finally:
        _set(setting, own)


def _set(setting: Callable[[int, int], int], values: Any) -> None:
    for parameter, value in zip((M_TRIM_THRESHOLD, M_MMAP_THRESHOLD), values, strict=True):
        setting(parameter, value)


@cache
def _mallopt() -> Callable[[int, int], int] | None:
    """The function of glibc; None where there is another allocator."""
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "mallopt", None)
