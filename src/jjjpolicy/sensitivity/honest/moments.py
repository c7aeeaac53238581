r"""Moment inequalities of one polyhedron and one target, reduced to what their test needs.

Under the hypothesis :math:`l'\tau = \theta` there is a vector :math:`\tau` of effects with
:math:`A(\beta - L\tau) \le b`. The test statistic of Andrews, Roth and Pakes (2023, equation 5) is

.. math:: \hat\eta(\theta) = \min_{\eta,\,\tau : l'\tau = \theta} \eta
          \text{ subject to } A(\hat\beta - L\tau) - b \le \eta\,\sigma,
          \quad \sigma_i^2 = (A\Sigma A')_{ii}

and by duality the largest of finitely many linear functions of :math:`\hat\beta` and
:math:`\theta`,

.. math:: \hat\eta(\theta) = \max_{\gamma \in V}
          \gamma'\{A\hat\beta - b - a\theta\},
          \quad V = \text{vertices of } \{\gamma \ge 0 : \gamma'X = 0,\ \gamma'\sigma = 1\}

with :math:`A_{post}\tau = a\theta + X\psi`. The vertices depend on neither :math:`\hat\beta` nor
:math:`\theta`, so that they are listed once and every value of :math:`\theta` is tested at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.sensitivity.honest.extreme_rays import extreme_rays

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats
    from jjjpolicy.sensitivity.honest.coefficients import Coefficients
    from jjjpolicy.sensitivity.honest.restrictions import Polyhedron

NO_VARIANCE = 1e-8


@dataclass(frozen=True, eq=False)
class Moments:
    r"""The linear functions whose largest is the test statistic.

    Attributes
    ----------
    intercept, slope : ndarray, shape (vertices,)
        :math:`\gamma'(A\hat\beta - b)` and :math:`\gamma' a`; the functions are
        ``intercept - slope * theta``.
    loadings : ndarray, shape (vertices, periods)
        :math:`\gamma' A`, the gradient in :math:`\hat\beta`.
    roots : ndarray, shape (vertices, periods)
        ``loadings`` times a square root of the covariance of :math:`\hat\beta`.
    """

    intercept: Floats
    slope: Floats
    loadings: Floats
    roots: Floats


class MomentBuilder:
    """Moments of many polyhedra for one set of coefficients and one target.

    Polyhedra of one restriction differ in their pre-periods only, so that they share their rays.
    """

    def __init__(self, coefficients: Coefficients, target: Floats) -> None:
        self._coefficients = coefficients
        pivot = int(np.argmax(np.abs(target)))
        basis = np.eye(len(target))
        basis[pivot] -= target / target[pivot]
        self._nuisance = np.delete(basis, pivot, axis=1)
        self._particular = np.zeros(len(target))
        self._particular[pivot] = 1 / target[pivot]
        self._rays: dict[bytes, Floats] = {}

    def build(self, polyhedron: Polyhedron) -> Moments:
        """The moments of one polyhedron.

        Raises
        ------
        InferenceError
            An inequality has no variance.
        """
        given = self._coefficients
        after = polyhedron.matrix[:, given.pre :]
        nuisance = after @ self._nuisance
        key = nuisance.tobytes()
        if key not in self._rays:
            self._rays[key] = extreme_rays(nuisance)
        rays = self._rays[key]
        spread = np.linalg.norm(polyhedron.matrix @ given.root, axis=1)
        largest = np.linalg.norm(polyhedron.matrix, axis=1) * np.linalg.norm(given.root, 2)
        if (spread <= NO_VARIANCE * largest).any():
            raise InferenceError(
                "the covariance is singular: it says that a difference between coefficients of "
                "different periods has no variance. With fewer clusters than periods it always "
                "is; use fewer periods."
            )
        vertices = rays / (rays @ spread)[:, None]
        loadings = vertices @ polyhedron.matrix
        return Moments(
            intercept=loadings @ given.estimates - vertices @ polyhedron.bound,
            slope=vertices @ after @ self._particular,
            loadings=loadings,
            roots=loadings @ given.root,
        )
