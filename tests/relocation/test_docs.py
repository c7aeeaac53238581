"""The worked example of the documentation runs as printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "methods" / "relocation.md"


def test_the_worked_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ibis", reason="firm records need the extra 'firms'")
    pytest.importorskip("duckdb", reason="firm records need the extra 'firms'")
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)[0]
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["fit"].coefficients["term"].tolist() == ["policy"]
    assert abs(names["fit"].coefficients["estimate"].iloc[0] - 0.6) < 0.2
    assert len(names["branches"]) > 0
    assert names["net"].groupby(["year", "industry"])["net"].sum().eq(0).all()
    created = {path.name for path in tmp_path.iterdir()}
    assert created == {"simulated_firms.parquet", "simulated_branches.parquet"}
