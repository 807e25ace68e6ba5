"""The template of the packaged example as samcli reads it, and samcli's emulator of API Gateway.

Works with samcli 1.150 to 1.170.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from lambda_latency.local.app.read.inclusion import is_local
from lambda_latency.local.app.read.source import SamFile, read_source
from lambda_latency.local.errors import UsageError
from lambda_latency.local.sandbox.function import Function
from lambda_latency.template import node_of, resolve, value_of

os.environ["SAM_CLI_TELEMETRY"] = "0"  # samcli sends telemetry to AWS by default

COLLECTOR = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
STACK = {
    "AWS::StackName": "orders",
    "AWS::AccountId": "123456789012",
    "AWS::Region": "us-east-1",
}


@dataclass(frozen=True, slots=True)
class SamTemplate:
    """The parts of a template that the local system needs. `routes` maps `POST /orders` and the like to functions."""

    path: Path
    routes: Mapping[str, str]
    api_name: str
    stage: str
    api: Any  # samcli's API object
    functions: tuple[Function, ...] = ()
    # Whether API Gateway records spans and samples (TracingEnabled)
    traced: bool = True
    # Requests per second and share of the others: of the template's rule, else X-Ray's default.
    sampling: tuple[int, float] = (1, 1.0)
    collected: bool = False  # whether functions send to a collector
    direct: bool = False  # whether functions send to X-Ray's OTLP endpoint
    tables: tuple[Mapping[str, Any], ...] = ()  # arguments of CreateTable


def read_template(path: Path, parameters: Mapping[str, str]) -> SamTemplate:
    """Read the template of an app, which `read_app` has checked, with some of its parameters set.

    Raises `UsageError` for a template that samcli cannot read, and for one without a route to a function.
    """
    stack, api, functions = _read_by_samcli(read_source(path), parameters)
    # samcli returns methods in a set; the printed routes need a fixed order.
    found_routes = sorted((route.path, method, route.function_name) for route in api.routes for method in route.methods)
    routes = {f"{method} {route}": function for route, method, function in found_routes}
    if not routes:
        raise UsageError(f"{path} has no function with an Api event", "requests cannot reach any function")
    gateway = next(iter(_of_type("AWS::Serverless::Api", stack).values()), {})
    rules = _of_type("AWS::XRay::SamplingRule", stack).values()
    rule = next((rule["SamplingRule"] for rule in rules), {"ReservoirSize": 1, "FixedRate": 0.05})  # X-Ray's own
    endpoints = [function.environment.get(COLLECTOR, "") for function in functions]
    exports = [function.environment.get("LAMBDA_LATENCY_EXPORT") for function in functions]
    return SamTemplate(
        path=path,
        functions=functions,
        routes=routes,
        api_name=str(gateway.get("Name", STACK["AWS::StackName"])),
        stage=str(api.stage_name or "Prod"),
        traced=bool(gateway.get("TracingEnabled", False)),
        sampling=(int(rule["ReservoirSize"]), float(rule["FixedRate"])),
        collected=any("//localhost" in endpoint for endpoint in endpoints),
        direct="otlp" in exports or any("//xray." in endpoint for endpoint in endpoints),
        tables=tuple(_table(name, properties) for name, properties in _of_type("AWS::DynamoDB::Table", stack).items()),
        api=api,
    )


def _read_by_samcli(source: SamFile, parameters: Mapping[str, str]) -> tuple[Any, Any, tuple[Function, ...]]:
    """samcli's stack and API, and the functions, without nested stacks' that answer no request, such as the alarms'."""
    from samcli.lib.providers.api_provider import ApiProvider
    from samcli.lib.providers.sam_function_provider import SamFunctionProvider
    from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

    # samtranslator needs a region, but makes no call.
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    decided = resolve(node_of(source.raw), parameters, STACK["AWS::Region"])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # raised between samcli's own libraries
            stacks, _ = SamLocalStackProvider.get_stacks(
                template_dictionary=_rooted(value_of(decided.root), source.path.resolve().parent),
                parameter_overrides=dict(parameters),
                global_parameter_overrides=STACK,
            )
            api = ApiProvider(stacks, cwd=str(source.path.parent)).api
            functions = SamFunctionProvider(stacks, use_raw_codeuri=True).get_all()
            routed = {route.function_name for route in api.routes}
            called = tuple(_function(f) for f in functions if not f.stack_path or f.name in routed)
    except Exception as error:
        mistake = f"{source.path} cannot be read as a SAM template: {error}"
        raise UsageError(mistake, "`sam validate --lint` says more") from error
    return stacks[0], api, called


def gateway_app(template: SamTemplate, invoke: Callable[[str, bytes], str]) -> Callable[..., Any]:
    """Return a WSGI application that turns requests into REST events and Lambda's answers into responses.

    `invoke` receives a function's name and an event, and returns the payload; it runs on the request's thread.
    """
    from samcli.lib.utils.stream_writer import StreamWriter
    from samcli.local.apigw.local_apigw_service import LocalApigwService

    class Runner:
        def is_debugging(self) -> bool:
            return False

        def invoke(self, function_name: str, event: str, stdout: Any = None, **_: Any) -> None:
            stdout.write_str(invoke(function_name, event.encode()))

    logging.getLogger("samcli").setLevel(logging.CRITICAL)  # its log repeats what the response contains
    service = LocalApigwService(template.api, Runner(), port=0, host="127.0.0.1", stderr=StreamWriter(StringIO()))
    service.create()
    return service._app  # type: ignore[no-any-return]


def _rooted(raw: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A template with absolute paths of nested templates, which samcli looks for in the current folder otherwise."""
    for resource in raw["Resources"].values():
        properties = resource.get("Properties") if isinstance(resource, dict) else None
        if isinstance(properties, dict) and is_local(properties.get("Location")):
            properties["Location"] = str(folder / properties["Location"])
    return raw


def _function(function: Any) -> Function:
    variables = (function.environment or {}).get("Variables", {})
    logging_config = function.logging_config or {}
    return Function(
        name=function.name,
        handler=function.handler,
        timeout_s=float(function.timeout or 3),
        memory_mb=int(function.memory or 128),
        environment={name: str(value) for name, value in variables.items()},
        log_format=str(logging_config.get("LogFormat", "Text")),
        log_level=str(logging_config.get("ApplicationLogLevel", "INFO")),
    )


def _of_type(kind: str, stack: Any) -> dict[str, dict[str, Any]]:
    """Return the properties of the resources of one type, by logical id."""
    return {name: r.get("Properties") or {} for name, r in stack.resources.items() if r["Type"] == kind}


def _table(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    keys = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    return {"TableName": properties.get("TableName", name), **{k: properties[k] for k in keys if k in properties}}
