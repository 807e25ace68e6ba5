"""Each switch of the template: deployed to the emulator, compared with what CloudFormation makes of it, used, deleted.

The emulator keeps neither the access log of a stage nor the backups of a table: of these two the log group and the
protection from deletion are seen. It hands no caller's tracing header to a function: PassThrough traces nothing. It
verifies no token: with Authorizer=jwt only the refusal is seen.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lab.deploy.cloud import REGION, Cloud
from lab.deploy.example import BUILD, CALLS, expect, joined, step
from lab.deploy.translation import DAEMON, ENDPOINT, translate
from lambda_latency.local.errors import LocalError
from lambda_latency.local.faults import Plan
from lambda_latency.local.processes import Processes
from lambda_latency.local.services import Service
from lambda_latency.local.xray.daemon import Daemon
from lambda_latency.local.xray.receiver import serve_receiver
from lambda_latency.local.xray.store import Store
from lambda_latency.trace import read_traces
from tests.template.deployed import Stack, deploy

__all__ = ["SWITCHES", "made", "main", "wanted"]

Request = tuple[str, str, Any]  # method, address, body
Headers = Callable[[Request], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Switch:
    """Parameters of one deployment. `bare` is the status of GET /orders/none without the headers that they want."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    traced: bool = True
    handler_is_function: bool = False  # the layer's start-up names the handler's span after the function
    headers: Headers = lambda _: {}
    calls: Sequence[tuple[str, str, Any, int, str, Any]] = tuple(CALLS)
    bare: int | None = None


def main(names: list[str]) -> int:
    """0 if every step of each switch went as it should; all switches where none is named."""
    begun, log = time.monotonic(), list[str]()
    with tempfile.TemporaryDirectory(prefix="lambda-latency-switches-") as folder, ExitStack() as stack:
        try:
            bed = Bed(stack, Path(folder), log)
            for name in names or SWITCHES:
                bed.run(name, SWITCHES[name])
        except (AssertionError, LocalError) as error:
            print(f"FAILED: {error}", *(f"  {line}" for line in log[-20:]), sep="\n", file=sys.stderr)
            return 1
    print(f"{len(names or SWITCHES)} switches deployed, used and deleted in {time.monotonic() - begun:.1f} s.")
    return 0


class Bed:
    """The emulator, a payments API, a receiver of spans and the built template, for all switches."""

    def __init__(self, stack: ExitStack, folder: Path, log: list[str]) -> None:
        self._store = Store(folder / "traces.jsonl")
        stack.callback(self._store.close)
        processes = stack.enter_context(Processes())
        receiver, daemon = serve_receiver(self._store.add_otlp), Daemon(self._store.add_otlp, log.append)
        stack.callback(receiver.close)
        stack.callback(daemon.close)
        spans = f"http://{receiver.address}/v1/traces"
        given = ["--spans", spans, "--faults", Plan().to_json()]
        provider = Service("lambda_latency.local.provider", given, processes, log.append)
        stack.callback(provider.stop)
        with step("the emulator is up"):
            self._cloud = Cloud(processes, log.append)
            stack.callback(self._cloud.close)
        with step("sam build"):
            self._cloud.sam("build", "--build-dir", str(BUILD))
            self._template = translate(BUILD / "template.yaml", spans, daemon=daemon.address)
        self._payments = f"http://127.0.0.1:{provider.wait_until_ready()}"

    def run(self, name: str, switch: Switch) -> None:
        """One switch, in a stack of its own."""
        parameters = {"PaymentsUrl": self._payments, **switch.parameters}
        stack = f"switch-{list(SWITCHES).index(name)}"
        with step(name):
            overrides = [f"{key}={value}" for key, value in parameters.items()]
            self._cloud.sam("deploy", "--template", str(self._template), "--stack-name", stack, "--resolve-s3",
                            "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--parameter-overrides",
                            *overrides)  # fmt: skip
            resolved = deploy(REGION, **parameters)
            expected, found = wanted(resolved), made(self._cloud, stack)
            for what, value in expected.items():
                expect(f"{name}: {what}", found[what], value)
            self._use(stack, name, switch)
            self._cloud.delete(stack)
        expect("stacks that are left", [one for one in self._cloud.stacks() if one == stack], [])

    def _use(self, stack: str, name: str, switch: Switch) -> None:
        cloud, store = self._cloud, self._store.path
        url = cloud.outputs(stack)["ApiUrl"]
        physical = {logical: found for logical, _, found in cloud.made(stack)}
        before = len(read_traces(store).traces)
        if switch.bare is not None:
            expect(f"{name}: a request without its headers", cloud.call(url, "GET", "/orders/none")[0], switch.bare)
        for function, (method, path, body, status, _, spans_of) in zip(FUNCTIONS, switch.calls, strict=False):
            seen = {trace.trace_id for trace in read_traces(store).traces}
            answer = cloud.call(url, method, path, body, switch.headers((method, f"{url}{path}", body)))
            expect(f"{name}: {method} {path}", answer[0], status, answer[1])
            if switch.traced:
                top = f"{physical[function]} SERVER" if switch.handler_is_function else spans_of[0]
                expected = (top, *spans_of[1:])
                expect(f"{name}: trace of {method} {path}", joined(store, seen, expected), expected)
        traces = len(read_traces(store).traces) - before
        expect(f"{name}: traces", traces, len(switch.calls) if switch.traced else 0)


def wanted(stack: Stack) -> dict[str, Any]:
    """What CloudFormation makes of the template with its switches, as far as the emulator keeps it."""
    functions = {name: stack.resources[name]["Properties"] for name in FUNCTIONS}
    (api,), (stage,) = (list(stack.of_type(f"AWS::ApiGateway::{kind}").values()) for kind in ("RestApi", "Stage"))
    (setting,) = stage["MethodSettings"]
    (table,) = stack.of_type("AWS::DynamoDB::Table").values()
    schemes = {"sigv4": "AWS_IAM", "token": "COGNITO_USER_POOLS"}
    return {
        "resources": types(stack),
        "functions": {
            name: {
                "architecture": one["Architectures"],
                "tracing": one["TracingConfig"]["Mode"],
                "seconds and megabytes": (one["Timeout"], one["MemorySize"]),
                "the kit's layer": bool(one.get("Layers")),
                "variables": {
                    key: value for key, value in one["Environment"]["Variables"].items() if isinstance(value, str)
                } | {ENDPOINT: None, DAEMON: None},
            }
            for name, one in functions.items()
        },
        "authorization": {
            schemes.get(next(iter((method.get("security") or [{}])[0]), ""), "NONE")
            for path in api["Body"]["paths"].values()
            for method in path.values()
        },
        "requests a second": float(setting["ThrottlingRateLimit"]),
        "X-Ray": stage.get("TracingEnabled", api.get("TracingEnabled", False)),
        "protection": table["DeletionProtectionEnabled"],
        "days of logs": {int(one["RetentionInDays"]) for one in stack.of_type("AWS::Logs::LogGroup").values()},
    }  # fmt: skip


def made(cloud: Cloud, stack: str) -> dict[str, Any]:
    """The same of a deployed stack, by AWS's own calls."""
    found = list(cloud.made(stack))
    ids = {logical: physical for logical, _, physical in found}
    gateway = cloud.client("apigateway")
    (stage,) = gateway.get_stages(restApiId=ids["Api"])["item"]
    resources = gateway.get_resources(restApiId=ids["Api"], embed=["methods"])["items"]
    table = cloud.client("dynamodb").describe_table(TableName=ids["OrdersTable"])["Table"]
    groups = {physical for _, kind, physical in found if kind == "AWS::Logs::LogGroup"}
    pages = cloud.client("logs").get_paginator("describe_log_groups").paginate()
    return {
        "resources": Counter(kind for _, kind, _ in found),
        "functions": {name: configured(cloud, ids[name]) for name in FUNCTIONS},
        "authorization": {
            method["authorizationType"]
            for resource in resources
            for method in resource.get("resourceMethods", {}).values()
        },
        "requests a second": stage["methodSettings"]["*/*"]["throttlingRateLimit"],
        "X-Ray": stage["tracingEnabled"],
        "protection": table["DeletionProtectionEnabled"],
        "days of logs": {
            one["retentionInDays"] for page in pages for one in page["logGroups"] if one["logGroupName"] in groups
        },
    }


def configured(cloud: Cloud, function: str) -> dict[str, Any]:
    """A deployed function, as `wanted` has it."""
    one = cloud.client("lambda").get_function_configuration(FunctionName=function)
    variables = one["Environment"]["Variables"]
    return {
        "architecture": one["Architectures"],
        "tracing": one["TracingConfig"]["Mode"],
        "seconds and megabytes": (one["Timeout"], one["MemorySize"]),
        "the kit's layer": bool(one.get("Layers")),
        # The table's name is the emulator's; the addresses of spans are those of this machine.
        "variables": {key: value for key, value in variables.items() if key != "ORDERS_TABLE"}
        | {ENDPOINT: None, DAEMON: None},
    }


def types(stack: Stack) -> Counter[str]:
    """How many resources of each type there are, with those of the stacks within; the emulator has none of X-Ray."""
    own = Counter(one["Type"] for one in stack.resources.values() if not one["Type"].startswith("AWS::XRay::"))
    return sum((types(inner) for inner in stack.inner.values()), own)


def signature(request: Request) -> dict[str, str]:
    """SigV4 of a request, by the emulator's own credentials."""
    method, url, body = request
    signed = AWSRequest(method, url, data=None if body is None else json.dumps(body).encode())
    SigV4Auth(Credentials("local", "local"), "execute-api", REGION).add_auth(signed)
    return {name: signed.headers[name] for name in ("Authorization", "X-Amz-Date")}


FUNCTIONS = ("CreateOrder", "GetOrder", "ListOrders", "CancelOrder")  # in the order of CALLS
POOL = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_abc"
SWITCHES = {
    "defaults": Switch(),
    "Tracing=PassThrough": Switch({"Tracing": "PassThrough"}, traced=False),
    "Tracing=Off": Switch({"Tracing": "Off"}, traced=False),
    "Instrumentation=layer": Switch({"Instrumentation": "layer"}, handler_is_function=True),
    "Export=daemon": Switch({"Export": "daemon"}),
    "Export=otlp": Switch({"Export": "otlp"}),
    "Instrumentation=layer Export=daemon": Switch(
        {"Instrumentation": "layer", "Export": "daemon"}, handler_is_function=True
    ),
    "Instrumentation=layer Export=otlp": Switch(
        {"Instrumentation": "layer", "Export": "otlp"}, handler_is_function=True
    ),
    "Architecture=x86_64": Switch({"Architecture": "x86_64"}),
    "Alarms=off": Switch({"Alarms": "off"}),
    "Authorizer=iam": Switch({"Authorizer": "iam"}, headers=signature, bare=403),
    "Authorizer=jwt": Switch({"Authorizer": "jwt", "UserPoolArn": POOL}, calls=(), bare=401),
    "RequestsPerSecond=7": Switch({"RequestsPerSecond": "7"}),
    "AccessLog=on": Switch({"AccessLog": "on"}),
    "Protection=on": Switch({"Protection": "on"}),
    "Stage=prod LogRetentionDays=30": Switch({"Stage": "prod", "LogRetentionDays": "30"}),
}
