"""The part of a tax that local governments keep."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from jjjpolicy.errors import DataError


@dataclass(frozen=True)
class LocalShare:
    """Local part of a tax over whole years, with the document it comes from.

    Parameters
    ----------
    tax : str
    first_year, last_year : int
        The years in which it holds, both included.
    share : float
        Part of the tax that stays in the place, between 0 and 1.
    document : str
        Where it comes from.
    confidence : str
        ``"recalled"`` until the document was seen.
    """

    tax: str
    first_year: int
    last_year: int
    share: float
    document: str
    confidence: str = "recalled"


_LAST = 9999
LOCAL_SHARES = (
    LocalShare("value_added_tax", 1994, 2015, 0.25, "Guo Fa [1993] No. 85"),
    LocalShare("value_added_tax", 2017, _LAST, 0.50, "Guo Fa [2016] No. 26, from 1 May 2016"),
    LocalShare("enterprise_income_tax", 2003, _LAST, 0.40, "Guo Fa [2001] No. 37 and its sequel"),
    LocalShare("business_tax", 1994, 2016, 1.00, "Guo Fa [1993] No. 85"),
)
"""National division of revenue between centre and provinces.

Taken from memory of the documents named, not from the documents (``confidence``). Taxes that the
headquarters of railways, banks and insurers paid to the centre are exceptions that are not here.
"""


def add_local_part(
    taxes: pd.DataFrame,
    *,
    shares: tuple[LocalShare, ...] = LOCAL_SHARES,
    vat_before_may_2016: float | None = None,
) -> pd.DataFrame:
    """Add the column ``local`` to a tax path from what the firm paid.

    Parameters
    ----------
    taxes : DataFrame
        Columns year, tax, paid.
    shares : tuple of LocalShare
        National division of revenue.
    vat_before_may_2016 : float, optional
        Part of the value-added tax of 2016 that was paid before 1 May, when the local part rose
        from 25% to 50%. Needed if there is value-added tax in 2016.

    Returns
    -------
    DataFrame
        A copy with the column ``local``.

    Raises
    ------
    DataError
        A tax and year without a share, or value-added tax in 2016 without its division.

    Examples
    --------
    >>> import pandas as pd
    >>> path = pd.DataFrame(
    ...     {"year": [2015, 2017], "tax": ["business_tax", "value_added_tax"], "paid": [10.0, 10.0]}
    ... )
    >>> add_local_part(path)["local"].tolist()
    [10.0, 5.0]
    """
    for column in ("year", "tax", "paid"):
        if column not in taxes:
            raise DataError(f"the tax path has no column {column!r}.")
    known = {
        (each.tax, year): each.share
        for each in shares
        for year in taxes["year"].unique()
        if each.first_year <= year <= each.last_year
    }
    if vat_before_may_2016 is not None:
        if not 0 <= vat_before_may_2016 <= 1:
            raise DataError(f"vat_before_may_2016={vat_before_may_2016!r} must lie in [0, 1].")
        known["value_added_tax", 2016] = 0.25 * vat_before_may_2016 + 0.5 * (
            1 - vat_before_may_2016
        )
    pairs = list(zip(taxes["tax"], taxes["year"], strict=True))
    for tax, year in pairs:
        if (tax, year) in known:
            continue
        if (tax, year) == ("value_added_tax", 2016):
            raise DataError(
                "the local part of value-added tax rose from 25% to 50% on 1 May 2016: give the "
                "part of the year's tax paid before that day, vat_before_may_2016=…"
            )
        raise DataError(
            f"the local part of {tax!r} in {year} is not known; add a LocalShare to shares, or "
            f"give the column 'local' yourself."
        )
    return taxes.assign(local=taxes["paid"] * [known[pair] for pair in pairs])
