"""R packages as contenders: the same data through files, clock and memory those of R."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MEASURE = Path(__file__).with_name("measure.R")
CONTENDERS = Path(__file__).with_name("contenders.R")


@dataclass(frozen=True)
class InR:
    """A function of ``contenders.R`` that answers a task with an R package.

    Attributes
    ----------
    package : str
        The R package that it attaches.
    function : str
        Its name; it takes the data, a data frame or a list of vectors, and returns ``estimate`` and
        ``se``, where there are any.
    repository : str
        Owner and name on GitHub, for a package that CRAN does not have.
    """

    package: str
    function: str
    repository: str = ""

    @property
    def absent(self) -> str | None:
        """Why it cannot be measured here and what to do about it; None where it can."""
        if shutil.which("Rscript") is None:
            return "R is not installed; see benchmarks/README.md"
        question = f'quit(status = !nzchar(system.file(package = "{self.package}")))'
        if subprocess.run(["Rscript", "-e", question], capture_output=True).returncode == 0:
            return None
        if self.repository:
            return f'not installed; in R: remotes::install_github("{self.repository}")'
        return f'not installed; in R: install.packages("{self.package}")'

    def measure(self, data: Any, most_runs: int, longest: float, too_slow: float) -> dict[str, Any]:
        """What R's own clock says: versions, first, seconds, processor, runs, peak and answer.

        Raises
        ------
        RuntimeError
            With the last line that R wrote, where it failed.
        """
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _write(data, folder)
            result = folder / "measured.json"
            options = [self.package, self.function, most_runs, longest, too_slow]
            command = ["Rscript", MEASURE, CONTENDERS, folder, result, *options]
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
            if done.returncode != 0:
                raise RuntimeError((done.stderr.strip().splitlines() or ["R stopped"])[-1])
            found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return found


def _write(data: Any, folder: Path) -> None:
    """One file per column, in order: numbers as they are in memory, text line by line."""
    names = []
    for name, values in _columns(data):
        if pd.api.types.is_integer_dtype(values.dtype):
            file = f"{name}.integer"
            values.astype("<i4").tofile(folder / file)
        elif pd.api.types.is_float_dtype(values.dtype):
            file = f"{name}.double"
            values.astype("<f8").tofile(folder / file)
        else:
            file = f"{name}.text"
            (folder / file).write_text("\n".join(map(str, values)) + "\n", encoding="utf-8")
        names.append(file)
    (folder / "columns").write_text("\n".join(names) + "\n", encoding="utf-8")


def _columns(data: Any) -> Iterator[tuple[str, np.ndarray]]:
    if isinstance(data, pd.DataFrame):
        for name in data:
            yield str(name), data[name].to_numpy()
    else:
        for place, values in enumerate(data, start=1):
            yield f"v{place}", np.asarray(values).ravel()
