"""A design: which outcome is compared between which units, and who is treated from when on.

All checking of input happens here, once. Estimators receive arrays that are known to be sound.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jjjpolicy import intake
from jjjpolicy.errors import DesignError
from jjjpolicy.ledger import Ledger

if TYPE_CHECKING:
    from jjjpolicy.panel import Panel
    from jjjpolicy.policy import Policy, Timing

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Labels:
    """What the columns of a design are called, for messages, tables and figures."""

    outcome: str
    unit: str
    time: str
    outcome_en: str = ""
    outcome_zh: str = ""
    unit_names_en: Mapping[Hashable, str] = field(default_factory=dict)
    unit_names_zh: Mapping[Hashable, str] = field(default_factory=dict)

    def outcome_in(self, language: str) -> str:
        """Name of the outcome in ``"en"`` or ``"zh"``; the column's name where none was given."""
        return (self.outcome_zh if language == "zh" else self.outcome_en) or self.outcome

    def unit_in(self, unit: Hashable, language: str) -> str:
        """Name of a unit in ``"en"`` or ``"zh"``; its own label where none was given."""
        names = self.unit_names_zh if language == "zh" else self.unit_names_en
        return names.get(unit, str(unit))


@dataclass(frozen=True, eq=False)
class Design:
    """Outcome, adoption and everything else that an estimator needs, as arrays.

    Build one with :meth:`from_frame` or :meth:`from_policy`; the constructor does not check.

    Units that are treated in every period in which they are observed have no change from before to
    after treatment, and their outcome is no untreated one to compare with: they are left out, with
    a warning and a line in the ledger. (With unit effects in a regression such a unit is the same
    as a never-treated one; code it so, ``adoption`` 0, to have it in the regression on purpose.)

    Attributes
    ----------
    outcome : ndarray, shape (units, periods)
        The outcome in its own unit of measure. ``nan`` marks an absent row of an unbalanced panel.
    units : Index, shape (units,)
    periods : ndarray of int, shape (periods,)
        Strictly increasing; gaps between periods are allowed.
    adoption : ndarray, shape (units,)
        First treated period, ``inf`` for never-treated units.
    labels : Labels
    switching : ndarray of bool, shape (units, periods), optional
        The treatment itself where it may switch off (``absorbing=False``).
    covariates : dict of str to ndarray, shape (units, periods)
    predictors : dict of str to ndarray, shape (units, periods)
        What synthetic controls match on; ``nan`` where a cell has no value.
    weights : ndarray, shape (units,), optional
        Observation weights, constant within a unit.
    clusters : dict of str to ndarray of int, shape (units,)
        Cluster codes by column name.
    coordinates : ndarray, shape (units, 2), optional
        Latitude and longitude in degrees.
    stands_for : ndarray, shape (units,), optional
        How many units each row stands for (:meth:`from_parquet`), which ``weights`` then contain.
    assigned_at : str
        The level at which treatment was assigned: the unit unless a coarser column was named.
    assignment : ndarray of int, shape (units,)
        Code of the assignment group of each unit.
    """

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
    left_out: Ledger = field(default_factory=Ledger)
    source: Mapping[str, Any] = field(default_factory=dict)

    # ------------------------------------------------------------------ construction
    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        unit: str | None,
        time: str,
        outcome: str,
        treatment: str | None = None,
        adoption: str | None = None,
        covariates: Sequence[str] = (),
        predictors: Sequence[str] = (),
        weights: str | None = None,
        clusters: str | Sequence[str] = (),
        coordinates: tuple[str, str] | None = None,
        assigned_at: str | None = None,
        absorbing: bool = True,
        window: tuple[int, int] | None = None,
        exclude: Iterable[Hashable] = (),
    ) -> Design:
        """Build a design from a tidy table with one row per unit and period.

        Parameters
        ----------
        frame : DataFrame
            Rows may come in any order. A (unit, period) pair may be absent (the panel is then
            unbalanced and the ledger lists the cell) but may not occur twice. A table in which
            every unit occurs once holds repeated cross-sections.
        unit, time, outcome : str
            Columns. Periods are integers (years, or a running number of quarters or months).
            ``unit=None`` makes every row a unit of its own, numbered from 0: repeated
            cross-sections, which need ``adoption``.
        treatment : str, optional
            Column of 0 and 1: treated in this period. Give either this or ``adoption``.
        adoption : str, optional
            Column with the unit's first treated period; 0, missing or infinite means never.
        covariates, clusters : sequence of str
        predictors : sequence of str
            Columns that synthetic controls match on; cells may be missing (see
            :class:`jjjpolicy.synth.Predictor`).
        weights : str, optional
            Positive, constant within a unit.
        coordinates : (str, str), optional
            Columns of latitude and longitude in degrees, constant within a unit.
        assigned_at : str, optional
            Column of the level at which treatment was assigned, if coarser than the unit. Every
            inference method resamples and clusters at this level unless told otherwise.
        absorbing : bool
            False keeps a treatment that switches off, for the estimators that allow it.
        window : (int, int), optional
            First and last period to use, both included.
        exclude : iterable
            Units to leave out; the ledger lists them.

        Raises
        ------
        DesignError
            Unknown columns, duplicate (unit, period) rows, missing, infinite or non-numeric values,
            periods that are not integers, fewer than two periods, treatment that switches off,
            no treated unit, no treated unit (in repeated cross-sections: cohort) with a
            pre-period, no control unit, repeated cross-sections without ``adoption``.

        Warns
        -----
        JJJPolicyWarning
            Treated units (cohorts) without a pre-period are left out; a zero in ``adoption`` is
            read as never treated although periods run from below zero to above.
        """
        if unit is None:
            frame, unit = intake.rows_as_units(frame)
        return intake.design_from_frame(
            cls,
            frame,
            intake.Columns(
                unit=unit,
                time=time,
                outcome=outcome,
                treatment=treatment,
                adoption=adoption,
                covariates=tuple(covariates),
                predictors=tuple(predictors),
                weights=weights,
                clusters=(clusters,) if isinstance(clusters, str) else tuple(clusters),
                coordinates=coordinates,
                assigned_at=assigned_at,
            ),
            absorbing=absorbing,
            window=window,
            exclude=tuple(exclude),
        )

    @classmethod
    def from_parquet(
        cls,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        unit: str,
        time: str,
        outcome: str,
        treatment: str | None = None,
        adoption: str | None = None,
        covariates: Sequence[str] = (),
        weights: str | None = None,
        assigned_at: str | None = None,
        window: tuple[int, int] | None = None,
        exclude: Iterable[Hashable] = (),
        memory: str = "1GB",
        batch: int = 1_000_000,
    ) -> Design:
        r"""Build a design from Parquet files of any size, in bounded memory.

        The files are read once, in batches, and units that differ in nothing but their outcomes are
        summed up without loss: k + 1 rows stand for all units of one cohort that are observed in
        the same k periods (and have the same covariates and weights), with the same mean and the
        same covariance matrix of outcomes. Where treatment was assigned at a coarser level, one row
        stands for each of its groups. Estimates and standard errors are those of the whole table,
        for every estimator whose influence functions are affine in a unit's outcomes:
        TwoWayFixedEffects, EventStudy, SunAbraham, ExtendedTWFE, CallawaySantAnna, Imputation and
        TwoStage. Inference that takes groups of ``assigned_at`` as wholes works as on the whole
        table. Other estimators, and inference that resamples single units, refuse such a design.

        Parameters
        ----------
        paths : path, or sequence of paths
            Parquet files, or patterns such as ``firms/*.parquet``, that together are one table.
            Rows that are sorted by unit are read as they come; otherwise DuckDB sorts them first,
            on disk if need be.
        unit, time, outcome, treatment, adoption, weights, assigned_at, window, exclude
            As in :meth:`from_frame`.
        covariates : sequence of str
            As in :meth:`from_frame`. Only units with the same covariates are summed up: they should
            have few values, or those of a region.
        memory : str
            What DuckDB may use while it reads and sorts.
        batch : int
            Rows in memory at once.

        Raises
        ------
        DesignError
            As :meth:`from_frame`; also where units are of too many kinds to be summed up.
        DataError
            No such file, or one that is not Parquet; DuckDB or PyArrow is not installed.
        """
        listed = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
        columns = intake.Columns(
            unit=unit,
            time=time,
            outcome=outcome,
            treatment=treatment,
            adoption=adoption,
            covariates=tuple(covariates),
            weights=weights,
            assigned_at=None if assigned_at == unit else assigned_at,
        )
        rows = intake.ParquetRows(tuple(os.fspath(path) for path in listed), columns, memory, batch)
        return intake.design_from_parquet(cls, rows, window, tuple(exclude))

    @classmethod
    def from_policy(
        cls,
        panel: Panel,
        policy: Policy,
        *,
        outcome: str,
        window: tuple[int, int] | None = None,
        exclude: Iterable[str] = (),
        covariates: Sequence[str] = (),
        predictors: Sequence[str] = (),
        timing: Timing | None = None,
    ) -> Design:
        """Build a design from a panel and a dated policy.

        Parameters
        ----------
        panel : Panel
        policy : Policy
        outcome : str
            A variable of the panel.
        window : (int, int), optional
            First and last period to use, both included. Default: every period of the panel for
            which the outcome is published.
        exclude : iterable of str
            Region codes to leave out of treated units and donor pool alike.
        covariates : sequence of str
            Further variables of the panel.
        predictors : sequence of str
            Variables that synthetic controls match on; cells may be missing.
        timing : Timing, optional
            How the day of issue becomes a first treated period; the year of issue by default.

        Raises
        ------
        DesignError
            As :meth:`from_frame`; also when a region that the policy treats is not in the panel.
        """
        return intake.design_from_policy(
            cls,
            panel,
            policy,
            outcome,
            window,
            tuple(exclude),
            tuple(covariates),
            tuple(predictors),
            timing,
        )

    # ------------------------------------------------------------------ shape and groups
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
        if self.influence_scale is not None:
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
        return self.left_out.frame()

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
    def reassigned(self, adoption: Floats) -> Design:
        """The same panel under another assignment; used by resampling, does not check."""
        return replace(self, adoption=np.asarray(adoption, dtype=float), switching=None)

    def with_outcome(self, outcome: Floats) -> Design:
        """The same design with other outcome values of the same shape; does not check."""
        return replace(self, outcome=outcome)

    def for_outcome(self, name: str) -> Design:
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

    def keep_units(self, keep: Booleans, reason: str) -> Design:
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
            left_out=self.left_out.with_units(dropped, reason),
        )

    def keep_periods(self, keep: Booleans, reason: str) -> Design:
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

    # ------------------------------------------------------------------ what estimators require
    def require_balanced(self, method: str) -> None:
        """Raise a `DesignError` naming the absent cells unless the panel is balanced."""
        if self.balanced:
            return
        rows, columns = np.nonzero(~self.observed)
        shown = ", ".join(
            f"{self.labels.unit} {intake.quoted(self.units[int(i)])} in {self.periods[t]}"
            for i, t in list(zip(rows, columns, strict=True))[:3]
        )
        raise DesignError(
            f"{method} needs every unit in every period, but {len(rows)} cells have no row: {shown}"
            f"{', …' if len(rows) > 3 else ''}. Leave these units out with exclude=[…], or choose "
            f"a window=(first, last) in which they are complete."
        )

    def require_absorbing(self, method: str) -> None:
        """Raise a `DesignError` if treatment switches off."""
        if not self.absorbing:
            raise DesignError(
                f"{method} needs treatment to stay on once it is on; this design was built with "
                f"absorbing=False. Use did.ChaisemartinDHaultfoeuille, or build it without."
            )

    def require_never_treated(self, method: str, at_least: int = 1) -> Booleans:
        """Mask of never-treated units; a `DesignError` if there are fewer than ``at_least``."""
        never = ~self.treated
        if int(never.sum()) < at_least:
            raise DesignError(
                f"{method} needs at least {at_least} never-treated {self.labels.unit}(s), the panel"
                f" has {int(never.sum())}: keep more units in the donor pool (fewer in exclude=…)."
            )
        return never

    def require_units(self, method: str) -> None:
        """Raise a `DesignError` if rows stand for many units."""
        if self.stands_for is not None:
            raise DesignError(
                f"{method} needs the {self.labels.unit}s one by one, and the rows of this design "
                f"stand for many of them: build it with Design.from_frame."
            )

    def require_unweighted(self, method: str) -> None:
        """Raise a `DesignError` if observation weights were given to a method without a use."""
        if self.weights is not None:
            raise DesignError(
                f"{method} has no use for observation weights; build the design without weights=."
            )


def _dense(codes: Integers) -> Integers:
    """Codes without gaps: the number of clusters is the largest code plus one."""
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
