"""Adds the permission to send spans to roles of the template: SAM adds it only to roles that it creates."""

from __future__ import annotations

from lambda_latency.adopt.functions import Subject, texts
from lambda_latency.adopt.splice import Spliced
from lambda_latency.template import Finding, Node

__all__ = ["permit"]

POLICY = '!Sub "arn:${AWS::Partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"'
ACTIONS = ("xray:PutTraceSegments", "xray:*", "xray:Put*")
POLICIES = ("AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess", "AWSXrayFullAccess")
NEEDED = "it needs xray:PutTraceSegments and xray:PutTelemetryRecords"


def permit(source: str, edits: Spliced, subjects: list[Subject]) -> tuple[dict[str, str], list[Finding]]:
    """The permission of each function as text, and the findings left to a person."""
    done: dict[str, str] = {}
    left: list[Finding] = []
    written: set[str] = set()
    everyone = edits.root.get("Globals", "Function")
    for subject in subjects:
        role = subject.properties.get("Role") or (everyone.get("Role") if everyone is not None else None)
        if role is None:
            done[subject.name] = "SAM's own role"
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
        elif name in written or _permits(properties):
            done[subject.name] = f"{name} has it"
        elif _grant(edits, properties):
            written.add(name)
            done[subject.name] = f"{name} gets it"
        else:
            left.append(Finding(source, role.line, f"{subject.name}: its role's policies are computed", NEEDED))
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
