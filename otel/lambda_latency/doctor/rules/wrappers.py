"""Rules about exec wrappers, and about the variables that configure OpenTelemetry."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from urllib.parse import urlsplit

from lambda_latency.doctor.app import App
from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Found, rule
from lambda_latency.doctor.function import KIT_WRAPPER, OTEL_WRAPPERS, WRAPPER, Fn
from lambda_latency.doctor.layer import Layer
from lambda_latency.doctor.source import Source

INSTRUMENT = "/opt/otel-instrument"
HANDLERS = OTEL_WRAPPERS[1:]
# AWS's layers without an exec wrapper.
PLAIN_LAYERS = (
    "AWSLambdaPowertools",
    "LambdaInsightsExtension",
    "AWS-Parameters-and-Secrets",
    "AWSSDKPandas",
    "AWS-AppConfig",
)
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
HERE = ("localhost", "127.0.0.1", "::1", "0.0.0.0")
SIGNALS = "OTEL_AWS_APPLICATION_SIGNALS_ENABLED"
DISTRO = {"OTEL_PYTHON_DISTRO": "aws_distro", "OTEL_PYTHON_CONFIGURATOR": "aws_configurator"}
PUBLIC_EVENTS = ("Api", "HttpApi", "FunctionUrl")


def _has(app: App, fn: Fn, layer: Layer) -> bool | None:
    """Whether the function's wrapper is in a layer; None if that is unknown."""
    folder = app.local_layer(layer)
    if folder is not None:
        return (folder / fn.wrapper.removeprefix("/opt/")).exists()
    if layer.kind == "collector" or layer.name.startswith(PLAIN_LAYERS):
        return False
    if not layer.kind:
        return None
    handlers = layer.kind != "adot" and layer.language != "python"
    return fn.wrapper in (HANDLERS if handlers else (INSTRUMENT,))


def _may_have(app: App, fn: Fn) -> bool:
    return fn.has_unknown_layers or any(_has(app, fn, layer) is not False for layer in fn.layers)


@rule("wrapper-missing", ERROR, "Every invocation fails: Lambda cannot start the runtime.")
def missing(app: App) -> Iterator[Found]:
    """`AWS_LAMBDA_EXEC_WRAPPER` names a program that Lambda starts instead of the runtime. It must be in a layer
    (`/opt/...`) or in the code (`/var/task/...`), and executable. `/opt/lambda-latency/wrapper` is in the kit's
    layer, `/opt/otel-instrument` in ADOT's.
    """
    for fn in app.functions:
        if not fn.wrapper or fn.is_image:
            continue
        what = f"no layer of {fn.name} has {fn.wrapper}"
        todo = "add the layer that has it, or remove the variable"
        if fn.wrapper.startswith("/var/task/"):
            code = app.built(fn) or app.code(fn)
            is_made = fn.metadata is not None and fn.metadata.get("BuildMethod") is not None
            if code is None or is_made or app.in_lambda(fn, fn.wrapper) is not None:
                continue
            what = f"{fn.wrapper} is not in {code}"
            todo = "add the file, executable, or correct the path"
        elif not fn.wrapper.startswith("/opt/") or _may_have(app, fn):
            continue
        yield Found(app.name, fn.variables[WRAPPER].line, what, todo)


@rule("wrapper-image", WARNING, "The function is not traced.")
def image(app: App) -> Iterator[Found]:
    """Only AWS's base images support the exec wrapper."""
    for fn in app.functions:
        if fn.is_image and fn.wrapper and not fn.layers:
            what = f"{fn.name} is a container image, but has {WRAPPER}"
            todo = "use AWS's base image and copy the wrapper into it, or start the wrapper in the image's ENTRYPOINT"
            yield Found(app.name, fn.variables[WRAPPER].line, what, todo)


@rule("layer-not-started", WARNING, "The function has the layer, but is not traced.")
def not_started(app: App) -> Iterator[Found]:
    """ADOT's layers do nothing by themselves: the exec wrapper starts them."""
    for fn in app.functions:
        layer = fn.layer("adot") or fn.layer("legacy")
        if layer is None or fn.is_image or WRAPPER in fn.variables or layer.language == "java":
            continue
        if any(_imports_sdk(source) for source in app.sources(fn)):
            continue  # the code configures the SDK itself
        what = f"{fn.name} has {layer.name}, but no {WRAPPER}"
        yield Found(
            app.name, layer.line, what, f"set {WRAPPER}: {INSTRUMENT if layer.kind == 'adot' else 'see the layer'}"
        )


def _imports_sdk(source: Source) -> bool:
    nodes = [node for node in ast.walk(source.tree) if isinstance(node, ast.ImportFrom)]
    return any((node.module or "").startswith("opentelemetry.sdk") for node in nodes)


@rule("no-collector", ERROR, "Every span is lost: nothing listens at the endpoint.")
def no_collector(app: App) -> Iterator[Found]:
    """The kit and the SDK send to a collector at localhost by default. ADOT's new layers have no collector: it is a
    layer of its own.
    """
    for fn in app.functions:
        if not fn.is_instrumented or fn.is_image or fn.has_unknown_layers or _has_collector(app, fn):
            continue
        for name in ENDPOINTS:
            if _is_here(fn.variable(name)) and not _is_by_udp(fn):
                what = f"{name} is {fn.variable(name)!r}, but no layer of {fn.name} has a collector"
                todo = "add the collector layer, or remove the variable and send to Lambda's daemon"
                yield Found(app.name, fn.variables[name].line, what, todo)
                break
        else:
            if fn.has_kit and "LAMBDA_LATENCY_EXPORT" not in fn.variables and not set(ENDPOINTS) & set(fn.variables):
                what = f"the kit sends to a collector, but no layer of {fn.name} has one"
                todo = "add the collector layer, or set LAMBDA_LATENCY_EXPORT: daemon (or otlp)"
                yield Found(app.name, fn.variables[WRAPPER].line, what, todo)


def _has_collector(app: App, fn: Fn) -> bool:
    """Whether a layer has a collector, or may have one."""
    plain = [layer for layer in fn.layers if layer.kind in ("adot", "community") or layer.name.startswith(PLAIN_LAYERS)]
    local = [layer for layer in fn.layers if layer.local and (fn.has_kit or app.local_layer(layer) is not None)]
    return len(plain) + len(local) < len(fn.layers)


def _is_by_udp(fn: Fn) -> bool:
    return fn.variable("OTEL_AWS_LAMBDA_FAST_START").lower() == "true" and not fn.has_kit


def _is_here(address: str) -> bool:
    try:
        return urlsplit(address).hostname in HERE
    except ValueError:
        return False


@rule("endpoint-ignored", WARNING, "Spans are not sent to the endpoint in the variable.")
def endpoint(app: App) -> Iterator[Found]:
    """Lambda's daemon receives spans by UDP, without an endpoint. With `LAMBDA_LATENCY_EXPORT=otlp` the kit sends to
    X-Ray, unless OTEL_EXPORTER_OTLP_TRACES_ENDPOINT names another endpoint.
    """
    for fn in app.functions:
        why = ""
        names: tuple[str, ...] = ENDPOINTS
        if _is_by_udp(fn) and fn.is_instrumented:
            why = "with OTEL_AWS_LAMBDA_FAST_START the layer sends by UDP to Lambda's daemon"
        elif fn.has_kit and fn.variable("LAMBDA_LATENCY_EXPORT") == "daemon":
            why = "with LAMBDA_LATENCY_EXPORT=daemon the kit sends by UDP to Lambda's daemon"
        elif fn.has_kit and fn.variable("LAMBDA_LATENCY_EXPORT") == "otlp":
            why, names = "with LAMBDA_LATENCY_EXPORT=otlp the kit sends to X-Ray", ENDPOINTS[1:]
        for name in names if why else ():
            if name in fn.variables:
                what = f"{name} is ignored: {why}"
                yield Found(app.name, fn.variables[name].line, what, "remove one of the two")


@rule("protocol-ignored", ERROR, "No span arrives.")
def protocol(app: App) -> Iterator[Found]:
    """Neither the kit nor ADOT's Python layer has an exporter for gRPC. Port 4317 of a collector accepts only gRPC."""
    for fn in app.functions:
        for name in PROTOCOLS:
            value = fn.variable(name)
            if fn.is_instrumented and fn.is_python and value not in ("", "http/protobuf"):
                brings = (
                    "the kit sends http/protobuf only" if fn.has_kit else "the layer's only exporter is http/protobuf"
                )
                if fn.has_kit or (value == "grpc" and fn.has_adot_python):
                    what = f"{name} is {value!r}: {brings}"
                    yield Found(app.name, fn.variables[name].line, what, "remove it, and send to port 4318")
        for name in ENDPOINTS:
            if (
                fn.is_instrumented
                and fn.is_python
                and (fn.has_kit or fn.has_adot_python)
                and _port(fn.variable(name)) == 4317
            ):
                what = (
                    f"{name} is {fn.variable(name)!r}: 4317 is the port for gRPC, but spans are sent as http/protobuf"
                )
                yield Found(app.name, fn.variables[name].line, what, "write port 4318")


def _port(address: str) -> int | None:
    try:
        return urlsplit(address).port
    except ValueError:
        return None


@rule(
    "propagators",
    WARNING,
    "The function's spans are not children of Lambda's segments, or any caller can move or hide the trace.",
)
def propagators(app: App) -> Iterator[Found]:
    """Lambda and API Gateway propagate X-Ray's header. Without `xray` the function starts a new trace. With
    `tracecontext` in ADOT's layer, a caller's `traceparent` overrides X-Ray's header: one that ends in `-00` hides
    the request.
    """
    for fn in app.functions:
        if not fn.exports_to_xray or not fn.is_python or _is_by_udp(fn):
            continue
        node = fn.variables.get("OTEL_PROPAGATORS")
        given = [one.strip() for one in fn.variable("OTEL_PROPAGATORS").split(",") if one.strip()]
        public = any(kind in PUBLIC_EVENTS for kind, _ in fn.events()) or fn.get("FunctionUrlConfig") is not None
        if node is not None and given and not {"xray", "xray-lambda"} & set(given):
            what = f"OTEL_PROPAGATORS is {','.join(given)}, without xray"
            yield Found(app.name, node.line, what, "write xray first")
        elif public and not fn.has_kit and fn.has_adot_python and (node is None or "tracecontext" in given):
            line = node.line if node is not None else fn.variables[WRAPPER].line
            what = "OTEL_PROPAGATORS " + (
                f"is {','.join(given)}" if given else "is not set, and the layer's default has tracecontext"
            )
            yield Found(app.name, line, what, "set OTEL_PROPAGATORS: xray")


@rule("application-signals", WARNING, "Unsampled requests are exported and billed, too.")
def signals(app: App) -> Iterator[Found]:
    """ADOT's layer enables Application Signals by default. Its metrics are computed from all spans."""
    for fn in app.functions:
        if fn.wrapper == INSTRUMENT and fn.has_adot_python and not _is_by_udp(fn) and SIGNALS not in fn.variables:
            what = f"{SIGNALS} is not set, and the layer's default is true"
            todo = f'set {SIGNALS}: "false" for traces only, or "true" for its metrics, too'
            yield Found(app.name, fn.variables[WRAPPER].line, what, todo)


@rule("distro-unset", ERROR, "The layer starts OpenTelemetry without the configuration for AWS.")
def distro(app: App) -> Iterator[Found]:
    """With Application Signals off, ADOT's wrapper leaves the distro and the configurator unset."""
    for fn in app.functions:
        off = fn.variable(SIGNALS).lower() == "false" and fn.wrapper == INSTRUMENT and fn.has_adot_python
        lacks = [name for name in DISTRO if name not in fn.variables]
        if off and lacks and not _is_by_udp(fn):
            what = f"{SIGNALS} is false, but {' and '.join(lacks)} {'is' if len(lacks) == 1 else 'are'} not set"
            todo = f"set {', '.join(f'{name}: {DISTRO[name]}' for name in lacks)}"
            yield Found(app.name, fn.variables[SIGNALS].line, what, todo)


@rule(
    "wrapper-replaced", WARNING, "The kit does not run: its redaction, its timeouts' spans and its delivery are lost."
)
def replaced(app: App) -> Iterator[Found]:
    """A function has one exec wrapper. Enabling Application Signals in the console, or its property in CDK, sets
    `/opt/otel-instrument` in place of the kit's, and leaves the kit's variables.
    """
    for fn in app.functions:
        of_the_kit = sorted(name for name in fn.variables if name.startswith("LAMBDA_LATENCY_"))
        if of_the_kit and fn.wrapper in OTEL_WRAPPERS:
            what = f"{fn.name} has {of_the_kit[0]}, which only the kit reads, but {fn.wrapper} starts it"
            todo = f"set {WRAPPER}: {KIT_WRAPPER}, or remove the kit's variables"
            yield Found(app.name, fn.variables[WRAPPER].line, what, todo)


@rule("vpc-endpoint", NOTE, "Without a route to X-Ray every span is lost, and each delivery waits for its timeout.")
def unreachable(app: App) -> Iterator[Found]:
    """A function in a VPC reaches only what its subnets reach. Lambda's own daemon needs no route. A NAT gateway or an
    endpoint of another stack is not seen here.
    """
    endpoints = [
        "".join(str(one.value) for one in service.scalars())
        for _, _, properties in app.resources("AWS::EC2::VPCEndpoint")
        if (service := properties.get("ServiceName")) is not None
    ]
    for fn in app.functions:
        inside = fn.get("VpcConfig")
        sends = fn.has_collector or fn.variable("LAMBDA_LATENCY_EXPORT") == "otlp"
        if inside is not None and sends and not any(one.endswith("xray") for one in endpoints):
            what = f"{fn.name} is in a VPC, and sends spans to X-Ray's public endpoint"
            todo = (
                "give its subnets a NAT gateway or the VPC endpoint com.amazonaws.REGION.xray, or use Lambda's daemon"
            )
            yield Found(app.name, inside.line, what, todo)


RULES = (
    missing, image, not_started, no_collector, endpoint, protocol, propagators, signals, distro, replaced, unreachable
)  # fmt: skip
