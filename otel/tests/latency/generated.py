"""Requests of the order system, one for each feature of a report."""

from lambda_latency.trace import SpanKind, Status, Trace
from tests.latency.system import charge, order, put_item, request
from tests.trace.build import MS, node, tree

THROTTLED = "An error occurred (ThrottlingException) when calling the PutItem operation (reached max retries: 0): x"


def load() -> list[Trace]:
    """Forty requests: 32 orders, a cold one, two slow, two throttled, an error, a timeout, two rejected with 400."""
    traces = [order(90 + 3 * number, number=number) for number in range(32)]
    traces += [order(180, number=100, cold=240), order(900, number=101), slow_order()]
    throttled = (
        put_item(10, 20, more={"http.status_code": 400}, message=THROTTLED),
        put_item(25, 80, more={"retry_attempts": 2}),
    )
    traces.append(_one(103, *throttled, end=120, status_code=500))
    traces.append(_one(104, charge(20, 70, status_code=503), end=120, status_code=502))
    traces.append(timed_out())
    traces += [_one(106 + number, end=12.4, status_code=400) for number in range(2)]
    return traces


def slow_order() -> Trace:
    """A cold start, a connection, a failed call, an asynchronous span, and a name with a terminal escape sequence."""
    connecting = (
        node("DNS payments.example.com", 331, 340, scope="lambda_latency.runtime"),
        node("TCP 203.0.113.24:443", 340, 362, scope="lambda_latency.runtime"),
        node("TLS 1.3", 362, 398, scope="lambda_latency.runtime"),
    )
    call = node(
        "POST",
        330,
        1400,
        *connecting,
        kind=SpanKind.CLIENT,
        attributes={"http.method": "POST", "peer.service": "payments.example.com", "http.status_code": 503},
        status=Status.ERROR,
    )
    inside = (
        node("validate \x1b[31morder", 312, 322),
        put_item(322, 330),
        call,
        node("audit", 1390, 1900, kind=SpanKind.PRODUCER),
        node("telemetry flush", 1457, 1475, scope="lambda_latency.runtime"),
    )
    return _one(102, *inside, end=1460, cold=300, status_code=502)


def timed_out() -> Trace:
    """The provider does not answer before the function's deadline."""
    running = node(
        "POST",
        30,
        None,
        kind=SpanKind.CLIENT,
        attributes={"http.method": "POST", "http.url": "https://a-rather-long-name.payments.example.com/charges"},
    )
    return _one(105, put_item(12, 24), running, end=3010, status_code=504, timed_out=True)


def _one(number: int, *inside: object, **more: object) -> Trace:
    root = request(*inside, **more)  # type: ignore[arg-type]
    return tree(root, unit=MS, trace_id=f"6b05a667affeb9dbb0aa7f2b{number:08x}")


def hundred() -> list[Trace]:
    """120 orders: nine wait for payments, one for a throttled table, one is cold, one times out, one fails."""
    traces = [order(90 + number % 40, number=1000 + number) for number in range(107)]
    traces += [order(1200 + 30 * number, number=200 + number) for number in range(9)]
    retried = (put_item(12, 900, more={"retry_attempts": 3}), charge(905, 1000))
    traces += [_one(210, *retried, end=1010), order(180, number=211, cold=240), timed_out()]
    return [*traces, _one(212, charge(20, 70, status_code=503), end=120, status_code=502)]


def few() -> list[Trace]:
    """Fourteen orders, two of them slow, for different reasons."""
    traces = [order(90 + number, number=number) for number in range(12)]
    table = (put_item(12, 700), charge(705, 800))
    return [*traces, _one(100, *table, end=810), order(150, number=101, cold=640)]


def mixed() -> list[Trace]:
    """Sixty orders and six slow ones: three wait for payments, and three, for a shorter time, for the table."""
    traces = [order(90 + number % 10, number=number) for number in range(60)]
    table = (put_item(12, 400), charge(405, 480))
    return [
        *traces,
        *(order(660, number=100 + number) for number in range(3)),
        *(_one(110 + number, *table, end=490) for number in range(3)),
    ]
