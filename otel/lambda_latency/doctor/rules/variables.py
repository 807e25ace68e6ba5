"""Rules about names and values of environment variables that are accepted without a word and change what is traced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from lambda_latency.doctor.app import App
from lambda_latency.doctor.finding import ERROR, WARNING, Issue, function_rule
from lambda_latency.doctor.function import EXPORT, TRACES_ENDPOINT, Fn
from lambda_latency.doctor.rules.wrappers import DISTRO, configures_sdk
from lambda_latency.doctor.rules.wrappers import PROTOCOLS as OTLP_PROTOCOLS
from lambda_latency.runtime.settings import SETTINGS, STANDARD
from lambda_latency.spelling import nearest_names
from lambda_latency.variables import COMMAND, PREFIX, runtime_names, variable_of

NAMES = Path(__file__).parents[1] / "variables.txt"  # of the packages of the pinned layer
# Names that the layers' own programs read, and not the packages.
OF_LAYERS = ("OTEL_AWS_LAMBDA_FAST_START", "OPENTELEMETRY_COLLECTOR_CONFIG_URI", "OPENTELEMETRY_EXTENSION_LOG_LEVEL")
FORMER = {
    "OPENTELEMETRY_COLLECTOR_CONFIG_FILE": "OPENTELEMETRY_COLLECTOR_CONFIG_URI",
    "OTEL_AWS_APP_SIGNALS_ENABLED": "OTEL_AWS_APPLICATION_SIGNALS_ENABLED",
    "OTEL_AWS_APP_SIGNALS_EXPORTER_ENDPOINT": "OTEL_AWS_APPLICATION_SIGNALS_EXPORTER_ENDPOINT",
}
OF_THE_COMMAND = frozenset(variable_of(setting.setting) for setting in COMMAND)
ALIKE = 0.9  # at least, of a name that is taken for another one
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
RESERVED = frozenset([
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
])  # fmt: skip
CLOSE = 0.75  # at least, of a value that is taken for another one
BOOLEAN = ("true", "false")
EXPORTERS = ("otlp", "otlp_proto_http", "otlp_proto_grpc", "console")
PROTOCOLS = ("grpc", "http/protobuf", "http/json")
COMPRESSIONS = ("gzip", "deflate", "none")
SAMPLERS = ("always_on", "always_off", "traceidratio", "xray")
# https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
VALUES = {
    "OTEL_SDK_DISABLED": BOOLEAN,
    "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": BOOLEAN,
    "OTEL_TRACES_EXPORTER": (*EXPORTERS, "zipkin", "none"),
    "OTEL_METRICS_EXPORTER": (*EXPORTERS, "prometheus", "none"),
    "OTEL_LOGS_EXPORTER": (*EXPORTERS, "none"),
    "OTEL_EXPORTER_OTLP_PROTOCOL": PROTOCOLS,
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": PROTOCOLS,
    "OTEL_EXPORTER_OTLP_COMPRESSION": COMPRESSIONS,
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": COMPRESSIONS,
    "OTEL_TRACES_SAMPLER": (*SAMPLERS, *(f"parentbased_{name}" for name in SAMPLERS)),
    "OTEL_PYTHON_DISTRO": ("aws_distro",),
    "OTEL_PYTHON_CONFIGURATOR": ("aws_configurator",),
}
KITS = frozenset(setting.name for setting in STANDARD)  # whose values the rule variable-value reads
TOLD_ELSEWHERE = ("OTEL_PROPAGATORS",)
# Begins of the names that the instrumentations and OpenTelemetry's API read under the kit, and of harmless ones
READ = (
    "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME", "OTEL_SEMCONV_STABILITY_OPT_IN", "OTEL_INSTRUMENTATION_",
    "OTEL_PYTHON_CONTEXT", "OTEL_PYTHON_INSTRUMENTATION_", "OTEL_PYTHON_GRPC_EXCLUDED_SERVICES",
    "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", "OTEL_LOG_LEVEL", *DISTRO, *OTLP_PROTOCOLS,
)  # fmt: skip
# Of the settings of requests, which the kit reads for a collector or a backend alone
OF_REQUESTS = re.compile(r"OTEL_EXPORTER_OTLP_(TRACES_)?(HEADERS|COMPRESSION|CERTIFICATE)")
# What to do instead, by the begin of a name
INSTEAD = (
    ("OTEL_TRACES_SAMPLER", "remove it, and write an X-Ray sampling rule: Lambda's decision counts"),
    ("OTEL_BSP_", "set LAMBDA_LATENCY_BUFFERED_SPANS or LAMBDA_LATENCY_FLUSH_MS"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "set LAMBDA_LATENCY_FLUSH_MS"),
    ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "set LAMBDA_LATENCY_FLUSH_MS"),
    ("OTEL_EXPORTER_OTLP_CLIENT_", "send to a collector that has the certificate"),
    ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_", "send to a collector that has the certificate"),
    ("OTEL_ATTRIBUTE_COUNT_LIMIT", "set OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"),
    ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "set OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
)
OFF = ("none", "false")


@cache
def known_names() -> frozenset[str]:
    """The variables of OpenTelemetry, of ADOT's layers and of the kit."""
    return frozenset((*NAMES.read_text("utf-8").split(), *OF_LAYERS, *runtime_names()))


@function_rule("variable-reserved", ERROR, "The deployment fails: Lambda sets the variable itself.")
def reserved(_: App, fn: Fn) -> Iterator[Issue]:
    """Lambda refuses a function whose environment has one of its reserved names."""
    for name in sorted(RESERVED & fn.variables.keys()):
        yield Issue(f"{name} is a variable of Lambda's own", "remove it", fn.variables[name].line)


@function_rule("variable-unknown", WARNING, "The setting has no effect: nothing reads a variable of this name.")
def unknown(_: App, fn: Fn) -> Iterator[Issue]:
    """A name that begins with `OTEL_`, `OPENTELEMETRY_` or `LAMBDA_LATENCY_` is compared with those that the layer's
    packages and the kit read. Of OpenTelemetry's, the check reports former names and those that resemble a known one;
    of the kit's also those that only the command reads.
    """
    for name, node in fn.variables.items():
        meant = _meant(name) if fn.is_instrumented else ""
        if name in OF_THE_COMMAND:
            todo = "remove it here, and set it where the command runs or in lambda-latency.toml"
            yield Issue(f"{name} is a setting of the command: no function reads it", todo, node.line)
        elif meant:
            yield Issue(f"nothing reads {name}", f"did you mean {meant}?", node.line)
        elif fn.has_kit and name.startswith(PREFIX) and name not in known_names():
            yield Issue(f"{name} is no setting of the kit", "remove it", node.line)


def _meant(name: str) -> str:
    """The name that is read in place of this one; empty for a known name, and for one that resembles none."""
    if name in FORMER:
        return FORMER[name]
    if name in known_names() or not name.startswith(("OTEL_", "OPENTELEMETRY_", PREFIX)):
        return ""
    return next(iter(nearest_names(name, known_names() - FORMER.keys(), cutoff=ALIKE)), "")


@function_rule("variable-unread", WARNING, "The setting has no effect on the kit's spans.")
def unread(app: App, fn: Fn) -> Iterator[Issue]:
    """The kit reads OpenTelemetry's variables for endpoint, headers, compression, certificates, propagators, limits and
    disabled instrumentations, and the instrumentations read their own. The check reports other known names, unless
    the value turns something off, or the function sets up the SDK by itself.
    """
    if not fn.has_kit or any(configures_sdk(source) for source in app.sources(fn)):
        return
    for name, node in fn.variables.items():
        if _is_unread(name, fn.variable(EXPORT)) and fn.variable(name).lower() not in OFF:
            todo = next((todo for begin, todo in INSTEAD if name.startswith(begin)), "remove it")
            yield Issue(f"the kit does not read {name}", todo, node.line)


def _is_unread(name: str, export: str) -> bool:
    """Whether a variable of OpenTelemetry has no effect with an export."""
    if OF_REQUESTS.fullmatch(name):
        return export in ("daemon", "otlp")
    is_known = name in known_names() and name.startswith("OTEL_")
    return is_known and name not in KITS and not name.startswith(READ) and not name.endswith("_EXCLUDED_URLS")


@function_rule("variable-value", WARNING, "The kit uses its default in place of the value.")
def value(_: App, fn: Fn) -> Iterator[Issue]:
    """Values of `LAMBDA_LATENCY_*`, and of the variables of OpenTelemetry that the kit reads, are parsed as in the
    function.
    """
    for setting in (*SETTINGS, *STANDARD) if fn.has_kit else ():
        text = fn.variable(setting.name)
        if not text.strip() or setting.name in TOLD_ELSEWHERE:
            continue
        try:
            setting.parse(text)
        except ValueError:
            problem, todo = f"{setting.name} must be {setting.type}", f"the default is {setting.default}"
            yield Issue(problem, todo, fn.variables[setting.name].line)


@function_rule("variable-misspelt", WARNING, "OpenTelemetry uses its default, or nothing is traced.")
def misspelt(_: App, fn: Fn) -> Iterator[Issue]:
    """Values of OpenTelemetry's variables that have a few values only. The check reports those that resemble one.
    Other rules report those of functions with the kit's wrapper.
    """
    for name, values in VALUES.items() if fn.is_instrumented and not fn.has_kit else ():
        text = fn.variable(name).strip()
        if not text or text.lower() in values:
            continue
        for meant in nearest_names(text.lower(), values, cutoff=CLOSE)[:1]:
            problem = f"{name} is {text!r}, which is none of its values"
            yield Issue(problem, f"did you mean {meant}?", fn.variables[name].line)


@function_rule("tracing-disabled", WARNING, "Nothing is traced, but layers and wrapper are there.")
def disabled(_: App, fn: Fn) -> Iterator[Issue]:
    """`OTEL_SDK_DISABLED=true` and `OTEL_TRACES_EXPORTER=none` turn tracing off. A condition of the template that
    leaves out the wrapper does the same without the cold start of the layers.
    """
    for name, off in (("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")):
        if fn.is_instrumented and fn.variable(name).strip().lower() == off:
            problem = f"{name} is {off}, so {fn.name} records nothing"
            yield Issue(problem, "remove it, or the layers and the wrapper", fn.variables[name].line)


@function_rule("endpoint-path", ERROR, "Every span is lost: the address answers 404.")
def path(_: App, fn: Fn) -> Iterator[Issue]:
    """`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is used as it is. `OTEL_EXPORTER_OTLP_ENDPOINT` gets `/v1/traces`
    appended.
    """
    address = fn.variable(TRACES_ENDPOINT)
    # Where spans go by UDP, another rule reports the variable.
    is_ignored = fn.sends_by_udp or (fn.has_kit and fn.variable(EXPORT) == "daemon")
    if fn.is_instrumented and _is_bare(address) and not is_ignored:
        todo = f"write {address.rstrip('/')}/v1/traces, or set OTEL_EXPORTER_OTLP_ENDPOINT instead"
        yield Issue(f"{TRACES_ENDPOINT} is {address!r}, without a path", todo, fn.variables[TRACES_ENDPOINT].line)


def _is_bare(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.path in ("", "/")
