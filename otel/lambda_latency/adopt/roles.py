"""Adds the permission to send spans to roles of the template: SAM adds it only to roles that it creates."""

from __future__ import annotations

from lambda_latency.adopt.functions import Subject, texts
from lambda_latency.adopt.splice import Spliced
from lambda_latency.template import Finding, Node

__all__ = ["permit"]

POLICY = '!Sub "arn:${AWS::Partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"'
ACTIONS = ("xray:PutTraceSegments", "xray:*", "xray:Put*")
POLICIES = ("AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess", "AWSXrayFullAccess")
OTLP = ("xray:PutSpans", "xray:*", "xray:Put*")  # one of them is enough to see that a role was written for it
STATEMENT = '{ Statement: [{ Effect: Allow, Action: [xray:PutSpans, xray:PutSpansForIndexing], Resource: "*" }] }'
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
    everyone = edits.root.get("Globals", "Function")
    for subject in subjects:
        role = subject.properties.get("Role") or (everyone.get("Role") if everyone is not None else None)
        if role is None:
            done[subject.name] = "SAM's own role"
            if otlp and not _add_policy(edits, subject.properties, STATEMENT):
                left.append(Finding(source, subject.line, f"{subject.name}: its Policies are no list", SPANS_NEEDED))
            continue
        name = _name(role)
        resource = edits.root.get("Resources", name) if name else None
        properties = resource.get("Properties") if resource is not None else None
        if (
            properties is None
            or not properties.entries
            or edits.root.text_at("Resources", name, "Type") != "AWS::IAM::Role"
        ):
            left.append(Finding(source, role.line, f"{subject.name}: its role is not in this template", NEEDED))
            continue
        spans = f"{{ PolicyName: Spans, PolicyDocument: {STATEMENT} }}"
        if otlp and name not in written and not _add_policy(edits, properties, spans):
            left.append(Finding(source, role.line, f"{subject.name}: its role's Policies are no list", SPANS_NEEDED))
        if name in written or _permits(properties):
            done[subject.name] = f"{name} has it"
        elif _grant(edits, properties):
            done[subject.name] = f"{name} gets it"
        else:
            left.append(Finding(source, role.line, f"{subject.name}: its role's policies are computed", NEEDED))
        written.add(name)
    return done, left


def _name(role: Node) -> str:
    """The logical id `Worker` in any form of `!GetAtt Worker.Arn`; else empty."""
    given = role.get("Fn::GetAtt") or role
    if given.function == "GetAtt" or given is not role:
        first = given.items[0] if given.items else given
        return str(first.value).partition(".")[0]
    return ""


def _permits(properties: Node) -> bool:
    return any(text in ACTIONS or text.endswith(POLICIES) for text in texts(properties))


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
    if known is None:
        edits.add_entries(properties, {"Policies": [policy]})
        return True
    if any(text in OTLP for text in texts(known)):
        return True
    if known.kind != "list" or known.function or not known.items:
        return False
    edits.add_items(known, [policy])
    return True
