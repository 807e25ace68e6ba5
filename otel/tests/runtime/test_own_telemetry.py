"""A function's own tracing beside the runtime's: its provider, processors, propagators, roots, init and children."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from lab.faults.box import HEADER, SEGMENT, TRACE, Box
from lab.faults.collector import Collector
from lambda_latency.local.processes import Processes
from tests.runtime.conftest import STEPS
from tests.runtime.stubs import Server

UNSAMPLED = HEADER.replace("Sampled=1", "Sampled=0")
HANDLER = "orders-create"


@dataclass
class Ran:
    """What came of some invocations."""

    answers: list[Any] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def tree(self) -> list[tuple[str, str]]:
        """Each span's name and its parent's, by name; `Lambda` is its segment, `-` nobody."""
        names = {span.span_id: span.name for span in self.spans} | {bytes.fromhex(SEGMENT): "Lambda", b"": "-"}
        shown = [span for span in self.spans if span.name not in STEPS or span.name == "init"]
        return sorted((span.name, names.get(span.parent_span_id, "?")) for span in shown)


def ran(case: str, *headers: str, timeout_s: float = 20, **variables: str) -> Ran:
    """The invocations of one environment, each with its tracing header."""
    collector, run = Collector(), Ran()
    with Server() as provider, Processes() as processes:
        defaults = {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url,
            "LAMBDA_LATENCY_FIRST_FLUSH_MS": "20000",
            "PROVIDER": provider.url,
            "CASE": case,
        }
        box = Box(processes, "tests.runtime.own_function.handler", {**defaults, **variables}, timeout_s=timeout_s)
        try:
            for header in headers or (HEADER,):
                outcome = box.invoke(b"{}", header).outcome
                assert outcome is not None
                run.answers.append(json.loads(outcome.payload) if outcome.error is None else outcome.error)
                box.settle()
        finally:
            box.close()
            collector.close()
        run.headers = [request.headers for request in provider.requests]
    run.spans, run.lines = collector.spans(), box.lines
    return run


def test_a_provider_that_the_function_sets_is_the_processs_and_both_have_all_spans() -> None:
    """Theirs are in our trace, and ours reach their exporter: the handler's when it has ended."""
    run = ran("provider", HEADER, HEADER)
    facts = [(is_set, sorted(set(names) - {"tcp"})) for is_set, names in run.answers]
    assert facts == [(True, ["GET", "init", "own"]), (True, ["GET", "init", HANDLER, "own"])]
    branch = [("GET", "own"), (HANDLER, "Lambda"), ("own", HANDLER)]
    assert run.tree() == sorted([*branch, *branch, ("init", HANDLER)])
    assert {span.trace_id.hex() for span in run.spans} == {TRACE}


def test_spans_of_the_functions_provider_are_not_taken_where_the_invocation_is_not_recorded() -> None:
    """Its sampler may record what Lambda's header does not want: that is for its own exporter."""
    run = ran("provider", UNSAMPLED)
    assert (run.spans, run.answers[0][0]) == ([], True)


def test_a_processor_that_the_function_adds_sees_every_span() -> None:
    """What it writes on them leaves."""
    run = ran("processor", HEADER, HEADER)
    assert run.answers == [["init", "own"], ["init", "own", HANDLER, "own"]]
    assert all("tenant" in {pair.key for pair in span.attributes} for span in run.spans)


def test_a_propagator_that_the_function_sets_writes_beside_x_rays() -> None:
    """Both headers are there; X-Ray's names the call's span."""
    run = ran("propagator")
    (call,) = [span for span in run.spans if span.name == "GET"]
    (headers,) = run.headers
    assert (headers["x-own"], call.span_id.hex() in headers["x-amzn-trace-id"]) == ("yes", True)


def test_baggage_goes_on_where_the_function_has_set_some() -> None:
    """Nobody else can: no caller's headers are read. `traceparent` goes on where the variable names it."""
    (headers,) = ran("with_baggage").headers
    assert (headers["baggage"], "traceparent" in headers) == ("tenant=t1", False)
    (headers,) = ran("with_baggage", OTEL_PROPAGATORS="xray,tracecontext").headers
    assert (headers["baggage"], "traceparent" in headers, "x-amzn-trace-id" in headers) == ("tenant=t1", True, True)


def test_a_call_in_init_carries_no_header() -> None:
    """There is no trace of Lambda's then; the span of the call is kept."""
    run = ran("init_call")
    assert "x-amzn-trace-id" not in run.headers[0]
    assert ("GET", "init") in run.tree()


def test_spans_made_in_init_are_below_the_init() -> None:
    """Of the trace that the first invocation belongs to; they tell that they are recorded."""
    run = ran("init")
    assert run.answers == [True]
    assert run.tree() == sorted([
        (HANDLER, "Lambda"), ("init", HANDLER), ("load the model", "init"), ("read the file", "load the model"),
    ])  # fmt: skip
    assert {span.trace_id.hex() for span in run.spans} == {TRACE}
    assert ran("init", UNSAMPLED, HEADER).tree() == [(HANDLER, "Lambda")]


def test_a_span_without_a_parent_is_below_the_handlers() -> None:
    """As by a consumer for each message: in the invocation's own trace, which X-Ray can sample."""
    run = ran("roots")
    assert run.tree() == sorted([
        ("GET", "first"), ("GET", "second"), (HANDLER, "Lambda"), ("first", HANDLER), ("init", HANDLER),
        ("second", HANDLER),
    ])  # fmt: skip
    assert {span.trace_id.hex() for span in run.spans} == {TRACE}
    assert ran("roots", UNSAMPLED).spans == []


def test_a_frameworks_span_of_the_request_is_below_the_handlers() -> None:
    """FastAPI reads its parent from the request's headers: that is Lambda's caller, beside the handler's span."""
    run = ran("framework")
    assert run.tree() == sorted([
        *[("GET", "request"), ("request", HANDLER)] * 2, (HANDLER, "Lambda"), ("init", HANDLER),
    ])  # fmt: skip
    assert {span.trace_id.hex() for span in run.spans} == {TRACE}


def test_a_frameworks_span_that_never_ended_is_below_the_handlers() -> None:
    """What leaves at a timeout is placed as what leaves after a response."""
    run = ran("framework_hangs", timeout_s=2)
    assert run.tree() == sorted([("request", HANDLER), (HANDLER, "Lambda"), ("init", HANDLER)])


def test_a_flush_delivers_what_has_ended() -> None:
    """Then a process may go as it likes."""
    run = ran("flush_and_exit")
    assert run.answers == ["Runtime.ExitError"]
    assert "flushed True" in "".join(run.lines)
    assert "before the exit" in {span.name for span in run.spans}


def test_an_instrumentation_that_the_function_puts_on_has_its_hooks() -> None:
    """The call is one span nonetheless, and carries what OpenTelemetry's default writes, too."""
    run = ran("hooks")
    assert run.answers == [["/rates"]]
    assert run.tree() == sorted([("GET", HANDLER), (HANDLER, "Lambda"), ("init", HANDLER)])
    (headers,) = run.headers
    (call,) = [span for span in run.spans if span.name == "GET"]
    assert (call.span_id.hex() in headers["traceparent"], "x-amzn-trace-id" in headers) == (True, True)
    (headers,) = ran("hooks", OTEL_PROPAGATORS="xray").headers
    assert ("traceparent" in headers, "x-amzn-trace-id" in headers) == (False, True)


@pytest.mark.parametrize("case", ["forks", "pools"])
def test_spans_of_forked_children_are_kept(case: str) -> None:
    """Each once, below the handler's, and nothing of the parent's twice; whoever registered hooks of forks first."""
    run = ran(case)
    assert run.answers == [0]
    assert run.tree() == sorted([
        ("GET", "by hand"), ("GET", "by multiprocessing"), (HANDLER, "Lambda"), ("by hand", HANDLER),
        ("by multiprocessing", HANDLER), ("init", HANDLER),
    ])  # fmt: skip
    assert len({span.span_id for span in run.spans}) == len(run.spans)


def test_a_forked_child_that_exits_sends_its_own_spans_alone() -> None:
    """The handler's span, which it ends on its way out, is its parent's."""
    run = ran("exits")
    assert run.answers == [6]
    assert run.tree() == sorted([
        ("GET", "by hand"), (HANDLER, "Lambda"), ("by hand", HANDLER), ("init", HANDLER),
    ])  # fmt: skip
