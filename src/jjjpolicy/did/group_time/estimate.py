"""The estimate that is built from group-time effects, and its averages.

An estimator of group-time effects implements :meth:`GroupTimeEstimator.group_time_effects`;
fitting, averaging, standard errors and refits under other assignments follow from it.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from jjjpolicy.did.cohorts.not_estimable import listed_as_not_estimable
from jjjpolicy.did.group_time.aggregation import (
    ESTIMANDS,
    LEVEL_NAMES,
    Combination,
    Kind,
    Window,
    combine,
    require_kind,
)
from jjjpolicy.did.group_time.effects import GroupTimeEffects
from jjjpolicy.did.group_time.pretest import PreTest, wald_pretest
from jjjpolicy.did.group_time.refits import average_refits, overall_and_event_study
from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.estimate import Estimate, Estimator
from jjjpolicy.estimation.results import analytic_result, effect_bounds
from jjjpolicy.estimation.rounding import resolution, standing
from jjjpolicy.estimation.variance import few_treated_note, lone_cohorts_note, t_interval
from jjjpolicy.linalg.threads import one_thread

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.did.cohorts.influence import Influence
    from jjjpolicy.estimation.multipliers import Law
    from jjjpolicy.estimation.refits import Refits
    from jjjpolicy.linalg.types import Floats, Integers


class _OfCohorts(Estimator):
    """An estimator whose influence functions are centred within cohorts."""

    def influence_by(
        self, estimate: Estimate, codes: Integers, level: str
    ) -> tuple[Floats | None, tuple[str, ...]]:
        """As of every estimator, and which cohorts are single clusters."""
        groups = estimate.details["group_time"].groups
        return estimate.influence, lone_cohorts_note(estimate.design, codes, level, groups)


class GroupTimeEstimator(_OfCohorts):
    """An estimator of group-time effects."""

    @abstractmethod
    def group_time_effects(self, design: Design) -> GroupTimeEffects:
        """Effects ATT(g, t) with influence functions."""

    def fit(self, design: Design) -> GroupTimeEstimate:
        """Estimate the group-time effects and their averages.

        Cohorts and cells that cannot be estimated are named in a warning and in the ledger of
        ``estimate.design``; for errors see ``group_time_effects``.
        """
        effects = self.group_time_effects(design)
        design = listed_as_not_estimable(design, effects.not_estimable_table, self.label)
        return _estimate(self, design, effects, "simple", Window())

    def shared_refits(
        self, design: Design, adoptions: Floats, of: GroupTimeAverage, jobs: int, errors: bool
    ) -> Refits | None:
        """An average under each assignment; None where assignments share no work."""
        return None

    def shared_samples(
        self, design: Design, groups: Integers, counts: Floats, kind: Kind, window: Window
    ) -> list[Refits | None]:
        """An average in each sample of groups; None where samples share no work."""
        return [None] * len(counts)

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels; shape (1,) arrays."""
        return self._simple.refit(design)

    def refit_many(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_many`."""
        return self._simple.refit_many(design, adoptions, jobs)

    def refit_among(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_among`."""
        return self._simple.refit_among(design, adoptions, jobs)

    def refit_counted(
        self, design: Design, groups: Integers, counts: Floats
    ) -> list[Refits | None]:
        """Refit samples of groups; see :meth:`Estimator.refit_counted`."""
        return self._simple.refit_counted(design, groups, counts)

    @property
    def _simple(self) -> GroupTimeAverage:
        return GroupTimeAverage(self, "simple", Window())


@dataclass(frozen=True)
class GroupTimeAverage(_OfCohorts):
    """Another average of the effects of a group-time estimator; made by ``aggregate``.

    Resampling refits the average that an estimate reports, and not the simple one.
    """

    takes_sums: ClassVar[bool] = True
    source: GroupTimeEstimator
    kind: Kind
    window: Window

    @property
    def label(self) -> str:
        return self.source.label

    def comparable(self, design: Design) -> Design:
        """As the source takes it."""
        return self.source.comparable(design)

    def fit(self, design: Design) -> GroupTimeEstimate:
        """Estimate the group-time effects and this average of them."""
        effects = self.source.group_time_effects(design)
        return _estimate(self, design, effects, self.kind, self.window)

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels; shape (1,) arrays."""
        effects = self.source.group_time_effects(design)
        return average_refits(design, effects, self.kind, self.window)

    def refit_many(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_many`."""
        shared = self.source.shared_refits(design, adoptions, self, jobs, errors=True)
        return super().refit_many(design, adoptions, jobs) if shared is None else shared

    def refit_among(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_among`."""
        shared = self.source.shared_refits(design, adoptions, self, jobs, errors=False)
        return super().refit_among(design, adoptions, jobs) if shared is None else shared

    def refit_counted(
        self, design: Design, groups: Integers, counts: Floats
    ) -> list[Refits | None]:
        """Refit samples of groups; see :meth:`Estimator.refit_counted`."""
        return self.source.shared_samples(design, groups, counts, self.kind, self.window)

    def regression(self, estimate: Estimate) -> Any:
        """The regression of the source; see :meth:`Estimate.regression`."""
        return self.source.regression(estimate)

    def specification(self) -> dict[str, Any]:
        """Name and options of the source, and the average."""
        options = {
            "aggregate": self.kind,
            "balance": self.window.balance,
            "min_event": self.window.first,
            "max_event": self.window.last,
        }
        return self.source.specification() | {k: v for k, v in options.items() if v is not None}


@dataclass(frozen=True, eq=False, repr=False)
class GroupTimeEstimate(Estimate):
    """An estimate that is an average of group-time effects, and can be averaged otherwise.

    ``details`` holds ``group_time`` (:class:`GroupTimeEffects`), ``not_estimable`` (a table of
    cohorts and periods without an estimate, and why), ``event_times`` (those that the influence
    functions cover), ``aggregation`` and ``window``; for regressions also ``regression`` and
    ``contrasts``.
    """

    @property
    def _group_time_effects(self) -> GroupTimeEffects:
        effects: GroupTimeEffects = self.details["group_time"]
        return effects

    @cached_property
    @one_thread
    def group_time(self) -> pd.DataFrame:
        """Effects by group and time: group, time, estimate, se, lower, upper (95%).

        Standard errors are clustered at the level of assignment; an effect that is zero by
        definition (the base period itself) has none.
        """
        effects = self._group_time_effects
        table = _table(self.design, effects, effects.estimates, effects.influence_at())
        table.loc[effects.reference, ["se", "lower", "upper"]] = np.nan
        table.insert(0, "group", effects.groups.astype(np.int64))
        table.insert(1, "time", effects.periods)
        return self.design.labels.clock.named(table)

    @cached_property
    @one_thread
    def levels(self) -> pd.DataFrame:
        """Averages at each level of the aggregation, with standard errors and 95% intervals.

        First column: group, period or event_time; the simple average has none, and its levels are
        the group-time effects themselves.
        """
        if self.details["aggregation"] == "simple":
            return self.group_time
        effects, combination = self._group_time_effects, self._level_combination
        table = _table(
            self.design, effects, combination.estimates(effects), combination.influence(effects)
        )
        table.loc[~combination.estimated(effects), ["se", "lower", "upper"]] = np.nan
        name = LEVEL_NAMES[self.details["aggregation"]]
        table.insert(0, name, combination.labels.astype(np.int64))
        return self.design.labels.clock.named(table)

    @one_thread
    def aggregate(
        self,
        kind: Kind,
        *,
        balance: int | None = None,
        min_event: int | None = None,
        max_event: int | None = None,
    ) -> GroupTimeEstimate:
        """Average the group-time effects.

        Parameters
        ----------
        kind : {"simple", "group", "calendar", "event"}
            ``simple``: all effects from adoption on, by cohort size. ``group``: mean effect of each
            cohort, then over treated units. ``calendar``: effect in each period, then over periods.
            ``event``: effect at each event time, then over event times from 0 on.
        balance : int, optional
            Only cohorts observed for at least this many periods after adoption, and event times up
            to it; for ``"event"``.
        min_event, max_event : int, optional
            First and last event time that enter.

        Returns
        -------
        GroupTimeEstimate
            ``att`` and ``se`` are the overall average and ``levels`` the averages by level.
            Standard errors include the estimation of cohort shares where these are estimated.

        Raises
        ------
        DesignError
            An unknown kind, ``balance`` for another kind than ``"event"``, or an empty window.
        """
        source = self.estimator
        if isinstance(source, GroupTimeAverage):
            source = source.source
        assert isinstance(source, GroupTimeEstimator)
        require_kind(kind)
        window = Window(balance, min_event, max_event)
        plain = kind == "simple" and window == Window()
        estimator = source if plain else GroupTimeAverage(source, kind, window)
        return _estimate(estimator, self.design, self._group_time_effects, kind, window)

    @one_thread
    def bands(
        self, *, alpha: float = 0.05, draws: int = 1_000, seed: int = 0, law: Law = "mammen"
    ) -> pd.DataFrame:
        """``levels`` with simultaneous bands from the multiplier bootstrap.

        All levels lie within their bands at once with probability 1 − ``alpha`` (Callaway and
        Sant'Anna 2021, algorithm 1, clustered at the level of assignment).

        Parameters
        ----------
        alpha : float
        draws : int
        seed : int
        law : {"mammen", "rademacher", "webb"}
            Distribution of the multipliers.

        Returns
        -------
        DataFrame
            As ``levels``, where lower and upper are the ends of the bands and critical_value, the
            same in every row, is what the standard errors were multiplied by.

        Raises
        ------
        InferenceError
            ``alpha`` outside (0, 1), or fewer than two draws.
        """
        from jjjpolicy.estimation.multipliers import uniform_critical_value

        if not 0 < alpha < 1:
            raise InferenceError(f"alpha={alpha} must lie between 0 and 1, e.g. 0.05.")
        effects = self._group_time_effects
        simple = self.details["aggregation"] == "simple"
        found = effects.influence_at() if simple else self._level_combination.influence(effects)
        table = self.levels.copy()
        critical = uniform_critical_value(
            found.values[:, table["se"].to_numpy() > 0],
            self.design.assignment,
            alpha,
            draws=draws,
            seed=seed,
            law=law,
        )
        table["lower"] = table["estimate"] - critical * table["se"]
        table["upper"] = table["estimate"] + critical * table["se"]
        return table.assign(critical_value=critical)

    @one_thread
    def pretest(self) -> PreTest:
        """Wald test that all effects before (anticipated) adoption are zero.

        Raises
        ------
        InferenceError
            No such effect was estimated, or their covariance matrix is singular.
        """
        return wald_pretest(self._group_time_effects, self.design)

    @property
    def _level_combination(self) -> Combination:
        whole = combine(
            self._group_time_effects, self.details["aggregation"], self.details["window"]
        )
        return whole.without_overall()


def _estimate(
    estimator: Estimator, design: Design, effects: GroupTimeEffects, kind: Kind, window: Window
) -> GroupTimeEstimate:
    combination = overall_and_event_study(effects, kind, window)
    points = combination.estimates(effects)
    estimated = combination.estimated(effects)
    event_times = combination.labels[1:].astype(np.int64)
    covered = combination.only(estimated)
    influence = covered.influence(effects)
    by_period = combine(effects, "calendar", Window(None, window.first, window.last))
    covariance = effects.covariance(influence, design)
    df = effects.degrees_of_freedom(design)
    noise = resolution(design.outcome)

    def by_event(level: float) -> pd.DataFrame:
        known = estimated[1:]
        table = pd.DataFrame({"event_time": event_times[known], "estimate": points[1:][known]})
        errors = np.sqrt(np.diag(covariance)[1:])
        return effect_bounds(table, standing(errors, noise), df, level)

    name, method = f"clustered by {design.assigned_at} (CRV1)", "Clustered"
    if effects.regression is None:
        name = f"influence functions, clustered by {design.assigned_at}"
        method = "InfluenceFunction"
    return GroupTimeEstimate(
        estimator=estimator,
        design=design,
        att=float(points[0]),
        estimand=ESTIMANDS[kind],
        event_effects=lambda: pd.DataFrame({"event_time": event_times, "estimate": points[1:]}),
        calendar_effects=pd.DataFrame(
            {
                "period": by_period.labels[1:].astype(np.int64),
                "estimate": by_period.estimates(effects)[1:],
            }
        ),
        influence=lambda: influence.values,
        details={
            "group_time": effects,
            "not_estimable": effects.not_estimable_table,
            "event_times": event_times[estimated[1:]],
            "aggregation": kind,
            "window": window,
            **covered.regression_details(effects),
        },
        inference=analytic_result(
            name,
            float(points[0]),
            by_event,
            covariance,
            df=df,
            noise=noise,
            specification={"name": method, "level": design.assigned_at},
            notes=(
                *effects.notes,
                *lone_cohorts_note(design, design.assignment, design.assigned_at, effects.groups),
                *few_treated_note(design, design.assignment),
            ),
        ),
    )


def _table(
    design: Design, effects: GroupTimeEffects, estimates: Floats, influence: Influence
) -> pd.DataFrame:
    se = standing(effects.errors(influence, design), resolution(design.outcome))
    df = effects.degrees_of_freedom(design)
    lower, upper = t_interval(estimates, se, df, 0.95)
    return pd.DataFrame({"estimate": estimates, "se": se, "lower": lower, "upper": upper})
