"""The demo's two loads: orders with planted causes for the packaged example, an app's own calls for another app."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace

from lambda_latency.local.app.read.app import App
from lambda_latency.local.app.serve.system import System
from lambda_latency.local.app.triggers.calls import Invocation, Request, load, perform
from lambda_latency.local.errors import LocalError
from lambda_latency.local.faults import Plan, Rule
from lambda_latency.local.load import plan_calls, send, warm_up_calls

AT_ONCE = 4


def demo_plan(seed: int, timeouts_among: int) -> Plan:
    """The fault plan of the demo: payments slow for one order in five, throttles, payment errors, one function timeout,
    and two lines of own code that are slow: a regular expression that backtracks, and a lock that another thread holds.

    `timeouts_among` is the number of requests that read an order: one of them ends in the function timeout.
    """
    rules = [
        Rule("provider", "status", 0.04, status=503, route="POST /orders"),
        Rule("provider", "delay", 0.1, ms=900, route="POST /orders"),
        Rule("provider", "delay", 0.1, ms=1300, route="POST /orders"),
        Rule("provider", "delay", 1, ms=60),
        Rule("table", "throttle", 0.03),
    ]
    if timeouts_among:
        rules.append(Rule("function", "timeout", 1 / timeouts_among, route="GET /orders/{id}"))
    rules += [Rule("function", kind, 0.17, ms=700, route="GET /orders/{id}") for kind in ("regex", "lock")]
    return Plan(seed, tuple(rules))


class Orders:
    """The load of the packaged example, or of an app with some of its routes. After `send`, `ms` has the time of each
    answer, and `failed` is the number of calls with a status of 500 or more.
    """

    kinds = 0  # a mix, which is not counted by kinds

    def __init__(self, app: App, requests: int, seed: int) -> None:
        routes = {route for _, api in app.apis for route in api.template.routes}
        self._calls, self._warm = plan_calls(requests, seed, routes), warm_up_calls(AT_ONCE, seed, routes)
        plan = demo_plan(seed, sum(call.method == "GET" and "?" not in call.path for call in self._calls))
        self.plan = replace(plan, rules=tuple(rule for rule in plan.rules if rule.route in (None, *routes)))
        self.ms: list[float] = []
        self.failed = 0

    def warm_ups(self, system: System) -> int:
        """The number of steps of `warm_up`."""
        return AT_ONCE * len(system.app.functions) + sum(map(len, self._warm))

    def warm_up(self, system: System, step: Callable[[], None]) -> None:
        """Start the environments that the load needs, and send each kind of request to each of them."""
        system.sandbox.prepare(AT_ONCE, step)
        for batch in self._warm:
            send(system.url, batch, AT_ONCE, lambda _: step())

    def send(self, system: System, step: Callable[[], None]) -> None:
        """Send the load."""
        answers = send(system.url, self._calls, AT_ONCE, lambda _: step())
        self.ms, self.failed = [one.ms for one in answers], sum(one.status >= 500 for one in answers)


class AppCalls:
    """The load of another app: its example events and its routes that read, again and again in a seeded order."""

    plan = Plan()
    ms: Sequence[float] = ()

    def __init__(self, app: App, requests: int, seed: int) -> None:
        self._app, self._requests, self._seed = app, requests, seed
        self._calls: list[Request | Invocation] = []
        self.failed = 0

    @property
    def kinds(self) -> int:
        """The number of different calls."""
        return len(self._calls)

    def warm_ups(self, system: System) -> int:
        """The number of steps of `warm_up`. Raises `LocalError` if there is nothing to call."""
        self._calls = load(system)
        if not self._calls:
            todo = "put example events into events/, as for `sam local invoke`, each named after its function"
            raise LocalError(f"{self._app.path} has no GET route and no example event: there is nothing to call", todo)
        return len(self._calls)

    def warm_up(self, system: System, step: Callable[[], None]) -> None:
        """Make each call once."""
        self._perform(self._calls, system, step)

    def send(self, system: System, step: Callable[[], None]) -> None:
        """Send the load."""
        calls = [self._calls[number % len(self._calls)] for number in range(self._requests)]
        self.failed = self._perform(calls, system, step)

    def _perform(self, calls: Sequence[Request | Invocation], system: System, step: Callable[[], None]) -> int:
        """Returns the number of failed calls."""
        calls = random.Random(self._seed).sample(calls, len(calls))  # noqa: S311 - an order, not a secret
        failed = 0
        with ThreadPoolExecutor(AT_ONCE) as callers:
            try:
                for done in as_completed([callers.submit(perform, one, system) for one in calls]):
                    failed += done.result() is not None
                    step()
            except BaseException:
                callers.shutdown(wait=False, cancel_futures=True)
                system.close()  # ends calls in progress, for which the executor would wait
                raise
        return failed
