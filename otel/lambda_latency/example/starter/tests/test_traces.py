"""A test of a span tree fails when a request makes another call, or the same call twice."""

from lambda_latency.testing import CLIENT, SERVER, span

ORDER = {"customer": "ada", "items": [{"sku": "tea", "quantity": 1, "unit_price": 450}], "payment_method": "card-1"}


def test_an_order_is_read_with_one_call(dynamodb, invoke, trace, api_event):
    """An order that does not exist is looked up once, and the response is 404."""
    dynamodb["GetItem"] = {}
    response = invoke("GetOrder", api_event("GET", "/orders/order-1", resource="/orders/{id}"))
    assert response["statusCode"] == 404
    assert trace() == span("GET /orders/{id}", SERVER)[span("DynamoDB.GetItem", CLIENT)]


def test_an_order_is_stored_then_charged_then_confirmed(dynamodb, invoke, trace, api_event):
    """The table is written before the charge, so that no charge is without an order."""
    dynamodb["PutItem"] = dynamodb["UpdateItem"] = {}
    response = invoke("CreateOrder", api_event("POST", "/orders", ORDER))
    assert response["statusCode"] == 201
    assert trace() == span("POST /orders", SERVER)[
        span("DynamoDB.PutItem", CLIENT, attributes={"aws.table_name": "orders"}),
        span("POST", CLIENT, attributes={"http.status_code": 201}),
        span("DynamoDB.UpdateItem", CLIENT, attributes={"aws.table_name": "orders"}),
    ]  # fmt: skip
