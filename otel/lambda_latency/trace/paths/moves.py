"""Finds the row that waits for a row, where that is not its recorded parent, or no parent was recorded.

X-Ray records Initialization as a child of the function segment although it precedes that segment, and it often records
the calls of a handler beside Invocation instead of below it. The children of a parent that was not recorded form one
request below a stand-in row.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING

from lambda_latency.trace.model.platform import FUNCTION
from lambda_latency.trace.model.row import Row
from lambda_latency.trace.model.shape import ASIDE, FUNCTION_SEGMENT, INIT, SERVES, Shape
from lambda_latency.trace.model.span import SpanKind, Status
from lambda_latency.trace.paths.skew import service_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    Rows = Mapping[str, Row]  # by span id
    Children = Mapping[str, Sequence[Row]]

_start = attrgetter("start_ns", "span_id")


def above(rows: Rows, row: Row) -> Iterator[Row]:
    """The recorded ancestors of a row, from its parent upwards."""
    parent = rows.get(row.parent_id)
    while parent is not None:
        yield parent
        parent = rows.get(parent.parent_id)


def begins_with_init(outermost: Row) -> bool:
    """Whether an init may precede the outermost span: API Gateway and the Lambda service enclose their init."""
    return outermost.shape.origin in (None, FUNCTION)


def moves(marked: Sequence[Row], outermost: Row, rows: Rows, children: Children) -> list[tuple[Row, Row | None]]:
    """Each row to move, with the row that waits for it; None for an init before the request."""
    found: list[tuple[Row, Row | None]] = []
    for row in marked:
        roles = row.shape.roles
        if roles & INIT and row is not outermost:
            parent = rows.get(row.parent_id)
            if parent is not None and (not row.shape.phase or parent.shape.roles & FUNCTION_SEGMENT):
                found.append((row, _around_init(row, parent, outermost, rows, children)))
        if roles & FUNCTION_SEGMENT:
            found += _into_invocations(children.get(row.span_id, ()), outermost)
    return found


def beside_calls(marked: Sequence[Row], rows: Rows, children: Children) -> list[tuple[Row, Row]]:
    """Each server that is recorded beside the call that it answers, with that call.

    Some callers send the context of the span around a call. The call is the last one that starts before the server, if
    the server lies inside, no span below the call answers it, and it names no other callee.
    """
    found: list[tuple[Row, Row]] = []
    unanswered: dict[str, list[Row]] = {}
    for row in marked:
        if row.shape.kind is not SpanKind.SERVER or row.shape.origin is not None or row.shape.roles & ASIDE:
            continue
        parent = rows.get(row.parent_id)
        if parent is None or parent.shape.origin is not None or parent.shape.is_call:
            continue
        service = service_of(row)
        if not service or service_of(parent) in ("", service):
            continue
        calls = unanswered.get(row.parent_id)
        if calls is None:
            siblings = children[row.parent_id]
            calls = sorted((one for one in siblings if _is_unanswered(one, children)), key=_start)
            unanswered[row.parent_id] = calls
        at = bisect_right(calls, row.start_ns, key=attrgetter("start_ns"))
        if at and row.end_ns <= calls[at - 1].end_ns and _may_name(calls[at - 1], service):
            found.append((row, calls[at - 1]))
    return found


def _is_unanswered(row: Row, children: Children) -> bool:
    """Whether a span is a call to a service, and no span below it answers it."""
    shape = row.shape
    if shape.kind is not SpanKind.CLIENT or shape.database or shape.is_aws_call or shape.text("rpc.service"):
        return False
    return not any(below.shape.roles & SERVES for below in children.get(row.span_id, ()))


def _may_name(call: Row, service: str) -> bool:
    """Whether a call names no callee, or this service."""
    host, name = call.shape.host.lower(), service.lower()
    return host in ("", name) or host.startswith(f"{name}.")


def _into_invocations(siblings: Sequence[Row], outermost: Row) -> Iterator[tuple[Row, Row]]:
    """The children of a function segment that start during an Invocation beside them, each with that Invocation."""
    invocations = [one for one in siblings if one.shape.phase == "Invocation"]
    for row in siblings if invocations else ():
        if row.shape.phase or row.shape.roles & INIT or row is outermost:
            continue
        around = [one for one in invocations if one.start_ns <= row.start_ns < (one.end_ns or row.start_ns + 1)]
        if around:
            yield row, around[0] if len(around) == 1 else min(around, key=_start)


def _around_init(init: Row, parent: Row, outermost: Row, rows: Rows, children: Children) -> Row | None:
    """The nearest ancestor that covers most of an init; None if the init precedes all of them."""
    if not init.shape.phase:  # the kit's init repeats Lambda's own: below Lambda's, the time counts once
        around = (one for one in (parent, *above(rows, parent)) if one.shape.roles & FUNCTION_SEGMENT)
        function = next(around, None)
        siblings = children.get(function.span_id, ()) if function is not None else ()
        platform = [one for one in siblings if one.shape.phase and one.shape.roles & INIT]
        if platform:
            return min(platform, key=_start)
    end, at = init.end_ns or init.start_ns, parent
    while at is not outermost or not begins_with_init(outermost):
        covered = end - max(init.start_ns, at.start_ns)
        if 2 * covered >= end - init.start_ns:  # most of it, not all: clocks differ by a little
            return at
        if at is outermost:
            return at if covered > 0 else None
        higher = rows.get(at.parent_id)
        if higher is None:
            return parent
        at = higher
    return at if at.start_ns <= init.start_ns else None


NAME = "the span that called these was not recorded"
ABSENT = Shape(NAME, SpanKind.INTERNAL, Status.UNSET, None, "", {}, {})


def absent_parents(tops: Collection[Row]) -> list[Row]:
    """One row for each unrecorded parent of two or more `tops`, in descending order of end; none if a top is a root.

    `tops` are the rows of a trace without a recorded parent. The new row lasts from the first start to the last end of
    the tops below it.
    """
    if len(tops) < 2 or not all(row.parent_id for row in tops):
        return []
    by_parent: dict[str, list[Row]] = {}
    for row in tops:
        by_parent.setdefault(row.parent_id, []).append(row)
    found = [
        Row(
            parent_id,
            "",
            min(row.start_ns for row in rows),
            max(max(row.start_ns, row.end_ns) for row in rows),
            ABSENT,
            NAME,
        )
        for parent_id, rows in by_parent.items()
        if len(rows) > 1 and parent_id.strip("0123456789abcdef") == ""  # a cut cycle has a parent id that is not hex
    ]
    return sorted(found, key=lambda row: (-row.end_ns, row.span_id))
