"""The APIs in front of a function, and whether they are traced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lambda_latency.doctor.app import App
from lambda_latency.doctor.definitions import integrations_of
from lambda_latency.doctor.function import Fn
from lambda_latency.template import Node


@dataclass(frozen=True, slots=True)
class Api:
    """A REST API: the line of its tracing setting, or where it belongs, and whether tracing is on (None: unknown)."""

    name: str
    line: int
    is_traced: bool | None


def apis_of(app: App, fn: Fn) -> Iterator[Api]:
    """The REST APIs that call a function."""
    if fn.is_sam:
        for kind, event in fn.events():
            if kind == "Api":
                yield _of_event(app, event)
    yield from _of_methods(app, fn)
    for one in integrations_of(app, fn):
        if one.type == "AWS::Serverless::Api":
            yield _of_sam(app, one.name, one.line)
        elif one.kind == "Api":
            yield from _of_stages(app, one.name, one.line)


def _of_event(app: App, event: Node) -> Api:
    everyone = app.resolved.get("Globals", "Api", "TracingEnabled")
    named = event.get("Properties", "RestApiId")
    if named is None:  # SAM creates one API for all events without RestApiId
        return Api("the implicit API", everyone.line if everyone is not None else event.line, _is_on(everyone))
    found = next(
        ((key, node) for name, key, node in app.resources("AWS::Serverless::Api") if name == named.value), None
    )
    if named.function != "Ref" or found is None:
        return Api(str(named.value), event.line, None)
    return _of_sam(app, str(named.value), found[0].line)


def _of_sam(app: App, name: str, line: int) -> Api:
    """An `AWS::Serverless::Api` of this template, by its name and the line of its name."""
    own = app.resolved.get("Resources", name, "Properties", "TracingEnabled")
    if own is None:
        own = app.resolved.get("Globals", "Api", "TracingEnabled")
    return Api(name, own.line if own is not None else line, _is_on(own))


def _of_methods(app: App, fn: Fn) -> Iterator[Api]:
    """The APIs in plain CloudFormation whose methods name the function."""
    for _, _, method in app.resources("AWS::ApiGateway::Method"):
        uri = method.get("Integration", "Uri")
        api = method.get("RestApiId")
        if uri is None or api is None or f"{fn.name}." not in "".join(str(one.value) for one in uri.scalars()):
            continue
        yield from _of_stages(app, str(api.value), method.line)


def _of_stages(app: App, name: str, line: int) -> Iterator[Api]:
    """An API in plain CloudFormation, once for each of its stages; `line` is that of an API without one here."""
    stages = [
        (key, node)
        for _, key, node in app.resources("AWS::ApiGateway::Stage")
        if (named := node.get("RestApiId")) is not None and named.value == name
    ]
    for key, stage in stages:
        own = stage.get("TracingEnabled")
        yield Api(name, own.line if own is not None else key.line, _is_on(own))
    if not stages:  # a deployment or another template creates the stage
        yield Api(name, line, None)


def _is_on(node: Node | None) -> bool | None:
    if node is None:
        return False
    if node.kind != "scalar" or node.function:
        return None
    return str(node.value).lower() == "true"
