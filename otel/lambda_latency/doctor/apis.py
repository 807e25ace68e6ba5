"""The APIs in front of a function: whether they are traced, and how their definitions call it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lambda_latency.doctor.app import App
from lambda_latency.doctor.function import Fn
from lambda_latency.template import YamlNode

# Kind of the event that makes an API with an OpenAPI definition, and its properties with the definition: as a mapping,
# as a file.
DEFINED = {
    "AWS::Serverless::Api": ("Api", "DefinitionBody", "DefinitionUri"),
    "AWS::ApiGateway::RestApi": ("Api", "Body", "BodyS3Location"),
    "AWS::Serverless::HttpApi": ("HttpApi", "DefinitionBody", "DefinitionUri"),
    "AWS::ApiGatewayV2::Api": ("HttpApi", "Body", "BodyS3Location"),
}
INTEGRATION = "x-amazon-apigateway-integration"
INCLUDE = "AWS::Include"


@dataclass(frozen=True, slots=True)
class Integration:
    """A call of a function by an API. `kind` is `Api` or `HttpApi`, `type`, `name` and `line` are those of the API's
    resource, `node` is the integration.
    """

    kind: str
    type: str
    name: str
    line: int
    node: YamlNode

    @property
    def has_own_limit(self) -> bool:
        """Whether it does not wait for the usual time: a limit of its own, a streamed response, or no wait at all."""
        names = [name.lower() for name, _, _ in self.node.named()]
        return "timeoutinmillis" in names or not {"STREAM", "'Event'"}.isdisjoint(self.node.texts())


def integrations_of(app: App, fn: Fn) -> Iterator[Integration]:
    """The integrations that call a function, of the APIs with a definition in the template or in a file beside it."""
    named = rf"(?:\$\{{|^){re.escape(fn.name)}(?:\.|\}}|$)"
    for kind, (event, body, uri) in DEFINED.items():
        for name, key, properties in app.resources(kind):
            definition = properties.get(body) or app.read_file(properties.text_at(uri))
            for node in _integrations(app, definition):
                target = node.get("uri")
                if target is not None and any(re.search(named, text) for text in target.texts()):
                    yield Integration(event, kind, name, key.line, node)


def _integrations(app: App, definition: YamlNode | None) -> Iterator[YamlNode]:
    """The integrations below a node; an `AWS::Include` stands for the content of its file."""
    waiting = [definition]
    while waiting:
        node = waiting.pop()
        if node is None:
            continue
        waiting += node.items
        included = node if node.function == "Transform" else node.get("Fn::Transform")
        if included is not None and included.text_at("Name") == INCLUDE:
            waiting.append(app.read_file(included.text_at("Parameters", "Location")))
        for name, _, child in node.named():
            if name == INTEGRATION:
                yield child
            else:
                waiting.append(child)


def triggers_of(app: App, fn: Fn) -> Iterator[tuple[str, int]]:
    """The kinds of events that call a function, those of APIs with a definition too, and their lines."""
    for kind, event in fn.events():
        yield kind, event.line
    for integration in integrations_of(app, fn):
        yield integration.kind, integration.line


@dataclass(frozen=True, slots=True)
class RestApi:
    """A REST API: the line of its tracing setting, or where it belongs, and whether tracing is on (None: unknown)."""

    name: str
    line: int
    is_traced: bool | None


def apis_of(app: App, fn: Fn) -> Iterator[RestApi]:
    """The REST APIs that call a function."""
    if fn.is_sam:
        for kind, event in fn.events():
            if kind == "Api":
                yield _event_api(app, event)
    yield from _method_apis(app, fn)
    for integration in integrations_of(app, fn):
        if integration.type == "AWS::Serverless::Api":
            yield _sam_api(app, integration.name, integration.line)
        elif integration.kind == "Api":
            yield from _stage_apis(app, integration.name, integration.line)


def _event_api(app: App, event: YamlNode) -> RestApi:
    named = event.get("Properties", "RestApiId")
    if named is None:  # SAM creates one API for all events without RestApiId
        return _api("the implicit API", app.resolved.get("Globals", "Api", "TracingEnabled"), event.line)
    lines = {name: key.line for name, key, _ in app.resources("AWS::Serverless::Api")}
    name = str(named.value)
    if named.function != "Ref" or name not in lines:
        return RestApi(name, event.line, None)
    return _sam_api(app, name, lines[name])


def _sam_api(app: App, name: str, line: int) -> RestApi:
    """An `AWS::Serverless::Api` of this template, by its name and the line of its name."""
    setting = app.resolved.get("Resources", name, "Properties", "TracingEnabled")
    return _api(name, setting or app.resolved.get("Globals", "Api", "TracingEnabled"), line)


def _method_apis(app: App, fn: Fn) -> Iterator[RestApi]:
    """The APIs in plain CloudFormation whose methods name the function."""
    for _, _, method in app.resources("AWS::ApiGateway::Method"):
        uri = method.get("Integration", "Uri")
        api = method.get("RestApiId")
        if uri is not None and api is not None and f"{fn.name}." in "".join(uri.texts()):
            yield from _stage_apis(app, str(api.value), method.line)


def _stage_apis(app: App, name: str, line: int) -> Iterator[RestApi]:
    """An API in plain CloudFormation, once for each of its stages; `line` is that of an API without one here."""
    has_stage = False
    for _, key, stage in app.resources("AWS::ApiGateway::Stage"):
        named = stage.get("RestApiId")
        if named is not None and named.value == name:
            has_stage = True
            yield _api(name, stage.get("TracingEnabled"), key.line)
    if not has_stage:  # a deployment or another template creates the stage
        yield RestApi(name, line, None)


def _api(name: str, setting: YamlNode | None, line: int) -> RestApi:
    """An API with its tracing setting; `line` is that of an API without one."""
    if setting is None:
        return RestApi(name, line, is_traced=False)
    is_known = setting.kind == "scalar" and not setting.function
    return RestApi(name, setting.line, str(setting.value).lower() == "true" if is_known else None)
