"""Every route and every answer through the gateway, with the trace that each leaves."""

from typing import Any

from lambda_latency.trace import Trace
from tests.sandbox.state import until
from tests.system.conftest import Client, Reply, order, tree

PUT, UPDATE = "DynamoDB.PutItem CLIENT", "DynamoDB.UpdateItem CLIENT"
CHARGE = ("POST CLIENT", "POST /charges SERVER")
REFUND = ("POST CLIENT", "POST /refunds SERVER")


def handled(trace: Trace) -> Any:
    """What the handler's span and everything below it look like, in a trace whose outer spans are Lambda's."""
    nested = tree(trace)
    stage, (service, (function, *phases)) = nested
    assert stage.removesuffix(" ERROR") == "lambda-latency/dev SERVER"
    assert service == function
    lambdas = ("Initialization INTERNAL", "Invocation INTERNAL", "Overhead INTERNAL")
    handlers = [phase for phase in phases if phase not in lambdas]
    assert (len(handlers), trace.orphans, trace.problems) == (1, (), ())
    return handlers[0]


def confirmed(made: dict[str, Any], reply: Reply, **changes: Any) -> dict[str, Any]:
    """The order as an answer shows it."""
    shown = {key: made[key] for key in ("order_id", "customer", "items")}
    rest = {key: reply.body[key] for key in ("created_at", "charge_id")}
    amount = sum(item["quantity"] * item["unit_price"] for item in made["items"])
    return {**shown, **rest, "currency": "EUR", "status": "confirmed", "refund_id": None, "amount": amount, **changes}


def test_a_new_order_is_stored_and_charged(kit: Client) -> None:
    """POST /orders: 201, the stored order, one charge."""
    made = order()
    reply = kit.call("POST", "/orders", made)
    assert (reply.status, reply.body) == (201, confirmed(made, reply))
    assert handled(kit.trace(reply, 10)) == ("POST /orders SERVER", PUT, CHARGE, UPDATE)
    charges = [charge for charge in kit.books()["charges"] if charge["order_id"] == made["order_id"]]
    assert [(charge["amount"], charge["charge_id"]) for charge in charges] == [(700, reply.body["charge_id"])]


def test_a_customers_orders_are_listed_page_by_page(kit: Client) -> None:
    """GET /orders?customer=: the newest first, each once."""
    customer = order()["customer"]
    made = [kit.call("POST", "/orders", order(customer=customer)).body["order_id"] for _ in range(3)]
    first = kit.call("GET", f"/orders?customer={customer}&limit=2")
    second = kit.call("GET", f"/orders?customer={customer}&limit=2&next={first.body['next']}")
    assert [one["order_id"] for page in (first, second) for one in page.body["orders"]] == made[::-1]
    assert (first.status, second.status, second.body["next"]) == (200, 200, None)
    assert handled(kit.trace(first, 7)) == ("GET /orders SERVER", "DynamoDB.Query CLIENT")


def test_an_unknown_route_is_the_gateways_own_answer(kit: Client) -> None:
    """403, and a trace of the gateway's span alone."""
    reply = kit.call("GET", "/nothing")
    assert (reply.status, reply.body) == (403, {"message": "Missing Authentication Token"})
    assert tree(kit.trace(reply, 1)) == "lambda-latency/dev SERVER"


def test_calls_name_what_they_call(kit: Client) -> None:
    """The attributes that reports and X-Ray need: table, region, host, route, statuses."""
    made = order()
    kit.call("POST", "/orders", made)
    reply = kit.call("POST", "/orders", order())
    trace = kit.trace(reply, 10)
    found = {span.name: span.attributes for span in trace.spans}
    put, post, handler = found["DynamoDB.PutItem"], found["POST"], found["POST /orders"]
    keys = ["rpc.system", "rpc.service", "rpc.method", "aws.region", "aws.table_name", "http.status_code"]
    assert [put[key] for key in keys] == ["aws-api", "DynamoDB", "PutItem", "us-east-1", "OrdersTable", 200]
    assert [post[key] for key in ("http.method", "peer.service", "http.status_code")] == [
        "POST",
        "payments.example.com",
        201,
    ]
    keys = ["http.request.method", "http.route", "http.response.status_code", "http.status_code", "faas.trigger"]
    assert [handler[key] for key in keys] == ["POST", "/orders", 201, 201, "http"]
    assert trace.route == "POST /orders"


def test_the_first_request_of_an_environment_is_a_cold_start(kit: Client) -> None:
    """Initialization is in its trace and in no later one; the handler says so too."""
    kit.system.sandbox.renew()
    assert until(lambda: not kit.system.sandbox.environments("GetOrder"))
    cold = kit.trace(kit.call("GET", "/orders/none"), 7)
    assert kit.system.sandbox.wait_until_idle(20)  # while it delivers, a request would start another environment
    warm = kit.trace(kit.call("GET", "/orders/none"), 7)
    assert [span.name for span in cold.spans].count("Initialization") == 1
    assert [span.name for span in warm.spans].count("Initialization") == 0
    for trace, expected in ((cold, True), (warm, False)):
        assert trace.handler is not None
        assert (trace.cold_start, trace.handler.attributes["faas.coldstart"]) == (expected, expected)


def test_a_callers_header_does_not_move_the_trace(kit: Client) -> None:
    """Neither X-Ray's nor W3C's."""
    headers = {
        "X-Amzn-Trace-Id": "Root=1-00000001-000000000000000000000001;Parent=0000000000000001;Sampled=0",
        "traceparent": "00-00000000000000000000000000000001-0000000000000001-00",
        "baggage": "user=somebody",
    }
    reply = kit.call("GET", "/orders/none", headers=headers)
    assert reply.trace_id != "00000001000000000000000000000001"
    assert handled(kit.trace(reply, 7)) == ("GET /orders/{id} SERVER", "DynamoDB.GetItem CLIENT")


def test_an_unsampled_request_leaves_no_span(kit: Client) -> None:
    """Not of the gateway, not of Lambda, not of the function, not of the provider."""
    kit.sampled[0] = False
    try:
        unsampled = kit.call("POST", "/orders", order())
    finally:
        kit.sampled[0] = True
    sampled = kit.call("POST", "/orders", order())
    kit.trace(sampled, 10)
    assert unsampled.status == 201
    assert unsampled.trace_id not in kit.system.store.path.read_text()


def test_the_functions_are_frozen_when_nothing_is_to_do(kit: Client) -> None:
    """All of them."""
    kit.call("GET", "/orders/none")
    assert until(lambda: all(one.frozen for one in kit.system.sandbox.environments()))
