"""The files that the questions are about: traces of a shop with injected causes, a template with a trap, an archive."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lab.systems.recording import CLIENT, INTERNAL, NOTHING, RUNTIME, SERVER, Recording
from lambda_latency.archive import add
from tests.doctor.apps import write
from tests.doctor.plants import PLANTED

T0 = 1_795_608_000_000_000_000  # 2026-11-25T12:00:00Z
MS = 1_000_000
HANDLER = "/var/task/functions/orders.py"
STACK = (
    f'  File "{HANDLER}", line 33, in handler\n    return route(event)\n'
    '  File "/var/task/functions/table.py", line 81, in get\n    answer = CLIENT.get_item(Key=key)\n'
)
EXPORT = (
    f'  File "{HANDLER}", line 33, in handler\n    return route(event)\n'
    '  File "/var/task/functions/report.py", line 57, in export\n    rows = sorted(rows, key=weight)\n'
)
NEWEST_S = 2_000_000_000  # later than the other files


class Scene:
    """Requests of a shop, which come `gap_ms` apart; their times vary by about a tenth."""

    def __init__(self, seed: int, gap_ms: float = 12_000.0) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - repeatable
        self.gap_ms, self.count = gap_ms, 0
        self.recording = Recording()

    def request(self, route: str, *steps: Step, **more: object) -> None:
        """A request of a route that takes these steps one after the other; `more` are attributes of its span."""
        begin = self.count * self.gap_ms
        self.count += 1
        self.trace_id, root = f"{self.draw.getrandbits(128):032x}", self.id()
        end = begin
        for step in (own(2), *steps, own(1)):
            end = step(self, root, end)
        method, _, path = route.partition(" ")
        named = {key.replace("__", "."): value for key, value in more.items()}
        attributes = {"http.request.method": method, "http.route": path, "http.response.status_code": 200, **named}
        self.span("shop", route, SERVER, (root, ""), begin, end, attributes)

    def span(
        self,
        service: str,
        name: str,
        kind: int,
        ids: tuple[str, str],
        begin: float,
        end: float,
        attributes: Mapping[str, object] = NOTHING,
        events: Sequence[Mapping[str, object]] = (),
        scope: str = "app",
    ) -> None:
        """Add a span; `ids` are its own and its parent's, times are in milliseconds."""
        ns = (T0 + round(begin * MS), T0 + round(end * MS))
        self.recording.add(service, name, kind, (self.trace_id, *ids), ns, attributes, events=events, scope=scope)

    def id(self) -> str:
        """A new id of a span."""
        return f"{self.draw.getrandbits(64) or 1:016x}"

    def vary(self, ms: float) -> float:
        """A time with noise."""
        return ms * self.draw.lognormvariate(0, 0.1)


Step = Callable[[Scene, str, float], float]  # records spans below a parent from a time on; returns when it ends


def own(ms: float) -> Step:
    """Work without a span."""

    def step(scene: Scene, _: str, begin: float) -> float:
        return begin + scene.vary(ms)

    return step


def host(name: str, ms: float) -> Step:
    """A call to a host that records no spans."""
    return _client("POST", {"http.request.method": "POST", "server.address": name}, ms)


def query(database: str, ms: float) -> Step:
    """A statement to PostgreSQL."""
    return _client("SELECT", {"db.system": "postgresql", "db.name": database, "server.address": "db"}, ms)


def table(ms: float, wait_ms: float = 0.0) -> Step:
    """A call to DynamoDB, whose first attempts are throttled for some time."""
    attributes = {"rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "GetItem",
                  "aws.dynamodb.table_names": ("OrdersTable",), "retry_attempts": 2 if wait_ms else 0}  # fmt: skip

    def step(scene: Scene, parent: str, begin: float) -> float:
        took, wait = scene.vary(ms), scene.vary(wait_ms)
        events = tuple(
            {
                "name": "attempt",
                "timeUnixNano": str(T0 + round((begin + took + number * wait / 2) * MS)),
                "attributes": [
                    {"key": "attempt", "value": {"intValue": str(number + 1)}},
                    {"key": "retry.delay_ms", "value": {"doubleValue": wait * 0.45}},
                ],
            }
            for number in range(2 if wait_ms else 0)
        )
        end = begin + took + wait
        scene.span("shop", "DynamoDB.GetItem", CLIENT, (scene.id(), parent), begin, end, attributes, events)
        return end

    return step


def cold(ms: float) -> Step:
    """The init of a cold start."""

    def step(scene: Scene, parent: str, begin: float) -> float:
        end = begin + scene.vary(ms)
        scene.span("shop", "init", INTERNAL, (scene.id(), parent), begin, end, scope=RUNTIME)
        return end

    return step


def running(ms: float, stack: str, name: str = "DynamoDB.GetItem") -> Step:
    """A span that is open when the function is killed."""

    def step(scene: Scene, parent: str, begin: float) -> float:
        attributes = {"lambda.timeout": True, "lambda.timeout.limit_ms": 3000, "code.stacktrace": stack}
        scene.span("shop", name, INTERNAL, (scene.id(), parent), begin, begin + ms, attributes)
        return begin + ms

    return step


def service(name: str, ms: float) -> Step:
    """A call to another service that computes."""

    def step(scene: Scene, parent: str, begin: float) -> float:
        client, took = scene.id(), scene.vary(ms)
        scene.span("shop", "POST", CLIENT, (client, parent), begin, begin + took + 4)
        scene.span(name, f"POST /{name}", SERVER, (scene.id(), client), begin + 2, begin + 2 + took)
        return begin + took + 4

    return step


def code(ms: float) -> Step:
    """A span of the function's own code, with its line."""
    attributes = {"code.function": "price", "code.filepath": "functions/prices.py", "code.lineno": 14}
    return _client("price", attributes, ms, INTERNAL)


def write_scenes(root: Path) -> None:
    """Write all files of the questions below a folder."""
    for name, scene in {
        "shop": _shop(),
        "search": _search(),
        "services": _services(),
        "tenants": _tenants(),
        "code": _code(),
        "export": _export(),
        "before": _orders(seed=7, ms=20),
        "after": _orders(seed=8, ms=60),
        "same": _orders(seed=9, ms=20),
    }.items():
        scene.recording.write(root / f"{name}.jsonl")
    _broken(root / "broken.jsonl")
    (root / "app").mkdir()
    write(PLANTED["wrapper-missing"][0], root / "app")
    add(str(root / "archive"), [root / "shop.jsonl"])
    _last(root / "last" / "traces.jsonl")


def _client(name: str, attributes: Mapping[str, object], ms: float, kind: int = CLIENT) -> Step:
    def step(scene: Scene, parent: str, begin: float) -> float:
        end = begin + scene.vary(ms)
        scene.span("shop", name, kind, (scene.id(), parent), begin, end, attributes)
        return end

    return step


def _shop() -> Scene:
    scene = Scene(1)
    for number in range(900):
        pays = host("payments.example.com", 900 if number % 36 == 0 else 60)
        if number == 451:
            scene.request(
                "GET /orders/{id}", running(2990, STACK), lambda__timeout=True, lambda__timeout__limit_ms=3000
            )
        elif number % 3 == 0:
            status = 502 if number % 99 == 3 else 201
            scene.request("POST /orders", table(9), pays, http__response__status_code=status)
        elif number % 3 == 1:
            scene.request("GET /orders/{id}", table(9, 420 if number % 45 == 1 else 0))
        else:
            warm = number % 75 != 2
            scene.request(
                "GET /products", *([] if warm else [cold(700)]), query("catalog_db", 15), faas__coldstart=not warm
            )
    return scene


def _search() -> Scene:
    scene = Scene(2)
    for number in range(900):  # three hours: from 14:02 to 14:26 a fifth of the searches wait
        slow = 610 <= number < 730 and number % 4 == 0
        scene.request("GET /search" if number % 2 == 0 else "GET /products", query("catalog_db", 480 if slow else 18))
    return scene


def _services() -> Scene:
    scene = Scene(3)
    for number in range(600):
        scene.request("POST /orders", service("pricing", 15), service("inventory", 400 if number % 20 == 0 else 25))
    return scene


def _tenants() -> Scene:
    scene = Scene(4)
    for number in range(800):
        name = "acme" if number % 16 == 0 else ("globex", "initech", "umbrella")[number % 3]
        scene.request("GET /reports", query("reports_db", 700 if name == "acme" else 30), tenant__id=name)
    return scene


def _code() -> Scene:
    scene = Scene(5)
    for number in range(600):
        scene.request("POST /quotes", query("quotes_db", 12), code(650 if number % 15 == 0 else 20))
    return scene


def _export() -> Scene:
    scene = Scene(6)
    for number in range(300):
        if number % 60 == 30:
            stopped = running(2990, EXPORT, "export")
            scene.request("GET /export", stopped, lambda__timeout=True, lambda__timeout__limit_ms=3000)
        else:
            scene.request("GET /export", query("orders_db", 30), own(40))
    return scene


def _orders(seed: int, ms: float) -> Scene:
    scene = Scene(seed)
    for _ in range(400):
        scene.request("POST /orders", query("orders_db", ms), host("payments.example.com", 50))
    return scene


def _broken(path: Path) -> None:
    scene = Scene(10)
    for _ in range(40):
        scene.request("POST /orders", own(20))
        lost = scene.id()
        scene.span(
            "shop", "charge", INTERNAL, (scene.id(), lost), scene.count * scene.gap_ms, scene.count * scene.gap_ms + 9
        )
    scene.recording.write(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    for group in document["resourceSpans"]:
        for span in group["scopeSpans"][0]["spans"]:
            span["flags"] = 0x101  # the parent is in the same process
    path.write_text(json.dumps(document), encoding="utf-8")


def _last(path: Path) -> None:
    path.parent.mkdir()
    scene = Scene(11)
    for _ in range(30):
        scene.request("GET /basket", host("redis.example.com", 8))
    scene.request("GET /basket", host("redis.example.com", 870))
    scene.recording.write(path)
    os.utime(path, (NEWEST_S, NEWEST_S))
