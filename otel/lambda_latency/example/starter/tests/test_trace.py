"""Tests the calls of a request: its spans as a tree."""

from lambda_latency.testing import CLIENT, SERVER, span


def test_orders_are_listed_with_one_query(dynamodb, invoke, trace, api_event):
    """It fails when the handler makes another call, or the same call twice."""
    dynamodb["Query"] = {"Items": []}
    answer = invoke("ListOrders", api_event("GET", "/orders?customer=ada"))
    assert answer["statusCode"] == 200
    assert (
        trace() == span("GET /orders", SERVER)[span("DynamoDB.Query", CLIENT, attributes={"aws.table_name": "orders"})]
    )
