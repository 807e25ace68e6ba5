"""A backend that is reached over the internet: headers, compression, certificates, and what is said of a refusal."""

import gzip
import json
import os
import re
import socket
import ssl
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.util.re import parse_env_headers

from lambda_latency.runtime.delivery.headers import parse_headers
from lambda_latency.runtime.delivery.sender import Sender
from lambda_latency.runtime.settings import Settings
from lambda_latency.testing.redacted import RedactedSpans
from tests.draws import draws
from tests.runtime.conftest import Function
from tests.runtime.delivery.test_sender import count, raw_server, sending_to, spans
from tests.runtime.stubs import Answer, Server, certificate

__all__ = ["spans"]

KEY = "hcaik_01secretsecret"
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("x-honeycomb-team=abc", {"x-honeycomb-team": "abc"}),
        (" Api-Key = abc== , b=2,", {"api-key": "abc==", "b": "2"}),
        ("Authorization=Basic%20YTpi", {"authorization": "Basic YTpi"}),
        ("Authorization=Basic YTpi%20", {"authorization": "Basic YTpi%20"}),
        ("a=1,a=2", {"a": "2"}),
        ("empty=", {"empty": ""}),
        ("comma=a%2Cb", {"comma": "a,b"}),
    ],
)
def test_headers_are_read_as_the_specification_says(text: str, values: dict[str, str]) -> None:
    """Percent-encoded, with commas between; a value with spaces is taken as it is, as by the SDK."""
    parsed = parse_headers(text)
    assert (dict(parsed.pairs), parsed.wrong) == (values, ())
    assert parse_env_headers(text, liberal=True) == values


@settings(max_examples=draws(300), deadline=None, database=None)
@given(st.text(' \t,=;ab-%20%41%2C:/\\"é', max_size=30))
def test_headers_are_read_as_by_the_sdk(text: str) -> None:
    """But for names with percent signs, which it decodes, and for what no request can have."""
    parsed, expected = dict(parse_headers(text).pairs), parse_env_headers(text, liberal=True)
    if not any("%" in entry.partition("=")[0] for entry in text.split(",")):
        assert parsed == {name: value for name, value in expected.items() if name in parsed or is_plain(value)}


def is_plain(value: str) -> bool:
    """Whether any request can have this value."""
    return value.isprintable() and value.isascii()


@pytest.mark.parametrize(
    "entry",
    [KEY, f"={KEY}", f"a b={KEY}", f"a={KEY}%0d%0aX:y", f"a={KEY}%E2%82%AC", f"content-length={KEY}", f'a="{KEY}"'],
)
def test_a_header_that_no_request_can_have_is_left_out_and_its_position_is_said(entry: str) -> None:
    """Never its text, which may be a key that was written without a name."""
    settings = Settings.read({HEADERS: f"a=1,{entry},b=2"})
    assert settings.headers is not None
    assert settings.headers.pairs == (("a", "1"), ("b", "2"))
    assert settings.warnings == (
        f"of the headers in {HEADERS}, number 2 is no name=value that a request can have; left out",
    )


def test_a_request_has_the_headers(spans: Sequence[ReadableSpan]) -> None:
    """Beside the exporter's own, of which they replace those of the same name, as in the SDK."""
    with Server() as server, sending_to(server.url, **{HEADERS: f"x-team={KEY},user-agent=mine,b=a%20b"}) as sender:
        sender.export(spans)
        assert sender.urgent(spans)(5) == ""
    for request in server.requests:
        sent = {name: request.headers[name] for name in ("x-team", "user-agent", "b", "content-type")}
        assert sent == {"x-team": KEY, "user-agent": "mine", "b": "a b", "content-type": "application/x-protobuf"}
        assert count(request.body) == 1


@pytest.mark.parametrize(("kind", "unpack"), [("gzip", gzip.decompress), ("deflate", zlib.decompress), ("none", bytes)])
def test_a_body_is_compressed(spans: Sequence[ReadableSpan], kind: str, unpack: type[bytes]) -> None:
    """Before a deadline, too."""
    with Server() as server, sending_to(server.url, OTEL_EXPORTER_OTLP_COMPRESSION=kind) as sender:
        sender.export(spans)
        assert sender.urgent(spans)(5) == ""
    for request in server.requests:
        assert request.headers.get("content-encoding", "none") == kind
        assert count(unpack(request.body)) == 1


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ("", f"to no header: set {HEADERS}"),
        (f"x-team={KEY},x-dataset=shop", "to the header x-team, x-dataset: correct its value"),
    ],
)
def test_a_refused_key_is_said_once_by_its_headers_name(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture, status: int, headers: str, why: str
) -> None:
    """Not by its value."""
    with Server(otherwise=Answer(status)) as server, sending_to(server.url, **{HEADERS: headers}) as sender:
        for _ in range(4):
            sender.export(spans)
        where = f"{server.url}/v1/traces"
    assert caplog.messages == [
        f"lambda-latency: {where} refuses spans (1 of 1: it answered {status} {why}); they are dropped"
    ]


def test_an_https_address_is_checked_with_the_certificates_of_the_variable(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Without it, with those of the system, which do not know this one."""
    path = tmp_path / "ca.pem"
    path.write_bytes(certificate("localhost"))
    with Server(certificate=str(path)) as server:
        url = f"https://localhost:{server.port}"
        with sending_to(url, OTEL_EXPORTER_OTLP_CERTIFICATE=str(path)) as sender:
            assert sender.export(spans)
        with sending_to(url) as sender:
            assert not sender.export(spans)
        with sending_to(url, OTEL_EXPORTER_OTLP_CERTIFICATE=f"{path}.gone") as sender:
            assert not sender.export(spans)
    assert len(server.requests) == 1
    assert [message.partition("(")[2].partition(":")[0] for message in caplog.messages if "no spans" in message] == [
        ssl.SSLCertVerificationError.__name__,
        FileNotFoundError.__name__,
    ]


def test_no_span_and_no_text_has_the_value_of_a_header(
    function: Function, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoded or as the variable has it, wherever a function writes it; short values are no secrets."""
    variable = f"authorization=Basic%20{KEY}%3D,x-flag=1"
    monkeypatch.setenv(HEADERS, variable)

    def handler(_event: object, _context: object) -> None:
        raise ValueError(f"{os.environ}, {KEY}=, 1 item")

    chosen = Settings.read({HEADERS: variable})
    with pytest.raises(ValueError, match=KEY):
        function.invoke(handler)
    with Server() as server:
        sender = Sender(chosen.with_fields(endpoint=f"{server.url}/v1/traces"))
        assert sender.export(function.spans)
        sender.shutdown()
    (request,) = server.requests
    assert request.headers["authorization"] == f"Basic {KEY}="
    assert KEY.encode() not in request.body
    assert b", 1 item" in request.body
    assert KEY not in repr(chosen) + repr(chosen.headers) + "".join(caplog.messages)
    assert isinstance(RedactedSpans, type)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", r"\(1 of 1: rejected: \[redacted\] is no key\); they"),
        (b"%d %s\r\n\r\n", r"\(BadStatusLine\); they wait until it takes them"),
    ],
)
def test_a_key_that_the_receiver_repeats_is_redacted(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture, answer: bytes, said: str
) -> None:
    """In its message; bytes that are no answer are not shown."""
    body = json.dumps({"partialSuccess": {"rejectedSpans": 1, "errorMessage": f"rejected: {KEY} is no key"}}).encode()

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer % (len(body), body))

    with raw_server(serve) as url, sending_to(url, **{HEADERS: f"x-team={KEY}"}) as sender:
        sender.export(spans)
        sender.disconnect()
        (line,) = caplog.messages
    assert KEY not in line
    assert re.search(said, line)
