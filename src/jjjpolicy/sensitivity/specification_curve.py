"""Every combination of defensible choices, estimated."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.errors import DataError, JJJPolicyError
from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.estimation.names import Named, by_name
from jjjpolicy.estimation.parallel import run
from jjjpolicy.inference.permutation.ranks import significant
from jjjpolicy.linalg.threads import one_thread

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate, Inference

NUMBERS = (
    "att",
    "se",
    "pvalue",
    "lower",
    "upper",
    "pre_rmspe",
    "units",
    "treated_units",
    "pre_periods",
    "periods",
    "observations",
)


@one_thread
def specification_curve(
    build: Callable[..., Design],
    choices: Mapping[str, Mapping[str, Any]],
    estimators: Named[Estimator],
    *,
    inference: Inference | None = None,
    level: float = 0.95,
    jobs: int = 1,
) -> pd.DataFrame:
    """Estimate under every combination of estimators and choices of data (Simonsohn et al. 2020).

    Parameters
    ----------
    build : callable
        ``build(**options)`` makes the design of one combination; it gets one option of each
        dimension of ``choices``, by name.
    choices : mapping from dimension to mapping from name to option
        Such as ``{"window": {"from 2005": (2005, 2020), "from 2008": (2008, 2020)}}``; donor pools,
        vintages, timings, outcomes, treated regions.
    estimators : mapping from name to estimator, list of estimators, or one
    inference : Inference, optional
        For all; by default what the estimators attach themselves.
    level : float
        Of the intervals.
    jobs : int
        Worker processes; the table does not depend on it.

    Returns
    -------
    DataFrame
        One row per specification, in the order in which the dimensions and their options are
        listed, estimators running fastest: a column for each dimension, ``estimator``, then att,
        se, pvalue, lower, upper, pre_rmspe (where there is a counterfactual), units, treated_units,
        pre_periods (of the earliest treated), periods, observations, ``failure`` (why there is no
        number; empty where there is one) and ``warnings``.

    Raises
    ------
    DataError
        A dimension or the estimators without options; a dimension called like a column.
    """
    estimators = by_name(estimators, Estimator, "estimators=", DataError)
    _check(choices)
    combinations = list(product(*(options.items() for options in choices.values())))
    names = [dict(zip(choices, (k for k, _ in c), strict=True)) for c in combinations]
    options = [dict(zip(choices, (v for _, v in c), strict=True)) for c in combinations]
    tasks = [(build, chosen, estimators, inference, level) for chosen in options]
    parts = list(run(_estimates, tasks, jobs, "specifications"))
    rows = [name | row for name, part in zip(names, parts, strict=True) for row in part]
    table = pd.DataFrame(rows, columns=[*choices, "estimator", *NUMBERS, "failure", "warnings"])
    for column in ("units", "treated_units", "pre_periods", "periods", "observations"):
        table[column] = table[column].astype("Int64")
    for column in ("att", "se", "pvalue", "lower", "upper", "pre_rmspe"):
        table[column] = table[column].astype(float)
    return table


def summarize_curve(curve: pd.DataFrame, alpha: float = 0.05) -> pd.Series:
    """What a specification curve says in a few numbers.

    Parameters
    ----------
    curve : DataFrame
        From :func:`specification_curve`.
    alpha : float

    Returns
    -------
    Series
        Number of specifications and of failures, median, least and largest effect, the share of
        negative and positive effects; where there are p-values, how many, and which shares of
        these are at most ``alpha`` with a negative and with a positive effect.
    """
    done = curve[curve["failure"] == ""]
    att = done["att"]
    numbers: dict[str, float] = {
        "specifications": len(curve),
        "failures": len(curve) - len(done),
        "median": att.median(),
        "least": att.min(),
        "largest": att.max(),
        "share_negative": (att < 0).mean(),
        "share_positive": (att > 0).mean(),
    }
    tested = done[done["pvalue"].notna()]
    if len(tested):
        small, att = significant(tested["pvalue"].to_numpy(), alpha), tested["att"]
        numbers["with_pvalue"] = len(tested)
        numbers["share_significantly_negative"] = (small & (att < 0)).mean()
        numbers["share_significantly_positive"] = (small & (att > 0)).mean()
    return pd.Series(numbers)


def _check(choices: Mapping[str, Mapping[str, Any]]) -> None:
    taken = {"estimator", *NUMBERS, "failure", "warnings"}
    for dimension, listed in choices.items():
        if dimension in taken:
            raise DataError(
                f"the dimension {dimension!r} is called like a column of the table; rename it."
            )
        if not listed:
            raise DataError(f"the dimension {dimension!r} has no option.")


def _estimates(
    build: Callable[..., Design],
    options: Mapping[str, Any],
    estimators: Mapping[str, Estimator],
    inference: Inference | None,
    level: float,
) -> list[dict[str, Any]]:
    """Rows of one design, one per estimator."""
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        try:
            design = build(**options)
        except (JJJPolicyError, np.linalg.LinAlgError) as error:
            failure = {"failure": _reason(error), "warnings": ""}
            return [{"estimator": name, **failure} for name in estimators]
        before = _messages(raised)
    rows = []
    for name, estimator in estimators.items():
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            try:
                estimate = estimator.fit(design)
                if inference is not None:
                    estimate = estimate.with_inference(inference)
                row = _numbers(estimate, level) | {"failure": ""}
            except (JJJPolicyError, np.linalg.LinAlgError) as error:
                row = {"failure": _reason(error)}
            messages = dict.fromkeys([*before, *_messages(raised)])
        rows.append({"estimator": name, **row, "warnings": " ".join(messages)})
    return rows


def _numbers(estimate: Estimate, level: float) -> dict[str, Any]:
    design = estimate.design
    low = high = np.nan
    if estimate.inference is not None and estimate.inference.bounds is not None:
        low, high = estimate.interval(level)
    pre_rmspe = np.nan
    if estimate.counterfactual is not None:
        treated = design.treated
        gaps = design.outcome[treated] - estimate.counterfactual.to_numpy()
        pre_rmspe = float(np.sqrt(np.nanmean(gaps[~design.treatment[treated]] ** 2)))
    return {
        "att": estimate.att,
        "se": estimate.se,
        "pvalue": estimate.pvalue,
        "lower": low,
        "upper": high,
        "pre_rmspe": pre_rmspe,
        "units": design.n_units,
        "treated_units": int(design.treated.sum()),
        "pre_periods": int((design.periods < design.cohorts[0]).sum()),
        "periods": design.n_periods,
        "observations": design.n_observations,
    }


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _messages(raised: list[warnings.WarningMessage]) -> list[str]:
    return list(dict.fromkeys(str(warning.message) for warning in raised))
