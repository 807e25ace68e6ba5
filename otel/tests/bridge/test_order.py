"""Subsegments that end in another order than they began: each is recorded, below the one that it began in."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from aiohttp.web import Application
from opentelemetry.context import Context, attach, detach
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from yarl import URL

from lambda_latency.bridge import spans
from lambda_latency.bridge.http import aws_xray_trace_config
from lambda_latency.bridge.recorder import xray_recorder

Recorded = Callable[[Callable[[], Any]], dict[str, str | None]]


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """Runs code below a handler's span; the parent's name of each span that was recorded."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(spans, "get_tracer", provider.get_tracer)

    def run(code: Callable[[], Any]) -> dict[str, str | None]:
        token = attach(Context())
        try:
            with provider.get_tracer("test").start_as_current_span("handler"):
                code()
        finally:
            detach(token)
        found = exporter.get_finished_spans()
        names = {one.context.span_id: one.name for one in found}
        return {one.name: _parent(one, names) for one in found}

    return run


def _parent(span: ReadableSpan, names: dict[int, str]) -> str | None:
    return names[span.parent.span_id] if span.parent is not None else None


SESSION = SimpleNamespace(trace_configs=())  # of which nothing else records the requests


class Call:
    """A request of aiohttp, as its session tells the configuration of it."""

    def __init__(self, config: aiohttp.TraceConfig, host: str) -> None:
        self._config, self._url = config, URL(f"https://{host}/")
        self._given = config.trace_config_ctx()

    def start(self) -> None:
        """The request begins."""
        params = SimpleNamespace(method="GET", url=self._url, headers={})
        asyncio.run(self._all(self._config.on_request_start, params))

    def end(self) -> None:
        """The response is there."""
        asyncio.run(self._all(self._config.on_request_end, SimpleNamespace(response=SimpleNamespace(status=200))))

    async def _all(self, hooks: Any, params: Any) -> None:
        for hook in hooks:
            await hook(SESSION, self._given, params)


def step(coroutine: Any) -> None:
    """Runs a coroutine that waits for nothing, in this context: a task would have a copy of it."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Call]:
    """Makes requests whose hooks run in the caller's context, as aiohttp runs them."""
    monkeypatch.setattr(asyncio, "run", step)
    config = aws_xray_trace_config()
    return lambda host: Call(config, host)


def test_a_request_ends_its_own_subsegment(recorded: Recorded, calls: Callable[[str], Call]) -> None:
    """Another one that began in between is still open, and the caller's span is recorded."""

    def code() -> None:
        xray_recorder.begin_subsegment("caller")
        request = calls("api.example.com")
        request.start()
        xray_recorder.begin_subsegment("inner")
        request.end()
        assert xray_recorder.current_subsegment().name == "inner"  # type: ignore[union-attr]  # it is open
        xray_recorder.end_subsegment()
        xray_recorder.end_subsegment()

    assert recorded(code) == {
        "handler": None,
        "caller": "handler",
        "api.example.com": "caller",
        "inner": "api.example.com",
    }


def test_two_requests_at_once_end_in_the_order_in_which_they_are_answered(
    recorded: Recorded, calls: Callable[[str], Call]
) -> None:
    """What begins afterwards is below the subsegment that is still open."""

    def code() -> None:
        xray_recorder.begin_subsegment("caller")
        first, second = calls("first.example.com"), calls("second.example.com")
        first.start()
        second.start()
        first.end()
        second.end()
        with xray_recorder.in_subsegment("after"):
            pass
        xray_recorder.end_subsegment()

    assert recorded(code) == {
        "handler": None,
        "caller": "handler",
        "first.example.com": "caller",
        "second.example.com": "first.example.com",
        "after": "caller",
    }


def test_a_generator_that_is_left_ends_in_the_context_of_whoever_goes_on(recorded: Recorded) -> None:
    """Its subsegment ends after the one that read it."""

    def code() -> None:
        def rows() -> Any:
            subsegment = xray_recorder.begin_subsegment("rows")
            yield 1
            assert subsegment is not None
            xray_recorder.end_own(subsegment)

        reading = rows()
        next(reading)
        with xray_recorder.in_subsegment("reader"):
            next(reading, None)
        with xray_recorder.in_subsegment("after"):
            pass

    assert recorded(code) == {"handler": None, "rows": "handler", "reader": "rows", "after": "handler"}


@pytest.mark.parametrize("name", [None, "shop"])
def test_a_request_is_recorded_once(monkeypatch: pytest.MonkeyPatch, name: str | None) -> None:
    """The kit records the requests of aiohttp by itself: code that asks for it, too, gives them only a name."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(spans, "get_tracer", provider.get_tracer)

    async def call() -> None:
        server = TestServer(Application())
        await server.start_server()
        async with aiohttp.ClientSession(trace_configs=[aws_xray_trace_config(name)]) as session:
            await session.get(server.make_url("/"))
        await server.close()

    AioHttpClientInstrumentor().instrument(tracer_provider=provider)
    try:
        with provider.get_tracer("test").start_as_current_span("handler"):
            asyncio.run(call())
    finally:
        AioHttpClientInstrumentor().uninstrument()
    told = [(one.name, (one.attributes or {}).get("peer.service")) for one in exporter.get_finished_spans()]
    assert told == [("GET", name), ("handler", None)]
