"""The routes of an app's APIs that the emulator's API Gateway serves: those that call an AWS service without a
function, and those that call a function with mapping templates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambda_latency.local.app.read.definitions import (
    AUTHORIZER,
    HTTP,
    INTEGRATION,
    REST,
    ApiOperation,
    Fields,
    mapping,
    of_type,
    operations,
    properties,
    schemes,
)
from lambda_latency.local.cloud.ministack_mapping import unknown_references

METHOD, ROUTE = "AWS::ApiGateway::Method", "AWS::ApiGatewayV2::Route"
ACTION = re.compile(r"apigateway:(?:\$\{[^}]*\}|[^:$])*:([\w-]+):(?:action|path)/([^\"]*)")
SERVICES = ("dynamodb", "events", "kinesis", "s3", "sns", "sqs", "states")  # of REST APIs
UNKNOWN = "its function cannot be read from the template"  # of a route with a function, if samcli reads none
SUBTYPES = (  # of HTTP APIs
    "EventBridge-PutEvents",
    "Kinesis-PutRecord",
    "SQS-DeleteMessage",
    "SQS-PurgeQueue",
    "SQS-ReceiveMessage",
    "SQS-SendMessage",
    "StepFunctions-StartExecution",
    "StepFunctions-StartSyncExecution",
    "StepFunctions-StopExecution",
)


@dataclass(frozen=True, slots=True)
class Direct:
    """A route (`POST /orders`) of the API with this logical id. `why` says why it is not served here, or is empty."""

    route: str
    api: str
    is_http: bool
    why: str = ""

    def is_among(self, routes: Collection[str]) -> bool:
        """Return whether a gateway with these routes has it; `ANY` is one route for each method there."""
        path = self.route.removeprefix("ANY ")
        return self.route in routes or (path[0] in "/$" and f"GET {path}" in routes)

    def matches(self, method: str, path: str) -> bool:
        """Return whether a request is for this route."""
        return self.route == "$default" or leads(self.route, method, path)


def leads(route: str, method: str, path: str) -> bool:
    """Return whether a route with a path (`GET /orders/{id}`) is that of a request."""
    route_method, _, pattern = route.partition(" ")
    whole = ""
    for part in re.split(r"(\{[^}]+\})", pattern):
        parameter = ".+" if "+" in part else "[^/]+"
        whole += parameter if part.startswith("{") else re.escape(part)
    return route_method in (method, "ANY") and re.fullmatch(whole, path) is not None


def direct_routes(plain: Fields) -> list[Direct]:
    """Such routes of a translated template, in its order; and those of functions, with `UNKNOWN` as their `why`."""
    resources: Fields = plain["Resources"]
    routes: list[Direct] = []
    for name, declared in of_type(resources, REST, HTTP, ROUTE, METHOD):
        kind = resources[name]["Type"]
        if kind == METHOD:
            route = f"{declared.get('HttpMethod')} {path_of(declared.get('ResourceId'), resources)}"
            api = _referred(declared.get("RestApiId"))
            integration = mapping(declared.get("Integration")).items()
            as_defined = {name[0].lower() + name[1:]: value for name, value in integration}
            routes += _of_integration(route, api, as_defined)
        elif kind != ROUTE:
            routes += _of_definition(name, kind == HTTP, declared.get("Body"))
        elif subtype := _integration(declared, resources).get("IntegrationSubtype"):
            api = _referred(declared.get("ApiId"))
            routes.append(Direct(str(declared.get("RouteKey")), api, True, _subtype(subtype)))
    return routes


def expanded(plain: Fields, *, authorizers: bool) -> dict[str, Any]:
    """Return the template with resources for such routes of HTTP APIs' definitions, which the emulator does not read.

    Routes with a JWT authorizer have none, because the gateway checks the tokens.
    """
    added: dict[str, Any] = {}
    for name, declared in of_type(plain["Resources"], HTTP):
        body = declared.get("Body")
        for number, (route, operation, integration) in enumerate(_operations(body)):
            if not integration.get("integrationSubtype"):
                continue
            start = f"{name}Direct{number}"
            api = {"ApiId": {"Ref": name}}
            added[start] = {
                "Type": "AWS::ApiGatewayV2::Integration",
                "Properties": {
                    **api,
                    "IntegrationType": "AWS_PROXY",
                    "IntegrationSubtype": integration["integrationSubtype"],
                    "PayloadFormatVersion": "1.0",
                    "RequestParameters": integration.get("requestParameters") or {},
                },
            }
            target = {"Fn::Join": ["/", ["integrations", {"Ref": start}]]}
            route_properties = {**api, "RouteKey": route, "Target": target}
            authorizer = _lambda_authorizer(body, operation) if authorizers else None
            if authorizer is not None:
                added[f"{start}Authorizer"] = {
                    "Type": "AWS::ApiGatewayV2::Authorizer",
                    "Properties": {**api, **authorizer},
                }
                route_properties |= {"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": f"{start}Authorizer"}}
            added[f"{start}Route"] = {"Type": "AWS::ApiGatewayV2::Route", "Properties": route_properties}
    return {**plain, "Resources": {**plain["Resources"], **added}}


def _operations(body: Any) -> Iterator[tuple[str, ApiOperation, Fields]]:
    """Yield the routes of a definition, each with its operation and its integration."""
    for operation in operations(body):
        integration = operation.content.get(INTEGRATION)
        if isinstance(integration, Mapping):
            yield "$default" if operation.path == "/$default" else operation.route, operation, integration


def _of_definition(api: str, is_http: bool, body: Any) -> Iterator[Direct]:
    for route, _, integration in _operations(body):
        if integration.get("integrationSubtype"):
            yield Direct(route, api, is_http, _subtype(integration["integrationSubtype"]))
        else:
            yield from _of_integration(route, api, integration)


def _of_integration(route: str, api: str, integration: Fields) -> Iterator[Direct]:
    """Yield the route of an integration with an address of API Gateway, if it has one."""
    uri = json.dumps(integration.get("uri"), default=str)
    action = ACTION.search(uri) or ACTION.search(_joined(integration.get("uri")))
    if action is None:
        return
    if action[1] == "lambda" and str(integration.get("type")).upper() != "AWS":
        yield Direct(route, api, False, UNKNOWN)
        return
    why = ""
    if action[1] not in (*SERVICES, "lambda"):
        why = f"API Gateway calls {action[1]} ({action[2]}) without a function"
    for template in (integration.get("requestTemplates") or {}).values():
        if unknown := unknown_references(str(template)):
            why = why or f"its mapping template has {unknown[0]}, which is not evaluated"
    yield Direct(route, api, False, why)


def _subtype(subtype: Any) -> str:
    return "" if subtype in SUBTYPES else f"API Gateway calls {subtype} without a function"


def _lambda_authorizer(body: Any, operation: ApiOperation) -> dict[str, Any] | None:
    """Return the properties of the Lambda authorizer of an HTTP API's operation; None if it has none."""
    by_name = schemes(body)
    for name in [name for requirement in operation.security for name in requirement]:
        authorizer = mapping(by_name.get(name, {}).get(AUTHORIZER))
        if authorizer.get("type") == "request":
            source = authorizer.get("identitySource") or []
            return {
                "AuthorizerType": "REQUEST",
                "Name": name,
                "AuthorizerUri": authorizer.get("authorizerUri"),
                "IdentitySource": [part.strip() for part in source.split(",")] if isinstance(source, str) else source,
                "AuthorizerPayloadFormatVersion": str(authorizer.get("authorizerPayloadFormatVersion", "2.0")),
                "EnableSimpleResponses": authorizer.get("enableSimpleResponses", False),
                "AuthorizerResultTtlInSeconds": authorizer.get("authorizerResultTtlInSeconds", 0),
            }
    return None


def _integration(route: Fields, resources: Fields) -> Fields:
    """Return the properties of a route's integration; empty if the route's target does not name it."""
    target = json.dumps(route.get("Target"), default=str)
    for name, declared in of_type(resources, "AWS::ApiGatewayV2::Integration"):
        if re.search(rf'"{name}"|\$\{{{name}\}}', target):
            return declared
    return {}


def path_of(resource: Any, resources: Fields) -> str:
    """Return the path of a REST API's resource, from its id."""
    parts: list[str] = []
    while isinstance(resource, dict) and "Ref" in resource:
        declared = properties(resources.get(resource["Ref"]))
        parts.append(str(declared.get("PathPart")))
        resource = declared.get("ParentId")
    return "/" + "/".join(reversed(parts))


def _joined(value: Any) -> str:
    """Return the text of an `Fn::Join`, with a placeholder for each value that only the emulator knows."""
    pair: Sequence[Any] = value["Fn::Join"] if isinstance(value, dict) and "Fn::Join" in value else ("", [])
    parts = pair[1] if isinstance(pair[1], list) else []
    return str(pair[0]).join(_text(part) for part in parts)


def _text(value: Any) -> str:
    if isinstance(value, dict) and "Fn::Sub" in value:
        value = value["Fn::Sub"]
    return value if isinstance(value, str) else "${value}"


def _referred(value: Any) -> str:
    return str(value.get("Ref", "")) if isinstance(value, dict) else str(value)
