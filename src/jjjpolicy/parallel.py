"""Independent pieces of work, one after the other, on several processors, or on a cluster.

joblib hands them out; within ``joblib.parallel_config(backend="dask")`` it hands them to the
workers of the active Dask client.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any, Literal, TypeVar

from jjjpolicy._lookup import data_files_read, remembered
from jjjpolicy.progress import track

Result = TypeVar("Result")

ATTEMPTS = 3
"""How often in a row workers may be lost before a single further result."""


def run(
    function: Callable[..., Result],
    tasks: Sequence[tuple[Any, ...]],
    jobs: int,
    description: str,
    *,
    batch_size: int | Literal["auto"] = "auto",
) -> Iterator[Result]:
    """Results of ``function(*task)`` in the order of the tasks, with progress shown.

    A worker of a cluster that is lost takes along what it held. Results that have arrived are kept,
    and tasks without one are handed out again.

    Parameters
    ----------
    function : callable
        Its results must depend on nothing but its arguments.
    tasks : sequence of tuple
    jobs : int
        Worker processes, 1 for none and -1 for one per processor. A Dask cluster uses all of its
        workers for any number but 1.
    description : str
        What is going on, in a few words.
    batch_size : int or "auto"
        Tasks that are handed to a worker at once.
    """
    found = (function(*task) for task in tasks)
    if jobs != 1:
        found = _handed_out(function, tasks, jobs, batch_size)
    return track(found, description, total=len(tasks))


def workers(jobs: int) -> int:
    """Number of workers that ``jobs`` stands for."""
    if jobs == 1:
        return 1
    from joblib import effective_n_jobs

    number: int = effective_n_jobs(jobs)
    return number


def _handed_out(
    function: Callable[..., Result],
    tasks: Sequence[tuple[Any, ...]],
    jobs: int,
    batch_size: int | Literal["auto"],
) -> Generator[Result]:
    from joblib import Parallel, delayed

    done, attempts = 0, 0
    while done < len(tasks):
        parallel = Parallel(n_jobs=jobs, return_as="generator", batch_size=batch_size)
        results = parallel(delayed(_with_files)(function, task) for task in tasks[done:])
        try:
            for result, files in results:
                for file in files:
                    if file.is_file():  # a worker on another machine has its own copies
                        remembered(file)
                yield result
                done, attempts = done + 1, 0
        except CancelledError:
            attempts += 1
            if attempts == ATTEMPTS:
                raise


def _with_files(
    function: Callable[..., Result], task: tuple[Any, ...]
) -> tuple[Result, list[Path]]:
    """A result, and the data files that its worker has read, for the provenance."""
    return function(*task), data_files_read()
