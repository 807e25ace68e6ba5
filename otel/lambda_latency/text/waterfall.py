"""The waterfall of one request: its spans in order, with the time on the critical path and off it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.latency import NOBODY, Bar, Owners, Waterfall, trace_name, waterfall_of
from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.words import clean, fit, left, ms, plural, right, wrap

if TYPE_CHECKING:
    from lambda_latency.trace import Trace

WAITED, TOOK = 9, 11
NAME, SHORTEST_NAME = 37, 25
NARROWEST_BAR = 12
MOST_ROWS = 40
MOST_ASIDE = 5


def waterfall(
    trace: Trace,
    style: Style,
    *,
    title: str = "The request",
    most_rows: int = MOST_ROWS,
    owners: Owners = NOBODY,
) -> list[Line]:
    """A head, and a row for each span; the sum of `waited` is exactly the request's time.

    Of more spans than `most_rows`, those with the longest waits are shown.
    """
    drawn = waterfall_of(trace, owners)
    shown = _longest(drawn.bars, most_rows)
    waits = [ms(bar.waited_ns, style) if bar.owned else "-" for bar in shown]
    lengths = [ms(bar.end_ns - bar.start_ns, style) for bar in shown]
    waited, took = max(WAITED, *map(len, waits)), max(TOOK, *(len(text) + 1 for text in lengths))
    width = style.width - 1 - NAME - waited - took - 2
    name = NAME if width >= NARROWEST_BAR else max(SHORTEST_NAME, NAME + width - NARROWEST_BAR)
    width = max(1, style.width - 1 - name - waited - took - 2)
    wall = ms(drawn.wall_ns, style)
    name_of = trace_name(trace.trace_id, drawn.start_ns)
    head = f"{title}: {clean(trace.route, style)}, {wall}, {name_of}"
    end = right(wall, width - 1) if len(wall) < width else ""  # the head has it too
    axis = f"{'':<{name}}{'waited':>{waited}}{'took':>{took}}  0{end}"
    lines = [*wrap(head, style.width, "bold"), [Piece(axis, "dim")]]
    for bar, wait, length in zip(shown, waits, lengths, strict=True):
        suffix = f" ({bar.mark})" if bar.mark else ""
        text = fit("  " * bar.depth + clean(bar.name, style), name - 1, style, suffix)
        ink = "red" if bar.mark else "" if bar.on_path else "dim"
        lines.append([Piece(left(text, name), ink), Piece(right(wait, waited)), Piece(right(length, took))])
        lines[-1] += [Piece("  "), *_drawn(bar, drawn, width, style)]
    kept = set(map(id, shown))
    hidden = [bar for bar in drawn.bars if id(bar) not in kept]
    if hidden:
        wait = ms(sum(bar.waited_ns for bar in hidden), style)
        lines.append([Piece(left(f"  {plural(len(hidden), 'more span')}", name) + right(wait, waited), "dim")])
    return lines + _outside(drawn, style) + _imports(trace, style)


def _imports(trace: Trace, style: Style) -> list[Line]:
    """The slowest imports of a cold start, if the kit's init span has them."""
    found = [one for span in trace.spans for one in _texts(span.attributes.get("lambda.init.imports"))]
    if not found:
        return []
    return [[], *wrap(f"Slowest imports of the cold start: {clean(', '.join(found), style)}.", style.width)]


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, (list, tuple)) else []


def _longest(every: list[Bar], most: int) -> list[Bar]:
    if len(every) <= most:
        return every
    # A bar is at least as important as its children, so that no bar is kept without its parent.
    order = sorted(range(len(every)), key=lambda at: (-(every[at].waited_ns + every[at].waited_below_ns), at))
    return [every[at] for at in sorted(order[:most])]


def _drawn(bar: Bar, waterfall: Waterfall, width: int, style: Style) -> list[Piece]:
    zero, wall = waterfall.start_ns, max(waterfall.wall_ns, 1)

    def cell(at: int) -> int:
        return max(0, min(width - 1, (at - zero) * width // wall))

    def cell_end(at: int) -> int:
        return min(width, (2 * (at - zero) * width + wall) // (2 * wall))

    first = cell(bar.start_ns)
    cells = [" "] * width
    for at in range(first, max(first + 1, cell_end(bar.end_ns))):
        cells[at] = style.waiting if bar.on_path else style.off_path
    for start, end in bar.owned:
        if 3 * (end - start) * width > wall:  # shorter than a third of a cell: a filled cell would exaggerate it
            begin = cell(start)
            for at in range(begin, min(width, max(begin + 1, cell_end(end)))):
                cells[at] = style.waited
    if bar.owned and not bar.waited_below_ns and style.waited not in cells:
        return [Piece(" " * first + style.tick)]
    return _inked("".join(cells).rstrip(" "), style)


def _inked(text: str, style: Style) -> list[Piece]:
    pieces: list[Piece] = []
    for letter in text:
        ink = "" if letter in (style.waited, " ") else "dim"
        if pieces and pieces[-1].ink == ink:
            pieces[-1] = Piece(pieces[-1].text + letter, ink)
        else:
            pieces.append(Piece(letter, ink))
    return pieces


def _outside(waterfall: Waterfall, style: Style) -> list[Line]:
    """The spans of the trace that are not in the tree of the request."""
    found: list[str] = []
    orphans, others = waterfall.orphans, waterfall.others
    if orphans:
        names = ", ".join(clean(span.name, style) for span in orphans[:3])
        more = style.ellipsis if len(orphans) > 3 else ""
        found.append(f"{plural(len(orphans), 'orphan')} (the parent was never recorded): {names}{more}")
    if others:
        found.append(f"{plural(len(others), 'more root')} in this trace: {clean(others[0].name, style)}")
    for span in waterfall.aside[:MOST_ASIDE]:
        took = ms(max(0, (span.end_ns or span.start_ns) - span.start_ns), style)
        found.append(f"Continued off the critical path: {clean(span.name, style)}, {took}")
    if len(waterfall.aside) > MOST_ASIDE:
        found.append(f"{plural(len(waterfall.aside) - MOST_ASIDE, 'more')} continued off the critical path")
    return [line for text in found for line in wrap(text, style.width, "dim")]
