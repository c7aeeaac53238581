"""Receiving platforms of Jing-Jin-Ji, the tiers they belong to, and the models of relocation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jjjpolicy.errors import DataError
from jjjpolicy.registry.lookup import read_records, unknown_name
from jjjpolicy.registry.policy import PartialDate, Policy, Treatment

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["designation_policy", "platform_tiers", "platforms", "relocation_models"]


def platforms() -> pd.DataFrame:
    """Receiving platforms, one row for each platform and region.

    Returns
    -------
    DataFrame
        Columns platform_id, name_en, name_zh, region_code, county_code (of the host; several are
        separated by semicolons, empty where none is known), county_confidence (``"stated"`` or
        ``"recalled"``), place_en, place_zh; designated (text of
        a day, month or year; empty where unknown), event_en, event_zh (what happened on that date);
        source, confidence (of name, place and date: ``"stated"`` in the source or ``"recalled"``);
        tiers (separated by semicolons, see :func:`platform_tiers`), tier_source, tier_confidence;
        model (see :func:`relocation_models`), note.

    Notes
    -----
    The opinion of December 2017 lists 46 specialised platforms; its list was not found. Rows whose
    ``tier_confidence`` is ``"recalled"`` are from memory and not confirmed, and the list is not
    complete: compare with the numbers in :func:`platform_tiers`.

    Examples
    --------
    >>> table = platforms().set_index("platform_id")
    >>> table.loc["baoding-zhongguancun", ["region_code", "designated"]].tolist()
    ['130600', '2015-04-28']
    """
    return _table("platforms.csv")


def platform_tiers() -> pd.DataFrame:
    """Tiers of platforms with their stated number, and how many of them the registry names.

    Returns
    -------
    DataFrame
        Columns tier, name_en, name_zh, number (stated), part_of, policy_id, source, confidence,
        note; named, named_stated (platforms of the tier in :func:`platforms`, and those of them
        whose membership is stated in a source).
    """
    table = _table("platform_tiers.csv").astype({"number": int})
    whole = dict(zip(table["tier"], table["part_of"], strict=True))
    named: dict[str, set[str]] = {tier: set() for tier in table["tier"]}
    stated: dict[str, set[str]] = {tier: set() for tier in table["tier"]}
    for row in read_records("platforms.csv"):
        # A platform in two regions has two rows, and the sources count it once.
        name = row["name_zh"].partition("(")[0]
        for tier in filter(None, row["tiers"].split(";")):
            for each in filter(None, (tier, whole[tier])):
                named[each].add(name)
                if row["tier_confidence"] != "recalled":
                    stated[each].add(name)
    table["named"] = [len(named[tier]) for tier in table["tier"]]
    table["named_stated"] = [len(stated[tier]) for tier in table["tier"]]
    return table


def relocation_models() -> pd.DataFrame:
    """The four models of relocation that the review article tells apart.

    Returns
    -------
    DataFrame
        Columns model, name_en, name_zh, definition, example, region_code, fact_id (row of the
        relocation facts), source, confidence.
    """
    return _table("relocation_models.csv")


def designation_policy(
    tiers: Iterable[str] | None = None, *, recalled: bool = False, id: str = "platforms"
) -> Policy:
    """Policy that treats each city from the date of its first platform, dosed by their number.

    Parameters
    ----------
    tiers : iterable of str, optional
        Tiers to count; all platforms by default.
    recalled : bool
        Count platforms whose date or (where ``tiers`` are given) membership is only recalled.
    id : str
        Name of the policy.

    Returns
    -------
    Policy
        Staggered over prefecture-level cities and the municipalities; the dose of a region is its
        number of dated platforms. Platforms without a date are not counted.

    Raises
    ------
    DataError
        Unknown tier, or no dated platform is left.

    Examples
    --------
    >>> policy = designation_policy()
    >>> policy.adoption(["130300", "130600", "130400"]).tolist()
    [2014.0, 2015.0, inf]
    """
    wanted = None if tiers is None else set(tiers)
    known = [row["tier"] for row in read_records("platform_tiers.csv")]
    for tier in sorted(wanted or ()):
        if tier not in known:
            raise unknown_name("tier of platforms", tier, known)
    dates: dict[str, list[PartialDate]] = {}
    for row in read_records("platforms.csv"):
        trusted = row["confidence"] != "recalled"
        if wanted is not None:
            trusted = trusted and row["tier_confidence"] != "recalled"
        counted = wanted is None or wanted & set(row["tiers"].split(";"))
        if row["designated"] and counted and (trusted or recalled):
            dates.setdefault(row["region_code"], []).append(PartialDate.parse(row["designated"]))
    if not dates:
        raise DataError(
            f"no platform of the tiers {sorted(wanted or known)} has a date that is "
            f"{'known' if recalled else 'stated in a source'}; choose other tiers."
        )
    treated = {code: Treatment(min(each), len(each)) for code, each in sorted(dates.items())}
    return Policy(
        id,
        min(treatment.since for treatment in treated.values()),
        treated,
        title_en="Receiving platforms by city",
        title_zh="各市产业承接平台",
        kind="platform",
        source="data/platforms.csv",
        confidence="recalled" if recalled else "stated",
    )


def _table(name: str) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(read_records(name), dtype=str)
