"""A literal that inline-snapshot writes, and matchers of dirty-equals."""

from dirty_equals import IsPositive, IsStr
from inline_snapshot import snapshot
from opentelemetry.trace import SpanKind, get_tracer

from lambda_latency.testing import CLIENT, SERVER, Recording, span

TRACER = get_tracer("others")


def work() -> None:
    with TRACER.start_as_current_span("POST /orders", kind=SpanKind.SERVER):
        TRACER.start_span("POST", kind=SpanKind.CLIENT, attributes={"retries": 2, "http.url": "http://x/1"}).end()


def test_written(trace: Recording) -> None:
    work()
    assert trace() == snapshot()


def test_matched(trace: Recording) -> None:
    work()
    call = span("POST", CLIENT, attributes={"retries": IsPositive, "http.url": IsStr(regex="http://x/.*")})
    assert trace() == span(IsStr, SERVER)[call]


def test_not_matched(trace: Recording) -> None:
    work()
    assert trace() == span("POST /orders", SERVER)[span("POST", CLIENT, attributes={"retries": IsStr(max_length=3)})]
