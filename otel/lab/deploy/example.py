"""Builds the template, deploys it to an emulator of AWS, uses it over HTTP with tracing on, and deletes it.

What is real: `sam build` and `sam deploy`, the artifacts, the translated templates' functions, routes, roles, table and
alarms, Lambda's runtime client under the exec wrapper. What is not stands in translation.py.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from lab.commands import ROOT
from lab.deploy.cloud import Cloud
from lab.deploy.explained import Topic, deploy_explanations, explain
from lab.deploy.translation import translate
from lambda_latency.local.errors import LocalError
from lambda_latency.local.faults import Plan
from lambda_latency.local.processes import Processes
from lambda_latency.local.services import Service
from lambda_latency.local.xray.receiver import serve_receiver
from lambda_latency.local.xray.store import Store
from lambda_latency.trace import Trace, read_traces
from tests.sandbox.state import until
from tests.system.conftest import tree
from tests.system.test_routes import CHARGE, PUT, REFUND, UPDATE

__all__ = ["expect", "joined", "main", "step"]

STACK = "lambda-latency-local"
ALARM = f"{STACK}.SlowAlarm"
BUILD = ROOT / "build" / "deploy-local"
# What the emulator makes of the template: all of it but what translation.py leaves out.
MADE = {
    "AWS::ApiGateway::Deployment": 1,
    "AWS::ApiGateway::RestApi": 1,
    "AWS::ApiGateway::Stage": 1,
    "AWS::CloudFormation::Stack": 1,
    "AWS::CloudWatch::Alarm": 6,
    "AWS::CloudWatch::Dashboard": 1,
    "AWS::DynamoDB::Table": 1,
    "AWS::IAM::ManagedPolicy": 1,
    "AWS::IAM::Role": 4,
    "AWS::Lambda::Function": 4,
    "AWS::Lambda::LayerVersion": 1,
    "AWS::Lambda::Permission": 4,
    "AWS::Logs::LogGroup": 4,
}
# What the emulator does not answer, what translation.py changes, and what was changed since.
FOUND = {
    *(f"xray:{one} failed: (400)" for one in ("GetSamplingRules", "GetTraceSegmentDestination", "GetIndexingRules")),
    *(
        f"{function}: {what}"
        for function in ("CreateOrder", "GetOrder", "ListOrders", "CancelOrder")
        for what in (
            "layer AWSOpenTelemetryDistroPython:29 is missing in the account",
            "layer aws-otel-collector-arm64-ver-0-117-0:1 is missing in the account",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT has another value in the account",
        )
    ),
    "GetOrder: MemorySize is 512 in the template and 256 in the account",
}
ORDER = {"order_id": "o-1", "customer": "ada", "items": [{"sku": "tea", "quantity": 1, "unit_price": 450}]}
CALLS: list[tuple[str, str, Any, int, str, Any]] = [
    (
        "POST", "/orders", {**ORDER, "payment_method": "card-1"}, 201, "confirmed",
        ("POST /orders SERVER", PUT, CHARGE, UPDATE),
    ),
    ("GET", "/orders/o-1", None, 200, "confirmed", ("GET /orders/{id} SERVER", "DynamoDB.GetItem CLIENT")),
    ("GET", "/orders?customer=ada", None, 200, "confirmed", ("GET /orders SERVER", "DynamoDB.Query CLIENT")),
    (
        "POST", "/orders/o-1/cancel", None, 202, "cancelled",
        ("POST /orders/{id}/cancel SERVER", UPDATE, REFUND, UPDATE),
    ),
]  # fmt: skip


def main() -> int:
    """Run it; 0 if every step went as it should."""
    begun = time.monotonic()
    log: list[str] = []
    with tempfile.TemporaryDirectory(prefix="lambda-latency-deploy-") as folder, ExitStack() as stack:
        store = Store(Path(folder, "traces.jsonl"))
        stack.callback(store.close)
        try:
            deploy_and_use(stack, store, log)
        except (AssertionError, LocalError) as error:
            print(f"FAILED: {error}", *(f"  {line}" for line in log[-20:]), sep="\n", file=sys.stderr)
            return 1
    print(f"Built, deployed, used and deleted in {time.monotonic() - begun:.1f} s.")
    return 0


def deploy_and_use(stack: ExitStack, store: Store, log: list[str]) -> None:
    """All of it."""
    processes = stack.enter_context(Processes())
    receiver = serve_receiver(store.add_otlp)
    stack.callback(receiver.close)
    spans = f"http://{receiver.address}/v1/traces"
    provider = Service(
        "lambda_latency.local.provider", ["--spans", spans, "--faults", Plan().to_json()], processes, log.append
    )
    stack.callback(provider.stop)
    with step("the emulator is up"):
        cloud = Cloud(processes, log.append)
        stack.callback(cloud.close)
    with step("sam build"):
        cloud.sam("build", "--build-dir", str(BUILD))
        local = translate(BUILD / "template.yaml", spans)
    topic = Topic(cloud)
    with step("sam deploy"):
        payments = f"PaymentsUrl=http://127.0.0.1:{provider.wait_until_ready()}"
        cloud.sam("deploy", "--template", str(local), "--stack-name", STACK, "--resolve-s3", "--capabilities",
                  "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--parameter-overrides", payments,
                  f"AlarmTopicArn={topic.arn}")  # fmt: skip
    expect("resources", Counter(cloud.resources(STACK)), MADE)
    outputs = cloud.outputs(STACK)
    expect("outputs", sorted(outputs), ["ApiUrl", "DashboardUrl", "Report", "TryIt"])
    for method, path, body, status, state, spans_of in CALLS:
        with step(f"{method} {path}"):
            seen = {trace.trace_id for trace in read_traces(store.path).traces}
            answer = cloud.call(outputs["ApiUrl"], method, path, body)
            expect("status", answer[0], status, answer[1])
            shown = answer[1]["orders"][0] if "orders" in answer[1] else answer[1]
            expect("order", (shown["order_id"], shown["status"]), ("o-1", state))
            expect("trace", joined(store.path, seen, spans_of), spans_of)
    with step("an alarm is explained"):
        deploy_explanations(cloud, STACK, topic, Path(store.path.parent, "explain"))
        told = explain(cloud, STACK, topic)
        expect("messages", told[:2], ([f'ALARM: "{ALARM}" in us-east-1'], [f"{ALARM}: payments: own code"]))
        expect("pages", [re.sub(r"/[^/]+$", "", key) for key in told[2]], [f"pages/{ALARM.replace('.', '-')}"])
    with step("doctor --account"):
        cloud.halve_memory(STACK, "GetOrder")
        expect("findings", cloud.doctor(STACK, payments), FOUND)
    with step("delete"):
        cloud.delete(f"{STACK}-explain")
        cloud.delete(STACK)
    expect("stacks that are left", [name for name in cloud.stacks() if name.startswith(STACK)], [])
    expect("tables that outlive it", len(cloud.tables()), 1)


def joined(path: Path, seen: set[str], expected: Any) -> Any:
    """The one trace that is not among those seen before, as a tree; None where there is none."""
    found: list[Trace] = []

    def complete() -> bool:
        found[:] = [trace for trace in read_traces(path).traces if trace.trace_id not in seen]
        return len(found) == 1 and tree(found[0]) == expected

    until(complete, 15)
    return [tree(trace) for trace in found] if len(found) != 1 else tree(found[0])


def expect(what: str, got: Any, wanted: Any, *more: Any) -> None:
    """Compare, and say both where they differ."""
    if got != wanted:
        raise AssertionError(f"{what}: expected {wanted}, got {got}{''.join(f' ({one})' for one in more)}")


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print a step and what it took."""
    begun = time.monotonic()
    yield
    print(f"  {name:<28} {time.monotonic() - begun:5.1f} s", flush=True)
