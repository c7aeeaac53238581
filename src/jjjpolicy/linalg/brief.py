"""How an object that holds arrays shows itself: one line, numbers as they are, arrays by shape."""

from __future__ import annotations

from dataclasses import fields
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
        elif isinstance(value, int | str) and len(str(value)) < 60:
            parts.append(f"{item.name} {value}")
    return f"<{type(thing).__name__}: {', '.join(parts)}>"
