"""No secret in what is exported or logged, wherever it was, and no harmless value changed."""

import base64
import linecache
import socket
from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from typing import Any

import pytest
from opentelemetry import trace

from lambda_latency.runtime.bootstrap import traced
from lambda_latency.runtime.delivery.daemon import DaemonSender
from lambda_latency.runtime.delivery.sender import Sender
from lambda_latency.runtime.harmless import warn
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime
from tests.redaction.leaks import HARMLESS_KEYS, Secret, forms, harmless, secrets
from tests.runtime.conftest import Function
from tests.runtime.lambdas import Context
from tests.runtime.stubs import Server

Tracer = trace.Tracer


def as_attribute(tracer: Tracer, secret: Secret) -> None:
    """Under its name, or in a text."""
    tracer.start_span("work", attributes={secret.name or "note": secret.encoded, "text": secret.pair}).end()


def nested(tracer: Tracer, secret: Secret) -> None:
    """In a list, and below a dotted name."""
    key = f"app.config.{secret.name}" if secret.name else "app.list"
    tracer.start_span("work", attributes={key: ("a", secret.encoded), "texts": ["b", f"c {secret.pair} d"]}).end()


def header(tracer: Tracer, secret: Secret) -> None:
    """As the instrumentations capture headers."""
    name = (secret.name or "x-note").lower().replace("-", "_")
    for kind in ("request", "response"):
        tracer.start_span("GET", attributes={f"http.{kind}.header.{name}": (secret.encoded,)}).end()


def url(tracer: Tracer, secret: Secret) -> None:
    """In a query, a fragment, a matrix parameter, user info, of an address and of an error that quotes it."""
    value = secret.encoded
    name = secret.name or "q"
    plain = secret.encoding == "url" or secret.value.isalnum()
    urls = [f"https://api.example.com/v1/items?a=1&{name}={value}&b=2", f"https://api.example.com/v1#{name}={value}"]
    if plain:
        urls += [f"https://user:{value}@api.example.com/v1/items", f"https://h/a;jsessionid={value}?b"]
    for key in ("http.url", "url.full", "app.callback"):
        for text in urls:
            tracer.start_span("GET", attributes={key: text, "note": f"Max retries exceeded with url: {text}"}).end()


def path(tracer: Tracer, secret: Secret) -> None:
    """After what says that a token follows."""
    value = (
        secret.encoded
        if secret.encoding in ("url", "base64")
        else base64.urlsafe_b64encode(secret.value.encode()).decode()
    )
    for grant in ("reset", "verify", "invite", "unsubscribe", "magic-link"):
        span = tracer.start_span(f"GET /{grant}/{value}", attributes={"http.target": f"/v1/{grant}/{value}/confirm"})
        span.set_attribute("http.url", f"https://api.example.com/{grant}/{value}")
        span.end()


def message(tracer: Tracer, secret: Secret) -> None:
    """Of an exception, which is on the span as event and as status."""
    try:
        with tracer.start_as_current_span("work"):
            raise ValueError(f"login failed: {secret.pair}")
    except ValueError:
        pass


def stack(tracer: Tracer, secret: Secret) -> None:
    """In a line of source, as Python quotes it."""
    name = "".join(char if char.isalnum() else "_" for char in secret.name) or "value"
    source = f"def connect():\n    {name} = {secret.encoded!r}; raise OSError('no')\n"
    if not secret.name:
        source = f"def connect():\n    call({secret.encoded!r}, 1)\n"
    file = f"/var/task/app_{name}.py"
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    scope: dict[str, Any] = {}
    exec(compile(source, file, "exec"), scope)  # noqa: S102 - a source line of our own
    try:
        with tracer.start_as_current_span("work"):
            scope["connect"]()
    except (OSError, NameError):
        pass


def sql(tracer: Tracer, secret: Secret) -> None:
    """A literal of a statement, as an attribute and as quoted by an error."""
    literal = secret.encoded.replace("'", "''")
    statement = f"SELECT id FROM users WHERE name = 'ada' AND {'t' if not secret.name else 'pw'} = '{literal}'"  # noqa: S608 - nobody runs it
    text = f"(OperationalError) near x\n[SQL: {statement}]\n[parameters: ('ada', '{secret.encoded}')]"
    tracer.start_span("SELECT", attributes={"db.statement": statement, "db.query.text": statement, "error": text}).end()


def span_name(tracer: Tracer, secret: Secret) -> None:
    """With a query, or in a text."""
    tracer.start_span(f"GET /items?{secret.name or 'q'}={secret.encoded}").end()
    tracer.start_span(f"job {secret.pair}").end()


def event(tracer: Tracer, secret: Secret) -> None:
    """In its name and its attributes."""
    span = tracer.start_span("work")
    span.add_event(f"saw {secret.pair}", {secret.name or "note": secret.encoded, "text": secret.pair})
    span.end()


def link(tracer: Tracer, secret: Secret) -> None:
    """In its attributes."""
    context = trace.get_current_span().get_span_context()
    values = {secret.name or "note": secret.encoded, "text": secret.pair}
    tracer.start_span("work", links=[trace.Link(context, values)]).end()


def log(_tracer: Tracer, secret: Secret) -> None:
    """One of the kit's own lines, that quotes an error."""
    warn(f"delivering spans failed (ValueError: no {secret.pair})")


WRITERS: dict[str, Callable[[Tracer, Secret], None]] = {
    "attribute": as_attribute, "nested": nested, "header": header, "url": url, "path": path, "message": message,
    "stack": stack, "sql": sql, "span name": span_name, "event": event, "link": link, "log": log,
    "resource": as_attribute,
}  # fmt: skip


def invoke(settings: dict[str, str], handler: Callable[[Tracer], None]) -> tuple[bytes, bytes]:
    """What an invocation with this handler sends to a collector, and to the daemon."""
    exports: list[bytes] = []
    for export in ("collector", "daemon"):
        with Server() as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
            daemon.bind(("127.0.0.1", 0))
            daemon.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_000_000)
            address = {"OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
                       "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}"}  # fmt: skip
            chosen = Settings.read({**settings, **address, "LAMBDA_LATENCY_FIRST_FLUSH_MS": "60000",
                                    "LAMBDA_LATENCY_BUFFERED_KB": "100000"})  # fmt: skip
            runtime = Runtime(chosen, Sender(chosen) if export == "collector" else DaemonSender(chosen)).start()
            tracer = runtime.provider.get_tracer("test")
            traced(partial(handed, handler, tracer), runtime)(None, Context())
            runtime.stop()
            if export == "collector":
                exports.append(b"".join(request.body for request in server.requests))
            else:
                daemon.setblocking(False)
                exports.append(b"".join(datagrams(daemon)))
    return exports[0], exports[1]


def handed(handler: Callable[[Tracer], None], tracer: Tracer, _event: object, _context: object) -> None:
    """The handler with a tracer in the place of event and context."""
    handler(tracer)


def datagrams(daemon: socket.socket) -> Iterable[bytes]:
    """What has come, decoded."""
    while True:
        try:
            yield base64.b64decode(daemon.recv(65_536).partition(b"T1S")[2])
        except BlockingIOError:
            return


@pytest.mark.parametrize("seed", range(3))
def test_no_secret_leaves_from_any_place_in_any_encoding(
    seed: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """200 by names and shapes that the runtime does not list: none is in either export or in a line of the log."""
    injected = secrets(Random(seed), 200)  # noqa: S311 - what is drawn protects nothing
    resource = [secret for secret in injected if secret.place == "resource"]
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", ",".join(
        f"{s.name or f'note{nth}'}={s.encoded.replace(',', '').replace('=', '')}" for nth, s in enumerate(resource)
        if s.encoding in ("url", "plain") and s.encoded.isalnum()))  # fmt: skip

    def handler(tracer: Tracer) -> None:
        for secret in injected:
            WRITERS[secret.place](tracer, secret)

    collector, daemon = invoke({}, handler)
    logged = "\n".join(caplog.messages)

    assert collector.count(b"[redacted]") > 200
    assert daemon.count(b"[redacted]") > 200
    leaked = [
        (secret, form)
        for secret in injected
        for form in forms(secret)
        if form.encode() in collector or form.encode() in daemon or form in logged
    ]
    assert leaked == []


@pytest.mark.parametrize("seed", range(3))
def test_harmless_values_come_through_unchanged(seed: int, function: Function) -> None:
    """200 of them as attributes, names, events and messages."""
    rng = Random(seed)  # noqa: S311 - what is drawn protects nothing
    values = [(rng.choice(HARMLESS_KEYS), harmless(rng)) for _ in range(200)]

    def handler(_event: object, _context: object) -> None:
        tracer = function.runtime.provider.get_tracer("test")
        for key, value in values:
            span = tracer.start_span(str(value), attributes={key: value, "listed": [str(value)] * 2})
            span.add_event(str(value), {key: value})
            span.set_status(trace.Status(trace.StatusCode.ERROR, str(value)))
            span.end()

    function.invoke(handler)
    spans = [span for span in function.spans if span.kind is not trace.SpanKind.SERVER]
    facts = [
        (
            span.name,
            dict(span.attributes or {}),
            span.events[0].name,
            dict(span.events[0].attributes or {}),
            span.status.description,
        )
        for span in spans
    ]
    assert facts == [
        (str(value), {key: value, "listed": (str(value),) * 2}, str(value), {key: value}, str(value))
        for key, value in values
    ]
