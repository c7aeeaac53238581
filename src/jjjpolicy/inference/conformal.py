"""Conformal inference for the effect on one group of treated units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimate import Estimate, Inference, InferenceResult

if TYPE_CHECKING:
    from jjjpolicy.design import Booleans, Design, Floats
    from jjjpolicy.estimator import Estimator


@dataclass(frozen=True)
class Conformal(Inference):
    r"""Permutation of residuals over time, the counterfactual re-estimated under the null.

    Under a hypothesised effect the treated outcomes are adjusted, the estimator is fitted to all
    periods and its residuals :math:`\hat u_t` are permuted over time. The statistic is the sum of
    :math:`|\hat u_t|` over post-treatment periods (Chernozhukov, Wüthrich and Zhu 2021, algorithm
    1, q = 1). The interval of the average effect inverts the test of an effect constant over time;
    the interval of one period uses the pre-treatment periods and that period (section 2.2).

    Parameters
    ----------
    permutations : {"moving_block", "iid"}
        Moving blocks allow serially dependent errors and give p-values in steps of 1 / periods;
        iid permutations need exchangeable errors.
    replications : int
        Number of iid permutations.
    seed : int
        Of the iid permutations.
    grid : int
        Hypothesised effects among which the ends of an interval are first looked for; they are then
        found by bisection.

    Notes
    -----
    Several treated units with one adoption period are averaged. An interval is the whole line where
    its level asks for a p-value below the smallest attainable one, and ``nan`` where every effect
    is rejected.
    """

    permutations: Literal["moving_block", "iid"] = "moving_block"
    replications: int = 1000
    seed: int = 0
    grid: int = 41

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach p-value of no effect, interval of the average effect, intervals per period.

        Raises
        ------
        InferenceError
            Several adoption periods; an estimator whose refits carry no effects by event time;
            an unknown kind of permutation.
        """
        if self.grid < 3 or self.replications < 1:
            raise InferenceError("grid= must be at least 3, replications= at least 1.")
        if self.permutations not in ("moving_block", "iid"):
            raise InferenceError(
                f"permutations={self.permutations!r} must be 'moving_block' or 'iid'."
            )
        design = estimate.design
        if len(design.cohorts) > 1:
            raise InferenceError(
                "conformal inference permutes one path of residuals, this design has "
                f"{len(design.cohorts)} adoption periods; fit each cohort alone."
            )
        post = design.periods >= design.cohorts[0]
        estimator = estimate.estimator
        spread = self._spread(estimate, post)

        def bounds(level: float) -> tuple[float, float]:
            return self._invert(estimator, design, post, estimate.att, spread, level)

        def effects() -> pd.DataFrame:
            return self._per_period(estimate, post, spread)

        smallest = 1 / design.n_periods
        if self.permutations == "iid":
            smallest = 1 / (1 + self.replications)
        notes = [f"Smallest attainable p-value {smallest:.3g}."]
        if self.pvalue(estimator, design, post, estimate.att) <= 0.05:
            notes.append(
                "A constant effect of the size of the estimate is rejected at 5%: effects change "
                "over time. The interval encloses the constant effects that are not rejected, if "
                "there are any, and need not contain the estimate."
            )
        else:
            notes.append("The interval holds the constant effects that are not rejected.")
        if smallest > 0.05:
            notes.append(f"{design.n_periods} periods are too few for a 95% interval.")
        return estimate.with_result(
            InferenceResult(
                name=f"conformal, {self.permutations.replace('_', ' ')} permutations",
                pvalue=self.pvalue(estimator, design, post, 0.0),
                bounds=bounds,
                effects=effects,
                smallest_pvalue=smallest,
                notes=tuple(notes),
                specification=self.specification(),
            )
        )

    def pvalue(self, estimator: Estimator, design: Design, post: Booleans, effect: float) -> float:
        """p-value of a constant effect in the marked periods."""
        residuals = np.abs(null_residuals(estimator, design, post, effect))
        observed = residuals[post].sum()
        if self.permutations == "moving_block":
            shifts = (np.arange(len(post))[:, None] + np.arange(len(post))) % len(post)
            statistics = residuals[shifts][:, post].sum(axis=1)
        else:
            rng = np.random.default_rng(np.random.SeedSequence(self.seed))
            draws = rng.permuted(np.tile(residuals, (self.replications, 1)), axis=1)
            statistics = np.append(draws[:, post].sum(axis=1), observed)
        return float((statistics >= observed * (1 - 1e-10)).mean())

    def _spread(self, estimate: Estimate, post: Booleans) -> float:
        table = estimate.effects
        before = table.loc[table["event_time"] < 0, "estimate"].to_numpy()
        after = table.loc[table["event_time"] >= 0, "estimate"].to_numpy()
        return float(max(before.std() * 3, after.std() * 2, 1e-9 + abs(estimate.att) * 0.1))

    def _invert(
        self,
        estimator: Estimator,
        design: Design,
        post: Booleans,
        centre: float,
        spread: float,
        level: float,
    ) -> tuple[float, float]:
        smallest = 1 / (len(post) if self.permutations == "moving_block" else self.replications + 1)
        if smallest > 1 - level:
            return -np.inf, np.inf

        def kept(effect: float) -> bool:
            return self.pvalue(estimator, design, post, effect) > 1 - level + 1e-12

        width = spread
        for _ in range(12):
            values = np.linspace(centre - width, centre + width, self.grid)
            inside = np.flatnonzero([kept(float(value)) for value in values])
            if len(inside) == 0:
                return np.nan, np.nan
            first, last = int(inside[0]), int(inside[-1])
            if first > 0 and last < self.grid - 1:
                ends = values[[first, first - 1, last, last + 1]]
                return _edge(kept, ends[0], ends[1]), _edge(kept, ends[2], ends[3])
            width *= 2
        return -np.inf, np.inf

    def _per_period(self, estimate: Estimate, post: Booleans, spread: float) -> pd.DataFrame:
        design = estimate.design
        table = estimate.effects.set_index("event_time")["estimate"]
        rows = []
        for t in np.flatnonzero(post):
            keep = ~post
            keep[t] = True
            one = design.keep_periods(keep, "other treated periods set aside")
            event = int(design.periods[t] - design.cohorts[0])
            marked = one.periods == design.periods[t]
            centre = float(table.loc[event])
            low, high = self._invert(estimate.estimator, one, marked, centre, spread, 0.95)
            rows.append((event, np.nan, low, high, self.pvalue(estimate.estimator, one, marked, 0)))
        return pd.DataFrame(rows, columns=["event_time", "se", "lower", "upper", "pvalue"])


def _edge(kept: Callable[[float], bool], inside: float, outside: float) -> float:
    """The last effect that is kept on the way from one that is to one that is not."""
    for _ in range(20):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if kept(middle) else (inside, middle)
    return float(inside)


def null_residuals(estimator: Estimator, design: Design, post: Booleans, effect: float) -> Floats:
    """Residuals of all periods when the estimator is fitted to all periods under the null.

    A period that equals each unit's average over time is appended and declared the treated one: it
    lies in the span of the unit effects, so that it leaves the fit of the others as it is.

    Parameters
    ----------
    estimator : Estimator
    design : Design
    post : ndarray of bool, shape (periods,)
    effect : float
        Hypothesised effect in these periods.

    Returns
    -------
    ndarray, shape (periods,)
    """
    adjusted = design.outcome - effect * (design.treated[:, None] & post[None, :])
    last = int(design.periods[-1]) + 1
    extended = replace(
        design,
        outcome=np.column_stack([adjusted, adjusted.mean(axis=1)]),
        periods=np.append(design.periods, last),
        covariates={
            name: np.column_stack([values, values.mean(axis=1)])
            for name, values in design.covariates.items()
        },
        adoption=np.where(design.treated, float(last), np.inf),
    )
    refits = estimator.refit(extended)
    if refits.effects is None:
        raise InferenceError(
            f"{estimator.label} gives no effects by event time when it is fitted again; conformal "
            f"inference needs them."
        )
    if refits.effects.shape[1] != extended.n_periods:
        raise InferenceError(
            f"{estimator.label} has no effect for every period, as conformal inference needs; use "
            f"RandomizationInference or PlaceboUnits."
        )
    residuals: Floats = refits.effects[0][:-1]
    return residuals
