"""A fixed-effects regression cluster by cluster: what CRV2, CRV3 and the wild bootstrap work on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.design.intake.columns import shown_labels

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.did.regressions.fixed_effects import FixedEffectsFit
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

SINGULAR = 1e-9


@dataclass(frozen=True, eq=False)
class ClusterProducts:
    r"""Cross-products of regressors and residuals within clusters, in orthonormal coordinates.

    Let :math:`Z` hold the regressors and the period effects, both net of unit effects (which are
    nested in the clusters and drop out: Pustejovsky and Tipton 2018, theorem 2), and let
    :math:`Z'Z = (LL')^{-1}`. Everything is kept for the columns of :math:`ZL`, whose Gram matrix is
    the identity.

    Attributes
    ----------
    gram : ndarray, shape (clusters, rank, rank)
        :math:`L'Z_g'Z_gL`; they sum to the identity.
    scores : ndarray, shape (clusters, rank)
        :math:`L'Z_g'\hat u_g`; they sum to zero.
    contrasts : ndarray, shape (estimates, rank)
        Rows :math:`c'L`, the overall effect first.
    codes : ndarray of int, shape (units,)
    """

    gram: Floats
    scores: Floats
    contrasts: Floats
    codes: Integers

    @property
    def groups(self) -> int:
        return len(self.gram)

    @cached_property
    def _eigen(self) -> tuple[Floats, Floats]:
        values, vectors = np.linalg.eigh(self.gram)
        return np.clip(values, 0.0, 1.0), vectors

    def leverage_power(self, power: float) -> tuple[Floats, Booleans]:
        r"""Rows :math:`c'L(I - L'Z_g'Z_gL)^{-power}` of every cluster.

        Power 0 gives the terms of CRV1, 1/2 of CRV2, and 1 of the jackknife CRV3 (Bell and
        McCaffrey 2002, with the inverses taken in the space of the regressors).

        Returns
        -------
        rows : ndarray, shape (clusters, estimates, rank)
        lost : ndarray of bool, shape (clusters, estimates)
            Whether the estimate cannot be formed without the cluster.
        """
        values, vectors = self._eigen
        left = 1.0 - values
        alone = left < SINGULAR
        factors = np.where(alone, 0.0, np.where(alone, 1.0, left) ** -power)
        rotated = self.contrasts[None] @ vectors
        scale = np.linalg.norm(self.contrasts, axis=1)
        lost = np.linalg.norm(rotated * alone[:, None, :], axis=2) > 1e-6 * scale
        rows = (rotated * factors[:, None, :]) @ vectors.transpose(0, 2, 1)
        return rows, lost

    def satterthwaite(self) -> Floats:
        r"""Degrees of freedom of CRV2 for each estimate.

        Bell and McCaffrey (2002): :math:`(\sum\lambda)^2 / \sum\lambda^2` with the eigenvalues of
        :math:`G'G`, :math:`G_g = (I - H)_g' A_g Z_g (Z'Z)^{-1} c`, for independent errors of equal
        variance.
        """
        values, vectors = self._eigen
        left = 1.0 - values
        alone = left < SINGULAR
        root = np.where(alone, 0.0, np.where(alone, 1.0, left) ** -0.5)
        rotated = self.contrasts[None] @ vectors
        lengths = (rotated**2 * (root**2 * values)[:, None, :]).sum(axis=2)
        rows = (rotated * (root * values)[:, None, :]) @ vectors.transpose(0, 2, 1)
        freedom = np.empty(len(self.contrasts))
        for e in range(len(freedom)):
            cross = np.diag(lengths[:, e]) - rows[:, e] @ rows[:, e].T
            freedom[e] = np.trace(cross) ** 2 / (cross**2).sum()
        return freedom


def cluster_products(fit: FixedEffectsFit, contrasts: Floats, codes: Integers) -> ClusterProducts:
    """Cross-products of a regression within clusters of units.

    Parameters
    ----------
    fit : FixedEffectsFit
    contrasts : ndarray, shape (estimates, regressors)
    codes : ndarray of int, shape (units,)
        0, 1, …; every code occurs.
    """
    design, cells = fit.design, fit.cells
    regressors = np.concatenate([cells.regressors, _period_effects(design.observed)], axis=2)
    residuals = cells.residuals
    if design.weights is not None:
        roots = np.sqrt(design.weights)
        regressors = regressors * roots[:, None, None]
        residuals = residuals * roots[:, None]
    groups, columns = int(codes.max()) + 1, regressors.shape[2]
    scale = np.sqrt(np.einsum("itk,itk->k", regressors, regressors))
    regressors = regressors / np.where(scale > 0, scale, 1.0)
    gram = np.zeros((groups, columns, columns))
    scores = np.zeros((groups, columns))
    order = np.argsort(codes, kind="stable")
    for g, members in enumerate(np.split(order, np.cumsum(np.bincount(codes))[:-1])):
        mine = regressors[members].reshape(-1, columns)
        gram[g] = mine.T @ mine
        scores[g] = residuals[members].ravel() @ mine
    values, vectors = np.linalg.eigh(gram.sum(axis=0))
    strong = values > SINGULAR * values[-1]
    basis = vectors[:, strong] / np.sqrt(values[strong])
    padded = np.zeros((len(contrasts), columns))
    padded[:, : contrasts.shape[1]] = contrasts / scale[: contrasts.shape[1]]
    return ClusterProducts(basis.T @ gram @ basis, scores @ basis, padded @ basis, codes)


def named_members(design: Design, codes: Integers, group: int) -> str:
    """The units of a cluster, for messages: the first few of many."""
    members = design.units[codes == group]
    return f"{design.labels.unit} {shown_labels(members)}"


def _period_effects(observed: Booleans) -> Floats:
    """Period indicators net of unit effects, shape (units, periods, periods - 1)."""
    seen = observed.astype(float)
    shares = seen / seen.sum(axis=1, keepdims=True)
    effects: Floats = (np.eye(seen.shape[1])[None] - shares[:, None, :]) * seen[:, :, None]
    return effects[:, :, 1:]
