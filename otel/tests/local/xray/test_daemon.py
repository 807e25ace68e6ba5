"""The laptop's X-Ray daemon: what the kit sends by UDP is kept, and everything else is told and left out."""

from __future__ import annotations

import json
import socket
from base64 import b64encode
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from lambda_latency.local.xray.daemon import Daemon

TRACE_ID, SPAN_ID, PARENT_ID = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173"
HEADER = b'{"format":"json","version":1}\n'


def request(name: str = "POST /orders") -> bytes:
    """An export request with one span."""
    sent = ExportTraceServiceRequest()
    span = sent.resource_spans.add().scope_spans.add().spans.add()
    span.name = name
    span.trace_id, span.span_id, span.parent_span_id = map(bytes.fromhex, (TRACE_ID, SPAN_ID, PARENT_ID))
    return sent.SerializeToString()


def kept(*datagrams: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    """What a daemon makes of these, and what it says."""
    documents: list[dict[str, Any]] = []
    said: list[str] = []
    daemon = Daemon(documents.append, said.append)
    host, port = daemon.address.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in datagrams:
            sender.sendto(datagram, (host, int(port)))
        daemon.close()
    return documents, said


def test_an_export_request_is_kept_with_hex_ids() -> None:
    """As the receiver of OTLP/HTTP keeps it."""
    documents, said = kept(HEADER + b"T1S" + b64encode(request()))

    span = {"traceId": TRACE_ID, "spanId": SPAN_ID, "parentSpanId": PARENT_ID, "name": "POST /orders"}
    assert (documents, said) == ([{"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}], [])


def test_everything_that_was_sent_before_the_end_is_kept() -> None:
    """In its order, however much it is."""
    documents, _ = kept(*(HEADER + b"T1S" + b64encode(request(f"span {number}")) for number in range(200)))

    names = [one["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] for one in documents]
    assert names == [f"span {number}" for number in range(200)]


def test_spans_that_are_not_sampled_are_dropped_without_a_word() -> None:
    """The daemon has no use for them, and nobody made a mistake."""
    assert kept(HEADER + b"T1U" + b64encode(request())) == ([], [])


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"", "a datagram of 0 bytes was dropped: it must begin with"),
        (json.dumps({"id": SPAN_ID}).encode(), "a datagram of 26 bytes was dropped: it must begin with"),
        (HEADER + b"M1S" + b64encode(request()), "was dropped: it must begin with"),
        (HEADER + b"T1S%%%%", "a datagram of 37 bytes was dropped: the rest after b'T1S' is not base64: "),
        (HEADER + b"T1S" + b64encode(b"\xff\xff"), "was dropped: "),
    ],
)
def test_what_is_no_export_request_is_told_and_the_next_one_is_kept(datagram: bytes, reason: str) -> None:
    """A segment of the X-Ray SDK, metrics, damaged bytes."""
    documents, said = kept(datagram, HEADER + b"T1S" + b64encode(request()))

    assert len(documents) == 1
    assert len(said) == 1
    assert reason in said[0]
