"""Records that carry a tracing header are links of the handler's span."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lambda_latency.runtime.callers import links
from lambda_latency.testing import SERVER, remote, span
from tests.runtime.conftest import SEGMENT, TRACE

if TYPE_CHECKING:
    from tests.runtime.conftest import Function


def header(number: int) -> str:
    """The tracing header of a sender."""
    return f"Root=1-0000000{number}-{number:024x};Parent={number:016x};Sampled=1"


def sqs(value: object) -> dict[str, Any]:
    """A record of SQS."""
    return {"eventSource": "aws:sqs", "body": "{}", "attributes": {"AWSTraceHeader": value}}


def sns(value: object) -> dict[str, Any]:
    """A record of SNS."""
    named = {"AWSTraceHeader": {"Type": "String", "Value": value}}
    return {"EventSource": "aws:sns", "Sns": {"Message": "{}", "MessageAttributes": named}}


EVENTBRIDGE = {"source": "orders", "detail-type": "Placed", "detail": {}, "trace-header": header(4)}


@pytest.mark.parametrize(
    ("event", "senders"),
    [
        ({"Records": [sqs(header(1)), sqs(header(2)), sqs(header(1)), sqs("nonsense"), {"eventSource": "x"}]}, [1, 2]),
        ({"Records": [sns(header(3))]}, [3]),
        (EVENTBRIDGE, [4]),
    ],
)  # fmt: skip
def test_each_sender_is_a_link(function: Function, event: dict[str, Any], senders: list[int]) -> None:
    """Once; and the parent is Lambda's segment as ever."""
    function.invoke(lambda _event, _context: None, event)
    found = [remote(f"0000000{number}{number:024x}", f"{number:016x}") for number in senders]
    assert function.trace == span("orders-create", SERVER, parent=remote(TRACE, SEGMENT), links=found)


@pytest.mark.parametrize(
    "event",
    [
        None,
        {"Records": 7},
        {"Records": ["text", None, sqs(7), sqs(None), {"eventSource": "aws:sqs", "attributes": 5}]},
        {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageAttributes": {"AWSTraceHeader": "text"}}}]},
        {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageAttributes": 5}}, {"EventSource": "aws:sns"}]},
        {"trace-header": header(1)},
        {"detail-type": "x", "trace-header": {}},
    ],
)
def test_what_is_no_header_is_no_link(event: object) -> None:
    """And no reason to fail."""
    assert links(event) == []


def test_a_large_batch_has_as_many_links_as_a_span_may() -> None:
    """The first ones."""
    records = [sqs(f"Root=1-00000001-{number:024x};Parent={number:016x};Sampled=1") for number in range(1, 200)]
    assert [link.context.span_id for link in links({"Records": records})] == list(range(1, 129))
