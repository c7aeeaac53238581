"""Positions on the page, rounded before they are drawn.

Where a point of the data lies on the page depends in its last bits on the processor; what is
written into a file must not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.path import Path
    from matplotlib.transforms import Transform

GRID = 1 / 1024
"""Step in points (pixels in PNG) to which positions are rounded.

A power of two, so that positions with a few decimals, which layouts have, are never halfway."""


@contextmanager
def rounded_positions(figure: Figure) -> Iterator[None]:
    """Within the block whatever draws a figure draws it with rounded positions."""
    draw: Any = figure.draw
    figure.draw = lambda renderer: draw(RoundedPositions(renderer))  # type: ignore[method-assign]
    try:
        yield
    finally:
        del figure.draw


class RoundedPositions:
    """A matplotlib renderer that rounds positions and hands on to another one.

    Parameters
    ----------
    renderer : RendererBase
        What draws.
    """

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._renderer, name)

    def draw_path(self, gc: Any, path: Path, transform: Transform, rgbFace: Any = None) -> None:
        """Draw a line or an area."""
        self._renderer.draw_path(gc, _moved(path, transform), _nowhere(), rgbFace)

    def draw_markers(
        self,
        gc: Any,
        marker_path: Path,
        marker_trans: Transform,
        path: Path,
        trans: Transform,
        rgbFace: Any = None,
    ) -> None:
        """Draw one marker at many places."""
        places = _moved(path, trans)
        self._renderer.draw_markers(gc, marker_path, marker_trans, places, _nowhere(), rgbFace)

    def draw_path_collection(
        self,
        gc: Any,
        master_transform: Transform,
        paths: Any,
        all_transforms: Any,
        offsets: Any,
        offset_trans: Transform,
        *styles: Any,
        **options: Any,
    ) -> None:
        """Draw many lines, areas or markers."""
        if not len(all_transforms):
            paths = [_moved(path, master_transform) for path in paths]
            master_transform = _nowhere()
        if len(offsets):
            offsets = _rounded(offset_trans.transform(offsets))
            offset_trans = _nowhere()
        self._renderer.draw_path_collection(
            gc, master_transform, paths, all_transforms, offsets, offset_trans, *styles, **options
        )

    def draw_text(self, gc: Any, x: float, y: float, *text: Any, **options: Any) -> None:
        """Write a text."""
        self._renderer.draw_text(gc, *map(float, _rounded((x, y))), *text, **options)


def _moved(path: Path, transform: Transform) -> Path:
    from matplotlib.path import Path as MatplotlibPath

    placed = transform.transform_path(path)
    moved = MatplotlibPath(_rounded(placed.vertices), placed.codes)
    moved.should_simplify = path.should_simplify
    return moved


def _nowhere() -> Transform:
    from matplotlib.transforms import IdentityTransform

    return IdentityTransform()


def _rounded(positions: Any) -> Any:
    return np.ma.filled(np.rint(np.ma.asarray(positions, dtype=float) / GRID) * GRID, np.nan)
