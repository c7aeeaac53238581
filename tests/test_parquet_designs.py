"""Designs from Parquet files: the numbers of the whole table, from sums of its rows."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from summed_designs import COLUMNS, ESTIMATORS, WITH_COVARIATE, agree, panel

import jjjpolicy as jp
from jjjpolicy.registry.lookup import data_files_read

pytest.importorskip("duckdb", reason="Parquet files need the extra 'firms'")
pytest.importorskip("pyarrow", reason="Parquet files need the extra 'firms'")


def both(
    frame: pd.DataFrame, folder: Path, batch: int = 97, **changes: Any
) -> tuple[jp.Design, jp.Design]:
    """The design of the table, and that of the file."""
    path = folder / "panel.parquet"
    frame.to_parquet(path)
    arguments = COLUMNS | changes
    return (
        jp.Design.from_frame(frame, **arguments),
        jp.Design.from_parquet(path, batch=batch, **arguments),
    )


@pytest.fixture(scope="module", params=[0.0, 0.03], ids=["balanced", "rows missing"])
def frame(request: pytest.FixtureRequest) -> pd.DataFrame:
    return panel(request.param)


@pytest.fixture(scope="module")
def by_unit(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return both(frame, tmp_path_factory.mktemp("by_unit"))


@pytest.fixture(scope="module")
def by_group(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return both(frame, tmp_path_factory.mktemp("by_group"), assigned_at="group")


@pytest.fixture(scope="module")
def with_covariate(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Any:
    weighted = frame.assign(w=1.0 + frame["unit"] // 4 % 2)
    folder = tmp_path_factory.mktemp("with_covariate")
    return both(weighted, folder, covariates=["x"], weights="w")


@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
def test_numbers_are_those_of_the_whole_table(
    estimator: Any, by_unit: tuple[jp.Design, jp.Design]
) -> None:
    assert by_unit[1].n_units < by_unit[0].n_units
    agree(estimator, *by_unit)


@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
def test_numbers_by_group_are_those_of_the_whole_table(
    estimator: Any, by_group: tuple[jp.Design, jp.Design]
) -> None:
    whole, summed = by_group
    agree(estimator, whole, summed)


@pytest.mark.parametrize("estimator", WITH_COVARIATE.values(), ids=WITH_COVARIATE)
def test_covariates_of_few_values_and_weights_are_kept(
    estimator: Any, with_covariate: tuple[jp.Design, jp.Design]
) -> None:
    agree(estimator, *with_covariate)


def test_order_and_batches_do_not_matter(tmp_path: Path) -> None:
    frame = panel(0.02)
    whole, summed = both(frame, tmp_path, batch=10**6)
    agree(jp.did.CallawaySantAnna(), whole, summed)
    for seed, batch in ((1, 50), (2, 1000)):
        _, other = both(frame.sample(frac=1, random_state=seed), tmp_path, batch=batch)
        assert list(other.units) == list(summed.units)
        np.testing.assert_allclose(other.stands_for, summed.stands_for)
        agree(jp.did.TwoWayFixedEffects(), whole, other)


def test_units_may_be_text_treatment_a_column_and_files_several(tmp_path: Path) -> None:
    frame = panel()
    frame["unit"] = "firm " + frame["unit"].astype(str)
    for part in range(3):
        frame[frame["period"] % 3 == part].to_parquet(tmp_path / f"part{part}.parquet")
    arguments = COLUMNS | {"adoption": None, "treatment": "treated"}
    limits: dict[str, Any] = {"window": (2001, 2005), "exclude": ["firm 3", "firm 17"]}
    whole = jp.Design.from_frame(frame, **arguments, **limits)
    summed = jp.Design.from_parquet(tmp_path / "part*.parquet", batch=77, **arguments, **limits)
    agree(jp.did.Imputation(), whole, summed)
    assert summed.ledger.equals(whole.ledger)


BY_GROUP = [
    jp.inference.RandomizationInference(replications=19, seed=3),
    jp.inference.Clustered(),
    jp.inference.Clustered(kind="CRV2"),
    jp.inference.Clustered(kind="CRV3"),
    jp.inference.WildClusterBootstrap(replications=99, seed=1),
    jp.inference.ClusterBootstrap(replications=9, seed=1),
    jp.inference.MultiplierBootstrap(replications=99, seed=1),
    jp.inference.Jackknife(),
]


@pytest.mark.parametrize("method", BY_GROUP, ids=lambda m: f"{m.label} {getattr(m, 'kind', '')}")
def test_inference_over_groups_is_that_of_the_whole_table(
    method: Any, by_group: tuple[jp.Design, jp.Design]
) -> None:
    one, other = (jp.did.TwoWayFixedEffects().fit(each).with_inference(method) for each in by_group)
    np.testing.assert_allclose(numbers(other), numbers(one), rtol=1e-10)


def numbers(estimate: jp.Estimate) -> Any:
    """Standard error, p-value and interval; missing where the method has none."""
    return np.array([estimate.se, estimate.pvalue, *estimate.interval()], dtype=float)


def test_errors_by_unit_are_refused_where_units_are_summed_by_group(tmp_path: Path) -> None:
    _, summed = both(panel(), tmp_path, assigned_at="group")
    estimate = jp.did.TwoWayFixedEffects().fit(summed)
    with pytest.raises(jp.DesignError, match="sums over all units of one group"):
        estimate.with_inference(jp.inference.Clustered("unit"))
    with pytest.raises(jp.InferenceError, match="one by one"):
        estimate.with_inference(jp.inference.InfluenceFunction())


def test_the_ledger_counts_absent_rows_and_late_adoption(tmp_path: Path) -> None:
    frame = panel(0.05)
    frame["first"] = frame["first"].replace(2005.0, 2050.0)
    _, summed = both(frame, tmp_path)
    reasons = " ".join(summed.ledger["reason"])
    absent = 400 * 6 - len(frame)
    counted = summed.ledger[summed.ledger["reason"].str.contains("have no row")]
    assert sum(int(text.split()[0]) for text in counted["reason"]) == absent
    assert "100 units adopt after the last period 2006" in reasons


def test_always_treated_units_are_left_out_and_counted(tmp_path: Path) -> None:
    frame = panel()
    frame.loc[frame["unit"] % 100 == 1, "first"] = 2001.0
    with pytest.warns(jp.JJJPolicyWarning, match="left out") as caught:
        whole, summed = both(frame, tmp_path)
    assert "4 units first treated in 2001 left out" in str(caught[-1].message)
    agree(jp.did.CallawaySantAnna(), whole, summed)


def test_a_cohort_of_one_unit_stays_itself(tmp_path: Path) -> None:
    frame = panel()
    frame.loc[frame["unit"] == 7, "first"] = 2006.0
    whole, summed = both(frame, tmp_path)
    assert 7 in list(summed.units)
    agree(jp.did.CallawaySantAnna(), whole, summed)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.assign(y=f.y.where(f.index != 30)), "'y' is missing for unit 5 in period"),
        (lambda f: pd.concat([f, f.iloc[[8]]]), "more than once: unit 1 in period 2003. Keep"),
        (lambda f: f.assign(period=f.period + 0.5), "must be whole numbers"),
        (lambda f: f.assign(first=f["first"].where(f.index != 6, 2003)), "varies within unit 1"),
        (lambda f: f.assign(first=np.inf), "no unit is treated"),
        (lambda f: f.drop(columns="y"), "column 'y' is not in the table"),
        (lambda f: f.assign(unit=f.unit.where(f.index != 12)), "'unit' is missing in row"),
    ],
    ids=["missing", "duplicate", "period", "varies", "untreated", "column", "unit"],
)
def test_errors_name_the_cell(change: Any, words: str, tmp_path: Path) -> None:
    path = tmp_path / "panel.parquet"
    change(panel()).to_parquet(path)
    with pytest.raises(jp.DesignError, match=words):
        jp.Design.from_parquet(path, batch=100, **COLUMNS)


def test_units_that_are_all_different_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jjjpolicy.design.intake.summed.LARGEST", 300)
    with pytest.raises(jp.DesignError, match="400 kinds of unit differ in the values of 'z'"):
        both(panel(), tmp_path, batch=10**6, covariates=["z"])


def test_what_needs_single_units_is_refused(tmp_path: Path) -> None:
    _, summed = both(panel(), tmp_path)
    with pytest.raises(jp.DesignError, match="needs the units one by one"):
        jp.did.LocalProjections().fit(summed)
    estimate = jp.did.CallawaySantAnna().fit(summed)
    assert estimate.with_inference(jp.inference.InfluenceFunction()).se == pytest.approx(
        estimate.se, rel=1e-12
    )
    for method in (jp.inference.PlaceboUnits(), jp.inference.MultiplierBootstrap()):
        with pytest.raises(jp.InferenceError, match="one by one"):
            estimate.with_inference(method)


def test_sensitivity_is_that_of_the_whole_table_or_refused(tmp_path: Path) -> None:
    whole, summed = both(panel(), tmp_path)
    one, other = (jp.sensitivity.bacon_decomposition(each) for each in (whole, summed))
    np.testing.assert_allclose(other["estimate"], one["estimate"], rtol=1e-10)
    np.testing.assert_allclose(other["weight"], one["weight"], rtol=1e-10)
    fits = [jp.did.CallawaySantAnna(base="universal").fit(each) for each in (whole, summed)]
    one, other = (jp.sensitivity.honest_did(fit).table for fit in fits)
    np.testing.assert_allclose(other[["lower", "upper"]], one[["lower", "upper"]], rtol=1e-6)
    for refused in (
        lambda: jp.sensitivity.leave_one_out(fits[1]),
        lambda: jp.sensitivity.minimum_detectable_effect(fits[1]),
        lambda: jp.sensitivity.pretrend_rms(fits[1], 1.0),
    ):
        with pytest.raises(jp.DesignError, match="one by one"):
            refused()


def test_files_that_are_absent_or_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("unit,period\n")
    for name in ("text.parquet", "nowhere.parquet"):
        with pytest.raises(jp.DataError, match="cannot read"):
            jp.Design.from_parquet(tmp_path / name, **COLUMNS)


def test_damaged_files_end_in_an_error_of_the_package(tmp_path: Path) -> None:
    path = tmp_path / "panel.parquet"
    panel().to_parquet(path)
    sound = path.read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(40):
        damaged = bytearray(sound)
        for place in rng.integers(len(sound), size=4):
            damaged[place] = int(rng.integers(256))
        path.write_bytes(
            damaged[: len(damaged) if rng.random() < 0.7 else rng.integers(len(sound))]
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                jp.Design.from_parquet(path, batch=500, **COLUMNS)
            except jp.JJJPolicyError:
                refused += 1
    assert refused > 10


@pytest.mark.parametrize("option", [{"batch": 0}, {"memory": "plenty"}], ids=str)
def test_options_without_meaning_are_refused(option: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "panel.parquet"
    panel().to_parquet(path)
    with pytest.raises(jp.JJJPolicyError):
        jp.Design.from_parquet(path, **COLUMNS, **option)


def test_the_provenance_of_results_knows_the_files(tmp_path: Path) -> None:
    both(panel(), tmp_path)
    assert (tmp_path / "panel.parquet").resolve() in data_files_read()


def test_without_duckdb_the_message_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("jjjpolicy._extras.import_module", absent)
    with pytest.raises(jp.DataError, match=r"jjjpolicy\[firms\]"):
        jp.Design.from_parquet(tmp_path / "x.parquet", **COLUMNS)
