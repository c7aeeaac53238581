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
print(staggered.{function}(panels.staggered(290){options})["estimate"])
"""


def in_new_process(_: Any, contender: str, options: str = "") -> Answer:
    folder = str(Path(inspect.getfile(staggered)).parents[1])
    code = CODE.format(folder=folder, function=contender, options=options)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {"estimate": float(done.stdout.split()[-1])}


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
            "csdid": partial(in_new_process, contender="csdid_cs"),
            "diff-diff": partial(in_new_process, contender="diff_diff_cs"),
            "StatsPAI": partial(in_new_process, contender="statspai_cs"),
            "moderndid": partial(in_new_process, contender="moderndid_cs"),
            "differences": partial(in_new_process, contender="differences_cs"),
        },
        "Callaway-Sant'Anna without covariates and with an event study. The time holds the start "
        "of Python, pandas and the making of the panel for all of them. Beyond pandas, importing "
        "jjjpolicy takes 0.02 seconds of it; most of the time is the import of pandas, which "
        "the data frame needs anyway, the rest that of SciPy for the first fit.",
    ),
}
