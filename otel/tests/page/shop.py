"""Requests of a shop of five services, with repeated calls of a cache, a slow database, and calls off the path."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from lambda_latency.trace import SpanKind, Status
from tests.trace.build import MS, Node, node, tree

if TYPE_CHECKING:
    from lambda_latency.trace import Trace

ROUTES = 5  # calls in each of two lanes
DRIVERS = 13


def shop(requests: int = 240) -> list[Trace]:
    """Every twelfth request waits for the database; every second call of the cache fails."""
    draw = random.Random(5)  # noqa: S311 - a seed that can be repeated
    return [tree(_request(number, draw), unit=MS, trace_id=f"{number + 1:032x}") for number in range(requests)]


def _request(number: int, draw: random.Random) -> Node:
    at = 4000.0 * number
    found = at + 1 + draw.lognormvariate(5.6, 0.15) * (1 if number % 12 else 4)
    driven = found + draw.lognormvariate(5.2, 0.2)
    lanes = [_lane(driven, draw) for _ in range(2)]
    ends = [lane[-1].end or 0 for lane in lanes]
    return _served(
        "frontend", "GET /dispatch", at, max(ends) + 5,
        _called("frontend", "GET", at + 1, found, _served(
            "customer", "GET /customer", at + 2, found - 1,
            _called("customer", "SELECT", at + 3, found - 2, system="mysql", host="mysql"),
        )),
        _called("frontend", "driver.Drivers/FindNearest", found, driven, _served(
            "driver", "driver.Drivers/FindNearest", found + 1, driven - 1, *_cached(found + 2, driven - 2),
        )),
        *lanes[0], *lanes[1],
    )  # fmt: skip


def _cached(start: float, end: float) -> list[Node]:
    step = (end - start) / DRIVERS
    times = [(start + at * step, start + (at + 0.97) * step) for at in range(DRIVERS)]
    return [_called("driver", "GET", *one, system="redis", failed=at % 2 == 0) for at, one in enumerate(times)]


def _lane(start: float, draw: random.Random) -> list[Node]:
    found = []
    for _ in range(ROUTES):
        end = start + draw.lognormvariate(3.8, 0.3)
        found.append(_called("frontend", "GET", start, end - 0.5, _served("route", "GET /route", start + 0.4, end - 1)))
        start = end
    return found


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
    told = {"db.system": system, "server.address": host}
    return node(
        name,
        start,
        end,
        *children,
        kind=SpanKind.CLIENT,
        status=Status.ERROR if failed else Status.UNSET,
        attributes={key: value for key, value in told.items() if value},
        resource={"service.name": service},
    )
