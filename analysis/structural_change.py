"""How fast sectors shift: the region by stage, the large cities against each other."""

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

SPANS = {"before": (2011, 2014), "after": (2014, 2017)}
CAPTION = Text("Gain of the tertiary share in large cities", "大城市第三产业占比的提高幅度")
GAIN = Text("Gain, points", "提高（百分点）")


def shift(first: int, last: int) -> pd.DataFrame:
    """Structural change of each large city, and the gain of its tertiary share, points."""
    shares = sectors.cities()
    span = last - first
    change = 100 * jp.indicators.absolute_change(shares, span=span).xs(last, level="year")
    tertiary = shares["tertiary"].unstack()
    gain = tertiary[last] - tertiary[first]
    table = pd.DataFrame({"change": change, "tertiary_gain": gain}).dropna()
    return table.assign(rank=table["tertiary_gain"].rank(ascending=False, method="min"))


def moved() -> dict[str, Any]:
    """By span and city: change, gain and rank; the median of the other cities."""
    content: dict[str, Any] = {}
    for name, span in SPANS.items():
        table = shift(*span)
        others = table.drop(code for (code,) in study.CITIES.values())
        rows: dict[str, Any] = {
            key: table.loc[code].to_dict() for key, (code,) in study.CITIES.items()
        }
        rows["median"] = {**others.median().to_dict(), "rank": None}
        content[name] = {**rows, "cities": len(table)}
    return content


def region() -> dict[str, Any]:
    """The region by year: shares, stage, and change since 2014."""
    computed, stated = sectors.published()
    own = stated.loc[sectors.REGION].dropna()
    change = 100 * jp.indicators.absolute_change(stated, span=6).loc[sectors.REGION].dropna()
    stages = jp.indicators.stage_by_structure(own)
    difference = (computed.loc[sectors.REGION] - own.round(1)).dropna().abs().max(axis=1)
    hebei = jp.indicators.stage_by_structure(stated.loc["130000"].dropna())
    old, new = (sectors.cities().loc[("110000", 2017)], stated.loc[("110000", 2018)])
    pace = shift(*SPANS["after"]).loc["110000", "tertiary_gain"] / 3
    return {
        "shares": own.to_dict("index"),
        "tertiary_2014_also_stated": sectors.also_stated(),
        "stage": stages.astype(str).to_dict(),
        "hebei_stage": hebei.astype(str).to_dict(),
        "change_2014_2020": float(change.loc[2020]),
        "computed": computed.loc[sectors.REGION].to_dict("index"),
        "largest_difference": difference.to_dict(),
        "beijing_revision": {
            "tertiary_2017_before": float(old["tertiary"]),
            "tertiary_2018_after": float(new["tertiary"]),
            "step": float(new["tertiary"] - old["tertiary"]),
            "yearly_gain_2014_2017": float(pace),
        },
    }


def main() -> None:
    """Save numbers and the table of cities."""
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("structure", {"region": region(), "cities": moved()})
        names = {key: words.CITIES[key] for key in study.CITIES}
        names["median"] = Text("Median of the other cities", "其他城市中位数")
        rows = []
        for key, name in names.items():
            cells: list[Any] = []
            for path in (f"cities/{span}/{key}" for span in SPANS):
                rank = "" if key == "median" else numbers.number(f"{path}/rank", 0)
                cells += [numbers.number(f"{path}/tertiary_gain", 2), rank]
            rows.append(Row(name, tuple(cells)))
        count = numbers.value("cities/after/cities")
        rank = Text(f"Rank of {count}", f"位次（共 {count} 市）")
        columns = []
        for first, last in SPANS.values():
            span = Text(f"{first} to {last}", f"{first}—{last} 年")
            columns += [Column(GAIN, span), Column(rank, span)]
        panels, stub = (Panel("", tuple(rows)),), Text("City", "城市")
        notes = (words.OLD_CITIES,)
        artefacts.table(Table("structure", CAPTION, tuple(columns), panels, stub, notes))


if __name__ == "__main__":
    main()
