"""The lowest versions that pyproject.toml allows are those that are tested."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKED_EXTRAS = ("paper", "firms", "test", "build")


def test_every_lower_bound_is_the_version_that_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"]]
    for extra in LOCKED_EXTRAS:
        asked += project["optional-dependencies"][extra]
    lock = (ROOT / "requirements-lowest.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([a-z0-9-]+)==([0-9.]+)", lock, flags=re.MULTILINE))
    for requirement in asked:
        parts = re.fullmatch(r"([A-Za-z0-9_-]+)(?:\[[a-z,]+\])?>=([0-9.]+)", requirement)
        assert parts, requirement
        tested = locked[parts[1].lower().replace("_", "-")]
        assert tested.removesuffix(".0").removesuffix(".0") == parts[2].removesuffix(".0"), (
            f"{requirement} in pyproject.toml, but tested with {tested}: change the bound, then "
            f"`make lock`"
        )
