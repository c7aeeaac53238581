"""What a result was made with: versions, platform, hashes of files."""

from __future__ import annotations

import hashlib
import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

COMPUTING = ("numpy", "scipy", "pandas", "statsmodels", "linearmodels", "matplotlib")


def dependency_versions() -> dict[str, str]:
    """Versions of the package and of what it computes with."""
    from jjjpolicy import __version__

    found = {"jjjpolicy": __version__}
    for name in COMPUTING:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def platform_facts() -> dict[str, str]:
    """Python version, operating system and processor type."""
    return {"python": platform.python_version(), "platform": platform.platform(terse=True)}


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


PACKAGE = Path(__file__).resolve().parents[2]
"""Where the source of the package lies."""


@lru_cache(maxsize=1)
def package_digest(root: Path = PACKAGE) -> str:
    """SHA-256 of the package's source, the command line apart."""
    whole = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        command_line = path.relative_to(root).parts[0] == "cli"
        if (
            path.suffix in (".py", ".typ", ".tex", ".css", ".csl", ".js", ".html", ".lua", ".md")
            and not command_line
        ):
            whole.update(path.relative_to(root).as_posix().encode())
            whole.update(path.read_bytes())
    return whole.hexdigest()
