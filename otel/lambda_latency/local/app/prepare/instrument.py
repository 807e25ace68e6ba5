"""Selects how a function is traced: by the kit, by the start-up of ADOT's layer, or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lambda_latency.layer import WRAPPER
from lambda_latency.local.app.prepare.packages import Packages
from lambda_latency.local.app.read.app import LocalApp
from lambda_latency.local.app.read.declared import Declared
from lambda_latency.local.errors import LocalError
from lambda_latency.pythons import Version

TracingMode = Literal["kit", "layer", "none"]

EXEC_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
ENDPOINT, EXPORT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "LAMBDA_LATENCY_EXPORT"
ADOT = "/opt/otel-instrument"
# The wrappers of an app that has adopted the kit: in a layer, or in a copy next to its code.
KIT = ("lambda-latency/wrapper", "lambda_latency/runtime/wrapper")
BOOTSTRAP = "lambda_latency.runtime.bootstrap.handler"  # calls the handler in LAMBDA_LATENCY_HANDLER
# The same as in the example's template. Application Signals would need CloudWatch's agent.
BY_LAYER = {
    "OTEL_PYTHON_DISTRO": "aws_distro",
    "OTEL_PYTHON_CONFIGURATOR": "aws_configurator",
    "OTEL_PROPAGATORS": "xray",
    "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": "false",
}


@dataclass(frozen=True, slots=True)
class Instrumentation:
    """What tracing adds to a function. `handler` is the handler that its runtime starts."""

    handler: str
    variables: dict[str, str] = field(default_factory=dict)
    layers: tuple[Path, ...] = ()
    paths: tuple[Path, ...] = ()


def starting_themselves(app: LocalApp) -> list[str]:
    """Return the keys of functions that start OpenTelemetry by their template: `TracingMode` does not change them."""
    return [f.key for f in app.declared if starts_itself(f)]


def starts_itself(declared: Declared) -> bool:
    """Return whether a function starts OpenTelemetry by its exec wrapper."""
    return declared.wrapper == ADOT or declared.wrapper.endswith(KIT)


def export_of(app: LocalApp) -> str:
    """Return how an app sends its spans by its template: to a `collector` beside the functions, to X-Ray's `endpoint`
    or to Lambda's `daemon`; empty for an app whose functions do not start OpenTelemetry themselves.
    """
    starting = [f.variables for f in app.declared if starts_itself(f)]
    endpoints = [str(variables.get(ENDPOINT)) for variables in starting]
    if any("//localhost" in endpoint for endpoint in endpoints):
        return "collector"
    if any("//xray." in endpoint for endpoint in endpoints) or any(v.get(EXPORT) == "otlp" for v in starting):
        return "endpoint"
    return "daemon" if starting else ""


def instrumentation(
    declared: Declared, how: TracingMode, packages: Packages, version: Version, folders: Sequence[Path]
) -> Instrumentation:
    """Return the instrumentation of a function whose code and layers are in `folders`, the code first.

    A function with its own exec wrapper keeps it. Raises `LocalError` if that wrapper is missing or not executable.
    """
    by_layer = declared.wrapper == ADOT or (how == "layer" and not declared.wrapper)
    if by_layer:
        by_wrapper = {EXEC_WRAPPER: ADOT} if declared.wrapper else {EXEC_WRAPPER: ADOT, **BY_LAYER}
        return Instrumentation(declared.handler, by_wrapper, (), (packages.tracing(version),))
    adopted = declared.wrapper.endswith(KIT)
    if not adopted:
        _check(declared.wrapper, folders)
        if how != "kit":
            return Instrumentation(declared.handler)
    kit = packages.kit(version)
    paths = (kit / "python", packages.tracing(version))
    if adopted or not declared.wrapper:
        return Instrumentation(declared.handler, {EXEC_WRAPPER: f"/opt/{WRAPPER}"}, (kit,), paths)
    # Lambda starts the function's own wrapper, so the handler must start the kit.
    variables = {"LAMBDA_LATENCY_HANDLER": declared.handler}
    return Instrumentation(BOOTSTRAP, variables, (kit,), paths)


def _check(wrapper: str, folders: Sequence[Path]) -> None:
    if not wrapper:
        return
    code, *layers = folders
    paths: list[Path] = []
    if wrapper.startswith("/var/task/"):
        paths = [code / wrapper.removeprefix("/var/task/")]
    elif wrapper.startswith("/opt/"):
        paths = [layer / wrapper.removeprefix("/opt/") for layer in layers]
    files = [path for path in paths if path.is_file()]
    if not files:
        raise LocalError(f"its {EXEC_WRAPPER} is {wrapper}, which no local layer has", "add the layer that has it")
    if not os.access(files[-1], os.X_OK):
        raise LocalError(f"its {EXEC_WRAPPER} {files[-1]} is not executable", f"chmod +x {files[-1]}")
