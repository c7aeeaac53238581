"""Settings and fixtures of the test suite."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
GOLD = ROOT.parent / "shared" / "gold"

hypothesis.settings.register_profile(
    "fixed", derandomize=True, deadline=None, max_examples=40, database=None
)
hypothesis.settings.load_profile("fixed")


@pytest.fixture(scope="session")
def gold() -> dict[str, Any]:
    """Published numbers and outputs of other packages, where they lie beside the repository."""
    path = GOLD / "gold.json"
    if not path.is_file():
        pytest.skip("needs ../shared/gold/gold.json beside the repository")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="session")
def gold_data() -> Callable[..., pd.DataFrame]:
    """Read a data set that published numbers refer to: ``gold_data("mpdta")``."""

    def read(name: str, **options: Any) -> pd.DataFrame:
        path = GOLD / "data" / f"{name}.csv"
        if not path.is_file():
            pytest.skip(f"needs ../shared/gold/data/{name}.csv beside the repository")
        return pd.read_csv(path, **options)

    return read


@pytest.fixture
def simulated_panel() -> Callable[..., pd.DataFrame]:
    """The maker of small simulated panels; nothing in them is real data."""
    from panels import simulated_panel

    return simulated_panel


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A connection to a Spark of this machine, where there are Spark and Java."""
    pytest.importorskip("pyspark", reason="Spark needs the extra 'spark'")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java")
    import ibis
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
    }
    builder = SparkSession.builder.master("local[1]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield ibis.pyspark.connect(session)
    session.stop()
