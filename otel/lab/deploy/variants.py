"""Each variant of the template: deployed to the emulator, compared with what CloudFormation makes of it, used, deleted.

A variant is one that `adopt` makes of the template, that has lines of docs/how-to/harden.md, or other parameters. The
artifacts are the example's.

The emulator keeps neither the access log of a stage nor the backups of a table: of these two the log group and the
protection from deletion are seen. It hands no caller's tracing header to a function: PassThrough traces nothing. It
verifies no token: of the Cognito authorizer only the refusal is seen.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from samcli.yamlhelper import yaml_parse

from lab.deploy.artifacts import with_artifacts
from lab.deploy.bed import Bed, expect, step
from lab.deploy.cloud import REGION, Cloud
from lab.deploy.example import BUILD, CALLS
from lab.deploy.translation import DAEMON, ENDPOINT, translate
from tests.docs.pages import page
from tests.template.deployed import Stack, deploy_written, merged, variant_text

Request = tuple[str, str, Any]  # method, address, body
Headers = Callable[[Request], dict[str, str]]


@dataclass(frozen=True, slots=True)
class TemplateVariant:
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


def deploy(bed: Bed, name: str) -> None:
    """Deploy a variant in a stack of its own, use it and delete it."""
    cloud, stack, variant = bed.cloud, f"variant-{list(VARIANTS).index(name)}", VARIANTS[name]
    parameters = {"PaymentsUrl": bed.payments, **variant.parameters}
    with step(name):
        written = merged(yaml_parse(variant_text(variant.export, variant.instrumentation)), variant.lines)
        built = with_artifacts(written, BUILD / "template.yaml", "variant.yaml")
        template = translate(built, bed.spans, daemon=bed.daemon)
        cloud.deploy(stack, template, *(f"{key}={value}" for key, value in parameters.items()))
        expected = expected_of(deploy_written(written, REGION, **parameters))
        deployed = deployed_of(cloud, stack)
        for subject, value in expected.items():
            expect(f"{name}: {subject}", deployed[subject], value)
        _use(bed, stack, name, variant)
        cloud.delete(stack)
    expect("stacks that are left", [existing for existing in cloud.stacks() if existing == stack], [])


def _use(bed: Bed, stack: str, name: str, variant: TemplateVariant) -> None:
    cloud = bed.cloud
    url = cloud.outputs(stack)["ApiUrl"]
    physical = {logical: identifier for logical, _, identifier in cloud.made(stack)}
    earlier_ids = bed.trace_ids()
    if variant.bare is not None:
        expect(f"{name}: a request without its headers", cloud.call(url, "GET", "/orders/none")[0], variant.bare)
    for function, (method, path, body, status, _, spans_of) in zip(FUNCTIONS, variant.calls, strict=False):
        earlier = bed.trace_ids()
        answer = cloud.call(url, method, path, body, variant.headers((method, f"{url}{path}", body)))
        expect(f"{name}: {method} {path}", answer[0], status, answer[1])
        if variant.traced:
            top = f"{physical[function]} SERVER" if variant.handler_is_function else spans_of[0]
            expected = (top, *spans_of[1:])
            expect(f"{name}: trace of {method} {path}", bed.new_trace(earlier, expected), expected)
    expect(f"{name}: traces", len(bed.trace_ids() - earlier_ids), len(variant.calls) if variant.traced else 0)


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
                "architecture": function["Architectures"],
                "tracing": function["TracingConfig"]["Mode"],
                "seconds and megabytes": (function["Timeout"], function["MemorySize"]),
                "the kit's layer": bool(function.get("Layers")),
                "variables": {
                    key: value for key, value in function["Environment"]["Variables"].items() if isinstance(value, str)
                } | {ENDPOINT: None, DAEMON: None},
            }
            for name, function in functions.items()
        },
        "authorization": {
            schemes.get(next(iter((method.get("security") or [{}])[0]), ""), "NONE")
            for path in api["Body"]["paths"].values()
            for method in path.values()
        },
        "requests a second": float(setting["ThrottlingRateLimit"]),
        "X-Ray": stage.get("TracingEnabled", api.get("TracingEnabled", False)),
        "protection": table.get("DeletionProtectionEnabled", False),
        "days of logs": {int(group["RetentionInDays"]) for group in stack.of_type("AWS::Logs::LogGroup").values()},
    }  # fmt: skip


def deployed_of(cloud: Cloud, stack: str) -> dict[str, Any]:
    """The same of a deployed stack, by AWS's own calls."""
    made = list(cloud.made(stack))
    ids = {logical: physical for logical, _, physical in made}
    gateway = cloud.client("apigateway")
    (stage,) = gateway.get_stages(restApiId=ids["Api"])["item"]
    resources = gateway.get_resources(restApiId=ids["Api"], embed=["methods"])["items"]
    table = cloud.client("dynamodb").describe_table(TableName=ids["OrdersTable"])["Table"]
    return {
        "resources": Counter(kind for _, kind, _ in made),
        "functions": {name: configured(cloud, ids[name]) for name in FUNCTIONS},
        "authorization": {
            method["authorizationType"]
            for resource in resources
            for method in resource.get("resourceMethods", {}).values()
        },
        "requests a second": stage["methodSettings"]["*/*"]["throttlingRateLimit"],
        "X-Ray": stage["tracingEnabled"],
        "protection": table["DeletionProtectionEnabled"],
        "days of logs": days_of_logs(cloud, {name for _, kind, name in made if kind == "AWS::Logs::LogGroup"}),
    }


def days_of_logs(cloud: Cloud, groups: set[str]) -> set[int]:
    """The retention of log groups, in days."""
    pages = cloud.client("logs").get_paginator("describe_log_groups").paginate()
    described = (group for page in pages for group in page["logGroups"])
    return {group["retentionInDays"] for group in described if group["logGroupName"] in groups}


def configured(cloud: Cloud, function: str) -> dict[str, Any]:
    """A deployed function, as `expected_of` has it."""
    configuration = cloud.client("lambda").get_function_configuration(FunctionName=function)
    variables = configuration["Environment"]["Variables"]
    return {
        "architecture": configuration["Architectures"],
        "tracing": configuration["TracingConfig"]["Mode"],
        "seconds and megabytes": (configuration["Timeout"], configuration["MemorySize"]),
        "the kit's layer": bool(configuration.get("Layers")),
        # The table's name is the emulator's; the addresses of spans are those of this machine.
        "variables": {key: value for key, value in variables.items() if key != "ORDERS_TABLE"}
        | {ENDPOINT: None, DAEMON: None},
    }


def types(stack: Stack) -> Counter[str]:
    """How many resources of each type there are, with those of the stacks within; the emulator has none of X-Ray."""
    counts = Counter(r["Type"] for r in stack.resources.values() if not r["Type"].startswith("AWS::XRay::"))
    return sum((types(inner) for inner in stack.inner.values()), counts)


def signature(request: Request) -> dict[str, str]:
    """SigV4 of a request, by the emulator's own credentials."""
    method, url, body = request
    signed = AWSRequest(method, url, data=None if body is None else json.dumps(body).encode())
    SigV4Auth(Credentials("local", "local"), "execute-api", REGION).add_auth(signed)
    return {name: signed.headers[name] for name in ("Authorization", "X-Amz-Date")}


FUNCTIONS = ("CreateOrder", "GetOrder", "ListOrders", "CancelOrder")  # in the order of CALLS
IAM, COGNITO, LOG, PROTECTION, PROCESSOR = map(yaml_parse, page("how-to/harden.md").blocks("yaml"))
VARIANTS = {
    "default": TemplateVariant(),
    "PassThrough": TemplateVariant(parameters={"Tracing": "PassThrough"}, traced=False),
    "Off": TemplateVariant(parameters={"Tracing": "Off"}, traced=False),
    "prod": TemplateVariant(parameters={"Stage": "prod", "LogRetentionDays": "30"}),
    "daemon": TemplateVariant("daemon"),
    "otlp": TemplateVariant("otlp"),
    "otlp-Off": TemplateVariant("otlp", parameters={"Tracing": "Off"}, traced=False),
    "layer": TemplateVariant("collector", "layer", handler_is_function=True),
    "layer-daemon": TemplateVariant("daemon", "layer", handler_is_function=True),
    "layer-otlp": TemplateVariant("otlp", "layer", handler_is_function=True),
    "IAM": TemplateVariant(lines=IAM, headers=signature, bare=403),
    "Cognito": TemplateVariant(lines=COGNITO, calls=(), bare=401),
    "access-log": TemplateVariant(lines=LOG),
    "protection": TemplateVariant(lines=PROTECTION),
    "x86_64": TemplateVariant(lines=PROCESSOR),
}
