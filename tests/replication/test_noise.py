"""Rounding noise changes no file, and nothing else is taken for noise."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replication.small_study import write_study

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts import overview
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.replication.artefacts.drawings import keep_drawings
from jjjpolicy.replication.artefacts.settle import without_noise
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.comparison import instruction_sets
from jjjpolicy.report.noise import NOISE

BORDER = 0.123456785
"""Halfway between two numbers of eight digits."""


def test_noise_beside_numbers_is_written_as_zero() -> None:
    found = without_noise({"region": 20734.2, "sum": 20734.2, "residual": -1.8e-12})
    assert found == {"region": 20734.2, "sum": 20734.2, "residual": 0.0}
    assert without_noise({"gaps": [0.3, -4e-17, 0.1]}) == {"gaps": [0.3, 0.0, 0.1]}


def test_small_numbers_that_are_no_noise_stay() -> None:
    alone = {"att": 1.5e-13}
    assert without_noise(alone) == alone
    beside = {"att": 20734.2, "clustered_pvalue": 3.1e-12, "assignments": 10**15, "share": 3e-5}
    assert without_noise(beside) == beside
    counts = {"rows": 10**15, "effect": 0.25}
    assert without_noise(counts) == counts


def test_a_number_on_a_border_stays_as_it_was_written() -> None:
    for written in (0.12345678, 0.12345679):
        for noise in (-1e-14, 0.0, 1e-14):
            assert without_noise({"a": BORDER + noise}, {"a": written}) == {"a": written}
    assert without_noise({"a": BORDER + 2e-11}, {"a": 0.12345678}) == {"a": 0.12345679}
    assert without_noise({"a": BORDER + 2e-11}, {"a": 0.1234567850001}) == {"a": 0.12345679}


def test_a_number_on_the_border_to_nothing_stays_as_it_was_written() -> None:
    above, below = NOISE * (1 + 1e-4), NOISE * (1 - 1e-4)
    assert without_noise({"a": 1.0, "b": above}, {"a": 1.0, "b": 0.0})["b"] == 0.0
    assert without_noise({"a": 1.0, "b": below}, {"a": 1.0, "b": 1.0001e-10})["b"] == 1.0001e-10
    assert without_noise({"a": 1.0, "b": below}, {"a": 1.0, "b": 2e-15})["b"] == 0.0


@given(
    number=st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6),
    change=st.floats(2e-8, 1.0),
    sign=st.sampled_from([-1, 1]),
)
def test_a_change_in_the_digits_written_is_never_hidden(
    number: float, change: float, sign: int
) -> None:
    before = without_noise({"att": number})
    after = without_noise({"att": number * (1 + sign * change)}, before)
    # Two roundings, of at most half a unit in the eighth digit each, stand between them.
    shown = abs(after["att"] - before["att"]) / abs(number)
    assert shown >= change - 1.1e-7
    if change > 1.2e-7:
        assert after != before


@given(number=st.floats(1e-6, 1e6), noise=st.floats(-1e-13, 1e-13))
def test_noise_changes_nothing(number: float, noise: float) -> None:
    before = without_noise({"att": number})
    assert without_noise({"att": number * (1 + noise)}, before) == before


def test_steps_below_the_tolerance_do_not_add_up() -> None:
    first = written = {"att": 0.12345678}
    for step in range(1, 2001):
        written = without_noise({"att": first["att"] + step * 5e-12}, written)
    assert written == {"att": 0.12345679}


def test_other_kinds_of_content_are_taken_as_they_are() -> None:
    content: dict[str, Any] = {"a": [1, "x", None, True], "b": {"c": float("inf")}}
    assert without_noise(content, {"a": 7, "b": [1.0]}) == {
        "a": [1, "x", None, True],
        "b": {"c": None},
    }
    assert without_noise({"a": [0.25, 1.0]}, {"a": [0.25]}) == {"a": [0.25, 1.0]}


def save(script: Path, number: float) -> str:
    """Save a number as a script would; its result file and provenance."""
    with Artefacts(script, ("numbers:other",)) as artefacts:
        numbers = artefacts.numbers("other", {"seven": number})
    assert json.loads((artefacts.output / "results/other.json").read_text()) == numbers.content
    return (artefacts.output / "provenance/numbers-other.json").read_text()


def test_noise_on_a_border_changes_neither_result_nor_provenance(tmp_path: Path) -> None:
    script = write_study(tmp_path / "study") / "analysis/other.py"
    result = tmp_path / "study/paper/results/other.json"
    provenance = save(script, BORDER - 1e-14)
    written = result.read_text()
    assert save(script, BORDER + 1e-14) == provenance
    assert result.read_text() == written
    assert save(script, BORDER + 1e-7) != provenance
    assert result.read_text() != written
    result.write_text("{")
    save(script, BORDER)


def pictures(folder: Path, y: float) -> Path:
    """A figure of a line in every format."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib.figure import Figure

    from jjjpolicy.report.figures.figure import save_figure

    figure = Figure(figsize=(3, 2))
    axes = figure.subplots()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.plot([0, 0.5, 1], [0.2, y, 0.3])
    folder.mkdir()
    save_figure(figure, folder / "line.en")
    (folder / "line.json").write_text("{}\n")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_figure_whose_lines_move_by_one_step_at_most_is_not_replaced(tmp_path: Path) -> None:
    committed = pictures(tmp_path / "committed", 0.61)
    axes_height = 2 * 72 * 0.77  # points
    by_a_step = pictures(tmp_path / "step", 0.61 + 1 / 1024 / axes_height)
    assert contents(by_a_step) != contents(committed)
    keep_drawings(by_a_step, committed)
    assert contents(by_a_step) == contents(committed)


def test_a_figure_that_shows_something_else_in_any_file_is_replaced(tmp_path: Path) -> None:
    committed = pictures(tmp_path / "committed", 0.61)
    moved = pictures(tmp_path / "moved", 0.615)
    before = contents(moved)
    keep_drawings(moved, committed)
    assert contents(moved) == before
    data = pictures(tmp_path / "data", 0.61)
    (data / "line.json").write_text('{"a": 1}\n')
    keep_drawings(data, committed)
    assert (data / "line.json").read_text() == '{"a": 1}\n'
    new = pictures(tmp_path / "new", 0.61)
    (committed / "line.en.pdf").unlink()
    keep_drawings(new, committed)
    assert "line.en.pdf" in contents(new)


def test_running_times_of_the_readme_change_only_when_asked_for(copy: Study) -> None:
    readme = copy.root / "README.md"
    assert f"| {overview.NOT_TIMED} |" in readme.read_text(encoding="utf-8")  # not measured yet
    overview.write_map(copy, timings=True)
    sidecar = copy.output / "provenance/table-effect.json"
    content = json.loads(sidecar.read_text())
    content["made"]["seconds"] = 77.0
    sidecar.write_text(json.dumps(content))
    before = readme.read_text(encoding="utf-8")
    assert "| 77 |" not in before
    overview.write_map(copy)
    assert readme.read_text(encoding="utf-8") == before
    overview.write_map(copy, timings=True)
    assert "| 77 |" in readme.read_text(encoding="utf-8")
    overview.write_map(copy)
    assert "| 77 |" in readme.read_text(encoding="utf-8")


def test_an_unknown_instruction_set_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DataError, match=r"'pentium'.*baseline.*haswell.*skylakex"):
        instruction_sets.environment("pentium")


def test_an_instruction_set_that_the_machine_lacks_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(instruction_sets, "_features", lambda: ({"X86_V3"}, ["X86_V3"]))
    with pytest.raises(DataError, match=r"no AVX512_SKX.*'skylakex'.*baseline, haswell"):
        instruction_sets.environment("skylakex")


def test_another_kind_of_processor_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(DataError, match="this machine is aarch64"):
        instruction_sets.environment("baseline")


def test_another_linear_algebra_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, "", "")

    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(subprocess, "run", silent)
    with pytest.raises(DataError, match="is not an OpenBLAS"):
        instruction_sets._probe("none", ())


def chosen_or_skipped(name: str) -> dict[str, str]:
    try:
        return instruction_sets.environment(name)
    except DataError as error:
        pytest.skip(str(error))


def test_under_the_baseline_numpy_and_openblas_do_with_less() -> None:
    variables = chosen_or_skipped("baseline")
    code = "import numpy as np; print(np.show_config(mode='dicts')['SIMD Extensions'].get('found'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables, "OPENBLAS_VERBOSE": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] in ("[]", "None")
    assert "Haswell" not in done.stdout + done.stderr


def test_verify_under_an_instruction_set_names_what_differs(
    copy: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jjjpolicy.replication.verify import verify

    chosen_or_skipped("baseline")
    result = verify(copy, instruction_set="baseline")
    assert result.same
    assert result.exact
    script = copy.root / "analysis/other.py"
    script.write_text(
        script.read_text().replace(
            "7}", "float(len(__import__('os').environ.get('NPY_DISABLE_CPU_FEATURES', ''))) or 7}"
        )
    )
    from jjjpolicy.replication.graph import reproduce

    reproduce(copy, ["other"])
    assert verify(copy, ["other"]).same
    if not instruction_sets.environment("baseline")["NPY_DISABLE_CPU_FEATURES"]:
        pytest.skip("NumPy uses nothing beyond its baseline here")
    (found,) = verify(copy, ["other"], instruction_set="baseline").differences
    assert (found.artefact, found.where) == ("numbers:other", "seven")
    assert found.cause == "instruction set: baseline"
