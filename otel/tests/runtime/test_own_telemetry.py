"""A function's own tracing beside the runtime's: its provider, processors, propagators, roots, init and children."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from lab.faults.box import HEADER, SEGMENT, TRACE, Box
from lab.faults.collector import Collector
from lambda_latency.local.processes import Processes
from tests.runtime.conftest import STEPS
from tests.runtime.stubs import Server

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

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
        told = [span for span in self.spans if span.name not in STEPS or span.name == "init"]
        return sorted((span.name, names.get(span.parent_span_id, "?")) for span in told)


def ran(case: str, *headers: str, timeout_s: float = 20, **variables: str) -> Ran:
    """The invocations of one environment, each with its tracing header."""
    collector, found = Collector(), Ran()
    with Server() as provider, Processes() as processes:
        own = {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url,
            "LAMBDA_LATENCY_FIRST_FLUSH_MS": "20000",
            "PROVIDER": provider.url,
            "CASE": case,
        }
        box = Box(processes, "tests.runtime.own_function.handler", {**own, **variables}, timeout_s=timeout_s)
        try:
            for header in headers or (HEADER,):
                outcome = box.invoke(b"{}", header).outcome
                assert outcome is not None
                found.answers.append(json.loads(outcome.payload) if outcome.error is None else outcome.error)
                box.settle()
        finally:
            box.close()
            collector.close()
        found.headers = [request.headers for request in provider.requests]
    found.spans, found.lines = collector.spans(), box.lines
    return found


def test_a_provider_that_the_function_sets_is_the_processs_and_both_have_all_spans() -> None:
    """Theirs are in our trace, and ours reach their exporter: the handler's when it has ended."""
    found = ran("provider", HEADER, HEADER)
    seen = [(same, sorted(set(names) - {"tcp"})) for same, names in found.answers]
    assert seen == [(True, ["GET", "init", "own"]), (True, ["GET", "init", HANDLER, "own"])]
    one = [("GET", "own"), (HANDLER, "Lambda"), ("own", HANDLER)]
    assert found.tree() == sorted([*one, *one, ("init", HANDLER)])
    assert {span.trace_id.hex() for span in found.spans} == {TRACE}


def test_spans_of_the_functions_provider_are_not_taken_where_the_invocation_is_not_recorded() -> None:
    """Its sampler may record what Lambda's header does not want: that is for its own exporter."""
    found = ran("provider", UNSAMPLED)
    assert (found.spans, found.answers[0][0]) == ([], True)


def test_a_processor_that_the_function_adds_sees_every_span() -> None:
    """What it writes on them leaves."""
    found = ran("processor", HEADER, HEADER)
    assert found.answers == [["init", "own"], ["init", "own", HANDLER, "own"]]
    assert all("tenant" in {pair.key for pair in span.attributes} for span in found.spans)


def test_a_propagator_that_the_function_sets_writes_beside_x_rays() -> None:
    """Both headers are there; X-Ray's names the call's span."""
    found = ran("propagator")
    (call,) = [span for span in found.spans if span.name == "GET"]
    (headers,) = found.headers
    assert (headers["x-own"], call.span_id.hex() in headers["x-amzn-trace-id"]) == ("yes", True)


def test_baggage_goes_on_where_the_function_has_set_some() -> None:
    """Nobody else can: no caller's headers are read. `traceparent` goes on where the variable names it."""
    (headers,) = ran("with_baggage").headers
    assert (headers["baggage"], "traceparent" in headers) == ("tenant=t1", False)
    (headers,) = ran("with_baggage", OTEL_PROPAGATORS="xray,tracecontext").headers
    assert (headers["baggage"], "traceparent" in headers, "x-amzn-trace-id" in headers) == ("tenant=t1", True, True)


def test_a_call_in_init_carries_no_header() -> None:
    """There is no trace of Lambda's then; the span of the call is kept."""
    found = ran("init_call")
    assert "x-amzn-trace-id" not in found.headers[0]
    assert ("GET", "init") in found.tree()


def test_spans_made_in_init_are_below_the_init() -> None:
    """Of the trace that the first invocation belongs to; they tell that they are recorded."""
    found = ran("init")
    assert found.answers == [True]
    assert found.tree() == sorted([
        (HANDLER, "Lambda"), ("init", HANDLER), ("load the model", "init"), ("read the file", "load the model"),
    ])  # fmt: skip
    assert {span.trace_id.hex() for span in found.spans} == {TRACE}
    assert ran("init", UNSAMPLED, HEADER).tree() == [(HANDLER, "Lambda")]


def test_a_span_without_a_parent_is_below_the_handlers() -> None:
    """As by a consumer for each message: in the invocation's own trace, which X-Ray can sample."""
    found = ran("roots")
    assert found.tree() == sorted([
        ("GET", "first"), ("GET", "second"), (HANDLER, "Lambda"), ("first", HANDLER), ("init", HANDLER),
        ("second", HANDLER),
    ])  # fmt: skip
    assert {span.trace_id.hex() for span in found.spans} == {TRACE}
    assert ran("roots", UNSAMPLED).spans == []


def test_a_frameworks_span_of_the_request_is_below_the_handlers() -> None:
    """FastAPI reads its parent from the request's headers: that is Lambda's caller, beside the handler's span."""
    found = ran("framework")
    assert found.tree() == sorted([
        *[("GET", "request"), ("request", HANDLER)] * 2, (HANDLER, "Lambda"), ("init", HANDLER),
    ])  # fmt: skip
    assert {span.trace_id.hex() for span in found.spans} == {TRACE}


def test_a_frameworks_span_that_never_ended_is_below_the_handlers() -> None:
    """What leaves at a timeout is placed as what leaves after a response."""
    found = ran("framework_hangs", timeout_s=2)
    assert found.tree() == sorted([("request", HANDLER), (HANDLER, "Lambda"), ("init", HANDLER)])


def test_a_flush_delivers_what_has_ended() -> None:
    """Then a process may go as it likes."""
    found = ran("flush_and_exit")
    assert found.answers == ["Runtime.ExitError"]
    assert "flushed True" in "".join(found.lines)
    assert "before the exit" in {span.name for span in found.spans}


def test_an_instrumentation_that_the_function_puts_on_has_its_hooks() -> None:
    """The call is one span nonetheless, and carries what OpenTelemetry's default writes, too."""
    found = ran("hooks")
    assert found.answers == [["/rates"]]
    assert found.tree() == sorted([("GET", HANDLER), (HANDLER, "Lambda"), ("init", HANDLER)])
    (headers,) = found.headers
    (call,) = [span for span in found.spans if span.name == "GET"]
    assert (call.span_id.hex() in headers["traceparent"], "x-amzn-trace-id" in headers) == (True, True)
    (headers,) = ran("hooks", OTEL_PROPAGATORS="xray").headers
    assert ("traceparent" in headers, "x-amzn-trace-id" in headers) == (False, True)


@pytest.mark.parametrize("case", ["forks", "pools"])
def test_spans_of_forked_children_are_kept(case: str) -> None:
    """Each once, below the handler's, and nothing of the parent's twice; whoever registered hooks of forks first."""
    found = ran(case)
    assert found.answers == [0]
    assert found.tree() == sorted([
        ("GET", "by hand"), ("GET", "by multiprocessing"), (HANDLER, "Lambda"), ("by hand", HANDLER),
        ("by multiprocessing", HANDLER), ("init", HANDLER),
    ])  # fmt: skip
    assert len({span.span_id for span in found.spans}) == len(found.spans)


def test_a_forked_child_that_exits_sends_its_own_spans_alone() -> None:
    """The handler's span, which it ends on its way out, is its parent's."""
    found = ran("exits")
    assert found.answers == [6]
    assert found.tree() == sorted([
        ("GET", "by hand"), (HANDLER, "Lambda"), ("by hand", HANDLER), ("init", HANDLER),
    ])  # fmt: skip
