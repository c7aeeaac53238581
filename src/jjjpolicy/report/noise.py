"""Rounding noise: what is left of numbers in which processors differ."""

from __future__ import annotations

NOISE = 1e-10
"""How far, relative to their scale, numbers may differ between processors and count as the same.

Between the oldest and the newest instructions that were compared the results of the paper move by
less than 1e-12 of their scale, and one effect close to zero by 1.2e-11 of itself."""
