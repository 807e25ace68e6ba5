"""The spans of one request as a line, the data of its waterfall. Times are relative to the request's start."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lambda_latency.latency import NOBODY, Bar, Owners, Part, waterfall_of
from lambda_latency.trace import SpanKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.trace import Span, Trace

LARGEST_INT = 2**53  # JavaScript rounds larger integers
DEEPEST = 8


def spans_line(trace: Trace, number_of: Callable[[Part], int], owners: Owners = NOBODY) -> str:
    """JSON texts with a tab between them: first the rows in tree order with the parent's index, and the path as
    `[row, start, end, part]` (nanoseconds); then the details of each row, which a browser parses one by one."""
    drawn = waterfall_of(trace, owners)
    number = {id(bar): at for at, bar in enumerate(drawn.bars)}
    zero = drawn.start_ns
    told = {
        "spans": [_row(bar, zero, number, number_of) for bar in drawn.bars],
        "path": [
            [
                number[id(drawn.bar_of[one.row.span_id])],
                one.start_ns - zero,
                one.end_ns - zero,
                number_of(one.part),
            ]
            for one in drawn.path
        ],
        "orphans": [span.name for span in drawn.orphans],
        "others": [span.name for span in drawn.others],
        "aside": [span.name for span in drawn.aside],
    }
    details = ([_details(one, zero) for one in (bar.span, *bar.inside)] for bar in drawn.bars)
    return "\t".join(json.dumps(one, separators=(",", ":")) for one in (told, *details))


def _row(bar: Bar, zero: int, number: Mapping[int, int], number_of: Callable[[Part], int]) -> dict[str, object]:
    span = bar.span
    told: dict[str, object] = {
        "name": bar.name,
        "parent": number[id(bar.above)] if bar.above is not None else -1,
        "part": number_of(bar.part),
        "start": bar.start_ns - zero,
        "end": bar.end_ns - zero,
        "mark": bar.mark,
        "open": span.end_ns is None or span.provisional,
    }
    return {name: value for name, value in told.items() if value != "" and value is not False}


def _details(span: Span, zero: int) -> dict[str, object]:
    told: dict[str, object] = {
        "span_id": span.span_id,
        "name": span.name,
        "kind": "" if span.kind is SpanKind.INTERNAL else span.kind.name,
        "scope": span.scope.name,
        "service": span.resource.get("service.name", ""),
        "status": span.status.name if span.status.value else "",
        "message": span.status_message,
        "attributes": _plain(dict(span.attributes)),
        "events": [
            {"name": one.name, "at": one.time_ns - zero, "attributes": _plain(dict(one.attributes))}
            for one in span.events
        ],
        "links": [{"trace_id": one.trace_id, "span_id": one.span_id} for one in span.links],
    }
    return {name: value for name, value in told.items() if value not in ("", {}, [])}


def _plain(value: object, depth: int = 0) -> object:
    """A value that JSON and JavaScript represent exactly."""
    if isinstance(value, (str, bool)) or value is None:
        return value
    if isinstance(value, int):
        return value if -LARGEST_INT < value < LARGEST_INT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if depth == DEEPEST:
        return "..."
    if isinstance(value, Mapping):
        return {str(name): _plain(one, depth + 1) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one, depth + 1) for one in value]
    return str(value)
