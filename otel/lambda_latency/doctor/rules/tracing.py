"""Rules about tracing settings and sampling decisions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from lambda_latency.doctor.api import apis_of
from lambda_latency.doctor.app import App
from lambda_latency.doctor.definitions import integrations_of
from lambda_latency.doctor.facts import XRAY_REGIONS
from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Found, rule
from lambda_latency.template import Node

# Events without a sampling decision; for a queue, a topic or a bus it depends on the sender.
WITHOUT_HEADER = (
    "HttpApi",
    "Schedule",
    "ScheduleV2",
    "S3",
    "CloudWatchLogs",
    "DynamoDB",
    "Kinesis",
    "IoTRule",
    "Cognito",
)
SERVICE_TYPES = (
    "*", "AWS::ApiGateway::Stage", "AWS::AppSync::GraphQLAPI", "AWS::EC2::Instance", "AWS::ECS::Container",
    "AWS::EKS::Container", "AWS::ElasticBeanstalk::Environment", "AWS::Lambda::Function",
)  # fmt: skip
STAGE = "AWS::ApiGateway::Stage"
MATCHED = ("Host", "HTTPMethod", "ResourceARN", "ServiceName", "ServiceType", "URLPath")


@rule("no-upstream", WARNING, "No request is traced: Lambda creates a header with Sampled=0.")
def no_upstream(app: App) -> Iterator[Found]:
    """PassThrough forwards the caller's sampling decision. An HTTP API, a schedule, a bucket or a REST API without
    tracing makes none.
    """
    for fn in app.functions:
        kinds = [kind for kind, _ in fn.events()]
        kinds += [one.kind for one in integrations_of(app, fn) if one.kind == "HttpApi"]
        traced = [api.is_traced for api in apis_of(app, fn)]
        decided = any(one is not False for one in traced) or any(kind not in (*WITHOUT_HEADER, "Api") for kind in kinds)
        wanted = fn.exports_to_xray or fn.get("Tracing") is not None or fn.get("TracingConfig", "Mode") is not None
        if fn.tracing == "PassThrough" and wanted and (kinds or traced) and not decided:
            how = "Tracing is PassThrough" if fn.tracing_line != fn.line else "Tracing is left out (PassThrough)"
            what = f"{how}, but nothing upstream of {fn.name} makes a sampling decision"
            yield Found(
                app.name, fn.tracing_line, what, "set Tracing: Active, or trace the API upstream (TracingEnabled: true)"
            )


@rule("http-api", NOTE, "Traces begin at the function, without the gateway's time.")
def http_api(app: App) -> Iterator[Found]:
    """HTTP APIs (API Gateway v2) have no X-Ray tracing. Lambda makes the sampling decision: one request a second and 5
    % of the rest.
    """
    traced = [fn for fn in app.functions if fn.tracing == "Active"]
    behind = [
        (fn.name, line)
        for fn in traced
        for kind, line in (
            *((kind, event.line) for kind, event in fn.events()),
            *((one.kind, one.line) for one in integrations_of(app, fn)),
        )
        if kind == "HttpApi"
    ]
    if behind:
        names = list(dict.fromkeys(name for name, _ in behind))
        what = (
            f"{', '.join(names[:3])}{' ...' if len(names) > 3 else ''} behind an HTTP API, which X-Ray does not trace"
        )
        yield Found(app.name, behind[0][1], what, "use a REST API (Type: Api) if the gateway's time matters")


@rule(
    "api-untraced",
    WARNING,
    "Traces begin at the function, without the gateway's time, and the stage's sampling rules do not apply.",
)
def api_untraced(app: App) -> Iterator[Found]:
    """With tracing on, the stage applies X-Ray's sampling rules and is the first segment of the trace."""
    named = set()
    for fn in app.functions:
        for api in apis_of(app, fn):
            if fn.tracing == "Active" and api.is_traced is False and api.name not in named:
                named.add(api.name)
                what = f"functions behind {api.name} are traced, but the API is not"
                yield Found(app.name, api.line, what, "set TracingEnabled: true on the API (SAM: or in Globals.Api)")


@rule("function-untraced", WARNING, "Traces end at the gateway: Lambda records neither its own time nor cold starts.")
def function_untraced(app: App) -> Iterator[Found]:
    """Lambda records its segments (Initialization, Invocation, Overhead) only with `Active`."""
    for fn in app.functions:
        if fn.tracing == "PassThrough" and any(api.is_traced for api in apis_of(app, fn)):
            what = f"the API of {fn.name} is traced, but Tracing of the function is " + (
                "PassThrough" if fn.tracing_line != fn.line else "left out (PassThrough)"
            )
            yield Found(app.name, fn.tracing_line, what, "set Tracing: Active")


@rule("sampling-unmatched", WARNING, "The rule matches no request; the default rule applies.")
def sampling(app: App) -> Iterator[Found]:
    """X-Ray matches the whole name of a service. The name of a stage is `<name of the API>/<name of the stage>`, its
    type is `AWS::ApiGateway::Stage`.
    """
    stages = _stages(app)
    for name, _, properties in app.resources("AWS::XRay::SamplingRule"):
        rule = properties.get("SamplingRule") or properties.get("SamplingRuleRecord", "SamplingRule")
        kind = rule.get("ServiceType") if rule is not None else None
        service = rule.get("ServiceName") if rule is not None else None
        written = _pattern(service) if service is not None else ""
        if kind is not None and not kind.function and str(kind.value) not in SERVICE_TYPES:
            what = f"{name}: unknown service type {str(kind.value)!r}"
            yield Found(app.name, kind.line, what, f"write one of {', '.join(SERVICE_TYPES)}")
        elif kind is None or kind.value != STAGE or service is None or not written:
            continue
        elif "/" not in written and "*" not in written:
            what = f"{name}: ServiceName {str(service.value)!r} is not the stage of an API"
            yield Found(app.name, service.line, what, "write <name of the API>/<name of the stage>")
        elif _is_other(written, stages):
            what = f"{name}: ServiceName {str(service.value)!r} is not {' or '.join(sorted(stages))}"
            yield Found(app.name, service.line, what, "write <name of the API>/<name of the stage>")


@rule("sampling-ignored", WARNING, "The rule has no effect.")
def sampling_ignored(app: App) -> Iterator[Found]:
    """Lambda decides about a request without a tracing header by a fixed rule: one a second, and 5 % of the others. A
    rule behind one that takes every request, with a lower `Priority`, is never reached.
    """
    rules = [
        (name, one) for name, _, properties in app.resources("AWS::XRay::SamplingRule") for one in _rules(properties)
    ]
    everything = {name: one for name, one in rules if _takes_all(one)}
    for name, one in rules:
        kind = one.get("ServiceType")
        if kind is not None and kind.value == "AWS::Lambda::Function":
            what = f"{name}: Lambda does not read sampling rules"
            yield Found(app.name, kind.line, what, "write the rule for the API's stage (AWS::ApiGateway::Stage)")
            continue
        own = _priority(one)
        before = [other for other, taking in everything.items() if other != name and _priority(taking) < own]
        node = one.get("Priority")
        if before and node is not None:
            what = f"{name} is behind {min(before)}, which takes every request"
            yield Found(app.name, node.line, what, f"give it a lower Priority than {min(before)}")


def _rules(properties: Node) -> Iterator[Node]:
    found = properties.get("SamplingRule") or properties.get("SamplingRuleRecord", "SamplingRule")
    if found is not None:
        yield found


def _takes_all(one: Node) -> bool:
    return one.get("Attributes") is None and all(one.text_at(name) == "*" for name in MATCHED)


def _priority(one: Node) -> float:
    text = one.text_at("Priority")
    return float(text) if text.isdecimal() else float("inf")


def _is_other(written: str, stages: set[str]) -> bool:
    """Whether all stages are known and the name matches none of them."""
    is_known = bool(stages) and not any("*" in name for name in (written, *stages))
    return is_known and not any(fnmatchcase(stage, written) for stage in stages)


def _stages(app: App) -> set[str]:
    """The stages of the template by X-Ray's names: `name/stage`, with `*` for unknown parts."""
    found = set()
    for name, _, api in app.resources("AWS::Serverless::Api"):
        title, stage = api.get("Name"), api.get("StageName")
        # SAM names an API without a name after its title, else after the stack.
        found.add(f"{_pattern(title) if title is not None else '*'}/{_pattern(stage) if stage is not None else name}")
    if any(True for _ in app.resources(STAGE, "AWS::ApiGateway::RestApi")):
        found.add("*/*")
    return found


def _pattern(node: Node) -> str:
    return (
        re.sub(r"\$\{[^}]*\}", "*", str(node.value)) if node.kind == "scalar" and node.function in ("", "Sub") else "*"
    )


@rule("region-without-xray", ERROR, "The region has no X-Ray endpoint for the segments.")
def region(app: App) -> Iterator[Found]:
    """X-Ray is in every region that botocore 1.43 lists (November 2026), but not in every partition."""
    traced = [fn for fn in app.functions if fn.tracing == "Active" or fn.is_instrumented]
    if app.is_region_given and app.region not in XRAY_REGIONS and traced:
        what = f"X-Ray is not known to exist in {app.region}"
        yield Found(
            app.name,
            traced[0].tracing_line,
            what,
            "turn tracing off there, or send spans to a service of another region",
        )


RULES = (no_upstream, http_api, api_untraced, function_untraced, sampling, region, sampling_ignored)
