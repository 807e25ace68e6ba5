"""The texts that are written into a template: names, and the properties of a function."""

from __future__ import annotations

from dataclasses import dataclass

from lambda_latency.adopt.errors import AdoptError
from lambda_latency.adopt.splice import Tree
from lambda_latency.adot import COLLECTOR, PYTHON

KIT, MAPPING, ADOT = "LambdaLatency", "LambdaLatencyAdot", "LambdaLatencyAdotArn"
TRACED, ACTIVE, COLLECTED, ARM = (f"LambdaLatency{name}" for name in ("IsTraced", "IsActive", "IsCollected", "IsArm"))
# Path in the layer: the lock of OpenTelemetry's packages, if they are bundled
PACKAGES = "lambda-latency/packages.txt"
WRAPPER, INSTRUMENT = "/opt/lambda-latency/wrapper", "/opt/otel-instrument"  # the kit's, and that of ADOT's layer
EXPORTS = "collector", "daemon", "otlp"
# Of functions whose own variables name a backend: those stay, and no path to X-Ray is added
BACKEND = "backend"
ENDPOINT, EXPORT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "LAMBDA_LATENCY_EXPORT"
OF_BACKEND = (
    ENDPOINT, "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS",
)  # fmt: skip
XRAY = '!Sub "https://xray.${AWS::Region}.${AWS::URLSuffix}/v1/traces"'
# The layer's own list of what is not traced, but requests is on, and what lies beneath it off: one call, one span.
DISABLED = (
    "urllib,urllib3,aio-pika,aiohttp-client,aiohttp-server,aiopg,asgi,asyncio,asyncpg,boto,boto3,boto3sqs,cassandra,celery,"
    "confluent_kafka,dbapi,django,elasticsearch,falcon,fastapi,flask,grpc_client,grpc_server,grpc_aio_client,"
    "grpc_aio_server,httpx,jinja2,kafka,logging,mysql,mysqlclient,pika,psycopg,psycopg2,pymemcache,pymongo,pymysql,"
    "pyramid,redis,remoulade,sklearn,sqlalchemy,sqlite3,starlette,system_metrics,threading,tornado,tortoiseorm,wsgi,"
    "openai_agents,aws_openai_agents,aws_crewai,aws_langchain,aws_mcp,aws_llama-index"
)
# The defaults of ADOT's wrapper are for more than tracing.
OF_INSTRUMENT = {
    # Left unset by the wrapper where Application Signals are off
    "OTEL_PYTHON_DISTRO": "aws_distro",
    "OTEL_PYTHON_CONFIGURATOR": "aws_configurator",
    "OTEL_PROPAGATORS": "xray",  # else any caller's traceparent moves the trace
    "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": '"false"',  # else unsampled spans are sent, too
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": f'"{DISABLED}"',
}
NOTHING = "!Ref AWS::NoValue"
WITHOUT_COLLECTOR = "ap-northeast-3"


@dataclass(frozen=True, slots=True)
class AdoptOptions:
    """The options of adopting. `export` is one of `EXPORTS`, or `BACKEND`; `parameter` names the template's parameter.

    `instrumentation`: what starts OpenTelemetry, `kit` for the kit's wrapper, `layer` for that of ADOT's layer. Where
    either is None, an app that is traced already is left unchanged, and a new one gets `collector` and `kit`.
    `traced`: the template's condition of what tracing needs; empty without one.

    `packages`: the layer with OpenTelemetry's packages, `adot` for ADOT's, `bundled` for the kit's own.
    `regions`: where the app is deployed. `layer`: the ARN of a layer with the kit and OpenTelemetry's packages that all
    apps share; empty where the app has the kit's layer in a folder of its own. With it no parameter switches tracing:
    `traced` is empty.
    """

    export: str | None = None
    parameter: str = "Tracing"
    packages: str = "adot"
    regions: tuple[str, ...] = ("us-east-1",)
    instrumentation: str | None = None
    traced: str = TRACED
    layer: str = ""

    @property
    def has_adot(self) -> bool:
        """Whether OpenTelemetry's packages are in ADOT's layer."""
        return self.packages == "adot" and not self.layer

    @property
    def layers(self) -> int:
        """The number of layers that a function gets."""
        return 1 + self.collected + self.has_adot

    @property
    def collected(self) -> bool:
        """Whether a collector runs beside the functions."""
        return self.export == "collector" or (self.export is None and not self.layer)

    @property
    def condition_of_collector(self) -> str:
        """The condition of what the collector needs: `adopt`'s own excludes the region that has no collector layer."""
        return COLLECTED if self.traced == TRACED else self.traced


def adot_numbers(options: AdoptOptions) -> dict[str, int]:
    """The number of ADOT's layer for Python in each region of the app: the same release in all of its regions.

    Raises `AdoptError` for a region in which no number is known.
    """
    release = PYTHON.shared(options.regions)
    if release is None:
        unknown = next((region for region in options.regions if PYTHON.newest(region) is None), options.regions[0])
        raise AdoptError(f"no version of {PYTHON.name} is known in {unknown}", "adopt it with --packages bundled")
    return {region: release.numbers[region] for region in options.regions}


def adot_parameter(options: AdoptOptions) -> Tree:
    """The template's parameter with the ARN of ADOT's layer, for an app of one region."""
    ((region, number),) = adot_numbers(options).items()
    arn = PYTHON.arn(region, number)
    return {"Type": "String", "Default": arn, "Description": f"ADOT's layer for Python in {region}"}


def adot_mapping(options: AdoptOptions) -> Tree:
    """The template's map with the ARN of ADOT's layer, for an app of several regions."""
    return {region: f"{{ Arn: {PYTHON.arn(region, number)} }}" for region, number in adot_numbers(options).items()}


def parameter() -> Tree:
    """The template's parameter that switches tracing."""
    return {
        "Type": "String",
        "Default": "Active",
        "AllowedValues": '[Active, PassThrough, "Off"]',
        "Description": "Active traces requests, PassThrough those that a caller has sampled, Off none, at no cost",
    }


def conditions(options: AdoptOptions, arm: str = "") -> dict[str, Tree]:
    """The conditions of all additions; `arm` is the parameter of the architecture, if there is one."""
    traced = f'!Not [!Equals [!Ref {options.parameter}, "Off"]]'
    declarations: dict[str, Tree] = {TRACED: traced, ACTIVE: f"!Equals [!Ref {options.parameter}, Active]"}
    if options.collected:
        declarations[COLLECTED] = f"!And [!Condition {TRACED}, !Not [!Equals [!Ref AWS::Region, {WITHOUT_COLLECTOR}]]]"
    if arm and options.collected:
        declarations[ARM] = f"!Equals [!Ref {arm}, arm64]"
    return declarations


def layers(options: AdoptOptions, architecture: str, *, always: bool) -> list[Tree]:
    """The layers of a function; `always`: its code needs the kit's layer even without tracing."""
    trees: list[Tree] = [f"!Ref {KIT}" if always else f"!If [{TRACED}, !Ref {KIT}, {NOTHING}]"]
    if options.layer:
        trees = [options.layer]
    elif options.has_adot:
        adot = f"!Ref {ADOT}" if len(options.regions) == 1 else f"!FindInMap [{MAPPING}, !Ref AWS::Region, Arn]"
        trees.append(f"!If [{TRACED}, {adot}, {NOTHING}]")
    return [*trees, collector_layer(options, architecture)] if options.collected else trees


def collector_layer(options: AdoptOptions, architecture: str) -> str:
    """The layer of ADOT's collector for an architecture."""
    arn = f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:{COLLECTOR.account}:layer:%s:{COLLECTOR.number}"
    if architecture == ARM:
        processor = f"{{ Processor: !If [{ARM}, arm64, amd64] }}"
        collector = f'!Sub ["{arn % COLLECTOR.name("${Processor}")}", {processor}]'
    else:
        collector = f'!Sub "{arn % COLLECTOR.name("arm64" if architecture == "arm64" else "amd64")}"'
    return when(options.condition_of_collector, collector)


def variables(options: AdoptOptions, *, bridge: bool) -> dict[str, Tree]:
    """The variables of a function; `bridge`: its code uses the X-Ray SDK."""
    by_layer = options.instrumentation == "layer"
    collected = options.condition_of_collector
    settings: dict[str, Tree] = {"AWS_LAMBDA_EXEC_WRAPPER": when(options.traced, INSTRUMENT if by_layer else WRAPPER)}
    if options.collected:
        settings["OPENTELEMETRY_COLLECTOR_CONFIG_URI"] = when(collected, "/opt/lambda-latency/collector.yaml")
        if not options.layer:  # the default, written out for who reads the template
            settings[ENDPOINT] = when(collected, '"http://localhost:4318/v1/traces"')
    if by_layer:
        if options.collected:
            settings["OTEL_EXPORTER_OTLP_TIMEOUT"] = when(collected, '"1"')  # seconds; the exporter's own default is 10
        elif options.export == "otlp":
            settings[ENDPOINT] = when(options.traced, XRAY)
        settings |= {
            name: when(options.traced, value) for name, value in OF_INSTRUMENT.items()
        }  # no endpoint: the daemon
    else:
        settings |= _export(options)
    if bridge:
        settings["LAMBDA_LATENCY_XRAY_SDK"] = when(options.traced, "bridge")
    return settings


def _export(options: AdoptOptions) -> dict[str, Tree]:
    """The kit's variable of the export; none where its default is right, and for a backend."""
    collected = options.condition_of_collector
    if options.collected and collected != options.traced:
        return {EXPORT: f"!If [{collected}, collector, {when(options.traced, 'daemon')}]"}
    is_default = options.collected or options.export == BACKEND
    return {} if is_default else {EXPORT: when(options.traced, options.export or "daemon")}


def variables_of(instrumentation: str) -> set[str]:
    """The names of the variables that `adopt` sets with an instrumentation, whatever the export."""
    variants = [AdoptOptions(export, instrumentation=instrumentation) for export in EXPORTS]
    return {name for options in variants for name in variables(options, bridge=False)}


def when(condition: str, value: str) -> str:
    """A value under a condition, or without one."""
    return f"!If [{condition}, {value}, {NOTHING}]" if condition else value
