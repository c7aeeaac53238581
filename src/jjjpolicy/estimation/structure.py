"""How effects spread beyond the treated: to named units, along links or with distance."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.design.intake import quoted
from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.options import Options
from jjjpolicy.estimation.pairs import described, distances_to_treated, without_self
from jjjpolicy.linalg.positions import positions_in

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats, Integers


class SpilloverStructure(Options, ABC):
    """Base of frozen dataclasses that say how effects spread: one column per effect to be found."""

    __repr__ = described

    @property
    def named(self) -> tuple[Hashable, ...]:
        """Units that are exposed whoever is treated; none where exposure follows from treatment."""
        return ()

    @abstractmethod
    def matrix(self, design: Design) -> Floats:
        """How much of each effect each unit receives; shape (units, effects).

        Rows of treated units have no meaning.

        Raises
        ------
        DesignError
            The structure does not match the units of the design.
        """

    def check(self, design: Design) -> None:
        """What is asked of the design of a fit, and not of each placebo.

        Raises
        ------
        DesignError
            An effect that no untreated unit receives.
        """
        empty = ~(self.matrix(design)[~design.treated] != 0).any(axis=0)
        if empty.any():
            raise DesignError(
                f"no untreated {design.labels.unit} is exposed to effect "
                f"{int(np.flatnonzero(empty)[0]) + 1} of {self!r}; look at its distances or links."
            )


@dataclass(frozen=True, repr=False)
class FreeEffects(SpilloverStructure):
    """An effect of its own for each named unit.

    Parameters
    ----------
    units : sequence
        Labels of untreated units.
    """

    units: Sequence[Hashable]

    @property
    def named(self) -> tuple[Hashable, ...]:
        """The units."""
        return tuple(self.units)

    def matrix(self, design: Design) -> Floats:
        """One column per unit."""
        found: Floats = np.eye(design.n_units)[:, positions(design, self.units)]
        return found

    def check(self, design: Design) -> None:
        """Units that are named twice, are treated, or are all that is not treated, are errors."""
        require_untreated(design, self.units)


@dataclass(frozen=True, repr=False)
class CommonEffect(SpilloverStructure):
    """One effect, the same for all named units.

    Parameters
    ----------
    units : sequence
        Labels of untreated units.
    """

    units: Sequence[Hashable]

    @property
    def named(self) -> tuple[Hashable, ...]:
        """The units."""
        return tuple(self.units)

    def matrix(self, design: Design) -> Floats:
        """One column."""
        found = np.zeros((design.n_units, 1))
        found[positions(design, self.units)] = 1.0
        return found

    def check(self, design: Design) -> None:
        """Units that are named twice, are treated, or are all that is not treated, are errors."""
        require_untreated(design, self.units)


@dataclass(frozen=True, repr=False)
class DistanceDecay(SpilloverStructure):
    r"""One effect that fades with distance: :math:`\sum_k e^{-d_{ik}/s}` over treated units k.

    Parameters
    ----------
    scale : float
        s, the distance over which an effect falls to 37%, in km or the unit of ``distances``.
    distances : DataFrame, optional
        Units × units; great-circle distances from the design's coordinates by default.
    """

    scale: float
    distances: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise DesignError(f"scale={self.scale} must be above zero.")

    def matrix(self, design: Design) -> Floats:
        """One column."""
        away = distances_to_treated(design, self.distances, type(self).__name__)
        received: Floats = np.exp(-away / self.scale).sum(axis=1, keepdims=True)
        return received


@dataclass(frozen=True, repr=False)
class Rings(SpilloverStructure):
    """An effect for each ring around the nearest treated unit.

    Parameters
    ----------
    edges : sequence of float
        Increasing outer edges, in km or the unit of ``distances``; an edge belongs to its ring.
    distances : DataFrame, optional
        As in :class:`DistanceDecay`.
    """

    edges: Sequence[float]
    distances: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        if not self.edges or self.edges[0] <= 0 or (np.diff(self.edges) <= 0).any():
            raise DesignError(f"edges={self.edges} must be above zero and increase.")

    def matrix(self, design: Design) -> Floats:
        """One column per ring."""
        away = distances_to_treated(design, self.distances, type(self).__name__)
        nearest = away.min(axis=1, initial=np.inf)[:, None]
        outer = np.array(self.edges)
        inner = np.append(-np.inf, outer[:-1])
        inside: Floats = ((nearest > inner) & (nearest <= outer)).astype(float)
        return inside


@dataclass(frozen=True, repr=False)
class Links(SpilloverStructure):
    """One effect in proportion to a unit's links with treated units.

    Parameters
    ----------
    table : DataFrame
        Units × units, the row exposed to the column: 0 and 1 for borders, shares of trade or of
        commuters for weaker and stronger links.
    """

    table: pd.DataFrame

    def matrix(self, design: Design) -> Floats:
        """One column, the sum over treated units."""
        linked = without_self(design, self.table, "table")[:, design.treated]
        received: Floats = linked.sum(axis=1, keepdims=True)
        return received


def positions(design: Design, units: Sequence[Hashable]) -> Integers:
    """Rows of named units.

    Raises
    ------
    DesignError
        A unit is not in the design.
    """
    found = positions_in(design.units, pd.Index(list(units), dtype=object))
    absent = [unit for unit, row in zip(units, found, strict=True) if row < 0]
    if absent:
        shown = ", ".join(map(quoted, absent[:5]))
        known = ", ".join(map(quoted, design.units[:5]))
        raise DesignError(
            f"there is no {design.labels.unit} {shown} in the design (it has {known}, …); look at "
            f"design.ledger, which lists what was left out, and at how the labels are written."
        )
    return found


def require_untreated(design: Design, units: Sequence[Hashable]) -> None:
    """Raise a `DesignError` unless the units are some, but not all, of the untreated ones."""
    if not len(units):
        raise DesignError(
            f"no affected unit is named; give a list of at least one label, e.g. "
            f"[{quoted(design.units[~design.treated][0])}]."
        )
    rows = positions(design, units)
    own = design.labels.unit
    twice = [unit for unit in dict.fromkeys(units) if list(units).count(unit) > 1]
    treated = [quoted(design.units[row]) for row in rows if design.treated[row]]
    if twice:
        raise DesignError(f"{own} {quoted(twice[0])} is named twice among the affected units.")
    if treated:
        raise DesignError(
            f"{own} {', '.join(treated)} is treated and cannot be among the affected units; its "
            f"effect is estimated anyway, leave it out of the list."
        )
    if len(rows) >= int((~design.treated).sum()):
        raise DesignError(
            f"all {len(rows)} untreated {own}s are named as affected, so that nothing shows what "
            f"would have happened without treatment; keep at least one unaffected {own} in the "
            f"panel, or let effects fade with distance (DistanceDecay)."
        )
