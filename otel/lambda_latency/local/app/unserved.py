"""Finds routes that call an AWS service without a function and that neither the gateway nor the emulator supports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["unserved_routes"]

APIS = ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
ACTION = re.compile(r"apigateway:(?:\$\{[^}]*\}|[^:$])*:([\w-]+:(?:action|path)/[^\"]*)")
EMULATED = ("lambda:path/", "sqs:path/")  # integrations of a REST API that the emulator supports


def unserved_routes(plain: Mapping[str, Any]) -> list[str]:
    """A message for each such route of a translated template, in its order."""
    found = []
    for name, resource in plain["Resources"].items():
        kind, properties = resource.get("Type"), resource.get("Properties") or {}
        if kind in APIS:
            found += [f"{route} is not served here: {what}" for route, what in _of_definition(properties.get("Body"))]
        elif kind == "AWS::ApiGatewayV2::Integration" and properties.get("IntegrationSubtype"):
            found.append(f"{name} is not served here: {_first_class(properties['IntegrationSubtype'])}")
        elif kind == "AWS::ApiGateway::Method":
            what = _of_uri((properties.get("Integration") or {}).get("Uri"))
            found += [f"{name} is not served here: {what}"] if what else []
    return found


def _of_definition(body: Any) -> Iterator[tuple[str, str]]:
    paths = body.get("paths") if isinstance(body, dict) else None
    for path, methods in paths.items() if isinstance(paths, dict) else ():
        for method, one in methods.items() if isinstance(methods, dict) else ():
            integration = one.get("x-amazon-apigateway-integration") if isinstance(one, dict) else None
            if not isinstance(integration, dict):
                continue
            route = f"{'ANY' if method.startswith('x-') else method.upper()} {path}"
            if integration.get("integrationSubtype"):
                yield route, _first_class(integration["integrationSubtype"])
            elif what := _of_uri(integration.get("uri")):
                yield route, what


def _first_class(subtype: Any) -> str:
    return f"API Gateway calls {subtype} without a function"


def _of_uri(uri: Any) -> str:
    """A description of a REST API integration's call; empty for functions and for calls that the emulator supports."""
    action = ACTION.search(json.dumps(uri, default=str))
    if action is None or action[1].startswith(EMULATED):
        return ""
    service, _, rest = action[1].partition(":")
    return f"API Gateway calls {service} ({rest.partition('/')[2]}) without a function"
