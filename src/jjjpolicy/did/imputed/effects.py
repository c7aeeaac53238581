"""What estimators that impute the untreated outcome have in common: averages and labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.estimation.estimate import Estimate
from jjjpolicy.estimation.results import analytic_result
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.estimation.variance import few_treated_note

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.did.imputed.untreated_outcome import UntreatedOutcome
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

ESTIMAND = "average effect over treated cells that can be estimated"


@dataclass(frozen=True)
class ImputedEffects:
    """Averages of imputed effects: over all treated cells, and by event time.

    Attributes
    ----------
    model : UntreatedOutcome
    leads : bool
        Whether the average residuals of untreated cells by event time are among the averages.
    """

    model: UntreatedOutcome
    leads: bool = False

    @cached_property
    def cells(self) -> Booleans:
        """Cells that enter some average, shape (units, periods)."""
        model = self.model
        if not self.leads:
            return model.estimable
        return model.estimable | (model.untreated & model.design.treated[:, None])

    @cached_property
    def totals(self) -> Floats:
        """Sum of weights of the cells, shape (cohorts, periods)."""
        return self.model.cohort_sums(self.cells)

    @cached_property
    def relative(self) -> Integers:
        """Event time of each cohort in each period, shape (cohorts, periods)."""
        design = self.model.design
        return design.periods[None, :] - design.cohorts.astype(np.int64)[:, None]

    @cached_property
    def event_times(self) -> Integers:
        """Event times of the cells, increasing."""
        return np.unique(self.relative[self.totals > 0])

    @cached_property
    def table(self) -> Floats:
        """Weights of the averages, shape (cohorts, periods, 1 + event times)."""
        some = self.totals > 0
        chosen = np.empty((*some.shape, 1 + len(self.event_times)))
        chosen[:, :, 0] = some & (self.relative >= 0)
        chosen[:, :, 1:] = (self.relative[:, :, None] == self.event_times) & some[:, :, None]
        weights: Floats = chosen / np.einsum("ct,cte->e", self.totals, chosen)
        return weights

    @cached_property
    def sums(self) -> Floats:
        """Weighted sums of effects, shape (cohorts, periods)."""
        return self.model.cohort_sums(self.model.residuals * self.cells)

    @cached_property
    def estimates(self) -> Floats:
        """Overall effect, then effects by event time."""
        averages: Floats = np.einsum("ct,cte->e", self.sums, self.table)
        return averages

    def influence(self, treated: Floats) -> Floats:
        """Influence functions of the averages, whose mean over units is the estimation error.

        Parameters
        ----------
        treated : ndarray, shape (units, 1 + event times)
            Weighted sums of each unit's effects, net of what stands for their expectations.
        """
        model = self.model
        own = model.first_stage_influence(model.functional(self.table, self.cells))
        total: Floats = model.design.n_units * (own + treated)
        if model.design.influence_scale is not None:
            total *= model.design.influence_scale[:, None]
        return total

    def event_effects(self) -> pd.DataFrame:
        return pd.DataFrame({"event_time": self.event_times, "estimate": self.estimates[1:]})

    def calendar_effects(self) -> pd.DataFrame:
        after = self.relative >= 0
        totals, sums = (self.totals * after).sum(axis=0), (self.sums * after).sum(axis=0)
        some = totals > 0
        return pd.DataFrame(
            {"period": self.model.design.periods[some], "estimate": sums[some] / totals[some]}
        )

    def group_time(self) -> pd.DataFrame:
        """Average effect of each cohort in each period: group, time, estimate."""
        design, totals = self.model.design, self.totals
        c, t = np.nonzero((totals > 0) & (self.relative >= 0))
        return pd.DataFrame(
            {
                "group": design.cohorts[c].astype(np.int64),
                "time": design.periods[t],
                "estimate": self.sums[c, t] / totals[c, t],
            }
        )

    def unit_effects(self) -> pd.DataFrame | None:
        """Average effect of each treated unit; missing where none of its cells is estimable.

        None where rows stand for many units.
        """
        model = self.model
        design = model.design
        if design.stands_for is not None:
            return None
        treated = design.treated
        cells = model.estimable[treated]
        counts = cells.sum(axis=1)
        sums = np.einsum("it,it->i", model.residuals[treated], cells)
        return pd.DataFrame(
            {
                "unit": design.units[treated],
                "adoption": design.adoption[treated].astype(np.int64),
                "att": np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0),
                "cells": counts,
            }
        )

    def counterfactual(self) -> pd.DataFrame | None:
        """Untreated outcome of each treated unit; None where rows stand for many units."""
        design = self.model.design
        if design.stands_for is not None:
            return None
        return pd.DataFrame(
            self.model.predicted(design.treated),
            index=pd.Index(design.units[design.treated], name="unit"),
            columns=design.periods,
        )


def labelled(
    estimator: Estimator,
    effects: ImputedEffects,
    design: Design,
    inference: str,
    covariance: Floats,
    by_unit: Callable[[], tuple[ImputedEffects, Floats]],
    *,
    event_effects: pd.DataFrame | None = None,
    notes: tuple[str, ...] = (),
    details: Mapping[str, Any] | None = None,
) -> Estimate:
    """The estimate with its labels and its own standard errors.

    Parameters
    ----------
    estimator : Estimator
    effects : ImputedEffects
    design : Design
        With a ledger that lists what cannot be estimated.
    inference : str
        What the standard errors are, in words.
    covariance : ndarray, shape (1 + event times, 1 + event times)
    by_unit : callable
        To the effects where no row stands for several units, and their influence functions, shape
        (units, 1 + event times).
    event_effects : DataFrame, optional
        In place of the averages by event time, in the order of ``covariance``.
    notes : tuple of str
        In addition to the one about few treated clusters.
    details : mapping, optional
        In addition to those of every such estimator.
    """
    model = effects.model
    table = effects.event_effects() if event_effects is None else event_effects
    estimate = Estimate(
        estimator=estimator,
        design=design,
        att=float(effects.estimates[0]),
        estimand=ESTIMAND,
        event_effects=table,
        calendar_effects=effects.calendar_effects(),
        unit_effects=lambda: by_unit()[0].unit_effects(),
        counterfactual=lambda: by_unit()[0].counterfactual(),
        influence=lambda: by_unit()[1],
        details={
            "not_estimable": model.not_estimable,
            "group_time": design.labels.clock.named(effects.group_time()),
            "covariates": dict(zip(model.names, model.coefficients.tolist(), strict=True)),
            "collinear": model.collinear,
            "event_times": table["event_time"].to_numpy(),
            **(details or {}),
        },
    )
    return estimate.with_result(
        analytic_result(
            inference,
            estimate.att,
            table,
            covariance,
            noise=resolution(design.outcome),
            specification={"name": "Clustered", "level": design.assigned_at},
            notes=(*notes, *few_treated_note(design, design.assignment)),
        )
    )
