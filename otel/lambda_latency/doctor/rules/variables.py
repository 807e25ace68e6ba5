"""Rules about names and values of environment variables that are accepted without a word and change what is traced."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from lambda_latency.doctor.app import App
from lambda_latency.doctor.finding import ERROR, WARNING, Found, rule
from lambda_latency.doctor.function import Fn
from lambda_latency.runtime.settings import SETTINGS, STANDARD
from lambda_latency.spelling import nearest_names
from lambda_latency.variables import COMMAND, PREFIX, runtime_names, variable_of

TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
NAMES = Path(__file__).parents[1] / "variables.txt"  # of the packages of the pinned layer
# Names that the layers' own programs read, and not the packages.
OF_LAYERS = ("OTEL_AWS_LAMBDA_FAST_START", "OPENTELEMETRY_COLLECTOR_CONFIG_URI", "OPENTELEMETRY_EXTENSION_LOG_LEVEL")
FORMER = {
    "OPENTELEMETRY_COLLECTOR_CONFIG_FILE": "OPENTELEMETRY_COLLECTOR_CONFIG_URI",
    "OTEL_AWS_APP_SIGNALS_ENABLED": "OTEL_AWS_APPLICATION_SIGNALS_ENABLED",
    "OTEL_AWS_APP_SIGNALS_EXPORTER_ENDPOINT": "OTEL_AWS_APPLICATION_SIGNALS_EXPORTER_ENDPOINT",
}
OF_THE_COMMAND = frozenset(variable_of(one.setting) for one in COMMAND)
ALIKE = 0.9  # at least, of a name that is taken for another one
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
RESERVED = frozenset((
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
))  # fmt: skip
CLOSE = 0.75  # at least, of a value that is taken for another one
BOOLEAN = ("true", "false")
SAMPLERS = ("always_on", "always_off", "traceidratio")
# https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
VALUES = {
    "OTEL_SDK_DISABLED": BOOLEAN,
    "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": BOOLEAN,
    "OTEL_TRACES_EXPORTER": ("otlp", "otlp_proto_http", "otlp_proto_grpc", "console", "zipkin", "none"),
    "OTEL_METRICS_EXPORTER": ("otlp", "otlp_proto_http", "otlp_proto_grpc", "console", "prometheus", "none"),
    "OTEL_LOGS_EXPORTER": ("otlp", "otlp_proto_http", "otlp_proto_grpc", "console", "none"),
    "OTEL_EXPORTER_OTLP_PROTOCOL": ("grpc", "http/protobuf", "http/json"),
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": ("grpc", "http/protobuf", "http/json"),
    "OTEL_EXPORTER_OTLP_COMPRESSION": ("gzip", "deflate", "none"),
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": ("gzip", "deflate", "none"),
    "OTEL_TRACES_SAMPLER": (*SAMPLERS, *(f"parentbased_{one}" for one in SAMPLERS), "xray", "parentbased_xray"),
    "OTEL_PYTHON_DISTRO": ("aws_distro",),
    "OTEL_PYTHON_CONFIGURATOR": ("aws_configurator",),
}
KITS = frozenset(setting.name for setting in STANDARD)  # whose values the rule variable-value reads
TOLD_ELSEWHERE = ("OTEL_PROPAGATORS",)


@cache
def known_names() -> frozenset[str]:
    """The variables of OpenTelemetry, of ADOT's layers and of the kit."""
    return frozenset((*NAMES.read_text("utf-8").split(), *OF_LAYERS, *runtime_names()))


@rule("variable-reserved", ERROR, "The deployment fails: Lambda sets the variable itself.")
def reserved(app: App) -> Iterator[Found]:
    """Lambda refuses a function whose environment has one of its reserved names."""
    for fn in app.functions:
        for name in sorted(RESERVED & fn.variables.keys()):
            yield Found(app.name, fn.variables[name].line, f"{name} is a variable of Lambda's own", "remove it")


@rule("variable-unknown", WARNING, "The setting has no effect: nothing reads a variable of this name.")
def unknown(app: App) -> Iterator[Found]:
    """A name that begins with `OTEL_`, `OPENTELEMETRY_` or `LAMBDA_LATENCY_` is compared with those that the layer's
    packages and the kit read. Of OpenTelemetry's, the check reports former names and those that resemble a known one;
    of the kit's also those that only the command reads.
    """
    for fn in app.functions:
        for name, node in fn.variables.items():
            meant = _meant(name) if fn.is_instrumented else ""
            if name in OF_THE_COMMAND:
                todo = "remove it here, and set it where the command runs or in lambda-latency.toml"
                yield Found(app.name, node.line, f"{name} is a setting of the command: no function reads it", todo)
            elif meant:
                yield Found(app.name, node.line, f"nothing reads {name}", f"did you mean {meant}?")
            elif fn.has_kit and name.startswith(PREFIX) and name not in known_names():
                yield Found(app.name, node.line, f"{name} is no setting of the kit", "remove it")


def _meant(name: str) -> str:
    """The name that is read in place of this one; empty for a known name, and for one that resembles none."""
    if name in FORMER:
        return FORMER[name]
    if name in known_names() or not name.startswith(("OTEL_", "OPENTELEMETRY_", PREFIX)):
        return ""
    return next(iter(nearest_names(name, known_names() - FORMER.keys(), cutoff=ALIKE)), "")


@rule("variable-value", WARNING, "The kit uses its default in place of the value.")
def value(app: App) -> Iterator[Found]:
    """Values of `LAMBDA_LATENCY_*`, and of the variables of OpenTelemetry that the kit reads, are parsed as in the
    function.
    """
    for fn in app.functions:
        for setting in (*SETTINGS, *STANDARD) if fn.has_kit else ():
            text = fn.variable(setting.name)
            if not text.strip() or setting.name in TOLD_ELSEWHERE:
                continue
            try:
                setting.parse(text)
            except ValueError:
                line = fn.variables[setting.name].line
                yield Found(
                    app.name, line, f"{setting.name} must be {setting.type}", f"the default is {setting.default}"
                )


@rule("variable-misspelt", WARNING, "OpenTelemetry uses its default, or nothing is traced.")
def misspelt(app: App) -> Iterator[Found]:
    """Values of OpenTelemetry's variables that have a few values only. The check reports those that resemble one."""
    for fn in app.functions:
        for name, values in VALUES.items() if fn.is_instrumented else ():
            text = fn.variable(name).strip()
            meant = nearest_names(text.lower(), values, cutoff=CLOSE) if text and text.lower() not in values else ()
            if meant and not (fn.has_kit and name in KITS):
                what = f"{name} is {text!r}, which is none of its values"
                yield Found(app.name, fn.variables[name].line, what, f"did you mean {next(iter(meant))}?")


@rule("tracing-disabled", WARNING, "Nothing is traced, but layers and wrapper are there.")
def disabled(app: App) -> Iterator[Found]:
    """`OTEL_SDK_DISABLED=true` and `OTEL_TRACES_EXPORTER=none` turn tracing off. A condition of the template that
    leaves out the wrapper does the same without the cold start of the layers.
    """
    for fn in app.functions:
        if not fn.is_instrumented:
            continue
        for name, off in (("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")):
            if fn.variable(name).strip().lower() == off:
                what = f"{name} is {off}, so {fn.name} records nothing"
                yield Found(app.name, fn.variables[name].line, what, "remove it, or the layers and the wrapper")


@rule("endpoint-path", ERROR, "Every span is lost: the address answers 404.")
def path(app: App) -> Iterator[Found]:
    """`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is used as it is. `OTEL_EXPORTER_OTLP_ENDPOINT` gets `/v1/traces`
    appended.
    """
    for fn in app.functions:
        address = fn.variable(TRACES)
        if fn.is_instrumented and _is_bare(address) and not _is_ignored(fn):
            todo = f"write {address.rstrip('/')}/v1/traces, or set OTEL_EXPORTER_OTLP_ENDPOINT instead"
            yield Found(app.name, fn.variables[TRACES].line, f"{TRACES} is {address!r}, without a path", todo)


def _is_bare(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.path in ("", "/")


def _is_ignored(fn: Fn) -> bool:
    """Whether spans go by UDP, so that another rule reports the variable."""
    by_kit = fn.has_kit and fn.variable(f"{PREFIX}EXPORT") == "daemon"
    return by_kit or (not fn.has_kit and fn.variable("OTEL_AWS_LAMBDA_FAST_START").lower() == "true")


RULES = (reserved, unknown, value, misspelt, disabled, path)
