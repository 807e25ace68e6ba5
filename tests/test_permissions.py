"""What each function's role allows is what it calls: no call is refused, and no permission is left over."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fake_payments import FakePayments, Step
from orders_api import Api, an_order

TABLE: object = {"Fn::GetAtt": ["OrdersTable", "Arn"]}
INDEX: object = {"Fn::Sub": "${OrdersTable.Arn}/index/customer-index"}


@pytest.fixture
def calls(api: Api) -> Iterator[list[tuple[str, object]]]:
    """Every call of DynamoDB from now on: its action, and the table or the index that it needs a permission for."""
    seen: list[tuple[str, object]] = []

    def note(params: dict[str, Any], model: Any, **_: object) -> None:
        seen.append((f"dynamodb:{model.name}", INDEX if "IndexName" in params else TABLE))

    api.table.CLIENT.meta.events.register("provide-client-params.dynamodb", note)
    yield seen
    api.table.CLIENT.meta.events.unregister("provide-client-params.dynamodb", note)


def create(api: Api, provider: FakePayments) -> None:
    """Every way through POST /orders: new, repeated, another one under its id, declined, without an answer."""
    api.post(an_order())
    api.post(an_order())
    api.post(an_order(customer="bob"))
    api.post(an_order(order_id="o-2", payment_method="card-declined"))
    provider.steps.append(Step(answer=(500, "{}")))
    api.post(an_order(order_id="o-3"))
    api.post(an_order(order_id="o-3"))


def cancel(api: Api, _: FakePayments) -> None:
    """Once, again, and one that there is not."""
    for order_id in ("o-1", "o-1", "o-9"):
        api.cancel(order_id)


WAYS: dict[str, Callable[[Api, FakePayments], object]] = {
    "CreateOrder": create,
    "GetOrder": lambda api, _: [api.get("o-1"), api.get("o-9")],
    "ListOrders": lambda api, _: [api.list(customer="ada"), api.list(customer="nobody", limit="1")],
    "CancelOrder": cancel,
}


@pytest.mark.parametrize("function", WAYS)
def test_a_function_may_do_what_it_does_and_nothing_else(
    api: Api, provider: FakePayments, calls: list[tuple[str, object]], template: dict[str, Any], function: str
) -> None:
    """On the table, or on the index, and not on both."""
    if function != "CreateOrder":
        api.post(an_order())
        calls.clear()

    WAYS[function](api, provider)

    policies = template["Resources"][f"{function}Role"]["Properties"]["Policies"]
    (statement,) = next(policy for policy in policies if policy["PolicyName"] == function)["PolicyDocument"][
        "Statement"
    ]
    actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
    allowed = [(action, statement["Resource"]) for action in actions]
    assert {repr(call) for call in calls} == {repr(call) for call in allowed}
    assert statement["Effect"] == "Allow"
