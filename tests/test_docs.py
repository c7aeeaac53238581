"""Everything that the documentation shows as Python runs as it stands."""

from __future__ import annotations

import doctest
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from joblib import parallel_config
from method_settings import names_for

from jjjpolicy import set_language

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
GUIDES = [
    DOCS / "index.md",
    DOCS / "tutorial.md",
    *sorted((DOCS / "how-to").glob("*.md")),
    *sorted((DOCS / "zh").rglob("*.md")),
]
METHODS = [
    page
    for page in sorted((DOCS / "methods").glob("*.md"))
    if "```python" in page.read_text(encoding="utf-8") and page.stem != "relocation"
]
OVERVIEWS = {"donor_diagnostics", "fiscal", "indicators", "relocation", "synthetic-control-family"}
ONE_METHOD = [page for page in METHODS if page.stem not in OVERVIEWS]
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
PUBLIC = [
    "jjjpolicy",
    *(f"jjjpolicy.{name}" for name in ("did", "synth", "inference", "sensitivity", "indicators")),
    *(f"jjjpolicy.{name}" for name in ("fiscal", "relocation", "report")),
]
MODULES = sorted(
    ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
    for path in (ROOT / "src").rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)


def python_blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M)


def cells(notebook: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def run(sources: list[str], name: str, given: dict[str, Any] | None = None) -> dict[str, Any]:
    namespace = dict(given or {})
    try:
        with parallel_config("sequential"):  # starting workers takes longer than the work
            for number, source in enumerate(sources, start=1):
                exec(compile(source, f"{name}, block {number}", "exec"), namespace)
    finally:
        set_language("en")
    return namespace


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of its own, with a matplotlib that opens no window."""
    pytest.importorskip("matplotlib").use("agg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_the_code_of_a_guide_runs(page: Path, elsewhere: Path) -> None:
    if 'language="zh"' in page.read_text(encoding="utf-8"):
        pytest.importorskip("pylopdf_fonts_zh_cn", reason="Chinese figures need the extra 'paper'")
    run(python_blocks(page), page.name)


@pytest.mark.parametrize("page", ["tutorial.md", "zh/tutorial.md"])
def test_the_tutorial_finds_the_effect_that_it_simulates(page: str, elsewhere: Path) -> None:
    if page.startswith("zh/"):
        pytest.importorskip("pylopdf_fonts_zh_cn", reason="Chinese figures need the extra 'paper'")
    names = run(python_blocks(DOCS / page), page)
    assert abs(names["sdid"].att - 0.5) < 0.15
    assert names["did"].pvalue < 0.05


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_is_kept_without_outputs(notebook: Path, elsewhere: Path) -> None:
    code = cells(notebook)
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    run(["".join(cell["source"]) for cell in code], notebook.name)


def test_the_staggered_notebook_shows_what_it_says(elsewhere: Path) -> None:
    path = DOCS / "notebooks" / "staggered.ipynb"
    names = run(["".join(cell["source"]) for cell in cells(path)], path.name)
    error = abs(names["twfe"].att - names["truth"])
    assert error > 0.1
    assert abs(names["imputation"].att - names["truth"]) < error / 3


@pytest.mark.parametrize("page", METHODS, ids=lambda page: page.stem)
def test_the_code_of_a_method_page_runs(page: Path, elsewhere: Path) -> None:
    run(python_blocks(page), page.name, names_for(page.stem))


def test_the_code_of_the_page_on_relocation_finds_the_effect_that_it_simulates(
    elsewhere: Path,
) -> None:
    pytest.importorskip("ibis", reason="firm records need the extra 'firms'")
    pytest.importorskip("duckdb", reason="firm records need the extra 'firms'")
    names = run(python_blocks(DOCS / "methods" / "relocation.md"), "relocation.md")
    assert names["fit"].coefficients["term"].tolist() == ["policy"]
    assert abs(names["fit"].coefficients["estimate"].iloc[0] - 0.6) < 0.2
    assert len(names["branches"]) > 0
    assert names["net"].groupby(["year", "industry"])["net"].sum().eq(0).all()
    created = {path.name for path in elsewhere.iterdir()}
    assert created == {"simulated_firms.parquet", "simulated_branches.parquet"}


@pytest.mark.parametrize("page", ONE_METHOD, ids=lambda page: page.stem)
def test_the_page_of_a_method_says_when_what_it_assumes_how_and_whence(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    parts = dict(re.findall(r"^\*\*(\w+)\.\*\* (.*)$", text, re.M))
    assert parts.keys() >= {"When", "Assumes", "Formula", "Source"}
    for treated in ("1", "3", "13"):
        assert re.search(rf"\b{treated}\b", parts["When"]), f"with {treated} treated?"


@pytest.mark.parametrize("room", ["did", "inference", "sensitivity"])
def test_every_public_method_is_called_on_some_page(room: str) -> None:
    code = " ".join(" ".join(python_blocks(page)) for page in METHODS)
    names = import_module(f"jjjpolicy.{room}").__all__
    if room == "sensitivity":
        names = [name for name in names if name[0].islower()]
    assert [name for name in names if f"{name}(" not in code] == []


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_docstrings_hold(module: str) -> None:
    result = doctest.testmod(import_module(module))
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_has_a_page_in_the_reference(module: str) -> None:
    pages = [page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md")]
    listed = {
        name.rpartition(".")[2]
        for page in pages
        for name in re.findall(r"^(?:   |\.\. autodata:: )([A-Za-z_.0-9]+)$", page, re.M)
    }
    modules = {"did", "fiscal", "indicators", "inference", "linalg", "regions", "relocation"}
    modules |= {"sensitivity", "synth"}
    names = {
        name for name in import_module(module).__all__ if not name.endswith(("Error", "Warning"))
    }
    assert names - listed - modules - {"Label", "Language", "policies"} == set()


def test_the_data_dictionary_page_has_every_variable() -> None:
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, 'docs/_extensions');"
        "import data_dictionary as d; sys.stdout.reconfigure(encoding='utf-8');"
        "print(d.page(Path('data')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    import jjjpolicy as jp

    for variable in set(jp.dictionary()["variable"]):
        assert f"`{variable}`" in done.stdout
