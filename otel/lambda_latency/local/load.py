"""The demo's requests: a seeded mix that creates, reads, lists and cancels orders, some invalid, sent concurrently."""

from __future__ import annotations

import json
import queue
import random
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from lambda_latency.http import Client
from lambda_latency.local.errors import LocalError

SKUS = ("tea", "coffee", "cocoa", "mate", "rooibos")
WEIGHTS = {"create": 48, "get": 28, "list": 12, "cancel": 12}
ROUTES = {
    "create": "POST /orders",
    "get": "GET /orders/{id}",
    "list": "GET /orders",
    "cancel": "POST /orders/{id}/cancel",
}
ALL_ROUTES = frozenset(ROUTES.values())
# Calls between the creation of an order and its first use, so that it exists by then
LEAD = 8


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the API."""

    method: str
    path: str
    body: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class TimedAnswer:
    """The answer to a call, and the time that it took in milliseconds."""

    call: Call
    status: int
    body: str
    ms: float


def plan_calls(count: int, seed: int, routes: Collection[str] = ALL_ROUTES) -> list[Call]:
    """Plan calls of these routes, the same for the same seed: half create orders, some of them declined or invalid."""
    weights = [WEIGHTS[kind] if route in routes or kind == "create" else 0 for kind, route in ROUTES.items()]
    draw = random.Random(seed)  # noqa: S311 - a draw, not a secret
    created: list[str] = []
    cancelled: set[str] = set()
    calls: list[Call] = []
    for number in range(count):
        ready = created[: max(0, len(created) - LEAD)]
        kind = draw.choices(list(ROUTES), weights)[0] if ready else "create"
        open_orders = [order for order in ready if order not in cancelled]
        if kind == "get":
            calls.append(Call("GET", f"/orders/{draw.choice(ready)}"))
        elif kind == "list":
            calls.append(Call("GET", f"/orders?customer=customer-{draw.randrange(10)}&limit=10"))
        elif kind == "cancel" and open_orders:
            order = draw.choice(open_orders)
            cancelled.add(order)
            calls.append(Call("POST", f"/orders/{order}/cancel", {}))
        else:
            order = f"order-{seed}-{number}"
            luck = draw.random()
            calls.append(_order(order, draw, declined=luck < 0.06, wrong=luck > 0.94))
            if 0.06 <= luck <= 0.94:
                created.append(order)
    return calls


def warm_up_calls(at_once: int, seed: int, routes: Collection[str] = ALL_ROUTES) -> list[list[Call]]:
    """Plan one batch of `at_once` calls per route, to be sent concurrently, so that each gets its own environment."""
    draw = random.Random(seed)  # noqa: S311
    orders = [f"warm-up-{number}" for number in range(at_once)]
    batches = {
        "create": [_order(order, draw) for order in orders],
        "get": [Call("GET", f"/orders/{order}") for order in orders],
        "list": [Call("GET", "/orders?customer=customer-0") for _ in orders],
        "cancel": [Call("POST", f"/orders/{order}/cancel", {}) for order in orders],
    }
    return [batch for kind, batch in batches.items() if ROUTES[kind] in routes]


def send(url: str, calls: Iterable[Call], at_once: int, done: Callable[[TimedAnswer], None]) -> list[TimedAnswer]:
    """Sends the calls in order, at most `at_once` concurrently; each caller keeps its connection.

    `done` receives each answer. Raises `LocalError` if the gateway does not answer.
    """
    waiting: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
    answers: list[TimedAnswer] = []
    failures: list[LocalError] = []
    lock = threading.Lock()
    for call in calls:
        waiting.put(call)
    for _ in range(at_once):
        waiting.put(None)

    def work() -> None:
        client = Client(url)
        try:
            while (call := waiting.get()) is not None and not failures:
                answer = _send(client, call)
                with lock:
                    answers.append(answer)
                    done(answer)
        except OSError as error:
            failures.append(LocalError(f"no answer from the gateway at {url}: {error!r}", "out/system.log may say why"))
        finally:
            client.close()

    callers = [threading.Thread(target=work, daemon=True) for _ in range(at_once)]
    for caller in callers:
        caller.start()
    for caller in callers:
        while caller.is_alive():
            # With a limit: a signal that another thread received is handled only between two waits.
            caller.join(0.2)
    if failures:
        raise failures[0]
    return answers


def _send(client: Client, call: Call) -> TimedAnswer:
    body = None if call.body is None else json.dumps(call.body)
    headers = {"Content-Type": "application/json"} if body else {}
    start = time.perf_counter()
    status, _, answer = client.request(call.method, call.path, body, headers)
    return TimedAnswer(call, status, answer.decode(), (time.perf_counter() - start) * 1000)


def _order(order_id: str, draw: random.Random, *, declined: bool = False, wrong: bool = False) -> Call:
    items = [
        {"sku": draw.choice(SKUS), "quantity": draw.randint(1, 5), "unit_price": draw.randint(100, 5000)}
        for _ in range(draw.randint(1, 3))
    ]
    if wrong:
        items[0]["quantity"] = 0
    return Call(
        "POST",
        "/orders",
        {
            "order_id": order_id,
            "customer": f"customer-{draw.randrange(10)}",
            "items": items,
            "payment_method": "card-declined" if declined else "card-ok",
        },
    )
