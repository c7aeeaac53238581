"""Pre-trend coefficients estimated on untreated cells alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.did.regressions.fixed_effects import fixed_effects_regression
from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.variance import (
    SINGULAR,
    clustered_covariance,
    covariance_rank,
    small_sample_factor,
)
from jjjpolicy.linalg.brief import brief

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


@dataclass(frozen=True, eq=False)
class PretrendFit:
    """Coefficients of the last periods before adoption, from untreated cells.

    Attributes
    ----------
    event_times : ndarray of int, shape (leads,)
        From the earliest to -1.
    coefficients : ndarray, shape (leads,)
    influence : ndarray, shape (units, leads)
        Coefficient − estimand ≈ mean over units; zero for units without an untreated cell.
    correction : float
        Small-sample factor of the clustered variance: G/(G-1) · (N-1)/(N-K), unit effects not
        counted in K.
    groups : int
        Clusters of the design.
    """

    event_times: Integers
    coefficients: Floats
    influence: Floats
    correction: float
    groups: int

    __repr__ = brief

    def table(self) -> pd.DataFrame:
        return pd.DataFrame({"event_time": self.event_times, "estimate": self.coefficients})

    def joint_test(self, codes: Integers) -> dict[str, float]:
        """F test that all coefficients are zero: statistic, p-value and degrees of freedom.

        With fewer clusters than coefficients as many combinations of them are tested as the
        covariance has rank.
        """
        from scipy.special import fdtrc

        covariance = clustered_covariance(self.influence, codes, self.correction)
        number, df = covariance_rank(covariance), self.groups - 1
        solved = np.linalg.pinv(covariance, rcond=SINGULAR, hermitian=True) @ self.coefficients
        statistic = float(self.coefficients @ solved) / number if number else np.nan
        return {
            "F": statistic,
            "pvalue": float(fdtrc(number, df, statistic)),
            "numerator_df": number,
            "denominator_df": df,
        }


def pretrend_regression(design: Design, leads: int) -> PretrendFit:
    """Regress untreated outcomes on indicators of the last periods before adoption.

    Unit and period effects and covariates are included; earlier periods and never-treated units are
    the reference.

    Parameters
    ----------
    design : Design
    leads : int
        Number of coefficients, one per event time from -1 backwards.

    Raises
    ------
    DesignError
        Fewer than one lead; leads that do not occur, or without an earlier untreated period.
    """
    if leads < 1:
        raise DesignError(f"pretrends={leads} must be 0 (none) or a positive number of periods.")
    untreated = design.observed & ~design.treatment
    some: Booleans = np.asarray(untreated.any(axis=1))
    sample = replace(design, outcome=np.where(untreated, design.outcome, np.nan))
    if not some.all():
        sample = sample.keep_units(some, "no untreated period")
    values, codes = sample.cohort_codes
    relative = sample.periods[None, :] - values[:, None]
    occurring = np.unique(relative[codes][sample.observed & np.isfinite(relative[codes])])
    occurring = occurring[occurring < 0][::-1]
    if len(occurring) <= leads:
        raise DesignError(
            f"pretrends={leads} needs more than {leads} event times before adoption, one of them as"
            f" the reference; the panel has {len(occurring)}. Ask for fewer, or begin earlier."
        )
    times = occurring[:leads][::-1].astype(np.int64)
    indicators = (relative[:, :, None] == times).astype(float)
    names = [f"event time {time}" for time in times]
    fit = fixed_effects_regression(sample, indicators, names)
    lost = [name for name in names if name in fit.collinear]
    if lost:
        raise DesignError(
            f"the pre-trend coefficients of {', '.join(lost)} are not identified: too few untreated"
            f" cells earlier than they are. Ask for fewer with pretrends=."
        )
    if fit.observations <= fit.parameters:
        raise DesignError(
            f"pretrends={leads} take as many parameters as there are untreated observations "
            f"({fit.observations}): no variance is left to test with. Ask for fewer."
        )
    groups = sample.count_clusters(sample.assignment)
    influence = np.zeros((design.n_units, leads))
    influence[some] = fit.influence[:, :leads] * (design.n_units / sample.n_units)
    return PretrendFit(
        event_times=times,
        coefficients=fit.coefficients[:leads],
        influence=influence,
        correction=small_sample_factor(groups, fit.observations, fit.parameters),
        groups=design.count_clusters(design.assignment),
    )
