"""Two drawings compared: their structure exactly, their coordinates up to a tolerance."""

from __future__ import annotations

import math
import re
import shutil
import zlib
from pathlib import Path

from jjjpolicy.report.figures.positions import GRID

_NUMBER = re.compile(r"(?<![\w#.])-?\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.])")
_NAME = re.compile(r'(?<=id=")[^"]*|(?<=href="#)[^"]*|(?<=url\(#)[^)]*')  # hashes of coordinates
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
SHADE = 2
"""Levels of 256 by which a pixel at the edge of a line may differ."""


def keep_drawings(made: Path, committed: Path) -> None:
    """Put the committed files in place of a figure that was drawn anew, if they show the same.

    They do where what is not a picture has the same bytes and no position in a picture has moved
    by more than one step of the grid on which positions are rounded, as rounding noise moves those
    on the border between two steps.

    Parameters
    ----------
    made : Path
        Directory with the files of one figure and nothing else.
    committed : Path
        Directory with the committed files of all figures.
    """
    files = sorted(made.iterdir())
    if all(_same(committed / file.name, file) for file in files):
        for file in files:
            shutil.copyfile(committed / file.name, file)


def _same(before: Path, after: Path) -> bool:
    if not before.is_file():
        return False
    if before.read_bytes() == after.read_bytes():
        return True
    return after.suffix != ".json" and compare_drawings(before, after, 0.0, 1.01 * GRID) is None


def compare_drawings(
    before: Path, after: Path, tolerance: float, absolute: float | None = None
) -> str | None:
    """What differs, in a few words; None where nothing does.

    Parameters
    ----------
    before, after : Path
        SVG, PDF or PNG files that are not the same bytes.
    tolerance : float
        Relative tolerance for coordinates; 0 compares them exactly.
    absolute : float, optional
        Distance in points that counts as equal; by default 0.002, two steps of the grid on which
        positions are rounded, and 0 with a tolerance of 0.
    """
    allowed = absolute if absolute is not None else (0.002 if tolerance else 0.0)
    if before.suffix == ".png":
        return _compare_pixels(before, after, SHADE if tolerance or allowed else 0)
    texts = [_drawn(path) for path in (before, after)]
    frames = [_NUMBER.sub("0", text) for text in texts]
    if frames[0] != frames[1]:
        return "another structure"
    pairs = zip(*(map(float, _NUMBER.findall(text)) for text in texts), strict=True)
    moved = [
        abs(a - b) for a, b in pairs if not math.isclose(a, b, rel_tol=tolerance, abs_tol=allowed)
    ]
    if not moved:
        return None
    return f"{len(moved)} coordinates moved, by up to {max(moved):.3g} points"


def _drawn(path: Path) -> str:
    """What is drawn, without names made of coordinates; of a PDF the contents of its streams."""
    if path.suffix != ".pdf":
        return _NAME.sub("", path.read_text(encoding="utf-8", errors="replace"))
    return "\n".join(map(_inflated, _STREAM.findall(path.read_bytes())))


def _inflated(stream: bytes) -> str:
    try:
        return zlib.decompress(stream).decode("latin-1")
    except zlib.error:
        return stream.decode("latin-1")


def _compare_pixels(before: Path, after: Path, shade: int) -> str | None:
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    try:
        old, new = (
            np.asarray(Image.open(path).convert("RGBA"), dtype=int) for path in (before, after)
        )
    except (UnidentifiedImageError, OSError, SyntaxError):
        return "not a picture"
    if old.shape != new.shape:
        return "another size"
    moved = np.abs(old - new).max(axis=2)
    return None if moved.max() <= shade else f"{int((moved > shade).sum())} pixels differ"
