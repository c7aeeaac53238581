"""Diff says which estimates moved, by how much, and which conclusions changed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import jjjpolicy as jp
from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.settle import settle
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.comparison.movement import estimates_in, movement
from jjjpolicy.replication.diff import diff, diff_folders, diff_vintages


def test_moves_are_in_standard_errors_and_shares_of_the_interval() -> None:
    before = {"att": 0.2, "se": 0.1, "pvalue": 0.04, "interval/low": 0.0, "interval/high": 0.4}
    after = {"att": -0.1, "se": 0.1, "pvalue": 0.3, "interval/low": -0.3, "interval/high": 0.1}
    found = movement("effect", before, after)
    assert found is not None
    assert found.standard_errors == pytest.approx(-3)
    assert found.interval_share == pytest.approx(-0.75)
    assert found.sign_changed
    assert found.significance == ("pvalue 0.040 → 0.300",)
    assert movement("effect", before, dict(before)) is None


def test_no_conclusion_changes_with_a_move_on_one_side_of_zero_and_of_5_per_cent() -> None:
    found = movement("e", {"att": 0.2, "pvalue": 0.04}, {"att": 0.3, "pvalue": 0.01})
    assert found is not None
    assert not found.changes_a_conclusion
    assert found.standard_errors is None


def test_estimates_are_found_at_any_depth_and_inside_each_other() -> None:
    content = {"att": 1.0, "clustered": {"se": 1, "pvalue": 0.2}, "x": {"y": {"att": 2.0}}, "n": 3}
    found = dict(estimates_in("r", content))
    assert set(found) == {"r", "r:clustered"}
    assert found["r"] == {"att": 1.0, "x/y/att": 2.0, "n": 3}
    assert set(dict(estimates_in("r", {"x": {"y": {"att": 2.0}}, "n": 1}))) == {"r:x/y"}


def test_folders_are_compared_estimates_apart_from_other_numbers(
    finished: Study, tmp_path: Path
) -> None:
    assert diff_folders(finished.output, finished.output).same
    shutil.copytree(finished.output, tmp_path / "paper")
    (tmp_path / "paper/results/other.json").write_text('{"seven": 8}')
    (tmp_path / "paper/results/new.json").write_text('{"a": {"att": 1}}')
    found = diff(finished, str(finished.output), str(tmp_path))
    assert [(c.path, c.before, c.after) for c in found.other] == [("other:seven", 7, 8)]
    assert found.added == ["new:a"]
    assert found.compared == 1


def test_commits_are_compared_and_inputs_named(copy: Study) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.hooksPath=")
        subprocess.run(["git", *who, *arguments], cwd=copy.root, check=True, capture_output=True)

    git("init", "--quiet")
    git("add", "paper")
    git("commit", "--quiet", "--message", "first")
    path = copy.output / "results/effect.json"
    content = json.loads(path.read_text())
    content["did"]["att"] *= -1
    path.write_text(json.dumps(content))
    sidecar = copy.output / "provenance/numbers-effect.json"
    described = json.loads(sidecar.read_text())
    described["inputs"]["data/numbers.csv"] = "another"
    sidecar.write_text(json.dumps(described))
    found = diff(copy, "HEAD")
    assert [moved.name for moved in found.moved] == ["effect:did"]
    assert found.moved[0].sign_changed
    assert found.reasons == ["data: data/numbers.csv changed"]
    with pytest.raises(DataError, match="no commit"):
        diff(copy, "--output=x", "HEAD")


def test_a_vintage_against_something_else_names_what_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'nbs_2024' is a vintage and 'main' is none; there are"):
        diff(Study(tmp_path), "main", "nbs_2024")


def test_vintages_are_compared_over_common_years_and_known_revisions_show(tmp_path: Path) -> None:
    """The census revision took 29% off Tianjin's product of 2018: its estimate falls."""
    design = jp.Design.from_policy(
        jp.load("provinces", vintage="nbs_2024"),
        jp.policies["tax-sharing-2015"],
        outcome="log_gdp",
        window=(2010, 2019),
        exclude=["110000", "130000"],
    )
    estimate = jp.did.TwoWayFixedEffects().fit(design)
    study = Study(tmp_path)
    for folder in ("analysis", "paper/provenance"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "analysis/one.py").write_text('MAKES = ("numbers:one",)\n')
    own = {**settle(estimate.provenance), "data": {"units": 3}}
    unknown = settle(estimate.provenance)
    del unknown["data"]["exclude"]
    estimates = {"did": settle(estimate.provenance), "own": own, "old": unknown}
    (tmp_path / "paper/provenance/numbers-one.json").write_text(
        json.dumps({"estimates": estimates})
    )
    found = diff_vintages(study, "before_2018_census", "after_2018_census", jobs=1)
    (moved,) = found.moved
    assert moved.name == "one:did"
    assert moved.before is not None
    assert moved.after is not None
    assert moved.after < moved.before - 0.05
    assert found.impossible == {"one:old": "its provenance does not record exclude"}
    panel = jp.load("provinces", vintage="before_2018_census")
    direct = jp.Design.from_policy(
        panel,
        jp.policies["tax-sharing-2015"],
        outcome="log_gdp",
        window=(2010, 2018),
        exclude=["110000", "130000"],
    )
    assert moved.before == pytest.approx(jp.did.TwoWayFixedEffects().fit(direct).att, rel=1e-6)
