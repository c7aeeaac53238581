"""Synthetic controls when treatment leaks: the first three states by name are affected."""

from __future__ import annotations

from typing import Any

import pandas as pd

from peers.panels import prop_99
from peers.synthetic import NAMES, SOURCE
from peers.task import Answer, Task


def affected(frame: pd.DataFrame) -> list[str]:
    """The first three untreated units."""
    ever = frame.groupby("unit")["treated"].max()
    return sorted(ever.index[ever == 0])[:3]


def ours_structure(frame: pd.DataFrame) -> Answer:
    import jjjpolicy as jp

    design = jp.Design.from_frame(frame, **NAMES, treatment="treated")
    structure = jp.synth.FreeEffects(affected(frame))
    fit = jp.synth.SpilloverSyntheticControl(structure).fit(design)
    return {"estimate": float(fit.att)}


def ours_inclusive(frame: pd.DataFrame) -> Answer:
    import jjjpolicy as jp

    design = jp.Design.from_frame(frame, **NAMES, treatment="treated")
    first = jp.synth.SyntheticControl()
    fit = jp.synth.InclusiveSyntheticControl(affected(frame), first).fit(design)
    return {"estimate": float(fit.att)}


def settings(frame: pd.DataFrame, method: str) -> dict[str, Any]:
    """What mlsynth and scspill are asked alike."""
    return {
        "df": frame,
        "outcome": "y",
        "treat": "treated",
        "unitid": "unit",
        "time": "year",
        "method": method,
        "affected_units": affected(frame),
        "display_graphs": False,
    }


def mlsynth_structure(frame: pd.DataFrame) -> Answer:
    from mlsynth import SPILLSYNTH

    return {"estimate": float(SPILLSYNTH(settings(frame, "cd")).fit().att)}


def mlsynth_inclusive(frame: pd.DataFrame) -> Answer:
    from mlsynth import SPILLSYNTH

    return {"estimate": float(SPILLSYNTH(settings(frame, "iscm")).fit().att)}


def scspill_structure(frame: pd.DataFrame) -> Answer:
    from scspill import SCSPILL

    return {"estimate": float(SCSPILL(settings(frame, "cd")).fit().att)}


TASKS = {
    "leaking-structure": Task(
        f"Synthetic control with three affected states (Cao and Dowd), Proposition 99 ({SOURCE})",
        None,
        prop_99,
        {
            "jjjpolicy": ours_structure,
            "mlsynth": mlsynth_structure,
            "scspill": scspill_structure,
        },
        "The peers also compute their tests and intervals when they fit.",
    ),
    "leaking-inclusive": Task(
        f"Inclusive synthetic control with three affected states, Proposition 99 ({SOURCE})",
        None,
        prop_99,
        {"jjjpolicy": ours_inclusive, "mlsynth": mlsynth_inclusive},
        "Weights without an intercept, as in mlsynth, whose fit of California before treatment is "
        "a little worse (root mean squared error 1.6570 against 1.6564): hence the difference.",
    ),
}
