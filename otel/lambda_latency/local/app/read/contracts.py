"""Reads from a translated template what API Gateway checks of the requests of each route."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from lambda_latency.local.app.read.definitions import (
    HTTP,
    REST,
    ApiOperation,
    Fields,
    mapping,
    of_type,
    operations,
    properties,
    schemes,
)
from lambda_latency.local.cloud.service_routes import METHOD, ROUTE, path_of
from lambda_latency.local.gateway.contract import Contract

VALIDATOR, VALIDATORS = "x-amazon-apigateway-request-validator", "x-amazon-apigateway-request-validators"
SIGNED = "awsSigv4"
PLACES = {"query": "querystring", "header": "header", "path": "path"}


def contracts(plain: Fields, *, authorizers: bool) -> dict[str, Contract]:
    """The contracts of a template by route (`GET /orders/{id}`), without empty ones; signed only with `authorizers`."""
    resources: Fields = plain["Resources"]
    keys = _keys(resources)
    checks: dict[str, Contract] = {}
    for name, declared in of_type(resources, REST, HTTP, METHOD, ROUTE):
        kind = resources[name]["Type"]
        if kind == METHOD:
            path = path_of(declared.get("ResourceId"), resources)
            checks[f"{declared.get('HttpMethod')} {path}"] = _of_method(declared, resources, keys)
        elif kind != ROUTE:
            checks |= _of_definition(mapping(declared.get("Body")), keys, is_http=kind == HTTP)
        elif declared.get("AuthorizationType") == "AWS_IAM":
            key = str(declared.get("RouteKey"))
            checks["ANY $default" if key == "$default" else key] = Contract(is_http=True, signed=True)
    if not authorizers:
        checks = {route: replace(contract, signed=False) for route, contract in checks.items()}
    return {route: c for route, c in checks.items() if c != Contract(c.is_http)}


def _complete(schema: dict[str, Any], body: Fields) -> Any:
    """Return a schema that can be used alone: with the definitions that its references name."""
    definitions = {
        "definitions": body.get("definitions"),
        "components": {"schemas": mapping(body.get("components")).get("schemas")},
    }
    text = json.dumps(body)
    referred = {name: d for name, d in definitions.items() if f"#/{name}/" in text}
    return _draft4({**referred, **schema})


def _of_definition(body: Fields, keys: frozenset[str], *, is_http: bool) -> dict[str, Contract]:
    checks = {}
    for operation in operations(body):
        route = "ANY $default" if operation.path == "/$default" else operation.route
        checks[route] = _of_operation(operation, body, keys, is_http=is_http)
    return checks


def _of_operation(operation: ApiOperation, body: Fields, keys: frozenset[str], *, is_http: bool) -> Contract:
    by_name = schemes(body)
    names = {str(name) for requirement in operation.security for name in requirement}
    used = [by_name.get(name, {}) for name in names]
    validator = operation.content.get(VALIDATOR) or body.get(VALIDATOR)
    checked = {} if is_http else mapping(mapping(body.get(VALIDATORS)).get(str(validator)))
    key_in_header = str(body.get("x-amazon-apigateway-api-key-source")).upper() != "AUTHORIZER"
    keyed = not is_http and key_in_header and any(map(_is_key, used))
    return Contract(
        is_http,
        signed=any(scheme.get("x-amazon-apigateway-authtype") == SIGNED for scheme in used),
        keyed=keyed,
        keys=keys if keyed else frozenset(),
        models=_models(body, operation) if checked.get("validateRequestBody") else {},
        required=tuple(_required(operation, body)) if checked.get("validateRequestParameters") else (),
    )


def _is_key(scheme: Fields) -> bool:
    named = str(scheme.get("name")).lower() == "x-api-key"
    return scheme.get("type") == "apiKey" and named and "x-amazon-apigateway-authorizer" not in scheme


def _models(body: Fields, operation: ApiOperation) -> dict[str, Any]:
    """Return the schemas of an operation's body, by content type."""
    contents = mapping(mapping(operation.content.get("requestBody")).get("content"))
    schemas = {str(kind).lower(): mapping(content).get("schema") for kind, content in contents.items()}
    for parameter in operation.parameters:
        if parameter.get("in") == "body":
            schemas |= dict.fromkeys(_consumed(operation, body), parameter.get("schema"))
    return {kind: _complete(schema, body) for kind, schema in schemas.items() if isinstance(schema, dict)}


def _consumed(operation: ApiOperation, body: Fields) -> list[str]:
    """Return the content types of a request's body, of Swagger 2."""
    consumed = operation.content.get("consumes") or body.get("consumes") or ()
    return [kind.lower() for kind in consumed if isinstance(kind, str)] or ["application/json"]


def _required(operation: ApiOperation, body: Fields) -> Iterator[str]:
    components = mapping(body.get("components"))
    shared = {f"#/parameters/{name}": declared for name, declared in mapping(body.get("parameters")).items()}
    for name, declared in mapping(components.get("parameters")).items():
        shared[f"#/components/parameters/{name}"] = declared
    for parameter in operation.parameters:
        declared = mapping(shared.get(str(parameter.get("$ref")), parameter))
        if declared.get("required") is True and declared.get("in") in PLACES:
            yield f"{PLACES[declared['in']]}.{declared.get('name')}"


def _of_method(declared: Fields, resources: Fields, keys: frozenset[str]) -> Contract:
    """Return the contract of CloudFormation's own method of a REST API."""
    validator = properties(_resource(declared.get("RequestValidatorId"), resources))
    models = {}
    for kind, model in mapping(declared.get("RequestModels")).items():
        models[str(kind).lower()] = _draft4(_schema(_resource(model, resources)))
    parameters = mapping(declared.get("RequestParameters")).items()
    required = [str(name).removeprefix("method.request.") for name, needed in parameters if _is_true(needed)]
    keyed = _is_true(declared.get("ApiKeyRequired"))
    return Contract(
        signed=declared.get("AuthorizationType") == "AWS_IAM",
        keyed=keyed,
        keys=keys if keyed else frozenset(),
        models=models if _is_true(validator.get("ValidateRequestBody")) else {},
        required=tuple(required) if _is_true(validator.get("ValidateRequestParameters")) else (),
    )


def _schema(model: Any) -> Any:
    schema = properties(model).get("Schema")
    if isinstance(schema, str):
        try:
            return json.loads(schema)
        except ValueError:
            return {}
    return schema or {}


def _resource(value: Any, resources: Fields) -> Any:
    """Return the resource that a `Ref` names; that of a plain name is the model of that name."""
    if isinstance(value, Mapping):
        return resources.get(str(value.get("Ref")))
    return next((r for r in resources.values() if properties(r).get("Name") == value), None)


def _keys(resources: Fields) -> frozenset[str]:
    """Return the values of the template's API keys; empty if AWS makes a value for one of them."""
    values = [key.get("Value") for _, key in of_type(resources, "AWS::ApiGateway::ApiKey")]
    return frozenset(map(str, values)) if all(isinstance(value, str) for value in values) else frozenset()


def _draft4(schema: Any) -> Any:
    """Return a schema in which a value that may be null says so as draft 4 does."""
    if isinstance(schema, list):
        return [_draft4(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {name: _draft4(part) for name, part in schema.items() if part is not None}
    if changed.get("nullable") is True and isinstance(changed.get("type"), str):
        changed["type"] = [changed["type"], "null"]
    return changed


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"
