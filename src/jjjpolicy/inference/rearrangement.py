"""One treated group whose errors may be larger than those of the controls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.results import InvertedTest
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.inference.few_treated import RegressionGroups
from jjjpolicy.inference.permutation.inversion import holding_zero
from jjjpolicy.inference.permutation.ranks import at_least

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats

STEPS = 400
LARGEST_HETEROGENEITY = 20.0


@dataclass(frozen=True)
class RearrangementTest(Inference):
    r"""Hagemann's (2025) test for a single treated group.

    With the change :math:`X_1` of the treated group and the changes :math:`X_{0,k}` of q control
    groups, all relative to the controls' mean, no effect is rejected in favour of a positive one
    where :math:`(1 - w)X_1` exceeds every :math:`X_{0,k}` (his algorithm 3.3: the data are then
    unchanged by sorting them). Estimates need only be roughly normal: groups may differ in
    variance, no two controls need be alike, and there is nothing to permute. The weight w keeps
    the size below ``level`` as long as the standard deviation of :math:`X_1` is at most
    ``heterogeneity`` times that of the control groups (of all but one of them): it is the smallest
    one at which

    .. math:: 2^{-(q+1)} + \int_0^\infty \Phi((1 - w)\rho y)^{q-1}\phi(y)\,dy +
              \min_{b>0}\{\Phi(w\sqrt{q-1}\,b)^{q-1} + 2\Phi(-bq)\}

    is at most the level of the one-sided test (his table 1). Two-sided tests are two one-sided
    ones at half the level.

    Parameters
    ----------
    heterogeneity : float
        Bound on the ratio of standard deviations, treated over control.

    Notes
    -----
    ``details`` holds ``change`` (of the treated group, relative to the mean of the controls, groups
    counting equally: where group sizes differ it is not ``att``), ``controls`` (their changes) and
    ``largest_heterogeneity`` at which 5% significance survives (0 if not even at the smallest).
    """

    heterogeneity: float = 2.0

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach p-value and interval.

        Raises
        ------
        InferenceError
            Not a two-way fixed effects coefficient; more than one treated group; fewer than five
            controls; a heterogeneity that is not positive.
        DesignError
            The panel has absent cells.
        """
        if not self.heterogeneity > 0:
            raise InferenceError(f"heterogeneity={self.heterogeneity} must be positive.")
        groups = RegressionGroups.of(estimate, self.label)
        if groups.treated.sum() != 1:
            raise InferenceError(
                f"{self.label} is made for one treated group, this design has "
                f"{int(groups.treated.sum())} at the level {estimate.design.assigned_at!r}; use "
                f"ConleyTaber, FermanPinto or RandomizationInference."
            )
        adjusted = groups.residuals + estimate.att * groups.treatment
        changes = adjusted @ groups.shapes[0] / np.abs(groups.shapes[0]).sum() * 2
        controls = changes[~groups.treated] - changes[~groups.treated].mean()
        change = float(changes[groups.treated][0] - changes[~groups.treated].mean())
        highest, lowest = float(controls.max()), float(controls.min())
        q, rho = len(controls), self.heterogeneity
        noise = resolution(estimate.design.outcome)
        pvalue = _two_sided(change, highest, lowest, q, rho, noise)

        def bounds(level: float) -> tuple[float, float]:
            weight = rearrangement_weight(q, (1 - level) / 2, rho)
            if weight is None:
                return -np.inf, np.inf
            ends = change - highest / (1 - weight), change - lowest / (1 - weight)
            return holding_zero(ends, pvalue, level)

        smallest = min(1.0, 2 * float(_smallest_size(q, rho, 1.0)))
        notes = [
            f"{q} control groups; keeps its size while the treated group's errors are at most "
            f"{rho:g} times as spread as theirs; smallest attainable p-value {smallest:.3g}."
        ]
        if abs(change - estimate.att) > 1e-8 * max(1.0, abs(change)):
            notes.append(
                f"groups count equally here: the interval is about {change:.4g} and not about the "
                f"coefficient {estimate.att:.4g}, which weighs them by size."
            )
        return estimate.with_result(
            InvertedTest(
                name=f"rearrangement test (heterogeneity up to {rho:g})",
                pvalue=pvalue,
                bounds=bounds,
                smallest_pvalue=smallest,
                notes=tuple(notes),
                details={
                    "change": change,
                    "controls": controls,
                    "largest_heterogeneity": _largest_heterogeneity(
                        change, highest, lowest, q, noise
                    ),
                },
                specification=self.specification(),
            )
        )


def rearrangement_weight(controls: int, level: float, heterogeneity: float) -> float | None:
    """The smallest weight that keeps the one-sided test at its level; None where there is none.

    Parameters
    ----------
    controls : int
        Number of control groups.
    level : float
    heterogeneity : float
    """
    weights = np.linspace(0, 1, STEPS, endpoint=False)
    sizes = _sizes(controls, heterogeneity)
    reached = np.flatnonzero(sizes <= level)
    if len(reached) == 0:
        return None
    high = float(weights[reached[0]])
    if reached[0] == 0:
        return high
    low = float(weights[reached[0] - 1])
    for _ in range(40):
        middle = (low + high) / 2
        if float(size_bound(np.array([middle]), controls, heterogeneity)[0]) <= level:
            high = middle
        else:
            low = middle
    return high


def size_bound(weights: Floats, controls: int, heterogeneity: float) -> Floats:
    """Bound on the size of the one-sided test with some weights; shape (weights,)."""
    from scipy.special import ndtr

    power = controls - 1
    nodes, mass = np.polynomial.legendre.leggauss(120)
    y = 4.5 * (nodes + 1)
    density = 4.5 * mass * np.exp(-(y**2) / 2) / np.sqrt(2 * np.pi)
    outlying = ndtr(np.multiply.outer((1 - weights) * heterogeneity, y)) ** power @ density
    scale = (weights * np.sqrt(power))[:, None]
    coarse = np.linspace(0, 2, 201)[1:]
    near = coarse[_mean_part(scale, coarse, controls).argmin(axis=1)][:, None]
    fine = near + np.linspace(-0.01, 0.01, 41)
    bound: Floats = 2.0 ** (-controls - 1) + outlying
    bound += _mean_part(scale, np.maximum(fine, 1e-12), controls).min(axis=1)
    return bound


def _mean_part(scale: Floats, b: Floats, controls: int) -> Floats:
    """What the estimated mean of the controls costs, before it is minimised over b."""
    from scipy.special import ndtr

    found: Floats = ndtr(scale * b) ** (controls - 1) + 2 * ndtr(-b * controls)
    return found


@cache
def _sizes(controls: int, heterogeneity: float) -> Floats:
    return size_bound(np.linspace(0, 1, STEPS, endpoint=False), controls, heterogeneity)


def _smallest_size(controls: int, heterogeneity: float, weight: float) -> float:
    """Smallest level of the one-sided test that some weight below ``weight`` attains."""
    weights = np.linspace(0, 1, STEPS, endpoint=False)
    below = int(np.searchsorted(weights, weight))
    if below == 0:
        return 1.0
    found = float(_sizes(controls, heterogeneity)[:below].min())
    if weight < 1:
        found = min(found, float(size_bound(np.array([weight]), controls, heterogeneity)[0]))
    return min(found, 1.0)


def _two_sided(
    change: float, highest: float, lowest: float, controls: int, rho: float, noise: float
) -> float:
    extreme, size = (highest if change > 0 else -lowest), abs(change)
    if at_least(extreme, size, noise):
        return 1.0
    return min(1.0, 2 * _smallest_size(controls, rho, 1 - max(extreme / size, 0.0)))


def _largest_heterogeneity(
    change: float, highest: float, lowest: float, controls: int, noise: float
) -> float:
    def significant(rho: float) -> bool:
        return _two_sided(change, highest, lowest, controls, rho, noise) <= 0.05

    low, high = 0.0, LARGEST_HETEROGENEITY
    if not significant(0.01):
        return 0.0
    if significant(high):
        return high
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if significant(middle) else (low, middle)
    return low
