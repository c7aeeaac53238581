"""Structure of research and development: who pays, and for what kind of activity."""

from __future__ import annotations

import pandas as pd

from jjjpolicy.errors import DataError
from jjjpolicy.indicators._tables import checked, row_name

PARTS = {
    "government_share": "rd_funds_government",
    "enterprise_share": "rd_funds_enterprise",
    "foreign_share": "rd_funds_foreign",
    "other_share": "rd_funds_other",
    "basic_share": "rd_basic_research",
    "applied_share": "rd_applied_research",
    "experimental_share": "rd_experimental_development",
}
TOTAL = "rd_internal_expenditure"


def rd_structure(values: pd.DataFrame, *, tolerance: float = 0.002) -> pd.DataFrame:
    r"""Shares of internal expenditure on research and development, in percent.

    .. math:: 100 \times \text{part}_{rt} / \text{internal expenditure}_{rt}

    Parameters
    ----------
    values : DataFrame
        Column ``rd_internal_expenditure`` and any of ``rd_funds_government``,
        ``rd_funds_enterprise``, ``rd_funds_foreign``, ``rd_funds_other``, ``rd_basic_research``,
        ``rd_applied_research``, ``rd_experimental_development``, as in the bundled provinces.
    tolerance : float
        Parts may exceed the total by this fraction; in one published row (Shanghai 2021) they
        exceed it by 0.11%.

    Returns
    -------
    DataFrame
        Indexed like ``values``: government_share, enterprise_share, foreign_share, other_share,
        basic_share, applied_share, experimental_share, where their inputs are there.

    Raises
    ------
    DataError
        A column is missing, or the parts by source or by activity exceed the total.

    References
    ----------
    Definitions of the China Statistical Yearbook on Science and Technology and of the OECD Frascati
    Manual.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.DataFrame(
    ...     {"rd_internal_expenditure": [200.0], "rd_funds_government": [90.0],
    ...      "rd_basic_research": [30.0]}, index=["Beijing"]
    ... )
    >>> rd_structure(x).loc["Beijing"].to_dict()
    {'government_share': 45.0, 'basic_share': 15.0}
    """
    present = {share: column for share, column in PARTS.items() if column in values}
    if TOTAL not in values or not present:
        raise DataError(
            f"the table needs the column {TOTAL!r} and one of {', '.join(PARTS.values())}."
        )
    table = checked(values[[TOTAL, *present.values()]])
    for kind in ("by source", "by activity"):
        columns = [
            column
            for column in present.values()
            if column.startswith("rd_funds") == (kind == "by source")
        ]
        over = (table[columns].sum(axis=1) > table[TOTAL] * (1 + tolerance)).to_numpy()
        if over.any():
            row = int(over.argmax())
            raise DataError(
                f"{row_name(table.index, row)}: the parts {kind} ({', '.join(columns)}) are more "
                f"than {TOTAL}; are they in one unit?"
            )
    total = table[TOTAL].where(table[TOTAL] > 0)
    return pd.DataFrame({share: 100 * table[column] / total for share, column in present.items()})
