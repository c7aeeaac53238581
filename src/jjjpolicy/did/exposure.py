"""How far each unit is from treatment in each period: distances, adjacency and rings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.design.intake import quoted
from jjjpolicy.errors import DesignError
from jjjpolicy.registry.geography import great_circle_km

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats


def distances_to_treated(
    design: Design, distances: pd.DataFrame | None, adjacency: pd.DataFrame | None
) -> Floats:
    """Distance of every unit to every unit that is ever treated; shape (units, treated).

    Parameters
    ----------
    design : Design
    distances : DataFrame, optional
        Units × units, in any unit of measure.
    adjacency : DataFrame, optional
        Units × units, true where two units touch; distances are then numbers of steps.

    Raises
    ------
    DesignError
        Both or, without coordinates, neither is given; units are absent from the table; negative or
        missing distances.
    """
    if distances is not None and adjacency is not None:
        raise DesignError("give distances= or adjacency=, not both.")
    if distances is not None:
        return _looked_up(design, distances, "distances")[:, design.treated]
    if adjacency is not None:
        return _steps(design, adjacency)[:, design.treated]
    if design.coordinates is None:
        raise DesignError(
            "SpilloverRings needs to know who is near whom: build the design with "
            "coordinates=(latitude, longitude), or give distances= or adjacency= (DataFrames "
            "labelled by unit)."
        )
    return great_circle_km(design.coordinates, design.coordinates[design.treated])


def nearest_treated(design: Design, distances: Floats) -> Floats:
    """Distance to the nearest unit treated by then, ``inf`` before any; shape (units, periods).

    A unit does not count as near itself.
    """
    treated = np.flatnonzero(design.treated)
    away = distances.copy()
    away[treated, np.arange(len(treated))] = np.inf
    nearest = np.full((design.n_units, design.n_periods), np.inf)
    for cohort in design.cohorts:
        since = design.periods >= cohort
        own = away[:, design.adoption[treated] == cohort].min(axis=1)
        nearest[:, since] = np.minimum(nearest[:, since], own[:, None])
    return nearest


def _looked_up(design: Design, table: pd.DataFrame, name: str) -> Floats:
    for axis, labels in (("row", table.index), ("column", table.columns)):
        absent = design.units[~design.units.isin(labels)]
        if len(absent):
            shown = ", ".join(map(quoted, absent[:3]))
            raise DesignError(
                f"{name}= has no {axis} for {design.labels.unit} {shown}"
                f"{', …' if len(absent) > 3 else ''}; label rows and columns by unit."
            )
        if not labels.is_unique:
            raise DesignError(f"{name}= has a {axis} label twice; label each unit once.")
    values: Floats = table.loc[design.units, design.units].to_numpy(dtype=float)
    if np.isnan(values).any() or (values < 0).any():
        i, j = (int(k) for k in np.argwhere(np.isnan(values) | (values < 0))[0])
        raise DesignError(
            f"{name}= is {values[i, j]:g} between {quoted(design.units[i])} and "
            f"{quoted(design.units[j])}; it must be zero or more."
        )
    return values


def _steps(design: Design, adjacency: pd.DataFrame) -> Floats:
    """Fewest borders to cross between units, through units outside of the design as well."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import shortest_path

    _looked_up(design, adjacency, "adjacency")
    square = adjacency.loc[:, adjacency.index]
    touching = csr_array(square.to_numpy(dtype=float) != 0)
    steps = shortest_path(touching, directed=False, unweighted=True)
    rows = adjacency.index.get_indexer(design.units)
    result: Floats = steps[np.ix_(rows, rows)]
    return result
