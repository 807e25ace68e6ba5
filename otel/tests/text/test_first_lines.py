"""The first sentence of a report: route and share, part, time, which requests, since when, and whose the part is."""

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import accumulate

import pytest

from lambda_latency.latency import Breakdowns, Component, Edge, Owners, Report, Value, breakdown_of, report_of
from lambda_latency.text import Style, flat, render_report, sentence
from lambda_latency.text.cause_groups import owned
from lambda_latency.text.correlation import value_text
from lambda_latency.text.words import owner
from lambda_latency.trace import Span, SpanKind, Trace
from tests.trace.build import MS, Node, later, node, tree

STYLE = Style(width=100, unicode=False, thin=False)
GAP_MS = 250


def _query(begin: float, ms: float) -> Node:
    attributes = {"db.system": "postgresql", "db.name": "ledger"}
    return node("SELECT", begin, begin + ms, kind=SpanKind.CLIENT, attributes=attributes, resource=_resource())


def _resource(version: str = "1") -> Mapping[str, object]:
    return {"service.name": "edge", "service.version": version}


def _requests(query_ms: Callable[[int], list[float]], *, tenant: str = "", since: int = 1_000) -> Report:
    """800 requests of two routes; those of POST /bid wait for queries, and from `since` on are of another version."""
    traces: dict[str, Trace] = {}
    for number in range(800):
        method, route = ("POST", "/bid") if number % 4 == 1 else ("GET", "/list")
        times_ms = query_ms(number) if route == "/bid" else []
        *begins, end = accumulate(times_ms, initial=2.0)
        queries = list(map(_query, begins, times_ms))
        attributes = {"http.request.method": method, "http.route": route}
        if end > 200 and tenant:
            attributes["tenant.id"] = tenant
        resource = _resource("2" if number >= since else "1")
        root = node(
            route, 0, end + 9 + number % 3, *queries, kind=SpanKind.SERVER, attributes=attributes, resource=resource
        )
        trace = later(tree(root, unit=MS, trace_id=f"{number + 1:032x}"), number * GAP_MS)
        traces[trace.trace_id] = trace

    def spans(ids: Collection[str]) -> Iterator[Span]:
        return (span for trace_id in ids for span in traces[trace_id].spans)

    accounts = Breakdowns(map(breakdown_of, traces.values()))
    return report_of(accounts, lambda ids: {key: traces[key] for key in ids}, spans=spans)


def test_it_has_the_route_its_share_and_which_requests() -> None:
    """Of one's own database nobody is blamed."""
    report = _requests(lambda number: [690.0 if number % 20 == 1 else 12.0 + number % 5], tenant="acme")
    assert flat(sentence(report, STYLE)) == (
        "40 of 200 requests of POST /bid (20 %) wait for postgresql ledger (called by edge): 676 ms more than a "
        "typical one, all with tenant.id = acme, 100 % of the excess."
    )


def test_it_says_since_when() -> None:
    """The version that began then has a line of its own."""
    report = _requests(lambda number: [690.0 if number >= 600 and number % 20 == 1 else 12.0 + number % 5], since=600)
    assert flat(sentence(report, STYLE)) == (
        "10 of 200 requests of POST /bid (5 %) wait for postgresql ledger (called by edge): 676 ms more than a typical "
        "one, since 2026-11-24T22:42:30Z, 100 % of the excess."
    )


def test_more_calls_are_the_cause_only_if_they_take_the_time() -> None:
    """Nine queries of 20 ms in place of one; but not nine of 200 ms each, which are another kind of request."""
    said = []
    for slow_ms in (20.0, 200.0):
        report = _requests(lambda number, ms=slow_ms: [ms] * 9 if number % 20 == 1 else [20.0 + number % 5])  # type: ignore[misc]
        text = " ".join(render_report(report, STYLE).split())
        said.append((", in 9 calls instead of 1" in text, "Next: Make fewer calls" in text))
    assert said == [(True, True), (False, False)]


@pytest.mark.parametrize(
    ("component", "said", "column"),
    [
        (Component("own code", "edge"), "", "internal"),
        (Component("network", "edge"), "", "internal"),
        (Component("retries", "DynamoDB bids"), " The cause is internal.", "internal"),
        (Component("aws", "DynamoDB PutItem bids"), " The cause is internal (AWS).", "AWS"),
        (Component("database", "postgresql ledger"), "", "managed"),
        (Component("messaging", "kafka bids"), "", "managed"),
        (Component("external", "api.example.com"), " The cause is external.", "external"),
        (Component("external", "dynamodb.eu-west-1.amazonaws.com"), " The cause is internal (AWS).", "AWS"),
        (Component("external", "amazonaws.com.example.com"), " The cause is external.", "external"),
        (Component("network", "partner", "theirs"), " The cause is external.", "external"),
    ],
)
def test_the_owner_is_told_where_the_name_does_not_tell_it(component: Component, said: str, column: str) -> None:
    """What an app uses in its own account is not external."""
    assert (flat(owned(component, STYLE)), owner(component)) == (said, column)


def test_what_the_user_calls_external_is_external() -> None:
    """Also a database."""
    component = Owners(theirs=("postgresql*",)).owned(Component("database", "postgresql ledger"))
    assert (flat(owned(component, STYLE)), owner(component), component.owner) == (
        " The cause is external.",
        "external",
        "theirs",
    )


def test_a_cell_is_named_by_its_callee_first() -> None:
    """The caller is innocent."""
    assert Edge("frontend", Component("network", "currency")).label == "network to currency (called by frontend)"
    assert Edge("frontend", Component("own code", "frontend")).label == "frontend: own code"


@pytest.mark.parametrize(
    ("attribute", "text", "shown"),
    [
        ("faas.max_memory", "536870912", "faas.max_memory = 512 MB"),
        ("faas.max_memory", "536870913", "faas.max_memory = 536870913"),
        ("user.id", "536870912", "user.id = 536870912"),
    ],
)
def test_a_size_is_told_in_megabytes(attribute: str, text: str, shown: str) -> None:
    """If it is a whole number of them."""
    assert value_text(Value("", attribute, text), STYLE) == shown
