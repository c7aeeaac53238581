"""Commands speak Chinese where they are asked to, or where the locale is Chinese."""

from __future__ import annotations

import os
import re
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from panels import simulated_panel

from jjjpolicy.cli import app
from jjjpolicy.cli.chinese import CHINESE
from jjjpolicy.cli.language import language_of, say, speak, translated

SOURCE = Path(__file__).resolve().parents[2] / "src"


def run(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """``python -m jjjpolicy`` in a folder and a locale."""
    quiet = dict.fromkeys(("LC_ALL", "LC_MESSAGES", "LANG"), "")
    usual = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    return subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "jjjpolicy", *arguments],
        cwd=folder,
        env={**usual, **quiet, "PYTHONPATH": str(SOURCE), "COLUMNS": "80"} | environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def chinese() -> Iterator[None]:
    speak("zh")
    yield
    speak("en")


def helps(command: Any) -> Iterator[str]:
    """Paragraphs of help of a command and of those below it."""
    texts = [command.help, command.epilog, *(getattr(p, "help", None) for p in command.params)]
    for text in filter(None, texts):
        yield from (" ".join(part.split()) for part in text.split("\n\n"))
    for below in getattr(command, "commands", {}).values():
        yield from helps(below)


@pytest.mark.parametrize(
    ("arguments", "locale", "language"),
    [
        ([], {}, "en"),
        ([], {"LANG": "zh_CN.UTF-8"}, "zh"),
        ([], {"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ([], {"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
        (["--language", "zh", "methods"], {}, "zh"),
        (["estimate", "--language=zh"], {"LANG": "en_GB"}, "zh"),
        (["--language", "zh", "estimate", "--language", "en"], {}, "en"),
        (["methods", "--language"], {}, "en"),
    ],
)
def test_the_language_is_that_asked_for_or_that_of_the_locale(
    arguments: list[str], locale: dict[str, str], language: str
) -> None:
    assert language_of(arguments, locale) == language


def test_every_help_has_chinese() -> None:
    found = set(helps(typer.main.get_command(app)))
    found = {text for text in found if not text.startswith(("Example", "jjjpolicy "))}
    assert found - CHINESE.keys() == set()


def test_everything_said_has_chinese() -> None:
    code = "".join(path.read_text("utf-8") for path in (SOURCE / "jjjpolicy" / "cli").glob("*.py"))
    said = re.findall(r'say\(\s*((?:"[^"]*"\s*)+)', code)
    assert said
    for text in said:
        assert "".join(re.findall(r'"([^"]*)"', text)) in CHINESE


def test_translations_keep_the_names_of_values() -> None:
    def names(text: str) -> list[str]:
        return sorted(str(name) for _, name, _, _ in string.Formatter().parse(text) if name)

    for english, words in CHINESE.items():
        assert names(words) == names(english)
        assert re.search("[一-鿿]", words) or english.isascii()


def test_examples_and_what_has_no_chinese_stay(chinese: None) -> None:
    assert translated("Example: jjjpolicy methods") == "示例：jjjpolicy methods"
    assert translated("Print\n  JSON.\n\nNobody translated this.") == (
        "输出 JSON。\n\nNobody translated this."
    )
    assert say("Note: {note}", note="{x}") == "注意：{x}"


def test_help_is_chinese_and_not_cut_off(tmp_path: Path) -> None:
    help = run("estimate", "--help", folder=tmp_path, LANG="zh_CN.UTF-8").stdout
    assert "选项" in help
    assert "处理变量所在的列" in help
    assert "…" not in help
    assert "Column of" not in help
    assert run("--language", "zh", "--help", folder=tmp_path).stdout.count("…") == 0


def test_an_estimate_is_announced_in_chinese(tmp_path: Path) -> None:
    frame = simulated_panel(units=8, periods=8, adoption={0: 2005})
    frame.to_csv(tmp_path / "mine.csv", index=False)
    columns = ["--unit", "unit", "--time", "period", "--outcome", "y", "--treatment", "treated"]
    done = run(
        "--language", "zh", "estimate", "--data", "mine.csv", *columns, folder=tmp_path
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "注意：受处理的个体很少" in done.stdout
    missing = run("--language", "zh", "estimate", "--data", "no.csv", *columns, folder=tmp_path)
    assert missing.returncode == 1
    assert missing.stderr.startswith("错误：")


def test_another_language_is_refused(tmp_path: Path) -> None:
    refused = run("--language", "fr", "methods", folder=tmp_path)
    assert refused.returncode == 1
    assert "choose en or zh" in refused.stderr
