"""The waterfall of one request: what it waited for, in which order, and what ran without being waited for."""

from __future__ import annotations

from dataclasses import dataclass, field

from otel.latency.calls import is_failed, is_throttled
from otel.latency.charge import charges
from otel.latency.names import span_name, trace_name
from otel.latency.text.style import Line, Piece, Style
from otel.latency.text.words import clean, fit, left, ms, plural, right, wrap
from otel.latency.timeouts import is_running
from otel.trace import CriticalPath, Section, Span, Trace, critical_path
from otel.trace.platform import FUNCTION, SERVICE, is_platform_phase

__all__ = ["waterfall"]

WAITED, TOOK = 9, 11
NAME, SHORTEST_NAME = 37, 25
NARROWEST_BAR = 12
MOST_ROWS = 40


@dataclass(slots=True, eq=False)
class _Row:
    span: Span
    depth: int
    above: _Row | None
    sections: list[Section] = field(default_factory=list)
    waited_below_ns: int = 0

    @property
    def waited_ns(self) -> int:
        return sum(section.ns for section in self.sections)


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
    rows = _rows(trace, path)
    shown = _longest(rows, most_rows)
    for row in shown:
        start, end = _interval(row, path)
        suffix, ink = _mark(trace, row)
        text = clean(span_name(trace, row.span, charged[row.span.span_id]), style)
        text = fit("  " * row.depth + text, name - 1, style, suffix)
        waited = ms(row.waited_ns, style) if row.sections else "-"
        on_path = bool(row.sections or row.waited_below_ns)
        drawn = _bar(row, start, end, path, bar, style)
        ink = ink or ("" if on_path else "dim")
        lines.append(
            [Piece(left(text, name), ink), Piece(right(waited, WAITED)), Piece(right(ms(end - start, style), TOOK))]
        )
        lines[-1] += [Piece("  "), *drawn]
    kept = set(map(id, shown))
    hidden = [row for row in rows if id(row) not in kept]
    if hidden:
        waited = ms(sum(row.waited_ns for row in hidden), style)
        lines.append([Piece(left(f"  {plural(len(hidden), 'more span')}", name) + right(waited, WAITED), "dim")])
    return lines + _beside(trace, path, style)


def _rows(trace: Trace, path: CriticalPath) -> list[_Row]:
    """The rows in the order of the tree, each with the sections that it owns."""
    rows: list[_Row] = []
    by_id: dict[str, _Row] = {}
    for span, _ in path.waiting.rows():
        parent = path.waiting.parent(span)
        above = by_id[parent.span_id] if parent is not None else None
        if above is not None and _is_inside(trace, span, path):
            by_id[span.span_id] = above
            continue
        row = _Row(span, above.depth + 1 if above is not None else 0, above)
        by_id[span.span_id] = row
        rows.append(row)
    for section in path.sections:
        by_id[section.span.span_id].sections.append(section)
    for row in reversed(rows):
        if row.above is not None:
            row.above.waited_below_ns += row.waited_ns + row.waited_below_ns
    return rows


def _is_inside(trace: Trace, span: Span, path: CriticalPath) -> bool:
    """Is it a segment that AWS nests for one thing: the function in its service, the Invocation in its function?"""
    parent = path.waiting.parent(span)
    if parent is None:
        return False
    if span.name == "Invocation" and is_platform_phase(span, trace.parent(span)):
        return True
    twins = [child for child in path.waiting.children(parent) if child.origin == FUNCTION]
    return span.origin == FUNCTION and parent.origin == SERVICE and len(twins) == 1


def _longest(rows: list[_Row], most: int) -> list[_Row]:
    if len(rows) <= most:
        return rows
    # A row stands for at least what stands below it, so no row is kept without the one above it.
    order = sorted(range(len(rows)), key=lambda at: (-(rows[at].waited_ns + rows[at].waited_below_ns), at))
    return [rows[at] for at in sorted(order[:most])]


def _interval(row: _Row, path: CriticalPath) -> tuple[int, int]:
    at: _Row | None = row
    while at is not None and at.span.end_ns is None:  # open: it ends with its parent
        at = at.above
    end = path.waiting.end_ns if at is None or at.span.end_ns is None else at.span.end_ns
    return row.span.start_ns, max(end, row.span.start_ns)


def _mark(trace: Trace, row: _Row) -> tuple[str, str]:
    """What went wrong with a span, said behind its name; and the ink for it."""
    span = row.span
    if is_running(trace, span):
        return " (running)", "red"
    if span.origin is not None:
        return "", ""
    if is_throttled(span):
        return " (throttled)", "red"
    if is_failed(span):
        code = span.attributes.get("http.response.status_code") or span.attributes.get("http.status_code")
        return f" ({code})" if isinstance(code, int) and code >= 400 else " (error)", "red"
    return "", ""


def _bar(row: _Row, start: int, end: int, path: CriticalPath, width: int, style: Style) -> list[Piece]:
    zero, wall = path.waiting.start_ns, max(path.wall_ns, 1)

    def cell(at: int) -> int:
        return max(0, min(width - 1, (at - zero) * width // wall))

    def cell_end(at: int) -> int:
        return min(width, (2 * (at - zero) * width + wall) // (2 * wall))

    on_path = bool(row.sections or row.waited_below_ns)
    first = cell(start)
    cellsful = [" "] * width
    for at in range(first, max(first + 1, cell_end(end))):
        cellsful[at] = style.waiting if on_path else style.off_path
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
    if trace.orphans:
        names = ", ".join(clean(span.name, style) for span in trace.orphans[:3])
        more = style.ellipsis if len(trace.orphans) > 3 else ""
        orphans = plural(len(trace.orphans), "orphan")
        lines.append([Piece(f"{orphans} (the parent was never recorded): {names}{more}", "dim")])
    top = path.waiting.outermost
    above = trace.parent(top)
    while above is not None:
        top, above = above, trace.parent(above)
    others = [span for span in trace.tops if span is not top and span not in trace.orphans]
    if others:
        lines.append(
            [Piece(f"{plural(len(others), 'more root')} in this trace: {clean(others[0].name, style)}", "dim")]
        )
    return lines
