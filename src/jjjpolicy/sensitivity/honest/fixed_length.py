r"""Fixed-length confidence intervals under smoothness (Rambachan and Roth 2023, section 4.1).

Among affine estimators :math:`v'\hat\beta` of the target, the one whose interval
:math:`v'\hat\beta \pm \chi` is shortest (Donoho 1994; Armstrong and Kolesár 2018):

.. math:: \chi = \min_v \sigma_v\, cv_\alpha(\bar b_v / \sigma_v),\quad
          \sigma_v^2 = v'\Sigma v,\quad
          \bar b_v = \sup_{\delta \in \Delta^{SD}(M)} |v'\delta|

with :math:`cv_\alpha(t)` the 1 - alpha quantile of :math:`|N(t,1)|`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats
    from jjjpolicy.sensitivity.honest.coefficients import Coefficients


@dataclass(frozen=True, eq=False)
class AffineEstimator:
    """An estimator that is linear in the coefficients, and the interval around it.

    Attributes
    ----------
    weights : ndarray, shape (periods,)
    point : float
    se : float
    bias : float
        The largest in absolute value under the restriction.
    half_length : float
    """

    weights: Floats
    point: float
    se: float
    bias: float
    half_length: float


class ShortestIntervals:
    r"""Shortest fixed-length intervals of one target, for any M and level.

    The second differences c of :math:`\delta` and its slope before the reference period span all
    :math:`\delta`. An estimator has bounded bias only if it ignores the slope, which leaves
    :math:`v_{pre}` as an affine function of its loadings p on the second differences of the
    pre-periods; its bias is then :math:`M(B + \|p\|_1)` with B fixed by the target, and its
    variance quadratic in p. The frontier of the two is the path of
    :math:`\min_p \sigma_p^2 + \lambda\|p\|_1` over lambda, piecewise linear in p, which is followed
    exactly. One equation in lambda then gives the shortest interval.
    """

    def __init__(self, coefficients: Coefficients, target: Floats) -> None:
        self._coefficients = coefficients
        pre, post = coefficients.pre, coefficients.post
        times = np.arange(-pre, 0, dtype=float)
        after = np.arange(1, post + 1, dtype=float)
        # Loading of v on the second difference at c: the sum over t < c of (c - t) v_t.
        centres = -np.arange(1, pre, dtype=float)
        loading = np.maximum(centres[:, None] - times[None, :], 0.0)
        system = np.vstack([loading, times])
        inverse = np.linalg.inv(system)
        self._base = np.concatenate([inverse[:, -1] * -(target @ after), target])
        self._change = np.vstack([inverse[:, :-1], np.zeros((post, pre - 1))])
        reach = np.maximum(after[None, :] - np.arange(post)[:, None], 0.0)
        self._fixed_bias = float(np.abs(reach @ target).sum())
        root = coefficients.root
        base, change = self._base @ root, self._change.T @ root
        self._path = LassoPath(change @ change.T, change @ base)

    def shortest(self, m: float, size: float) -> AffineEstimator:
        """The estimator with the shortest interval of level 1 - size under smoothness m."""

        def excess(penalty: float) -> float:
            _, se, loading = self._at(penalty)
            ratio = m * loading / se
            critical = folded_normal_quantile(ratio, size)
            rise = np.tanh(critical * ratio)
            return float(penalty * (critical - ratio * rise) / (2 * se) - m * rise)

        # The excess rises with the penalty: bisection, down to rounding.
        low, penalty = 0.0, self._path.largest
        if m == 0:
            penalty = 0.0
        elif excess(penalty) > 0:
            while penalty - low > 1e-12 * self._path.largest:
                middle = (low + penalty) / 2
                low, penalty = (low, middle) if excess(middle) > 0 else (middle, penalty)
        weights, se, loading = self._at(penalty)
        bias = m * loading
        return AffineEstimator(
            weights=weights,
            point=float(weights @ self._coefficients.estimates),
            se=se,
            bias=bias,
            half_length=se * folded_normal_quantile(bias / se, size),
        )

    def _at(self, penalty: float) -> tuple[Floats, float, float]:
        """Weights, standard error and bias for M = 1 at one point of the frontier."""
        inner = self._path.at(penalty)
        weights = self._base + self._change @ inner
        se = float(np.linalg.norm(weights @ self._coefficients.root))
        return weights, se, self._fixed_bias + float(np.abs(inner).sum())


class LassoPath:
    r"""Solutions of :math:`\min_p p'Qp + 2g'p + \lambda\|p\|_1` for every lambda.

    Followed from the smallest lambda whose solution is zero down to zero; on each piece p is linear
    in lambda (Osborne, Presnell and Turlach 2000).

    Parameters
    ----------
    quadratic : ndarray, shape (n, n)
    linear : ndarray, shape (n,)
    """

    def __init__(self, quadratic: Floats, linear: Floats) -> None:
        self.largest = 2 * float(np.abs(linear).max(initial=0.0))
        knots, solutions = [self.largest], [np.zeros(len(linear))]
        active: list[int] = []
        signs = np.zeros(len(linear))
        penalty = self.largest
        ridge = 1e-13 * float(np.trace(quadratic)) * np.eye(len(linear))
        quadratic = quadratic + ridge
        if self.largest > 0:
            first = int(np.argmax(np.abs(linear)))
            active, signs[first] = [first], -np.sign(linear[first])
        for _ in range(50 * (len(linear) + 1)):
            if penalty <= 0 or not active:
                break
            part = np.ix_(active, active)
            # p = start - penalty * drift on the active set.
            start, drift = np.zeros(len(linear)), np.zeros(len(linear))
            start[active] = -np.linalg.solve(quadratic[part], linear[active])
            drift[active] = np.linalg.solve(quadratic[part], signs[active]) / 2
            penalty, event = self._next(quadratic, linear, start, drift, active, penalty)
            knots.append(penalty)
            solutions.append(start - penalty * drift)
            if event is None:
                break
            if event in active:
                active.remove(event)
                signs[event] = 0.0
                solutions[-1][event] = 0.0
            else:
                gradient = 2 * (quadratic[event] @ solutions[-1] + linear[event])
                active.append(event)
                signs[event] = -np.sign(gradient)
        self._knots, self._solutions = np.array(knots[::-1]), np.array(solutions[::-1])

    @staticmethod
    def _next(
        quadratic: Floats,
        linear: Floats,
        start: Floats,
        drift: Floats,
        active: list[int],
        penalty: float,
    ) -> tuple[float, int | None]:
        """The next smaller penalty where the active set changes, and the entry that does."""
        best, event = 0.0, None
        below = penalty * (1 - 1e-12)
        for k in range(len(linear)):
            if k in active:
                crossings = [start[k] / drift[k]] if drift[k] != 0 else []
            else:
                # Gradient 2(q'p + g) = level - penalty * slope reaches ± penalty.
                level = 2 * (quadratic[k] @ start + linear[k])
                slope = 2 * (quadratic[k] @ drift)
                crossings = [level / (s + slope) for s in (1.0, -1.0) if abs(s + slope) > 1e-14]
            for crossing in crossings:
                if best < crossing < below:
                    best, event = float(crossing), k
        return best, event

    def at(self, penalty: float) -> Floats:
        """The solution at one lambda."""
        if len(self._knots) == 1:
            only: Floats = self._solutions[0]
            return only
        right = int(np.clip(np.searchsorted(self._knots, penalty), 1, len(self._knots) - 1))
        low, high = self._knots[right - 1], self._knots[right]
        share = (penalty - low) / (high - low) if high > low else 0.0
        found: Floats = (1 - share) * self._solutions[right - 1] + share * self._solutions[right]
        return found


def folded_normal_quantile(mean: float, size: float) -> float:
    """The 1 - size quantile of the absolute value of a normal with this mean and variance 1."""
    from scipy.special import ndtr, ndtri

    mean = abs(mean)
    value = mean - float(ndtri(size))  # the upper tail alone: below the quantile by little
    if mean == 0:
        return -float(ndtri(size / 2))
    for _ in range(50):
        excess = float(ndtr(mean - value) + ndtr(-mean - value)) - size
        density = float(np.exp(-((value - mean) ** 2) / 2) + np.exp(-((value + mean) ** 2) / 2))
        step = excess * np.sqrt(2 * np.pi) / density
        value += step
        if abs(step) < 1e-13 * value:
            break
    return float(value)
