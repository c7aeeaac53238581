"""Two SVG figures compared: their structure exactly, their coordinates up to a tolerance."""

from __future__ import annotations

import math
import re
from pathlib import Path

_NUMBER = re.compile(r"(?<![\w#.])-?\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.])")
_NAME = re.compile(r'(?<=id=")[^"]*|(?<=href="#)[^"]*|(?<=url\(#)[^)]*')  # hashes of coordinates


def compare_drawings(before: Path, after: Path, tolerance: float) -> str | None:
    """What differs, in a few words; None where nothing does.

    Parameters
    ----------
    before, after : Path
        SVG files that are not the same bytes.
    tolerance : float
        Relative tolerance for coordinates; 0 compares them exactly. Positions on the page are
        written with six decimals, so that an absolute 1e-4 points counts as equal with a tolerance.
    """
    texts = [
        _NAME.sub("", path.read_text(encoding="utf-8", errors="replace"))
        for path in (before, after)
    ]
    frames = [_NUMBER.sub("0", text) for text in texts]
    if frames[0] != frames[1]:
        return "another structure"
    pairs = zip(*(map(float, _NUMBER.findall(text)) for text in texts), strict=True)
    absolute = 1e-4 if tolerance else 0.0
    moved = [
        abs(a - b) for a, b in pairs if not math.isclose(a, b, rel_tol=tolerance, abs_tol=absolute)
    ]
    if not moved:
        return None
    return f"{len(moved)} coordinates moved, by up to {max(moved):.3g} points"
