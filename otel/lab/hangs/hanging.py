"""A function whose call never ends, in the phase that its event says."""

import _socket
import asyncio
import os
import select
import ssl
from collections.abc import Callable
from importlib import import_module
from typing import Any

for name in os.environ["LIBRARIES"].split(","):  # in init: the deadline does not wait for imports
    import_module(name)

SLOW_NAME = "slow.example.com"
ASK = _socket.getaddrinfo
UNCHECKED = ssl.create_default_context()
UNCHECKED.check_hostname, UNCHECKED.verify_mode = False, ssl.CERT_NONE


def handler(event: dict[str, Any], context: Any) -> Any:
    """Let one library call one port."""
    _socket.getaddrinfo = getaddrinfo  # type: ignore[assignment]
    return CALLS[event["library"]](event["phase"], SLOW_NAME if event["phase"] == "dns" else "localhost", event["port"])


def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
    """As with a name server that never answers: a call of C that lets other threads run."""
    return select.select([], [], [], 600) if host == SLOW_NAME else ASK(host, *args, **kwargs)


def with_requests(phase: str, host: str, port: int) -> None:
    import requests

    requests.get(f"{'https' if phase == 'tls' else 'http'}://{host}:{port}/slow", timeout=600)


def with_pymysql(phase: str, host: str, port: int) -> None:
    import pymysql

    settings: dict[str, Any] = {"user": "shop", "password": "secret", "database": "shop", "connect_timeout": 600}
    connection = pymysql.connect(host=host, port=port, ssl=UNCHECKED if phase == "tls" else None, **settings)
    with connection.cursor() as cursor:
        cursor.execute("select sleep(600)")


def with_sqlalchemy(phase: str, host: str, port: int) -> None:
    from sqlalchemy import create_engine

    engine = create_engine(
        f"mysql+pymysql://shop:secret@{host}:{port}/shop", pool_size=1, max_overflow=0, pool_timeout=600
    )
    with engine.connect(), engine.connect():
        pass


def with_redis(phase: str, host: str, port: int) -> None:
    import redis

    if phase == "pool":
        pool = redis.BlockingConnectionPool(max_connections=1, timeout=600, host=host, port=port)
        pool.get_connection()
        redis.Redis(connection_pool=pool).get("order:1")
    secure: dict[str, Any] = (
        {"ssl": True, "ssl_cert_reqs": "none", "ssl_check_hostname": False} if phase == "tls" else {}
    )
    redis.Redis(host=host, port=port, **secure).blpop("orders", 0)


def with_asyncpg(phase: str, host: str, port: int) -> None:
    import asyncpg

    settings: dict[str, Any] = {"user": "shop", "database": "shop", "timeout": 600, "host": host, "port": port,
                             "ssl": UNCHECKED if phase == "tls" else False}  # fmt: skip

    async def call() -> None:
        if phase == "pool":
            async with asyncpg.create_pool(min_size=1, max_size=1, **settings) as pool, pool.acquire():
                await pool.acquire()
        connection = await asyncpg.connect(**settings)
        await connection.fetch("select pg_sleep(600)")

    asyncio.run(call())


def with_psycopg(phase: str, host: str, port: int) -> None:
    import psycopg

    with psycopg.connect(f"host={host} port={port} dbname=shop user=shop connect_timeout=600") as connection:
        connection.execute("select pg_sleep(600)")


def with_psycopg2(phase: str, host: str, port: int) -> None:
    import psycopg2

    psycopg2.connect(host=host, port=port, dbname="shop", user="shop", connect_timeout=600)


def with_mysql_connector(phase: str, host: str, port: int) -> None:
    import mysql.connector

    settings = {"user": "shop", "password": "secret", "database": "shop", "connection_timeout": 600}
    mysql.connector.connect(host=host, port=port, use_pure=False, **settings)


def with_pika(phase: str, host: str, port: int) -> None:
    import pika

    secure = {"ssl_options": pika.SSLOptions(UNCHECKED)} if phase == "tls" else {}
    pika.BlockingConnection(pika.ConnectionParameters(host, port, socket_timeout=600, stack_timeout=600, **secure))


def with_grpc(phase: str, host: str, port: int) -> None:
    import grpc

    with grpc.insecure_channel(f"{host}:{port}") as channel:
        channel.unary_unary("/shop.Orders/Get")(b"get", timeout=600, wait_for_ready=True)


CALLS: dict[str, Callable[[str, str, int], object]] = {
    "requests": with_requests,
    "pymysql": with_pymysql,
    "sqlalchemy": with_sqlalchemy,
    "redis": with_redis,
    "asyncpg": with_asyncpg,
    "psycopg": with_psycopg,
    "psycopg2": with_psycopg2,
    "mysql.connector": with_mysql_connector,
    "pika": with_pika,
    "grpc": with_grpc,
}
