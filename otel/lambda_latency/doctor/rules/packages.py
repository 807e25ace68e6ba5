"""Rules about packages: a function's packages that clash with a layer's, and second tracers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lambda_latency.adot import PYTHON
from lambda_latency.doctor.app import App
from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Found, rule
from lambda_latency.doctor.function import KIT_WRAPPER, OTEL_WRAPPERS, Fn
from lambda_latency.doctor.layer import Layer
from lambda_latency.doctor.source import installed_in

# What the layer's packages of OpenTelemetry require besides each other: bounds, and the package that requires them.
REQUIRED = {
    "googleapis-common-protos": (">=1.57,<2.0", "opentelemetry-exporter-otlp-proto-grpc"),
    "packaging": (">=18.0", "opentelemetry-instrumentation"),
    "protobuf": (">=5.0,<8.0", "opentelemetry-proto"),
    "requests": (">=2.7,<3.0", "opentelemetry-exporter-otlp-proto-http"),
    "typing-extensions": (">=4.5.0", "opentelemetry-api"),
    "wrapt": (">=1.0.0,<3.0.0", "opentelemetry-instrumentation"),
}
OFF = {"POWERTOOLS_TRACE_DISABLED": ("1", "true"), "AWS_XRAY_SDK_ENABLED": ("false",)}
# https://github.com/aws-observability/aws-otel-python-instrumentation/issues/823 (2026-07-17)
EVENTS_GONE, EVENTS_ERROR = (1, 44), "ImportError: _OTEL_PYTHON_EVENT_LOGGER_PROVIDER"


@rule(
    "packages-clash", ERROR, "The function's packages override the layer's: tracing fails at init or at the first call."
)
def clash(app: App) -> Iterator[Found]:
    """The layer's OpenTelemetry packages require each other's exact versions. `/var/task` comes before `/opt/python`
    on `sys.path`, so a package of another version in the artifact replaces only that one. The check compares
    requirements, and the packages that `sam build` installed, with those of the layer in use.
    """
    for fn, layer in _beside_a_layer(app):
        yield from clashes(app, fn, layer, app.packages_in(layer) or {})


def clashes(app: App, fn: Fn, layer: Layer, packages: Mapping[str, str]) -> Iterator[Found]:
    """The packages of a function that are in a layer in other versions."""
    carried = _carried(app, fn)
    for name, right in packages.items():
        if name in carried and carried[name].version != right:
            one = carried[name]
            release = f" (ADOT {layer.release.version})" if layer.release is not None else ""
            what = f"{name} {one.version} is in {fn.name}, but {right} is in {layer.name}:{layer.version}{release}"
            if fn.wrapper in OTEL_WRAPPERS and _breaks(one.version, right):
                what += f"; the layer's set-up fails ({EVENTS_ERROR}), the function runs on, and nothing is traced"
            todo = f"remove {name} from the function's packages (make it a development requirement), or pin {right}"
            yield Found(one.path, one.line, what, todo)


@rule("packages-refused", ERROR, "The function's package overrides the layer's, whose packages refuse the version.")
def refused(app: App) -> Iterator[Found]:
    """OpenTelemetry's packages in the layer require others, such as protobuf. `/var/task` comes before `/opt/python`,
    so a function's own version is used. The check compares pinned and installed versions.
    """
    for fn, layer in _beside_a_layer(app):
        for one in _own(app, fn, REQUIRED):
            bounds, by = REQUIRED[one.name]
            if _numbers(one.version) and not _is_within(_numbers(one.version), bounds):
                what = f"{one.name} {one.version} is in {fn.name}, but {by} of {layer.name} requires {bounds}"
                todo = f"pin a version within {bounds}, or remove it from the function's packages"
                yield Found(one.path, one.line, what, todo)


@rule("packages-unknown", NOTE, "A package that clashes with the layer's would not be found.")
def unknown(app: App) -> Iterator[Found]:
    """No source tells which release a version of ADOT's layer is, or the version is decided at deployment. The function
    has packages that the layer has, too. With `--online` the check asks Lambda for the layer's.
    """
    for fn, layer in _beside_a_layer(app):
        carried = _carried(app, fn) if app.packages_in(layer) is None else {}
        for one in list(carried.values())[:1]:
            where = f"{layer.name}:{layer.version} of {layer.region}" if layer.number else f"{layer.name} of this stack"
            what = f"{fn.name} has {one.name} {one.version}, and the packages in {where} are not known"
            yield Found(one.path, one.line, what, "lambda-latency doctor --online asks Lambda for them")


@dataclass(frozen=True, slots=True)
class _Carried:
    """A package of OpenTelemetry among a function's own, and where it is named."""

    name: str
    version: str
    path: str
    line: int


def _beside_a_layer(app: App) -> Iterator[tuple[Fn, Layer]]:
    """Each function that has ADOT's layer for Python, and the layer."""
    for fn in app.functions:
        layer = fn.layer("adot")
        if layer is not None and fn.has_adot_python and not fn.is_image:
            yield fn, layer


def _carried(app: App, fn: Fn) -> dict[str, _Carried]:
    """A function's own packages that ADOT's layer has, too, by name."""
    return {one.name: one for one in _own(app, fn, PYTHON.releases[-1].packages)}


def _own(app: App, fn: Fn, names: Iterable[str]) -> Iterator[_Carried]:
    """A function's own packages of these names."""
    built = app.built(fn)
    lines = {one.name: one for one in app.requirements(fn)}
    installed = installed_in(built) if built is not None else {}
    for name in names:
        line = lines.get(name)
        version = installed.get(name) or (line.bound.removeprefix("==") or "any version" if line is not None else "")
        if version:
            path, number = (line.path, line.line) if line is not None else (app.name, fn.line)
            yield _Carried(name, version, path, number)


def _breaks(version: str, right: str) -> bool:
    """Whether a package is beside an older layer that is known to fail then."""
    return _numbers(right) < EVENTS_GONE <= _numbers(version)


def _is_within(version: tuple[int, ...], bounds: str) -> bool:
    """Whether a version is within bounds such as `>=5.0,<8.0`."""
    for bound in bounds.split(","):
        at_least = bound.startswith(">=")
        limit = _numbers(bound.lstrip("<>="))
        size = max(len(version), len(limit))
        if (version + (0,) * (size - len(version)) < limit + (0,) * (size - len(limit))) is at_least:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version; empty for a bound such as `>=1.2`, whose version is not known."""
    return tuple(map(int, version.split("."))) if re.fullmatch(r"[0-9]+(\.[0-9]+)+", version) else ()


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


RULES = (clash, refused, unknown, second_tracer)
