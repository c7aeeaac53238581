"""How fast sectors shift: the region and its provinces against the others, within one account."""

from __future__ import annotations

from typing import Any

import pandas as pd
import sectors
import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:structure", "table:structure")

SPANS = {"before": (2011, 2014), "after": (2014, 2018), "revised": (2019, 2022)}
PLACES = {**{key: code for key, (code,) in study.SINGLE.items()}, "region": sectors.REGION}
CAPTION = Text("Gain of the tertiary share in provinces", "各省份第三产业占比的提高幅度")
GAIN = Text("Gain, points", "提高（百分点）")
NOTES = (
    Text(
        "Shares from value added. The years 2011 to 2018 are in the accounts before the census "
        "revision, 2019 to 2022 as released in the following years; no difference is taken across "
        "the two.",
        "占比由增加值计算。2011—2018 年为普查修订前口径，2019—2022 年为其后历年公布值，"
        "不作跨口径比较。",
    ),
    Text(
        "Ranks from the largest gain down: of each province among the 31, of the region as one "
        "unit among it and the 28 other provinces.",
        "位次按提高幅度由大到小排列：各地为在 31 个省份中的位次，"
        "京津冀整体为其与其他 28 个省份比较的位次。",
    ),
)


def gains(first: int, last: int) -> pd.DataFrame:
    """Gain of the tertiary share in points and its rank, for every province and the region."""
    tertiary = sectors.computed()["tertiary"].unstack()
    gain = tertiary[last] - tertiary[first]
    provinces = gain.drop(sectors.REGION)
    rank = provinces.rank(ascending=False, method="min")
    others = provinces.drop(list(study.JING_JIN_JI))
    rank[sectors.REGION] = 1 + (others > gain[sectors.REGION]).sum()
    return pd.DataFrame({"tertiary_gain": gain, "rank": rank})


def moved() -> dict[str, Any]:
    """By span and place: gain and rank; the median of the other provinces."""
    content: dict[str, Any] = {}
    for name, span in SPANS.items():
        table = gains(*span)
        rows: dict[str, Any] = {key: table.loc[code].to_dict() for key, code in PLACES.items()}
        others = table["tertiary_gain"].drop(list(PLACES.values()))
        rows["median"] = {"tertiary_gain": float(others.median())}
        content[name] = {**rows, "provinces": len(table) - 1, "others": len(others)}
    return content


def region() -> dict[str, Any]:
    """The region by year: shares, stage, what the article's gain consists of, the revision."""
    computed, stated = sectors.computed(), sectors.stated()
    article = stated.loc[sectors.REGION].dropna()
    own = computed.loc[sectors.REGION]
    tertiary = own["tertiary"]
    difference = (own.round(1) - article).dropna().abs().max(axis=1)
    stages = {
        code: jp.indicators.stage_by_structure(computed.loc[code]).astype(str).to_dict()
        for code in (sectors.REGION, "130000")
    }
    last = sectors.LAST_OLD
    revision = {
        key: {
            "old": float(computed.loc[(code, last), "tertiary"]),
            "new": float(stated.loc[(code, last), "tertiary"]),
            "step": float(
                stated.loc[(code, last), "tertiary"] - computed.loc[(code, last), "tertiary"]
            ),
        }
        for key, code in PLACES.items()
        if (code, last) in stated.index
    }
    printed = float(article.loc[2020, "tertiary"] - article.loc[2014, "tertiary"])
    within = {
        "old": float(tertiary[last] - tertiary[2014]),
        "new": float(tertiary[2020] - tertiary[last + 1]),
    }
    return {
        "shares": article.to_dict("index"),
        "tertiary_2014_also_stated": sectors.also_stated(),
        "computed": own.to_dict("index"),
        "largest_difference": difference.to_dict(),
        "stage": stages[sectors.REGION],
        "hebei_stage": stages["130000"],
        "printed_gain": printed,
        "gain_within": within,
        "gain_across": float(tertiary[last + 1] - tertiary[last]),
        "revision_2018": revision,
    }


def main() -> None:
    """Save numbers and the table of provinces."""
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("structure", {"region": region(), "gains": moved()})
        names = {**words.SINGLE, "region": words.REGION}
        names["median"] = Text("Median of the others", "其他省份中位数")
        rows = []
        for key, name in names.items():
            cells: list[Any] = []
            for path in (f"gains/{span}/{key}" for span in SPANS):
                rank = "" if key == "median" else numbers.number(f"{path}/rank", 0)
                cells += [numbers.number(f"{path}/tertiary_gain", 2), rank]
            rows.append(Row(name, tuple(cells)))
        columns = []
        for first, last in SPANS.values():
            span = Text(f"{first} to {last}", f"{first}—{last} 年")
            columns += [Column(GAIN, span), Column(Text("Rank", "位次"), span)]
        panels, stub = (Panel("", tuple(rows)),), Text("Province", "省份")
        artefacts.table(Table("structure", CAPTION, tuple(columns), panels, stub, NOTES))


if __name__ == "__main__":
    main()
