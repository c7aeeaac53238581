"""Errors that users of the package can catch.

Every message names the column, unit or period at fault and says what to do about it.
"""

from __future__ import annotations

import sys
import warnings
from types import FrameType

OWN = ("jjjpolicy.", "contextlib", "functools")
"""Modules whose lines are none of the user's: ``contextlib`` calls what computes in one thread, and
``functools`` cached properties."""


class JJJPolicyError(Exception):
    """Base class of all errors raised on purpose by ``jjjpolicy``."""


class DataError(JJJPolicyError):
    """A data set, variable, vintage, region or policy is unknown or violates its schema."""


class DesignError(JJJPolicyError):
    """A panel and a treatment do not make a valid design, or not one this estimator can use."""


class InferenceError(JJJPolicyError):
    """An inference method needs something that the estimate does not offer."""


class JJJPolicyWarning(UserWarning):
    """Base class of the package's warnings."""


def warn_user(message: str) -> None:
    """Warn with the line of the first caller outside of this package."""
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and frame.f_globals.get("__name__", "").startswith(OWN):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, JJJPolicyWarning, stacklevel=level)
