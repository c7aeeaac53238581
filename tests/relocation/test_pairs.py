"""The grid of pairs, distances, and policies on pairs."""

from __future__ import annotations

import pandas as pd
import pytest

import jjjpolicy as jp

BEIJING, TIANJIN, HEBEI = "110000", "120000", "130000"
FLOWS = pd.DataFrame(
    [(BEIJING, HEBEI, 2014, 3, 7.5), (TIANJIN, BEIJING, 2016, 1, 2.0)],
    columns=["origin", "destination", "year", "firms", "size"],
)


def test_all_pairs_add_zeros_and_nothing_else() -> None:
    full = jp.relocation.all_pairs(FLOWS)
    assert len(full) == 6 * 3
    assert not full.duplicated(["origin", "destination", "year"]).any()
    assert full["firms"].sum() == 4
    assert full["size"].sum() == 9.5
    assert full["firms"].dtype == FLOWS["firms"].dtype
    wider = jp.relocation.all_pairs(
        FLOWS, regions=[BEIJING, TIANJIN, HEBEI, "140000"], years=range(2013, 2017)
    )
    assert len(wider) == 12 * 4


def test_all_pairs_lose_no_flow() -> None:
    with pytest.raises(jp.DataError, match="region '130000'"):
        jp.relocation.all_pairs(FLOWS, regions=[BEIJING, TIANJIN])
    with pytest.raises(jp.DataError, match="year 2016"):
        jp.relocation.all_pairs(FLOWS, years=[2014, 2015])
    with pytest.raises(jp.DataError, match="two rows for 110000 to 130000 in 2014"):
        jp.relocation.all_pairs(pd.concat([FLOWS, FLOWS.head(1)]))


def centroids() -> pd.DataFrame:
    """Points chosen for their known distances, not places of the regions."""
    return pd.DataFrame(
        {
            "region": [BEIJING, TIANJIN, HEBEI],
            "latitude": [0.0, 0.0, 90.0],
            "longitude": [0.0, 90.0, 0.0],
        }
    )


def test_a_quarter_of_the_globe_is_as_far_in_every_direction() -> None:
    table = jp.relocation.distances(centroids())
    assert len(table) == 6
    assert table["distance"].to_numpy() == pytest.approx(10_007.557, abs=1e-3)
    with_km = jp.relocation.with_distance(FLOWS, centroids())
    assert with_km["distance"].to_numpy() == pytest.approx(10_007.557, abs=1e-3)


def test_bad_centroids_are_refused() -> None:
    with pytest.raises(jp.DataError, match="'130000' has no centroid"):
        jp.relocation.with_distance(FLOWS, centroids().head(2))
    with pytest.raises(jp.DataError, match="two centroids"):
        jp.relocation.distances(centroids().assign(region=BEIJING))
    with pytest.raises(jp.DataError, match=r"latitude 91\.0 of region '110000'"):
        jp.relocation.distances(centroids().assign(latitude=91.0))
    with pytest.raises(jp.DataError, match="no column 'longitude'"):
        jp.relocation.distances(centroids().drop(columns="longitude"))


def test_a_policy_treats_pairs_whose_ends_it_treats() -> None:
    regions = [BEIJING, TIANJIN, HEBEI, "140000"]
    pairs = jp.relocation.all_pairs(FLOWS, regions=regions)
    policy = jp.policies["tax-sharing-2015"]
    treated = jp.relocation.with_policy(pairs, policy).query("policy == 1")
    assert len(treated) == 6 * 2
    assert treated["year"].min() == 2015
    assert "140000" not in set(treated["origin"]) | set(treated["destination"])
    out = jp.relocation.with_policy(pairs, policy, origins=[BEIJING], name="out")
    assert set(out.query("out == 1")["origin"]) == {BEIJING}
    with pytest.raises(jp.DataError, match="another name"):
        jp.relocation.with_policy(out, policy, name="out")
    with pytest.raises(jp.DataError, match="both ends of no pair"):
        jp.relocation.with_policy(pairs, policy, origins=["140000"])


def test_a_pair_is_treated_from_the_later_start_of_its_ends() -> None:
    policy = jp.Policy("late", "2014", [BEIJING]).treating(
        {
            BEIJING: jp.policies["tax-sharing-2015"].treated[BEIJING],
            HEBEI: jp.policies["xiongan-2017"].treated[HEBEI],
        }
    )
    pairs = jp.relocation.all_pairs(FLOWS, years=range(2014, 2019))
    assert jp.relocation.with_policy(pairs, policy).query("policy == 1")["year"].min() == 2017
