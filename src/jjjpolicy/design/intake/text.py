"""Tables from text files as they are met every day: encodings, separators, codes, numbers."""

from __future__ import annotations

import codecs
import csv
import io
import re
import string
from pathlib import Path
from typing import Any

import pandas as pd

from jjjpolicy.errors import DataError

STATA_MISSING = (".", *(f".{letter}" for letter in string.ascii_lowercase))
"""How Stata writes missing values."""

_CODE = re.compile(r"0\d+")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+(,\d+)?\s*")
_GROUPED = re.compile(r"\s*[+-]?[1-9]\d{0,2}(,\d{3})+\s*")


def read_text(
    file: Path, separator: str, encoding: str | None = None, *, as_written: bool = False
) -> pd.DataFrame:
    """A table of a text file.

    Parameters
    ----------
    file : path
    separator : str
        A semicolon, a tab or a bar in its place is recognised in the header.
    encoding : str, optional
        By default UTF-8, UTF-16 with its mark, or GB18030.
    as_written : bool
        Every cell as text.

    Raises
    ------
    DataError
        The encoding is not one of these and not given.
    ValueError
        The text is no table.
    """
    text = decoded(file, separator, encoding)
    header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    if len(header) == 1 and (found := re.search(r"[;\t|]", header[0])):
        separator = found[0]
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    options: dict[str, Any] = {"sep": separator}
    if as_written:
        options |= {"dtype": str, "keep_default_na": False}
    else:
        options |= {"dtype": _codes(text, options), "na_values": STATA_MISSING}
    frame: pd.DataFrame = pd.read_csv(io.StringIO(text), **options)
    if not isinstance(frame.index, pd.RangeIndex):
        raise ValueError("rows have more fields than the header")
    # As written; pandas would number those that occur twice, and names those that are empty.
    names = pd.Index(name.strip() for name in header if name.strip())
    if not names.is_unique:
        raise ValueError(f"two columns are named {names[names.duplicated()][0]!r}; rename one")
    return _with_decimal_commas(frame) if separator == ";" and not as_written else frame


def decoded(file: Path, separator: str, encoding: str | None = None) -> str:
    """The text of a file.

    Chinese text that is not UTF-8 is GB18030 and consists of common characters; where it would be
    of rare ones or of none, the file is in an encoding that cannot be told from its bytes.
    """
    content = file.read_bytes()
    if encoding is not None:
        try:
            return content.decode(encoding)
        except (LookupError, UnicodeDecodeError) as error:
            raise DataError(
                f"{file.name} cannot be read with encoding={encoding!r}: {error}."
            ) from (error)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    if b"\x00" in content[: 1 << 16]:
        raise ValueError("it holds binary data")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.start
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    foreign = [character for character in text if not character.isascii()]
    common = sum(map(_is_common, foreign))
    if foreign and common >= 0.5 * len(foreign):
        return text
    line = content[:at].count(b"\n") + 1
    start = content.rfind(b"\n", 0, at) + 1
    cell = content[:at].count(separator.encode(), start)
    field = content[start:].split(b"\n", 1)[0].rstrip(b"\r").split(separator.encode())[cell]
    readings = "; ".join(
        f"{_reading(field, name)!r} with encoding={name!r}"
        for name in ("cp1252", "gb18030", "big5")
    )
    raise DataError(
        f"{file.name} is not UTF-8, and its encoding cannot be told: field {cell + 1} of line "
        f"{line} reads {readings}. Say which it is with encoding=, or save the file as UTF-8."
    )


def _reading(field: bytes, encoding: str) -> str:
    return field.decode(encoding, errors="replace")


def _is_common(character: str) -> bool:
    """Whether GB 2312 has a character among its symbols or its 3,755 common characters."""
    try:
        pair = character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return len(pair) == 2 and (pair[0] <= 0xA9 or 0xB0 <= pair[0] <= 0xD7)


def _codes(text: str, options: dict[str, Any]) -> dict[str, type[str]]:
    """Columns with codes such as 01, whose zeros would be lost in numbers."""
    if re.search(r"""(?:^|[,;|\t"])0\d+(?:$|[,;|\t"\r])""", text, re.MULTILINE) is None:
        return {}
    cells = pd.read_csv(io.StringIO(text), dtype=str, **options)
    return {
        str(name): str
        for name in cells.columns
        if cells[name].str.fullmatch(_CODE).fillna(False).astype(bool).any()
    }


def _with_decimal_commas(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns of numbers with decimal commas as numbers; commas that may group thousands stay."""
    for name in [n for n in frame if not pd.api.types.is_numeric_dtype(frame[n])]:
        cells = frame[name].dropna().astype(str)
        with_comma = cells[cells.str.contains(",")]
        if (
            len(with_comma)
            and cells.str.fullmatch(_DECIMAL_COMMA).all()
            and not with_comma.str.fullmatch(_GROUPED).all()
        ):
            frame[name] = pd.to_numeric(frame[name].str.replace(",", ".", regex=False))
    return frame
