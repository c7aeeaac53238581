"""A map: hosts of platforms, circles of 50 km around them, and the growth of lights."""

from __future__ import annotations

from typing import Any

import below
import pandas as pd

from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Figure, Language, Text
from jjjpolicy.report.figures.maps import draw_points

MAKES = ("figure:map",)

YEARS = (2013, 2021)
RADIUS = 50.0
NAMES = {**below.NAMES, "xiongan": Text("Xiong'an", "雄安")}
SINGLE = {
    "120115": Text("Baodi", "宝坻"),
    "120118": Text("Jinghai", "静海"),
    "120112": Text("Jinnan", "津南"),
}
MEASURE = Text("Change of log lights, 2013 to 2021", "灯光（对数）变化，2013—2021 年")
CAPTION = Text("Hosts of platforms and the growth of night lights", "承接平台与夜间灯光增长")
NOTES = (
    Text(
        "A point is the seat of a county of Beijing, Tianjin or Hebei, coloured by the change of "
        "the log of VIIRS lights; eight counties without coordinates are missing. Rings mark "
        "hosts whose county and date a document gives; circles have a radius of 50 km. Colours end "
        "at the 2nd and 98th percentile.",
        "每点为京津冀县区驻地，颜色表示 VIIRS 灯光对数的变化；八个县区缺坐标，未绘出。"
        "圆环标出县区和日期均有文献依据的承接地，大圆半径为 50 公里。颜色截于第 2 和第 98 百分位。",
    ),
)


def placed(values: pd.Series) -> pd.DataFrame:
    """A value by code with its coordinates, where they are known."""
    codes, coordinates = below.located(values.index)
    frame = pd.DataFrame(coordinates, index=codes, columns=["latitude", "longitude"])
    return frame.assign(value=values.loc[codes])


def main() -> None:
    """Draw."""
    frame = below.lights("viirs").frame
    wide = frame.pivot(index="region_code", columns="year", values="log_lights")
    growth = (wide[YEARS[1]] - wide[YEARS[0]])[[u[:2] in below.REGION for u in wide.index]]
    zone_of = {
        code: code if code in SINGLE else zone
        for zone, names in below.ZONES.items()
        for code in below.hosts(*names).treated
    }
    places = placed(growth[list(zone_of)]).assign(name=lambda f: f.index.map(zone_of))

    def draw(language: Language) -> Any:
        names = {**NAMES, **SINGLE}
        return draw_points(
            placed(growth),
            places,
            measure=MEASURE,
            names=names,
            radius=RADIUS,
            language=language,
            width=5.2,
        )

    with Artefacts(__file__, MAKES) as artefacts:
        artefacts.figure(Figure("map", CAPTION, draw, NOTES))


if __name__ == "__main__":
    main()
