"""Variances that let errors be correlated over space or over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.variance import few_treated_note, small_sample_factor
from jjjpolicy.inference.regression.parts import cell_terms, regression_of
from jjjpolicy.inference.results import covariance_result, influence_of
from jjjpolicy.registry.geography import great_circle_km

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats


@dataclass(frozen=True)
class Conley(Inference):
    r"""Spatial variance: units closer than a cutoff may be correlated (Conley 1999).

    :math:`\hat V = \sum_i\sum_j k(d_{ij})\, s_i s_j'` with :math:`s_i` the unit's contribution to
    the estimate summed over periods, so that correlation over time within a unit and between
    neighbours is unrestricted. With ``lags`` the sums run over cells instead: pairs of neighbours
    in the same period, and pairs of periods of one unit up to ``lags`` apart with Bartlett weights
    (Hsiang 2010), which needs a regression.

    Parameters
    ----------
    cutoff_km : float
        Great-circle distance from which on units are uncorrelated.
    kernel : {"bartlett", "uniform"}
        Weights that fall linearly to zero at the cutoff, or one within it. The uniform kernel can
        give a negative variance.
    lags : int, optional
    """

    cutoff_km: float
    kernel: Literal["bartlett", "uniform"] = "bartlett"
    lags: int | None = None

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach the spatial variance.

        Raises
        ------
        InferenceError
            The design has no coordinates; the estimator has no influence function; a cutoff that
            is not positive; an unknown kernel; a negative variance.
        """
        design = estimate.design
        if design.coordinates is None:
            raise InferenceError(
                "Conley needs coordinates; build the design with coordinates=(latitude, longitude)."
            )
        if not self.cutoff_km > 0:
            raise InferenceError(f"cutoff_km={self.cutoff_km} must be positive.")
        if self.lags is None:
            influence = influence_of(estimate, "a spatial variance", "PlaceboUnits")
            terms = influence[:, None, :] / design.n_units
            between = 0.0
        else:
            fit, contrasts = regression_of(estimate, "Conley(lags=…)", "Conley with lags=None")
            terms = cell_terms(fit, contrasts)
            gaps = np.abs(design.periods[:, None] - design.periods[None, :])
            serial = np.clip(1 - gaps / (self.lags + 1), 0, None) * (gaps > 0)
            between = np.einsum("ite,ts,isf->ef", terms, serial, terms)
        covariance = between + self._spatial(design.coordinates, terms)
        return covariance_result(
            estimate,
            self,
            f"Conley ({self.cutoff_km:g} km, {self.kernel})",
            covariance,
            np.inf,
            notes=few_treated_note(design, design.assignment),
        )

    def _spatial(self, coordinates: Floats, terms: Floats) -> Floats:
        total = np.zeros((terms.shape[2], terms.shape[2]))
        for rows in np.array_split(np.arange(len(terms)), max(1, len(terms) ** 2 // 4_000_000)):
            distance = great_circle_km(coordinates[rows], coordinates)
            near = distance < self.cutoff_km
            weights = near * (1 - distance / self.cutoff_km) if self.kernel == "bartlett" else near
            smoothed = np.tensordot(weights.astype(float), terms, axes=1)
            total += np.einsum("ite,itf->ef", terms[rows], smoothed)
        return total


@dataclass(frozen=True)
class DriscollKraay(Inference):
    r"""Variance for errors correlated across all units and over a few periods.

    Cross-sectional sums of the scores of each period enter a Newey-West variance with Bartlett
    weights (Driscoll and Kraay 1998), with the small-sample factor
    :math:`(N-1)/(N-K) \cdot T/(T-1)` and T - 1 degrees of freedom. Needs many periods: with few,
    and with treatment that varies mostly between periods before and after, errors are too small.

    Parameters
    ----------
    lags : int, optional
        :math:`\lfloor 4 (T/100)^{2/9} \rfloor` by default (Hoechle 2007).
    """

    lags: int | None = None

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach the variance.

        Raises
        ------
        InferenceError
            The estimate is not a regression; ``lags`` is negative or not below the number of
            periods.
        """
        fit, contrasts = regression_of(estimate, self.label, "Clustered")
        design = estimate.design
        periods = design.n_periods
        lags = int(4 * (periods / 100) ** (2 / 9)) if self.lags is None else self.lags
        if not 0 <= lags < periods:
            raise InferenceError(f"lags={lags} must lie between 0 and {periods - 1}.")
        sums = cell_terms(fit, contrasts).sum(axis=0)
        gaps = np.abs(design.periods[:, None] - design.periods[None, :])
        weights = np.clip(1 - gaps / (lags + 1), 0, None)
        counted = fit.parameters - int(design.observed.any(axis=0).sum()) + 1
        factor = small_sample_factor(periods, fit.observations, counted)
        return covariance_result(
            estimate,
            self,
            f"Driscoll-Kraay ({lags} lags)",
            factor * (sums.T @ weights @ sums),
            periods - 1,
            notes=(f"{periods} periods.", *few_treated_note(design, design.assignment)),
        )
