"""Summaries and figures of an estimate; what ``Estimate.summary`` and ``Estimate.plot`` call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DataError, InferenceError, warn_user
from jjjpolicy.inference.uniform_bands import uniform_bands
from jjjpolicy.report.estimates.attained import attainable, effects_at, percent
from jjjpolicy.report.estimates.axes import (
    event_time_word,
    name_periods,
    round_values,
    time_word,
)
from jjjpolicy.report.estimates.notebook import html
from jjjpolicy.report.estimates.paths import (
    counterfactual,
    counterfactual_band,
    effect_bands,
    gaps_by_unit,
    observed_paths,
    placebo_gaps,
)
from jjjpolicy.report.estimates.summary import summary
from jjjpolicy.report.figures.effects import (
    AVERAGE_WEIGHT,
    WEIGHT,
    draw_event_study,
    draw_ranking,
    draw_weights,
)
from jjjpolicy.report.figures.time import draw_gaps, draw_paths, draw_placebos
from jjjpolicy.report.figures.unit_panels import (
    draw_gap_panels,
    draw_path_panels,
    draw_rankings,
    draw_weight_columns,
)
from jjjpolicy.report.text import Label, Language, Text, chosen

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from matplotlib.figure import Figure

    from jjjpolicy.estimation.estimate import Estimate

__all__ = ["html", "plot", "summary"]

MOST_LINES = 7
MOST_COLUMNS = 6
"""Treated units that fit into one panel of gaps, and beside each other as columns of weights."""
MOST_PANELS = 20
MOST_ROWS = 60
"""Panels, and rows of names, that fit on a page."""


CALENDAR = ("gaps", "paths")
"""Kinds of figures along calendar time."""


def plot(
    estimate: Estimate,
    kind: str | None = None,
    *,
    level: float = 0.95,
    digits: int | None = None,
    language: Language | None = None,
) -> Figure:
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
    level : float
        Of the intervals. Where so few assignments are possible that none of this level has ends,
        the widest that have are drawn, and their level stands beside the outcome.
    digits : int, optional
        Decimals along the axis of values; by default as many as its steps need.
    language : "en" or "zh", optional
        By default the one that is set (:func:`jjjpolicy.set_language`).

    Raises
    ------
    DataError
        The kind or the language is unknown, or the estimator does not have what the kind shows.
    InferenceError
        The kind needs placebo inference; ``level`` is not between 0 and 1.
    """
    if kind is None:
        paths = estimate.counterfactual
        kind = "paths" if paths is not None and len(paths) == 1 else "effects"
    if kind not in _KINDS:
        raise DataError(f"plot kind {kind!r}: choose among {', '.join(map(repr, _KINDS))}.")
    written = chosen(language)
    figure = _KINDS[kind](estimate, written, level)
    if kind in CALENDAR:
        name_periods(figure, estimate.design.labels.clock, written)
    round_values(figure, digits)
    return figure


def _names(estimate: Estimate) -> dict[Hashable, Label]:
    labels = estimate.design.labels
    return {
        unit: Text(labels.unit_in(unit, "en"), labels.unit_in(unit, "zh"))
        for unit in estimate.design.units
    }


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


def _telling(outcome: Text, level: float, asked: float, bands: Iterable[pd.DataFrame]) -> Text:
    """The outcome, with the level of the intervals below where it is not the one asked for."""
    if level == asked or not any(
        np.isfinite(band["upper"] - band["lower"]).any() for band in bands
    ):
        return outcome
    return Text(
        f"{outcome.en}\n({percent(level)} intervals, widest attainable)",
        f"{outcome.zh}\n（{percent(level)} 区间，可达到的最高水平）",
    )


def _effects(estimate: Estimate, language: Language, asked: float) -> Figure:
    level = attainable(estimate, asked)
    effects = _with_band(estimate, level)
    outcome = _of_outcome(estimate, "Effect on {}", "对{}的影响")
    return draw_event_study(
        effects,
        outcome=_telling(outcome, level, asked, [effects]),
        time=event_time_word(estimate.design.labels),
        language=language,
    )


def _with_band(estimate: Estimate, level: float) -> pd.DataFrame:
    """Effects by event time, with a uniform band where their covariance is known."""
    effects = effects_at(estimate, level)
    if "uniform_lower" in effects.columns:
        return effects
    try:
        band = uniform_bands(estimate, level)
    except InferenceError:
        return effects
    return effects.assign(uniform_lower=band["uniform_lower"], uniform_upper=band["uniform_upper"])


def _gaps(estimate: Estimate, language: Language, asked: float) -> Figure:
    level = attainable(estimate, asked)
    gaps, bands = gaps_by_unit(estimate), effect_bands(estimate, level)
    outcome = _of_outcome(estimate, "Gap in {}", "{}的差距")
    outcome = _telling(outcome, level, asked, bands.values())
    names = _names(estimate)
    crowded = len(gaps.columns) > 1 and len(bands) > 1
    if crowded or len(estimate.design.cohorts) > 1 or len(gaps.columns) > MOST_LINES:
        return draw_gap_panels(
            _page(estimate, gaps),
            _policies(estimate),
            outcome=outcome,
            names=names,
            bands=bands,
            time=time_word(estimate.design.labels),
            language=language,
        )
    return draw_gaps(
        gaps,
        policy=float(estimate.design.cohorts[0]) - 0.5,
        outcome=outcome,
        names=names,
        bands=bands,
        time=time_word(estimate.design.labels),
        language=language,
    )


def _paths(estimate: Estimate, language: Language, asked: float) -> Figure:
    if estimate.counterfactual is None:
        raise DataError(
            f"{estimate.estimator.label} has no counterfactual paths; plot 'effects' instead."
        )
    design, observed = estimate.design, observed_paths(estimate)
    level = attainable(estimate, asked)
    if len(design.cohorts) > 1:
        bands = effect_bands(estimate, level)
        return draw_path_panels(
            _page(estimate, observed.T),
            counterfactual(estimate).T,
            _policies(estimate),
            outcome=_telling(_outcome(estimate), level, asked, bands.values()),
            names=_names(estimate),
            bands=bands,
            time=time_word(estimate.design.labels),
            language=language,
        )
    single = len(observed) == 1
    unit = observed.index[0]
    band = counterfactual_band(estimate, observed.mean(), level)
    return draw_paths(
        observed.mean(),
        counterfactual(estimate).mean(),
        policy=float(design.cohorts[0]) - 0.5,
        outcome=_telling(_outcome(estimate), level, asked, [] if band is None else [band]),
        treated_name=_names(estimate)[unit] if single else Text("Treated units", "处理组均值"),
        band=band,
        time=time_word(estimate.design.labels),
        language=language,
    )


def _policies(estimate: Estimate) -> dict[Hashable, float]:
    """Where the policy line of each treated unit stands, in periods."""
    design = estimate.design
    starts = design.adoption[design.treated] - 0.5
    return dict(zip(design.units[design.treated], starts.tolist(), strict=True))


def _weights(estimate: Estimate, language: Language, level: float) -> Figure:
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


def _placebos(estimate: Estimate, language: Language, level: float) -> Figure:
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
        time=event_time_word(estimate.design.labels),
        language=language,
    )


def _ranking(estimate: Estimate, language: Language, level: float) -> Figure:
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
        rankings[
            Text(f"Adopted in {date}", f"{date}{'' if isinstance(date, str) else '年'}实施")
        ] = pd.concat(
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
