"""Names what a template lacks for production: an authorizer, an access log, table protection.

`lab destination` asks it before production is deployed; docs/how-to/harden.md has the lines.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse

PAGE = "docs/how-to/harden.md"
APIS = {"AWS::Serverless::Api": "AccessLogSetting", "AWS::Serverless::HttpApi": "AccessLogSettings"}
TABLE = "AWS::DynamoDB::Table"


def missing_protections(template: Path) -> Iterator[str]:
    """Yield a line for each API without authorizer or access log, and for each table without protection."""
    resources: Mapping[str, Any] = yaml_parse(template.read_text("utf-8"))["Resources"]
    for name, resource in resources.items():
        properties = resource.get("Properties") or {}
        kind = resource.get("Type")
        if kind in APIS:
            if (properties.get("Auth") or {}).get("DefaultAuthorizer") in (None, "NONE"):
                yield f"{name} has no authorizer: everybody who knows its address may call it (Auth)"
            if not properties.get(APIS[kind]):
                yield f"{name} has no access log ({APIS[kind]})"
        elif kind == TABLE and not _is_protected(properties):
            yield f"{name} has no protection (DeletionProtectionEnabled, PointInTimeRecoverySpecification)"


def _is_protected(table: Mapping[str, Any]) -> bool:
    recovery = table.get("PointInTimeRecoverySpecification") or {}
    return bool(table.get("DeletionProtectionEnabled") and recovery.get("PointInTimeRecoveryEnabled"))
