"""Dynamic references of a template, such as `{{resolve:ssm:NAME}}`: the emulator resolves those to its own values."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from lambda_latency.template import likely_value

DYNAMIC = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):((?:\$\{[^}]*\}|[^:}])+)[^}]*\}\}")


def own_values(raw: Mapping[str, Any]) -> dict[str, str]:
    """The logical ids of a template's SSM parameters and secrets, by their names."""
    found = {}
    for name, resource in raw["Resources"].items():
        if isinstance(resource, dict) and resource.get("Type") in (
            "AWS::SSM::Parameter",
            "AWS::SecretsManager::Secret",
        ):
            given = (resource.get("Properties") or {}).get("Name")
            given = given.get("Fn::Sub") if isinstance(given, dict) else given
            if isinstance(given, str):
                found[given] = name
    return found


def wait_for(own: Mapping[str, str], raw: Mapping[str, Any]) -> None:
    """Add DependsOn for dynamic references to the template's own values. On AWS, the author must declare the order."""
    for name, resource in raw["Resources"].items():
        needed = {own[match[2]] for match in DYNAMIC.finditer(json.dumps(resource, default=str)) if match[2] in own}
        before = resource.get("DependsOn", []) if needed else []
        before = [before] if isinstance(before, str) else before
        needed -= {name, *before}
        needed = {one for one in needed if f'"{name}"' not in json.dumps(raw["Resources"][one], default=str)}
        if needed:
            resource["DependsOn"] = [*before, *sorted(needed)]


def resolved(text: str, own: Collection[str], notes: list[str]) -> str:
    """A text in which a placeholder, the last part of the name, replaces dynamic references to other stacks' values."""

    def value(match: re.Match[str]) -> str:
        if match[2] in own:
            return match[0]
        if "${" in match[2].rpartition("/")[2]:
            return "local"
        last = match[2].rpartition("/")[2] or "local"
        name = likely_value(last) or last
        note = f"{match[0]} is not available locally: its value is {name!r}"
        if note not in notes:
            notes.append(note)
        return name

    return DYNAMIC.sub(value, text)
