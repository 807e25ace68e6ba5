"""Upstream's ways are shorter, what does not change is worked out once, and all says and does the same."""

from __future__ import annotations

import sys
import threading
from importlib import import_module
from operator import attrgetter, itemgetter
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from opentelemetry import context
from opentelemetry.context import Context, attach, detach, get_current, set_value
from opentelemetry.instrumentation.botocore.extensions.registry import ExtensionRegistry
from opentelemetry.instrumentation.botocore.extensions.types import _AwsSdkExtension
from opentelemetry.instrumentation.utils import is_http_instrumentation_enabled, suppress_http_instrumentation
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from lambda_latency.runtime import shortcuts
from lambda_latency.runtime.shortcuts import (
    Suppressed,
    current_span,
    reader,
    remember,
    shorten,
    shorten_context,
    with_span,
)

if TYPE_CHECKING:
    from collections.abc import Callable

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
    monkeypatch.setattr("lambda_latency.runtime.shortcuts.remember", lambda _instrumentor: lambda: None)
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


def test_the_current_context_is_the_variables_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is attached is current until it is detached, in each thread its own; the undoing leaves upstream's class."""
    runtime: Any = context._RUNTIME_CONTEXT
    before = dict(vars(runtime))
    undo = shorten_context()
    try:
        assert runtime.get_current.__self__ is runtime._current_context
        outer, inner = Context({"a": 1}), Context({"a": 2})
        first = attach(outer)
        second = attach(inner)
        seen = [get_current()]
        thread = threading.Thread(target=lambda: seen.append(get_current()))
        thread.start()
        thread.join()
        detach(second)
        seen.append(get_current())
        detach(first)
        assert [*seen, get_current()] == [inner, {}, outer, {}]
    finally:
        undo()
    assert vars(runtime) == before
    monkeypatch.setattr(context, "_RUNTIME_CONTEXT", SimpleNamespace())
    shorten_context()()  # of another kind: left alone
    assert vars(context._RUNTIME_CONTEXT) == {}


def test_a_contexts_parts_are_read_by_place_or_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of both; by name where a context is no tuple, or one in another order."""
    made = SpanContext(3, 4, is_remote=False, trace_flags=TraceFlags(1))
    names = ("trace_id", "span_id", "trace_flags", "trace_state", "is_valid")
    expected = tuple(getattr(made, name) for name in names)
    assert (type(reader(*names)), reader(*names)(made), reader("span_id")(made)) == (itemgetter, expected, 4)
    monkeypatch.setattr(shortcuts, "PARTS", shortcuts.PARTS[::-1])
    assert (type(reader(*names)), reader(*names)(made), reader("span_id")(made)) == (attrgetter, expected, 4)
    monkeypatch.setattr(shortcuts, "SpanContext", lambda *_, **__: SimpleNamespace())
    assert type(reader(*names)) is attrgetter


def test_a_span_is_found_and_set_as_upstream_does() -> None:
    """In a context that is given, and in the current one."""
    span = NonRecordingSpan(SpanContext(1, 2, is_remote=False))
    given = Context({"a": 1})
    assert current_span() is get_current_span() is INVALID_SPAN
    assert with_span(span, given) == set_span_in_context(span, given) != given == {"a": 1}
    token = attach(with_span(span, given))
    try:
        assert current_span() is get_current_span() is span
        assert current_span(Context()) is get_current_span(Context()) is INVALID_SPAN
        assert with_span(INVALID_SPAN) == set_span_in_context(INVALID_SPAN)
        assert type(with_span(INVALID_SPAN)) is Context
    finally:
        detach(token)


def test_what_a_call_calls_is_suppressed_without_a_generator() -> None:
    """Within the block and not after it, whatever it raises; another version of the module is left alone."""
    module = ModuleType("upstream")
    shorten(module)()
    assert not hasattr(module, "suppress_http_instrumentation")
    vars(module)["suppress_http_instrumentation"] = suppress_http_instrumentation
    undo = shorten(module)
    assert vars(module)["suppress_http_instrumentation"] is Suppressed
    token = attach(set_value("a", 1))
    try:
        with suppress_http_instrumentation():
            theirs = get_current()
        with pytest.raises(ZeroDivisionError), Suppressed():
            1 / 0  # noqa: B018
        with Suppressed():
            seen = get_current(), is_http_instrumentation_enabled()
        assert (*seen, is_http_instrumentation_enabled()) == (theirs, False, True)
    finally:
        detach(token)
    undo()
    assert vars(module)["suppress_http_instrumentation"] is suppress_http_instrumentation
