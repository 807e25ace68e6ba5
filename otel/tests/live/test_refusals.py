"""What the page and the receiver refuse: other sites, other hosts, other methods, and bodies that are too much."""

import gzip
import http.client
import itertools
import json
import socket
import time
import zlib
from contextlib import closing
from typing import Any

import pytest

from lambda_latency.live import Bounds, Receiver, RunningPage, page_server
from lambda_latency.live import otlp_receiver as receiving
from lambda_latency.live.decoding import MOST_OBJECTS, ExportError, decompressed, from_json, from_protobuf
from tests.live.conftest import Listeners, Pages
from tests.live.shop import Listener, ask, line, request_spans

Received = tuple[Receiver, RunningPage]

JSON = {"Content_Type": "application/json"}
TRACES = "/v1/traces"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:{port}"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Host": "127.0.0.1.evil.example:{port}"}, 421),
        ({"Host": "localhost:{port}"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "http://127.0.0.1:{port}"}, 200),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
    ],
)
def test_only_the_page_itself_is_answered(pages: Pages, headers: dict[str, str], status: int) -> None:
    """By the name of the host (DNS rebinding), the origin, and what the browser says of the asking site."""
    page = pages()
    port = page.address.split(":")[2].split("/")[0]
    given: Any = {name: value.replace("{port}", port) for name, value in headers.items()}
    assert ask(page.address, **given)[0] == status


@pytest.mark.parametrize("path", ["/", "/events", "/x/", "/../../etc/passwd", "//", "/%2e%2e/"])
def test_an_address_without_the_token_is_refused(pages: Pages, path: str) -> None:
    """With what to do; nothing of the page is in the answer."""
    status, _, body = ask(pages().address, path)
    assert (status, body) == (403, b"Open the address that lambda-latency printed: it holds a token of this run.\n")


@pytest.mark.parametrize(
    "path", ["request/../../etc/passwd", "request/..%2f..%2fetc%2fpasswd", "etc", "source/live.html"]
)
def test_no_path_leads_elsewhere(pages: Pages, path: str) -> None:
    """Nothing is read from a disk for a request."""
    assert ask(pages().address, path)[0] in (403, 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE"])
def test_the_page_has_nothing_to_change(pages: Pages, method: str) -> None:
    """GET is its only method."""
    assert ask(pages().address, "events", method=method)[0] == 501


@pytest.mark.parametrize("query", ["minutes=-1", "minutes=x", "after=1e9", "minutes=" + "9" * 400, "after=%00"])
def test_a_wrong_window_is_refused(pages: Pages, query: str) -> None:
    """With its name."""
    status, _, body = ask(pages().address, f"report?{query}")
    assert (status, body.decode()) == (400, f"{query.partition('=')[0]} must be a whole number\n")


def test_every_answer_forbids_what_the_page_does_not_need(pages: Pages) -> None:
    """One policy of styles and scripts by their hashes, no frames, no types that parse text as markup."""
    _, headers, body = ask(pages().address)
    policy = dict(one.strip().split(" ", 1) for one in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
    assert (policy["connect-src"], policy["require-trusted-types-for"]) == ("'self'", "'script'")
    assert policy["script-src"].startswith("'sha256-")
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert (headers["referrer-policy"], headers["cross-origin-resource-policy"]) == ("no-referrer", "same-origin")
    assert b"@S" not in body


@pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2"])
def test_another_address_of_this_machine_is_refused(pages: Pages) -> None:
    """It listens on 127.0.0.1 alone."""
    port = int(pages().address.split(":")[2].split("/")[0])
    with pytest.raises(ConnectionRefusedError), closing(socket.create_connection(("127.0.0.2", port), 2)):
        pass


def test_pages_beyond_the_bound_are_refused_and_the_others_are_told(pages: Pages, listen: Listeners) -> None:
    """The place of one that hangs up is free again."""
    page = pages(tabs=2)
    first, second = listen(page), listen(page)
    first.until("state")
    second.until("state")
    with closing(Listener(page.address)) as third:
        assert third.answer.status == 503
    assert first.until("state", "tabs_refused")["tabs"] == 2
    second.close()
    page.add(line(request_spans(1)))  # what is written tells the server that it is gone
    first.rows(1)
    end = time.monotonic() + 20
    while (one := Listener(page.address)).answer.status == 503 and time.monotonic() < end:
        one.close()
        page.add(line(request_spans(2)))
        first.rows(1)
    assert one.answer.status == 200
    one.close()


def test_a_page_that_does_not_read_is_let_go(pages: Pages, listen: Listeners, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place is free again, although it has not hung up."""
    monkeypatch.setattr(page_server, "WAIT_S", 0.2)
    monkeypatch.setattr(page_server, "page_events", lambda *_: itertools.repeat(b"more than a socket takes" * 100_000))
    page = pages(tabs=1)
    assert listen(page).answer.status == 200
    end = time.monotonic() + 20
    while (status := listen(page).answer.status) == 503 and time.monotonic() < end:
        time.sleep(0.1)
    assert status == 200


def test_a_name_of_the_traces_is_data(pages: Pages, listen: Listeners) -> None:
    """A row is JSON, and ends no event."""
    page = pages()
    name = "/<script>alert(1)</script>\n\nevent: end\ndata: {}\n\n"
    page.add(line(request_spans(1, route=name)))
    [row] = listen(page).rows(1)
    assert row["route"] == f"GET {name}".rstrip()


# ---- The receiver.


def post(received: Received, body: bytes, path: str = TRACES, **headers: str) -> tuple[int, str]:
    """Status and text of an export."""
    status, _, text = ask(f"http://{received[0].address}/", path, method="POST", body=body, **{**JSON, **headers})
    return status, text.decode().strip()


def test_an_export_is_taken_plain_and_packed(receiver: Received, listen: Listeners) -> None:
    """As JSON, on one line or several, gzip in one member or several."""
    first, second, third = (line(request_spans(number)) for number in range(3))
    assert post(receiver, first) == (200, "{}")
    assert post(receiver, json.dumps(json.loads(second), indent=2).encode()) == (200, "{}")
    packed = gzip.compress(third[:50]) + gzip.compress(third[50:])
    assert post(receiver, packed, Content_Encoding="gzip") == (200, "{}")
    assert post(receiver, b"{}") == (200, "{}")
    assert len(listen(receiver[1]).rows(3)) == 3
    saved = ask(receiver[1].address, "save?minutes=0")[2].splitlines()
    assert sorted(saved) == sorted([first, second, third])


def test_metrics_and_logs_are_counted_and_not_kept(receiver: Received) -> None:
    """A sender that exports them too is not disturbed."""
    assert post(receiver, b'{"resourceMetrics":[]}', "/v1/metrics")[0] == 200
    assert post(receiver, b"\x0a\x00", "/v1/logs", Content_Type="application/x-protobuf")[0] == 200
    assert receiver[0].state()["other_signals"] == 2


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (b"{", {}, 400, "not OTLP/JSON: "),
        (b"\xff\xfe", {}, 400, "not OTLP/JSON: "),
        (b'{"a": 1}', {}, 400, "no resourceSpans: expected an OTLP export request, got a"),
        (b"[" * 500_000, {}, 400, ""),
        (b"{}", {"Content_Type": "text/plain"}, 415, "Content-Type 'text/plain' is not known: send "),
        (b"{}", {"Content_Type": "application/grpc"}, 415, "Content-Type 'application/grpc' is not known: send "),
        (b"no gzip at all", {"Content_Encoding": "gzip"}, 400, "not gzip: "),
        (gzip.compress(b"{}", mtime=0)[:-4], {"Content_Encoding": "gzip"}, 400, "the gzip stream is cut"),
        (b"{}", {"Content_Encoding": "zstd"}, 415, "Content-Encoding 'zstd' is not known: send gzip, or none"),
        (b"{}", {"Content_Length": "-5"}, 411, "a Content-Length is missing"),
        (b"{}", {"Host": "evil.example:4318"}, 421, "this receiver answers to 127.0.0.1 and localhost only"),
        (b"{}", {"Origin": "http://evil.example"}, 403, "a browser's page asked: "),
        (b"\x0a\xff\xff\xff\xff\x0f", {"Content_Type": "application/x-protobuf"}, 400, "not OTLP as protobuf"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(
    receiver: Received, body: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    """The sender's answer has the reason, and the page counts it."""
    found = post(receiver, body, **headers)
    assert found[0] == status
    assert found[1].startswith(reason)
    refusals: Any = receiver[0].state()["refusals"]
    assert [(refusal[: len(reason)], count) for refusal, count in refusals] == [(reason, 1)]


def test_a_body_that_says_more_than_the_bound_is_not_read(receiver: Received) -> None:
    """Nor one in chunks that goes beyond it."""
    with closing(socket.create_connection(("127.0.0.1", receiver[0].port), 20)) as connection:
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: localhost:1\r\nContent-Type: application/json\r\n"
                           b"Content-Length: 99999999999\r\n\r\n")  # fmt: skip
        assert b" 413 " in connection.recv(1000)
    with closing(socket.create_connection(("127.0.0.1", receiver[0].port), 20)) as connection:
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: localhost:1\r\nContent-Type: application/json\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFF\r\n")  # fmt: skip
        assert b" 413 " in connection.recv(1000)


def test_an_export_in_chunks_is_taken(receiver: Received) -> None:
    """As proxies send it."""
    body = line(request_spans(1))
    with closing(http.client.HTTPConnection("127.0.0.1", receiver[0].port, timeout=20)) as connection:
        connection.request("POST", TRACES, iter([body[:100], body[100:]]), {"Content-Type": "application/json"})
        assert connection.getresponse().status == 200


def test_bombs_are_refused_before_they_grow() -> None:
    """By the size after decompression, and by the objects that reading would make."""
    bomb = gzip.compress(bytes(40 * 1024 * 1024))
    with pytest.raises(ExportError, match="more than 20,971,520 bytes after decompression"):
        decompressed(bomb, "gzip", Bounds().body)
    many = b'{"resourceSpans":[' + b"{}," * MOST_OBJECTS + b"{}]}"
    with pytest.raises(ExportError, match="more than 1,000,000 objects"):
        from_json(many)
    with pytest.raises(ExportError, match="more than 1,000,000 objects"):
        from_protobuf(b"\x0a\x00" * 1_000_001)
    spans = b"\x12\x00" * 1_000_001  # empty spans of a scope
    scope = b"\x12" + _varint(len(spans)) + spans
    with pytest.raises(ExportError, match="more than 1,000,000 objects"):
        from_protobuf(b"\x0a" + _varint(len(scope)) + scope)
    deep = b""
    for _ in range(3_000):
        deep = b"\x2a" + _varint(len(deep) + 2 + len(_varint(len(deep)))) + b"\x0a" + _varint(len(deep)) + deep
    with pytest.raises(ExportError, match="not OTLP as protobuf"):
        from_protobuf(_in_span(deep))
    assert zlib.crc32(bomb) != 0


def test_a_slow_sender_is_let_go(receiver: Received, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds nobody up."""
    monkeypatch.setattr(receiving, "BODY_S", 0.3)
    with closing(socket.create_connection(("127.0.0.1", receiver[0].port), 20)) as connection:
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: localhost:1\r\nContent-Type: application/json\r\n"
                           b"Content-Length: 100\r\n\r\n{")  # fmt: skip
        assert post(receiver, line(request_spans(1)))[0] == 200
        assert b" 408 " in connection.recv(1000)


def test_a_sender_of_grpc_is_told_of(receiver: Received) -> None:
    """On the page, and in the frame that ends its connection; each reason has a count of its own."""
    address = receiver[0].address
    advice = f"set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf and OTEL_EXPORTER_OTLP_ENDPOINT=http://{address}"
    for _ in range(2):
        with closing(socket.create_connection(("127.0.0.1", receiver[0].port), 20)) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(1000), b""))
        assert answer.startswith(b"\0\0\0\4\0\0\0\0\0")
        assert advice.encode() in answer
    post(receiver, b"{}", path="/v2/traces")
    refusals = receiver[0].state()["refusals"]
    assert refusals == [
        (f"a sender speaks gRPC: {advice}", 2),
        ("no such path '/v2/traces': traces go to /v1/traces", 1),
    ]


def test_protobuf_without_its_extra_is_refused_with_the_line_that_installs_it(
    receiver: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON is taken all the same."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    status, text = post(receiver, b"", Content_Type="application/x-protobuf")
    assert status == 415
    assert text.startswith("protobuf needs the extra formats: pip install ")
    assert post(receiver, line(request_spans(1))) == (200, "{}")


def test_more_than_waits_is_refused_until_there_is_room(pages: Pages, listen: Listeners) -> None:
    """The sender is asked to try again; what is refused is told."""
    page = pages(inbox=1)
    listener = listen(page)
    listener.until("state")
    with closing(Receiver(page.add, 0, Bounds().body)) as receiver:
        many = [post((receiver, page), line(request_spans(number))) for number in range(40)]
    assert {status for status, _ in many} == {200, 503}
    assert listener.until("state", "refused")["refused"] == sum(status == 503 for status, _ in many)


def test_open_traces_beyond_the_bound_are_shown_early(pages: Pages, listen: Listeners) -> None:
    """2,000 traces that never end do not add up."""
    page = pages(open=10)
    listener = listen(page)
    listener.until("state")
    page.add(line(*(request_spans(number)[1:] for number in range(50))))
    assert len(listener.rows(40)) >= 40


def _varint(number: int) -> bytes:
    found = bytearray()
    while True:
        found.append(number & 127 | (128 if number > 127 else 0))
        number >>= 7
        if not number:
            return bytes(found)


def _in_span(value: bytes) -> bytes:
    """An export with a span of one attribute with this value."""
    for tag in (b"\x12", b"\x4a", b"\x12", b"\x12", b"\x0a"):
        value = tag + _varint(len(value)) + value
    return value
