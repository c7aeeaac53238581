"""One thread for linear algebra, and afterwards as many as the user had.

A second thread gains little in products of a tall matrix with a narrow one, and where other
processes have the cores every product waits for it. Why it is done in this way:
docs/decisions/threads.md.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Any, ClassVar

BROUGHT_BY = ("numpy._core._multiarray_umath", "scipy.linalg._fblas")
"""Extension modules that are linked to an OpenBLAS; numpy and scipy have one each."""

NAMES = [
    (f"{prefix}openblas_get_num_threads{suffix}", f"{prefix}openblas_set_num_threads{suffix}")
    for prefix in ("scipy_", "")
    for suffix in ("64_", "")
]


@dataclass(frozen=True, eq=False)
class OpenBLAS:
    """The number of threads of one library."""

    threads: Callable[[], int]
    set_threads: Callable[[int], Any]


class _OneThread(ContextDecorator):
    """While anybody is inside, in any Python thread, linear algebra has one thread.

    The number belongs to the process: the first to enter notes it, the last to leave restores it,
    after an error too. A number that somebody else has set in between stays.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._inside = 0
        self._before: dict[OpenBLAS, int] = {}

    def __enter__(self) -> None:
        with self._lock:
            for library in loaded():
                if library not in self._before:  # scipy may come when somebody is inside already
                    self._before[library] = library.threads()
                    library.set_threads(1)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside:
                return
            for library, threads in self._before.items():
                if library.threads() == 1:
                    library.set_threads(threads)
            self._before.clear()


one_thread = _OneThread()
"""``with one_thread:`` or ``@one_thread``; may be nested, and costs a few microseconds."""


class InOneThread:
    """Base of classes whose methods named in ``computing`` run in one thread in every subclass."""

    computing: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in cls.computing & vars(cls).keys():
            setattr(cls, name, one_thread(vars(cls)[name]))


def loaded() -> Iterator[OpenBLAS]:
    """The OpenBLAS libraries of numpy and scipy, as far as these are in use."""
    for extension in BROUGHT_BY:
        library = _library(extension) if extension in sys.modules else None
        if library is not None:
            yield library


@cache
def _library(extension: str) -> OpenBLAS | None:
    """The OpenBLAS that an extension module is linked to; None for another library.

    Looked for in the extension module, which shows the symbols of what it is linked to, and for
    Windows, where it does not, in the folder that a wheel puts its libraries in.
    """
    package = extension.partition(".")[0]
    folder = Path(str(sys.modules[package].__file__)).parents[1] / f"{package}.libs"
    for file in (sys.modules[extension].__file__, *map(str, sorted(folder.glob("*openblas*")))):
        library = ctypes.CDLL(file)
        for get, put in NAMES:
            if hasattr(library, get):
                return OpenBLAS(getattr(library, get), getattr(library, put))
    return None
