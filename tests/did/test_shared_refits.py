"""Refits under many assignments from shared sums: the numbers of separate fits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jjjpolicy as jp
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.inference.cluster_bootstrap import resampled

FIRST = {0: 0, 1: 2004, 2: 2004, 3: 2006, 4: 2007, 5: 2007}
"""First treated year of the first provinces; the others are never treated."""


def design(*, gaps: bool = False, weighted: bool = False, provinces: bool = True) -> jp.Design:
    """60 units in 14 provinces over ten years, outcomes with unit roots around 100."""
    rng = np.random.default_rng(3)
    years = np.arange(2000, 2010)
    province = rng.permutation(np.arange(60) % 14)
    first = np.array([FIRST.get(p, 0) for p in province])
    y = 100 + rng.normal(size=(60, 1)) + rng.normal(size=(60, 10)).cumsum(axis=1)
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(60), 10),
            "year": np.tile(years, 60),
            "province": np.repeat(province, 10),
            "first": np.repeat(first, 10),
            "size": np.repeat(rng.uniform(0.5, 2.0, 60), 10),
            "y": y.ravel(),
        }
    )
    if gaps:
        early = frame["year"].isin([2003, 2008]) & (frame["unit"] % 5 == 0)
        frame = frame[~early & ~((frame["year"] == 2005) & (frame["unit"] % 7 == 0))]
    options: dict[str, Any] = {"weights": "size"} if weighted else {}
    if provinces:
        options["assigned_at"] = "province"
    return jp.Design.from_frame(
        frame, unit="unit", time="year", outcome="y", adoption="first", **options
    )


def assignments(design: jp.Design, number: int) -> Any:
    """The actual assignment, and dates handed out anew among the groups."""
    groups, first = np.unique(design.assignment, return_index=True)
    rng = np.random.default_rng(1)
    dates = design.adoption[first]
    drawn = [dates, *(rng.permutation(dates) for _ in range(number))]
    return np.array(drawn)[:, np.searchsorted(groups, design.assignment)]


def separately(estimator: Any, design: jp.Design, adoptions: Any) -> Refits:
    return Refits.stack(estimator.refit(design.reassigned(row)) for row in adoptions)


def require_equal(found: Refits, expected: Refits) -> None:
    for name in ("att", "se", "effects"):
        values, singles = getattr(found, name), getattr(expected, name)
        assert (values is None) == (singles is None)
        if singles is not None:
            np.testing.assert_allclose(values, singles, rtol=1e-11, atol=1e-11)


IMPUTING = [jp.did.Imputation(), jp.did.TwoStage(), jp.did.TwoStage(leads=True)]
COMPARING = [
    jp.did.CallawaySantAnna(),
    jp.did.CallawaySantAnna(control="not_yet", base="universal"),
    jp.did.CallawaySantAnna(control="not_yet", anticipation=1),
]


@pytest.mark.parametrize("estimator", [*IMPUTING, *COMPARING], ids=repr)
@pytest.mark.parametrize("options", [{}, {"gaps": True}, {"weighted": True}, {"provinces": False}])
def test_shared_sums_give_the_numbers_of_separate_fits(estimator: Any, options: Any) -> None:
    panel = design(**options)
    adoptions = assignments(panel, 12)
    require_equal(estimator.refit_many(panel, adoptions), separately(estimator, panel, adoptions))


def without_some(design: jp.Design, number: int) -> Any:
    """Assignments in which up to three provinces are left out, others in each."""
    adoptions = assignments(design, number)
    rng = np.random.default_rng(2)
    for row, adoption in enumerate(adoptions):
        absent = rng.permutation(np.unique(design.assignment))[: row % 4]
        adoption[np.isin(design.assignment, absent)] = np.nan
    return adoptions


@pytest.mark.parametrize(
    "estimator", [jp.did.TwoWayFixedEffects(), *IMPUTING, *COMPARING], ids=repr
)
@pytest.mark.parametrize("options", [{}, {"gaps": True}, {"weighted": True}, {"provinces": False}])
def test_samples_without_some_units_have_the_effects_of_separate_fits(
    estimator: Any, options: Any
) -> None:
    panel = design(**options)
    adoptions = without_some(panel, 12)
    found = estimator.refit_among(panel, adoptions).att
    samples = [panel.keep_units(~np.isnan(row), "absent") for row in adoptions]
    separate = [
        estimator.fit(sample.reassigned(row[~np.isnan(row)])).att
        for sample, row in zip(samples, adoptions, strict=True)
    ]
    np.testing.assert_allclose(found, separate, rtol=1e-11, atol=1e-11)


def test_assignments_that_shared_sums_do_not_solve_are_fitted_alone() -> None:
    panel = design(provinces=False)
    adoptions = assignments(panel, 3)
    adoptions[1, adoptions[1] == 2004] = 2000  # no untreated period, other dates than elsewhere
    adoptions[2, np.isinf(adoptions[2])] = 2008  # no untreated unit in the last two years
    for estimator in (*IMPUTING, COMPARING[1]):
        found = estimator.refit_many(panel, adoptions)
        require_equal(found, separately(estimator, panel, adoptions))


def test_treatment_inside_of_clusters_is_fitted_assignment_by_assignment() -> None:
    panel = design()
    adoptions = assignments(panel, 3)
    adoptions[2] = np.where(np.arange(60) % 2 == 0, 2005.0, np.inf)
    found = jp.did.Imputation().refit_many(panel, adoptions)
    require_equal(found, separately(jp.did.Imputation(), panel, adoptions))


@pytest.mark.parametrize("kind", ["event", "group", "calendar"])
def test_every_average_of_group_time_effects_is_refitted_as_it_is_fitted(kind: Any) -> None:
    panel = design(weighted=True)
    average = jp.did.CallawaySantAnna(control="not_yet").fit(panel).aggregate(kind, max_event=2)
    adoptions = assignments(panel, 6)
    found = average.estimator.refit_many(panel, adoptions)
    require_equal(found, separately(average.estimator, panel, adoptions))


def test_assignments_with_nothing_to_estimate_say_why() -> None:
    panel = design(provinces=False)
    adoptions = assignments(panel, 1)
    adoptions[1, np.isfinite(adoptions[1])] = 2000
    with pytest.raises(jp.DesignError, match="lies outside the sample, which begins in 2000"):
        jp.did.CallawaySantAnna().refit_many(panel, adoptions)


def one_by_one(self: Any, design: jp.Design, groups: Any, counts: Any) -> list[None]:
    return [None] * len(counts)


SAMPLED: list[Any] = [jp.inference.ClusterBootstrap(replications=30, seed=1)]
SAMPLED += [jp.inference.Jackknife(), jp.inference.Clustered(kind="CRV3")]


@pytest.mark.parametrize(
    "options",
    [{}, {"gaps": True, "weighted": True}, {"weighted": True}, {"provinces": False}],
)
@pytest.mark.parametrize("estimator", [*IMPUTING[:2], *COMPARING], ids=repr)
def test_samples_of_clusters_from_shared_sums_are_those_of_separate_fits(
    estimator: Any, options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimate = estimator.fit(design(**options))
    shared = [estimate.with_inference(method) for method in SAMPLED]
    monkeypatch.setattr(type(estimator), "refit_counted", one_by_one)
    for method, found in zip(SAMPLED, shared, strict=True):
        expected = estimate.with_inference(method)
        assert found.se == pytest.approx(expected.se, rel=1e-10)
        columns = ["estimate", "se", "lower", "upper"]
        np.testing.assert_allclose(
            found.effects[columns], expected.effects[columns], rtol=1e-10, atol=1e-10
        )


@pytest.mark.parametrize("kind", ["event", "group", "calendar"])
def test_samples_of_clusters_give_every_average_its_own_effects_and_errors(kind: Any) -> None:
    panel = design(weighted=True)
    average = jp.did.CallawaySantAnna(control="not_yet").fit(panel).aggregate(kind, max_event=2)
    codes = panel.assignment
    counts = np.random.default_rng(2).multinomial(14, np.full(14, 1 / 14), size=12).astype(float)
    counts[0, 1:6] = [0, 0, 0, 1, 1]  # one of the three cohorts is left
    for found, row in zip(
        average.estimator.refit_counted(panel, codes, counts), counts, strict=True
    ):
        drawn = np.repeat(np.arange(14), row.astype(int))
        assert found is not None
        expected = average.estimator.refit(resampled(panel, codes, drawn))
        require_equal(found, expected)
        assert found.event_times is not None
        np.testing.assert_array_equal(found.event_times, expected.event_times)


def test_samples_with_nothing_to_estimate_are_left_to_fits_of_their_own() -> None:
    panel = design()
    counts = np.ones((2, 14))
    counts[1, [1, 2, 3, 4, 5]] = 0.0
    found = jp.did.CallawaySantAnna().refit_counted(panel, panel.assignment, counts)
    assert [each is None for each in found] == [False, True]


def test_covariates_and_clusters_that_samples_divide_are_fitted_one_by_one() -> None:
    panel = design()
    units = np.arange(panel.n_units)
    divided = jp.did.CallawaySantAnna().refit_counted(panel, units, np.ones((2, len(units))))
    assert divided == [None, None]


@pytest.mark.parametrize("base", ["varying", "universal"])
def test_effects_by_event_time_that_are_estimated_have_errors_from_samples(base: Any) -> None:
    # Ten years and cohorts of 2004, 2006 and 2007: effects from seven years before adoption on.
    # With a base that varies the first year of each cohort has no effect, and with one that does
    # not the year before adoption is zero by definition.
    estimate = jp.did.CallawaySantAnna(base=base).fit(design(provinces=False))
    expected = estimate.effects.dropna(subset=["se"])["event_time"].tolist()
    assert len(expected) == {"varying": 12, "universal": 12}[base]
    for method in SAMPLED:
        found = estimate.with_inference(method).effects
        assert found.dropna(subset=["se"])["event_time"].tolist() == expected
        assert (found["se"].dropna() > 0).all()
