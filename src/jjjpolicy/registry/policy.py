"""Policies: who is treated, since when, how strongly; and the registry of dated policies."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, total_ordering
from typing import TYPE_CHECKING, Literal, Protocol

from jjjpolicy.errors import DataError
from jjjpolicy.registry.lookup import read_records, unknown_name
from jjjpolicy.registry.regions import ancestors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Precision = Literal["year", "month", "day"]


@total_ordering
@dataclass(frozen=True)
class PartialDate:
    """A date that is known to the day, the month or only the year.

    Dates order by what is known: 2015 comes before 2015-06, and that before 2015-06-03.
    """

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        month_known = self.month is not None
        sound = 1 <= self.year <= 9999 and (month_known or self.day is None)
        if sound and self.month is not None:
            sound = 1 <= self.month <= 12
            if sound and self.day is not None:
                sound = 1 <= self.day <= calendar.monthrange(self.year, self.month)[1]
        if not sound:
            raise DataError(f"there is no date {self}; write 2015, 2015-06 or 2015-06-03.")

    @classmethod
    def parse(cls, text: str) -> PartialDate:
        """Read ``2015``, ``2015-06`` or ``2015-06-03``.

        Raises
        ------
        DataError
            Other forms, and dates that do not exist.
        """
        found = re.fullmatch(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", text.strip())
        if found is None:
            raise DataError(f"cannot read the date {text!r}; write 2015, 2015-06 or 2015-06-03.")
        year, month, day = (None if part is None else int(part) for part in found.groups())
        return cls(year or 0, month, day)

    @property
    def precision(self) -> Precision:
        """How much of the date is known."""
        if self.month is None:
            return "year"
        return "month" if self.day is None else "day"

    def __lt__(self, other: PartialDate) -> bool:
        return self._key < other._key

    @property
    def _key(self) -> tuple[int, int, int]:
        return (self.year, self.month or 0, self.day or 0)

    def __str__(self) -> str:
        parts = [f"{self.year:04d}"]
        parts += [f"{part:02d}" for part in (self.month, self.day) if part is not None]
        return "-".join(parts)


class Timing(Protocol):
    """How a date becomes a first treated year."""

    def first_treated_year(self, date: PartialDate) -> int:
        """First year that counts as treated."""
        ...


@dataclass(frozen=True)
class YearOfIssue:
    """The year of the date is the first treated year, however late in the year it falls."""

    def first_treated_year(self, date: PartialDate) -> int:
        """The year itself."""
        return date.year


@dataclass(frozen=True)
class FirstFullYear:
    """The first calendar year that lies wholly after the date is the first treated year.

    A policy of 1 January counts from that year on. Where the day is not known the date is taken not
    to be 1 January.
    """

    def first_treated_year(self, date: PartialDate) -> int:
        """The same year for 1 January, the next one otherwise."""
        return date.year if (date.month, date.day) == (1, 1) else date.year + 1


@dataclass(frozen=True)
class Treatment:
    """How one region is treated: since when, and how strongly (1 unless doses differ)."""

    since: PartialDate
    dose: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.dose < float("inf"):
            raise DataError(
                f"a dose of {self.dose!r} must be positive and finite; leave out untreated regions."
            )


@dataclass(frozen=True, init=False, repr=False)
class Policy:
    """A dated policy and the regions that it treats.

    Parameters
    ----------
    id : str
        Short name.
    issued : str or PartialDate
        Day, month or year of issue: ``"2015-06-03"``, ``"2015-06"``, ``"2015"``.
    treated : iterable of str, or mapping of str to Treatment
        Codes of the treated regions, all from the date of issue with dose 1; or the date and dose
        of each region, for staggered policies and policies of different strength.
    title_en, title_zh, issuer_en, issuer_zh, document, kind, source : str
        Texts for labels and tables.
    confidence : str
        How well the date is known: ``"read"`` in the document itself, ``"stated"`` in the source,
        or ``"recalled"`` (year stated in the source, month or day not checked against a document).

    Raises
    ------
    DataError
        Unreadable date, no treated region, or a region code that is not text.

    Examples
    --------
    >>> policy = Policy("mine", "2015-06-03", ["110000", "120000"])
    >>> policy.adoption(["110000", "310000"])
    array([2015.,   inf])
    """

    id: str
    issued: PartialDate
    treated: Mapping[str, Treatment] = field(hash=False)
    title_en: str
    title_zh: str
    issuer_en: str
    issuer_zh: str
    document: str
    kind: str
    source: str
    confidence: str

    def __init__(
        self,
        id: str,
        issued: str | PartialDate,
        treated: Iterable[str] | Mapping[str, Treatment],
        *,
        title_en: str = "",
        title_zh: str = "",
        issuer_en: str = "",
        issuer_zh: str = "",
        document: str = "",
        kind: str = "",
        source: str = "",
        confidence: str = "",
    ) -> None:
        date = PartialDate.parse(issued) if isinstance(issued, str) else issued
        if isinstance(treated, str):
            treated = (treated,)
        if not isinstance(treated, Mapping):
            treated = dict.fromkeys(treated, Treatment(date))
        if not treated:
            raise DataError(f"policy {id!r} treats no region; name at least one.")
        for code in treated:
            _require_code(code)
        values = {
            "id": id,
            "issued": date,
            "treated": dict(treated),
            "title_en": title_en or id,
            "title_zh": title_zh or title_en or id,
            "issuer_en": issuer_en,
            "issuer_zh": issuer_zh,
            "document": document,
            "kind": kind,
            "source": source,
            "confidence": confidence,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _repr_html_(self) -> str:
        from jjjpolicy.linalg.brief import shown_as_html

        return shown_as_html(self)

    def __repr__(self) -> str:
        treated = f"{len(self.treated)} region{'s' * (len(self.treated) != 1)} treated"
        return f"<Policy {self.id}: issued {self.issued}, {treated}>"

    @property
    def treated_regions(self) -> tuple[str, ...]:
        """Codes of the treated regions."""
        return tuple(self.treated)

    @property
    def precision(self) -> Precision:
        """How much of the date of issue is known."""
        return self.issued.precision

    def adoption(
        self, units: Iterable[str], *, timing: Timing = YearOfIssue()
    ) -> NDArray[np.float64]:
        """First treated year of each unit.

        A unit is treated if its code is, or else if the region above it is: Shijiazhuang (130100)
        is treated by a policy that treats Hebei (130000). The nearest treated region counts. The
        reverse does not hold: treating a city does not treat its province.

        Parameters
        ----------
        units : iterable of str
            Region codes.
        timing : Timing
            :class:`YearOfIssue` or :class:`FirstFullYear`, or any object with a method
            ``first_treated_year(date)``.

        Returns
        -------
        ndarray, shape (units,)
            ``inf`` where the unit is never treated.

        Raises
        ------
        DataError
            A unit's code is not text.
        """
        import numpy as np

        found = [self._treatment(unit) for unit in units]
        return np.array(
            [np.inf if each is None else timing.first_treated_year(each.since) for each in found],
            dtype=float,
        )

    def dose(self, units: Iterable[str]) -> NDArray[np.float64]:
        """Intensity of treatment of each unit, 0 where it is never treated; shape (units,)."""
        import numpy as np

        found = [self._treatment(unit) for unit in units]
        return np.array([0.0 if each is None else each.dose for each in found], dtype=float)

    def treating(self, treated: Iterable[str] | Mapping[str, Treatment]) -> Policy:
        """The same policy for other units, such as one of its regions or an aggregate of them."""
        return replace(self, treated=treated)  # type: ignore[arg-type]

    def _treatment(self, unit: str) -> Treatment | None:
        _require_code(unit)
        for code in (unit, *ancestors(unit)):
            if code in self.treated:
                return self.treated[code]
        return None


class Policies(Mapping[str, Policy]):
    """The bundled policies by id, in the order of their dates; read on first use.

    Examples
    --------
    >>> from jjjpolicy.registry.policy import policies
    >>> str(policies["tax-sharing-2015"].issued)
    '2015-06-03'
    """

    @cached_property
    def _by_id(self) -> dict[str, Policy]:
        treated: dict[str, dict[str, Treatment]] = {}
        for row in read_records("policy_regions.csv"):
            treatment = Treatment(PartialDate.parse(row["since"]), float(row["dose"]))
            treated.setdefault(row["policy_id"], {})[row["region_code"]] = treatment
        found = []
        for row in read_records("policies.csv"):
            name, issued = row.pop("policy_id"), row.pop("issued")
            found.append(Policy(name, issued, treated.get(name, {}), **row))
        return {policy.id: policy for policy in sorted(found, key=lambda policy: policy.issued)}

    def __getitem__(self, name: str) -> Policy:
        try:
            return self._by_id[name]
        except KeyError:
            raise unknown_name("policy", name, self._by_id) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def __repr__(self) -> str:
        lines = [f"  {policy.issued!s:<10}  {name}" for name, policy in self.items()]
        return "\n".join([f"<{len(self)} policies", *lines, ">"])


def _require_code(code: object) -> None:
    if not isinstance(code, str):
        raise DataError(f"the region code {code!r} must be text, such as {str(code)!r}.")


policies = Policies()
