"""Placebo dates: the estimate against estimates for dates at which nothing happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.results import InvertedTest
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.inference.permutation.ranks import rank_pvalue

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats


@dataclass(frozen=True)
class PlaceboPeriods(Inference):
    """Re-estimate on the years before treatment, as if it had begun earlier.

    All periods from the first adoption on are set aside. Each remaining period with at least
    ``minimum_pre_periods`` before it serves as a placebo date for the treated units (Abadie,
    Diamond and Hainmueller 2015, section 4.2). The p-value is the rank of the estimate among the
    placebo estimates and itself; with few dates it cannot be small, and neighbouring dates share
    most of their data, so that this is a check of the fit rather than a test with a known size.
    There is no standard error and no interval.

    Parameters
    ----------
    minimum_pre_periods : int
    """

    minimum_pre_periods: int = 3

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach the placebo dates; ``details["dates"]`` lists period and estimate.

        Raises
        ------
        InferenceError
            No period before treatment has enough periods before it.
        """
        design, clock = estimate.design, estimate.design.labels.clock
        first = design.cohorts[0]
        before = design.keep_periods(design.periods < first, "set aside by the placebo dates")
        dates = before.periods[self.minimum_pre_periods :]
        if len(dates) == 0:
            raise InferenceError(
                f"no placebo date has {self.minimum_pre_periods} periods before it: there are "
                f"{before.n_periods} periods before {clock.name(first)}. Lower "
                f"minimum_pre_periods=."
            )
        adoptions: Floats = np.where(design.treated[None, :], dates[:, None].astype(float), np.inf)
        placebos = estimate.estimator.refit_many(before, adoptions).att
        total = 1 + len(dates)
        return estimate.with_result(
            InvertedTest(
                name="placebo dates",
                pvalue=rank_pvalue(estimate.att, placebos, noise=resolution(design.outcome)),
                reference=placebos,
                smallest_pvalue=1 / total,
                assignments=len(dates),
                exact=True,
                notes=(
                    f"{len(dates)} placebo dates, {clock.name(dates[0])} to "
                    f"{clock.name(dates[-1])}; smallest attainable p-value 1/{total}.",
                    "Placebo dates give no interval.",
                ),
                details={
                    "dates": clock.named(pd.DataFrame({"period": dates, "estimate": placebos}))
                },
                specification=self.specification(),
            )
        )
