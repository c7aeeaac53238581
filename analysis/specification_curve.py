"""The effect on log product by estimator, donors, window, vintage and timing, all combined."""

from __future__ import annotations

from typing import Any

import pandas as pd
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.registry.policy import FirstFullYear, YearOfIssue
from jjjpolicy.registry.regions import regions
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Figure, Language, Text
from jjjpolicy.report.figures.specifications import draw_specification_curve
from jjjpolicy.sensitivity.specification_curve import summarize_curve

MAKES = ("numbers:specification-curve", "figure:specification-curve")

REPLICATIONS = 99
EAST = regions.group("east")
ESTIMATORS = {
    "did": jp.did.TwoWayFixedEffects(),
    "sc": jp.synth.SyntheticControl(),
    "dsc": jp.synth.DemeanedSyntheticControl(),
    "sdid": jp.synth.SyntheticDiD(),
    "gsc": jp.synth.GeneralizedSyntheticControl(),
}
CROSS_VALIDATED = {
    "asc": jp.synth.AugmentedSyntheticControl(),
    "psc": jp.synth.PenalizedSyntheticControl(),
    "elastic": jp.synth.ElasticNetSyntheticControl(),
    "mc": jp.synth.MatrixCompletion(),
}
CHOICES: dict[str, dict[str, Any]] = {
    "donors": {
        "all": (),
        "far": regions.group("jing-jin-ji-neighbours"),
        "sound": ("150000", "210000"),
        "east": tuple(r.code for r in regions.provinces if r.code not in EAST),
    },
    "window": {"2005–2018": (2005, 2018), "2008–2018": (2008, 2018), "2005–2017": (2005, 2017)},
    "vintage": {vintage: vintage for vintage in words.VINTAGES},
    "timing": {"issue": YearOfIssue(), "full": FirstFullYear()},
}
BASELINE = {
    "estimator": "sc",
    "donors": "all",
    "window": "2005–2018",
    "vintage": study.VINTAGE,
    "timing": "issue",
}
DIMENSIONS = {
    "estimator": Text("Estimator", "估计方法"),
    "donors": Text("Donors", "对照组"),
    "window": Text("Years", "样本期"),
    "vintage": Text("Data vintage", "数据口径"),
    "timing": Text("First treated year", "首个处理年份"),
}
NAMES: dict[str, Any] = {
    **words.METHODS,
    **words.VINTAGES,
    "all": Text("All other provinces", "全部其他省份"),
    "far": Text("Without neighbours", "剔除周边省份"),
    "sound": Text("Without Inner Mongolia, Liaoning", "剔除内蒙古、辽宁"),
    "east": Text("Eastern provinces", "东部省份"),
    "issue": Text("2015, year of issue", "2015 年（印发当年）"),
    "full": Text("2016, first full year", "2016 年（首个完整年份）"),
}
OUTCOME = Text("Effect on log product", "对生产总值（对数）的效应")
CAPTION = Text(
    "The effect on log product by specification", "不同设定下对地区生产总值（对数）的效应"
)


def build(**options: Any) -> jp.Design:
    """The three provinces together under one combination of choices."""
    donors = options.pop("donors")
    treated = set(study.JING_JIN_JI)
    return study.design(
        "log_gdp", "together", exclude=tuple(c for c in donors if c not in treated), **options
    )


def curve() -> pd.DataFrame:
    """Every specification, with a placebo p-value where no penalty is cross-validated."""
    placebo = jp.inference.PlaceboUnits(replications=REPLICATIONS, seed=1)
    every = jp.sensitivity.specification_curve
    tested = every(build, CHOICES, ESTIMATORS, inference=placebo, jobs=2)
    return pd.concat([tested, every(build, CHOICES, CROSS_VALIDATED, jobs=2)], ignore_index=True)


def main() -> None:
    """Estimate every specification, save the summary and the figure."""
    table = curve()

    def draw(language: Language) -> Any:
        named: Any = {"option_names": NAMES, "baseline": BASELINE, "outcome": OUTCOME}
        # Intervals of every specification would hide the estimates.
        bare = table.drop(columns=["lower", "upper"])
        return draw_specification_curve(bare, DIMENSIONS, language=language, **named)

    note = Text(
        f"Placebo p-values from {REPLICATIONS} sets of three untreated provinces (all sets where "
        "there are fewer); none for the four estimators that cross-validate a penalty in each fit. "
        "Inner Mongolia and Liaoning corrected their figures downwards before the census. All "
        "vintages cover the years to 2018.",
        f"安慰剂 p 值基于 {REPLICATIONS} 组未处理省份（组合总数更少时取全部组合）；"
        "每次拟合均需交叉验证惩罚参数的四种方法不作检验。"
        "内蒙古、辽宁在普查修订前曾下调数据。各口径数据均覆盖至 2018 年。",
    )
    by = {
        name: {option: summarize_curve(part).to_dict() for option, part in table.groupby(name)}
        for name in ("estimator", "vintage")
    }
    with Artefacts(__file__, MAKES) as artefacts:
        artefacts.numbers(
            "specification-curve", {"all": summarize_curve(table).to_dict(), "by": by}
        )
        artefacts.figure(Figure("specification-curve", CAPTION, draw, (note, words.NOMINAL)))


if __name__ == "__main__":
    main()
