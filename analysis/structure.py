"""Sector structure of the region, the article's Figure 1, from what is published.

Further years appear as soon as ``data/structure_facts.csv`` has rows for them: region (a code, or
``jing-jin-ji``), year, variable (``va_primary``, ``va_secondary``, ``va_tertiary`` in 100m_yuan or
``share_primary``, … in percent), value, unit, source, note.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import sectors
import wording as words

from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Figure, Language, Text
from jjjpolicy.report.figures.structure import draw_structure

MAKES = ("figure:structure",)

FIRST, REVISION = 2007, 2017.5
PANELS = {
    sectors.REGION: words.REGION,
    "110000": words.GROUPS["beijing"],
    "120000": words.GROUPS["tianjin"],
    "130000": words.GROUPS["hebei"],
}
BREAK = Text("Census revision of the accounts", "普查修订前后分界")
CAPTION = Text("Sector structure of product", "三次产业结构")
NOTE = Text(
    "The region of 2014 as the review article states it (it gives the tertiary share of 2014 also "
    f"as {sectors.also_stated():.1f}); 2019 and 2020 are sums of the three provinces as first "
    "released. Beijing and Tianjin to 2017 from their value added. Left of the dashed line "
    "stand figures before the 2018 census revision, right of it figures after: they do not "
    "compare. Nothing is interpolated.",
    "京津冀 2014 年为综述文章所列占比"
    f"（该文另一处称 2014 年第三产业占比为 {sectors.also_stated():.1f}%）；"
    "2019 年和 2020 年由三地初步公布的增加值加总计算。北京、天津截至 2017 年由增加值计算。"
    "虚线左侧为第四次全国经济普查修订前数据，右侧为修订后数据，两者不可比。未作任何插补。",
)


def shown(code: str) -> pd.DataFrame:
    """Shares of a region: computed where value added is published, else stated."""
    computed, stated = sectors.published()
    computed = pd.concat([computed, sectors.cities()])
    parts = [
        table.loc[code].stack().rename("share").reset_index().assign(stated=is_stated)
        for table, is_stated in ((computed, False), (stated, True))
        if code in table.index.get_level_values(0)
    ]
    rows = pd.concat(parts).set_axis(["year", "sector", "share", "stated"], axis=1)
    rows = rows[(rows["year"] >= FIRST) & rows["share"].notna()]
    whole = set(rows.loc[~rows["stated"], "year"])
    return rows[~(rows["stated"] & rows["year"].isin(whole))]


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
