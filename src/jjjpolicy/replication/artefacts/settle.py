"""Results as plain JSON values that are the same on every processor.

Two processors add the same numbers in another order and disagree in the last bits. Results are
therefore known up to :data:`~jjjpolicy.report.noise.NOISE` times their scale, and what lies
within that distance is one number: it is written in one way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from jjjpolicy.report.noise import NOISE

DIGITS = 8
"""Significant digits written."""


def settle(value: Any) -> Any:
    """Turn numpy and pandas values, mappings and sequences into JSON values.

    Numbers keep :data:`DIGITS` significant digits. Infinite and undefined numbers become None.
    """
    return _plain(value, _rounded)


def without_noise(content: Mapping[str, Any], committed: Any = None) -> dict[str, Any]:
    """Settle results: noise becomes zero, and a committed number that still holds stays.

    A number's scale is the largest magnitude among the numbers beside it in the same mapping or
    list, counts (integers) and p-values apart; a p-value, which may be small and exact, has its own
    magnitude for a scale. A number below ``NOISE`` times its scale is zero. A committed number
    stays where it is what a number within ``NOISE`` times the scale of the new one would be
    rounded to: on the border between two roundings either may be written, and what is there stays.

    Parameters
    ----------
    content : mapping
        Nested mappings, sequences, numbers and texts.
    committed : object, optional
        What was written before.
    """
    settled: dict[str, Any] = _quiet(_plain(content, float), committed, 0.0)
    return settled


def _plain(value: Any, number: Callable[[float], float]) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item, number) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist(), number)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, number) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return number(float(value)) if math.isfinite(value) else None
    return value if value is None or isinstance(value, str) else repr(value)


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


def _quiet(value: Any, committed: Any, scale: float) -> Any:
    if isinstance(value, dict):
        known = committed if isinstance(committed, dict) else {}
        largest = _largest(item for key, item in value.items() if not _is_pvalue(key))
        return {
            key: _quiet(item, known.get(key), 0.0 if _is_pvalue(key) else largest)
            for key, item in value.items()
        }
    if isinstance(value, list):
        before = committed if isinstance(committed, list) else []
        before = [*before, *[None] * len(value)]
        largest = _largest(value)
        return [_quiet(item, old, largest) for item, old in zip(value, before, strict=False)]
    return _number(value, committed, scale) if isinstance(value, float) else value


def _number(value: float, committed: Any, scale: float) -> float:
    nothing = NOISE * scale

    def written(number: float) -> float:
        return 0.0 if abs(number) <= nothing else _rounded(number)

    if isinstance(committed, float) and committed == written(committed):
        noise = max(nothing, NOISE * abs(value))
        if written(value - noise) <= committed <= written(value + noise):
            return committed
    return written(value)


def _largest(values: Iterable[Any]) -> float:
    return max((abs(value) for value in values if isinstance(value, float)), default=0.0)


def _is_pvalue(key: str) -> bool:
    return key.endswith("pvalue")
