"""Builds the template, deploys it to an emulator of AWS, uses it over HTTP with tracing on, and deletes it.

What is real: `sam build` and `sam deploy`, the artifacts, the translated templates' functions, routes, roles, table and
alarms, Lambda's runtime client under the exec wrapper. What is not stands in translation.py.
"""

import re
from collections import Counter
from typing import Any

from lab.commands import ROOT
from lab.deploy.bed import Bed, expect, step
from lab.deploy.explained import Topic, deploy_explanations, explain
from lab.deploy.translation import translate
from tests.system.test_routes import CHARGE, PUT, REFUND, UPDATE

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
    *(f"xray:{call} failed: (400)" for call in ("GetSamplingRules", "GetTraceSegmentDestination", "GetIndexingRules")),
    *(
        f"{function}: {problem}"
        for function in ("CreateOrder", "GetOrder", "ListOrders", "CancelOrder")
        for problem in (
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


def deploy_and_use(bed: Bed) -> None:
    """All of it."""
    cloud = bed.cloud
    with step("sam build"):
        cloud.sam("build", "--build-dir", str(BUILD))
        local = translate(BUILD / "template.yaml", bed.spans)
    topic = Topic(cloud)
    payments = f"PaymentsUrl={bed.payments}"
    with step("sam deploy"):
        cloud.deploy(STACK, local, payments, f"AlarmTopicArn={topic.arn}")
    expect("resources", Counter(cloud.resources(STACK)), MADE)
    outputs = cloud.outputs(STACK)
    expect("outputs", sorted(outputs), ["ApiUrl", "DashboardUrl", "Report", "TryIt"])
    for method, path, body, status, state, spans_of in CALLS:
        with step(f"{method} {path}"):
            earlier = bed.trace_ids()
            answer = cloud.call(outputs["ApiUrl"], method, path, body)
            expect("status", answer[0], status, answer[1])
            shown = answer[1]["orders"][0] if "orders" in answer[1] else answer[1]
            expect("order", (shown["order_id"], shown["status"]), ("o-1", state))
            expect("trace", bed.new_trace(earlier, spans_of), spans_of)
    with step("an alarm is explained"):
        deploy_explanations(cloud, STACK, topic, bed.folder / "explain")
        explained = explain(cloud, STACK, topic)
        expect("messages", explained[:2], ([f'ALARM: "{ALARM}" in us-east-1'], [f"{ALARM}: payments: own code"]))
        expect("pages", [re.sub(r"/[^/]+$", "", key) for key in explained[2]], [f"pages/{ALARM.replace('.', '-')}"])
    with step("doctor --account"):
        cloud.halve_memory(STACK, "GetOrder")
        expect("findings", cloud.doctor(STACK, payments), FOUND)
    with step("delete"):
        cloud.delete(f"{STACK}-explain")
        cloud.delete(STACK)
    expect("stacks that are left", [name for name in cloud.stacks() if name.startswith(STACK)], [])
    expect("tables that outlive it", len(cloud.tables()), 1)
