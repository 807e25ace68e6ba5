"""The `aws` part of a segment document: the sender of the span, and the operation of an AWS call."""

from __future__ import annotations

from typing import Any

from lambda_latency.trace import Span

OPERATION = ("aws.operation", "rpc.method")
TEXTS = {
    "account_id": ("aws.account_id",),
    "region": ("aws.region",),
    "request_id": ("aws.request_id", "aws.requestId"),
    "queue_url": ("aws.queue_url", "aws.queue.url"),
    "table_name": ("aws.table_name", "aws.table.name"),
}
TABLES = "aws.dynamodb.table_names"  # is also kept in the metadata


def aws_part(span: Span, left: dict[str, Any]) -> dict[str, Any] | None:
    """The `aws` part; its attributes are removed from `left`. None if the resource runs outside AWS."""
    found: dict[str, Any] = {"account_id": span.resource.get("cloud.account.id")}
    found["operation"] = next((left[key] for key in OPERATION if key in left), None)
    for key in OPERATION:
        left.pop(key, None)
    for name, keys in TEXTS.items():
        for key in keys:
            if key in left:
                found[name] = left.pop(key)
    if span.resource.get("cloud.provider", "aws") != "aws":
        return None
    found |= _tables(left.get(TABLES))
    groups = _log_groups(span.resource.get("aws.log.group.names"))
    if groups:
        found["cloudwatch_logs"] = [{"log_group": name} for name in groups]
    return {"xray": _sdk(span), **{name: value for name, value in found.items() if value not in (None, "")}}


def _sdk(span: Span) -> dict[str, Any]:
    name, language = span.resource.get("telemetry.sdk.name"), span.resource.get("telemetry.sdk.language")
    sdk = {
        "sdk": f"{name} for {language}" if name and language else name,
        "sdk_version": span.resource.get("telemetry.sdk.version"),
    }
    known = {key: value for key, value in sdk.items() if value}
    return {**known, "auto_instrumentation": bool(span.resource.get("telemetry.auto.version"))}


def _tables(names: object) -> dict[str, Any]:
    if isinstance(names, str):
        return {"table_name": names}
    if not isinstance(names, tuple) or not names:
        return {}
    return {"table_name": names[0]} if len(names) == 1 else {"table_name": None, "table_names": list(names)}


def _log_groups(names: object) -> list[str]:
    """The names from a list, or from its text form, which separates them by &."""
    if isinstance(names, str):
        return [name for name in names.split("&") if name]
    return [str(name) for name in names] if isinstance(names, tuple) else []
