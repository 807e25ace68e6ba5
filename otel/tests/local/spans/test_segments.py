"""The platform's spans of an invocation, and the tracing header."""

import re
import time

import pytest

from lambda_latency.local.spans.segments import SCOPE, InvocationTimes, TracingHeader, function_segments, new_trace_id
from lambda_latency.trace import Span, SpanKind, Status

TRACE = "6b05a667affeb9dbb0aa7f2b5d5ab5f9"
ROOT = "1-6b05a667-affeb9dbb0aa7f2b5d5ab5f9"
PARENT = "53995c3f42cd8ad8"
OWN = "00000000000000aa"
HEADER = TracingHeader(TRACE, PARENT, True)
RESOURCE = {
    "service.name": "Get",
    "cloud.provider": "aws",
    "cloud.platform": "aws_lambda",
    "faas.name": "Get",
    "lambda_latency.laptop": True,
}


@pytest.mark.parametrize("sampled", [True, False])
def test_a_header_is_written_as_x_ray_does(sampled: bool) -> None:
    """Root, Parent, Sampled; and reading it gives the same header."""
    header = TracingHeader(TRACE, PARENT, sampled)
    text = f"Root={ROOT};Parent={PARENT};Sampled={int(sampled)}"
    assert (str(header), TracingHeader.parse(text)) == (text, header)


@pytest.mark.parametrize(
    "text",
    [
        f"Root={ROOT};Parent={PARENT};Sampled=1;Lineage=1:abcdef12:0",
        f"Self=1-67891234-12456789abcdef012345678;Root={ROOT};Parent={PARENT};Sampled=1",
        f" Sampled=1 ; Parent={PARENT} ; Root={ROOT} ",
        f"Root={ROOT.upper()};Parent={PARENT.upper()};Sampled=1",
        f";;Root={ROOT};nonsense;Parent={PARENT};Sampled=1;",
    ],
    ids=["lineage", "self", "order", "upper case", "nonsense"],
)
def test_a_header_is_read_however_it_is_written(text: str) -> None:
    """Order, blanks, case and fields of others do not matter."""
    assert TracingHeader.parse(text) == HEADER


@pytest.mark.parametrize("sampled", ["", ";Sampled=", ";Sampled=?", ";Sampled=0", ";Sampled=true", ";Sampled=11"])
def test_only_a_1_means_sampled(sampled: str) -> None:
    """Whatever else it says, nothing is recorded."""
    assert TracingHeader.parse(f"Root={ROOT};Parent={PARENT}{sampled}") == TracingHeader(TRACE, PARENT, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        "=;=",
        "Root",
        f"Root={ROOT}",
        f"Parent={PARENT}",
        f"root={ROOT};parent={PARENT}",
        f"Root={TRACE};Parent={PARENT}",
        f"Root=2{ROOT[1:]};Parent={PARENT}",
        f"Root={ROOT[:-1]};Parent={PARENT}",
        f"Root={ROOT}0;Parent={PARENT}",
        f"Root=1-{TRACE};Parent={PARENT}",
        f"Root=1-6b05a66-7affeb9dbb0aa7f2b5d5ab5f9;Parent={PARENT}",
        f"Root=1-6_05a667-affeb9dbb0aa7f2b5d5ab5f9;Parent={PARENT}",
        f"Root=1-6g05a667-affeb9dbb0aa7f2b5d5ab5f9;Parent={PARENT}",
        f"Root=1-٣b05a667-affeb9dbb0aa7f2b5d5ab5f9;Parent={PARENT}",
        f"Root=1-00000000-{'0' * 24};Parent={PARENT}",
        f"Root={ROOT};Parent={'0' * 16}",
        f"Root={ROOT};Parent={PARENT[:-1]}",
        f"Root={ROOT};Parent=+{PARENT[1:]}",
        f"Root={ROOT};Parent={PARENT[:-1]}٣",
        f"Root={ROOT};Parent=<script>alert(1)",
        "Root=" + "a" * 100_000,
    ],
)
def test_a_header_that_names_no_trace_is_none(text: str) -> None:
    """What is no root and parent in hex, of the right length and not all zeros, is no header."""
    assert TracingHeader.parse(text) is None


def test_a_new_header_begins_a_trace_of_its_own() -> None:
    """Its ids are new and readable as a header again."""
    sampled, unsampled = TracingHeader.new(sampled=True), TracingHeader.new(sampled=False)
    ids = {sampled.trace_id, sampled.parent_id, unsampled.trace_id, unsampled.parent_id}
    assert (len(ids), TracingHeader.parse(str(sampled)), TracingHeader.parse(str(unsampled))) == (4, sampled, unsampled)


def test_a_trace_id_begins_with_its_time() -> None:
    """X-Ray takes a trace by the seconds in its id."""
    start_s = int(time.time())
    trace_id = new_trace_id()
    end_s = int(time.time())
    assert (re.fullmatch("[0-9a-f]{32}", trace_id) is not None, start_s <= int(trace_id[:8], 16) <= end_s) == (
        True,
        True,
    )


def _spans(init: tuple[int, int] | None = None, failure: str | None = None, started: int = 20) -> list[Span]:
    times = InvocationTimes(called=10, started=started, responded=30, ended=40, init=init)
    return function_segments("Get", HEADER, OWN, times, {"faas.coldstart": init is not None}, failure)


def _segment(span_id: str, parent: str, start: int, end: int, origin: str, cold: bool, failure: str) -> Span:
    return Span(
        trace_id=TRACE,
        span_id=span_id,
        parent_id=parent,
        parent_remote=parent == PARENT,
        name="Get",
        kind=SpanKind.SERVER,
        start_ns=start,
        end_ns=end,
        status=Status.ERROR if failure else Status.UNSET,
        status_message=failure,
        attributes={"faas.coldstart": cold, "aws.xray.origin": origin},
        resource=RESOURCE,
        scope=SCOPE,
    )


def _phase(span_id: str, name: str, start: int, end: int, failure: str = "") -> Span:
    return Span(
        trace_id=TRACE,
        span_id=span_id,
        parent_id=OWN,
        parent_remote=False,
        name=name,
        kind=SpanKind.INTERNAL,
        start_ns=start,
        end_ns=end,
        status=Status.ERROR if failure else Status.UNSET,
        status_message=failure,
        resource=RESOURCE,
        scope=SCOPE,
    )


def test_a_warm_invocation() -> None:
    """The service's segment from call to response, the function's and its two phases below it."""
    spans = _spans()
    service, _, invocation, overhead = (span.span_id for span in spans)
    assert spans == [
        _segment(service, PARENT, 10, 30, "AWS::Lambda", False, ""),
        _segment(OWN, service, 20, 40, "AWS::Lambda::Function", False, ""),
        _phase(invocation, "Invocation", 20, 30),
        _phase(overhead, "Overhead", 30, 40),
    ]


def test_a_cold_invocation() -> None:
    """Initialization is a child of the function's segment and lies before it, as in X-Ray."""
    spans = _spans(init=(11, 19))
    service, _, init, invocation, overhead = (span.span_id for span in spans)
    assert spans == [
        _segment(service, PARENT, 10, 30, "AWS::Lambda", True, ""),
        _segment(OWN, service, 20, 40, "AWS::Lambda::Function", True, ""),
        _phase(init, "Initialization", 11, 19),
        _phase(invocation, "Invocation", 20, 30),
        _phase(overhead, "Overhead", 30, 40),
    ]


@pytest.mark.parametrize("failure", ["Runtime.ExitError", "Sandbox.Timedout"])
def test_a_failed_or_timed_out_invocation(failure: str) -> None:
    """Both segments and the Invocation are errors and name Lambda's error type; the Overhead is none."""
    spans = _spans(failure=failure)
    service, _, invocation, overhead = (span.span_id for span in spans)
    assert spans == [
        _segment(service, PARENT, 10, 30, "AWS::Lambda", False, failure),
        _segment(OWN, service, 20, 40, "AWS::Lambda::Function", False, failure),
        _phase(invocation, "Invocation", 20, 30, failure),
        _phase(overhead, "Overhead", 30, 40),
    ]


def test_a_failed_init() -> None:
    """The time went into an Initialization; the invocation that never was has no length."""
    times = InvocationTimes(called=10, started=30, responded=30, ended=30, init=(10, 30))
    spans = function_segments("Get", HEADER, OWN, times, {"faas.coldstart": True}, "Runtime.ExitError")
    service, _, init, invocation, overhead = (span.span_id for span in spans)
    assert spans == [
        _segment(service, PARENT, 10, 30, "AWS::Lambda", True, "Runtime.ExitError"),
        _segment(OWN, service, 30, 30, "AWS::Lambda::Function", True, "Runtime.ExitError"),
        _phase(init, "Initialization", 10, 30),
        _phase(invocation, "Invocation", 30, 30, "Runtime.ExitError"),
        _phase(overhead, "Overhead", 30, 30),
    ]


def test_new_spans_have_ids_of_their_own() -> None:
    """All ids of an invocation differ, and differ from those of the next."""
    ids = [span.span_id for span in _spans(init=(11, 19)) + _spans(init=(11, 19))]
    assert (len(set(ids)), ids.count(OWN)) == (9, 2)
