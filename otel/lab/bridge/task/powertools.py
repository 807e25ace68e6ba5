"""Uses of Powertools' Tracer."""

import asyncio
from typing import Any

from aws_lambda_powertools import Tracer

tracer = Tracer(service="shop")


@tracer.capture_method
def add(one: int, two: int) -> dict[str, int]:
    """Its response is metadata."""
    tracer.put_annotation(key="kind", value="sum")
    tracer.put_metadata(key="parts", value=[one, two])
    return {"sum": one + two}


@tracer.capture_method(capture_response=False, capture_error=False)
def fail() -> None:
    """Its error is nobody's."""
    raise ValueError("not captured")


@tracer.capture_method
def fail_loudly() -> None:
    """Its error is metadata, and its subsegment a fault."""
    raise ValueError("captured")


@tracer.capture_method
async def wait(number: int) -> int:
    """A coroutine, with a block inside."""
    async with tracer.provider.in_subsegment_async("## inner") as subsegment:
        subsegment.put_annotation(key="number", value=number)
        await asyncio.sleep(0)
    return number


@tracer.capture_method
def numbers() -> Any:
    """A generator."""
    yield 1
    yield 2


@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: Any) -> Any:
    """One of them."""
    use = event["use"]
    if use == "async":
        return asyncio.run(wait(3))
    if use == "generator":
        return list(numbers())
    if use == "block":
        with tracer.provider.in_subsegment("## block") as subsegment:
            subsegment.put_annotation("key", "value")
            subsegment.put_metadata("key", {"a": 1}, "space")
            return "block"
    if use == "quiet failure":
        try:
            fail()
        except ValueError:
            return "failed"
    if use == "failure":
        fail_loudly()
    return add(1, 2)
