"""Lists the differences between one span and its expectation, one line each, without children."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from lambda_latency.testing.expected import ANYTHING, ExpectedEvent, ExpectedSpan, Remote, equal, shown_ns
from lambda_latency.testing.node import Node
from lambda_latency.trace import Event, Link, Span, Status

ABSENT = object()
LONGEST = 60  # characters of one value


def is_as_expected(expected: ExpectedSpan, node: Node) -> bool:
    """Whether there are no differences; faster than listing them."""
    span = node.span
    return (
        not node.faults
        and span.kind is expected.kind
        and (span.status is expected.status or (expected.status is None and span.status is not Status.ERROR))
        and equal(expected.name, span.name)
        and all(equal(attribute, span.attributes.get(key, ABSENT)) for key, attribute in expected.attributes.items())
        and not (expected.says_more and any(_rarer(expected, span)))
    )


def differences(expected: ExpectedSpan, node: Node) -> list[str]:
    """One line per difference; broken guarantees come last."""
    span = node.span
    lines = []
    if not equal(expected.name, span.name):
        lines.append(f"name: expected {shown(expected.name)}")
    if span.kind is not expected.kind:
        lines.append(f"kind: {span.kind.name}, expected {expected.kind.name}")
    if span.status is not expected.status:
        lines += _status(expected.status, span)
    for key, value in expected.attributes.items():
        lines += _value(key, value, span.attributes.get(key, ABSENT))
    if expected.says_more:
        lines += _rarer(expected, span)
    return lines + node.faults


def _rarer(expected: ExpectedSpan, span: Span) -> Iterator[str]:
    if expected.raised is not ANYTHING:
        yield from _raised(expected.raised, span)
    if expected.parent is not ANYTHING:
        yield from _parent(expected.parent, span)
    if expected.service is not ANYTHING:
        yield from _value("service", expected.service, span.resource.get("service.name", ABSENT))
    if span.end_ns is not None and not equal(expected.took, span.end_ns - span.start_ns):
        yield f"took: {shown_ns(span.end_ns - span.start_ns)}, expected {expected.took}"
    if expected.links is not None:
        yield from _sequence("link", expected.links, span.links, _fits_link, _shown_link)
    if expected.events is not None:
        yield from _sequence("event", expected.events, span.events, _fits_event, _shown_event)


def shown(value: object) -> str:
    """A value in one line of bounded length."""
    if value is ABSENT:
        return "absent"
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _status(expected: Status | None, span: Span) -> Iterator[str]:
    if expected is not None or span.status is Status.ERROR:
        why = f" ({span.status_message})" if span.status_message else ""
        yield f"status: {span.status.name}{why}, expected {'no ERROR' if expected is None else expected.name}"


def _value(name: str, expected: object, recorded: object) -> Iterator[str]:
    if recorded is ABSENT or not equal(expected, recorded):
        yield f"{name}: {shown(recorded)}, expected {shown(expected)}"


def _raised(expected: Any, span: Span) -> Iterator[str]:
    raised = [str(event.attributes.get("exception.type", "")) for event in span.events if event.name == "exception"]
    if isinstance(expected, type):
        # The SDK writes `KeyError` and `botocore.exceptions.ClientError`; others write `builtins.KeyError`.
        full = f"{expected.__module__}.{expected.__qualname__}"
        names = {full, full.removeprefix("builtins.")}
        text = str(full.removeprefix("builtins."))
        fits = any(name in names for name in raised)
    else:
        text = str(expected) if isinstance(expected, str) else shown(expected)
        fits = any(equal(expected, name) for name in raised)
    if not fits:
        yield f"raised: {', '.join(raised) or 'nothing'}, expected {text}"


def _parent(expected: object, span: Span) -> Iterator[str]:
    if expected is None:
        if span.parent_id is not None:
            yield f"parent: {span.parent_id}, expected none"
    elif isinstance(expected, Remote):
        if span.parent_id is None:
            yield f"parent: none, expected {_shown_remote(expected)}"
        elif span.parent_remote is False:
            yield f"parent: {span.parent_id} of the same process, expected {_shown_remote(expected)}"
        elif not (equal(expected.trace_id, span.trace_id) and equal(expected.span_id, span.parent_id)):
            wrong_trace = not equal(expected.trace_id, span.trace_id)
            recorded = f"{span.parent_id} of trace {span.trace_id}" if wrong_trace else span.parent_id
            yield f"parent: {recorded}, expected {_shown_remote(expected, trace=wrong_trace)}"


def _shown_remote(expected: Remote, *, trace: bool = False) -> str:
    if expected.span_id is ANYTHING:
        named = "a span of another process"
    else:
        named = expected.span_id if isinstance(expected.span_id, str) else shown(expected.span_id)
    return f"{named} of trace {expected.trace_id}" if trace else str(named)


def _sequence(name: str, expected: tuple[object, ...], recorded: Sequence[Any], fits: Any, show: Any) -> Iterator[str]:
    """Compares member by member; with `...` among the expected ones, only as a whole."""
    if any(matcher is ... for matcher in expected):
        if not _all_fit(expected, recorded, fits):
            pattern = ", ".join("..." if matcher is ... else show(matcher) for matcher in expected)
            yield f"{name}s: {', '.join(map(show, recorded)) or 'none'}, expected {pattern}"
        return
    for number, (matcher, member) in enumerate(zip_longest(expected, recorded, fillvalue=ABSENT), start=1):
        if matcher is ABSENT:
            yield f"{name} {number}: {show(member)}, expected none"
        elif member is ABSENT:
            yield f"{name} {number}: absent, expected {show(matcher)}"
        elif not fits(matcher, member):
            yield f"{name} {number}: {show(member, matcher)}, expected {show(matcher)}"


def _all_fit(expected: tuple[object, ...], recorded: Sequence[object], fits: Any) -> bool:
    ends = {0}  # the numbers of recorded members that may be used so far
    for matcher in expected:
        if matcher is ...:
            ends = set(range(min(ends), len(recorded) + 1)) if ends else ends
        else:
            ends = {end + 1 for end in ends if end < len(recorded) and fits(matcher, recorded[end])}
    return len(recorded) in ends


def _fits_link(expected: Remote, link: Link) -> bool:
    return equal(expected.trace_id, link.trace_id) and equal(expected.span_id, link.span_id)


def _shown_link(link: Remote | Link, _expected: object = None) -> str:
    return f"{link.span_id} of trace {link.trace_id}"


def _fits_event(expected: object, event: Event) -> bool:
    if not isinstance(expected, ExpectedEvent):
        return equal(expected, event.name)
    return equal(expected.name, event.name) and all(
        equal(attribute, event.attributes.get(key, ABSENT)) for key, attribute in expected.attributes.items()
    )


def _shown_event(event: object, expected: object = None) -> str:
    if isinstance(event, (str, ExpectedEvent)):
        return shown(event) if isinstance(event, str) else repr(event)
    name = getattr(event, "name", event)
    attributes = getattr(event, "attributes", {})
    if isinstance(expected, ExpectedEvent) and equal(expected.name, name) and expected.attributes:
        return repr(ExpectedEvent(name, {key: attributes.get(key) for key in expected.attributes if key in attributes}))
    return shown(name)
