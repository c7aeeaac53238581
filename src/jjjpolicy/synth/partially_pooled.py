"""Partially pooled synthetic control for staggered adoption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError
from jjjpolicy.estimator import Estimator, Refits
from jjjpolicy.linalg.simplex import simplex_least_squares
from jjjpolicy.synth.gaps import Gaps, estimate_from_counterfactual

if TYPE_CHECKING:
    from jjjpolicy.design import Design, Floats
    from jjjpolicy.estimate import Estimate


@dataclass(frozen=True)
class PartiallyPooledSyntheticControl(Estimator):
    r"""Synthetic controls that fit each treated unit and the average of all of them.

    The weights minimise :math:`\nu\, q_{pool}^2 + (1 - \nu)\, q_{sep}^2`, where
    :math:`q_{sep}^2` is the mean over treated units of the mean squared pre-treatment gap and
    :math:`q_{pool}^2` the mean squared average gap by time before adoption (Ben-Michael, Feller and
    Rothstein 2022, section 3), over the pre-treatment periods that all treated units share. Donors
    are the never-treated units.

    Parameters
    ----------
    pooling : float, optional
        :math:`\nu` between 0 and 1; by default :math:`q_{pool} / q_{sep}` of the separate fits.
    intercept : bool
        Fit outcomes less their pre-treatment average (section 4.1).
    """

    pooling: float | None = None
    intercept: bool = True

    def fit(self, design: Design) -> Estimate:
        """Weights of all treated units together.

        Raises
        ------
        DesignError
            Absent cells, treatment that switches off, observation weights, no never-treated unit,
            ``pooling`` outside [0, 1].
        """
        paths, weights, pooling = self._solve(design)
        return estimate_from_counterfactual(
            self,
            design,
            paths,
            weights=pd.DataFrame(
                weights.T,
                index=pd.Index(design.units[~design.treated], name="donor"),
                columns=pd.Index(design.units[design.treated], name="unit"),
            ),
            details={"pooling": pooling},
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels."""
        treated = design.treated
        gaps = design.outcome[treated] - self._solve(design)[0]
        return Gaps(gaps, design.periods, design.adoption[treated]).refits()

    def _solve(self, design: Design) -> tuple[Floats, Floats, float]:
        design.require_absorbing(self.label)
        design.require_balanced(self.label)
        design.require_unweighted(self.label)
        donors = design.require_never_treated(self.label, 2)
        if self.pooling is not None and not 0 <= self.pooling <= 1:
            raise DesignError(f"pooling={self.pooling} must lie between 0 and 1.")
        starts = np.searchsorted(design.periods, design.adoption[design.treated])
        lags = int(starts.min())
        outcomes, pool = design.outcome[design.treated], design.outcome[donors]
        levels = [
            (y[:s].mean(), pool[:, :s].mean(axis=1))
            if self.intercept
            else (0.0, np.zeros(len(pool)))
            for y, s in zip(outcomes, starts, strict=True)
        ]
        targets = np.stack(
            [y[s - lags : s] - a for y, s, (a, _) in zip(outcomes, starts, levels, strict=True)]
        )
        pools = np.stack(
            [
                (pool[:, s - lags : s] - b[:, None]).T
                for s, (_, b) in zip(starts, levels, strict=True)
            ]
        )
        weights = np.stack(
            [simplex_least_squares(a, b).weights for a, b in zip(pools, targets, strict=True)]
        )
        gaps = targets - np.einsum("jtd,jd->jt", pools, weights)
        separate = float(np.sqrt((gaps**2).mean()))
        pooled = float(np.sqrt((gaps.mean(axis=0) ** 2).mean()))
        ratio = pooled / separate if separate > 0 else 0.0
        pooling = ratio if self.pooling is None else self.pooling
        weights = _descend(pools, targets, weights, pooling)
        paths = np.stack(
            [a + w @ (pool - b[:, None]) for w, (a, b) in zip(weights, levels, strict=True)]
        )
        return paths, weights, pooling


def _descend(pools: Floats, targets: Floats, weights: Floats, pooling: float) -> Floats:
    """Solve for one treated unit's weights at a time until none changes."""
    count = len(targets)
    weights = weights.copy()
    own, common = np.sqrt((1 - pooling) / count), np.sqrt(pooling) / count
    gaps = targets - np.einsum("jtd,jd->jt", pools, weights)
    for _ in range(500):
        change = 0.0
        for j in range(count):
            others = gaps.sum(axis=0) - gaps[j]
            rows = np.concatenate([own * pools[j], common * pools[j]])
            goal = np.concatenate([own * targets[j], common * (targets[j] + others)])
            new = simplex_least_squares(rows, goal).weights
            change = max(change, float(np.abs(new - weights[j]).max()))
            weights[j] = new
            gaps[j] = targets[j] - pools[j] @ new
        if change < 1e-9:
            break
    return weights
