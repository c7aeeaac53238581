"""The estimates that test claims, each with the larger of its placebo p-values."""

from __future__ import annotations

from functools import cache

import below
import census
import destination_cities
import numpy as np
import origin_cities
import origin_destination
import pandas as pd
import sectors
import study

import jjjpolicy as jp
from jjjpolicy.report import Text, format_number, format_pvalue

LEVEL = 0.1  # with one treated province and 28 placebos a p-value cannot be below 0.034


def summary(estimate: jp.Estimate) -> dict[str, float]:
    """Estimate, the larger of its placebo p-values, and the interval.

    Where the fit before treatment is exact the ratio of errors says nothing and is left aside.
    """
    assert estimate.inference is not None
    exact = estimate.unit_effects is not None and (estimate.unit_effects["pre_rmspe"] == 0).any()
    ratio = 0.0 if exact else estimate.inference.details.get("rmspe_pvalue", 0.0)
    low, high = estimate.interval(0.95)
    return {"att": estimate.att, "p": max(estimate.pvalue, ratio), "low": low, "high": high}


def found(values: dict[str, float], sign: int) -> bool:
    """Whether an effect has the claimed sign and is rare among placebos."""
    return values["att"] * sign > 0 and values["p"] <= LEVEL


def said(values: dict[str, float], digits: int = 3) -> Text:
    """An estimate with its p-value, for a sentence."""
    size, pvalue = format_number(values["att"], digits), format_pvalue(values["p"], 2)
    return Text(f"{size} (p {pvalue})", f"{size}（p = {pvalue}）")


@cache
def province(outcome: str, unit: str) -> dict[str, float]:
    """Demeaned synthetic control for one province, all others as donors."""
    return summary(origin_destination.estimates(outcome, unit, "all")["dsc"])


@cache
def intensity() -> dict[str, float]:
    """Synthetic control for the research intensity of Hebei."""
    design = study.design("rd_intensity_single_vintage", "hebei")
    return summary(study.estimates(design)["sc"])


@cache
def share(sector: str, code: str) -> dict[str, float]:
    """Synthetic DiD for a sector's share in the accounts before the revision, points."""
    table = sectors.computed()[sector].rename("share").reset_index()
    units = table["region_code"]
    others = units.isin([sectors.REGION, *study.JING_JIN_JI]) & (units != code)
    table = table[~others & (table["year"] <= sectors.LAST_OLD)]
    (first,) = set(jp.policies[study.POLICY].adoption(list(study.JING_JIN_JI)))
    table = table.assign(adopted=np.where(table["region_code"] == code, first, 0))
    design = jp.Design.from_frame(
        table, unit="region_code", time="year", outcome="share", adoption="adopted"
    )
    return summary(jp.synth.SyntheticDiD().fit(design).with_inference(jp.inference.PlaceboUnits()))


@cache
def origin(name: str) -> dict[str, float]:
    """Synthetic DiD for Beijing against large cities."""
    return summary(origin_cities.estimates(origin_cities.OUTCOMES[name])["sdid"])


@cache
def destination(name: str) -> dict[str, float]:
    """Synthetic DiD for Hebei's cities together."""
    return summary(destination_cities.hebei(destination_cities.OUTCOMES[name]))


@cache
def lights(group: str) -> dict[str, float]:
    """Synthetic DiD for the lights of a group of hosts, on the long series."""
    design = below.design(below.groups()[group], below.lights("viirs_like"))
    return summary(jp.synth.SyntheticDiD().fit(design).with_inference(below.PLACEBO))


@cache
def employment(outcome: str) -> dict[str, float]:
    """Change between the censuses in Beijing's districts, given the share of 2010, points."""
    return summary(census.estimates("beijing")[f"employment_share_{outcome}"]["given"])


def dispersion() -> dict[int, float]:
    """Standard deviation of log product over the cities of the region, by year of its accounts."""
    found: dict[int, float] = {}
    for vintage in ("before_2018_census", "after_2018_census"):
        frame = jp.load("cities", vintage=vintage, variables=["gdp"]).frame.dropna()
        frame = frame[frame["region_code"].str[:2].isin(below.REGION)]
        product = frame.set_index(["region_code", "year"])["gdp"]
        found |= jp.indicators.sigma_convergence(product)["sd_log"].to_dict()
    return {int(year): float(value) for year, value in found.items()}


def industries() -> pd.DataFrame:
    """Persons employed by industry in each of the three provinces, by census."""
    panel = jp.load("counties", vintage="before_2018_census")
    names = [name for name in panel.frame if str(name).startswith("census_employment_")]
    frame = panel.frame[panel.frame["year"].isin(census.YEARS)]
    codes = frame["region_code"].str[:2] + "0000"
    frame = frame[codes.isin(study.JING_JIN_JI)].assign(region_code=codes)
    return frame.groupby(["region_code", "year"])[names].sum()


def migrants() -> dict[int, float]:
    """Beijing's part of those who came to the three provinces from others, percent."""
    frame = jp.load("counties", vintage="before_2018_census").frame
    frame = frame[frame["year"].isin(census.YEARS)]
    codes = frame["region_code"].str[:2] + "0000"
    by_code = frame.assign(code=codes).groupby(["year", "code"])["in_migrants_other_province"].sum()
    wide = by_code.unstack("code")[list(study.JING_JIN_JI)]
    part = 100 * wide["110000"] / wide.sum(axis=1)
    return {int(year): float(value) for year, value in part.items()}
