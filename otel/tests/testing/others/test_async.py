"""Spans of coroutines, in tests that are coroutines."""

import asyncio

import pytest
from opentelemetry.trace import get_tracer

from lambda_latency.testing import Recording, concurrent, recorded, span

TRACER = get_tracer("others")


async def call(name: str) -> None:
    with TRACER.start_as_current_span(name):
        await asyncio.sleep(0)  # the other one's turn


async def work() -> None:
    with TRACER.start_as_current_span("work"):
        await asyncio.gather(call("price"), call("stock"))


@pytest.mark.asyncio
async def test_fixture(trace: Recording) -> None:
    await work()
    assert trace() == span("work")[concurrent(span("price"), span("stock"))]


@pytest.mark.asyncio
async def test_block() -> None:
    with recorded() as trace:
        await work()
    assert trace() == span("work")[concurrent(span("price"), span("stock"))]


@pytest.mark.asyncio
async def test_fails(trace: Recording) -> None:
    await work()
    assert trace() == span("work")[span("price")]
