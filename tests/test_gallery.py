"""The pages of the gallery find what their tables say, and what was published."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import reference
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
def check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Path], None]:
    """Run a page where its data lie, and compare its numbers with its table."""
    pytest.importorskip("matplotlib").use("agg")
    monkeypatch.chdir(tmp_path)

    def check(page: Path) -> None:
        for file in re.findall(r'read_table\("([^"]+)"\)', page.read_text(encoding="utf-8")):
            case = next(case for case, each in reference.files().items() if each["name"] == file)
            path = reference.path_of(case)
            assert path is not None
            (tmp_path / file).symlink_to(path)
        names = run(python_blocks(page), page.name)
        table = rows(page)
        assert table
        for name, (_, printed) in table.items():
            value, tolerance = number(printed)
            assert names["ours"][name] == pytest.approx(value, abs=1.001 * tolerance), name
        assert names["figure"].axes

    return check


@pytest.mark.parametrize("page", ["castle", "medicaid", "organ-donations", "texas"])
def test_a_page_finds_the_numbers_of_its_table(page: str, check: Callable[[Path], None]) -> None:
    pytest.importorskip("causaldata", reason="the data come with causaldata")
    check(DOCS / "gallery" / f"{page}.md")


def test_the_page_on_california_finds_its_numbers(
    prop99_data: pd.DataFrame, check: Callable[[Path], None]
) -> None:
    check(DOCS / "gallery" / "prop99.md")


def test_the_page_on_the_basque_country_finds_its_numbers(
    basque_data: pd.DataFrame, check: Callable[[Path], None]
) -> None:
    check(DOCS / "gallery" / "basque.md")


@pytest.mark.filterwarnings("ignore::jjjpolicy.errors.JJJPolicyWarning")
def test_the_page_on_germany_finds_its_numbers(
    germany_data: pd.DataFrame, check: Callable[[Path], None]
) -> None:
    check(DOCS / "gallery" / "germany.md")


def test_the_page_on_minimum_wages_finds_its_numbers(
    mpdta_data: pd.DataFrame, check: Callable[[Path], None]
) -> None:
    check(DOCS / "gallery" / "minimum-wage.md")


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
