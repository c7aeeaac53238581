"""Least-favourable critical values: a quantile of the largest of correlated normals."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.draws import require_few

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats


def least_favorable_value(roots: Floats, size: float, draws: int, seed: int) -> float:
    r"""The 1 - size quantile of the largest entry of Rz, with z standard normal.

    A normal vector is a direction times an independent length, :math:`z = \|z\| u`, so that
    :math:`P(\max Rz > c) = E_u[P(\chi_r > c / h(u))]` with :math:`h(u) = \max Ru` and the rank r of
    R. Directions are simulated, lengths are exact: in the far tail this is as precise as many times
    as many draws of z.

    Parameters
    ----------
    roots : ndarray, shape (functions, periods)
        The matrix R.
    size : float
    draws : int
        Pairs of opposite directions.
    seed : int
    """
    if draws < 100:
        raise InferenceError(f"draws={draws} must be at least 100.")
    if len(roots) < roots.shape[1]:
        roots = np.linalg.qr(roots.T)[1].T
    rank = roots.shape[1]
    values = roots @ _directions(rank, draws, seed)
    reach = np.concatenate([values.max(axis=0), -values.min(axis=0)])
    reach = reach[reach > 1e-12]
    total = 2 * draws
    if len(reach) <= size * total:
        return 0.0
    low, high = 0.0, np.inf
    value = 2.8 * float(reach.max())
    for _ in range(60):
        tail, density = _length(value / reach, rank)
        excess = float(tail.sum()) / total
        slope = float((density / reach).sum()) / total
        low, high = (value, high) if excess > size else (low, value)
        # Newton steps on the logarithm, which is close to a straight line.
        proposal = value + excess * np.log(excess / size) / slope if excess * slope > 0 else 0.0
        if abs(proposal - value) <= 1e-10 * value:
            return proposal
        if not low < proposal < high:
            proposal = (low + high) / 2 if np.isfinite(high) else 2 * value
        value = proposal
    return value


def _length(values: Floats, rank: int) -> tuple[Floats, Floats]:
    """Upper tail probability and density of the length of a standard normal vector.

    The tail is a finite sum for a whole rank (Abramowitz and Stegun, 26.4.4 and 26.4.5), many times
    as fast as the incomplete gamma function.
    """
    from scipy.special import erfc

    half = values * values / 2
    decay = np.exp(-half)
    if rank % 2:
        term, first = np.sqrt(half / np.pi) * 2, 3
        tail = erfc(np.sqrt(half))
        density = np.sqrt(2 / np.pi) * decay
    else:
        term, first = np.ones_like(half), 2
        tail = np.zeros_like(half)
        density = values * decay
    for freedom in range(first, rank + 1, 2):
        tail = tail + decay * term
        term = term * half * (2 / freedom)
        if freedom > 2:
            density = density * (2 * half / (freedom - 2))
    return tail, density


@lru_cache(maxsize=64)
def _directions(rank: int, draws: int, seed: int) -> Floats:
    """Unit vectors, shape (rank, draws)."""
    require_few("draws", draws)
    normal = np.random.default_rng(np.random.SeedSequence([seed, rank])).normal(size=(rank, draws))
    directions: Floats = normal / np.linalg.norm(normal, axis=0)
    directions.flags.writeable = False
    return directions
