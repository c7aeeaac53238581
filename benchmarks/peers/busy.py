"""A busy machine: other processes that keep the processor cores occupied."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

PROCESSES = 4


@contextmanager
def busy_machine() -> Iterator[None]:
    """``PROCESSES`` processes that compute without end, and end with the block."""
    with ExitStack() as running:
        for _ in range(PROCESSES):
            process = running.enter_context(
                subprocess.Popen([sys.executable, "-c", "while True: pass"])
            )
            running.callback(process.kill)
        yield


def users_environment() -> Mapping[str, str]:
    """The environment without the number of threads that `make` sets: a user has set none."""
    return {key: v for key, v in os.environ.items() if not key.endswith("_NUM_THREADS")}
