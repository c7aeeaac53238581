"""Which methods keep their size: pseudo-policies on provinces that no policy treated."""

from __future__ import annotations

from typing import Any

import pandas as pd
import study

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Figure, Language, Panel, Row, Table, Text
from jjjpolicy.report.figures.calibration import draw_calibration

MAKES = ("numbers:calibration", "table:calibration", "figure:calibration")

infer = jp.inference
DATES, DRAWS, EFFECTS = (2012, 2015), 1_000, (0.05, 0.1, 0.2, 0.3)
DID: dict[str, Any] = {"did": jp.did.TwoWayFixedEffects()}
SYNTHETIC: dict[str, Any] = {
    "sc": jp.synth.SyntheticControl(),
    "demeaned": jp.synth.DemeanedSyntheticControl(),
    "sdid": jp.synth.SyntheticDiD(),
}
PLACEBO: dict[str, Any] = {"placebo": infer.PlaceboUnits(replications=99)}
ON_DID: dict[str, Any] = {
    "crv1": infer.Clustered(),
    "crv2": infer.Clustered(kind="CRV2"),
    "crv3": infer.Clustered(kind="CRV3"),
    "wild": infer.WildClusterBootstrap(replications=999),
    "conley_taber": infer.ConleyTaber(),
    "ferman_pinto": infer.FermanPinto(),
    "randomisation": infer.RandomizationInference(),
    **PLACEBO,
}
NAMES = {
    "did/crv1": Text("Clustered, CRV1", "省级聚类，CRV1"),
    "did/crv2": Text("Clustered, CRV2", "省级聚类，CRV2"),
    "did/crv3": Text("Clustered, CRV3", "省级聚类，CRV3"),
    "did/wild": Text("Wild bootstrap, restricted", "受限野蛮自助法"),
    "did/conley_taber": Text("Conley and Taber", "Conley–Taber 方法"),
    "did/ferman_pinto": Text("Ferman and Pinto", "Ferman–Pinto 方法"),
    "did/randomisation": Text("Randomisation", "随机化推断"),
    "did/placebo": Text("Placebo", "安慰剂检验"),
    "sc/placebo": Text("SC, placebo", "合成控制，安慰剂"),
    "sc/conformal": Text("SC, conformal", "合成控制，共形推断"),
    "demeaned/placebo": Text("Demeaned SC, placebo", "去均值合成控制，安慰剂"),
    "sdid/placebo": Text("Synthetic DiD, placebo", "合成双重差分，安慰剂"),
}
CURVES = ("did/wild", "did/placebo", "sc/placebo", "demeaned/placebo", "sdid/placebo")
DRAWN = {key: NAMES[key] for key in CURVES} | {
    "did/placebo": Text("DiD, placebo", "双重差分，安慰剂")
}
PANELS = {
    Text("A. Difference-in-differences", "A. 双重差分"): [k for k in NAMES if k.startswith("did")],
    Text("B. Synthetic control", "B. 合成控制"): [k for k in NAMES if not k.startswith("did")],
}
COUNTS = {1: Text("One treated province", "一个处理省份"), 3: Text("Three", "三个处理省份")}
CAPTION = Text("Rejection rates under pseudo-policies without effect", "无效应伪政策下的拒绝率")
FIGURE = Text("Size and power under pseudo-policies", "伪政策下的检验水平与功效")
EFFECT = Text("Effect added, log points (three treated)", "加入的效应，对数点（三个处理省份）")
ABSENT = Text(
    "the estimate cannot be formed without the treated cluster.", "剔除处理聚类后无法估计。"
)


def tables() -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Size and power by method, and the number of fits."""
    designs = {"log_gdp": study.design("log_gdp", "together")}
    options: dict[str, Any] = {"dates": DATES, "draws": DRAWS, "power_draws": DRAWS, "jobs": 2}
    sc, conformal = {"sc": SYNTHETIC["sc"]}, {"conformal": infer.Conformal()}
    drawn = {name: method for name, method in ON_DID.items() if f"did/{name}" in CURVES}
    others = {name: method for name, method in ON_DID.items() if name not in drawn}
    parts = [
        jp.sensitivity.calibrate(designs, DID, others, **options),
        jp.sensitivity.calibrate(designs, DID, drawn, effects=EFFECTS, **options),
        jp.sensitivity.calibrate(designs, SYNTHETIC, PLACEBO, effects=EFFECTS, **options),
        jp.sensitivity.calibrate(designs, sc, conformal, **options),
    ]
    size, power = (
        pd.concat([getattr(part, name) for part in parts]).assign(
            method=lambda t: t["estimator"] + "/" + t["inference"]
        )
        for name in ("size", "power")
    )
    return size, power, sum(part.fits for part in parts)


def without_tibet() -> dict[str, float]:
    """Rejection rates of plain synthetic control where the panel has no Tibet, three treated."""
    designs = {"log_gdp": study.design("log_gdp", "together", exclude=("540000",))}
    part = jp.sensitivity.calibrate(
        designs, {"sc": SYNTHETIC["sc"]}, PLACEBO, treated=(3,), dates=DATES, draws=DRAWS, jobs=2
    )
    return {
        f"{rate:g}": r for rate, r in zip(part.size["level"], part.size["rejection"], strict=True)
    }


def main() -> None:
    """Calibrate, save numbers, table and figure."""
    size, power, fits = tables()
    content: dict[str, Any] = {"fits": fits, "dates": list(DATES), "effects": list(EFFECTS)}
    content["provinces"] = study.design("log_gdp", "together").n_units - len(study.JING_JIN_JI)
    for r in size[size["method"].isin(NAMES)].itertuples():
        place = content.setdefault(r.estimator, {}).setdefault(r.inference, {})
        at = place.setdefault("one" if r.treated == 1 else "three", {"draws": r.draws})
        at["five" if r.level == 0.05 else "ten"] = {"rejection": r.rejection, "se": r.se}
    for r in power[(power["level"] == 0.05) & power["method"].isin(NAMES)].itertuples():
        at = content[r.estimator][r.inference]["one" if r.treated == 1 else "three"]
        at.setdefault("power", {})[f"{r.effect:g}"] = r.rejection
    content["sc_without_tibet"] = without_tibet()
    at_five = size[size["level"] == 0.05]
    none = at_five[at_five["treated"] == 3].assign(effect=0.0)
    curves = pd.concat([none, power[(power["level"] == 0.05) & (power["treated"] == 3)]])

    def draw(language: Language) -> Any:
        named: Any = {"methods": NAMES, "curves": DRAWN, "effect": EFFECT}
        return draw_calibration(at_five, curves, **named, language=language)

    draws = {n: content["did"]["crv1"][n]["draws"] for n in ("one", "three")}
    note = Text(
        f"Log gross regional product, {content['provinces']} untreated provinces, pseudo-dates "
        f"{DATES[0]} and {DATES[1]}: every province alone ({draws['one']} pseudo-policies) and "
        f"{draws['three']:,} with three provinces drawn at random. Randomisation keeps its size by "
        "construction.",
        f"地区生产总值（对数），{content['provinces']} 个未处理省份，伪政策年份为 {DATES[0]} 与 "
        f"{DATES[1]} 年：逐一单省（{draws['one']} 个伪政策）及随机抽取三省组合"
        f"（{draws['three']:,} 个）。随机化推断的检验水平由构造保证。",
    )
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("calibration", content)

        def row(key: str) -> Row:
            paths = [f"{key}/{n}/{a}/rejection" for n in ("one", "three") for a in ("five", "ten")]
            return Row(NAMES[key], tuple(numbers.number(path) for path in paths))

        panels = tuple(Panel(heading, tuple(map(row, keys))) for heading, keys in PANELS.items())
        columns = tuple(Column(a, span) for span in COUNTS.values() for a in ("5%", "10%"))
        stub = Text("Inference", "推断方法")
        artefacts.table(
            Table("calibration", CAPTION, columns, panels, stub, (note,), missing=ABSENT)
        )
        artefacts.figure(Figure("calibration", FIGURE, draw, (note,)))


if __name__ == "__main__":
    main()
