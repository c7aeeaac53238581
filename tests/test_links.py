"""Links of the documentation lead somewhere, and its words are spelled right."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from links import ROOT, Link, anchors, links, pages


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_within_lead_to_files_and_headings(page: Path) -> None:
    faults = {link.target: link.fault() for link in links(page) if not link.outside}
    assert {target: fault for target, fault in faults.items() if fault} == {}


def test_a_link_that_leads_nowhere_is_found() -> None:
    page = ROOT / "docs" / "tutorial.md"
    assert Link(page, "how-to/few-treated.md").fault() == ""
    assert Link(page, "how-to/many-treated.md").fault() == "no docs/how-to/many-treated.md"
    assert Link(page, "#a-table").fault() == ""
    assert Link(page, "#a-chair").fault() == "no heading #a-chair in docs/tutorial.md"
    assert Link(page, "https://example.org").outside


def test_anchors_are_those_of_github() -> None:
    text = "# A panel, larger than `memory`\n```sh\n# no heading\n```\n## 数据 (data)\n"
    assert anchors(text) == {"a-panel-larger-than-memory", "数据-data"}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_bold_chinese_is_not_left_with_its_asterisks(page: Path) -> None:
    """CommonMark closes bold after punctuation only before a space or more punctuation."""
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"\*\*[^*\n]*[，。：；？！）]\*\*(?=[一-鿿])", text) == []


def test_the_words_of_the_documentation_are_spelled_right() -> None:
    if find_spec("codespell_lib") is None:
        pytest.skip("needs codespell: pip install codespell")
    files = [page.relative_to(ROOT).as_posix() for page in pages()]
    done = subprocess.run(
        [sys.executable, "-m", "codespell_lib", *files, "paper/paper.md", "src", "analysis"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stdout == ""
    assert done.returncode == 0, done.stderr
