"""What a sentence would hide stands beside it."""

from lambda_latency.latency import Breakdown, breakdown_of, report_of, trace_name
from lambda_latency.text import Style, render_report
from lambda_latency.text.cautions import cautions, failed_first
from lambda_latency.trace import Problem, SpanKind
from tests.latency.drawn_requests import PAYMENTS, TABLE, request
from tests.trace.build import MS, node, tree

STYLE = Style(unicode=False)
CONSUMERS = (("early", 13, 20), ("log", 30, 55), ("mail", 40, 900), ("stock", 20, 600), ("audit", 30, 50))


def _cautions(accounts: list[Breakdown], *problems: Problem) -> list[str]:
    return cautions(report_of(accounts, lambda _: {}, problems=problems), STYLE)


def _plain(count: int, ms: float = 50) -> list[Breakdown]:
    return [request(number, {TABLE: ms + number % 7}) for number in range(count)]


def test_an_ordinary_report_has_none() -> None:
    """Nothing is said of what is as it should be."""
    assert _cautions(_plain(100)) == []


def test_an_outlier_is_told_where_nothing_stands_out() -> None:
    """Twenty seconds are no "19 ms more"."""
    slow = request(900, {TABLE: 20_000})
    [caution] = _cautions([*_plain(400), slow])
    assert caution == (
        "The slowest took 20 s, 20 s of it DynamoDB PutItem orders: POST /orders "
        "(--trace 1-6b05a667-affeb9dbb0aa7f2b00000384); the median is 53 ms."
    )


def test_an_outlier_is_told_beside_a_clear_verdict_that_does_not_explain_it() -> None:
    """The verdict names one part, the slowest request waited for another; one that timed out hides nothing."""
    slow = [request(500 + number, {TABLE: 50, PAYMENTS: 400 + number}) for number in range(20)]
    report = [*_plain(380), *slow]
    assert _cautions([*report, request(900, {PAYMENTS: 20_000, TABLE: 50})]) == []
    late = request(901, {PAYMENTS: 30_000})._replace(timed_out=True)
    [caution] = _cautions([*report, request(900, {TABLE: 2_000}), late])
    assert caution.startswith("The slowest took 2,000 ms, 2,000 ms of it DynamoDB PutItem orders: POST /orders ")


def test_failing_requests_are_told() -> None:
    """From one in twenty on."""
    failing = [a._replace(error=True) for a in _plain(100)[:5]]
    assert _cautions([*_plain(100)[5:], *failing]) == [
        "5 of 100 requests of POST /orders failed (5 %) with status 201."
    ]
    assert _cautions([*_plain(100)[4:], *failing[:4]]) == []


def test_connections_that_stay_open_are_told() -> None:
    """A WebSocket's request lasts as long as its connection."""
    open_ones = [a._replace(status_code=101) for a in _plain(100)[:3]]
    [caution] = _cautions([*_plain(100)[3:], *open_ones])
    assert caution.startswith(
        "In 3 of 100 requests the connection was upgraded, as for WebSockets (status 101): the time is"
    )


def test_skipped_input_is_told() -> None:
    """What a report does not rest on."""
    assert _cautions(_plain(30), Problem("a.json", 3, "cut")) == [
        "Part of the input was skipped: 1 thing (--problems)."
    ]
    assert _cautions(_plain(30), Problem("a.json", 3, "odd", "counted")) == []


def test_clocks_and_lost_parents_are_told() -> None:
    """By the number of requests that they concern."""
    plain = _plain(30)
    flawed = [plain[0]._replace(flaws=3), plain[1]._replace(flaws=1), plain[2]._replace(flaws=28), *plain[3:]]
    assert _cautions(flawed) == [
        "In 2 of 30 requests the clocks of services differ and were corrected (clock-skew = keep leaves them).",
        "In 1 of 30 requests the span that called the others was not recorded: the time between them is unknown.",
        "In 1 of 30 requests spans are outside of the request, because their parent was not recorded.",
        "In 1 of 30 requests the request has no end: it is measured up to the last instant that its spans show.",
        "In 1 of 30 requests work went on after the request for longer than it took: that time is not counted.",
    ]


def test_times_in_a_wrong_unit_are_told() -> None:
    """Only if a smaller unit makes them times of this century: small numbers in a test are no mistake."""
    early = [a._replace(start_ns=a.start_ns // 1000) for a in _plain(30)]
    assert _cautions(early) == [
        "The times of 30 requests are in 1970: if their unit is wrong, durations are 1,000 times too short."
    ]
    assert _cautions([a._replace(start_ns=5000) for a in early]) == []


def test_a_request_that_is_the_only_one_of_its_route_is_compared_with_nothing() -> None:
    """Of five routes with one request each the slowest is told, with its parts, and nothing is "even"."""
    single = [request(number, {TABLE: 50 + 100 * number}, route=f"GET /{number}") for number in range(5)]
    report = report_of(single, lambda _: {})
    text = render_report(report, STYLE).replace("\n", " ")
    assert report.verdict.kind == "alone"
    assert text.startswith(
        "The slowest request is the only one of its route: GET /4 took 450 ms; it waited 450 ms for DynamoDB PutItem "
        "orders, 100 % of its time. For a verdict: 160 requests or more of few routes."
    )
    two = [request(901, {TABLE: 900}, route="GET /once"), request(902, {TABLE: 800}, route="GET /other")]
    [caution] = _cautions([*_plain(100), *two])
    assert caution == (
        "Not compared, because each is the only request of its route: GET /other took 800 ms, 800 ms of it DynamoDB "
        "PutItem orders (--trace 1-6b05a667-affeb9dbb0aa7f2b00000386)."
    )


def test_cautions_stand_in_the_text() -> None:
    """Below the verdict, before what one can do."""
    report = report_of(_plain(30), lambda _: {}, problems=[Problem("a.json", 3, "cut")])
    assert "Part of the input was skipped" in render_report(report, STYLE)


def test_an_id_is_printed_as_its_source_has_it() -> None:
    """X-Ray's, which begins with the second of its start, in X-Ray's form; one of 64 bits without zeros."""
    start_ns = 1_795_560_000 * 10**9
    assert trace_name("6b05a667affeb9dbb0aa7f2b00000001", start_ns) == "1-6b05a667-affeb9dbb0aa7f2b00000001"
    assert trace_name("4bf92f3577b34da6a3ce929d0e0e4736", start_ns) == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert trace_name("0000000000000000a3ce929d0e0e4736", start_ns) == "a3ce929d0e0e4736"
    assert trace_name("0000000000000000a3ce929d0e0e4736", 0) == "a3ce929d0e0e4736"  # times that begin with 1970


def test_consumers_of_the_only_request_are_told_with_their_times() -> None:
    """The last one first; one that ended before the response is none of them."""
    late = [node(f"{name} process", start, end, kind=SpanKind.CONSUMER) for name, start, end in CONSUMERS]
    sent = node("send", 10, 12, *late, kind=SpanKind.PRODUCER)
    trace = tree(node("GET /", 0, 40, sent, kind=SpanKind.SERVER), unit=MS)
    report = report_of([breakdown_of(trace)], lambda _: {trace.trace_id: trace})
    [caution] = cautions(report, STYLE)
    assert caution == (
        "Consumers of its messages worked until 900 ms after its start: mail process 860 ms, stock process 580 ms, "
        "log process 25 ms, 1 more (--follow-links judges the whole flow)."
    )


def test_a_failed_card_counts_its_requests_and_names_the_call() -> None:
    """All of them, most of them, and those of several statuses."""
    plain = [request(number, {TABLE: 50})._replace(error=True, status_code=500) for number in range(30)]
    report = report_of(plain, lambda _: {})
    assert "".join(piece.text for piece in failed_first(report, STYLE)) == (
        "All 30 requests of POST /orders failed with status 500."
    )
    mixed = [a._replace(status_code=502, route="GET /") if index < 10 else a for index, a in enumerate(plain)]
    report = report_of([*mixed, *_plain(40)[30:]], lambda _: {})
    assert "".join(piece.text for piece in failed_first(report, STYLE)) == (
        "30 of 40 requests failed (75 %): 20 of them POST /orders with status 500."
    )
