"""Findings about an account: the template's rules applied to deployed functions, and rules of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from lambda_latency.doctor.app import App
from lambda_latency.doctor.deployed import Deployed, deployed
from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Finding, Issue, rule, rules_in
from lambda_latency.doctor.function import DEFAULT_MB, DEFAULT_S, EXPORT, TRACES_ENDPOINT, Fn, layer_of
from lambda_latency.doctor.rules import RULES
from lambda_latency.doctor.rules.packages import clashes
from lambda_latency.fetch import Clients, FetchError, Place, refusal
from lambda_latency.template import node_of, resolve, scalar

# https://docs.aws.amazon.com/general/latest/gr/xray.html
MOST_RULES = 25
STAGE = "AWS::ApiGateway::Stage"
XRAY = "https://xray."
SDK = "opentelemetry-sdk"
ROLE = "the role"  # which no function is called
# Rules that need only a function's configuration and its role.
DEPLOYED = frozenset([
    "layer-region", "layer-account", "layer-unavailable", "layer-architecture",
    "layer-runtime", "layer-old", "layer-twice", "layer-not-started", "wrapper-missing",
    "wrapper-image", "wrapper-replaced", "no-collector", "collector-unread",
    "endpoint-ignored", "endpoint-path", "protocol-ignored", "propagators",
    "application-signals", "distro-unset", "memory-small", "timeout-small",
    "role-without-xray", "role-without-spans", "variable-unknown", "variable-unread",
    "variable-value",
    "tracing-disabled",
])  # fmt: skip
Variables = Mapping[str, str]


def diagnose_account(place: Place, stack: str = "", template: App | None = None) -> tuple[Finding, ...]:
    """The findings about an account's functions, or those of a stack; `template` is compared with them.

    A finding's path is `region/function`, or `region/service` for other parts of the account. Raises FetchError.
    """
    try:
        clients = Clients(place)
        account = deployed(clients.make, clients.region, stack)
    except Exception as error:
        raise refusal(error, place) or error from error
    refused = account.refused.get("cloudformation:DescribeStackResources")
    if not account.functions and refused is not None and not refused.is_denied:
        problem = f"there is no stack {stack!r} in {account.region}: {refused.said}"
        raise FetchError(problem, "name another with --stack")
    if not account.answered:
        failed = next(iter(account.refused.values()))
        problem = f"AWS refused every call in {account.region}, so nothing was checked: {failed.action}: {failed.said}"
        raise FetchError(problem, "ask for the policy that lambda-latency policy doctor prints")
    findings = set(_by_rules(account))
    for account_rule in ACCOUNT_RULES:
        findings.update(account_rule.finding("", issue) for issue in account_rule.check(account, template))
    return tuple(sorted(findings))


def _by_rules(account: Deployed) -> Iterator[Finding]:
    for name, configuration in account.functions.items():
        app = _app_of(account, name, configuration)
        for template_rule in (template_rule for template_rule in RULES if template_rule.name in DEPLOYED):
            for issue in template_rule.check(app):
                yield template_rule.finding("", issue._replace(line=1, path=f"{account.region}/{name}"))


def _app_of(account: Deployed, name: str, configuration: Mapping[str, Any]) -> App:
    """A deployed function and its role as a template."""
    role = str(configuration.get("Role", ""))
    documents = account.policies.get(role)
    properties: dict[str, Any] = {
        "Runtime": configuration.get("Runtime"),
        "PackageType": configuration.get("PackageType", "Zip"),
        "Architectures": configuration.get("Architectures", ["x86_64"]),
        "MemorySize": configuration.get("MemorySize", DEFAULT_MB),
        "Timeout": configuration.get("Timeout", DEFAULT_S),
        "TracingConfig": {"Mode": _mode(configuration)},
        "Layers": [layer["Arn"] for layer in configuration.get("Layers", ())],
        "Environment": {"Variables": _variables(configuration)},
        "Role": {"Fn::GetAtt": [ROLE, "Arn"]} if documents is not None else role,
    }
    declared = {key: value for key, value in properties.items() if value}
    policies = [{"PolicyName": "p", "PolicyDocument": document} for document in documents or ()]
    resources = {
        name: {"Type": "AWS::Lambda::Function", "Properties": declared},
        ROLE: {"Type": "AWS::IAM::Role", "Properties": {"Policies": policies}},
    }
    root = node_of({"Resources": resources})
    return App(Path(account.region), root, resolve(root, {}, account.region).root, account.region, is_region_given=True)


def _mode(configuration: Mapping[str, Any]) -> str:
    return str(configuration.get("TracingConfig", {}).get("Mode", "PassThrough"))


def _variables(configuration: Mapping[str, Any]) -> Variables:
    variables: Variables = configuration.get("Environment", {}).get("Variables", {})
    return variables


@rule("account-rights", WARNING, "Rules that need this call are not checked.")
def rights(account: Deployed, _: App | None) -> Iterator[Issue]:
    """Each denied call is named with the IAM action that it needs. Roles are checked only if all of their policies can
    be read.
    """
    place = f"{account.region}/iam"
    for refused in account.refused.values():
        if refused.is_denied:
            todo = "ask for the policy that lambda-latency policy doctor prints"
            yield Issue(f"{refused.action} is not allowed", todo, path=place)
        else:
            yield Issue(f"{refused.action} failed: {refused.said}", "try again, or check the region", path=place)


@rule("account-transaction-search", NOTE, "X-Ray's API returns only indexed traces; report --xray reads the log group.")
def search(account: Deployed, _: App | None) -> Iterator[Issue]:
    """Transaction Search is switched on per account and region. All spans are in the log group aws/spans."""
    if account.destination == "CloudWatchLogs":
        share = f", {account.indexed:g} % of traces are indexed" if account.indexed is not None else ""
        problem = f"Transaction Search is on: spans go to CloudWatch Logs{share}"
        todo = "read the log group aws/spans; X-Ray's API returns only indexed traces"
        yield Issue(problem, todo, path=f"{account.region}/xray")


@rule("account-otlp", ERROR, "Every span is rejected: the function's own spans are lost, with one line in its log.")
def otlp(account: Deployed, _: App | None) -> Iterator[Issue]:
    """X-Ray's OTLP endpoint accepts spans only if Transaction Search is on."""
    for name, configuration in account.functions.items() if account.destination == "XRay" else ():
        variables = _variables(configuration)
        for variable, beginning in ((EXPORT, "otlp"), (TRACES_ENDPOINT, XRAY)):
            if str(variables.get(variable, "")).startswith(beginning):
                problem = f"{name} sends to X-Ray's OTLP endpoint ({variable}), but Transaction Search is off"
                todo = "switch Transaction Search on, or send to a collector or Lambda's daemon"
                yield Issue(problem, todo, path=f"{account.region}/{name}")


@rule("account-sampling", NOTE, "This rule decides which requests are traced.")
def sampling(account: Deployed, _: App | None) -> Iterator[Issue]:
    """X-Ray evaluates the rules in the order of their priority, and the first match decides. Rules of other stacks
    count.
    """
    ordered = sorted(account.rules or (), key=lambda rule: (rule.get("Priority", 10_000), rule.get("RuleName", "")))
    for stage in account.stages:
        matching = [rule for rule in ordered if _matches(rule, stage)]
        if matching:
            decisive, *unreached = matching
            rate = f"{decisive.get('ReservoirSize', 0)} a second and {decisive.get('FixedRate', 0) * 100:g} %"
            shown = f"{decisive.get('RuleName')!r} (priority {decisive.get('Priority')})"
            problem = f"rule {shown} decides for {stage}: {rate}"
            unused = [str(rule.get("RuleName")) for rule in unreached if rule.get("ServiceName") not in ("*", None)]
            if unused and decisive.get("ServiceName") != stage:
                problem += f"; {', '.join(unused)} never applies"
            todo = "if that is wrong, add a rule with a lower priority number"
            yield Issue(problem, todo, path=f"{account.region}/sampling")


def _matches(rule: Mapping[str, Any], stage: str) -> bool:
    kind = rule.get("ServiceType", "*")
    return kind in ("*", STAGE) and fnmatchcase(stage, str(rule.get("ServiceName", "*")))


@rule("account-quota", WARNING, "The next stack with a sampling rule fails.")
def quota(account: Deployed, _: App | None) -> Iterator[Issue]:
    """A region may have 25 sampling rules, unless the quota was raised."""
    if account.rules is not None and len(account.rules) >= MOST_RULES:
        problem = f"{len(account.rules)} sampling rules, the quota of a region is {MOST_RULES}"
        yield Issue(problem, "remove unused rules, or request a higher quota", path=f"{account.region}/sampling")


@rule("account-logs", NOTE, "Log events are never deleted, and their storage costs money.")
def logs(account: Deployed, _: App | None) -> Iterator[Issue]:
    """A log group that Lambda creates has no retention."""
    for name, days in sorted(account.retention.items()):
        if days is None:
            yield Issue(f"log group {name} has no retention", "set one", path=f"{account.region}/logs")


@rule("account-differs", ERROR, "The deployed function differs from the template.")
def differs(account: Deployed, template: App | None) -> Iterator[Issue]:
    """Tracing mode, memory, timeout, layers and variables of a stack's functions are compared with the template, by
    logical id, if the template's values are known. Values of variables are never printed.
    """
    if template is None or not account.logical:
        return
    names = {logical: name for name, logical in account.logical.items()}
    for fn in template.functions:
        if fn.name not in names:
            yield Issue(f"{fn.name} is not deployed", "deploy the template", fn.line, template.name)
            continue
        configuration = account.functions[names[fn.name]]
        differences = [*_setting_differences(fn, configuration), *_list_differences(fn, configuration)]
        for line, difference in differences:
            todo = "deploy the template, or update it to the deployed value"
            yield Issue(f"{fn.name}: {difference}", todo, line, template.name)


def _setting_differences(fn: Fn, configuration: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """The settings of a function with different values in the template and the account: line and text."""
    mode = _mode(configuration)
    if fn.tracing and fn.tracing != mode:
        yield fn.tracing_line, f"Tracing is {fn.tracing} in the template and {mode} in the account"
    for key, default in (("MemorySize", DEFAULT_MB), ("Timeout", DEFAULT_S)):
        written, current = fn.number(key, default=default), configuration.get(key, default)
        if written is not None and written != current:
            yield fn.line_of(key), f"{key} is {written:g} in the template and {current} in the account"


def _list_differences(fn: Fn, configuration: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """The layers and variables of the template that the account lacks or has with another value."""
    layers = {layer["Arn"] for layer in configuration.get("Layers", ())}
    for node in fn.layer_nodes:
        if node.kind == "scalar" and not node.function and str(node.value) not in layers:
            yield node.line, f"layer {str(node.value).partition(':layer:')[2]} is missing in the account"
    variables = _variables(configuration)
    for name, node in fn.variables.items():
        if fn.variable(name) and variables.get(name) != fn.variable(name):
            difference = "is not set" if name not in variables else "has another value"
            yield node.line, f"{name} {difference} in the account"


@rule(
    "account-layer",
    NOTE,
    "Packages beside this layer are compared with what Lambda tells, not with the table of releases.",
)
def deployed_layers(account: Deployed, _: App | None) -> Iterator[Issue]:
    """Lambda gives the layer's file to whoever may call GetLayerVersionByArn, and the file names its packages."""
    for arn, packages in account.contents.items():
        layer = layer_of(scalar(arn))
        release = layer.release
        listed = release.packages[SDK] if release is not None else ""
        if packages is None or packages.get(SDK) == listed:
            continue
        problem = f"{layer.name}:{layer.version} has {SDK} {packages.get(SDK, 'nowhere')}"
        problem += f", not {listed} as ADOT {release.version}" if release else ", and its release is not known"
        todo = "tell this project, whose table of layers has to have it"
        yield Issue(problem, todo, path=f"{layer.region}/layers")


@rule(
    "account-packages",
    ERROR,
    "The function's packages override the layer's: tracing fails at init or at the first call.",
)
def deployed_packages(account: Deployed, template: App | None) -> Iterator[Issue]:
    """With `--stack`, packages of the template's functions are compared with those of the layers that the same
    functions have in the account.
    """
    names = {logical: name for name, logical in account.logical.items()}
    deployed_functions = [fn for fn in template.functions if fn.name in names] if template is not None else []
    for fn in deployed_functions:
        for listed in account.functions[names[fn.name]].get("Layers", ()):
            packages = account.contents.get(listed["Arn"])
            if template is not None and packages is not None:
                yield from clashes(template, fn, layer_of(scalar(listed["Arn"])), packages)


ACCOUNT_RULES = rules_in(globals())
