"""OpenAPI definitions as samcli can read them: with at most one authorizer for each operation, and that one a function.

API keys, signatures and token authorizers are checked by the gateway (`contracts`, `tokens`), not by samcli.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

BODIES = {
    "AWS::Serverless::Api": "DefinitionBody",
    "AWS::Serverless::HttpApi": "DefinitionBody",
    "AWS::ApiGateway::RestApi": "Body",
    "AWS::ApiGatewayV2::Api": "Body",
}
AUTHORIZER, INTEGRATION = "x-amazon-apigateway-authorizer", "x-amazon-apigateway-integration"
ANY = "x-amazon-apigateway-any-method"
LAMBDA = ("token", "request")  # the types of authorizers that are functions

Operation = tuple[str, str, str]  # the API's logical id, the path and the method, as written


def readable(resources: Mapping[str, Any]) -> dict[str, Any]:
    """The resources with readable definitions."""
    return {key: _with_body(one, _readable) for key, one in resources.items()}


def operations(resources: Mapping[str, Any]) -> Iterator[Operation]:
    """The operations of all definitions that have an integration."""
    for key, one in resources.items():
        for path, methods in _mapping(_mapping(_body(one)).get("paths")).items():
            yield from ((key, path, method) for method, op in _mapping(methods).items() if INTEGRATION in _mapping(op))


def without(resources: Mapping[str, Any], left_out: set[Operation]) -> dict[str, Any]:
    """The resources without some operations."""

    def kept(key: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        def changed(body: Mapping[str, Any]) -> dict[str, Any]:
            paths = {
                path: {method: one for method, one in _mapping(methods).items() if (key, path, method) not in left_out}
                for path, methods in _mapping(body.get("paths")).items()
            }
            return {**body, "paths": paths}

        return changed

    return {key: _with_body(one, kept(key)) for key, one in resources.items()}


def route_of(operation: Operation) -> str:
    """`GET /orders`."""
    _, path, method = operation
    return f"{'ANY' if method == ANY else method.upper()} {path}"


def _readable(body: Mapping[str, Any]) -> dict[str, Any]:
    components = _mapping(body.get("components"))
    schemes = {**_mapping(body.get("securityDefinitions")), **_mapping(components.get("securitySchemes"))}
    functions = {name: one for name, one in schemes.items() if _is_function(one)}
    made = {
        **body,
        "paths": {path: _readable_path(one, functions) for path, one in _mapping(body.get("paths")).items()},
    }
    if "securityDefinitions" in body:
        made["securityDefinitions"] = functions
    if "securitySchemes" in components:
        made["components"] = {**components, "securitySchemes": functions}
    root = _names(body.get("security"), functions)
    made.pop("security", None)
    return {**made, "security": [{root[0]: []}]} if root and "openapi" in body else made


def _readable_path(methods: Any, functions: Mapping[str, Any]) -> Any:
    if not isinstance(methods, Mapping):
        return methods
    made = dict(methods)
    for method, one in methods.items():
        if isinstance(one, Mapping) and isinstance(one.get("security"), list):
            names = _names(one["security"], functions)
            made[method] = {**one, "security": [{names[0]: []}] if names else []}
    return made


def _names(security: Any, functions: Mapping[str, Any]) -> list[str]:
    """The names of the authorizers in a list of requirements that are functions."""
    entries = security if isinstance(security, list) else []
    return [name for entry in entries for name in _mapping(entry) if name in functions]


def _is_function(scheme: Any) -> bool:
    return str(_mapping(_mapping(scheme).get(AUTHORIZER)).get("type")).lower() in LAMBDA


def _with_body(resource: Any, changed: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Any:
    body = _body(resource)
    if not isinstance(body, Mapping):
        return resource
    key = BODIES[resource["Type"]]
    return {**resource, "Properties": {**resource["Properties"], key: changed(body)}}


def _body(resource: Any) -> Any:
    key = BODIES.get(str(_mapping(resource).get("Type")))
    return _mapping(_mapping(resource).get("Properties")).get(key) if key else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
