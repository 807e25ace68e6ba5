"""The limits of calls, functions and gateway add up: each sum is computed from the code and the template."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.retries.standard import ExponentialBackoff, RetryContext

from fake_payments import FakePayments
from orders_api import Api, an_order
from tests.docs.pages import page
from tests.template.deployed import deploy, template

GATEWAY_S = 29
ROUTES: dict[str, Callable[[Api], object]] = {
    "CreateOrder": lambda api: api.post(an_order()),
    "GetOrder": lambda api: api.get("o-1"),
    "ListOrders": lambda api: api.list(customer="ada"),
    "CancelOrder": lambda api: api.cancel("o-1"),
}
PAYMENTS_MS = int(template()["Globals"]["Function"]["Environment"]["Variables"]["PAYMENTS_TIMEOUT_MS"])


@dataclass(frozen=True, slots=True)
class Calls:
    """How often a route calls DynamoDB and the payments API where all goes well: every other way makes fewer calls."""

    table: int
    payments: int


@pytest.fixture
def calls(api: Api, provider: FakePayments) -> dict[str, Calls]:
    """The calls of each function, counted while its route answers."""
    operations: list[str] = []
    by_function: dict[str, Calls] = {}

    def note(model: Any, **_: object) -> None:
        operations.append(model.name)

    events = api.table.CLIENT.meta.events
    events.register("before-call.dynamodb", note)
    try:
        for name, ask in ROUTES.items():
            operations.clear()
            paid = len(provider.asked)
            ask(api)
            by_function[name] = Calls(len(operations), len(provider.asked) - paid)
    finally:
        events.unregister("before-call.dynamodb", note)
    return by_function


def longest_call(api: Api) -> float:
    """Seconds of a call of DynamoDB whose attempts all hang, with botocore's own delays at their longest."""
    config = api.table.CLIENT.meta.config
    assert config.retries["mode"] == "standard"
    attempts = config.retries["total_max_attempts"]
    backoff = ExponentialBackoff(random=lambda: 1)
    delays = sum(backoff.delay_amount(RetryContext(attempt_number=number)) for number in range(1, attempts))
    return float(attempts * (config.connect_timeout + config.read_timeout) + delays)


def test_the_calls_of_a_request_end_before_its_function_does(api: Api, calls: dict[str, Calls]) -> None:
    """And the function before the gateway: whatever hangs is answered by the code that called it."""
    functions = deploy().of_type("AWS::Lambda::Function")
    limits = {name: functions[name]["Timeout"] for name in calls}
    sums = {name: made.table * longest_call(api) + made.payments * PAYMENTS_MS / 1000 for name, made in calls.items()}

    assert {name for name, total in sums.items() if total >= limits[name]} == set()
    assert {name for name, limit in limits.items() if limit >= GATEWAY_S} == set()


def test_the_page_has_the_sizes_the_timeouts_and_the_sums(api: Api, calls: dict[str, Calls]) -> None:
    """As they are deployed and computed."""
    functions = deploy().of_type("AWS::Lambda::Function")
    table, payments = longest_call(api), PAYMENTS_MS / 1000
    rows = page("reference/template.md").table("function | memory | timeout | its calls at their longest")

    shown = {name.strip("`"): (memory, limit, sums.partition(":")[0]) for name, memory, limit, sums in rows}
    expected = {}
    for name, made in calls.items():
        parts = [f"{table:g}", f"{payments:g}", f"{table:g}"] if made.payments else []
        total = f"{made.table * table + made.payments * payments:g} s"
        expected[name] = (
            f"{functions[name]['MemorySize']} MB",
            f"{functions[name]['Timeout']} s",
            " = ".join(filter(None, [" + ".join(parts), total])),
        )
    assert shown == expected
    calls_of = {name: longest for name, longest, _ in page("reference/template.md").table("call | longest | why")}
    assert calls_of == {"DynamoDB": f"{table:g} s", "payments API": f"{payments:g} s"}
