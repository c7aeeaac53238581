"""Do the effects of the three provinces sum to that of the region? In yuan, by three methods."""

from __future__ import annotations

from typing import Any

import regional_accounts as accounts
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:accounting", "table:accounting")

METHODS = {
    "did": Text("DiD", "双重差分"),
    "own": Text("SC, own weights", "合成控制，各自权重"),
}
ONE = Text("SC, one system", "合成控制，联立求解")
BLOCKS_P = Text("End-of-sample p", "样本末端检验 p 值")
ROWS = {
    **words.SINGLE,
    "sum": Text("Sum of the three", "三地之和"),
    "region": Text("The region as one unit", "京津冀整体"),
}
CAPTION = Text(
    "Effects on product, 100 million yuan a year, 2015 to 2019",
    "对地区生产总值的年均效应（2015—2019 年，亿元）",
)

SAME = Text(
    "Here none of the three borrows from another, so that one system and own weights give the same "
    "effects.",
    "此处三地互不占有对方权重，故联立求解与各自权重所得效应相同。",
)


def account(base: dict[str, float]) -> dict[str, jp.Estimate]:
    """Effects on the three and on their sum in yuan, from one system of synthetic controls."""
    codes = {unit: accounts.UNITS[unit][0] for unit in study.SINGLE}
    origin, *others = codes.values()
    design = jp.Design.from_policy(
        accounts.panel("beijing"),
        jp.policies[study.POLICY].treating([origin]),
        outcome="gdp_index",
        window=study.WINDOW,
    )
    system = jp.synth.InclusiveSyntheticControl(others, jp.synth.SyntheticControl())
    estimate = system.fit(design)
    parts = {unit: [unit] for unit in codes} | {"sum": list(codes)}
    return {
        name: jp.synth.EffectOn(system, [codes[u] for u in units], [base[u] for u in units])
        .of(estimate)
        .with_inference(jp.inference.EndOfSample())
        for name, units in parts.items()
    }


def content() -> tuple[dict[str, Any], dict[str, jp.Estimate]]:
    """Effects by method and unit with their sums, and the estimates behind them."""
    did, sc = jp.did.TwoWayFixedEffects(), jp.synth.SyntheticControl()
    behind = {}
    for unit in accounts.UNITS:
        behind[f"did/{unit}"] = did.fit(accounts.design("gdp_index", unit))
        behind[f"own/{unit}"] = sc.fit(accounts.design("gdp_index", unit))
        behind[f"logs/{unit}"] = did.fit(accounts.design("log_gdp", unit))
    base = {unit: accounts.base(unit) for unit in accounts.UNITS}
    found: dict[str, Any] = {}
    for method in METHODS:
        effects = {unit: base[unit] * behind[f"{method}/{unit}"].att for unit in accounts.UNITS}
        found[method] = {**effects, "sum": sum(effects[unit] for unit in study.SINGLE)}
    system = account(base)
    behind |= {f"one/{name}": estimate for name, estimate in system.items()}
    found["one"] = {k: {"att": e.att, "pvalue": e.pvalue} for k, e in system.items()}
    logs = {unit: behind[f"logs/{unit}"].att for unit in accounts.UNITS}
    weighted = sum(base[unit] / base["region"] * logs[unit] for unit in study.SINGLE)
    found["logs"] = {"region": logs["region"], "weighted_sum": weighted}
    return found, behind


def main() -> None:
    """Account, save numbers and table."""
    found, behind = content()
    least = behind["one/sum"].inference.smallest_pvalue
    note = Text(
        "Index: product over its own mean of 2005 to 2014; the effect times that mean is in yuan. "
        "In DiD all units have the same controls (the mean of the others), and the effects on the "
        "indices, weighted by means, sum to the effect on the index of the sum, exactly. Synthetic "
        "controls with weights of their own leave the other parts out of the donors, and need not "
        "add up. One system: inclusive synthetic control, which keeps the three among each other's "
        "donors; the effect on the region is then the sum of its parts by construction. "
        "End-of-sample p-values rank an estimate among the averages over blocks of years before "
        f"2015, so few that none can be below {words.size(least)}; where all stand there, they "
        "show no more than that. In logs the DiD effect on the region is "
        f"{words.size(found['logs']['region'])} and the share-weighted sum "
        f"{words.size(found['logs']['weighted_sum'])}: logs of sums are not sums of logs.",
        "指数为地区生产总值除以其 2005—2014 年均值，效应乘以该均值即为金额。"
        "双重差分中各单元的对照相同（其他省份均值），各地指数效应按均值加权后严格等于加总指数的效应；"
        "合成控制各自采用不同权重，且互不作供体，效应不必相加。联立求解为包容性合成控制，"
        "三地互为供体，区域效应按其构造即为三地效应之和。"
        "样本末端检验 p 值为估计值在 2015 年前各时段平均值中的位次；可比时段很少，"
        f"p 值不可能低于 {words.size(least)}，各行均取此值时并不说明更多。"
        f"取对数时，加总单元的双重差分效应为 {words.size(found['logs']['region'])}，"
        f"按份额加权之和为 {words.size(found['logs']['weighted_sum'])}，"
        "二者不等，因为和的对数不等于对数之和。",
    )
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("accounting", found, behind)
        rows = []
        for key, name in ROWS.items():
            cells: list[Any] = [numbers.number(f"{m}/{key}", 0, grouping=True) for m in METHODS]
            if key in found["one"]:
                cells.append(numbers.number(f"one/{key}/att", 0, grouping=True))
                cells.append(numbers.pvalue(f"one/{key}/pvalue"))
            else:
                cells += ["–", "–"]
            rows.append(Row(name, tuple(cells)))
        columns = tuple(Column(words.ESTIMATE, name) for name in (*METHODS.values(), ONE))
        columns = (*columns, Column(BLOCKS_P, ONE))
        apart = [found["one"][unit]["att"] - found["own"][unit] for unit in study.SINGLE]
        same = (SAME,) if max(map(abs, apart)) < 0.5 else ()
        panels, notes = (Panel("", tuple(rows)),), (note, *same, words.NOMINAL)
        artefacts.table(Table("accounting", CAPTION, columns, panels, words.TREATED, notes), behind)


if __name__ == "__main__":
    main()
