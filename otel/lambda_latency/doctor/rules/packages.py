"""Rules about packages: a function's packages that clash with a layer's, and second tracers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lambda_latency.doctor.app import App
from lambda_latency.doctor.facts import ADOT_PACKAGES, ADOT_PYTHON
from lambda_latency.doctor.finding import ERROR, WARNING, Found, rule
from lambda_latency.doctor.function import KIT_WRAPPER, Fn
from lambda_latency.doctor.source import installed_in

__all__ = ["RULES"]

OFF = {"POWERTOOLS_TRACE_DISABLED": ("1", "true"), "AWS_XRAY_SDK_ENABLED": ("false",)}


@rule(
    "packages-clash", ERROR, "The function's packages override the layer's: tracing fails at init or at the first call."
)
def clash(app: App) -> Iterator[Found]:
    """The layer's OpenTelemetry packages require each other's exact versions. `/var/task` comes before `/opt/python`
    on `sys.path`, so a package of another version in the artifact replaces only that one. The check reads
    requirements and the packages that `sam build` installed.
    """
    for fn in app.functions:
        layer = fn.layer("adot")
        if layer is None or not fn.has_adot_python or fn.is_image or _is_older(layer.region, layer.version):
            continue
        built = app.built(fn)
        lines = {one.name: one for one in app.requirements(fn)}
        installed = installed_in(built) if built is not None else {}
        for name, right in ADOT_PACKAGES.items():
            line = lines.get(name)
            has = installed.get(name, "")
            if line is not None and not has:
                has = "" if line.bound == f"=={right}" else line.bound.removeprefix("==") or "any version"
            if has and has != right:
                place = (line.path, line.line) if line is not None else (app.name, fn.line)
                what = f"{name} {has} is in {fn.name}, but {right} is in the layer"
                yield Found(
                    *place,
                    what,
                    f"remove {name} from the function's packages (make it a development requirement), or pin {right}",
                )


def _is_older(region: str, version: str) -> bool:
    """Whether a layer is older than the version whose packages are known."""
    return version.isdecimal() and int(version) < ADOT_PYTHON.get(region, 0)


@rule("second-tracer", WARNING, "Calls are recorded twice, in two trees, and both recordings take time.")
def second_tracer(app: App) -> Iterator[Found]:
    """The X-Ray SDK and Powertools' Tracer patch the same libraries as OpenTelemetry. With
    `LAMBDA_LATENCY_XRAY_SDK=bridge` the kit records their spans.
    """
    for fn in app.functions:
        if fn.wrapper == KIT_WRAPPER and fn.variable("LAMBDA_LATENCY_XRAY_SDK") == "bridge":
            continue  # the bridge provides the modules of the SDK's name
        if not fn.is_instrumented or any(fn.variable(name).lower() in values for name, values in OFF.items()):
            continue
        imported = list(_imports(app, fn))
        yield from imported
        for line in app.requirements(fn) if not imported else ():
            if line.name == "aws-xray-sdk" or (line.name == "aws-lambda-powertools" and "tracer" in line.extras):
                what = f"{line.name} is required, but {fn.wrapper} starts OpenTelemetry"
                yield Found(line.path, line.line, what, "remove it once no code imports it")


def _imports(app: App, fn: Fn) -> Iterator[Found]:
    for source in app.sources(fn):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Import):
                names = [one.name for one in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [f"{node.module}.{one.name}" for one in node.names]
            else:
                continue
            tracer = next((one for one in names if _is_tracer(one)), None)
            if tracer is not None:
                what = f"{tracer} is imported, but {fn.wrapper} starts OpenTelemetry"
                todo = "set LAMBDA_LATENCY_XRAY_SDK to bridge, or " if fn.wrapper == KIT_WRAPPER else ""
                todo += "remove it: OpenTelemetry records the calls automatically"
                yield Found(source.path, source.line(node), what, todo)


def _is_tracer(name: str) -> bool:
    return name.partition(".")[0] == "aws_xray_sdk" or name in (
        "aws_lambda_powertools.Tracer", "aws_lambda_powertools.tracing.Tracer", "aws_lambda_powertools.tracing"
    )  # fmt: skip


RULES = (clash, second_tracer)
