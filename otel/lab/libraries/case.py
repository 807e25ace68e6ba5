"""Each library that is traced: what it is run against, and what its spans have to be."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Attributes = Mapping[str, object]
SELECT = "SELECT ? AS name, ? AS n"
POSTGRESQL: Attributes = {
    "db.system": "postgresql",
    "db.name": "shop",
    "db.statement": SELECT,
    "net.peer.name": "localhost",
}
MYSQL: Attributes = {**POSTGRESQL, "db.system": "mysql"}
SQLITE: Attributes = {"db.system": "sqlite", "db.statement": SELECT}
REDIS: Attributes = {
    "db.system": "redis",
    "db.statement": "GET ?",
    "db.redis.database_index": 2,
    "net.peer.name": "localhost",
}
HTTP: Attributes = {"http.method": "GET", "net.peer.name": "localhost", "http.status_code": 200}
GRPC: Attributes = {"rpc.system": "grpc", "rpc.service": "shop.Orders", "rpc.method": "Get"}
AWS: Attributes = {"rpc.service": "DynamoDB", "rpc.method": "ListTables", "cloud.region": "eu-west-1"}
SOCKET, TALK = ("dns", "tcp"), ("dns", "tcp", "handshake")


@dataclass(frozen=True, slots=True)
class Library:
    """A library, the module of `calls` that has its calls, and its server.

    `spans` are the call's spans in the order of their starts, those of the connection aside; the first of them must
    have the `attributes`. `connect` says that opening a connection is a call of its own, which has the `parts`; else
    the call itself has them. `unseen` are the calls whose failure no span tells.
    """

    name: str
    module: str
    server: str
    spans: tuple[str, ...]
    attributes: Attributes = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    connect: bool = False
    bucket: str = "database"
    unseen: tuple[str, ...] = ()


SEARCH: Attributes = {"server.address": "localhost", "db.system.name": "elasticsearch", "db.operation.name": "search"}
OPEN: Attributes = {
    "net.peer.name": "localhost",
    "db.system": "opensearch",
    "db.operation": "search",
    "db.collection.name": "orders",
}
MONGO: Attributes = {
    "db.system": "mongodb",
    "db.name": "shop",
    "db.statement": "find",
    "db.mongodb.collection": "orders",
    "net.peer.name": "localhost",
}
RABBIT: Attributes = {"messaging.system": "rabbitmq", "messaging.destination": "orders", "net.peer.name": "localhost"}
KAFKA: Attributes = {"messaging.system": "kafka"}
NOTHING_TO_REFUSE = ("timeout", "refused")  # a file, no server

CASES = (
    Library("boto3", "aws", "moto", ("DynamoDB.ListTables",), AWS, SOCKET, bucket="aws"),
    Library("aioboto3", "aws", "moto", ("DynamoDB.ListTables",), AWS, SOCKET, bucket="aws"),
    Library("pynamodb", "aws", "moto", ("DynamoDB.ListTables",), AWS, SOCKET, bucket="aws"),
    Library("requests", "http", "HTTP", ("GET",), HTTP, SOCKET, bucket="external"),
    Library("urllib", "http", "HTTP", ("GET",), HTTP, SOCKET, bucket="external"),
    Library("urllib3", "http", "HTTP", ("GET",), HTTP, SOCKET, bucket="external"),
    Library("http.client", "http", "HTTP", ("GET",), HTTP, SOCKET, bucket="external"),
    Library("httpx", "http", "HTTP", ("GET",), HTTP, SOCKET, bucket="external"),
    Library("httpx async", "http", "HTTP", ("GET",), HTTP, SOCKET, bucket="external"),
    Library("aiohttp", "http", "HTTP", ("GET",), HTTP, SOCKET, bucket="external"),
    Library("grpc", "http", "gRPC", ("/shop.Orders/Get",), GRPC, bucket="external"),
    Library("grpc async", "http", "gRPC", ("/shop.Orders/Get",), GRPC, bucket="external"),
    Library("sqlite3", "databases", "", ("SELECT",), SQLITE, unseen=NOTHING_TO_REFUSE),
    Library("sqlite3 Connection.execute", "databases", "", ("SELECT",), SQLITE, unseen=NOTHING_TO_REFUSE),
    Library("psycopg2", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, connect=True),
    Library("psycopg", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, TALK, connect=True),
    Library("psycopg async", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, TALK, connect=True),
    Library("psycopg pool", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, (*TALK, "pool"), connect=True),
    Library("psycopg async pool", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, (*TALK, "pool"), connect=True),
    Library("pg8000", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, TALK, connect=True),
    Library("pg8000.native", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, TALK, connect=True),
    Library("asyncpg", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, TALK, connect=True),
    # The pool resets the connection when it is given back.
    Library("asyncpg pool", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, (*TALK, "pool"), connect=True),
    Library("pymysql", "databases", "MariaDB", ("SELECT",), MYSQL, TALK, connect=True),
    Library("mysql.connector", "databases", "MariaDB", ("SELECT",), MYSQL, connect=True),
    Library("mysql.connector pure", "databases", "MariaDB", ("SELECT",), MYSQL, TALK, connect=True),
    # What the dialect asks of a new connection by itself is part of `connect`.
    Library("sqlalchemy psycopg2", "databases", "PostgreSQL", ("SELECT shop",), POSTGRESQL, connect=True),
    Library("sqlalchemy psycopg", "databases", "PostgreSQL", ("SELECT shop",), POSTGRESQL, TALK, connect=True),
    Library("sqlalchemy pg8000", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, TALK, connect=True),
    Library("sqlalchemy asyncpg", "databases", "PostgreSQL", ("SELECT",), POSTGRESQL, TALK, connect=True),
    Library("sqlalchemy pymysql", "databases", "MariaDB", ("SELECT shop",), MYSQL, TALK, connect=True),
    Library("sqlalchemy mysql.connector", "databases", "MariaDB", ("SELECT",), MYSQL, connect=True),
    Library("sqlalchemy sqlite3", "databases", "", ("SELECT",), SQLITE, connect=True, unseen=NOTHING_TO_REFUSE),
    Library("redis", "stores", "Redis", ("GET",), REDIS, TALK),
    Library("redis pipeline", "stores", "Redis", ("GET GET",), {**REDIS, "db.statement": "GET ?\nGET ?"}, TALK),
    Library("redis async", "stores", "Redis", ("GET",), REDIS, TALK),
    Library("valkey", "stores", "Redis", ("GET",), {**REDIS, "db.system": "valkey"}, TALK),
    Library("valkey async", "stores", "Redis", ("GET",), {**REDIS, "db.system": "valkey"}, TALK),
    Library("pymongo", "stores", "MongoDB", ("shop.find",), MONGO, TALK, connect=True),
    Library("pymongo async", "stores", "MongoDB", ("shop.find",), MONGO, TALK, connect=True),
    Library("elasticsearch", "stores", "search", ("search",), SEARCH, SOCKET),
    Library("elasticsearch async", "stores", "search", ("search",), SEARCH, SOCKET),
    Library("opensearch", "stores", "search", ("search",), OPEN, SOCKET),
    Library("opensearch async", "stores", "search", ("search",), OPEN, SOCKET),
    Library("pika", "messaging", "RabbitMQ", ("orders send",), RABBIT, TALK, connect=True, bucket="messaging"),
    Library("aio_pika", "messaging", "RabbitMQ", ("orders send",), RABBIT, TALK, connect=True, bucket="messaging"),
    # The producer hands a message over, and waits in `flush` until it is delivered; its callback is told what failed.
    Library(
        "confluent_kafka",
        "messaging",
        "Kafka",
        ("orders send", "flush"),
        {**KAFKA, "messaging.destination": "orders"},
        bucket="messaging",
        unseen=NOTHING_TO_REFUSE,
    ),
    Library(
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
