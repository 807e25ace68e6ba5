"""Re-parents spans: finds the span that waits for a span, where that is not its recorded parent, or none was recorded.

X-Ray records Initialization as a child of the function segment although it precedes that segment, and it often records
the calls of a handler as siblings of Invocation instead of as its children. The children of a parent that was not
recorded form one request below a span that represents the parent.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import attrgetter

from lambda_latency.trace.model.compact_span import CompactSpan
from lambda_latency.trace.model.ids import DIGITS
from lambda_latency.trace.model.platform import FUNCTION
from lambda_latency.trace.model.signature import DETACHED, FUNCTION_SEGMENT, INIT, SERVES, Signature, Traits
from lambda_latency.trace.model.span import SpanKind, Status
from lambda_latency.trace.paths.skew import service_of

Rows = Mapping[str, CompactSpan]  # by span id
Children = Mapping[str, Sequence[CompactSpan]]

_start = attrgetter("start_ns", "span_id")


def above(spans: Rows, span: CompactSpan) -> Iterator[CompactSpan]:
    """The recorded ancestors of a span, from its parent upwards."""
    parent = spans.get(span.parent_id)
    while parent is not None:
        yield parent
        parent = spans.get(parent.parent_id)


def begins_with_init(request_root: CompactSpan) -> bool:
    """Whether an init may precede the request's root span: API Gateway and the Lambda service enclose their init."""
    return request_root.signature.origin in (None, FUNCTION)


def new_parents(
    marked: Sequence[CompactSpan], request_root: CompactSpan, spans: Rows, children: Children
) -> list[tuple[CompactSpan, CompactSpan | None]]:
    """Return each span to re-parent, with the span that waits for it; None for an init before the request."""
    reparented: list[tuple[CompactSpan, CompactSpan | None]] = []
    for span in marked:
        roles = span.signature.roles
        if roles & INIT and span is not request_root:
            parent = spans.get(span.parent_id)
            if parent is not None and (not span.signature.phase or parent.signature.roles & FUNCTION_SEGMENT):
                platform_init = None if span.signature.phase else _platform_init(parent, spans, children)
                reparented.append((span, platform_init or _nearest_around(span, parent, request_root, spans)))
        if roles & FUNCTION_SEGMENT:
            reparented += _into_invocations(children.get(span.span_id, ()), request_root)
    return reparented


def answered_calls(
    marked: Sequence[CompactSpan], spans: Rows, children: Children
) -> list[tuple[CompactSpan, CompactSpan]]:
    """Return each server that is recorded as a sibling of the call that it answers, with that call.

    Some callers send the context of the span around a call. The call is the last one that starts before the server, if
    the server lies inside, no span below the call answers it, and it names no other callee.
    """
    answered: list[tuple[CompactSpan, CompactSpan]] = []
    unanswered: dict[str, list[CompactSpan]] = {}
    for span in marked:
        if not _is_served_for(spans.get(span.parent_id), span):
            continue
        calls = unanswered.get(span.parent_id)
        if calls is None:
            siblings = children[span.parent_id]
            calls = sorted((s for s in siblings if _is_unanswered(s, children)), key=_start)
            unanswered[span.parent_id] = calls
        index = bisect_right(calls, span.start_ns, key=attrgetter("start_ns"))
        call = calls[index - 1] if index else None
        if call is not None and span.end_ns <= call.end_ns and _may_name(call, service_of(span)):
            answered.append((span, call))
    return answered


def _is_served_for(parent: CompactSpan | None, span: CompactSpan) -> bool:
    """Whether a span is a server whose parent is a span of another service, but not the call."""
    if (
        span.signature.kind is not SpanKind.SERVER
        or span.signature.origin is not None
        or span.signature.roles & DETACHED
    ):
        return False
    if parent is None or parent.signature.origin is not None or parent.signature.is_call:
        return False
    service = service_of(span)
    return bool(service) and service_of(parent) not in ("", service)


def _is_unanswered(span: CompactSpan, children: Children) -> bool:
    """Whether a span is a call to a service, and no span below it answers it."""
    signature = span.signature
    if (
        signature.kind is not SpanKind.CLIENT
        or signature.database
        or signature.is_aws_call
        or signature.text("rpc.service")
    ):
        return False
    return not any(below.signature.roles & SERVES for below in children.get(span.span_id, ()))


def _may_name(call: CompactSpan, service: str) -> bool:
    """Whether a call names no callee, or this service."""
    host, name = call.signature.host.lower(), service.lower()
    return host in ("", name) or host.startswith(f"{name}.")


def _into_invocations(
    siblings: Sequence[CompactSpan], request_root: CompactSpan
) -> Iterator[tuple[CompactSpan, CompactSpan]]:
    """Yield the children of a function segment that start during a sibling Invocation, each with that Invocation."""
    invocations = [span for span in siblings if span.signature.phase == "Invocation"]
    invocations.sort(key=_start)
    for span in siblings if invocations else ():
        if span.signature.phase or span.signature.roles & INIT or span is request_root:
            continue
        around = _first_around(span.start_ns, invocations)
        if around is not None:
            yield span, around


def _first_around(instant_ns: int, invocations: Sequence[CompactSpan]) -> CompactSpan | None:
    return next((i for i in invocations if i.start_ns <= instant_ns < (i.end_ns or instant_ns + 1)), None)


def _nearest_around(
    init: CompactSpan, parent: CompactSpan, request_root: CompactSpan, spans: Rows
) -> CompactSpan | None:
    """The nearest ancestor that covers most of an init; None if the init precedes all of them."""
    end, ancestor = init.end_ns or init.start_ns, parent
    while ancestor is not request_root or not begins_with_init(request_root):
        covered = end - max(init.start_ns, ancestor.start_ns)
        if 2 * covered >= end - init.start_ns:  # most of it, not all: clocks differ by a little
            return ancestor
        if ancestor is request_root:
            return ancestor if covered > 0 else None
        higher = spans.get(ancestor.parent_id)
        if higher is None:
            return parent
        ancestor = higher
    return ancestor if ancestor.start_ns <= init.start_ns else None


def _platform_init(parent: CompactSpan, spans: Rows, children: Children) -> CompactSpan | None:
    """Lambda's own init in the function segment around `parent`, if any.

    The kit's init repeats it: below Lambda's, the time counts once.
    """
    function = next((span for span in (parent, *above(spans, parent)) if span.signature.roles & FUNCTION_SEGMENT), None)
    siblings = children.get(function.span_id, ()) if function is not None else ()
    return min(
        (span for span in siblings if span.signature.phase and span.signature.roles & INIT), key=_start, default=None
    )


NAME = "the span that called these was not recorded"
ABSENT = Signature(Traits(NAME, "", SpanKind.INTERNAL, Status.UNSET, None, frozenset(), False), {}, {})


def absent_parents(local_roots: Collection[CompactSpan]) -> list[CompactSpan]:
    """One span for each unrecorded parent of two or more roots, in descending order of end; none if one has no parent.

    `local_roots` are the spans of a trace without a recorded parent. The new span lasts from the first start to the
    last end of the spans below it.
    """
    if len(local_roots) < 2 or not all(span.parent_id for span in local_roots):
        return []
    by_parent: dict[str, list[CompactSpan]] = {}
    for span in local_roots:
        by_parent.setdefault(span.parent_id, []).append(span)
    parents: list[CompactSpan] = []
    for parent_id, children in by_parent.items():
        if len(children) > 1 and not parent_id.strip(DIGITS):  # a cut cycle has a parent id that is not hex
            start_ns = min(span.start_ns for span in children)
            end_ns = max(max(span.start_ns, span.end_ns) for span in children)
            parents.append(CompactSpan(parent_id, "", start_ns, end_ns, ABSENT, NAME))
    return sorted(parents, key=lambda span: (-span.end_ns, span.span_id))
