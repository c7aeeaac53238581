"""Words in two languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from jjjpolicy.errors import DataError

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@dataclass(frozen=True)
class Text:
    """The same words in English and in Chinese.

    Parameters
    ----------
    en, zh : str
        The words in each language.
    """

    en: str
    zh: str

    def __str__(self) -> str:
        return self.en


Label = Text | str
"""A bilingual text, or a plain string that is the same in both languages."""


def words(label: Label, language: Language) -> str:
    """Return the words of ``label`` in ``language``.

    Parameters
    ----------
    label : str or Text
        A plain string is the same in both languages.
    language : {"en", "zh"}

    Returns
    -------
    str
    """
    if isinstance(label, str):
        return label
    return label.zh if language == "zh" else label.en


def label_of(content: Any) -> Label:
    """The label that JSON holds: a plain string, or the words under ``en`` and ``zh``."""
    return content if isinstance(content, str) else Text(en=content["en"], zh=content["zh"])


_set: Language = "en"


def set_language(language: Language) -> None:
    """Set the language of summaries, figures and tables for which none is asked.

    Parameters
    ----------
    language : "en" or "zh"

    Raises
    ------
    DataError
        Another language.
    """
    global _set
    _set = chosen(language)


def chosen(language: str | None) -> Language:
    """The language that is asked for, or the one that is set."""
    if language is None:
        return _set
    for known in LANGUAGES:
        if language == known:
            return known
    raise DataError(f"language={language!r}: choose 'en' or 'zh'.")
