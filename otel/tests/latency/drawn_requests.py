"""Accounts of random requests, by seed and without spans, for comparisons."""

import random

from lambda_latency.latency import Breakdown, Component, Edge
from lambda_latency.latency.breakdowns.component import COLD_START, OWN_CODE

MS = 1_000_000
PAYMENTS = Component("external", "payments.example.com")
TABLE = Component("aws", "DynamoDB PutItem orders")
RETRIES = Component("retries", "DynamoDB orders")


def request(
    number: int, parts: dict[Component, float], *, route: str = "POST /orders", timed_out: bool = False
) -> Breakdown:
    """A request that waited for these parts; the values are milliseconds."""
    waits_ns = {part: round(ms * MS) for part, ms in parts.items() if ms}
    return Breakdown(
        trace_id=f"6b05a667affeb9dbb0aa7f2b{number:08x}",
        route=route,
        function="CreateOrder",
        status_code=201,
        start_ns=1_795_560_000_000_000_000 + number,
        wall_ns=sum(waits_ns.values()),
        edges=tuple(sorted(((Edge("", part), ns) for part, ns in waits_ns.items()), key=lambda p: (-p[1], p[0]))),
        edge_calls=(),
        durations_ns=(),
        cold_start=COLD_START in waits_ns,
        error=False,
        timed_out=timed_out,
    )


def drawn(seed: object, requests: int = 120, *, provider_ms: float = 0, stalls: float = 0.2) -> list[Breakdown]:
    """Requests like the demo's: a share of the orders (`stalls`) waits long for payments; cold starts, retries."""
    draw = random.Random(str(seed))  # noqa: S311 - a repeatable seed
    accounts: list[Breakdown] = []
    paid = 0
    for number in range(requests):
        parts = {OWN_CODE: draw.lognormvariate(1, 0.8), TABLE: draw.lognormvariate(3, 0.7)}
        route = draw.choice(("POST /orders", "POST /orders", "GET /orders", "GET /orders/{id}"))
        if route == "POST /orders":
            paid += 1
            stall = draw.choice((900, 1300)) if int(paid * stalls) > int((paid - 1) * stalls) else 0
            parts[PAYMENTS] = 60 + draw.expovariate(0.2) + stall + provider_ms
        if draw.random() < 0.05:
            parts[RETRIES] = draw.uniform(50, 300)
        if draw.random() < 0.05:
            parts[COLD_START] = draw.uniform(300, 700)
        accounts.append(request(number, parts, route=route))
    return accounts
