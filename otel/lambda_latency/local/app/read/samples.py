"""Example values of routes, from the OpenAPI definitions in a template."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

ANY = "x-amazon-apigateway-any-method"
HEADER = re.compile(r"request\.header\.([\w-]+)")
KINDS = ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")


@dataclass(frozen=True, slots=True)
class Sample:
    """Example values of a route: of path parameters by name, a body, which is empty without an example, and the headers
    without which API Gateway does not call the route's Lambda authorizer.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    headers: tuple[str, ...] = ()


def samples(plain: Mapping[str, Any]) -> dict[str, Sample]:
    """The samples of a translated template, by route (`GET /orders/{id}`); routes without an example are left out."""
    found = {}
    for resource in plain["Resources"].values():
        body = (resource.get("Properties") or {}).get("Body") if resource.get("Type") in KINDS else None
        identities = dict(_identities(_mapping(body)))
        for path, methods in _mapping(_mapping(body).get("paths")).items():
            for method, operation in _mapping(methods).items():
                sample = _sample([*_list(methods, "parameters"), *_list(operation, "parameters")], _mapping(operation))
                names = [name for one in _list(operation, "security") for name in one]
                headers = tuple(header for name in names for header in identities.get(name, ()))
                if (sample := replace(sample, headers=headers)) != Sample():
                    found[f"{'ANY' if method == ANY else method.upper()} {path}"] = sample
    return found


def _identities(body: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The names of Lambda authorizers with the headers in their identity sources."""
    schemes = {
        **_mapping(body.get("securityDefinitions")),
        **_mapping(_mapping(body.get("components")).get("securitySchemes")),
    }
    for name, scheme in schemes.items():
        authorizer = _mapping(_mapping(scheme).get("x-amazon-apigateway-authorizer"))
        source = authorizer.get("identitySource")
        if authorizer.get("type") == "token":
            yield name, [str(_mapping(scheme).get("name") or "Authorization")]
        elif authorizer.get("type") == "request":
            yield name, HEADER.findall(json.dumps(source))


def _sample(parameters: list[Mapping[str, Any]], operation: Mapping[str, Any]) -> Sample:
    values = {str(one.get("name")): _example(one) for one in parameters if one.get("in") == "path"}
    bodies = [one for one in parameters if one.get("in") == "body"]  # Swagger 2
    bodies += map(_mapping, _mapping(_mapping(operation.get("requestBody")).get("content")).values())
    body = next((one for one in map(_example, bodies) if one is not None), "")
    return Sample(
        {name: str(value) for name, value in values.items() if isinstance(value, str | int | float)},
        body if isinstance(body, str) else json.dumps(body, default=str),
    )


def _example(declared: Mapping[str, Any]) -> Any:
    """The first example of a parameter or a body, else its default, else its first allowed value; None without any."""
    schema = _mapping(declared.get("schema"))
    named = [_mapping(one).get("value") for one in _mapping(declared.get("examples")).values()]
    places = [declared.get("example"), declared.get("x-example"), *named, schema.get("example")]
    for one in (declared, schema):
        places += [one.get("default"), *_values(one.get("enum"))]
    return next((one for one in places if one is not None), None)


def _list(declared: Any, key: str) -> Iterator[Mapping[str, Any]]:
    return (one for one in _values(_mapping(declared).get(key)) if isinstance(one, Mapping))


def _values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
