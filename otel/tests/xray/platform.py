"""The segment documents of the laptop's spans: those of API Gateway and Lambda, and those that AWS's exporter makes.

The segments of AWS's services have the format of
https://docs.aws.amazon.com/xray/latest/devguide/xray-services-lambda.html and
https://docs.aws.amazon.com/xray/latest/devguide/xray-services-apigateway.html. Inferred segments, which X-Ray adds in
its answers, are not made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable

from lambda_latency.trace import FUNCTION, GATEWAY, LAPTOP, SERVICE, Span, Status, is_platform_phase
from tests.xray.document import Document, present, seconds, segment_document, xray_trace_id

REGION = "us-east-1"
API = "localapi00"


def xray_documents(spans: Iterable[Span], indexed: Collection[str] = ()) -> list[Document]:
    """Return the segment documents of the spans of whole requests. `indexed` attributes become annotations.

    A stage's segment includes its call to Lambda, which is made from Lambda's span. Of several spans with one id, the
    last one counts.
    """
    by_id = {span.span_id: span for span in spans}
    calls = {span.parent_id: span for span in by_id.values() if span.origin == SERVICE}
    phases: dict[str, list[Span]] = {}
    documented: list[Span] = []
    for span in by_id.values():
        parent = by_id.get(span.parent_id or "")
        if parent is not None and is_platform_phase(span, parent):
            phases.setdefault(parent.span_id, []).append(span)
        else:
            documented.append(span)
    return [_document(span, calls.get(span.span_id), phases.get(span.span_id, ()), indexed) for span in documented]


def _document(span: Span, called: Span | None, phases: Iterable[Span], indexed: Collection[str]) -> Document:
    if span.origin == GATEWAY:
        return _stage(span, called)
    if span.origin == SERVICE:
        return _service(span)
    if span.origin == FUNCTION:
        return _function(span, phases)
    return segment_document(span, indexed)


def _stage(span: Span, called: Span | None) -> Document:
    stage = span.name.rpartition("/")[2]
    request_id = span.attributes.get("aws.request_id")
    request = {
        "method": span.attributes.get("http.request.method"),
        "url": f"https://{API}.execute-api.{REGION}.amazonaws.com/{stage}{span.attributes.get('url.path', '/')}",
        "client_ip": "127.0.0.1",
        "x_forwarded_for": True,
    }
    document = {
        **_segment(span, _milliseconds),
        "http": {"request": request, "response": {"status": _status(span), "content_length": 0}},
        "aws": {
            "api_gateway": {
                "account_id": _account(called),
                "rest_api_id": API,
                "stage": stage,
                "request_id": request_id,
            }
        },
        "annotations": {"aws:api_id": API, "aws:api_stage": stage},
        "metadata": {"default": {"extended_request_id": request_id, "request_id": request_id, **_mark(span)}},
        "resource_arn": f"arn:aws:apigateway:{REGION}::/restapis/{API}/stages/{stage}",
        **_failure(_status(span)),
    }
    if called is not None:
        document["subsegments"] = [_call(span, called)]
    return document


def _call(stage: Span, called: Span) -> Document:
    """Return the subsegment of the stage's call to Lambda, with the times of Lambda's span."""
    arn = called.attributes.get("cloud.resource_id")
    path = f"2015-03-31/functions/{arn}/invocations"
    return {
        "id": _call_id(stage.span_id),
        "name": "Lambda",
        "start_time": _milliseconds(called.start_ns),
        "end_time": _milliseconds(called.end_ns or 0),
        "http": {
            "request": {"url": f"https://lambda.{REGION}.amazonaws.com/{path}", "method": "POST"},
            # Lambda answers its caller with 200 even if the function failed.
            "response": {"status": 200 if called.status is Status.ERROR else _status(stage), "content_length": 0},
        },
        "aws": {
            "function_name": called.name,
            "region": REGION,
            "operation": "Invoke",
            "resource_names": [called.name],
        },
        "namespace": "aws",
        **_marked(stage),
    }


def _service(span: Span) -> Document:
    document = {
        **_segment(span, _milliseconds),
        "http": {"response": {"status": 200}},  # of the call, not of the function
        "aws": {"request_id": span.attributes.get("faas.invocation_id")},
        "resource_arn": span.attributes.get("cloud.resource_id"),
    }
    if span.parent_id is not None:
        document["parent_id"] = _call_id(span.parent_id)
    return document | ({"fault": True} if span.status is Status.ERROR else {})


def _function(span: Span, phases: Iterable[Span]) -> Document:
    arn = span.attributes.get("cloud.resource_id")
    document = {
        **_segment(span, seconds),
        "aws": {"account_id": _account(span), "function_arn": arn, "resource_names": [span.name]},
        "subsegments": [
            {
                "id": phase.span_id,
                "name": phase.name,
                "start_time": seconds(phase.start_ns),
                "end_time": seconds(phase.end_ns or 0),
                "aws": {"function_arn": arn},
                **_marked(phase),
            }
            for phase in phases
        ],
    }
    if span.status is Status.ERROR:
        kind = str(span.attributes.get("error.type", ""))
        cause = {"exceptions": [{"id": _call_id(span.span_id), "type": kind, "message": span.status_message}]}
        document |= {"fault": True, "cause": cause}
    return document


def _segment(span: Span, time: Callable[[int], float]) -> Document:
    """Return the fields that every segment has."""
    fields = {
        "id": span.span_id,
        "name": span.name,
        "trace_id": xray_trace_id(span.trace_id),
        "start_time": time(span.start_ns),
        "end_time": time(span.end_ns or 0),
        "parent_id": span.parent_id,
        "origin": span.origin,
    }
    return present(fields) | _marked(span)


def _marked(span: Span) -> Document:
    """Return the mark of the laptop's own spans, as the exporter writes attributes of a resource."""
    mark = _mark(span)
    return {"metadata": {"default": mark}} if mark else {}


def _mark(span: Span) -> dict[str, bool]:
    return {f"otel.resource.{LAPTOP}": True} if LAPTOP in span.resource else {}


def _failure(status: int) -> dict[str, bool]:
    if status >= 500:
        return {"fault": True}
    if status >= 400:
        return {"error": True, **({"throttle": True} if status == 429 else {})}
    return {}


def _status(span: Span) -> int:
    status = span.attributes.get("http.response.status_code")
    return status if isinstance(status, int) else 0


def _account(span: Span | None) -> str:
    arn = span.attributes.get("cloud.resource_id") if span is not None else None
    return arn.split(":")[4] if isinstance(arn, str) and arn.count(":") >= 5 else "123456789012"


def _call_id(span_id: str) -> str:
    """Return the id of a subsegment that has no span of its own, derived from the id of a span."""
    return hashlib.blake2s(span_id.encode(), digest_size=8).hexdigest()


def _milliseconds(ns: int) -> float:
    """Times as the Lambda service and API Gateway write them, in whole milliseconds."""
    return ns // 1_000_000 / 1000
