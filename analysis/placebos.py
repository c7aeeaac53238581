"""Gaps of the treated provinces to their synthetic controls, over placebo gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Figure, Language, Text
from jjjpolicy.report.figures.data import placebo_plot
from jjjpolicy.report.figures.panels import PlaceboPanel, draw_placebo_panels

MAKES = ("figure:placebos",)

OUTCOME = "log_gdp"
GAP = Text("Gap in log product", "对数生产总值的差距")
CAPTION = Text("Gaps to the synthetic control, and placebo gaps", "与合成对照的差距及安慰剂差距")
CUT = 10
DRAWN = Text(
    "Grey: the same estimator applied to each untreated province in turn; placebos whose "
    f"prediction error before treatment is more than {CUT} times that of the treated province "
    "are not drawn, but count in the p-values.",
    "灰线：对各未处理省份逐一采用同一估计方法所得的差距；"
    f"政策前预测误差超过处理省份 {CUT} 倍者未绘出，但仍计入 p 值。",
)


def panel(estimate: jp.Estimate) -> PlaceboPanel:
    """Gap of the treated province and of the placebos that fit before treatment, by year."""
    assert estimate.inference is not None
    assert estimate.unit_effects is not None
    details, periods = estimate.inference.details, pd.Index(estimate.design.periods)
    fits = details["placebo_pre_rmspe"] <= CUT * estimate.unit_effects["pre_rmspe"].item()
    untreated = estimate.design.units[~estimate.design.treated]
    # With one treated province, each placebo treats one province, in the order of the panel.
    placebo_units = untreated[np.isfinite(details["placebo_units"][fits]).argmax(axis=1)]
    placebos = pd.DataFrame(
        details["placebo_effects"][fits].T, index=periods, columns=placebo_units
    )
    return PlaceboPanel(pd.Series(estimate.effects["estimate"].to_numpy(), periods), placebos)


def main() -> None:
    """Estimate, draw."""
    designs = {group: study.design(OUTCOME, group) for group in study.SINGLE}
    behind = {f"{OUTCOME}/{g}/sc": study.estimates(d)["sc"] for g, d in designs.items()}
    titles = [words.GROUPS[group] for group in study.SINGLE]
    panels: dict[Any, PlaceboPanel] = dict(zip(titles, map(panel, behind.values()), strict=True))
    policy = study.policy_line(designs["beijing"])

    provinces = jp.load("provinces", vintage=study.VINTAGE)
    english, chinese = (provinces.unit_names(language) for language in ("en", "zh"))
    names: Any = {code: Text(name, chinese[code]) for code, name in english.items()}
    data = placebo_plot(panels, policy=policy, outcome=GAP, names=names)

    def draw(language: Language) -> Any:
        return draw_placebo_panels(panels, policy=policy, outcome=GAP, language=language)

    with Artefacts(__file__, MAKES) as artefacts:
        artefacts.figure(Figure("placebos", CAPTION, draw, (DRAWN,), data), behind)


if __name__ == "__main__":
    main()
