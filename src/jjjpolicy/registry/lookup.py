"""Look-ups that fail helpfully, and the place of the bundled data."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from jjjpolicy.errors import DataError


class UnknownNameError(DataError, KeyError):
    """A name that is not in a registry; also a `KeyError`, so that mappings behave as usual."""

    def __str__(self) -> str:
        return str(self.args[0])


def unknown_name(
    kind: str, name: object, choices: Iterable[str], synonyms: Iterable[str] = ()
) -> UnknownNameError:
    """Error for a name that is not among the choices, with close matches and the choices.

    ``synonyms`` are suggested where they come close, and not listed.
    """
    known = list(choices)
    candidates = dict.fromkeys([*known, *synonyms])
    close = get_close_matches(str(name), candidates, n=3, cutoff=0.5)
    hint = f" Did you mean {', '.join(map(repr, close))}?" if close else ""
    return UnknownNameError(f"unknown {kind} {name!r}.{hint} Choices: {', '.join(known)}.")


def data_directory() -> Path:
    """Directory of the bundled CSV files, in an installed package or in a checkout.

    Raises
    ------
    DataError
        Neither place exists.
    """
    package = Path(__file__).resolve().parents[1]
    places = (package / "_data", package.parents[1] / "data")
    for place in places:
        if (place / "variables.csv").is_file():
            return place
    raise DataError(f"the bundled data are missing; looked in {places[0]} and {places[1]}.")


_files_read: set[Path] = set()


def remembered(path: Path) -> Path:
    """The path, of which :func:`data_files_read` then knows."""
    _files_read.add(path)
    return path


def data_files_read() -> list[Path]:
    """Bundled files that this process has read, for the provenance of results."""
    return sorted(_files_read)


def read_records(name: str) -> list[dict[str, str]]:
    """Rows of a bundled CSV file as text, column by column name."""
    with remembered(data_directory() / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
