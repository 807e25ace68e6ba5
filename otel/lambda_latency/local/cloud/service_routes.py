"""The routes of an app's APIs that the emulator's API Gateway serves: those that call an AWS service without a
function, and those that call a function with mapping templates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambda_latency.local.cloud.ministack_mapping import unknown_references

REST, HTTP = "AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"
INTEGRATION, AUTHORIZER = "x-amazon-apigateway-integration", "x-amazon-apigateway-authorizer"
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
        """Whether a gateway with these routes has it; `ANY` is one route for each method there."""
        path = self.route.removeprefix("ANY ")
        return self.route in routes or (path[0] in "/$" and f"GET {path}" in routes)

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is for this route."""
        known, _, pattern = self.route.partition(" ")
        if self.route == "$default":
            return True
        parts = re.split(r"(\{[^}]+\})", pattern)
        whole = "".join((".+" if "+" in one else "[^/]+") if one.startswith("{") else re.escape(one) for one in parts)
        return known in (method, "ANY") and re.fullmatch(whole, path) is not None


def direct_routes(plain: Mapping[str, Any]) -> list[Direct]:
    """Such routes of a translated template, in its order; and those of functions, with `UNKNOWN` as their `why`."""
    resources: Mapping[str, Any] = plain["Resources"]
    found: list[Direct] = []
    for name, resource in resources.items():
        kind, properties = resource.get("Type"), resource.get("Properties") or {}
        if kind in (REST, HTTP):
            found += _of_definition(name, kind == HTTP, properties.get("Body"))
        elif kind == "AWS::ApiGatewayV2::Route":
            integration = _integration(properties, resources)
            if integration.get("IntegrationSubtype"):
                key, api = str(properties.get("RouteKey")), _referred(properties.get("ApiId"))
                found.append(Direct(key, api, True, _subtype(integration["IntegrationSubtype"])))
        elif kind == "AWS::ApiGateway::Method":
            route = f"{properties.get('HttpMethod')} {path_of(properties.get('ResourceId'), resources)}"
            api = _referred(properties.get("RestApiId"))
            found += _of_integration(route, api, _lowered(properties.get("Integration")))
    return found


def expanded(plain: Mapping[str, Any], *, authorizers: bool) -> dict[str, Any]:
    """The template with resources for such routes of HTTP APIs' definitions, which the emulator does not read.

    Routes with a JWT authorizer have none, because the gateway checks the tokens.
    """
    made: dict[str, Any] = {}
    for name, resource in plain["Resources"].items():
        body = (resource.get("Properties") or {}).get("Body") if resource.get("Type") == HTTP else None
        for number, (route, operation, integration) in enumerate(_operations(body)):
            if not integration.get("integrationSubtype"):
                continue
            start = f"{name}Direct{number}"
            api = {"ApiId": {"Ref": name}}
            made[start] = {
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
            properties = {**api, "RouteKey": route, "Target": target}
            authorizer = _lambda_authorizer(body, operation) if authorizers else None
            if authorizer is not None:
                made[f"{start}Authorizer"] = {
                    "Type": "AWS::ApiGatewayV2::Authorizer",
                    "Properties": {**api, **authorizer},
                }
                properties |= {"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": f"{start}Authorizer"}}
            made[f"{start}Route"] = {"Type": "AWS::ApiGatewayV2::Route", "Properties": properties}
    return {**plain, "Resources": {**plain["Resources"], **made}}


def _operations(body: Any) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """The routes of a definition, each with its operation and its integration."""
    paths = body.get("paths") if isinstance(body, dict) else None
    for path, methods in paths.items() if isinstance(paths, dict) else ():
        for method, one in methods.items() if isinstance(methods, dict) else ():
            integration = one.get(INTEGRATION) if isinstance(one, dict) else None
            if isinstance(integration, dict):
                named = f"{'ANY' if method.startswith('x-') else method.upper()} {path}"
                yield "$default" if path == "/$default" else named, one, integration


def _of_definition(api: str, is_http: bool, body: Any) -> Iterator[Direct]:
    for route, _, integration in _operations(body):
        if integration.get("integrationSubtype"):
            yield Direct(route, api, is_http, _subtype(integration["integrationSubtype"]))
        else:
            yield from _of_integration(route, api, integration)


def _of_integration(route: str, api: str, integration: Mapping[str, Any]) -> Iterator[Direct]:
    """The route of an integration with an address of API Gateway, if it has one."""
    uri = json.dumps(integration.get("uri"), default=str)
    action = ACTION.search(uri) or ACTION.search(_joined(integration.get("uri")))
    if action is None:
        return
    if action[1] == "lambda" and str(integration.get("type")).upper() != "AWS":
        yield Direct(route, api, False, UNKNOWN)
        return
    why = (
        "" if action[1] in (*SERVICES, "lambda") else f"API Gateway calls {action[1]} ({action[2]}) without a function"
    )
    for template in (integration.get("requestTemplates") or {}).values():
        if unknown := unknown_references(str(template)):
            why = why or f"its mapping template has {unknown[0]}, which is not evaluated"
    yield Direct(route, api, False, why)


def _subtype(subtype: Any) -> str:
    return "" if subtype in SUBTYPES else f"API Gateway calls {subtype} without a function"


def _lambda_authorizer(body: Any, operation: Mapping[str, Any]) -> dict[str, Any] | None:
    """The properties of the Lambda authorizer of an HTTP API's operation; None if it has none."""
    schemes = (body.get("components") or {}).get("securitySchemes") or {}
    for entry in operation.get("security") or ():
        for name in entry:
            made = (schemes.get(name) or {}).get(AUTHORIZER) or {}
            if made.get("type") == "request":
                source = made.get("identitySource") or []
                return {
                    "AuthorizerType": "REQUEST",
                    "Name": name,
                    "AuthorizerUri": made.get("authorizerUri"),
                    "IdentitySource": [one.strip() for one in source.split(",")] if isinstance(source, str) else source,
                    "AuthorizerPayloadFormatVersion": str(made.get("authorizerPayloadFormatVersion", "2.0")),
                    "EnableSimpleResponses": made.get("enableSimpleResponses", False),
                    "AuthorizerResultTtlInSeconds": made.get("authorizerResultTtlInSeconds", 0),
                }
    return None


def _integration(route: Mapping[str, Any], resources: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties of a route's integration; empty if the route's target does not name it."""
    target = json.dumps(route.get("Target"), default=str)
    for name, one in resources.items():
        named = re.search(rf'"{name}"|\$\{{{name}\}}', target)
        if one.get("Type") == "AWS::ApiGatewayV2::Integration" and named:
            return one.get("Properties") or {}
    return {}


def path_of(resource: Any, resources: Mapping[str, Any]) -> str:
    """The path of a REST API's resource, from its id."""
    parts: list[str] = []
    while isinstance(resource, dict) and "Ref" in resource:
        properties = resources.get(resource["Ref"], {}).get("Properties") or {}
        parts.append(str(properties.get("PathPart")))
        resource = properties.get("ParentId")
    return "/" + "/".join(reversed(parts))


def _joined(value: Any) -> str:
    """The text of an `Fn::Join`, with a placeholder for each value that only the emulator knows."""
    pair: Sequence[Any] = value["Fn::Join"] if isinstance(value, dict) and "Fn::Join" in value else ("", [])
    parts = pair[1] if isinstance(pair[1], list) else []
    return str(pair[0]).join(_text(one) for one in parts)


def _text(value: Any) -> str:
    if isinstance(value, dict) and "Fn::Sub" in value:
        value = value["Fn::Sub"]
    return value if isinstance(value, str) else "${value}"


def _lowered(properties: Any) -> Mapping[str, Any]:
    """An integration's properties as in a definition."""
    given = properties if isinstance(properties, dict) else {}
    return {name[0].lower() + name[1:]: value for name, value in given.items()}


def _referred(value: Any) -> str:
    return str(value.get("Ref", "")) if isinstance(value, dict) else str(value)
