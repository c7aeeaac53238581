"""Rules of sharing tax between the origin and the destination of a firm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from jjjpolicy.errors import DataError
from jjjpolicy.registry.lookup import unknown_name

THREE_TAXES = ("value_added_tax", "enterprise_income_tax", "business_tax")
"""The taxes of the rule of 2015. Business tax became value-added tax on 1 May 2016."""

TAXES = (
    *THREE_TAXES,
    "personal_income_tax",
    "urban_maintenance_tax",
    "property_tax",
    "land_tax",
    "stamp_tax",
    "resource_tax",
    "other",
)
"""Names of taxes that a tax path may use."""


@dataclass(frozen=True)
class SharingRule:
    """How the local tax of a moved firm is divided.

    Parameters
    ----------
    shares : mapping from recipient to float
        ``"origin"``, ``"destination"`` and any others, such as ``"joint_fund"``; they sum to one.
    taxes : tuple of str, optional
        Taxes that are shared, among :data:`TAXES`; ``None``: all. Other taxes go to the region
        where the firm is.
    threshold : float
        Least tax a year, on average over the base years, in million yuan.
    base_years : int
        Years before the move that threshold and cap look at.
    cap : float, optional
        Sharing ends when the origin has received this multiple of the tax of the base years;
        ``None``: no cap.
    years : int, optional
        Years of sharing, counted from the year in which production has started; ``None``: no end.
    extension : int
        Further years where the cap was not reached.
    market_moves : bool
        Whether moves that the origin did not lead are shared as well.
    subsidised_shortfall : float, optional
        Central subsidy to the origin after the last year, as a part of what is missing to the cap.
        ``None``: a subsidy is promised and its size is unknown.
    measured_on_local_part : bool
        Measure threshold and cap on the local part of the shared taxes instead of all that the firm
        paid of them.

    Raises
    ------
    DataError
        Shares that do not sum to one or lack a party, an unknown tax, or a number out of range.

    See Also
    --------
    RULE_2015, HAIDIAN_QINHUANGDAO

    Examples
    --------
    >>> from dataclasses import replace
    >>> from jjjpolicy.fiscal import RULE_2015
    >>> longer = replace(RULE_2015, years=5, extension=0)
    >>> longer.threshold
    20.0
    """

    shares: Mapping[str, float] = field(hash=False)
    taxes: tuple[str, ...] | None = THREE_TAXES
    threshold: float = 0.0
    base_years: int = 3
    cap: float | None = None
    years: int | None = None
    extension: int = 0
    market_moves: bool = False
    subsidised_shortfall: float | None = 0.0
    measured_on_local_part: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "shares", dict(self.shares))
        missing = {"origin", "destination"} - set(self.shares)
        if missing:
            raise DataError(
                f"shares lack {', '.join(sorted(missing))}; give 0 for a party without."
            )
        if min(self.shares.values()) < 0 or not math.isclose(sum(self.shares.values()), 1):
            raise DataError(f"shares {dict(self.shares)} must be at least 0 and sum to one.")
        for tax in self.taxes or ():
            if tax not in TAXES:
                raise unknown_name("tax", tax, TAXES)
        for name, low in (("threshold", 0), ("base_years", 1), ("extension", 0)):
            if not low <= getattr(self, name) < math.inf:
                raise DataError(
                    f"{name}={getattr(self, name)!r} must be at least {low} and finite."
                )
        if self.cap is not None and not 0 <= self.cap < math.inf:
            raise DataError(f"cap={self.cap!r} must be at least 0 and finite, or None for no cap.")
        if self.years is not None and self.years < 1:
            raise DataError(f"years={self.years!r} must be at least 1, or None for no end.")
        part = self.subsidised_shortfall
        if part is not None and not 0 <= part < math.inf:
            raise DataError(
                f"subsidised_shortfall={part!r} must be at least 0 and finite, or None if unknown."
            )

    @property
    def recipients(self) -> tuple[str, ...]:
        """Origin, destination and the others."""
        others = [name for name in self.shares if name not in ("origin", "destination")]
        return ("origin", "destination", *others)

    def shares_tax(self, tax: str) -> bool:
        """Whether a tax is in scope."""
        return self.taxes is None or tax in self.taxes


RULE_2015 = SharingRule(
    shares={"origin": 0.5, "destination": 0.5},
    taxes=THREE_TAXES,
    threshold=20.0,
    base_years=3,
    cap=1.0,
    years=3,
    extension=2,
    market_moves=False,
    subsidised_shortfall=None,
)
"""Cai Yu [2015] No. 92 of 3 June 2015, as its text says.

Where the text is silent: the size of the central subsidy (unknown here, see
``subsidised_shortfall``), whether threshold and cap look at all tax paid or at its local part (see
``measured_on_local_part``), and how parts of a year count (years are whole here).
"""

HAIDIAN_QINHUANGDAO = SharingRule(
    shares={"origin": 0.4, "destination": 0.4, "joint_fund": 0.2}, taxes=None, market_moves=True
)
"""Split of the Zhongguancun Haidian park's branch in Qinhuangdao: Haidian, Qinhuangdao, fund.

The review article gives the shares alone. Taxes, duration, threshold and cap are not stated; here
all local taxes are shared without end or cap. Set what is known with ``dataclasses.replace``.
"""
