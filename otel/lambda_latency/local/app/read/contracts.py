"""Reads from a translated template what API Gateway checks of the requests of each route."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lambda_latency.local.cloud.service_routes import HTTP, REST, path_of
from lambda_latency.local.gateway.contract import Contract

ANY = "x-amazon-apigateway-any-method"
VALIDATOR, VALIDATORS = "x-amazon-apigateway-request-validator", "x-amazon-apigateway-request-validators"
SIGNED = "awsSigv4"
PLACES = {"query": "querystring", "header": "header", "path": "path"}


def contracts(plain: Mapping[str, Any], *, authorizers: bool) -> dict[str, Contract]:
    """The contracts of a translated template, by route (`GET /orders/{id}`); routes without any check are left out.

    Without `authorizers`, no request needs a signature.
    """
    resources: Mapping[str, Any] = plain["Resources"]
    keys = _keys(resources)
    found: dict[str, Contract] = {}
    for one in resources.values():
        kind, properties = one.get("Type"), _mapping(one.get("Properties"))
        if kind in (REST, HTTP):
            found |= _of_definition(_mapping(properties.get("Body")), keys, is_http=kind == HTTP)
        elif kind == "AWS::ApiGateway::Method":
            path = path_of(properties.get("ResourceId"), resources)
            found[f"{properties.get('HttpMethod')} {path}"] = _of_method(properties, resources, keys)
        elif kind == "AWS::ApiGatewayV2::Route" and properties.get("AuthorizationType") == "AWS_IAM":
            key = str(properties.get("RouteKey"))
            found["ANY $default" if key == "$default" else key] = Contract(is_http=True, signed=True)
    if not authorizers:
        found = {route: replace(one, signed=False) for route, one in found.items()}
    return {route: one for route, one in found.items() if one != Contract(one.is_http)}


def _complete(schema: Any, body: Mapping[str, Any]) -> Any:
    """A schema that can be used alone: with the definitions that its references name."""
    if not isinstance(schema, dict):
        return {}
    shared = {
        "definitions": body.get("definitions"),
        "components": {"schemas": _mapping(body.get("components")).get("schemas")},
    }
    return _draft4({**{name: one for name, one in shared.items() if f"#/{name}/" in json.dumps(body)}, **schema})


def _of_definition(body: Mapping[str, Any], keys: frozenset[str], *, is_http: bool) -> dict[str, Contract]:
    schemes = {
        **_mapping(body.get("securityDefinitions")),
        **_mapping(_mapping(body.get("components")).get("securitySchemes")),
    }
    is_asked = str(body.get("x-amazon-apigateway-api-key-source")).upper() != "AUTHORIZER"
    found = {}
    for path, methods in _mapping(body.get("paths")).items():
        for method, operation in _mapping(methods).items():
            if method == "parameters" or not isinstance(operation, Mapping):
                continue
            names = {str(name) for entry in _list(operation, "security") for name in entry}
            used = [_mapping(schemes.get(name)) for name in names]
            checked = {} if is_http else _validated(body, operation)
            shared = [*_list(methods, "parameters"), *_list(operation, "parameters")]
            name = "ANY $default" if path == "/$default" else f"{'ANY' if method == ANY else method.upper()} {path}"
            keyed = not is_http and is_asked and any(map(_is_key, used))
            found[name] = Contract(
                is_http,
                signed=any(one.get("x-amazon-apigateway-authtype") == SIGNED for one in used),
                keyed=keyed,
                keys=keys if keyed else frozenset(),
                models=_models(body, operation, shared) if checked.get("validateRequestBody") else {},
                required=tuple(_required(shared, body)) if checked.get("validateRequestParameters") else (),
            )
    return found


def _validated(body: Mapping[str, Any], operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """The validator of an operation, or that of all of them; empty without one."""
    name = operation.get(VALIDATOR) or body.get(VALIDATOR)
    return _mapping(_mapping(body.get(VALIDATORS)).get(str(name)))


def _is_key(scheme: Mapping[str, Any]) -> bool:
    named = str(scheme.get("name")).lower() == "x-api-key"
    return scheme.get("type") == "apiKey" and named and "x-amazon-apigateway-authorizer" not in scheme


def _models(
    body: Mapping[str, Any], operation: Mapping[str, Any], parameters: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    contents = _mapping(_mapping(operation.get("requestBody")).get("content"))
    schemas = {str(kind).lower(): _mapping(one).get("schema") for kind, one in contents.items()}
    written = [one.get("schema") for one in parameters if one.get("in") == "body"]
    consumed = [kind for kind in (operation.get("consumes") or body.get("consumes") or ()) if isinstance(kind, str)]
    schemas |= {kind.lower(): one for kind in consumed or ("application/json",) for one in written}
    return {kind: _complete(one, body) for kind, one in schemas.items() if isinstance(one, dict)}


def _required(parameters: Sequence[Mapping[str, Any]], body: Mapping[str, Any]) -> Iterator[str]:
    shared = {
        **{f"#/parameters/{name}": one for name, one in _mapping(body.get("parameters")).items()},
        **{
            f"#/components/parameters/{name}": one
            for name, one in _mapping(_mapping(body.get("components")).get("parameters")).items()
        },
    }
    for one in parameters:
        declared = _mapping(shared.get(str(one.get("$ref")), one))
        if declared.get("required") is True and declared.get("in") in PLACES:
            yield f"{PLACES[declared['in']]}.{declared.get('name')}"


def _of_method(properties: Mapping[str, Any], resources: Mapping[str, Any], keys: frozenset[str]) -> Contract:
    """The contract of CloudFormation's own method of a REST API."""
    validator = _mapping(_mapping(_resource(properties.get("RequestValidatorId"), resources)).get("Properties"))
    models = {
        str(kind).lower(): _draft4(_schema(_resource(one, resources)))
        for kind, one in _mapping(properties.get("RequestModels")).items()
    }
    required = [
        str(name).removeprefix("method.request.")
        for name, needed in _mapping(properties.get("RequestParameters")).items()
        if _is_true(needed)
    ]
    keyed = _is_true(properties.get("ApiKeyRequired"))
    return Contract(
        signed=properties.get("AuthorizationType") == "AWS_IAM",
        keyed=keyed,
        keys=keys if keyed else frozenset(),
        models=models if _is_true(validator.get("ValidateRequestBody")) else {},
        required=tuple(required) if _is_true(validator.get("ValidateRequestParameters")) else (),
    )


def _schema(model: Any) -> Any:
    schema = _mapping(_mapping(model).get("Properties")).get("Schema")
    if isinstance(schema, str):
        try:
            return json.loads(schema)
        except ValueError:
            return {}
    return schema or {}


def _resource(value: Any, resources: Mapping[str, Any]) -> Any:
    """The resource that a `Ref` names; that of a plain name is the model of that name."""
    if isinstance(value, Mapping):
        return resources.get(str(value.get("Ref")))
    return next((one for one in resources.values() if _mapping(one.get("Properties")).get("Name") == value), None)


def _keys(resources: Mapping[str, Any]) -> frozenset[str]:
    """The values of the template's API keys; empty if AWS makes a value for one of them."""
    made = [
        _mapping(one.get("Properties")) for one in resources.values() if one.get("Type") == "AWS::ApiGateway::ApiKey"
    ]
    values = [one.get("Value") for one in made]
    return frozenset(map(str, values)) if all(isinstance(value, str) for value in values) else frozenset()


def _draft4(schema: Any) -> Any:
    """A schema in which a value that may be null says so as draft 4 does."""
    if isinstance(schema, list):
        return [_draft4(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _draft4(one) for name, one in schema.items() if one is not None}
    if made.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


def _list(declared: Any, key: str) -> list[Mapping[str, Any]]:
    value = _mapping(declared).get(key)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
