"""The ways to trace one handler that are compared."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.locks import environment

ROOT = Path(__file__).parents[3]
WRAPPER = ROOT / "otel" / "lambda_latency" / "runtime" / "wrapper"
LAYER = ROOT / "otel" / "lambda_latency" / "local" / "layer"
KITS_LAYER = ROOT / "build" / "cost" / "kit"  # the content of /opt: the bridge is `aws_xray_sdk` there
BARE, OFF, XRAY, KIT = "bare", "kit off", "X-Ray SDK", "kit"
TO_XRAY = "kit to X-Ray"
# The layer disables all instrumentations but botocore, aiobotocore, aiokafka, httpx2, urllib and urllib3.
LAYER_DISABLES = (
    "aio-pika aiohttp-client aiopg asyncpg aws_crewai aws_langchain aws_llama-index aws_mcp aws_openai_agents boto3 "
    "cassandra celery confluent_kafka django falcon fastapi flask grpc_aio_client grpc_aio_server grpc_client "
    "grpc_server httpx jinja2 kafka logging mysql mysqlclient pika psycopg2 pymemcache pymongo pymysql pyramid redis "
    "remoulade requests sqlalchemy sqlite3 starlette system_metrics threading tornado tortoiseorm"
)
LAYER_VARIABLES = {
    "PYTHONPATH": f"{LAYER / 'python'}{os.pathsep}{ROOT / 'otel'}",
    "OTEL_PYTHON_DISTRO": "aws_distro",
    "OTEL_PYTHON_CONFIGURATOR": "aws_configurator",
    "OTEL_AWS_APPLICATION_SIGNALS_RUNTIME_ENABLED": "false",
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": LAYER_DISABLES.replace(" ", ","),
}
FAST_START = {
    "PYTHONPATH": f"{LAYER / 'python'}{os.pathsep}{ROOT / 'otel'}",
    "OTEL_AWS_LAMBDA_FAST_START": "true",
    "OTEL_PROPAGATORS": "baggage,xray,tracecontext",
    "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": "true",
    "OTEL_RESOURCE_ATTRIBUTES": "cloud.provider=aws,cloud.platform=aws_lambda,faas.name=orders-create",
    "ORIG_HANDLER": "lab.response_time.handler.handler",
}
PINS = Path(__file__).with_name("pins")


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to trace. `pins` names the lock of its packages, `wrapper` its exec wrapper.

    `collector`: the variables with the address for spans, unless that is the X-Ray daemon. `receiver`: COLLECTOR, or
    XRAY, with TLS. `interpreters`: the number of Pythons that the wrapper starts in sequence. `path`: folders at the
    beginning of PYTHONPATH.
    """

    name: str
    pins: str
    handler: str = "lab.response_time.handler.handler"
    wrapper: Path | None = None
    collector: tuple[str, ...] = ()
    receiver: str = "COLLECTOR"
    variables: Mapping[str, str] = field(default_factory=dict)
    interpreters: int = 1
    traces: bool = True
    path: tuple[str, ...] = ()


VARIANTS = (
    Variant(BARE, "bare", traces=False),
    Variant("bare again", "again", traces=False),
    # Tracing=Off deploys no layer, no wrapper and no variable: the process is the same as bare.
    Variant(OFF, "bare", traces=False),
    Variant(XRAY, "xray", "lab.response_time.xray.handler"),
    Variant("Powertools Tracer", "powertools", "lab.cost.powertools.handler"),
    Variant(
        "OpenTelemetry by hand",
        "by_hand",
        "lab.cost.by_hand.handler",
        collector=("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",),
        variables={"ORIG_HANDLER": "lab.response_time.handler.handler"},
    ),
    Variant(
        "community layer",
        "community",
        wrapper=ROOT / "otel" / "lab" / "cost" / "community.sh",
        collector=tuple(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT" for signal in ("TRACES", "METRICS", "LOGS")),
        interpreters=2,
    ),
    Variant("ADOT layer", "layer", wrapper=LAYER / "otel-instrument", variables=LAYER_VARIABLES, interpreters=2),
    Variant("ADOT FAST_START", "layer", "lab.cost.fast_start.handler", variables=FAST_START),
    Variant(KIT, "layer", wrapper=WRAPPER, collector=("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",)),
    Variant(
        TO_XRAY,
        "layer",
        wrapper=WRAPPER,
        collector=("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",),
        receiver="XRAY",
        variables={"LAMBDA_LATENCY_EXPORT": "otlp"},
    ),
    Variant("X-Ray SDK annotated", "xray", "lab.cost.annotated.handler"),
    Variant(
        "bridge annotated",
        "layer",
        "lab.cost.annotated.handler",
        wrapper=WRAPPER,
        collector=("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",),
        variables={"LAMBDA_LATENCY_XRAY_SDK": "bridge"},
        path=(str(KITS_LAYER / "python"),),
    ),
)


def interpreter(pins: str) -> Path:
    """The Python of this environment, which is created if it is missing or its lock has changed."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = Path(sys.base_prefix) / "bin" / f"python{version}"
    return environment(
        ROOT / "build" / "cost" / f"{pins}-{version}", PINS / f"{pins}.txt", python, "--compile-bytecode"
    )
