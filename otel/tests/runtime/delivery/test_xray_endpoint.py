"""Export=otlp: spans to X-Ray's own endpoint, signed; whatever it answers is one line with the remedy."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from lab.faults.signatures import what_is_wrong
from lambda_latency.runtime.delivery.sender import Sender
from lambda_latency.runtime.settings import Settings
from tests.runtime.certificate import certificate
from tests.runtime.stubs import Answer, Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

    from tests.runtime.conftest import Function

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def spans(function: Function, monkeypatch: pytest.MonkeyPatch) -> Sequence[ReadableSpan]:
    """Something to send, in Lambda's environment."""
    for name, value in {**CREDENTIALS, "AWS_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    function.invoke(lambda _event, _context: None)
    function.invoke(lambda _event, _context: None)
    return function.spans


@contextmanager
def sending_to(url: str) -> Iterator[Sender]:
    """A sender that lets go of its connection at the end."""
    sender = Sender(settings_for(url))
    yield sender
    sender.disconnect()


def settings_for(url: str) -> Settings:
    return Settings.read({"LAMBDA_LATENCY_EXPORT": "otlp", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{url}/v1/traces"})


def count(body: bytes) -> int:
    """The spans of an export request."""
    message = ExportTraceServiceRequest.FromString(body)
    return sum(len(scope.spans) for resource in message.resource_spans for scope in resource.scope_spans)


@pytest.mark.parametrize(
    ("region", "endpoint"),
    [
        ("eu-west-1", "https://xray.eu-west-1.amazonaws.com/v1/traces"),
        ("us-gov-west-1", "https://xray.us-gov-west-1.amazonaws.com/v1/traces"),
        ("cn-north-1", "https://xray.cn-north-1.amazonaws.com.cn/v1/traces"),
    ],
)
def test_spans_go_to_the_functions_own_region(region: str, endpoint: str) -> None:
    """Without a further variable; a collector's address does not matter."""
    given = {"LAMBDA_LATENCY_EXPORT": "otlp", "AWS_REGION": region, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}
    assert Settings.read(given).endpoint == endpoint


def test_requests_are_signed_and_share_one_connection(
    spans: Sequence[ReadableSpan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Over TLS, with one handshake and one look at the certificates of authorities."""
    (tmp_path / "localhost.pem").write_bytes(certificate("localhost"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "localhost.pem"))
    with Server(certificate=str(tmp_path / "localhost.pem"), otherwise=Answer(200, b"", PROTOBUF)) as server:
        with sending_to(f"https://localhost:{server.port}") as sender:
            assert [sender.export(spans) for _ in range(3)] == [True, True, True]
        got = server.requests
        assert (len(got), server.connections) == (3, 1)
    for one in got:
        assert what_is_wrong(one.path, one.headers, one.body, CREDENTIALS, "eu-west-1") == ""
        assert count(one.body) == 2
    assert caplog.messages == []


def partial(rejected: int, why: str) -> bytes:
    message = ExportTraceServiceResponse()
    message.partial_success.rejected_spans, message.partial_success.error_message = rejected, why
    return message.SerializeToString()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, partial(1, "Span is too large"), PROTOBUF),
        Answer(
            200,
            json.dumps({"partialSuccess": {"rejectedSpans": "1", "errorMessage": "Span is too large"}}).encode(),
            JSON,
        ),
    ],
)
def test_spans_that_are_left_out_are_told_in_one_line(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture, answer: Answer
) -> None:
    """The request was taken: it is not sent again, and the circuit stays closed."""
    with Server(answer, answer, otherwise=Answer(200, b"{}", JSON)) as server, sending_to(server.url) as sender:
        assert [sender.export(spans) for _ in range(3)] == [True, True, True]
        assert [count(one.body) for one in server.requests] == [2, 2, 2]
        where = f"{server.url}/v1/traces"
    assert caplog.messages == [
        f"lambda-latency: {where} refuses spans (1 of 2: Span is too large); they are dropped",
        f"lambda-latency: spans are delivered to {where} again; 2 were dropped",
    ]


def refused(status: int, name: str, message: str) -> Answer:
    """As AWS's services answer: the error's name in a header, or in the body."""
    return Answer(status, json.dumps({"message": message}).encode(), {**JSON, "x-amzn-ErrorType": f"{name}:http://"})


DESTINATION = "The OTLP API is supported with CloudWatch Logs as a Trace Segment Destination."
FAILURES = {
    "no right": (
        refused(403, "AccessDeniedException", "User is not authorized to perform: xray:PutSpans"),
        (
            "it answered 403, AccessDeniedException User is not authorized to perform: xray:PutSpans; "
            "the function's role lacks the right: allow xray:PutSpans and xray:PutSpansForIndexing"
        ),
    ),
    "expired token": (
        Answer(403, b'{"__type": "com.amazon#ExpiredTokenException", "Message": "The token has expired"}'),
        (
            "it answered 403, ExpiredTokenException The token has expired; "
            "the credentials have expired: Lambda renews its own, so a function that sets AWS_SESSION_TOKEN has to"
        ),
    ),
    "wrong region": (
        refused(403, "InvalidSignatureException", "Credential should be scoped to a valid region."),
        (
            "it answered 403, InvalidSignatureException Credential should be scoped to a valid region.; "
            "it is in another region than AWS_REGION: leave out OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
        ),
    ),
    "other credentials": (
        refused(403, "UnrecognizedClientException", "The security token is invalid."),
        (
            "it answered 403, UnrecognizedClientException The security token is invalid.; "
            "the key is not one of this account: find out what sets AWS_ACCESS_KEY_ID in the function"
        ),
    ),
    "Transaction Search off": (
        refused(400, "InvalidRequestException", DESTINATION),
        (
            f"it answered 400, InvalidRequestException {DESTINATION}; "
            "Transaction Search is off: switch it on, or set LAMBDA_LATENCY_EXPORT to collector or daemon"
        ),
    ),
    "as OTLP's status": (
        Answer(400, b"\x08\x09\x12" + bytes([len(DESTINATION)]) + DESTINATION.encode(), PROTOBUF),
        (
            f"it answered 400, {DESTINATION}; "
            "Transaction Search is off: switch it on, or set LAMBDA_LATENCY_EXPORT to collector or daemon"
        ),
    ),
    "no words": (Answer(403, b""), "it answered 403"),
    "throttled": (Answer(429, b"slow down"), "it answered 429"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_fails_is_one_line_with_the_remedy_and_opens_the_circuit(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Nothing is dropped: the spans wait."""
    answer, why = FAILURES[name]
    with Server(otherwise=answer) as server, sending_to(server.url) as sender:
        assert [sender.export(spans) for _ in range(3)] == [False, False, False]
        assert len(server.requests) == 1
        where = f"{server.url}/v1/traces"
    assert caplog.messages == [
        f"lambda-latency: no spans are delivered to {where} ({why}); they wait until it takes them"
    ]


def test_what_is_malformed_is_dropped(spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture) -> None:
    """It would be so a second time."""
    answer = refused(400, "InvalidRequestException", "Malformed")
    with Server(otherwise=answer) as server, sending_to(server.url) as sender:
        assert sender.export(spans)
        where = f"{server.url}/v1/traces"
    assert caplog.messages == [
        (
            f"lambda-latency: {where} refuses spans (2 of 2: it answered 400, InvalidRequestException Malformed); "
            "they are dropped"
        )
    ]


def test_an_environment_without_credentials_says_so_and_asks_nobody(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, and the spans wait."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with Server() as server, sending_to(server.url) as sender:
        assert not sender.export(spans)
        assert server.requests == []
    assert caplog.messages == [
        (
            f"lambda-latency: no spans are delivered to {server.url}/v1/traces (the environment has no AWS "
            "credentials; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are Lambda's own variables); "
            "they wait until it takes them"
        )
    ]


def test_a_region_without_xray_is_named(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name has no address."""
    monkeypatch.setenv("AWS_REGION", "xx-moon-1")

    def no_address(*_: object, **__: object) -> None:
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr("lambda_latency.runtime.delivery.transport.getaddrinfo", no_address)
    with sending_to("https://xray.xx-moon-1.amazonaws.com") as sender:
        assert not sender.export(spans)
    assert caplog.messages == [
        (
            "lambda-latency: no spans are delivered to https://xray.xx-moon-1.amazonaws.com:443/v1/traces "
            "(OSError: [Errno -2] Name or service not known; X-Ray has to be in the region 'xx-moon-1', and in reach "
            "of the function's subnet if it has one); they wait until it takes them"
        )
    ]


def test_the_last_words_before_a_timeout_are_signed_too(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture
) -> None:
    """And what is left out of them is told."""
    with Server(Answer(200, b"", PROTOBUF), Answer(200, partial(2, "too old"), PROTOBUF)) as server:
        sender = Sender(settings_for(server.url))
        assert [sender.urgent(spans)(5) for _ in range(2)] == [True, True]
        for one in server.requests:
            assert what_is_wrong(one.path, one.headers, one.body, CREDENTIALS, "eu-west-1") == ""
        where = f"{server.url}/v1/traces"
    assert caplog.messages == [f"lambda-latency: {where} refuses spans (2 of 2: too old); they are dropped"]


@pytest.mark.parametrize("body", [b"\xff", b"\x0a\xff\x01", b"{", b"[]", b"\x0d\x00", b"{}"])
def test_an_answer_that_cannot_be_read_leaves_the_spans_delivered(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    """It was 200."""
    for headers in (PROTOBUF, JSON):
        with Server(Answer(200, body, headers)) as server, sending_to(server.url) as sender:
            assert sender.export(spans)
    assert caplog.messages == []
