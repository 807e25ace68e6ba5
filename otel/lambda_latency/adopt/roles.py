"""Adds the permission to send spans to roles of the template: SAM adds it only to roles that it creates."""

from __future__ import annotations

from lambda_latency.adopt.functions import AppFn
from lambda_latency.adopt.splice import Edits, is_equal
from lambda_latency.adopt.wording import when
from lambda_latency.template import Diagnostic, YamlNode

POLICY = '!Sub "arn:${AWS::Partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"'
ACTIONS = ("xray:PutTraceSegments", "xray:*", "xray:Put*")
POLICIES = ("AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess", "AWSXrayFullAccess")
# One of them is enough to see that a role was written for it
OTLP = ("xray:PutSpans", "xray:*", "xray:Put*")
STATEMENT = (
    '{ Version: "2012-10-17", '
    'Statement: [{ Effect: Allow, Action: [xray:PutSpans, xray:PutSpansForIndexing], Resource: "*" }] }'
)
SPANS = f"{{ PolicyName: Spans, PolicyDocument: {STATEMENT} }}"
NEEDED = "it needs xray:PutTraceSegments and xray:PutTelemetryRecords"
SPANS_NEEDED = "it needs xray:PutSpans and xray:PutSpansForIndexing"


def permit(source: str, edits: Edits, functions: list[AppFn], *, otlp: bool) -> tuple[dict[str, str], list[Diagnostic]]:
    """Permits functions to send spans, with `otlp` to X-Ray's OTLP endpoint; returns permissions and findings."""
    permissions: dict[str, str] = {}
    findings: list[Diagnostic] = []
    written: set[str] = set()
    for fn in functions:
        role, name, properties = _role(edits.root, fn)
        sends = otlp and not fn.backend
        if role is None:
            permissions[fn.name] = "SAM's own role"
            if sends and not _add_policy(edits, fn.properties, when(fn.traced, STATEMENT)):
                findings.append(fn.finding(source, "its Policies are no list", SPANS_NEEDED))
        elif properties is None:
            if sends or not fn.adopted:
                todo = SPANS_NEEDED if fn.adopted else NEEDED
                findings.append(fn.finding(source, "its role is not in this template", todo, role))
        else:
            is_new = name not in written
            written.add(name)
            if sends and is_new and not _add_policy(edits, properties, when(fn.traced, SPANS)):
                findings.append(fn.finding(source, "its role's Policies are no list", SPANS_NEEDED, role))
            permission = _permission(edits, fn, properties, is_new=is_new)
            if permission:
                permissions[fn.name] = f"{name} {permission}"
            else:
                findings.append(fn.finding(source, "its role's policies are computed", NEEDED, role))
    return permissions, findings


def _permission(edits: Edits, fn: AppFn, properties: YamlNode, *, is_new: bool) -> str:
    """Adds the managed policy to a function's role unless it has one; empty if its policies are computed."""
    granted = _granted(edits.root, properties)
    if fn.adopted or not is_new or any(text in ACTIONS or text.endswith(POLICIES) for text in granted):
        return "has it"
    return "gets it" if _add_to_list(edits, properties, "ManagedPolicyArns", POLICY) else ""


def revoke(edits: Edits, functions: list[AppFn]) -> None:
    """Removes the permission for X-Ray's OTLP endpoint, where it is written as `permit` writes it."""
    visited: set[int] = set()
    for fn in functions:
        role, _, properties = _role(edits.root, fn)
        place, policy = (fn.properties, STATEMENT) if role is None else (properties, SPANS)
        policies = place.get("Policies") if place is not None else None
        if place is not None and policies is not None and policies.start not in visited:
            visited.add(policies.start)
            added = [item for item in policies.items if is_equal(item, when(fn.traced, policy))]
            if added:
                edits.prune(place, policies, added)


def _role(root: YamlNode, fn: AppFn) -> tuple[YamlNode | None, str, YamlNode | None]:
    """The role of a function as written, the logical id in it, and its properties if the template declares it."""
    role = fn.properties.get("Role") or root.get("Globals", "Function", "Role")
    name = _name(role) if role is not None else ""
    resource = root.get("Resources", name) if name else None
    is_role = resource is not None and resource.text_at("Type") == "AWS::IAM::Role"
    properties = resource.get("Properties") if resource is not None and is_role else None
    return role, name, properties if properties is not None and properties.entries else None


def _name(role: YamlNode) -> str:
    """The logical id `Worker` in any form of `!GetAtt Worker.Arn`; else empty."""
    reference = role.get("Fn::GetAtt") or role
    if reference.function == "GetAtt" or reference is not role:
        target = reference.items[0] if reference.items else reference
        return str(target.value).partition(".")[0]
    return ""


def _granted(root: YamlNode, properties: YamlNode) -> list[str]:
    """The texts of a role's policies, with those of the managed policies that the template declares."""
    managed = properties.get("ManagedPolicyArns")
    names = managed.texts() if managed is not None else []
    declared = [policy for name in names if (policy := root.get("Resources", name)) is not None]
    return [text for node in (properties, *declared) for text in node.texts()]


def _add_policy(edits: Edits, properties: YamlNode, policy: str) -> bool:
    """Adds a policy to a function's or a role's properties, unless one there has it; False if it cannot."""
    if any(text in OTLP for text in _granted(edits.root, properties)):
        return True
    return _add_to_list(edits, properties, "Policies", policy)


def _add_to_list(edits: Edits, properties: YamlNode, name: str, policy: str) -> bool:
    """Adds a policy to a list of properties, which may be absent; False if it is computed or empty."""
    policies = properties.get(name)
    if policies is None:
        edits.add_entries(properties, {name: f"[{policy}]"})
    elif policies.kind == "list" and not policies.function and policies.items:
        edits.add_items(policies, [policy])
    else:
        return False
    return True
