"""Headers of callers: they change nothing, unless a setting trusts them."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from lab.faults.hostile import hostile
from lambda_latency.testing import SERVER, remote, span
from tests.runtime.conftest import SEGMENT, TRACE, Function
from tests.runtime.test_invocation import EVENT


@pytest.mark.parametrize("sampled", ["1", "0"])
def test_a_thousand_hostile_header_sets_give_the_trace_of_none(
    function: Function, monkeypatch: pytest.MonkeyPatch, sampled: str
) -> None:
    """Ids aside: the parent, the name, the kind, every attribute and link, and whether it is recorded at all."""
    draw = random.Random(8)  # noqa: S311 - a seed that can be repeated
    header = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SEGMENT};Sampled={sampled}"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)

    def trace_of(event: object) -> list[Any]:
        function.memory.clear()
        assert function.invoke(lambda _event, _context: {"statusCode": 200}, event) == {"statusCode": 200}
        return [
            (
                span.name,
                span.kind,
                span.parent,
                dict(span.attributes or {}),
                span.links,
                span.events,
                span.status.status_code,
            )
            for span in function.spans
        ]

    trace_of(EVENT)  # the cold start
    plain = trace_of({**EVENT, "headers": {}, "multiValueHeaders": {}})
    assert len(plain) == int(sampled)
    for _ in range(1000):
        headers = hostile(draw)
        multi = {name: [value] for name, value in headers.items()}
        assert trace_of({**EVENT, "headers": headers, "multiValueHeaders": multi}) == plain


@pytest.mark.parametrize(
    ("headers", "parent"),
    [
        ({"traceparent": f"00-{1:032x}-{2:016x}-01"}, (1, 2)),
        ({"Traceparent": f" 01-{1:032x}-{2:016x}-03 ", "X-Amzn-Trace-Id": "Root=1"}, (1, 2)),
        ({"X-Amzn-Trace-Id": f"Root=1-00000000-{1:024x};Parent={2:016x};Sampled=1"}, (1, 2)),
        ({"traceparent": f"ff-{1:032x}-{2:016x}-01"}, None),
        ({"traceparent": f"00-{0:032x}-{2:016x}-01"}, None),
        ({"traceparent": f"00-{1:032x}-{0:016x}-01"}, None),
        ({"traceparent": 7, "x-amzn-trace-id": "Root=1-2-3", 5: "x"}, None),
        (None, None),
    ],
)
def test_trusted_headers_choose_the_trace(
    start: Callable[..., Function], headers: object, parent: tuple[int, int] | None
) -> None:
    """One that is not whole leaves Lambda's in force."""
    function = start(LAMBDA_LATENCY_TRUST_HEADERS="true")
    function.invoke(lambda _event, _context: None, {**EVENT, "headers": headers})
    chosen = (f"{parent[0]:032x}", f"{parent[1]:016x}") if parent else (TRACE, SEGMENT)
    assert function.trace == span("POST /orders", SERVER, parent=remote(*chosen))


def test_trusted_headers_decide_on_recording(start: Callable[..., Function]) -> None:
    """That is what trusting them means."""
    function = start(LAMBDA_LATENCY_TRUST_HEADERS="true")
    headers = {"traceparent": f"00-{1:032x}-{2:016x}-00"}
    function.invoke(lambda _event, _context: None, {**EVENT, "headers": headers})
    assert function.spans == ()
