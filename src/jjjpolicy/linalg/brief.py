"""How an object shows itself: in one line, arrays by their shape; and in notebooks as HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from importlib import import_module
from typing import Any


def brief(thing: Any) -> str:
    """What stands for a dataclass at the end of a notebook's cell.

    Examples
    --------
    >>> import numpy as np
    >>> from dataclasses import make_dataclass
    >>> Fit = make_dataclass("Fit", ["loss", "weights"])
    >>> brief(Fit(0.5, np.zeros((3, 2))))
    '<Fit: loss 0.5, weights 3 × 2>'
    """
    parts = []
    for item in fields(thing):
        value = getattr(thing, item.name)
        shape = getattr(value, "shape", None)
        if isinstance(shape, tuple) and shape:
            parts.append(f"{item.name} {' × '.join(map(str, shape))}")
        elif isinstance(value, float):
            parts.append(f"{item.name} {value:.6g}")
        elif isinstance(value, list | tuple | Mapping):
            parts.append(f"{len(value)} {item.name}")
        elif isinstance(value, int | str) and len(str(value)) < 60:
            parts.append(f"{item.name} {value}")
    return f"<{type(thing).__name__}: {', '.join(parts)}>"


def with_options(thing: Any) -> str:
    """What stands for the options of a method: as they are written, arrays by their shape."""
    parts = []
    for item in fields(thing):
        value = getattr(thing, item.name)
        shape = getattr(value, "shape", None)
        told = f"<{' × '.join(map(str, shape))}>" if isinstance(shape, tuple) else repr(value)
        parts.append(f"{item.name}={told}")
    return f"{type(thing).__name__}({', '.join(parts)})"


def renderer(name: str) -> Callable[..., Any]:
    """The only upward call in the package: renderers are found when first used."""
    found: Callable[..., Any] = getattr(import_module("jjjpolicy.report.estimates.plots"), name)
    return found


def shown_as_html(thing: Any) -> str:
    """What stands below the cell of a notebook, in the language that is set."""
    return str(renderer("html")(thing))


class ShownAsHTML:
    """Shows itself below the cell of a notebook as a table."""

    def _repr_html_(self) -> str:
        return shown_as_html(self)
