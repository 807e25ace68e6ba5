"""The parts of one trace: what each span is charged to, where it stands in its tree."""

from __future__ import annotations

from typing import NamedTuple

from lambda_latency.latency.buckets import part_of
from lambda_latency.latency.calls import Calls, calls_of, retries_of
from lambda_latency.latency.part import COLD_START, OWN_CODE, Part, resource_of
from lambda_latency.latency.retries import between_attempts
from lambda_latency.latency.shape import shape_of
from lambda_latency.trace import Span, SpanKind, Trace, Waiting
from lambda_latency.trace.platform import FUNCTION, is_function_handler, is_platform_phase

__all__ = ["Charge", "charge_of", "charges"]

CALLS = ("aws", "external", "database", "retries")
OUTSIDE = ("api gateway", "lambda")


class Charge(NamedTuple):
    """What a span's own time is charged to, the call that it is (if any), and whether another party recorded it."""

    part: Part
    call: Calls | None
    foreign: bool


def charges(trace: Trace, tree: Waiting) -> dict[str, Charge]:
    """For each span of the request its charge, by span id."""
    found: dict[str, Charge] = {}
    stack: list[tuple[Span, Span | None]] = [(tree.outermost, None)]
    if tree.before is not None:
        stack.append((tree.before, None))
    while stack:
        span, above = stack.pop()
        outer = found[above.span_id] if above is not None else None
        parent = trace.parent(span)
        found[span.span_id] = charge_of(span, parent, above, _holds(tree, span, parent), outer)
        stack += [(child, span) for child in tree.children(span)]
    return found


def charge_of(span: Span, parent: Span | None, above: Span | None, holds: str, outer: Charge | None) -> Charge:
    """The charge of a span with this recorded parent below `above`, which waits for it and has the charge `outer`.

    Ids and times do not matter: the answer is the same for all spans of a shape.
    """
    if outer is not None and outer.part.bucket == "external" and (outer.foreign or span.kind is SpanKind.SERVER):
        return Charge(outer.part, None, foreign=True)  # inside of whom we called: still the time of that call
    part = part_of(shape_of(span, parent, holds))
    if part is None:
        return Charge(OWN_CODE if outer is None or outer.part.bucket in OUTSIDE else outer.part, None, foreign=False)
    if outer is not None and above is not None and outer.part.bucket in CALLS and _is_call(span) and _is_call(above):
        return Charge(outer.part, None, foreign=False)  # the HTTP client under the SDK: one call, not two
    if part.bucket == "connect" and not part.name and outer is not None:
        part = Part("connect", outer.part.name)
    if part.bucket == "aws" and retries_of(span) and between_attempts(span) is None:
        part = Part("retries", resource_of(part.name))  # all of the call, for nothing tells its attempts apart
    # The kit's init inside Lambda's Initialization is the same cold start.
    counted = part.bucket in CALLS or (part == COLD_START and (outer is None or outer.part != COLD_START))
    return Charge(part, calls_of(span) if counted else None, foreign=False)


def _is_call(span: Span) -> bool:
    return span.kind in (SpanKind.CLIENT, SpanKind.PRODUCER)


def _holds(tree: Waiting, span: Span, parent: Span | None) -> str:
    """What is known of the inside of Lambda's function segment or of its Invocation."""
    invocation = span.name == "Invocation" and is_platform_phase(span, parent)
    if span.origin != FUNCTION and not invocation:
        return ""
    inside = tree.children(span)
    if not invocation and any(child.name == "Invocation" and is_platform_phase(child, span) for child in inside):
        return "invocation"
    if any(is_function_handler(child) or child.kind is SpanKind.SERVER for child in inside):
        return "handler"
    return "calls" if any(not is_platform_phase(child, span) for child in inside) else ""
