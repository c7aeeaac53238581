"""Flows on the full grid of pairs and years, with distances and policies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DataError
from jjjpolicy.registry.geography import great_circle_km
from jjjpolicy.registry.policy import YearOfIssue

if TYPE_CHECKING:
    from jjjpolicy.registry.policy import Policy, Timing

KEYS = ["origin", "destination", "year"]


def all_pairs(
    flows: pd.DataFrame,
    *,
    regions: Iterable[str] | None = None,
    years: Iterable[int] | None = None,
) -> pd.DataFrame:
    """Every ordered pair of regions in every year, with zeros where nothing moved.

    Parameters
    ----------
    flows : DataFrame
        From :func:`flows`; columns origin, destination, year, firms and perhaps size.
    regions : iterable of str, optional
        ``records.region_codes``, say; by default the regions that occur in ``flows``.
    years : iterable of int, optional
        By default all years from the first to the last in ``flows``. Flows begin in the second year
        of the records.

    Returns
    -------
    DataFrame
        Columns of ``flows``, sorted by origin, destination and year.

    Raises
    ------
    DataError
        A second row for a pair and year, or flows outside the regions or years.
    """
    require_unique(flows)
    occurring = set(flows["origin"]) | set(flows["destination"])
    chosen = sorted(occurring if regions is None else set(regions))
    span = range(int(flows["year"].min()), int(flows["year"].max()) + 1)
    periods = sorted(span if years is None else set(years))
    for kind, found, grid in (
        ("region", occurring, chosen),
        ("year", set(flows["year"]), periods),
    ):
        outside = sorted(found - set(grid))
        if outside:
            raise DataError(
                f"there are flows of {kind} {outside[0]!r}, which is not among the {kind}s; leave "
                f"them out yourself or add it."
            )
    pairs = [(o, d, year) for o in chosen for d in chosen if o != d for year in periods]
    grid_frame = pd.DataFrame(pairs, columns=KEYS)
    full = grid_frame.merge(flows, on=KEYS, how="left")
    measures = [name for name in flows.columns if name not in KEYS]
    return full.fillna(dict.fromkeys(measures, 0)).astype(dict(flows.dtypes[measures]))


def distances(centroids: pd.DataFrame) -> pd.DataFrame:
    """Great-circle distances between regions.

    Parameters
    ----------
    centroids : DataFrame
        Columns region, latitude and longitude in degrees, one row per region. No coordinates come
        with the package: which point stands for a region (centroid, capital, centre of population)
        is a choice to report.

    Returns
    -------
    DataFrame
        Columns origin, destination, distance (km), every ordered pair.

    Raises
    ------
    DataError
        A missing column, a second row for a region, or a coordinate that is none.
    """
    for name in ("region", "latitude", "longitude"):
        if name not in centroids.columns:
            raise DataError(f"the centroids have no column {name!r}.")
    repeated = centroids["region"].duplicated()
    if repeated.any():
        raise DataError(f"region {centroids['region'][repeated].iloc[0]!r} has two centroids.")
    for name, limit in (("latitude", 90), ("longitude", 180)):
        good = centroids[name].between(-limit, limit)
        if not good.all():
            row = centroids[~good].iloc[0]
            raise DataError(
                f"{name} {row[name]} of region {row['region']!r} must be between -{limit} and "
                f"{limit} degrees."
            )
    points = centroids[["latitude", "longitude"]].to_numpy(dtype=float)
    names = centroids["region"].to_numpy()
    n = len(names)
    table = pd.DataFrame(
        {
            "origin": np.repeat(names, n),
            "destination": np.tile(names, n),
            "distance": great_circle_km(points, points).ravel(),
        }
    )
    return table[~np.eye(n, dtype=bool).ravel()].reset_index(drop=True)


def with_distance(pairs: pd.DataFrame, centroids: pd.DataFrame) -> pd.DataFrame:
    """Flows with a column distance, in km.

    Parameters
    ----------
    pairs : DataFrame
        From :func:`flows` or :func:`all_pairs`.
    centroids : DataFrame
        As for :func:`distances`.

    Returns
    -------
    DataFrame
        The rows of ``pairs`` and a column distance.

    Raises
    ------
    DataError
        A region of the flows has no centroid; and as for :func:`distances`.
    """
    table = distances(centroids)
    known = set(centroids["region"])
    missing = sorted((set(pairs["origin"]) | set(pairs["destination"])) - known)
    if missing:
        raise DataError(f"region {missing[0]!r} has no centroid (missing: {len(missing)}).")
    return pairs.merge(table, on=["origin", "destination"], how="left")


def with_policy(
    pairs: pd.DataFrame,
    policy: Policy,
    *,
    origins: Collection[str] | None = None,
    name: str = "policy",
    timing: Timing = YearOfIssue(),
) -> pd.DataFrame:
    """Flows with a 0/1 column: both ends are treated by the policy in this year.

    Parameters
    ----------
    pairs : DataFrame
        From :func:`all_pairs`.
    policy : Policy
        A pair counts as treated from the later of the first treated years of its ends.
    origins : collection of str, optional
        Only pairs with these origins, such as ``["110000"]`` for moves out of Beijing.
    name : str
        Of the new column.
    timing : YearOfIssue or FirstFullYear

    Returns
    -------
    DataFrame
        The rows of ``pairs`` and the column ``name``.

    Raises
    ------
    DataError
        The column exists already, or no pair is ever treated.
    """
    if name in pairs.columns:
        raise DataError(f"there is a column {name!r} already; choose another name=….")
    starts = [policy.adoption(pairs[end], timing=timing) for end in ("origin", "destination")]
    treated = pairs["year"].to_numpy() >= np.maximum(*starts)
    if origins is not None:
        treated &= pairs["origin"].isin(list(origins)).to_numpy()
    if not treated.any():
        raise DataError(
            f"policy {policy.id!r} treats both ends of no pair in these years; check the regions "
            f"({', '.join(policy.treated_regions)}) and the years."
        )
    return pairs.assign(**{name: treated.astype(int)})


def require_unique(flows: pd.DataFrame, columns: Sequence[str] = ()) -> None:
    """Refuse flows without their columns or with a second row for a pair and year.

    Raises
    ------
    DataError
        As described.
    """
    for name in (*KEYS, *columns):
        if name not in flows.columns:
            raise DataError(f"the flows have no column {name!r}.")
    repeated = flows.duplicated(KEYS)
    if repeated.any():
        o, d, year = (flows[key][repeated].iloc[0] for key in KEYS)
        raise DataError(
            f"there are two rows for {o} to {d} in {year}; add them up, or take one industry."
        )
