"""The OpenAPI definitions of APIs: their operations, authorizers and examples, and definitions that samcli can read.

samcli reads at most one authorizer for each operation, and only functions. API keys, signatures and token authorizers
are checked by the gateway (`contracts`, `tokens`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

BODIES = {
    "AWS::Serverless::Api": "DefinitionBody",
    "AWS::Serverless::HttpApi": "DefinitionBody",
    "AWS::ApiGateway::RestApi": "Body",
    "AWS::ApiGatewayV2::Api": "Body",
}
AUTHORIZER, INTEGRATION = "x-amazon-apigateway-authorizer", "x-amazon-apigateway-integration"
ANY = "x-amazon-apigateway-any-method"
REST, HTTP = "AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"
LAMBDA = ("token", "request")  # the types of authorizers that are functions

# Of an operation: the API's logical id, the path and the method, as written
Key = tuple[str, str, str]
Fields = Mapping[str, Any]  # an object of a template, a definition or an event
HEADER = re.compile(r"request\.header\.([\w-]+)")


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

    @property
    def security(self) -> list[Fields]:
        """The requirements: the scopes of each authorizer, by its name."""
        return mappings(self.content.get("security"))


def operations(body: Any) -> Iterator[ApiOperation]:
    """Yield the operations of a definition, in its order."""
    for path, methods in mapping(mapping(body).get("paths")).items():
        for method, content in mapping(methods).items():
            if isinstance(content, Mapping):
                yield ApiOperation(path, method, methods, content)


def schemes(body: Any) -> dict[str, Fields]:
    """Return the security schemes of a definition, by name: of Swagger 2 and of OpenAPI 3."""
    named = mapping(mapping(body).get("securityDefinitions"))
    components = mapping(mapping(body).get("components"))
    named = {**named, **mapping(components.get("securitySchemes"))}
    return {name: mapping(scheme) for name, scheme in named.items()}


def readable(resources: Fields) -> dict[str, Any]:
    """Return the resources with readable definitions."""
    return {key: _with_body(resource, _readable) for key, resource in resources.items()}


def integrated(resources: Fields) -> dict[Key, str]:
    """Return the routes of the operations of all definitions that have an integration."""
    return {
        (key, operation.path, operation.method): operation.route
        for key, resource in resources.items()
        for operation in operations(_body(resource))
        if INTEGRATION in operation.content
    }


def without(resources: Fields, left_out: Collection[Key]) -> dict[str, Any]:
    """Return the resources without some operations."""

    def changed(key: str, body: Fields) -> dict[str, Any]:
        paths = {}
        for path, methods in mapping(body.get("paths")).items():
            paths[path] = {name: part for name, part in mapping(methods).items() if (key, path, name) not in left_out}
        return {**body, "paths": paths}

    return {key: _with_body(resource, partial(changed, key)) for key, resource in resources.items()}


def _readable(body: Fields) -> dict[str, Any]:
    functions = {name: scheme for name, scheme in schemes(body).items() if _is_function(scheme)}
    paths = mapping(body.get("paths")).items()
    made = {**body, "paths": {path: _readable_path(methods, functions) for path, methods in paths}}
    if "securityDefinitions" in body:
        made["securityDefinitions"] = functions
    components = mapping(body.get("components"))
    if "securitySchemes" in components:
        made["components"] = {**components, "securitySchemes": functions}
    made.pop("security", None)
    root = _required(body.get("security"), functions)
    return {**made, "security": root} if root and "openapi" in body else made


def _readable_path(methods: Any, functions: Fields) -> Any:
    if not isinstance(methods, Mapping):
        return methods
    made = dict(methods)
    for method, content in methods.items():
        if isinstance(content, Mapping) and isinstance(content.get("security"), list):
            made[method] = {**content, "security": _required(content["security"], functions)}
    return made


def _required(security: Any, functions: Fields) -> list[dict[str, Any]]:
    """Return the first authorizer in a list of requirements that is a function, as a list of requirements."""
    names = [name for entry in mappings(security) for name in entry if name in functions]
    return [{name: []} for name in names[:1]]


def _is_function(scheme: Fields) -> bool:
    return str(mapping(scheme.get(AUTHORIZER)).get("type")).lower() in LAMBDA


def _with_body(resource: Any, changed: Callable[[Fields], dict[str, Any]]) -> Any:
    body = _body(resource)
    if not isinstance(body, Mapping):
        return resource
    key = BODIES[resource["Type"]]
    return {**resource, "Properties": {**resource["Properties"], key: changed(body)}}


def _body(resource: Any) -> Any:
    key = BODIES.get(str(mapping(resource).get("Type")))
    return properties(resource).get(key) if key else None


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
    """Example values of a route: of path parameters by name, a body, which is empty without an example, and the headers
    without which API Gateway does not call the route's Lambda authorizer.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    headers: tuple[str, ...] = ()


def samples(plain: Fields) -> dict[str, RouteExample]:
    """The samples of a translated template, by route (`GET /orders/{id}`); routes without an example are left out."""
    by_route = {}
    for _, api in of_type(plain["Resources"], REST, HTTP):
        body = api.get("Body")
        identities = {name: _identity(scheme) for name, scheme in schemes(body).items()}
        for operation in operations(body):
            names = [name for requirement in operation.security for name in requirement]
            headers = [header for name in names for header in identities.get(name, ())]
            sample = _sample(operation, tuple(headers))
            if sample != RouteExample():
                by_route[operation.route] = sample
    return by_route


def _identity(scheme: Fields) -> list[str]:
    """Return the headers in the identity source of a Lambda authorizer; none for another scheme."""
    authorizer = mapping(scheme.get(AUTHORIZER))
    if authorizer.get("type") == "token":
        return [str(scheme.get("name") or "Authorization")]
    if authorizer.get("type") == "request":
        return HEADER.findall(json.dumps(authorizer.get("identitySource")))
    return []


def _sample(operation: ApiOperation, headers: tuple[str, ...]) -> RouteExample:
    parameters = operation.parameters
    values = {str(p.get("name")): _example(p) for p in parameters if p.get("in") == "path"}
    bodies = [p for p in parameters if p.get("in") == "body"]  # Swagger 2
    bodies += map(mapping, mapping(mapping(operation.content.get("requestBody")).get("content")).values())
    body = next((example for example in map(_example, bodies) if example is not None), "")
    return RouteExample(
        {name: str(value) for name, value in values.items() if isinstance(value, str | int | float)},
        body if isinstance(body, str) else json.dumps(body, default=str),
        headers,
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
