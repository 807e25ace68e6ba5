"""Rules about exec wrappers, and about the variables that configure OpenTelemetry."""

from __future__ import annotations

from collections.abc import Iterator

from lambda_latency.doctor.app import App
from lambda_latency.doctor.finding import ERROR, NOTE, WARNING, Issue, function_rule
from lambda_latency.doctor.function import (
    ENDPOINTS,
    EXPORT,
    HANDLERS,
    INSTRUMENT,
    KIT_WRAPPER,
    OTEL_WRAPPERS,
    WRAPPER,
    Fn,
    Layer,
    host_and_port,
)
from lambda_latency.doctor.source import PythonSource
from lambda_latency.template import imports_in

# AWS's layers without an exec wrapper.
PLAIN_LAYERS = (
    "AWSLambdaPowertools",
    "LambdaInsightsExtension",
    "AWS-Parameters-and-Secrets",
    "AWSSDKPandas",
    "AWS-AppConfig",
)
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
HERE = ("localhost", "127.0.0.1", "::1", "0.0.0.0")
GRPC_PORT = 4317
PLUGINS = "DURABLE_EXECUTION_PLUGINS"
SIGNALS = "OTEL_AWS_APPLICATION_SIGNALS_ENABLED"
DISTRO = {"OTEL_PYTHON_DISTRO": "aws_distro", "OTEL_PYTHON_CONFIGURATOR": "aws_configurator"}
PUBLIC_EVENTS = ("Api", "HttpApi", "FunctionUrl")


@function_rule("wrapper-missing", ERROR, "Every invocation fails: Lambda cannot start the runtime.")
def missing(app: App, fn: Fn) -> Iterator[Issue]:
    """`AWS_LAMBDA_EXEC_WRAPPER` names a program that Lambda starts instead of the runtime. It must be in a layer
    (`/opt/...`) or in the code (`/var/task/...`), and executable. `/opt/lambda-latency/wrapper` is in the kit's
    layer, `/opt/otel-instrument` in ADOT's.
    """
    if not fn.wrapper or fn.is_image:
        return
    line = fn.variables[WRAPPER].line
    if fn.wrapper.startswith("/var/task/"):
        code = app.artifact(fn)
        if code is not None and not fn.has_build_method and app.in_lambda(fn, fn.wrapper) is None:
            yield Issue(f"{fn.wrapper} is not in {code}", "add the file, executable, or correct the path", line)
    elif fn.wrapper.startswith("/opt/") and not _may_have_wrapper(app, fn):
        problem = f"no layer of {fn.name} has {fn.wrapper}"
        yield Issue(problem, "add the layer that has it, or remove the variable", line)


def _may_have_wrapper(app: App, fn: Fn) -> bool:
    return fn.has_unknown_layers or any(_has_wrapper(app, fn, layer) is not False for layer in fn.layers)


def _has_wrapper(app: App, fn: Fn, layer: Layer) -> bool | None:
    """Whether the function's wrapper is in a layer; None if that is unknown."""
    folder = app.local_layer(layer)
    if folder is not None:
        return (folder / fn.wrapper.removeprefix("/opt/")).exists()
    if layer.kind == "collector" or layer.name.startswith(PLAIN_LAYERS):
        return False
    if not layer.kind:
        return None
    has_handlers = layer.kind != "adot" and layer.language != "python"
    return fn.wrapper in (HANDLERS if has_handlers else (INSTRUMENT,))


@function_rule("wrapper-image", WARNING, "The function is not traced.")
def image(_: App, fn: Fn) -> Iterator[Issue]:
    """Only AWS's base images support the exec wrapper."""
    if fn.is_image and fn.wrapper and not fn.layers:
        problem = f"{fn.name} is a container image, but has {WRAPPER}"
        todo = "use AWS's base image and copy the wrapper into it, or start the wrapper in the image's ENTRYPOINT"
        yield Issue(problem, todo, fn.variables[WRAPPER].line)


@function_rule("layer-not-started", WARNING, "The function has the layer, but is not traced.")
def not_started(app: App, fn: Fn) -> Iterator[Issue]:
    """ADOT's layers do nothing by themselves: the exec wrapper starts them."""
    layer = fn.layer("adot") or fn.layer("legacy")
    if layer is None or fn.is_image or WRAPPER in fn.variables or layer.language == "java":
        return
    if not any(configures_sdk(source) for source in app.sources(fn)):
        wrapper = INSTRUMENT if layer.kind == "adot" else "see the layer"
        yield Issue(f"{fn.name} has {layer.name}, but no {WRAPPER}", f"set {WRAPPER}: {wrapper}", layer.line)


def configures_sdk(source: PythonSource) -> bool:
    """Whether a file imports names of OpenTelemetry's SDK, as code does that sets it up by itself."""
    return any(names and module.startswith("opentelemetry.sdk") for _, module, names in imports_in(source.tree))


@function_rule("no-collector", ERROR, "Every span is lost: nothing listens at the endpoint.")
def no_collector(app: App, fn: Fn) -> Iterator[Issue]:
    """The kit and the SDK send to a collector at localhost by default. ADOT's new layers have no collector: it is a
    layer of its own.
    """
    if not fn.is_instrumented or fn.is_image or _may_have_collector(app, fn):
        return
    local = [name for name in ENDPOINTS if host_and_port(fn.variable(name))[0] in HERE and not fn.sends_by_udp]
    if local:
        problem = f"{local[0]} is {fn.variable(local[0])!r}, but no layer of {fn.name} has a collector"
        todo = "add the collector layer, or remove the variable and send to Lambda's daemon"
        yield Issue(problem, todo, fn.variables[local[0]].line)
    elif fn.has_kit and fn.variables.keys().isdisjoint((EXPORT, *ENDPOINTS)):
        problem = f"the kit sends to a collector, but no layer of {fn.name} has one"
        todo = "add the collector layer, or set LAMBDA_LATENCY_EXPORT: daemon (or otlp)"
        yield Issue(problem, todo, fn.variables[WRAPPER].line)


def _may_have_collector(app: App, fn: Fn) -> bool:
    plain = [layer for layer in fn.layers if layer.kind in ("adot", "community") or layer.name.startswith(PLAIN_LAYERS)]
    local = [layer for layer in fn.layers if layer.local and (fn.has_kit or app.local_layer(layer) is not None)]
    return fn.has_unknown_layers or len(plain) + len(local) < len(fn.layers)


@function_rule("endpoint-ignored", WARNING, "Spans are not sent to the endpoint in the variable.")
def endpoint(_: App, fn: Fn) -> Iterator[Issue]:
    """Lambda's daemon receives spans by UDP, without an endpoint. With `LAMBDA_LATENCY_EXPORT=otlp` the kit sends to
    X-Ray, unless OTEL_EXPORTER_OTLP_TRACES_ENDPOINT names another endpoint.
    """
    export = fn.variable(EXPORT) if fn.has_kit else ""
    names: tuple[str, ...] = ENDPOINTS
    if fn.sends_by_udp and fn.is_instrumented:
        why = "with OTEL_AWS_LAMBDA_FAST_START the layer sends by UDP to Lambda's daemon"
    elif export == "daemon":
        why = "with LAMBDA_LATENCY_EXPORT=daemon the kit sends by UDP to Lambda's daemon"
    elif export == "otlp":
        why, names = "with LAMBDA_LATENCY_EXPORT=otlp the kit sends to X-Ray", ENDPOINTS[1:]
    else:
        return
    for name in names:
        if name in fn.variables:
            yield Issue(f"{name} is ignored: {why}", "remove one of the two", fn.variables[name].line)


@function_rule("protocol-ignored", ERROR, "No span arrives.")
def protocol(_: App, fn: Fn) -> Iterator[Issue]:
    """Neither the kit nor ADOT's Python layer has an exporter for gRPC. Port 4317 of a collector accepts only gRPC."""
    if not _exports_by_http(fn):
        return
    why = "the kit sends http/protobuf only" if fn.has_kit else "the layer's only exporter is http/protobuf"
    for name in PROTOCOLS:
        protocol_name = fn.variable(name)
        if protocol_name == "grpc" or (fn.has_kit and protocol_name not in ("", "http/protobuf")):
            problem = f"{name} is {protocol_name!r}: {why}"
            yield Issue(problem, "remove it, and send to port 4318", fn.variables[name].line)
    for name in ENDPOINTS:
        address = fn.variable(name)
        if host_and_port(address)[1] == GRPC_PORT:
            problem = f"{name} is {address!r}: 4317 is the port for gRPC, but spans are sent as http/protobuf"
            yield Issue(problem, "write port 4318", fn.variables[name].line)


def _exports_by_http(fn: Fn) -> bool:
    return fn.is_instrumented and fn.is_python and (fn.has_kit or fn.has_adot_python)


@function_rule(
    "propagators",
    WARNING,
    "The function's spans are not children of Lambda's segments, or any caller can move or hide the trace.",
)
def propagators(_: App, fn: Fn) -> Iterator[Issue]:
    """Lambda and API Gateway propagate X-Ray's header. Without `xray` the function starts a new trace. With
    `tracecontext` in ADOT's layer, a caller's `traceparent` overrides X-Ray's header: one that ends in `-00` hides
    the request.
    """
    if not fn.exports_to_xray or not fn.is_python or fn.sends_by_udp:
        return
    node = fn.variables.get("OTEL_PROPAGATORS")
    names = [name for part in fn.variable("OTEL_PROPAGATORS").split(",") if (name := part.strip())]
    if node is not None and names and {"xray", "xray-lambda"}.isdisjoint(names):
        yield Issue(f"OTEL_PROPAGATORS is {','.join(names)}, without xray", "write xray first", node.line)
    elif _may_be_hijacked(fn) and (node is None or "tracecontext" in names):
        line = (node or fn.variables[WRAPPER]).line
        state = f"is {','.join(names)}" if names else "is not set, and the layer's default has tracecontext"
        yield Issue(f"OTEL_PROPAGATORS {state}", "set OTEL_PROPAGATORS: xray", line)


def _may_be_hijacked(fn: Fn) -> bool:
    """Whether anybody can call a function whose layer reads traceparent by default."""
    is_public = any(kind in PUBLIC_EVENTS for kind, _ in fn.events()) or fn.get("FunctionUrlConfig") is not None
    return is_public and not fn.has_kit and fn.has_adot_python


@function_rule("application-signals", WARNING, "Unsampled requests are exported and billed, too.")
def signals(_: App, fn: Fn) -> Iterator[Issue]:
    """ADOT's layer enables Application Signals by default. Its metrics are computed from all spans."""
    if _has_signals(fn) and SIGNALS not in fn.variables:
        problem = f"{SIGNALS} is not set, and the layer's default is true"
        todo = f'set {SIGNALS}: "false" for traces only, or "true" for its metrics, too'
        yield Issue(problem, todo, fn.variables[WRAPPER].line)


def _has_signals(fn: Fn) -> bool:
    """Whether ADOT's layer for Python may compute Application Signals."""
    return fn.wrapper == INSTRUMENT and fn.has_adot_python and not fn.sends_by_udp


@function_rule("distro-unset", ERROR, "The layer starts OpenTelemetry without the configuration for AWS.")
def distro(_: App, fn: Fn) -> Iterator[Issue]:
    """With Application Signals off, ADOT's wrapper leaves the distro and the configurator unset."""
    unset = [name for name in DISTRO if name not in fn.variables]
    if _has_signals(fn) and fn.variable(SIGNALS).lower() == "false" and unset:
        problem = f"{SIGNALS} is false, but {' and '.join(unset)} {'is' if len(unset) == 1 else 'are'} not set"
        todo = f"set {', '.join(f'{name}: {DISTRO[name]}' for name in unset)}"
        yield Issue(problem, todo, fn.variables[SIGNALS].line)


@function_rule(
    "wrapper-replaced", WARNING, "The kit does not run: its redaction, its timeouts' spans and its delivery are lost."
)
def replaced(_: App, fn: Fn) -> Iterator[Issue]:
    """A function has one exec wrapper. Enabling Application Signals in the console, or its property in CDK, sets
    `/opt/otel-instrument` in place of the kit's, and leaves the kit's variables.
    """
    of_the_kit = sorted(name for name in fn.variables if name.startswith("LAMBDA_LATENCY_"))
    if of_the_kit and fn.wrapper in OTEL_WRAPPERS:
        problem = f"{fn.name} has {of_the_kit[0]}, which only the kit reads, but {fn.wrapper} starts it"
        todo = f"set {WRAPPER}: {KIT_WRAPPER}, or remove the kit's variables"
        yield Issue(problem, todo, fn.variables[WRAPPER].line)


@function_rule(
    "vpc-endpoint", NOTE, "Without a route to X-Ray every span is lost, and each delivery waits for its timeout."
)
def unreachable(app: App, fn: Fn) -> Iterator[Issue]:
    """A function in a VPC reaches only what its subnets reach. Lambda's own daemon needs no route. A NAT gateway or an
    endpoint of another stack is not seen here.
    """
    services = [properties.get("ServiceName") for _, _, properties in app.resources("AWS::EC2::VPCEndpoint")]
    has_route = any("".join(service.texts()).endswith("xray") for service in services if service is not None)
    inside = fn.get("VpcConfig")
    sends = fn.has_collector or fn.variable(EXPORT) == "otlp"
    if inside is not None and sends and not has_route:
        problem = f"{fn.name} is in a VPC, and sends spans to X-Ray's public endpoint"
        todo = "give its subnets a NAT gateway or the VPC endpoint com.amazonaws.REGION.xray, or use Lambda's daemon"
        yield Issue(problem, todo, inside.line)


@function_rule("durable-steps", NOTE, "An execution is shown without its steps, waits and attempts.")
def durable(_: App, fn: Fn) -> Iterator[Issue]:
    """AWS's plugin records the operations of a durable execution. The variable `DURABLE_EXECUTION_PLUGINS` names it."""
    config = fn.get("DurableConfig")
    if config is not None and fn.is_python and fn.is_instrumented and PLUGINS not in fn.variables:
        todo = f"add aws-durable-execution-sdk-python-otel to its requirements, and {PLUGINS}: otel-execution"
        yield Issue(f"{fn.name} is a durable function, and no plugin records its steps", todo, config.line)
