"""Which methods keep their size on counties and cities: pseudo-policies on untreated ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import below
import city_outcomes
import destination_cities
import numpy as np
import pandas as pd

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:calibration-below", "table:calibration-below")

DRAWS = 2_000
PLACEBO: dict[str, Any] = {"placebo": jp.inference.PlaceboUnits(replications=99)}
METHODS: dict[str, tuple[Any, dict[str, Any]]] = {
    "did": (jp.did.TwoWayFixedEffects(), {"clustered": jp.inference.Clustered(), **PLACEBO}),
    "cs": (
        jp.did.CallawaySantAnna(),
        {"influence": jp.inference.InfluenceFunction(), **PLACEBO},
    ),
    "imputation": (
        jp.did.Imputation(),
        {"influence": jp.inference.InfluenceFunction(), **PLACEBO},
    ),
    "sdid": (jp.synth.SyntheticDiD(), PLACEBO),
}
NAMES = {
    "did/clustered": Text("DiD, clustered", "双重差分，聚类标准误"),
    "did/placebo": Text("DiD, placebo", "双重差分，安慰剂"),
    "cs/influence": Text("Callaway–Sant'Anna, influence function", "Callaway–Sant'Anna，影响函数"),
    "cs/placebo": Text("Callaway–Sant'Anna, placebo", "Callaway–Sant'Anna，安慰剂"),
    "imputation/influence": Text("Imputation, influence function", "插补法，影响函数"),
    "imputation/placebo": Text("Imputation, placebo", "插补法，安慰剂"),
    "sdid/placebo": Text("Synthetic DiD, placebo", "合成双重差分，安慰剂"),
}
PANELS = {
    "counties": (Text("Counties, log lights", "县区，灯光（对数）"), (1, 3, 11)),
    "cities": (Text("Cities, log product", "城市，生产总值（对数）"), (1, 11)),
    "provinces": (Text("Cities, treated by province", "城市，按省份分配处理"), (1, 3)),
}
CAPTION = Text(
    "Rejection rates at 5% under pseudo-policies without effect, below the province",
    "省级以下无效应伪政策在 5% 水平下的拒绝率",
)


def designs() -> dict[str, jp.Design]:
    """Panels of the section below the province; what a policy treats is left out."""
    outcome = destination_cities.OUTCOMES["product"]
    cities = city_outcomes.design(outcome, destination_cities.HEBEI)
    codes = np.unique([unit[:2] for unit in cities.units], return_inverse=True)[1]
    provinces = replace(cities, assigned_at="province", assignment=codes.astype(np.int64))
    counties = below.design(below.hosts("xiongan"), below.lights("viirs_like"))
    return {"counties": counties, "cities": cities, "provinces": provinces}


def rejections(panels: dict[str, jp.Design]) -> tuple[pd.DataFrame, int]:
    """Rejection rates by panel, method and number of treated groups, and the number of fits."""
    parts = [
        jp.sensitivity.calibrate(
            {name: panel},
            {key: estimator},
            inferences,
            treated=PANELS[name][1],
            draws=DRAWS,
            levels=(0.05,),
            jobs=2,
        )
        for name, panel in panels.items()
        for key, (estimator, inferences) in METHODS.items()
    ]
    return pd.concat([part.size for part in parts]), sum(part.fits for part in parts)


def main() -> None:
    """Calibrate, save numbers and table."""
    panels = designs()
    table, fits = rejections(panels)
    content: dict[str, Any] = {"fits": fits, "controls": {}, "first": {}}
    for name, panel in panels.items():
        content["controls"][name] = int((~panel.treated).sum())
        content["first"][name] = int(panel.cohorts[0])
    for r in table.itertuples():
        method = content.setdefault(f"{r.estimator}/{r.inference}".replace("/", "-"), {})
        method.setdefault(r.outcome, {})[str(r.treated)] = {
            "rejection": r.rejection,
            "se": r.se,
            "draws": r.draws,
        }
    placebos = table[table["inference"] == "placebo"]
    of_provinces = placebos["outcome"] == "provinces"
    for name, part in (
        ("units", placebos[~of_provinces]),
        ("provinces", placebos[of_provinces & (placebos["treated"] == 3)]),
    ):
        rates = part["rejection"]
        content.setdefault("placebos", {})[name] = {"least": rates.min(), "largest": rates.max()}
    controls, first = content["controls"], content["first"]
    note = Text(
        f"{controls['counties']} counties of the neighbouring provinces from {first['counties']} "
        f"on, {controls['cities']} cities outside the region from {first['cities']} on; as many "
        "treated groups as the heading says: counties, cities, or all cities of a province. Each "
        f"group alone where one is treated, {DRAWS:,} random sets otherwise; placebo tests of 99 "
        "draws. Clustered errors are clustered at the level at which the pseudo-policy is "
        "assigned; influence functions take counties and cities as independent.",
        f"周边省区 {controls['counties']} 个县区（{first['counties']} 年起），"
        f"区域外 {controls['cities']} 个城市（{first['cities']} 年起）；"
        "处理组数目如表头所列，处理组为县区、城市，或一省全部城市。"
        f"处理组为一个时逐一取遍各组，其余每格随机抽取 {DRAWS:,} 个组合；安慰剂检验各抽取 99 次。"
        "聚类标准误聚类于伪政策的分配层级；影响函数标准误视各县区、各城市相互独立。",
    )
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("calibration-below", content)

        def row(key: str) -> Row:
            paths = [
                f"{key.replace('/', '-')}/{name}/{count}/rejection"
                for name, (_, counts) in PANELS.items()
                for count in counts
            ]
            return Row(NAMES[key], tuple(numbers.number(path) for path in paths))

        columns = tuple(
            Column(str(count), title) for title, counts in PANELS.values() for count in counts
        )
        stub, rows = Text("Inference", "推断方法"), tuple(row(key) for key in NAMES)
        panel = (Panel("", rows),)
        table_ = Table("calibration-below", CAPTION, columns, panel, stub, (note,))
        artefacts.table(table_)


if __name__ == "__main__":
    main()
