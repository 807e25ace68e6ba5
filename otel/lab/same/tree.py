"""Whether a run was traced: its spans arrived, hang on Lambda's segment as one tree, and have the names they should."""

from collections import Counter

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from lab.same.case import SEGMENT, TRACE, Case
from lab.same.run import Observed

ASIDE = ("init", "dns", "tcp", "tls", "handshake", "pool")


def names(observed: Observed) -> tuple[str, ...]:
    """The spans below the SERVER spans, as `Case.spans` gives them, sorted."""
    by_id = {span.span_id: span for span in observed.spans}
    spans = [span for span in by_id.values() if not invocation(span) and span.name not in ASIDE]
    return tuple(sorted(_named(span, by_id) for span in spans))


def untraced(case: Case, observed: Observed) -> str:
    """Why the trace is not right, in a few words; nothing where it is."""
    by_id = {span.span_id: span for span in observed.spans}
    roots = list(filter(invocation, by_id.values()))
    due = len(case.events) if case.roots is None else case.roots
    if len(roots) != due:
        return f"{len(roots)} of {due} SERVER spans"
    if not due:
        return f"{len(by_id)} spans of an invocation that is not sampled" if by_id else ""
    wrong = _misplaced(case, roots, by_id) or _repeated(observed) or _unexpected(case, observed)
    if wrong or "header" in case.but:
        return wrong
    return _headers(case, observed, by_id)


def _misplaced(case: Case, roots: list[Span], by_id: dict[bytes, Span]) -> str:
    below = [span for span in by_id.values() if not invocation(span)]
    misplaced = {
        "not in Lambda's trace": [span.name for span in roots if span.trace_id.hex() != TRACE],
        "without a parent": [span.name for span in below if not span.parent_span_id],
    }
    if "orphans" not in case.but:
        misplaced["orphans"] = [span.name for span in below if span.parent_span_id not in by_id]
    return next((f"{reason}: {names}" for reason, names in misplaced.items() if names), "")


def _repeated(observed: Observed) -> str:
    ids = Counter(span.span_id for span in observed.spans)
    twice = [span.name for span in {span.span_id: span for span in observed.spans}.values() if ids[span.span_id] > 1]
    return f"sent twice: {twice}" if twice else ""


def _unexpected(case: Case, observed: Observed) -> str:
    expected, arrived = Counter(case.spans), Counter(names(observed))
    changes = {"missing": expected - arrived, "more": arrived - expected}
    return "; ".join(f"{change} {sorted(spans.elements())}" for change, spans in changes.items() if spans)


def invocation(span: Span) -> bool:
    """Whether it is the kit's span of an invocation: below Lambda's segment. Frameworks have SERVER spans too."""
    return span.kind == Span.SPAN_KIND_SERVER and span.parent_span_id.hex() == SEGMENT


def _headers(case: Case, observed: Observed, by_id: dict[bytes, Span]) -> str:
    """Each call of a case with spans sent a tracing header, and it names a span that arrived."""
    for request in observed.requests:
        if "aside" in request.path:
            continue
        value = dict(request.headers).get("x-amzn-trace-id", "")
        parent = dict(part.partition("=")[::2] for part in value.split(";")).get("Parent", "")
        if case.spans and not parent:
            return f"no tracing header on {request.method} {request.path}"
        if parent and bytes.fromhex(parent) not in by_id:
            return f"the header of {request.method} {request.path} names no span"
    return ""


def _named(span: Span, by_id: dict[bytes, Span]) -> str:
    parent = by_id.get(span.parent_span_id)
    above = f"{_named(parent, by_id)} > " if parent is not None and not invocation(parent) else ""
    return f"{above}{span.name}"
