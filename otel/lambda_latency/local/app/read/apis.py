"""The app's APIs with their routes, from a translated template whose definitions are resources (`bodies`)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lambda_latency.local.app.read.bodies import AUTHORIZERS, METHOD, ROUTE, STAGE, is_true
from lambda_latency.local.app.read.definitions import (
    HTTP,
    REST,
    Fields,
    RouteExample,
    mapping,
    mappings,
    of_type,
    properties,
    samples,
)
from lambda_latency.local.cloud.ministack_mapping import unknown_references

BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
FUNCTION = "AWS::Lambda::Function"
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
SERVICES = ("dynamodb", "events", "kinesis", "lambda", "s3", "sns", "sqs", "states")  # of REST APIs
ACTION = re.compile(r"apigateway:(?:\$\{[^}]*\}|[^:$])*:([\w-]+):(?:action|path)/([^\"]*)")
NAMED = re.compile(r'"Fn::GetAtt": \["(\w+)", "Arn"\]|\$\{(\w+)(?:\.Arn)?\}|"Ref": "(\w+)"')
ARN = re.compile(r"function:([\w-]+)")
HEADER = re.compile(r"request\.header\.([\w-]+)")
TARGETS = ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine")  # of the pipes that the emulator delivers to


@dataclass(frozen=True, slots=True)
class Route:
    """What a request of a route needs.

    `function` is the key of its function, empty without one; `authorizer` the logical id of a Cognito or JWT
    authorizer, which takes a token in the first of `headers`; `headers` and `query` are the names of parameters;
    `model` is the JSON schema of its body.
    """

    function: str = ""
    authorizer: str = ""
    headers: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    model: Fields = field(default_factory=dict)
    sample: RouteExample = field(default_factory=RouteExample)
    is_keyed: bool = False
    is_signed: bool = False


@dataclass(frozen=True, slots=True)
class Api:
    """An API, a function URL or a load balancer. `key` is its logical id, for a function URL the function's; `kind` is
    rest, http, url or alb; `routes` are by method and path, such as `GET /orders/{id}` or `ANY /orders`. `is_traced`
    is False if its stage turns tracing off (`TracingEnabled: false`).
    """

    key: str
    kind: str
    stage: str = "$default"
    routes: Mapping[str, Route] = field(default_factory=dict)
    is_traced: bool = True

    def shown(self) -> Iterator[str]:
        """Yield the routes without preflight requests (OPTIONS) that no function answers."""
        return (name for name, route in self.routes.items() if route.function or not name.startswith("OPTIONS "))

    def with_functions(self, names: Mapping[str, str]) -> Api:
        """Return the API with keys of functions in place of names of functions of other stacks, by these names."""
        routes = {n: replace(r, function=names.get(r.function, r.function)) for n, r in self.routes.items()}
        return replace(self, routes=routes)

    def matching(self, method: str, path: str) -> list[str]:
        """Return the routes of a request, those with fewer parameters first."""
        names = [name for name in self.routes if leads(name, method, path)]
        return sorted(names, key=lambda name: name.count("{"))


def leads(route: str, method: str, path: str) -> bool:
    """Return whether a route with a path (`GET /orders/{id}`) is that of a request."""
    route_method, _, pattern = route.partition(" ")
    whole = ""
    for part in re.split(r"(\{[^}]+\})", pattern):
        parameter = ".+" if "+" in part else "[^/]+"
        whole += parameter if part.startswith("{") else re.escape(part)
    is_path = pattern == "$default" or re.fullmatch(whole, path) is not None
    return route_method in (method, "ANY") and is_path


def read_apis(bodies: Fields, plain: Fields, prefix: str) -> list[Api]:
    """Return the APIs and load balancers of a template, in its order. `bodies` are the resources with the definitions
    of its APIs, `plain` those in which they are resources; `prefix` begins the keys.
    """
    resources: Fields = plain["Resources"]
    apis = []
    for name, declared in of_type(resources, REST, HTTP, BALANCER):
        kind = resources[name]["Type"]
        if kind == BALANCER:
            apis.append(Api(prefix + name, "alb"))
        elif declared.get("ProtocolType") != "WEBSOCKET":
            examples = samples(properties(bodies.get(name)).get("Body"))
            reader = _RestReader(name, resources, examples) if kind == REST else _HttpReader(name, resources, examples)
            routes = dict(sorted(reader.routes(prefix), key=lambda pair: pair[0].split(" ")[::-1]))
            kind = "rest" if kind == REST else "http"
            apis.append(Api(prefix + name, kind, reader.stage(), routes, reader.is_traced()))
    return [api for api in apis if api.routes or api.kind == "alb"]


class _ApiReader:
    """Reads the routes of one API with this logical id. `examples` are those of its definition, by route."""

    def __init__(self, api: str, resources: Fields, examples: Mapping[str, RouteExample]) -> None:
        self._api, self._resources, self._examples = api, resources, examples

    def is_traced(self) -> bool:
        """Return whether no stage turns tracing off."""
        settings = [stage["TracingEnabled"] for stage in self._own(STAGE, "RestApiId") if "TracingEnabled" in stage]
        return all(map(is_true, settings))

    def _own(self, kind: str, name: str) -> list[Fields]:
        """Return the properties of the API's resources of a type; the property `name` refers to the API."""
        reference = {"Ref": self._api}
        return [declared for _, declared in of_type(self._resources, kind) if declared.get(name) == reference]

    def _secured(self, declared: Fields) -> dict[str, Any]:
        """Return the fields of a route for its authorizer."""
        kind = declared.get("AuthorizationType")
        key = str(mapping(declared.get("AuthorizerId")).get("Ref", ""))
        authorizer = properties(self._resources.get(key))
        sources = HEADER.findall(json.dumps(authorizer.get("IdentitySource")))
        is_token = kind in ("JWT", "COGNITO_USER_POOLS")
        headers = (sources or ["Authorization"]) if is_token else sources
        named = {"authorizer": key if is_token else "", "headers": tuple(headers)}
        return {"is_signed": kind == "AWS_IAM", **named}

    def _example(self, route: str) -> RouteExample:
        return self._examples.get(route, RouteExample())


class _RestReader(_ApiReader):
    def stage(self) -> str:
        """Return the name of the first stage; `Prod` if only the emulator knows it."""
        kinds = (STAGE, "AWS::ApiGateway::Deployment")
        names = [stage.get("StageName") for kind in kinds for stage in self._own(kind, "RestApiId")]
        return next((name for name in names if isinstance(name, str)), "Prod")

    def routes(self, prefix: str) -> Iterator[tuple[str, Route]]:
        for method in self._own(METHOD, "RestApiId"):
            name = f"{method.get('HttpMethod')} {path_of(method.get('ResourceId'), self._resources)}"
            validator = properties(self._resources.get(str(mapping(method.get("RequestValidatorId")).get("Ref"))))
            secured = self._secured(method)
            required = _required(method) if is_true(validator.get("ValidateRequestParameters")) else {}
            yield (
                name,
                Route(
                    function_of(mapping(method.get("Integration")).get("Uri"), self._resources, prefix),
                    authorizer=secured["authorizer"],
                    headers=tuple(dict.fromkeys((*secured["headers"], *required.get("header", ())))),
                    query=tuple(required.get("querystring", ())),
                    model=self._model(method) if is_true(validator.get("ValidateRequestBody")) else {},
                    sample=self._example(name),
                    is_keyed=is_true(method.get("ApiKeyRequired")),
                    is_signed=secured["is_signed"],
                ),
            )

    def _model(self, method: Fields) -> Fields:
        """Return the schema of a method's body; empty without one that can be read."""
        for model in mapping(method.get("RequestModels")).values():
            named = self._resources.get(str(mapping(model).get("Ref")))
            titled = (r for r in self._resources.values() if properties(r).get("Name") == model)
            schema = properties(named or next(titled, None)).get("Schema")
            try:
                return mapping(json.loads(schema) if isinstance(schema, str) else schema)
            except ValueError:
                continue
        return {}


class _HttpReader(_ApiReader):
    def stage(self) -> str:
        """Return the name of the first stage."""
        names = [stage.get("StageName") for stage in self._own("AWS::ApiGatewayV2::Stage", "ApiId")]
        return next((name for name in names if isinstance(name, str)), "$default")

    def routes(self, prefix: str) -> Iterator[tuple[str, Route]]:
        for declared in self._own(ROUTE, "ApiId"):
            key = str(declared.get("RouteKey"))
            name = "ANY $default" if key == "$default" else key
            uri = integration_of(declared, self._resources).get("IntegrationUri")
            function = function_of(uri, self._resources, prefix)
            yield name, Route(function, sample=self._example(name), **self._secured(declared))


def _required(method: Fields) -> dict[str, list[str]]:
    """Return the names of required parameters by place: header, querystring or path."""
    by_place: dict[str, list[str]] = {}
    for parameter, is_required in mapping(method.get("RequestParameters")).items():
        _, _, place, name = parameter.split(".", 3)
        if is_true(is_required):
            by_place.setdefault(place, []).append(name)
    return by_place


def function_of(uri: Any, resources: Fields, prefix: str) -> str:
    """Return the key of the function in an integration's address: its logical id, or the name of one of another stack;
    empty without one.
    """
    text = json.dumps(uri, default=str)
    names = (name for match in NAMED.findall(text) for name in match if name)
    logical = next((name for name in names if mapping(resources.get(name)).get("Type") == FUNCTION), "")
    arn = ARN.search(text)
    return prefix + logical if logical else arn[1] if arn else ""


def integration_of(route: Fields, resources: Fields) -> Fields:
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


def absent_authorizers(resources: Fields, names: Mapping[str, Any]) -> list[str]:
    """Return the Lambda authorizers whose function is in another stack: their address is text, and has none of the
    names of the app's functions.
    """
    absent = []
    for key, declared in of_type(resources, *AUTHORIZERS):
        uri = declared.get("AuthorizerUri")
        arn = ARN.search(uri) if isinstance(uri, str) else None
        if isinstance(uri, str) and uri and (arn is None or arn[1] not in names):
            absent.append(key)
    return absent


def unserved(plain: Fields, prefix: str) -> Iterator[str]:
    """Yield a line for each WebSocket API, pipe, file system and route of a template that is not served here."""
    resources = plain["Resources"]
    for key, api in of_type(resources, HTTP):
        if api.get("ProtocolType") == "WEBSOCKET":
            why = "is a WebSocket API, which is not served here; lambda-latency invoke calls its functions"
            yield f"{prefix}{key} {why}"
    for key, declared in of_type(resources, "AWS::Pipes::Pipe", FUNCTION):
        if resources[key]["Type"] != FUNCTION and not _is_delivered(declared, resources):
            yield f"{prefix}{key} is a pipe, which delivers nothing here; lambda-latency invoke calls its functions"
        for mount in mappings(declared.get("FileSystemConfigs")):
            where = mount.get("LocalMountPath")
            yield f"{prefix}{key}: its file system is not mounted here, and {where} is a folder of this machine"
    yield from _unserved_routes(resources)


def _is_delivered(pipe: Fields, resources: Fields) -> bool:
    target = json.dumps(pipe.get("Target"), default=str)
    reached = (r.get("Type") for key, r in resources.items() if f'"{key}"' in target)
    return "StreamArn" in json.dumps(pipe.get("Source"), default=str) and any(kind in TARGETS for kind in reached)


def _unserved_routes(resources: Fields) -> Iterator[str]:
    """Yield a line for each route that calls a service which the emulator's gateway does not."""
    for _, method in of_type(resources, METHOD):
        why = _why_not(mapping(method.get("Integration")))
        if why:
            route = f"{method.get('HttpMethod')} {path_of(method.get('ResourceId'), resources)}"
            yield f"{route} is not served here: {why}"
    for _, declared in of_type(resources, ROUTE):
        subtype = integration_of(declared, resources).get("IntegrationSubtype")
        if subtype and subtype not in SUBTYPES:
            yield f"{declared.get('RouteKey')} is not served here: API Gateway calls {subtype} without a function"


def _why_not(integration: Fields) -> str:
    """Return why the emulator's gateway cannot call the service of a method; empty if it can."""
    uri = json.dumps(integration.get("Uri"), default=str)
    action = ACTION.search(uri) or ACTION.search(_joined(integration.get("Uri")))
    if action is not None and action[1] not in SERVICES:
        return f"API Gateway calls {action[1]} ({action[2]}) without a function"
    for template in mapping(integration.get("RequestTemplates")).values():
        if unknown := unknown_references(str(template)):
            return f"its mapping template has {unknown[0]}, which is not evaluated"
    return ""


def _joined(value: Any) -> str:
    """Return the text of an `Fn::Join`, with a placeholder for each value that only the emulator knows."""
    pair = mapping(value).get("Fn::Join", ["", []])
    parts = pair[1] if isinstance(pair[1], list) else []
    return str(pair[0]).join(_text(part) for part in parts)


def _text(value: Any) -> str:
    if isinstance(value, dict) and "Fn::Sub" in value:
        value = value["Fn::Sub"]
    return value if isinstance(value, str) else "${value}"
