"""The attributes from which X-Ray's exporter creates the document fields `http`, `sql` and `aws`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

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
AWS = {"operation": "aws.operation", "region": "aws.region", "request_id": "aws.request_id",
       "queue_url": "aws.queue_url", "table_name": "aws.table_name", "account_id": "aws.account_id"}  # fmt: skip


def of_aws(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of an AWS call; values other than text, numbers and booleans are dropped."""
    return {
        AWS.get(key, f"aws.{key}"): value for key, value in meta.items() if isinstance(value, str | bool | int | float)
    }


def of_sql(sql: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a statement. `db.system` is one that X-Ray's exporter knows, or `other_sql`."""
    found = {SQL.get(key, f"db.{key}"): value for key, value in sql.items()}
    if "db.system" in found:
        near = str(found["db.system"]).lower()
        found["db.system"] = next((one for one in DATABASES if near.startswith(one)), "other_sql")
    return found
