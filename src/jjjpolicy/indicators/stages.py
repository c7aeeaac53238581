"""Stages of industrialisation after Kuznets and Chenery, with the thresholds used in China.

The thresholds are those of Chen, Huang and Zhong (2006), who compile them from Kuznets, from
Chenery, Robinson and Syrquin, and from others. They were recalled and could not be verified against
the article; pass your own where a study rests on them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from jjjpolicy.errors import DataError
from jjjpolicy.indicators._tables import checked_series, row_name, shares

STAGES = (
    "pre-industrial",
    "early industrial",
    "middle industrial",
    "late industrial",
    "post-industrial",
)
OUTSIDE = "outside the scheme"

INCOME_2004 = (720.0, 1440.0, 2880.0, 5760.0, 10810.0)
"""Product per person, in dollars of 2004, where each of the five stages begins."""

URBANISATION = (30.0, 50.0, 60.0, 75.0)
"""Percent of the population in towns where the second to the fifth stage begin."""

PRIMARY_EMPLOYMENT = (60.0, 45.0, 30.0, 10.0)
"""Percent of employment in the primary sector below which the second to the fifth stage begin."""


def stage_by_structure(values: pd.DataFrame) -> pd.Series:
    """Stage by the shares of the three sectors in value added.

    With A, I and S the primary, secondary and tertiary share: pre-industrial where A > I; early
    where A > 20% and A < I; middle where A < 20% and I > S; late where A < 10% and I > S;
    post-industrial where A < 10% and I < S.

    Parameters
    ----------
    values : DataFrame
        Columns primary, secondary, tertiary: value added or shares. One row for each region and
        year.

    Returns
    -------
    Series of ordered categories
        ``"outside the scheme"`` for structures that it does not cover, such as A between 10% and
        20% and I < S (in China often called late industrial; the scheme does not say so).

    Raises
    ------
    DataError
        A column is missing, or holds negative numbers.

    References
    ----------
    Kuznets, S. (1971), Economic Growth of Nations; Chen Jiagui, Huang Qunhui and Zhong Hongwu
    (2006), Economic Research Journal (经济研究) 2006(6), 4-15. The thresholds were recalled and not
    verified against the article.

    Examples
    --------
    Jing-Jin-Ji in 2014 and Hebei in 2020, as the review article gives them. It places the region of
    2014 in the late-middle industrial stage; by its sectors alone the scheme does not.

    >>> import pandas as pd
    >>> x = pd.DataFrame(
    ...     {"primary": [5.2, 10.7], "secondary": [41.3, 37.6], "tertiary": [53.5, 51.7]}
    ... )
    >>> stage_by_structure(x).tolist()
    ['post-industrial', 'outside the scheme']
    """
    for column in ("primary", "secondary", "tertiary"):
        if column not in values:
            raise DataError(f"the table has no column {column!r}.")
    part = 100 * shares(values[["primary", "secondary", "tertiary"]])
    a, i, s = (part[column] for column in part)
    # Rounding must not decide a boundary that the scheme leaves open on both sides.
    conditions = [
        a > i,
        (a >= 20) & (a < i),
        (a < 10) & (i > s),
        (a < 20) & (i > s),
        (a < 10) & (i < s),
    ]
    order = (0, 1, 3, 2, 4)
    names = np.select(conditions, [STAGES[at] for at in order], OUTSIDE)
    return _categories(names, part.isna().any(axis=1), part.index, "stage_by_structure")


def stage_by_income(income: pd.Series, thresholds: Sequence[float] = INCOME_2004) -> pd.Series:
    """Stage by product per person.

    Parameters
    ----------
    income : Series
        Product per person, in the money of the thresholds.
    thresholds : sequence of five floats
        Where the pre-industrial to the post-industrial stage begin; dollars of 2004 by default.
        Incomes below the first are outside the scheme.

    Returns
    -------
    Series of ordered categories

    References
    ----------
    Chenery, H., Robinson, S. and Syrquin, M. (1986), Industrialization and Growth; Chen, Huang and
    Zhong (2006). The thresholds were recalled and not verified against either.

    Examples
    --------
    >>> import pandas as pd
    >>> stage_by_income(pd.Series([500, 3000, 12000])).tolist()
    ['outside the scheme', 'middle industrial', 'post-industrial']
    """
    return _by_thresholds(income, thresholds, (OUTSIDE, *STAGES), rising=True)


def stage_by_urbanisation(
    percent: pd.Series, thresholds: Sequence[float] = URBANISATION
) -> pd.Series:
    """Stage by the percentage of the population that lives in towns.

    Parameters
    ----------
    percent : Series
        From 0 to 100.
    thresholds : sequence of four floats
        Where the early to the post-industrial stage begin.

    Returns
    -------
    Series
        Names of stages, by row of ``percent``.

    References
    ----------
    Chen, Huang and Zhong (2006). The thresholds were recalled and not verified against the article.

    Examples
    --------
    >>> import pandas as pd
    >>> stage_by_urbanisation(pd.Series([29.0, 60.0, 87.5])).tolist()
    ['pre-industrial', 'late industrial', 'post-industrial']
    """
    return _by_thresholds(_percent(percent), thresholds, STAGES, rising=True)


def stage_by_employment(
    percent: pd.Series, thresholds: Sequence[float] = PRIMARY_EMPLOYMENT
) -> pd.Series:
    """Stage by the percentage of employment in the primary sector.

    Parameters
    ----------
    percent : Series
        From 0 to 100.
    thresholds : sequence of four floats
        At or below which the early to the post-industrial stage begin.

    Returns
    -------
    Series
        Names of stages, by row of ``percent``.

    References
    ----------
    Chen, Huang and Zhong (2006). The thresholds were recalled and not verified against the article.

    Examples
    --------
    >>> import pandas as pd
    >>> stage_by_employment(pd.Series([65.0, 35.0, 4.0])).tolist()
    ['pre-industrial', 'middle industrial', 'post-industrial']
    """
    return _by_thresholds(_percent(percent), thresholds, STAGES, rising=False)


def _percent(values: pd.Series) -> pd.Series:
    found = checked_series(values)
    above = (found > 100).to_numpy()
    if above.any():
        row = int(above.argmax())
        raise DataError(f"{row_name(found.index, row)}: {found.iloc[row]} is above 100 percent.")
    return found


def _by_thresholds(
    values: pd.Series, thresholds: Sequence[float], names: Sequence[str], *, rising: bool
) -> pd.Series:
    found = checked_series(values)
    limits = np.asarray(thresholds, dtype=float)
    steps = np.diff(limits) if rising else -np.diff(limits)
    if limits.shape != (len(names) - 1,) or not (steps > 0).all():
        raise DataError(
            f"thresholds {tuple(thresholds)} must be {len(names) - 1} numbers that "
            f"{'rise' if rising else 'fall'}."
        )
    sign = 1 if rising else -1
    reached = np.searchsorted(sign * limits, sign * found.to_numpy(), side="right")
    stage = np.asarray(names, dtype=object)[np.minimum(reached, len(names) - 1)]
    return _categories(stage, found.isna(), found.index, str(values.name or "stage"))


def _categories(names: object, missing: pd.Series, index: pd.Index, title: str) -> pd.Series:
    kind = pd.CategoricalDtype([OUTSIDE, *STAGES], ordered=True)
    stage = pd.Series(names, index=index, name=title).astype(kind)
    return stage.mask(missing)
