"""Traces of the machine that stands for AWS: its gateway, queue and sandbox are its own, and cost nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.cli import main
from lambda_latency.local.spans.segments import (
    SCOPE,
    InvocationTimes,
    TracingHeader,
    function_segments,
    new_span_id,
    new_trace_id,
)
from lambda_latency.trace import GATEWAY, LAPTOP, Span, SpanKind, dump_line
from tests.xray.platform import xray_documents

MS = 1_000_000
BEGUN = 1_796_000_000_000 * MS


def hello_world(number: int, queue_ms: int, overhead_ms: int, init_ms: int) -> list[Span]:
    """The spans of a request of an app whose handler does nothing, `number` of a run."""
    start_ns = BEGUN + number * 100 * MS
    header = TracingHeader(new_trace_id(), new_span_id(), True)
    started = start_ns + MS + queue_ms * MS + init_ms * MS
    responded = started + (2 + overhead_ms) * MS
    init = (started - init_ms * MS, started) if init_ms else None
    stage = Span(
        trace_id=header.trace_id,
        span_id=header.parent_id,
        name="hello/Prod",
        kind=SpanKind.SERVER,
        start_ns=start_ns,
        end_ns=responded + MS,
        attributes={"aws.xray.origin": GATEWAY, "http.request.method": "GET", "http.route": "/hello"},
        resource={"service.name": "hello", LAPTOP: True},
        scope=SCOPE,
    )
    times = InvocationTimes(start_ns + MS, started, responded, responded + overhead_ms * MS, init)
    return [stage, *function_segments("Hello", header, new_span_id(), times, {"faas.coldstart": bool(init_ms)}, None)]


def _as_xray(requests: list[list[Span]]) -> str:
    """The answer of X-Ray's API with the documents of these requests."""
    by_trace: dict[str, list[dict[str, str]]] = {}
    for spans in requests:
        segments = [{"Id": d["id"], "Document": json.dumps(d)} for d in xray_documents(spans)]
        [trace_id] = {span.trace_id for span in spans}
        by_trace[trace_id] = segments
    return json.dumps({"Traces": [{"Id": key, "Segments": segments} for key, segments in by_trace.items()]})


@pytest.fixture(params=["otlp", "x-ray"])
def traces(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """200 requests, of which 20 wait long for the machine and 10 for a cold start, as the laptop keeps them."""
    requests = [
        hello_world(number, 400 if number % 10 == 3 else 1, 1, 700 if number % 20 == 5 else 0) for number in range(200)
    ]
    file = tmp_path / "traces"
    if request.param == "otlp":
        file.write_text("".join(dump_line(spans) for spans in requests))
    else:
        file.write_text(_as_xray(requests))
    return file


def report(traces: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """What is printed."""
    assert main(["report", str(traces), *more]) == 0
    return capsys.readouterr().out


def test_no_cause_is_the_platforms_and_nothing_has_a_price(traces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The wait is for this machine's queue; no sentence speaks of AWS's parts, and no money."""
    text = " ".join(report(traces, capsys).split())
    assert "wait for this machine's queue" in text
    assert "The cause is this machine." in text
    assert [word for word in ("platform", "$", "Lambda service", "API Gateway") if word in text] == []


def test_the_document_has_no_owner_platform_and_no_cost(traces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The cost of a cold start is null."""
    document: dict[str, Any] = json.loads(report(traces, capsys, "--format", "json"))
    assert (document["cold_starts"]["requests"], document["cold_starts"]["cost"]) == (10, None)
    text = json.dumps(document)
    assert [text[text.index(phrase) - 80 :][:160] for phrase in ('"platform"', "the platform") if phrase in text] == []
