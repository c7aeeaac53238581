"""Which methods keep their size on other outcomes: pseudo-policies from one date on."""

from __future__ import annotations

from typing import Any

import calibration
import cities
import pandas as pd
import study

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:calibration-outcomes", "table:calibration-outcomes")

DATE, DRAWS = 2015, 2_000
SHARE = "share_secondary"
NAMES = {
    **{outcome: study.label(outcome, with_unit=False) for outcome in study.OUTCOMES},
    SHARE: Text("Secondary share, large cities", "大城市第二产业占比"),
}
METHODS = {
    key: name
    for key, name in calibration.NAMES.items()
    if key.endswith(("crv1", "crv3", "wild", "randomisation", "placebo"))
}
COUNTS = {"one": Text("One", "一个"), "three": Text("Three", "三个")}
CAPTION = Text(
    "Rejection rates at 5% under pseudo-policies without effect, by outcome",
    "无效应伪政策在 5% 水平下的拒绝率，按结果变量",
)


def designs() -> dict[str, jp.Design]:
    """The panel of each outcome; what the policy treats is left out by the calibration."""
    provinces = {outcome: study.design(outcome, "together") for outcome in study.OUTCOMES}
    return {**provinces, SHARE: cities.design(SHARE, "together")}


def rejections(panels: dict[str, jp.Design]) -> tuple[pd.DataFrame, int]:
    """Rejection rates at 5% by outcome, method and number of treated, and the number of fits."""
    on_did = {
        name: method for name, method in calibration.ON_DID.items() if f"did/{name}" in METHODS
    }
    options: dict[str, Any] = {"dates": (DATE,), "draws": DRAWS, "levels": (0.05,), "jobs": 2}
    parts = [
        jp.sensitivity.calibrate(panels, calibration.DID, on_did, **options),
        jp.sensitivity.calibrate(panels, calibration.SYNTHETIC, calibration.PLACEBO, **options),
    ]
    table = pd.concat([part.size for part in parts])
    return table, sum(part.fits for part in parts)


def main() -> None:
    """Calibrate, save numbers and table."""
    panels = designs()
    table, fits = rejections(panels)
    content: dict[str, Any] = {
        "fits": fits,
        "date": DATE,
        "groups": {name: int((~panel.treated).sum()) for name, panel in panels.items()},
    }
    for r in table.itertuples():
        count = "one" if r.treated == 1 else "three"
        method = content.setdefault(r.estimator, {}).setdefault(r.inference, {})
        method.setdefault(r.outcome, {})[count] = {
            "rejection": r.rejection,
            "se": r.se,
            "draws": r.draws,
        }
    for (estimator, inference, treated), rates in table.groupby(
        ["estimator", "inference", "treated"]
    )["rejection"]:
        ends = content[estimator][inference].setdefault("over_outcomes", {})
        ends["one" if treated == 1 else "three"] = {"least": rates.min(), "largest": rates.max()}

    groups = content["groups"]
    provinces, large = groups[study.OUTCOMES[0]], groups[SHARE]
    note = Text(
        f"{provinces} untreated provinces, and {large} large cities for the secondary share, which "
        f"no provincial panel has; pseudo-date {DATE}. Every province or city alone, and {DRAWS:,} "
        "random sets of three.",
        f"{provinces} 个未处理省份；第二产业占比无省级面板，用 {large} 个大城市；伪政策年份为 "
        f"{DATE} 年。逐一单个地区，及随机抽取三个地区的 {DRAWS:,} 个组合。",
    )
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("calibration-outcomes", content)

        def row(key: str) -> Row:
            paths = [f"{key}/{o}/{n}/rejection" for o in NAMES for n in COUNTS]
            return Row(METHODS[key], tuple(numbers.number(path) for path in paths))

        tables = tuple(
            Panel(heading, tuple(row(key) for key in keys if key in METHODS))
            for heading, keys in calibration.PANELS.items()
        )
        columns = tuple(Column(a, span) for span in NAMES.values() for a in COUNTS.values())
        artefacts.table(
            Table(
                "calibration-outcomes",
                CAPTION,
                columns,
                tables,
                Text("Inference", "推断方法"),
                (note,),
                missing=calibration.ABSENT,
            )
        )


if __name__ == "__main__":
    main()
