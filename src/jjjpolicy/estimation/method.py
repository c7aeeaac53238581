"""What estimators and inference methods have in common: options that name themselves."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from jjjpolicy.estimation.options import Options
from jjjpolicy.linalg.threads import InOneThread


class Method(Options, InOneThread):
    """Base class of frozen dataclasses that hold the options of an estimator or of inference."""

    @property
    def label(self) -> str:
        """Name for messages, tables and notes."""
        return type(self).__name__

    def specification(self) -> dict[str, Any]:
        """Name and options, for provenance."""
        options = {
            item.name: getattr(self, item.name)
            for item in fields(self)  # type: ignore[arg-type]
        }
        return {"name": type(self).__name__, **options}
