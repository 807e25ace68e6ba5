"""`Trace` builds the tree of one trace id, and reports inconsistencies."""

import copy
import pickle
from dataclasses import replace

import pytest

from lambda_latency.trace import Span, SpanKind, Status, Trace
from tests.trace.build import T0, TRACE_ID, node, spans_of, tree

CODE = {"http.request.method": "POST", "http.route": "/orders", "http.response.status_code": 201}


def _span(number: int, parent: int | None = None, *, start: int = 0, end: int | None = 10, **more: object) -> Span:
    return Span(
        trace_id=TRACE_ID,
        span_id=f"{number:016x}",
        parent_id=None if parent is None else f"{parent:016x}",
        name=f"span {number}",
        start_ns=T0 + start,
        end_ns=None if end is None else T0 + end,
        **more,  # type: ignore[arg-type]
    )


def test_children_are_sorted_by_start() -> None:
    """In any order of reading; children with equal starts are sorted by id."""
    spans = [_span(4, 1, start=5), _span(3, 1, start=5), _span(2, 1, start=7), _span(1)]
    trace = Trace(spans)
    assert [child.name for child in trace.children(trace.roots[0])] == ["span 3", "span 4", "span 2"]
    assert trace == Trace(reversed(spans))


def test_a_trace_can_be_copied_pickled_and_hashed() -> None:
    """Process pools send whole traces."""
    trace = tree(node("a", 0, 10, node("b", 2, 5)))
    assert copy.deepcopy(trace) == trace
    assert pickle.loads(pickle.dumps(trace)) == trace  # noqa: S301 - our own bytes
    assert hash(copy.deepcopy(trace)) == hash(trace)


def test_a_trace_needs_spans_of_one_trace_id() -> None:
    """Both errors have the actual value."""
    with pytest.raises(ValueError, match="at least one span, got none"):
        Trace([])
    with pytest.raises(ValueError, match=f"share one trace id, got {TRACE_ID} and {'b' * 32}"):
        Trace([_span(1), replace(_span(2), trace_id="b" * 32)])


def test_only_a_local_parent_that_was_never_recorded_makes_an_orphan() -> None:
    """Spans with a remote or an unknown parent are counted separately."""
    spans = [
        _span(1),
        _span(2, 99, parent_remote=False),
        _span(3, 99, parent_remote=True),
        _span(4, 99, parent_remote=None),
        _span(5, 2, parent_remote=False),
    ]
    trace = Trace(spans)
    assert [span.name for span in trace.roots] == ["span 1"]
    assert [span.name for span in trace.orphans] == ["span 2"]
    assert [span.name for span in trace.children(_span(2))] == ["span 5"]


@pytest.mark.parametrize("turned", [False, True])
def test_of_duplicates_the_complete_one_then_the_later_end_counts(turned: bool) -> None:
    """In any order of reading; two complete ones are a problem."""
    spans = [_span(1, end=None), _span(1, end=10), _span(1, end=12)]
    trace = Trace(spans[::-1] if turned else spans)
    assert [span.end_ns for span in trace.spans] == [T0 + 12]
    assert [str(problem) for problem in trace.problems] == [
        f"{TRACE_ID}: span 0000000000000001 (span 1) was recorded twice: the one that ends later counts"
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_the_two_halves_of_a_call_that_share_an_id_are_two_spans(turned: bool) -> None:
    """As Zipkin's tracers record them, also in different files: the server and its calls are below the client."""
    shop, pay = ({"service.name": name} for name in ("shop", "pay"))
    spans = [
        _span(1, end=100, kind=SpanKind.SERVER, resource=shop),
        _span(2, 1, start=10, end=90, kind=SpanKind.CLIENT, resource=shop),
        _span(2, 1, start=20, end=80, kind=SpanKind.SERVER, resource=pay),
        _span(3, 2, start=30, end=70, kind=SpanKind.CLIENT, resource=pay),
    ]
    trace = Trace(spans[::-1] if turned else spans)
    client = trace.get("0000000000000002")
    server = trace.get("8000000000000002")
    assert client is not None
    assert server is not None
    assert (client.kind, server.kind, server.parent_id) == (SpanKind.CLIENT, SpanKind.SERVER, client.span_id)
    assert trace.children(client) == (server,)
    assert [(span.name, span.parent_id) for span in trace.children(server)] == [("span 3", server.span_id)]
    assert (len(trace.spans), trace.problems) == (4, ())


def test_a_provisional_span_is_replaced_silently() -> None:
    """Also if it ends later than the final one."""
    spans = [_span(1, end=30, attributes={"lambda.provisional": True}), _span(1, end=10)]
    trace = Trace(spans)
    assert [span.end_ns for span in trace.spans] == [T0 + 10]
    assert trace.problems == ()


def test_of_provisional_spans_the_one_that_ends_later_counts() -> None:
    """A long invocation exports an open span several times."""
    trace = Trace([_span(1, end=end, attributes={"lambda.provisional": True}) for end in (20, 40, 30)])
    assert [span.end_ns for span in trace.spans] == [T0 + 40]
    assert trace.problems == ()


def test_a_cycle_is_cut_at_its_first_span_and_reported() -> None:
    """No span is lost: the cut span becomes a root."""
    trace = Trace([_span(1), _span(2, 4, start=3), _span(3, 2, start=4), _span(4, 3, start=5), _span(5, 5, start=6)])
    assert [span.name for span in trace.local_roots] == ["span 1", "span 2", "span 5"]
    assert trace.orphans == ()
    assert [problem.reason for problem in trace.problems] == [
        "span 0000000000000002 (span 2) is its own ancestor: cut there",
        "span 0000000000000005 (span 5) is its own ancestor: cut there",
    ]


def test_the_outermost_span_is_the_gateways_else_lambdas_else_the_handlers() -> None:
    """Without a layer, the next one is the root."""
    handler = node("POST /orders", 5, 90, kind=SpanKind.SERVER, scope="lambda_latency.runtime")
    function = node("CreateOrder", 4, 95, handler, attributes={"aws.xray.origin": "AWS::Lambda::Function"})
    service = node("CreateOrder", 3, 96, function, attributes={"aws.xray.origin": "AWS::Lambda"})
    stage = node("orders-api/dev", 0, 100, service, attributes={"aws.xray.origin": "AWS::ApiGateway::Stage"})
    layers = (stage, service, function, handler, node("job", 0, 3))
    assert [tree(layer).request_root.origin or tree(layer).request_root.name for layer in layers] == [
        "AWS::ApiGateway::Stage",
        "AWS::Lambda",
        "AWS::Lambda::Function",
        "POST /orders",
        "job",
    ]


def test_an_api_that_the_function_calls_is_not_the_outermost_span() -> None:
    """Its stage is below the function."""
    stage = node("other-api/dev", 30, 60, attributes={"aws.xray.origin": "AWS::ApiGateway::Stage"})
    call = node("GET", 20, 70, stage, kind=SpanKind.CLIENT)
    handler = node("POST /orders", 0, 90, call, kind=SpanKind.SERVER, scope="lambda_latency.runtime")
    assert tree(handler).request_root.name == "POST /orders"


def test_the_facts_of_a_request_come_from_its_handler_and_its_gateway() -> None:
    """Route and cold start are those of the handler; the status is that of the gateway, which the caller saw."""
    handler = node(
        "POST /orders",
        5,
        90,
        kind=SpanKind.SERVER,
        scope="lambda_latency.runtime",
        attributes={**CODE, "faas.coldstart": True},
    )
    stage = node(
        "orders-api/dev",
        0,
        100,
        handler,
        attributes={"aws.xray.origin": "AWS::ApiGateway::Stage", "http.response.status_code": 502},
    )
    trace = tree(stage)
    assert (trace.route, trace.status_code, trace.cold_start, trace.error, trace.timed_out) == (
        "POST /orders",
        502,
        True,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("name", "route"),
    [
        ("GET /users/676633/orders/5e6279dbe09edd5a?page=2", "GET /users/{id}/orders/{id}"),
        ("GET /products/66VCHSJNUP", "GET /products/{id}"),
        ("/a/3f2504e0-4f89-11d3-9a0c-0305e82c3301/b", "/a/{id}/b"),
        ("PUT /orders/order-12345/2026-11-28", "PUT /orders/{id}/{id}"),
        ("GET /charges/ch_1J2kL3mN4o", "GET /charges/{id}"),
        ("GET /api/v1/oauth2/x86_64/sha256/step-2", "GET /api/v1/oauth2/x86_64/sha256/step-2"),
        ("hipstershop.ProductCatalogService/GetProduct", "hipstershop.ProductCatalogService/GetProduct"),
        ("POST /orders/{id}/:item", "POST /orders/{id}/:item"),
        ("job 20261128", "job 20261128"),
    ],
)
def test_a_route_has_no_ids(name: str, route: str) -> None:
    """Requests with a path as their name, or as their `http.route`, are compared with those of other ids."""
    assert tree(node(name, 0, 1, kind=SpanKind.SERVER)).route == route
    method, _, path = name.rpartition(" ") if "/" in name else ("", "", name)
    attributes = {"http.request.method": method, "http.route": path}
    assert tree(node("x", 0, 1, kind=SpanKind.SERVER, attributes=attributes)).route == route


@pytest.mark.parametrize("kind", [SpanKind.SERVER, SpanKind.INTERNAL])
@pytest.mark.parametrize("written", ["/{proxy+}", "/*", None])
def test_a_framework_inside_a_handler_of_all_paths_names_the_route(kind: SpanKind, written: str | None) -> None:
    """The function has one route for all paths, or none: an instrumentation of its framework knows which one it was."""
    code = {"http.request.method": "GET"}
    view = node("cart", 3, 8, node("x", 4, 5, kind=SpanKind.CLIENT, attributes={**code, "http.route": "/other"}))
    items = node("items", 2, 9, view, kind=kind, attributes={**code, "http.route": "/items/{id}"})
    attributes = {**code, "http.route": written} if written is not None else code
    handler = node("GET", 0, 10, node("middleware", 1, 9, items), kind=SpanKind.SERVER, attributes=attributes)
    assert tree(handler).route == "GET /items/{id}"


def test_a_framework_of_another_service_does_not_name_the_route() -> None:
    """Nor does a service that is called, nor a framework inside a handler that has a route."""
    code, shop = {"http.request.method": "GET"}, {"service.name": "shop"}
    inner = node("GET", 3, 7, kind=SpanKind.SERVER, attributes={**code, "http.route": "/stock"}, resource=shop)
    call = node("GET", 2, 8, inner, kind=SpanKind.CLIENT, attributes={"peer.service": "shop"}, resource=shop)
    handler = node("GET /{proxy+}", 0, 10, call, kind=SpanKind.SERVER, attributes=code, resource=shop)
    assert tree(handler).route == "GET /{proxy+}"
    stock = node("GET", 3, 7, kind=SpanKind.SERVER, attributes={**code, "http.route": "/stock"})
    assert tree(replace(handler, children=(stock,))).route == "GET /{proxy+}"
    inside = replace(stock, resource=shop)
    routed = replace(handler, children=(inside,), attributes={**code, "http.route": "/orders"})
    assert tree(routed).route == "GET /orders"


def test_a_request_whose_handler_was_lost_still_has_a_route_and_a_timeout() -> None:
    """Lambda killed the handler at its deadline: gateway and function segment have the facts."""
    function = node(
        "CreateOrder", 5, 90, attributes={"aws.xray.origin": "AWS::Lambda::Function", "lambda.timeout": True}
    )
    stage = node("orders-api/dev", 0, 100, function, attributes={"aws.xray.origin": "AWS::ApiGateway::Stage", **CODE})
    trace = tree(stage)
    assert (trace.route, trace.timed_out, trace.handler) == ("POST /orders", True, None)


def test_a_rejected_request_is_no_error() -> None:
    """A 4xx is a valid response."""
    code = {**CODE, "http.response.status_code": 404}
    trace = tree(node("GET /orders/{id}", 0, 10, kind=SpanKind.SERVER, attributes=code))
    assert (trace.status_code, trace.error) == (404, False)


def test_an_exception_is_an_error() -> None:
    """The status ERROR of the handler's span counts without a status code."""
    assert tree(node("work", 0, 10, kind=SpanKind.SERVER, status=Status.ERROR)).error


def test_a_deep_trace_is_built_without_recursion() -> None:
    """20,000 nested spans."""
    spans = [_span(number, number - 1 or None, start=number, end=50_000 - number) for number in range(1, 20_001)]
    trace = Trace(spans)
    assert trace.request_root.name == "span 1"
    assert len(trace.spans) == 20_000


def test_the_builder_gives_ids_in_the_order_of_writing() -> None:
    """Other tests rely on it for ties."""
    assert [span.span_id[-1] for span in spans_of([node("a", 0, 1, node("b", 0, 1)), node("c", 0, 1)])] == [
        "1",
        "2",
        "3",
    ]
