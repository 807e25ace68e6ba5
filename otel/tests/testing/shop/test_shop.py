from lambda_latency.testing import SERVER, span

ORDER = {"sku": "tea", "quantity": 2}


def test_an_order_is_priced_then_stored(invoke, trace, api_event):
    answer = invoke("PlaceOrder", api_event("POST", "/orders", ORDER))
    assert answer["statusCode"] == 201
    assert (
        trace()
        == span("POST /orders", SERVER)[
            span("price", attributes={"currency": "EUR"}),
            span("store"),
        ]
    )


def test_the_second_order_is_warm(invoke, trace, api_event):
    for _ in range(2):
        invoke("PlaceOrder", api_event("POST", "/orders", ORDER))
    assert trace().one("POST /orders").attributes["faas.coldstart"] is False


def test_an_order_is_stored_once(invoke, trace, api_event):
    invoke("PlaceOrder", api_event("POST", "/orders", ORDER))
    assert trace() == span("POST /orders", SERVER)[span("store")]
