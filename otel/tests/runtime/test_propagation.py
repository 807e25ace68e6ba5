"""Lambda's header alone decides."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.aws.aws_xray_propagator import AwsXRayPropagator
from opentelemetry.propagators.textmap import default_setter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanContext, TraceFlags, get_current_span

from lambda_latency.runtime.propagation import (
    LambdaIds,
    LambdaSampler,
    context_below,
    parsed,
    root_context,
    write,
)
from tests.runtime.conftest import HEADER, SEGMENT, TRACE, Function


def remote(header: str) -> SpanContext:
    """The parent that a header gives."""
    parent, _, _ = parsed(header)
    assert parent is not None
    return parent


def test_a_full_header_is_a_remote_parent() -> None:
    """Trace, parent and decision are Lambda's own."""
    parent = remote(HEADER)
    assert (f"{parent.trace_id:032x}", f"{parent.span_id:016x}") == (TRACE, SEGMENT)
    assert (parent.is_remote, parent.trace_flags.sampled) == (True, True)


@pytest.mark.parametrize(
    "header",
    [
        "",
        ";",
        "Root",
        "Root=",
        f"Parent={SEGMENT};Sampled=1",
        f"Root=1-{TRACE};Parent={SEGMENT};Sampled=1",
        f"Root=2-{TRACE[:8]}-{TRACE[8:]};Parent={SEGMENT};Sampled=1",
        f"Root=1-{TRACE[:8]}-{TRACE[8:]}0;Parent={SEGMENT};Sampled=1",
        f"Root=1-{TRACE[:8]}-{TRACE[8:-1]}g;Parent={SEGMENT};Sampled=1",
        f"Root=1-{TRACE[:8]}-{TRACE[8:-1]}\u0661;Parent={SEGMENT};Sampled=1",
        f"Root=1-00000000-{'0' * 24};Parent={SEGMENT};Sampled=1",
        f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent=0000000000000000;Sampled=1",
        f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent=123;Sampled=1",
        f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent=xyzxyzxyzxyzxyzx;Sampled=1",
        f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SEGMENT}{SEGMENT};Sampled=1",
        "00-674385f00123456789abcdef01234567-0123456789abcdef-01",
        "\x00" * 100,
        "Root=1-" + "a" * 100_000,
    ],
)
def test_a_malformed_header_is_a_trace_of_its_own_that_is_not_recorded(
    header: str, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request is served; no span hangs on half a parent."""
    if "\x00" not in header:  # the one thing that an environment variable cannot hold
        monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
        assert function.invoke(lambda _event, _context: "fine") == "fine"
        assert function.spans == ()
    assert root_context(header) == Context()


ROOT = f"Root=1-{TRACE[:8]}-{TRACE[8:]}"
PIECES = st.sampled_from((
    ROOT, ROOT.upper(), f" {ROOT}", ROOT[:-1], f"{ROOT[:-1]};", "Root=1-00000000-000000000000000000000000", "Root", "",
    f"Parent={SEGMENT}", f"Parent={SEGMENT.upper()} ", f"Parent={SEGMENT[:-1]}g", "Parent=0000000000000000", "Parent=",
    "Sampled=1", "Sampled=0", "Sampled=?", "Sampled=", "Sampled=11", "Sampled= 1", "Sampled",
    "Lineage=1:abcdef12:0", "Lineage=a=b", "Lineage=", "Lineage", "Self=1", "=", " ",
))  # fmt: skip


@given(st.lists(PIECES, max_size=6), st.sampled_from(((), (ROOT,), (ROOT, f"Parent={SEGMENT}", "Sampled=1"))))
def test_the_usual_form_and_any_other_are_read_alike(pieces: list[str], prefix: tuple[str, ...]) -> None:
    """The last of a name counts, spaces around a pair do not."""
    header = ";".join([*prefix, *pieces])
    pairs = {key: value for key, _, value in (pair.strip().partition("=") for pair in header.split(";"))}
    trace = re.fullmatch("1-([0-9a-f]{8})-([0-9a-f]{24})", pairs.get("Root", "").lower())
    parent = re.fullmatch("[0-9a-f]{16}", pairs.get("Parent", "").lower())
    expected = None
    if trace and parent and int(trace[1] + trace[2], 16) and int(parent[0], 16):
        expected = int(trace[1] + trace[2], 16), int(parent[0], 16), pairs.get("Sampled") == "1"
    context, _, _ = parsed(header)
    assert (context and (context.trace_id, context.span_id, context.trace_flags.sampled)) == expected


@pytest.mark.parametrize(("sampled", "recorded"), [("1", 1), ("0", 0)])
def test_a_root_without_a_parent_makes_the_handlers_span_the_root(
    sampled: str, recorded: int, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In PassThrough mode a caller's header may name a trace and no parent: joining it needs no made-up parent."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root=1-{TRACE[:8]}-{TRACE[8:]};Sampled={sampled}")
    contexts: list[SpanContext] = []
    function.invoke(lambda _event, _context: contexts.append(get_current_span().get_span_context()))
    assert [f"{context.trace_id:032x}" for context in contexts] == [TRACE]
    assert [span.parent for span in function.spans] == [None] * recorded


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**64 - 1), st.integers(0, 255))
def test_what_is_called_gets_upstreams_header(trace_id: int, span_id: int, flags: int) -> None:
    """To the letter; none where there is no span."""
    parent = SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(flags))
    headers, upstreams = dict[str, str](), dict[str, str]()
    write(get_current_span(context_below(parent)), headers, None, default_setter)
    AwsXRayPropagator().inject(upstreams, context_below(parent))
    assert headers == upstreams


def test_a_trace_id_begins_with_the_time() -> None:
    """X-Ray refuses ids that are older than 30 days."""
    start_s = int(time.time())
    assert start_s <= LambdaIds().generate_trace_id() >> 96 <= int(time.time())


@pytest.mark.parametrize(("decision", "recorded", "sampled"), [("init", True, 0), (True, True, 1), (False, False, 0)])
def test_a_span_without_a_parent_follows_the_invocation(decision: bool | str, recorded: bool, sampled: int) -> None:
    """In init it is recorded without the flag, so that no callee is told to record; its children are too."""
    sampler = LambdaSampler()
    sampler.decision = decision
    tracer = TracerProvider(sampler=sampler, id_generator=LambdaIds(), shutdown_on_exit=False).get_tracer("test")
    with tracer.start_as_current_span("root") as root, tracer.start_as_current_span("child") as child:
        facts = [(span.is_recording(), span.get_span_context().trace_flags) for span in (root, child)]
    assert facts == [(recorded, sampled)] * 2


def test_the_global_propagator_names_all_that_it_reads_and_may_write(function: Function) -> None:
    """As OpenTelemetry's default does, and X-Ray's."""
    assert propagate.get_global_textmap().fields == {"X-Amzn-Trace-Id", "traceparent", "tracestate", "baggage"}
