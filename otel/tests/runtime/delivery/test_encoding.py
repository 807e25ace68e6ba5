"""Spans as bytes: what the protobuf package makes of them, and no larger than the transport takes."""

from math import inf
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from lambda_latency.redaction import Redaction, parse_chosen
from lambda_latency.runtime.delivery.encoding import ANNOTATIONS, INDEXED, Encoder, request
from lambda_latency.testing.redacted import redacted
from tests.draws import draws

SECRET = "kM3nPq7RsT9vWx2Y"
PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
SUSPECT = st.sampled_from([
    f"http://u:{SECRET}@h/a?b={SECRET}", f"Bearer {SECRET}", f"password={SECRET}" + "x" * 5000, "for tenant-42",
    "GET /a", "say swordfish-7",
])  # fmt: skip
TEXTS = PLAIN | SUSPECT
NUMBERS = st.integers(-(2**63), 2**63 - 1)
SINGLE = st.one_of(TEXTS, st.booleans(), NUMBERS, st.floats(allow_nan=False))
VALUES = st.one_of(SINGLE, st.lists(TEXTS, max_size=3).map(tuple), st.lists(NUMBERS, max_size=3).map(tuple))
# Hypothesis tries texts of the source, too: the names of those that are indexed are written on a span besides, last.
KEYS = st.sampled_from(
    ["http.url", "db.statement", "db_password", "app.tenant", "request.id", "number"]
) | PLAIN.filter(lambda text: text not in {"", ANNOTATIONS, *INDEXED})
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=5)
TIMES = st.integers(0, 2**64 - 1)
CHOSEN = parse_chosen("app.tenant, /tenant-\\d+/")


@st.composite
def contexts(draw: st.DrawFn) -> SpanContext:
    """A span's identity."""
    state = TraceState([("a", "1"), ("b", "2")][: draw(st.integers(0, 2))])
    return SpanContext(
        draw(st.integers(1, 2**128 - 1)), draw(st.integers(1, 2**64 - 1)), draw(st.booleans()), TraceFlags(1), state
    )


RESOURCES = [
    Resource({"api_key": SECRET}),
    Resource({"service.name": "orders", "faas.max_memory": 2**29}, "https://schema/1"),
]
SCOPES = [
    None,
    InstrumentationScope("a"),
    InstrumentationScope("b", "0.65b0", "https://schema/2", {"k": 1, "token": SECRET, "say": "swordfish-7"}),
]


@st.composite
def spans(draw: st.DrawFn) -> ReadableSpan:
    """Anything that the SDK might hand over."""
    attributes = BoundedAttributes(attributes=draw(ATTRIBUTES))
    attributes.dropped = draw(st.sampled_from([0, 1, 300]))
    code = draw(st.sampled_from(StatusCode))
    return ReadableSpan(
        draw(TEXTS),
        draw(contexts()),
        draw(st.none() | contexts()),
        draw(st.sampled_from(RESOURCES)),
        attributes,
        [Event(draw(TEXTS), draw(ATTRIBUTES), draw(TIMES)) for _ in range(draw(st.integers(0, 2)))],
        [Link(draw(contexts()), draw(ATTRIBUTES)) for _ in range(draw(st.integers(0, 2)))],
        draw(st.sampled_from(SpanKind)),
        None,
        Status(code, draw(st.none() | TEXTS) if code is StatusCode.ERROR else None),
        draw(TIMES),
        draw(TIMES),
        draw(st.sampled_from(SCOPES)),
    )


@settings(max_examples=draws(100), deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(spans(), max_size=4))
def test_spans_are_encoded_as_the_protobuf_package_does(drawn: list[ReadableSpan]) -> None:
    """Byte by byte, of the redacted copies; from the caches too, with a secret that comes later, and without a limit of
    processor time, which only the encoder has: a loaded machine would exceed it.
    """
    encoder = Encoder(Redaction(CHOSEN, 4096))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lambda_latency.redaction.attributes.BUDGET_S", inf)
        for password in ("", "", "swordfish-7"):
            patch.setenv("DB_PASSWORD", password)
            encoded = list(encoder.encode(drawn, 10**9))
            expected = encode_spans(redacted(Redaction(CHOSEN, 4096), drawn)).SerializeToString(deterministic=True)
            assert request(encoded) == expected
            assert sum(span.size for span in encoded) >= len(expected)
    assert SECRET.encode() not in expected
    assert b"swordfish-7" not in expected


def simple(**values: Any) -> ReadableSpan:
    """A span with these attributes, an event, and a link."""
    context = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1))
    event = Event("exception", {"exception.stacktrace": "y" * 1000}, 5)
    status = Status(StatusCode.ERROR, "z" * 1000)
    return ReadableSpan(
        "n" * 1000, context, None, RESOURCES[1], values, [event], [Link(context)], status=status, start_time=3,
        end_time=4, instrumentation_scope=SCOPES[1],
    )  # fmt: skip


def test_a_span_that_is_too_large_is_cut_until_it_fits(caplog: pytest.LogCaptureFixture) -> None:
    """Its identity, times and short values stay; what is lost is counted; the log says so once."""
    encoder = Encoder(Redaction(None, 4096))
    values = {f"key {number:03d}" * 10: "x" * 500 for number in range(128)} | {"late": 1}
    for _ in range(2):
        (encoded,) = encoder.encode([simple(number=7, listed=("a",), text="x" * 500, **values)], 48_000)
    assert encoded.size <= 48_000
    (span,) = ExportTraceServiceRequest.FromString(request([encoded])).resource_spans[0].scope_spans[0].spans
    attributes = {pair.key: pair.value.string_value or pair.value.int_value for pair in span.attributes}
    assert (span.span_id, span.start_time_unix_nano, span.end_time_unix_nano) == ((2).to_bytes(8, "big"), 3, 4)
    assert (len(span.name), len(span.status.message), span.status.code) == (200, 200, 2)
    assert (attributes["number"], attributes["text"], "listed" in attributes) == (7, "x" * 200, False)
    assert (span.dropped_attributes_count + len(attributes), span.dropped_events_count, span.dropped_links_count) == (
        132,
        1,
        1,
    )
    (message,) = caplog.messages
    assert message.startswith("lambda-latency: the span 'nnn")


def test_what_no_utf8_can_say_is_no_reason_to_lose_a_span() -> None:
    """A lone surrogate, as `os.fsdecode` makes them; and a value of a type that nobody foresaw."""
    (encoded,) = Encoder(Redaction(None, 4096)).encode([simple(text="a\ud800b", odd=complex(1, 2))], 10**9)
    (span,) = ExportTraceServiceRequest.FromString(request([encoded])).resource_spans[0].scope_spans[0].spans
    assert [pair.value.string_value for pair in span.attributes] == ["a?b", "(1+2j)"]


def test_what_can_be_searched_for_is_named_on_the_span() -> None:
    """For an exporter that has no list of its own; what the function has named stays, and lists are left out."""
    attributes = {"http.route": "/a", "tenant": "t1", "aws.xray.annotations": ("tenant",), "aws.table_name": "orders"}
    (encoded,) = Encoder(Redaction(None, 4096)).encode([simple(**attributes)], 10**9)
    (span,) = ExportTraceServiceRequest.FromString(request([encoded])).resource_spans[0].scope_spans[0].spans
    named = [pair.value.array_value.values for pair in span.attributes if pair.key == "aws.xray.annotations"]
    assert [[value.string_value for value in values] for values in named] == [
        ["tenant", "http.route", "aws.table_name"]
    ]
