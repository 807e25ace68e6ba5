"""The only module that uses samcli's private interface: the template, intrinsic functions, and API Gateway's emulator.

Works with samcli 1.150 to 1.170; a test checks the used names against the installed version.
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

from lambda_latency.local.app.read.adjacent_files import is_local
from lambda_latency.local.app.read.source import TemplateError
from lambda_latency.local.app.read.undefined_names import check
from lambda_latency.local.errors import UsageError
from lambda_latency.local.gateway.paths import restored, with_identifiers
from lambda_latency.local.sandbox.function import Function
from lambda_latency.spelling import did_you_mean
from lambda_latency.template import Finding, node_of, read_yaml, resolve, value_of

os.environ["SAM_CLI_TELEMETRY"] = "0"  # samcli sends telemetry to AWS by default

X_RAYS_OWN = (1, 0.05)
COLLECTOR = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
STACK = {
    "AWS::StackName": "orders",
    "AWS::AccountId": "123456789012",
    "AWS::Region": "us-east-1",
}


@dataclass(frozen=True, slots=True)
class Template:
    """The parts of a template that the local system needs. `routes` maps `POST /orders` and the like to functions."""

    path: Path
    functions: tuple[Function, ...]
    routes: Mapping[str, str]
    api_name: str
    stage: str
    traced: bool  # whether API Gateway records spans and samples (TracingEnabled)
    sampling: tuple[
        int, float
    ]  # requests per second and share of the others: the template's rule, else X-Ray's default
    collected: bool  # whether functions send to a collector
    direct: bool  # whether functions send to X-Ray's OTLP endpoint
    tables: tuple[Mapping[str, Any], ...]  # arguments of CreateTable
    api: Any  # samcli's API object
    notes: tuple[str, ...] = ()  # lines for the user


def read_template(path: Path, parameters: Mapping[str, str]) -> Template:
    """Read a SAM template with some of its parameters set.

    Raises `UsageError` for a file that is missing or not a template, and for a parameter or value that the template
    does not declare; `TemplateError` for names in the template that are not defined.
    """
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # samtranslator needs a region, but makes no call
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # raised between samcli's own libraries
        return _read_template(path, parameters)


def _read_template(path: Path, parameters: Mapping[str, str]) -> Template:
    from samcli.lib.providers.api_provider import ApiProvider
    from samcli.lib.providers.sam_function_provider import SamFunctionProvider
    from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
    from samcli.yamlhelper import yaml_parse

    try:
        text = path.read_text()
        raw = yaml_parse(text)
    except OSError as error:
        raise UsageError(f"no template at {path}: {error.strerror}", "name a template with --template") from error
    except Exception as error:
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}", "correct the file") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("Resources"), dict):
        raise UsageError(f"{path} has no Resources", "it must be a SAM template")
    declared = raw.get("Parameters") or {}
    _check_parameters(declared, parameters, path)
    root = read_yaml(str(path), text)
    if isinstance(root, Finding):
        raise TemplateError([root])
    check(path, root)
    decided = resolve(node_of(raw), parameters, STACK["AWS::Region"])
    try:
        stacks, _ = SamLocalStackProvider.get_stacks(
            template_dictionary=_rooted(value_of(decided.root), path.resolve().parent),
            parameter_overrides=dict(parameters),
            global_parameter_overrides=STACK,
        )
        stack = stacks[0]
        api = ApiProvider(stacks, cwd=str(path.parent)).api
        routed = {route.function_name for route in api.routes}
        functions = [  # one of a stack within the stack that answers no request, such as the alarms', is left out
            one
            for one in SamFunctionProvider(stacks, use_raw_codeuri=True).get_all()
            if not one.stack_path or one.name in routed
        ]
        tables = _of_type("AWS::DynamoDB::Table", stack)
        gateways = _of_type("AWS::Serverless::Api", stack)
        found = tuple(_function(function) for function in functions)
    except Exception as error:
        raise UsageError(
            f"{path} cannot be read as a SAM template: {error}", "`sam validate --lint` says more"
        ) from error
    # samcli returns methods in a set; the printed routes need a fixed order.
    found_routes = sorted((route.path, method, route.function_name) for route in api.routes for method in route.methods)
    routes = {f"{method} {route}": function for route, method, function in found_routes}
    if not routes:
        raise UsageError(f"{path} has no function with an Api event", "requests cannot reach any function")
    gateway = next(iter(gateways.values()), {})
    return Template(
        path=path,
        functions=found,
        routes=routes,
        api_name=str(gateway.get("Name", STACK["AWS::StackName"])),
        stage=str(api.stage_name or "Prod"),
        traced=bool(gateway.get("TracingEnabled", False)),
        sampling=_sampling(_of_type("AWS::XRay::SamplingRule", stack)),
        collected=any("//localhost" in function.environment.get(COLLECTOR, "") for function in found),
        direct=any(
            function.environment.get("LAMBDA_LATENCY_EXPORT") == "otlp"
            or "//xray." in function.environment.get(COLLECTOR, "")
            for function in found
        ),
        tables=tuple(_table(name, properties) for name, properties in tables.items()),
        api=api,
        notes=tuple(f"{path}: {one}" for one in decided.undecided),
    )


def built_folders(path: Path, kind: str, key: str) -> dict[str, Path]:
    """The content folders of a built template's resources of one type, by logical id; empty without a template."""
    from samcli.yamlhelper import yaml_parse

    if not path.exists():
        return {}
    resources = yaml_parse(path.read_text()).get("Resources") or {}
    return {name: path.parent / str(one["Properties"][key]) for name, one in resources.items() if one["Type"] == kind}


def gateway_app(template: Template, invoke: Callable[[str, bytes], str]) -> Callable[..., Any]:
    """A WSGI application that turns requests into REST events and Lambda's answers into responses.

    `invoke` receives a function's name and an event, and returns the payload; it runs on the request's thread.
    """
    from samcli.lib.utils.stream_writer import StreamWriter
    from samcli.local.apigw.local_apigw_service import LocalApigwService

    api, names = with_identifiers(template.api)

    class Runner:
        def is_debugging(self) -> bool:
            return False

        def invoke(self, function_name: str, event: str, stdout: Any = None, **_: Any) -> None:
            event = restored(event, names) if names else event
            stdout.write_str(invoke(function_name, event.encode()))

    logging.getLogger("samcli").setLevel(logging.CRITICAL)  # its log repeats what the response contains
    service = LocalApigwService(api, Runner(), port=0, host="127.0.0.1", stderr=StreamWriter(StringIO()))
    service.create()
    return service._app  # type: ignore[no-any-return]


def _rooted(raw: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A template with absolute paths of nested templates, which samcli looks for in the current folder otherwise."""
    for one in raw["Resources"].values():
        properties = one.get("Properties") if isinstance(one, dict) else None
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
    """The properties of the resources of one type, by logical id."""
    return {name: one["Properties"] for name, one in stack.resources.items() if one["Type"] == kind}


def _sampling(rules: Mapping[str, Mapping[str, Any]]) -> tuple[int, float]:
    for rule in rules.values():
        return int(rule["SamplingRule"]["ReservoirSize"]), float(rule["SamplingRule"]["FixedRate"])
    return X_RAYS_OWN


def _table(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    wanted = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    return {"TableName": properties.get("TableName", name), **{k: properties[k] for k in wanted if k in properties}}


def _check_parameters(declared: Mapping[str, Any], given: Mapping[str, str], path: Path) -> None:
    for name, value in given.items():
        if name not in declared:
            hint = did_you_mean(name, declared, f"it has {', '.join(declared)}")
            raise UsageError(f"{path} has no parameter {name}", hint)
        allowed = declared[name].get("AllowedValues")
        if allowed and value not in map(str, allowed):
            raise UsageError(
                f"{name} must be one of {', '.join(map(str, allowed))}, got {value!r}", f"{path} allows no other value"
            )
