"""Clients of HTTP, and gRPC."""

from typing import Any

from lab.libraries.four import awaited, four, patience


def requests_get(port: int, path: str) -> Any:
    import requests

    answer = requests.get(f"http://localhost:{port}{path}", timeout=patience.seconds)
    answer.raise_for_status()
    return answer.json()


def urllib_get(port: int, path: str) -> Any:
    from urllib.request import urlopen

    with urlopen(f"http://localhost:{port}{path}", timeout=patience.seconds) as answer:
        return answer.read()


def urllib3_get(port: int, path: str) -> Any:
    import urllib3

    pool = urllib3.PoolManager(retries=False, timeout=patience.seconds)
    answer = pool.request("GET", f"http://localhost:{port}{path}")
    return answer.status, answer.json()


def http_client_get(port: int, path: str) -> Any:
    from http.client import HTTPConnection

    connection = HTTPConnection("localhost", port, timeout=patience.seconds)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def httpx_get(port: int, path: str) -> Any:
    import httpx

    return httpx.get(f"http://localhost:{port}{path}", timeout=patience.seconds).raise_for_status().json()


async def httpx_async_get(port: int, path: str) -> Any:
    import httpx

    async with httpx.AsyncClient(timeout=patience.seconds) as client:
        return (await client.get(f"http://localhost:{port}{path}")).raise_for_status().json()


async def aiohttp_get(port: int, path: str) -> Any:
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=patience.seconds)
    async with (
        aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session,
        session.get(f"http://localhost:{port}{path}") as answer,
    ):
        return await answer.json()


def grpc_get(port: int, request: str) -> Any:
    import grpc

    with grpc.insecure_channel(f"localhost:{port}") as channel:
        return channel.unary_unary("/shop.Orders/Get")(request.encode(), timeout=patience.seconds)


async def grpc_async_get(port: int, request: str) -> Any:
    import grpc

    async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
        return await channel.unary_unary("/shop.Orders/Get")(request.encode(), timeout=patience.seconds)


PATHS = ("/orders", "/status/503", "/slow")
LIBRARIES = {
    "requests": four(requests_get, *PATHS),
    "urllib": four(urllib_get, *PATHS),
    "urllib3": four(urllib3_get, *PATHS),
    "http.client": four(http_client_get, *PATHS),
    "httpx": four(httpx_get, *PATHS),
    "httpx async": four(awaited(httpx_async_get), *PATHS),
    "aiohttp": four(awaited(aiohttp_get), *PATHS),
    "grpc": four(grpc_get, "get", "fail", "slow"),
    "grpc async": four(awaited(grpc_async_get), "get", "fail", "slow"),
}
