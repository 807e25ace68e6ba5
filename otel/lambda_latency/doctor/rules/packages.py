"""Rules about packages: a function's packages that clash with a layer's, and second tracers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lambda_latency.adot import PYTHON
from lambda_latency.doctor.app import App
from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Issue, function_rule
from lambda_latency.doctor.function import KIT_WRAPPER, OTEL_WRAPPERS, Fn, Layer
from lambda_latency.doctor.source import installed_in
from lambda_latency.template import imports_in

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
TRACERS = (
    "aws_lambda_powertools.Tracer",
    "aws_lambda_powertools.tracing",
    "aws_lambda_powertools.tracing.Tracer",
)
TRACER_PACKAGES = frozenset(("aws-xray-sdk", "aws-lambda-powertools[tracer]"))
# https://github.com/aws-observability/aws-otel-python-instrumentation/issues/823 (2026-07-17)
EVENTS_GONE, EVENTS_ERROR = (1, 44), "ImportError: _OTEL_PYTHON_EVENT_LOGGER_PROVIDER"


@function_rule(
    "packages-clash", ERROR, "The function's packages override the layer's: tracing fails at init or at the first call."
)
def clash(app: App, fn: Fn) -> Iterator[Issue]:
    """The layer's OpenTelemetry packages require each other's exact versions. `/var/task` comes before `/opt/python`
    on `sys.path`, so a package of another version in the artifact replaces only that one. The check compares
    requirements, and the packages that `sam build` installed, with those of the layer in use.
    """
    layer = _adot_layer(fn)
    if layer is not None:
        yield from clashes(app, fn, layer, app.packages_in(layer) or {})


def clashes(app: App, fn: Fn, layer: Layer, packages: Mapping[str, str]) -> Iterator[Issue]:
    """The packages of a function that are in a layer in other versions."""
    versions = PYTHON.releases[-1].packages
    for package in _own_packages(app, fn, versions):
        name, right = package.name, packages.get(package.name, package.version)
        if package.version != right:
            release = f" (ADOT {layer.release.version})" if layer.release is not None else ""
            where = f"{layer.name}:{layer.version}{release}"
            problem = f"{name} {package.version} is in {fn.name}, but {right} is in {where}"
            # A package that fails with an older layer
            is_broken = _numbers(right) < EVENTS_GONE <= _numbers(package.version)
            if fn.wrapper in OTEL_WRAPPERS and is_broken:
                problem += f"; the layer's set-up fails ({EVENTS_ERROR}), the function runs on, and nothing is traced"
            todo = f"remove {name} from the function's packages (make it a development requirement), or pin {right}"
            yield Issue(problem, todo, package.line, package.path)


@function_rule(
    "packages-refused", ERROR, "The function's package overrides the layer's, whose packages refuse the version."
)
def refused(app: App, fn: Fn) -> Iterator[Issue]:
    """OpenTelemetry's packages in the layer require others, such as protobuf. `/var/task` comes before `/opt/python`,
    so a function's own version is used. The check compares pinned and installed versions.
    """
    layer = _adot_layer(fn)
    if layer is None:
        return
    for package in _own_packages(app, fn, REQUIRED):
        bounds, by = REQUIRED[package.name]
        numbers = _numbers(package.version)
        if numbers and not _is_within(numbers, bounds):
            problem = f"{package.name} {package.version} is in {fn.name}, but {by} of {layer.name} requires {bounds}"
            todo = f"pin a version within {bounds}, or remove it from the function's packages"
            yield Issue(problem, todo, package.line, package.path)


@function_rule("packages-unknown", NOTE, "A package that clashes with the layer's would not be found.")
def unknown(app: App, fn: Fn) -> Iterator[Issue]:
    """No source tells which release a version of ADOT's layer is, or the version is decided at deployment. The function
    has packages that the layer has, too. With `--online` the check asks Lambda for the layer's.
    """
    layer = _adot_layer(fn)
    if layer is None or app.packages_in(layer) is not None:
        return
    package = next(_own_packages(app, fn, PYTHON.releases[-1].packages), None)
    if package is not None:
        where = f"{layer.name}:{layer.version} of {layer.region}" if layer.number else f"{layer.name} of this stack"
        problem = f"{fn.name} has {package.name} {package.version}, and the packages in {where} are not known"
        yield Issue(problem, "lambda-latency doctor --online asks Lambda for them", package.line, package.path)


@dataclass(frozen=True, slots=True)
class Package:
    """One of a function's own packages, and where it is named."""

    name: str
    version: str
    line: int
    path: str


def _adot_layer(fn: Fn) -> Layer | None:
    """The function's layer of ADOT for Python; None without one, and for a container image."""
    return fn.layer("adot") if fn.has_adot_python and not fn.is_image else None


def _own_packages(app: App, fn: Fn, names: Iterable[str]) -> Iterator[Package]:
    """A function's own packages of these names, those that are installed or required."""
    built = app.built(fn)
    requirements = {line.name: line for line in app.requirements(fn)}
    installed = installed_in(built) if built is not None else {}
    for name in names:
        line = requirements.get(name)
        bound = line.bound.removeprefix("==") or "any version" if line is not None else ""
        version = installed.get(name) or bound
        if version and line is not None:
            yield Package(name, version, line.line, line.path)
        elif version:
            yield Package(name, version, fn.line, app.name)


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


@function_rule("second-tracer", WARNING, "Calls are recorded twice, in two trees, and both recordings take time.")
def second_tracer(app: App, fn: Fn) -> Iterator[Issue]:
    """The X-Ray SDK and Powertools' Tracer patch the same libraries as OpenTelemetry. With
    `LAMBDA_LATENCY_XRAY_SDK=bridge` the kit records their spans.
    """
    if fn.wrapper == KIT_WRAPPER and fn.variable("LAMBDA_LATENCY_XRAY_SDK") == "bridge":
        return  # the bridge provides the modules of the SDK's name
    if not fn.is_instrumented or any(fn.variable(name).lower() in values for name, values in OFF.items()):
        return
    imported = list(_imported_tracers(app, fn))
    yield from imported
    for line in app.requirements(fn) if not imported else ():
        if not TRACER_PACKAGES.isdisjoint((line.name, *(f"{line.name}[{extra}]" for extra in line.extras))):
            problem = f"{line.name} is required, but {fn.wrapper} starts OpenTelemetry"
            yield Issue(problem, "remove it once no code imports it", line.line, line.path)


def _imported_tracers(app: App, fn: Fn) -> Iterator[Issue]:
    todo = "set LAMBDA_LATENCY_XRAY_SDK to bridge, or " if fn.wrapper == KIT_WRAPPER else ""
    todo += "remove it: OpenTelemetry records the calls automatically"
    for source in app.sources(fn):
        tracers: dict[int, str] = {}
        for line, module, names in imports_in(source.tree):
            for name in [f"{module}.{name}" for name in names] or [module]:
                if name.partition(".")[0] == "aws_xray_sdk" or name in TRACERS:
                    tracers.setdefault(line, name)
        for line, name in tracers.items():
            problem = f"{name} is imported, but {fn.wrapper} starts OpenTelemetry"
            yield Issue(problem, todo, source.line_offset + line, source.path)
