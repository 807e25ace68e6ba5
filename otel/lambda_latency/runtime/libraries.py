"""The libraries that are traced, and how each one's instrumentation is put on when the handler first imports it.

What is never imported costs nothing: neither the library nor its instrumentation is loaded (X-Ray's "patch all"
loads both).
"""

from __future__ import annotations

import functools
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.harmless import harmless, warn
from lambda_latency.runtime.standins import standing_in
from lambda_latency.runtime.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.trace import TracerProvider

    from lambda_latency.runtime.imports import ImportHook

__all__ = ["LIBRARIES", "NAMES", "Instrumentations", "Library"]


class Library(Value):
    """One library: its name in the setting, the module whose import is waited for, and its instrumentor.

    `first_call` names a method whose call is waited for as well; `stand_ins` says that its instrumentation is known to
    do with the stand-ins.
    """

    name: str
    module: str
    instrumentor: str
    first_call: str = ""
    stand_ins: bool = False


# What the layer `AWSOpenTelemetryDistroPython` carries, as far as it makes calls: a handler is no web server. boto3sqs
# is left out, for botocore's span is there already and one call is one span.
LIBRARIES = (
    Library("botocore", "botocore.client", "botocore.BotocoreInstrumentor", stand_ins=True),
    Library("aiobotocore", "aiobotocore.client", "botocore.AiobotocoreInstrumentor"),
    Library("requests", "requests", "requests.RequestsInstrumentor", stand_ins=True),
    Library("httpx", "httpx", "httpx.HTTPXClientInstrumentor"),
    Library("aiohttp", "aiohttp", "aiohttp_client.AioHttpClientInstrumentor"),
    # boto3 and requests import these two for their own use, so an import says nothing; a call that is not theirs does.
    Library("urllib3", "urllib3", "urllib3.URLLib3Instrumentor", first_call="HTTPConnectionPool.urlopen"),
    Library("urllib", "urllib.request", "urllib.URLLibInstrumentor", first_call="OpenerDirector.open"),
    Library("aio_pika", "aio_pika", "aio_pika.AioPikaInstrumentor"),
    Library("aiokafka", "aiokafka", "aiokafka.AIOKafkaInstrumentor"),
    Library("aiopg", "aiopg", "aiopg.AiopgInstrumentor"),
    Library("asyncpg", "asyncpg", "asyncpg.AsyncPGInstrumentor"),
    Library("cassandra", "cassandra.cluster", "cassandra.CassandraInstrumentor"),
    Library("confluent_kafka", "confluent_kafka", "confluent_kafka.ConfluentKafkaInstrumentor"),
    Library("grpc", "grpc", "grpc.GrpcInstrumentorClient"),
    Library("kafka", "kafka", "kafka.KafkaInstrumentor"),
    Library("mysql", "mysql.connector", "mysql.MySQLInstrumentor"),
    Library("mysqlclient", "MySQLdb", "mysqlclient.MySQLClientInstrumentor"),
    Library("pika", "pika", "pika.PikaInstrumentor"),
    Library("psycopg2", "psycopg2", "psycopg2.Psycopg2Instrumentor"),
    Library("pymemcache", "pymemcache", "pymemcache.PymemcacheInstrumentor"),
    Library("pymongo", "pymongo", "pymongo.PymongoInstrumentor"),
    Library("pymysql", "pymysql", "pymysql.PyMySQLInstrumentor"),
    Library("redis", "redis", "redis.RedisInstrumentor"),
    Library("sqlalchemy", "sqlalchemy", "sqlalchemy.SQLAlchemyInstrumentor"),
    Library("sqlite3", "sqlite3", "sqlite3.SQLite3Instrumentor"),
)

AWS = frozenset(("botocore", "aiobotocore"))
NAMES = frozenset(library.name for library in LIBRARIES)


class Instrumentations:
    """The instrumentations of one runtime: put on as libraries arrive, and all taken off again by `stop`."""

    def __init__(self, provider: TracerProvider, hook: ImportHook, *, stand_ins: bool) -> None:
        self._provider = provider
        self._stand_ins = stand_ins
        self._hook = hook
        self._undo: list[Callable[[], object]] = []

    def start(self, wanted: frozenset[str]) -> None:
        """Wait for the wanted libraries; one that is imported already is instrumented now."""
        for library in LIBRARIES:
            if library.name in wanted:
                self._hook.when(library.module, functools.partial(self._arrived, library))

    def stop(self) -> None:
        """Leave every library as it was."""
        while self._undo:
            self._undo.pop()()

    @harmless("tracing a library")
    def _arrived(self, library: Library, module: ModuleType) -> None:
        instrument = functools.partial(self._instrument, library)
        if library.first_call:
            owner, method = library.first_call.split(".")
            self._undo.append(on_first_call(getattr(module, owner), method, instrument))
        else:
            instrument()

    @harmless("tracing a library")
    def _instrument(self, library: Library) -> None:
        where, name = library.instrumentor.split(".")
        try:
            with standing_in(wanted=self._stand_ins and library.stand_ins):
                found = import_module(f"opentelemetry.instrumentation.{where}")
        except ModuleNotFoundError as error:
            warn(f"{library.name} is not traced: no module {error.name}; put it into the layer or the bundle")
            return
        instrumentor = getattr(found, name)()
        if library.name == "botocore":
            from lambda_latency.runtime.unsampled import pass_by_botocore

            self._undo.append(pass_by_botocore(instrumentor, stand_ins=self._stand_ins))
        # Versions are checked where the bundle is built: at a cold start that would cost as much as all of X-Ray's SDK.
        instrumentor.instrument(skip_dep_check=True, tracer_provider=self._provider, **additions(library))
        self._undo.append(instrumentor.uninstrument)
        if library.name in ("botocore", "requests"):
            from lambda_latency.runtime.shortcuts import shorten

            self._undo.append(shorten(found))
        if library.name == "botocore":
            from lambda_latency.runtime.shortcuts import remember

            self._undo.append(remember(instrumentor))
        if library.name == "requests":
            from lambda_latency.runtime.unsampled import pass_by_requests

            self._undo.append(pass_by_requests())
        if library.name in AWS:
            from lambda_latency.runtime.endpoint import carry_lineage, tell_attempts

            self._undo += [carry_lineage(), tell_attempts()]


def on_first_call(owner: type, method: str, instrument: Callable[[], None]) -> Callable[[], object]:
    """Instrument at the first call that no library with a span of its own makes for its caller; returns the undoing."""
    from opentelemetry.context import _SUPPRESS_HTTP_INSTRUMENTATION_KEY, get_value

    original = getattr(owner, method)
    asked: list[Callable[[], bool]] = []

    @functools.wraps(original)
    def first(self: object, *args: Any, **kwargs: Any) -> Any:
        if get_value(_SUPPRESS_HTTP_INSTRUMENTATION_KEY):  # as in each call of a library with a span of its own
            return original(self, *args, **kwargs)
        if not asked:
            from opentelemetry.instrumentation.utils import is_instrumentation_enabled

            asked.append(is_instrumentation_enabled)
        if asked[0]() and undo():
            instrument()
            return getattr(self, method)(*args, **kwargs)
        return original(self, *args, **kwargs)

    def undo() -> bool:
        # False: another thread was quicker, or somebody wrapped the method since, and then it is left alone.
        ours = owner.__dict__.get(method) is first
        if ours:
            setattr(owner, method, original)
        return ours

    setattr(owner, method, first)
    return undo


def additions(library: Library) -> dict[str, Any]:
    """The hooks that an instrumentor is given, imported only when they are needed."""
    if library.name not in AWS:
        return {}
    from lambda_latency.runtime import aws_call

    return {"request_hook": aws_call.requested, "response_hook": aws_call.responded}
