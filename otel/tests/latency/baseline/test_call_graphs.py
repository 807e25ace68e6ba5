"""Shapes: calls that are gone, new or many more than in the baseline are named with their counts."""

import random
from collections.abc import Callable

import pytest

from lambda_latency.latency import Against, Analyzer, Breakdowns, against, report_of
from lambda_latency.latency.baseline.call_graphs import HANDLER
from lambda_latency.text import cards
from lambda_latency.text.against import against_sentence
from lambda_latency.text.group_values import against_values
from lambda_latency.text.prose import flat
from lambda_latency.text.style import Style
from lambda_latency.trace import SpanKind, Trace, Tree
from lambda_latency.trace.model.compact_span import compact_spans_of
from tests.trace.build import MS, Node, node, tree

CLIENT, SERVER = SpanKind.CLIENT, SpanKind.SERVER


def _service(name: str, route: str, start: float, end: float, *below: Node) -> Node:
    return node(route, start, end, *below, kind=SERVER, resource={"service.name": name})


def _call(name: str, start: float, end: float, *below: Node, **attributes: str) -> Node:
    dotted = {key.replace("_", "."): value for key, value in attributes.items()}
    return node("call", start, end, *below, kind=CLIENT, resource={"service.name": name}, attributes=dotted)


def _place_order(draw: random.Random, *, ships: float = 1, notes: float = 1) -> Trace:
    """An order of `shop`, for which `checkout` ships with probability `ships`, and notifies with `notes`."""
    start, below = 5.0, []
    for callee, probability in (("cart", 1), ("shipping", ships), ("email", notes)):
        if draw.random() < probability:
            took = 10 + 2 * draw.random()
            below.append(_call("checkout", start, start + took, _service(callee, "Do", start + 1, start + took - 1)))
        start += 14
    checkout = _service("checkout", "PlaceOrder", 3, 57, *below)
    return tree(_service("shop", "POST /orders", 0, 60, _call("shop", 2, 58, checkout)), unit=MS)


def _cart(draw: random.Random, *, selects: int = 1) -> Trace:
    """A cart whose rows are read by a number of calls, each of which takes a millisecond."""
    took = 1 + 0.1 * draw.random()
    below = [
        _call("shop", 2 + index * 1.2, 2 + index * 1.2 + took, db_system="postgresql", db_name="carts")
        for index in range(selects)
    ]
    return tree(_service("shop", "GET /cart", 0, 5 + selects * 1.2, *below), unit=MS)


def _run(trace_of: Callable[[random.Random], Trace], seed: int, count: int = 100) -> Breakdowns:
    draw, accounts = random.Random(seed), Breakdowns()  # noqa: S311 - a repeatable seed
    judge = Analyzer(accounts)
    for number in range(count):
        judge.add_tree(f"{number + 1:032x}", Tree(compact_spans_of(trace_of(draw).spans)))
    accounts.starts_ns = type(accounts.starts_ns)(
        "q", [start + second * 10**9 for second, start in enumerate(accounts.starts_ns)]
    )
    return accounts


def _said(diff: Against) -> str:
    return flat(against_sentence(diff, Style(unicode=False)))


def test_a_call_that_is_gone_is_told_with_its_shares() -> None:
    """The operation that calls others is the cause: an early return or an exception in it."""
    diff = against(_run(lambda draw: _place_order(draw, ships=0.05), 1), _run(_place_order, 2))
    assert diff.answer == "shape"
    assert diff.causes[0]._replace(edges=()) == ("checkout", "shape", 0.0, (), True)
    op = diff.call_graphs.operations[0]
    assert (op.service, op.operation, op.requests, op.new) == ("checkout", "PlaceOrder", (100, 100), ())
    [(callee, then, current)] = op.gone
    assert (callee, then) == ("shipping call", 1.0)
    assert _said(diff).startswith(
        "Other calls than the baseline (100 requests then, 100 now): PlaceOrder of checkout no longer calls shipping "
        f"call (100 % then, {100 * current:.0f} % now). An early return or an exception would do this. "
        "The cause is internal."
    )


def test_a_new_call_is_told() -> None:
    """Of a service that the baseline did not call."""
    diff = against(_run(_place_order, 1), _run(lambda draw: _place_order(draw, notes=0), 2))
    assert (diff.answer, diff.causes[0].service) == ("shape", "checkout")
    assert diff.call_graphs.operations[0].new == (("email call", 0.0, 1.0),)
    assert "PlaceOrder of checkout now calls email call (0 % then, 100 % now). The cause is internal." in _said(diff)


def test_sixty_calls_in_place_of_one_are_told_with_the_count() -> None:
    """Each call takes as long as before: the calls are the cause, and not the database."""
    diff = against(_run(lambda draw: _cart(draw, selects=60), 1), _run(_cart, 2))
    assert (diff.answer, diff.causes[0].service, diff.causes[0].origin) == ("slower", "shop", "shape")
    assert diff.decision.edge is not None
    assert diff.decision.edge.label == "postgresql carts (called by shop)"  # the gate's sentence names it, too
    assert (
        "a request of GET /cart makes 60 calls instead of 1: postgresql carts (called by shop). The cause is internal."
        in _said(diff)
    )
    values = against_values(diff)["shapes"]["calls"][0]  # type: ignore[index]
    assert {key: values[key] for key in ("kind", "route", "bucket", "then", "now")} == {
        "kind": "more",
        "route": "GET /cart",
        "bucket": "database",
        "then": {"mean": 1.0, "median": 1},
        "now": {"mean": 60.0, "median": 60},
    }
    back = against(_run(_cart, 1), _run(lambda draw: _cart(draw, selects=60), 2))
    assert [call.kind for call in back.call_graphs.calls] == ["fewer"]


@pytest.mark.parametrize(
    ("current", "then", "said", "step"),
    [
        (
            lambda draw: _cart(draw, selects=60),
            _cart,
            "makes 60 calls instead of 1: postgresql carts (called by shop)",
            "Make fewer calls to postgresql carts: ",
        ),
        (
            lambda draw: _place_order(draw, ships=0),
            _place_order,
            "PlaceOrder of checkout no longer calls shipping call (100 % then, 0 % now)",
            "Find out why PlaceOrder of checkout returns before the call: ",
        ),
        (
            _place_order,
            lambda draw: _place_order(draw, notes=0),
            "PlaceOrder of checkout now calls email call (0 % then, 100 % now)",
            "Find out whether requests need the new call to email",
        ),
        (
            _place_order,
            lambda draw: _place_order(draw, notes=0.5),
            "PlaceOrder of checkout more often calls email call (",
            "Make fewer calls to email call: ",
        ),
    ],
)
def test_the_next_step_is_about_the_calls(
    current: Callable[[random.Random], Trace], then: Callable[[random.Random], Trace], said: str, step: str
) -> None:
    """No profile of a service that only calls more, or less."""
    accounts, baseline = _run(current, 1), _run(then, 2)
    report = report_of(accounts, lambda _: {}, against=against(accounts, baseline), baseline=baseline)
    card = cards(report, Style())[0]
    assert said in flat(card.sentence)
    assert card.steps[0].startswith(step)


@pytest.mark.parametrize("seed", range(10))
def test_equal_runs_have_equal_shapes(seed: int) -> None:
    """Calls that come in some requests only are no change."""

    def draws(draw: random.Random) -> Trace:
        return _place_order(draw, ships=0.6, notes=0.4)

    diff = against(_run(draws, 2 * seed), _run(draws, 2 * seed + 1))
    assert (diff.call_graphs.operations, diff.call_graphs.calls) == ((), ())


def _trip(draw: random.Random, *, errors: float = 0, prices: int = 3) -> Trace:
    """A trip of `travel`, which asks `route` and then `price` for each leg; with errors it answers by its handler."""
    if draw.random() < errors:
        handler = node("TravelErrorController.error", 4, 6, resource={"service.name": "travel"})
        travel = _service("travel", "GET /trips", 3, 7, handler)
        return tree(_service("shop", "GET /trips", 0, 10, _call("shop", 2, 8, travel)), unit=MS)
    below = [_call("travel", 4, 9, _service("route", "Find", 5, 8))]
    for leg in range(prices):
        start = 10 + 5 * leg + draw.random()
        below.append(_call("travel", start, start + 4, _service("price", "Ask", start + 1, start + 3)))
    travel = _service("travel", "GET /trips", 3, 45, *below)
    return tree(_service("shop", "GET /trips", 0, 50, _call("shop", 2, 48, travel)), unit=MS)


def test_errors_of_the_baseline_are_told_and_no_changed_calls() -> None:
    """An error handler is an outcome: what is called now was called by the few requests without an error, too."""
    diff = against(_run(_trip, 1), _run(lambda draw: _trip(draw, errors=0.6), 2))
    assert (diff.call_graphs.operations, diff.call_graphs.calls) == ((), ())
    assert not any(cause.asserted and cause.origin == "shape" for cause in diff.causes)
    [outcome] = diff.call_graphs.outcomes
    assert outcome[:3] == ("travel", "GET /trips", "TravelErrorController.error")
    assert (
        "The baseline is broken: 61 % of the requests of GET /trips of travel ended in "
        "TravelErrorController.error then, 0 % do now." in _said(diff)
    )


def test_more_errors_are_told_and_no_early_return() -> None:
    """The calls that are gone are gone because of the errors."""
    diff = against(_run(lambda draw: _trip(draw, errors=0.5), 1), _run(_trip, 2))
    assert (diff.call_graphs.operations, diff.call_graphs.calls) == ((), ())
    assert "An early return" not in _said(diff)
    assert (
        "More errors: 51 % of the requests of GET /trips of travel end in TravelErrorController.error, 0 % did "
        "then." in _said(diff)
    )


def test_a_service_that_is_called_less_often_is_the_cause() -> None:
    """It has answered something else, or its caller would not call it at all."""
    current, baseline = _run(lambda draw: _trip(draw, prices=1), 1), _run(_trip, 2)
    diff = against(current, baseline)
    assert [(call.kind, call.edge.caller, call.edge.component.name) for call in diff.call_graphs.calls] == [
        ("fewer", "travel", "price")
    ]
    assert (diff.answer, diff.causes[0].service, diff.causes[0].asserted) == ("shape", "price", True)
    assert _said(diff) == (
        "Other calls than the baseline (100 requests then, 100 now): a request of GET /trips makes 1 call instead of "
        "3: network to price (called by travel). price is called less often: what it answers may have changed. The "
        "cause is internal."
    )
    report = report_of(current, lambda _: {}, against=diff, baseline=baseline)
    assert cards(report, Style())[0].steps[0].startswith("Find out what price answers now, ")


@pytest.mark.parametrize(
    ("name", "is_handler"),
    [
        ("travel BasicErrorController.error", True),
        ("shop handle_exception", True),
        ("shop ERROR", True),
        ("shop onFaults", True),
        ("shop default", False),
        ("shop terror", False),
        ("shop Faultless", False),
        ("shop GET /mirrors", False),
    ],
)
def test_an_error_handler_is_known_by_a_word_of_its_name(name: str, is_handler: bool) -> None:
    """Of names in camel case too; a word that only contains it is another one."""
    assert bool(HANDLER.search(name)) is is_handler


def test_another_mix_of_routes_is_no_other_shape() -> None:
    """An operation that two routes call is compared route by route."""

    def mixed(share: float) -> Callable[[random.Random], Trace]:
        def draw_trace(draw: random.Random) -> Trace:
            is_order = draw.random() < share
            calls = ("cart", "shipping") if is_order else ("email",)
            below = [
                _call("checkout", 5 + 15 * rank, 17 + 15 * rank, _service(name, "Do", 6 + 15 * rank, 16 + 15 * rank))
                for rank, name in enumerate(calls)
            ]
            inner = _call("shop", 2, 58, _service("checkout", "Do", 3, 57, *below))
            return tree(_service("shop", "GET /a" if is_order else "GET /b", 0, 60, inner), unit=MS)

        return draw_trace

    diff = against(_run(mixed(0.8), 1, 200), _run(mixed(0.2), 2, 200))
    assert (diff.call_graphs.operations, diff.call_graphs.calls) == ((), ())


def test_requests_of_one_user_that_come_together_are_no_other_shape() -> None:
    """What comes in runs counts for less than what comes independently."""

    def runs(seed: int) -> Breakdowns:
        draw, state = random.Random(seed), [1.0]  # noqa: S311

        def one(_: random.Random) -> Trace:
            if draw.random() < 0.04:
                state[0] = 1 - state[0]
            return _place_order(draw, ships=state[0], notes=1)

        return _run(one, seed, 200)

    for seed in range(10):
        assert against(runs(2 * seed), runs(2 * seed + 1)).call_graphs.operations == ()


def test_accounts_without_spans_have_no_shapes() -> None:
    """As those of an older archive."""
    plain = [breakdown._replace(outline=()) for breakdown in _run(_place_order, 1)]
    diff = against(Breakdowns(plain), _run(lambda draw: _place_order(draw, ships=0), 2))
    assert diff.call_graphs.operations == ()


def test_an_outline_survives_columns() -> None:
    """Appended, taken and extended: an account has the operations of its request."""
    [order] = _run(_place_order, 1, 1)
    assert {op.name: op.callees for op in order.outline if op.service in ("shop", "checkout")} == {
        "POST /orders": ("checkout call",),
        "checkout call": ("checkout PlaceOrder",),
        "PlaceOrder": ("cart call", "email call", "shipping call"),
        "cart call": ("cart Do",),
        "email call": ("email Do",),
        "shipping call": ("shipping Do",),
    }
    accounts = Breakdowns([order])
    accounts.extend(_run(_cart, 1, 2))
    assert [a.outline for a in accounts] == [order.outline, *(a.outline for a in _run(_cart, 1, 2))]
    assert accounts.take([2, 0])[1].outline == order.outline


def test_spans_whose_names_end_with_an_id_are_one_operation() -> None:
    """Else each of them would be an operation of its own, and none could be compared."""

    def named(number: int) -> Trace:
        work = node(f"job {number:032x}", 2, 8, node("step2", 3, 5, resource={"service.name": "shop"}),
                    resource={"service.name": "shop"})  # fmt: skip
        return tree(_service("shop", f"GET /items/{number:016x}", 0, 10, work), unit=MS)

    accounts = Breakdowns()
    judge = Analyzer(accounts)
    for number in range(20):
        trace = named(10**30 + number * 10**7)
        judge.add_tree(f"{number + 1:032x}", Tree(compact_spans_of(trace.spans)))
    [outline] = [outline for outline in accounts.outlines if outline]
    assert [(outline.name, outline.callees) for outline in outline] == [
        ("GET /items/", ("job ",)),
        ("job ", ("step2",)),
        ("step2", ()),
    ]


def test_a_name_that_ends_with_a_number_is_no_id_whatever_was_read_before() -> None:
    """`step 5` is an operation of its own, also after `step 0123456789abcdef`."""

    def outline(*names: str) -> list[str]:
        accounts = Breakdowns()
        judge = Analyzer(accounts)
        for number, name in enumerate(names):
            work = node(name, 2, 8, resource={"service.name": "shop"})
            trace = tree(_service("shop", "GET /a", 0, 10, work), unit=MS)
            judge.add_tree(f"{number + 1:032x}", Tree(compact_spans_of(trace.spans)))
        return [operation.name for operation in list(accounts)[-1].outline]

    assert outline("step 0123456789abcdef", "step 5") == outline("step 5") == ["GET /a", "step 5"]
