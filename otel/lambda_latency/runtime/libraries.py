"""The traced libraries. Each one's instrumentation is installed when the handler first imports the library.

A library that is never imported costs nothing: neither it nor its instrumentation is loaded. (The X-Ray SDK's
`patch_all` loads both.)
"""

from __future__ import annotations

import functools
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.coldstart.standins import read
from lambda_latency.runtime.coldstart.value import Frozen
from lambda_latency.runtime.harmless import failed, harmless, warn
from lambda_latency.runtime.replace import replaced

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.trace import TracerProvider

    from lambda_latency.runtime.imports import ImportHook

    Undo = list[Callable[[], object]]


class Library(Frozen):
    """A library: its name in the setting, the module whose import triggers it, and its instrumentor.

    `first_call`: methods of which the first call triggers the instrumentation instead. `stand_ins`: the tests run the
    instrumentation with the stand-ins. `driver`: the module in `drivers` with the spans that upstream does not make,
    and its function if that is not `instrument`.
    """

    name: str
    module: str
    instrumentor: str = ""
    first_call: str = ""
    stand_ins: bool = False
    driver: str = ""


# The client libraries in the layer `AWSOpenTelemetryDistroPython`; web servers do not run in a handler. boto3sqs is
# left out: its calls have botocore's spans already.
HTTPX2 = "HTTPTransport.handle_request AsyncHTTPTransport.handle_async_request"
LIBRARIES = (
    Library("botocore", "botocore.client", "botocore.BotocoreInstrumentor", stand_ins=True),
    Library("aiobotocore", "aiobotocore.client", "botocore.AiobotocoreInstrumentor"),
    Library("requests", "requests", "requests.RequestsInstrumentor", stand_ins=True),
    Library("httpx", "httpx", "httpx.HTTPXClientInstrumentor"),
    # The instrumentation imports httpx as well, after which `httpx2.alias_httpx()` would fail.
    Library("httpx", "httpx2", "httpx.HTTPX2ClientInstrumentor", first_call=HTTPX2),
    Library("aiohttp", "aiohttp", "aiohttp_client.AioHttpClientInstrumentor"),
    # boto3 and requests import these too. Only a call from elsewhere shows that the function uses them.
    Library("urllib3", "urllib3", "urllib3.URLLib3Instrumentor", first_call="HTTPConnectionPool.urlopen"),
    Library("urllib", "urllib.request", "urllib.URLLibInstrumentor", first_call="OpenerDirector.open"),
    Library("http.client", "http.client", first_call="HTTPConnection.request", driver="http_client"),
    Library("aio_pika", "aio_pika", "aio_pika.AioPikaInstrumentor", driver="rabbitmq.aio_pika"),
    Library("aiokafka", "aiokafka", "aiokafka.AIOKafkaInstrumentor", driver="kafka.aiokafka"),
    Library("aiopg", "aiopg", "aiopg.AiopgInstrumentor"),
    Library("asyncpg", "asyncpg", "asyncpg.AsyncPGInstrumentor", driver="asyncpg"),
    Library("cassandra", "cassandra.cluster", "cassandra.CassandraInstrumentor"),
    Library(
        "confluent_kafka", "confluent_kafka", "confluent_kafka.ConfluentKafkaInstrumentor", driver="kafka.confluent"
    ),
    Library("elasticsearch", "elasticsearch", driver="search.elasticsearch"),
    Library("grpc", "grpc", "grpc.GrpcInstrumentorClient"),
    Library("grpc", "grpc.aio", "grpc.GrpcAioInstrumentorClient"),
    Library("kafka", "kafka", "kafka.KafkaInstrumentor"),
    Library("mysql", "mysql.connector", "mysql.MySQLInstrumentor", driver="mysql.connector"),
    Library("mysqlclient", "MySQLdb", "mysqlclient.MySQLClientInstrumentor"),
    Library("opensearch", "opensearchpy", driver="search.opensearch"),
    Library("pg8000", "pg8000.core", driver="pg8000.core"),
    Library("pg8000", "pg8000.dbapi", driver="pg8000"),
    Library("pg8000", "pg8000.legacy", driver="pg8000"),
    Library("pg8000", "pg8000.native", driver="pg8000"),
    Library("pika", "pika", "pika.PikaInstrumentor", driver="rabbitmq.pika"),
    Library("psycopg", "psycopg", "psycopg.PsycopgInstrumentor", driver="postgres.psycopg"),  # not in the layer
    Library("psycopg", "psycopg_pool", driver="postgres.pool"),
    Library("psycopg2", "psycopg2", "psycopg2.Psycopg2Instrumentor", driver="postgres.psycopg2"),
    Library("pymemcache", "pymemcache", "pymemcache.PymemcacheInstrumentor"),
    Library("pymongo", "pymongo", "pymongo.PymongoInstrumentor", driver="pymongo"),
    Library("pymysql", "pymysql", "pymysql.PyMySQLInstrumentor", driver="mysql.pymysql"),
    Library("redis", "redis", "redis.RedisInstrumentor", driver="redis"),
    Library("sqlalchemy", "sqlalchemy", "sqlalchemy.SQLAlchemyInstrumentor", driver="sqlalchemy"),
    Library("sqlite3", "sqlite3", driver="sqlite3"),
    # Often in place of it: `sys.modules["sqlite3"] = pysqlite3`
    Library("sqlite3", "pysqlite3", driver="sqlite3"),
    Library("valkey", "valkey", driver="redis"),
)

UPSTREAM = "opentelemetry.instrumentation."
DRIVERS = "lambda_latency.runtime.drivers."
BOTOCORE = UPSTREAM + "botocore"
AWS = frozenset(("botocore", "aiobotocore"))
# Their instrumentations ignore that a call has a span already
UNSUPPRESSED = frozenset(("aiokafka", "asyncpg"))
NAMES = frozenset(library.name for library in LIBRARIES)
# Modules whose calls nothing traces; those of `SQL` are traced through SQLAlchemy.
SQL = frozenset(("aiomysql", "asyncmy", "clickhouse_driver", "cx_Oracle", "duckdb", "oracledb", "pymssql", "pyodbc",
                 "redshift_connector", "snowflake.connector"))  # fmt: skip
UNTRACEABLE = SQL | {
    "aerospike", "couchbase", "curl_cffi", "glide", "ldap3", "neo4j", "niquests", "nats", "paramiko", "pycurl",
    "pyhive", "smbclient", "stomp", "tornado.httpclient", "websockets",
}  # fmt: skip


class Instrumentations:
    """The instrumentations of one runtime: installed as libraries are imported, removed by the functions in `undo`.

    `on_own` is called with the module of each instrumentation that the function itself installs.
    """

    def __init__(
        self, provider: TracerProvider, hook: ImportHook, on_own: Callable[[str], None], undo: Undo, *, stand_ins: bool
    ) -> None:
        self._provider, self._on_own, self._stand_ins, self._hook, self._undo = provider, on_own, stand_ins, hook, undo

    def start(self, requested: frozenset[str]) -> None:
        """Instrument the requested libraries: now those that are imported, the others on their import."""
        self._hook.on_import("botocore", self._botocore_arrived)
        for library in LIBRARIES:
            if library.name in requested:
                if library.instrumentor:
                    self._hook.watch(where(library))
                self._hook.on_import(library.module, functools.partial(self._arrived, library))

    def _botocore_arrived(self, module: ModuleType) -> None:
        from lambda_latency.runtime.drivers.aws import watch_sessions

        self._undo.append(watch_sessions(module, self._load_dynamodb))

    @harmless("tracing DynamoDB")
    def _load_dynamodb(self, **_: object) -> None:
        """Import the instrumentation's extension: at the first call it would be imported without the stand-ins."""
        if BOTOCORE in sys.modules:
            read(f"{BOTOCORE}.extensions.dynamodb", stand_ins=self._stand_ins)

    def _arrived(self, library: Library, module: ModuleType) -> None:
        if not library.first_call:
            self._instrument(library, module)
            return
        instrument = functools.partial(self._instrument, library, module)
        for call in library.first_call.split():
            owner, method = call.split(".")
            self._undo.append(on_first_call(getattr(module, owner), method, instrument))

    def _instrument(self, library: Library, module: ModuleType) -> None:
        if library.driver:
            self._drive(library, module)
        if library.instrumentor:
            self._read(library)

    @harmless("tracing connections of a library")
    def _drive(self, library: Library, module: ModuleType) -> None:
        """Install the driver before the instrumentation, whose wrappers are then the outer ones."""
        name, _, function = library.driver.partition(".")
        instrument = getattr(import_module(DRIVERS + name), function or "instrument")
        self._undo += instrument(module, self._provider.get_tracer("lambda_latency.runtime"))

    @harmless("tracing a library")
    def _read(self, library: Library) -> None:
        try:
            read(where(library), stand_ins=self._stand_ins and library.stand_ins)
        except ModuleNotFoundError as error:
            warn(f"{library.name} is not traced: no module {error.name}; put it into the layer or the bundle")
            return
        # If the function imports the instrumentation, and that the library, it is not complete yet.
        self._hook.on_import(where(library), functools.partial(self._put_on, library))

    def _put_on(self, library: Library, module: ModuleType) -> None:
        kind = getattr(module, library.instrumentor.partition(".")[2], None)
        if kind is None:
            warn(f"{library.module} is not traced: this version of {where(library)} does not support it")
            return
        instrumentor = kind()
        if instrumentor.is_instrumented_by_opentelemetry:
            self._on_own(where(library))
            return
        more: dict[str, Any] = {}
        if library.name in AWS:
            from lambda_latency.runtime.drivers.aws import LATER, requested, responded

            more = {"request_hook": requested, "response_hook": responded, "propagator": LATER}
        elif library.name in UNSUPPRESSED:
            from lambda_latency.runtime.drivers.call import Suppressible

            more = {"tracer_provider": Suppressible(self._provider, library.name)}
        # Versions are checked when the bundle is built: at a cold start, that would cost as much as the X-Ray SDK.
        instrumentor.instrument(**{"skip_dep_check": True, "tracer_provider": self._provider, **more})
        self._undo.append(instrumentor.uninstrument)
        if library.name == "botocore":  # `LATER` writes nothing there
            owner = sys.modules["botocore.endpoint"].Endpoint
            owner.prepare_request = getattr(owner.prepare_request, "__wrapped__", owner.prepare_request)
        take_off: Callable[[], object] = list  # does nothing
        if library.name in ("botocore", "requests"):
            from lambda_latency.runtime.unsampled import pass_by

            take_off = pass_by(library.name)
        self._undo += [take_off, give_way(instrumentor, take_off, functools.partial(self._on_own, where(library)))]


def where(library: Library) -> str:
    """Return the module of a library's instrumentation."""
    return UPSTREAM + library.instrumentor.partition(".")[0]


def give_way(instrumentor: Any, take_off: Callable[[], object], on_own: Callable[[], None]) -> Callable[[], object]:
    """Let the function itself install or remove the same instrumentation; returns the function that undoes this.

    Otherwise upstream would refuse a second installation, and the function's hooks would be lost. `take_off` removes
    the runtime's wrapper, which hides upstream's; `on_own` is called when the instrumentation becomes the function's.
    """

    def instrument(**kwargs: Any) -> Any:
        undo()
        take_off()
        on_own()
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()
        return instrumentor.instrument(**kwargs)

    def uninstrument(**kwargs: Any) -> Any:
        undo()
        take_off()
        return instrumentor.uninstrument(**kwargs)

    def undo() -> None:
        for name in ("instrument", "uninstrument"):
            vars(instrumentor).pop(name, None)

    instrumentor.instrument, instrumentor.uninstrument = instrument, uninstrument
    return undo


def on_first_call(owner: type, method: str, instrument: Callable[[], None]) -> Callable[[], bool]:
    """Call `instrument` at the first call outside of other traced libraries; returns the function that undoes it."""

    from opentelemetry.context import get_current

    keys: list[str] = []  # by which upstream suppresses spans: known at the first call

    def is_outside() -> bool:
        try:
            if not keys:
                from lambda_latency.runtime.unsampled import suppression

                keys.extend(suppression())
            return not any(map(get_current().get, keys))
        except Exception as error:  # noqa: BLE001 - the call goes on, whatever fails
            failed("tracing a library", error)
            return False

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        def first(self: object, *args: Any, **kwargs: Any) -> Any:
            # `undo` fails if another thread was faster, or if the method was wrapped again.
            if is_outside() and undo():
                instrument()
                return getattr(self, method)(*args, **kwargs)
            return original(self, *args, **kwargs)

        return first

    undo = replaced(owner, method, around)
    return undo


def log_untraceable(logged: set[str]) -> None:
    """Log each imported library whose calls nothing traces and that is not in `logged`, and add it to `logged`."""
    traced = SQL if "sqlalchemy" in sys.modules else frozenset()
    for name in sorted(UNTRACEABLE - logged - traced):
        if name in sys.modules:
            logged.add(name)
            warn(
                f"{name} is imported, and nothing traces its calls: their time is own code; a span around each tells "
                "them apart"
            )
