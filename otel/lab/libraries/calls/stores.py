"""Clients of Redis and Valkey, MongoDB, Elasticsearch and OpenSearch."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from lab.libraries.four import Ask, awaited, four, patience


def redis_like(module: str, client: str, variant: str = "") -> Any:
    """A client of redis or valkey, which have the same interface; it makes no second attempt."""

    def connected(port: int) -> Any:
        backoff = import_module(f"{module}.backoff").NoBackoff()
        retry = import_module(f"{module}{variant}.retry").Retry(backoff, 0)
        return getattr(import_module(f"{module}{variant}"), client)(
            host="localhost",
            port=port,
            db=2,
            socket_timeout=patience.seconds,
            socket_connect_timeout=patience.seconds,
            retry=retry,
        )

    return connected


def executed(connected: Callable[[int], Any]) -> Ask:
    """A command by a client."""

    def ask(port: int, command: str) -> Any:
        with connected(port) as connection:
            return connection.execute_command(*command.split())

    return ask


def executed_async(connected: Callable[[int], Any]) -> Ask:
    """A command by an asynchronous client."""

    async def ask(port: int, command: str) -> Any:
        async with connected(port) as connection:
            return await connection.execute_command(*command.split())

    return awaited(ask)


def redis_pipeline_ask(port: int, command: str) -> Any:
    with redis_like("redis", "Redis")(port) as connection:
        return connection.pipeline(transaction=False).execute_command(*command.split()).get("other").execute()


def pymongo_ask(port: int, collection: str) -> Any:
    import pymongo

    with pymongo.MongoClient(
        f"mongodb://localhost:{port}/?directConnection=true", serverSelectionTimeoutMS=400, connectTimeoutMS=300
    ) as client:
        if collection == "nonsense":
            return client.shop.command("nonsense")
        return list(client.shop[collection].find({"token": "hunter2"}))


async def pymongo_async_ask(port: int, collection: str) -> Any:
    import pymongo

    async with pymongo.AsyncMongoClient(
        f"mongodb://localhost:{port}/?directConnection=true", serverSelectionTimeoutMS=400, connectTimeoutMS=300
    ) as client:
        if collection == "nonsense":
            return await client.shop.command("nonsense")
        return await client.shop[collection].find({"token": "hunter2"}).to_list()


def elasticsearch_ask(port: int, index: str) -> Any:
    import elasticsearch

    with elasticsearch.Elasticsearch(
        f"http://localhost:{port}", request_timeout=patience.seconds, max_retries=0
    ) as client:
        return client.search(index=index, query={"match": {"token": "hunter2"}}).body


async def elasticsearch_async_ask(port: int, index: str) -> Any:
    import elasticsearch

    async with elasticsearch.AsyncElasticsearch(
        f"http://localhost:{port}", request_timeout=patience.seconds, max_retries=0
    ) as client:
        return (await client.search(index=index, query={"match": {"token": "hunter2"}})).body


def opensearch_ask(port: int, index: str) -> Any:
    import opensearchpy

    with opensearchpy.OpenSearch(f"http://localhost:{port}", timeout=patience.seconds, max_retries=0) as client:
        return client.search(index=index, body={"query": {"match": {"token": "hunter2"}}})


async def opensearch_async_ask(port: int, index: str) -> Any:
    import opensearchpy

    async with opensearchpy.AsyncOpenSearch(
        f"http://localhost:{port}", timeout=patience.seconds, max_retries=0
    ) as client:
        return await client.search(index=index, body={"query": {"match": {"token": "hunter2"}}})


COMMANDS = ("GET order:1", "LPUSH")
LIBRARIES = {
    "redis": four(executed(redis_like("redis", "Redis")), *COMMANDS),
    "redis pipeline": four(redis_pipeline_ask, *COMMANDS),
    "redis async": four(executed_async(redis_like("redis", "Redis", ".asyncio")), *COMMANDS),
    "valkey": four(executed(redis_like("valkey", "Valkey")), *COMMANDS),
    "valkey async": four(executed_async(redis_like("valkey", "Valkey", ".asyncio")), *COMMANDS),
    "pymongo": four(pymongo_ask, "orders", "nonsense"),
    "pymongo async": four(awaited(pymongo_async_ask), "orders", "nonsense"),
    "elasticsearch": four(elasticsearch_ask, "orders", "missing"),
    "elasticsearch async": four(awaited(elasticsearch_async_ask), "orders", "missing"),
    "opensearch": four(opensearch_ask, "orders", "missing"),
    "opensearch async": four(awaited(opensearch_async_ask), "orders", "missing"),
}
