"""Spans handed to the laptop's X-Ray, and traces read back from it by X-Ray's own API."""

import json
import socket
import urllib.error
import urllib.request
from typing import Any

import pytest

from lambda_latency.local.xray.document import segment_document, xray_trace_id
from lambda_latency.local.xray.feed import Feed, batch_get_traces
from lambda_latency.local.xray.segments import new_span_id, new_trace_id
from lambda_latency.trace import Span, SpanKind, to_otlp
from tests.sandbox.state import until
from tests.xray.test_platform import FUNCTION, STAGE, TRACE, invocation, stage


def server_span(trace_id: str, **more: Any) -> Span:
    """A handler's span in a trace of its own."""
    return Span(
        **{
            "trace_id": trace_id,
            "span_id": new_span_id(),
            "name": "POST /orders",
            "kind": SpanKind.SERVER,
            "start_ns": 1_795_566_404_000_000_000,
            "end_ns": 1_795_566_405_000_000_000,
            "attributes": {"http.route": "/orders"},
            **more,
        }
    )


def read(xray: str, *trace_ids: str) -> list[dict[str, Any]]:
    """The documents of some traces."""
    answer = batch_get_traces(xray, trace_ids)
    return [json.loads(segment["Document"]) for trace in answer["Traces"] for segment in trace["Segments"]]


def feed(xray: str, *documents: Any) -> None:
    """Hand them over and wait until they are in."""
    failures: list[str] = []
    one = Feed(xray, failures.append)
    for document in documents:
        one.add_otlp(document)
    one.close()
    assert failures == []


def test_spans_are_found_again_as_documents(xray: str) -> None:
    """What goes in as OTLP comes out of BatchGetTraces as the exporter would have written it."""
    spans = [server_span(new_trace_id()) for _ in range(12)]

    feed(xray, *(to_otlp([span]) for span in spans))

    found = {document["trace_id"]: document for document in read(xray, *(span.trace_id for span in spans))}
    assert found == {xray_trace_id(span.trace_id): segment_document(span, ["http.route"]) for span in spans}
    assert [document["annotations"] for document in found.values()] == [{"http.route": "/orders"}] * 12


def test_a_provisional_span_is_replaced_by_the_final_one(xray: str) -> None:
    """X-Ray keeps one document for an id, the later one."""
    final = server_span(new_trace_id(), attributes={"http.response.status_code": 201})
    provisional = server_span(final.trace_id, span_id=final.span_id, attributes={"lambda.provisional": True})

    feed(xray, to_otlp([provisional]))
    first = read(xray, final.trace_id)
    feed(xray, to_otlp([final]))

    assert first == [segment_document(provisional, [])]
    assert read(xray, final.trace_id) == [segment_document(final, [])]


def test_platform_spans_become_the_segments_of_their_services(xray: str) -> None:
    """A stage that was written without its call stands there once, with it."""
    feed(xray, to_otlp([stage()]))
    feed(xray, to_otlp(invocation()))

    found = {document["origin"]: document for document in read(xray, TRACE)}
    assert sorted(found) == ["AWS::ApiGateway::Stage", "AWS::Lambda", "AWS::Lambda::Function"]
    assert len(read(xray, TRACE)) == 3
    assert found["AWS::Lambda"]["parent_id"] == found["AWS::ApiGateway::Stage"]["subsegments"][0]["id"]
    assert found["AWS::Lambda::Function"]["parent_id"] == found["AWS::Lambda"]["id"]
    assert (found["AWS::ApiGateway::Stage"]["id"], found["AWS::Lambda::Function"]["id"]) == (STAGE, FUNCTION)


def test_more_documents_than_one_call_takes_are_all_stored(xray: str) -> None:
    """X-Ray takes 50 in a call."""
    trace_id = new_trace_id()
    spans = [server_span(trace_id) for _ in range(120)]

    feed(xray, to_otlp(spans))

    assert {document["id"] for document in read(xray, trace_id)} == {span.span_id for span in spans}


def test_what_is_no_json_is_refused(xray: str) -> None:
    """As any OTLP receiver would; AWS's own API behind the same address is as it was."""
    request = urllib.request.Request(f"{xray}/v1/traces", b"{", {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    with refused.value as answer:
        found = answer.status, answer.read().decode()

    assert found == (400, "cut: the JSON ends too early")
    assert batch_get_traces(xray, [new_trace_id()])["Traces"] == []


def test_what_does_not_reach_x_ray_is_said_once() -> None:
    """Nobody waits for the laptop's X-Ray, and nothing fails without it."""
    with socket.socket() as nobody:  # bound, but nobody listens
        nobody.bind(("127.0.0.1", 0))
        said: list[str] = []
        one = Feed(f"http://127.0.0.1:{nobody.getsockname()[1]}", said.append)
        one.add_otlp(to_otlp([server_span(new_trace_id())]))
        assert until(lambda: bool(said))
        one.add_otlp(to_otlp([server_span(new_trace_id())]))
        one.close()

    assert said == ["some spans did not reach the laptop's X-Ray (ConnectionRefusedError(111, 'Connection refused'))"]
