"""Renames path parameters that are not identifiers (`{order-id}`), for samcli's server.

werkzeug, which serves samcli's routes, fails on such a name in a path.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from typing import Any

PARAMETER = re.compile(r"\{([^}+]+)(\+?)\}")


def with_identifiers(api: Any) -> tuple[Any, dict[str, str]]:
    """samcli's API with an identifier in place of each such name, and the names by identifier.

    Returns the same API and an empty mapping if it has no such name.
    """
    names = {name for route in api.routes for name, _ in PARAMETER.findall(route.path) if not name.isidentifier()}
    aliases = {name: f"parameter_{number}_" for number, name in enumerate(sorted(names))}
    if not aliases:
        return api, {}
    changed = copy.copy(api)
    changed.routes = [copy.copy(route) for route in api.routes]
    for route in changed.routes:
        route.path = PARAMETER.sub(lambda found: f"{{{aliases.get(found[1], found[1])}{found[2]}}}", route.path)
    return changed, {alias: name for name, alias in aliases.items()}


def restored(event: str, names: Mapping[str, str]) -> str:
    """An event with the original names, in its path parameters and in the fields that contain its route."""
    parsed: dict[str, Any] = json.loads(event)
    parameters = parsed.get("pathParameters")
    if isinstance(parameters, dict):
        parsed["pathParameters"] = {names.get(name, name): value for name, value in parameters.items()}
    for part in (parsed, parsed.get("requestContext") or {}):
        for key in ("resource", "resourcePath", "routeKey", "path"):
            if isinstance(part.get(key), str):
                part[key] = PARAMETER.sub(lambda found: f"{{{names.get(found[1], found[1])}{found[2]}}}", part[key])
    return json.dumps(parsed)
