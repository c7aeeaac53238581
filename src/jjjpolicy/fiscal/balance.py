"""When a move pays for the origin and for the destination."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jjjpolicy.errors import DataError
from jjjpolicy.fiscal.rule import SharingRule
from jjjpolicy.fiscal.sharing import Terms, divide, share, terms_of
from jjjpolicy.fiscal.tax_paths import TaxPaths, read_tax_paths

_HALVINGS = 60


def break_even(
    taxes: pd.DataFrame,
    moves: pd.DataFrame,
    rule: SharingRule,
    *,
    staying: pd.DataFrame,
    destination_cost: float | pd.Series = 0.0,
    discount: float = 0.0,
) -> pd.DataFrame:
    """Compare a shared move with staying, and with a move that is not shared.

    Amounts are sums from the year of the move to the last year of the firm's tax path, discounted
    to the year of the move. A central subsidy is not counted: its size is the answer to
    ``subsidy_to_break_even``.

    Parameters
    ----------
    taxes, moves, rule
        As for :func:`share`.
    staying : DataFrame
        Columns firm, year, local: the local tax that the firm would have paid at the origin, each
        year from the move to the end of its tax path. An assumption of the user.
    destination_cost : float or Series indexed by firm
        What receiving the firm costs the destination in the year of the move, million yuan.
    discount : float
        Discount rate a year.

    Returns
    -------
    DataFrame
        Indexed by firm. origin_received, origin_if_stayed; origin_over_staying and
        origin_over_unshared (without sharing the origin receives nothing); destination_received;
        destination_over_no_move (less the cost) and destination_over_unshared (without sharing it
        receives all local tax); others_received (such as a joint fund); subsidy_to_break_even (what
        the origin lacks against staying); origin_share_to_break_even (least share of the tax in
        scope with which the origin breaks even, all else in the rule as it is; NaN if cap or years
        keep it from doing so with any share); origin_year, destination_year (first year in which
        the sum of receipts is no less than that of staying, or than the cost; NaN: none).

    Raises
    ------
    DataError
        As :func:`share`; or ``staying`` lacks a year, or a rate or cost is out of range.

    Examples
    --------
    >>> import pandas as pd
    >>> from jjjpolicy.fiscal import RULE_2015, break_even
    >>> years = range(2013, 2022)
    >>> taxes = pd.DataFrame(
    ...     {"firm": "A", "year": years, "tax": "value_added_tax", "local": 30.0, "paid": 30.0}
    ... )
    >>> moves = pd.DataFrame(
    ...     {"firm": ["A"], "origin": ["110000"], "destination": ["130000"], "moved": [2016],
    ...      "started": [2016], "origin_led": [True], "fits_plan": [True]}
    ... )
    >>> staying = pd.DataFrame({"firm": "A", "year": range(2016, 2022), "local": 10.0})
    >>> table = break_even(taxes, moves, RULE_2015, staying=staying, destination_cost=40.0)
    >>> table.loc["A", ["origin_received", "origin_if_stayed", "destination_year"]].tolist()
    [75.0, 60.0, 2018.0]
    >>> print(round(table.loc["A", "origin_share_to_break_even"], 6))
    0.4
    """
    if not discount > -1:
        raise DataError(f"discount={discount!r} must be greater than -1.")
    paths = read_tax_paths(taxes, moves, rule)
    terms = terms_of(paths, rule)
    result = share(taxes, moves, rule)
    after = (paths.years >= paths.moved) & paths.present
    factor = np.where(after, (1.0 + discount) ** (paths.moved - paths.years), 0.0)
    origin = _spread(result.flows, "origin", paths) * factor
    destination = _spread(result.flows, "destination", paths) * factor
    local = (paths.shared + paths.unshared) * factor
    stayed = _staying(staying, paths, after) * factor
    cost = _cost(destination_cost, paths)
    need = stayed.sum(axis=1)
    received = origin.sum(axis=1)
    table = pd.DataFrame(
        {
            "origin_received": received,
            "origin_if_stayed": need,
            "origin_over_staying": received - need,
            "origin_over_unshared": received,
            "destination_received": destination.sum(axis=1),
            "destination_over_no_move": destination.sum(axis=1) - cost,
            "destination_over_unshared": destination.sum(axis=1) - local.sum(axis=1),
            "others_received": (local - origin - destination).sum(axis=1),
            "subsidy_to_break_even": np.maximum(need - received, 0.0),
            "origin_share_to_break_even": _least_share(paths, terms, factor, need),
            "origin_year": _first_year(origin.cumsum(axis=1) - stayed.cumsum(axis=1), after, paths),
            "destination_year": _first_year(
                destination.cumsum(axis=1) - cost[:, None], after, paths
            ),
        }
    )
    table.index = pd.Index(paths.moves["firm"], name="firm")
    return table


def _least_share(
    paths: TaxPaths, terms: Terms, factor: NDArray[np.float64], need: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Least share with which the origin receives what it needs; receipts rise with the share."""

    def receipts(part: NDArray[np.float64]) -> NDArray[np.float64]:
        base = divide(paths.shared, terms, part).base
        return np.asarray(part * (base * factor).sum(axis=1), dtype=np.float64)

    low, high = np.zeros_like(need), np.ones_like(need)
    reachable = receipts(high) >= need * (1 - 1e-12)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        enough = receipts(middle) >= need
        high = np.where(enough, middle, high)
        low = np.where(enough, low, middle)
    return np.where(reachable, np.where(need > 0, high, 0.0), np.nan)


def _first_year(
    balance: NDArray[np.float64], after: NDArray[np.bool_], paths: TaxPaths
) -> NDArray[np.float64]:
    scale = np.abs(balance).max(axis=1, keepdims=True)
    good = (balance >= -1e-9 * scale) & after
    return np.where(good.any(axis=1), paths.years[good.argmax(axis=1)], np.nan)


def _spread(flows: pd.DataFrame, column: str, paths: TaxPaths) -> NDArray[np.float64]:
    cells = np.zeros(paths.present.shape)
    rows = pd.Index(paths.moves["firm"]).get_indexer(flows["firm"])
    cells[rows, flows["year"] - paths.years[0]] = flows[column]
    return cells


def _staying(
    staying: pd.DataFrame, paths: TaxPaths, after: NDArray[np.bool_]
) -> NDArray[np.float64]:
    for column in ("firm", "year", "local"):
        if column not in staying:
            raise DataError(f"staying has no column {column!r}; needed are firm, year, local.")
    twice = staying.duplicated(["firm", "year"])
    if twice.any():
        row = staying[twice].iloc[0]
        raise DataError(f"staying has firm {row['firm']!r} twice in {row['year']}.")
    wide = staying.pivot(index="firm", columns="year", values="local")
    cells = wide.reindex(index=paths.moves["firm"], columns=paths.years).to_numpy(dtype=float)
    missing = after & ~np.isfinite(cells)
    if missing.any():
        row, column = np.argwhere(missing)[0]
        raise DataError(
            f"staying has no number for firm {paths.moves['firm'][row]!r} in "
            f"{paths.years[column]}; give each year from the move to the end of the tax path."
        )
    return np.where(after, cells, 0.0)


def _cost(cost: float | pd.Series, paths: TaxPaths) -> NDArray[np.float64]:
    firms = paths.moves["firm"]
    if not isinstance(cost, pd.Series):
        cost = pd.Series(float(cost), index=firms)
    values = cost.reindex(firms).to_numpy(dtype=float)
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        raise DataError(
            f"destination_cost of firm {firms[int(wrong.argmax())]!r} is "
            f"{values[int(wrong.argmax())]!r}; it must be a number of at least 0."
        )
    return values
