"""Random streams, and how many of them: requests that no machine can meet are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jjjpolicy.errors import InferenceError

if TYPE_CHECKING:
    import numpy as np

MOST = 1_000_000
"""Draws at which the simulation error of a p-value is below 0.0005."""


def streams(seed: int, number: int, name: str = "replications") -> list[np.random.SeedSequence]:
    """One random stream for each draw, so that the first draws do not depend on their number.

    Raises
    ------
    InferenceError
        A negative seed; more draws than a million.
    """
    require_few(name, number)
    return seeded(seed).spawn(number)


def seeded(seed: int) -> np.random.SeedSequence:
    """The random stream of a seed.

    Raises
    ------
    InferenceError
        The seed is negative.
    """
    import numpy as np

    if seed < 0:
        raise InferenceError(f"seed={seed} must be 0 or a positive whole number.")
    return np.random.SeedSequence(seed)


def require_few(name: str, number: int, most: int = MOST) -> None:
    """Raise an `InferenceError` with the number if it is above ``most``."""
    if number > most:
        raise InferenceError(
            f"{name}={number:,} is more than {most:,}, which is the most that is computed; ask for "
            f"fewer."
        )
