"""What a table cell can hold, and how numbers are printed. Formatting is stated here, once.

``source`` of a cell names the result it prints, as in ``effects:log_gdp/tianjin/did/att``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from jjjpolicy.report.text import Label

MINUS = "\N{MINUS SIGN}"
MOST_DECIMALS = 9
MISSING = "\N{EN DASH}"


def format_number(value: float | None, digits: int = 3, *, grouping: bool = False) -> str:
    """Print a number with a fixed number of decimals and a true minus sign.

    More than nine decimals, which :func:`decimals` gives numbers below a ten-millionth, would be
    zeros to count: such numbers print as ``1.23e−12``.

    Parameters
    ----------
    value : float or None
        ``None`` and NaN print as an en dash; a table must then give the reason in its notes.
    digits : int
        Decimals after the point.
    grouping : bool
        Separate thousands by commas.

    Examples
    --------
    >>> format_number(-1234.5678, 1, grouping=True)
    '−1,234.6'
    """
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return MINUS + "∞" if value < 0 else "∞"
    text = f"{abs(value):{',' if grouping else ''}.{digits}f}"
    if digits > MOST_DECIMALS and 0 < abs(value) < 1:
        text = f"{abs(value):.2e}".replace("e-", "e" + MINUS)
    rounds_to_zero = not any(character in "123456789" for character in text)
    return text if value >= 0 or rounds_to_zero else MINUS + text


def decimals(values: Iterable[float | None], least: int = 3) -> int:
    """Decimals with which the largest of several numbers of one unit shows two digits.

    Numbers of the order of one print with ``least`` decimals, smaller ones with more, so that an
    effect does not print as zero because of the unit it is measured in.

    Parameters
    ----------
    values : iterable of float or None
        An estimate, its standard error and its interval, say; missing and infinite ones are left
        aside.
    least : int

    Examples
    --------
    >>> decimals([0.5, 0.02]), decimals([1.2e-6, 3e-7])
    (3, 7)
    """
    sizes = [abs(v) for v in values if v is not None and math.isfinite(v) and v]
    return max(least, 1 - math.floor(math.log10(max(sizes)))) if sizes else least


def format_pvalue(value: float | None, digits: int = 3) -> str:
    """Print a p-value; one that would round to zero prints as ``<0.001``.

    Parameters
    ----------
    value : float or None
        None prints as missing.
    digits : int
        Decimals.

    Returns
    -------
    str
    """
    if value is not None and value < 0.5 * 10.0**-digits:
        return f"<{10.0**-digits:.{digits}f}"
    return format_number(value, digits)


@runtime_checkable
class Figures(Protocol):
    """A cell that holds numbers."""

    @property
    def values(self) -> tuple[float | None, ...]:
        """The numbers themselves, unrounded."""
        ...

    def __str__(self) -> str: ...


@dataclass(frozen=True)
class Number:
    """A number printed with a fixed number of decimals.

    Parameters
    ----------
    value : float or None
        None prints as missing.
    digits : int
        Decimals.
    grouping : bool
        Whether thousands are grouped.
    source : str
        Path of the result that it prints, for tracing.
    """

    value: float | None
    digits: int = 3
    grouping: bool = False
    source: str = field(default="", compare=False)

    @property
    def values(self) -> tuple[float | None, ...]:
        return (self.value,)

    def __str__(self) -> str:
        return format_number(self.value, self.digits, grouping=self.grouping)


@dataclass(frozen=True)
class StandardError:
    """A standard error, printed in parentheses below its estimate.

    Parameters
    ----------
    value : float or None
        In units of its estimate; None prints as missing.
    digits : int
        Decimals.
    source : str
        Path of the result that it prints, for tracing.
    """

    value: float | None
    digits: int = 3
    source: str = field(default="", compare=False)

    @property
    def values(self) -> tuple[float | None, ...]:
        return (self.value,)

    def __str__(self) -> str:
        text = format_number(self.value, self.digits)
        return text if text == MISSING else f"({text})"


@dataclass(frozen=True)
class PValue:
    """A p-value; never starred.

    Parameters
    ----------
    value : float or None
        Between 0 and 1; None prints as missing.
    digits : int
        Decimals.
    source : str
        Path of the result that it prints, for tracing.
    """

    value: float | None
    digits: int = 3
    source: str = field(default="", compare=False)

    @property
    def values(self) -> tuple[float | None, ...]:
        return (self.value,)

    def __str__(self) -> str:
        return format_pvalue(self.value, self.digits)


@dataclass(frozen=True)
class Interval:
    """A confidence interval or any other pair of bounds.

    Parameters
    ----------
    low, high : float or None
        In units of the estimate; None for both prints as missing.
    digits : int
        Decimals.
    source : str
        Path of the result that it prints, for tracing.
    """

    low: float | None
    high: float | None
    digits: int = 3
    source: str = field(default="", compare=False)

    @property
    def values(self) -> tuple[float | None, ...]:
        return (self.low, self.high)

    def __str__(self) -> str:
        low, high = (format_number(bound, self.digits) for bound in self.values)
        return MISSING if low == high == MISSING else f"[{low}, {high}]"


@dataclass(frozen=True)
class WidestInterval(Interval):
    """The widest interval that there is, printed behind its level where another was asked for."""

    level: str = ""

    def __str__(self) -> str:
        return f"{self.level}: {super().__str__()}"


Cell = Number | StandardError | PValue | Interval | Label | None
"""What a cell may hold. ``None`` is an absent number, ``""`` a cell left blank on purpose."""


def is_missing(cell: Cell) -> bool:
    """Whether the cell prints as an en dash."""
    return cell is None or (isinstance(cell, Figures) and MISSING in str(cell))
