"""Log product of the three provinces by year, against the others and the year before."""

from __future__ import annotations

from typing import Any

import numpy as np
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.inference.permutation.ranks import rank_pvalue
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Figure, Language, Text
from jjjpolicy.report.figures.data import event_study_plot
from jjjpolicy.report.figures.effects import draw_event_study

MAKES = ("numbers:event-study", "figure:event-study")

OUTCOME, GROUP = "log_gdp", "together"
EFFECT = Text("Difference in log product", "对数生产总值之差")
CAPTION = Text(
    "Event study of log gross regional product, the three provinces together",
    "地区生产总值（对数）的事件研究，三地合并",
)
BANDS = Text(
    "Difference from the untreated provinces, less that of the year before the policy (hollow). "
    "Lines: 95% intervals from the placebo estimates of all sets of three untreated provinces; "
    "shaded: the band that holds all years at once.",
    "与未处理省份之差，并减去政策前一年之差（空心点）。竖线：由未处理省份全部三省组合的安慰剂估计值得到的"
    " 95% 置信区间；阴影：同时覆盖各年的置信带。",
)


def joint(estimate: jp.Estimate, after: bool) -> dict[str, float]:
    """The largest effect before or after the policy, over its error, and its rank."""
    assert estimate.inference is not None
    effects = estimate.effects
    rows = ((effects["event_time"] >= 0) == after) & (effects["se"] > 0)
    se = effects.loc[rows, "se"].to_numpy()
    placebos = np.abs(estimate.inference.details["placebo_effects"][:, rows]) / se
    largest = float((effects.loc[rows, "estimate"].abs() / se).max())
    return {
        "largest": largest,
        "pvalue": rank_pvalue(largest, placebos.max(axis=1), "two-sided"),
    }


def numbers(estimate: jp.Estimate) -> dict[str, Any]:
    """What the paper quotes: the change a year and the joint test before and after the policy."""
    effects = estimate.effects["estimate"].to_numpy()
    reference = int((estimate.effects["event_time"] < 0).sum()) - 1
    changes = np.diff(effects)
    return {
        "yearly": {"before": changes[:reference].mean(), "after": changes[reference:].mean()},
        "before": joint(estimate, after=False),
        "after": joint(estimate, after=True),
    }


def main() -> None:
    """Estimate, rank, draw."""
    estimate = jp.did.EventStudy().fit(study.design(OUTCOME, GROUP))
    estimate = estimate.with_inference(jp.inference.PlaceboUnits())
    behind = {f"{OUTCOME}/{GROUP}": estimate}
    effects = estimate.effects

    def draw(language: Language) -> Any:
        return draw_event_study(effects, outcome=EFFECT, language=language, width=5.0)

    data = event_study_plot({words.GROUPS[GROUP]: effects}, outcome=EFFECT)
    with Artefacts(__file__, MAKES) as artefacts:
        artefacts.numbers("event-study", {OUTCOME: {GROUP: numbers(estimate)}}, behind)
        notes = (BANDS, words.NOMINAL)
        artefacts.figure(Figure("event-study", CAPTION, draw, notes, data), behind)


if __name__ == "__main__":
    main()
