"""Settings and fixtures of the test suite."""

from __future__ import annotations

import importlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pandas as pd
import pytest
import reference

hypothesis.settings.register_profile(
    "fixed", derandomize=True, deadline=None, max_examples=40, database=None
)
hypothesis.settings.load_profile("fixed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", metavar="PACKAGE", help="ask this package anew what it answers")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*programs, install): commands that the test runs")


def missing(item: pytest.Item) -> str | None:
    """What a test needs and is not here, and how to get it."""
    for mark in item.iter_markers("needs"):
        if not all(map(shutil.which, mark.args)):
            return f"install {mark.kwargs['install']}"
    names = item.fixturenames if isinstance(item, pytest.Function) else []
    for case, file in reference.files().items():
        if f"{case}_data" in names and reference.path_of(case) is None:
            return f"{file['name']} may not travel: run python tests/reference/fetch.py {case}"
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the tests that lack the same thing one is skipped for all, and says how many they are."""
    lacking = [missing(item) for item in items]
    counts = Counter(lacking)
    kept, left_out = [], []
    for item, what in zip(items, lacking, strict=True):
        number = counts.pop(what, 0) if what else 1
        (kept if number else left_out).append(item)
        if what and number:
            item.add_marker(pytest.mark.skip(reason=f"{what} (tests that need it: {number})"))
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


@pytest.fixture(scope="session")
def answers() -> dict[str, Any]:
    """Published numbers and answers of other programs, by case of ``tests/reference``."""
    return {case: reference.answers(case) for case in reference.manifests()}


def _reader(case: str) -> Any:
    @pytest.fixture(name=f"{case}_data")
    def read() -> pd.DataFrame:
        return reference.data(case)

    return read


for _case in reference.files():
    globals()[f"{_case}_data"] = _reader(_case)


@pytest.fixture
def recorded(request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    """What another package answers: ``recorded("csdid", ask)``, where ``ask`` has the module.

    The answers lie in ``tests/reference``; ``pytest --record csdid`` asks the package anew.
    """

    def look_up(package: str, ask: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        key = f"{request.path.stem}::{request.node.name}"
        if request.config.getoption("--record") == package:
            reference.record(package, key, ask(importlib.import_module(package)))
        found: dict[str, Any] = reference.answers(package)[key]
        return found

    return look_up


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
