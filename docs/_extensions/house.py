"""The house: rooms and floors as docs/house.csv states them, and imports as the package has them.

The drawing of the house and the test that holds its rules both read it here.
"""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FLOORS = Path(__file__).resolve().parents[1] / "house.csv"
PACKAGE = FLOORS.parents[1] / "src" / "jjjpolicy"
UPWARD = ("jjjpolicy.linalg.brief", "jjjpolicy.report.estimates.plots")
"""The one call that leads up, at run time: an estimate looks for what shows it."""


@dataclass(frozen=True)
class Room:
    """A folder of the package, or a module that stands alone at its root.

    Attributes
    ----------
    name : str
        ``did/group_time`` for a folder, ``errors`` for a module; the package's name for its
        ``__init__``.
    floor : int
    holds : str
    """

    name: str
    floor: int
    holds: str

    @property
    def whole(self) -> str:
        """The room at the root that this one is a part of, itself included."""
        return self.name.partition("/")[0]

    def may_import(self, other: Room) -> bool:
        """Whether ``other`` is lower; on one floor, a room and those inside it are one."""
        inside = f"{self.name}/".startswith(f"{other.name}/")
        around = f"{other.name}/".startswith(f"{self.name}/")
        return other.floor < self.floor or (other.floor == self.floor and (inside or around))


def read_floors(path: Path = FLOORS) -> dict[str, Room]:
    """Rooms by name, from the ground floor up."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["room"]: Room(row["room"], int(row["floor"]), row["holds"]) for row in rows}


@dataclass(frozen=True)
class House:
    """A package and its imports.

    Attributes
    ----------
    package : Path
        Its directory.
    """

    package: Path = PACKAGE

    @cached_property
    def files(self) -> dict[str, Path]:
        """Files by the name of their module."""
        found = {}
        for path in sorted(self.package.rglob("*.py")):
            parts = path.relative_to(self.package.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
        return found

    @cached_property
    def imports(self) -> dict[str, set[str]]:
        """Modules of the package that each module imports, for types and in functions included.

        ``__version__`` is a fact about the installation and no module.
        """
        return {
            module: {name for name in self._imported(path) if name != module}
            for module, path in self.files.items()
        }

    def _imported(self, path: Path) -> Iterator[str]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name in self.files:
                        yield alias.name
            elif isinstance(node, ast.ImportFrom):
                origin = self._origin(node, path)
                for alias in node.names:
                    name = f"{origin}.{alias.name}"
                    if name in self.files:
                        yield name
                    elif origin in self.files and alias.name != "__version__":
                        yield origin

    def _origin(self, node: ast.ImportFrom, path: Path) -> str:
        """The module that names are imported from, where it is given by dots as well."""
        if not node.level:
            return node.module or ""
        folder = path.parents[node.level - 1].relative_to(self.package.parent).parts
        return ".".join([*folder, *filter(None, [node.module])])

    def room(self, module: str) -> str:
        """Name of the room that a module lies in."""
        path = self.files[module].relative_to(self.package)
        if len(path.parts) > 1:
            return path.parent.as_posix()
        return self.package.name if path.stem == "__init__" else path.stem

    def name(self, module: str) -> str:
        """Path of a module's file below the package."""
        return self.files[module].relative_to(self.package).as_posix()

    def circles(self) -> list[list[str]]:
        """Groups of modules each of which imports, through others, all of its group."""
        reach = {module: _reached(self.imports, module) for module in self.files}
        found = {
            tuple(sorted(other for other in reach[module] if module in reach[other]))
            for module in self.files
            if module in reach[module]
        }
        return [list(group) for group in sorted(found)]


def whole_rooms(rooms: Mapping[str, Room]) -> dict[str, Room]:
    """The rooms at the root."""
    return {name: room for name, room in rooms.items() if room.whole == name}


def arrows(house: House, rooms: Mapping[str, Room]) -> list[tuple[str, str]]:
    """Which room at the root rests on which, without what follows from other arrows."""
    whole = whole_rooms(rooms)
    below: dict[str, set[str]] = {name: set() for name in whole}
    for module, imported in house.imports.items():
        start = rooms[house.room(module)].whole
        ends = {rooms[house.room(name)].whole for name in imported}
        below[start] |= {end for end in ends if whole[end].floor < whole[start].floor}
    return [
        (start, end)
        for start, ends in below.items()
        for end in sorted(ends)
        if not any(end in _reached(below, other) for other in ends - {end})
    ]


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """All that can be reached from ``start`` in one step or more."""
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(graph[name])
    return found
