"""How much each unit is exposed to the treatment of others: by distance, by adjacency, or as given.

An exposure turns a design into numbers, units × periods: a weighted sum of the treatments of the
other units. Its classes hold what the weights are made of.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.design.intake import quoted
from jjjpolicy.errors import DesignError
from jjjpolicy.registry.geography import great_circle_km

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats


class Exposure(ABC):
    r"""Exposure of unit i in period t: :math:`S_{it} = \sum_{j \ne i} w_{ij} D_{jt}`."""

    @abstractmethod
    def weights(self, design: Design) -> Floats:
        """How much each unit (row) is exposed to each other one (column) if that is treated.

        Shape (units, units), zero or more, zeros on the diagonal.

        Raises
        ------
        DesignError
            What the weights are made of does not match the units of the design.
        """

    def of(self, design: Design) -> Floats:
        """Exposure of every unit in every period, shape (units, periods)."""
        treated = design.treated
        exposure: Floats = self.weights(design)[:, treated] @ design.treatment[treated].astype(
            float
        )
        return exposure

    def __repr__(self) -> str:
        options = {item.name: getattr(self, item.name) for item in fields(self)}  # type: ignore[arg-type]
        shown = (
            f"{name}={digest(value) if isinstance(value, pd.DataFrame) else repr(value)}"
            for name, value in options.items()
            if value is not None
        )
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True, eq=False, repr=False)
class ExposureMatrix(Exposure):
    """Weights as given: trade, migration, ownership, or any other tie between units.

    Parameters
    ----------
    matrix : DataFrame
        Row i, column j: how much unit i is exposed when j is treated. Rows and columns are labelled
        by unit; further units may be in it.
    """

    matrix: pd.DataFrame

    def weights(self, design: Design) -> Floats:
        """The rows and columns of the design's units."""
        return _without_self(design, self.matrix, "matrix")


@dataclass(frozen=True, eq=False, repr=False)
class ShareOfNeighbours(Exposure):
    """Share of a unit's neighbours that are treated.

    Parameters
    ----------
    adjacency : DataFrame
        Not zero where two units touch, rows and columns labelled by unit. Neighbours that are not
        in the design do not count; a unit without neighbours is never exposed.
    """

    adjacency: pd.DataFrame

    def weights(self, design: Design) -> Floats:
        """One over the number of neighbours, for each neighbour."""
        touching = (_without_self(design, self.adjacency, "adjacency") > 0).astype(float)
        shares: Floats = touching / np.maximum(touching.sum(axis=1, keepdims=True), 1)
        return shares


@dataclass(frozen=True, eq=False, repr=False)
class ExponentialDecay(Exposure):
    r"""Exposure that falls with distance d as :math:`e^{-d/scale}`, summed over treated units.

    Parameters
    ----------
    scale : float
        Distance over which exposure falls to 37%.
    cutoff : float, optional
        Distance beyond which there is none.
    distances : DataFrame, optional
        Between units, rows and columns labelled by unit, in the unit of measure of ``scale``.
        Great-circle distances in km from the coordinates of the design by default.
    """

    scale: float
    cutoff: float | None = None
    distances: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        _require_positive(scale=self.scale, cutoff=self.cutoff)

    def weights(self, design: Design) -> Floats:
        """Exponentials of minus the distances within the cutoff."""
        away = distances_between(design, self.distances, type(self).__name__)
        return _within(away, np.exp(-away / self.scale), self.cutoff)


@dataclass(frozen=True, eq=False, repr=False)
class InverseDistance(Exposure):
    r"""Exposure that falls with distance d as :math:`d^{-power}`, summed over treated units.

    Parameters
    ----------
    power : float
    cutoff : float, optional
        Distance beyond which there is none.
    distances : DataFrame, optional
        As in :class:`ExponentialDecay`.
    """

    power: float = 1.0
    cutoff: float | None = None
    distances: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        _require_positive(power=self.power, cutoff=self.cutoff)

    def weights(self, design: Design) -> Floats:
        """Inverse powers of the distances within the cutoff."""
        away = distances_between(design, self.distances, type(self).__name__)
        np.fill_diagonal(away, np.inf)
        if (away == 0).any():
            i, j = (int(k) for k in np.argwhere(away == 0)[0])
            raise DesignError(
                f"{quoted(design.units[i])} and {quoted(design.units[j])} are at the same place, "
                f"and an inverse distance is then infinite: use ExponentialDecay, or join them."
            )
        return _within(away, away**-self.power, self.cutoff)


def digest(table: pd.DataFrame) -> str:
    """What stands for a table in provenance: its size and the hash of its numbers."""
    values = np.ascontiguousarray(table.to_numpy(dtype=float))
    return f"{len(table)} units, sha256 {sha256(values.tobytes()).hexdigest()}"


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
        There are no coordinates either; units are absent from the table; negative or missing
        distances.
    """
    if distances is not None:
        return _looked_up(design, distances, "distances")
    if design.coordinates is None:
        raise DesignError(
            f"{method} needs to know who is near whom: build the design with "
            f"coordinates=(latitude, longitude), or give distances= (a DataFrame labelled by unit)."
        )
    return great_circle_km(design.coordinates, design.coordinates)


def distances_to_treated(
    design: Design,
    distances: pd.DataFrame | None,
    adjacency: pd.DataFrame | None,
    method: str = "SpilloverRings",
) -> Floats:
    """Distance of every unit to every unit that is ever treated; shape (units, treated).

    Parameters
    ----------
    design : Design
    distances : DataFrame, optional
        Units × units, in any unit of measure.
    adjacency : DataFrame, optional
        Units × units, true where two units touch; distances are then numbers of steps.
    method : str
        Who asks, for messages.

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
            f"{method} needs to know who is near whom: build the design with "
            f"coordinates=(latitude, longitude), or give distances= or adjacency= (DataFrames "
            f"labelled by unit)."
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


def _require_positive(**options: float | None) -> None:
    for name, value in options.items():
        if value is not None and not value > 0:
            raise DesignError(f"{name}={value} must be above zero.")


def _within(away: Floats, weights: Floats, cutoff: float | None) -> Floats:
    """Weights without those beyond the cutoff and those of units on themselves."""
    kept = weights if cutoff is None else np.where(away <= cutoff, weights, 0.0)
    np.fill_diagonal(kept, 0.0)
    return kept


def _without_self(design: Design, table: pd.DataFrame, name: str) -> Floats:
    """Weights from a table in which no unit may stand for its own neighbour."""
    values = _looked_up(design, table, name)
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


def _looked_up(design: Design, table: pd.DataFrame, name: str) -> Floats:
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
