"""Regions of China by their GB/T 2260 codes, with names in two languages and groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from jjjpolicy.registry.lookup import read_records, unknown_name

NATION = "000000"


@dataclass(frozen=True)
class Region:
    """A region.

    Attributes
    ----------
    code : str
        Six digits, GB/T 2260. Province-level codes end in 0000, prefecture-level codes in 00.
    name_en, name_zh : str
        Short names, as used in labels.
    level : str
        ``"country"``, ``"province"`` or ``"prefecture"``.
    parent : str
        Code of the region above; empty for the country.
    groups : tuple of str
        Groups that the region belongs to; see :meth:`Regions.group`.
    aliases : tuple of str
        Official and other names that :meth:`Regions.find` understands.
    """

    code: str
    name_en: str
    name_zh: str
    level: str
    parent: str = ""
    groups: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

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
                name_en=row["name_en"],
                name_zh=row["name_zh"],
                level=row["level"],
                parent=row["parent"],
                groups=_split(row["groups"]),
                aliases=_split(row["aliases"]),
            )
            for row in read_records("regions.csv")
        }

    @cached_property
    def _by_name(self) -> dict[str, Region]:
        names: dict[str, Region] = {}
        for region in self._by_code.values():
            for name in (region.code, region.name_en, region.name_zh, *region.aliases):
                names[name.casefold()] = region
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

        Raises
        ------
        DataError
            No region has this name; the message suggests close ones.
        """
        try:
            return self._by_name[str(name).strip().casefold()]
        except KeyError:
            synonyms = [
                text
                for region in self.values()
                for text in (region.name_en, region.name_zh, *region.aliases)
            ]
            provinces = [region.name_en for region in self.provinces]
            raise unknown_name("region", name, provinces, synonyms) from None

    @cached_property
    def provinces(self) -> tuple[Region, ...]:
        """The 31 province-level regions of the mainland."""
        return tuple(region for region in self.values() if region.level == "province")

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
