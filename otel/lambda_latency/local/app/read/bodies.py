"""Turns the OpenAPI definitions of APIs (`Body`) into CloudFormation's own resources, which ministack enforces.

ministack 1.5.33 imports a REST API's `Body` without validators, models, parameters, mapping templates and gateway
responses, and an HTTP API's not at all.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
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

GATEWAY = "x-amazon-apigateway-"
VALIDATOR = GATEWAY + "request-validator"
PLACES = {"query": "querystring", "header": "header", "path": "path"}
METHOD, ROUTE, URL = "AWS::ApiGateway::Method", "AWS::ApiGatewayV2::Route", "AWS::Lambda::Url"
AUTHORIZERS = ("AWS::ApiGateway::Authorizer", "AWS::ApiGatewayV2::Authorizer")
STAGE, DEPLOYMENT = "AWS::ApiGateway::Stage", "AWS::ApiGateway::Deployment"
# The resources that stand for what another stack or a person has made.
POOL, CLIENT, KEY = "PlaceholderPool", "PlaceholderPoolClient", "PlaceholderKey"
COGNITO = "cognito-idp"


def expanded(plain: Fields, *, authorizers: bool) -> dict[str, Any]:
    """Return a translated template with resources in place of definitions. Without `authorizers`, every route is open.

    A route that needs an API key has one, and a user pool of another stack is replaced by one of this stack.
    """
    resources = dict(plain["Resources"])
    for name, declared in of_type(plain["Resources"], REST, HTTP):
        body = declared.get("Body")
        if isinstance(body, Mapping):
            resource = resources[name]
            definition = RestDefinition(name, body) if resource["Type"] == REST else HttpDefinition(name, body)
            made = definition.resources()
            condition = {"Condition": resource["Condition"]} if "Condition" in resource else {}
            resources[name] = {**resource, "Properties": definition.properties(declared)}
            resources |= {key: {**child, **condition} for key, child in made.items()}
    resources |= _deployed(resources)
    resources |= _keyed(resources)
    resources |= _opened(resources) if not authorizers else _with_pools(resources)
    return {**plain, "Resources": resources}


class RestDefinition:
    """The definition of a REST API with this logical id."""

    def __init__(self, api: str, body: Fields) -> None:
        self._api, self._body, self._schemes = api, body, schemes(body)
        self._own = {"RestApiId": {"Ref": api}}
        self._made: dict[str, Any] = {}

    def properties(self, declared: Fields) -> dict[str, Any]:
        """Return the properties of the API without its definition."""
        title = mapping(self._body.get("info")).get("title") or self._api
        named = {"Name": title, **{name: value for name, value in declared.items() if name != "Body"}}
        binary = self._body.get(GATEWAY + "binary-media-types")
        return {**named, "BinaryMediaTypes": binary} if binary else named

    def resources(self) -> dict[str, Any]:
        """Return the resources of the definition, by logical id."""
        for title, scheme in self._schemes.items():
            authorizer = scheme.get(AUTHORIZER)
            if isinstance(authorizer, Mapping):
                self._add("AWS::ApiGateway::Authorizer", (title,), _rest_authorizer(title, scheme, authorizer))
        for kind, response in mapping(self._body.get(GATEWAY + "gateway-responses")).items():
            self._add("AWS::ApiGateway::GatewayResponse", (kind,), _gateway_response(kind, mapping(response)))
        for title, flags in mapping(self._body.get(VALIDATOR + "s")).items():
            validates = {
                "ValidateRequestBody": bool(flags.get("validateRequestBody")),
                "ValidateRequestParameters": bool(flags.get("validateRequestParameters")),
            }
            self._add("AWS::ApiGateway::RequestValidator", (title,), {"Name": title, **validates})
        for operation in operations(self._body):
            self._method(operation)
        return self._made

    def _add(self, kind: str, parts: Iterable[str], declared: Fields) -> dict[str, str]:
        """Add a resource. Returns the reference to it."""
        key = logical_id(self._api, kind.rpartition("::")[2], *parts)
        self._made[key] = {"Type": kind, "Properties": {**self._own, **declared}}
        return {"Ref": key}

    def _node(self, parts: tuple[str, ...]) -> Any:
        """Return the reference to the resource of a path, which is added with its parents."""
        if not parts:
            return {"Fn::GetAtt": [self._api, "RootResourceId"]}
        key = logical_id(self._api, "Resource", *parts)
        if key in self._made:
            return {"Ref": key}
        parent = self._node(parts[:-1])
        return self._add("AWS::ApiGateway::Resource", parts, {"PathPart": parts[-1], "ParentId": parent})

    def _method(self, operation: ApiOperation) -> None:
        parts = tuple(filter(None, operation.path.split("/")))
        verb = operation.route.partition(" ")[0]
        declared: dict[str, Any] = {
            "HttpMethod": verb,
            "ResourceId": self._node(parts),
            "RequestParameters": dict(_parameters(operation, self._body)),
            "RequestModels": {
                kind: self._add("AWS::ApiGateway::Model", (*parts, verb, kind), _model(schema, self._body))
                for kind, schema in _schemas(operation, self._body).items()
            },
            **self._security(operation),
        }
        validator = operation.content.get(VALIDATOR) or self._body.get(VALIDATOR)
        if validator in mapping(self._body.get(VALIDATOR + "s")):
            declared["RequestValidatorId"] = {"Ref": logical_id(self._api, "RequestValidator", str(validator))}
        integration = operation.content.get(INTEGRATION)
        if isinstance(integration, Mapping):
            declared["Integration"] = _integration(integration)
        self._add(METHOD, (*parts, verb), declared)

    def _security(self, operation: ApiOperation) -> dict[str, Any]:
        """Return the properties of a method for the requirements of its operation, else those of all."""
        required: dict[str, Any] = {"AuthorizationType": "NONE"}
        for title, scopes in requirements(operation, self._body):
            scheme = self._schemes.get(title, {})
            authorization = _authorization(self._api, title, scheme, scopes)
            required |= authorization
            if not authorization and str(scheme.get("name")).lower() == "x-api-key":
                source = str(self._body.get(GATEWAY + "api-key-source"))
                required["ApiKeyRequired"] = source.upper() != "AUTHORIZER"
        return required


class HttpDefinition:
    """The definition of an HTTP API with this logical id."""

    def __init__(self, api: str, body: Fields) -> None:
        self._api, self._body, self._schemes = api, body, schemes(body)
        self._own = {"ApiId": {"Ref": api}}

    def properties(self, declared: Fields) -> dict[str, Any]:
        """Return the properties of the API without its definition."""
        title = mapping(self._body.get("info")).get("title") or self._api
        named = {"Name": title, "ProtocolType": "HTTP", **{key: v for key, v in declared.items() if key != "Body"}}
        cors = self._body.get(GATEWAY + "cors")
        return {**named, "CorsConfiguration": cors} if isinstance(cors, Mapping) else named

    def resources(self) -> dict[str, Any]:
        """Return the resources of the definition, by logical id."""
        made = {}
        for title, scheme in self._schemes.items():
            authorizer = scheme.get(AUTHORIZER)
            if isinstance(authorizer, Mapping):
                declared = {**self._own, **_http_authorizer(title, authorizer)}
                key = logical_id(self._api, "Authorizer", title)
                made[key] = {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": declared}
        for operation in operations(self._body):
            integration = operation.content.get(INTEGRATION)
            if isinstance(integration, Mapping):
                made |= self._route(operation, integration)
        return made

    def _route(self, operation: ApiOperation, integration: Fields) -> dict[str, Any]:
        is_default = operation.path in ("/$default", "$default")
        verb = operation.route.partition(" ")[0]
        key = logical_id(self._api, "Route", operation.path, verb)
        target = {
            "IntegrationType": str(integration.get("type", "AWS_PROXY")).upper(),
            "IntegrationUri": _address(integration),
            "IntegrationSubtype": integration.get("integrationSubtype", ""),
            "PayloadFormatVersion": str(integration.get("payloadFormatVersion", "1.0")),
            "RequestParameters": integration.get("requestParameters") or {},
        }
        route = {
            "RouteKey": "$default" if is_default else operation.route,
            "Target": {"Fn::Join": ["/", ["integrations", {"Ref": f"{key}Integration"}]]},
            **self._security(operation),
        }
        return {
            f"{key}Integration": {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {**self._own, **target}},
            key: {"Type": ROUTE, "Properties": {**self._own, **route}},
        }

    def _security(self, operation: ApiOperation) -> dict[str, Any]:
        required: dict[str, Any] = {"AuthorizationType": "NONE"}
        for title, scopes in requirements(operation, self._body):
            required |= _authorization(self._api, title, self._schemes.get(title, {}), scopes)
        return required


# The types of authorization by the type of a scheme's authorizer; any other is a Lambda function.
AUTHORIZATIONS = {"cognito_user_pools": "COGNITO_USER_POOLS", "jwt": "JWT"}


def _authorization(api: str, title: str, scheme: Mapping[str, Any], scopes: list[str]) -> dict[str, Any]:
    """Return the properties of a method or route that a scheme guards by an authorizer or a signature; else none."""
    kind = str(mapping(scheme.get(AUTHORIZER)).get("type", "")).lower()
    if kind:
        return {
            "AuthorizationType": AUTHORIZATIONS.get(kind, "CUSTOM"),
            "AuthorizerId": {"Ref": logical_id(api, "Authorizer", title)},
            "AuthorizationScopes": scopes,
        }
    return {"AuthorizationType": "AWS_IAM"} if _is_signed(scheme) else {}


def logical_id(*parts: str) -> str:
    """Return a logical id for these parts: letters and digits, with the code of every other character."""
    return "".join(re.sub(r"[^A-Za-z0-9]", lambda match: f"{ord(match[0]):x}", part) for part in parts)


def requirements(operation: ApiOperation, body: Fields) -> Iterator[tuple[str, list[Any]]]:
    """Yield the name and the scopes of each security scheme that an operation needs; by default those of all."""
    security = operation.content.get("security", body.get("security"))
    for entry in security if isinstance(security, list) else ():
        for title, scopes in mapping(entry).items():
            yield title, scopes or []


def _is_signed(scheme: Fields) -> bool:
    return scheme.get(GATEWAY + "authtype") == "awsSigv4"


def _rest_authorizer(title: str, scheme: Fields, authorizer: Fields) -> dict[str, Any]:
    source = f"method.request.header.{scheme.get('name') or 'Authorization'}"
    return {
        "Name": title,
        "Type": str(authorizer.get("type", "")).upper(),
        "IdentitySource": authorizer.get("identitySource") or source,
        "IdentityValidationExpression": authorizer.get("identityValidationExpression", ""),
        "AuthorizerUri": authorizer.get("authorizerUri", ""),
        "AuthorizerResultTtlInSeconds": authorizer.get("authorizerResultTtlInSeconds", 300),
        "ProviderARNs": authorizer.get("providerARNs") or [],
    }


def _http_authorizer(title: str, authorizer: Fields) -> dict[str, Any]:
    source = authorizer.get("identitySource") or []
    sources = [part.strip() for part in source.split(",")] if isinstance(source, str) else source
    if authorizer.get("type") == "jwt":
        accepted = mapping(authorizer.get("jwtConfiguration"))
        audience = accepted.get("audience") or []
        audience = audience if isinstance(audience, list) else [audience]
        jwt = {"Issuer": accepted.get("issuer"), "Audience": audience}
        return {"Name": title, "AuthorizerType": "JWT", "IdentitySource": sources, "JwtConfiguration": jwt}
    return {
        "Name": title,
        "AuthorizerType": "REQUEST",
        "IdentitySource": sources,
        "AuthorizerUri": authorizer.get("authorizerUri"),
        "AuthorizerPayloadFormatVersion": str(authorizer.get("authorizerPayloadFormatVersion", "2.0")),
        "EnableSimpleResponses": authorizer.get("enableSimpleResponses", False),
        "AuthorizerResultTtlInSeconds": authorizer.get("authorizerResultTtlInSeconds", 0),
    }


def _gateway_response(kind: str, response: Fields) -> dict[str, Any]:
    status = {"StatusCode": str(response["statusCode"])} if response.get("statusCode") else {}
    return {
        "ResponseType": kind,
        "ResponseParameters": response.get("responseParameters") or {},
        "ResponseTemplates": response.get("responseTemplates") or {},
        **status,
    }


def _integration(integration: Fields) -> dict[str, Any]:
    """Return the properties of a REST API's integration."""
    responses = [
        {
            "SelectionPattern": "" if pattern == "default" else pattern,
            "StatusCode": str(response.get("statusCode", "200")),
            "ResponseParameters": response.get("responseParameters") or {},
            "ResponseTemplates": response.get("responseTemplates") or {},
        }
        for pattern, response in mapping(integration.get("responses")).items()
    ]
    return {
        "Type": str(integration.get("type", "AWS_PROXY")).upper(),
        "IntegrationHttpMethod": integration.get("httpMethod", "POST"),
        "Uri": _address(integration),
        "RequestParameters": integration.get("requestParameters") or {},
        "RequestTemplates": integration.get("requestTemplates") or {},
        "PassthroughBehavior": str(integration.get("passthroughBehavior", "WHEN_NO_MATCH")).upper(),
        "IntegrationResponses": responses,
    }


def _address(integration: Fields) -> Any:
    """Return the address that an integration calls. Published definitions have pseudo parameters in it as text."""
    uri = integration.get("uri", "")
    is_plain = isinstance(uri, str) and uri.count("${") == uri.count("${AWS::") > 0
    return {"Fn::Sub": uri} if is_plain else uri


def _parameters(operation: ApiOperation, body: Fields) -> Iterator[tuple[str, bool]]:
    """Yield each parameter of a request, as `method.request.header.X-Tenant`, and whether it is required."""
    shared = {f"#/parameters/{name}": declared for name, declared in mapping(body.get("parameters")).items()}
    for name, declared in mapping(mapping(body.get("components")).get("parameters")).items():
        shared[f"#/components/parameters/{name}"] = declared
    for parameter in operation.parameters:
        declared = mapping(shared.get(str(parameter.get("$ref")), parameter))
        if declared.get("in") in PLACES:
            yield f"method.request.{PLACES[declared['in']]}.{declared.get('name')}", declared.get("required") is True


def _schemas(operation: ApiOperation, body: Fields) -> dict[str, Fields]:
    """Return the schemas of an operation's body, by content type."""
    contents = mapping(mapping(operation.content.get("requestBody")).get("content"))
    schemas = {str(kind).lower(): mapping(content).get("schema") for kind, content in contents.items()}
    consumed = operation.content.get("consumes") or body.get("consumes") or ["application/json"]
    for parameter in operation.parameters:
        if parameter.get("in") == "body":  # Swagger 2
            schemas |= dict.fromkeys(map(str, consumed), parameter.get("schema"))
    return {kind: schema for kind, schema in schemas.items() if isinstance(schema, Mapping)}


def _model(schema: Fields, body: Fields) -> dict[str, Any]:
    """Return the properties of a model: the schema with the definitions that its references name."""
    definitions = {
        "definitions": body.get("definitions"),
        "components": {"schemas": mapping(body.get("components")).get("schemas")},
    }
    text = json.dumps(body, default=str)
    referred = {name: declared for name, declared in definitions.items() if f"#/{name}/" in text}
    return {"Schema": _draft4({**referred, **schema})}


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


def _changed(resource: Fields, declared: Fields) -> dict[str, Any]:
    return {**resource, "Properties": {**properties(resource), **declared}}


def throttles(resource: Fields) -> bool:
    """Return whether a resource limits the requests of a stage, which nothing does here."""
    stages = (STAGE, "AWS::ApiGatewayV2::Stage")
    return resource.get("Type") in stages and "Throttling" in json.dumps(properties(resource), default=str)


def unthrottled(settings: Any) -> Any:
    """Return the settings of a stage's methods without their limits, which would refuse a load on this machine."""
    if not isinstance(settings, list):
        return settings
    return [{key: v for key, v in mapping(part).items() if not key.startswith("Throttling")} for part in settings]


def _deployed(resources: Fields) -> dict[str, Any]:
    """Return the deployments of REST APIs, each after the gateway responses that it takes effect for."""
    responses = [*of_type(resources, "AWS::ApiGateway::GatewayResponse")]
    changed = {}
    for name, deployment in of_type(resources, DEPLOYMENT):
        api = deployment.get("RestApiId")
        needed = [key for key, response in responses if response.get("RestApiId") == api]
        declared = resources[name].get("DependsOn") or []
        declared = declared if isinstance(declared, list) else [declared]
        if needed:
            changed[name] = {**resources[name], "DependsOn": [*declared, *needed]}
    return changed


def _keyed(resources: Fields) -> dict[str, Any]:
    """Return an API key with a usage plan for each REST API whose template has methods with a key, and no plan."""
    plans = json.dumps([plan for _, plan in of_type(resources, "AWS::ApiGateway::UsagePlan")], default=str)
    added: dict[str, Any] = {}
    for stage_key, stage in of_type(resources, STAGE):
        api = stage.get("RestApiId")
        methods = [method for _, method in of_type(resources, METHOD) if method.get("RestApiId") == api]
        if json.dumps(api) in plans or not any(is_true(method.get("ApiKeyRequired")) for method in methods):
            continue
        plan, key = f"{stage_key}Plan", {"Ref": KEY}
        stages = [{"ApiId": api, "Stage": {"Ref": stage_key}}]
        added |= {
            KEY: {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Enabled": True}},
            plan: {"Type": "AWS::ApiGateway::UsagePlan", "Properties": {"ApiStages": stages}},
            f"{plan}Key": {
                "Type": "AWS::ApiGateway::UsagePlanKey",
                "Properties": {"KeyId": key, "KeyType": "API_KEY", "UsagePlanId": {"Ref": plan}},
            },
        }
    return added


def _opened(resources: Fields) -> dict[str, Any]:
    """Return the methods, routes and function URLs, none of which asks who calls."""
    changed = {}
    for name, _ in of_type(resources, METHOD, ROUTE):
        changed[name] = _changed(resources[name], {"AuthorizationType": "NONE", "AuthorizerId": None})
    for name, _ in of_type(resources, URL):
        changed[name] = _changed(resources[name], {"AuthType": "NONE"})
    return changed


def _with_pools(resources: Fields) -> dict[str, Any]:
    """Return the authorizers whose user pool is in another stack, with a placeholder in its place, and that one."""
    changed: dict[str, Any] = {}
    for name in placeholders(resources):
        declared = properties(resources[name])
        if "ProviderARNs" in declared:
            changed[name] = _changed(resources[name], {"ProviderARNs": [{"Fn::GetAtt": [POOL, "Arn"]}]})
        else:
            issuer = {"Fn::Sub": f"https://{COGNITO}.${{AWS::Region}}.amazonaws.com/${{{POOL}}}"}
            jwt = {"Issuer": issuer, "Audience": [{"Ref": CLIENT}]}
            changed[name] = _changed(resources[name], {"JwtConfiguration": jwt})
    if not changed:
        return {}
    flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    client = {"UserPoolId": {"Ref": POOL}, "ExplicitAuthFlows": flows}
    return {
        **changed,
        POOL: {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": POOL}},
        CLIENT: {"Type": "AWS::Cognito::UserPoolClient", "Properties": client},
    }


def placeholders(resources: Fields) -> list[str]:
    """Return the authorizers with a user pool that the template names by text, because it is in another stack."""
    return [name for name, declared in of_type(resources, *AUTHORIZERS) if _names_pool(declared)]


def _names_pool(authorizer: Fields) -> bool:
    arns = authorizer.get("ProviderARNs")
    if arns:
        return isinstance(arns, list) and all(isinstance(arn, str) for arn in arns)
    issuer = mapping(authorizer.get("JwtConfiguration")).get("Issuer")
    return isinstance(issuer, str) and (COGNITO in issuer or not issuer.startswith("https://"))


def is_true(value: Any) -> bool:
    """Return whether a property of a template is true, as a boolean or as text."""
    return value is True or str(value).lower() == "true"
