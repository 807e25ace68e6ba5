"""Reports to look at in a browser: each kind of verdict, a rich one, one with hostile names, and many requests."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from lambda_latency.latency import Breakdowns, against, report_of
from lambda_latency.latency.breakdowns.totals import HOUR_NS, UNKNOWN, Traffic, Unknown
from lambda_latency.page import build_page, page_values
from lambda_latency.text.prose import flat, sentence
from lambda_latency.text.style import Style
from lambda_latency.trace import Event, Problem, SpanKind, Status, Trace
from tests.latency.attributed import Order, attributed
from tests.latency.generated import few, hundred
from tests.latency.system import REQUESTS, THEIRS, breakdown_of, charge, flush, order, put_item, request
from tests.page import firsts
from tests.page.shop import shop
from tests.trace.build import MS, T0, Node, later, node, tree

HOSTILE = "<script>alert(\"1\")</script> 'quoted' & \u202eright-to-left\u202c </script><!-- 🍕 عربي @TITLE@"
STACK = """\
  File "/var/task/functions/orders.py", line 41, in create_order
    charge = payments.charge(order)
  File "/var/task/functions/payments.py", line 27, in charge
    return session.post(url, json=body, timeout=None)
  File "/var/task/requests/sessions.py", line 637, in post
  File "/opt/python/urllib3/connectionpool.py", line 534, in _make_request
    conn.request(method, url, body=body, headers=headers, chunked=chunked, preload_content=preload_content)
  File "/opt/python/urllib3/connection.py", line 516, in getresponse
  File "/var/lang/lib/python3.13/http/client.py", line 1430, in getresponse
  File "/var/lang/lib/python3.13/http/client.py", line 331, in begin
  File "/var/lang/lib/python3.13/socket.py", line 719, in readinto
"""
THREADS = """\
Thread audit-0:
  File "/var/task/functions/audit.py", line 12, in write
    queue.get()
"""
THROTTLED = "An error occurred (ThrottlingException) when calling the PutItem operation (reached max retries: 0): x"


def page_of(
    traces: Sequence[Trace],
    *,
    problems: Sequence[Problem] = (),
    traffic: Traffic | Unknown = UNKNOWN,
    console: str = "",
    baseline: Sequence[Trace] = (),
) -> str:
    """The page of a report on some traces, compared with those of a baseline."""
    by_id = {trace.trace_id: trace for trace in traces}

    def find(trace_ids: Iterable[str]) -> dict[str, Trace]:
        return {trace_id: by_id[trace_id] for trace_id in trace_ids}

    breakdowns, earlier = (Breakdowns(map(breakdown_of, group)) for group in (traces, baseline))
    report = report_of(
        breakdowns,
        find,
        problems=problems,
        sources=["traces/orders.jsonl"],
        traffic=traffic,
        owners=THEIRS.owners,
        against=against(breakdowns, earlier, ["traces/before.jsonl"]) if baseline else None,
        baseline=earlier if baseline else None,
        spans=lambda trace_ids: (span for trace_id in trace_ids for span in by_id[trace_id].spans),
    )
    values, spans = page_values(
        report, find, command="lambda-latency report traces", version="1.0", notes=["A note."], console=console or None
    )
    return build_page(values, spans, flat(sentence(report, Style())))


def rich() -> list[Trace]:
    """A hundred and twenty requests of three routes over an hour, with all that may happen to them."""
    draw = random.Random(7)  # noqa: S311 - a seed that can be repeated
    traces = [_order(number, draw) for number in range(62)]
    traces += [_read(100 + number, draw) for number in range(34)]
    traces += [_list(200 + number, draw) for number in range(15)]
    traces += [order(980 + 210 * number, number=300 + number) for number in range(4)]
    traces += [_retried(310), _connecting(311), _stuck(312), _refused(313), order(240, number=314, cold=620)]
    return [later(trace, draw.randrange(3_600_000)) for trace in traces]


def even() -> list[Trace]:
    """Sixty orders of which none stands out."""
    return [later(order(90 + number % 12, number=number), 900 * number) for number in range(60)]


def hostile() -> list[Trace]:
    """Names that try to be markup, in each place where a name can stand."""
    traces = hundred()
    named = [replace(span, name=HOSTILE, attributes={**span.attributes, HOSTILE: HOSTILE}) for span in traces[-1].spans]
    route = request(
        node(
            HOSTILE, 12, 50, events=(Event(HOSTILE, T0 + 20 * MS, {HOSTILE: [HOSTILE, float("nan"), 2**63, b"\xff"]}),)
        ),
        charge(55, 2600),
        end=2610,
        route=f"POST /{HOSTILE}",
    )
    called = node(
        "POST",
        12,
        1900,
        kind=SpanKind.CLIENT,
        attributes={"http.method": HOSTILE, "peer.service": HOSTILE},
        scope=REQUESTS,
    )
    calling = request(called, end=1910)
    ids = (f"6b05a667affeb9dbb0aa7f2b{number:08x}" for number in (9001, 9002))
    hung = _stuck(9003, f'  File "/var/task/{HOSTILE}.py", line 4, in f\n    {HOSTILE}\n')
    return [*traces[:-1], Trace(named), *(tree(root, unit=MS, trace_id=next(ids)) for root in (route, calling)), hung]


def long() -> list[Trace]:
    """Names of 300 letters without a place to break: of a host, a route and a span."""
    name = "n" * 300
    called = node(
        "POST",
        12,
        1900,
        kind=SpanKind.CLIENT,
        attributes={"http.method": "POST", "peer.service": name},
        scope=REQUESTS,
    )
    return [*hundred(), tree(request(node(name, 2, 9), called, end=1910, route=f"POST /{name}"), unit=MS)]


def scaled(unit: int) -> list[Trace]:
    """Sixty requests, of which a few wait for the provider; 1 of their 60 to 1,000 units is `unit` nanoseconds."""
    ends = [60 + number % 7 + (900 if number % 12 == 0 else 0) for number in range(60)]
    roots = [request(put_item(14, 26), charge(27, end - 7), end=end) for end in ends]
    return [tree(root, unit=unit, trace_id=f"6b05a667affeb9dbb0aa7f2b{nth:08x}") for nth, root in enumerate(roots)]


def many(requests: int) -> list[Trace]:
    """Orders, reads and lists by the thousand: some wait for the provider, some are cold, some fail."""
    draw = random.Random(3)  # noqa: S311
    traces = []
    for number in range(requests):
        luck = draw.random()
        if luck < 0.02:
            trace = order(500 + draw.expovariate(1 / 500), number=number)
        elif luck < 0.024:
            trace = _retried(number)
        elif luck < 0.026:
            trace = _refused(number)
        elif luck < 0.0263:
            trace = _stuck(number)
        elif luck < 0.05:
            trace = order(90 + draw.expovariate(1 / 30), number=number, cold=300 + draw.random() * 300)
        else:
            trace = draw.choice((_order, _order, _read, _list))(number, draw)
        traces.append(later(trace, number * 1000))
    return traces


def huge(spans: int = 20_000) -> list[Trace]:
    """The sixty orders, one with so many calls of a table that its spans alone take megabytes."""
    calls = [_table("GetItem", 12 + 0.1 * number, 12.09 + 0.1 * number) for number in range(spans)]
    large = _of(77, node("read them all", 11, 12.5 + 0.1 * spans, *calls), end=15 + 0.1 * spans)
    return [*even(), large]


def services() -> list[Trace]:
    """A few requests that call five hundred services together."""
    traces = []
    for number in range(24):
        hosts = [f"service-{(number * 37 + index) % 500:03d}.internal.example.com" for index in range(100)]
        calls = [
            node(
                "POST",
                12 + 0.4 * index,
                12.3 + 0.4 * index,
                kind=SpanKind.CLIENT,
                attributes={"http.method": "POST", "peer.service": host},
                scope=REQUESTS,
            )
            for index, host in enumerate(hosts)
        ]
        traces.append(later(_of(number, *calls, end=80 if number % 8 else 150 + number), 900 * number))
    return traces


def _of(number: int, *inside: Node, function: str = "CreateOrder", **more: object) -> Trace:
    made = tree(request(*inside, **more), unit=MS, trace_id=f"6b05a667affeb9dbb0aa7f2b{number:08x}")  # type: ignore[arg-type]
    if function == "CreateOrder":
        return made
    return Trace(
        [
            replace(
                span,
                name=function if span.name == "CreateOrder" else span.name,
                resource={**span.resource, **({"faas.name": function} if "faas.name" in span.resource else {})},
            )
            for span in made.spans
        ]
    )


def _order(number: int, draw: random.Random) -> Trace:
    table = 17 + draw.random() * 8
    paid = table + 1 + draw.lognormvariate(4.6, 0.25)
    return _of(
        number,
        node("validate order", 10, 14),
        put_item(15, table),
        charge(table + 1, paid),
        flush(paid + 4, paid + 20),
        end=paid + 9,
    )


def _read(number: int, draw: random.Random) -> Trace:
    end = 20 + draw.lognormvariate(2.4, 0.4)
    get = _table("GetItem", 12, end - 5)
    return _of(number, get, end=end, route="GET /orders/{id}", status_code=200, function="GetOrder")


def _list(number: int, draw: random.Random) -> Trace:
    end = 45 + draw.lognormvariate(3.2, 0.4)
    query, stock = _table("Query", 12, end - 22), _table("GetItem", 13, 26, "stock")
    page = node("render page", end - 20, end - 6)
    return _of(number, query, stock, page, end=end, route="GET /orders", status_code=200, function="ListOrders")


def _table(operation: str, start: float, end: float, table: str = "orders") -> Node:
    more = {"rpc.method": operation, "aws.dynamodb.table_names": (table,)}
    return replace(put_item(start, end, more=more), name=f"DynamoDB.{operation}")


def _retried(number: int) -> Trace:
    throttled = put_item(12, 20, more={"http.status_code": 400}, message=THROTTLED)
    return _of(number, throttled, put_item(24, 1080, more={"retry_attempts": 3}), charge(1084, 1190), end=1200)


def _refused(number: int) -> Trace:
    return _of(number, put_item(12, 24), charge(30, 240, status_code=503), end=250, status_code=502)


def _connecting(number: int) -> Trace:
    steps = (
        node("DNS payments.example.com", 331, 340, scope="lambda_latency.runtime"),
        node("TCP 203.0.113.24:443", 340, 362, scope="lambda_latency.runtime"),
        node("TLS 1.3", 362, 398, scope="lambda_latency.runtime"),
    )
    attributes = {"http.method": "POST", "peer.service": "payments.example.com", "http.status_code": 201}
    call = node("POST", 330, 1400, *steps, kind=SpanKind.CLIENT, attributes=attributes, scope=REQUESTS)
    audit = node("audit", 1390, 1900, kind=SpanKind.PRODUCER)
    return _of(number, node("validate order", 312, 322), put_item(322, 330), call, audit, end=1460, cold=300)


def _stuck(number: int, stack: str = STACK) -> Trace:
    marks = {"lambda.timeout": True, "lambda.timeout.limit_ms": 3000}
    attributes = {"http.method": "POST", "peer.service": "payments.example.com", "code.stacktrace": stack, **marks}
    attributes["lambda.timeout.threads"] = THREADS
    call = node("POST", 30, 3005, kind=SpanKind.CLIENT, attributes=attributes, status=Status.ERROR, scope=REQUESTS)
    return _of(
        number, node("validate order", 10, 13), put_item(14, 28), call, end=3010, status_code=504, timed_out=True
    )


PROBLEMS = (
    *(Problem("traces/orders.jsonl", line, "cut off in the middle of a string") for line in range(41, 53)),
    Problem("traces/<b>old</b>.json", None, "no format that is read here (it begins with 7f 45 4c 46)"),
    Problem(
        "6b05a667affeb9dbb0aa7f2b0000012c",
        None,
        "span 5 (POST) was recorded twice: the one that ends later counts",
        "counted",
    ),
)
HOUR = T0 // HOUR_NS * HOUR_NS
TRAFFIC = Traffic(
    2_394,
    {"POST /orders": 1198, "GET /orders/{id}": 858, "GET /orders": 338},
    {HOUR: 1_402, HOUR + HOUR_NS: 992},
)
CONSOLE = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#xray:traces/"


def _of_tenant(number: int, _draw: random.Random) -> Order:
    return Order(number, {"tenant.id": f"t-{number % 10}"}, {}, {})


SAMPLES: dict[str, Callable[[], str]] = {
    "rich": lambda: page_of(rich(), problems=PROBLEMS, traffic=TRAFFIC, console=CONSOLE),
    "thin": lambda: page_of(few(), problems=PROBLEMS[-1:]),
    "even": lambda: page_of(even(), traffic=Traffic(60)),
    "changed": lambda: page_of(rich(), baseline=even()),
    "one": lambda: page_of([_connecting(1)]),
    "timeout": lambda: page_of([_stuck(1)]),
    "none": lambda: page_of([], problems=PROBLEMS[:13]),
    "hostile": lambda: page_of(hostile(), problems=[Problem(HOSTILE, 3, HOSTILE)]),
    "hours": lambda: page_of(scaled(10_000 * MS)),
    "long": lambda: page_of(long()),
    "classes": lambda: page_of(many(600)[::-1], baseline=even()),
    "same": lambda: page_of(rich(), baseline=rich()),
    "shop": lambda: page_of(shop()),
    "services": lambda: page_of(services()),
    "depends": lambda: page_of(attributed(_of_tenant, lambda order, _: order.first["tenant.id"] == "t-3")),
    "thousand": lambda: page_of(many(1000)),
    "huge": lambda: page_of(huge(3_000), problems=PROBLEMS[:13]),
    "ten-thousand": lambda: page_of(many(10_000)),
}
# Files with one trait each, for their first screens.
FIRSTS: dict[str, Callable[[], str]] = {
    "fifty": lambda: page_of(firsts.fifty()),
    "order": lambda: page_of([order(45)]),
    "flow": lambda: page_of(firsts.flow()),
    "instant": lambda: page_of(firsts.instant()),
    "empty": lambda: page_of([]),
    "all-slow": lambda: page_of(firsts.all_slow()),
    "all-failed": lambda: page_of(firsts.all_failed()),
    "sampled": lambda: page_of(firsts.sampled()),
    "three": lambda: page_of(firsts.three_classes()),
}
LARGE = ("huge", "ten-thousand")  # samples that take seconds to make
