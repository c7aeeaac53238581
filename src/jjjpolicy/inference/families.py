"""Families of outcomes: p-values adjusted for testing several hypotheses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.estimate import Estimate
from jjjpolicy.estimation.names import Named, by_name
from jjjpolicy.estimation.rounding import cleared, resolution
from jjjpolicy.inference.permutation.ranks import rank_pvalue

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats


def holm(estimates: Named[Estimate]) -> pd.DataFrame:
    """Adjust p-values by Holm's (1979) step-down rule; valid under any dependence.

    Parameters
    ----------
    estimates : mapping of str to Estimate, or list of Estimate
        Each with a p-value.

    Returns
    -------
    DataFrame
        name, estimate, pvalue, adjusted, in the order given.

    Raises
    ------
    InferenceError
        An estimate has no p-value.
    """
    estimates = by_name(estimates, Estimate, "holm()")
    pvalues = _pvalues(estimates)
    order = np.argsort(pvalues, kind="stable")
    steps = pvalues[order] * np.arange(len(pvalues), 0, -1)
    adjusted = np.empty(len(pvalues))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return _table(estimates, pvalues, adjusted)


def romano_wolf(estimates: Named[Estimate]) -> pd.DataFrame:
    """Adjust p-values by the step-down rule of Romano and Wolf (2005, 2016).

    The largest of the remaining statistics is compared with the distribution of the largest, so
    that dependence between outcomes is used. Every estimate must carry the same resampling method
    with the same options and seed on the same units: draw b is then the same assignment (or the
    same multipliers) for every outcome. Statistics are divided by the standard deviation of their
    own reference distribution.

    Parameters
    ----------
    estimates : mapping of str to Estimate, or list of Estimate
        With RandomizationInference, PlaceboUnits or MultiplierBootstrap attached.

    Returns
    -------
    DataFrame
        name, estimate, pvalue, adjusted, in the order given.

    Raises
    ------
    InferenceError
        An estimate has no reference distribution, or the draws are not the same.
    """
    estimates = by_name(estimates, Estimate, "romano_wolf()")
    pvalues = _pvalues(estimates)
    listed = list(estimates.values())
    first = listed[0]
    references, own, ties = [], [], []
    for name, estimate in estimates.items():
        result = estimate.inference
        assert result is not None
        assert first.inference is not None
        if result.reference is None:
            raise InferenceError(
                f"{name!r}: {result.name} keeps no reference distribution; attach "
                f"RandomizationInference or MultiplierBootstrap."
            )
        same = (
            result.specification == first.inference.specification
            and len(result.reference) == len(first.inference.reference)  # type: ignore[arg-type]
            and estimate.design.units.equals(first.design.units)
            and np.array_equal(estimate.design.adoption, first.design.adoption)
            and np.array_equal(estimate.design.assignment, first.design.assignment)
        )
        if not same:
            raise InferenceError(
                f"{name!r} was resampled differently from {next(iter(estimates))!r}; use one "
                f"method with the same options and seed, on the same units."
            )
        statistics = result.details.get("statistics")
        actual, noise = estimate.att, resolution(estimate.design.outcome)
        if statistics is not None:
            kind = result.specification["statistic"]
            actual = float(statistics[kind][0])
            noise = noise if kind == "coefficient" else 0.0
        values = np.abs(cleared(np.append(actual, result.reference), noise))
        scale = float(result.reference[np.isfinite(result.reference)].std())
        values = values / (scale if scale > noise else 1.0)
        own.append(values[0])
        references.append(values[1:])
        ties.append(noise / scale if scale > noise else noise)
    return _table(
        estimates, pvalues, _step_down(np.array(own), np.column_stack(references), np.array(ties))
    )


def _step_down(own: Floats, references: Floats, noise: Floats) -> Floats:
    order = np.argsort(-own, kind="stable")
    adjusted, running = np.empty(len(own)), 0.0
    for step, k in enumerate(order):
        largest = references[:, order[step:]].max(axis=1)
        running = max(running, rank_pvalue(own[k], largest, "greater", noise[k]))
        adjusted[k] = running
    return adjusted


def _pvalues(estimates: Mapping[str, Estimate]) -> Floats:
    for name, estimate in estimates.items():
        if estimate.pvalue is None:
            raise InferenceError(f"{name!r} has no p-value; attach one with .with_inference(…).")
    return np.array([estimate.pvalue for estimate in estimates.values()], dtype=float)


def _table(estimates: Mapping[str, Estimate], pvalues: Floats, adjusted: Floats) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": list(estimates),
            "estimate": [estimate.att for estimate in estimates.values()],
            "pvalue": pvalues,
            "adjusted": adjusted,
        }
    )
