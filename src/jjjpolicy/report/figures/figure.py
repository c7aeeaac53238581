"""A figure of the paper: how to draw it, its caption and its notes; and files of equal bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jjjpolicy.errors import DataError
from jjjpolicy.report.text import LANGUAGES, Label, Language, label_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from jjjpolicy.report.figures.data import PlotData

FORMATS = ("svg", "pdf", "png")
_NO_DATES: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}


@dataclass(frozen=True)
class Caption:
    """What stands below a figure, and how wide the figure is in inches."""

    id: str
    caption: Label
    notes: tuple[Label, ...] = ()
    width: float = 7.0

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Caption:
        """Read a caption written by :meth:`Figure.save`.

        Raises
        ------
        DataError
            The file is not a figure's caption.
        """
        source = Path(path)
        try:
            content = json.loads(source.read_text(encoding="utf-8"))
            return cls(
                id=content["id"],
                caption=label_of(content["caption"]),
                notes=tuple(label_of(note) for note in content["notes"]),
                width=float(content["width"]),
            )
        except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{source.name} is not a figure's caption ({error}). Rebuild it."
            ) from error


@dataclass(frozen=True)
class Figure:
    """A figure in both languages.

    Attributes
    ----------
    id : str
        Name under which the paper refers to the figure.
    caption : Text or str
    draw : callable
        Takes a language and returns the matplotlib figure.
    notes : tuple of Text or str
    data : PlotData, optional
        What is drawn, for an interactive version.
    """

    id: str
    caption: Label
    draw: Callable[[Language], Drawing]
    notes: tuple[Label, ...] = ()
    data: PlotData | None = None

    def save(self, directory: str | PathLike[str]) -> None:
        """Write ``<id>.json`` and ``<id>.<language>.<svg|pdf|png>`` for both languages."""
        from matplotlib import pyplot

        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        width = 0.0
        for language in LANGUAGES:
            drawing = self.draw(language)
            width = round(float(drawing.get_size_inches()[0]), 3)
            save_figure(drawing, folder / f"{self.id}.{language}")
            pyplot.close(drawing)
        content: dict[str, Any] = {
            "id": self.id,
            "caption": _plain(self.caption),
            "notes": [_plain(note) for note in self.notes],
            "width": width,
        }
        if self.data is not None:
            content["data"] = self.data.content()
        text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
        (folder / f"{self.id}.json").write_text(text, encoding="utf-8")


def save_figure(
    figure: Drawing, stem: str | PathLike[str], formats: Iterable[str] = FORMATS
) -> list[Path]:
    """Save a figure; the same figure gives the same bytes, on any processor.

    Parameters
    ----------
    figure : matplotlib Figure
    stem : path
        Path without extension.
    formats : iterable of str
        Among ``svg`` (text as paths, so that it looks the same anywhere), ``pdf`` and ``png``.

    Returns
    -------
    list of Path

    Raises
    ------
    DataError
        A text of the figure has a character for which its font has no glyph.
    """
    import matplotlib

    from jjjpolicy.report.figures.fonts import check_glyphs
    from jjjpolicy.report.figures.positions import rounded_positions

    fonts = check_glyphs(figure)
    # matplotlib embeds OpenType outlines (.otf) correctly only as Type 3.
    font_type = 3 if any(font.suffix == ".otf" for font in fonts) else 42
    paths = []
    for extension in formats:
        if extension not in _NO_DATES:
            raise DataError(f"figure format {extension!r}: choose among {', '.join(FORMATS)}.")
        path = Path(f"{stem}.{extension}")
        path.parent.mkdir(parents=True, exist_ok=True)
        settings: dict[Any, Any] = {
            "svg.hashsalt": path.name,
            "svg.fonttype": "path",
            "pdf.fonttype": font_type,
        }
        with matplotlib.rc_context(settings), rounded_positions(figure):
            figure.savefig(path, format=extension, dpi=300, metadata=_NO_DATES[extension])
        paths.append(path)
    return paths


def _plain(label: Label) -> object:
    return label if isinstance(label, str) else {"en": label.en, "zh": label.zh}
