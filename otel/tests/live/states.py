"""The states of the page, as a person meets them: each is what was exported, printed and marked until then."""

import time
from collections.abc import Callable

from lambda_latency.live import RunningPage
from lambda_latency.trace import FUNCTION, Event, Span, SpanKind, Status
from tests.live.shop import MS, line, request_spans, stack

KEPT = 5_000
TIMEOUT_ID = f"{0xABC:032x}"
STACK = """  File "/var/task/functions/get_order.py", line 9, in handler
    order = table.get(key)
  File "/var/task/functions/table.py", line 81, in get
    return self._client.get_item(Key=key)
  File "/opt/python/botocore/httpsession.py", line 464, in send
    response = conn.urlopen(method, url)
"""
HOSTILE = "<img src=x onerror=alert(1)><script>document.title='own'</script>" + "long" * 60


def timeout_spans() -> list[Span]:
    """A function that was killed at its limit of three seconds, in a call to DynamoDB."""
    end = time.time_ns()
    start = end - 3_000 * MS
    resource = {"service.name": "GetOrder", "faas.name": "GetOrder"}
    limit = {"lambda.timeout": True, "lambda.timeout.limit_ms": 3_000}
    segment = Span(
        trace_id=TIMEOUT_ID,
        span_id=f"{1:016x}",
        parent_id=None,
        name="GetOrder",
        kind=SpanKind.SERVER,
        start_ns=start,
        end_ns=end,
        status=Status.ERROR,
        attributes={"aws.xray.origin": FUNCTION, "faas.coldstart": True, **limit},
        resource=resource,
    )
    handler = Span(
        trace_id=TIMEOUT_ID,
        span_id=f"{2:016x}",
        parent_id=segment.span_id,
        name="GET /orders/{id}",
        kind=SpanKind.SERVER,
        start_ns=start + 20 * MS,
        end_ns=end,
        status=Status.ERROR,
        attributes={"http.route": "/orders/{id}", "http.request.method": "GET", **limit},
        resource=resource,
    )
    call = Span(
        trace_id=TIMEOUT_ID,
        span_id=f"{3:016x}",
        parent_id=handler.span_id,
        name="DynamoDB.GetItem",
        kind=SpanKind.CLIENT,
        start_ns=start + 40 * MS,
        end_ns=end,
        status=Status.ERROR,
        attributes={
            "rpc.system": "aws-api",
            "rpc.service": "DynamoDB",
            "rpc.method": "GetItem",
            "aws.dynamodb.table_names": ("OrdersTable",),
            "lambda.timeout": True,
            "code.stacktrace": STACK,
        },
        resource=resource,
    )
    return [segment, handler, call]


def _running(page: RunningPage) -> None:
    _load(page, 240)


def _load(page: RunningPage, count: int) -> None:
    for first in range(0, count, 100):
        page.add(line(*(_one(number) for number in range(first, min(first + 100, count)))))


def _one(number: int) -> list[Span]:
    routes = ("/orders", "/orders/{id}", "/customers/{id}/baskets")
    failed = number % 23 == 5
    return request_spans(
        number,
        900 if number % 9 == 0 else 40 + number % 11,
        route=routes[number % 3],
        status=500 if failed else 200,
        events=[stack()] if failed else [],
    )


def _timeout(page: RunningPage) -> None:
    _load(page, 120)
    page.add(line(timeout_spans()))
    for text in ("START RequestId: 7f0c Version: $LATEST", "reading order 4711", "WARNING the table answers slowly"):
        page.log(TIMEOUT_ID, "GetOrder", text)


def _error(page: RunningPage) -> None:
    long = Event("exception", time.time_ns(), {"exception.type": "Declined", "exception.message": HOSTILE})
    page.add(line(request_spans(1), request_spans(2, status=503, events=[stack()])))
    page.add(line(request_spans(3, route=HOSTILE, status=500, events=[long])))


def _changed(page: RunningPage) -> None:
    _load(page, 60)
    page.mark("code changed")
    page.add(line(*(request_spans(number, 300) for number in range(900, 905))))


STATES: dict[str, Callable[[RunningPage], object]] = {
    "empty": lambda _: None,
    "first": lambda page: page.add(line(request_spans(1))),
    "running": _running,
    "timeout": _timeout,
    "kept": lambda page: _load(page, KEPT + 300),
    "error": _error,
    "changed": _changed,
}
