"""What commands print, their exit codes, and that errors come without tracebacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jjjpolicy.cli import app
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.skeleton import write_skeleton

SOURCE = str(Path(__file__).resolve().parents[2] / "src")


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """``python -m jjjpolicy`` in a folder."""
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    return subprocess.run(
        [sys.executable, "-m", "jjjpolicy", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    [
        "reproduce",
        "verify",
        "trace",
        "diff",
        "estimate",
        "methods",
        "calibrate",
        "new-study",
        "data show",
    ],
)
def test_help_has_an_example_and_exit_codes(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--help"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "xample" in result.stdout


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, jjjpolicy.cli; "
        "print([m for m in ('numpy', 'pandas', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_errors_have_no_traceback_unless_asked_for(tmp_path: Path) -> None:
    failed = run("trace", "a:b", folder=tmp_path)
    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: ")
    assert "not inside a study" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "Traceback" in run("--debug", "trace", "a:b", folder=tmp_path).stderr
    assert run("nonsense", folder=tmp_path).returncode == 2


def test_data_commands_list_show_and_check(tmp_path: Path) -> None:
    runner = CliRunner()
    listed = runner.invoke(app, ["data", "list", "provinces"], catch_exceptions=False).stdout
    assert "log(gdp)" in listed
    vintages = runner.invoke(app, ["data", "vintages"], catch_exceptions=False).stdout
    assert "before_2018_census" in vintages
    shown = ["data", "show", "provinces", "--variable", "gdp", "--vintage", "before_2018_census"]
    some = ["--region", "120000", "--years", "2018", "2018"]
    assert "18809.64" in runner.invoke(app, [*shown, *some], catch_exceptions=False).stdout
    path = tmp_path / "gdp.csv"
    runner.invoke(app, [*shown, *some, "--output", str(path)], catch_exceptions=False)
    assert "120000" in path.read_text(encoding="utf-8-sig")
    wrong = runner.invoke(app, [*shown, "--region", "12"])
    assert "--region '12'" in str(wrong.exception)
    assert "keep the rules" in runner.invoke(app, ["data", "check"], catch_exceptions=False).stdout


def test_methods_are_listed_with_their_options() -> None:
    text = CliRunner().invoke(app, ["methods"], catch_exceptions=False).stdout
    assert "CallawaySantAnna" in text
    assert "PlaceboUnits" in text
    assert "anticipation=0" in text


def test_verify_trace_and_diff_report_by_exit_code_and_json(
    copy: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy.root)
    runner = CliRunner()
    (copy.output / "results/other.json").write_text('{"seven": 8}')
    result = runner.invoke(app, ["verify", "other", "--json"], catch_exceptions=False)
    assert result.exit_code == 3
    content = json.loads(result.stdout)
    assert not content["same"]
    assert content["differences"][-1]["cause"] == "edited by hand"
    printed = runner.invoke(app, ["verify", "other"], catch_exceptions=False)
    assert printed.exit_code == 3
    assert "edited by hand" in printed.stdout
    tree = runner.invoke(app, ["trace", "effect:did/att"], catch_exceptions=False)
    assert "TwoWayFixedEffects" in tree.stdout
    as_json = runner.invoke(app, ["trace", "effect:did/att", "--json"], catch_exceptions=False)
    assert json.loads(as_json.stdout)["text"].startswith("effect:did/att")
    same = runner.invoke(app, ["diff", "paper", "paper"], catch_exceptions=False)
    assert same.exit_code == 0
    assert "0 changed" in same.stdout


def test_a_new_study_reproduces_verifies_and_passes_its_test(tmp_path: Path) -> None:
    pytest.importorskip("pytask", reason="needs the extra 'paper'")
    made = run("new-study", "tax-holiday", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    study = tmp_path / "tax-holiday"
    reproduced = run("reproduce", folder=study)
    assert reproduced.returncode == 0, reproduced.stderr
    assert (study / "paper/paper.pdf").is_file()
    verified = run("verify", folder=study)
    assert verified.returncode == 0, verified.stdout
    traced = run("trace", "effect:sdid/att", folder=study)
    assert "data/simulated.csv sha256" in traced.stdout
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests"],
        cwd=study,
        env={**os.environ, "PYTHONPATH": SOURCE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert tests.returncode == 0, tests.stdout


@pytest.mark.parametrize("name", ["../up", "a b", "", "-x", "=cmd"])
def test_a_new_study_needs_a_sound_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    result = CliRunner().invoke(app, ["new-study", "--", name])
    assert result.exit_code == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["inside"]


def test_a_new_study_does_not_overwrite(tmp_path: Path) -> None:
    write_skeleton(tmp_path, "here")
    with pytest.raises(Exception, match="exists"):
        write_skeleton(tmp_path, "here")


def test_calibrate_prints_and_writes_rejection_rates(tmp_path: Path) -> None:
    arguments = ["--outcome", "log_gdp", "--treated", "1", "--draws", "2", "--jobs", "1"]
    arguments += ["--estimator", "TwoWayFixedEffects", "--estimator", "SyntheticDiD"]
    arguments += ["--inference", "Clustered CRV1", "--inference", "PlaceboUnits"]
    result = CliRunner().invoke(
        app, ["calibrate", *arguments, "--output", str(tmp_path)], catch_exceptions=False
    )
    assert result.exit_code == 0
    assert "Rejects at 5%" in result.output
    assert (tmp_path / "size.csv").read_text(encoding="utf-8").count("log_gdp") == 2 * 2 * 2
