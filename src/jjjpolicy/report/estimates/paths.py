"""What figures over time draw of an estimate: paths, gaps, placebos, and intervals of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DataError, InferenceError
from jjjpolicy.report.estimates.attained import effects_at

if TYPE_CHECKING:
    from collections.abc import Hashable

    from jjjpolicy.estimation.estimate import Estimate


def gaps_by_unit(estimate: Estimate) -> pd.DataFrame:
    """Observed minus counterfactual outcome, periods × treated units."""
    if estimate.counterfactual is None:
        raise DataError(
            f"{estimate.estimator.label} has no counterfactual paths; plot 'effects' instead."
        )
    return (observed_paths(estimate) - counterfactual(estimate)).T.rename_axis("period")


def counterfactual(estimate: Estimate) -> pd.DataFrame:
    """Counterfactual paths, treated units × periods as numbers."""
    assert estimate.counterfactual is not None
    numbers = dict(zip(estimate.design.period_names, estimate.design.periods, strict=True))
    return estimate.counterfactual.rename(columns=numbers)


def placebo_gaps(estimate: Estimate) -> pd.DataFrame:
    """Average gap by event time: column ``"estimate"`` and one column for each placebo.

    Raises
    ------
    InferenceError
        Placebo inference over units is not attached.
    """
    result = estimate.inference
    placebos = None if result is None else result.details.get("placebo_effects")
    if placebos is None:
        raise InferenceError(
            "placebo gaps need .with_inference(jp.inference.PlaceboUnits()) on an estimator with "
            "counterfactual paths."
        )
    table = pd.DataFrame(np.asarray(placebos).T, index=estimate.effects["event_time"])
    table["estimate"] = estimate.effects["estimate"].to_numpy()
    return table


def effect_bands(estimate: Estimate, level: float = 0.95) -> dict[Hashable, pd.DataFrame]:
    """Intervals of the effect in each treated period (lower, upper), by treated unit.

    From methods with intervals for every treated unit and period, and from those with intervals by
    event time where one unit is treated; empty for others.
    """
    result = estimate.inference
    if result is None:
        return {}
    if "cells" in result.details:
        cells = result.details["cells"](level)
        numbers = dict(
            zip(estimate.design.period_names, estimate.design.periods.tolist(), strict=True)
        )
        cells = cells.set_index(cells["period"].map(numbers).rename("period"))
        return {unit: part[["lower", "upper"]] for unit, part in cells.groupby("unit")}
    design = estimate.design
    treated = design.units[design.treated]
    if len(treated) != 1:
        return {}
    effects = effects_at(estimate, level)
    after = effects[effects["event_time"] >= 0]
    return {treated[0]: _by_period(after, int(design.cohorts[0]))}


def _by_period(effects: pd.DataFrame, start: int) -> pd.DataFrame:
    periods = pd.Index(effects["event_time"] + start, name="period")
    return effects[["lower", "upper"]].set_axis(periods, axis=0)


def counterfactual_band(
    estimate: Estimate, observed: pd.Series, level: float
) -> pd.DataFrame | None:
    """Intervals of the average counterfactual of treated units with one adoption period."""
    if len(estimate.design.cohorts) != 1 or estimate.inference is None:
        return None
    effects = effects_at(estimate, level)
    after = effects[effects["event_time"] >= 0]
    band = _by_period(after, int(estimate.design.cohorts[0]))
    actual = observed.reindex(band.index)
    return pd.DataFrame({"lower": actual - band["upper"], "upper": actual - band["lower"]})


def observed_paths(estimate: Estimate) -> pd.DataFrame:
    """Outcome of the treated units, treated units × periods."""
    design = estimate.design
    return pd.DataFrame(
        design.outcome[design.treated],
        index=design.units[design.treated],
        columns=design.periods,
    )
