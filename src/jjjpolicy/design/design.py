"""A design: which outcome is compared between which units, and who is treated from when on.

All checking of input happens here, once. Estimators receive arrays that are known to be sound.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from jjjpolicy.design import intake
from jjjpolicy.design.requirements import Requirements

if TYPE_CHECKING:
    import ibis

    from jjjpolicy.panels.frames import ArrowTable
    from jjjpolicy.panels.panel import Panel
    from jjjpolicy.registry.policy import Policy, Timing


@dataclass(frozen=True, eq=False)
class Design(Requirements):
    """Outcome, adoption and everything else that an estimator needs, as arrays.

    Build one with :meth:`from_frame` or :meth:`from_policy`; the constructor does not check.

    Units that are treated in every period in which they are observed have no change from before to
    after treatment, and their outcome is no untreated one to compare with: they are left out, with
    a warning and a line in the ledger. (With unit effects in a regression such a unit is the same
    as a never-treated one; code it so, ``adoption`` 0, to have it in the regression on purpose.)
    Where ``adoption`` dates such a unit into a cohort of which others are observed before adoption,
    its levels still say something: the design keeps it, estimators that compare levels
    (CallawaySantAnna and TripleDifference on unbalanced panels, Stacked, ExtendedTWFE without unit
    effects) use it, and all others leave it out in the same way.

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
        How many units each row stands for (:meth:`from_parquet`, :meth:`from_table`); ``weights``
        then contain it.
    late : ndarray of bool, shape (units,), optional
        Units that are observed only under treatment, of cohorts of which others are observed
        before; None where there are none.
    assigned_at : str
        The level at which treatment was assigned: the unit unless a coarser column was named.
    assignment : ndarray of int, shape (units,)
        Code of the assignment group of each unit.
    source, left_out : mapping, Ledger
        What the design was made of, for provenance; and what was left out of it: :attr:`ledger`.
    """

    def __repr__(self) -> str:
        return (
            f"Design({self.labels.outcome}: {self.count():,} {self.labels.unit} × {self.n_periods} "
            f"{self.labels.time} {self.period_names[0]}-{self.period_names[-1]}, "
            f"{self.count(self.treated):,} treated, {len(self.left_out.entries)} lines in ledger)"
        )

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame | ArrowTable,
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
        window: tuple[Any, Any] | None = None,
        exclude: Iterable[Hashable] = (),
    ) -> Design:
        """Build a design from a tidy table with one row per unit and period.

        Parameters
        ----------
        frame : DataFrame, or table of Polars or Arrow
            Rows may come in any order. A (unit, period) pair may be absent (the panel is then
            unbalanced and the ledger lists the cell) but may not occur twice. A table in which
            every unit occurs once holds repeated cross-sections.
        unit, time, outcome : str
            Columns. Periods are whole numbers, such as years; pandas periods; dates, of which each
            year, quarter, month, week or day has one at most (all on the first, on the last or on
            the same day of it); or quarters and months in words (``2019Q4``, ``2019-11``,
            ``2019年4季度``, ``2019年11月``). They are counted on one clock, whose differences are
            event times: years for 2015, 2017, 2019, and quarters for the first days of quarters.
            Results bear their names. (202001 for January 2020 would jump at New Year.)
            ``unit=None`` makes every row a unit of its own, numbered from 0: repeated
            cross-sections, which need ``adoption``.
        treatment : str, optional
            Column of 0 and 1, False and True, or no and yes (否 and 是): treated in this period.
            Give either this or ``adoption``.
        adoption : str, optional
            Column with the unit's first treated period, written as the periods in ``time`` are;
            0, missing or infinite means never.
        covariates, clusters : sequence of str
            One name alone need not be in a list.
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
        window : (period, period), optional
            First and last period to use, both included, written as in ``time``.
        exclude : iterable
            Units to leave out; the ledger lists them.

        Raises
        ------
        DesignError
            Unknown columns, duplicate (unit, period) rows, missing, infinite or non-numeric values,
            no periods in ``time``, fewer than two of them, treatment that switches off,
            no treated unit, no treated unit (in repeated cross-sections: cohort) with a
            pre-period, no control unit, repeated cross-sections without ``adoption``.

        Warns
        -----
        JJJPolicyWarning
            Treated units (cohorts) without a pre-period are left out; a zero in ``adoption`` is
            read as never treated although periods run from below zero to above; periods look
            like 202001; a unit has no row between its last untreated and its first treated one,
            so that ``treatment`` does not say when it adopted.
        """
        frame = intake.as_frame(frame)
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
                covariates=intake.listed(covariates, "covariates"),
                predictors=intake.listed(predictors, "predictors"),
                weights=weights,
                clusters=intake.listed(clusters, "clusters"),
                coordinates=coordinates,
                assigned_at=assigned_at,
            ),
            absorbing=absorbing,
            window=window,
            exclude=intake.listed(exclude, "exclude"),
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
        clusters: str | Sequence[str] = (),
        assigned_at: str | None = None,
        window: tuple[Any, Any] | None = None,
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
        clusters : sequence of str
            As in :meth:`from_frame`. Only units of the same cluster are summed up, for
            ``Clustered`` and ``MultiplierBootstrap`` at that level.
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
            covariates=intake.listed(covariates, "covariates"),
            weights=weights,
            clusters=intake.listed(clusters, "clusters"),
            assigned_at=None if assigned_at == unit else assigned_at,
        )
        rows = intake.ParquetRows(tuple(os.fspath(path) for path in listed), columns, memory, batch)
        return intake.design_from_parquet(cls, rows, window, intake.listed(exclude, "exclude"))

    @classmethod
    def from_table(
        cls,
        table: ibis.Table,
        *,
        unit: str,
        time: str,
        outcome: str,
        treatment: str | None = None,
        adoption: str | None = None,
        covariates: Sequence[str] = (),
        weights: str | None = None,
        clusters: str | Sequence[str] = (),
        assigned_at: str | None = None,
        window: tuple[Any, Any] | None = None,
        exclude: Iterable[Hashable] = (),
    ) -> Design:
        """Build a design from a table that an engine holds: DuckDB, Spark, whatever Ibis speaks to.

        As :meth:`from_parquet`, and for the same estimators and inference; but the engine itself
        checks the rows and sums them up, in parallel and wherever they lie, and hands over no more
        than counts, means and centred cross-products of the outcomes of each kind of unit. Engines
        add in an order that changes with their workers: the last digits (about the twelfth) may
        differ between two runs.

        Where DuckDB has less memory than all units need at once, the table is summed up in parts of
        whole units, as many as its ``memory_limit`` asks for. Files laid out by unit are read once
        in all, others once for each part.

        Parameters
        ----------
        table : ibis.Table
            One row per unit and period, in any order; any expression on tables will do.
        unit, time, outcome, treatment, adoption, weights, assigned_at, window, exclude
            As in :meth:`from_frame`.
        covariates, clusters : sequence of str
            As in :meth:`from_parquet`.

        Raises
        ------
        DesignError
            As :meth:`from_parquet`.
        DataError
            Ibis is not installed.
        """
        columns = intake.Columns(
            unit=unit,
            time=time,
            outcome=outcome,
            treatment=treatment,
            adoption=adoption,
            covariates=intake.listed(covariates, "covariates"),
            weights=weights,
            clusters=intake.listed(clusters, "clusters"),
            assigned_at=None if assigned_at == unit else assigned_at,
        )
        return intake.design_from_table(
            cls, table, columns, window, intake.listed(exclude, "exclude")
        )

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
        across_breaks: bool = False,
        changed_areas: bool = False,
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
        across_breaks : bool
            Use a window in which a variable changes its definition; the ledger notes it.
        changed_areas : bool
            Keep units whose area changed within the window. By default they are left out, and the
            ledger lists them with the change.

        Raises
        ------
        DesignError
            As :meth:`from_frame`; also when a region that the policy treats is not in the panel,
            when the panel holds a region beside one that it lies in, or when a variable changes
            its definition within the window.
        """
        columns = intake.Columns(
            unit=panel.unit,
            time=panel.time,
            outcome=outcome,
            covariates=covariates,
            predictors=predictors,
        )
        return intake.design_from_policy(
            cls,
            panel,
            policy,
            columns,
            window=window,
            exclude=intake.listed(exclude, "exclude"),
            timing=timing,
            across_breaks=across_breaks,
            changed_areas=changed_areas,
        )
