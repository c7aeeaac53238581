"""Fonts with Chinese characters, from a Python package: no font of the system is needed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from jjjpolicy.errors import DataError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHINESE_SANS = "Noto Sans SC"
_INSTALL = 'Chinese text needs a font. Install it with: pip install "jjjpolicy[paper]"'


def sans_path() -> Path:
    """Path of Noto Sans SC (SIL Open Font License).

    Raises
    ------
    DataError
        The package holding the font is not installed.
    """
    return _package_path("sans_path")


def serif_path() -> Path:
    """Path of Noto Serif SC (SIL Open Font License).

    Raises
    ------
    DataError
        The package holding the font is not installed.
    """
    return _package_path("serif_path")


def _package_path(name: str) -> Path:
    try:
        import pylopdf_fonts_zh_cn
    except ImportError as error:
        raise DataError(_INSTALL) from error
    path: Path = getattr(pylopdf_fonts_zh_cn, name)()
    return path


@lru_cache(maxsize=1)
def register_chinese() -> str:
    """Make the Chinese font known to matplotlib and return its name.

    Raises
    ------
    DataError
        The package holding the font is not installed.
    """
    from matplotlib import font_manager

    font_manager.fontManager.addfont(str(sans_path()))
    return CHINESE_SANS


def check_glyphs(figure: Figure) -> set[Path]:
    """Check that every character of a figure has a glyph, and return the fonts it uses.

    Raises
    ------
    DataError
        A character would show as an empty box; the message names it and its text.
    """
    from matplotlib.font_manager import fontManager, get_font
    from matplotlib.text import Text

    figure.canvas.draw()
    used: set[Path] = set()
    for text in figure.findobj(Text):
        if not isinstance(text, Text) or not text.get_visible():
            continue
        words = text.get_text()
        paths = fontManager._find_fonts_by_props(text.get_fontproperties())
        for character in filter(None, map(str.strip, words)):
            path = next((p for p in paths if get_font(p).get_char_index(ord(character))), None)
            if path is None:
                raise DataError(
                    f"figure: no font has the character {character!r} of {words!r}. {_INSTALL}"
                )
            used.add(Path(str(path)))
    return used
