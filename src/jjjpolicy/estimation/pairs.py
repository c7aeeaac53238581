"""Tables of pairs of units: distances, borders and links, read in the order of a design."""

from __future__ import annotations

from dataclasses import fields
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.design.intake import quoted
from jjjpolicy.errors import DesignError
from jjjpolicy.registry.geography import great_circle_km

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats


def looked_up(design: Design, table: pd.DataFrame, name: str) -> Floats:
    """Entries of a units × units table in the order of the design; an array of one's own.

    Parameters
    ----------
    design : Design
    table : DataFrame
        Rows and columns labelled by unit; further units may be in it.
    name : str
        The option that it was given for, for messages.

    Raises
    ------
    DesignError
        No table with labels; a unit without a row or column; a label twice; entries that are no
        numbers, missing or negative.
    """
    if not isinstance(table, pd.DataFrame):
        raise DesignError(
            f"{name}= is of type {type(table).__name__}, and an array does not say which row is "
            f"whose: give a DataFrame with rows and columns labelled by unit."
        )
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
    try:
        values: Floats = table.loc[design.units, design.units].to_numpy(dtype=float, copy=True)
    except (TypeError, ValueError) as error:
        raise DesignError(f"{name}= holds what is no number: {error}.") from error
    if np.isnan(values).any() or (values < 0).any():
        i, j = (int(k) for k in np.argwhere(np.isnan(values) | (values < 0))[0])
        raise DesignError(
            f"{name}= is {values[i, j]:g} between {quoted(design.units[i])} and "
            f"{quoted(design.units[j])}; it must be zero or more."
        )
    return values


def without_self(design: Design, table: pd.DataFrame, name: str) -> Floats:
    """Entries of a table in which no unit may stand for its own neighbour.

    Raises
    ------
    DesignError
        As :func:`looked_up`; an entry on the diagonal that is not zero.
    """
    values = looked_up(design, table, name)
    own = np.flatnonzero(values.diagonal())
    if len(own):
        i = int(own[0])
        what = f"treated {design.labels.unit}" if design.treated[i] else design.labels.unit
        raise DesignError(
            f"{name}= makes {what} {quoted(design.units[i])} its own neighbour "
            f"({values[i, i]:g} on the diagonal). What its own treatment does to a unit is the "
            f"direct effect: set the diagonal to zero."
        )
    return values


def distances_between(design: Design, distances: pd.DataFrame | None, method: str) -> Floats:
    """Distances between all units, shape (units, units); an array of one's own.

    Parameters
    ----------
    design : Design
    distances : DataFrame, optional
        Units × units; great-circle distances in km from coordinates without it.
    method : str
        Who asks, for messages.

    Raises
    ------
    DesignError
        There are no coordinates either; what :func:`looked_up` refuses.
    """
    if distances is not None:
        return looked_up(design, distances, "distances")
    places = _places(design, method)
    return great_circle_km(places, places)


def distances_to_treated(design: Design, distances: pd.DataFrame | None, method: str) -> Floats:
    """Distance of every unit to every unit that is ever treated; shape (units, treated).

    Parameters and errors as for :func:`distances_between`.
    """
    if distances is not None:
        return looked_up(design, distances, "distances")[:, design.treated]
    places = _places(design, method)
    return great_circle_km(places, places[design.treated])


def steps_between(design: Design, adjacency: pd.DataFrame) -> Floats:
    """Fewest borders to cross between units, through units outside of the design as well.

    Shape (units, units), ``inf`` where there is no way.

    Parameters
    ----------
    design : Design
    adjacency : DataFrame
        Not zero where two units touch, rows and columns labelled by unit.

    Raises
    ------
    DesignError
        As :func:`looked_up`.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import shortest_path

    looked_up(design, adjacency, "adjacency")
    square = adjacency.loc[:, adjacency.index]
    touching = csr_array(square.to_numpy(dtype=float) != 0)
    fewest = shortest_path(touching, directed=False, unweighted=True)
    rows = adjacency.index.get_indexer(design.units)
    result: Floats = fewest[np.ix_(rows, rows)]
    return result


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


def digest(table: pd.DataFrame) -> str:
    """What stands for a table in provenance: its size and the hash of its numbers."""
    values = np.ascontiguousarray(table.to_numpy(dtype=float))
    return f"{len(table)} units, sha256 {sha256(values.tobytes()).hexdigest()}"


def described(options: Any) -> str:
    """A frozen dataclass as it is written, without options that are None, tables by digest."""
    given = {item.name: getattr(options, item.name) for item in fields(options)}
    shown = (
        f"{name}={digest(value) if isinstance(value, pd.DataFrame) else repr(value)}"
        for name, value in given.items()
        if value is not None
    )
    return f"{type(options).__name__}({', '.join(shown)})"


def _places(design: Design, method: str) -> Floats:
    if design.coordinates is None:
        raise DesignError(
            f"{method} needs to know who is near whom: build the design with "
            f"coordinates=(latitude, longitude), or give distances= (a DataFrame labelled by unit)."
        )
    return design.coordinates
