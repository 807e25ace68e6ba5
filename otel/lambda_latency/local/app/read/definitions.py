"""The OpenAPI definitions of APIs: their operations, security schemes and examples; and the parts of a template."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

AUTHORIZER, INTEGRATION = "x-amazon-apigateway-authorizer", "x-amazon-apigateway-integration"
ANY = "x-amazon-apigateway-any-method"
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", ANY)
REST, HTTP = "AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"
Fields = Mapping[str, Any]  # an object of a template, a definition or an event


@dataclass(frozen=True, slots=True)
class ApiOperation:
    """An operation of a definition. `shared` has what all operations of its path share, `content` its own."""

    path: str
    method: str
    shared: Fields
    content: Fields

    @property
    def route(self) -> str:
        """`GET /orders`."""
        return f"{'ANY' if self.method == ANY else self.method.upper()} {self.path}"

    @property
    def parameters(self) -> list[Fields]:
        """The parameters of its path, then its own."""
        return [*mappings(self.shared.get("parameters")), *mappings(self.content.get("parameters"))]


def operations(body: Any) -> Iterator[ApiOperation]:
    """Yield the operations of a definition, in its order."""
    for path, methods in mapping(mapping(body).get("paths")).items():
        for method, content in mapping(methods).items():
            if path[:1] in ("/", "$") and method.lower() in METHODS and isinstance(content, Mapping):
                yield ApiOperation(path, method, methods, content)


def schemes(body: Any) -> dict[str, Fields]:
    """Return the security schemes of a definition, by name: of Swagger 2 and of OpenAPI 3."""
    named = mapping(mapping(body).get("securityDefinitions"))
    components = mapping(mapping(body).get("components"))
    named = {**named, **mapping(components.get("securitySchemes"))}
    return {name: mapping(scheme) for name, scheme in named.items()}


def of_type(resources: Fields, *kinds: str) -> Iterator[tuple[str, Fields]]:
    """Yield the logical ids and the properties of the resources of these types."""
    for key, resource in resources.items():
        if resource.get("Type") in kinds:
            yield key, properties(resource)


def properties(resource: Any) -> Fields:
    """Return the properties of a resource; empty without any."""
    return mapping(mapping(resource).get("Properties"))


def mapping(value: Any) -> Fields:
    """Return a mapping; an empty one for any other value."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: Any) -> list[Fields]:
    """Return the mappings of a list; none for any other value."""
    return [part for part in value if isinstance(part, Mapping)] if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class RouteExample:
    """Example values of a route: of path parameters by name, and a body, which is empty without an example."""

    values: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


def samples(body: Any) -> dict[str, RouteExample]:
    """The samples of a definition, by route (`GET /orders/{id}`)."""
    return {operation.route: _sample(operation) for operation in operations(body)}


def _sample(operation: ApiOperation) -> RouteExample:
    parameters = operation.parameters
    values = {str(p.get("name")): _example(p) for p in parameters if p.get("in") == "path"}
    bodies = [p for p in parameters if p.get("in") == "body"]  # Swagger 2
    bodies += map(mapping, mapping(mapping(operation.content.get("requestBody")).get("content")).values())
    body = next((example for example in map(_example, bodies) if example is not None), "")
    return RouteExample(
        {name: str(value) for name, value in values.items() if isinstance(value, str | int | float)},
        body if isinstance(body, str) else json.dumps(body, default=str),
    )


def _example(declared: Fields) -> Any:
    """The first example of a parameter or a body, else its default, else its first allowed value; None without any."""
    schema = mapping(declared.get("schema"))
    named = [mapping(example).get("value") for example in mapping(declared.get("examples")).values()]
    candidates = [declared.get("example"), declared.get("x-example"), *named, schema.get("example")]
    for holder in (declared, schema):
        allowed = holder.get("enum")
        candidates += [holder.get("default"), *(allowed if isinstance(allowed, list) else ())]
    return next((candidate for candidate in candidates if candidate is not None), None)
