"""Frank-Wolfe on the simplex as the reference implementation of synthetic DiD stops it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jjjpolicy.linalg.types import Floats


@dataclass(frozen=True)
class FrankWolfe:
    r"""Conditional gradient steps that stop early, in two rounds.

    The first round starts from equal weights and takes at most ``first_iterations`` steps. Weights
    of at most a quarter of the largest are then set to zero, and a second round goes on from there.
    A round ends when a step lowers the mean squared error by no more than the square of
    ``smallest_decrease`` times the noise level. This is what the software of Arkhangelsky et al.
    (2021) does; its weights are close to optimal, and this class is here to reproduce them.

    Parameters
    ----------
    smallest_decrease : float
        In units of the noise level.
    first_iterations, iterations : int
        Largest number of steps of the first and of the second round.
    """

    smallest_decrease: float = 1e-5
    first_iterations: int = 100
    iterations: int = 10_000

    def weights(self, a: Floats, b: Floats, ridge: float, noise: float) -> Floats:
        """Approximate minimiser of ``||A w - b||² + ridge ||w||²`` on the simplex.

        Parameters
        ----------
        a : ndarray, shape (rows, columns)
        b : ndarray, shape (rows,)
        ridge : float
        noise : float
            The unit of ``smallest_decrease``, in the outcome's unit of measure.
        """
        limit = len(b) * (self.smallest_decrease * noise) ** 2
        start = np.full(a.shape[1], 1 / a.shape[1])
        first = _descend(a, b, ridge, start, limit, self.first_iterations)
        kept = np.where(first <= first.max() / 4, 0.0, first)
        return _descend(a, b, ridge, kept / kept.sum(), limit, self.iterations)


def _descend(
    a: Floats, b: Floats, ridge: float, weights: Floats, limit: float, iterations: int
) -> Floats:
    fitted = a @ weights
    previous = np.inf
    for step in range(iterations):
        half_gradient = (fitted - b) @ a + ridge * weights
        vertex = int(np.argmin(half_gradient))
        direction = -weights
        direction[vertex] += 1.0
        if direction.any():
            change = a[:, vertex] - fitted
            curvature = change @ change + ridge * (direction @ direction)
            length = float(np.clip(-(half_gradient @ direction) / curvature, 0.0, 1.0))
            weights = weights + length * direction
            fitted = a @ weights
        residual = fitted - b
        objective = float(residual @ residual + ridge * (weights @ weights))
        if step > 0 and previous - objective <= limit:
            break
        previous = objective
    return weights
