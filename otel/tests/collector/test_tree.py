"""What X-Ray will show of the system: the documents of the spans that came through the collector, a tree a request."""

import json
import shutil
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.serve.system import System, SystemOptions
from lambda_latency.local.faults import FaultPlan, FaultRule
from lambda_latency.local.load import Call, send
from lambda_latency.local.spans.collector import CollectorChoice
from lambda_latency.local.spans.receiver import serve_receiver
from lambda_latency.trace import read_traces, spans_of
from tests.collector.conftest import ROOT
from tests.collector.laptop import documents, laptop, tree
from tests.runtime.conftest import STEPS
from tests.system.conftest import order
from tests.template.deployed import write_variant

THROTTLED = FaultPlan(1, (FaultRule("table", "throttle", 1, route="GET /orders"),))


def whole(node: dict[str, Any]) -> tuple[Any, ...]:
    """A node of the service map: its name, what it is, its status and flags, and for an AWS call what was called."""
    aws = node.get("aws", {})
    return (
        node["name"],
        node.get("origin") or node.get("namespace") or node.get("type") or "",
        node.get("http", {}).get("response", {}).get("status"),
        *(flag for flag in ("fault", "error", "throttle") if node.get(flag)),
        *(aws[key] for key in ("operation", "region", "table_name") if key in aws and node.get("namespace") == "aws"),
    )


def invoked(function: str, status: int, *handled: Any, flags: tuple[str, ...] = ()) -> list[Any]:
    """Stage, Lambda and function around what the handler did; Initialization is in the trace of a cold start alone."""
    handler = ((function, "", status, *flags), *handled)
    return [
        (
            ("lambda-latency/dev", "AWS::ApiGateway::Stage", status, *flags),
            (
                ("Lambda", "aws", status, "Invoke", "us-east-1"),
                (
                    (function, "AWS::Lambda", 200),
                    (
                        (function, "AWS::Lambda::Function", None),
                        (("Initialization", "", None),),
                        (("Invocation", "", None),),
                        handler,
                        (("Overhead", "", None),),
                    ),
                ),
            ),
        )
    ]


def table(operation: str, status: int = 200, *flags: str) -> Any:
    """A call of the table."""
    return (("DynamoDB", "aws", status, *flags, operation, "us-east-1", "OrdersTable"),)


def payment(status: int, *flags: str) -> Any:
    """A call of the provider, under its host's name, and the provider's own view of it."""
    call = ("payments.example.com", "remote", status, *flags)
    return (call, (("payments", "", status, *flags),))


def test_a_request_is_one_tree_from_the_stage_to_the_provider(program: Path, tmp_path: Path) -> None:
    """Stage, Lambda, function, handler, table and provider, each with its name, status and what was called."""
    with laptop(program, tmp_path, THROTTLED) as client:
        created = client.call("POST", "/orders", order(order_id="a"))
        found = client.call("GET", "/orders/a")
        declined = client.call("POST", "/orders", order(payment_method="card-declined"))
        throttled = client.call("GET", "/orders?customer=ada")
        assert client.system.finish()
        traces = documents(client.system.store.path)
        reading = read_traces(client.system.store.path)

    shown = [tree(traces[reply.trace_id], whole) for reply in (created, found, throttled)]
    assert shown == [
        invoked("CreateOrder", 201, table("PutItem"), payment(201), table("UpdateItem")),
        invoked("GetOrder", 200, table("GetItem")),
        invoked("ListOrders", 503, table("Query", 429, "error", "throttle"), flags=("fault",)),
    ]
    assert payment(402, "error") in tree(traces[declined.trace_id], whole)[0][1][1][1][-2]
    # A request of more than two seconds has told of itself on the way; in the end nothing of that is left.
    assert [span.name for trace in reading.traces for span in trace.spans if span.provisional] == []
    assert reading.problems == ()


def test_what_can_be_searched_for_is_an_annotation(program: Path, tmp_path: Path) -> None:
    """By the names that collector.yaml indexes: of the request, of each call, of what went wrong."""
    with laptop(program, tmp_path, THROTTLED) as client:
        reply = client.call("GET", "/orders?customer=ada")
        assert client.system.finish()
        found = documents(client.system.store.path)[reply.trace_id]

    by_name = {document["name"]: document for document in found if "origin" not in document}
    handler, call = by_name["ListOrders"]["annotations"], by_name["DynamoDB"]["annotations"]
    assert handler | {"faas.invocation_id": ""} == {
        "error.type": "503",
        "faas.coldstart": True,
        "faas.invocation_id": "",
        "http.request.method": "GET",
        "http.response.status_code": 503,
        "http.route": "/orders",
        "http.status_code": 503,
    }
    assert call == {
        "aws.table_name": "OrdersTable",
        "error.type": "ProvisionedThroughputExceededException",
        "http.status_code": 429,
        "retry_attempts": call["retry_attempts"],
        "rpc.method": "Query",
    }


SECRET = "S3CRET"
HEADERS = {
    "Authorization": f"Bearer {SECRET}",
    "Cookie": f"session={SECRET}",
    "X-Api-Key": SECRET,
    "X-Amzn-Trace-Id": f"Root=1-6b0649ac-fc163708c35b96fce41acb89;Parent=0b9a684f4976364c;Sampled=1;Secret={SECRET}",
    "traceparent": "00-6b0649acfc163708c35b96fce41acb89-0b9a684f4976364c-01",
    "tracestate": f"secret={SECRET}",
    "baggage": f"secret={SECRET}",
    "User-Agent": f"curl/8 {SECRET}",
    "Referer": f"https://example.com/?token={SECRET}",
}


CALLS: list[tuple[str, str, Any]] = [
    ("POST", f"/orders?token={SECRET}", order(payment_method=f"card-{SECRET}")),
    ("POST", f"/orders?token={SECRET}", order(items=f"{SECRET}")),
    ("POST", "/orders", f"{{ {SECRET}"),
    ("GET", f"/orders?customer={SECRET}&limit=10", None),
    ("GET", f"/orders?customer=a&limit={SECRET}", None),
    ("GET", f"/orders/nothing?token={SECRET}", None),
    ("POST", f"/orders/nothing/cancel?token={SECRET}", {"reason": SECRET}),
]


def sent(program: Path, out: Path, setup: str) -> tuple[str, str]:
    """Spans and documents of these calls, as text."""
    template = write_variant(out / "app", instrumentation=setup)
    with laptop(program, out, template=template) as client:
        for method, path, body in CALLS:
            client.call(method, path, body, HEADERS)
        assert client.system.finish()
        xray = documents(client.system.store.path)
        spans = client.system.store.path.read_text(encoding="utf-8")
    assert len(xray) == len(CALLS)
    assert "payments.example.com" in spans
    return spans, json.dumps(xray)


def test_no_credential_and_no_query_value_reaches_a_span(program: Path, tmp_path: Path) -> None:
    """Not in the store's file and not in X-Ray, of calls that work and of calls that fail."""
    spans, documents = sent(program, tmp_path, "kit")

    assert [line for line in spans.splitlines() if SECRET in line] == []
    assert SECRET not in documents


def test_what_the_layers_own_instrumentation_lets_through_is_known(program: Path, tmp_path: Path) -> None:
    """It writes the query and the user agent as callers send them, a reason to start the kit (docs, limits)."""
    spans, _ = sent(program, tmp_path, "layer")

    requests = [json.loads(line) for line in spans.splitlines()]
    leaking = {
        key
        for request in requests
        for span in spans_of(json.dumps(request).encode(), pytest.fail)
        for key, value in span.attributes.items()
        if SECRET in str(value)
    }
    assert leaking == {"http.target", "http.user_agent"}


TASK = Path(__file__).parent / "task"
REQUESTS = 100


def test_spans_arrive_through_the_collector_as_they_were_sent(program: Path, tmp_path: Path) -> None:
    """Every span of 100 invocations, with resource, scope, attributes, events, links, status and flags."""
    task = tmp_path / "task"
    shutil.copytree(TASK, task)
    (task / "tee").mkdir()
    (task / "collector.yaml").symlink_to(ROOT / "collector.yaml")
    printed: list[str] = []
    app = read_app(task / "template.yaml", {})
    options = SystemOptions(tmp_path / "out", sampler=lambda: True, collector=CollectorChoice("program", "", program))
    system = System(app, options, log=lambda name, line: printed.append(f"{name}: {line}"))
    try:
        answers = send(system.url, [Call("GET", "/many")] * REQUESTS, 2, lambda _: None)
        assert system.finish(60)
    finally:
        system.close()

    assert [answer.status for answer in answers] == [200] * REQUESTS
    assert printed == []  # neither the runtime nor the collector had anything to complain of
    sent = spans_in(as_documents(task / "tee"))
    lines = system.store.path.read_text(encoding="utf-8").splitlines()
    arrived = [span for span in spans_in(map(json.loads, lines)) if span["scope"]["name"] != "lambda_latency.local"]
    # Each environment adds its init.
    assert len([span for span in sent if span["span"]["name"] not in STEPS]) == REQUESTS * 100
    assert sorted(arrived, key=span_id) == sorted(sent, key=span_id)


def as_documents(folder: Path) -> list[dict[str, Any]]:
    """The bodies that were sent, read by the same receiver, but without a collector before it."""
    documents: list[dict[str, Any]] = []
    receiver = serve_receiver(documents.append)
    for body in folder.iterdir():
        headers = {"Content-Type": "application/x-protobuf"}
        request = urllib.request.Request(f"http://{receiver.address}/v1/traces", body.read_bytes(), headers)
        urllib.request.urlopen(request, timeout=20).close()
    receiver.close()
    return documents


def spans_in(documents: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each span with the resource and the scope that it came with."""
    return [
        {"resource": group["resource"], "scope": scope["scope"], "span": span}
        for document in documents
        for group in document["resourceSpans"]
        for scope in group["scopeSpans"]
        for span in scope["spans"]
    ]


def span_id(span: dict[str, Any]) -> str:
    """What a span can be found by."""
    found: str = span["span"]["spanId"]
    return found
