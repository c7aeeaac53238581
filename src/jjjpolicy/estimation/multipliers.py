"""Multiplier bootstrap of influence functions: random signs for clusters instead of refits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.draws import streams
from jjjpolicy.estimation.variance import cluster_sums

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats, Integers

Law = Literal["mammen", "rademacher", "webb"]

TOGETHER = 16
"""Draws that share one pass over the influence functions."""

_GOLDEN = (1 + np.sqrt(5)) / 2
_SUPPORT = {
    "mammen": ([1 - _GOLDEN, _GOLDEN], [_GOLDEN / np.sqrt(5), 1 - _GOLDEN / np.sqrt(5)]),
    "rademacher": ([-1.0, 1.0], [0.5, 0.5]),
    "webb": ([s * np.sqrt(k / 2) for s in (-1, 1) for k in (1, 2, 3)], [1 / 6] * 6),
}


def multiplier_draws(
    influence: Floats, codes: Integers, *, draws: int, seed: int, law: Law
) -> Floats:
    """Bootstrap deviations of estimates from their values.

    Parameters
    ----------
    influence : ndarray, shape (units, estimates)
    codes : ndarray of int, shape (units,)
        Clusters; all units of one get the same multiplier.
    draws : int
    seed : int
        Each draw has its own stream, so that the first draws do not depend on their number.
    law : {"mammen", "rademacher", "webb"}
        Distribution of the multipliers, all with mean 0 and variance 1.

    Returns
    -------
    ndarray, shape (draws, estimates)

    Raises
    ------
    InferenceError
        Unknown law, or fewer than two draws.
    """
    if law not in _SUPPORT:
        raise InferenceError(f"law={law!r} must be one of {', '.join(map(repr, _SUPPORT))}.")
    if draws < 2:
        raise InferenceError(f"draws={draws} must be at least 2.")
    sums = cluster_sums(influence, codes)
    seeds = streams(seed, draws)
    deviations = np.empty((draws, influence.shape[1]))
    multipliers = np.empty((min(TOGETHER, draws), len(sums)))
    for start in range(0, draws, TOGETHER):
        batch = seeds[start : start + TOGETHER]
        for row, stream in zip(multipliers, batch, strict=False):
            _fill(row, law, stream)
        deviations[start : start + len(batch)] = multipliers[: len(batch)] @ sums
    deviations /= len(influence)
    return deviations


def _fill(row: Floats, law: Law, stream: np.random.SeedSequence) -> None:
    """Draw one multiplier for each cluster."""
    generator = np.random.Generator(np.random.SFC64(stream))
    if law == "rademacher":
        bits = np.frombuffer(generator.bytes(-(-len(row) // 8)), dtype=np.uint8)
        row[:] = np.unpackbits(bits, count=len(row))
        row *= 2.0
        row -= 1.0
        return
    values, chances = (np.asarray(part, dtype=float) for part in _SUPPORT[law])
    row[:] = values[np.searchsorted(np.cumsum(chances)[:-1], generator.random(len(row)), "right")]


def uniform_critical_value(
    influence: Floats, codes: Integers, alpha: float, *, draws: int, seed: int, law: Law
) -> float:
    """Factor of the standard errors of a band that holds all estimates at once.

    The ``1 - alpha`` quantile of the largest absolute deviation over the estimates, each divided by
    its standard error; see :func:`multiplier_draws` for parameters and errors.
    """
    deviations = multiplier_draws(influence, codes, draws=draws, seed=seed, law=law)
    sums = cluster_sums(influence, codes) / len(influence)
    errors = np.sqrt((sums**2).sum(axis=0))
    largest = np.abs(deviations / errors).max(axis=1)
    return float(np.quantile(largest, 1 - alpha, method="inverted_cdf"))
