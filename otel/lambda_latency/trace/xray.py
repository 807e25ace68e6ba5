"""X-Ray's documents: the answer of `BatchGetTraces` (`aws xray batch-get-traces`), traces of it, and bare segments.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html and, for what the AWS SDKs and the
collector really send, the documents that the tests read.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lambda_latency.trace.milliseconds import restore_fractions
from lambda_latency.trace.platform import SERVICE
from lambda_latency.trace.segment import span_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambda_latency.trace.span import Span

__all__ = ["is_segment", "parse", "spans_of"]

TRACE_ID = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})\Z")


def parse(text: str | bytes) -> Any:
    """JSON with times as decimals: a binary float carries only about 0.24 microseconds of an epoch time."""
    return json.loads(text, parse_float=Decimal)


def is_segment(document: object) -> bool:
    """Is it a segment, or a subsegment that was sent by itself?"""
    return isinstance(document, dict) and "start_time" in document and "id" in document


def spans_of(document: dict[str, Any], problem: Callable[[str], object]) -> Iterator[Span]:
    """The spans of an answer of BatchGetTraces, of one trace in it, or of one segment document (made by `parse`)."""
    if is_segment(document):
        yield from _segments([(document, None)], problem)
        return
    for trace in document.get("Traces", [document]):
        if not isinstance(trace, dict) or not isinstance(trace.get("Segments"), list):
            problem("an X-Ray trace must have Segments")
            continue
        found: list[tuple[dict[str, Any], str | None]] = []
        for segment in trace["Segments"]:
            try:
                inner = segment["Document"]
                inner = parse(inner) if isinstance(inner, str) else inner
                if not is_segment(inner):
                    raise ValueError("no id and start_time in it")
                found.append((inner, trace.get("Id")))
            except (KeyError, TypeError, ValueError, RecursionError) as error:
                problem(f"not a segment document: {error}")
        yield from _segments(found, problem)
    unprocessed = document.get("UnprocessedTraceIds")
    if isinstance(unprocessed, list) and unprocessed:
        problem(f"X-Ray did not answer for {len(unprocessed)} traces: ask for {unprocessed[0]} and the others again")


def _segments(documents: list[tuple[dict[str, Any], str | None]], problem: Callable[[str], object]) -> Iterator[Span]:
    # An inferred segment repeats the call that it was inferred from: what hangs on it hangs on the call.
    inferred = {
        str(one.get("id")): one.get("parent_id") for one, _ in documents if one.get("inferred") and one.get("parent_id")
    }
    refined = restore_fractions([one for one, _ in documents])
    for document, (_, outer) in zip(refined, documents, strict=True):
        if document.get("inferred"):
            continue
        try:
            trace_id = _trace_id(document.get("trace_id") or outer)
            parent = document.get("parent_id")
            parent = inferred.get(str(parent), parent)
            nested = document.get("type") == "subsegment"
        except ValueError as error:
            problem(str(error))
            continue
        stack = [(document, parent, nested)]
        while stack:
            one, above, is_subsegment = stack.pop()
            try:
                yield span_of(_outlived(one), trace_id, above, subsegment=is_subsegment)
            except (ValueError, TypeError, ArithmeticError, AttributeError, RecursionError) as error:
                problem(f"not a segment: {error}")
                continue
            below = one.get("subsegments")
            for child in below if isinstance(below, list) else ():
                if isinstance(child, dict):
                    stack.append((child, one.get("id"), True))
                else:
                    problem(f"a subsegment must be an object, got {type(child).__name__}")


def _outlived(document: dict[str, Any]) -> dict[str, Any]:
    """An asynchronous invocation: the service's segment closes with 202, its queue and its attempts run on.

    The request's wall clock is that of all of it.
    """
    http = document.get("http")
    response = http.get("response") if isinstance(http, dict) else None
    if document.get("origin") != SERVICE or not isinstance(response, dict) or response.get("status") != 202:
        return document
    below = [one.get("end_time") for one in document.get("subsegments") or () if isinstance(one, dict)]
    ends = [end for end in (document.get("end_time"), *below) if isinstance(end, int | Decimal)]
    return {**document, "end_time": max(ends)} if ends else document


def _trace_id(value: object) -> str:
    match = TRACE_ID.match(value.lower()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"trace_id must read like 1-5759e988-bd862e3fe1be46a994272793, got {value!r:.60}")
    return match[1] + match[2]
