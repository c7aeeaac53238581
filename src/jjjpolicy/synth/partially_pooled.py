"""Partially pooled synthetic control for staggered adoption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError
from jjjpolicy.estimator import Estimator, Refits
from jjjpolicy.linalg.simplex import simplex_weights
from jjjpolicy.synth.gaps import Gaps, estimate_from_counterfactual

if TYPE_CHECKING:
    from jjjpolicy.design import Design, Floats
    from jjjpolicy.estimate import Estimate


@dataclass(frozen=True)
class PartiallyPooledSyntheticControl(Estimator):
    r"""Synthetic controls that fit each treated unit and the average of all of them.

    With :math:`g_{jl}` the gap of treated unit j in the l-th period before its own adoption, of
    which it has :math:`L_j`, and L the largest of these, the weights minimise

    .. math:: \nu\, \frac{q_{pool}^2}{\hat q_{pool}^2}
              + (1 - \nu)\, \frac{q_{sep}^2}{\hat q_{sep}^2}, \qquad
              q_{pool}^2 = \frac1L \sum_{l=1}^{L}
              \Bigl(\frac1J \sum_{j: L_j \ge l} g_{jl}\Bigr)^2, \quad
              q_{sep}^2 = \frac1J \sum_j \frac1{L_j} \sum_{l=1}^{L_j} g_{jl}^2,

    where hats are the values at the separate fits (:math:`\nu = 0`; Ben-Michael, Feller and
    Rothstein 2022, section 3). Donors are the never-treated units.

    Parameters
    ----------
    pooling : float, optional
        :math:`\nu` between 0 and 1; by default
        :math:`\sqrt L\, \hat q_{pool} / (J^{-1} \sum_j \sqrt{L_j}\, \hat q_j)`, with
        :math:`\hat q_j` the root mean squared gap of unit j.
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
        outcomes, pool = design.outcome[design.treated], design.outcome[donors]
        blocks = [
            _Block.of(y, pool, int(s), self.intercept)
            for y, s in zip(outcomes, starts, strict=True)
        ]
        weights = np.stack([simplex_weights(b.pool - b.target[:, None]) for b in blocks])
        longest = int(starts.max())
        gaps = np.stack([b.gaps(w, longest) for b, w in zip(blocks, weights, strict=True)])
        lengths = np.linalg.norm(gaps, axis=1)
        pooled, separate = gaps.mean(axis=0), lengths.mean()
        ratio = float(np.linalg.norm(pooled) / separate) if separate > 0 else 0.0
        pooling = ratio if self.pooling is None else self.pooling
        own = (1 - pooling) / (len(blocks) * starts)
        common = pooling / (len(blocks) ** 2 * longest)
        scale_own, scale_common = float((lengths**2 / starts).mean()), float((pooled**2).mean())
        if scale_own > 0 and scale_common > 0 and len(blocks) > 1:
            weights = _descend(blocks, weights, own / scale_own, common / scale_common, longest)
        paths = np.stack(
            [
                b.level + w @ (pool - b.pool_level[:, None])
                for b, w in zip(blocks, weights, strict=True)
            ]
        )
        return paths, weights, pooling


@dataclass(frozen=True)
class _Block:
    """One treated unit before its adoption, and its donors.

    Attributes
    ----------
    target : ndarray, shape (periods,)
        Less the unit's level.
    pool : ndarray, shape (periods, donors)
        Less the donors' levels.
    level : float
    pool_level : ndarray, shape (donors,)
    """

    target: Floats
    pool: Floats
    level: float
    pool_level: Floats

    @classmethod
    def of(cls, outcome: Floats, pool: Floats, start: int, intercept: bool) -> _Block:
        target, early = outcome[:start], pool[:, :start]
        level = float(target.mean()) if intercept else 0.0
        levels = early.mean(axis=1) if intercept else np.zeros(len(pool))
        return cls(target - level, (early - levels[:, None]).T, level, levels)

    def gaps(self, weights: Floats, longest: int) -> Floats:
        """Gaps by time before adoption, the last periods aligned and zero where there are none."""
        gaps = np.zeros(longest)
        gaps[longest - len(self.target) :] = self.target - self.pool @ weights
        return gaps


def _descend(
    blocks: list[_Block], weights: Floats, own: Floats, common: float, longest: int
) -> Floats:
    """Solve for one treated unit's weights at a time until none changes."""
    weights = weights.copy()
    gaps = np.stack([b.gaps(w, longest) for b, w in zip(blocks, weights, strict=True)])
    for _ in range(500):
        change = 0.0
        for j, block in enumerate(blocks):
            others = (gaps.sum(axis=0) - gaps[j])[longest - len(block.target) :]
            difference = block.pool - block.target[:, None]
            rows = np.concatenate(
                [np.sqrt(own[j]) * difference, np.sqrt(common) * (difference - others[:, None])]
            )
            new = simplex_weights(rows)
            change = max(change, float(np.abs(new - weights[j]).max()))
            weights[j] = new
            gaps[j] = block.gaps(new, longest)
        if change < 1e-9:
            break
    return weights
