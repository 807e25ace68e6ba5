"""The segments of AWS's own services, one of API Gateway and two of Lambda, made from the laptop's platform spans.

They have the format of https://docs.aws.amazon.com/xray/latest/devguide/xray-services-lambda.html and
https://docs.aws.amazon.com/xray/latest/devguide/xray-services-apigateway.html. Inferred segments, which X-Ray adds in
its answers, are not made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from lambda_latency.local.xray.document import Document, present, seconds, xray_trace_id
from lambda_latency.trace import FUNCTION, GATEWAY, LAPTOP, OUTER, SERVICE, Span, Status, is_platform_phase

REGION = "us-east-1"
API = "localapi00"
# The most unpaired spans that are retained; that of a 404 never gets a counterpart
REMEMBERED = 1000


class PlatformSegments:
    """Makes segment documents of platform spans, and returns the other spans.

    A stage's segment includes its call to Lambda, which is made from Lambda's span. Either span may arrive first: a
    stage is written at once, and again with its call when both have arrived.
    """

    def __init__(self) -> None:
        self._stages: dict[str, Span] = {}
        self._calls: dict[str, Span] = {}  # Lambda's spans by the id of the stage that called

    def documents(self, spans: Iterable[Span]) -> tuple[list[Document], list[Span]]:
        """Return the documents of the platform spans of one export request, and its other spans."""
        by_id = {span.span_id: span for span in spans}
        phases: dict[str, list[Span]] = {}
        other_spans: list[Span] = []
        for span in by_id.values():
            parent = by_id.get(span.parent_id or "")
            if parent is not None and is_platform_phase(span, parent):
                phases.setdefault(parent.span_id, []).append(span)
            elif span.origin not in OUTER:
                other_spans.append(span)
        documents: list[Document] = []
        for span in by_id.values():
            documents += self._documents(span, phases.get(span.span_id, ()))
        return documents, other_spans

    def _documents(self, span: Span, phases: Iterable[Span]) -> list[Document]:
        if span.origin == FUNCTION:
            return [_function(span, phases)]
        if span.origin == SERVICE:
            return [_service(span), *self._with_call(span)]
        return [self._stage(span)] if span.origin == GATEWAY else []

    def _stage(self, span: Span) -> Document:
        call = self._calls.pop(span.span_id, None)
        if call is None:
            _remember(self._stages, span.span_id, span)
        return _stage(span, call)

    def _with_call(self, call: Span) -> list[Document]:
        """Return the segment of the calling stage, again with its call, if the stage was written before; else empty."""
        stage_id = call.parent_id or ""
        stage = self._stages.pop(stage_id, None)
        if stage is None:
            _remember(self._calls, stage_id, call)
        return [] if stage is None else [_stage(stage, call)]


def _remember(halves: dict[str, Span], stage_id: str, span: Span) -> None:
    halves[stage_id] = span
    while len(halves) > REMEMBERED:
        del halves[next(iter(halves))]


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
