"""Requests of the order system, with the spans of a local run: gateway, Lambda, handler, table, provider."""

from collections.abc import Mapping

from lambda_latency.latency import AnalysisOptions, Breakdown, Owners
from lambda_latency.latency import breakdown_of as breakdown_of_trace
from lambda_latency.trace import Event, SpanKind, Status, Trace
from tests.trace.build import MS, T0, Node, node, tree

# The provider records spans in these traces, but is external.
THEIRS = AnalysisOptions(owners=Owners(theirs=("*payments.example.com",)))
LAMBDA = {"service.name": "CreateOrder", "faas.name": "CreateOrder"}
PAYMENTS = {"service.name": "payments"}
BOTOCORE = "opentelemetry.instrumentation.botocore.dynamodb"
REQUESTS = "opentelemetry.instrumentation.requests"
NOTHING: Mapping[str, object] = {}


def breakdown_of(trace: Trace) -> Breakdown:
    """The breakdown of a trace of the system; the provider is external."""
    return breakdown_of_trace(trace, THEIRS)


def put_item(
    start: float,
    end: float,
    *inside: Node,
    more: Mapping[str, object] = NOTHING,
    message: str = "",
    events: tuple[Event, ...] = (),
) -> Node:
    """A DynamoDB call as botocore's instrumentation records it."""
    attributes = {
        "rpc.system": "aws-api",
        "rpc.service": "DynamoDB",
        "rpc.method": "PutItem",
        "aws.dynamodb.table_names": ("orders",),
        "retry_attempts": 0,
        "http.status_code": 200,
        **more,
    }
    status = Status.ERROR if message else Status.UNSET
    return node(
        "DynamoDB.PutItem",
        start,
        end,
        *inside,
        kind=SpanKind.CLIENT,
        attributes=attributes,
        resource=LAMBDA,
        scope=BOTOCORE,
        status=status,
        message=message,
        events=events,
    )


def attempts(*ends: tuple[float, float | None]) -> tuple[Event, ...]:
    """The events of a retried call: the end of each attempt and the wait before the next one, in milliseconds."""
    return tuple(
        Event(
            "attempt",
            T0 + round(end_ms * MS),
            {"attempt": number, **({} if delay is None else {"retry.delay_ms": float(delay)})},
        )
        for number, (end_ms, delay) in enumerate(ends, 1)
    )


def charge(start: float, end: float, *, status_code: int = 201, served: bool = True) -> Node:
    """The call to the payments provider, and the provider's own span inside it, 2 ms shorter on both sides."""
    status = Status.ERROR if status_code >= 400 else Status.UNSET
    provider = node(
        "POST /charges",
        start + 2,
        end - 2,
        node("INSERT charges", start + 3, start + 5, kind=SpanKind.CLIENT, attributes={"db.system": "sqlite"}),
        kind=SpanKind.SERVER,
        resource=PAYMENTS,
    )
    attributes = {
        "http.method": "POST",
        "http.url": "https://payments.example.com:8443/charges?id=7",
        "http.status_code": status_code,
    }
    children = (provider,) if served else ()
    return node(
        "POST",
        start,
        end,
        *children,
        kind=SpanKind.CLIENT,
        attributes=attributes,
        resource=LAMBDA,
        scope=REQUESTS,
        status=status,
    )


def flush(start: float, end: float) -> Node:
    """The kit's own flush."""
    return node("telemetry flush", start, end, scope="lambda_latency.runtime", resource=LAMBDA)


def request(
    *inside: Node,
    end: float,
    cold: float = 0,
    route: str = "POST /orders",
    status_code: int = 201,
    timed_out: bool = False,
) -> Node:
    """A request of `end` ms. The handler runs from 9 ms (plus `cold`) to 3 ms before the end.

    With `cold`, Initialization takes this many ms between the start of the service and that of the function.
    """
    method, _, path = route.partition(" ")
    code = {"http.request.method": method, "http.route": path, "http.response.status_code": status_code}
    status = Status.ERROR if status_code >= 500 else Status.UNSET
    begin = 9 + cold
    handler = node(
        route,
        begin,
        end - 3,
        *inside,
        kind=SpanKind.SERVER,
        attributes={**code, "faas.coldstart": cold > 0, **({"lambda.timeout": True} if timed_out else {})},
        resource=LAMBDA,
        scope="lambda_latency.runtime",
        status=status,
    )
    init = (node("Initialization", 6, 6 + cold, resource=LAMBDA),) if cold else ()
    function = node(
        "CreateOrder",
        7 + cold,
        end - 1.5,
        *init,
        node("Invocation", 7.5 + cold, end - 2.5, handler, resource=LAMBDA),
        node("Overhead", end - 2.5, end + 5, resource=LAMBDA),
        kind=SpanKind.SERVER,
        attributes={"aws.xray.origin": "AWS::Lambda::Function"},
        resource=LAMBDA,
    )
    service = node(
        "CreateOrder",
        4,
        end - 1,
        function,
        kind=SpanKind.SERVER,
        attributes={"aws.xray.origin": "AWS::Lambda"},
        resource=LAMBDA,
    )
    return node(
        "orders-api/dev",
        0,
        end,
        service,
        kind=SpanKind.SERVER,
        attributes={"aws.xray.origin": "AWS::ApiGateway::Stage", **code},
        resource={"service.name": "orders-api"},
    )


def order(end: float = 200, *, number: int = 0, cold: float = 0, status_code: int = 201) -> Trace:
    """`POST /orders`: 10 ms of own code, 12 ms of PutItem, payments for the rest, a flush after the response.

    A cold start adds `cold` ms to `end`.
    """
    end += cold
    begin = 9 + cold
    inside = (
        put_item(begin + 5, begin + 17),
        charge(begin + 18, end - 7, status_code=502 if status_code == 502 else 201),
        flush(end - 3, end + 12),
    )
    root = request(*inside, end=end, cold=cold, status_code=status_code)
    return tree(root, unit=MS, trace_id=f"6b05a667affeb9dbb0aa7f2b{number:08x}", first=1)
