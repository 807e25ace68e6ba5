"""What X-Ray will show of the system: read back from the laptop's X-Ray, one tree for each request."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from lambda_latency.local.faults import Plan, Rule
from lambda_latency.trace import read_traces
from tests.collector.conftest import ROOT
from tests.collector.laptop import documents, laptop, read, tree
from tests.system.conftest import order

THROTTLED = Plan(1, (Rule("table", "throttle", 1, route="GET /orders"),))


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
            ("orders/dev", "AWS::ApiGateway::Stage", status, *flags),
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
        traces = read(client, *(reply.trace_id for reply in (created, found, declined, throttled)))
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
        found = read(client, reply.trace_id)[reply.trace_id]

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


def test_the_demo_leaves_a_tree_for_each_request(program: Path, tmp_path: Path) -> None:
    """xray.json holds what BatchGetTraces gave: every request once, and nothing loose in any of them."""
    command = [sys.executable, "-m", "lambda_latency", "demo", "--no-page", "--requests", "40", "--out", str(tmp_path)]
    ended = subprocess.run(
        [*command, "--collector", str(program)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Collector: build/collector/otelcol; the laptop's X-Ray replaces awsxray." in " ".join(ended.stdout.split())
    xray = json.loads((tmp_path / "xray.json").read_text(encoding="utf-8"))
    traces = documents(xray)
    assert (len(traces), xray["UnprocessedTraceIds"]) == (40, [])
    for found in traces.values():
        (top,) = tree(found, lambda node: (node["name"], node.get("origin") or node.get("namespace")))
        names = [top[0], top[1][0], top[1][1][0][1], top[1][1][1][0][1]]
        assert names == [
            ("orders/dev", "AWS::ApiGateway::Stage"),
            ("Lambda", "aws"),
            "AWS::Lambda",
            "AWS::Lambda::Function",
        ]
