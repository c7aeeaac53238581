"""Summaries and figures of an estimate; what ``Estimate.summary`` and ``Estimate.plot`` call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DataError, InferenceError
from jjjpolicy.report.effect_figures import draw_event_study, draw_ranking, draw_weights
from jjjpolicy.report.summary import summary
from jjjpolicy.report.text import Label, Language, Text
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
        language=language,
    )


def _ranking(estimate: Estimate, language: Language) -> Figure:
    result = estimate.inference
    if result is None or "placebo_rmspe_ratios" not in result.details:
        raise InferenceError(
            "the RMSPE-ratio ranking needs .with_inference(jp.inference.PlaceboUnits()) on a "
            "synthetic control."
        )
    design = estimate.design
    treated = design.units[design.treated]
    if len(treated) > 1:
        raise DataError("the RMSPE-ratio ranking shows one treated unit; plot 'placebos' instead.")
    assigned = np.isfinite(result.details["placebo_units"])
    controls = design.units[~design.treated]
    ratios = pd.Series(
        [result.details["rmspe_ratio"], *result.details["placebo_rmspe_ratios"]],
        index=[treated[0], *(controls[row][0] for row in assigned)],
    )
    return draw_ranking(ratios, [treated[0]], names=_names(estimate), language=language)


_KINDS = {
    "effects": _effects,
    "gaps": _gaps,
    "paths": _paths,
    "placebos": _placebos,
    "weights": _weights,
    "ranking": _ranking,
}
