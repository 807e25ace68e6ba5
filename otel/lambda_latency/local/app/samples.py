"""Example values of routes, from the OpenAPI definitions in a template."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Sample", "samples"]

KINDS = ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")


@dataclass(frozen=True, slots=True)
class Sample:
    """Example values of a route: of path parameters by name, and a body, which is empty without an example."""

    values: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


def samples(plain: Mapping[str, Any]) -> dict[str, Sample]:
    """The samples of a translated template, by route (`GET /orders/{id}`); routes without an example are left out."""
    found = {}
    for resource in plain["Resources"].values():
        body = (resource.get("Properties") or {}).get("Body") if resource.get("Type") in KINDS else None
        for path, methods in _mapping(_mapping(body).get("paths")).items():
            for method, operation in _mapping(methods).items():
                sample = _sample([*_list(methods, "parameters"), *_list(operation, "parameters")], _mapping(operation))
                if sample != Sample():
                    found[f"{method.upper()} {path}"] = sample
    return found


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
