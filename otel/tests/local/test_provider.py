"""The payments provider: its books, its part of the trace, and how it misbehaves on purpose."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased

from lambda_latency.http import Server
from lambda_latency.local.faults import FaultPlan, FaultRule
from lambda_latency.local.processes import Processes, Service
from lambda_latency.local.provider import Books, PaymentsHandler
from lambda_latency.local.spans.receiver import serve_receiver
from lambda_latency.local.spans.store import Store
from lambda_latency.testing import snapshot_of
from lambda_latency.testing.recording import span_of
from lambda_latency.trace import Scope, Span, SpanKind, read_spans
from tests.local.calls import PATIENCE, Reply, call, eventually

TRACE = "6b05a667affeb9dbb0aa7f2b5d5ab5f9"
PARENT = "53995c3f42cd8ad8"
SAMPLED = {"X-Amzn-Trace-Id": f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={PARENT};Sampled=1"}
CHARGE = {"amount": 450, "payment_method": "card-1"}


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider in this process, and the spans it has recorded."""

    server: Server
    memory: InMemorySpanExporter

    def post(
        self, path: str, key: str | None = "key-1", body: object = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """One call of the API, by default the same charge."""
        raw = body if isinstance(body, bytes) else json.dumps(CHARGE if body is None else body).encode()
        keyed = {} if key is None else {"Idempotency-Key": key}
        return call(self.server.port, "POST", path, raw, {**keyed, **(headers or {})})

    def books(self) -> Any:
        """What GET / says."""
        return call(self.server.port, "GET", "/").json

    def spans(self, count: int = 1) -> tuple[ReadableSpan, ...]:
        """The spans so far, once there are as many as are awaited: an answer is out before its span has ended."""
        eventually(lambda: len(self.memory.get_finished_spans()) >= count)
        return self.memory.get_finished_spans()


Begin = Callable[..., Provider]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Start a provider with some faults, as `main` does; all end with the test."""
    started: list[tuple[Provider, TracerProvider]] = []

    def start(*rules: FaultRule) -> Provider:
        memory = InMemorySpanExporter()
        traces = TracerProvider(
            sampler=ParentBased(ALWAYS_OFF), resource=Resource({"service.name": "payments"}), shutdown_on_exit=False
        )
        traces.add_span_processor(SimpleSpanProcessor(memory))
        plan = FaultPlan(1, rules)
        handler = {
            "books": Books(),
            "faults": plan.faults_at("provider"),
            "connect_faults": plan.faults_at("connect"),
            "tracer": traces.get_tracer("payments"),
        }
        provider = Provider(Server(type("Payments", (PaymentsHandler,), handler)), memory)
        started.append((provider, traces))
        return provider

    yield start
    for provider, traces in started:
        with suppress(OSError):  # closed already, by a test of just that
            provider.server.close()
        traces.shutdown()


@pytest.fixture
def provider(begin: Begin) -> Provider:
    """A provider without faults."""
    return begin()


def test_a_charge_is_entered_once_for_its_key(provider: Provider) -> None:
    """The same key gives the same answer again, and the money moves once; another key is another charge."""
    answers = [provider.post("/charges", key) for key in ("a", "a", "b")]
    assert [(answer.status, answer.json) for answer in answers] == [
        (201, {"charge_id": "ch_1", "status": "succeeded"}),
        (201, {"charge_id": "ch_1", "status": "succeeded"}),
        (201, {"charge_id": "ch_2", "status": "succeeded"}),
    ]
    assert provider.books() == {
        "charges": [
            {**CHARGE, "charge_id": "ch_1", "status": "succeeded", "idempotency_key": "a"},
            {**CHARGE, "charge_id": "ch_2", "status": "succeeded", "idempotency_key": "b"},
        ],
        "refunds": [],
    }


def test_a_refund_has_keys_of_its_own(provider: Provider) -> None:
    """A refund with the key of a charge is still a refund, and is entered once."""
    answers = [provider.post(path, "a") for path in ("/charges", "/refunds", "/refunds")]
    assert [(answer.status, answer.json) for answer in answers[1:]] == [
        (201, {"refund_id": "re_1", "status": "succeeded"}),
    ] * 2
    assert provider.books()["refunds"] == [
        {**CHARGE, "refund_id": "re_1", "status": "succeeded", "idempotency_key": "a"}
    ]


def test_a_declined_card_is_402(provider: Provider) -> None:
    """Nothing is entered, and the same key is declined again although the card is another one by then."""
    declined = provider.post("/charges", body={**CHARGE, "payment_method": "card-declined"})
    repeated = provider.post("/charges")
    assert [(answer.status, answer.json) for answer in (declined, repeated)] == [(402, {"error": "card_declined"})] * 2
    assert provider.books() == {"charges": [], "refunds": []}


@pytest.mark.parametrize(
    ("key", "body"),
    [(None, CHARGE), ("", CHARGE), ("k", b""), ("k", b"{"), ("k", b"\xff"), ("k", [1]), ("k", "text")],
    ids=["no key", "empty key", "no body", "no JSON", "no text", "list", "string"],
)
def test_a_request_that_is_wrong_is_400(provider: Provider, key: str | None, body: object) -> None:
    """A key and an object are needed; nothing is entered without."""
    reply = provider.post("/charges", key, body)
    assert (reply.status, reply.json, provider.books()) == (
        400,
        {"error": "an Idempotency-Key and a JSON object are needed"},
        {"charges": [], "refunds": []},
    )


@pytest.mark.parametrize("path", ["/", "/charge", "/charges/", "/charges/ch_1"])
def test_another_path_is_404(provider: Provider, path: str) -> None:
    """There are charges and refunds, and no more."""
    reply = provider.post(path)
    assert (reply.status, reply.json) == (404, {"error": "not_found"})


def _said(span: ReadableSpan) -> tuple[object, ...]:
    """A span with nothing in it but what is the same each time."""
    context, parent = span.get_span_context(), span.parent
    assert context is not None
    return (
        span.name,
        span.kind.name,
        f"{context.trace_id:032x}",
        parent and (f"{parent.span_id:016x}", parent.is_remote),
        span.status.status_code.name,
        dict(span.attributes or {}),
        [event.name for event in span.events],
        dict(span.resource.attributes),
    )


def _expected(status: int | None, code: str = "UNSET", events: tuple[str, ...] = ()) -> tuple[object, ...]:
    attributes: dict[str, object] = {"http.method": "POST", "http.route": "/charges", "http.target": "/charges"}
    if status is not None:
        attributes["http.status_code"] = status
    return (
        "POST /charges",
        "SERVER",
        TRACE,
        (PARENT, True),
        code,
        attributes,
        list(events),
        {"service.name": "payments"},
    )


def test_it_continues_the_trace_of_its_caller(provider: Provider) -> None:
    """A sampled X-Ray header makes the SERVER span a child of the remote span that it names."""
    provider.post("/charges", headers=SAMPLED)
    assert [_said(span) for span in provider.spans()] == [_expected(201)]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Amzn-Trace-Id": SAMPLED["X-Amzn-Trace-Id"].replace("Sampled=1", "Sampled=0")},
        {"X-Amzn-Trace-Id": "nonsense"},
        {"traceparent": f"00-{TRACE}-{PARENT}-01"},
    ],
    ids=["no header", "not sampled", "nonsense", "another propagator's"],
)
def test_it_records_only_what_its_caller_has_sampled(provider: Provider, headers: dict[str, str]) -> None:
    """Without a sampled X-Ray header the request is served and nothing is recorded."""
    unrecorded = provider.post("/charges", "a", headers=headers)
    provider.post("/charges", "b", headers=SAMPLED)
    assert (unrecorded.status, len(provider.spans())) == (201, 1)


def test_a_fault_after_the_charge_leaves_it_charged(begin: Begin) -> None:
    """The caller hears 503, the books have the charge, and its span is an error."""
    provider = begin(FaultRule("provider", "status", 1, status=503))
    reply = provider.post("/charges", headers=SAMPLED)
    assert (reply.status, reply.json, len(provider.books()["charges"])) == (
        503,
        {"error": "on purpose", "status": 503},
        1,
    )
    assert [_said(span) for span in provider.spans()] == [_expected(503, "ERROR")]


def test_a_throttle_is_429(begin: Begin) -> None:
    """Its span says 429, which is no error of the server."""
    provider = begin(FaultRule("provider", "throttle", 1))
    reply = provider.post("/charges", headers=SAMPLED)
    assert (reply.status, reply.json) == (429, {"error": "on purpose", "status": 429})
    assert [_said(span) for span in provider.spans()] == [_expected(429)]


def test_a_delay_lies_in_the_span(begin: Begin) -> None:
    """The answer is right and late, and the provider's own span shows where the time went."""
    provider = begin(FaultRule("provider", "delay", 1, ms=30))
    reply = provider.post("/charges", headers=SAMPLED)
    assert (reply.status, [_said(span) for span in provider.spans()]) == (201, [_expected(201)])
    charge = snapshot_of(map(span_of, provider.spans())).one("POST /charges")
    assert (charge.end_ns or 0) - charge.start_ns >= 30_000_000


def test_a_reset_leaves_the_caller_without_an_answer(begin: Begin) -> None:
    """The connection is reset, the charge stays entered, and the span has no status and the reason."""
    provider = begin(FaultRule("provider", "reset", 1))
    with pytest.raises(ConnectionResetError):
        provider.post("/charges", headers=SAMPLED)
    assert [_said(span) for span in provider.spans()] == [_expected(None, "ERROR", ("exception",))]
    assert len(provider.books()["charges"]) == 1


def test_a_hang_ends_when_the_caller_gives_up(begin: Begin) -> None:
    """No answer comes; the span ends once the caller is gone, and the charge stays entered."""
    provider = begin(FaultRule("provider", "hang", 1))
    with pytest.raises(TimeoutError):
        call(
            provider.server.port,
            "POST",
            "/charges",
            json.dumps(CHARGE).encode(),
            {**SAMPLED, "Idempotency-Key": "a"},
            timeout=0.1,
        )
    assert [_said(span) for span in provider.spans()] == [_expected(None, "ERROR", ("exception",))]
    assert len(provider.books()["charges"]) == 1


def test_a_hang_ends_with_the_provider(begin: Begin) -> None:
    """A caller without patience of its own is let go when the provider stops."""
    provider = begin(FaultRule("provider", "hang", 1))
    ended: list[Exception] = []

    def wait() -> None:
        try:
            provider.post("/charges", headers=SAMPLED)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must be told
            ended.append(error)

    caller = threading.Thread(target=wait)
    caller.start()
    eventually(lambda: provider.books()["charges"])
    assert caller.is_alive()
    provider.server.close()
    caller.join(PATIENCE)
    assert [type(error) for error in ended] == [http.client.RemoteDisconnected]


def test_a_rule_for_a_route_hits_the_call_that_the_route_makes(begin: Begin) -> None:
    """`POST /orders` means charges and `POST /orders/{id}/cancel` means refunds."""
    provider = begin(FaultRule("provider", "throttle", 1, route="POST /orders/{id}/cancel"))
    assert [provider.post(path).status for path in ("/charges", "/refunds", "/charges")] == [201, 429, 201]


def test_a_reset_at_connect_hits_new_connections_only(begin: Begin) -> None:
    """Every second connection breaks before it is heard; one that stands goes on to be used."""
    provider = begin(FaultRule("connect", "reset", 0.5))
    outcomes: list[object] = []
    for number in range(4):
        try:
            outcomes.append(provider.post("/charges", f"k{number}").status)
        except ConnectionError as error:
            outcomes.append(type(error))
    assert (outcomes.count(201), outcomes.count(ConnectionResetError)) == (2, 2)


def test_a_hang_at_connect_answers_nobody(begin: Begin) -> None:
    """The request that is already on its way does not wake it, and nothing is entered or recorded."""
    provider = begin(FaultRule("connect", "hang", 1))
    with pytest.raises(TimeoutError):
        call(provider.server.port, "POST", "/charges", b"{}", {**SAMPLED, "Idempotency-Key": "a"}, timeout=0.1)
    assert provider.memory.get_finished_spans() == ()


def test_a_delay_at_connect_lies_before_the_span(begin: Begin) -> None:
    """The caller waits, and the provider's own span knows nothing of it."""
    provider = begin(FaultRule("connect", "delay", 1, ms=1))
    reply = provider.post("/charges", headers=SAMPLED)
    assert (reply.status, [_said(span) for span in provider.spans()]) == (201, [_expected(201)])


def test_it_runs_as_a_service_and_sends_its_last_spans(processes: Processes, tmp_path: Path) -> None:
    """In a process of its own it serves, follows its plan, and stops only once its spans are delivered."""
    plan = FaultPlan(1, (FaultRule("provider", "status", 1, status=500, route="POST /orders/{id}/cancel"),))
    lines: list[str] = []
    with (
        closing(Store(tmp_path / "traces.jsonl")) as store,
        closing(serve_receiver(store.add_otlp)) as receiver,
    ):
        arguments = ["--spans", f"http://{receiver.address}/v1/traces", "--faults", plan.to_json()]
        service = Service("lambda_latency.local.provider", arguments, processes, lines.append)
        port = service.wait_until_ready()
        statuses = [
            call(port, "POST", path, json.dumps(CHARGE).encode(), {**SAMPLED, "Idempotency-Key": "a"}).status
            for path in ("/charges", "/refunds")
        ]
        service.stop()
        spans = list(read_spans(store.path, []))
    assert (statuses, lines, [(span.name, span.attributes["http.status_code"]) for span in spans]) == (
        [201, 500],
        [],
        [("POST /charges", 201), ("POST /refunds", 500)],
    )
    charge = snapshot_of(spans).one("POST /charges")
    assert charge == Span(
        trace_id=TRACE,
        span_id=charge.span_id,
        parent_id=PARENT,
        parent_remote=True,
        name="POST /charges",
        kind=SpanKind.SERVER,
        start_ns=charge.start_ns,
        end_ns=charge.end_ns,
        attributes={
            "http.method": "POST",
            "http.route": "/charges",
            "http.target": "/charges",
            "http.status_code": 201,
        },
        resource={"service.name": "payments"},
        scope=Scope("payments"),
    )
