"""Generated traces for benchmarks: plain, deep and realistic ones.

A trace is a list of OTLP/JSON documents, one for each exporter that sends a part of it. `plain` and `realistic` return
the lines of a file.
"""

import heapq
import json
import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]
Trace: TypeAlias = list[Document]

T0 = 1_795_560_000_000_000_000
MS = 1_000_000
ORIGIN = "aws.xray.origin"
THREAD = {"thread.id": 139872, "thread.name": "MainThread", "code.function": "handle"}
LATE = 40  # the most lines between the documents of a trace: minutes, at twenty requests a second or fewer


def plain(traces: int, spans: int) -> Iterator[str]:
    """The lines of `plain_traces`."""
    return (_line(document) for trace in plain_traces(traces, spans) for document in trace)


def realistic(traces: int) -> Iterator[str]:
    """The lines of `realistic_traces`; those of a trace are minutes apart."""
    return map(_line, late(realistic_traces(traces)))


def plain_traces(traces: int, spans: int) -> Iterator[Trace]:
    """Each trace is a document: a root with sequential or overlapping children, some of which have children."""
    draw = random.Random(1)  # noqa: S311 - a repeatable seed
    for number in range(traces):
        trace_id, made = f"6b05a667{number + 1:024x}", []
        made.append(_span(trace_id, 1, 0, "root", 2, 0, 1000, {}))
        for index in range(2, spans + 1):
            start = draw.randrange(900)
            parent = draw.randrange(1, index) if index % 3 == 0 else 1
            made.append(
                _span(trace_id, index, parent, f"step {index % 7}", 1, start, start + draw.randrange(1, 90), THREAD)
            )
        yield [_document(made, "app", {})]


def deep_traces(traces: int, spans: int) -> Iterator[Trace]:
    """Each trace is a document: every span is inside the previous one."""
    for number in range(traces):
        trace_id = f"6b05a667{number + 1:024x}"
        made = [
            _span(trace_id, n, n - 1, f"level {n % 5}", 2 if n == 1 else 1, n, 2 * spans - n, THREAD)
            for n in range(1, spans + 1)
        ]
        yield [_document(made, "app", {})]


def realistic_traces(traces: int) -> Iterator[Trace]:
    """Orders as recorded by API Gateway, Lambda, the function and the provider, with about twelve attributes per span.

    Each of the four sends a document. One request in 25 is cold; some calls fail or are throttled.
    """
    draw = random.Random(2)  # noqa: S311
    for number in range(traces):
        yield list(_order(number, draw))


def spans_of(trace: Trace) -> Iterator[dict[str, Any]]:
    """All spans of a trace."""
    for document in trace:
        for group in document["resourceSpans"]:
            for members in group["scopeSpans"]:
                yield from members["spans"]


def late(traces: Iterable[Trace]) -> Iterator[Document]:
    """The documents of traces in the order in which a collector writes them; those of a trace are minutes apart."""
    draw = random.Random(3)  # noqa: S311
    waiting: list[tuple[int, int, Document]] = []
    for number, trace in enumerate(traces):
        for document in trace:
            heapq.heappush(waiting, (number + draw.randrange(LATE), draw.getrandbits(60), document))
        while waiting and waiting[0][0] <= number:
            yield heapq.heappop(waiting)[-1]
    while waiting:
        yield heapq.heappop(waiting)[-1]


def _order(number: int, draw: random.Random) -> Iterator[Document]:
    trace_id, cold = f"6b05a667{number + 1:024x}", draw.random() < 0.04
    begin = 8 + (500 if cold else 0) + draw.random()
    calls = draw.randrange(3, 7)
    lengths = [draw.lognormvariate(1.5, 0.5) for _ in range(calls)]
    charge = draw.lognormvariate(3.6, 0.7)
    end = begin + sum(lengths) + calls + charge + 12
    base = number * 50 + 7
    gateway = {
        ORIGIN: "AWS::ApiGateway::Stage",
        "http.request.method": "POST",
        "http.route": "/orders",
        "url.path": "/orders",
        "http.response.status_code": 201,
        "http.status_code": 201,
        "aws.request_id": f"{draw.getrandbits(128):032x}",
        "client.address": "198.51.100.7",
        "user_agent.original": "k6/0.50",
    }
    yield _document([_span(trace_id, 1, 0, "orders/prod", 2, base, base + end + 8, gateway)], "gateway", {})
    platform = {
        "cloud.resource_id": "arn:aws:lambda:eu-west-1:123456789012:function:CreateOrder",
        "faas.invocation_id": f"{draw.getrandbits(128):032x}",
        "faas.coldstart": cold,
    }
    started = base + begin - 2
    segments = [
        _span(trace_id, 2, 1, "CreateOrder", 2, base + 2, base + end + 6, {**platform, ORIGIN: "AWS::Lambda"}),
        _span(trace_id, 3, 2, "CreateOrder", 2, started, base + end + 7, {**platform, ORIGIN: "AWS::Lambda::Function"}),
        _span(trace_id, 4, 3, "Invocation", 1, started, base + end + 4, {}),
        _span(trace_id, 5, 3, "Overhead", 1, base + end + 4, base + end + 7, {}),
    ]
    if cold:
        segments.append(_span(trace_id, 6, 3, "Initialization", 1, base + 4, started, {}))
    yield _document(segments, "lambda", {"faas.name": "CreateOrder"})
    handler = {
        **platform,
        "faas.trigger": "http",
        "http.request.method": "POST",
        "http.route": "/orders",
        "url.path": "/orders",
        "url.scheme": "https",
        "server.address": "abc123.execute-api.eu-west-1.amazonaws.com",
        "client.address": "198.51.100.7",
        "user_agent.original": "k6/0.50",
        "cloud.account.id": "123456789012",
        "http.response.status_code": 201,
        "http.status_code": 201,
    }
    spans = [_span(trace_id, 7, 3, "POST /orders", 2, base + begin, base + end, handler)]
    start_ms = base + begin + 1
    for index, length in enumerate(lengths):
        spans.append(_table_call(trace_id, 10 + index, start_ms, start_ms + length, draw))
        start_ms += length + 1
    paid = {
        "http.method": "POST",
        "http.url": f"https://payments.example.com/v1/charges/{draw.getrandbits(64):016x}",
        "peer.service": "payments.example.com",
        "net.peer.name": "payments.example.com",
        "net.peer.port": 443,
        "http.status_code": 201,
        "network.protocol.version": "1.1",
        "user_agent.original": "python-requests/2.34",
        "http.response.body.size": draw.randrange(9000),
        "url.scheme": "https",
    }
    spans.append(_span(trace_id, 30, 7, "POST", 3, start_ms, start_ms + charge, paid))
    yield _document(spans, "opentelemetry.instrumentation", {"faas.name": "CreateOrder", "service.name": "orders"})
    served = {**handler, "http.route": "/v1/charges", "url.path": "/v1/charges", "payments.tenant": draw.choice("abc")}
    served = {key: value for key, value in served.items() if not key.startswith(("faas.", "cloud."))}
    inside = _span(trace_id, 31, 30, "POST /v1/charges", 2, start_ms + charge / 9, start_ms + charge * 0.9, served)
    yield _document([inside], "payments", {"service.name": "payments"})


def _table_call(trace_id: str, number: int, start: float, end: float, draw: random.Random) -> dict[str, Any]:
    operation = draw.choice(("PutItem", "GetItem", "Query", "UpdateItem"))
    attributes = {
        "rpc.system": "aws-api",
        "rpc.service": "DynamoDB",
        "rpc.method": operation,
        "cloud.region": "eu-west-1",
        "server.address": "dynamodb.eu-west-1.amazonaws.com",
        "server.port": 443,
        "db.system": "dynamodb",
        "db.operation": operation,
        "net.peer.name": "dynamodb.eu-west-1.amazonaws.com",
        "aws.dynamodb.table_names": (draw.choice(("orders", "stock", "customers")),),
        "aws.request_id": f"{draw.getrandbits(208):052X}",
        "retry_attempts": 1 if draw.random() < 0.02 else 0,
        "http.status_code": 200,
    }
    return _span(trace_id, number, 7, f"DynamoDB.{operation}", 3, start, end, attributes)


def _span(
    trace_id: str,
    number: int,
    parent: int,
    name: str,
    kind: int,
    start: float,
    end: float,
    attributes: Mapping[str, Any],
) -> dict[str, Any]:
    """A span of a trace by numbers; times are in milliseconds."""
    span = {
        "traceId": trace_id,
        "spanId": span_id(trace_id, number),
        "flags": 257,
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(T0 + round(start * MS)),
        "endTimeUnixNano": str(T0 + round(end * MS)),
        "attributes": [{"key": key, "value": to_value(value)} for key, value in attributes.items()],
        "status": {},
    }
    return {**span, "parentSpanId": span_id(trace_id, parent)} if parent else span


def span_id(trace_id: str, number: int) -> str:
    """The id of a span: random like real ones, but repeatable."""
    return f"{(int(trace_id[-8:], 16) * 1_000_003 + number) * 0x9E3779B97F4A7C15 % 2**64 or 1:016x}"


def to_value(value: object) -> dict[str, Any]:
    """A value as OTLP's AnyValue."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, tuple):
        return {"arrayValue": {"values": [to_value(member) for member in value]}}
    return {"stringValue": str(value)}


def _document(spans: list[dict[str, Any]], scope: str, resource: Mapping[str, str]) -> Document:
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in resource.items()]
    group = {"resource": {"attributes": attributes}, "scopeSpans": [{"scope": {"name": scope}, "spans": spans}]}
    return {"resourceSpans": [group]}


def _line(document: Document) -> str:
    return json.dumps(document, separators=(",", ":")) + "\n"
