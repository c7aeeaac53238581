"""Modules of the extra ``firms``, imported when they are first needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from jjjpolicy.errors import DataError


class MissingExtraError(DataError, ImportError):
    """Tools for firm records, Arrow, Parquet or Excel are missing; also an `ImportError`."""


def load(module: str) -> Any:
    """A module of the extra ``firms``.

    Raises
    ------
    MissingExtraError
        It is not installed; the message says what to install.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"this needs {module.partition('.')[0]!r}, which is not installed; install the extra "
            f"for other tables than those of pandas and CSV: pip install 'jjjpolicy[firms]'."
        ) from error
