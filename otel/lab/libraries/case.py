"""Each library that is traced: what it is run against, and what its spans have to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Wanted = Mapping[str, object]
SELECT = "SELECT ? AS name, ? AS n"
POSTGRESQL: Wanted = {
    "db.system": "postgresql",
    "db.name": "shop",
    "db.statement": SELECT,
    "net.peer.name": "localhost",
}
MYSQL: Wanted = {**POSTGRESQL, "db.system": "mysql"}
SQLITE: Wanted = {"db.system": "sqlite", "db.statement": SELECT}
REDIS: Wanted = {
    "db.system": "redis",
    "db.statement": "GET ?",
    "db.redis.database_index": 2,
    "net.peer.name": "localhost",
}
HTTP: Wanted = {"http.method": "GET", "net.peer.name": "localhost", "http.status_code": 200}
GRPC: Wanted = {"rpc.system": "grpc", "rpc.service": "shop.Orders", "rpc.method": "Get"}
AWS: Wanted = {"rpc.service": "DynamoDB", "rpc.method": "ListTables", "cloud.region": "eu-west-1"}
SOCKET, TALK = ("dns", "tcp"), ("dns", "tcp", "handshake")


@dataclass(frozen=True, slots=True)
class Case:
    """A library, the module of `calls` that has its calls, and its server.

    `spans` are the call's spans in the order of their starts, those of the connection aside; `wanted` are attributes of
    the first of them. `connect` says that opening a connection is a call of its own, which has the `parts`; else the
    call itself has them. `unseen` are the calls whose failure no span tells.
    """

    name: str
    module: str
    server: str
    spans: tuple[str, ...]
    wanted: Wanted = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    connect: bool = False
    bucket: str = "database"
    unseen: tuple[str, ...] = ()


SEARCH: Wanted = {"server.address": "localhost", "db.system.name": "elasticsearch", "db.operation.name": "search"}
OPEN: Wanted = {
    "net.peer.name": "localhost",
    "db.system": "opensearch",
    "db.operation": "search",
    "db.collection.name": "orders",
}
MONGO: Wanted = {
    "db.system": "mongodb",
    "db.name": "shop",
    "db.statement": "find",
    "db.mongodb.collection": "orders",
    "net.peer.name": "localhost",
}
RABBIT: Wanted = {"messaging.system": "rabbitmq", "messaging.destination": "orders", "net.peer.name": "localhost"}
KAFKA: Wanted = {"messaging.system": "kafka"}
NOTHING_TO_REFUSE = ("timeout", "refused")  # a file, no server

CASES = (
    Case("boto3", "aws", "moto", ("DynamoDB.ListTables",), AWS, SOCKET, bucket="aws"),
    Case("aioboto3", "aws", "moto", ("DynamoDB.ListTables",), AWS, SOCKET, bucket="aws"),
    Case("pynamodb", "aws", "moto", ("DynamoDB.ListTables",), AWS, SOCKET, bucket="aws"),
    Case("requests", "http", "HTTP", ("GET",), HTTP, SOCKET, bucket="external"),
    Case("urllib", "http", "HTTP", ("GET",), HTTP, SOCKET, bucket="external"),
    Case("urllib3", "http", "HTTP", ("GET",), HTTP, SOCKET, bucket="external"),
    Case("http.client", "http", "HTTP", ("GET",), HTTP, SOCKET, bucket="external"),
    Case("httpx", "http", "HTTP", ("GET",), HTTP, SOCKET, bucket="external"),
    Case("httpx async", "http", "HTTP", ("GET",), HTTP, SOCKET, bucket="external"),
    Case("aiohttp", "http", "HTTP", ("GET",), HTTP, SOCKET, bucket="external"),
    Case("grpc", "http", "gRPC", ("/shop.Orders/Get",), GRPC, bucket="external"),
    Case("grpc async", "http", "gRPC", ("/shop.Orders/Get",), GRPC, bucket="external"),
    Case("sqlite3", "databases", "", ("SELECT",), SQLITE, unseen=NOTHING_TO_REFUSE),
    Case("sqlite3 Connection.execute", "databases", "", ("SELECT",), SQLITE, unseen=NOTHING_TO_REFUSE),
    Case("psycopg2", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, connect=True),
    Case("psycopg", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, TALK, connect=True),
    Case("psycopg async", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, TALK, connect=True),
    Case("psycopg pool", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, (*TALK, "pool"), connect=True),
    Case("psycopg async pool", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, (*TALK, "pool"), connect=True),
    Case("pg8000", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, TALK, connect=True),
    Case("pg8000.native", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, TALK, connect=True),
    Case("asyncpg", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, TALK, connect=True),
    # The pool resets the connection when it is given back.
    Case("asyncpg pool", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, (*TALK, "pool"), connect=True),
    Case("pymysql", "databases", "MariaDB", ("SELECT",), MYSQL, TALK, connect=True),
    Case("mysql.connector", "databases", "MariaDB", ("SELECT",), MYSQL, connect=True),
    Case("mysql.connector pure", "databases", "MariaDB", ("SELECT",), MYSQL, TALK, connect=True),
    # What the dialect asks of a new connection by itself is part of `connect`.
    Case("sqlalchemy psycopg2", "databases", "PostgreSQL", ("SELECT shop",), POSTGRESQL, connect=True),
    Case("sqlalchemy psycopg", "databases", "PostgreSQL", ("SELECT shop",), POSTGRESQL, TALK, connect=True),
    Case("sqlalchemy pg8000", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, TALK, connect=True),
    Case("sqlalchemy asyncpg", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, TALK, connect=True),
    Case("sqlalchemy pymysql", "databases", "MariaDB", ("SELECT shop",), MYSQL, TALK, connect=True),
    Case("sqlalchemy mysql.connector", "databases", "MariaDB", ("SELECT",), MYSQL, connect=True),
    Case("sqlalchemy sqlite3", "databases", "", ("SELECT",), SQLITE, connect=True, unseen=NOTHING_TO_REFUSE),
    Case("redis", "stores", "Redis", ("GET",), REDIS, TALK),
    Case("redis pipeline", "stores", "Redis", ("GET GET",), {**REDIS, "db.statement": "GET ?\nGET ?"}, TALK),
    Case("redis async", "stores", "Redis", ("GET",), REDIS, TALK),
    Case("valkey", "stores", "Redis", ("GET",), {**REDIS, "db.system": "valkey"}, TALK),
    Case("valkey async", "stores", "Redis", ("GET",), {**REDIS, "db.system": "valkey"}, TALK),
    Case("pymongo", "stores", "MongoDB", ("shop.find",), MONGO, TALK, connect=True),
    Case("pymongo async", "stores", "MongoDB", ("shop.find",), MONGO, TALK, connect=True),
    Case("elasticsearch", "stores", "search", ("search",), SEARCH, SOCKET),
    Case("elasticsearch async", "stores", "search", ("search",), SEARCH, SOCKET),
    Case("opensearch", "stores", "search", ("search",), OPEN, SOCKET),
    Case("opensearch async", "stores", "search", ("search",), OPEN, SOCKET),
    Case("pika", "messaging", "RabbitMQ", ("orders send",), RABBIT, TALK, connect=True, bucket="messaging"),
    Case("aio_pika", "messaging", "RabbitMQ", ("orders send",), RABBIT, TALK, connect=True, bucket="messaging"),
    # The producer hands a message over, and waits in `flush` until it is delivered; its callback is told what failed.
    Case(
        "confluent_kafka",
        "messaging",
        "Kafka",
        ("orders send", "flush"),
        {**KAFKA, "messaging.destination": "orders"},
        bucket="messaging",
        unseen=NOTHING_TO_REFUSE,
    ),
    Case(
        "aiokafka",
        "messaging",
        "Kafka",
        ("orders send",),
        {**KAFKA, "messaging.destination.name": "orders", "net.peer.name": "localhost"},
        TALK,
        connect=True,
        bucket="messaging",
    ),
)
