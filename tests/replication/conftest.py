"""A small simulated study that was reproduced once, and copies of it to spoil."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from replication.small_study import write_study

from jjjpolicy.replication.artefacts.study import Study

SOURCE = str(Path(__file__).resolve().parents[2] / "src")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """The small study, reproduced; not to be changed."""
    pytest.importorskip("pytask", reason="needs the extra 'paper'")
    from jjjpolicy.replication.graph import reproduce

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", SOURCE)
        study = Study(write_study(tmp_path_factory.mktemp("finished") / "study"))
        reproduce(study)
        yield study


@pytest.fixture
def copy(finished: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A copy of the reproduced study, somewhere else."""
    monkeypatch.setenv("PYTHONPATH", SOURCE)
    shutil.copytree(finished.root, tmp_path / "elsewhere")
    return Study(tmp_path / "elsewhere")
