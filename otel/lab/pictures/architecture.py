"""Draws docs/explanation/architecture.svg from the import graph: the rooms of the kit and the imports between them."""

from collections.abc import Mapping, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import grimp

ROOT = Path(__file__).parents[3]
PICTURE = ROOT / "docs" / "explanation" / "architecture.svg"
PACKAGE = "lambda_latency"
# The purpose of each room. A room without a line here is drawn with its name alone.
PURPOSES = {
    "cli": "the commands",
    "page": "report as one HTML file",
    "text": "text, Markdown, JSON",
    "latency": "accounts and verdict",
    "trace": "formats, critical path",
    "template": "templates as values",
    "fetch": "traces from X-Ray",
    "agent": "answers for assistants",
    "alarm": "alarms explained",
    "archive": "traces kept and queried",
    "doctor": "findings, costs",
    "prices": "what AWS charges",
    "live": "requests as they end",
    "local": "SAM apps on a laptop",
    "diff": "versions by counts",
    "http": "small HTTP server",
    "testing": "the pytest plugin",
    "adopt": "edits to a SAM app",
    "bridge": "the X-Ray SDK's API",
    "runtime": "runs beside the handler",
    "redaction": "secrets out of texts",
}
ABREAST = 4
WIDTH, BOX, HEIGHT, LANE, GAP, ROW, MARGIN = 800, 148, 52, 14, 8, 96, 14  # pixels

NAMESPACE = "http://www.w3.org/2000/svg"
TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0 8 4 0 8z"/></marker></defs>'
)
# Filled boxes keep their contrast on any background; the colour of lines is visible on light and dark.
STYLE = """\
  .box { fill: #eef3fb; stroke: #4a6fa5 }
  .lambda { fill: #fdf0e1; stroke: #b8691b }
  .name { font: 600 16px ui-sans-serif, system-ui, sans-serif; fill: #14243d; text-anchor: middle }
  .purpose { font: 12.5px ui-sans-serif, system-ui, sans-serif; fill: #33455f; text-anchor: middle }
  .import { fill: none; stroke: #6b7f9e; stroke-width: 1.5; marker-end: url(#tip) }
  #tip path { fill: #6b7f9e }
  @media (prefers-color-scheme: dark) {
    .box { fill: #1c2a40; stroke: #86a8da }
    .lambda { fill: #3a2813; stroke: #e0a45c }
    .name { fill: #f0f4fa }
    .purpose { fill: #c3d0e4 }
    .import { stroke: #93a7c6 }
    #tip path { fill: #93a7c6 }
  }
"""


class Stop(NamedTuple):
    """A position in a layer: a room, or a lane through which the arrow of one import passes. The name is unique."""

    room: str
    passing: tuple[str, str] | None = None

    @property
    def width(self) -> int:
        """The width in pixels."""
        return BOX if self.passing is None else LANE


def imports() -> dict[str, set[str]]:
    """The rooms of the kit (packages only), each with the rooms that it imports."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    rooms = {room for room in graph.find_children(PACKAGE) if graph.find_children(room)}
    return {
        room.removeprefix(f"{PACKAGE}."): {
            imported.removeprefix(f"{PACKAGE}.")
            for imported in rooms - {room}
            if graph.direct_import_exists(importer=room, imported=imported, as_packages=True)
        }
        for room in sorted(rooms)
    }


def reduced(rooms: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The imports without those that follow from others."""
    return {
        room: {name for name in direct if not any(name in _below(rooms, via) for via in direct - {name})}
        for room, direct in rooms.items()
    }


def layers(rooms: Mapping[str, set[str]]) -> list[list[str]]:
    """The rooms in layers, top down: each above all rooms that it imports, at most `ABREAST` per row if possible."""
    depths = {room: _depth(rooms, room) for room in rooms}
    for depth in range(max(depths.values())):
        row = _row(depths, depth)
        for room in row[:]:
            above = [depths[importer] for importer in rooms if room in rooms[importer]]
            if len(row) > ABREAST and min(above, default=max(depths.values()) + 1) > depth + 1:
                depths[room] = depth + 1
                row.remove(room)
    return [_row(depths, depth) for depth in range(max(depths.values()), -1, -1)]


def _row(depths: Mapping[str, int], depth: int) -> list[str]:
    return sorted(room for room in depths if depths[room] == depth)


def drawing(rooms: Mapping[str, set[str]]) -> str:
    """The picture as the text of an SVG file."""
    arrows = reduced(rooms)
    rows = _ordered(_stops(layers(rooms), arrows), arrows)
    width = max(WIDTH, *(_extent(row) + 2 * MARGIN for row in rows))
    height = 2 * MARGIN + ROW * (len(rows) - 1) + HEIGHT
    centres = {
        stop: (x, MARGIN + ROW * index)
        for index, row in enumerate(rows)
        for stop, x in zip(row, _centres(row, width), strict=True)
    }
    lines = [
        f'<svg xmlns="{NAMESPACE}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        "<title>The packages of lambda_latency and the imports between them</title>",
        f"<style>\n{STYLE}</style>",
        TIP,
    ]
    lines += [_arrow(room, imported, centres) for room in sorted(arrows) for imported in sorted(arrows[room])]
    lines += [_box(stop.room, *centre) for stop, centre in centres.items() if stop.passing is None]
    return "\n".join([*lines, "</svg>", ""])


def is_current() -> bool:
    """Whether the picture in the documentation matches the code."""
    return PICTURE.is_file() and PICTURE.read_text(encoding="utf-8") == drawing(imports())


def main() -> int:
    """Write the picture."""
    PICTURE.write_text(drawing(imports()), encoding="utf-8")
    print(PICTURE.relative_to(ROOT))
    return 0


def _below(rooms: Mapping[str, set[str]], room: str) -> set[str]:
    return rooms[room].union(*(_below(rooms, imported) for imported in rooms[room]))


def _depth(rooms: Mapping[str, set[str]], room: str) -> int:
    return 1 + max((_depth(rooms, imported) for imported in rooms[room]), default=-1)


def _stops(levels: Sequence[Sequence[str]], arrows: Mapping[str, set[str]]) -> list[list[Stop]]:
    """The stops of each layer: its rooms, and a lane for each arrow that crosses it."""
    level = {room: index for index, row in enumerate(levels) for room in row}
    rows = [[Stop(room) for room in row] for row in levels]
    for room in sorted(arrows):
        for imported in sorted(arrows[room]):
            for index in range(level[room] + 1, level[imported]):
                rows[index].append(Stop(f"{room} {imported} {index}", (room, imported)))
    return rows


def _ordered(rows: list[list[Stop]], arrows: Mapping[str, set[str]]) -> list[list[Stop]]:
    """The rows, sorted to bend arrows least: by the mean position of their neighbours, down and up in turn."""
    ways = [_way(rows, room, imported) for room in sorted(arrows) for imported in sorted(arrows[room])]
    neighbours: dict[Stop, list[Stop]] = {stop: [] for row in rows for stop in row}
    for upper, lower in chain.from_iterable(map(pairwise, ways)):
        neighbours[upper].append(lower)
        neighbours[lower].append(upper)
    for turn in range(8):
        down = turn % 2 == 0
        for index in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            middles = _positions(rows[index - 1 if down else index + 1])
            means = {}
            for stop, position in _positions(rows[index]).items():
                near = [middles[neighbour] for neighbour in neighbours[stop] if neighbour in middles]
                means[stop] = sum(near) / len(near) if near else position
            rows[index].sort(key=means.__getitem__)
    return rows


def _positions(row: Sequence[Stop]) -> dict[Stop, float]:
    return dict(zip(row, _centres(row, 0), strict=True))


def _way(rows: Sequence[Sequence[Stop]], room: str, end: str) -> list[Stop]:
    return [stop for row in rows for stop in row if stop.passing == (room, end) or stop in (Stop(room), Stop(end))]


def _extent(row: Sequence[Stop]) -> int:
    return sum(stop.width for stop in row) + GAP * (len(row) - 1)


def _centres(row: Sequence[Stop], width: int) -> list[float]:
    """The centres of a row's stops; the row is centred in the picture."""
    left_edge, centres = (width - _extent(row)) / 2, []
    for stop in row:
        centres.append(left_edge + stop.width / 2)
        left_edge += stop.width + GAP
    return centres


def _arrow(room: str, imported: str, centres: Mapping[Stop, tuple[float, float]]) -> str:
    lanes = sorted(place for stop, place in centres.items() if stop.passing == (room, imported))
    lanes.sort(key=lambda place: place[1])
    (x, y), end = centres[Stop(room)], centres[Stop(imported)]
    path = [f"M{x:g} {y + HEIGHT:g}"]
    point = (x, y + HEIGHT)
    for across, top in [*lanes, end]:
        middle = (point[1] + top) / 2
        path.append(f"C{point[0]:g} {middle:g} {across:g} {middle:g} {across:g} {top:g}")
        point = (across, top + HEIGHT)
        if (across, top) != end:
            path.append(f"V{top + HEIGHT:g}")
    return f'<path class="import" d="{" ".join(path)}"/>'


def _box(room: str, x: float, top: float) -> str:
    kind = "box lambda" if room in ("runtime", "redaction") else "box"
    purpose = PURPOSES.get(room, "")
    name = f'<text class="name" x="{x:g}" y="{top + (22 if purpose else 32):g}">{escape(room)}</text>'
    below = f'<text class="purpose" x="{x:g}" y="{top + 41:g}">{escape(purpose)}</text>' if purpose else ""
    return f'<rect class="{kind}" x="{x - BOX / 2:g}" y="{top:g}" width="{BOX}" height="{HEIGHT}" rx="8"/>{name}{below}'
