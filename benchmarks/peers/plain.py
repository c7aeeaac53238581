"""The same answers from what is always installed: numpy, scipy, pandas, statsmodels, linearmodels.

Written as one would without this package, and so a measure of its speed that every environment has.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from peers.task import Answer

Effect = Callable[[np.ndarray, np.ndarray, np.ndarray], float]
"""From outcomes of units by years, first treated years (0: never) and years."""


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


def group_time(y: np.ndarray, first: np.ndarray, years: np.ndarray) -> float:
    """Callaway-Sant'Anna with never-treated controls, averaged over treated cells."""
    control = y[first == 0].mean(axis=0)
    total, cells = 0.0, 0
    for cohort in np.unique(first[first > 0]):
        own, after = y[first == cohort], years >= cohort
        gap = own.mean(axis=0) - control
        total += len(own) * (gap[after] - gap[years == cohort - 1]).sum()
        cells += len(own) * after.sum()
    return float(total / cells)


def imputed(y: np.ndarray, first: np.ndarray, years: np.ndarray) -> float:
    """Imputation: effects of cohorts and years by least squares on averages of untreated cells."""
    cohorts, sizes = np.unique(first, return_counts=True)
    means = np.array([y[first == cohort].mean(axis=0) for cohort in cohorts])
    own, year = (cells.ravel() for cells in np.indices(means.shape))
    rows = np.hstack([np.eye(len(cohorts))[own], np.eye(len(years))[year]])
    treated = (cohorts[own] > 0) & (years[year] >= cohorts[own])
    root = np.sqrt(sizes[own])[~treated]
    effects = np.linalg.lstsq(
        rows[~treated] * root[:, None], means.ravel()[~treated] * root, rcond=None
    )[0]
    left = means.ravel() - rows @ effects
    return float(np.average(left[treated], weights=sizes[own][treated]))


def numpy_bootstrap(frame: pd.DataFrame, effect: Effect, draws: int) -> Answer:
    """Standard error from samples of units with replacement, one after the other."""
    y, first, years = _panel(frame)
    rng = np.random.default_rng(1)
    samples = (rng.integers(len(y), size=len(y)) for _ in range(draws))
    drawn = [effect(y[sample], first[sample], years) for sample in samples]
    return {"estimate": float(np.std(drawn, ddof=1))}


def numpy_permutations(frame: pd.DataFrame, effect: Effect) -> Answer:
    """The p-value among all assignments of the dates of the treated, one after the other."""
    y, first, years = _panel(frame)
    sizes = np.abs([effect(y, assigned, years) for assigned in _assignments(first)])
    return {"estimate": float((sizes >= abs(effect(y, first, years)) * (1 - 1e-9)).mean())}


def numpy_inversion(frame: pd.DataFrame, effect: Effect) -> Answer:
    """Lower end of the constant effects that the same test does not reject at 5%, by halving."""
    y, first, years = _panel(frame)
    treatment = ((first[:, None] > 0) & (years >= first[:, None])).astype(float)
    moved = [
        (effect(y, assigned, years), effect(treatment, assigned, years))
        for assigned in _assignments(first)
    ]
    effects, slopes = np.array(moved).T
    actual = effect(y, first, years)

    def pvalue(constant: float) -> float:
        sizes = np.abs(effects - constant * slopes)
        return float((sizes >= abs(actual - constant) * (1 - 1e-9)).mean())

    kept, step = actual, 1.0
    while pvalue(actual - step) > 0.05:
        step *= 2
    rejected = actual - step
    for _ in range(60):
        middle = (kept + rejected) / 2
        kept, rejected = (middle, rejected) if pvalue(middle) > 0.05 else (kept, middle)
    return {"estimate": kept}


def scipy_staggered_sdid(frame: pd.DataFrame, draws: int) -> Answer:
    """Synthetic difference-in-differences of each cohort and placebos drawn from the untreated."""
    y, first, years = _panel(frame)
    free, dates = np.flatnonzero(first == 0), first[first > 0]
    rng = np.random.default_rng(1)
    for _ in range(draws):
        placebo = np.zeros(len(free), dtype=int)
        placebo[rng.choice(len(free), len(dates), replace=False)] = dates
        _synthetic_did(y[free], placebo, years)
    return {"estimate": _synthetic_did(y, first, years)}


def ibis_group_time(table: Any) -> Answer:
    """Callaway-Sant'Anna from the averages of cohorts and years that the engine forms."""
    cells = table.group_by(["first", "year"]).agg(mean=table.y.mean(), size=table.unit.nunique())
    wide = cells.to_pandas().pivot(index="first", columns="year", values=["mean", "size"])
    means, first = wide["mean"].to_numpy(), wide.index.to_numpy()
    sizes = wide["size"].iloc[:, 0].to_numpy(dtype=int)
    years = wide["mean"].columns.to_numpy()
    return {"estimate": group_time(np.repeat(means, sizes, axis=0), np.repeat(first, sizes), years)}


def _synthetic_did(y: np.ndarray, first: np.ndarray, years: np.ndarray) -> float:
    donors, total, cells = y[first == 0], 0.0, 0
    for cohort in np.unique(first[first > 0]):
        own, before = y[first == cohort], int((years < cohort).sum())
        treated = own[:, before:].size
        noise = np.diff(donors[:, :before], axis=1).std(ddof=1)
        target = own[:, :before].mean(axis=0)
        ridge = before * np.sqrt(treated) * noise**2
        omega = _simplex(donors[:, :before].T, target, ridge)
        after = donors[:, before:].mean(axis=1)
        lambda_ = _simplex(donors[:, :before], after, len(donors) * (1e-6 * noise) ** 2)
        gap = own.mean(axis=0) - omega @ donors
        total += treated * (gap[before:].mean() - lambda_ @ gap[:before])
        cells += treated
    return float(total / cells)


def _simplex(matrix: np.ndarray, target: np.ndarray, ridge: float) -> np.ndarray:
    """Weights on the columns that sum to one, with an intercept."""
    errors = matrix - target[:, None]
    size = matrix.shape[1]
    rows = np.vstack([errors - errors.mean(axis=0), np.sqrt(ridge) * np.eye(size), np.ones(size)])
    weights, _ = nnls(rows, np.r_[np.zeros(len(rows) - 1), 1.0])
    return np.asarray(weights / weights.sum())


def _assignments(first: np.ndarray) -> list[np.ndarray]:
    dates = first[first > 0]
    assigned = []
    for units in itertools.permutations(range(len(first)), len(dates)):
        assigned.append(np.zeros_like(first))
        assigned[-1][list(units)] = dates
    return assigned


def _panel(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    first = frame.groupby("unit")["first"].first().to_numpy()
    return _wide(frame, "y"), first, np.sort(frame["year"].unique())


def _wide(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame.pivot(index="unit", columns="year", values=name).to_numpy(dtype=float)


def _demeaned(values: np.ndarray) -> np.ndarray:
    """Less unit and year means; samples by units by years."""
    centred = values - values.mean(axis=2, keepdims=True)
    return np.asarray(centred - centred.mean(axis=1, keepdims=True))
