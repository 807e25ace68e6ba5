"""The other set-ups: the layer's own start-up, callers' tracing passed through, and no tracing at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_latency.local.app.serve.system import LAYER
from lambda_latency.local.gateway.sam import read_template
from lambda_latency.local.processes import Processes
from lambda_latency.local.sandbox.lambda_service import Sandbox
from lambda_latency.local.sandbox.variables import Settings
from lambda_latency.local.xray.segments import TraceHeader
from tests.system.conftest import COLD, ROOT, Client, order, start_system
from tests.system.test_routes import CHARGE, PUT, UPDATE, handled


@pytest.fixture(scope="module")
def passed_through(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Tracing=PassThrough."""
    yield from start_system(tmp_path_factory.mktemp("through"), Tracing="PassThrough")


def test_the_layers_own_start_up_gives_one_joined_trace(layer: Client) -> None:
    """The same tree; its handler's span is named after the function."""
    reply = layer.call("POST", "/orders", order())
    assert reply.status == 201
    assert handled(layer.trace(reply, 10)) == ("CreateOrder SERVER", PUT, CHARGE, UPDATE)


def test_a_callers_sampling_decision_is_passed_through(passed_through: Client) -> None:
    """The function's spans join the caller's trace; gateway and Lambda record nothing of their own."""
    ids = "Root=1-6b064b70-260f9770082ee7238d6e5ac3;Parent=0b9a684f4976364c"
    reply = passed_through.call("POST", "/orders", order(), headers={"X-Amzn-Trace-Id": f"{ids};Sampled=1"})
    assert reply.trace_id == "6b064b70260f9770082ee7238d6e5ac3"
    trace = passed_through.trace(reply, 5)
    assert sorted(span.name for span in trace.spans if span.name not in COLD) == [
        "DynamoDB.PutItem",
        "DynamoDB.UpdateItem",
        "POST",
        "POST /charges",
        "POST /orders",
    ]
    unsampled = passed_through.call("POST", "/orders", order())
    assert unsampled.status == 201
    assert unsampled.trace_id not in passed_through.system.store.path.read_text()


def test_without_tracing_the_same_requests_are_served_and_nothing_is_recorded(off: Client) -> None:
    """Tracing=Off."""
    made = order()
    replies = [
        off.call("POST", "/orders", made),
        off.call("GET", f"/orders/{made['order_id']}"),
        off.call("GET", f"/orders?customer={made['customer']}"),
        off.call("POST", f"/orders/{made['order_id']}/cancel"),
        off.call("POST", "/orders", order(payment_method="card-declined")),
    ]
    assert [reply.status for reply in replies] == [201, 200, 200, 202, 402]
    assert off.system.store.path.read_text() == ""


@pytest.mark.parametrize(("tracing", "imported"), [("Off", False), ("Active", True)])
def test_without_tracing_no_module_of_opentelemetry_is_imported(tracing: str, imported: bool) -> None:
    """Python itself lists what a function imports; with tracing on the same list has them."""
    lines: list[str] = []
    functions = read_template(ROOT / "template.yaml", {"Tracing": tracing}).functions
    extra = {"PYTHONPROFILEIMPORTTIME": "1"}
    with Processes() as processes:
        settings = Settings(task_root=ROOT, layer=LAYER, extra=extra)
        sandbox = Sandbox(functions, settings, processes, record=lambda _: None, log=lambda _, line: lines.append(line))
        sandbox.prepare(1)
        sandbox.invoke("GetOrder", b'{"pathParameters": null}', TraceHeader.new(sampled=False))
        sandbox.close()
    modules = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    assert "functions.table" in modules
    assert any(module.split(".")[0] in ("opentelemetry", "lambda_latency") for module in modules) is imported


def test_the_layers_folder_is_the_one_that_stands_for_opt() -> None:
    """Its wrapper is where the template looks for it."""
    assert Path(LAYER / "otel-instrument").stat().st_mode & 0o111
