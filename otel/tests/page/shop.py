"""Requests of a shop of five services, with repeated calls of a cache, a slow database, and calls off the path."""

import random

from lambda_latency.trace import SpanKind, Status, Trace
from tests.trace.build import MS, Node, node, tree

ROUTES = 5  # calls in each of two chains
DRIVERS = 13


def shop(requests: int = 240) -> list[Trace]:
    """Every twelfth request waits for the database; every second call of the cache fails."""
    draw = random.Random(5)  # noqa: S311 - a seed that can be repeated
    return [tree(_request(number, draw), unit=MS, trace_id=f"{number + 1:032x}") for number in range(requests)]


def _request(number: int, draw: random.Random) -> Node:
    start = 4000.0 * number
    found_ms = start + 1 + draw.lognormvariate(5.6, 0.15) * (1 if number % 12 else 4)
    driven = found_ms + draw.lognormvariate(5.2, 0.2)
    chains = [_routes(driven, draw) for _ in range(2)]
    ends = [chain[-1].end or 0 for chain in chains]
    return _served(
        "frontend", "GET /dispatch", start, max(ends) + 5,
        _called("frontend", "GET", start + 1, found_ms, _served(
            "customer", "GET /customer", start + 2, found_ms - 1,
            _called("customer", "SELECT", start + 3, found_ms - 2, system="mysql", host="mysql"),
        )),
        _called("frontend", "driver.Drivers/FindNearest", found_ms, driven, _served(
            "driver", "driver.Drivers/FindNearest", found_ms + 1, driven - 1, *_cached(found_ms + 2, driven - 2),
        )),
        *chains[0], *chains[1],
    )  # fmt: skip


def _cached(start: float, end: float) -> list[Node]:
    step = (end - start) / DRIVERS
    times = [(start + index * step, start + (index + 0.97) * step) for index in range(DRIVERS)]
    return [_called("driver", "GET", *span, system="redis", failed=index % 2 == 0) for index, span in enumerate(times)]


def _routes(start: float, draw: random.Random) -> list[Node]:
    calls = []
    for _ in range(ROUTES):
        end = start + draw.lognormvariate(3.8, 0.3)
        calls.append(_called("frontend", "GET", start, end - 0.5, _served("route", "GET /route", start + 0.4, end - 1)))
        start = end
    return calls


def _served(service: str, name: str, start: float, end: float, *children: Node) -> Node:
    attributes = {"http.status_code": 200}
    resource = {"service.name": service}
    return node(name, start, end, *children, kind=SpanKind.SERVER, resource=resource, attributes=attributes)


def _called(
    service: str,
    name: str,
    start: float,
    end: float,
    *children: Node,
    system: str = "",
    host: str = "",
    failed: bool = False,
) -> Node:
    attributes = {"db.system": system, "server.address": host}
    return node(
        name,
        start,
        end,
        *children,
        kind=SpanKind.CLIENT,
        status=Status.ERROR if failed else Status.UNSET,
        attributes={key: value for key, value in attributes.items() if value},
        resource={"service.name": service},
    )
