"""Adds the permission to send spans to roles of the template: SAM adds it only to roles that it creates."""

from __future__ import annotations

from lambda_latency.adopt.functions import Subject, texts
from lambda_latency.adopt.splice import Spliced
from lambda_latency.adopt.wording import when
from lambda_latency.template import Finding, Node, read_yaml, value_of

POLICY = '!Sub "arn:${AWS::Partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"'
ACTIONS = ("xray:PutTraceSegments", "xray:*", "xray:Put*")
POLICIES = ("AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess", "AWSXrayFullAccess")
OTLP = ("xray:PutSpans", "xray:*", "xray:Put*")  # one of them is enough to see that a role was written for it
STATEMENT = (
    '{ Version: "2012-10-17", '
    'Statement: [{ Effect: Allow, Action: [xray:PutSpans, xray:PutSpansForIndexing], Resource: "*" }] }'
)
SPANS = f"{{ PolicyName: Spans, PolicyDocument: {STATEMENT} }}"
NEEDED = "it needs xray:PutTraceSegments and xray:PutTelemetryRecords"
SPANS_NEEDED = "it needs xray:PutSpans and xray:PutSpansForIndexing"


def permit(
    source: str, edits: Spliced, subjects: list[Subject], *, otlp: bool = False
) -> tuple[dict[str, str], list[Finding]]:
    """The permission of each function as text, and the findings left to a person.

    `otlp`: the functions send to X-Ray's OTLP endpoint, which has permissions of its own.
    """
    done: dict[str, str] = {}
    left: list[Finding] = []
    written: set[str] = set()
    for subject in subjects:
        role, name, properties = _role(edits.root, subject)
        if role is None:
            done[subject.name] = "SAM's own role"
            if otlp and not _add_policy(edits, subject.properties, when(subject.traced, STATEMENT)):
                left.append(Finding(source, subject.line, f"{subject.name}: its Policies are no list", SPANS_NEEDED))
            continue
        if properties is None:
            if otlp or not subject.adopted:
                todo = SPANS_NEEDED if subject.adopted else NEEDED
                left.append(Finding(source, role.line, f"{subject.name}: its role is not in this template", todo))
            continue
        if otlp and name not in written and not _add_policy(edits, properties, when(subject.traced, SPANS)):
            left.append(Finding(source, role.line, f"{subject.name}: its role's Policies are no list", SPANS_NEEDED))
        if subject.adopted or name in written or _permits(edits.root, properties):
            done[subject.name] = f"{name} has it"
        elif _grant(edits, properties):
            done[subject.name] = f"{name} gets it"
        else:
            left.append(Finding(source, role.line, f"{subject.name}: its role's policies are computed", NEEDED))
        written.add(name)
    return done, left


def revoke(edits: Spliced, subjects: list[Subject]) -> None:
    """Removes the permission for X-Ray's OTLP endpoint, where it is written as `permit` writes it."""
    visited: set[int] = set()
    for subject in subjects:
        role, _, properties = _role(edits.root, subject)
        place, policy = (subject.properties, STATEMENT) if role is None else (properties, SPANS)
        policies = place.get("Policies") if place is not None else None
        if place is None or policies is None or policies.start in visited:
            continue
        visited.add(policies.start)
        added = read_yaml("", when(subject.traced, policy))
        assert isinstance(added, Node)
        items = [item for item in policies.items if value_of(item) == value_of(added)]
        if items and len(items) == len(policies.items):
            edits.remove(place, [policies])
        elif items:
            edits.remove(policies, items)


def _role(root: Node, subject: Subject) -> tuple[Node | None, str, Node | None]:
    """The role of a function as written, the logical id in it, and its properties if the template declares it."""
    role = subject.properties.get("Role") or root.get("Globals", "Function", "Role")
    name = _name(role) if role is not None else ""
    resource = root.get("Resources", name) if name else None
    is_role = resource is not None and resource.text_at("Type") == "AWS::IAM::Role"
    properties = resource.get("Properties") if resource is not None and is_role else None
    return role, name, properties if properties is not None and properties.entries else None


def _name(role: Node) -> str:
    """The logical id `Worker` in any form of `!GetAtt Worker.Arn`; else empty."""
    given = role.get("Fn::GetAtt") or role
    if given.function == "GetAtt" or given is not role:
        first = given.items[0] if given.items else given
        return str(first.value).partition(".")[0]
    return ""


def _permits(root: Node, properties: Node) -> bool:
    return any(text in ACTIONS or text.endswith(POLICIES) for text in _granted(root, properties))


def _granted(root: Node, properties: Node) -> list[str]:
    """The texts of a role's policies, with those of the managed policies that the template declares."""
    managed = properties.get("ManagedPolicyArns")
    names = texts(managed) if managed is not None else []
    declared = [policy for name in names if (policy := root.get("Resources", name)) is not None]
    return [text for node in (properties, *declared) for text in texts(node)]


def _grant(edits: Spliced, properties: Node) -> bool:
    managed = properties.get("ManagedPolicyArns")
    if managed is None:
        edits.add_entries(properties, {"ManagedPolicyArns": [POLICY]})
        return True
    if managed.kind != "list" or managed.function or not managed.items:
        return False
    edits.add_items(managed, [POLICY])
    return True


def _add_policy(edits: Spliced, properties: Node, policy: str) -> bool:
    """Adds a policy to a function's or a role's properties, unless one there has it; False if it cannot."""
    known = properties.get("Policies")
    if any(text in OTLP for text in _granted(edits.root, properties)):
        return True
    if known is None:
        edits.add_entries(properties, {"Policies": [policy]})
        return True
    if known.kind != "list" or known.function or not known.items:
        return False
    edits.add_items(known, [policy])
    return True
