"""The pages of the gallery find what their tables say, and what was published."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from conftest import GOLD
from test_docs import DOCS, python_blocks, run

PAGES = [page for page in sorted((DOCS / "gallery").glob("*.md")) if page.stem != "index"]
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.M)


def rows(page: Path) -> dict[str, tuple[str, str]]:
    """Published number and ours, by what they are."""
    found = {name: (theirs, ours) for name, theirs, ours in ROW.findall(page.read_text("utf-8"))}
    return {name: pair for name, pair in found.items() if re.search(r"\d", pair[1])}


def number(printed: str) -> tuple[float, float]:
    """A printed number, and half a unit of its last digit."""
    text = printed.replace("\N{MINUS SIGN}", "-")
    return float(text), 0.5 * 10.0 ** -len(text.partition(".")[2])


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A page whose data are at hand, run where they lie."""
    page: Path = request.param
    pytest.importorskip("matplotlib").use("agg")
    text = page.read_text(encoding="utf-8")
    if "from causaldata" in text:
        pytest.importorskip("causaldata", reason="the data come with causaldata")
    monkeypatch.chdir(tmp_path)
    for file in re.findall(r'read_table\("([^"]+)"\)', text):
        source = GOLD / "data" / file
        if not source.is_file():
            pytest.skip(f"needs {file}; the page says where it is published")
        (tmp_path / file).symlink_to(source)
    return page


@pytest.mark.parametrize("data", PAGES, ids=lambda page: page.stem, indirect=True)
@pytest.mark.filterwarnings("ignore::jjjpolicy.errors.JJJPolicyWarning")
def test_a_page_finds_the_numbers_of_its_table(data: Path) -> None:
    names: dict[str, Any] = run(python_blocks(data), data.name)
    table = rows(data)
    assert table
    for name, (_, printed) in table.items():
        value, tolerance = number(printed)
        assert names["ours"][name] == pytest.approx(value, abs=1.001 * tolerance), name
    assert names["figure"].axes


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_a_picture_and_says_whence_and_why(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert page.with_suffix(".png").stat().st_size > 5_000
    assert "**Data.**" in text
    assert re.search(r"\*\*(What differs|Why not the same to the last digit)\.\*\*", text)
    assert f"]({page.name})" in (page.parent / "index.md").read_text(encoding="utf-8")


def test_tables_of_pages_state_published_numbers() -> None:
    stated = [theirs for page in PAGES for theirs, _ in rows(page).values()]
    assert sum(bool(re.search(r"\d", theirs)) for theirs in stated) > 30
