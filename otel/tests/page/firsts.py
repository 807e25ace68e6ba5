"""Files with one trait each, whose page says on its first screen what is true, and nothing else."""

import random

from lambda_latency.trace import SpanKind, Trace
from tests.latency.system import charge, put_item, request
from tests.trace.build import MS, Node, later, node, tree

SERVICES = 50
CALLED = 6  # services by one request, one after the other
STEP = 4000  # milliseconds between two requests


def fifty(requests: int = 200) -> list[Trace]:
    """Each request calls six of fifty services; every tenth waits for the one with the number 7."""
    draw = random.Random(9)  # noqa: S311 - a seed that can be repeated
    return [_at(number, _of_six(number, draw)) for number in range(requests)]


def flow() -> list[Trace]:
    """One request of 37 ms sends a message; two consumers work on it for seconds."""
    sent = node(
        "orders send",
        12,
        20,
        node(
            "orders process",
            400,
            2600,
            node("POST", 420, 2500, kind=SpanKind.CLIENT, attributes={"peer.service": "stock.example.com"}),
            kind=SpanKind.CONSUMER,
            resource={"service.name": "stock"},
        ),
        node("mail process", 2900, 41_000, kind=SpanKind.CONSUMER, resource={"service.name": "mail"}),
        kind=SpanKind.PRODUCER,
        attributes={"messaging.system": "aws_sqs", "messaging.destination.name": "orders"},
    )
    return [tree(request(sent, end=37), unit=MS)]


def instant() -> list[Trace]:
    """One request of 0.03 ms with a call."""
    called = node("GET", 8, 20, kind=SpanKind.CLIENT, attributes={"db.system": "redis"})
    served = node(
        "GET /health", 0, 30, called, kind=SpanKind.SERVER, resource={"service.name": "health"},
        attributes={"http.request.method": "GET", "http.route": "/health", "http.response.status_code": 200},
    )  # fmt: skip
    return [tree(served, unit=1000)]


def late() -> list[Trace]:
    """One request of 37 ms, and forty spans after its response, for five minutes."""
    jobs = [node(f"job {number}", 40 + 7000 * number, 40 + 7000 * number + 5000) for number in range(40)]
    return [tree(request(node("accept", 12, 30, *jobs), end=37), unit=MS)]


def all_slow(requests: int = 60) -> list[Trace]:
    """Every order takes three seconds, nearly all of them at the provider."""
    return [_at(number, _paid(number, 3000 + 7 * (number % 40))) for number in range(requests)]


def heavy(requests: int = 300) -> list[Trace]:
    """Orders with a hundred spans each: a page has no room for all of them."""
    steps = [node(f"step {nth}", 12 + nth / 10, 12.05 + nth / 10, attributes={"text": "x" * 150}) for nth in range(100)]
    traces = []
    for number in range(requests):
        end = (1500 if number % 15 == 0 else 130) + 7 * (number % 17)
        status = 502 if number % 30 == 4 else 201
        root = request(node("work", 11, 25, *steps), charge(26, end - 6), end=end, status_code=status)
        traces.append(_at(number, root))
    return traces


def all_failed(requests: int = 60) -> list[Trace]:
    """The provider refuses every order."""
    return [
        _at(number, request(charge(15, 80 + number % 9, status_code=503), end=90 + number % 9, status_code=502))
        for number in range(requests)
    ]


def three_classes() -> list[Trace]:
    """Of 300 orders 24 are cold, 20 wait for the provider, and 16 for retries of the table."""
    draw = random.Random(2)  # noqa: S311
    traces = []
    for number in range(300):
        end = 160 + draw.lognormvariate(3, 0.2)
        match number % 25:
            case 3 | 11:
                root = request(put_item(915, 927), charge(928, 893 + end), end=900 + end, cold=900)
            case 7:
                root = _paid(number, 1400 + draw.random() * 300)
            case 17:
                root = request(
                    put_item(12, 700 + draw.random() * 80, more={"retry_attempts": 3}),
                    charge(785, 785 + end),
                    end=792 + end,
                )
            case _:
                root = _paid(number, end)
        traces.append(_at(number, root))
    return traces


def sampled(requests: int = 60) -> list[Trace]:
    """Every fifth request computes for a second in one line, and reads a lock from another."""
    traces = []
    for number in range(requests):
        slow = number % 5 == 0
        end = 1200 if slow else 100 + number % 7
        samples = {
            "lambda.profile.after_ms": 100,
            "lambda.profile.places": (
                "functions/orders.py:14 price",
                "functions/orders.py:40 locked > threading.acquire",
                "functions/orders.py:9 get",
            ),
            "lambda.profile.waits": ("", "lock"),
            "lambda.profile.lines": ("return PATTERN.match(text)",),
            "lambda.profile.runs": "0,795,790;1,300,0;2,5,0",
        }
        code = {"http.request.method": "POST", "http.route": "/orders", "http.response.status_code": 201}
        handler = node(
            "POST /orders", 0, end, kind=SpanKind.SERVER, attributes={**code, **(samples if slow else {})},
            resource={"faas.name": "orders"},
        )  # fmt: skip
        traces.append(_at(number, handler))
    return traces


def _paid(number: int, end: float) -> Node:
    return request(put_item(14, 26), charge(27, end - 7), end=end)


def _at(number: int, top: Node) -> Trace:
    return later(tree(top, unit=MS, trace_id=f"6b05a667affeb9dbb0aa7f2b{number:08x}"), STEP * number)


def _of_six(number: int, draw: random.Random) -> Node:
    """A request through the gateway; the slow ones call the service with the number 7 last."""
    slow = number % 10 == 0
    called = [(7 * number + 11 * step) % SERVICES for step in range(CALLED)]
    start = 2.0
    calls = []
    for service in [*(called if 7 not in called else called[:-1]), *([7] if slow else [])]:
        took = draw.lognormvariate(2, 0.2) * (40 if slow and service == 7 else 1)
        calls.append(_call(f"service-{service:02d}", start, start + took, draw))
        start += took + 0.5
    return node(
        "GET /page", 0, start + 2, *calls, kind=SpanKind.SERVER, resource={"service.name": "gateway"},
        attributes={"http.request.method": "GET", "http.route": "/page", "http.response.status_code": 200},
    )  # fmt: skip


def _call(service: str, start: float, end: float, draw: random.Random) -> Node:
    query = node(
        "SELECT", start + 0.6, start + 0.6 + (end - start - 1.2) * draw.uniform(0.2, 0.6), kind=SpanKind.CLIENT,
        attributes={"db.system": "postgresql", "server.address": f"{service}.db.example.com"},
        resource={"service.name": service},
    )  # fmt: skip
    served = node(
        f"GET /{service}", start + 0.4, end - 0.4, query, kind=SpanKind.SERVER, resource={"service.name": service}
    )
    return node(
        "GET",
        start,
        end,
        served,
        kind=SpanKind.CLIENT,
        attributes={"peer.service": service},
        resource={"service.name": "gateway"},
    )
