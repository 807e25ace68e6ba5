"""Selects how a function is traced: by the kit, by the start-up of ADOT's layer, or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lambda_latency.layer import WRAPPER
from lambda_latency.local.app.prepare.packages import Packages
from lambda_latency.local.app.read.app import App
from lambda_latency.local.app.read.declared import Declared
from lambda_latency.local.errors import LocalError
from lambda_latency.pythons import Version

How = Literal["kit", "layer", "none"]

EXEC_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
ADOT = "/opt/otel-instrument"
# The wrappers of an app that has adopted the kit: in a layer, or in a copy beside its code.
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


def starting_themselves(app: App) -> list[str]:
    """The keys of the functions that start OpenTelemetry by their template: `How` does not change them."""
    declared = [one for one in app.functions.values() if isinstance(one, Declared)]
    return [one.key for one in declared if app.is_example or one.wrapper == ADOT or one.wrapper.endswith(KIT)]


def instrumentation(
    declared: Declared, how: How, packages: Packages, version: Version, folders: Sequence[Path]
) -> Instrumentation:
    """The instrumentation of a function whose code and layers are in `folders`, the code first.

    A function with its own exec wrapper keeps it. Raises `LocalError` if that wrapper is missing or not executable.
    """
    by_layer = declared.wrapper == ADOT or (how == "layer" and not declared.wrapper)
    if by_layer:
        own = {EXEC_WRAPPER: ADOT} if declared.wrapper else {EXEC_WRAPPER: ADOT, **BY_LAYER}
        return Instrumentation(declared.handler, own, (), (packages.tracing(version),))
    adopted = declared.wrapper.endswith(KIT)
    if not adopted and declared.wrapper:
        _check(declared.wrapper, folders)
    if not adopted and how != "kit":
        return Instrumentation(declared.handler)
    kit = packages.kit(version)
    paths = (kit / "python", packages.tracing(version))
    if adopted or not declared.wrapper:
        return Instrumentation(declared.handler, {EXEC_WRAPPER: f"/opt/{WRAPPER}"}, (kit,), paths)
    # Lambda starts the function's own wrapper, so the handler must start the kit.
    variables = {"LAMBDA_LATENCY_HANDLER": declared.handler}
    return Instrumentation(BOOTSTRAP, variables, (kit,), paths)


def _check(wrapper: str, folders: Sequence[Path]) -> None:
    code, *layers = folders
    roots = {"/var/task/": [code], "/opt/": layers}
    found = [
        folder / wrapper.removeprefix(prefix)
        for prefix, inside in roots.items()
        if wrapper.startswith(prefix)
        for folder in inside
        if (folder / wrapper.removeprefix(prefix)).is_file()
    ]
    if not found:
        raise LocalError(f"its {EXEC_WRAPPER} is {wrapper}, which no local layer has", "add the layer that has it")
    if not os.access(found[-1], os.X_OK):
        raise LocalError(f"its {EXEC_WRAPPER} {found[-1]} is not executable", f"chmod +x {found[-1]}")
