"""An estimate under the names that users of broom and of statsmodels know."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.estimation.results import WaldTest

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.results import InferenceResult

ATT = "ATT"
"""The term of the overall effect; ``ATT(2)`` is the effect two periods after adoption."""


class Tidied(ABC):
    """What an :class:`~jjjpolicy.estimation.estimate.Estimate` offers to packages for tables.

    The columns are those of ``broom::tidy`` and ``broom::glance`` in R, the aliases those of the
    results of ``statsmodels``.
    """

    att: float
    estimand: str
    estimator: Any
    design: Design
    inference: InferenceResult | None

    @abstractmethod
    def effects_at(self, level: float) -> pd.DataFrame:
        """Effects by event time: event_time, estimate, se, lower, upper."""

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """The overall effect and those by event time, one row each.

        Parameters
        ----------
        level : float
            Of the intervals.

        Returns
        -------
        DataFrame
            Columns term (``ATT``, then ``ATT(-2)`` and so on by event time), estimate, std.error,
            statistic, p.value, conf.low, conf.high. The statistic is that of a t test; methods that
            rank or invert a test have none. Single event times have no p-value: what is asked of
            them together is in :func:`jjjpolicy.sensitivity.pretrend_test` and
            :func:`jjjpolicy.inference.uniform_bands`.

        Raises
        ------
        InferenceError
            A level outside of (0, 1).
        """
        by_time = self.effects_at(level)
        result = self.inference
        se, pvalue = (None, None) if result is None else (result.se, result.pvalue)
        ends = (None, None) if result is None or result.bounds is None else result.bounds(level)
        statistic = self.att / se if isinstance(result, WaldTest) and se else None
        overall = (ATT, self.att, se, statistic, pvalue, *ends)
        rows: list[tuple[Any, ...]] = [overall]
        for row in by_time.itertuples():
            term = f"{ATT}({row.event_time:g})"
            rows.append((term, row.estimate, row.se, None, None, row.lower, row.upper))
        columns = ["estimate", "std.error", "statistic", "p.value", "conf.low", "conf.high"]
        table = pd.DataFrame(rows, columns=["term", *columns])
        return table.astype(dict.fromkeys(columns, float))

    def glance(self) -> pd.DataFrame:
        """One row on the estimate as a whole.

        Returns
        -------
        DataFrame
            Columns nobs, n.units, n.treated, n.periods, n.groups (groups at the level of
            assignment), estimator, estimand, outcome, inference.
        """
        design = self.design
        row = {
            "nobs": design.n_observations,
            "n.units": design.count(),
            "n.treated": design.count(design.treated),
            "n.periods": design.n_periods,
            "n.groups": design.count_clusters(design.assignment),
            "estimator": self.estimator.label,
            "estimand": self.estimand,
            "outcome": design.labels.outcome,
            "inference": None if self.inference is None else self.inference.name,
        }
        return pd.DataFrame([row])

    @property
    def params(self) -> pd.Series[float]:
        """Estimates by term; ``tidy()["estimate"]``."""
        return self._by_term("estimate")

    @property
    def bse(self) -> pd.Series[float]:
        """Standard errors by term; ``tidy()["std.error"]``."""
        return self._by_term("std.error")

    @property
    def pvalues(self) -> pd.Series[float]:
        """p-values by term, of the overall effect alone; ``tidy()["p.value"]``."""
        return self._by_term("p.value")

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Ends of the intervals by term, in columns 0 and 1, of level ``1 - alpha``."""
        ends = self.tidy(float(np.round(1 - alpha, 12))).set_index("term")
        return ends[["conf.low", "conf.high"]].set_axis([0, 1], axis=1)

    def _by_term(self, column: str) -> pd.Series[float]:
        return self.tidy().set_index("term")[column].rename(None)
