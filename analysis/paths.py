"""Log product of each treated province and of its synthetic control; placebo gaps; weights."""

from __future__ import annotations

from typing import Any

import pandas as pd
import study

import jjjpolicy as jp
from jjjpolicy.replication.artefacts import Artefacts
from jjjpolicy.report import Figure, Language, Text
from jjjpolicy.report.panel_figures import (
    PathPanel,
    PlaceboPanel,
    draw_path_panels,
    draw_placebo_panels,
)

MAKES = ("figure:paths", "figure:placebos")

OUTCOME = "log_gdp"
GAP = Text("Gap in log product", "对数生产总值的差距")
CUT = 10.0
DRAWN = Text(
    "Grey: the same estimator applied to each untreated province in turn; placebos whose "
    f"prediction error before treatment is more than {CUT:.0f} times that of the treated province "
    "are not drawn, but count in the p-values.",
    "灰线：对各未处理省份逐一采用同一估计方法所得的差距；"
    f"政策前预测误差超过处理省份 {CUT:.0f} 倍者未绘出，但仍计入 p 值。",
)


def placebo_panel(estimate: jp.Estimate) -> PlaceboPanel:
    """Gap of the treated province and of the placebos that fit before treatment, by year."""
    assert estimate.inference is not None
    periods = pd.Index(estimate.design.periods, name="year")
    details = estimate.inference.details
    own = estimate.unit_effects["pre_rmspe"].item()
    fits = details["placebo_pre_rmspe"] <= CUT * own
    placebos = pd.DataFrame(details["placebo_effects"][fits].T, index=periods)
    return PlaceboPanel(pd.Series(estimate.effects["estimate"].to_numpy(), periods), placebos)


def path_panel(estimate: jp.Estimate) -> PathPanel:
    """Observed and synthetic outcome by year."""
    assert estimate.counterfactual is not None
    design = estimate.design
    observed = pd.Series(design.outcome[design.treated][0], design.periods)
    return PathPanel(observed, estimate.counterfactual.iloc[0])


def main() -> None:
    """Estimate, draw, save."""
    single = {name: group for name, group in study.GROUPS.items() if len(group) == 1}
    estimates = {
        f"{OUTCOME}/{name}/sc": study.estimates(study.design(OUTCOME, name))["sc"]
        for name in single
    }
    titles = [study.GROUP_NAMES[name] for name in single]
    label = study.label(OUTCOME, with_unit=False)
    policy = study.policy_line(next(iter(estimates.values())).design)
    paths: dict[Any, PathPanel] = dict(
        zip(titles, map(path_panel, estimates.values()), strict=True)
    )
    gaps: dict[Any, PlaceboPanel] = dict(
        zip(titles, map(placebo_panel, estimates.values()), strict=True)
    )

    def draw_paths(language: Language) -> Any:
        return draw_path_panels(paths, policy=policy, outcome=label, language=language)

    def draw_gaps(language: Language) -> Any:
        return draw_placebo_panels(gaps, policy=policy, outcome=GAP, language=language)

    with Artefacts(__file__, MAKES) as artefacts:
        caption = Text("Treated provinces and their synthetic controls", "处理省份与其合成对照")
        artefacts.figure(Figure("paths", caption, draw_paths, (study.NOMINAL,)), estimates)
        caption = Text(
            "Gaps to the synthetic control, and placebo gaps", "与合成对照的差距及安慰剂差距"
        )
        artefacts.figure(Figure("placebos", caption, draw_gaps, (DRAWN,)), estimates)


if __name__ == "__main__":
    main()
