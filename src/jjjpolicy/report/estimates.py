"""Summaries and figures of an estimate; what ``Estimate.summary`` and ``Estimate.plot`` call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DataError, InferenceError
from jjjpolicy.report.effect_figures import (
    EVENT_TIME,
    draw_event_study,
    draw_ranking,
    draw_weights,
)
from jjjpolicy.report.summary import summary
from jjjpolicy.report.text import Label, Language, Text, words
from jjjpolicy.report.time_figures import draw_gaps, draw_paths, draw_placebos

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.figure import Figure

    from jjjpolicy.estimate import Estimate

__all__ = ["plot", "summary"]


def plot(estimate: Estimate, kind: str | None = None, *, language: Language = "en") -> Figure:
    """Draw an estimate.

    Parameters
    ----------
    estimate : Estimate
    kind : str, optional
        ``"effects"`` (by event time, with intervals), and for estimators with a counterfactual also
        ``"gaps"``, ``"paths"``, ``"weights"``, and with placebo inference ``"placebos"`` and
        ``"ranking"``. By default the paths where there is one treated unit, the gaps where there
        are several, and the effects where there is no counterfactual.
    language : "en" or "zh"

    Raises
    ------
    DataError
        The kind is unknown, or the estimator does not have what it shows.
    InferenceError
        The kind needs placebo inference.
    """
    if kind is None:
        if estimate.counterfactual is None:
            kind = "effects"
        else:
            kind = "paths" if len(estimate.counterfactual) == 1 else "gaps"
    if kind not in _KINDS:
        raise DataError(f"plot kind {kind!r}: choose among {', '.join(map(repr, _KINDS))}.")
    return _KINDS[kind](estimate, language)


def gaps_by_unit(estimate: Estimate) -> pd.DataFrame:
    """Observed minus counterfactual outcome, periods × treated units."""
    if estimate.counterfactual is None:
        raise DataError(
            f"{estimate.estimator.label} has no counterfactual paths; plot 'effects' instead."
        )
    return (_observed(estimate) - estimate.counterfactual).T.rename_axis("period")


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


def effect_bands(estimate: Estimate) -> dict[Hashable, pd.DataFrame]:
    """95% intervals of the effect in each treated period (lower, upper), by treated unit.

    From methods with intervals for every treated unit and period, and from those with intervals by
    event time where one unit is treated; empty for others.
    """
    result = estimate.inference
    if result is None:
        return {}
    if "cells" in result.details:
        cells = result.details["cells"](0.95).set_index("period")
        return {unit: part[["lower", "upper"]] for unit, part in cells.groupby("unit")}
    design = estimate.design
    treated = design.units[design.treated]
    if len(treated) != 1:
        return {}
    after = estimate.effects[estimate.effects["event_time"] >= 0]
    return {treated[0]: _by_period(after, int(design.cohorts[0]))}


def _by_period(effects: pd.DataFrame, start: int) -> pd.DataFrame:
    periods = pd.Index(effects["event_time"] + start, name="period")
    return effects[["lower", "upper"]].set_axis(periods, axis=0)


def _counterfactual_band(estimate: Estimate, observed: pd.Series) -> pd.DataFrame | None:
    """95% intervals of the average counterfactual of treated units with one adoption period."""
    if len(estimate.design.cohorts) != 1 or estimate.inference is None:
        return None
    after = estimate.effects[estimate.effects["event_time"] >= 0]
    band = _by_period(after, int(estimate.design.cohorts[0]))
    actual = observed.reindex(band.index)
    return pd.DataFrame({"lower": actual - band["upper"], "upper": actual - band["lower"]})


def _observed(estimate: Estimate) -> pd.DataFrame:
    """Outcome of the treated units, treated units × periods."""
    design = estimate.design
    return pd.DataFrame(
        design.outcome[design.treated],
        index=design.units[design.treated],
        columns=design.periods,
    )


def _names(estimate: Estimate) -> dict[Hashable, Label]:
    labels = estimate.design.labels
    return {
        unit: Text(labels.unit_in(unit, "en"), labels.unit_in(unit, "zh"))
        for unit in estimate.design.units
    }


def _outcome(estimate: Estimate) -> Text:
    labels = estimate.design.labels
    return Text(labels.outcome_in("en"), labels.outcome_in("zh"))


def _effects(estimate: Estimate, language: Language) -> Figure:
    return draw_event_study(estimate.effects, outcome=_outcome(estimate), language=language)


def _gaps(estimate: Estimate, language: Language) -> Figure:
    return draw_gaps(
        gaps_by_unit(estimate),
        policy=float(estimate.design.cohorts[0]) - 0.5,
        outcome=_outcome(estimate),
        names=_names(estimate),
        bands=effect_bands(estimate),
        language=language,
    )


def _paths(estimate: Estimate, language: Language) -> Figure:
    if estimate.counterfactual is None:
        raise DataError(
            f"{estimate.estimator.label} has no counterfactual paths; plot 'effects' instead."
        )
    design, observed = estimate.design, _observed(estimate)
    single = len(observed) == 1
    unit = observed.index[0]
    return draw_paths(
        observed.mean(),
        estimate.counterfactual.mean(),
        policy=float(design.cohorts[0]) - 0.5,
        outcome=_outcome(estimate),
        treated_name=_names(estimate)[unit] if single else Text("Treated units", "处理组均值"),
        band=_counterfactual_band(estimate, observed.mean()),
        language=language,
    )


def _weights(estimate: Estimate, language: Language) -> Figure:
    if estimate.weights is None:
        raise DataError(f"{estimate.estimator.label} has no donor weights.")
    return draw_weights(estimate.weights.mean(axis=1), names=_names(estimate), language=language)


def _placebos(estimate: Estimate, language: Language) -> Figure:
    treated = estimate.design.units[estimate.design.treated]
    return draw_placebos(
        placebo_gaps(estimate),
        "estimate",
        policy=-0.5,
        outcome=_outcome(estimate),
        treated_name=(
            _names(estimate)[treated[0]]
            if len(treated) == 1
            else Text("Treated units", "处理组均值")
        ),
        placebo_name=Text("Placebos", "安慰剂"),
        time=EVENT_TIME,
        language=language,
    )


def _ranking(estimate: Estimate, language: Language) -> Figure:
    result = estimate.inference
    details = {} if result is None else result.details
    design = estimate.design
    treated = design.units[design.treated]
    if "unit_placebos" in details:
        return _separate_ranking(estimate, language)
    if "placebo_rmspe_ratios" not in details:
        raise InferenceError(
            "the RMSPE-ratio ranking needs .with_inference(jp.inference.PlaceboUnits()) on a "
            "synthetic control."
        )
    if len(treated) > 1:
        raise DataError(
            "the RMSPE-ratio ranking of several treated units needs "
            ".with_inference(jp.inference.PlaceboUnits(separate=True))."
        )
    assigned = np.isfinite(details["placebo_units"])
    controls = design.units[~design.treated]
    ratios = pd.Series(
        [details["rmspe_ratio"], *details["placebo_rmspe_ratios"]],
        index=[treated[0], *(controls[row][0] for row in assigned)],
    )
    return draw_ranking(ratios, [treated[0]], names=_names(estimate), language=language)


def _separate_ranking(estimate: Estimate, language: Language) -> Figure:
    """Every treated unit, and every control unit under every adoption period."""
    assert estimate.inference is not None
    units = estimate.inference.details["units"]
    placebos = estimate.inference.details["unit_placebos"]
    names = _names(estimate)
    dates = units.set_index("unit")["adoption"]
    several = dates.nunique() > 1
    ratios: dict[Hashable, float] = dict(zip(units["unit"], units["rmspe_ratio"], strict=True))
    shown: dict[Hashable, Label] = {
        str(unit): names[unit] for unit in estimate.design.units[estimate.design.treated]
    }
    for row in placebos.to_dict("records"):
        unit, date = row["placebo"], dates[row["unit"]]
        key = (unit, date)
        ratios[key] = row["rmspe_ratio"]
        name = names[unit]
        shown[key] = (
            Text(f"{words(name, 'en')} ({date})", f"{words(name, 'zh')}（{date}）")
            if several
            else name
        )
    return draw_ranking(
        pd.Series(list(ratios.values()), index=pd.Index(list(ratios), tupleize_cols=False)),
        list(units["unit"]),
        names=shown,
        language=language,
    )


_KINDS = {
    "effects": _effects,
    "gaps": _gaps,
    "paths": _paths,
    "placebos": _placebos,
    "weights": _weights,
    "ranking": _ranking,
}
