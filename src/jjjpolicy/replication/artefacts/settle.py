"""Results as plain JSON values with a settled number of digits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

DIGITS = 8
"""Significant digits kept: what the last bits of floating point cannot reach."""


def settle(value: Any) -> Any:
    """Turn numpy and pandas values, mappings and sequences into JSON values.

    Numbers keep :data:`DIGITS` significant digits, so that rounding in the last bits, which differs
    between processors, does not show. Infinite and undefined numbers become None.
    """
    if isinstance(value, Mapping):
        return {str(key): settle(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return settle(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [settle(item) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        return float(f"{number:.{DIGITS}g}") if math.isfinite(number) else None
    return value if value is None or isinstance(value, str) else repr(value)
