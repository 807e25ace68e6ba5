"""Whether a run was traced: its spans arrived, hang on Lambda's segment as one tree, and have the names they should."""

from __future__ import annotations

from collections import Counter

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from lab.same.case import SEGMENT, TRACE, Case
from lab.same.run import Observed

ASIDE = ("init", "dns", "tcp", "tls", "handshake", "pool")


def names(seen: Observed) -> tuple[str, ...]:
    """The spans below the SERVER spans, as `Case.spans` gives them, sorted."""
    by_id = {span.span_id: span for span in seen.spans}
    found = [span for span in by_id.values() if not invocation(span) and span.name not in ASIDE]
    return tuple(sorted(_named(span, by_id) for span in found))


def untraced(case: Case, seen: Observed) -> str:
    """Why the trace is not right, in a few words; nothing where it is."""
    ids = Counter(span.span_id for span in seen.spans)
    by_id = {span.span_id: span for span in seen.spans}
    roots = [span for span in by_id.values() if invocation(span)]
    due = len(case.events) if case.roots is None else case.roots
    if len(roots) != due:
        return f"{len(roots)} of {due} SERVER spans"
    if not due:
        return f"{len(by_id)} spans of an invocation that is not sampled" if by_id else ""
    if moved := [span.name for span in roots if span.trace_id.hex() != TRACE]:
        return f"not in Lambda's trace: {moved}"
    if loose := [span.name for span in by_id.values() if span not in roots and not span.parent_span_id]:
        return f"without a parent: {loose}"
    orphans = [s.name for s in by_id.values() if s not in roots and s.parent_span_id not in by_id]
    if orphans and "orphans" not in case.but:
        return f"orphans: {orphans}"
    if twice := [by_id[one].name for one, times in ids.items() if times > 1]:
        return f"sent twice: {twice}"
    expected, found = Counter(case.spans), Counter(names(seen))
    if expected != found:
        missing, more = expected - found, found - expected
        return "; ".join(
            f"{what} {sorted(which.elements())}" for what, which in (("missing", missing), ("more", more)) if which
        )
    return "" if "header" in case.but else _headers(case, seen, by_id)


def invocation(span: Span) -> bool:
    """Whether it is the kit's span of an invocation: below Lambda's segment. Frameworks have SERVER spans too."""
    return span.kind == Span.SPAN_KIND_SERVER and span.parent_span_id.hex() == SEGMENT


def _headers(case: Case, seen: Observed, by_id: dict[bytes, Span]) -> str:
    """Each call of a case with spans sent a tracing header, and it names a span that arrived."""
    for request in seen.requests:
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
