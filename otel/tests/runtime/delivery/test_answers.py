"""Answers of a collector, of every kind: none holds the delivery beyond its bound, and what is refused is counted."""

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http.client import BadStatusLine, RemoteDisconnected

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from lambda_latency.runtime.delivery.answers import retry_after
from lambda_latency.runtime.delivery.sender import Sender
from lambda_latency.runtime.delivery.transport import Reply, read_answer
from lambda_latency.runtime.settings import Settings
from tests.runtime.delivery.test_encoding import simple
from tests.runtime.delivery.test_sender import count, raw_server
from tests.runtime.stubs import Answer as Planned
from tests.runtime.stubs import Server

SPANS = 4
BOUND_S = 0.4
NOW = 1_000_000_000.0
PROTOBUF = "Content-Type: application/x-protobuf"
JSON = "Content-Type: application/json; charset=utf-8"
HTML = "Content-Type: text/html"
TAKEN, WAITING = True, False


def partial(rejected: int, why: str) -> bytes:
    """The body of an answer that rejects so many spans."""
    message = ExportTraceServiceResponse()
    message.partial_success.rejected_spans, message.partial_success.error_message = rejected, why
    return message.SerializeToString()


def answer(status: str, body: bytes = b"", *headers: str, length: bool = True) -> bytes:
    """An answer of HTTP."""
    lines = [f"HTTP/1.1 {status}", *headers, *[f"Content-Length: {len(body)}"] * length]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(*chunks: bytes) -> bytes:
    """The body in chunks."""
    return b"".join(b"%x;a=b\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


@dataclass(frozen=True, slots=True)
class Kind:
    """The bytes of an answer, whether the connection is closed then, and what a delivery comes to."""

    answer: bytes
    taken: bool
    dropped: int = 0
    said: str = ""  # an expression that the only line of the log contains; empty if there is none
    closes: bool = False


REJECTS = partial(3, "too old")
FOREIGN = r"\(4 of 4: its answer 200 \(%s\) is none of OTLP: correct the address or its port\); they are dropped"
KINDS = {
    "accepted": Kind(answer("200 OK", b"", PROTOBUF), TAKEN),
    "accepted, without reason": Kind(answer("200", b"{}", JSON), TAKEN),
    "no content": Kind(answer("204 No Content", length=False), TAKEN),
    "rejected in part": Kind(answer("200 OK", REJECTS, PROTOBUF), TAKEN, 3, r"refuses spans \(3 of 4: too old\)"),
    "the same in JSON": Kind(
        answer("200 OK", json.dumps({"partialSuccess": {"rejectedSpans": "2", "errorMessage": "no"}}).encode(), JSON),
        TAKEN, 2, r"refuses spans \(2 of 4: no\)"),
    "the same in chunks": Kind(
        answer("200 OK", chunked(REJECTS[:3], REJECTS[3:]), PROTOBUF, "Transfer-Encoding: chunked", length=False),
        TAKEN, 3, r"refuses spans \(3 of 4: too old\)"),
    "the same to the end of the connection": Kind(
        answer("200 OK", REJECTS, PROTOBUF, "Connection: close", length=False), TAKEN, 3, "3 of 4", closes=True),
    "the same after a continue": Kind(
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer("200 OK", REJECTS, PROTOBUF), TAKEN, 3, "3 of 4"),
    "more rejected than sent": Kind(answer("200 OK", partial(99, "no"), PROTOBUF), TAKEN, 4, r"\(4 of 4: no\)"),
    "rejected without words": Kind(answer("200 OK", partial(1, ""), PROTOBUF), TAKEN, 1, "1 of 4: it says no more"),
    "a negative number": Kind(answer("200 OK", partial(-1, ""), PROTOBUF), TAKEN),
    "a remark": Kind(answer("200 OK", partial(0, "old protocol"), PROTOBUF), TAKEN, 0, "and says: old protocol"),
    "a body that is cut off": Kind(answer("200 OK", b"{", "Content-Length: 50", length=False), TAKEN),
    "a body that is nothing": Kind(answer("200 OK", b"\xff" * 60, PROTOBUF), TAKEN),
    "a number without an end": Kind(answer("200 OK", b"\x0a\x7f\x08" + b"\x80" * 60_000, PROTOBUF), TAKEN),
    "objects without an end": Kind(answer("200 OK", b'{"a":' * 12_000, JSON), TAKEN),
    "lists without an end": Kind(answer("200 OK", b"[" * 60_000, JSON), TAKEN, 4, r"200 \(application/json; char"),
    "a page": Kind(answer("200 OK", b"<html>Log in</html>", HTML), TAKEN, 4, FOREIGN % "text/html"),
    "a page without a type": Kind(answer("200 OK", b"\n<!DOCTYPE html>"), TAKEN, 4, FOREIGN % "no type"),
    "a page that is not read": Kind(
        answer("200 OK", b"", HTML, "Content-Length: 70000", length=False), TAKEN, 4, "text/html"),
    "a page without a length": Kind(
        answer("200 OK", b"", HTML, length=False), TAKEN, 4, "text/html"),
    "a word": Kind(answer("200 OK", b"OK", "Content-Type: text/plain"), TAKEN, 4, FOREIGN % "text/plain"),
    "health": Kind(answer("200 OK", b'{"status": "up"}', JSON), TAKEN, 4, "application/json"),
    "accepted, as a page": Kind(answer("200 OK", b"", HTML), TAKEN),
    "accepted, as a text": Kind(answer("200 OK", b"{}", "Content-Type: text/plain"), TAKEN),
    "rejected in part, without a type": Kind(answer("200 OK", REJECTS), TAKEN, 3, r"refuses spans \(3 of 4: too old\)"),
    "chunks that are none": Kind(
        answer("200 OK", b"zz\r\nxx", "Transfer-Encoding: chunked", length=False), TAKEN),
    "malformed": Kind(answer("400 Bad Request", b"no"), TAKEN, 4, r"refuses spans \(4 of 4: it answered 400\)"),
    "not allowed": Kind(
        answer("401 Unauthorized"), TAKEN, 4, r"\(4 of 4: it answered 401 to no header: set OTEL_EXPORTER_OTLP_HEAD"),
    "not there": Kind(answer("404 Not Found"), TAKEN, 4, r"\(4 of 4: it answered 404\)"),
    "elsewhere": Kind(answer("307 Temporary", b"", "Location: http://x/"), TAKEN, 4, r"\(4 of 4: it answered 307\)"),
    "too large, always": Kind(answer("413 Too Large"), TAKEN, 4, r"refuses spans \(1 of 1: it answered 413\)"),
    "a slow request": Kind(answer("408 Request Timeout"), WAITING, 0, r"\(it answered 408\); they wait"),
    "too many": Kind(
        answer("429 Too Many", b"", "Retry-After: 7"), WAITING, 0,
        r"\(it answered 429\); they wait until the next try at \d\d:\d\d:\d\d UTC$"),
    "an error": Kind(answer("500 Error", b"<html>"), WAITING, 0, r"\(it answered 500\); they wait"),
    "away": Kind(answer("503 Away", b"", f"Retry-After: {formatdate(2e9)}"), WAITING, 0, r"\(it answered 503\)"),
    "a status of a thousand": Kind(answer("1000 What"), WAITING, 0, "BadStatusLine"),
    "a status of many digits": Kind(answer("2" * 5000 + " OK"), WAITING, 0, "BadStatusLine"),
    "a status that is no number": Kind(answer("OK"), WAITING, 0, "BadStatusLine"),
    "a length of many digits": Kind(answer("200 OK", b"", "Content-Length: " + "9" * 5000, length=False), TAKEN),
    "another protocol": Kind(b"220 mail ready\r\n\r\n", WAITING, 0, "BadStatusLine"),
    "TLS": Kind(b"\x15\x03\x01\x00\x02\x02\x16", WAITING, 0, "BadStatusLine", closes=True),
    "a head without an end": Kind(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, WAITING, 0, "BadStatusLine"),
    "half a head": Kind(b"HTTP/1.1 200", WAITING, 0, "BadStatusLine", closes=True),
    "nothing, and closed": Kind(b"", WAITING, 0, "RemoteDisconnected", closes=True),
    "nothing, and open": Kind(b"", WAITING, 0, "TimeoutError"),
    "continues without an end": Kind(b"HTTP/1.1 100 Continue\r\n\r\n" * 2000, WAITING, 0, "TimeoutError"),
}  # fmt: skip


def answering(kind: Kind, over: threading.Event) -> Callable[[socket.socket], None]:
    """A server that answers each request on a connection so."""

    def serve(connection: socket.socket) -> None:
        connection.settimeout(10)
        data = b""
        while more := connection.recv(65536):
            data += more
            head, mark, body = data.partition(b"\r\n\r\n")
            if mark and len(body) >= int(re.findall(rb"Content-Length: (\d+)", head)[0]):
                data = b""
                connection.sendall(kind.answer)
                if kind.closes:
                    return
                if kind.taken is WAITING:
                    over.wait(10)

    return serve


@pytest.mark.parametrize("name", KINDS)
def test_an_answer_of_any_kind_is_understood_in_bounded_time(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Spans are accepted, wait, or are dropped with their number in the log; the connection is no matter."""
    kind, over = KINDS[name], threading.Event()
    with raw_server(answering(kind, over)) as url:
        bounds = {"LAMBDA_LATENCY_FIRST_FLUSH_MS": str(int(BOUND_S * 1000))}
        sender = Sender(Settings.read({"OTEL_EXPORTER_OTLP_ENDPOINT": url, **bounds}))
        begin = time.monotonic()
        taken = sender.export([simple(number=number) for number in range(SPANS)])
        took = time.monotonic() - begin
        lines, dropped = list(caplog.messages), sender._waiting.dropped
        over.set()
        sender.disconnect()
    assert (taken, dropped, len(lines)) == (kind.taken, kind.dropped, int(bool(kind.said)))
    assert re.search(kind.said, " ".join(lines)), lines
    assert took < BOUND_S + 1  # for a busy machine; without a bound it is ten seconds


def test_a_reset_is_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    """The kernel's way to say no."""

    def serve(connection: socket.socket) -> None:
        connection.recv(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with raw_server(serve) as url:
        sender = Sender(Settings.read({"OTEL_EXPORTER_OTLP_ENDPOINT": url}))
        assert not sender.export([simple()])
        sender.disconnect()
    (line,) = caplog.messages
    assert "ConnectionResetError" in line or "BrokenPipeError" in line


class Picky(Server):
    """Accepts requests with two spans at most."""

    def __init__(self) -> None:
        super().__init__()
        self.accepted: list[int] = []

    @property
    def otherwise(self) -> Planned:
        """The answer to the last request."""
        spans = count(self.requests[-1].body)
        self.accepted += [spans] if spans <= 2 else []
        return Planned() if spans <= 2 else Planned(413)

    @otherwise.setter
    def otherwise(self, _: Planned) -> None:
        """Not kept."""


def test_a_batch_that_is_too_large_is_split(caplog: pytest.LogCaptureFixture) -> None:
    """Until it is taken; later batches are small from the start."""
    with Picky() as server:
        sender = Sender(Settings.read({"OTEL_EXPORTER_OTLP_ENDPOINT": server.url}))
        for _ in range(2):
            assert sender.export([simple(number=number) for number in range(8)])
        requests = len(server.requests)
        assert sender.urgent([simple(number=number) for number in range(8)])(5) == ""
        sender.disconnect()
    assert sum(server.accepted) == 24
    assert requests - len(server.accepted) <= 3
    assert caplog.messages == []


def test_an_urgent_batch_that_is_too_large_is_split() -> None:
    """Before a timeout too."""
    with Picky() as server:
        sender = Sender(Settings.read({"OTEL_EXPORTER_OTLP_ENDPOINT": server.url}))
        assert sender.urgent([simple(number=number) for number in range(8)])(5) == ""
    assert server.accepted == [2, 2, 2, 2]


@pytest.mark.parametrize(("delay", "least"), [("7", 7), ("90", 90), ("86400", 300), ("0", 1), ("soon", 1)])
def test_the_pause_that_a_collector_asks_for_is_kept(delay: str, least: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """With up to a quarter more, so that not all environments come back at once."""
    clock = [1_000_000.0]
    monkeypatch.setattr("lambda_latency.runtime.delivery.sender.wall_clock", lambda: clock[0])
    with Server(Planned(429, b"", {"Retry-After": delay})) as server:
        sender = Sender(Settings.read({"OTEL_EXPORTER_OTLP_ENDPOINT": server.url}))
        sender.export([simple()])
        clock[0] += least - 0.01
        assert not sender.export([])
        clock[0] += least / 4 + 0.02
        assert sender.export([])
        sender.disconnect()
    assert len(server.requests) == 2


def test_pauses_of_many_environments_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """By chance from the kernel, since a function may seed `random`."""
    from lambda_latency.runtime.delivery.sender import Circuit

    clock = [1_000_000.0]
    monkeypatch.setattr("lambda_latency.runtime.delivery.sender.wall_clock", lambda: clock[0])
    circuits = [Circuit() for _ in range(50)]
    for circuit in circuits:
        circuit.failed(100)
    clock[0] += 112
    assert 0 < sum(circuit.closed for circuit in circuits) < 50


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"120", 120), (b" 5 ", 5), (b"", 0), (b"-5", 0), (b"1.5", 0), (b"soon", 0), (b"9" * 400, float("inf")),
        (formatdate(NOW + 100).encode(), 100), (formatdate(0).encode(), 0), (b"Fri, 99 Foo 2026", 0),
        ("\u0663".encode("latin-1", "replace"), 0),
    ],
)  # fmt: skip
def test_the_pause_is_seconds_or_a_date(value: bytes, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is neither is no pause."""
    monkeypatch.setattr(time, "time", lambda: NOW)
    pause_s = retry_after(Reply(503, b"HTTP/1.1 503 Away\r\nRetry-After: " + value))
    assert pause_s == seconds


def test_refusals_that_go_on_are_told_again_at_ten_times_their_number(caplog: pytest.LogCaptureFixture) -> None:
    """And at their end, all of them."""
    with Server(*[Planned(400)] * 25) as server:
        sender = Sender(Settings.read({"OTEL_EXPORTER_OTLP_ENDPOINT": server.url}))
        for _ in range(26):
            sender.export([simple()])
        sender.disconnect()
        where = f"{server.url}/v1/traces"
    assert caplog.messages == [
        f"lambda-latency: {where} refuses spans (1 of 1: it answered 400); they are dropped",
        f"lambda-latency: {where} still refuses spans (1 of 1: it answered 400): 10 so far",
        f"lambda-latency: spans are delivered to {where} again; 25 were dropped",
    ]


def read_in_parts(*parts: bytes) -> tuple[int, bool]:
    """Status, and whether the connection can be used again."""
    pieces = list(parts)
    answer = read_answer(lambda: pieces.pop(0) if pieces else b"")
    return answer.status, answer.reusable


def test_an_answer_comes_in_any_pieces() -> None:
    """To its end, and the connection is kept."""
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\n{}"
    for cut in range(len(whole)):
        assert read_in_parts(*filter(None, (whole[:cut], whole[cut:]))) == (200, True)
    assert read_in_parts(*(whole[index : index + 1] for index in range(len(whole)))) == (200, True)


def test_what_comes_before_the_answer_is_passed() -> None:
    """100 Continue."""
    assert read_in_parts(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n") == (204, True)


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.0 503 Busy\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\n\r\nuntil the end",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 9999999999\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\n{}",
    ],
)
def test_a_connection_whose_next_answer_cannot_be_told_is_given_up(text: bytes) -> None:
    """The status counts all the same."""
    assert read_in_parts(text) == (503, False)


@pytest.mark.parametrize("nonsense", [b"\r\n\r\n", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
def test_what_is_no_answer_is_named(nonsense: bytes) -> None:
    """With http.client's own exception."""
    with pytest.raises(BadStatusLine):
        read_in_parts(nonsense)


def test_no_answer_at_all_is_a_closed_connection() -> None:
    """As after the idle limit of the other side."""
    with pytest.raises(RemoteDisconnected):
        read_in_parts()
