"""The house as a drawing, made from docs/house.csv and the imports each time the site is built.

A room stands as high as the longest way down from it. Rooms on the longest way of all stand left,
the others beside it, right. An arrow leads from a room to one that it imports; arrows that follow
from others are left out, and those to the modules on the ground, which all rooms use.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from house import UPWARD, House, Room, arrows, read_floors, whole_rooms

if TYPE_CHECKING:
    from sphinx.application import Sphinx

WIDTH = 880
MAIN = (60, 600)
BESIDE = (650, 872)
BETWEEN_ROOMS, BETWEEN_FLOORS = 18, 30
PADDING, NAME, LINE, PART = 13, 17, 15, 20
CHARACTER = 6.2
"""Mean width of a character of the text, in pixels; a little more than it is."""

PART_CHARACTER = 6.7
GROUND = -1
STYLE = """
.house text { font: 12px sans-serif; fill: var(--color-foreground-primary, #222); }
.house .name { font: 600 14.5px sans-serif; }
.house .part text { font: 11px monospace; fill: var(--color-foreground-secondary, #555); }
.house .room > rect { fill: var(--color-background-secondary, #f6f7f9);
  stroke: var(--color-foreground-border, #888); }
.house .part rect { fill: var(--color-background-primary, #fff);
  stroke: var(--color-background-border, #ccc); }
.house .arrow { fill: none; stroke: var(--color-foreground-muted, #777); stroke-width: 1.4; }
.house .upward { stroke-dasharray: 5 4; }
.house marker path { fill: var(--color-foreground-muted, #777); }
.house .aside { font-style: italic; fill: var(--color-foreground-secondary, #555); }
""".strip()


@dataclass
class Box:
    """A room at the root, as it is drawn.

    Attributes
    ----------
    room : Room
    parts : tuple of str
        Rooms inside it.
    left, top, width : float
    """

    room: Room
    parts: tuple[str, ...]
    left: float
    width: float
    top: float = 0.0
    text: list[str] = field(init=False)
    rows: list[list[str]] = field(init=False)

    def __post_init__(self) -> None:
        wide = self.width - 2 * PADDING
        self.text = textwrap.wrap(self.room.holds, int(wide / CHARACTER))
        self.rows = [[]]
        for part in self.parts:
            if sum(map(part_width, [*self.rows[-1], part])) > wide + 6:
                self.rows.append([])
            self.rows[-1].append(part)

    @property
    def height(self) -> float:
        parts = len(self.rows) * PART + 6 if self.parts else 0
        return 2 * PADDING + NAME + len(self.text) * LINE + parts

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2

    def svg(self) -> str:
        left, y = self.left + PADDING, self.top + PADDING + 12
        lines = [
            f'<rect x="{self.left:g}" y="{self.top:g}" width="{self.width:g}" '
            f'height="{self.height:g}" rx="7"/>',
            f'<text class="name" x="{left:g}" y="{y:g}">{escape(self.room.name)}</text>',
        ]
        for line in self.text:
            y += LINE if line is not self.text[0] else NAME
            lines.append(f'<text x="{left:g}" y="{y:g}">{escape(line)}</text>')
        for row in self.rows:
            x, y = left, y + (PART if row is not self.rows[0] else PART + 6)
            for part in row:
                wide = part_width(part) - 6
                lines.append(
                    f'<g class="part"><rect x="{x:g}" y="{y - 12:g}" width="{wide:g}" height="16" '
                    f'rx="4"/><text x="{x + 6:g}" y="{y:g}">{escape(part)}</text></g>'
                )
                x += wide + 6
        return '<g class="room">' + "\n".join(lines) + "</g>"


def part_width(part: str) -> float:
    """Width of the name of a room inside another, with the space after it."""
    return len(part) * PART_CHARACTER + 18


def draw(house: House, rooms: Mapping[str, Room]) -> str:
    """The house as SVG; the same house gives the same text."""
    modules = {name for name in rooms if (house.package / f"{name}.py").is_file()}
    whole = {name: room for name, room in whole_rooms(rooms).items() if name not in modules}
    lines = [pair for pair in arrows(house, rooms) if set(pair) <= whole.keys()]
    height = _longest(sorted(lines, key=lambda pair: whole[pair[0]].floor), whole)
    turned = [(end, start) for start, end in lines]
    depth = _longest(sorted(turned, key=lambda pair: -whole[pair[0]].floor), whole)
    beside = {name for name in whole if height[name] + depth[name] < max(height.values())}
    lowest = min(room.floor for room in whole.values())
    ground = {name: rooms[name] for name in modules if rooms[name].floor < lowest}
    level = height | dict.fromkeys(ground, GROUND)
    boxes = _stacked(ground | whole, rooms, level, beside)
    start, end = (boxes[rooms[house.room(module)].whole] for module in UPWARD)
    bottom = max(box.bottom for box in boxes.values())
    drawn = [
        *(
            _arrow(boxes[one], boxes[other], beside, level[one] - level[other])
            for one, other in sorted(lines)
        ),
        _path(
            [(start.left, start.middle[1]), (24, start.middle[1]), (24, end.middle[1])],
            (end.left, end.middle[1]),
            "arrow upward",
        ),
        f'<text class="aside" transform="translate(17 {(start.top + end.bottom) / 2:g}) '
        'rotate(-90)" text-anchor="middle">the one call upward: how an estimate is shown, '
        "looked up on first use</text>",
        *(boxes[name].svg() for name in sorted(boxes)),
    ]
    return (
        f'<svg class="house" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} '
        f'{bottom + 8:g}" role="img" aria-label="Rooms of the package on their floors">\n'
        f"<style>{STYLE}</style>\n"
        '<defs><marker id="house-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )


def _longest(lines: Iterable[tuple[str, str]], names: Iterable[str]) -> dict[str, int]:
    """Arrows on the longest way from each room; ``lines`` in the order of where ways end."""
    found = dict.fromkeys(names, 0)
    for start, end in lines:
        found[start] = max(found[start], found[end] + 1)
    return found


def _stacked(
    whole: Mapping[str, Room],
    rooms: Mapping[str, Room],
    level: Mapping[str, int],
    beside: Iterable[str],
) -> dict[str, Box]:
    """Boxes floor above floor."""
    boxes: dict[str, Box] = {}
    top = 8.0
    for here in sorted(set(level.values()), reverse=True):
        names = [name for name in rooms if level.get(name) == here]
        main = [name for name in names if name not in beside]
        right = BESIDE[1] if here == GROUND else MAIN[1]
        places = _columns(len(main), right)
        row = [(name, *place) for name, place in zip(main, places, strict=True)]
        row += [(name, BESIDE[0], BESIDE[1] - BESIDE[0]) for name in names if name in beside]
        for name, left, width in row:
            inside = tuple(
                other.partition("/")[2] for other, room in rooms.items() if room.whole == name
            )
            boxes[name] = Box(whole[name], tuple(filter(None, inside)), left, width, top)
        top = max(boxes[name].bottom for name in names) + BETWEEN_FLOORS
    return boxes


def _columns(number: int, right: float) -> list[tuple[float, float]]:
    """Left edge and width of rooms side by side."""
    width = (right - MAIN[0] - (number - 1) * BETWEEN_ROOMS) / max(number, 1)
    return [(MAIN[0] + k * (width + BETWEEN_ROOMS), width) for k in range(number)]


def _arrow(start: Box, end: Box, beside: set[str], floors: int) -> str:
    """Straight down to the next floor, otherwise along the corridor to the rooms beside."""
    corridor = (MAIN[1] + BESIDE[0]) / 2
    out, into = start.middle, end.middle
    if start.room.name in beside:
        return _path([(out[0], start.bottom), (out[0], into[1])], (end.right, into[1]))
    if end.room.name in beside or floors > 1:
        edge = end.left if end.room.name in beside else end.right
        return _path(
            [(start.right, out[1]), (corridor, out[1]), (corridor, into[1])], (edge, into[1])
        )
    x = out[0] if start.width < end.width else into[0]
    return _path([(x, start.bottom)], (x, end.top))


def _path(points: list[tuple[float, float]], end: tuple[float, float], kind: str = "arrow") -> str:
    corners = " ".join(f"{x:g} {y:g}" for x, y in [*points, end])
    return f'<path class="{kind}" d="M{corners}" marker-end="url(#house-head)"/>'


def setup(app: Sphinx) -> dict[str, Any]:
    from docutils import nodes
    from sphinx.util.docutils import SphinxDirective

    class Drawing(SphinxDirective):
        """``{house}``: the drawing, where it stands."""

        def run(self) -> list[nodes.Node]:
            return [nodes.raw("", draw(House(), read_floors()), format="html")]

    app.add_directive("house", Drawing)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    print(draw(House(), read_floors()), end="")
