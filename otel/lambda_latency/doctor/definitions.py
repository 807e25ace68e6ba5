"""The calls of a function in an API's OpenAPI definition, written in the template or in a file beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lambda_latency.doctor.app import App
from lambda_latency.doctor.function import Fn
from lambda_latency.template import Node

# Kind of the event that makes such an API, and its properties with the definition: as a mapping, as a file.
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
    node: Node

    @property
    def has_own_limit(self) -> bool:
        """Whether it does not wait for the usual time: a limit of its own, a streamed response, or no wait at all."""
        settings = {name.lower(): one for name, _, one in self.node.named()}
        asked = [str(one.value) for one in self.node.scalars()]
        return "timeoutinmillis" in settings or "STREAM" in asked or "'Event'" in asked


def integrations_of(app: App, fn: Fn) -> Iterator[Integration]:
    """The integrations that call a function, of the APIs with a definition."""
    names = re.compile(rf"(?:\$\{{|^){re.escape(fn.name)}(?:\.|\}}|$)")
    for kind, (event, body, uri) in DEFINED.items():
        for name, key, properties in app.resources(kind):
            for node in _integrations(app, _defined(app, properties, body, uri)):
                target = node.get("uri")
                if target is not None and any(names.search(str(one.value)) for one in target.scalars()):
                    yield Integration(event, kind, name, key.line, node)


def _defined(app: App, properties: Node, body: str, uri: str) -> Node | None:
    written = properties.get(body)
    return written if written is not None else app.beside(properties.text_at(uri))


def _integrations(app: App, node: Node | None) -> Iterator[Node]:
    """The integrations below a node; an `AWS::Include` stands for the content of its file."""
    waiting = [node] if node is not None else []
    while waiting:
        node = waiting.pop()
        waiting += node.items
        included = node if node.function == "Transform" else node.get("Fn::Transform")
        if included is not None and included.text_at("Name") == INCLUDE:
            file = app.beside(included.text_at("Parameters", "Location"))
            waiting += [file] if file is not None else []
        for name, _, one in node.named():
            if name == INTEGRATION:
                yield one
            else:
                waiting.append(one)
