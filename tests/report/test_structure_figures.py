import pandas as pd
import pytest

from jjjpolicy.errors import DataError
from jjjpolicy.report import Text
from jjjpolicy.report.figures.structure import draw_structure


def shares(*rows):
    return pd.DataFrame(rows, columns=["year", "sector", "share", "stated"])


WHOLE = shares(
    (2014, "primary", 5.0, False), (2014, "secondary", 40.0, False), (2014, "tertiary", 55.0, False)
)


def bars(axes):
    return [
        (round(bar.get_y(), 6), round(bar.get_height(), 6), bar.get_hatch())
        for bar in axes.patches
        if bar.get_facecolor()[3] > 0
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_sectors_are_stacked_and_stated_shares_hatched(language):
    figure = draw_structure({Text("R", "地"): WHOLE}, years=(2014, 2015), language=language)
    assert bars(figure.axes[0]) == [(0, 5, None), (5, 40, None), (45, 55, None)]
    stated = WHOLE.assign(stated=True)
    figure = draw_structure({"R": stated}, years=(2014, 2014), language=language)
    assert [hatch for *_, hatch in bars(figure.axes[0])] == ["////"] * 3


def test_a_single_known_share_stands_where_it_would_in_the_whole():
    figure = draw_structure({"R": WHOLE[2:]}, years=(2014, 2014))
    assert bars(figure.axes[0]) == [(45, 55, None)]


def test_bad_shares_are_refused_by_name():
    with pytest.raises(DataError, match=r"R: tertiary stands twice in 2014"):
        draw_structure({"R": pd.concat([WHOLE, WHOLE[2:]])}, years=(2014, 2014))
    with pytest.raises(DataError, match=r"R: the shares of 2014 sum to 110\.0"):
        draw_structure({"R": WHOLE.assign(share=[10.0, 40.0, 60.0])}, years=(2014, 2014))
    with pytest.raises(DataError, match="sector 'services'"):
        draw_structure({"R": WHOLE.assign(sector="services")}, years=(2014, 2014))
