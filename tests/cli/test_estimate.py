"""The command line on one's own data: every format, every error without a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import jjjpolicy as jp
from jjjpolicy.cli import app
from jjjpolicy.design.intake.files import read_table
from jjjpolicy.errors import DataError, DesignError, JJJPolicyError
from jjjpolicy.replication.provenance.specification import estimators, inferences, make_from_texts
from jjjpolicy.report.tables.spreadsheet import escape, write_csv

COLUMNS = ["--unit", "unit", "--time", "year", "--outcome", "y", "--treatment", "d"]


def simulated() -> pd.DataFrame:
    """Simulated: 24 units, one treated from 2005."""
    rng = np.random.default_rng(3)
    rows = [
        {"unit": f"u{u}", "year": t, "y": rng.normal() + u, "d": int(u == 0 and t >= 2005)}
        for u in range(24)
        for t in range(2000, 2008)
    ]
    return pd.DataFrame(rows)


def written(frame: pd.DataFrame, path: Path) -> Path:
    """The table in the format that the extension names."""
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".tsv":
        frame.to_csv(path, index=False, sep="\t")
    elif path.suffix == ".dta":
        frame.to_stata(path, write_index=False)
    elif path.suffix == ".xlsx":
        pytest.importorskip("openpyxl", reason="needs the extra 'firms'")
        frame.to_excel(path, index=False)
    else:
        pytest.importorskip("pyarrow", reason="needs the extra 'firms'")
        frame.to_parquet(path)
    return path


@pytest.mark.parametrize("suffix", ["csv", "tsv", "dta", "xlsx", "parquet"])
def test_every_format_gives_the_same_table(suffix: str, tmp_path: Path) -> None:
    frame = simulated()
    read = read_table(written(frame, tmp_path / f"mine.{suffix}"))
    pd.testing.assert_frame_equal(read, frame, check_dtype=False, check_exact=False)


def test_estimate_prints_the_summary_and_writes_table_figure_and_numbers(tmp_path: Path) -> None:
    frame = simulated().replace({"unit": {"u0": "=cmd|' /C calc'!A0"}})
    data = written(frame, tmp_path / "mine.csv")
    chosen = ["--method", "synthetic-did", "--inference", "placebo_units"]
    more = ["--inference-option", "seed=4", "--output", str(tmp_path / "out")]
    arguments = ["estimate", "--data", str(data), *COLUMNS, *chosen, *more]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "SyntheticDiD" in result.stdout or "Synthetic" in result.stdout
    design = jp.Design.from_frame(frame, unit="unit", time="year", outcome="y", treatment="d")
    direct = jp.synth.SyntheticDiD().fit(design)
    content = json.loads((tmp_path / "out/estimate.json").read_text())
    assert content["numbers"]["att"] == pytest.approx(direct.att, rel=1e-7)
    assert content["provenance"]["inference"]["seed"] == 4
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"estimate.en.tex", "estimate.zh.html", "estimate.en.svg", "effects.csv"} <= names
    assert "'=cmd" in (tmp_path / "out/unit_effects.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--method", "SyntheticDid2"], "unknown estimator 'SyntheticDid2'. Did you mean"),
        (["--inference", "Placebos"], "unknown inference method"),
        (["--option", "nothing=1"], "unknown option of TwoWayFixedEffects"),
        (["--option", "nothing"], "write key=value"),
        (["--inference-option", "seed=1"], "needs --inference"),
        (["--outcome", "z"], "'z'"),
        (["--exclude", "u99"], "--exclude 'u99' is no unit"),
        (["--data", "absent.csv"], "there is no file 'absent.csv'"),
        (["--language", "fr"], "choose en or zh"),
    ],
)
def test_wrong_arguments_are_named(changed: list[str], message: str, tmp_path: Path) -> None:
    data = written(simulated(), tmp_path / "mine.csv")
    arguments = ["estimate", "--data", str(data), *COLUMNS, *changed]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, JJJPolicyError)
    assert message in str(result.exception)


def test_units_that_are_numbers_can_be_left_out(tmp_path: Path) -> None:
    frame = simulated()
    frame["unit"] = frame["unit"].str[1:].astype(int)
    data = written(frame, tmp_path / "mine.csv")
    arguments = ["estimate", "--data", str(data), *COLUMNS, "--exclude", "5"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert "23 units" in result.stdout


def test_a_window_is_given_by_the_names_of_periods(tmp_path: Path) -> None:
    frame = simulated()
    quarters = pd.period_range("2019Q1", periods=8, freq="Q")
    frame["year"] = [str(quarters[year - 2000]) for year in frame["year"]]  # treated from 2020Q2
    data = written(frame, tmp_path / "mine.csv")
    arguments = ["estimate", "--data", str(data), *COLUMNS, "--window"]
    result = CliRunner().invoke(app, [*arguments, "2019Q2", "2020Q4"], catch_exceptions=False)
    assert "24 units × 7 periods (2019Q2–2020Q4)" in result.stdout
    assert "first treated in 2020Q2" in result.stdout
    refused = CliRunner().invoke(app, [*arguments, "2019Q2", "autumn"])
    assert isinstance(refused.exception, DesignError)
    assert "'autumn'" in str(refused.exception)
    assert "2019Q1" in str(refused.exception)


def test_options_are_read_as_the_method_means_them() -> None:
    made = make_from_texts("inference", inferences(), "WildClusterBootstrap", {"variant": "11"})
    assert made.variant == "11"
    options = {"control": "not_yet", "anticipation": "1"}
    did = make_from_texts("estimator", estimators(), "callaway-sant-anna", options)
    assert (did.control, did.anticipation) == ("not_yet", 1)
    options = {"predictor_weights": "NestedSearch(periods=(2001, 2002))"}
    synthetic = make_from_texts("estimator", estimators(), "SyntheticControl", options)
    assert synthetic.predictor_weights == jp.synth.NestedSearch(periods=(2001, 2002))


@settings(max_examples=60)
@given(
    suffix=st.sampled_from([".csv", ".tsv", ".parquet", ".dta", ".xlsx"]),
    content=st.binary(max_size=400)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
)
def test_malformed_files_end_in_an_error_that_names_the_file(
    suffix: str, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzz{suffix}"
    path.write_bytes(content)
    message = path.name
    try:
        read_table(path)
    except DataError as error:
        message = str(error)
    assert path.name in message


@settings(max_examples=40)
@given(where=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), cut=st.booleans())
@pytest.mark.parametrize("suffix", ["csv", "parquet", "dta", "xlsx"])
def test_damaged_files_never_end_in_another_error(
    suffix: str, where: float, byte: int, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sound = tmp_path_factory.getbasetemp() / f"sound.{suffix}"
    if not sound.exists():
        written(simulated(), sound)
    content = bytearray(sound.read_bytes())
    position = int(where * len(content))
    damaged = content[:position] if cut else content
    if not cut:
        damaged[position] = byte
    path = sound.with_name(f"damaged.{suffix}")
    path.write_bytes(damaged)
    with suppress(JJJPolicyError):
        frame = read_table(path)
        design = jp.Design.from_frame(frame, unit="unit", time="year", outcome="y", treatment="d")
        jp.did.TwoWayFixedEffects().fit(design)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_text("a,b,a\n1,2,3\n")
    with pytest.raises(DataError, match="two columns are named 'a'"):
        read_table(path)


def test_chinese_csv_files_are_read_in_both_encodings(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "gb18030"):
        path = tmp_path / f"{encoding}.csv"
        path.write_text("地区,年份\n北京市,2015\n", encoding=encoding)
        assert list(read_table(path)["地区"]) == ["北京市"]


@pytest.mark.parametrize("label", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1"])
def test_spreadsheets_do_not_run_labels(label: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({label: [1.5, -2.0], "name": [label, "50% & 北京 😀 <script>"]})
    write_csv(frame, tmp_path / "x.csv")
    back = pd.read_csv(tmp_path / "x.csv", encoding="utf-8-sig")
    assert list(back.columns) == [f"'{label}", "name"]
    assert list(back["name"]) == [f"'{label}", "50% & 北京 😀 <script>"]
    assert list(back.iloc[:, 0]) == [1.5, -2.0]
    assert escape(-2.0) == -2.0


def test_commands_say_each_warning_once_and_without_its_place(tmp_path: Path) -> None:
    frame = simulated()
    frame.loc[frame["unit"] == "u0", "y"] += 500
    path = written(frame, tmp_path / "far.csv")
    command = [sys.executable, "-m", "jjjpolicy", "estimate", "--data", str(path), *COLUMNS]
    command += ["--method", "SyntheticControl", "--inference", "PlaceboUnits"]
    environment = {**os.environ, "PYTHONPATH": str(Path(jp.__file__).parents[1])}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    notes = [line for line in done.stderr.splitlines() if line.startswith("Note: ")]
    assert len([note for note in notes if "unit 'u0' lies far outside" in note]) == 1
    assert len(notes) == len(set(notes))
    assert "Warning" not in done.stderr
    assert ".py" not in done.stderr


def test_advice_on_a_file_comes_in_both_languages_and_from_the_file_itself(tmp_path: Path) -> None:
    data = written(simulated(), tmp_path / "mine.csv")
    arguments = ["advise", "--data", str(data), *COLUMNS]
    plain = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert plain.stdout.startswith("Before estimating y\n")
    design = jp.Design.from_frame(
        jp.read_table(data), unit="unit", time="year", outcome="y", treatment="d"
    )
    assert plain.stdout == jp.advise(design).summary() + "\n"
    more = ["--calibrate", "--replications", "2", "--language", "zh"]
    own = CliRunner().invoke(app, [*arguments, *more], catch_exceptions=False)
    assert "模拟伪政策" in own.stdout
    wrong = CliRunner().invoke(app, [*arguments, "--language", "fr"])
    assert "choose en or zh" in str(wrong.exception)
