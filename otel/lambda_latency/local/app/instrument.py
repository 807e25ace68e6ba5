"""How a function is traced: by the kit, by the start-up of ADOT's layer, or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lambda_latency.layer import WRAPPER
from lambda_latency.local.app.declared import Declared
from lambda_latency.local.app.packages import Packages
from lambda_latency.local.app.pythons import Version
from lambda_latency.local.errors import LocalError

__all__ = ["How", "Instrumentation", "instrumentation"]

How = Literal["kit", "layer", "none"]

EXEC_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
ADOT = "/opt/otel-instrument"
# An app that has adopted the kit starts it itself: by its layer, or by a copy beside its code.
KIT = ("lambda-latency/wrapper", "lambda_latency/runtime/wrapper")
BOOTSTRAP = "lambda_latency.runtime.bootstrap.handler"  # calls the one that LAMBDA_LATENCY_HANDLER names
# As the example's template has them. Application Signals would want an agent of CloudWatch's.
BY_LAYER = {
    "OTEL_PYTHON_DISTRO": "aws_distro",
    "OTEL_PYTHON_CONFIGURATOR": "aws_configurator",
    "OTEL_PROPAGATORS": "xray",
    "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": "false",
}


@dataclass(frozen=True, slots=True)
class Instrumentation:
    """What a function gets besides what is its own. `handler` is the one that its runtime starts."""

    handler: str
    variables: dict[str, str] = field(default_factory=dict)
    layers: tuple[Path, ...] = ()
    paths: tuple[Path, ...] = ()


def instrumentation(
    declared: Declared, how: How, packages: Packages, version: Version, folders: Sequence[Path]
) -> Instrumentation:
    """For a function whose code and layers lie in `folders`, the code first.

    A function with an exec wrapper of its own keeps it. Raises `LocalError` where that is not there.
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
    # Its own wrapper is the one that Lambda starts, so the kit is started by the handler.
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
        raise LocalError(f"its {EXEC_WRAPPER} is {wrapper}, which no layer here has", "add the layer that has it")
    if not os.access(found[-1], os.X_OK):
        raise LocalError(f"its {EXEC_WRAPPER} {found[-1]} is not executable", f"chmod +x {found[-1]}")
