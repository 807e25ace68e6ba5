"""Rules about tracing settings and sampling decisions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from lambda_latency.doctor.apis import apis_of, triggers_of
from lambda_latency.doctor.app import App
from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Issue, function_rule, rule
from lambda_latency.doctor.function import Fn
from lambda_latency.template import YamlNode

# botocore 1.43 (November 2026). Nothing is fetched at run time.
XRAY_REGIONS = frozenset([
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2",
    "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2",
    "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6",
    "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2",
    "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
    "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1",
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "cn-north-1", "cn-northwest-1",
    "us-gov-east-1", "us-gov-west-1", "us-iso-east-1", "us-iso-west-1",
    "us-isob-east-1", "us-isob-west-1",
])  # fmt: skip
# Events without a sampling decision; for a queue, a topic or a bus it depends on the sender.
WITHOUT_HEADER = frozenset(
    ("Api", "HttpApi", "Schedule", "ScheduleV2", "S3", "CloudWatchLogs", "DynamoDB", "Kinesis", "IoTRule", "Cognito")
)
STAGE = "AWS::ApiGateway::Stage"
FUNCTION = "AWS::Lambda::Function"
SERVICE_TYPES = (
    "*",
    STAGE,
    "AWS::AppSync::GraphQLAPI",
    "AWS::EC2::Instance",
    "AWS::ECS::Container",
    "AWS::EKS::Container",
    "AWS::ElasticBeanstalk::Environment",
    FUNCTION,
)
MATCHED = ("Host", "HTTPMethod", "ResourceARN", "ServiceName", "ServiceType", "URLPath")
NAMED = "write <name of the API>/<name of the stage>"


@function_rule("no-upstream", WARNING, "No request is traced: Lambda creates a header with Sampled=0.")
def no_upstream(app: App, fn: Fn) -> Iterator[Issue]:
    """PassThrough forwards the caller's sampling decision. An HTTP API, a schedule, a bucket or a REST API without
    tracing makes none.
    """
    has_mode = fn.get("Tracing") is not None or fn.get("TracingConfig", "Mode") is not None
    if fn.tracing == "PassThrough" and (has_mode or fn.exports_to_xray) and _is_undecided(app, fn):
        problem = f"Tracing is {_mode(fn)}, but nothing upstream of {fn.name} makes a sampling decision"
        todo = "set Tracing: Active, or trace the API upstream (TracingEnabled: true)"
        yield Issue(problem, todo, fn.tracing_line)


def _is_undecided(app: App, fn: Fn) -> bool:
    """Whether something calls a function, and nothing that does makes a sampling decision."""
    kinds = {kind for kind, _ in triggers_of(app, fn)}
    traced = [api.is_traced for api in apis_of(app, fn)]
    return bool(kinds or traced) and kinds <= WITHOUT_HEADER and traced.count(False) == len(traced)


def _mode(fn: Fn) -> str:
    """How the template says PassThrough."""
    return "PassThrough" if fn.tracing_line != fn.line else "left out (PassThrough)"


@rule("http-api", NOTE, "Traces begin at the function, without the gateway's time.")
def http_api(app: App) -> Iterator[Issue]:
    """HTTP APIs (API Gateway v2) have no X-Ray tracing. Lambda makes the sampling decision: one request a second and 5
    % of the rest.
    """
    traced = [fn for fn in app.functions if fn.tracing == "Active"]
    triggers = [(fn.name, kind, line) for fn in traced for kind, line in triggers_of(app, fn)]
    behind = [(name, line) for name, kind, line in triggers if kind == "HttpApi"]
    if behind:
        names = list(dict.fromkeys(name for name, _ in behind))
        shown = ", ".join(names[:3]) + " ..." * (len(names) > 3)
        problem = f"{shown} behind an HTTP API, which X-Ray does not trace"
        yield Issue(problem, "use a REST API (Type: Api) if the gateway's time matters", behind[0][1])


@rule(
    "api-untraced",
    WARNING,
    "Traces begin at the function, without the gateway's time, and the stage's sampling rules do not apply.",
)
def api_untraced(app: App) -> Iterator[Issue]:
    """With tracing on, the stage applies X-Ray's sampling rules and is the first segment of the trace."""
    traced = [fn for fn in app.functions if fn.tracing == "Active"]
    lines: dict[str, int] = {}
    for api in (api for fn in traced for api in apis_of(app, fn)):
        if api.is_traced is False:
            lines.setdefault(api.name, api.line)
    for name, line in lines.items():
        problem = f"functions behind {name} are traced, but the API is not"
        yield Issue(problem, "set TracingEnabled: true on the API (SAM: or in Globals.Api)", line)


@function_rule(
    "function-untraced", WARNING, "Traces end at the gateway: Lambda records neither its own time nor cold starts."
)
def function_untraced(app: App, fn: Fn) -> Iterator[Issue]:
    """Lambda records its segments (Initialization, Invocation, Overhead) only with `Active`."""
    if fn.tracing == "PassThrough" and any(api.is_traced for api in apis_of(app, fn)):
        problem = f"the API of {fn.name} is traced, but Tracing of the function is {_mode(fn)}"
        yield Issue(problem, "set Tracing: Active", fn.tracing_line)


@rule("sampling-unmatched", WARNING, "The rule matches no request; the default rule applies.")
def sampling(app: App) -> Iterator[Issue]:
    """X-Ray matches the whole name of a service. The name of a stage is `<name of the API>/<name of the stage>`, its
    type is `AWS::ApiGateway::Stage`.
    """
    stages = _stages(app)
    for name, sampling_rule in _sampling_rules(app):
        kind, service = sampling_rule.get("ServiceType"), sampling_rule.get("ServiceName")
        if kind is not None and not kind.function and str(kind.value) not in SERVICE_TYPES:
            problem = f"{name}: unknown service type {str(kind.value)!r}"
            yield Issue(problem, f"write one of {', '.join(SERVICE_TYPES)}", kind.line)
        elif kind is not None and kind.value == STAGE and service is not None:
            missed = _missed(_pattern(service), stages)
            if missed:
                yield Issue(f"{name}: ServiceName {str(service.value)!r} is not {missed}", NAMED, service.line)


def _missed(pattern: str, stages: set[str]) -> str:
    """What a pattern of a service's name does not match, although it should; empty if it may match."""
    if not pattern:
        return ""
    if "/" not in pattern and "*" not in pattern:
        return "the stage of an API"
    is_unknown = any("*" in name for name in (pattern, *stages))
    if is_unknown or any(fnmatchcase(stage, pattern) for stage in stages):
        return ""
    return " or ".join(sorted(stages))


def _stages(app: App) -> set[str]:
    """The stages of the template by X-Ray's names: `name/stage`, with `*` for unknown parts."""
    stages = set()
    for name, _, api in app.resources("AWS::Serverless::Api"):
        title, stage = api.get("Name"), api.get("StageName")
        # SAM names an API without a name after its title, else after the stack.
        shown = _pattern(title) if title is not None else "*"
        stages.add(f"{shown}/{_pattern(stage) if stage is not None else name}")
    if any(True for _ in app.resources(STAGE, "AWS::ApiGateway::RestApi")):
        stages.add("*/*")
    return stages


def _pattern(node: YamlNode) -> str:
    """A text with `*` for its unknown parts."""
    if node.kind != "scalar" or node.function not in ("", "Sub"):
        return "*"
    return re.sub(r"\$\{[^{}]*\}", "*", str(node.value))


def _sampling_rules(app: App) -> Iterator[tuple[str, YamlNode]]:
    """The sampling rules of the template: logical id and definition."""
    for name, _, properties in app.resources("AWS::XRay::SamplingRule"):
        definition = properties.get("SamplingRule") or properties.get("SamplingRuleRecord", "SamplingRule")
        if definition is not None:
            yield name, definition


@rule("region-without-xray", ERROR, "The region has no X-Ray endpoint for the segments.")
def region(app: App) -> Iterator[Issue]:
    """X-Ray is in every region that botocore 1.43 lists (November 2026), but not in every partition."""
    traced = [fn for fn in app.functions if fn.tracing == "Active" or fn.is_instrumented]
    if app.is_region_given and app.region not in XRAY_REGIONS and traced:
        problem = f"X-Ray is not known to exist in {app.region}"
        todo = "turn tracing off there, or send spans to a service of another region"
        yield Issue(problem, todo, traced[0].tracing_line)


@rule("sampling-ignored", WARNING, "The rule has no effect.")
def sampling_ignored(app: App) -> Iterator[Issue]:
    """Lambda decides about a request without a tracing header by a fixed rule: one a second, and 5 % of the others. A
    rule behind one that takes every request, with a lower `Priority`, is never reached.
    """
    rules = list(_sampling_rules(app))
    everything = {name: _priority(definition) for name, definition in rules if _takes_all(definition)}
    for name, definition in rules:
        kind, priority = definition.get("ServiceType"), definition.get("Priority")
        number = _priority(definition)
        preceding = [rule_name for rule_name, lower in everything.items() if lower < number]
        if kind is not None and kind.value == FUNCTION:
            problem = f"{name}: Lambda does not read sampling rules"
            yield Issue(problem, "write the rule for the API's stage (AWS::ApiGateway::Stage)", kind.line)
        elif preceding and priority is not None:
            problem = f"{name} is behind {min(preceding)}, which takes every request"
            yield Issue(problem, f"give it a lower Priority than {min(preceding)}", priority.line)


def _takes_all(definition: YamlNode) -> bool:
    return definition.get("Attributes") is None and all(definition.text_at(name) == "*" for name in MATCHED)


def _priority(definition: YamlNode) -> float:
    text = definition.text_at("Priority")
    return float(text) if text.isdecimal() else float("inf")
