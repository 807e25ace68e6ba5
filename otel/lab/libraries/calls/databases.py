"""Drivers of PostgreSQL, MariaDB and SQLite, and SQLAlchemy above them."""

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

from lab.libraries.four import Ask, awaited, four, patience

SELECT = "SELECT 'ada' AS name, 7 AS n"
NOWHERE = "SELECT * FROM nowhere WHERE token = 'hunter2'"


def by_cursor(connect: Callable[[int], Any]) -> Ask:
    """A driver with the interface of PEP 249."""

    def ask(port: int, statement: str) -> Any:
        connection = connect(port)
        try:
            cursor = connection.cursor()
            cursor.execute(statement)
            return [list(row) for row in cursor.fetchall()]
        finally:
            connection.close()

    return ask


@by_cursor
def psycopg2_ask(port: int) -> Any:
    import psycopg2

    return psycopg2.connect(host="localhost", port=port, dbname="shop", user="shop", connect_timeout=2)


@by_cursor
def pg8000_ask(port: int) -> Any:
    import pg8000.dbapi

    return pg8000.dbapi.connect("shop", host="localhost", port=port, database="shop", timeout=patience.seconds)


@by_cursor
def pymysql_ask(port: int) -> Any:
    import pymysql

    waits = {"connect_timeout": 1, "read_timeout": 1}
    return pymysql.connect(host="localhost", port=port, user="shop", password="secret", database="shop", **waits)


def mysql_connect(port: int, *, pure: bool) -> Any:
    import mysql.connector

    return mysql.connector.connect(
        host="localhost", port=port, user="shop", password="secret", database="shop", connection_timeout=1,
        use_pure=pure, ssl_disabled=True,
    )  # fmt: skip


def psycopg_ask(port: int, statement: str) -> Any:
    import psycopg

    conninfo = f"host=localhost port={port} dbname=shop user=shop connect_timeout=2"
    with psycopg.connect(conninfo) as connection:
        return connection.execute(statement).fetchall()


async def psycopg_async_ask(port: int, statement: str) -> Any:
    import psycopg

    conninfo = f"host=localhost port={port} dbname=shop user=shop connect_timeout=2"
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        return await (await connection.execute(statement)).fetchall()


def psycopg_pool_ask(port: int, statement: str) -> Any:
    import psycopg_pool

    conninfo = f"host=localhost port={port} dbname=shop user=shop connect_timeout=2"
    with (
        psycopg_pool.ConnectionPool(conninfo, min_size=0, max_size=1, timeout=0.5, open=True) as pool,
        pool.connection() as connection,
    ):
        return connection.execute(statement).fetchall()


async def psycopg_async_pool_ask(port: int, statement: str) -> Any:
    import psycopg_pool

    conninfo = f"host=localhost port={port} dbname=shop user=shop connect_timeout=2"
    async with (
        psycopg_pool.AsyncConnectionPool(conninfo, min_size=0, max_size=1, timeout=0.5, open=False) as pool,
        pool.connection() as connection,
    ):
        return await (await connection.execute(statement)).fetchall()


def pg8000_native_ask(port: int, statement: str) -> Any:
    import pg8000.native

    connection = pg8000.native.Connection(
        "shop", host="localhost", port=port, database="shop", timeout=patience.seconds
    )
    try:
        return connection.run(statement)
    finally:
        connection.close()


async def asyncpg_ask(port: int, statement: str) -> Any:
    import asyncpg

    connection = await asyncpg.connect(
        host="localhost", port=port, database="shop", user="shop", timeout=patience.seconds, ssl=False
    )
    try:
        return [dict(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def asyncpg_pool_ask(port: int, statement: str) -> Any:
    import asyncpg

    pool = asyncpg.create_pool(
        host="localhost", port=port, database="shop", user="shop", timeout=patience.seconds, ssl=False, min_size=0
    )
    async with pool, pool.acquire() as connection:
        return [dict(row) for row in await connection.fetch(statement)]


def sqlite3_short_ask(port: int, statement: str) -> Any:
    connection = sqlite3.connect(":memory:")
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def alchemy(url: str, **arguments: Any) -> Any:
    """SQLAlchemy with one driver."""

    def ask(port: int, statement: str) -> Any:
        from sqlalchemy import create_engine, text

        engine = create_engine(url.format(port=port), connect_args=arguments)
        try:
            with engine.connect() as connection:
                return [list(row) for row in connection.execute(text(statement))]
        finally:
            engine.dispose()

    return ask


async def alchemy_async_ask(port: int, statement: str) -> Any:
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(
        f"postgresql+asyncpg://shop@localhost:{port}/shop", connect_args={"timeout": patience.seconds, "ssl": False}
    )
    try:
        async with engine.connect() as connection:
            return [list(row) for row in await connection.execute(text(statement))]
    finally:
        await engine.dispose()


STATEMENTS = (SELECT, NOWHERE)
LIBRARIES = {
    "psycopg2": four(psycopg2_ask, *STATEMENTS),
    "psycopg": four(psycopg_ask, *STATEMENTS),
    "psycopg async": four(awaited(psycopg_async_ask), *STATEMENTS),
    "psycopg pool": four(psycopg_pool_ask, *STATEMENTS),
    "psycopg async pool": four(awaited(psycopg_async_pool_ask), *STATEMENTS),
    "pg8000": four(pg8000_ask, *STATEMENTS),
    "pg8000.native": four(pg8000_native_ask, *STATEMENTS),
    "asyncpg": four(awaited(asyncpg_ask), *STATEMENTS),
    "asyncpg pool": four(awaited(asyncpg_pool_ask), *STATEMENTS),
    "pymysql": four(pymysql_ask, *STATEMENTS),
    "mysql.connector": four(by_cursor(partial(mysql_connect, pure=False)), *STATEMENTS),
    "mysql.connector pure": four(by_cursor(partial(mysql_connect, pure=True)), *STATEMENTS),
    "sqlite3": four(by_cursor(lambda _: sqlite3.connect(":memory:")), *STATEMENTS),
    "sqlite3 Connection.execute": four(sqlite3_short_ask, *STATEMENTS),
    "sqlalchemy psycopg2": four(
        alchemy("postgresql+psycopg2://shop@localhost:{port}/shop", connect_timeout=2), *STATEMENTS
    ),
    "sqlalchemy psycopg": four(
        alchemy("postgresql+psycopg://shop@localhost:{port}/shop", connect_timeout=2), *STATEMENTS
    ),
    "sqlalchemy pg8000": four(alchemy("postgresql+pg8000://shop@localhost:{port}/shop", timeout=1), *STATEMENTS),
    "sqlalchemy pymysql": four(
        alchemy("mysql+pymysql://shop:secret@localhost:{port}/shop", connect_timeout=1, read_timeout=1), *STATEMENTS
    ),
    "sqlalchemy mysql.connector": four(
        alchemy("mysql+mysqlconnector://shop:secret@localhost:{port}/shop", connection_timeout=1, ssl_disabled=True),
        *STATEMENTS,
    ),
    "sqlalchemy sqlite3": four(alchemy("sqlite://"), *STATEMENTS),
    "sqlalchemy asyncpg": four(awaited(alchemy_async_ask), *STATEMENTS),
}
