"""What a planted cause depends on: the attributes of each request, of which one decides whether the cause hits it.

Each request has twenty more attributes that decide nothing: ids, versions that begin at another time, counters,
durations, attributes of calls.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.systems.recording import CLIENT, SERVER
from lab.systems.running import Labels
from lab.systems.steps import Call, System, walked

KINDS = ("tenant", "version", "region", "instance", "size", "flag", "header", "two", "range", "deep", "only", "rare")
REGIONS = ("eu-central-1", "eu-west-1", "us-east-1", "us-west-2", "ap-south-1")
TENANTS, PODS, SHARDS, CUSTOMERS = 14, 9, 11, 3_000
RARE = (8, 20)  # requests of the rare customer
SPREAD = (2.5, 4.0)  # times as long, in all steps
LARGE, FROM, BELOW = 60_000, 400, 490  # bytes; the range of a number

Told = tuple[str, str, float | None, float | None]
"""An attribute as a report tells it: key, value, and the bounds of a range (None: no bound)."""


@dataclass(frozen=True, slots=True)
class Plant:
    """`kind` is one of `KINDS`, "" if the cause depends on nothing. `told` are the attributes that a report must name.

    `labelled` returns the labels of a request from its share of the run and its number. `spreads`: all steps of the
    requests take longer, and no cause hits them.
    """

    kind: str
    told: tuple[Told, ...]
    spreads: bool
    labelled: Callable[[float, int, random.Random], Labels]

    def named(self, values: list[Mapping[str, Any]]) -> bool:
        """Whether these values of a report's finding are the planted ones."""
        return len(values) == len(self.told) and all(
            any(one["attribute"] == key and _same(one, value, low, high) for one in values)
            for key, value, low, high in self.told
        )


def _same(one: Mapping[str, Any], value: str, low: float | None, high: float | None) -> bool:
    if low is None and high is None:
        return bool(one["value"] == value)
    return all(
        (bound is None) == (got is None) and (bound is None or got is None or abs(got - bound) <= 0.15 * bound)
        for bound, got in ((low, one["from"]), (high, one["below"]))
    )


def draw_plant(system: System, kind: str, requests: int, draw: random.Random) -> Plant:
    """A plant of this kind in a system."""
    callees = sorted({step.operation.service for route in system.routes
                      for _, step, _ in walked(route.operation) if isinstance(step, Call)})  # fmt: skip
    deep = draw.choice(callees or [system.entry])
    rare = frozenset(draw.sample(range(requests), draw.randint(*RARE)))
    begins, moved = draw.uniform(0.1, 0.6), draw.uniform(0.2, 0.8)
    spreads = kind == "size" and draw.random() < 0.5
    told: dict[str, tuple[Told, ...]] = {
        "tenant": (("tenant.id", "tenant-3", None, None),),
        "version": (("service.version", "2.4.0", None, None),),
        "region": (("client.region", REGIONS[4], None, None),),
        "instance": (("k8s.pod.name", f"{system.entry}-2", None, None),),
        "size": (("http.request.body.size", "", LARGE, None),),
        "flag": (("feature.new_checkout", "true", None, None),),
        "header": (("http.request.header.x-client", "beta", None, None),),
        "two": (("tenant.plan", "free", None, None), ("app.channel", "mobile", None, None)),
        "range": (("cart.points", "", FROM, BELOW),),
        "deep": (("stock.shard", "shard-5", None, None),),
        "only": (("cache.bypass", "true", None, None),),
        "rare": (("customer.id", "customer-77", None, None),),
    }

    def labelled(at: float, number: int, draw: random.Random) -> Labels:
        customer = "customer-77" if number in rare else f"customer-{draw.randrange(78, CUSTOMERS)}"
        version = "2.4.0" if at > begins and draw.random() < 0.25 else "2.3.9"
        channels = ["mobile", "web", "partner"]
        clients = draw.sample(("gzip", "beta", "retry", "trace"), 2) if draw.random() < 0.2 else ["gzip", "trace"]
        root: dict[str, object] = {
            "tenant.id": f"tenant-{draw.randrange(TENANTS)}",
            "tenant.plan": draw.choices(("free", "pro", "team"), (35, 40, 25))[0],
            "app.channel": draw.choices(channels, (30, 50, 20))[0],
            "client.region": draw.choices(REGIONS, (30, 25, 20, 16, 9))[0],
            "feature.new_checkout": draw.random() < 0.09,
            "feature.search_v2": draw.random() < 0.5,
            "http.request.header.x-client": tuple(clients),
            "http.request.body.size": round(draw.lognormvariate(9.2, 1.4)),
            "cart.points": draw.randrange(1_000),
            "customer.id": customer,
            "request.id": f"{draw.getrandbits(64):016x}",
            "session.number": draw.randrange(10**9),
            "app.day": "2026-11-29" if at < moved else "2026-11-30",
            "app.sequence": number,
            "http.response.status_code": 200,
            "enduser.role": draw.choice(("user", "admin")),
        }
        if draw.random() < 0.3:
            root["promo.code"] = draw.choice(("SPRING", "FALL"))
        pod = draw.randrange(PODS)
        shard = f"shard-{draw.randrange(SHARDS)}"
        size, points = root["http.request.body.size"], root["cart.points"]
        assert isinstance(size, int)
        assert isinstance(points, int)
        bypass = draw.random() < 0.09
        hit = {
            "tenant": root["tenant.id"] == "tenant-3",
            "version": version == "2.4.0",
            "region": root["client.region"] == REGIONS[4],
            "instance": pod == 2,
            "size": size >= LARGE,
            "flag": bool(root["feature.new_checkout"]),
            "header": "beta" in clients,
            "two": root["tenant.plan"] == "free" and root["app.channel"] == "mobile",
            "range": FROM <= points < BELOW,
            "deep": shard == "shard-5",
            "only": bypass,
            "rare": number in rare,
        }.get(kind, False)
        if kind == "only" and bypass:
            root["cache.bypass"] = True
        spread = spreads and hit
        resources = {
            system.entry: {"k8s.pod.name": f"{system.entry}-{pod}", "service.version": version},
            **{one: {"k8s.pod.name": f"{one}-{draw.randrange(4)}", "service.version": "1.9"} for one in callees},
        }
        spans: dict[tuple[str, int], dict[str, object]] = {
            (system.entry, SERVER): root,
            (deep, SERVER): {**(root if deep == system.entry else {}), "stock.shard": shard},
            (system.entry, CLIENT): {"net.protocol.version": "1.1", "partner.contract": "c-7"},
        }
        times = draw.uniform(*SPREAD) if spread else 1.0
        return Labels(spans, resources, hit and not spread, times, ("app.elapsed_ms",))

    return Plant(kind, told.get(kind, ()), spreads, labelled)
