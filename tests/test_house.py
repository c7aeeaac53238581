"""The house keeps its order: imports lead down, nothing goes round, no room outgrows its reader."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
import pandas as pd
import pytest
from house import UPWARD, House, Room, arrows, read_floors
from house_drawing import draw

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.replication.paper.build import build_paper

ROOT = Path(__file__).resolve().parents[1]
DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
LINES = 400
AT_THE_ROOT = {"__init__.py", "__main__.py", "_extras.py", "errors.py"}


@pytest.fixture(scope="module")
def house() -> House:
    return House()


@pytest.fixture(scope="module")
def rooms() -> dict[str, Room]:
    return read_floors()


def circles(house: House) -> list[str]:
    """Files that import each other."""
    return [", ".join(map(house.name, group)) for group in house.circles()]


def upward(house: House, rooms: Mapping[str, Room]) -> list[str]:
    """Imports that do not lead down."""
    return [
        f"{house.name(module)} (floor {own.floor}) imports {house.name(name)} (floor {other.floor})"
        for module, imported in house.imports.items()
        for name in sorted(imported)
        for own, other in [(rooms[house.room(module)], rooms[house.room(name)])]
        if not own.may_import(other)
    ]


def late_imports(house: House) -> dict[str, list[str]]:
    """What files import by a name that is looked up at run time, by module."""
    source = {module: path.read_text(encoding="utf-8") for module, path in house.files.items()}
    return {
        module: re.findall(r'import_module\("([\w.]+)"\)', text)
        for module, text in source.items()
        if re.search(r"import_module|__import__", text)
    }


def test_no_file_imports_itself_through_others(house: House) -> None:
    found = circles(house)
    assert not found, "these import each other:\n" + "\n\n".join(found)


def test_imports_lead_to_lower_floors(house: House, rooms: dict[str, Room]) -> None:
    found = upward(house, rooms)
    assert not found, "\n".join(found)


def test_every_room_has_a_floor_and_every_floor_its_rooms(
    house: House, rooms: dict[str, Room]
) -> None:
    assert {house.room(module) for module in house.files} == rooms.keys()


def test_the_root_holds_rooms_only(house: House) -> None:
    assert {path.name for path in house.package.glob("*.py")} == AT_THE_ROOT


def test_no_module_is_longer_than_a_reader_has_patience(house: House) -> None:
    lengths = {
        house.name(module): len(path.read_text(encoding="utf-8").splitlines())
        for module, path in house.files.items()
    }
    assert {name: length for name, length in lengths.items() if length > LINES} == {}


def test_one_call_leads_up_from_an_estimate_to_its_renderers(house: House) -> None:
    called = late_imports(house)
    assert called.keys() == {"jjjpolicy", "jjjpolicy._extras", UPWARD[0]}
    assert called[UPWARD[0]] == [UPWARD[1]]


def test_the_front_door_leads_to_modules_that_exist() -> None:
    for name in jp.__all__:
        assert getattr(jp, name) is not None


@pytest.fixture
def made_up(tmp_path: Path) -> House:
    """Two rooms: above/a.py rests on below/b.py."""
    for name, source in {
        "__init__.py": "",
        "above/__init__.py": "",
        "above/a.py": "from made_up.below import b\n",
        "below/__init__.py": "",
        "below/b.py": "VALUE = 1\n",
        "below/c.py": "from made_up.below.b import VALUE\n",
    }.items():
        path = tmp_path / "made_up" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return House(tmp_path / "made_up")


FLOORS = {
    room.name: room for room in (Room("below", 0, ""), Room("above", 1, ""), Room("made_up", 2, ""))
}


def test_a_house_in_order_passes(made_up: House) -> None:
    assert made_up.imports["made_up.above.a"] == {"made_up.below.b"}
    assert circles(made_up) == []
    assert upward(made_up, FLOORS) == []
    assert arrows(made_up, FLOORS) == [("above", "below")]


@pytest.mark.parametrize(
    "source",
    [
        "from made_up.below.c import VALUE\n",
        "from .c import VALUE\n",
        "from . import c\n",
        "import made_up.below.c as c\n",
        "def f():\n    from made_up.below import c\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from made_up.below import c\n",
    ],
)
def test_a_circle_is_caught(made_up: House, source: str) -> None:
    (made_up.package / "below" / "b.py").write_text(source, encoding="utf-8")
    assert circles(made_up) == ["below/b.py, below/c.py"]


def test_an_import_that_leads_up_is_caught(made_up: House) -> None:
    (made_up.package / "below" / "c.py").write_text("import made_up.above.a\n", encoding="utf-8")
    assert upward(made_up, FLOORS) == ["below/c.py (floor 0) imports above/a.py (floor 1)"]


def test_rooms_of_one_floor_do_not_import_each_other_but_a_room_is_one_with_its_own() -> None:
    did, weights, synth = Room("did", 3, ""), Room("synth/weights", 3, ""), Room("synth", 3, "")
    assert not did.may_import(weights)
    assert synth.may_import(weights)
    assert weights.may_import(synth)
    assert not Room("syn", 3, "").may_import(synth)


def test_a_call_by_a_name_looked_up_at_run_time_is_caught(made_up: House) -> None:
    source = "from importlib import import_module as load\n"
    (made_up.package / "below" / "c.py").write_text(source, encoding="utf-8")
    assert late_imports(made_up) == {"made_up.below.c": []}


def test_the_drawing_shows_every_room_once_and_is_the_same_each_time(
    house: House, rooms: dict[str, Room]
) -> None:
    drawing = draw(house, rooms)
    names = re.findall(r'<text class="name"[^>]*>(\w+)</text>', drawing)
    assert sorted(names) == sorted({room.whole for room in rooms.values()} - {"__main__"})
    parts = re.findall(r'<g class="part">.*?>(\w+)</text></g>', drawing)
    assert sorted(parts) == sorted(name.partition("/")[2] for name in rooms if "/" in name)
    assert drawing == draw(House(), read_floors())


def named(page: str) -> list[tuple[str, str]]:
    """Functions that a page names with their files: `function` (`file`)."""
    return re.findall(r"`([A-Za-z_.]+)` \(`([\w/]+\.py)`\)", page)


def walk(title: str) -> list[tuple[str, str]]:
    """Steps of a walk through the package on the page about its design."""
    section = DESIGN.split(f"## {title}\n")[1].split("\n## ")[0]
    return named("\n".join(re.findall(r"^\d+\. .*$", section, re.M)))


def defined(path: Path) -> set[str]:
    """Functions and methods that a file defines."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names.add(getattr(node, "name", ""))
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{getattr(each, 'name', '')}" for each in node.body}
    return names


@contextmanager
def calls(package: Path) -> Iterator[list[tuple[str, str]]]:
    """Functions of the package in the order of their first calls, with their files."""
    seen: dict[tuple[str, str], None] = {}

    def look(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(package):
            seen.setdefault((frame.f_code.co_qualname, path.relative_to(package).as_posix()))

    order: list[tuple[str, str]] = []
    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield order
    finally:
        sys.setprofile(before)
        order.extend(seen)


def test_the_functions_that_the_design_names_exist(house: House) -> None:
    found = named(DESIGN)
    assert len(found) > 30
    assert [step for step in found if step[0] not in defined(house.package / step[1])] == []


def test_the_files_that_contributors_are_told_to_copy_exist(house: House) -> None:
    files = re.findall(r"`([\w/.-]+\.(?:py|md|csv))`", CONTRIBUTING)
    assert len(files) > 40
    known = (ROOT, house.package)
    assert [name for name in files if not any((base / name).is_file() for base in known)] == []


def test_a_row_becomes_an_estimate_on_the_way_that_the_design_describes(house: House) -> None:
    table = cities()
    with calls(house.package) as called:
        design = jp.Design.from_frame(
            table, unit="city", time="year", outcome="output", treatment="treated"
        )
        estimate = jp.synth.SyntheticDiD().fit(design)
        estimate.with_inference(jp.inference.PlaceboUnits())
    steps = walk("From a row of your table to an estimate")
    assert len(steps) > 15
    assert [step for step in called if step in steps] == steps


def test_an_estimate_becomes_a_number_in_the_paper_on_the_way_that_the_design_describes(
    house: House, tmp_path: Path
) -> None:
    pytest.importorskip("pypandoc", reason="the paper needs the extra 'paper'")
    design = jp.Design.from_frame(
        cities(), unit="city", time="year", outcome="output", treatment="treated"
    )
    estimate = jp.synth.SyntheticDiD().fit(design)
    script = tmp_path / "analysis" / "effect.py"
    script.parent.mkdir()
    script.touch()
    paper = tmp_path / "paper"
    paper.mkdir()
    (paper / "paper.md").write_text('It is {{ number("effect", "att") }}.\n', encoding="utf-8")
    with calls(house.package) as called:
        with Artefacts(script, ["numbers:effect"]) as artefacts:
            numbers = artefacts.numbers("effect", {"att": estimate.att}, {"att": estimate})
            numbers.number("att")
        build_paper(paper, ["html"])
    steps = walk("From an estimate to a number in the paper")
    assert len(steps) > 5
    assert [step for step in called if step in steps] == steps
    printed = f"It is {estimate.att:.3f}.".replace("-", "\N{MINUS SIGN}")
    assert printed in (paper / "paper.html").read_text(encoding="utf-8")


def cities() -> pd.DataFrame:
    """Eight simulated cities in ten years, the first treated from the seventh on."""
    noise = np.random.default_rng(1).normal(size=(8, 10)).round(3)
    return pd.DataFrame(
        [
            {"city": city, "year": 2010 + t, "output": city + t + noise[city, t], "treated": on}
            for city in range(8)
            for t in range(10)
            for on in [int(city == 0 and t >= 6)]
        ]
    )
