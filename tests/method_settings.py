"""What the code on the pages of docs/methods takes as given. Simulated, but for the provinces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

import jjjpolicy as jp

Names = dict[str, Any]
Adoption = Mapping[int, int]

UNITS, FIRST_YEAR, YEARS = 24, 2006, 12

NOBODY: Adoption = MappingProxyType({})
ONE: Adoption = MappingProxyType({0: 2013})
FEW: Adoption = MappingProxyType(dict.fromkeys(range(3), 2013))
HALF: Adoption = MappingProxyType(dict.fromkeys(range(12), 2012))
STAGGERED: Adoption = MappingProxyType({unit: 2010 + 2 * (unit // 3 % 2) for unit in range(12)})


def cities(adoption: Adoption) -> pd.DataFrame:
    """24 cities in eight provinces, 2006 to 2017; treatment raises outcomes by one.

    Parameters
    ----------
    adoption : mapping of int to int
        First treated year of the treated cities.
    """
    rng = np.random.default_rng(5)
    unit, period = np.divmod(np.arange(UNITS * YEARS), YEARS)
    year = FIRST_YEAR + period
    treated = np.array([year[row] >= adoption.get(unit[row], 9999) for row in range(len(unit))])
    level, common = rng.normal(5, 1, UNITS)[unit], rng.normal(size=YEARS).cumsum()[period]
    noise = {
        name: rng.normal(size=len(unit)) for name in ("y", "rd", "flows", "rainfall", "births")
    }
    y = level + common + 0.3 * noise["y"] + treated
    return pd.DataFrame(
        {
            "city": [f"city {each}" for each in unit],
            "province": [f"province {each // 3}" for each in unit],
            "year": year,
            "y": y,
            "log_gdp": y,
            "log_rd": 0.5 * y + 0.2 * noise["rd"],
            "flows": level + noise["flows"],
            "invest": level + noise["flows"],
            "popdens": rng.uniform(1, 9, UNITS)[unit],
            "population": rng.uniform(1, 9, UNITS)[unit],
            "platforms": rng.uniform(1, 5, UNITS)[unit],
            "high_tech": unit % 2,
            "lat": 35.0 + unit // 5,
            "lon": 112.0 + unit % 5,
            "rainfall": noise["rainfall"],
            "births": noise["births"],
            "treated": treated.astype(int),
        }
    )


def design(frame: pd.DataFrame, **options: Any) -> jp.Design:
    """The design of such a panel."""
    columns = {"unit": "city", "time": "year", "outcome": "y", "treatment": "treated"}
    return jp.Design.from_frame(frame, **(columns | options))


def setting(adoption: Adoption = FEW, estimator: Any = None, **options: Any) -> Callable[[], Names]:
    """``df``, ``design`` and ``estimate``, the last by two-way fixed effects if not otherwise."""

    def names() -> Names:
        frame = cities(adoption)
        made = design(frame, **options)
        estimate = (estimator or jp.did.TwoWayFixedEffects()).fit(made)
        return {"jp": jp, "df": frame, "design": made, "estimate": estimate}

    return names


def switching() -> Names:
    frame = cities(NOBODY)
    for unit, (start, end) in {0: (2010, 2013), 1: (2011, 2018), 2: (2012, 2015)}.items():
        frame.loc[
            (frame["city"] == f"city {unit}") & frame["year"].between(start, end), "treated"
        ] = 1
    return {"jp": jp, "df": frame}


def states() -> Names:
    made = design(cities(FEW).rename(columns={"province": "state"}), clusters="state")
    return {"jp": jp, "estimate": jp.did.TwoWayFixedEffects().fit(made)}


def family() -> Names:
    def estimate(outcome: str) -> jp.Estimate:
        found = jp.did.TwoWayFixedEffects().fit(design(cities(ONE), outcome=outcome))
        return found.with_inference(jp.inference.RandomizationInference())

    return {"jp": jp, "a": estimate("log_gdp"), "b": estimate("log_rd")}


def firm() -> Names:
    path = {"firm": "A", "tax": "value_added_tax", "local": 30.0, "paid": 30.0}
    move = {"firm": "A", "origin": "110000", "destination": "130000", "moved": 2016}
    move |= {"started": 2016, "origin_led": True, "fits_plan": True}
    return {
        "taxes": pd.DataFrame({"year": range(2013, 2024), **path}),
        "moves": pd.DataFrame([move]),
        "staying": pd.DataFrame({"firm": "A", "year": range(2016, 2024), "local": 28.0}),
    }


def honest() -> Names:
    estimate = jp.did.EventStudy().fit(design(cities(STAGGERED)))
    return {"jp": jp, "estimate": estimate}


def industries() -> Names:
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product([list("ABCD"), [2014, 2015]], names=["region", "year"])
    values = pd.DataFrame(
        rng.uniform(1, 9, (8, 3)), index, ["manufacturing", "services", "farming"]
    )
    return {
        "values": values,
        "income": values.sum(axis=1),
        "population": values["services"],
        "groups": pd.Series(list("xxxxzzzz"), index),
    }


def neighbours() -> Names:
    names = setting(FEW, coordinates=("lat", "lon"))()
    units = names["design"].units
    number = np.arange(UNITS)
    table = (abs(number[:, None] - number) == 1).astype(int)
    return names | {"table": pd.DataFrame(table, units, units)}


def leaking() -> Names:
    """One treated city among neighbours on the map, before and after of eight and four years."""
    names = neighbours()
    made = design(cities(ONE), coordinates=("lat", "lon"))
    table = names["table"]
    return names | {"design": made, "table": table.loc[made.units, made.units]}


def around_a_place() -> Names:
    """120 simulated counties around one that is treated, whose neighbours gain."""
    rng = np.random.default_rng(2)
    lat, lon = rng.uniform(30, 34, 120), rng.uniform(110, 114, 120)
    gain = np.exp(-np.hypot(lat - lat[0], lon - lon[0]))
    year = np.arange(2010, 2018)
    y = rng.normal(size=(120, 1)) + 0.2 * rng.normal(size=(120, 8)) + gain[:, None] * (year > 2013)
    frame = pd.DataFrame({"city": np.repeat(np.arange(120), 8), "year": np.tile(year, 120)})
    frame["y"], frame["treated"] = y.ravel(), ((frame.city == 0) & (frame.year > 2013)).astype(int)
    frame["lat"], frame["lon"] = np.repeat(lat, 8), np.repeat(lon, 8)
    return {"jp": jp, "design": design(frame, coordinates=("lat", "lon"))}


def eligible() -> Names:
    frame = cities(FEW)
    frame["place_treated"] = frame["treated"]
    frame["treated"] *= frame["high_tech"]
    return {"jp": jp, "df": frame}


def provinces() -> Names:
    policy = jp.policies["tax-sharing-2015"]
    return {"jp": jp, "panel": jp.load("provinces", vintage="nbs_2024"), "policy": policy}


def placebo_outcomes() -> Names:
    names = setting(FEW, assigned_at="province")()
    return names | {"frame": names["df"], "method": jp.inference.RandomizationInference()}


def power() -> Names:
    return setting(ONE)() | {"method": jp.inference.Clustered()}


SETTINGS: dict[str, Callable[[], Names]] = {
    "bacon_decomposition": setting(STAGGERED),
    "callaway_santanna": setting(STAGGERED),
    "chaisemartin_dhaultfoeuille": switching,
    "clustered": states,
    "conditional_randomization": setting(coordinates=("lat", "lon")),
    "conformal": setting(ONE, jp.synth.SyntheticControl()),
    "conley": setting(coordinates=("lat", "lon")),
    "continuous_treatment": setting(STAGGERED, covariates=["platforms"]),
    "debiased_t_test": setting(ONE, jp.synth.SyntheticControl()),
    "donor_diagnostics": setting(ONE, jp.synth.SyntheticControl(), covariates=["flows"]),
    "end_of_sample": setting(ONE, jp.synth.DemeanedSyntheticControl()),
    "extended_twfe": setting(STAGGERED),
    "families": family,
    "ferman_pinto": setting(covariates=["population"]),
    "fiscal": firm,
    "held_weights": provinces,
    "honest_did": honest,
    "imputation": setting(STAGGERED),
    "inclusive_synthetic_control": leaking,
    "indicators": industries,
    "influence_function": setting(STAGGERED, jp.did.CallawaySantAnna()),
    "minimum_detectable_effect": power,
    "multiplier_bootstrap": setting(STAGGERED, jp.did.CallawaySantAnna()),
    "partially_pooled_synthetic_control": setting(STAGGERED),
    "placebo_outcomes": placebo_outcomes,
    "placebo_units": setting(FEW, jp.synth.SyntheticControl()),
    "pretrends": setting(HALF),
    "region_account": leaking,
    "rearrangement_test": setting(assigned_at="province"),
    "ring_partition": around_a_place,
    "spillover_exposure": neighbours,
    "spillover_rings": neighbours,
    "spillover_synthetic_control": leaking,
    "stacked": setting(STAGGERED),
    "sun_abraham": setting(STAGGERED),
    "triple_difference": eligible,
    "two_stage": setting(STAGGERED),
    "twoway_weights": setting(STAGGERED),
}


@cache
def _default() -> Names:
    return setting()()


def names_for(page: str) -> Names:
    """Names that the code of a page takes as given."""
    return dict(SETTINGS[page]() if page in SETTINGS else _default())
