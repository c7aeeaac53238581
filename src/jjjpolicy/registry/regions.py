"""Regions of China by their GB/T 2260 codes, with names in two languages and groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from jjjpolicy.errors import DataError
from jjjpolicy.registry.lookup import read_records, unknown_name

if TYPE_CHECKING:
    import pandas as pd

NATION = "000000"


@dataclass(frozen=True)
class Region:
    """A region.

    Attributes
    ----------
    code : str
        Six digits, GB/T 2260. Province-level codes end in 0000, prefecture-level codes in 00.
    name_en, name_zh : str
        Short names, as used in labels. Counties outside Beijing, Tianjin and Hebei have no English
        name; the Chinese one stands in for it.
    level : str
        ``"country"``, ``"province"``, ``"prefecture"`` or ``"county"``.
    parent : str
        Code of the region above; empty for the country.
    groups : tuple of str
        Groups that the region belongs to; see :meth:`Regions.group`.
    aliases : tuple of str
        Official and other names that :meth:`Regions.find` understands.
    coordinates : (float, float) or None
        Latitude and longitude of the seat in degrees, where known.
    """

    code: str
    name_en: str
    name_zh: str
    level: str
    parent: str = ""
    groups: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    coordinates: tuple[float, float] | None = None

    def name(self, language: str) -> str:
        """Short name in ``"en"`` or ``"zh"``."""
        return in_language(language, self.name_en, self.name_zh)


@dataclass(frozen=True)
class RegionGroup:
    """A named set of regions."""

    id: str
    name_en: str
    name_zh: str
    definition: str
    codes: tuple[str, ...]

    def name(self, language: str) -> str:
        """Name in ``"en"`` or ``"zh"``."""
        return in_language(language, self.name_en, self.name_zh)


class Regions(Mapping[str, Region]):
    """The regions of the bundled data by code, in the order of their codes.

    Examples
    --------
    >>> from jjjpolicy.registry.regions import regions
    >>> regions["130000"].name_zh
    '河北'
    >>> regions.find("Hebei").code
    '130000'
    >>> regions.group("jing-jin-ji")
    ('110000', '120000', '130000')
    """

    @cached_property
    def _by_code(self) -> dict[str, Region]:
        return {
            row["region_code"]: Region(
                code=row["region_code"],
                name_en=row["name_en"] or row["name_zh"],
                name_zh=row["name_zh"],
                level=row["level"],
                parent=row["parent"],
                groups=_split(row["groups"]),
                aliases=_split(row["aliases"]),
                coordinates=(float(row["latitude"]), float(row["longitude"]))
                if row["latitude"]
                else None,
            )
            for row in read_records("regions.csv")
        }

    @cached_property
    def _by_name(self) -> dict[str, list[Region]]:
        names: dict[str, list[Region]] = {}
        for region in self._by_code.values():
            for name in (region.code, region.name_en, region.name_zh, *region.aliases):
                found = names.setdefault(name.casefold(), [])
                if region not in found:
                    found.append(region)
        return names

    def __getitem__(self, code: str) -> Region:
        try:
            return self._by_code[code]
        except KeyError:
            raise unknown_name(
                "region code", code, [f"{r.code} ({r.name_en})" for r in self.provinces], self
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_code)

    def __len__(self) -> int:
        return len(self._by_code)

    def __repr__(self) -> str:
        return f"<{len(self)} regions, {len(self.groups)} groups>"

    def find(self, name: str) -> Region:
        """Region by code, English name (any case), or short or official Chinese name.

        Of a city and a county of one name the city is meant.

        Raises
        ------
        DataError
            No region has this name, and the message suggests close ones; or several counties have
            it, and the message lists their codes.
        """
        try:
            found = self._by_name[str(name).strip().casefold()]
            above = [region for region in found if region.level != "county"] or found
            if len(above) == 1:
                return above[0]
            places = [f"{r.code} in {self[r.parent].name_zh}" for r in above]
            raise DataError(
                f"{len(above)} regions are called {name!r}: {', '.join(places[:8])}"
                f"{', …' if len(places) > 8 else ''}. Give the code."
            )
        except KeyError:
            synonyms = [
                text
                for region in self.values()
                if region.level in ("country", "province")
                for text in (region.name_en, region.name_zh, *region.aliases)
            ]
            provinces = [region.name_en for region in self.provinces]
            raise unknown_name("region", name, provinces, synonyms) from None

    @cached_property
    def provinces(self) -> tuple[Region, ...]:
        """The 31 province-level regions of the mainland."""
        return tuple(region for region in self.values() if region.level == "province")

    def at_level(self, level: str) -> tuple[str, ...]:
        """Codes of the provinces, cities or counties.

        The four municipalities are provinces and cities; a city directly under its province is a
        city and a county.

        Raises
        ------
        DataError
            The level is neither ``"province"``, ``"city"`` nor ``"county"``.
        """
        by_level = {
            "province": [region.code for region in self.provinces],
            "city": [
                *self.group("municipalities"),
                *(r.code for r in self.values() if r.level == "prefecture" or r.code[2:4] == "90"),
            ],
            "county": [region.code for region in self.values() if region.level == "county"],
        }
        if level not in by_level:
            raise unknown_name("level of regions", level, by_level)
        return tuple(sorted(by_level[level]))

    @cached_property
    def changes(self) -> pd.DataFrame:
        """Changes of codes, names and areas since 2000, in the order of their years.

        Columns year (of the first code book with the new code), change, old_code, old_name_zh,
        new_code, new_name_zh (empty where the code book names none), area, source, document.
        ``area`` is ``"moved"`` (the county passed to another city, so that the area of both cities
        changed), ``"merged"`` (the new unit holds several old ones) or ``"not stated"``.
        """
        import pandas as pd

        return pd.DataFrame(read_records("region_changes.csv")).astype({"year": int})

    @cached_property
    def area_changes(self) -> pd.DataFrame:
        """Regions whose area changed: columns unit (the code), time (the year) and reason."""
        import pandas as pd

        found: dict[tuple[str, int], list[str]] = {}
        for row in self.changes.to_dict("records"):
            year, old, new = row["year"], row["old_code"], row["new_code"]
            names = f"{row['old_name_zh']} ({old}) became {row['new_name_zh']} ({new})"
            if "moved" in row["area"]:
                for city in (city_of(old), city_of(new)):
                    found.setdefault((city, year), []).append(names)
            if "merged" in row["area"]:
                found.setdefault((new, year), []).append(names)
        rows = [(*key, "; ".join(texts)) for key, texts in sorted(found.items())]
        return pd.DataFrame(rows, columns=["unit", "time", "reason"])

    def successors(self, code: str) -> tuple[str, ...]:
        """Codes that a code led to when it was given up, nearest first; empty if it was not."""
        changes = self.changes
        later = changes[(changes["old_code"] == code) & ~changes["new_code"].isin(["", code])]
        direct = tuple(later["new_code"])
        return tuple(dict.fromkeys((*direct, *(c for d in direct for c in self.successors(d)))))

    def instead_of(self, code: str, held: Iterable[str]) -> str:
        """A sentence that says which of the held codes stands in for one that is not held.

        The code's successor where it was given up, or the city or province that it lies in; empty
        where there is none.
        """
        known = set(held)
        for other in self.successors(code):
            if other in known:
                rows = self.changes.query("old_code == @code and new_code != @code")
                return f"The code {code} was given up in {rows['year'].iloc[0]} for {other}."
        for other in ancestors(code):
            if other in known:
                return f"{code} lies in {other} ({self[other].name_zh}), which is held."
        return ""

    @cached_property
    def groups(self) -> Mapping[str, RegionGroup]:
        """All groups by id."""
        return {
            row["group"]: RegionGroup(
                id=row["group"],
                name_en=row["name_en"],
                name_zh=row["name_zh"],
                definition=row["definition"],
                codes=tuple(r.code for r in self.values() if row["group"] in r.groups),
            )
            for row in read_records("region_groups.csv")
        }

    def group(self, name: str) -> tuple[str, ...]:
        """Codes of the regions in a group, in the order of their codes.

        Raises
        ------
        DataError
            There is no such group.
        """
        if name not in self.groups:
            raise unknown_name("group of regions", name, self.groups)
        return self.groups[name].codes

    def names(self, language: str) -> dict[str, str]:
        """Short names by code in ``"en"`` or ``"zh"``."""
        return {code: region.name(language) for code, region in self.items()}


def ancestors(code: str) -> tuple[str, ...]:
    """Codes above a GB/T 2260 code, nearest first: its prefecture, then its province.

    Empty for other codes and for a province.
    """
    if len(code) != 6 or not code.isdigit():
        return ()
    above = (code[:4] + "00", code[:2] + "0000")
    return tuple(dict.fromkeys(other for other in above if other not in (code, NATION)))


def city_of(code: str) -> str:
    """Code of the prefecture-level city of a county, of the municipality for its districts."""
    return code[:2] + "0000" if code[:2] in ("11", "12", "31", "50") else code[:4] + "00"


def in_language(language: str, en: str, zh: str) -> str:
    """The English or the Chinese text.

    Raises
    ------
    DataError
        The language is neither ``"en"`` nor ``"zh"``.
    """
    texts = {"en": en, "zh": zh}
    if language not in texts:
        raise unknown_name("language", language, texts)
    return texts[language]


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(";")) if text else ()


regions = Regions()
