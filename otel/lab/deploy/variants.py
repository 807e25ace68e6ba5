"""Each variant of the template: deployed to the emulator, compared with what CloudFormation makes of it, used, deleted.

A variant is one that `adopt` makes of the template, that has lines of docs/how-to/harden.md, or other parameters. The
code is built once.

The emulator keeps neither the access log of a stage nor the backups of a table: of these two the log group and the
protection from deletion are seen. It hands no caller's tracing header to a function: PassThrough traces nothing. It
verifies no token: of the Cognito authorizer only the refusal is seen.
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
from samcli.yamlhelper import yaml_parse

from lab.deploy.artifacts import with_artifacts
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
from tests.docs.pages import page
from tests.template.deployed import Stack, deploy_written, merged
from tests.template.variants import variant_text

__all__ = ["VARIANTS", "deployed_of", "expected_of", "main"]

Request = tuple[str, str, Any]  # method, address, body
Headers = Callable[[Request], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Variant:
    """A template and its parameters. `lines` are those of the page about production that are added to the template;
    `bare` is the status of GET /orders/none without the headers that an authorizer asks for.
    """

    export: str = "collector"
    instrumentation: str = "kit"
    lines: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    traced: bool = True
    handler_is_function: bool = False  # the layer's start-up names the handler's span after the function
    headers: Headers = lambda _: {}
    calls: Sequence[tuple[str, str, Any, int, str, Any]] = tuple(CALLS)
    bare: int | None = None


def main(names: list[str]) -> int:
    """0 if every step of each variant went as it should; all variants where none is named."""
    begun, log = time.monotonic(), list[str]()
    with tempfile.TemporaryDirectory(prefix="lambda-latency-variants-") as folder, ExitStack() as stack:
        try:
            bed = Bed(stack, Path(folder), log)
            for name in names or VARIANTS:
                bed.run(name, VARIANTS[name])
        except (AssertionError, LocalError) as error:
            print(f"FAILED: {error}", *(f"  {line}" for line in log[-20:]), sep="\n", file=sys.stderr)
            return 1
    print(f"{len(names or VARIANTS)} variants deployed, used and deleted in {time.monotonic() - begun:.1f} s.")
    return 0


class Bed:
    """The emulator, a payments API, a receiver of spans and the built template, for all variants."""

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
        self._spans, self._daemon = spans, daemon.address
        self._payments = f"http://127.0.0.1:{provider.wait_until_ready()}"

    def run(self, name: str, variant: Variant) -> None:
        """Deploy a variant in a stack of its own, use it and delete it."""
        parameters = {"PaymentsUrl": self._payments, **variant.parameters}
        stack = f"variant-{list(VARIANTS).index(name)}"
        with step(name):
            written = merged(yaml_parse(variant_text(variant.export, variant.instrumentation)), variant.lines)
            built = with_artifacts(written, BUILD / "template.yaml", "variant.yaml")
            template = translate(built, self._spans, daemon=self._daemon)
            overrides = [f"{key}={value}" for key, value in parameters.items()]
            self._cloud.sam("deploy", "--template", str(template), "--stack-name", stack, "--resolve-s3",
                            "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--parameter-overrides",
                            *overrides)  # fmt: skip
            expected = expected_of(deploy_written(written, REGION, **parameters))
            found = deployed_of(self._cloud, stack)
            for what, value in expected.items():
                expect(f"{name}: {what}", found[what], value)
            self._use(stack, name, variant)
            self._cloud.delete(stack)
        expect("stacks that are left", [one for one in self._cloud.stacks() if one == stack], [])

    def _use(self, stack: str, name: str, variant: Variant) -> None:
        cloud, store = self._cloud, self._store.path
        url = cloud.outputs(stack)["ApiUrl"]
        physical = {logical: found for logical, _, found in cloud.made(stack)}
        before = len(read_traces(store).traces)
        if variant.bare is not None:
            expect(f"{name}: a request without its headers", cloud.call(url, "GET", "/orders/none")[0], variant.bare)
        for function, (method, path, body, status, _, spans_of) in zip(FUNCTIONS, variant.calls, strict=False):
            seen = {trace.trace_id for trace in read_traces(store).traces}
            answer = cloud.call(url, method, path, body, variant.headers((method, f"{url}{path}", body)))
            expect(f"{name}: {method} {path}", answer[0], status, answer[1])
            if variant.traced:
                top = f"{physical[function]} SERVER" if variant.handler_is_function else spans_of[0]
                expected = (top, *spans_of[1:])
                expect(f"{name}: trace of {method} {path}", joined(store, seen, expected), expected)
        traces = len(read_traces(store).traces) - before
        expect(f"{name}: traces", traces, len(variant.calls) if variant.traced else 0)


def expected_of(stack: Stack) -> dict[str, Any]:
    """What CloudFormation makes of a variant, as far as the emulator keeps it."""
    functions = {name: stack.resources[name]["Properties"] for name in FUNCTIONS}
    (api,), (stage,) = (list(stack.of_type(f"AWS::ApiGateway::{kind}").values()) for kind in ("RestApi", "Stage"))
    (setting,) = stage["MethodSettings"]
    (table,) = stack.of_type("AWS::DynamoDB::Table").values()
    schemes = {"AWS_IAM": "AWS_IAM", "Token": "COGNITO_USER_POOLS"}
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
        "protection": table.get("DeletionProtectionEnabled", False),
        "days of logs": {int(one["RetentionInDays"]) for one in stack.of_type("AWS::Logs::LogGroup").values()},
    }  # fmt: skip


def deployed_of(cloud: Cloud, stack: str) -> dict[str, Any]:
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
    """A deployed function, as `expected_of` has it."""
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
IAM, COGNITO, LOG, PROTECTION, PROCESSOR = map(yaml_parse, page("how-to/harden.md").blocks("yaml"))
VARIANTS = {
    "default": Variant(),
    "PassThrough": Variant(parameters={"Tracing": "PassThrough"}, traced=False),
    "Off": Variant(parameters={"Tracing": "Off"}, traced=False),
    "prod": Variant(parameters={"Stage": "prod", "LogRetentionDays": "30"}),
    "daemon": Variant("daemon"),
    "otlp": Variant("otlp"),
    "otlp-Off": Variant("otlp", parameters={"Tracing": "Off"}, traced=False),
    "layer": Variant("collector", "layer", handler_is_function=True),
    "layer-daemon": Variant("daemon", "layer", handler_is_function=True),
    "layer-otlp": Variant("otlp", "layer", handler_is_function=True),
    "IAM": Variant(lines=IAM, headers=signature, bare=403),
    "Cognito": Variant(lines=COGNITO, calls=(), bare=401),
    "access-log": Variant(lines=LOG),
    "protection": Variant(lines=PROTECTION),
    "x86_64": Variant(lines=PROCESSOR),
}
