"""What an inference method finds out about an estimate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import pandas as pd

from jjjpolicy.estimation.rounding import standing
from jjjpolicy.estimation.variance import t_interval, t_pvalue

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats

IntervalAt = Callable[[float], tuple[float, float]]
"""From a level, e.g. 0.95, to the low and the high end."""

EffectsAt = Callable[[float], pd.DataFrame]
"""From a level to columns event_time or adoption, se, lower and upper."""

Found = TypeVar("Found")


@dataclass(frozen=True, eq=False)
class Searched(Generic[Found]):
    """What takes many fits to find at a level: looked for when asked for, and kept.

    Attributes
    ----------
    search : callable
        From a level to what is found.
    fits : int
        About how many fits that takes.
    """

    search: Callable[[float], Found]
    fits: int
    known: dict[float, Found] = field(default_factory=dict)

    def __call__(self, level: float) -> Found:
        if level not in self.known:
            self.known[level] = self.search(level)
        return self.known[level]


def fits_ahead(source: Callable[[float], Any] | None, level: float) -> int:
    """About how many fits it takes to know what depends on a level; 0 where it is known."""
    return source.fits if isinstance(source, Searched) and level not in source.known else 0


UNCERTAINTY_COLUMNS = ["se", "lower", "upper"]

NOTHING_LEFT = (
    "nothing is left to measure variation by, because there are as many parameters as "
    "observations, the comparison is fitted exactly, or the outcome does not vary"
)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class InferenceResult:
    """Uncertainty of an estimate under one inference method.

    What depends on a level is a function of it, and None where the method has none: whether there
    is an interval, or one for each effect, depends on the estimate as well as on the method, and
    searching for one may take thousands of fits.

    Attributes
    ----------
    name : str
        What was done, in words.
    se : float or None
    effects : callable or None
        ``effects(level)`` gives columns event_time, se, lower, upper, and further ones of the
        method.
    cohorts : callable or None
        The same by adoption cohort, with a column adoption.
    reference : ndarray or None
        Reference distribution of the statistic (placebo estimates, bootstrap draws).
    smallest_pvalue : float or None
        The smallest p-value that the method could have returned.
    assignments : int or None
        Number of assignments behind ``reference``, the treated one not counted.
    exact : bool or None
        Whether these are all assignments or a sample.
    notes : tuple of str
    details : mapping
        What one method alone has.
    specification : mapping
        The method and all its options.
    """

    name: str
    se: float | None = None
    effects: EffectsAt | None = None
    cohorts: EffectsAt | None = None
    reference: Floats | None = None
    smallest_pvalue: float | None = None
    assignments: int | None = None
    exact: bool | None = None
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    specification: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        error = "" if self.se is None else f", std. error {self.se:.6g}"
        more = ", ".join(self.details) or "none"
        return f"<{type(self).__name__}: {self.name}{error}; details: {more}>"

    @property
    def pvalue(self) -> float | None:
        """Two-sided test of no effect, unless ``name`` says otherwise."""
        return None

    @property
    def bounds(self) -> IntervalAt | None:
        """``bounds(level)`` gives the (low, high) ends of the interval."""
        return None


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class WaldTest(InferenceResult):
    """An estimate over its standard error, compared with the t distribution.

    Attributes
    ----------
    centre : float
        The estimate, in the middle of the interval.
    df : float
        Degrees of freedom, infinite for the normal distribution.
    """

    centre: float
    se: float
    df: float = np.inf

    @cached_property
    def pvalue(self) -> float:
        """Two-sided; computed when first asked for, as the t distribution takes scipy."""
        return t_pvalue(self.centre, self.se, self.df)

    def bounds(self, level: float) -> tuple[float, float]:
        """Ends of the interval."""
        return t_interval(self.centre, self.se, self.df, level)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class InvertedTest(InferenceResult):
    """A test that is no ratio of an estimate and its error, and the effects that it keeps.

    Most are ranks of the estimate in a ``reference`` distribution.

    Attributes
    ----------
    pvalue : float or None
    bounds : callable or None
        The effects that are not rejected at a level.
    pvalue_of : callable or None
        p-value of a hypothesised effect, where the test is inverted by asking for many.
    """

    pvalue: float | None = None
    bounds: IntervalAt | None = None
    pvalue_of: Callable[[float], float] | None = None


def effect_bounds(
    table: pd.DataFrame, errors: Floats, df: float | Floats, level: float
) -> pd.DataFrame:
    """A table of effects with columns se, lower and upper from the t distribution.

    Parameters
    ----------
    table : DataFrame
        Column estimate, and event_time or adoption.
    errors : ndarray, shape (effects,)
    df : float or ndarray, shape (effects,)
        Degrees of freedom, infinite for the normal distribution.
    level : float
    """
    rows = zip(table["estimate"], errors, np.broadcast_to(df, errors.shape), strict=True)
    ends = [t_interval(float(point), float(se), float(n), level) for point, se, n in rows]
    low, high = np.array(ends).reshape(-1, 2).T
    return table.assign(se=errors, lower=low, upper=high)


def analytic_result(
    name: str,
    estimate: float,
    effects: pd.DataFrame | EffectsAt,
    covariance: Floats,
    *,
    noise: float,
    df: float = np.inf,
    specification: Mapping[str, Any],
    notes: tuple[str, ...] = (),
    details: Mapping[str, Any] | None = None,
) -> WaldTest:
    """Inference from a covariance matrix of (att, effects), as estimators attach it themselves.

    Parameters
    ----------
    name : str
    estimate : float
        The overall effect.
    effects : DataFrame or callable
        Columns event_time and estimate, in the order of ``covariance``; or a function that gives
        the finished table (event_time, se, lower, upper) at a level.
    covariance : ndarray, shape (1 + effects, 1 + effects)
        Order: overall effect, then the rows of ``effects``.
    noise : float
        Resolution of the outcome: a standard error below it is none.
    df : float
        Degrees of freedom of the t distribution; infinite for the normal.
    """
    errors = standing(np.sqrt(np.clip(np.diag(covariance), 0, None)), noise)
    se = float(errors[0])
    return WaldTest(
        name=name,
        centre=estimate,
        se=se,
        df=df,
        effects=effects
        if callable(effects)
        else lambda level: effect_bounds(effects, errors[1:], df, level),
        notes=(*missing_note(se, errors[1:]), *notes),
        details={"covariance": covariance, "df": df, **(details or {})},
        specification=specification,
    )


def missing_note(se: float, further: Floats | None = None) -> tuple[str, ...]:
    """Why there is no standard error; empty where there is one.

    ``further`` are the standard errors of effects beside the overall one.
    """
    if np.isnan(se):
        return (f"No standard error: {NOTHING_LEFT}.",)
    if further is not None and np.isnan(further).any():
        return (f"No standard error for some effects by event time: {NOTHING_LEFT}.",)
    return ()


def with_uncertainty(
    table: pd.DataFrame, source: EffectsAt | None, key: str, level: float
) -> pd.DataFrame:
    """Effects with the columns of an inference method, matched by ``key``; ``nan`` without one."""
    found = {name: table[name] for name in (key, "estimate")}
    if source is None:
        return pd.DataFrame(found | dict.fromkeys(UNCERTAINTY_COLUMNS, np.nan))
    extra = source(level)
    known = {value: row for row, value in enumerate(extra[key])}
    rows = np.array([known.get(value, -1) for value in table[key]], dtype=np.int64)
    further = [c for c in extra.columns if c not in (key, "estimate", *UNCERTAINTY_COLUMNS)]
    added = {
        name: np.append(extra[name].to_numpy(dtype=float), np.nan)[rows]
        for name in [*UNCERTAINTY_COLUMNS, *further]
    }
    return pd.DataFrame(found | added)
