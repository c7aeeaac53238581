"""Effects by event time with their joint covariance, as tests of pre-trends need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.covered import covered_effects
from jjjpolicy.estimation.variance import covariance_rank
from jjjpolicy.linalg.brief import brief

if TYPE_CHECKING:
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


@dataclass(frozen=True, eq=False)
class EventCoefficients:
    """Estimated effects by event time.

    Attributes
    ----------
    event_times : ndarray of int, shape (effects,)
        Increasing, without the reference.
    estimates : ndarray, shape (effects,)
    covariance : ndarray, shape (effects, effects)
    df : float
        Degrees of freedom of the covariance, infinite for the normal.
    reference : int or None
        The event time that the others are compared with; None where there is not one for all.
    anticipation : int
        Periods before adoption in which units may already respond.
    """

    event_times: Integers
    estimates: Floats
    covariance: Floats
    df: float
    reference: int | None
    anticipation: int = 0

    __repr__ = brief

    @classmethod
    def of(cls, estimate: Estimate, method: str) -> EventCoefficients:
        """Read them from an estimate.

        Raises
        ------
        InferenceError
            The estimate has no covariance of effects by event time, one that is not finite, or no
            effect before treatment.
        """
        result = estimate.inference
        covariance = None if result is None else result.details.get("covariance")
        if result is None or covariance is None or len(covariance) < 2:
            raise InferenceError(
                f"{method} needs effects by event time with their covariance; use an event study "
                f"such as jp.did.EventStudy() with its own standard errors or with Clustered()."
            )
        table = covered_effects(estimate, len(covariance)).sort_values("event_time")
        times = table["event_time"].to_numpy(dtype=np.int64)
        order = np.argsort(np.asarray(estimate.details["event_times"]), kind="stable")
        others = np.setdiff1d(estimate.effects["event_time"].to_numpy(dtype=np.int64), times)
        found = cls(
            event_times=times,
            estimates=table["estimate"].to_numpy(dtype=float),
            covariance=np.asarray(covariance, dtype=float)[1:, 1:][np.ix_(order, order)],
            df=float(result.details.get("df", np.inf)),
            reference=int(others[0]) if len(others) == 1 else None,
            anticipation=getattr(
                getattr(estimate.estimator, "source", estimate.estimator), "anticipation", 0
            ),
        )
        if not np.isfinite(found.covariance).all():
            raise InferenceError(
                f"{method} needs a standard error of every effect by event time, and some have "
                f"none here: there are as many parameters as observations."
            )
        if not found.before.any():
            raise InferenceError(
                f"{method} needs at least one estimated effect before treatment besides the "
                f"reference; begin earlier with window=(first, last)."
            )
        return found

    @property
    def before(self) -> Booleans:
        """Event times before (anticipated) treatment."""
        earlier: Booleans = self.event_times < -self.anticipation
        return earlier

    @property
    def errors(self) -> Floats:
        """Standard errors."""
        errors: Floats = np.sqrt(np.diag(self.covariance))
        return errors

    def pre(self, method: str) -> tuple[Floats, Floats]:
        """Estimates before treatment and their covariance, checked to be regular.

        Raises
        ------
        InferenceError
            The covariance is singular.
        """
        chosen = self.before
        covariance = self.covariance[np.ix_(chosen, chosen)]
        if covariance_rank(covariance) < int(chosen.sum()):
            raise InferenceError(
                f"{method}: the covariance of the {int(chosen.sum())} effects before treatment is "
                f"singular, as it is with fewer clusters than effects; use fewer pre-periods "
                f"(window=, or bins=(first, last) in EventStudy)."
            )
        return self.estimates[chosen], covariance
