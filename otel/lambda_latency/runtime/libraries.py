"""The libraries that are traced, and how each one's instrumentation is put on when the handler first imports it.

What is never imported costs nothing: neither the library nor its instrumentation is loaded (X-Ray's "patch all"
loads both).
"""

from __future__ import annotations

import functools
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.harmless import harmless, warn
from lambda_latency.runtime.replace import replaced
from lambda_latency.runtime.standins import read
from lambda_latency.runtime.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.trace import TracerProvider

    from lambda_latency.runtime.imports import ImportHook

__all__ = ["DRIVERS", "LIBRARIES", "NAMES", "Instrumentations", "Library"]


class Library(Value):
    """One library: its name in the setting, the module whose import is waited for, and its instrumentor.

    `first_call` names a method whose call is waited for as well; `stand_ins` says that the tests have run its
    instrumentation with the stand-ins; `driver` is the module of ours, in `drivers`, for what upstream leaves out.
    """

    name: str
    module: str
    instrumentor: str = ""
    first_call: str = ""
    stand_ins: bool = False
    driver: str = ""


# What the layer `AWSOpenTelemetryDistroPython` carries, as far as it makes calls: a handler is no web server. boto3sqs
# is left out, for botocore's span is there already and one call is one span.
LIBRARIES = (
    Library("botocore", "botocore.client", "botocore.BotocoreInstrumentor", stand_ins=True),
    Library("aiobotocore", "aiobotocore.client", "botocore.AiobotocoreInstrumentor"),
    Library("requests", "requests", "requests.RequestsInstrumentor", stand_ins=True),
    Library("httpx", "httpx", "httpx.HTTPXClientInstrumentor"),
    Library("aiohttp", "aiohttp", "aiohttp_client.AioHttpClientInstrumentor"),
    # boto3 and requests import these for their own use, so an import says nothing; a call that is not theirs does.
    Library("urllib3", "urllib3", "urllib3.URLLib3Instrumentor", first_call="HTTPConnectionPool.urlopen"),
    Library("urllib", "urllib.request", "urllib.URLLibInstrumentor", first_call="OpenerDirector.open"),
    Library("http.client", "http.client", first_call="HTTPConnection.request", driver="http_client"),
    Library("aio_pika", "aio_pika", "aio_pika.AioPikaInstrumentor", driver="rabbitmq"),
    Library("aiokafka", "aiokafka", "aiokafka.AIOKafkaInstrumentor", driver="kafka"),
    Library("aiopg", "aiopg", "aiopg.AiopgInstrumentor"),
    Library("asyncpg", "asyncpg", "asyncpg.AsyncPGInstrumentor", driver="asyncpg"),
    Library("cassandra", "cassandra.cluster", "cassandra.CassandraInstrumentor"),
    Library("confluent_kafka", "confluent_kafka", "confluent_kafka.ConfluentKafkaInstrumentor", driver="kafka"),
    Library("elasticsearch", "elasticsearch", driver="search"),
    Library("grpc", "grpc", "grpc.GrpcInstrumentorClient"),
    Library("grpc", "grpc.aio", "grpc.GrpcAioInstrumentorClient"),
    Library("kafka", "kafka", "kafka.KafkaInstrumentor"),
    Library("mysql", "mysql.connector", "mysql.MySQLInstrumentor", driver="mysql"),
    Library("mysqlclient", "MySQLdb", "mysqlclient.MySQLClientInstrumentor"),
    Library("opensearch", "opensearchpy", driver="search"),
    Library("pg8000", "pg8000.core", driver="pg8000"),
    Library("pg8000", "pg8000.dbapi", driver="pg8000"),
    Library("pg8000", "pg8000.legacy", driver="pg8000"),
    Library("pg8000", "pg8000.native", driver="pg8000"),
    Library("pika", "pika", "pika.PikaInstrumentor", driver="rabbitmq"),
    Library("psycopg", "psycopg", "psycopg.PsycopgInstrumentor", driver="postgres"),  # which the layer has not
    Library("psycopg", "psycopg_pool", driver="postgres"),
    Library("psycopg2", "psycopg2", "psycopg2.Psycopg2Instrumentor", driver="postgres"),
    Library("pymemcache", "pymemcache", "pymemcache.PymemcacheInstrumentor"),
    Library("pymongo", "pymongo", "pymongo.PymongoInstrumentor", driver="pymongo"),
    Library("pymysql", "pymysql", "pymysql.PyMySQLInstrumentor", driver="pymysql"),
    Library("redis", "redis", "redis.RedisInstrumentor", driver="redis"),
    Library("sqlalchemy", "sqlalchemy", "sqlalchemy.SQLAlchemyInstrumentor", driver="sqlalchemy"),
    Library("sqlite3", "sqlite3", driver="sqlite3"),
    Library("valkey", "valkey", driver="valkey"),
)

UPSTREAM = "opentelemetry.instrumentation."
DRIVERS = "lambda_latency.runtime.drivers."
BOTOCORE = UPSTREAM + "botocore"
AWS = frozenset(("botocore", "aiobotocore"))
UNSUPPRESSED = frozenset(("aiokafka", "asyncpg"))  # theirs make spans inside of a call that has its span already, too
NAMES = frozenset(library.name for library in LIBRARIES)


class Instrumentations:
    """The instrumentations of one runtime: put on as libraries arrive, and all taken off again by `undo`.

    `own` is told of each that the function puts on itself, by its module.
    """

    def __init__(
        self,
        provider: TracerProvider,
        hook: ImportHook,
        own: Callable[[str], None],
        undo: list[Callable[[], object]],
        *,
        stand_ins: bool,
    ) -> None:
        self._provider = provider
        self._own = own
        self._stand_ins = stand_ins
        self._hook = hook
        self._undo = undo

    def start(self, wanted: frozenset[str]) -> None:
        """Wait for the wanted libraries; one that is imported already is instrumented now."""
        self._hook.when("botocore", self._botocore_arrived)
        for library in LIBRARIES:
            if library.name in wanted:
                if library.instrumentor:
                    self._hook.watch(where(library))
                self._hook.when(library.module, functools.partial(self._arrived, library))

    @harmless("the tracing header of AWS calls")
    def _botocore_arrived(self, module: ModuleType) -> None:
        from lambda_latency.runtime.endpoint import watch_sessions

        self._undo.append(watch_sessions(module, self._load_dynamodb))

    @harmless("tracing DynamoDB")
    def _load_dynamodb(self, **_: object) -> None:
        """Upstream would import its extension at the first call, without the stand-ins."""
        if BOTOCORE in sys.modules:
            read(f"{BOTOCORE}.extensions.dynamodb", stand_ins=self._stand_ins)

    @harmless("tracing a library")
    def _arrived(self, library: Library, module: ModuleType) -> None:
        if not library.first_call:
            self._instrument(library, module)
            return
        owner, method = library.first_call.split(".")
        instrument = functools.partial(self._instrument, library, module)
        self._undo.append(on_first_call(getattr(module, owner), method, instrument))

    def _instrument(self, library: Library, module: ModuleType) -> None:
        if library.driver:
            self._drive(library, module)
        if library.instrumentor:
            self._read(library)

    @harmless("tracing connections of a library")
    def _drive(self, library: Library, module: ModuleType) -> None:
        """Before upstream's, whose wrappers are around ours then."""
        driver = import_module(DRIVERS + library.driver)
        self._undo += driver.instrument(module, self._provider.get_tracer("lambda_latency.runtime"))

    @harmless("tracing a library")
    def _read(self, library: Library) -> None:
        try:
            read(where(library), stand_ins=self._stand_ins and library.stand_ins)
        except ModuleNotFoundError as error:
            warn(f"{library.name} is not traced: no module {error.name}; put it into the layer or the bundle")
            return
        # Who imports the instrumentation first imports the library by it: then it is not complete yet.
        self._hook.when(where(library), functools.partial(self._put_on, library))

    @harmless("tracing a library")
    def _put_on(self, library: Library, module: ModuleType) -> None:
        instrumentor = getattr(module, library.instrumentor.partition(".")[2])()
        if instrumentor.is_instrumented_by_opentelemetry:
            self._own(where(library))
            return
        more: dict[str, Any] = {}
        if library.name in AWS:
            from lambda_latency.runtime import aws_call
            from lambda_latency.runtime.endpoint import PROPAGATOR

            more = {"request_hook": aws_call.requested, "response_hook": aws_call.responded, "propagator": PROPAGATOR}
        elif library.name in UNSUPPRESSED:
            from lambda_latency.runtime.drivers.suppressible import Suppressible

            more = {"tracer_provider": Suppressible(self._provider, library.name)}
        # Versions are checked where the bundle is built: at a cold start that would cost as much as all of X-Ray's SDK.
        instrumentor.instrument(**{"skip_dep_check": True, "tracer_provider": self._provider, **more})
        self._undo.append(instrumentor.uninstrument)
        take_off: Callable[[], object] = list  # does nothing
        if library.name in ("botocore", "requests"):
            from lambda_latency.runtime.unsampled import pass_by

            take_off = pass_by(library.name)
        self._undo += [take_off, give_way(instrumentor, take_off, functools.partial(self._own, where(library)))]


def where(library: Library) -> str:
    """The module of its instrumentation."""
    return UPSTREAM + library.instrumentor.partition(".")[0]


def give_way(instrumentor: Any, take_off: Callable[[], object], own: Callable[[], None]) -> Callable[[], object]:
    """Let the function put the same instrumentation on itself, or take it off; returns the undoing.

    Upstream would say that it is on already, and leave the function's hooks out. `take_off` takes off the runtime's own
    wrapper, under which upstream would not find its own; `own` is called where it is the function's from now on.
    """

    def instrument(**kwargs: Any) -> Any:
        undo()
        take_off()
        own()
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
    """Instrument at the first call that no library with a span of its own makes for its caller; returns the undoing."""

    enabled: list[Callable[[], bool]] = []  # imported at a first call, and looked up no more

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        def first(self: object, *args: Any, **kwargs: Any) -> Any:
            if not enabled:
                from opentelemetry.instrumentation.utils import is_http_instrumentation_enabled

                enabled.append(is_http_instrumentation_enabled)
            # Not undone: another thread was quicker, or somebody has wrapped the method since.
            if enabled[0]() and undo():
                instrument()
                return getattr(self, method)(*args, **kwargs)
            return original(self, *args, **kwargs)

        return first

    undo = replaced(owner, method, around)
    return undo
