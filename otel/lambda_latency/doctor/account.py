"""Findings about an account: the template's rules applied to deployed functions, and rules of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from lambda_latency.doctor.account_layers import deployed_layers, deployed_packages
from lambda_latency.doctor.app import App
from lambda_latency.doctor.deployed import Deployed, deployed
from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Finding, Found, rule
from lambda_latency.doctor.function import Fn
from lambda_latency.doctor.rules import RULES
from lambda_latency.fetch import Clients, FetchError, Place, refusal
from lambda_latency.template import Node, read_yaml, resolve

MOST_RULES = 25  # https://docs.aws.amazon.com/general/latest/gr/xray.html
STAGE = "AWS::ApiGateway::Stage"
XRAY = "https://xray."
# Rules that need only a function's configuration and its role.
DEPLOYED = (
    "layer-region", "layer-account", "layer-unavailable", "layer-architecture", "layer-runtime", "layer-old",
    "layer-twice", "wrapper-missing", "wrapper-image", "layer-not-started", "no-collector", "endpoint-ignored",
    "protocol-ignored", "propagators", "application-signals", "distro-unset", "collector-unread", "role-without-xray",
    "role-without-spans", "wrapper-replaced", "memory-small", "timeout-small", "variable-unknown", "variable-value",
    "tracing-disabled", "endpoint-path",
)  # fmt: skip


def diagnose_account(place: Place, stack: str = "", template: App | None = None) -> tuple[Finding, ...]:
    """The findings about an account's functions, or those of a stack; `template` is compared with them.

    A finding's path is `region/function`, or `region/service` for other parts of the account. Raises FetchError.
    """
    try:
        clients = Clients(place)
        found = deployed(clients.make, clients.region, stack)
    except Exception as error:
        raise refusal(error, place) or error from error
    if not found.functions and "cloudformation:DescribeStackResources" in found.refused:
        refused = found.refused["cloudformation:DescribeStackResources"]
        if not refused.is_denied:
            raise FetchError(
                f"there is no stack {stack!r} in {found.region}: {refused.said}", "name another with --stack"
            )
    return tuple(sorted({*_by_rules(found), *_own(found, template)}))


def _by_rules(found: Deployed) -> Iterator[Finding]:
    app, names = _app(found)
    for each in RULES:
        for one in each.check(app) if each.name in DEPLOYED else ():
            yield each.finding(f"{found.region}/{names.get(one.line, 'role')}", 1, one.what, one.todo)


def _app(found: Deployed) -> tuple[App, dict[int, str]]:
    """The deployed resources as a template with one line per resource, and the function's name by line."""
    lines, names = ['{"Resources": {'], {}
    for role, documents in found.policies.items():
        if documents is not None:
            inline = [{"PolicyName": "p", "PolicyDocument": one} for one in documents]
            body = {"Type": "AWS::IAM::Role", "Properties": {"Policies": inline}}
            lines.append(f"{json.dumps(_role(role))}: {json.dumps(body)},")
    for number, (name, configuration) in enumerate(found.functions.items()):
        role = str(configuration.get("Role", ""))
        known = found.policies.get(role) is not None
        properties: dict[str, Any] = {
            "Runtime": configuration.get("Runtime"),
            "PackageType": configuration.get("PackageType", "Zip"),
            "Architectures": configuration.get("Architectures", ["x86_64"]),
            "MemorySize": configuration.get("MemorySize", 128),
            "Timeout": configuration.get("Timeout", 3),
            "TracingConfig": {"Mode": configuration.get("TracingConfig", {}).get("Mode", "PassThrough")},
            "Layers": [layer["Arn"] for layer in configuration.get("Layers", ())],
            "Environment": {"Variables": configuration.get("Environment", {}).get("Variables", {})},
            "Role": {"Fn::GetAtt": [_role(role), "Arn"]} if known else role,
        }
        body = {"Type": "AWS::Lambda::Function", "Properties": {key: one for key, one in properties.items() if one}}
        names[len(lines) + 1] = name
        lines.append(f'"F{number}": {json.dumps(body)},')
    lines.append('"End": {"Type": "Custom::End"}}}')
    root = read_yaml("account", "\n".join(lines))
    assert isinstance(root, Node)
    resolved = resolve(root, {}, found.region).root
    return App(Path(found.region), root, resolved, found.region, is_region_given=True), names


def _role(arn: str) -> str:
    return "Role" + "".join(letter for letter in arn.rpartition("/")[2] if letter.isalnum())


def _own(found: Deployed, template: App | None) -> Iterator[Finding]:
    for each in ACCOUNT_RULES:
        for one in each.check(found, template):
            yield each.finding(*one)


@rule("account-rights", WARNING, "Rules that need this call are not checked.")
def rights(found: Deployed, _: App | None) -> Iterator[Found]:
    """Each denied call is named with the IAM action that it needs. Roles are checked only if all of their policies can
    be read.
    """
    for one in found.refused.values():
        if one.is_denied:
            todo = "ask for the policy that lambda-latency doctor --account --print-policy prints"
            yield Found(f"{found.region}/iam", 1, f"{one.action} is not allowed", todo)
        elif not one.action.startswith("iam:"):
            yield Found(f"{found.region}/iam", 1, f"{one.action} failed: {one.said}", "try again, or check the region")


@rule("account-transaction-search", NOTE, "X-Ray's API returns only indexed traces; report --xray reads the log group.")
def search(found: Deployed, _: App | None) -> Iterator[Found]:
    """Transaction Search is switched on per account and region. All spans are in the log group aws/spans."""
    if found.destination == "CloudWatchLogs":
        share = f", {found.indexed:g} % of traces are indexed" if found.indexed is not None else ""
        what = f"Transaction Search is on: spans go to CloudWatch Logs{share}"
        yield Found(
            f"{found.region}/xray", 1, what, "read the log group aws/spans; X-Ray's API returns only indexed traces"
        )


@rule("account-otlp", ERROR, "Every span is rejected: the function's own spans are lost, with one line in its log.")
def otlp(found: Deployed, _: App | None) -> Iterator[Found]:
    """X-Ray's OTLP endpoint accepts spans only if Transaction Search is on."""
    for name, configuration in found.functions.items() if found.destination == "XRay" else ():
        variables = configuration.get("Environment", {}).get("Variables", {})
        for variable, beginning in (("LAMBDA_LATENCY_EXPORT", "otlp"), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", XRAY)):
            if str(variables.get(variable, "")).startswith(beginning):
                what = f"{name} sends to X-Ray's OTLP endpoint ({variable}), but Transaction Search is off"
                todo = "switch Transaction Search on, or send to a collector or Lambda's daemon"
                yield Found(f"{found.region}/{name}", 1, what, todo)


@rule("account-sampling", NOTE, "This rule decides which requests are traced.")
def sampling(found: Deployed, _: App | None) -> Iterator[Found]:
    """X-Ray evaluates the rules in the order of their priority, and the first match decides. Rules of other stacks
    count.
    """
    ordered = sorted(found.rules or (), key=lambda rule: (rule.get("Priority", 10_000), rule.get("RuleName", "")))
    for stage in found.stages:
        catching = [rule for rule in ordered if _catches(rule, stage)]
        if catching:
            first = catching[0]
            rate = f"{first.get('ReservoirSize', 0)} a second and {first.get('FixedRate', 0) * 100:g} %"
            what = f"rule {first.get('RuleName')!r} (priority {first.get('Priority')}) decides for {stage}: {rate}"
            others = [str(rule.get("RuleName")) for rule in catching[1:] if rule.get("ServiceName") not in ("*", None)]
            if others and first.get("ServiceName") != stage:
                what += f"; {', '.join(others)} never applies"
            yield Found(
                f"{found.region}/sampling", 1, what, "if that is wrong, add a rule with a lower priority number"
            )


def _catches(rule: Any, stage: str) -> bool:
    kind = rule.get("ServiceType", "*")
    return kind in ("*", STAGE) and fnmatchcase(stage, str(rule.get("ServiceName", "*")))


@rule("account-quota", WARNING, "The next stack with a sampling rule fails.")
def quota(found: Deployed, _: App | None) -> Iterator[Found]:
    """A region may have 25 sampling rules, unless the quota was raised."""
    if found.rules is not None and len(found.rules) >= MOST_RULES:
        what = f"{len(found.rules)} sampling rules, the quota of a region is {MOST_RULES}"
        yield Found(f"{found.region}/sampling", 1, what, "remove unused rules, or request a higher quota")


@rule("account-logs", NOTE, "Log events are never deleted, and their storage costs money.")
def logs(found: Deployed, _: App | None) -> Iterator[Found]:
    """A log group that Lambda creates has no retention."""
    for name, days in sorted(found.retention.items()):
        if days is None:
            yield Found(f"{found.region}/logs", 1, f"log group {name} has no retention", "set one")


@rule("account-differs", ERROR, "The deployed function differs from the template.")
def differs(found: Deployed, template: App | None) -> Iterator[Found]:
    """Tracing mode, memory, timeout, layers and variables of a stack's functions are compared with the template, by
    logical id, if the template's values are known. Values of variables are never printed.
    """
    functions = {fn.name: fn for fn in template.functions} if template is not None else {}
    for name, logical in found.logical.items():
        fn = functions.get(logical)
        if fn is not None and template is not None:
            for line, what in _differences(fn, found.functions[name]):
                yield Found(
                    template.name, line, f"{logical}: {what}", "deploy the template, or update it to the deployed value"
                )
    if found.logical and template is not None:
        for logical in sorted(set(functions) - set(found.logical.values())):
            yield Found(template.name, functions[logical].line, f"{logical} is not deployed", "deploy the template")


def _differences(fn: Fn, configuration: Any) -> Iterator[tuple[int, str]]:
    """The properties of a function with different values in the template and the account: line and text."""
    mode = configuration.get("TracingConfig", {}).get("Mode", "PassThrough")
    if fn.tracing and fn.tracing != mode:
        yield fn.tracing_line, f"Tracing is {fn.tracing} in the template and {mode} in the account"
    for key, default in (("MemorySize", 128), ("Timeout", 3)):
        here, there = fn.number(key, default=default), configuration.get(key, default)
        if here is not None and here != there:
            yield fn.line_of(key), f"{key} is {here:g} in the template and {there} in the account"
    there_layers = {layer["Arn"] for layer in configuration.get("Layers", ())}
    for node in (item for place in fn.places for item in _list(place.get("Layers"))):
        if node.kind == "scalar" and not node.function and str(node.value) not in there_layers:
            yield node.line, f"layer {str(node.value).partition(':layer:')[2]} is missing in the account"
    variables = configuration.get("Environment", {}).get("Variables", {})
    for name, node in fn.variables.items():
        if fn.variable(name) and variables.get(name) != fn.variable(name):
            other = "is not set" if name not in variables else "has another value"
            yield node.line, f"{name} {other} in the account"


def _list(node: Node | None) -> tuple[Node, ...]:
    return node.items if node is not None and node.kind == "list" and not node.function else ()


ACCOUNT_RULES = (rights, search, otlp, sampling, quota, logs, differs, deployed_layers, deployed_packages)
