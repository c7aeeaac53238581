"""Log product of each treated province and of its synthetic control."""

from __future__ import annotations

from typing import Any

import pandas as pd
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Figure, Language, Text
from jjjpolicy.report.figures.data import path_plot
from jjjpolicy.report.figures.panels import PathPanel, draw_path_panels

MAKES = ("figure:paths",)

OUTCOME = "log_gdp"


def panel(estimate: jp.Estimate) -> PathPanel:
    """Observed and synthetic outcome by year."""
    assert estimate.counterfactual is not None
    design = estimate.design
    observed = pd.Series(design.outcome[design.treated][0], design.periods)
    return PathPanel(observed, estimate.counterfactual.iloc[0])


def main() -> None:
    """Estimate, draw."""
    behind = {
        f"{OUTCOME}/{group}/sc": jp.synth.SyntheticControl().fit(study.design(OUTCOME, group))
        for group in study.SINGLE
    }
    titles = [words.GROUPS[group] for group in study.SINGLE]
    panels: dict[Any, PathPanel] = dict(zip(titles, map(panel, behind.values()), strict=True))
    policy = study.policy_line(next(iter(behind.values())).design)
    outcome = study.label(OUTCOME, with_unit=False)

    def draw(language: Language) -> Any:
        return draw_path_panels(panels, policy=policy, outcome=outcome, language=language)

    data = path_plot(panels, policy=policy, outcome=outcome)
    caption = Text("Treated provinces and their synthetic controls", "处理省份与其合成对照")
    with Artefacts(__file__, MAKES) as artefacts:
        artefacts.figure(Figure("paths", caption, draw, (words.NOMINAL,), data), behind)


if __name__ == "__main__":
    main()
