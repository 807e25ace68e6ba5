"""Upstream works out once what does not change, and the spans say the same."""

from __future__ import annotations

import sys
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
from opentelemetry.instrumentation.botocore.extensions.registry import ExtensionRegistry
from opentelemetry.instrumentation.botocore.extensions.types import _AwsSdkExtension

from otel.runtime.remembered import remember

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.runtime.conftest import Function
    from tests.runtime.stubs import Server

BOTOCORE = "opentelemetry.instrumentation.botocore"
KEYS = ("rpc.service", "rpc.method", "server.address", "server.port", "db.system", "messaging.system")


def called(function: Function, server: Server) -> Any:
    """Calls of two services, each twice, and of one that upstream has no extension for."""

    def handler(_event: object, _context: object) -> None:
        dynamodb = boto3.client("dynamodb", endpoint_url=server.url)
        for _ in range(2):
            dynamodb.list_tables()
        for name in ("localhost", "127.0.0.1"):
            queues = boto3.client("sqs", endpoint_url=server.url.replace("127.0.0.1", name))
            queues.list_queues()
        boto3.client("events", endpoint_url=server.url).list_event_buses()

    function.invoke(handler)
    return function.trees(*KEYS)


def test_spans_say_what_they_say_without_it(
    start: Callable[..., Function], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the service and the endpoint, the first call and those after it."""
    function = start()
    kept = called(function, server)
    function.runtime.stop()
    monkeypatch.setattr("otel.runtime.remembered.remember", lambda _instrumentor: lambda: None)
    assert called(start(), server) == kept


def test_an_extension_is_looked_up_and_an_address_taken_apart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in each call."""
    asked: list[str] = []

    def load() -> type[_AwsSdkExtension]:
        asked.append("extension")
        return _AwsSdkExtension

    def get_server_attributes(endpoint_url: str) -> dict[str, str]:
        asked.append(endpoint_url)
        return {"server.address": endpoint_url}

    upstream = import_module(BOTOCORE)
    monkeypatch.setattr(upstream, "get_server_attributes", get_server_attributes)
    registry = ExtensionRegistry("test", {"sqs": load})
    undo = remember(SimpleNamespace(extension_registry=registry))
    for _ in range(3):
        for one in ("one", "another"):
            extension = registry.get_extension(SimpleNamespace(service="sqs"))  # type: ignore[arg-type]
            found = upstream.get_server_attributes(one)
            assert (type(extension), found) == (_AwsSdkExtension, {"server.address": one})
    undo()
    assert asked == ["extension", "one", "another"]
    assert upstream.get_server_attributes is get_server_attributes


def test_what_a_caller_adds_stays_the_callers(function: Function) -> None:
    """The next call gets what the address says."""
    upstream: Any = sys.modules[BOTOCORE]
    function.invoke(lambda _event, _context: None)
    first = upstream.get_server_attributes("https://sqs.eu-west-1.amazonaws.com")
    first["more"] = 1
    assert upstream.get_server_attributes("https://sqs.eu-west-1.amazonaws.com") == {
        "server.address": "sqs.eu-west-1.amazonaws.com",
        "server.port": 443,
    }


def test_stopping_leaves_upstream_as_it_was(start: Callable[..., Function], server: Server) -> None:
    """The very functions."""
    upstream: Any = import_module(BOTOCORE)
    dynamodb: Any = import_module(f"{BOTOCORE}.extensions.dynamodb")
    before = upstream.get_server_attributes, dynamodb.urlparse
    function = start()
    called(function, server)
    changed = upstream.get_server_attributes, dynamodb.urlparse
    function.runtime.stop()
    assert [now is then for now, then in zip(changed, before, strict=True)] == [False, False]
    assert (upstream.get_server_attributes, dynamodb.urlparse) == before
