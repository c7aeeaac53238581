"""How much each unit is exposed to the treatment of others: by distance, by adjacency, or as given.

An exposure turns a design into numbers, units × periods: a weighted sum of the treatments of the
other units. Its classes hold what the weights are made of.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.design.intake import quoted
from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.options import Options
from jjjpolicy.estimation.pairs import described, distances_between, without_self

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats


class Exposure(Options, ABC):
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

    __repr__ = described


@dataclass(frozen=True, repr=False)
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
        return without_self(design, self.matrix, "matrix")


@dataclass(frozen=True, repr=False)
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
        touching = (without_self(design, self.adjacency, "adjacency") > 0).astype(float)
        shares: Floats = touching / np.maximum(touching.sum(axis=1, keepdims=True), 1)
        return shares


@dataclass(frozen=True, repr=False)
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


@dataclass(frozen=True, repr=False)
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
        """Inverse powers of the distances within the cutoff.

        Raises
        ------
        DesignError
            Distances are unknown or zero between different units.
        """
        away = distances_between(design, self.distances, type(self).__name__)
        np.fill_diagonal(away, np.inf)
        if (away == 0).any():
            i, j = (int(k) for k in np.argwhere(away == 0)[0])
            raise DesignError(
                f"{quoted(design.units[i])} and {quoted(design.units[j])} are at the same place, "
                f"and an inverse distance is then infinite: use ExponentialDecay, or join them."
            )
        return _within(away, away**-self.power, self.cutoff)


def _require_positive(**options: float | None) -> None:
    for name, value in options.items():
        if value is not None and not value > 0:
            raise DesignError(f"{name}={value} must be above zero.")


def _within(away: Floats, weights: Floats, cutoff: float | None) -> Floats:
    """Weights without those beyond the cutoff and those of units on themselves."""
    kept = weights if cutoff is None else np.where(away <= cutoff, weights, 0.0)
    np.fill_diagonal(kept, 0.0)
    return kept
