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

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
GUIDES = [DOCS / "index.md", DOCS / "tutorial.md", *sorted((DOCS / "how-to").glob("*.md"))]
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
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


def run(sources: list[str], name: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    for number, source in enumerate(sources, start=1):
        exec(compile(source, f"{name}, block {number}", "exec"), namespace)
    return namespace


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of its own, with a matplotlib that opens no window."""
    pytest.importorskip("matplotlib").use("agg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_the_code_of_a_guide_runs(page: Path, elsewhere: Path) -> None:
    run(python_blocks(page), page.name)


def test_the_tutorial_finds_the_effect_that_it_simulates(elsewhere: Path) -> None:
    names = run(python_blocks(DOCS / "tutorial.md"), "tutorial.md")
    assert abs(names["sdid"].att - 0.5) < 0.15
    assert names["did"].pvalue < 0.05
    assert (elsewhere / "effect.png").stat().st_size > 0


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


@pytest.mark.parametrize("page", sorted((DOCS / "methods").glob("*.md")), ids=lambda p: p.stem)
def test_the_code_of_a_method_page_names_what_exists(page: Path) -> None:
    for block in python_blocks(page):
        compile(block, page.name, "exec")
        for chain in re.findall(r"\bjp((?:\.[A-Za-z_]\w*)+)", block):
            found: Any = import_module("jjjpolicy")
            for name in chain.split(".")[1:3]:
                found = getattr(found, name, None) or import_module(f"{found.__name__}.{name}")


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_docstrings_hold(module: str) -> None:
    result = doctest.testmod(import_module(module))
    assert result.attempted > 0
    assert result.failed == 0


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
