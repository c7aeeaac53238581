"""Do the effects of the three provinces sum to that of the region? In yuan, by three methods."""

from __future__ import annotations

from typing import Any

import numpy as np
import regional_accounts as accounts
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:accounting", "table:accounting")

METHODS = {
    "levels": (Text("DiD, levels", "双重差分（水平值）"), Text("Yuan", "金额")),
    "did": (Text("DiD", "双重差分"), Text("Index", "指数")),
    "own": (Text("SC, own weights", "合成控制，各自权重"), Text("Index", "指数")),
    "common": (Text("SC, region's weights", "合成控制，共同权重"), Text("Index", "指数")),
}
ROWS = {
    **words.SINGLE,
    "sum": Text("Sum of the three", "三地之和"),
    "region": Text("The region as one unit", "京津冀整体"),
    "residual": Text("Region less sum", "整体减三地之和"),
}
CAPTION = Text(
    "Effects on product, 100 million yuan a year, 2015 to 2019",
    "对地区生产总值的年均效应（2015—2019 年，亿元）",
)


def common(unit: str, weights: jp.Estimate) -> float:
    """Effect on a unit's index if the region's donor weights are its own."""
    design, donors = accounts.design("gdp_index", unit), weights.weights.iloc[:, 0]
    rows = design.units.get_indexer(donors.index)
    gap = design.outcome[design.treated][0] - donors.to_numpy() @ design.outcome[rows]
    return float(gap[design.periods >= accounts.BEFORE].mean())


def content() -> tuple[dict[str, Any], dict[str, jp.Estimate]]:
    """Effects by method and unit with sums and residuals, and the estimates behind them."""
    did, sc = jp.did.TwoWayFixedEffects(), jp.synth.SyntheticControl()
    behind = {}
    for unit in accounts.UNITS:
        behind[f"levels/{unit}"] = did.fit(accounts.design("gdp", unit))
        behind[f"did/{unit}"] = did.fit(accounts.design("gdp_index", unit))
        behind[f"own/{unit}"] = sc.fit(accounts.design("gdp_index", unit))
        behind[f"logs/{unit}"] = did.fit(accounts.design("log_gdp", unit))
    base = {unit: accounts.base(unit) for unit in accounts.UNITS}
    found: dict[str, Any] = {}
    for method in METHODS:
        scale = dict.fromkeys(base, 1.0) if method == "levels" else base
        found[method] = {
            unit: scale[unit]
            * (
                common(unit, behind["own/region"])
                if method == "common"
                else behind[f"{method}/{unit}"].att
            )
            for unit in accounts.UNITS
        }
        parts = sum(found[method][unit] for unit in study.SINGLE)
        found[method] |= {"sum": parts, "residual": found[method]["region"] - parts}
    logs = {unit: behind[f"logs/{unit}"].att for unit in accounts.UNITS}
    weighted = sum(base[unit] / base["region"] * logs[unit] for unit in study.SINGLE)
    found["logs"] = {"region": logs["region"], "weighted_sum": weighted}
    design = behind["levels/region"].design
    after, others = design.periods >= accounts.BEFORE, design.outcome[~design.treated]
    change = others[:, after].mean() - others[:, ~after].mean()
    found["control_change"] = float(change)
    found["exact"] = {
        "levels": bool(np.isclose(found["levels"]["residual"], 2 * change, rtol=1e-9)),
        **{m: bool(abs(found[m]["residual"]) < 1e-6) for m in ("did", "common")},
    }
    return found, behind


def main() -> None:
    """Account, save numbers and table."""
    found, behind = content()
    note = Text(
        "Index: product over its own mean of 2005 to 2014; the effect times that mean is in yuan. "
        "With the same controls for all units (the mean of the others in DiD, the region's donor "
        "weights in the last column) the effects on the indices, weighted by means, sum to the "
        "effect on the index of the sum, exactly. With weights of their own they need not. DiD "
        "in levels takes the mean change of one control province off each unit: off the sum "
        f"once, off the three parts three times. Its residual is twice that change "
        f"({words.amount(found['control_change'])}). In logs the effect on the region is "
        f"{words.size(found['logs']['region'])} and the share-weighted sum "
        f"{words.size(found['logs']['weighted_sum'])}: logs of sums are not sums of logs.",
        "指数为地区生产总值除以其 2005—2014 年均值，效应乘以该均值即为金额。"
        "若各单元采用相同的对照（双重差分为其他省份均值，末列为京津冀整体的合成权重），"
        "各地指数效应按均值加权后严格等于加总指数的效应；各自采用不同权重时则不必相等。"
        "水平值双重差分对每个单元均扣除一个对照省份的平均变动：对加总单元扣除一次，对三地共扣除三次，"
        f"故残差恰为该变动（{words.amount(found['control_change'])}）的两倍。"
        f"取对数时，加总单元的效应为 {words.size(found['logs']['region'])}，"
        f"按份额加权之和为 {words.size(found['logs']['weighted_sum'])}，"
        "二者不等，因为和的对数不等于对数之和。",
    )
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("accounting", found, behind)
        rows = [
            Row(name, tuple(numbers.number(f"{m}/{key}", 0, grouping=True) for m in METHODS))
            for key, name in ROWS.items()
        ]
        columns = tuple(Column(heading, span) for heading, span in METHODS.values())
        panels, notes = (Panel("", tuple(rows)),), (note, words.NOMINAL)
        artefacts.table(Table("accounting", CAPTION, columns, panels, words.TREATED, notes), behind)


if __name__ == "__main__":
    main()
