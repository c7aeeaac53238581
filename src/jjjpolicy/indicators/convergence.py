"""Convergence of regions: does the dispersion shrink, and do poorer regions grow faster."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from jjjpolicy.errors import DataError
from jjjpolicy.indicators._tables import checked_series, periods, row_name, units

COLLINEAR = 1e-10
"""Smallest over largest singular value of columns of length one below which one is redundant."""


def sigma_convergence(values: pd.Series, *, period: str = "year") -> pd.DataFrame:
    r"""Dispersion of a variable over regions, by period: sigma convergence is its decline.

    .. math:: \sigma_t = \Big[\tfrac{1}{n-1} \sum_i
              (\ln y_{it} - \overline{\ln y_t})^2\Big]^{1/2}

    Parameters
    ----------
    values : Series
        Indexed by region and period; above zero.
    period : str
        Index level that holds the period.

    Returns
    -------
    DataFrame
        One row for each period: sd_log, coefficient_of_variation (standard deviation over mean,
        also with n - 1), regions. A region without a number makes the period's dispersion missing,
        since a changing set of regions would look like convergence.

    References
    ----------
    Barro, R. J. and Sala-i-Martin, X. (1992), Convergence, Journal of Political Economy 100.

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.MultiIndex.from_product([[2014, 2015], ["A", "B"]], names=["year", "region"])
    >>> sigma_convergence(pd.Series([1.0, 4.0, 2.0, 4.0], index=index))["sd_log"].round(4).tolist()
    [0.9803, 0.4901]
    """
    found = checked_series(values, positive=True)
    units(found.index, period)
    by_period = found.groupby(periods(found.index, period))
    logs = np.log(found).groupby(periods(found.index, period))
    table = pd.DataFrame({"sd_log": logs.std(), "regions": by_period.count()})
    table["coefficient_of_variation"] = by_period.std() / by_period.mean()
    all_regions = units(found.index, period).nunique()
    incomplete = table["regions"] < all_regions
    table.loc[incomplete, ["sd_log", "coefficient_of_variation"]] = np.nan
    return table[["sd_log", "coefficient_of_variation", "regions"]]


@dataclass(frozen=True, eq=False)
class BetaConvergence:
    """Result of :func:`beta_convergence`.

    Attributes
    ----------
    slope, slope_se, pvalue : float
        Coefficient of the initial logarithm; negative where poorer regions grew faster.
    speed, speed_se : float
        Rate of convergence a period, and its standard error by the delta method; NaN where the
        slope implies none.
    half_life : float
        Periods until half of the gap is closed; infinite where the speed is not positive.
    r_squared : float
    span, regions : int
    coefficients : DataFrame
        All coefficients with standard errors.
    """

    slope: float
    slope_se: float
    pvalue: float
    speed: float
    speed_se: float
    half_life: float
    r_squared: float
    span: int
    regions: int
    coefficients: pd.DataFrame = field(repr=False, compare=False)


def beta_convergence(
    values: pd.Series,
    controls: pd.DataFrame | None = None,
    *,
    first: int | None = None,
    last: int | None = None,
    period: str = "year",
) -> BetaConvergence:
    r"""Regress mean growth on the initial level over regions.

    .. math:: \frac{1}{T} \ln \frac{y_{iT}}{y_{i0}} = a + b \ln y_{i0} + \gamma' z_i + u_i,
              \qquad \beta = -\frac{1}{T} \ln (1 + b T)

    Least squares by statsmodels with HC1 standard errors.

    Parameters
    ----------
    values : Series
        Indexed by region and period; above zero.
    controls : DataFrame, optional
        Indexed by region: conditional convergence.
    first, last : int, optional
        Periods between which growth is measured; the ends of the data by default.
    period : str
        Index level that holds the period.

    Returns
    -------
    BetaConvergence

    Raises
    ------
    DataError
        A region without a number in the first or last period or among the controls, or too few
        regions.

    References
    ----------
    Barro, R. J. and Sala-i-Martin, X. (1992), Convergence, Journal of Political Economy 100,
    equation 10.

    Examples
    --------
    Gaps to a common path that halve in ten years: the speed is ln 2 / 10.

    >>> import numpy as np, pandas as pd
    >>> start = np.log([1.0, 2.0, 3.0, 5.0])
    >>> y = pd.DataFrame({2000: np.exp(start), 2010: np.exp(2 + 0.5 * start)}, index=list("ABCD"))
    >>> result = beta_convergence(y.rename_axis(index="region", columns="year").stack())
    >>> print(round(result.speed, 6), round(result.half_life, 6))
    0.069315 10.0
    """
    import statsmodels.api as sm

    found = checked_series(values, positive=True)
    names = units(found.index, period)
    if names.nlevels > 1:
        raise DataError(
            f"the index has the levels {list(found.index.names)}; keep region and year."
        )
    years = periods(found.index, period)
    begin, end = (years.min() if first is None else first), (years.max() if last is None else last)
    if not begin < end:
        raise DataError(f"first={begin!r} must come before last={end!r}.")
    wide = pd.Series(found.to_numpy(), index=[names, years]).unstack()
    for year in (begin, end):
        if year not in wide:
            raise DataError(f"there is no {period} {year!r} in the data.")
        if wide[year].isna().any():
            region = wide.index[int(wide[year].isna().to_numpy().argmax())]
            raise DataError(f"region {region!r} has no number in {year}; leave it out first.")
    span = int(end - begin)
    growth = np.log(wide[end] / wide[begin]) / span
    columns = pd.DataFrame({"constant": 1.0, "log_initial": np.log(wide[begin])})
    if controls is not None:
        z = controls.reindex(columns.index).astype(float)
        missing = z.isna().to_numpy()
        if missing.any():
            row, column = np.argwhere(missing)[0]
            raise DataError(f"control {z.columns[column]!r} lacks {row_name(z.index, row)}.")
        columns = columns.join(z)
    if len(columns) <= columns.shape[1]:
        raise DataError(f"{len(columns)} regions are too few for {columns.shape[1]} coefficients.")
    scaled = columns.to_numpy() / np.linalg.norm(columns, axis=0).clip(min=1e-300)
    if np.linalg.matrix_rank(scaled, rtol=COLLINEAR) < columns.shape[1]:
        raise DataError("initial level and controls are collinear; leave a control out.")
    fit = sm.OLS(growth, columns).fit(cov_type="HC1")
    slope, error = float(fit.params["log_initial"]), float(fit.bse["log_initial"])
    kept = 1 + slope * span
    speed = -np.log(kept) / span if kept > 0 else np.nan
    return BetaConvergence(
        slope=slope,
        slope_se=error,
        pvalue=float(fit.pvalues["log_initial"]),
        speed=float(speed),
        speed_se=float(error / kept) if kept > 0 else np.nan,
        half_life=float(np.log(2) / speed) if speed > 0 else (np.nan if kept <= 0 else np.inf),
        r_squared=float(fit.rsquared),
        span=span,
        regions=len(columns),
        coefficients=pd.DataFrame({"coefficient": fit.params, "standard_error": fit.bse}),
    )
