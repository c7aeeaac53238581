"""Independent pieces of work, one after the other, on several processors, or on a cluster.

joblib hands them out; within ``joblib.parallel_config(backend="dask")`` it hands them to the
workers of the active Dask client.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from jjjpolicy.errors import InferenceError, JJJPolicyWarning
from jjjpolicy.estimation.progress import track
from jjjpolicy.estimation.undisturbed import undisturbed
from jjjpolicy.linalg.threads import one_thread
from jjjpolicy.registry.lookup import data_files_read, remembered

Result = TypeVar("Result")
Task = tuple[Any, ...]

MOST_WORKERS = 1_000

ATTEMPTS = 3
"""How often in a row workers may be lost before a single further result."""


def run(
    function: Callable[..., Result],
    tasks: Sequence[Task],
    jobs: int,
    description: str,
    *,
    at_once: int | None = None,
) -> Iterator[Result]:
    """Results of ``function(*task)`` in the order of the tasks, with progress shown.

    Linear algebra has one thread in each process, so that workers do not get in each other's way.

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
    at_once : int, optional
        Tasks that are handed to a worker at once; by default an eighth of its share. What all have
        in common (the same object in the same place) reaches each worker of a cluster once.
    """
    require_jobs(jobs)
    found: Iterable[Result] = (_alone(function, task) for task in tasks)
    if jobs != 1 and len(tasks):
        size = at_once or max(1, len(tasks) // (8 * workers(jobs)))
        common = _Common(function, tasks)
        own = [common.left_of(task) for task in tasks]
        batches = [own[start : start + size] for start in range(0, len(own), size)]
        found = chain.from_iterable(_handed_out(common, batches, jobs))
    return track(found, description, total=len(tasks))


def workers(jobs: int) -> int:
    """Number of workers that ``jobs`` stands for."""
    require_jobs(jobs)
    from joblib import effective_n_jobs

    number: int = effective_n_jobs(jobs)
    return number


def require_jobs(jobs: int) -> None:
    """Raise an `InferenceError` unless ``jobs`` is -1 or a number of workers that can be."""
    if jobs != -1 and not 1 <= jobs <= MOST_WORKERS:
        raise InferenceError(
            f"jobs={jobs:,} must be a number of workers from 1 to {MOST_WORKERS:,}, or -1 for one "
            f"per processor."
        )


class _Common:
    """A function and the arguments that all of its tasks have in common."""

    def __init__(self, function: Callable[..., Any], tasks: Sequence[Task]) -> None:
        self.function = function
        self.arguments = {
            place: value
            for place, value in enumerate(tasks[0])
            if all(task[place] is value for task in tasks)
        }

    def left_of(self, task: Task) -> Task:
        """The arguments of a task that are its own."""
        return tuple(value for place, value in enumerate(task) if place not in self.arguments)

    def result(self, own: Task) -> Any:
        """Of a task with these arguments of its own."""
        left = iter(own)
        places = range(len(own) + len(self.arguments))
        return self.function(
            *(self.arguments[p] if p in self.arguments else next(left) for p in places)
        )


def _handed_out(
    common: _Common, batches: Sequence[Sequence[Task]], jobs: int
) -> Iterator[list[Any]]:
    from joblib import Parallel, delayed

    done, attempts = 0, 0
    said: set[tuple[str, type[Warning]]] = set()
    while done < len(batches):
        parallel = Parallel(n_jobs=min(jobs, len(batches)), return_as="generator", batch_size=1)
        try:
            with _with_every_worker(common, jobs):
                parts = parallel(delayed(_with_traces)(common, batch) for batch in batches[done:])
                for results, files, warned in parts:
                    for message, category in sorted(warned - said, key=str):
                        warnings.warn(message, category, stacklevel=2)
                    said |= warned
                    for file in files:
                        if file.is_file():  # a worker on another machine has its own copies
                            remembered(file)
                    yield results
                    done, attempts = done + 1, 0
        except CancelledError:
            attempts += 1
            if attempts == ATTEMPTS:
                raise


@contextmanager
def _with_every_worker(common: _Common, jobs: int) -> Iterator[None]:
    """For a Dask cluster: what tasks have in common lies with each worker already.

    Else it would travel with each batch of tasks.
    """
    from joblib.parallel import get_active_backend

    backend, _ = get_active_backend()
    client, known = (getattr(backend, name, None) for name in ("client", "data_futures"))
    if client is None or known is None or workers(jobs) < 2:
        yield
        return
    [known[id(common)]] = client.scatter([common], broadcast=True, hash=False)
    try:
        yield
    finally:
        del known[id(common)]


def _with_traces(
    common: _Common, batch: Sequence[Task]
) -> tuple[list[Any], list[Path], set[tuple[str, type[Warning]]]]:
    """Results, the data files that their worker has read, and its warnings.

    The process that handed out the work says each warning once, by its own filters.
    """
    own = _in_worker()
    with undisturbed(own):
        if not own:
            return [_alone(common.result, (task,)) for task in batch], data_files_read(), set()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all: one answer is enough
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", JJJPolicyWarning)
            results = [_alone(common.result, (task,)) for task in batch]
        said = {(str(each.message), each.category) for each in caught}
        return results, data_files_read(), said


@one_thread
def _alone(function: Callable[..., Result], task: Task) -> Result:
    return function(*task)


def _in_worker() -> bool:
    """Whether this is the main thread of a worker process, whose signals and warnings are its own.

    The process that handed out the work ends its workers.
    """
    in_worker = multiprocessing.parent_process() is not None
    return in_worker and threading.current_thread() is threading.main_thread()
