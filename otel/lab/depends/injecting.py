"""What an injected fault depends on: the attributes of each request, of which one decides whether the cause hits it.

Each request has twenty more attributes that decide nothing: ids, versions that begin at another time, counters,
durations, attributes of calls.
"""

import random
from collections.abc import Mapping
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

Reported = tuple[str, str, float | None, float | None]
"""An attribute as a report names it: key, value, and the bounds of a range (None: no bound)."""


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """`kind` is one of `KINDS`, "" if the cause depends on nothing.

    `spreads`: all steps of the requests take longer, and no cause hits them. `deep` is the service whose spans have the
    shard, `rare` are the requests of the rare customer; version and day begin at a share of the run.
    """

    kind: str
    spreads: bool
    entry: str
    callees: tuple[str, ...]
    deep: str
    rare: frozenset[int]
    version_begin: float
    day_begin: float

    @property
    def reported(self) -> tuple[Reported, ...]:
        """The attributes that a report must name."""
        by_kind: dict[str, tuple[Reported, ...]] = {
            "tenant": (("tenant.id", "tenant-3", None, None),),
            "version": (("service.version", "2.4.0", None, None),),
            "region": (("client.region", REGIONS[4], None, None),),
            "instance": (("k8s.pod.name", f"{self.entry}-2", None, None),),
            "size": (("http.request.body.size", "", LARGE, None),),
            "flag": (("feature.new_checkout", "true", None, None),),
            "header": (("http.request.header.x-client", "beta", None, None),),
            "two": (("tenant.plan", "free", None, None), ("app.channel", "mobile", None, None)),
            "range": (("cart.points", "", FROM, BELOW),),
            "deep": (("stock.shard", "shard-5", None, None),),
            "only": (("cache.bypass", "true", None, None),),
            "rare": (("customer.id", "customer-77", None, None),),
        }
        return by_kind.get(self.kind, ())

    def named(self, values: list[Mapping[str, Any]]) -> bool:
        """Whether these values of a report's finding are the injected ones."""
        return len(values) == len(self.reported) and all(
            any(value["attribute"] == key and _same(value, text, low, high) for value in values)
            for key, text, low, high in self.reported
        )

    def labelled(self, share: float, number: int, draw: random.Random) -> Labels:
        """The labels of a request, from its share of the run and its number."""
        customer = "customer-77" if number in self.rare else f"customer-{draw.randrange(78, CUSTOMERS)}"
        version = "2.4.0" if share > self.version_begin and draw.random() < 0.25 else "2.3.9"
        root = _root(number, customer, "2026-11-29" if share < self.day_begin else "2026-11-30", draw)
        pod, shard = draw.randrange(PODS), f"shard-{draw.randrange(SHARDS)}"
        bypass = draw.random() < 0.09
        hit = self._is_hit(root, version, pod, shard, bypass=bypass)
        if self.kind == "only" and bypass:
            root["cache.bypass"] = True
        resources = {self.entry: {"k8s.pod.name": f"{self.entry}-{pod}", "service.version": version}}
        for callee in self.callees:
            resources[callee] = {"k8s.pod.name": f"{callee}-{draw.randrange(4)}", "service.version": "1.9"}
        spans: dict[tuple[str, int], dict[str, object]] = {
            (self.entry, SERVER): root,
            (self.entry, CLIENT): {"net.protocol.version": "1.1", "partner.contract": "c-7"},
        }
        spans[self.deep, SERVER] = {**spans.get((self.deep, SERVER), {}), "stock.shard": shard}
        if self.spreads and hit:
            return Labels(spans, resources, False, draw.uniform(*SPREAD), ("app.elapsed_ms",))
        return Labels(spans, resources, hit, 1.0, ("app.elapsed_ms",))

    def _is_hit(self, root: Mapping[str, Any], version: str, pod: int, shard: str, *, bypass: bool) -> bool:
        hits: dict[str, bool] = {
            "tenant": root["tenant.id"] == "tenant-3",
            "version": version == "2.4.0",
            "region": root["client.region"] == REGIONS[4],
            "instance": pod == 2,
            "size": root["http.request.body.size"] >= LARGE,
            "flag": root["feature.new_checkout"],
            "header": "beta" in root["http.request.header.x-client"],
            "two": root["tenant.plan"] == "free" and root["app.channel"] == "mobile",
            "range": FROM <= root["cart.points"] < BELOW,
            "deep": shard == "shard-5",
            "only": bypass,
            "rare": root["customer.id"] == "customer-77",
        }
        return hits.get(self.kind, False)


def _same(labelled_value: Mapping[str, Any], value: str, low: float | None, high: float | None) -> bool:
    if low is None and high is None:
        return bool(labelled_value["value"] == value)
    return all(
        (bound is None) == (got is None) and (bound is None or got is None or abs(got - bound) <= 0.15 * bound)
        for bound, got in ((low, labelled_value["from"]), (high, labelled_value["below"]))
    )


def draw_fault(system: System, kind: str, requests: int, draw: random.Random) -> InjectedFault:
    """A fault of this kind in a system."""
    callees = sorted({step.operation.service for route in system.routes
                      for _, step, _ in walked(route.operation) if isinstance(step, Call)})  # fmt: skip
    deep = draw.choice(callees or [system.entry])
    rare = frozenset(draw.sample(range(requests), draw.randint(*RARE)))
    version_begin, day_begin = draw.uniform(0.1, 0.6), draw.uniform(0.2, 0.8)
    spreads = kind == "size" and draw.random() < 0.5
    return InjectedFault(kind, spreads, system.entry, tuple(callees), deep, rare, version_begin, day_begin)


def _root(number: int, customer: str, day: str, draw: random.Random) -> dict[str, Any]:
    """The attributes of a request's root."""
    clients = draw.sample(("gzip", "beta", "retry", "trace"), 2) if draw.random() < 0.2 else ["gzip", "trace"]
    root: dict[str, object] = {
        "tenant.id": f"tenant-{draw.randrange(TENANTS)}",
        "tenant.plan": draw.choices(("free", "pro", "team"), (35, 40, 25))[0],
        "app.channel": draw.choices(["mobile", "web", "partner"], (30, 50, 20))[0],
        "client.region": draw.choices(REGIONS, (30, 25, 20, 16, 9))[0],
        "feature.new_checkout": draw.random() < 0.09,
        "feature.search_v2": draw.random() < 0.5,
        "http.request.header.x-client": tuple(clients),
        "http.request.body.size": round(draw.lognormvariate(9.2, 1.4)),
        "cart.points": draw.randrange(1_000),
        "customer.id": customer,
        "request.id": f"{draw.getrandbits(64):016x}",
        "session.number": draw.randrange(10**9),
        "app.day": day,
        "app.sequence": number,
        "http.response.status_code": 200,
        "enduser.role": draw.choice(("user", "admin")),
    }
    if draw.random() < 0.3:
        root["promo.code"] = draw.choice(("SPRING", "FALL"))
    return root
