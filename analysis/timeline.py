"""Timeline of the policies, agreements and platforms in the registry."""

from __future__ import annotations

from typing import Any

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Figure, Language, Text
from jjjpolicy.report.figures.policies import draw_timeline

MAKES = ("figure:timeline",)

CAPTION = Text(
    "Policies of coordinated development, 2014 to 2018", "2014—2018 年京津冀协同发展政策"
)
NOTE = Text(
    "Points: dates known to the day; bars: dates known to the month or the year only. Where the "
    "document was not found, the date is that of publication.",
    "圆点表示日期确切，横条表示仅知年份或月份；未查得文件原文的，以公布日期代替印发日期。",
)


def main() -> None:
    """Draw every policy of the registry."""

    def draw(language: Language) -> Any:
        return draw_timeline(jp.policies.values(), language=language)

    with Artefacts(__file__, MAKES) as artefacts:
        artefacts.figure(Figure("timeline", CAPTION, draw, (NOTE,)))


if __name__ == "__main__":
    main()
