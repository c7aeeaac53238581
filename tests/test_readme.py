"""What the README and the pages of docs promise can be typed as it stands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from panels import simulated_panel

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh.md").read_text(encoding="utf-8")


def python_blocks(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def test_the_lines_of_the_readme_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = simulated_panel(units=12, periods=8, adoption={0: 2005})
    names = {"unit": "state", "period": "year", "y": "packs"}
    frame.rename(columns=names).to_csv(tmp_path / "my_panel.csv", index=False)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    for block in python_blocks(README):
        exec(compile(block, "README.md", "exec"), namespace)
    assert "smallest attainable" in capsys.readouterr().out
    design = namespace["design"]
    assert design.units[design.treated].tolist() == ["110000", "120000", "130000"]


@pytest.mark.parametrize("text", [README, CHINESE], ids=["en", "zh"])
def test_links_of_the_readme_lead_to_files(text: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("https:"):
            assert (ROOT / target).exists(), target


def test_the_chinese_readme_has_the_same_code_and_commands() -> None:
    assert python_blocks(CHINESE) == python_blocks(README)
    for named in (r"^\| `(jjjpolicy [^`]+)`", r"^(make \w+)"):
        commands = re.findall(named, README, re.M)
        assert commands
        assert re.findall(named, CHINESE, re.M) == commands


def test_the_map_of_the_readme_is_that_of_the_scripts() -> None:
    from jjjpolicy.replication.artefacts.study import Study

    listed = re.findall(r"\]\((analysis/\w+\.py)\)", README)
    made = {f"analysis/{script.path.name}" for script in Study(ROOT).scripts}
    assert listed
    assert set(listed) <= made
    assert re.findall(r"\]\((analysis/\w+\.py)\)", CHINESE) == listed


def test_version_and_citation_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {project['version']}\n" in citation
