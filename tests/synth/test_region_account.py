"""Effects on the parts of a region add up to that on the whole, with inference of their own."""

from __future__ import annotations

import numpy as np
import pytest
from leaking import noisy

import jjjpolicy as jp

PARTIES = {"origin": ["u0"], "destinations": ["u1", "u2"]}


@pytest.fixture(scope="module")
def system() -> jp.Estimate:
    return jp.synth.InclusiveSyntheticControl(["u1", "u2"]).fit(noisy())


def test_parts_add_up_to_the_whole_in_every_period(system: jp.Estimate) -> None:
    account = jp.synth.region_account(system, PARTIES)
    assert list(account) == ["origin", "destinations", "region"]
    assert account["origin"].att == pytest.approx(system.att, rel=1e-12)
    spilled = system.details["spillovers"]["estimate"].sum()
    assert account["destinations"].att == pytest.approx(spilled, rel=1e-12)
    parts = sum(account[name].effects["estimate"] for name in PARTIES)
    assert account["region"].effects["estimate"].to_numpy() == pytest.approx(parts.to_numpy())


def test_sizes_average_effects_on_logarithms(system: jp.Estimate) -> None:
    account = jp.synth.region_account(system, PARTIES, sizes={"u0": 6.0, "u1": 1.0, "u2": 3.0})
    known = system.details["spillovers"].set_index("unit")["estimate"]
    together = (known["u1"] + 3 * known["u2"]) / 4
    assert account["destinations"].att == pytest.approx(together, rel=1e-12)
    assert account["region"].att == pytest.approx(0.6 * system.att + 0.4 * together, rel=1e-12)


def test_the_sum_has_inference_of_its_own(system: jp.Estimate) -> None:
    method = jp.inference.EndOfSample()
    account = {
        name: each.with_inference(method)
        for name, each in jp.synth.region_account(system, PARTIES).items()
    }
    whole = method.test(system, dict.fromkeys(["u0", "u1", "u2"], 1.0))
    assert account["region"].pvalue == whole.pvalue
    assert account["region"].interval(0.8) == pytest.approx(whole.interval(0.8))
    assert "region" in jp.compare(account).to_markdown()
    assert "destinations" in jp.compare(account).to_markdown()
    assert account["region"].summary()


def test_placebos_of_named_units_are_refused(system: jp.Estimate) -> None:
    part = jp.synth.region_account(system, PARTIES)["destinations"]
    with pytest.raises(jp.InferenceError, match="stay where they are.*use EndOfSample"):
        part.with_inference(jp.inference.PlaceboUnits())


@pytest.mark.parametrize(
    ("parties", "sizes", "message"),
    [
        ({"origin": ["u0"], "others": ["u5"]}, None, "no effect on 'u5' was estimated"),
        ({"origin": ["u0"], "others": ["u0", "u1"]}, None, "'u0' is in two parties"),
        ({"region": ["u0"]}, None, "none of them 'region'"),
        ({"origin": "u0"}, None, "each with a list"),
        ({}, None, "must name the parts"),
        (PARTIES, {"u0": 1.0, "u1": np.nan, "u2": 1.0}, "no positive size of 'u1'"),
    ],
)
def test_accounts_that_do_not_add_up_are_refused(
    system: jp.Estimate, parties: dict[str, list[str]], sizes: dict[str, float], message: str
) -> None:
    with pytest.raises(jp.DesignError, match=message):
        jp.synth.region_account(system, parties, sizes)


def test_other_estimators_have_no_account() -> None:
    plain = jp.synth.DemeanedSyntheticControl().fit(noisy())
    with pytest.raises(jp.DesignError, match="estimates no effects on affected units"):
        jp.synth.region_account(plain, PARTIES)


def test_coefficients_are_one_per_unit() -> None:
    system = jp.synth.InclusiveSyntheticControl(["u1"])
    with pytest.raises(jp.DesignError, match="2 coefficients for 1 units"):
        jp.synth.EffectOn(system, ["u1"], [1.0, 2.0])
    both = jp.synth.EffectOn(system, ["u0", "u1"], [1.0, -1.0]).fit(noisy())
    apart = system.fit(noisy())
    assert both.att == pytest.approx(apart.att - apart.details["spillovers"]["estimate"][0])
