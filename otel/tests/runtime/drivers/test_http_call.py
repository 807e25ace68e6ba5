"""HTTP calls with upstream's instrumentations, against a provider that writes down what it gets."""

import asyncio
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
import requests
import urllib3
from opentelemetry import context, propagate
from opentelemetry.trace import SpanKind

from lambda_latency.runtime.copies import peer_of
from tests.runtime.conftest import SEGMENT, TRACE, Function
from tests.runtime.stubs import Answer, Server

OTHER = TRACE[::-1]
KEYS = ("http.method", "http.url", "http.status_code", "peer.service", "net.peer.name", "net.peer.port")


def with_requests(url: str) -> int:
    """POST with requests."""
    return requests.post(url, json={}, timeout=5).status_code


def with_urllib3(url: str) -> int:
    """POST with urllib3."""
    with urllib3.PoolManager() as pool:
        return pool.request("POST", url, body=b"{}", retries=False).status


def with_urllib(url: str) -> int:
    """POST with urllib, which takes no user info."""
    url = url.replace("user:password@", "")
    try:
        with urllib.request.urlopen(urllib.request.Request(url, b"{}"), timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code)


EVERY_LIBRARY = pytest.mark.parametrize("post", [with_requests, with_urllib3, with_urllib])


@EVERY_LIBRARY
@pytest.mark.parametrize(("status", "outcome"), [(200, "UNSET"), (402, "ERROR"), (503, "ERROR")])
def test_a_call_is_one_client_span_with_its_peer(
    function: Function, server: Server, post: Callable[[str], int], status: int, outcome: str
) -> None:
    """Method, address, status and X-Ray's name for the node; no query, no user info; no second span from urllib3."""
    server.otherwise = Answer(status)
    secret = server.url.replace("//", "//user:password@") + "/charges?token=secret#fragment"
    assert function.invoke(lambda _event, _context: post(secret)) == status
    assert function.trees(*KEYS) == [
        ("orders-create", "SERVER", "UNSET", {}, [
            ("POST", "CLIENT", outcome, {
                "http.method": "POST",
                "http.url": f"{server.url}/charges",
                "http.status_code": status,
                "peer.service": "127.0.0.1",
                "net.peer.name": "127.0.0.1",
                "net.peer.port": server.port,
            }, []),
        ])
    ]  # fmt: skip


@EVERY_LIBRARY
def test_the_callee_gets_the_clients_span_as_parent(
    function: Function, server: Server, post: Callable[[str], int]
) -> None:
    """In X-Ray's header, and in no other."""
    function.invoke(lambda _event, _context: post(server.url))
    (request,) = server.requests
    root = f"Root=1-{TRACE[:8]}-{TRACE[8:]}"
    assert request.headers["x-amzn-trace-id"] == f"{root};Parent={function.trace.one('POST').span_id};Sampled=1"
    assert not {"traceparent", "tracestate", "baggage"} & set(request.headers)


@EVERY_LIBRARY
def test_an_unsampled_call_tells_the_callee(
    function: Function, server: Server, post: Callable[[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is recorded here, and the decision holds downstream."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SEGMENT};Sampled=0")
    function.invoke(lambda _event, _context: post(server.url))
    (request,) = server.requests
    header = dict(pair.split("=") for pair in request.headers["x-amzn-trace-id"].split(";"))
    assert (header["Root"], header["Sampled"]) == (f"1-{TRACE[:8]}-{TRACE[8:]}", "0")
    assert function.spans == ()


def test_an_unsampled_call_goes_past_upstreams_wrapper(
    function: Function, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wrapper only asks whether spans are suppressed; all of a recorded call's work begins with that."""
    calls: list[str] = []

    def wrapper_asks() -> bool:
        calls.append("wrapper")
        return True

    upstream = "opentelemetry.instrumentation.requests.is_http_instrumentation_enabled"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SEGMENT};Sampled=1")
    function.invoke(lambda _event, _context: with_requests(server.url))
    monkeypatch.setattr(upstream, wrapper_asks)
    function.invoke(lambda _event, _context: with_requests(server.url))
    assert calls == ["wrapper"]
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SEGMENT};Sampled=0")
    function.invoke(lambda _event, _context: with_requests(server.url))
    assert calls == ["wrapper"]
    assert len(server.requests) == 3


@EVERY_LIBRARY
def test_a_call_below_a_callers_context_is_a_span(
    function: Function, server: Server, post: Callable[[str], int]
) -> None:
    """A handler has read it from a message, and made it current."""
    sender = {"X-Amzn-Trace-Id": f"Root=1-{OTHER[:8]}-{OTHER[8:]};Parent={SEGMENT};Sampled=1"}

    def handler(_event: object, _context: object) -> None:
        token = context.attach(propagate.extract(sender))
        post(server.url)
        context.detach(token)

    function.invoke(handler)
    call = function.trace.one("POST")
    assert (call.trace_id, call.parent_id) == (OTHER, SEGMENT)


@EVERY_LIBRARY
def test_a_call_in_a_thread_of_an_earlier_invocation_is_a_span(
    function: Function, server: Server, post: Callable[[str], int]
) -> None:
    """Below the span of the invocation that started the thread."""
    jobs: queue.Queue[str | None] = queue.Queue()
    answers: queue.Queue[int] = queue.Queue()

    def work() -> None:
        while (job := jobs.get()) is not None:
            answers.put(post(job))

    worker = threading.Thread(target=work)
    function.invoke(lambda _event, _context: worker.start())

    def ask(_event: object, _context: object) -> int:
        jobs.put(server.url)
        return answers.get(timeout=60)

    assert function.invoke(ask) == 200
    jobs.put(None)
    worker.join()
    assert function.trees() == [
        ("orders-create", "SERVER", "UNSET", {}, [("POST", "CLIENT", "UNSET", {}, [])]),
        ("orders-create", "SERVER", "UNSET", {}, []),
    ]


def get_with_httpx(url: str, name: str = "httpx") -> None:
    """GET with httpx, awaited and at once: the first call installs the instrumentation."""
    httpx = pytest.importorskip(name)

    async def awaited() -> None:
        async with httpx.AsyncClient() as client:
            await client.get(url)

    asyncio.run(awaited())
    httpx.get(url)


def get_with_httpx2(url: str) -> None:
    """The same with its successor, which needs Python 3.11."""
    get_with_httpx(url, "httpx2")


def get_with_aiohttp(url: str) -> None:
    """GET with aiohttp, twice."""
    aiohttp = pytest.importorskip("aiohttp")

    async def awaited() -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(2):
                async with session.get(url) as response:
                    await response.read()

    asyncio.run(awaited())


@pytest.mark.parametrize("get_twice", [get_with_httpx, get_with_httpx2, get_with_aiohttp])
def test_asynchronous_calls_are_spans_as_any_other(
    function: Function, server: Server, get_twice: Callable[[str], None]
) -> None:
    """Where the library is installed."""
    function.invoke(lambda _event, _context: get_twice(f"{server.url}/a?token=secret"))
    expected = {"http.url": f"{server.url}/a", "http.status_code": 200, "peer.service": "127.0.0.1"}
    assert function.trees(*expected) == [
        ("orders-create", "SERVER", "UNSET", {}, 2 * [("GET", "CLIENT", "UNSET", expected, [])])
    ]


def test_a_refused_connection_is_an_error(function: Function) -> None:
    """There is no status."""
    with Server() as gone:
        pass

    def handler(_event: object, _context: object) -> None:
        with pytest.raises(requests.ConnectionError):
            with_requests(gone.url)

    function.invoke(handler)
    assert function.trees("http.status_code", "peer.service") == [
        ("orders-create", "SERVER", "UNSET", {}, [("POST", "CLIENT", "ERROR", {"peer.service": "127.0.0.1"}, [])])
    ]


@pytest.mark.parametrize(
    ("setting", "spans"),
    [
        ("all", 3),
        ("requests", 1),
        ("urllib3", 2),  # its own call, and the one that requests makes through it
        ("urllib,requests", 2),
        ("botocore", 0),
        ("none", 0),
    ],
)
def test_the_setting_narrows_what_is_traced(
    start: Callable[..., Function], server: Server, setting: str, spans: int
) -> None:
    """To the libraries it names."""
    function = start(LAMBDA_LATENCY_INSTRUMENTATIONS=setting)

    def handler(_event: object, _context: object) -> None:
        for post in (with_requests, with_urllib3, with_urllib):
            post(server.url)

    function.invoke(handler)
    assert len(function.spans) == 1 + spans
    assert len(server.requests) == 3


def test_two_first_calls_at_once_are_both_answered(function: Function, server: Server) -> None:
    """The instrumentation is put on once, whichever thread comes first."""
    both = threading.Barrier(2)
    answers: list[int] = []

    def work() -> None:
        both.wait(5)
        answers.append(with_urllib3(server.url))

    def handler(_event: object, _context: object) -> None:
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    function.invoke(handler)
    assert answers == [200, 200]


def test_stopping_leaves_every_library_as_it_was(start: Callable[..., Function], server: Server) -> None:
    """Whether its first call has come or not."""
    methods: list[tuple[Any, str]] = [
        (requests.Session, "send"),
        (urllib3.HTTPConnectionPool, "urlopen"),
        (urllib.request.OpenerDirector, "open"),
    ]
    originals = [getattr(owner, name) for owner, name in methods]
    propagator = propagate.get_global_textmap()
    for act in (lambda: None, lambda: with_urllib3(server.url)):
        function = start()
        function.invoke(lambda _event, _context, act=act: act())  # type: ignore[misc]
        function.runtime.stop()
        assert [getattr(owner, name) for owner, name in methods] == originals
        assert propagate.get_global_textmap() is propagator


UPSTREAM = "opentelemetry.instrumentation.requests"


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://payments.example.com/v1/charges", "payments.example.com", 443),
        ("http://127.0.0.1:8080", "127.0.0.1", 8080),
        ("http://[::1]:8080/a", "::1", 8080),
        ("https://user:secret@payments.example.com?token=secret#part", "payments.example.com", 443),
        ("HTTPS://Payments.Example.COM/", "payments.example.com", 443),
        ("ftp://files.example.com/a", "files.example.com", 0),
    ],
)
def test_a_peer_is_host_and_port(url: str, host: str, port: int) -> None:
    """Nothing else of the address."""
    assert peer_of(url) == {"peer.service": host, "net.peer.name": host, "net.peer.port": port}


@pytest.mark.parametrize(
    "url", ["", "no address", "http://", "http://user:pa/ss@host/", "http://[::1", "http://h:99999/"]
)
def test_what_is_no_address_has_no_peer(url: str) -> None:
    """And nothing of it is told in the log: it may hold a password where a port should be."""
    assert peer_of(url) == {}


@pytest.mark.parametrize(
    ("scope", "kind", "peer"),
    [
        (UPSTREAM, SpanKind.CLIENT, "payments.example.com"),
        (UPSTREAM, SpanKind.SERVER, None),
        ("the.handlers.own", SpanKind.CLIENT, None),
    ],
)
def test_only_upstreams_calls_are_completed(function: Function, scope: str, kind: SpanKind, peer: str | None) -> None:
    """A handler's own spans say what it has written, whether the tracer's first or a later one."""

    def handler(_event: object, _context: object) -> None:
        tracer = function.runtime.provider.get_tracer(scope)
        for _ in range(2):
            address: dict[str, Any] = {"http.url": "https://payments.example.com/v1"}
            tracer.start_span("call", kind=kind, attributes=address).end()

    function.invoke(handler)
    assert [(span.attributes or {}).get("peer.service") for span in function.spans] == [None, peer, peer]
