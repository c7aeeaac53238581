"""Summaries and figures of an estimate; what ``Estimate.summary`` and ``Estimate.plot`` call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DataError, InferenceError, warn_user
from jjjpolicy.inference.uniform_bands import uniform_bands
from jjjpolicy.report.estimates.summary import summary
from jjjpolicy.report.figures.effects import (
    AVERAGE_WEIGHT,
    EVENT_TIME,
    WEIGHT,
    draw_event_study,
    draw_ranking,
    draw_weights,
)
from jjjpolicy.report.figures.time import YEAR, draw_gaps, draw_paths, draw_placebos
from jjjpolicy.report.figures.unit_panels import (
    draw_gap_panels,
    draw_path_panels,
    draw_rankings,
    draw_weight_columns,
)
from jjjpolicy.report.text import Label, Language, Text

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.figure import Figure

    from jjjpolicy.estimation.estimate import Estimate

__all__ = ["plot", "summary"]

MOST_LINES = 7
MOST_COLUMNS = 6
"""Treated units that fit into one panel of gaps, and beside each other as columns of weights."""
MOST_PANELS = 20
MOST_ROWS = 60
"""Panels, and rows of names, that fit on a page."""
YEARS = ("year", "年份", "年")
"""Names of a time column that have a word in both languages."""


def plot(estimate: Estimate, kind: str | None = None, *, language: Language = "en") -> Figure:
    """Draw an estimate.

    Parameters
    ----------
    estimate : Estimate
    kind : str, optional
        ``"effects"`` (by event time, with intervals), and for estimators with a counterfactual also
        ``"gaps"``, ``"paths"``, ``"weights"``, and with placebo inference ``"placebos"`` and
        ``"ranking"``. By default the paths where there is one treated unit and a counterfactual,
        and the effects otherwise. In gaps and paths treated units have a panel each where they
        adopt at different dates or where their intervals would overlap; a page of them at most.
    language : "en" or "zh"

    Raises
    ------
    DataError
        The kind is unknown, or the estimator does not have what it shows.
    InferenceError
        The kind needs placebo inference.
    """
    if kind is None:
        paths = estimate.counterfactual
        kind = "paths" if paths is not None and len(paths) == 1 else "effects"
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


def _time(estimate: Estimate) -> Text:
    """What the periods are: the user's own word, unless it is the year."""
    name = estimate.design.labels.time
    return YEAR if name.casefold() in YEARS else Text(name, name)


def _event_time(estimate: Estimate) -> Text:
    if _time(estimate) is YEAR:
        return EVENT_TIME
    name = estimate.design.labels.time
    return Text(f"Event time ({name})", f"事件时间（{name}）")


def _page(estimate: Estimate, table: pd.DataFrame) -> pd.DataFrame:
    """The columns of as many treated units as fit on a page."""
    count = table.shape[1]
    if count > MOST_PANELS:
        warn_user(
            f"{count} treated {estimate.design.labels.unit}s do not fit on a page: the first "
            f"{MOST_PANELS} are drawn; plot('effects') shows the average of all."
        )
    return table.iloc[:, :MOST_PANELS]


def _of_outcome(estimate: Estimate, english: str, chinese: str) -> Text:
    labels = estimate.design.labels
    name = labels.outcome_in("en")
    # the name of a column stays as it is, and so does an acronym
    if labels.outcome_en and name[:1].isupper() and name[1:].islower():
        name = name[0].lower() + name[1:]
    return Text(english.format(name), chinese.format(labels.outcome_in("zh")))


def _outcome(estimate: Estimate) -> Text:
    labels = estimate.design.labels
    return Text(labels.outcome_in("en"), labels.outcome_in("zh"))


def _effects(estimate: Estimate, language: Language) -> Figure:
    outcome = _of_outcome(estimate, "Effect on {}", "对{}的影响")
    return draw_event_study(
        _with_band(estimate), outcome=outcome, time=_event_time(estimate), language=language
    )


def _with_band(estimate: Estimate) -> pd.DataFrame:
    """Effects by event time, with a uniform band where their covariance is known."""
    effects = estimate.effects
    if "uniform_lower" in effects.columns:
        return effects
    try:
        return uniform_bands(estimate)
    except InferenceError:
        return effects


def _gaps(estimate: Estimate, language: Language) -> Figure:
    gaps, bands = gaps_by_unit(estimate), effect_bands(estimate)
    outcome = _of_outcome(estimate, "Gap in {}", "{}的差距")
    names = _names(estimate)
    crowded = len(gaps.columns) > 1 and len(bands) > 1
    if crowded or len(estimate.design.cohorts) > 1 or len(gaps.columns) > MOST_LINES:
        return draw_gap_panels(
            _page(estimate, gaps),
            _policies(estimate),
            outcome=outcome,
            names=names,
            bands=bands,
            time=_time(estimate),
            language=language,
        )
    return draw_gaps(
        gaps,
        policy=float(estimate.design.cohorts[0]) - 0.5,
        outcome=outcome,
        names=names,
        bands=bands,
        time=_time(estimate),
        language=language,
    )


def _paths(estimate: Estimate, language: Language) -> Figure:
    if estimate.counterfactual is None:
        raise DataError(
            f"{estimate.estimator.label} has no counterfactual paths; plot 'effects' instead."
        )
    design, observed = estimate.design, _observed(estimate)
    if len(design.cohorts) > 1:
        return draw_path_panels(
            _page(estimate, observed.T),
            estimate.counterfactual.T,
            _policies(estimate),
            outcome=_outcome(estimate),
            names=_names(estimate),
            bands=effect_bands(estimate),
            time=_time(estimate),
            language=language,
        )
    single = len(observed) == 1
    unit = observed.index[0]
    return draw_paths(
        observed.mean(),
        estimate.counterfactual.mean(),
        policy=float(design.cohorts[0]) - 0.5,
        outcome=_outcome(estimate),
        treated_name=_names(estimate)[unit] if single else Text("Treated units", "处理组均值"),
        band=_counterfactual_band(estimate, observed.mean()),
        time=_time(estimate),
        language=language,
    )


def _policies(estimate: Estimate) -> dict[Hashable, float]:
    """Where the policy line of each treated unit stands, in periods."""
    design = estimate.design
    starts = design.adoption[design.treated] - 0.5
    return dict(zip(design.units[design.treated], starts.tolist(), strict=True))


def _weights(estimate: Estimate, language: Language) -> Figure:
    if estimate.weights is None:
        raise DataError(f"{estimate.estimator.label} has no donor weights.")
    names, treated = _names(estimate), estimate.weights.shape[1]
    if 1 < treated <= MOST_COLUMNS:
        return draw_weight_columns(estimate.weights, names=names, language=language)
    average = estimate.weights.mean(axis=1)
    return draw_weights(
        average[average.abs().rank(ascending=False, method="first") <= MOST_ROWS],
        names=names,
        measure=WEIGHT if treated == 1 else AVERAGE_WEIGHT,
        language=language,
    )


def _placebos(estimate: Estimate, language: Language) -> Figure:
    treated = estimate.design.units[estimate.design.treated]
    return draw_placebos(
        placebo_gaps(estimate),
        "estimate",
        policy=-0.5,
        outcome=_of_outcome(estimate, "Gap in {}", "{}的差距"),
        treated_name=(
            _names(estimate)[treated[0]]
            if len(treated) == 1
            else Text("Treated units", "处理组均值")
        ),
        placebo_name=Text("Placebos", "安慰剂"),
        time=_event_time(estimate),
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
    shown = _largest(estimate, ratios, [treated[0]])
    return draw_ranking(shown, [treated[0]], names=_names(estimate), language=language)


def _separate_ranking(estimate: Estimate, language: Language) -> Figure:
    """Every treated unit among the control units under its adoption period."""
    assert estimate.inference is not None
    units = estimate.inference.details["units"]
    placebos = estimate.inference.details["unit_placebos"]
    treated = estimate.design.units[estimate.design.treated]
    names = _names(estimate) | {str(unit): _names(estimate)[unit] for unit in treated}
    date_of = units.set_index("unit")["adoption"]
    placebos = placebos.assign(date=placebos["unit"].map(date_of)).drop_duplicates(
        ["placebo", "date"]
    )
    rankings: dict[Label, pd.Series] = {}
    for date, own in units.groupby("adoption"):
        others = placebos[placebos["date"] == date]
        rankings[Text(f"Adopted in {date}", f"{date}年实施")] = pd.concat(
            [own.set_index("unit")["rmspe_ratio"], others.set_index("placebo")["rmspe_ratio"]]
        )
    if len(rankings) == 1:
        (ratios,) = rankings.values()
        shown = _largest(estimate, ratios, list(units["unit"]))
        return draw_ranking(shown, list(units["unit"]), names=names, language=language)
    pages = {
        title: _largest(estimate, ratios, list(units["unit"])) for title, ratios in rankings.items()
    }
    return draw_rankings(pages, list(units["unit"]), names=names, language=language)


def _largest(estimate: Estimate, ratios: pd.Series, treated: list[Hashable]) -> pd.Series:
    """The treated units, and as many of the others as fit on a page."""
    own = ratios.index.isin(treated)
    room = max(MOST_ROWS - int(own.sum()), 0)
    others = ratios[~own].sort_values(ascending=False, kind="stable")
    if len(others) > room:
        warn_user(
            f"{len(ratios)} {estimate.design.labels.unit}s do not fit on a page: beside the "
            f"treated the {room} with the largest ratios are drawn."
        )
    return ratios[own | ratios.index.isin(others.index[:room])] if len(others) > room else ratios


_KINDS = {
    "effects": _effects,
    "gaps": _gaps,
    "paths": _paths,
    "placebos": _placebos,
    "weights": _weights,
    "ranking": _ranking,
}
