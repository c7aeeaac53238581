"""Inequality between and within groups of regions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jjjpolicy.errors import DataError
from jjjpolicy.indicators._tables import checked, periods, row_name, totals, where_complete


def theil_decomposition(
    values: pd.Series,
    population: pd.Series | None = None,
    *,
    groups: pd.Series,
    period: str = "year",
) -> pd.DataFrame:
    r"""Theil's T of income per person and its parts within and between groups of regions.

    With :math:`y_i` the share of region i in income, :math:`p_i` in population, and :math:`y_g`,
    :math:`p_g` those of group g:

    .. math:: T = \sum_i y_i \ln \frac{y_i}{p_i}
              = \underbrace{\sum_g y_g \sum_{i \in g} \frac{y_i}{y_g}
                \ln \frac{y_i / y_g}{p_i / p_g}}_{\text{within}}
              + \underbrace{\sum_g y_g \ln \frac{y_g}{p_g}}_{\text{between}}

    Parameters
    ----------
    values : Series
        Income or product of each region (and year), not per person.
    population : Series, optional
        Indexed like ``values``; by default all regions count the same.
    groups : Series
        Group of each row of ``values``, indexed like it.
    period : str
        Index level that holds the period; without it all rows are of one period.

    Returns
    -------
    DataFrame
        One row for each period: theil, within, between, between_share, and within_<group> for the
        part of each group. Missing where a region's number is.

    Raises
    ------
    DataError
        Negative income, population that is not positive, or indices that differ.

    References
    ----------
    Theil, H. (1967), Economics and Information Theory; Shorrocks, A. F. (1980), The class of
    additively decomposable inequality measures, Econometrica 48.

    Examples
    --------
    Two groups of two regions with equal population: one group has all of 4 in even parts, the other
    1 and 3.

    >>> import pandas as pd
    >>> y = pd.Series([2.0, 2.0, 1.0, 3.0], index=list("abcd"))
    >>> g = pd.Series(["x", "x", "z", "z"], index=y.index)
    >>> result = theil_decomposition(y, groups=g).round(4).iloc[0]
    >>> result[["theil", "between", "within_x", "within_z"]].tolist()
    [0.0654, 0.0, 0.0, 0.0654]
    """
    weight = pd.Series(1.0, index=values.index) if population is None else population
    for name, other in (("population", weight), ("groups", groups)):
        if not other.index.equals(values.index):
            raise DataError(f"{name} is not indexed like values; reindex it first.")
    if groups.isna().any():
        row = int(groups.isna().to_numpy().argmax())
        raise DataError(f"{row_name(groups.index, row)} has no group.")
    income = checked(values.rename("income").to_frame())["income"].to_numpy()
    people = checked(weight.rename("population").to_frame(), positive=True)["population"].to_numpy()
    table = pd.DataFrame(
        {
            "period": periods(values.index, period),
            "group": groups.to_numpy(),
            "income": income,
            "people": people,
        }
    )
    whole = totals(table[["income", "people"]], table["period"])
    table["y"], table["p"] = income / whole["income"], people / whole["people"]
    table["theil"] = _entropy(table["y"], table["p"])
    groups_of_period = table.groupby(["period", "group"])[["y", "p", "theil"]]
    grouped = where_complete(groups_of_period.sum(), groups_of_period)
    between = _entropy(grouped["y"], grouped["p"])
    within = (grouped["theil"] - between).unstack("group")
    of_period = table.groupby("period")[["theil"]]
    result = where_complete(of_period.sum(), of_period)
    result["within"] = within.sum(axis=1).where(result["theil"].notna())
    result["between"] = between.groupby("period").sum().where(result["theil"].notna())
    result["between_share"] = result["between"] / result["theil"].where(result["theil"] > 0)
    result = result.join(within.add_prefix("within_"))
    return result.rename_axis(index=period)


def _entropy(income: pd.Series, people: pd.Series) -> pd.Series:
    """y ln(y / p), which is 0 at y = 0."""
    ratio = (income / people).where(income != 0, 1.0)
    return income * np.log(ratio)
