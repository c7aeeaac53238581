"""The task graph: what runs, what does not, what is left after a failure."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pytask", reason="needs the extra 'paper'")

from replication.small_study import write_study

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.artefacts import OUTPUT_VARIABLE, Artefacts
from jjjpolicy.replication.artefacts.overview import markdown
from jjjpolicy.replication.artefacts.settle import settle
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.graph import TaskError, plan, reproduce, run_script

SOURCE = str(Path(__file__).resolve().parents[2] / "src")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study that has been reproduced once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", SOURCE)
        study = Study(write_study(tmp_path_factory.mktemp("study") / "here"))
        assert set(reproduce(study)) == {"effect", "other", "paper-en", "map", "browser"}
    return study


@pytest.fixture
def study(built: Study, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setenv("PYTHONPATH", SOURCE)
    return built


def test_a_second_run_does_nothing_and_a_changed_script_reruns_what_depends_on_it(
    study: Study,
) -> None:
    assert reproduce(study) == []
    script = study.root / "analysis" / "other.py"
    script.write_text(script.read_text(encoding="utf-8").replace(": 7", ": 8"), encoding="utf-8")
    assert set(reproduce(study)) == {"other", "paper-en", "map", "browser"}
    assert json.loads((study.output / "results/other.json").read_text()) == {"seven": 8}
    assert reproduce(study) == []


def test_a_script_depends_on_the_modules_that_it_imports(study: Study) -> None:
    effect, other = study.select(["effect"])[0], study.select(["other"])[0]
    shared = study.root / "analysis/shared.py"
    assert shared in study.inputs_of(effect)
    assert shared not in study.inputs_of(other)


@pytest.mark.parametrize(
    ("file", "rerun"),
    [
        ("data/numbers.csv", {"effect", "other"}),
        ("analysis/shared.py", {"effect"}),
        ("paper/paper.md", {"paper-en", "map", "browser"}),
        ("paper/results/other.json", {"other"}),
        ("paper/provenance/table-effect.json", {"effect"}),
    ],
)
def test_a_changed_file_makes_those_out_of_date_that_need_or_made_it(
    study: Study, file: str, rerun: set[str]
) -> None:
    reproduce(study)
    path = study.root / file
    before = path.read_bytes()
    path.write_bytes(before + b"\n")
    ran = set(reproduce(study))
    path.write_bytes(before)
    reproduce(study)
    assert rerun <= ran
    assert reproduce(study) == []


def test_a_missing_file_is_made_again(study: Study) -> None:
    reproduce(study)
    for file in ("results/other.json", "browser/index.html", "paper.tex"):
        (study.output / file).unlink()
    assert {"other", "browser", "paper-en"} <= set(reproduce(study))
    assert (study.output / "results/other.json").is_file()
    assert (study.output / "browser/index.html").is_file()


def test_long_scripts_begin_first_and_a_script_never_run_counts_as_short(study: Study) -> None:
    reproduce(study)
    sidecar = study.output / "provenance/numbers-other.json"
    text = sidecar.read_text(encoding="utf-8")
    content = json.loads(text)
    content["made"]["seconds"] = 100.0
    sidecar.write_text(json.dumps(content), encoding="utf-8")
    long = {step.name: step.long for step in plan(study, [])}
    sidecar.unlink()
    unknown = {step.name: step.long for step in plan(study, [])}
    sidecar.write_text(text, encoding="utf-8")
    assert [name for name, first in long.items() if first] == ["other"]
    assert not any(unknown.values())


def test_results_name_their_data_specification_versions_and_line(study: Study) -> None:
    sidecar = json.loads((study.output / "provenance/table-effect.json").read_text())
    source = (study.root / "analysis/effect.py").read_text(encoding="utf-8").splitlines()
    assert "artefacts.table(" in source[sidecar["line"] - 1]
    assert set(sidecar["inputs"]) == {"analysis/effect.py", "analysis/shared.py"}
    assert sidecar["estimates"]["did"]["estimator"] == {"name": "TwoWayFixedEffects"}
    assert sidecar["designs"][sidecar["estimates"]["did"]["data"]]["observations"] == 64
    assert {"jjjpolicy", "numpy", "pandas"} <= set(sidecar["versions"])
    assert "tables/effect.en.tex" in sidecar["files"]
    table = json.loads((study.output / "tables/effect.json").read_text())
    assert table["panels"][0]["rows"][0]["cells"][0]["source"] == "effect:did/att"


def test_making_the_same_again_changes_no_byte(study: Study) -> None:
    files = [path for path in study.output.rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    assert set(reproduce(study, force=True)) == {"effect", "other", "paper-en", "map", "browser"}
    assert {path: path.read_bytes() for path in files} == before


def test_artefacts_can_go_elsewhere(study: Study, tmp_path: Path) -> None:
    run_script(study.select(["other"])[0], {OUTPUT_VARIABLE: str(tmp_path)})
    assert (tmp_path / "results/other.json").is_file()
    assert not list(tmp_path.glob(".new-*"))


def test_the_map_leads_from_the_paper_to_scripts(study: Study) -> None:
    assert "[`analysis/effect.py`](analysis/effect.py)" in markdown(study)
    assert "A simulated effect" in (study.root / "README.md").read_text(encoding="utf-8")


def test_a_chinese_readme_has_the_map_in_chinese(study: Study, tmp_path: Path) -> None:
    copy = Study(Path(shutil.copytree(study.root, tmp_path / "study")))
    (step,) = (step for step in plan(copy, []) if step.name == "map")
    assert [made.paths for made in step.makes] == [(copy.root / "README.md",)]
    chinese = copy.root / "README.zh.md"
    chinese.write_text("前\n<!-- artefacts -->\n<!-- /artefacts -->\n后\n", encoding="utf-8")
    (step,) = (step for step in plan(copy, []) if step.name == "map")
    assert [made.paths for made in step.makes] == [(copy.root / "README.md", chinese)]
    english = (copy.root / "README.md").read_bytes()
    step.run()
    assert (copy.root / "README.md").read_bytes() == english
    assert chinese.read_text(encoding="utf-8") == (
        "前\n<!-- artefacts -->\n"
        "| 论文中的位置 | 内容 | 脚本 | 用时（秒） |\n|---|---|---|--:|\n"
        "| [表1](paper/tables/effect.zh.md) | 模拟数据的效应 "
        "| [`analysis/effect.py`](analysis/effect.py) | – |\n"
        "<!-- /artefacts -->\n后\n"
    )
    chinese.write_text("后\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"README\.zh\.md has no place for the map"):
        step.run()


def test_a_failing_script_is_named_with_what_it_said_and_leaves_old_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", SOURCE)
    study = Study(write_study(tmp_path / "study"))
    run_script(study.select(["other"])[0])
    kept = (study.output / "results/other.json").read_bytes()
    (study.root / "analysis/other.py").write_text(
        'MAKES = ("numbers:other",)\nraise ValueError("the reason")\n'
    )
    with pytest.raises(TaskError, match=r"(?s)analysis/other\.py failed.*the reason"):
        reproduce(study, ["other"])
    assert (study.output / "results/other.json").read_bytes() == kept


def test_a_script_must_make_what_it_announces(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study")
    script = study / "analysis/other.py"
    with pytest.raises(DataError, match=r"other\.py.*numbers:missing"):  # noqa: SIM117
        with Artefacts(script, ("numbers:other", "numbers:missing")) as artefacts:
            artefacts.numbers("other", {"seven": 7})


def test_two_scripts_may_not_make_the_same(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study")
    (study / "analysis/twin.py").write_text('MAKES = ("numbers:other",)\n')
    with pytest.raises(DataError, match=r"numbers:other is made by other\.py and by twin\.py"):
        _ = Study(study).scripts


def test_unknown_names_are_answered_with_the_known_ones(study: Study) -> None:
    with pytest.raises(DataError, match="'efect'.*table:effect"):
        study.select(["efect"])
    with pytest.raises(DataError, match="not inside a study"):
        Study.find(Path("/"))


def test_the_command_line_says_when_there_is_nothing_to_do(study: Study) -> None:
    reproduce(study)
    command = [sys.executable, "-m", "jjjpolicy", "reproduce"]
    result = subprocess.run(
        command, cwd=study.root, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert result.returncode == 0
    assert "up to date" in result.stdout
    failed = subprocess.run(
        [*command, "nothing"],
        cwd=study.root,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert failed.returncode == 1
    assert "no artefact or script 'nothing'" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_settled_numbers_forget_the_last_bits() -> None:
    assert settle(0.1 + 0.2) == settle(0.3) == 0.3
    assert settle(float("nan")) is None
    assert settle({"a": (1, 2.0, "x")}) == {"a": [1, 2.0, "x"]}
