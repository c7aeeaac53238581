"""Bounds on the error of a counterfactual after treatment, from its residuals before."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans, Floats

Law = Literal["sub_gaussian", "location_scale", "quantile"]
Moments = Literal["levels", "differences", "constant"]
SPARE = 10
"""Residuals that must be left over before donors explain the moments of the errors."""


@dataclass(frozen=True, eq=False)
class Regressors:
    """What the moments of the errors are regressed on.

    Attributes
    ----------
    before : ndarray, shape (residuals, regressors)
        A constant first.
    after : ndarray, shape (periods after treatment, regressors)
    rows : ndarray of bool, shape (periods before treatment,)
        Periods that have all regressors.
    """

    before: Floats
    after: Floats
    rows: Booleans

    @classmethod
    def of(cls, pool: Floats, before: Booleans, used: Booleans, moments: Moments) -> Regressors:
        """Outcomes of the donors with weight, or a constant where there are too few residuals.

        Parameters
        ----------
        pool : ndarray, shape (periods, donors)
        before : ndarray of bool, shape (periods,)
        used : ndarray of bool, shape (donors,)
        moments : {"levels", "differences", "constant"}
        """
        length = int(before.sum())
        rows = np.ones(length, dtype=bool)
        values = pool[:, used]
        if moments == "differences":
            values = np.diff(values, axis=0, prepend=np.nan)
            rows[0] = False
        if moments == "constant" or rows.sum() - SPARE <= values.shape[1] + 1:
            values = values[:, :0]
        table = np.column_stack([np.ones(len(pool)), values])
        return cls(table[before][rows], table[~before], rows)


@dataclass(frozen=True, eq=False)
class ErrorModel:
    r"""Conditional mean, spread and quantiles of the errors (Cattaneo, Feng and Titiunik 2021, 5).

    - ``sub_gaussian``: mean :math:`\pm\, \sigma\sqrt{2 \log(2/\alpha)}`, where :math:`\sigma` is
      the smaller of the square root of the exponentiated fit of the logarithm of the squared
      residuals and the interquartile range over 1.34;
    - ``location_scale``: mean plus that :math:`\sigma` times quantiles of standardised residuals;
    - ``quantile``: quantile regression.
    """

    residuals: Floats
    regressors: Regressors
    law: Law

    def bounds(self, alpha: float) -> tuple[Floats, Floats]:
        """Ends of sets that hold the error of each period with probability ``1 - alpha``."""
        x, ahead = self.regressors.before, self.regressors.after
        if self.law == "quantile":
            low, high = (quantile_fit(x, self.residuals, q) for q in (alpha / 2, 1 - alpha / 2))
            return ahead @ low, ahead @ high
        mean, spread, standardised = self._moments
        if self.law == "sub_gaussian":
            reach = spread * np.sqrt(2 * np.log(2 / alpha))
            return mean - reach, mean + reach
        low, high = np.quantile(standardised, [alpha / 2, 1 - alpha / 2])
        return mean + low * spread, mean + high * spread

    def joint_bounds(self, alpha: float) -> tuple[Floats, Floats]:
        """Ends of sets that hold the errors of all periods at once, by the union bound."""
        return self.bounds(alpha / len(self.regressors.after))

    @cached_property
    def _moments(self) -> tuple[Floats, Floats, Floats]:
        """Mean and spread after treatment, and residuals standardised by their fitted spread."""
        x, ahead = self.regressors.before, self.regressors.after
        mean = np.linalg.lstsq(x, self.residuals, rcond=None)[0]
        rest = self.residuals - x @ mean
        tiny = 1e-20 * max(float((self.residuals**2).max()), 1e-300)
        logs = np.linalg.lstsq(x, np.log(np.maximum(rest**2, tiny)), rcond=None)[0]
        low, high = (ahead @ quantile_fit(x, rest, q) for q in (0.25, 0.75))
        spread = np.minimum(np.exp(ahead @ logs / 2), np.abs(high - low) / 1.34)
        return ahead @ mean, spread, rest / np.exp(x @ logs / 2)


def quantile_fit(x: Floats, y: Floats, quantile: float) -> Floats:
    """Coefficients of a linear quantile regression, from its linear programme.

    Iterated weighted least squares, which statsmodels uses, stops short of the optimum on samples
    of a few dozen periods; the programme is exact.

    Parameters
    ----------
    x : ndarray, shape (rows, columns)
        A constant first.
    y : ndarray, shape (rows,)
    quantile : float
    """
    if x.shape[1] == 1:
        return np.array([np.quantile(y, quantile)])
    from scipy.optimize import linprog

    rows, columns = x.shape
    scale = np.abs(x).max(axis=0)
    cost = np.concatenate(
        [np.zeros(columns), np.full(rows, quantile), np.full(rows, 1.0 - quantile)]
    )
    solution = linprog(
        cost,
        A_eq=np.column_stack([x / scale, np.eye(rows), -np.eye(rows)]),
        b_eq=y,
        bounds=[(None, None)] * columns + [(0, None)] * (2 * rows),
        method="highs",
    )
    coefficients: Floats = solution.x[:columns] / scale
    return coefficients
