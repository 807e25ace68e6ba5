"""The waterfall of one request: what it waited for, in which order, and what ran without being waited for."""

from __future__ import annotations

from lambda_latency.latency.charge import charges
from lambda_latency.latency.names import span_name, trace_name
from lambda_latency.latency.rows import Row, beside, interval, mark, rows
from lambda_latency.text.style import Line, Piece, Style
from lambda_latency.text.words import clean, fit, left, ms, plural, right, wrap
from lambda_latency.trace import CriticalPath, Trace, critical_path

__all__ = ["waterfall"]

WAITED, TOOK = 9, 11
NAME, SHORTEST_NAME = 37, 25
NARROWEST_BAR = 12
MOST_ROWS = 40


def waterfall(trace: Trace, style: Style, *, title: str = "The request", most_rows: int = MOST_ROWS) -> list[Line]:
    """A head, and a row for each span: `waited` adds up to the request's time exactly.

    Of more spans than `most_rows` those are shown that the request waited for longest.
    """
    path = critical_path(trace)
    charged = charges(trace, path.waiting)
    bar = style.width - 1 - NAME - WAITED - TOOK - 2
    name = NAME if bar >= NARROWEST_BAR else max(SHORTEST_NAME, NAME + bar - NARROWEST_BAR)
    bar = style.width - 1 - name - WAITED - TOOK - 2
    wall = ms(path.wall_ns, style)
    head = f"{title}: {clean(trace.route, style)}, {wall}, {trace_name(trace.trace_id)}"
    axis = f"{'':<{name}}{'waited':>{WAITED}}{'took':>{TOOK}}  0{right(wall, bar - 1)}"
    lines = [*wrap(head, style.width, "bold"), [Piece(axis, "dim")]]
    every = rows(trace, path)
    shown = _longest(every, most_rows)
    for row in shown:
        start, end = interval(row, path)
        wrong = mark(trace, row.span)
        suffix = f" ({wrong})" if wrong else ""
        text = clean(span_name(trace, row.span, charged[row.span.span_id]), style)
        text = fit("  " * row.depth + text, name - 1, style, suffix)
        waited = ms(row.waited_ns, style) if row.sections else "-"
        drawn = _bar(row, start, end, path, bar, style)
        ink = "red" if wrong else "" if row.on_path else "dim"
        lines.append(
            [Piece(left(text, name), ink), Piece(right(waited, WAITED)), Piece(right(ms(end - start, style), TOOK))]
        )
        lines[-1] += [Piece("  "), *drawn]
    kept = set(map(id, shown))
    hidden = [row for row in every if id(row) not in kept]
    if hidden:
        waited = ms(sum(row.waited_ns for row in hidden), style)
        lines.append([Piece(left(f"  {plural(len(hidden), 'more span')}", name) + right(waited, WAITED), "dim")])
    return lines + _beside(trace, path, style) + _imports(trace, style)


def _imports(trace: Trace, style: Style) -> list[Line]:
    """What a cold start has imported that took longest, as far as the kit's init says it."""
    found = [one for span in trace.spans for one in _texts(span.attributes.get("lambda.init.imports"))]
    if not found:
        return []
    return [[], *wrap(f"Slowest imports of the cold start: {clean(', '.join(found), style)}.", style.width)]


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, (list, tuple)) else []


def _longest(every: list[Row], most: int) -> list[Row]:
    if len(every) <= most:
        return every
    # A row stands for at least what stands below it, so no row is kept without the one above it.
    order = sorted(range(len(every)), key=lambda at: (-(every[at].waited_ns + every[at].waited_below_ns), at))
    return [every[at] for at in sorted(order[:most])]


def _bar(row: Row, start: int, end: int, path: CriticalPath, width: int, style: Style) -> list[Piece]:
    zero, wall = path.waiting.start_ns, max(path.wall_ns, 1)

    def cell(at: int) -> int:
        return max(0, min(width - 1, (at - zero) * width // wall))

    def cell_end(at: int) -> int:
        return min(width, (2 * (at - zero) * width + wall) // (2 * wall))

    first = cell(start)
    cellsful = [" "] * width
    for at in range(first, max(first + 1, cell_end(end))):
        cellsful[at] = style.waiting if row.on_path else style.off_path
    for section in row.sections:
        if 3 * section.ns * width > wall:  # shorter than a third of a cell: to fill the cell would be a lie
            begin = cell(section.start_ns)
            for at in range(begin, min(width, max(begin + 1, cell_end(section.end_ns)))):
                cellsful[at] = style.waited
    if row.sections and not row.waited_below_ns and style.waited not in cellsful:
        return [Piece(" " * first + style.tick)]
    return _inked("".join(cellsful).rstrip(" "), style)


def _inked(text: str, style: Style) -> list[Piece]:
    pieces: list[Piece] = []
    for letter in text:
        ink = "" if letter in (style.waited, " ") else "dim"
        if pieces and pieces[-1].ink == ink:
            pieces[-1] = Piece(pieces[-1].text + letter, ink)
        else:
            pieces.append(Piece(letter, ink))
    return pieces


def _beside(trace: Trace, path: CriticalPath, style: Style) -> list[Line]:
    """What belongs to the trace but not to the tree of its request."""
    lines: list[Line] = []
    orphans, others = beside(trace, path)
    if orphans:
        names = ", ".join(clean(span.name, style) for span in orphans[:3])
        more = style.ellipsis if len(orphans) > 3 else ""
        count = plural(len(orphans), "orphan")
        lines.append([Piece(f"{count} (the parent was never recorded): {names}{more}", "dim")])
    if others:
        lines.append(
            [Piece(f"{plural(len(others), 'more root')} in this trace: {clean(others[0].name, style)}", "dim")]
        )
    return lines
