"""The OTLP receiver: what exporters send, in either encoding, becomes a line that the kit reads."""

import gzip
import json
import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link as SdkLink
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode, TraceFlags, set_span_in_context
from opentelemetry.trace import SpanKind as SdkKind
from opentelemetry.trace import Status as SdkStatus

from lambda_latency.http import Server
from lambda_latency.local.spans.receiver import MAX_BODY, Daemon, serve_receiver
from lambda_latency.local.spans.store import Store
from lambda_latency.trace import Event, Link, Problem, Scope, Span, SpanKind, Status, read_spans
from tests.local.calls import Reply, call

TRACE = "6b05a667affeb9dbb0aa7f2b5d5ab5f9"
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver that listens, and what it has kept."""

    server: Server
    documents: list[dict[str, Any]]

    def post(self, body: bytes, headers: dict[str, str], path: str = "/v1/traces") -> Reply:
        """One export request."""
        return call(self.server.port, "POST", path, body, headers)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that keeps what it gets in a list."""
    documents: list[dict[str, Any]] = []
    with closing(serve_receiver(documents.append)) as server:
        yield Receiver(server, documents)


def _request() -> ExportTraceServiceRequest:
    """One span with every kind of id."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id = bytes.fromhex(TRACE), bytes.fromhex("00000000000000aa")
    span.parent_span_id, span.flags, span.kind = bytes.fromhex("00000000000000ff"), 0x301, span.SPAN_KIND_SERVER
    span.name, span.start_time_unix_nano, span.end_time_unix_nano = "work", 1_795_560_000_000_000_001, 2**63 + 5
    attribute = span.attributes.add()
    attribute.key, attribute.value.int_value = "n", 2**53 + 1
    link = span.links.add()
    link.trace_id, link.span_id = bytes.fromhex(TRACE[::-1]), bytes.fromhex("00000000000000bb")
    return request


DOCUMENT: dict[str, Any] = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": TRACE,
                            "spanId": "00000000000000aa",
                            "parentSpanId": "00000000000000ff",
                            "flags": 0x301,
                            "kind": 2,
                            "name": "work",
                            "startTimeUnixNano": "1795560000000000001",
                            "endTimeUnixNano": str(2**63 + 5),
                            "attributes": [{"key": "n", "value": {"intValue": str(2**53 + 1)}}],
                            "links": [{"traceId": TRACE[::-1], "spanId": "00000000000000bb"}],
                        }
                    ]
                }
            ]
        }
    ]
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_protobuf_becomes_otlp_json(receiver: Receiver, packed: bool) -> None:
    """Ids are hex and 64-bit integers text, as OTLP/JSON has them; the answer is an empty message."""
    body = _request().SerializeToString()
    reply = receiver.post(
        *((gzip.compress(body), {**PROTOBUF, "Content-Encoding": "gzip"}) if packed else (body, PROTOBUF))
    )
    assert (reply.status, reply.headers["Content-Type"], reply.body, receiver.documents) == (
        200,
        "application/x-protobuf",
        b"",
        [DOCUMENT],
    )


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_json_is_kept_as_it_is(receiver: Receiver, packed: bool) -> None:
    """A JSON request goes into the store unchanged; the answer is an empty object."""
    body = json.dumps(DOCUMENT).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    reply = receiver.post(
        *((gzip.compress(body), {**headers, "Content-Encoding": "gzip"}) if packed else (body, headers))
    )
    assert (reply.status, reply.headers["Content-Type"], reply.body, receiver.documents) == (
        200,
        "application/json",
        b"{}",
        [DOCUMENT],
    )


def test_an_empty_request_is_fine(receiver: Receiver) -> None:
    """No spans is a request like any other: some exporters send it to see whether anybody is there."""
    assert (receiver.post(b"", PROTOBUF).status, receiver.post(b"{}", JSON).status, receiver.documents) == (
        200,
        200,
        [{}, {}],
    )


@pytest.mark.parametrize("headers", [{"Content-Type": "text/plain"}, {}], ids=["text", "none"])
def test_another_media_type_is_415(receiver: Receiver, headers: dict[str, str]) -> None:
    """Only OTLP's two encodings are taken."""
    assert (receiver.post(b"{}", headers).status, receiver.documents) == (415, [])


@pytest.mark.parametrize("path", ["/", "/v1/metrics", "/v1/traces/", "/v1/traces?x=1"])
def test_another_path_is_404(receiver: Receiver, path: str) -> None:
    """Only traces are taken."""
    assert (receiver.post(b"{}", JSON, path).status, receiver.documents) == (404, [])


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (b"\xff\xff\xff", PROTOBUF, b"Error parsing message"),
        (b"{", JSON, b"Expecting property name"),
        (b"\xff\xfe\x00", JSON, b"codec can't decode"),
        (b"[]", JSON, b"an export request is a JSON object"),
        (b"[" * 100_000, JSON, b"nested too deeply"),
        (b"no gzip", {**JSON, "Content-Encoding": "gzip"}, b"Not a gzipped file (b'no')"),
        (gzip.compress(b"{}" * 1000)[:-9], {**JSON, "Content-Encoding": "gzip"}, b"end-of-stream marker"),
        (
            gzip.compress(b"{}")[:10] + b"\xff" * 20,
            {**JSON, "Content-Encoding": "gzip"},
            b"Error -3 while decompressing",
        ),
    ],
    ids=["protobuf", "json", "encoding", "list", "deep", "no gzip", "cut gzip", "broken gzip"],
)
def test_a_broken_body_is_400(receiver: Receiver, body: bytes, headers: dict[str, str], reason: bytes) -> None:
    """The answer says why, nothing is kept, and the next request is served."""
    reply = receiver.post(body, headers)
    assert (reply.status, reason in reply.body, receiver.documents) == (400, True, []), reply.body
    assert receiver.post(b"{}", JSON).status == 200


def test_a_body_over_the_limit_is_400(receiver: Receiver) -> None:
    """What unpacks to more than the collector would take is refused, however small it came."""
    bomb = gzip.compress(b" " * (MAX_BODY + 1), 1)
    reply = receiver.post(bomb, {**JSON, "Content-Encoding": "gzip"})
    assert (reply.status, reply.body, receiver.documents) == (400, b"more than 20971520 bytes", [])


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_what_the_sdk_exports_is_what_the_kit_reads(tmp_path: Path, compression: Compression) -> None:
    """A span through OpenTelemetry's own exporter comes out of the store's line as the same values."""
    with closing(Store(tmp_path / "traces.jsonl")) as store, closing(serve_receiver(store.add_otlp)) as server:
        exporter = OTLPSpanExporter(f"http://{server.address}/v1/traces", compression=compression)
        traces = TracerProvider(resource=Resource({"service.name": "orders"}), shutdown_on_exit=False)
        traces.add_span_processor(SimpleSpanProcessor(exporter))
        caller = SpanContext(int(TRACE, 16), 0xFF, is_remote=True, trace_flags=TraceFlags(1))
        linked = SpanContext(int(TRACE[::-1], 16), 0xBB, is_remote=True)
        outer = traces.get_tracer("tests", "1.2").start_span(
            "GET /orders",
            set_span_in_context(NonRecordingSpan(caller)),
            SdkKind.SERVER,
            {"text": "grün", "int": 2**53 + 1, "float": 0.5, "bool": True, "list": ["a", "b"]},
            [SdkLink(linked, {"why": "retry"})],
            start_time=1_795_560_000_000_000_001,
        )
        inner = traces.get_tracer("tests").start_span(
            "work", set_span_in_context(outer), start_time=1_795_560_000_000_000_002
        )
        inner.end(1_795_560_000_000_000_003)
        outer.add_event("attempt", {"status": 400}, 1_795_560_000_000_000_004)
        outer.set_status(SdkStatus(StatusCode.ERROR, "too slow"))
        outer.end(1_795_560_000_000_000_005)
        traces.shutdown()
        problems: list[Problem] = []
        spans = list(read_spans(store.path, problems))
    outer_id = f"{outer.get_span_context().span_id:016x}"
    assert (spans, problems) == (
        [
            Span(
                trace_id=TRACE,
                span_id=f"{inner.get_span_context().span_id:016x}",
                parent_id=outer_id,
                parent_remote=False,
                name="work",
                kind=SpanKind.INTERNAL,
                start_ns=1_795_560_000_000_000_002,
                end_ns=1_795_560_000_000_000_003,
                resource={"service.name": "orders"},
                scope=Scope("tests"),
            ),
            Span(
                trace_id=TRACE,
                span_id=outer_id,
                parent_id="00000000000000ff",
                parent_remote=True,
                name="GET /orders",
                kind=SpanKind.SERVER,
                start_ns=1_795_560_000_000_000_001,
                end_ns=1_795_560_000_000_000_005,
                status=Status.ERROR,
                status_message="too slow",
                attributes={"text": "grün", "int": 2**53 + 1, "float": 0.5, "bool": True, "list": ["a", "b"]},
                events=[Event("attempt", 1_795_560_000_000_000_004, {"status": 400})],
                links=[Link(TRACE[::-1], "00000000000000bb", {"why": "retry"})],
                resource={"service.name": "orders"},
                scope=Scope("tests", "1.2"),
            ),
        ],
        [],
    )


TRACE_ID, SPAN_ID, PARENT_ID = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173"
HEADER = b'{"format":"json","version":1}\n'


def request(name: str = "POST /orders") -> bytes:
    """An export request with one span."""
    sent = ExportTraceServiceRequest()
    span = sent.resource_spans.add().scope_spans.add().spans.add()
    span.name = name
    span.trace_id, span.span_id, span.parent_span_id = map(bytes.fromhex, (TRACE_ID, SPAN_ID, PARENT_ID))
    return sent.SerializeToString()


def received(*datagrams: bytes) -> tuple[list[dict[str, Any]], list[str]]:
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
    documents, said = received(HEADER + b"T1S" + b64encode(request()))

    span = {"traceId": TRACE_ID, "spanId": SPAN_ID, "parentSpanId": PARENT_ID, "name": "POST /orders"}
    assert (documents, said) == ([{"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}], [])


def test_everything_that_was_sent_before_the_end_is_kept() -> None:
    """In its order, however much it is."""
    documents, _ = received(*(HEADER + b"T1S" + b64encode(request(f"span {number}")) for number in range(200)))

    names = [document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] for document in documents]
    assert names == [f"span {number}" for number in range(200)]


def test_spans_that_are_not_sampled_are_dropped_without_a_word() -> None:
    """The daemon has no use for them, and nobody made a mistake."""
    assert received(HEADER + b"T1U" + b64encode(request())) == ([], [])


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
    documents, said = received(datagram, HEADER + b"T1S" + b64encode(request()))

    assert len(documents) == 1
    assert len(said) == 1
    assert reason in said[0]
