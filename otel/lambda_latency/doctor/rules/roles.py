"""Rules about a function's role: it must allow writing to X-Ray, by the way that the spans go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from lambda_latency.doctor.app import App
from lambda_latency.doctor.finding import ERROR, WARNING, Issue, function_rule
from lambda_latency.doctor.function import EXPORT, TRACES_ENDPOINT, Fn
from lambda_latency.template import YamlNode

XRAY = "https://xray."
WRITES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
# Those of X-Ray's OTLP endpoint, in the Service Authorization Reference (November 2026):
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
SPAN_WRITES = ("xray:PutSpans", "xray:PutSpansForIndexing")
# AWS's managed policies that allow the actions of `WRITES`, and those that allow every action of X-Ray.
WRITING_POLICIES = (
    "AWSXRayDaemonWriteAccess",
    "AWSXrayWriteOnlyAccess",
    "CloudWatchLambdaApplicationSignalsExecutionRolePolicy",
)
FULL_POLICIES = ("AWSXrayFullAccess", "AdministratorAccess", "PowerUserAccess")
WRITING = {action.lower() for action in WRITES}


class _UnknownError(Exception):
    """A role's permissions depend on something outside the template."""


@function_rule(
    "role-without-xray",
    ERROR,
    "X-Ray rejects the segments: no trace exists, with at most one line in the function's log.",
)
def role(app: App, fn: Fn) -> Iterator[Issue]:
    """A traced function needs xray:PutTraceSegments and xray:PutTelemetryRecords on `*`. SAM adds them to the roles
    that it creates if `Tracing` is set, never to a role of your own. A role that the template only names is not
    checked.
    """
    missing = _missing(app, fn, WRITES) if fn.tracing == "Active" or fn.exports_to_xray else ""
    if missing:
        problem = f"{fn.name} is traced, but its role does not allow {missing}"
        yield Issue(problem, "attach AWSXRayDaemonWriteAccess, or allow both actions on *", fn.line_of("Role"))


@function_rule(
    "role-without-spans",
    WARNING,
    "X-Ray's OTLP endpoint may answer 403: every span is lost, with one line in the function's log.",
)
def spans(app: App, fn: Fn) -> Iterator[Issue]:
    """IAM has xray:PutSpans and xray:PutSpansForIndexing for that endpoint. AWSXRayDaemonWriteAccess and
    AWSXrayWriteOnlyAccess, which SAM attaches for `Tracing`, had neither in the copies that were read in November 2026;
    AWS's guide attaches the second, and there are reports of 403 with it.
    """
    endpoint = fn.variable(TRACES_ENDPOINT)
    is_default = not endpoint and fn.has_kit and fn.variable(EXPORT) == "otlp"
    missing = _missing(app, fn, SPAN_WRITES) if is_default or endpoint.startswith(XRAY) else ""
    if missing:
        problem = f"{fn.name} sends to X-Ray's OTLP endpoint, but its role does not allow {missing}"
        yield Issue(problem, f"allow {' and '.join(SPAN_WRITES)} on *", fn.line_of("Role"))


def _missing(app: App, fn: Fn, actions: tuple[str, ...]) -> str:
    """Those of some actions that a function's role does not allow, as text; empty if the role is not known."""
    try:
        allowed = _allowed(app, fn)
    except _UnknownError:
        return ""

    def is_allowed(action: str) -> bool:
        return any(fnmatchcase(action.lower(), pattern) for pattern in allowed)

    return " and ".join(action for action in actions if not is_allowed(action))


def _allowed(app: App, fn: Fn) -> set[str]:
    """The actions that a function's role allows, in lower case. Raises `_UnknownError`."""
    node = fn.get("Role")
    if node is not None:
        return _role_actions(app, node)
    if not fn.is_sam:
        raise _UnknownError
    policies = fn.get("Policies")
    allowed = _policies_actions(app, _items_of(policies))
    return allowed | WRITING if fn.get("Tracing") is not None else allowed  # SAM attaches a policy


def _role_actions(app: App, node: YamlNode) -> set[str]:
    name = str((node.items or (node,))[0].value).partition(".")[0]
    roles = {name: properties for name, _, properties in app.resources("AWS::IAM::Role")}
    if node.function not in ("GetAtt", "Ref") or name not in roles:
        raise _UnknownError
    both = roles[name].get("ManagedPolicyArns"), roles[name].get("Policies")
    if any(node is not None and node.function for node in both):
        raise _UnknownError
    policies: list[YamlNode | None] = [*roles[name].listed("ManagedPolicyArns")]
    policies += [policy.get("PolicyDocument") for policy in roles[name].listed("Policies")]
    return _policies_actions(app, [*policies, *_attached_documents(app, name)])


def _attached_documents(app: App, role: str) -> Iterator[YamlNode | None]:
    """The documents of the template's policies that name a role."""
    for _, _, policy in app.resources("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
        attached = policy.get("Roles") or policy.get("RoleName")
        if role in [reference.value for reference in _items_of(attached)]:
            yield policy.get("PolicyDocument")


def _policies_actions(app: App, policies: Iterable[YamlNode | None]) -> set[str]:
    return {action for policy in policies for action in _policy_actions(app, policy)}


def _policy_actions(app: App, node: YamlNode | None) -> set[str]:
    """The actions of a policy: a document, a reference, a SAM policy template, or a managed policy's name or ARN."""
    if node is None:
        raise _UnknownError
    if node.kind == "scalar":
        return _managed_policy_actions(app, node)
    if node.function or node.kind != "mapping":
        raise _UnknownError
    # A SAM policy template has no statement: none allows X-Ray's actions.
    return {action for statement in _items_of(node.get("Statement")) for action in _statement_actions(statement)}


def _managed_policy_actions(app: App, node: YamlNode) -> set[str]:
    text = str(node.value)
    if node.function == "Ref":
        policies = {name: properties for name, _, properties in app.resources("AWS::IAM::ManagedPolicy")}
        if text not in policies:
            raise _UnknownError
        return _policy_actions(app, policies[text].get("PolicyDocument"))
    if text.endswith(FULL_POLICIES):
        return {"xray:*"}
    if text.endswith(WRITING_POLICIES):
        return WRITING
    if node.function or ("arn:" in text and ":aws:policy/" not in text):
        raise _UnknownError
    return set()


def _items_of(node: YamlNode | None) -> tuple[YamlNode, ...]:
    """The items of a list; a single node counts as one item."""
    if node is None:
        return ()
    return node.items if node.kind == "list" else (node,)


def _statement_actions(statement: YamlNode) -> Iterator[str]:
    effect, actions = statement.get("Effect"), statement.get("Action")
    if actions is None or statement.function or actions.function:
        raise _UnknownError
    for action in _items_of(actions):
        if action.function:
            raise _UnknownError
        if effect is not None and effect.value == "Allow":
            yield str(action.value).lower()
