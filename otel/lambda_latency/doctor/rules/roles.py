"""Rules about a function's role: it must allow writing to X-Ray, by the way that the spans go."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from lambda_latency.doctor.app import App
from lambda_latency.doctor.facts import FULL_POLICIES, SPAN_WRITES, WRITES, WRITING_POLICIES
from lambda_latency.doctor.finding import ERROR, WARNING, Found, rule
from lambda_latency.doctor.function import Fn
from lambda_latency.template import Node

XRAY = "https://xray."


class _UnknownError(Exception):
    """A role's permissions depend on something outside the template."""


@rule(
    "role-without-xray",
    ERROR,
    "X-Ray rejects the segments: no trace exists, with at most one line in the function's log.",
)
def role(app: App) -> Iterator[Found]:
    """A traced function needs xray:PutTraceSegments and xray:PutTelemetryRecords on `*`. SAM adds them to the roles
    that it creates if `Tracing` is set, never to a role of your own. A role that the template only names is not
    checked.
    """
    for fn in app.functions:
        if fn.tracing != "Active" and not fn.exports_to_xray:
            continue
        lacks = _lacking(app, fn, WRITES)
        if lacks:
            what = f"{fn.name} is traced, but its role does not allow {' and '.join(lacks)}"
            todo = "attach AWSXRayDaemonWriteAccess, or allow both actions on *"
            yield Found(app.name, fn.line_of("Role"), what, todo)


@rule(
    "role-without-spans",
    WARNING,
    "X-Ray's OTLP endpoint may answer 403: every span is lost, with one line in the function's log.",
)
def spans(app: App) -> Iterator[Found]:
    """IAM has xray:PutSpans and xray:PutSpansForIndexing for that endpoint. AWSXRayDaemonWriteAccess and
    AWSXrayWriteOnlyAccess, which SAM attaches for `Tracing`, had neither in the copies that were read in November 2026;
    AWS's guide attaches the second, and there are reports of 403 with it.
    """
    for fn in app.functions:
        endpoint = fn.variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        is_usual = not endpoint and fn.has_kit and fn.variable("LAMBDA_LATENCY_EXPORT") == "otlp"
        if not is_usual and not endpoint.startswith(XRAY):
            continue
        lacks = _lacking(app, fn, SPAN_WRITES)
        if lacks:
            what = f"{fn.name} sends to X-Ray's OTLP endpoint, but its role does not allow {' and '.join(lacks)}"
            yield Found(app.name, fn.line_of("Role"), what, f"allow {' and '.join(SPAN_WRITES)} on *")


def _lacking(app: App, fn: Fn, actions: tuple[str, ...]) -> list[str]:
    """Those of some actions that a function's role does not allow; none if the role is not known."""
    try:
        allowed = _allowed(app, fn)
    except _UnknownError:
        return []
    return [action for action in actions if not any(fnmatchcase(action.lower(), one) for one in allowed)]


def _allowed(app: App, fn: Fn) -> set[str]:
    """The actions that a function's role allows, in lower case. Raises `_UnknownError`."""
    node = fn.get("Role")
    if node is not None:
        return _of_role(app, node)
    if not fn.is_sam:
        raise _UnknownError
    found = {action.lower() for action in WRITES} if fn.get("Tracing") is not None else set()  # SAM attaches a policy
    policies = fn.get("Policies")
    for policy in _each(policies) if policies is not None else ():
        found |= _of_policy(app, policy)
    return found


def _of_role(app: App, node: Node) -> set[str]:
    name = (
        str(node.value).partition(".")[0] if node.kind == "scalar" else str(node.items[0].value) if node.items else ""
    )
    roles = {one: properties for one, _, properties in app.resources("AWS::IAM::Role")}
    if node.function not in ("GetAtt", "Ref") or name not in roles:
        raise _UnknownError
    found: set[str] = set()
    for policy in roles[name].listed("ManagedPolicyArns"):
        found |= _of_policy(app, policy)
    for policy in roles[name].listed("Policies"):
        found |= _of_policy(app, policy.get("PolicyDocument"))
    if any(node is not None and node.function for node in map(roles[name].get, ("ManagedPolicyArns", "Policies"))):
        raise _UnknownError
    for _, _, policy in app.resources("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
        attached = policy.get("Roles") or policy.get("RoleName")
        if attached is not None and name in [one.value for one in _each(attached)]:
            found |= _of_policy(app, policy.get("PolicyDocument"))
    return found


def _of_policy(app: App, node: Node | None) -> set[str]:
    """The actions of a policy: a document, a reference, a SAM policy template, or a managed policy's name or ARN."""
    if node is None:
        raise _UnknownError
    if node.kind == "scalar":
        if node.function == "Ref":
            policies = {name: properties for name, _, properties in app.resources("AWS::IAM::ManagedPolicy")}
            if str(node.value) not in policies:
                raise _UnknownError
            return _of_policy(app, policies[str(node.value)].get("PolicyDocument"))
        text = str(node.value)
        if text.endswith(FULL_POLICIES):
            return {"xray:*"}
        if text.endswith(WRITING_POLICIES):
            return {action.lower() for action in WRITES}
        if node.function or ("arn:" in text and ":aws:policy/" not in text):
            raise _UnknownError
        return set()
    if node.function or node.kind != "mapping":
        raise _UnknownError
    statements = node.get("Statement")
    if statements is None:
        return set()  # a SAM policy template: none allows X-Ray's actions
    return {action for one in _each(statements) for action in _of_statement(one)}


def _each(node: Node) -> tuple[Node, ...]:
    """The items of a list; a single node counts as one item."""
    return node.items if node.kind == "list" else (node,)


def _of_statement(statement: Node) -> Iterator[str]:
    effect, actions = statement.get("Effect"), statement.get("Action")
    if actions is None or statement.function or actions.function:
        raise _UnknownError
    for one in _each(actions):
        if one.function:
            raise _UnknownError
        if effect is not None and effect.value == "Allow":
            yield str(one.value).lower()


RULES = (role, spans)
