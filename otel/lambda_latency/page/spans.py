"""The spans of one request as a line of JSON: what a waterfall is drawn from. Times begin with the request."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lambda_latency.latency.account import charged_sections
from lambda_latency.latency.charge import charges
from lambda_latency.latency.names import span_name
from lambda_latency.latency.rows import Row, beside, interval, mark, rows
from lambda_latency.trace import SpanKind, critical_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.latency.charge import Charge
    from lambda_latency.latency.part import Part
    from lambda_latency.trace import CriticalPath, Span, Trace

__all__ = ["spans_line"]

LARGEST_INT = 2**53  # beyond it JavaScript rounds
DEEPEST = 8


def spans_line(trace: Trace, number_of: Callable[[Part], int]) -> str:
    """Rows in the order of the tree with the number of their parent's, and the path as `[row, start, end, part]`."""
    path = critical_path(trace)
    charged = charges(trace, path.waiting)
    every = rows(trace, path)
    number: dict[str, int] = {}
    for at, row in enumerate(every):
        for span in (row.span, *row.inside):
            number[span.span_id] = at
    zero = path.waiting.start_ns
    orphans, others = beside(trace, path)
    told = {
        "spans": [_row(trace, row, path, charged, number, number_of) for row in every],
        "path": [
            [number[section.span.span_id], section.start_ns - zero, section.end_ns - zero, number_of(part)]
            for section, part in charged_sections(trace, path, charged)
        ],
        "orphans": [span.name for span in orphans],
        "others": [span.name for span in others],
    }
    return json.dumps(told, separators=(",", ":"))


def _row(
    trace: Trace,
    row: Row,
    path: CriticalPath,
    charged: Mapping[str, Charge],
    number: Mapping[str, int],
    number_of: Callable[[Part], int],
) -> dict[str, object]:
    span, zero = row.span, path.waiting.start_ns
    start, end = interval(row, path)
    told: dict[str, object] = {
        "name": span_name(trace, span, charged[span.span_id]),
        "parent": number[row.above.span.span_id] if row.above is not None else -1,
        "part": number_of(charged[span.span_id].part),
        "start": start - zero,
        "end": end - zero,
        "mark": mark(trace, span),
        "open": span.end_ns is None or span.provisional,
        "details": [_details(one, zero) for one in (span, *row.inside)],
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
    """A value as JSON has it and JavaScript keeps it."""
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
