"""Import and a first small fit in a new process."""

from __future__ import annotations

import inspect
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from peers import staggered
from peers.task import Answer, Task

CODE = """
import sys
sys.path.insert(0, {folder!r})
from peers import panels, staggered
frame = panels.staggered(290)
print({answer})
"""


def in_new_process(_: Any, contender: str, options: str = "") -> Answer:
    printed = _run(f'staggered.{contender}(frame{options})["estimate"]')
    return {"estimate": float(printed.split()[-1])}


def no_fit(_: Any) -> Answer:
    """What the others cannot be faster than: pandas and the panel."""
    _run("len(frame)")
    return {}


def _run(answer: str) -> str:
    folder = str(Path(inspect.getfile(staggered)).parents[1])
    code = CODE.format(folder=folder, answer=answer)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


TASKS = {
    "start": Task(
        "New process, import, data of 290 x 16 (simulated) and a first fit",
        0.5,
        lambda: None,
        {
            "jjjpolicy": partial(
                in_new_process,
                contender="ours",
                options=", estimator='CallawaySantAnna', control='never'",
            ),
            "pandas": no_fit,
            "csdid": partial(in_new_process, contender="csdid_cs"),
            "diff-diff": partial(in_new_process, contender="diff_diff_cs"),
            "StatsPAI": partial(in_new_process, contender="statspai_cs"),
            "moderndid": partial(in_new_process, contender="moderndid_cs"),
            "differences": partial(in_new_process, contender="differences_cs"),
        },
        "Callaway-Sant'Anna without covariates and with an event study. The time holds the start "
        "of Python, pandas and the making of the panel for all of them; the row of pandas is these "
        "three alone, with no fit.",
    ),
}
