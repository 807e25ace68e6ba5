"""The paths of routes in events and definitions, as deployed apps have them: with the leading slash."""

from __future__ import annotations

from typing import Any

ROUTED = ("Api", "HttpApi")  # types of events with a path


def root_paths(properties: dict[str, Any]) -> None:
    """Add the leading slash to paths that lack it, as events and definitions of deployed apps have them."""
    events = properties.get("Events")
    for event in events.values() if isinstance(events, dict) else ():
        route = event.get("Properties") if isinstance(event, dict) else None
        if isinstance(route, dict) and event.get("Type") in ROUTED and isinstance(route.get("Path"), str):
            route["Path"] = _rooted(route["Path"])
    body = properties.get("DefinitionBody")
    if isinstance(body, dict) and isinstance(body.get("paths"), dict):
        body["paths"] = {_rooted(str(path)): one for path, one in body["paths"].items()}


def _rooted(path: str) -> str:
    if path == "/$default":  # as SAM writes HTTP APIs' route for every path
        return "$default"
    return path if path.startswith(("/", "$", "x-", "Fn::")) else f"/{path}"
