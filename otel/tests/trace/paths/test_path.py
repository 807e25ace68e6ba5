"""The critical path: a test for each rule, and random trees compared with an obvious walk."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from lambda_latency.latency import breakdown_of
from lambda_latency.trace import Link, Span, SpanKind, Trace, critical_path, join_traces, traces_of
from tests.draws import draws
from tests.trace.build import MS, T0, TRACE_ID, Node, node, spans_of, tree
from tests.trace.trees import reference_sections, trees

FUNCTION: Mapping[str, object] = {"aws.xray.origin": "AWS::Lambda::Function"}
SERVICE: Mapping[str, object] = {"aws.xray.origin": "AWS::Lambda"}


def _path(*roots: Node) -> str:
    """The sections of a trace, such as `a 0-20, b 20-50`."""
    return ", ".join(
        f"{section.span.name} {section.start_ns - T0}-{section.end_ns - T0}"
        for section in critical_path(tree(*roots)).sections
    )


def test_time_without_a_child_is_the_parents() -> None:
    """Before, between and after its children."""
    assert (
        _path(node("a", 0, 100, node("b", 20, 50), node("c", 60, 90))) == "a 0-20, b 20-50, a 50-60, c 60-90, a 90-100"
    )


def test_children_back_to_back_are_both_on_the_path() -> None:
    """One ends at the instant at which the next begins."""
    assert _path(node("a", 0, 100, node("b", 0, 50), node("c", 50, 100))) == "b 0-50, c 50-100"


def test_an_overlap_of_one_nanosecond_moves_one_nanosecond() -> None:
    """The earlier call is cut, not dropped."""
    assert _path(node("a", 0, 100, node("b", 0, 51), node("c", 50, 100))) == "b 0-50, c 50-100"


def test_of_children_with_one_end_the_first_to_start_owns_the_time() -> None:
    """The ids do not matter."""
    assert _path(node("a", 0, 100, node("b", 40, 90), node("c", 20, 90))) == "a 0-20, c 20-90, a 90-100"


def test_of_children_with_one_interval_the_smaller_id_owns_the_time() -> None:
    """The order of files does not matter."""
    assert _path(node("a", 0, 100, node("b", 20, 90), node("c", 20, 90))) == "a 0-20, b 20-90, a 90-100"


def test_intervals_are_compared_after_cutting() -> None:
    """Both exceed their parent; cut to it, they are equal."""
    assert _path(node("a", 0, 100, node("b", -5, 120), node("c", -9, 140))) == "b 0-100"


def test_a_child_longer_than_its_parent_counts_inside_it_only() -> None:
    """A skewed clock takes no time from other spans."""
    assert _path(node("a", 0, 100, node("b", 20, 60, node("c", 10, 80)))) == "a 0-20, c 20-60, a 60-100"


def test_a_child_that_outlives_its_parent_never_extends_the_wall_clock() -> None:
    """Asynchronous work is off the path after its parent's end."""
    assert _path(node("a", 0, 100, node("b", 20, 60, node("c", 50, 300)))) == "a 0-20, b 20-50, c 50-60, a 60-100"


def test_a_consumer_under_a_producer_is_off_the_path() -> None:
    """A producer does not wait for its consumers, even during its own time."""
    producer = node("send", 10, 20, node("work", 15, 90, kind=SpanKind.CONSUMER), kind=SpanKind.PRODUCER)
    assert _path(node("a", 0, 100, producer)) == "a 0-10, send 10-20, a 20-100"


def test_a_span_of_zero_length_has_no_share_and_hides_no_other() -> None:
    """Neither at an edge nor in the middle."""
    inside = (node("b", 20, 60), node("c", 60, 60), node("d", 40, 40), node("e", 100, 100))
    assert _path(node("a", 0, 100, *inside)) == "a 0-20, b 20-60, a 60-100"


def test_a_root_of_zero_length_has_no_sections() -> None:
    """Its wall clock is 0."""
    trace = tree(node("a", 50, 50, node("b", 20, 60)))
    assert (critical_path(trace).sections, critical_path(trace).wall_ns) == ((), 0)


def test_an_orphan_leaves_the_wall_clock_of_the_request_unchanged() -> None:
    """An orphan is a root of its own."""
    spans = [*tree(node("a", 0, 100)).spans]
    orphan = Span(trace_id=TRACE_ID, span_id="f" * 16, parent_id="e" * 16, parent_remote=False, name="o", start_ns=T0)
    assert critical_path(Trace([*spans, orphan])).wall_ns == 100


def test_a_cycle_takes_no_time() -> None:
    """It is not below the request."""
    ring = [
        Span(trace_id=TRACE_ID, span_id=child * 16, parent_id=parent * 16, name=child, start_ns=T0, end_ns=T0 + 500)
        for child, parent in (("e", "f"), ("f", "e"))
    ]
    path = critical_path(Trace([*tree(node("a", 0, 100)).spans, *ring]))
    assert [(section.span.name, section.ns) for section in path.sections] == [("a", 100)]


def test_an_open_span_ends_with_its_parent() -> None:
    """Not now, and not in 1970."""
    assert _path(node("a", 0, 100, node("b", 20, 60, node("c", 30, None)))) == "a 0-20, b 20-30, c 30-60, a 60-100"


def test_an_open_root_ends_with_the_last_known_instant() -> None:
    """Its own end was not recorded; spans below are cut as usual."""
    assert _path(node("a", 0, None, node("b", 20, 60, node("c", 30, 70)))) == "a 0-20, b 20-30, c 30-60, a 60-70"


def test_initialization_before_its_function_segment_counts_once_inside_the_service() -> None:
    """It is a child of the function segment, but ends before the segment begins."""
    init = node("Initialization", 10, 40)
    function = node("f", 42, 90, init, node("Invocation", 43, 89), attributes=FUNCTION)
    assert _path(node("s", 0, 100, function, attributes=SERVICE)) == (
        "s 0-10, Initialization 10-40, s 40-42, f 42-43, Invocation 43-89, f 89-90, s 90-100"
    )


def test_the_kits_init_is_counted_inside_initialization() -> None:
    """It is cut to Initialization and counted once."""
    handler = node(
        "h",
        44,
        88,
        node("init", 15, 43, scope="lambda_latency.runtime"),
        kind=SpanKind.SERVER,
        scope="lambda_latency.runtime",
    )
    function = node(
        "f", 42, 90, node("Initialization", 10, 40), node("Invocation", 43, 89, handler), attributes=FUNCTION
    )
    assert _path(node("s", 0, 100, function, attributes=SERVICE)) == (
        "s 0-10, Initialization 10-15, init 15-40, s 40-42, f 42-43, Invocation 43-44, h 44-88, Invocation 88-89, "
        "f 89-90, s 90-100"
    )


def test_the_kits_init_alone_starts_the_wall_clock() -> None:
    """The time between the end of the import and the first call belongs to the init."""
    init = node("init", 0, 300, node("import boto3", 100, 250), scope="lambda_latency.runtime")
    handler = node("h", 310, 400, init, node("b", 320, 390), kind=SpanKind.SERVER, scope="lambda_latency.runtime")
    path = critical_path(tree(handler))
    assert path.wall_ns == 400
    assert _path(handler) == "init 0-100, import boto3 100-250, init 250-310, h 310-320, b 320-390, h 390-400"


def test_an_init_that_overlaps_the_handler_is_not_counted_twice() -> None:
    """The handler's own time begins with the handler."""
    init = node("init", 0, 30, scope="lambda_latency.runtime")
    assert (
        _path(node("h", 20, 100, init, kind=SpanKind.SERVER, scope="lambda_latency.runtime")) == "init 0-20, h 20-100"
    )


def test_the_init_of_an_idle_environment_is_not_part_of_the_request() -> None:
    """Provisioned concurrency starts long before the first request."""
    init = node("init", 0, 30, scope="lambda_latency.runtime")
    handler = node("h", 5e9, 5e9 + 100, init, kind=SpanKind.SERVER, scope="lambda_latency.runtime")
    assert critical_path(tree(handler)).wall_ns == 100


def test_a_handler_recorded_beside_the_invocation_is_moved_into_it() -> None:
    """Otherwise Invocation, which ends later, would hide the work of the handler."""
    function = node("f", 0, 100, node("Invocation", 1, 99), node("h", 2, 98, kind=SpanKind.SERVER), attributes=FUNCTION)
    assert _path(function) == "f 0-1, Invocation 1-2, h 2-98, Invocation 98-99, f 99-100"


def test_overhead_after_the_response_does_not_extend_the_wall_clock() -> None:
    """The function segment and Overhead may outlive the service's span."""
    function = node("f", 10, 130, node("Invocation", 10, 90), node("Overhead", 90, 130), attributes=FUNCTION)
    assert _path(node("s", 0, 100, function, attributes=SERVICE)) == "s 0-10, Invocation 10-90, Overhead 90-100"


def test_a_deep_trace_is_walked_without_recursion() -> None:
    """20,000 nested spans, each a nanosecond shorter on both sides."""
    spans = [
        Span(
            trace_id=TRACE_ID,
            span_id=f"{number:016x}",
            parent_id=f"{number - 1:016x}" if number > 1 else None,
            name="s",
            start_ns=T0 + number,
            end_ns=T0 + 50_001 - number,
        )
        for number in range(1, 20_001)
    ]
    path = critical_path(Trace(spans))
    assert sum(section.ns for section in path.sections) == path.wall_ns == 49_999


@settings(max_examples=draws(2_000), deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees())
def test_sections_are_disjoint_without_gaps_and_equal_the_obvious_walk(spans: list[Span]) -> None:
    """They add up to the wall clock to the nanosecond, as do the parts of the request's account."""
    trace = Trace(spans)
    path = critical_path(trace)
    end_ns = path.start_ns
    for section in path.sections:
        assert (section.start_ns, section.ns > 0) == (end_ns, True)
        end_ns = section.end_ns
    assert end_ns == path.end_ns
    sections = [(section.span.span_id, section.start_ns, section.end_ns) for section in path.sections]
    assert sections == reference_sections(trace)
    assert sum(ns for _, ns in breakdown_of(trace).components) == path.wall_ns


OTHER = "6b05a667affeb9dbb0aa7f2b00000002"


def _two() -> list[Span]:
    """An order that sends a message until 30 ms, and the consumer's trace, from 90 to 140 ms."""
    sent = node(
        "send",
        20,
        30,
        kind=SpanKind.PRODUCER,
        resource={"service.name": "shop"},
        attributes={"messaging.destination.name": "orders"},
    )
    sender = spans_of(
        [node("POST /orders", 0, 40, sent, kind=SpanKind.SERVER, resource={"service.name": "shop"})], unit=MS
    )
    work = node("orders process", 90, 140, kind=SpanKind.CONSUMER, resource={"service.name": "worker"})
    [consumer] = spans_of([work], unit=MS, trace_id=OTHER, first=100)
    return [*sender, replace(consumer, links=(Link(sender[1].trace_id, sender[1].span_id),))]


def test_a_linked_trace_and_the_wait_are_part_of_the_request() -> None:
    """The time from the sender's end to the consumer's start is the queue's; the route stays the request's."""
    [trace] = traces_of(join_traces(_two()))
    breakdown = breakdown_of(trace)
    assert (breakdown.route, breakdown.wall_ns) == ("POST /orders", 140 * MS)
    assert {part.label: ns // MS for part, ns in breakdown.components} == {
        "queue orders": 60,
        "worker: own code": 50,
        "shop: own code": 20,
        "unknown callee": 10,
    }


def test_without_links_nothing_is_joined() -> None:
    """The same applies to a link to an unknown span."""
    spans = [replace(span, links=(Link("f" * 32, "e" * 16),) if span.links else ()) for span in _two()]
    assert list(join_traces(spans)) == spans
