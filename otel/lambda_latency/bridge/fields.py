"""The attributes from which X-Ray's exporter creates the document fields `http`, `sql`, `aws` and `metadata`.

Metadata is one attribute for each namespace: a JSON object as text.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

HTTP = {
    "url": "http.url",
    "method": "http.method",
    "user_agent": "http.user_agent",
    "client_ip": "http.client_ip",
    "x_forwarded_for": "",
    "status": "http.status_code",
    "content_length": "http.response_content_length",
}
SQL = {
    "url": "db.connection_string",
    "connection_string": "db.connection_string",
    "database_type": "db.system",
    "user": "db.user",
    "sanitized_query": "db.statement",
}
DATABASES = ("db2", "derby", "hive", "mariadb", "mssql", "mysql", "oracle", "postgresql", "sqlite", "teradata")
AWS = {
    "operation": "aws.operation",
    "region": "aws.region",
    "request_id": "aws.request_id",
    "queue_url": "aws.queue_url",
    "table_name": "aws.table_name",
    "account_id": "aws.account_id",
}

PREFIX = "aws.xray.metadata."
LIMIT = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"
DEEPEST = 50


def of_aws(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of an AWS call; values other than text, numbers and booleans are dropped."""
    return {
        AWS.get(key, f"aws.{key}"): value for key, value in meta.items() if isinstance(value, str | bool | int | float)
    }


def of_sql(sql: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a statement. `db.system` is one that X-Ray's exporter knows, or `other_sql`."""
    attributes = {SQL.get(key, f"db.{key}"): value for key, value in sql.items()}
    if "db.system" in attributes:
        near = str(attributes["db.system"]).lower()
        attributes["db.system"] = next((system for system in DATABASES if near.startswith(system)), "other_sql")
    return attributes


def documents(attributes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The metadata in a span's attributes, by namespace; values other than JSON objects are ignored."""
    by_namespace: dict[str, dict[str, Any]] = {}
    for key, value in attributes.items():
        if key.startswith(PREFIX):
            with suppress(ValueError):
                metadata = json.loads(value)
                if isinstance(metadata, dict):
                    by_namespace[key.removeprefix(PREFIX)] = metadata
    return by_namespace


def document(metadata: dict[str, Any]) -> str:
    """The JSON text of a namespace. Values are shortened, still as JSON, to fit the attribute's length limit."""
    setting = os.environ.get(LIMIT, "")
    limit = int(setting) if setting.isdecimal() else 4096
    parts = {str(key): json.dumps(plain(value), default=str) for key, value in metadata.items()}
    text = joined(parts)
    if len(text) <= limit:
        return text
    # The longest values are shortened first, each to a share of the limit: most values are short.
    share = max(limit // (len(parts) or 1) - 32, 16)
    for key, part in sorted(parts.items(), key=lambda pair: -len(pair[1])):
        if len(text) <= limit:
            break
        parts[key] = json.dumps(cut(part, share))
        text = joined(parts)
    return text


def plain(value: Any, depth: int = 0) -> Any:
    """The value as lists, mappings and scalars; an object becomes a mapping of its public attributes, as in the SDK."""
    if depth > DEEPEST:
        return str(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(key): plain(member, depth + 1) for key, member in value.items()}
    if isinstance(value, type):
        return str(value)
    if hasattr(value, "__iter__"):
        return [plain(member, depth + 1) for member in value]
    if hasattr(value, "__dict__"):
        return {
            key: plain(member, depth + 1)
            for key, member in vars(value).items()
            if not callable(member) and not key.startswith("_")
        }
    return value


def joined(parts: dict[str, str]) -> str:
    """A JSON object from values that are JSON texts."""
    return "{" + ", ".join([f"{json.dumps(key)}: {part}" for key, part in parts.items()]) + "}"


def cut(text: str, limit: int) -> str:
    """The beginning of a text whose JSON has at most `limit` characters."""
    while len(json.dumps(text)) > limit and text:
        text = text[: max(limit * len(text) // len(json.dumps(text)) - 1, 0)]
    return text
