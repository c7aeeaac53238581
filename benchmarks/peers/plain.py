"""The same answers from what is always installed: numpy, scipy, pandas, statsmodels, linearmodels.

Written as one would without this package, and so a measure of its speed that every environment has.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from peers.task import Answer


def pandas_group_time(frame: pd.DataFrame) -> Answer:
    """Callaway-Sant'Anna with never-treated controls: differences of means, averaged by units."""
    wide = frame.pivot(index="unit", columns="year", values="y")
    first = frame.groupby("unit")["first"].first()
    means, sizes = wide.groupby(first).mean(), first.value_counts()
    cells, weights = [], []
    for cohort in means.index[means.index > 0]:
        for year in wide.columns[wide.columns >= cohort]:
            change = means[year] - means[cohort - 1]
            cells.append(change[cohort] - change[0])
            weights.append(sizes[cohort])
    return {"estimate": float(np.average(cells, weights=weights))}


def statsmodels_imputation(frame: pd.DataFrame) -> Answer:
    """Unit and year effects by dummies on untreated rows; mean of what treated rows differ by."""
    import statsmodels.api as sm

    dummies = pd.get_dummies(frame[["unit", "year"]].astype(str), drop_first=True, dtype=float)
    regressors = sm.add_constant(dummies).to_numpy()
    treated = frame["treated"].to_numpy() == 1
    y = frame["y"].to_numpy()
    fit = sm.OLS(y[~treated], regressors[~treated]).fit()
    return {"estimate": float((y[treated] - fit.predict(regressors[treated])).mean())}


def scipy_placebos(frame: pd.DataFrame) -> Answer:
    """Synthetic control and all placebos: non-negative least squares, one unit after the other."""
    wide = frame.pivot(index="unit", columns="year", values="y").to_numpy()
    treated = frame.pivot(index="unit", columns="year", values="treated").to_numpy() == 1
    before = ~treated.any(axis=0)
    effects = []
    for unit in np.argsort(~treated.any(axis=1), kind="stable"):
        donors = np.delete(wide, unit, axis=0)
        rows = np.vstack([(donors - wide[unit])[:, before].T, np.ones(len(donors))])
        weights, _ = nnls(rows, np.r_[np.zeros(before.sum()), 1.0])
        effects.append((wide[unit] - weights / weights.sum() @ donors)[~before].mean())
    return {"estimate": float(effects[0])}


def numpy_wild(frame: pd.DataFrame, draws: int) -> Answer:
    """Restricted wild cluster bootstrap by provinces: every sample formed, a hundred at a time."""
    y, treatment = (_demeaned(_wide(frame, name)[None])[0] for name in ("y", "treated"))
    province = frame.groupby("unit")["province"].first().to_numpy()
    starts = np.flatnonzero(np.r_[True, province[1:] != province[:-1]])
    square = (treatment**2).sum()

    def statistic(samples: np.ndarray) -> np.ndarray:
        estimate = (samples * treatment).sum(axis=(1, 2)) / square
        residuals = samples - estimate[:, None, None] * treatment
        scores = np.add.reduceat((residuals * treatment).sum(axis=2), starts, axis=1)
        return np.abs(estimate) / np.sqrt((scores**2).sum(axis=1))

    rng = np.random.default_rng(1)
    counts = np.diff(np.r_[starts, len(province)])
    drawn = []
    for size in [100] * (draws // 100) + [draws % 100]:
        signs = np.repeat(rng.choice([-1.0, 1.0], size=(size, len(starts))), counts, axis=1)
        drawn.append(statistic(_demeaned(signs[:, :, None] * y)))
    return {"estimate": float((np.concatenate(drawn) >= statistic(y[None])[0]).mean())}


def numpy_randomisation(frame: pd.DataFrame) -> Answer:
    """Two-way fixed effects under every assignment of the treated provinces' dates."""
    y = _demeaned(_wide(frame, "y")[None])[0]
    province = frame.groupby("unit")["province"].first().to_numpy()
    counts = np.bincount(province)
    sums = np.array([y[province == code].sum(axis=0) for code in range(len(counts))])
    first = frame.groupby("province")["first"].first().to_numpy()
    years = np.sort(frame["year"].unique())
    dates = first[first > 0]
    share = counts / counts.sum()

    def sizes(assigned: np.ndarray) -> np.ndarray:
        on = np.zeros((len(assigned), *sums.shape))
        for place, date in enumerate(dates):
            on[np.arange(len(assigned)), assigned[:, place]] = years >= date
        centred = on - on.mean(axis=2, keepdims=True)
        centred -= np.einsum("apt,p->at", centred, share)[:, None, :]
        square = np.einsum("apt,apt,p->a", centred, centred, counts)
        return np.abs((on * sums).sum(axis=(1, 2)) / square)

    assigned = np.array(list(itertools.permutations(range(len(counts)), len(dates))))
    estimates = np.concatenate([sizes(some) for some in np.array_split(assigned, 100)])
    actual = (assigned == np.flatnonzero(first > 0)).all(axis=1)
    return {"estimate": float((estimates >= estimates[actual] * (1 - 1e-9)).mean())}


def _wide(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame.pivot(index="unit", columns="year", values=name).to_numpy(dtype=float)


def _demeaned(values: np.ndarray) -> np.ndarray:
    """Less unit and year means; samples by units by years."""
    centred = values - values.mean(axis=2, keepdims=True)
    return np.asarray(centred - centred.mean(axis=1, keepdims=True))
