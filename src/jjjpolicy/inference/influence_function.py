"""Standard errors and bootstrap bands from influence functions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.estimate import Estimate, Inference, InferenceResult
from jjjpolicy.estimation.multipliers import multiplier_draws
from jjjpolicy.estimation.variance import cluster_sums, few_treated_note
from jjjpolicy.inference.permutation.inversion import holding_zero
from jjjpolicy.inference.permutation.ranks import rank_pvalue, resolution
from jjjpolicy.inference.results import covariance_result, covered_effects, influence_of

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats


@dataclass(frozen=True)
class InfluenceFunction(Inference):
    r"""Standard errors from influence functions of independent units.

    :math:`\widehat{se}^2 = n^{-2}\sum_i \psi_i^2` with the normal distribution, as in R did
    (Callaway and Sant'Anna 2021, section 4). Treats units as independent: where treatment was
    assigned to groups of units use :class:`Clustered`, and with few treated units
    :class:`RandomizationInference`.
    """

    def takes(self, design: Design) -> bool:
        return design.stands_for is None or design.influence_scale is not None

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach the standard errors.

        Raises
        ------
        InferenceError
            The estimator has no influence function.
        """
        influence = influence_of(estimate, "an influence-function error", "PlaceboUnits")
        design = estimate.design
        notes = few_treated_note(design, np.arange(design.n_units))
        if design.assigned_at != design.labels.unit:
            notes += (
                f"Treatment was assigned at the level {design.assigned_at!r}, and this error "
                f"treats every {design.labels.unit} as independent; use Clustered.",
            )
        covariance = influence.T @ influence / len(influence) ** 2
        return covariance_result(
            estimate,
            self,
            "influence function (units independent)",
            covariance,
            np.inf,
            notes=notes,
        )


@dataclass(frozen=True)
class MultiplierBootstrap(Inference):
    r"""Bootstrap of influence functions with random multipliers, and uniform bands.

    Every draw multiplies the influence functions of each cluster by one random weight of mean 0 and
    variance 1 (Callaway and Sant'Anna 2021, algorithm 1); nothing is re-estimated. ``effects`` has
    pointwise bounds and, in ``uniform_lower`` and ``uniform_upper``, a band that holds all effects
    at once with probability 95%. The interval of the overall effect uses the quantiles of
    :math:`|\tau^* - \hat\tau|`.

    Parameters
    ----------
    kind : {"mammen", "rademacher", "webb"}
        Distribution of the weights.
    replications : int
    seed : int
    level : str, optional
        Clusters; the level of assignment by default.
    """

    by_group: ClassVar[bool] = True
    kind: Literal["mammen", "rademacher", "webb"] = "rademacher"
    replications: int = 999
    seed: int = 0
    level: str | None = None

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach standard errors, p-value, interval and bands.

        Raises
        ------
        InferenceError
            The estimator has no influence function; an unknown kind; fewer than two replications.
        """
        influence = influence_of(estimate, self.label, "ClusterBootstrap or PlaceboUnits")
        level = self.level or estimate.design.assigned_at
        codes = np.unique(estimate.design.cluster_codes(level), return_inverse=True)[1]
        if codes.max() < 1:
            raise InferenceError(f"there is only one cluster at level {level!r}; two are needed.")
        deviations = multiplier_draws(
            influence, codes, draws=self.replications, seed=self.seed, law=self.kind
        )
        sums = cluster_sums(influence, codes)
        errors = np.sqrt(np.einsum("gk,gk->k", sums, sums)) / len(influence)
        return bootstrap_result(
            estimate,
            self,
            f"multiplier bootstrap by {level} ({self.kind})",
            deviations,
            errors,
            notes=(
                f"{self.replications:,} draws, seed {self.seed}.",
                *few_treated_note(estimate.design, codes),
            ),
        )


def bootstrap_result(
    estimate: Estimate,
    method: Inference,
    name: str,
    deviations: Floats,
    errors: Floats,
    *,
    notes: tuple[str, ...],
    cohorts: Floats | None = None,
) -> Estimate:
    """Inference from bootstrap deviations of (overall effect, effects by event time).

    Parameters
    ----------
    estimate, method, name, notes
        As in :func:`covariance_result`.
    deviations : ndarray, shape (draws, 1 + effects)
        Bootstrap estimates minus estimates.
    errors : ndarray, shape (1 + effects,)
        Standard errors.
    cohorts : ndarray, shape (draws, adoption cohorts), optional
        Bootstrap estimates minus estimates by cohort.
    """
    magnitudes = np.abs(deviations)
    noise = resolution(estimate.design.outcome)
    pvalue = rank_pvalue(estimate.att, deviations[:, 0], noise=noise)

    def bounds(level: float) -> tuple[float, float]:
        reach = float(_quantile(magnitudes[:, :1], level)[0])
        return holding_zero((estimate.att - reach, estimate.att + reach), pvalue, level)

    def effects(level: float) -> pd.DataFrame:
        table = covered_effects(estimate, deviations.shape[1])
        points, spread = table["estimate"].to_numpy(dtype=float), errors[1:]
        if len(points) == 0:
            return pd.DataFrame(columns=["event_time", "se", "lower", "upper"])
        reach = _quantile(magnitudes[:, 1:], level)
        ratios = np.zeros((len(magnitudes), len(spread)))
        np.divide(magnitudes[:, 1:], spread, out=ratios, where=spread > 0)
        largest = ratios.max(axis=1)
        band = _quantile(largest[:, None], level)[0] * spread
        return pd.DataFrame(
            {
                "event_time": table["event_time"],
                "se": spread,
                "lower": points - reach,
                "upper": points + reach,
                "uniform_lower": points - band,
                "uniform_upper": points + band,
            }
        )

    return estimate.with_result(
        InferenceResult(
            name=name,
            se=float(errors[0]),
            pvalue=pvalue,
            bounds=bounds,
            effects=effects,
            cohorts=None if cohorts is None else partial(_cohort_bounds, estimate, cohorts),
            reference=deviations[:, 0],
            smallest_pvalue=1 / (1 + len(deviations)),
            notes=notes,
            details={"deviations": deviations},
            specification=method.specification(),
        )
    )


def _cohort_bounds(estimate: Estimate, deviations: Floats, level: float) -> pd.DataFrame:
    table = estimate.cohort_effects
    assert table is not None
    reach = _quantile(np.abs(deviations), level)
    return table.assign(
        se=np.nanstd(deviations, axis=0, ddof=1),
        lower=table["estimate"] - reach,
        upper=table["estimate"] + reach,
    )


def _quantile(values: Floats, level: float) -> Floats:
    found: Floats = np.nanquantile(values, level, axis=0, method="higher")
    return found
