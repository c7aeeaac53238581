"""What the scripts below the province share: hosts of platforms, controls, night lights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import study

import jjjpolicy as jp
from jjjpolicy.linalg.types import Floats
from jjjpolicy.registry.geography import great_circle_km
from jjjpolicy.registry.policy import FirstFullYear, PartialDate, Policy, Timing, Treatment
from jjjpolicy.registry.regions import regions
from jjjpolicy.report import Text

NEIGHBOURS = tuple(code[:2] for code in regions.group("jing-jin-ji-neighbours"))
REGION = tuple(code[:2] for code in study.JING_JIN_JI)
ZONES = {
    "xiongan": ("xiongan",),
    "caofeidian": ("caofeidian",),
    "binhai": ("binhai", "binhai-zhongguancun"),
    "sub_centre": ("beijing-sub-centre",),
    "tianjin_parks": ("baodi-zhongguancun", "tuanbo", "jinnan-research"),
    "zhengding": ("zhengding-ic",),
}
ECOLOGICAL = ("ecological-zhangjiakou", "ecological-chengde")  # two cities as wholes
RECALLED = ("airport-zone-beijing",)  # the zone is documented, its county is not
NAMES = {
    "all": Text("All hosts", "全部承接地"),
    "others": Text("All hosts but Xiong'an", "除雄安外的承接地"),
    "xiongan": Text("Xiong'an (3 counties)", "雄安三县"),
    "caofeidian": Text("Caofeidian", "曹妃甸"),
    "binhai": Text("Binhai", "滨海新区"),
    "sub_centre": Text("Tongzhou", "通州"),
    "tianjin_parks": Text("Baodi, Jinghai, Jinnan", "宝坻、静海、津南"),
    "zhengding": Text("Zhengding", "正定"),
    "ecological": Text("Zhangjiakou and Chengde", "张家口、承德"),
}
WINDOWS = {"viirs_like": (2003, 2022), "viirs": (2013, 2021)}
PRODUCTS = {
    "viirs_like": Text("VIIRS-like lights, 2003 to 2022", "类 VIIRS 夜间灯光，2003—2022 年"),
    "viirs": Text("VIIRS lights, 2013 to 2021", "VIIRS 夜间灯光，2013—2021 年"),
}
LOG_LIGHTS = Text("Log of night lights", "夜间灯光（对数）")
PLACEBO = jp.inference.PlaceboUnits(replications=199, seed=1)


def hosts(*platforms: str) -> Policy:
    """Policy that treats the host counties of platforms, each from its first date on.

    A platform whose county is not named treats its city.
    """
    table = jp.platforms()
    since: dict[str, PartialDate] = {}
    for row in table[table["platform_id"].isin(platforms)].itertuples():
        date = PartialDate.parse(str(row.designated))
        for code in str(row.county_code or row.region_code).split(";"):
            since[code] = min(since.get(code, date), date)
    treated = {code: Treatment(date) for code, date in sorted(since.items())}
    return Policy("platforms", min(since.values()), treated, kind="platform")


def documented(*, without: tuple[str, ...] = ()) -> Policy:
    """All hosts whose county and date a document gives."""
    return hosts(*(name for zone, names in ZONES.items() if zone not in without for name in names))


def long_enough(policy: Policy) -> Policy:
    """Those hosts that have two years before treatment in the years of VIIRS."""
    first = WINDOWS["viirs"][0]
    return policy.treating({c: t for c, t in policy.treated.items() if t.since.year > first})


def groups() -> dict[str, Policy]:
    """Hosts together, without Xiong'an, and zone by zone."""
    zones = {zone: hosts(*names) for zone, names in ZONES.items()}
    together = {"all": documented(), "others": documented(without=("xiongan",))}
    return {**together, **zones, "ecological": hosts(*ECOLOGICAL)}


@cache
def lights(vintage: str, variable: str = "night_lights") -> jp.Panel:
    """Log lights of the counties of the region and its neighbours; without those with a zero."""
    panel = jp.load("lights", vintage=vintage, level="county")
    panel = panel.select(periods=WINDOWS[vintage])
    dark = set(panel.frame.loc[panel.frame[variable] <= 0, panel.unit])
    kept = [u for u in panel.units if u[:2] in (*NEIGHBOURS, *REGION) and u not in dark]
    formula = f"log({variable})"
    return panel.select(units=kept).with_variable(jp.Variable("log_lights", formula=formula))


def design(
    policy: Policy,
    panel: jp.Panel,
    outcome: str = "log_lights",
    *,
    controls: tuple[str, ...] | None = None,
    window: tuple[int, int] | None = None,
    timing: Timing = FirstFullYear(),
) -> jp.Design:
    """Hosts against counties of the neighbouring provinces; other counties of the region left out.

    Parameters
    ----------
    controls : tuple of str, optional
        Other controls; all counties of the neighbouring provinces by default.
    """
    treated = np.isfinite(policy.adoption(panel.units))
    kept = {u for u in panel.units if u[:2] in NEIGHBOURS} if controls is None else set(controls)
    out = [u for u, own in zip(panel.units, treated, strict=True) if not own and u not in kept]
    return jp.Design.from_policy(
        panel, policy, outcome=outcome, window=window, exclude=out, timing=timing
    )


def similar(policy: Policy, panel: jp.Panel, each: int, before: int = 2014) -> tuple[str, ...]:
    """The controls whose path of log lights before a year is nearest to that of a host."""
    wide = panel.frame.pivot(index=panel.unit, columns=panel.time, values="log_lights")
    wide = wide.loc[:, wide.columns < before]
    pool = wide[[u[:2] in NEIGHBOURS for u in wide.index]]
    near: set[str] = set()
    for host in wide.index[np.isfinite(policy.adoption(wide.index))]:
        distance = ((pool - wide.loc[host]) ** 2).mean(axis=1)
        near |= set(distance.sort_values(kind="stable").index[:each])
    return tuple(sorted(near))


def summaries(nested: Mapping[str, Any]) -> dict[str, Any]:
    """What the paper quotes of nested estimates, with effects by event time."""
    return {
        key: _summary(value) if isinstance(value, jp.Estimate) else summaries(value)
        for key, value in nested.items()
    }


def _summary(estimate: jp.Estimate) -> dict[str, Any]:
    assert estimate.inference is not None
    treated, effects = estimate.design.treated, estimate.effects
    after = effects[effects["event_time"] >= 0].dropna(subset="estimate")
    return {
        "att": estimate.att,
        "pvalue": estimate.pvalue,
        "assignments": estimate.inference.assignments,
        "treated": int(treated.sum()),
        "controls": int((~treated).sum()),
        "by_year": {str(int(row.event_time)): row.estimate for row in after.itertuples()},
    }


def located(units: Any) -> tuple[list[str], Floats]:
    """Those units whose coordinates are known, and their coordinates."""
    known = [str(unit) for unit in units if regions[str(unit)].coordinates is not None]
    return known, np.array([regions[unit].coordinates for unit in known], dtype=float)


def distances(units: Any, policy: Policy) -> tuple[list[str], list[str], Floats]:
    """Located units, located hosts, and the distances between them in km."""
    known, places = located(units)
    codes, seats = located(policy.treated)
    return known, codes, great_circle_km(places, seats)


def adjacent_sets(design: jp.Design, size: int) -> Floats:
    """Assignments to sets of nearest controls, the actual one first, all from one date on.

    Shape (sets, units). A policy for a zone of several counties treats neighbours, whose lights
    move together; sets of neighbours are what it is compared with.
    """
    units, places = located(design.units[~design.treated])
    nearest = np.argsort(great_circle_km(places, places), axis=1, kind="stable")[:, :size]
    rows = {tuple(sorted(row)) for row in nearest.tolist()}
    position = {unit: k for k, unit in enumerate(design.units)}
    table = np.full((1 + len(rows), design.n_units), np.inf)
    table[0] = design.adoption
    for k, row in enumerate(sorted(rows), start=1):
        table[k, [position[units[i]] for i in row]] = design.cohorts[0]
    return table
