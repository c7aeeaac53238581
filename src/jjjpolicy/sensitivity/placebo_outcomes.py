"""Outcomes that the policy should not move, under the same design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.design.intake import quoted
from jjjpolicy.errors import DesignError
from jjjpolicy.inference.families import holm
from jjjpolicy.linalg.threads import one_thread

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate, Inference
    from jjjpolicy.linalg.types import Floats


@one_thread
def placebo_outcomes(
    estimate: Estimate,
    frame: pd.DataFrame,
    outcomes: Sequence[str],
    *,
    inference: Inference | None = None,
) -> pd.DataFrame:
    """Estimate effects on outcomes that should not move, with Holm's adjustment of the family.

    Same units, periods, adoption, covariates and estimator; only the outcome is exchanged. A small
    adjusted p-value says that the design finds effects where there should be none.

    Parameters
    ----------
    estimate : Estimate
    frame : DataFrame
        One row per unit and period, with the columns that the design was built from. It may hold
        more units and periods than the design uses.
    outcomes : sequence of str
        Columns of ``frame``.
    inference : Inference, optional
        Attached to every estimate; by default the standard errors that the estimator attaches
        itself. Use RandomizationInference where few groups are treated.

    Returns
    -------
    DataFrame
        outcome, estimate, se, pvalue, adjusted, in the order given. Effects are in the units of
        each outcome.

    Raises
    ------
    DesignError
        A column is absent or not numeric, a unit and period occurs twice, or a cell that the
        design uses has no finite value.
    InferenceError
        The estimator has no p-value of its own and no ``inference`` was given.
    """
    design = estimate.design
    design.require_units("placebo_outcomes")
    fits: dict[str, Estimate] = {}
    for name in outcomes:
        labels = replace(design.labels, outcome=name, outcome_en="", outcome_zh="")
        other = replace(design, outcome=_spread(design, frame, name), labels=labels)
        fit = estimate.estimator.fit(other)
        fits[name] = fit if inference is None else fit.with_inference(inference)
    if not fits:
        raise DesignError("outcomes= is empty; name at least one column.")
    table = holm(fits).rename(columns={"name": "outcome"})
    errors = [np.nan if fit.se is None else fit.se for fit in fits.values()]
    table.insert(2, "se", errors)
    return table


def _spread(design: Design, frame: pd.DataFrame, name: str) -> Floats:
    unit, time = design.labels.unit, design.labels.time
    for column in (unit, time, name):
        if column not in frame.columns:
            raise DesignError(f"column {column!r} is not in the table of placebo outcomes.")
    if not pd.api.types.is_numeric_dtype(frame[name]):
        raise DesignError(f"placebo outcome {name!r} is not numeric; convert it first.")
    used = frame[frame[unit].isin(design.units) & frame[time].isin(design.periods)]
    twice = used.duplicated([unit, time])
    if twice.any():
        row = int(twice.to_numpy().argmax())
        who, when = used[unit].iloc[row], used[time].iloc[row]
        raise DesignError(
            f"{unit} {quoted(who)} in {time} {when} occurs twice in the table of placebo outcomes; "
            f"keep one row."
        )
    wide = used.pivot(index=unit, columns=time, values=name)
    values = wide.reindex(index=design.units, columns=design.periods).to_numpy(dtype=float)
    absent = ~np.isfinite(values) & design.observed
    if absent.any():
        i, t = (int(k) for k in np.argwhere(absent)[0])
        raise DesignError(
            f"placebo outcome {name!r} has no finite value for {unit} {quoted(design.units[i])} in "
            f"{time} {design.periods[t]}, which the design uses ({int(absent.sum())} such cells); "
            f"build the design without these cells or choose another outcome."
        )
    result: Floats = np.where(design.observed, values, np.nan)
    return result
