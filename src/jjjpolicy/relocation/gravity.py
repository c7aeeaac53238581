"""Gravity model of flows: Poisson pseudo-maximum likelihood with a policy at pair level."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jjjpolicy.errors import DataError, DesignError, JJJPolicyWarning
from jjjpolicy.estimation.variance import (
    FEW_TREATED_CLUSTERS,
    clustered_covariance,
    t_interval,
    t_pvalue,
)
from jjjpolicy.linalg.poisson import PoissonFit, VanishingMeanError, fit_poisson, separated
from jjjpolicy.linalg.threads import one_thread
from jjjpolicy.linalg.types import Floats, Integers
from jjjpolicy.relocation.pairs import KEYS, require_unique

_NO_FLOW = {
    "origin": "no flow out of the origin in the year",
    "destination": "no flow into the destination in the year",
    "pair": "no flow of the pair in any year",
}


@dataclass(frozen=True, eq=False, repr=False)
class GravityResult:
    """A fitted gravity model.

    Attributes
    ----------
    coefficients : DataFrame
        Columns term, estimate, se, pvalue, lower, upper (95%, t distribution with pairs − 1 degrees
        of freedom) and percent: ``100 * (exp(estimate) - 1)``, the change of the flow for one unit.
    covariance : ndarray, shape (terms, terms)
        Clustered by ordered pair.
    outcome : str
    effects : tuple of str
    sample : DataFrame
        The rows used, with a column fitted.
    dropped : DataFrame
        The rows left out: origin, destination, year, the outcome and reason. Flows that are all
        zero within a group, and rows separated by the regressors, have a fitted flow of zero and
        say nothing about the coefficients; neither has a group with one row.
    collinear : tuple of str
        Regressors that the effects and the regressors before them explain.
    observations, pairs : int
        Used.
    deviance : float
    notes : tuple of str
    """

    coefficients: pd.DataFrame
    covariance: Floats
    outcome: str
    effects: tuple[str, ...]
    sample: pd.DataFrame
    dropped: pd.DataFrame
    collinear: tuple[str, ...]
    observations: int
    pairs: int
    deviance: float
    notes: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        lines = [
            f"<gravity model of {self.outcome}: {self.observations} observations, {self.pairs} "
            f"pairs, {len(self.dropped)} left out; effects of {', '.join(self.effects)}>",
            self.coefficients.to_string(index=False),
            *self.notes,
        ]
        return "\n".join(lines)


@one_thread
def gravity(
    pairs: pd.DataFrame,
    regressors: Sequence[str],
    *,
    outcome: str = "firms",
    pair_effects: bool = True,
) -> GravityResult:
    r"""Gravity model of flows between regions.

    .. math:: E[F_{odt}] = \exp(x_{odt}'\beta + \alpha_{ot} + \gamma_{dt} + \eta_{od})

    Origin-year effects hold everything about the origin in the year (its firms at risk, its rents),
    destination-year effects everything about the destination, pair effects everything constant
    about the ordered pair (distance, language). A policy is then identified from pairs that it
    treats against pairs of the same origin, and of the same destination, that it does not.

    Parameters
    ----------
    pairs : DataFrame
        Columns origin, destination, year, the outcome and the regressors, one row per pair and
        year, with the zeros: see :func:`all_pairs` and :func:`with_policy`.
    regressors : sequence of str
        Columns such as ``["policy"]``.
    outcome : str
        A column of numbers that are not negative. Counts are not required: only the mean has to
        be right (Gourieroux, Monfort and Trognon 1984).
    pair_effects : bool
        Without them distance and other constant regressors can be estimated.

    Returns
    -------
    GravityResult

    Raises
    ------
    DataError
        A missing column or value, a negative outcome, or a second row for a pair and year.
    DesignError
        No regressor varies once the effects are taken out.

    Notes
    -----
    Reweighted least squares with the effects absorbed, and the check for separation, follow
    Correia, Guimarães and Zylkin (2020), *Stata Journal* 20; (2019), arXiv:1903.01633. Standard
    errors are clustered by ordered pair with the small-sample factor of fixest,
    :math:`\frac{G}{G-1}\frac{N-1}{N-K}`, where K does not count the pair effects, which are nested
    in the clusters. With few treated pairs they are too small. With few years, and with effects in
    three dimensions, they are also biased downward (Weidner and Zylkin 2021).

    Source: Santos Silva and Tenreyro (2006), *Review of Economics and Statistics* 88; Yotov et al.
    (2016), chapter 1, for the policy at pair level.
    """
    names = list(regressors)
    if isinstance(regressors, str) or not names:
        raise DataError("regressors must be a list of columns, such as ['policy'].")
    require_unique(pairs, [outcome, *names])
    y = _numbers(pairs, outcome)
    x = np.column_stack([_numbers(pairs, name) for name in names])
    if (y < 0).any():
        raise DataError(f"column {outcome!r} is negative for {_place(pairs, y < 0)}.")
    groups = _groups(pairs, pair_effects)
    used = np.ones(len(y), dtype=bool)
    reasons = np.full(len(y), "", dtype=object)
    _drop_uninformative(y, groups, used, reasons)
    try:
        fit = _fitted(y, x, groups, used, names)
    except VanishingMeanError:
        lost = separated(y[used], x[used], _compacted(groups, used))
        rows = np.flatnonzero(used)[lost]
        used[rows], reasons[rows] = False, "separated by the regressors and effects"
        _drop_uninformative(y, groups, used, reasons)
        fit = _fitted(y, x, groups, used, names, maximum_exists=True)
    return _result(pairs, names, outcome, groups, used, reasons, fit)


def _groups(pairs: pd.DataFrame, pair_effects: bool) -> dict[str, Integers]:
    keys = {"origin": ["origin", "year"], "destination": ["destination", "year"]}
    if pair_effects:
        keys["pair"] = ["origin", "destination"]
    return {kind: _codes(pairs, columns) for kind, columns in keys.items()}


def _codes(pairs: pd.DataFrame, columns: list[str]) -> Integers:
    codes: Integers = pairs.groupby(columns, sort=True).ngroup().to_numpy().astype(np.int64)
    return codes


def _compact(codes: Integers) -> Integers:
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _drop_uninformative(
    y: Floats, groups: dict[str, Integers], used: NDArray[np.bool_], reasons: NDArray[np.object_]
) -> None:
    """Leave out groups without a flow and groups of one row, until none is left."""
    before = -1
    while before != used.sum():
        before = int(used.sum())
        for kind, codes in groups.items():
            flow = np.bincount(codes, weights=y * used)
            empty = used & (flow[codes] == 0)
            used[empty], reasons[empty] = False, _NO_FLOW[kind]
            alone = used & (np.bincount(codes, weights=used)[codes] == 1)
            used[alone], reasons[alone] = False, f"the only row left of its {kind} effect"


def _compacted(groups: dict[str, Integers], used: NDArray[np.bool_]) -> list[Integers]:
    return [_compact(codes[used]) for codes in groups.values()]


def _fitted(
    y: Floats,
    x: Floats,
    groups: dict[str, Integers],
    used: NDArray[np.bool_],
    names: list[str],
    *,
    maximum_exists: bool = False,
) -> PoissonFit:
    if not used.any():
        raise DesignError("no flow is left to estimate from: see that the flows are not zero.")
    codes = _compacted(groups, used)
    try:
        fit = fit_poisson(y[used], x[used], codes, maximum_exists=maximum_exists)
    except VanishingMeanError:
        raise
    except ArithmeticError as error:
        raise DesignError(
            f"{error} Regressors of very different size are a common cause: rescale them."
        ) from error
    if not fit.kept:
        raise DesignError(
            f"{', '.join(names)}: nothing varies once the effects are taken out. Regressors that "
            f"are constant within pairs need pair_effects=False."
        )
    return fit


def _result(
    pairs: pd.DataFrame,
    names: list[str],
    outcome: str,
    groups: dict[str, Integers],
    used: NDArray[np.bool_],
    reasons: NDArray[np.object_],
    fit: PoissonFit,
) -> GravityResult:
    cluster = _compact(_codes(pairs, ["origin", "destination"])[used])
    n, n_pairs = int(used.sum()), int(cluster.max()) + 1
    levels = [len(np.unique(groups[kind][used])) for kind in ("origin", "destination")]
    parameters = len(fit.kept) + sum(levels) - 1
    factor = n_pairs / (n_pairs - 1) * (n - 1) / (n - parameters)
    influence = n * fit.scores @ fit.bread
    covariance = clustered_covariance(influence, cluster, factor)
    errors = np.sqrt(np.diag(covariance))
    df = n_pairs - 1
    lower, upper = t_interval(fit.coefficients, errors, df, 0.95)
    kept = [names[k] for k in fit.kept]
    collinear = tuple(name for name in names if name not in kept)
    if collinear:
        warnings.warn(
            f"left out as collinear with the effects and the regressors before them: "
            f"{', '.join(collinear)}",
            JJJPolicyWarning,
            stacklevel=3,
        )
    coefficients = pd.DataFrame(
        {
            "term": kept,
            "estimate": fit.coefficients,
            "se": errors,
            "pvalue": [
                t_pvalue(float(b), float(se), df)
                for b, se in zip(fit.coefficients, errors, strict=True)
            ],
            "lower": lower,
            "upper": upper,
            "percent": 100 * np.expm1(fit.coefficients),
        }
    )
    dropped = pairs.loc[~used, [*KEYS, outcome]].assign(reason=reasons[~used])
    sample = pairs[used].assign(fitted=fit.fitted)
    return GravityResult(
        coefficients=coefficients,
        covariance=covariance,
        outcome=outcome,
        effects=tuple(f"{kind}-year" if kind != "pair" else kind for kind in groups),
        sample=sample.reset_index(drop=True),
        dropped=dropped.reset_index(drop=True),
        collinear=collinear,
        observations=n,
        pairs=n_pairs,
        deviance=fit.deviance,
        notes=_few_treated(sample, kept, n_pairs),
    )


def _few_treated(sample: pd.DataFrame, terms: list[str], n_pairs: int) -> tuple[str, ...]:
    notes = []
    for term in terms:
        if not sample[term].isin([0, 1]).all():
            continue
        treated = sample.loc[sample[term] == 1].groupby(["origin", "destination"]).ngroups
        if treated < min(FEW_TREATED_CLUSTERS, n_pairs):
            notes.append(
                f"{term} is 1 in only {treated} of {n_pairs} pairs: errors clustered by pair are "
                f"then too small and the p-value rejects too often."
            )
    return tuple(notes)


def _numbers(pairs: pd.DataFrame, name: str) -> Floats:
    if not pd.api.types.is_numeric_dtype(pairs[name]):
        raise DataError(f"column {name!r} must hold numbers, not {pairs[name].dtype}.")
    values = pairs[name].to_numpy(dtype=float, na_value=np.nan)
    bad = ~np.isfinite(values)
    if bad.any():
        raise DataError(f"column {name!r} is missing or infinite for {_place(pairs, bad)}.")
    return values


def _place(pairs: pd.DataFrame, rows: NDArray[np.bool_]) -> str:
    origin, destination, year = (pairs[key][rows].iloc[0] for key in KEYS)
    more = f" (and {rows.sum() - 1} more)" if rows.sum() > 1 else ""
    return f"{origin} to {destination} in {year}{more}"
