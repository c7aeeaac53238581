"""Distances on the globe."""

from __future__ import annotations

import numpy as np

from jjjpolicy.linalg.types import Floats

EARTH_RADIUS_KM = 6371.0088


def great_circle_km(one: Floats, other: Floats) -> Floats:
    """Distances in km between points given as (latitude, longitude) in degrees (haversine).

    Shape (len(one), len(other)).
    """
    (lat1, lon1), (lat2, lon2) = np.radians(one).T, np.radians(other).T
    half = (
        np.sin((lat1[:, None] - lat2[None, :]) / 2) ** 2
        + np.cos(lat1)[:, None]
        * np.cos(lat2)[None, :]
        * np.sin((lon1[:, None] - lon2[None, :]) / 2) ** 2
    )
    distance: Floats = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return distance
