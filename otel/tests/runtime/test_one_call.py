"""One call is one span, whichever way it is made; and a library that is imported inside the handler is traced there."""

import contextlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3

from tests.runtime.conftest import VARIABLES, Function
from tests.runtime.stubs import Answer, Server

ROOT = Path(__file__).parents[3]
ACTIVE = {"Table": {"TableName": "orders", "TableStatus": "ACTIVE"}, "Items": [], "Item": {"id": {"S": "1"}}}


def client(url: str) -> None:
    """boto3.client"""
    boto3.client("dynamodb", endpoint_url=url).get_item(TableName="orders", Key={"id": {"S": "1"}})


def resource(url: str) -> None:
    """boto3.resource"""
    boto3.resource("dynamodb", endpoint_url=url).Table("orders").get_item(Key={"id": "1"})


def paginator(url: str) -> None:
    """One page"""
    list(boto3.client("dynamodb", endpoint_url=url).get_paginator("scan").paginate(TableName="orders"))


def waiter(url: str) -> None:
    """One look"""
    boto3.client("dynamodb", endpoint_url=url).get_waiter("table_exists").wait(TableName="orders")


@pytest.mark.parametrize(
    ("act", "name"),
    [
        (client, "DynamoDB.GetItem"),
        (resource, "DynamoDB.GetItem"),
        (paginator, "DynamoDB.Scan"),
        (waiter, "DynamoDB.DescribeTable"),
    ],
)
def test_an_aws_call_is_one_span(function: Function, server: Server, act: Callable[[str], None], name: str) -> None:
    """And nothing of the HTTP below it."""
    server.otherwise = Answer(body=json.dumps(ACTIVE).encode())
    function.invoke(lambda _event, _context: act(server.url))
    assert function.trees() == [("orders-create", "SERVER", "UNSET", {}, [(name, "CLIENT", "UNSET", {}, [])])]
    assert len(server.requests) == 1


def test_urllib3_alone_is_one_span_however_it_is_called(function: Function, server: Server) -> None:
    """A pool, a manager, and the module's own function."""

    def handler(_event: object, _context: object) -> None:
        with urllib3.HTTPConnectionPool("127.0.0.1", server.port) as pool:
            pool.request("GET", "/a")
        with urllib3.PoolManager() as manager:
            manager.request("GET", f"{server.url}/b")
        urllib3.request("GET", f"{server.url}/c")

    function.invoke(handler)
    urls = [(span.attributes or {}).get("http.url") for span in function.spans if span.kind.name == "CLIENT"]
    assert urls == [f"{server.url}/{name}" for name in "abc"]


CALLS = {
    "boto3": "import boto3; boto3.client('dynamodb', endpoint_url=URL).list_tables()",
    "requests": "import requests; requests.get(URL, timeout=5)",
    "urllib3": "import urllib3; urllib3.PoolManager().request('GET', URL)",
    "urllib.request": "import urllib.request; urllib.request.urlopen(URL, timeout=5).read()",
    "httpx": "import httpx; httpx.get(URL)",
    "aiohttp": (
        "import asyncio, aiohttp\n"
        "    async def get():\n"
        "        async with aiohttp.ClientSession() as session, session.get(URL) as answer:\n"
        "            await answer.read()\n"
        "    asyncio.run(get())"
    ),
}


@pytest.mark.parametrize("library", CALLS)
def test_a_library_that_the_handler_imports_is_traced_from_its_first_call_on(tmp_path: Path, library: str) -> None:
    """In a process of its own, where nobody has imported it before; twice, for the second call comes another way."""
    if library in ("httpx", "aiohttp"):
        pytest.importorskip(library)
    (tmp_path / "lazy.py").write_text(
        f"import os\nURL = os.environ['URL']\n\ndef go(event, context):\n    {CALLS[library]}\n"
    )
    code = (
        "from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter\n"
        "from lambda_latency.testing.redacted import RedactedSpans\n"
        "import lambda_latency.runtime.bootstrap as b\n"
        "memory = InMemorySpanExporter()\n"
        "b.sink = lambda settings: RedactedSpans(memory, settings)\n"
        "handler = b.handler\n"
        "for _ in range(2): handler(None, None)\n"
        "kinds = [span.kind.name for span in memory.get_finished_spans()]\n"
        "print(*(kind for kind in kinds if kind != 'INTERNAL'))"  # but for the steps of connections
    )
    with Server(otherwise=Answer(body=b'{"TableNames": []}')) as server:
        variables = {
            **VARIABLES,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT / 'otel'}{os.pathsep}{ROOT}",
            "LAMBDA_LATENCY_HANDLER": "lazy.go",
            "URL": server.url,
        }
        done = subprocess.run(
            [sys.executable, "-c", code], env=variables, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        assert len(server.requests) == 2
    assert done.stdout.split() == ["SERVER", "CLIENT"] * 2


def test_a_call_that_the_handler_makes_itself_to_fail_is_one_span(function: Function) -> None:
    """Each attempt of urllib3's own retries belongs to it."""
    with Server() as gone:
        pass

    def handler(_event: object, _context: object) -> Any:
        with contextlib.suppress(urllib3.exceptions.HTTPError), urllib3.PoolManager() as manager:
            manager.request("GET", gone.url, retries=urllib3.Retry(2, backoff_factor=0))

    function.invoke(handler)
    assert [span.kind.name for span in function.spans].count("CLIENT") == 1


def test_an_aws_call_is_one_span_under_wrapts_own_wrapper(
    start: Callable[..., Function],
    server: Server,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where the function has imported wrapt itself, or the stand-ins are off; nothing is said about it."""
    importlib.import_module("wrapt")
    for name in [name for name in sys.modules if name.startswith("opentelemetry.instrumentation.botocore")]:
        monkeypatch.delitem(sys.modules, name)
    function = start(LAMBDA_LATENCY_STAND_INS="false")
    function.invoke(lambda _event, _context: boto3.client("dynamodb", endpoint_url=server.url).list_tables())
    function.runtime.stop()
    assert [name for name, *_ in function.trees()[0][4]] == ["DynamoDB.ListTables"]
    assert caplog.messages == []
