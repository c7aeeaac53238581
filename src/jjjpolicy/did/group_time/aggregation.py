"""Averages of group-time effects: overall, by group, by calendar period and by event time.

Every average is linear in the group-time effects given the cohorts' shares; its influence function
adds a term for the estimation of these shares (Callaway and Sant'Anna 2021, section 3.2 and
corollary 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from jjjpolicy.errors import DesignError

if TYPE_CHECKING:
    from jjjpolicy.did.cohorts.influence import Influence
    from jjjpolicy.did.group_time.effects import GroupTimeEffects
    from jjjpolicy.linalg.types import Booleans, Floats

Kind = Literal["simple", "group", "calendar", "event"]
LEVEL_NAMES = {"group": "group", "calendar": "period", "event": "event_time"}
ESTIMANDS = {
    "simple": "average of post-treatment group-time effects, weighted by cohort size",
    "group": "average over treated units of their cohort's mean effect",
    "calendar": "average over treated periods of the mean effect in the period",
    "event": "average over event times from 0 on of the mean effect at the event time",
}


@dataclass(frozen=True)
class Window:
    """Which group-time effects enter an average.

    Attributes
    ----------
    balance : int, optional
        Only cohorts observed for at least this many periods after adoption, and event times up to
        it; before adoption as far back as the latest of these cohorts can be observed.
    first, last : int, optional
        First and last event time.
    """

    balance: int | None = None
    first: int | None = None
    last: int | None = None

    def chosen(self, effects: GroupTimeEffects) -> Booleans:
        """Mask of the group-time effects that enter."""
        event = effects.event_times
        kept: Booleans = np.ones(len(event), dtype=bool)
        if self.balance is not None:
            horizon = int(effects.periods.max())
            earliest = self.balance - horizon + int(effects.periods.min())
            kept = (horizon - effects.groups >= self.balance) & (event <= self.balance)
            kept &= event >= earliest
        if self.first is not None:
            kept &= event >= self.first
        if self.last is not None:
            kept &= event <= self.last
        return kept


@dataclass(frozen=True, eq=False)
class Combination:
    """Linear combinations of group-time effects.

    Attributes
    ----------
    labels : ndarray, shape (averages,)
    cells : ndarray, shape (group-time effects, averages)
        Weights of the effects.
    cohorts : ndarray, shape (cohorts, averages)
        Derivative of the averages with respect to the cohorts' shares.
    """

    labels: Floats
    cells: Floats
    cohorts: Floats

    def estimates(self, effects: GroupTimeEffects) -> Floats:
        """Values of the averages."""
        values: Floats = effects.estimates @ self.cells
        return values

    def influence(self, effects: GroupTimeEffects) -> Influence:
        """Influence functions of the averages."""
        return effects.influence_of(self.cells, self.cohorts)

    def estimated(self, effects: GroupTimeEffects) -> Booleans:
        """Averages of which some part is not zero by definition."""
        estimated: Booleans = (self.cells[~effects.reference] != 0).any(axis=0)
        return estimated

    def regression_details(self, effects: GroupTimeEffects) -> dict[str, Any]:
        """The regression and its contrasts, for variance estimators that take it apart."""
        if effects.regression is None:
            return {}
        fit = effects.regression.fit
        if fit is None:
            counted = effects.regression.observations, effects.regression.parameters
            return {"small_sample": (counted,)}
        contrasts = np.zeros((len(self.labels), len(fit.coefficients)))
        coefficients = self.cells[~effects.reference]
        contrasts[:, : len(coefficients)] = coefficients.T
        return {"regression": fit, "contrasts": contrasts}

    def only(self, chosen: Booleans) -> Combination:
        """Some of the averages."""
        return Combination(self.labels[chosen], self.cells[:, chosen], self.cohorts[:, chosen])

    def without_overall(self) -> Combination:
        """All averages but the first."""
        return self.only(np.arange(len(self.labels)) > 0)

    def joined(self, other: Combination) -> Combination:
        """Both, one after the other."""
        return Combination(
            labels=np.concatenate([self.labels, other.labels]),
            cells=np.concatenate([self.cells, other.cells], axis=1),
            cohorts=np.concatenate([self.cohorts, other.cohorts], axis=1),
        )


def require_kind(kind: str) -> None:
    """Raise a `DesignError` for an average that does not exist."""
    if kind not in ESTIMANDS:
        raise DesignError(
            f"aggregate({kind!r}) is unknown; choose 'simple', 'group', 'calendar' or 'event'."
        )


def combine(effects: GroupTimeEffects, kind: Kind, window: Window) -> Combination:
    """The overall average of a kind, followed by its averages by level.

    Parameters
    ----------
    effects : GroupTimeEffects
    kind : {"simple", "group", "calendar", "event"}
    window : Window

    Raises
    ------
    DesignError
        A balanced window for another kind than event time, or no effect from adoption on within
        the window.
    """
    if window.balance is not None and kind != "event":
        raise DesignError(
            f"balance= keeps the same cohorts at every event time; it has no meaning for "
            f"aggregate({kind!r}). Use aggregate('event', balance={window.balance})."
        )
    chosen = window.chosen(effects)
    treated = chosen & (effects.event_times >= 0)
    if not treated.any():
        raise DesignError(
            f"no group-time effect from adoption on lies in the window {window}; event times run "
            f"from {effects.event_times.min():g} to {effects.event_times.max():g}."
        )
    if kind == "simple":
        return _by_size(effects, np.array([np.nan]), treated[None])
    if kind == "event":
        levels = _levels(effects, effects.event_times, chosen)
        return _mean_of(levels, levels.labels >= 0).joined(levels)
    if kind == "calendar":
        levels = _levels(effects, effects.periods.astype(float), treated)
        return _mean_of(levels, np.ones(len(levels.labels), dtype=bool)).joined(levels)
    return _by_group(effects, treated)


def _by_size(effects: GroupTimeEffects, labels: Floats, chosen: Booleans) -> Combination:
    """Averages weighted by size, each of the effects in a row of ``chosen``."""
    sizes = np.where(chosen, effects.sizes, 0.0)
    total = sizes.sum(axis=1, keepdims=True)
    cells = sizes / total
    cohorts = np.zeros((len(labels), len(effects.cohorts)))
    if effects.observations is None:
        averages = cells @ effects.estimates
        deviations = np.where(chosen, effects.estimates - averages[:, None], 0.0) / total
        own = effects.positions[:, None] == np.arange(len(effects.cohorts))
        cohorts = deviations @ own.astype(float)
    return Combination(labels, cells.T, cohorts.T)


def _levels(effects: GroupTimeEffects, labels: Floats, chosen: Booleans) -> Combination:
    values = np.unique(labels[chosen])
    return _by_size(effects, values, chosen & (labels == values[:, None]))


def _by_group(effects: GroupTimeEffects, treated: Booleans) -> Combination:
    positions = np.unique(effects.positions[treated])
    members = treated[:, None] & (effects.positions[:, None] == positions)
    cells = members * effects.sizes[:, None]
    cells /= cells.sum(axis=0)
    total = effects.shares[positions].sum()
    shares = effects.shares[positions] / total
    cohorts = np.zeros((len(effects.cohorts), 1 + len(positions)))
    if effects.observations is None:
        by_group = effects.estimates @ cells
        cohorts[positions, 0] = (by_group - shares @ by_group) / total
    return Combination(
        labels=np.array([np.nan, *effects.cohorts[positions]]),
        cells=np.column_stack([cells @ shares, cells]),
        cohorts=cohorts,
    )


def _mean_of(levels: Combination, members: Booleans) -> Combination:
    share = members / members.sum()
    return Combination(
        labels=np.array([np.nan]),
        cells=(levels.cells @ share)[:, None],
        cohorts=(levels.cohorts @ share)[:, None],
    )
