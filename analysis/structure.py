"""Sector structure of the region, the article's Figure 1, for every year from value added."""

from __future__ import annotations

from typing import Any

import pandas as pd
import sectors
import wording as words

from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Figure, Language, Text
from jjjpolicy.report.figures.structure import draw_structure

MAKES = ("figure:structure",)

FIRST, REVISION = 2009, sectors.LAST_OLD + 0.5
PANELS = {
    sectors.REGION: words.REGION,
    "110000": words.GROUPS["beijing"],
    "120000": words.GROUPS["tianjin"],
    "130000": words.GROUPS["hebei"],
}
BREAK = Text("Census revision of the accounts", "普查修订前后分界")
CAPTION = Text("Sector structure of product", "三次产业结构")
NOTE = Text(
    "Shares from the value added of the three industries; the region is the sum of the three "
    "provinces. Left of the dashed line stand the accounts before the 2018 census revision, right "
    "of it figures as released from 2020 on: they do not compare. The review article shows the "
    f"region in 2014 (tertiary share {sectors.stated().loc[(sectors.REGION, 2014), 'tertiary']:.1f}"
    f", also given as {sectors.also_stated():.1f}) and 2020 "
    f"({sectors.stated().loc[(sectors.REGION, 2020), 'tertiary']:.1f}), one on either side.",
    "由三次产业增加值计算，京津冀整体为三地之和。虚线左侧为第四次全国经济普查修订前数据，"
    "右侧为 2020 年起公布的数据，两者不可比。综述文章列出京津冀 2014 年"
    f"（第三产业占比 {sectors.stated().loc[(sectors.REGION, 2014), 'tertiary']:.1f}%，"
    f"另一处作 {sectors.also_stated():.1f}%）和 2020 年"
    f"（{sectors.stated().loc[(sectors.REGION, 2020), 'tertiary']:.1f}%）的占比，"
    "恰位于虚线两侧。",
)


def shown(code: str) -> pd.DataFrame:
    """Shares of a region in long form."""
    shares = sectors.computed().loc[code].stack().rename("share").reset_index()
    return shares.set_axis(["year", "sector", "share"], axis=1).assign(stated=False)


def main() -> None:
    """Draw the region and its three parts by year."""
    panels: dict[Any, pd.DataFrame] = {title: shown(code) for code, title in PANELS.items()}
    last = max(int(shares["year"].max()) for shares in panels.values())

    def draw(language: Language) -> Any:
        options: Any = {"years": (FIRST, last), "break_at": REVISION, "break_name": BREAK}
        return draw_structure(panels, language=language, **options)

    with Artefacts(__file__, MAKES) as artefacts:
        artefacts.figure(Figure("structure", CAPTION, draw, (NOTE,)))


if __name__ == "__main__":
    main()
