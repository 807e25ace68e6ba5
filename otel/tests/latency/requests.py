"""Accounts of random requests, by seed and without spans, for comparisons."""

from __future__ import annotations

import random

from lambda_latency.latency import Account, Cell, Part
from lambda_latency.latency.accounts.part import COLD_START, OWN_CODE

MS = 1_000_000
PAYMENTS = Part("external", "payments.example.com")
TABLE = Part("aws", "DynamoDB PutItem orders")
RETRIES = Part("retries", "DynamoDB orders")


def request(number: int, parts: dict[Part, float], *, route: str = "POST /orders", timed_out: bool = False) -> Account:
    """A request that waited for these parts; the values are milliseconds."""
    each = {part: round(ms * MS) for part, ms in parts.items() if ms}
    return Account(
        trace_id=f"6b05a667affeb9dbb0aa7f2b{number:08x}",
        route=route,
        function="CreateOrder",
        status_code=201,
        start_ns=1_795_560_000_000_000_000 + number,
        wall_ns=sum(each.values()),
        cells=tuple(sorted(((Cell("", part), ns) for part, ns in each.items()), key=lambda one: (-one[1], one[0]))),
        cell_calls=(),
        took=(),
        cold_start=COLD_START in each,
        error=False,
        timed_out=timed_out,
    )


def drawn(seed: object, requests: int = 120, *, provider_ms: float = 0, stalls: float = 0.2) -> list[Account]:
    """Requests like the demo's: a share of the orders (`stalls`) waits long for payments; cold starts, retries."""
    draw = random.Random(str(seed))  # noqa: S311 - a repeatable seed
    found: list[Account] = []
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
        found.append(request(number, parts, route=route))
    return found
