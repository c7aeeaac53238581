"""The arrays of a design: their shape, groups, and variations of them.

They are known to be sound: all checking of input happens where a design is built.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jjjpolicy.design.clock import NUMBERS, Clock
from jjjpolicy.design.ledger import Ledger
from jjjpolicy.errors import DesignError
from jjjpolicy.linalg.brief import ShownAsHTML, brief
from jjjpolicy.linalg.types import Booleans, Floats, Integers

Built = TypeVar("Built", bound="Arrays")
"""The class that a design is built as: the intake knows its arrays only."""


@dataclass(frozen=True, repr=False)
class Labels:
    """What the columns of a design are called, for messages, tables and figures."""

    outcome: str
    unit: str
    time: str
    outcome_en: str = ""
    outcome_zh: str = ""
    unit_names_en: Mapping[Hashable, str] = field(default_factory=dict)
    unit_names_zh: Mapping[Hashable, str] = field(default_factory=dict)
    clock: Clock = NUMBERS

    __repr__ = brief

    def outcome_in(self, language: str) -> str:
        """Name of the outcome in ``"en"`` or ``"zh"``; the column's name where none was given."""
        return (self.outcome_zh if language == "zh" else self.outcome_en) or self.outcome

    def unit_in(self, unit: Hashable, language: str) -> str:
        """Name of a unit in ``"en"`` or ``"zh"``; its own label where none was given."""
        names = self.unit_names_zh if language == "zh" else self.unit_names_en
        return names.get(unit, str(unit))


@dataclass(frozen=True, eq=False)
class Arrays(ShownAsHTML):
    """What a :class:`jjjpolicy.Design` holds, which describes it."""

    outcome: Floats
    units: pd.Index
    periods: Integers
    adoption: Floats
    labels: Labels
    assigned_at: str
    assignment: Integers
    switching: Booleans | None = None
    covariates: Mapping[str, Floats] = field(default_factory=dict)
    predictors: Mapping[str, Floats] = field(default_factory=dict)
    weights: Floats | None = None
    clusters: Mapping[str, Integers] = field(default_factory=dict)
    coordinates: Floats | None = None
    stands_for: Floats | None = None
    late: Booleans | None = None
    left_out: Ledger = field(default_factory=Ledger)
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def period_names(self) -> list[int | str]:
        """What the periods are called: 2019, or 2019Q4."""
        return self.labels.clock.names(self.periods)

    @property
    def n_units(self) -> int:
        return len(self.units)

    @property
    def n_periods(self) -> int:
        return len(self.periods)

    @cached_property
    def observed(self) -> Booleans:
        """Cells with an observation, shape (units, periods)."""
        return ~np.isnan(self.outcome)

    @cached_property
    def n_observations(self) -> int:
        if self.stands_for is not None:
            return round(float(self.stands_for @ self.observed.sum(axis=1)))
        return self.n_units * self.n_periods if self.balanced else int(self.observed.sum())

    def count(self, rows: Booleans | None = None) -> int:
        """Number of units that the rows, or some of them, stand for."""
        if self.stands_for is None:
            return self.n_units if rows is None else int(rows.sum())
        return round(float(self.stands_for.sum() if rows is None else self.stands_for[rows].sum()))

    def count_clusters(self, codes: Integers, rows: Booleans | None = None) -> int:
        """Number of clusters that the rows, or some of them, stand for."""
        own = self.stands_for is None or self.influence_scale is not None
        if own and int(codes.max()) + 1 == self.n_units:
            return self.count(rows)
        return int(np.count_nonzero(np.bincount(codes if rows is None else codes[rows])))

    @cached_property
    def influence_scale(self) -> Floats | None:
        r"""Factor of the influence functions of rows that stand for several clusters.

        The influence function of a row that stands for s independent units is s times that of one
        of them, and the sum of their squares s times its square: :math:`1/\sqrt s`. None where
        each row lies in one cluster.
        """
        if self.stands_for is None or self.assigned_at != self.labels.unit:
            return None
        return 1 / np.sqrt(self.stands_for)

    @cached_property
    def balanced(self) -> bool:
        """Whether every unit is observed in every period."""
        return not bool(np.isnan(self.outcome.sum()))

    @cached_property
    def repeated_cross_sections(self) -> bool:
        """Whether every unit is observed once, so that no change of a unit is seen."""
        return not self.balanced and int(self.observed.sum(axis=1).max()) == 1

    @property
    def absorbing(self) -> bool:
        """Whether treatment stays on once it is on."""
        return self.switching is None

    @cached_property
    def treated(self) -> Booleans:
        """Units that are treated in some period, shape (units,)."""
        return np.isfinite(self.adoption)

    @cached_property
    def treatment(self) -> Booleans:
        """Treated cells, shape (units, periods)."""
        if self.switching is not None:
            return self.switching
        treated: Booleans = self.periods[None, :] >= self.adoption[:, None]
        return treated

    @cached_property
    def cohorts(self) -> Floats:
        """Distinct finite adoption periods, increasing."""
        return np.unique(self.adoption[self.treated])

    @cached_property
    def cohort_codes(self) -> tuple[Floats, Integers]:
        """Distinct adoption values (``inf`` last) and the position of each unit among them."""
        values, codes = np.unique(self.adoption, return_inverse=True)
        return values, codes.astype(np.int64)

    @property
    def ledger(self) -> pd.DataFrame:
        """Every unit, period and cell that was left out, and why."""
        return self.left_out.frame(self.labels.clock)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the numbers and labels that estimation uses, numbers to 27 bits.

        The last bits of a logarithm differ between processors; the fingerprint does not.
        """
        digest = hashlib.sha256()
        arrays: list[NDArray[Any]] = [self.outcome, self.periods, self.adoption, self.assignment]
        arrays += [values for _, values in sorted(self.covariates.items())]
        arrays += [values for _, values in sorted(self.predictors.items())]
        arrays += [codes for _, codes in sorted(self.clusters.items())]
        given = (self.switching, self.weights, self.coordinates, self.stands_for)
        arrays += [array for array in given if array is not None]
        for array in arrays:
            mantissa, exponent = np.frexp(array.astype(float))
            digest.update(np.rint(mantissa * 2**27).tobytes())
            digest.update(exponent.tobytes())
        digest.update("\x1f".join(map(str, self.units)).encode())
        return digest.hexdigest()

    # ------------------------------------------------------------------ variations
    def reassigned(self, adoption: Floats) -> Self:
        """The same panel under another assignment; used by resampling, does not check."""
        adoption = np.asarray(adoption, dtype=float)
        return replace(self, adoption=adoption, switching=None, late=None)

    def with_outcome(self, outcome: Floats) -> Self:
        """The same design with other outcome values of the same shape; does not check."""
        return replace(self, outcome=outcome)

    def with_effect(self, effect: float) -> Self:
        """The same panel with a constant effect added in the treated cells; does not check."""
        return self if effect == 0 else self.with_outcome(self.outcome + effect * self.treatment)

    def for_outcome(self, name: str) -> Self:
        """The same design for another of its variables, with which the outcome changes places.

        Parameters
        ----------
        name : str
            A covariate or predictor; the outcome takes its place among them.

        Raises
        ------
        DesignError
            The design has no such variable.
        """
        if name == self.labels.outcome:
            return self
        covariates, predictors = dict(self.covariates), dict(self.predictors)
        table = covariates if name in covariates else predictors
        if name not in table:
            known = ", ".join(map(repr, [*covariates, *predictors])) or "none"
            raise DesignError(
                f"the design has no variable {name!r} to take as the outcome (there are: {known}); "
                f"build it with covariates=[{name!r}]."
            )
        values = table.pop(name)
        table[self.labels.outcome] = self.outcome
        return replace(
            self,
            outcome=values,
            labels=replace(self.labels, outcome=name, outcome_en="", outcome_zh=""),
            covariates=covariates,
            predictors=predictors,
        )

    def keep_units(self, keep: Booleans, reason: str) -> Self:
        """The design without some units; the ledger gains a line for each."""
        dropped = self.units[~keep]
        return replace(
            self,
            outcome=self.outcome[keep],
            units=self.units[keep],
            adoption=self.adoption[keep],
            assignment=_dense(self.assignment[keep]),
            switching=None if self.switching is None else self.switching[keep],
            covariates={name: values[keep] for name, values in self.covariates.items()},
            predictors={name: values[keep] for name, values in self.predictors.items()},
            weights=None if self.weights is None else self.weights[keep],
            clusters={name: _dense(codes[keep]) for name, codes in self.clusters.items()},
            coordinates=None if self.coordinates is None else self.coordinates[keep],
            stands_for=None if self.stands_for is None else self.stands_for[keep],
            late=None if self.late is None else self.late[keep],
            left_out=self.left_out.with_units(dropped, reason),
        )

    def keep_periods(self, keep: Booleans, reason: str) -> Self:
        """The design without some periods; the ledger gains a line for each."""
        return replace(
            self,
            outcome=self.outcome[:, keep],
            periods=self.periods[keep],
            switching=None if self.switching is None else self.switching[:, keep],
            covariates={name: values[:, keep] for name, values in self.covariates.items()},
            predictors={name: values[:, keep] for name, values in self.predictors.items()},
            left_out=self.left_out.with_periods(self.periods[~keep], reason),
        )

    def cluster_codes(self, level: str | None = None) -> Integers:
        """Codes of the clusters at a named level; the level of assignment by default.

        Raises
        ------
        DesignError
            ``level`` is not the unit, the level of assignment or a column given as ``clusters``.
        """
        if level is None or level == self.assigned_at:
            return self.assignment
        if level == self.labels.unit and self.stands_for is not None:
            raise DesignError(
                f"the rows of this design are sums over all {level}s of one {self.assigned_at}; "
                f"build it with from_frame to cluster by {level}."
            )
        if level == self.labels.unit:
            return np.arange(self.n_units, dtype=np.int64)
        if level in self.clusters:
            return self.clusters[level]
        known = [self.labels.unit, self.assigned_at, *self.clusters]
        raise DesignError(
            f"there is no cluster level {level!r}; this design knows {', '.join(map(repr, known))}."
            f" Pass clusters=[{level!r}] when building the design."
        )


def _dense(codes: Integers) -> Integers:
    """Codes without gaps: the number of clusters is the largest code plus one."""
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
