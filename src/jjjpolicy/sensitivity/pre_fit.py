"""How well a counterfactual fits before treatment, and whether it interpolates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.linalg.positions import positions_in
from jjjpolicy.linalg.simplex import simplex_least_squares
from jjjpolicy.linalg.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Floats, Integers
    from jjjpolicy.synth.weights.predictors import Predictor


@one_thread
def pre_fit(estimate: Estimate) -> pd.DataFrame:
    """Fit of each treated unit before treatment, and its place in the donors' convex hull.

    Parameters
    ----------
    estimate : Estimate
        From an estimator with counterfactual paths.

    Returns
    -------
    DataFrame, one row per treated unit
        - ``pre_rmspe``, in units of the outcome;
        - ``scaled_rmspe``, over the RMSPE of the plain average of all donors: 0 is a perfect fit, 1
          no better than equal weights;
        - ``share_of_spread``, over the standard deviation of the unit's own pre-treatment outcomes;
        - ``bias``, the mean gap before treatment;
        - ``hull_distance``, the RMSPE of the best simplex weights: zero inside the convex hull of
          the donors' pre-treatment paths;
        - ``hull_share``, that distance over the distance to the nearest donor: near 0 inside the
          hull, 1 where no average of donors is nearer than the nearest of them;
        - ``periods_outside``, pre-treatment periods in which the unit lies above or below all
          donors;
        - ``effective_donors``, :math:`1 / \\sum_j w_j^2`, where there are weights.

    Raises
    ------
    InferenceError
        The estimator has no counterfactual paths; there is no never-treated unit.
    """
    paths, design = estimate.counterfactual, estimate.design
    if paths is None:
        raise InferenceError(f"{estimate.estimator.label} has no counterfactual paths to compare.")
    pool = design.outcome[~design.treated].T
    if pool.shape[1] == 0:
        raise InferenceError("there is no never-treated unit whose outcomes could be averaged.")
    rows = []
    for k, i in enumerate(np.flatnonzero(design.treated)):
        before = design.periods < design.adoption[i]
        path, donors = design.outcome[i, before], pool[before]
        gaps = path - paths.to_numpy()[k, before]
        hull = np.sqrt(max(simplex_least_squares(donors, path).objective, 0.0) / before.sum())
        rmspe = _root_mean_square(gaps)
        row = {
            "unit": design.units[int(i)],
            "pre_periods": int(before.sum()),
            "donors": pool.shape[1],
            "pre_rmspe": rmspe,
            "scaled_rmspe": _share(rmspe, _root_mean_square(path - donors.mean(axis=1))),
            "share_of_spread": _share(rmspe, float(path.std())),
            "bias": float(gaps.mean()),
            "hull_distance": float(hull),
            "hull_share": _share(float(hull), _nearest(donors, path)),
            "periods_outside": int(
                ((path > donors.max(axis=1)) | (path < donors.min(axis=1))).sum()
            ),
        }
        if estimate.weights is not None:
            row["effective_donors"] = float(1 / (estimate.weights.iloc[:, k] ** 2).sum())
        rows.append(row)
    return pd.DataFrame(rows)


@one_thread
def balance(estimate: Estimate) -> pd.DataFrame:
    """Predictors of each treated unit, its synthetic control and the average of all donors.

    Parameters
    ----------
    estimate : Estimate
        From an estimator with donor weights.

    Returns
    -------
    DataFrame
        Columns unit, predictor (the predictors that a synthetic control matches, or else the
        pre-treatment means of the covariates; then the outcome in every period before treatment),
        treated, synthetic, donors, difference (treated less synthetic) and standardized, the
        difference over the standard deviation across donors.

    Raises
    ------
    InferenceError
        The estimator has no donor weights.
    """
    weights, design = estimate.weights, estimate.design
    if weights is None:
        raise InferenceError(f"{estimate.estimator.label} has no donor weights to balance with.")
    chosen = positions_in(design.units, weights.index)
    tables = []
    for k, i in enumerate(np.flatnonzero(design.treated)):
        names, values = _predictors(estimate, int(i), chosen)
        donors = values[chosen]
        synthetic = weights.iloc[:, k].to_numpy() @ donors
        difference = values[i] - synthetic
        with np.errstate(divide="ignore", invalid="ignore"):
            standardized = difference / donors.std(axis=0, ddof=1)
        tables.append(
            pd.DataFrame(
                {
                    "unit": design.units[int(i)],
                    "predictor": names,
                    "treated": values[i],
                    "synthetic": synthetic,
                    "donors": donors.mean(axis=0),
                    "difference": difference,
                    "standardized": standardized,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _predictors(estimate: Estimate, i: int, donors: Integers) -> tuple[list[str], Floats]:
    """Names, and values of shape (units, predictors); ``nan`` for units that are not compared."""
    design = estimate.design
    before = design.periods < design.adoption[i]
    matched: Sequence[Predictor] = getattr(estimate.estimator, "predictors", ())
    units = np.zeros(design.n_units, dtype=bool)
    units[[*donors, i]] = True
    table = {predictor.label: predictor.values(design, i, units) for predictor in matched}
    if not table:
        table = {name: values[:, before].mean(axis=1) for name, values in design.covariates.items()}
    outcomes = {
        f"{design.labels.outcome} {period}": design.outcome[:, t]
        for t, period in zip(np.flatnonzero(before), design.periods[before], strict=True)
    }
    table |= outcomes
    return list(table), np.column_stack(list(table.values()))


def _nearest(donors: Floats, path: Floats) -> float:
    """RMSPE of the nearest single donor."""
    return float(np.sqrt(((donors - path[:, None]) ** 2).mean(axis=0).min()))


def _root_mean_square(values: Floats) -> float:
    return float(np.sqrt((values**2).mean()))


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")
