"""A JSON document of any format that is known, told by its content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.trace import jaeger, otlp, xray

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambda_latency.trace.span import Span

__all__ = ["is_trace_document", "spans_of"]

KNOWN = "OTLP/JSON (resourceSpans), Jaeger JSON (data, spans), X-Ray (Traces, Segments, segment documents)"


def is_trace_document(document: object) -> bool:
    """Is it of a format that is known, or a list of such?"""
    if isinstance(document, list):
        return any(is_trace_document(one) for one in document[:1])
    return isinstance(document, dict) and (
        "resourceSpans" in document or _is_xray(document) or _is_jaeger(document) or _is_wrapped(document)
    )


def spans_of(document: object, text: bytes, problem: Callable[[str], object]) -> Iterator[Span]:
    """The spans of a document; `text` is what it was parsed from: X-Ray's times need another parser."""
    if _holds_xray(document):
        document = xray.parse(text.strip().decode("utf-8-sig"))
    stack = [document]
    while stack:
        one = stack.pop()
        if isinstance(one, list):
            stack += reversed(one)
        elif not isinstance(one, dict):
            problem(f"no trace: known are {KNOWN}, got {type(one).__name__}")
        elif "resourceSpans" in one:
            yield from otlp.spans_of(one, problem)
        elif _is_wrapped(one):
            yield from xray.spans_of({"Segments": [one]}, problem)
        elif _is_xray(one):
            yield from xray.spans_of(one, problem)
        elif _is_jaeger(one):
            yield from jaeger.spans_of(one, problem)
        elif "TraceSummaries" in one:
            problem("X-Ray summaries hold no segments: fetch their ids with `aws xray batch-get-traces --trace-ids`")
        else:
            seen = ", ".join(map(str, one))[:60] or "an empty object"
            problem(f"no trace: known are {KNOWN}, got {seen}")


def _holds_xray(document: object) -> bool:
    first = document[0] if isinstance(document, list) and document else document
    return isinstance(first, dict) and "resourceSpans" not in first and (_is_xray(first) or _is_wrapped(first))


def _is_xray(document: dict[str, object]) -> bool:
    return any(isinstance(document.get(key), list) for key in ("Traces", "Segments")) or xray.is_segment(document)


def _is_wrapped(document: dict[str, object]) -> bool:
    return isinstance(document.get("Document"), str)


def _is_jaeger(document: dict[str, object]) -> bool:
    return isinstance(document.get("spans"), list) or (
        isinstance(document.get("data"), list) and "resourceSpans" not in document
    )
